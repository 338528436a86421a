// Package rtc opens links by WebRTC: streams of bytes over the data channel of a
// peer connection, by github.com/pion/webrtc, in a program of its own or in a
// browser.
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
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"

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
	// PublicOnly refuses candidates of others that are private: loopback, private
	// and link-local addresses, and names of multicast DNS. Strangers cannot have
	// this node probe its local network then; nor can it meet neighbours there.
	PublicOnly bool
	// Permits, unless nil, says to which addresses links may be.
	Permits func(netip.Addr) bool

	// What follows has no meaning in a browser.

	// Interfaces are the names of those that are used; empty is all.
	Interfaces []string
	// Port is the one UDP port of all links; 0 is ports of their own.
	// Addresses that a STUN server sees cannot be had with it.
	Port uint16
	// PortMin and PortMax are the range of ports of links; 0 is any.
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
	config Config
	api    *webrtc.API
	close  func() error

	mu          sync.Mutex
	certificate []webrtc.Certificate // that all connections share for a while
	renew       time.Time
}

// New returns an engine.
func New(c Config) (*Engine, error) {
	e := &Engine{config: c}
	var err error
	if e.api, e.close, err = newAPI(&e.config); err != nil {
		return nil, err
	}
	for _, s := range c.Servers { // before an attempt finds it
		for _, url := range s.URLs {
			err := checkURL(url)
			if err == nil && strings.HasPrefix(url, "turn") && s.Username == "" {
				err = errors.New("a TURN server needs a user name and a credential")
			}
			if err != nil {
				return nil, fmt.Errorf("server %q: %w", url, err)
			}
		}
	}
	return e, nil
}

// Close gives back what links share. Links are to be closed before.
func (e *Engine) Close() error { return e.close() }

func (e *Engine) configuration() (webrtc.Configuration, error) {
	c := webrtc.Configuration{}
	for _, s := range e.config.Servers {
		server := webrtc.ICEServer{URLs: s.URLs}
		if s.Username != "" {
			server.Username, server.Credential = s.Username, s.Credential
		}
		c.ICEServers = append(c.ICEServers, server)
	}
	var err error
	c.Certificates, err = e.certificates()
	return c, err
}

// An attempt is a peer connection on its way.
type attempt struct {
	pc     *webrtc.PeerConnection
	opened chan *webrtc.DataChannel
	failed chan struct{} // closed when the connection has ended, or cannot come to be
	fail   sync.Once
}

// close gives back all that the attempt holds.
func (a *attempt) close() {
	a.fail.Do(func() { close(a.failed) })
	closeConnection(a.pc)
}

func (e *Engine) start() (*attempt, error) {
	c, err := e.configuration()
	if err != nil {
		return nil, err
	}
	a := &attempt{opened: make(chan *webrtc.DataChannel, 1), failed: make(chan struct{})}
	if a.pc, err = e.api.NewPeerConnection(c); err != nil {
		return nil, err
	}
	a.pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateFailed || s == webrtc.PeerConnectionStateClosed {
			a.fail.Do(func() { close(a.failed) })
		}
	})
	return a, nil
}

// use makes a data channel that of the attempt when it opens, unless there is one.
func (a *attempt) use(c *webrtc.DataChannel) {
	c.OnOpen(func() {
		select {
		case a.opened <- c:
		default:
			_ = c.Close()
		}
	})
}

// describe sets the local description and returns the signal, with all candidates
// that were found in time.
func (a *attempt) describe(ctx context.Context, d webrtc.SessionDescription, err error) (*actors.Signal, error) {
	if err != nil {
		return nil, err
	}
	gathered := webrtc.GatheringCompletePromise(a.pc)
	if err := a.pc.SetLocalDescription(d); err != nil {
		return nil, err
	}
	late := time.NewTimer(gatherTimeout)
	defer late.Stop()
	select {
	case <-gathered:
	case <-late.C:
	case <-a.failed:
		return nil, ErrFailed
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	local := a.pc.LocalDescription()
	if local == nil {
		return nil, ErrFailed
	}
	return wire.ParseSDP(local.SDP)
}

// hear sets the description of the other end, without candidates that are not
// permitted.
func (a *attempt) hear(c *Config, kind webrtc.SDPType, s *actors.Signal) error {
	kept := *s
	kept.Candidates = slices.DeleteFunc(slices.Clone(s.Candidates), func(x actors.Candidate) bool { return !c.permits(x) })
	return a.pc.SetRemoteDescription(webrtc.SessionDescription{Type: kind, SDP: string(wire.AppendSDP(nil, &kept))})
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
	case c := <-a.opened:
		return newStream(a, c)
	case <-a.failed:
		return nil, ErrFailed
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Offer makes an offer, which it tells described, and waits for the answer, and for
// the link to open.
func (e *Engine) Offer(ctx context.Context, described func(*actors.Signal), answer <-chan *actors.Signal) (_ *Stream, err error) {
	a, err := e.start()
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			a.close()
		}
	}()
	a.pc.OnDataChannel(a.use)
	c, err := a.pc.CreateDataChannel("", nil)
	if err != nil {
		return nil, err
	}
	a.use(c)
	offer, err := a.pc.CreateOffer(nil)
	signal, err := a.describe(ctx, offer, err)
	if err != nil {
		return nil, err
	}
	described(signal)
	select {
	case s := <-answer:
		if err := a.hear(&e.config, webrtc.SDPTypeAnswer, s); err != nil {
			return nil, err
		}
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	return a.join(ctx)
}

// Answer answers an offer by what it tells described, and waits for the link to open.
func (e *Engine) Answer(ctx context.Context, offer *actors.Signal, described func(*actors.Signal)) (_ *Stream, err error) {
	a, err := e.start()
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			a.close()
		}
	}()
	a.pc.OnDataChannel(a.use)
	if err := a.hear(&e.config, webrtc.SDPTypeOffer, offer); err != nil {
		return nil, err
	}
	answer, err := a.pc.CreateAnswer(nil)
	signal, err := a.describe(ctx, answer, err)
	if err != nil {
		return nil, err
	}
	described(signal)
	return a.join(ctx)
}
