package sim

import (
	"context"
	"testing"
	"time"

	"peernet/actors"
	"peernet/actors/book"
	"peernet/actors/peer"
	"peernet/actors/wire"
)

func runSmoke(t *testing.T, c Config, n int) *Simulation {
	c.Latency = Latency{Link: Uniform{10 * time.Millisecond, 100 * time.Millisecond}}
	c.Count = true
	c.NewDecoder = func() actors.Decoder { return &wire.Decoder{} }
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	cfg := peer.Config{Book: book.Limits{Entries: 64}}.WithDefaults()
	s.Add(n)
	r := s.Rand("start")
	for i := range n {
		var at time.Duration
		if i > 2 {
			at = time.Duration(r.Int64N(int64(3 * time.Second)))
		}
		s.At(at, func() {
			node := &peer.Node{Config: &cfg, Advertise: []actors.Address{AddressOf(NodeID(i))}, Bootstrap: []actors.Address{AddressOf(0), AddressOf(1), AddressOf(2)}}
			s.Start(NodeID(i), node)
		})
	}
	for i := range 10 {
		s.At(15*time.Second+time.Duration(i)*time.Second, func() {
			s.Send(NodeID(r.IntN(n)), &peer.Announce{Type: "x", Data: "hello"})
		})
	}
	if err := s.Run(context.Background(), 30*time.Second); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSmoke(t *testing.T) {
	for _, c := range []Config{{Seed: 1}, {Seed: 1, Workers: 2}, {Seed: 1, Workers: 7, Window: 3 * time.Millisecond}, {Seed: 1, Encoded: true}, {Seed: 1, Reference: true}} {
		at := time.Now()
		s := runSmoke(t, c, 500)
		t.Logf("%x %+v %v", s.TraceHash(), s.Totals(), time.Since(at))
		if c.Workers == 0 {
			for k := 1; k < actors.EventKinds(); k++ {
				t.Logf("%v %d", actors.EventKind(k), s.EventCount(actors.EventKind(k)))
			}
		}
	}
}
