package cyclon_test

import (
	"slices"
	"testing"
	"time"

	"peernet/actors"
	"peernet/experiments/lab"
	"peernet/experiments/protocols/cyclon"
	"peernet/sim"
	"peernet/sim/dist"
)

var small = &cyclon.Config{View: 6, Shuffle: 3, Walk: 5, Period: time.Second}

// network is nodes whose messages take a millisecond. Node i of the first full ones begins
// with the six after it in its view; the rest join through node 0, one after another.
func network(t *testing.T, seed uint64, full, joining int) (*sim.Simulation, []cyclon.Node) {
	t.Helper()
	s, err := sim.New(sim.Config{Seed: seed, Latency: sim.Latency{Message: dist.Constant(time.Millisecond)}})
	if err != nil {
		t.Fatal(err)
	}
	nodes := make([]cyclon.Node, full+joining)
	s.Add(len(nodes))
	for i := range nodes {
		nodes[i] = cyclon.Node{Config: small, Self: addresses[i]}
		if i < full {
			for k := range small.View {
				nodes[i].View = append(nodes[i].View, cyclon.Entry{Peer: addresses[(i+k+1)%full]})
			}
		} else if i > 0 {
			nodes[i].Contact = addresses[0]
		}
		s.Start(sim.NodeID(i), &nodes[i])
		run(t, s, 20*time.Millisecond)
	}
	return s, nodes
}

func run(t *testing.T, s *sim.Simulation, d time.Duration) {
	t.Helper()
	if err := s.Run(t.Context(), s.Now()+d); err != nil {
		t.Fatal(err)
	}
}

func begin(s *sim.Simulation, cycles int) {
	for i := range s.Nodes() {
		s.Send(sim.NodeID(i), &cyclon.Begin{Cycles: uint32(cycles)})
	}
}

func view(nodes []cyclon.Node) func(int) []actors.Address {
	return func(i int) (peers []actors.Address) {
		for _, e := range nodes[i].View {
			peers = append(peers, e.Peer)
		}
		return peers
	}
}

// A network that grew from one node has no view that is wrong, at any time, and comes to
// views that are full.
func TestViewsAreNeverWrong(t *testing.T) {
	s, nodes := network(t, 1, 0, 60)
	begin(s, 30)
	for range 30 * 50 {
		run(t, s, small.Period/50)
		for i := range nodes {
			all := numbers(nodes[i].View)
			if len(all) > small.View || slices.Contains(all, i) || len(slices.Compact(slices.Clone(all))) != len(all) || slices.Contains(all, -1) {
				t.Fatalf("after %v, node %d has %v", s.Now(), i, all)
			}
		}
	}
	run(t, s, small.Period)
	entries := 0
	for i := range nodes {
		entries += len(nodes[i].View)
		if nodes[i].Cycles != 30 {
			t.Errorf("node %d had %d cycles", i, nodes[i].Cycles)
		}
	}
	// A view is short by an entry for a while if all that its partner sent was known to it.
	if most := 60 * small.View; entries < most*95/100 {
		t.Errorf("views have %d entries, want about %d", entries, most)
	}
}

// The nodes that joined take over entries, but for those that they had.
func TestJoinsKeepInDegrees(t *testing.T) {
	for seed := range uint64(10) {
		_, nodes := network(t, seed, 60, 1)
		joined := numbers(nodes[60].View)
		for i, in := range lab.InDegrees(61, view(nodes))[:60] {
			if in > small.View {
				t.Errorf("seed %d: node %d is in %d views, before in %d", seed, i, in, small.View)
			}
		}
		in := lab.InDegrees(61, view(nodes))
		walks := in[60] // that came to an end: each left an entry for the node
		for i := range 60 {
			// What was given twice was known the second time.
			if missing := small.View - in[i]; missing > 0 && !slices.Contains(joined, i) {
				t.Errorf("seed %d: %d of %d entries for node %d are gone", seed, missing, small.View, i)
			}
			walks -= small.View - in[i]
		}
		if walks != len(joined) {
			t.Errorf("seed %d: the new node is in %d views, and has %v", seed, in[60], joined)
		}
		if len(joined) < small.View/2 {
			t.Errorf("seed %d: the new node has only %v", seed, joined)
		}
	}
}

// Those who died are forgotten once their entries have come to be the oldest.
func TestDeadNodesAreForgotten(t *testing.T) {
	s, nodes := network(t, 1, 60, 0)
	begin(s, 60)
	run(t, s, 10*small.Period)
	dead := func() (entries int) {
		for i := range 40 {
			for _, k := range numbers(nodes[i].View) {
				if k >= 40 {
					entries++
				}
			}
		}
		return entries
	}
	for i := 40; i < 60; i++ {
		s.Crash(sim.NodeID(i), false)
	}
	if dead() < 40 {
		t.Fatalf("only %d entries are for those who died", dead())
	}
	run(t, s, 20*small.Period)
	if n := dead(); n > 0 {
		t.Errorf("%d entries are for those who died", n)
	}
	for i := range 40 {
		if len(nodes[i].View) == 0 {
			t.Errorf("node %d has nobody", i)
		}
	}
}
