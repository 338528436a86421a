package lab_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"peernet/actors"
	"peernet/experiments/lab"
	"peernet/sim"
)

func TestAddressesAreThoseOfNodes(t *testing.T) {
	few := lab.Addresses(3)
	many := lab.Addresses(2000)
	for i, a := range many {
		if id, ok := sim.NodeOf(a); !ok || int(id) != i {
			t.Fatalf("address %d is that of node %d", i, id)
		}
	}
	if !slices.Equal(few, many[:3]) || len(lab.Addresses(0)) != 0 {
		t.Error("the addresses changed")
	}
	if _ = append(few, many[7]); many[3] == many[7] {
		t.Error("who appends to the addresses changes them")
	}
}

// Views have distinct others, as many as they should; in regular ones each node is as often.
func TestViews(t *testing.T) {
	for _, test := range []struct{ nodes, size int }{{2, 1}, {5, 0}, {10, 3}, {20, 10}, {200, 5}} {
		for seed := range uint64(5) {
			regular := lab.RegularViews(rand.New(rand.NewPCG(seed, 1)), test.nodes, test.size)
			random := lab.RandomViews(rand.New(rand.NewPCG(seed, 1)), test.nodes, test.size)
			for _, views := range [][][]actors.Address{regular, random} {
				if len(views) != test.nodes {
					t.Fatalf("%v: %d views", test, len(views))
				}
				for i, view := range views {
					seen := map[actors.Address]bool{}
					for _, a := range view {
						if id, ok := sim.NodeOf(a); seen[a] || !ok || int(id) == i || int(id) >= test.nodes {
							t.Errorf("%v: node %d has %v", test, i, view)
						}
						seen[a] = true
					}
					if len(view) != test.size {
						t.Errorf("%v: node %d has %d others", test, i, len(view))
					}
				}
			}
			for i, in := range lab.InDegrees(test.nodes, func(i int) []actors.Address { return regular[i] }) {
				if in != test.size {
					t.Errorf("%v: node %d is in %d regular views", test, i, in)
				}
			}
		}
	}
}

// Each node has each other one as often as any.
func TestViewsAreUniform(t *testing.T) {
	const nodes, size, runs = 6, 2, 2000
	for name, draw := range map[string]func(*rand.Rand, int, int) [][]actors.Address{"regular": lab.RegularViews, "random": lab.RandomViews} {
		var have [nodes][nodes]int
		r := rand.New(rand.NewPCG(1, 2))
		for range runs {
			for i, view := range draw(r, nodes, size) {
				for _, a := range view {
					id, _ := sim.NodeOf(a)
					have[i][id]++
				}
			}
		}
		// 800 in the mean, with a standard deviation of 22.
		for i := range nodes {
			for k := range nodes {
				if n := have[i][k]; i == k && n != 0 || i != k && (n < 690 || n > 910) {
					t.Errorf("%s: who has whom is %v", name, have)
					return
				}
			}
		}
	}
}

// idle is a node that sends nothing.
type idle struct{}

func (idle) Receive(actors.Context, actors.Message) {}

func TestCrashShare(t *testing.T) {
	for _, test := range []struct{ nodes, percent, live int }{{10, 0, 10}, {10, 30, 7}, {10, 100, 0}, {7, 50, 4}, {200, 95, 10}} {
		trial := &lab.Trial{Context: t.Context(), Seed: 3, Workers: 1}
		s := trial.Simulation(lab.Lockstep)
		s.Add(test.nodes)
		for i := range test.nodes {
			s.Start(sim.NodeID(i), idle{})
		}
		live := lab.CrashShare(trial, s, test.percent, true)
		if len(live) != test.live || s.Live() != test.live || !slices.IsSorted(live) {
			t.Errorf("%v: %d live, it says %v", test, s.Live(), live)
		}
		for _, id := range live {
			if !s.IsLive(id) {
				t.Errorf("%v: node %d is dead", test, id)
			}
		}
	}
	// Each is among the dead in as many trials as any other.
	var dead [10]int
	for seed := range uint64(2000) {
		trial := &lab.Trial{Context: t.Context(), Seed: seed, Workers: 1}
		s := trial.Simulation(lab.Lockstep)
		s.Add(10)
		for i := range dead {
			s.Start(sim.NodeID(i), idle{})
		}
		lab.CrashShare(trial, s, 30, false)
		for i := range dead {
			if !s.IsLive(sim.NodeID(i)) {
				dead[i]++
			}
		}
	}
	for _, n := range dead { // the standard deviation is 20
		if n < 500 || n > 700 {
			t.Errorf("those who died are %v, want about 600 each", dead)
			break
		}
	}
}

// chain hands a message to the next node until its hops are over, with a pause before each.
type chain struct {
	left  int
	pause time.Duration
	next  actors.Address
}

func (c *chain) Receive(ctx actors.Context, m actors.Message) {
	switch m.(type) {
	case *actors.Datagram:
		ctx.After(c.pause, &actors.Started{})
	default:
		if c.left--; c.left >= 0 {
			ctx.(actors.Datagrams).SendTo(c.next, &actors.Started{})
		}
	}
}

// A simulation settles when a whole step went by in which no message was sent.
func TestSettle(t *testing.T) {
	for _, test := range []struct {
		pause, step time.Duration
		sent        uint64
		now         time.Duration
	}{
		{5 * time.Millisecond, 10 * time.Millisecond, 20, 70 * time.Millisecond}, // the last ones at 54 ms
		{25 * time.Millisecond, 10 * time.Millisecond, 2, 10 * time.Millisecond}, // the next ones would be at 26 ms
		{25 * time.Millisecond, 30 * time.Millisecond, 20, 270 * time.Millisecond},
	} {
		trial := &lab.Trial{Context: t.Context(), Seed: 1, Workers: 1}
		c := lab.Lockstep
		c.Round = 0
		s := trial.Simulation(c)
		s.Add(2)
		for i := range 2 {
			s.Start(sim.NodeID(i), &chain{left: 10, pause: test.pause, next: sim.AddressOf(sim.NodeID(1 - i))})
		}
		if err := lab.Settle(trial, s, test.step); err != nil {
			t.Fatal(err)
		}
		if s.Totals().Sent != test.sent || s.Now() != test.now {
			t.Errorf("%v: %d were sent until %v", test, s.Totals().Sent, s.Now())
		}
	}
}
