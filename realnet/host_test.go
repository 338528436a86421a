package realnet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"peernet/actors"
	"peernet/actors/hosttest"
	"peernet/realnet/rtc"
)

// The suite that every host passes, under a fake clock.
func TestHost(t *testing.T) {
	hosttest.TestIn(t, synctest.Test, func(t testing.TB) hosttest.Host {
		return &testHost{host: NewHost(nil), nodes: map[int]*testNode{}, negotiator: newMemoryNegotiator(), fake: true}
	})
}

// Hosts without negotiation are hosts too.
func TestHostWithoutNegotiation(t *testing.T) {
	hosttest.TestGroup(t, "Negotiation", func(t testing.TB) hosttest.Host {
		return &testHost{host: NewHost(nil), nodes: map[int]*testNode{}}
	})
}

// What the suite says of negotiation, with real peer connections over loopback.
func TestHostWebRTC(t *testing.T) {
	hosttest.TestGroup(t, "Negotiation", func(t testing.TB) hosttest.Host {
		e, err := rtc.New(rtc.Config{Loopback: true})
		if err != nil {
			t.Fatal(err)
		}
		return &testHost{host: NewHost(nil), nodes: map[int]*testNode{}, negotiator: webRTC{e}}
	})
}

// A testHost runs nodes that reach each other over streams in memory.
type testHost struct {
	host  *Host
	mu    sync.Mutex
	nodes map[int]*testNode
	runs  []*process // all that ever ran

	negotiator negotiator // of all nodes
	fake       bool       // the clock is
}

// A testNode is a node of a testHost, and its Transport.
type testNode struct {
	host    *testHost
	address actors.Address
	process *process
	streams []*memoryStream
}

// Address implements [hosttest.Host].
func (h *testHost) Address(i int) actors.Address {
	return actors.MustAddress(fmt.Sprintf("ws://10.0.%d.%d:4000", i/256, i%256))
}

// Start implements [hosttest.Host].
func (h *testHost) Start(i int, root actors.Actor) {
	n := &testNode{host: h, address: h.Address(i)}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.nodes[i] = n
	p, err := h.host.start(root, processConfig{
		transports: map[string]Transport{"ws": n}, negotiator: h.negotiator,
		seed: func(string, uint32) (hi, lo uint64) { return rand.Uint64(), rand.Uint64() },
	})
	if err != nil {
		panic(err)
	}
	n.process = p
	h.runs = append(h.runs, p)
}

// Dial implements [Transport].
func (n *testNode) Dial(_ context.Context, to actors.Address) (Stream, error) {
	n.host.mu.Lock()
	defer n.host.mu.Unlock()
	for _, other := range n.host.nodes {
		if other.address != to {
			continue
		}
		select {
		case <-other.process.done:
			return nil, syscall.ECONNREFUSED
		default:
		}
		a, b := newMemoryStreams(n.address, to)
		n.streams = append(n.streams, a)
		other.streams = append(other.streams, b)
		other.process.accept(b)
		return a, nil
	}
	return nil, syscall.ECONNREFUSED
}

// Crash implements [hosttest.Host].
func (h *testHost) Crash(i int, reset bool) {
	h.mu.Lock()
	n := h.nodes[i]
	streams := n.streams
	h.mu.Unlock()
	if !reset {
		for _, s := range streams {
			s.mute()
		}
	}
	n.process.kill()
}

// Run implements [hosttest.Host].
func (h *testHost) Run(d time.Duration) error {
	if h.fake {
		time.Sleep(d)
		synctest.Wait()
	} else {
		time.Sleep(d / 2) // a peer connection over loopback takes a tenth of a second
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range h.runs {
		p.mu.Lock()
		err := p.err
		p.mu.Unlock()
		if err != nil && !errors.Is(err, ErrClosed) {
			return err
		}
	}
	return nil
}

// Close implements [hosttest.Host].
func (h *testHost) Close() { h.host.Close() }

// A memoryStream is one end of a stream in memory.
type memoryStream struct {
	mu     *sync.Mutex // of both ends
	change *sync.Cond
	peer   *memoryStream
	remote actors.Address
	buffer []byte // written by the other end
	end    error  // what comes after it, if the other end is gone
	closed bool   // at this end
	mutes  bool   // the other end hears nothing more
}

func newMemoryStreams(a, b actors.Address) (atA, atB *memoryStream) {
	mu := &sync.Mutex{}
	change := sync.NewCond(mu)
	atA = &memoryStream{mu: mu, change: change, remote: b}
	atB = &memoryStream{mu: mu, change: change, remote: a, peer: atA}
	atA.peer = atB
	return atA, atB
}

const memoryMax = 64 << 10

func (s *memoryStream) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.buffer) == 0 && s.end == nil && !s.closed {
		s.change.Wait()
	}
	switch {
	case s.closed:
		return 0, io.ErrClosedPipe
	case len(s.buffer) > 0:
		n := copy(p, s.buffer)
		s.buffer = s.buffer[n:]
		s.change.Broadcast()
		return n, nil
	}
	return 0, s.end
}

func (s *memoryStream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.peer.buffer) > memoryMax && !s.closed && s.end == nil && !s.peer.closed && !s.mutes {
		s.change.Wait()
	}
	switch {
	case s.mutes:
		return len(p), nil
	case s.closed || s.end != nil || s.peer.closed:
		return 0, syscall.EPIPE
	}
	s.peer.buffer = append(s.peer.buffer, p...)
	s.change.Broadcast()
	return len(p), nil
}

func (s *memoryStream) Close() error {
	s.finish(io.EOF)
	return nil
}

// Reset breaks the stream: the other end loses what it has not read.
func (s *memoryStream) Reset() { s.finish(syscall.ECONNRESET) }

func (s *memoryStream) finish(end error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.closed = true
	if !s.mutes && s.peer.end == nil {
		s.peer.end = end
		if end != io.EOF {
			s.peer.buffer = nil
		}
	}
	s.change.Broadcast()
}

// mute has neither end hear of the other any more.
func (s *memoryStream) mute() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mutes, s.peer.mutes = true, true
	s.change.Broadcast()
}

func (s *memoryStream) Remote() actors.Address { return s.remote }
