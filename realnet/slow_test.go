//go:build !js

package realnet_test

import (
	"context"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"peernet/actors/wire"
	"peernet/realnet"
)

// shakeHands speaks a version 3 handshake over a raw stream, to its end.
func shakeHands(c net.Conn) error {
	id := randomText(16)
	hello := wire.NewHello(wire.Body{ID: randomText(8), Type: wire.TypeHello, Data: id, Limit: 1}, wire.Hello{Version: wire.Version})
	if _, err := c.Write(hello.Append(nil)); err != nil {
		return err
	}
	var d wire.Decoder
	buffer := make([]byte, 1024)
	for {
		n, err := c.Read(buffer)
		if err != nil {
			return err
		}
		_, _ = d.Write(buffer[:n])
		for m, err := d.Next(); m != nil || err != nil; m, err = d.Next() {
			if err != nil {
				return err
			}
			f, ok := m.(*wire.Frame)
			if ok && !f.Response && f.Body.Type == wire.TypeHello {
				answer := wire.NewFrame(wire.Frame{Response: true}, wire.Body{ID: randomText(8), Reply: f.Body.ID, Type: wire.TypeHello, Data: id})
				_, err := c.Write(answer.Append(nil))
				return err
			}
		}
	}
}

// A star is a node in the middle with peers that count what it passes on.
type star struct {
	middle, origin *realnet.Node
	leaves         []*realnet.Node
	sent           uint64
}

func newStar(tb testing.TB, leaves int) *star {
	c := fast()
	c.Fanout, c.InboundMax = -1, leaves+10
	c.RouteLife = 100 * time.Millisecond // little is remembered, so that memory shows what is queued
	openOne := func(c realnet.Config) *realnet.Node {
		n, err := realnet.Open(tb.Context(), c)
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() { _ = n.Close(context.Background()) })
		return n
	}
	s := &star{middle: openOne(realnet.Config{Listen: []string{"tcp://127.0.0.1:0"}, Peer: c}), origin: openOne(realnet.Config{Peer: c})}
	for range leaves {
		s.leaves = append(s.leaves, openOne(realnet.Config{Peer: c}))
	}
	for _, n := range append([]*realnet.Node{s.origin}, s.leaves...) {
		if err := n.Connect(tb.Context(), s.middle.Servers()[0]); err != nil {
			tb.Fatal(err)
		}
	}
	for began := time.Now(); s.middle.Counts()["peer.up"] <= uint64(leaves); time.Sleep(time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			tb.Fatal("the star does not form")
		}
	}
	return s
}

// spread announces, and returns how long it took until all leaves had all of it.
func (s *star) spread(tb testing.TB, count int) time.Duration {
	const window = 200
	began := time.Now()
	payload := strings.Repeat("x", 64)
	for sent := 0; sent < count; sent += window {
		for range window {
			if err := s.origin.Publish(tb.Context(), realnet.Message{Type: "bench", Data: payload}); err != nil {
				tb.Fatal(err)
			}
		}
		s.sent += window
		for _, n := range s.leaves {
			for n.Counts()["gossip.request"] < s.sent {
				if time.Since(began) > time.Minute {
					tb.Fatalf("a leaf has %d of %d announces", n.Counts()["gossip.request"], s.sent)
				}
				time.Sleep(50 * time.Microsecond)
			}
		}
	}
	return time.Since(began)
}

// clog has a peer that never reads on the node in the middle, again and again, until
// stop is called.
func (s *star) clog(tb testing.TB) (stop func()) {
	ctx, cancel := context.WithCancel(tb.Context())
	done := make(chan struct{})
	ready := make(chan struct{})
	go func() {
		defer close(done)
		for first := true; ctx.Err() == nil; first = false {
			c := dialRaw(tb, s.middle.Servers()[0])
			if t, ok := c.(*net.TCPConn); ok {
				_ = t.SetReadBuffer(4096)
			}
			if err := shakeHands(c); err != nil {
				tb.Error(err)
			}
			if first {
				close(ready)
			}
			// It notices that it was cut off by writing.
			var b []byte
			for err := error(nil); err == nil && ctx.Err() == nil; time.Sleep(time.Millisecond) {
				_, err = c.Write((&wire.Pong{}).Append(b[:0]))
			}
			_ = c.Close()
		}
	}()
	<-ready
	return func() { cancel(); <-done }
}

// A peer that does not read is cut off and counted; the others get everything, and
// memory stays flat.
func TestSlowReaderIsCutOff(t *testing.T) {
	s := newStar(t, 49)
	s.spread(t, 4000)
	before := liveHeap()
	stop := s.clog(t)
	count := 0
	for s.middle.Counts()["conn.slow"] == 0 {
		if count += 2000; count > 200000 {
			t.Fatal("a peer that reads nothing is not cut off")
		}
		s.spread(t, 2000)
	}
	if grown := int64(liveHeap()) - int64(before); grown > 2<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
	stop()
	t.Logf("cut off within %d announces of about 100 bytes", count)
}

// BenchmarkSlowReader reports how much longer announces take to reach 49 peers where
// a fiftieth does not read. Rounds with and without it take turns.
func BenchmarkSlowReader(b *testing.B) {
	const count = 60000 // more than the system buffers
	s := newStar(b, 49)
	s.spread(b, count)
	var without, with []float64
	for b.Loop() {
		without = append(without, s.spread(b, count).Seconds())
		stop := s.clog(b)
		with = append(with, s.spread(b, count).Seconds())
		stop()
	}
	b.ReportMetric(count/median(without), "announces/s-without")
	b.ReportMetric(count/median(with), "announces/s-with")
	b.ReportMetric(median(with)/median(without), "ratio")
	b.ReportMetric(float64(s.middle.Counts()["conn.slow"]), "cut-off")
}

func median(list []float64) float64 {
	list = slices.Sorted(slices.Values(list))
	return list[len(list)/2]
}
