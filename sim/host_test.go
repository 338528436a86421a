package sim_test

import (
	"context"
	"os"
	"testing"
	"time"

	"peernet/actors"
	"peernet/actors/hosttest"
	"peernet/actors/wire"
	"peernet/sim"
	"peernet/sim/dist"
)

// A host offers a simulation to the suite of all hosts. What is called between
// two Runs the world does in the next, so that it happens in Run even when an
// actor panics.
type host struct {
	t      testing.TB
	config sim.Config
	plan   bool            // nodes are started by StartAt
	clocks bool            // of nodes are wrong, and their machines slow
	sim    *sim.Simulation // nil until it is needed
}

// Seed implements [hosttest.Seeded].
func (h *host) Seed(seed uint64) { h.config.Seed = seed }

func (h *host) simulation() *sim.Simulation {
	if h.sim == nil {
		s, err := sim.New(h.config)
		if err != nil {
			h.t.Fatal(err)
		}
		h.sim = s
	}
	return h.sim
}

// Address implements [hosttest.Host].
func (h *host) Address(i int) actors.Address { return sim.AddressOf(sim.NodeID(i)) }

// Start implements [hosttest.Host].
func (h *host) Start(i int, root actors.Actor) {
	s := h.simulation()
	for k := s.Nodes(); k <= i; k++ {
		id := s.Add(1)
		if !h.clocks {
			continue
		}
		s.Place(id, k%2)
		p := sim.Profile{Up: 50e6, Down: 20e6, Processing: 10 * time.Microsecond,
			ClockOffset: time.Duration(k) * time.Second, ClockDrift: 50_000 - 30_000*k%100_000}
		if err := s.SetProfile(id, p); err != nil {
			h.t.Fatal(err)
		}
	}
	if h.plan {
		// Planned in the world's turn, and so after a crash that waits for it.
		s.At(0, func() {
			s.StartAt(sim.NodeID(i), []time.Duration{0}, func(sim.NodeID) actors.Actor { return root })
		})
		return
	}
	s.At(0, func() { s.Start(sim.NodeID(i), root) })
}

// Crash implements [hosttest.Host].
func (h *host) Crash(i int, reset bool) {
	h.sim.At(0, func() { h.sim.Crash(sim.NodeID(i), reset) })
}

// Run implements [hosttest.Host].
func (h *host) Run(d time.Duration) error {
	s := h.simulation()
	return s.Run(context.Background(), s.Now()+d)
}

// Close implements [hosttest.Host].
func (h *host) Close() {}

// models is a network on which all happens that leaves a link reliable.
func models() *sim.Network {
	return &sim.Network{
		Delay:  [][]time.Duration{{0, 3 * time.Millisecond}, {5 * time.Millisecond, time.Millisecond}},
		Jitter: []dist.Distribution{dist.Uniform{Low: 0, High: 10 * time.Millisecond}, nil},
		Loss:   30_000, Retransmit: 5 * time.Millisecond, Attempts: 20,
		StallEvery: dist.Uniform{Low: 10 * time.Millisecond, High: time.Second}, StallFor: dist.Constant(20 * time.Millisecond),
		Reorder: time.Millisecond, ReorderSeed: 7,
	}
}

func TestHost(t *testing.T) {
	// The delays are such that messages would overtake each other, if they
	// could, and that windows hold the events of many instants.
	latency := sim.Latency{
		Link:    dist.Uniform{Low: 5 * time.Millisecond, High: 50 * time.Millisecond},
		Message: dist.Uniform{Low: 0, High: 20 * time.Millisecond},
	}
	decoder := func() actors.Decoder { return &wire.Decoder{} }
	for _, c := range []struct {
		name   string
		plan   bool
		config sim.Config
	}{
		{"Typed", false, sim.Config{Negotiation: true}},
		{"Encoded", false, sim.Config{Encoded: true, NewDecoder: decoder, Negotiation: true}},
		{"EncodedByKind", false, sim.Config{Encoded: true}},
		{"Reference", false, sim.Config{Reference: true, Negotiation: true}},
		{"Workers", false, sim.Config{Workers: 3, Negotiation: true}},
		{"Window", false, sim.Config{Workers: 2, Window: time.Millisecond}},
		{"Planned", true, sim.Config{Workers: 2}},
		{"PlannedReference", true, sim.Config{Reference: true}},
		{"Models", false, sim.Config{Network: models(), Negotiation: true, Workers: 2}},
		{"ModelsReference", false, sim.Config{Network: models(), Encoded: true, NewDecoder: decoder, Reference: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.config.Latency = latency
			hosttest.Test(t, func(t testing.TB) hosttest.Host {
				return &host{t: t, config: c.config, plan: c.plan, clocks: c.config.Network != nil}
			})
		})
	}
}

// The events of a scenario whose order is determined are those of every host.
func TestHostStory(t *testing.T) {
	want, err := os.ReadFile("../actors/hosttest/testdata/story.txt")
	if err != nil {
		t.Fatal(err)
	}
	for name, config := range map[string]sim.Config{"Fast": {Workers: 2}, "Reference": {Reference: true}} {
		t.Run(name, func(t *testing.T) {
			hosttest.Story(t, func(t *testing.T, f func(*testing.T)) { f(t) }, string(want), func(t testing.TB) hosttest.Host {
				config.Latency = sim.Latency{Link: dist.Uniform{Low: 5 * time.Millisecond, High: 50 * time.Millisecond}}
				return &host{t: t, config: config}
			})
		})
	}
}
