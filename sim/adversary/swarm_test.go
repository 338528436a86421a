package adversary_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"peernet/actors"
	"peernet/actors/book"
	"peernet/actors/peer"
	"peernet/sim"
	"peernet/sim/adversary"
)

// drawMixture draws a field of all roles from a seed: few machines of each, small
// bounds, high rates.
func drawMixture(seed uint64) setting {
	r := rand.New(rand.NewPCG(seed, 31))
	o := setting{seed: seed, honest: 10 + r.IntN(20)}
	o.change = func(c *peer.Config) {
		r := rand.New(rand.NewPCG(seed, 32))
		*c = peer.Config{
			Connections: 2 + r.IntN(4), InboundMax: 2 + r.IntN(8), HandshakesMax: 2 + r.IntN(20), RateMax: 20 + r.IntN(200),
			Interval: time.Duration(1+r.IntN(4)) * time.Second, Refresh: time.Duration(2+r.IntN(9)) * time.Second,
			Purge: time.Duration(2+r.IntN(9)) * time.Second, KeepAlive: time.Duration(2+r.IntN(5)) * time.Second,
			HelloTimeout: time.Duration(1+r.IntN(4)) * time.Second, RouteLife: time.Duration(1+r.IntN(5)) * time.Second,
			RoutesPerLink: 10 + r.IntN(50), Book: book.Limits{Entries: 8 + r.IntN(100)},
		}
	}
	for _, role := range adversary.Roles() {
		for range r.IntN(3) {
			c := anyRole(role, o.honest, 9)
			c.Rate = 1 + r.IntN(60)
			c.Connections, c.Inbound = 1+r.IntN(20), 1+r.IntN(20)
			c.KnownMax, c.Memory = 1+r.IntN(30), 1+r.IntN(30)
			o.hostile = append(o.hostile, machines(1, c)...)
		}
	}
	return o
}

// runMixture runs it, while nodes and machines crash and come back.
func runMixture(t *testing.T, o setting) *field {
	f := newField(t, o)
	r := rand.New(rand.NewPCG(o.seed, 33))
	for i := range 20 {
		f.run(time.Duration(3000+400*i) * time.Millisecond)
		id := sim.NodeID(r.IntN(f.sim.Nodes()))
		switch again := r.IntN(3); {
		case again == 0 && f.sim.IsLive(id):
			f.sim.Crash(id, r.IntN(2) == 0)
		case !f.sim.IsLive(id) && f.isHostile(id):
			f.sim.Start(id, adversary.New(o.hostile[int(id)-o.honest]))
		case !f.sim.IsLive(id):
			f.honest[id] = &peer.Node{Config: &f.config, Advertise: addresses(int(id), 1), Bootstrap: []actors.Address{sim.AddressOf(0)}}
			f.sim.Start(id, f.honest[id])
		case !f.isHostile(id):
			f.announce(int(id), "search", uint32(r.IntN(3)))
		}
	}
	f.run(14 * time.Second)
	return f
}

// Whatever comes together, no honest node panics or goes beyond its bounds, and
// the trace depends on the seed alone.
func TestMixturesWithChurn(t *testing.T) {
	for seed := uint64(1); seed <= 8; seed++ {
		o := drawMixture(seed)
		f := runMixture(t, o)
		f.wantSound(false)
		o.workers, o.encoded = 3, seed%2 == 0
		if got := runMixture(t, o).sim.TraceHash(); got != f.sim.TraceHash() {
			t.Errorf("seed %d: trace %016x with 3 workers, encoded %v, %016x without", seed, got, o.encoded, f.sim.TraceHash())
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}
