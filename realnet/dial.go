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
	p.mu.Lock()
	p.dials++
	id := p.dials
	p.mu.Unlock()
	t, ok := p.transports[to.Scheme()]
	if !ok {
		c.post(&letter{m: &actors.LinkDown{ID: id, Reason: actors.ReasonUnsupported}})
		return id
	}
	if !p.access.permitsDial(to) {
		c.post(&letter{m: &actors.LinkDown{ID: id, Reason: actors.ReasonForbidden}})
		return id
	}
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
	c.mu.Lock()
	if c.gone {
		c.mu.Unlock()
		cancel()
		return id
	}
	if c.dials == nil {
		c.dials = map[actors.DialID]context.CancelFunc{}
	}
	c.dials[id] = cancel
	c.mu.Unlock()
	if !p.host.run(func() {
		defer cancel()
		s, err := t.Dial(ctx, to)
		c.answer(ctx, id, s, err)
	}) {
		cancel()
	}
	return id
}

// answer reports the outcome of a dial to the actor, if it is still there.
func (c *cell) answer(ctx context.Context, id actors.DialID, s Stream, err error) {
	c.mu.Lock()
	gone := c.gone
	delete(c.dials, id)
	c.mu.Unlock()
	switch {
	case err != nil:
		down := &actors.LinkDown{ID: id, Reason: reasonOf(ctx, err)}
		if down.Reason == actors.ReasonUnreachable { // the others say it all
			down.Text = innermost(err)
		}
		c.post(&letter{m: down})
	case gone || ctx.Err() != nil:
		// Given up meanwhile: the other end sees a link that is closed.
		_ = s.Close()
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
	if cancel, ok := c.dials[id]; ok {
		cancel()
	}
}
