// Package rtc opens links by WebRTC: streams of bytes over the data channel of a
// peer connection, by github.com/pion/webrtc or, in a browser, by the browser.
//
// What it guarantees:
//
//   - An attempt ends with its context, and gives back its sockets, goroutines and
//     memory, whatever the other end does.
//   - A [Stream] is reliable and ordered. The boundaries of messages mean nothing.
//     What waits to be sent is bounded by [bufferedMax]: Write waits.
//   - No candidate of the other end is tried that the configuration does not permit.
//   - One data channel of a connection is used. Others that the other end opens are
//     closed.
package rtc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"peernet/actors"
	"peernet/actors/wire"
)

// A Config says by which ways links come to be. The zero value uses the addresses
// of all interfaces but loopback, and no servers.
type Config struct {
	// Servers of STUN and TURN.
	Servers []Server
	// Loopback uses loopback addresses too, and lets others name them: for nodes on
	// one machine.
	Loopback bool
	// PublicOnly refuses candidates of others that are private and link-local
	// addresses, or names of multicast DNS. Strangers cannot have this node probe
	// its local network then; nor can it meet neighbours there.
	PublicOnly bool
	// Permits, unless nil, says to which addresses links may be.
	Permits func(netip.Addr) bool

	// What follows has no meaning in a browser.

	// Interfaces are the names of those that are used; empty is all.
	Interfaces []string
	// Port is the one UDP port of all links; 0 is ports of their own. The address
	// that a STUN server sees cannot be had with it.
	Port uint16
	// PortMin and PortMax are the range of ports of links, each of which takes one
	// for each address of the host; 0 is any.
	PortMin, PortMax uint16
}

// A Server of STUN or TURN.
type Server struct {
	URLs       []string // such as stun:stun.example.org:3478
	Username   string   // of TURN
	Credential string
}

// Errors of attempts.
var (
	// ErrFailed: no path was found, or the other end is another than it said.
	ErrFailed = errors.New("rtc: no path to the other end")
	// ErrClosed: the engine or stream is closed.
	ErrClosed = errors.New("rtc: closed")
)

// gatherTimeout is how long a description may wait for candidates of servers.
const gatherTimeout = 3 * time.Second

// An Engine makes attempts.
type Engine struct {
	config   Config
	platform *platform
}

// New returns an engine.
func New(c Config) (*Engine, error) {
	e := &Engine{config: c}
	for _, s := range c.Servers { // before an attempt finds it
		for _, url := range s.URLs {
			scheme, rest, _ := strings.Cut(url, ":")
			isTURN := scheme == "turn" || scheme == "turns"
			var err error
			switch {
			case rest == "" || !isTURN && scheme != "stun" && scheme != "stuns":
				err = errors.New("want stun:host:port or turn:host:port")
			case isTURN && s.Username == "":
				err = errors.New("a TURN server needs a user name and a credential")
			case !isTURN && c.Port != 0:
				err = errors.New("what it sees cannot be used with one port for all links; give a range of ports")
			default:
				err = checkURL(url)
			}
			if err != nil {
				return nil, fmt.Errorf("server %q: %w", url, err)
			}
		}
	}
	var err error
	e.platform, err = newPlatform(&e.config)
	return e, err
}

// Close gives back what links share. Links are to be closed before.
func (e *Engine) Close() error { return e.platform.close() }

// A connection is a peer connection, as the platform makes it. The methods are
// called by one goroutine.
type connection interface {
	// offer sets the local description to an offer of one data channel.
	offer() error
	// answer takes an offer, and sets the local description to an answer.
	answer(offer string) error
	// accept takes the answer to the offer.
	accept(answer string) error
	// gathered is closed when the local description has all candidates.
	gathered() <-chan struct{}
	// description is the local description.
	description() string
	// remote is host:port of the other end, "" where that is not known.
	remote() string
	// close gives back all that there is.
	close()
}

// A pipe is a data channel that has opened, as bytes.
type pipe interface {
	io.ReadWriteCloser // Close ends what this end sends
	// BufferedAmount is how many bytes wait to be sent.
	BufferedAmount() uint64
	// onLow has f called when no more than bufferedLow wait.
	onLow(f func())
}

// An attempt is a connection on its way, or in use.
type attempt struct {
	connection
	opened chan pipe
	failed chan struct{} // closed when the connection has ended, or cannot come to be
	fail   sync.Once
	once   sync.Once
}

func (e *Engine) start() (*attempt, error) {
	a := &attempt{opened: make(chan pipe, 1), failed: make(chan struct{})}
	var err error
	a.connection, err = e.platform.connect(a.take, a.end)
	return a, err
}

// take makes a data channel that of the attempt, unless there is one.
func (a *attempt) take(p pipe) {
	select {
	case a.opened <- p:
	default:
		_ = p.Close()
	}
}

func (a *attempt) end() { a.fail.Do(func() { close(a.failed) }) }

// close gives back all that the attempt holds.
func (a *attempt) close() {
	a.end()
	a.once.Do(a.connection.close)
}

// describe returns the signal of the local description, with all candidates that are
// found in time.
func (a *attempt) describe(ctx context.Context) (*actors.Signal, error) {
	late := time.NewTimer(gatherTimeout)
	defer late.Stop()
	select {
	case <-a.gathered():
	case <-late.C:
	case <-a.failed:
		return nil, ErrFailed
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	return wire.ParseSDP(a.description())
}

// sdp is the description of the other end, without candidates that are not
// permitted.
func (c *Config) sdp(s *actors.Signal) string {
	kept := *s
	kept.Candidates = slices.DeleteFunc(slices.Clone(s.Candidates), func(x actors.Candidate) bool { return !c.permits(x) })
	return string(wire.AppendSDP(nil, &kept))
}

// portLeast is the lowest port that others may name. What lies below belongs to
// services that are not peers.
const portLeast = 1024

// permits reports whether a candidate of the other end may be tried.
func (c *Config) permits(x actors.Candidate) bool {
	if x.Port < portLeast && x.Port != 443 {
		return false
	}
	ip := x.IP()
	if !ip.IsValid() {
		return !c.PublicOnly // a name of multicast DNS
	}
	return c.permitsIP(ip)
}

func (c *Config) permitsIP(ip netip.Addr) bool {
	ip = ip.Unmap()
	switch {
	case ip.IsLoopback() && !c.Loopback, ip.IsUnspecified(), ip.IsMulticast():
		return false
	case c.PublicOnly && !ip.IsLoopback() && (ip.IsPrivate() || ip.IsLinkLocalUnicast() || shared.Contains(ip)):
		return false
	}
	return c.Permits == nil || c.Permits(ip)
}

// shared are the addresses between a provider and its customers (RFC 6598).
var shared = netip.MustParsePrefix("100.64.0.0/10")

// join waits for the data channel to open.
func (a *attempt) join(ctx context.Context) (*Stream, error) {
	select {
	case p := <-a.opened:
		return newStream(a, p), nil
	case <-a.failed:
		return nil, ErrFailed
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Offer makes an offer, which it tells described, and waits for the answer, and for
// the link to open.
func (e *Engine) Offer(ctx context.Context, described func(*actors.Signal), answer <-chan *actors.Signal) (*Stream, error) {
	return e.attempt(ctx, func(a *attempt) error {
		if err := a.offer(); err != nil {
			return err
		}
		signal, err := a.describe(ctx)
		if err != nil {
			return err
		}
		described(signal)
		select {
		case s := <-answer:
			return a.accept(e.config.sdp(s))
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
}

// Answer answers an offer by what it tells described, and waits for the link to open.
func (e *Engine) Answer(ctx context.Context, offer *actors.Signal, described func(*actors.Signal)) (*Stream, error) {
	return e.attempt(ctx, func(a *attempt) error {
		if err := a.answer(e.config.sdp(offer)); err != nil {
			return err
		}
		signal, err := a.describe(ctx)
		if err == nil {
			described(signal)
		}
		return err
	})
}

// attempt makes one, whose signals are exchanged by a function.
func (e *Engine) attempt(ctx context.Context, exchange func(*attempt) error) (*Stream, error) {
	a, err := e.start()
	if err != nil {
		return nil, err
	}
	if err = exchange(a); err == nil {
		var s *Stream
		if s, err = a.join(ctx); err == nil {
			return s, nil
		}
	}
	a.close()
	return nil, err
}
