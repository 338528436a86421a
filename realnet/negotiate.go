package realnet

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"peernet/actors"
	"peernet/actors/peer"
	"peernet/realnet/rtc"
)

// A negotiator opens streams to nodes that no address leads to. Each attempt ends
// with its context at the latest, and then holds nothing any more.
type negotiator interface {
	// Offer tells described what the other end has to know, and goes on when it
	// gets the answer.
	Offer(ctx context.Context, described func(*actors.Signal), answer <-chan *actors.Signal) (Stream, error)
	// Answer tells described the answer to an offer, and goes on.
	Answer(ctx context.Context, offer *actors.Signal, described func(*actors.Signal)) (Stream, error)
}

// attemptTimeout bounds the time of an offer or answer that its actor does not give
// up, from its beginning to the open link.
const attemptTimeout = time.Minute

// CanNegotiate implements [actors.Negotiation].
func (c *cell) CanNegotiate() bool { return c.process.negotiator != nil }

// Offer implements [actors.Negotiation].
func (c *cell) Offer() actors.DialID {
	answer := make(chan *actors.Signal, 1)
	return c.negotiate(answer, func(ctx context.Context, n negotiator, described func(*actors.Signal)) (Stream, error) {
		return n.Offer(ctx, described, answer)
	})
}

// Answer implements [actors.Negotiation].
func (c *cell) Answer(offer *actors.Signal) actors.DialID {
	return c.negotiate(nil, func(ctx context.Context, n negotiator, described func(*actors.Signal)) (Stream, error) {
		s, err := n.Answer(ctx, offer, described)
		if err != nil {
			return nil, err
		}
		return c.process.count(s)
	})
}

// errCrowded is the error of a link that is one too many.
var errCrowded = errors.New("realnet: too many links are open")

// count has a stream that others opened count as one that came in: in all, and from its
// host.
func (p *process) count(s Stream) (Stream, error) {
	from := s.Remote()
	if !p.open.add(from) {
		p.open.drop(from)
		p.emit(p.now(), actors.Event{Kind: EventCrowded, Address: from, N: int64(p.open.max)})
		breakOff(s)
		return nil, errCrowded
	}
	return &counted{s, sync.OnceFunc(func() { p.open.drop(from) })}, nil
}

// A counted stream is counted until it ends.
type counted struct {
	Stream
	drop func()
}

// Close implements [io.Closer].
func (s *counted) Close() error {
	defer s.drop()
	return s.Stream.Close()
}

// CloseWrite is that of the stream, or closes it.
func (s *counted) CloseWrite() error {
	if half, ok := s.Stream.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return s.Close()
}

// Reset breaks the stream.
func (s *counted) Reset() {
	defer s.drop()
	breakOff(s.Stream)
}

func (c *cell) negotiate(answer chan<- *actors.Signal, open func(context.Context, negotiator, func(*actors.Signal)) (Stream, error)) actors.DialID {
	id := c.process.nextDial()
	n := c.process.negotiator
	if n == nil {
		c.post(&letter{m: &actors.LinkDown{ID: id, Reason: actors.ReasonUnsupported}})
		return id
	}
	c.attempt(id, attemptTimeout, answer, func(ctx context.Context) (Stream, error) {
		s, err := open(ctx, n, func(s *actors.Signal) {
			if ctx.Err() == nil {
				c.post(&letter{m: &actors.Described{ID: id, Signal: s}})
			}
		})
		if err == nil && !c.process.access.permitsLink(s.Remote()) {
			breakOff(s)
			return nil, errForbidden
		}
		return s, err
	})
	return id
}

// Accept implements [actors.Negotiation].
func (c *cell) Accept(offer actors.DialID, answer *actors.Signal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d, ok := c.dials[offer]; ok && d.answer != nil {
		d.answer <- answer // the first, and so there is room
		d.answer = nil
		c.dials[offer] = d
	}
}

// webRTC makes a negotiator of an engine.
type webRTC struct{ engine *rtc.Engine }

// Offer implements negotiator.
func (w webRTC) Offer(ctx context.Context, described func(*actors.Signal), answer <-chan *actors.Signal) (Stream, error) {
	return streamOf(w.engine.Offer(ctx, described, answer))
}

// Answer implements negotiator.
func (w webRTC) Answer(ctx context.Context, offer *actors.Signal, described func(*actors.Signal)) (Stream, error) {
	return streamOf(w.engine.Answer(ctx, offer, described))
}

func streamOf(s *rtc.Stream, err error) (Stream, error) {
	if err != nil {
		return nil, err // a nil *rtc.Stream would be a Stream
	}
	return s, nil
}

// WebRTC says how a node opens links by WebRTC. The zero value uses the addresses of
// all interfaces but loopback, and no servers.
type WebRTC struct {
	// Off is no links by WebRTC. How many there are is Config.Peer.WebRTC.
	Off bool
	rtc.Config
}

// engine returns what negotiates links, nil if there are to be none. Addresses that
// the access lists do not permit are not tried.
func (c *Config) engine() (*rtc.Engine, error) {
	if c.WebRTC.Off || c.Peer.WebRTC == peer.WebRTCNone {
		return nil, nil
	}
	config := c.WebRTC.Config
	if permits := config.Permits; !c.Access.permitsAll() {
		config.Permits = func(ip netip.Addr) bool { return c.Access.Permits(ip) && (permits == nil || permits(ip)) }
	}
	e, err := rtc.New(config)
	if err != nil {
		return nil, fmt.Errorf("realnet: WebRTC: %w", err)
	}
	return e, nil
}
