package realnet

import (
	"context"
	"errors"
	"net"
	"time"

	"peernet/actors"
)

// dialTimeout bounds the time that opening a stream may take.
const dialTimeout = 10 * time.Second

// Dial implements [actors.Context].
func (c *cell) Dial(to actors.Address) actors.DialID {
	p := c.process
	id := p.nextDial()
	t, ok := p.transports[to.Scheme()]
	if !ok {
		c.post(&letter{m: &actors.LinkDown{ID: id, Reason: actors.ReasonUnsupported}})
		return id
	}
	if !p.access.permitsDial(to) {
		c.post(&letter{m: &actors.LinkDown{ID: id, Reason: actors.ReasonForbidden}})
		return id
	}
	c.attempt(id, dialTimeout, nil, func(ctx context.Context) (Stream, error) { return t.Dial(ctx, to) })
	return id
}

// nextDial returns an id that no dial of the node has.
func (p *process) nextDial() actors.DialID {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dials++
	return p.dials
}

// A dial is an attempt to open a stream.
type dial struct {
	cancel context.CancelFunc
	answer chan<- *actors.Signal // of an offer that has none yet
}

// attempt has a goroutine open a stream, and answers the dial with what comes of it.
func (c *cell) attempt(id actors.DialID, timeout time.Duration, answer chan<- *actors.Signal, open func(context.Context) (Stream, error)) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	c.mu.Lock()
	if c.gone {
		c.mu.Unlock()
		cancel()
		return
	}
	if c.dials == nil {
		c.dials = map[actors.DialID]dial{}
	}
	c.dials[id] = dial{cancel, answer}
	c.mu.Unlock()
	if !c.process.host.run(func() {
		defer cancel()
		s, err := open(ctx)
		c.answer(ctx, id, s, err)
	}) {
		cancel()
	}
}

// answer reports the outcome of a dial to the actor, if it is still there.
func (c *cell) answer(ctx context.Context, id actors.DialID, s Stream, err error) {
	c.mu.Lock()
	gone := c.gone
	delete(c.dials, id)
	c.mu.Unlock()
	switch {
	case gone && s != nil:
		_ = s.Close() // the other end sees a link that is closed
	case gone:
	case err != nil:
		down := &actors.LinkDown{ID: id, Reason: reasonOf(ctx, err)}
		if down.Reason == actors.ReasonUnreachable { // the others say it all
			down.Text = innermost(err)
		}
		c.post(&letter{m: down})
	case ctx.Err() != nil:
		_ = s.Close() // given up meanwhile
		c.post(&letter{m: &actors.LinkDown{ID: id, Reason: reasonOf(ctx, ctx.Err())}})
	default:
		c.post(&letter{m: &actors.LinkUp{ID: id, Link: newLink(c.process, s, c, nil)}})
	}
}

// innermost is what an error comes down to.
func innermost(err error) string {
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		if d := (*net.DNSError)(nil); errors.As(err, &d) && errors.Unwrap(next) == nil {
			break
		}
		err = next
	}
	text := err.Error()
	return text[:min(len(text), 200)]
}

// CancelDial implements [actors.Context].
func (c *cell) CancelDial(id actors.DialID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d, ok := c.dials[id]; ok {
		d.cancel()
	}
}
