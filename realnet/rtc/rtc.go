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
//   - One data channel of a connection is used. If the other end opens another, the
//     connection ends.
package rtc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
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
	closed   atomic.Bool

	mu   sync.Mutex
	open map[actors.Address]int // streams by where the other end is, where all share a port
}

// New returns an engine.
func New(c Config) (*Engine, error) {
	e := &Engine{config: c, open: map[actors.Address]int{}}
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

// Close gives back what links share. Links are to be closed, and attempts given up,
// before.
func (e *Engine) Close() error {
	e.closed.Store(true)
	return e.platform.close()
}

// enter notes where the other end of a stream is. With one port for all links, an offer
// that names that address would have what comes from there go to the wrong one.
func (e *Engine) enter(at actors.Address) (leave func()) {
	if e.config.Port == 0 || at.IsZero() {
		return func() {}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.open[at]++
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.open[at]--; e.open[at] == 0 {
			delete(e.open, at)
		}
	}
}

func (e *Engine) isOpen(x actors.Candidate) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	at, err := addressOf(x.Host, int(x.Port))
	return err == nil && e.open[at] > 0
}

// addressOf is how a stream to a host and port is named.
func addressOf(host string, port int) (actors.Address, error) {
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return actors.ParseAddress("webrtc://" + host + ":" + strconv.Itoa(port))
}

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
	// remote is host and port of the other end, "" where that is not known.
	remote() (host string, port int)
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
	engine *Engine
	opened chan pipe
	failed chan struct{} // closed when the connection has ended, or cannot come to be
	fail   sync.Once
	once   sync.Once
	taken  atomic.Bool
}

func (e *Engine) start() (*attempt, error) {
	if e.closed.Load() {
		return nil, ErrClosed
	}
	a := &attempt{opened: make(chan pipe, 1), failed: make(chan struct{})}
	var err error
	a.connection, err = e.platform.connect(a.take, a.end)
	a.engine = e
	return a, err
}

// take makes a data channel that of the attempt, and reports whether it did. A second one
// ends it: nobody reads what comes by it, and to close it would leave what pion keeps of
// it.
func (a *attempt) take(p pipe) bool {
	if a.taken.Swap(true) {
		a.end()
		return false
	}
	a.opened <- p
	return true
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

// sdp is the description of the other end.
func (e *Engine) sdp(s *actors.Signal) string { return string(wire.AppendSDP(nil, e.kept(s))) }

// kept is the signal of the other end without candidates that are not to be tried.
func (e *Engine) kept(s *actors.Signal) *actors.Signal {
	kept := *s
	kept.Candidates = slices.DeleteFunc(slices.Clone(s.Candidates), func(x actors.Candidate) bool {
		return !e.config.permits(x) || e.isOpen(x)
	})
	return &kept
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

// permitsIP judges an address and, if it has one of IPv4 in it, for a translator or a
// tunnel, that too.
func (c *Config) permitsIP(ip netip.Addr) bool {
	ip = ip.Unmap()
	switch {
	case ip.IsLoopback() && !c.Loopback, ip.IsUnspecified(), ip.IsMulticast(), !ip.IsLoopback() && within(useless, ip):
		return false
	case c.PublicOnly && !ip.IsLoopback() && (ip.IsPrivate() || ip.IsLinkLocalUnicast() || within(special, ip)):
		return false
	case c.Permits != nil && !c.Permits(ip):
		return false
	}
	inner, ok := embedded(ip)
	return !ok || c.permitsIP(inner)
}

func within(list []netip.Prefix, ip netip.Addr) bool {
	return slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(ip) })
}

func prefixes(list ...string) (parsed []netip.Prefix) {
	for _, text := range list {
		parsed = append(parsed, netip.MustParsePrefix(text))
	}
	return parsed
}

// What no peer can have, and what is not public besides private addresses: see the
// registries of special-purpose addresses (RFC 6890).
var (
	useless = prefixes("0.0.0.0/8", "240.0.0.0/4", "::/96", "fec0::/10", "100::/64", "64:ff9b:1::/48")
	special = prefixes("100.64.0.0/10", "192.0.0.0/24", "198.18.0.0/15")
)

var (
	nat64  = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052
	sixTo4 = netip.MustParsePrefix("2002::/16")    // RFC 3056
)

// embedded returns the address of IPv4 in one of IPv6.
func embedded(ip netip.Addr) (inner netip.Addr, ok bool) {
	b := ip.As16()
	switch {
	case nat64.Contains(ip):
		return netip.AddrFrom4([4]byte(b[12:])), true
	case sixTo4.Contains(ip):
		return netip.AddrFrom4([4]byte(b[2:6])), true
	}
	return ip, false
}

// join waits for the data channel to open.
func (a *attempt) join(ctx context.Context) (*Stream, error) {
	select {
	case p := <-a.opened:
		return a.stream(p), nil
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
			return a.accept(e.sdp(s))
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
}

// Answer answers an offer by what it tells described, and waits for the link to open.
func (e *Engine) Answer(ctx context.Context, offer *actors.Signal, described func(*actors.Signal)) (*Stream, error) {
	return e.attempt(ctx, func(a *attempt) error {
		if err := a.answer(e.sdp(offer)); err != nil {
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
