package hyparview_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"peernet/actors"
	"peernet/experiments/protocols/hyparview"
	"peernet/sim"
	"peernet/sim/dist"
)

// wide has views that keep a small network in one piece.
var wide = &hyparview.Config{
	Active: 5, Passive: 12, ActiveWalk: 4, PassiveWalk: 2, ShuffleActive: 2, ShufflePass: 3, ShuffleWalk: 3, Period: time.Second,
}

// network is nodes that joined through node 0, one after another, or all at once.
func network(t *testing.T, seed uint64, count int, every time.Duration) (*sim.Simulation, []hyparview.Node) {
	t.Helper()
	latency, err := dist.NewLogNormal(time.Millisecond, 10*time.Millisecond, 50)
	if err != nil {
		t.Fatal(err)
	}
	s, err := sim.New(sim.Config{Seed: seed, Latency: sim.Latency{Link: latency}})
	if err != nil {
		t.Fatal(err)
	}
	s.Add(count)
	nodes := make([]hyparview.Node, count)
	for i := range nodes {
		nodes[i] = hyparview.Node{Config: wide, Self: addresses[i]}
		if i > 0 {
			nodes[i].Contact = addresses[0]
		}
		s.Start(sim.NodeID(i), &nodes[i])
		run(t, s, every)
	}
	begin(s, nodes)
	return s, nodes
}

func run(t *testing.T, s *sim.Simulation, d time.Duration) {
	t.Helper()
	if err := s.Run(t.Context(), s.Now()+d); err != nil {
		t.Fatal(err)
	}
}

// checkViews is what views are at any time.
func checkViews(t *testing.T, s *sim.Simulation, nodes []hyparview.Node) {
	t.Helper()
	for i := range nodes {
		all := []int{i}
		for _, a := range nodes[i].Active {
			all = append(all, number(a.Peer))
		}
		all = append(all, numbers(nodes[i].Passive)...)
		slices.Sort(all)
		if len(nodes[i].Active) > wide.Active || len(nodes[i].Passive) > wide.Passive || len(slices.Compact(slices.Clone(all))) != len(all) {
			t.Fatalf("after %v node %d has neighbours %v, and %v", s.Now(), i, nodes[i].Active, numbers(nodes[i].Passive))
		}
	}
}

// checkSymmetry is what neighbours are when nothing is under way: the two ends of a link,
// and no link is anything else.
func checkSymmetry(t *testing.T, s *sim.Simulation, nodes []hyparview.Node) {
	t.Helper()
	for i := range nodes {
		if !s.IsLive(sim.NodeID(i)) {
			continue
		}
		var links, active []string
		s.Links(sim.NodeID(i), func(l sim.LinkEnd) {
			links = append(links, fmt.Sprint(l.Owner, " to ", l.Peer))
			other := nodes[l.Peer].Active
			k := slices.IndexFunc(other, func(a hyparview.Neighbour) bool { return a.Conn == l.PeerOwner })
			if k < 0 || other[k].Peer != addresses[i] || !s.IsLive(l.Peer) {
				t.Errorf("after %v node %d has a neighbour %d that does not have it", s.Now(), i, l.Peer)
			}
		})
		for _, a := range nodes[i].Active {
			active = append(active, fmt.Sprint(a.Conn, " to ", number(a.Peer)))
		}
		slices.Sort(links)
		slices.Sort(active)
		if !slices.Equal(links, active) {
			t.Errorf("after %v node %d has links %v and neighbours %v", s.Now(), i, links, active)
		}
	}
}

// reached is how many nodes there are ways to from a node.
func reached(s *sim.Simulation, from sim.NodeID) int {
	seen := []sim.NodeID{from}
	for i := 0; i < len(seen); i++ {
		s.Links(seen[i], func(l sim.LinkEnd) {
			if !slices.Contains(seen, l.Peer) {
				seen = append(seen, l.Peer)
			}
		})
	}
	return len(seen)
}

// quiet is long enough for what is under way, and shorter than a cycle.
func quiet(t *testing.T, s *sim.Simulation, nodes []hyparview.Node) {
	t.Helper()
	for range 30 {
		run(t, s, 30*time.Millisecond)
		checkViews(t, s, nodes)
	}
}

// Views are right at all times, and symmetric when it is quiet: after joins, one by one or
// all at once, which makes requests cross, and after crashes, over some cycles.
func TestViewsAfterJoinsAndCrashes(t *testing.T) {
	for seed := range uint64(2) {
		for _, every := range []time.Duration{0, 30 * time.Millisecond} {
			s, nodes := network(t, seed, 60, every)
			for range 6 {
				quiet(t, s, nodes)
			}
			halt(t, s, nodes)
			checkSymmetry(t, s, nodes)
			if n := reached(s, 0); n != 60 {
				t.Errorf("seed %d, every %v: node 0 reaches %d of 60", seed, every, n)
			}
			for i := 30; i < 48; i++ {
				s.Crash(sim.NodeID(i), true)
			}
			begin(s, nodes)
			for range 12 {
				quiet(t, s, nodes)
			}
			halt(t, s, nodes)
			checkSymmetry(t, s, nodes)
			room := 0
			for i := range nodes {
				if s.IsLive(sim.NodeID(i)) {
					room += wide.Active - len(nodes[i].Active)
				}
			}
			// Who has room finds others that have.
			if room > 3 {
				t.Errorf("seed %d, every %v: there is room for %d neighbours", seed, every, room)
			}
			if n := reached(s, 0); n != 42 {
				t.Errorf("seed %d, every %v: node 0 reaches %d of 42", seed, every, n)
			}
		}
	}
}

// halt ends the cycles of all, and waits until that is so.
func halt(t *testing.T, s *sim.Simulation, nodes []hyparview.Node) {
	for i := range nodes {
		s.Send(sim.NodeID(i), &hyparview.Begin{})
	}
	quiet(t, s, nodes) // the last cycles begin
	quiet(t, s, nodes)
}

func begin(s *sim.Simulation, nodes []hyparview.Node) {
	for i := range nodes {
		s.Send(sim.NodeID(i), &hyparview.Begin{Cycles: 1000})
	}
}

// A node that lost all its neighbours goes through its passive view at once, to full
// nodes that have to take it, past those who died.
func TestRefillGoesOn(t *testing.T) {
	s, nodes := network(t, 2, 30, 30*time.Millisecond) // where nobody else asks that node first
	for range 10 {
		quiet(t, s, nodes)
	}
	halt(t, s, nodes)
	const who = 7
	for len(nodes[who].Passive) < wide.Passive {
		t.Fatalf("only %v are known", numbers(nodes[who].Passive))
	}
	live := nodes[who].Passive[3]
	for i := range nodes {
		if a := addresses[i]; i != who && a != live && (slices.Contains(nodes[who].Passive, a) ||
			slices.ContainsFunc(nodes[who].Active, func(n hyparview.Neighbour) bool { return n.Peer == a })) {
			s.Crash(sim.NodeID(i), true)
		}
	}
	run(t, s, 30*time.Second)
	var peers []actors.Address
	for _, a := range nodes[who].Active {
		peers = append(peers, a.Peer)
	}
	if !slices.Contains(peers, live) {
		t.Errorf("neighbours are %v, and not %d", numbers(peers), number(live))
	}
	for _, a := range append(nodes[who].Passive, peers...) {
		if !s.IsLive(sim.NodeID(number(a))) {
			t.Errorf("%d is known, and dead", number(a))
		}
	}
	checkSymmetry(t, s, nodes)
}

// The same seed is the same run, as bytes or as messages.
func TestRunsAreReproducible(t *testing.T) {
	run2 := func(seed uint64) uint64 {
		s, nodes := network(t, seed, 30, 0)
		run(t, s, 3*time.Second)
		checkViews(t, s, nodes)
		return s.TraceHash()
	}
	first := run2(1)
	if run2(1) != first || run2(2) == first {
		t.Error("runs do not depend on the seed alone")
	}
}
