package realnet

import (
	"context"
	"iter"

	"peernet/actors"
	"peernet/actors/peer"
)

// A Message is what is announced or answered.
type Message struct {
	Type string // at most 64 bytes, without a leading underscore, and not signal.webrtc
	Data string // at most 1024 bytes
	// Limit is how many times an announce may be passed on: it reaches nodes up to
	// Limit+1 links away. 0 is as far as the network allows. Responses have none.
	Limit uint32
}

// A Response answers an announce.
type Response struct {
	Message
	Hops int // links that it travelled
}

// queueMax bounds what waits to be taken of a sequence of responses, requests or
// events; what exceeds it is dropped.
const queueMax = 256

// EventUnread: a request, response or event is dropped, because those who asked for it
// have many that they have not taken. Message is the request or response.
var EventUnread = actors.RegisterEvent("node.unread")

// Publish sends a message into the network. It waits for no response. Before the node
// has a connection there is nobody to send it to; see [Node.Ready].
func (n *Node) Publish(ctx context.Context, m Message) error {
	_, err := n.announce(ctx, m, nil)
	return err
}

// announce returns the ID of the announce. Responses go to a channel, unless that
// is nil.
func (n *Node) announce(ctx context.Context, m Message, responses chan<- Response) (string, error) {
	answer, err := n.call(ctx, responses, func(c peer.Call) actors.Message {
		return &peer.Announce{Call: c, Type: m.Type, Data: m.Data, Limit: m.Limit}
	})
	if err != nil {
		return "", err
	}
	return answer.(*peer.Announced).ID, nil
}

// Announce sends a message into the network and yields the responses until ctx
// ends. An error, which comes last, says that it could not be sent or that the node
// has ended. It is sent once for each time the sequence is ranged over, to the peers
// there are then; see [Node.Ready]. Up to 256 responses wait to be taken; what exceeds
// that is dropped.
func (n *Node) Announce(ctx context.Context, m Message) iter.Seq2[Response, error] {
	return func(yield func(Response, error) bool) {
		responses := make(chan Response, queueMax)
		id, err := n.announce(ctx, m, responses)
		if err != nil {
			yield(Response{}, err)
			return
		}
		defer n.port.forget(id)
		take(ctx, n, responses, yield)
	}
}

// take yields what comes in over a channel until ctx or the node ends.
func take[T any](ctx context.Context, n *Node, from <-chan T, yield func(T, error) bool) {
	var none T
	for {
		select {
		case v := <-from:
			if !yield(v, nil) {
				return
			}
		case <-n.process.done:
			yield(none, ErrClosed)
			return
		case <-ctx.Done():
			return
		}
	}
}

// A Request is an announce that another node made.
type Request struct {
	Message
	Hops int // links that it travelled
	id   string
	node *Node
}

// Reply sends a response to where the request came from. The error is
// peer.ErrNoRoute if the way back is gone.
func (r *Request) Reply(ctx context.Context, m Message) error {
	_, err := r.node.ask(ctx, func(c peer.Call) actors.Message {
		return &peer.Respond{Call: c, Request: r.id, Type: m.Type, Data: m.Data}
	})
	return err
}

// Requests yields the announces of other nodes that arrive from now on, each
// once, until ctx ends, or the node, which is an error. Up to 256 wait to be taken; what
// exceeds that is dropped. It can be ranged over once; to be done with it, end
// ctx.
func (n *Node) Requests(ctx context.Context) iter.Seq2[*Request, error] {
	requests := make(chan *Request, queueMax)
	context.AfterFunc(ctx, n.port.listen(n, requests))
	return func(yield func(*Request, error) bool) { take(ctx, n, requests, yield) }
}
