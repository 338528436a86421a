package realnet

import (
	"context"
	"sync"

	"peernet/actors"
	"peernet/actors/peer"
)

// A port is the actor by which goroutines outside talk to a node.
type port struct {
	root actors.Ref
	self actors.Ref

	mu        sync.Mutex
	tag       uint64
	calls     map[uint64]waiting
	announces map[string]chan<- Response // by the ID of the request
	listeners map[chan<- *Request]*Node
	ready     chan struct{}
}

// waiting is a call that has no answer yet.
type waiting struct {
	answer    chan actors.Message // with room for it
	responses chan<- Response     // of an announce
}

func newPort() *port {
	return &port{
		calls: map[uint64]waiting{}, announces: map[string]chan<- Response{},
		listeners: map[chan<- *Request]*Node{}, ready: make(chan struct{}),
	}
}

// Receive implements [actors.Actor].
func (p *port) Receive(ctx actors.Context, m actors.Message) {
	switch m := m.(type) {
	case *actors.Started:
		p.root, p.self = ctx.Sender(), ctx.Self()
		ctx.Send(p.root, &peer.Subscribe{
			Call:   peer.Call{ReplyTo: ctx.Self()},
			Topics: peer.TopicRequest | peer.TopicResponse,
		})
		close(p.ready)
	case *peer.Received:
		p.onReceived(ctx, m)
	case *peer.Done:
		p.answer(m.Tag, m)
	case *peer.Announced:
		p.answer(m.Tag, m)
	case *peer.KnownPage:
		p.answer(m.Tag, m)
	case *peer.StatsResult:
		p.answer(m.Tag, m)
	case *peer.ConnectionList:
		p.answer(m.Tag, m)
	}
}

func (p *port) answer(tag uint64, m actors.Message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w, ok := p.calls[tag]
	if !ok {
		return
	}
	delete(p.calls, tag)
	if a, ok := m.(*peer.Announced); ok && a.Err == nil && w.responses != nil {
		// Here, so that no response is too early.
		p.announces[a.ID] = w.responses
	}
	w.answer <- m
}

func (p *port) onReceived(ctx actors.Context, m *peer.Received) {
	b := m.Frame.Body
	message := Message{Type: b.Type, Data: b.Data, Limit: b.Limit}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !m.Frame.Response {
		for c, n := range p.listeners {
			select {
			case c <- &Request{Message: message, Hops: int(m.Frame.Hops) + 1, id: b.ID, node: n}:
			default:
				ctx.Emit(actors.Event{Kind: EventUnread, Message: m.Frame})
			}
		}
		return
	}
	r := Response{Message: message, Hops: int(m.Frame.Hops) + 1}
	if c, ok := p.announces[b.Reply]; ok {
		select {
		case c <- r:
		default:
			ctx.Emit(actors.Event{Kind: EventUnread, Message: m.Frame})
		}
	}
}

// ask sends the root an operation and waits for the answer, whose error it
// returns.
func (n *Node) ask(ctx context.Context, op func(peer.Call) actors.Message) (actors.Message, error) {
	return n.call(ctx, nil, op)
}

// call is ask, where responses to an announce go to a channel.
func (n *Node) call(ctx context.Context, responses chan<- Response, op func(peer.Call) actors.Message) (actors.Message, error) {
	p := n.port
	select {
	case <-p.ready:
	case <-n.process.done:
		return nil, ErrClosed
	}
	c := make(chan actors.Message, 1)
	p.mu.Lock()
	p.tag++
	tag := p.tag
	p.calls[tag] = waiting{c, responses}
	p.mu.Unlock()
	taken := false
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.calls, tag)
		if taken {
			return
		}
		select {
		case m := <-c: // the answer came as ctx ended
			if a, ok := m.(*peer.Announced); ok {
				delete(p.announces, a.ID)
			}
		default:
		}
	}()
	n.process.send(p.root, letter{m: op(peer.Call{ReplyTo: p.self, Tag: tag})})
	select {
	case m := <-c:
		taken = true
		return m, errorOf(m)
	case <-n.process.done:
		select {
		case m := <-c:
			taken = true
			return m, errorOf(m)
		default:
		}
		return nil, ErrClosed
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// errorOf is the error that an answer carries.
func errorOf(m actors.Message) error {
	switch m := m.(type) {
	case *peer.Done:
		return m.Err
	case *peer.Announced:
		return m.Err
	}
	return nil
}

func (p *port) forget(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.announces, id)
}

// listen has requests sent to a channel until stop is called.
func (p *port) listen(n *Node, to chan<- *Request) (stop func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.listeners[to] = n
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.listeners, to)
	}
}
