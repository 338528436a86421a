package plumtree_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"peernet/experiments/protocols/mesh"
	"peernet/experiments/protocols/plumtree"
	"peernet/sim"
	"peernet/sim/dist"
)

// overlay is a network of nodes in a ring, with as many links across, and how many links
// that are.
func overlay(t *testing.T, seed uint64, count int) (s *sim.Simulation, nodes []plumtree.Node, links int) {
	t.Helper()
	s, err := sim.New(sim.Config{Seed: seed, Latency: sim.Latency{Message: dist.Constant(5 * time.Millisecond)}})
	if err != nil {
		t.Fatal(err)
	}
	s.Add(count)
	nodes = make([]plumtree.Node, count)
	for i := range nodes {
		nodes[i].Config = config
		s.Start(sim.NodeID(i), &mesh.Static{App: &nodes[i]})
	}
	r := rand.New(rand.NewPCG(seed, 3))
	var have [][2]int
	for i := range count {
		for _, k := range []int{(i + 1) % count, r.IntN(count)} {
			l := [2]int{min(i, k), max(i, k)}
			if i == k || slices.Contains(have, l) {
				continue
			}
			have = append(have, l)
			a, b := s.Link(sim.NodeID(i), sim.NodeID(k))
			s.Send(sim.NodeID(i), &mesh.Attach{Link: a})
			s.Send(sim.NodeID(k), &mesh.Attach{Link: b})
		}
	}
	return s, nodes, len(have)
}

// broadcast sends a message, and returns how many messages of each kind it took.
func broadcast(t *testing.T, s *sim.Simulation, nodes []plumtree.Node, from sim.NodeID, number uint32) (payloads, ihaves, grafts, prunes int) {
	t.Helper()
	count := func(sign int) {
		for i := range nodes {
			n := &nodes[i]
			payloads, ihaves = payloads+sign*int(n.Payloads), ihaves+sign*int(n.IHaves)
			grafts, prunes = grafts+sign*int(n.Grafts), prunes+sign*int(n.Prunes)
		}
	}
	count(-1)
	s.Send(from, &plumtree.Payload{Number: number})
	if err := s.Run(t.Context(), s.Now()+20*time.Second); err != nil {
		t.Fatal(err)
	}
	count(1)
	for i := range nodes {
		if s.IsLive(sim.NodeID(i)) && !nodes[i].Heard(int(number)) {
			t.Errorf("node %d did not hear message %d", i, number)
		}
	}
	return payloads, ihaves, grafts, prunes
}

// The first message floods, and what comes after goes over a tree: N−1 payloads, and word
// both ways over each other link.
func TestTree(t *testing.T) {
	for seed := range uint64(5) {
		const count = 40
		s, nodes, links := overlay(t, seed, count)
		p, i, g, d := broadcast(t, s, nodes, 7, 0)
		if p != 2*links-count+1 || d != p-count+1 || i+g != 0 {
			t.Errorf("seed %d: the first of %d links took %d payloads, %d announcements, %d grafts, %d prunes", seed, links, p, i, g, d)
		}
		for number := range uint32(3) {
			p, i, g, d = broadcast(t, s, nodes, 7, number+1)
			if p != count-1 || i != 2*(links-count+1) || g+d != 0 {
				t.Errorf("seed %d: a message took %d payloads, %d announcements, %d grafts, %d prunes", seed, p, i, g, d)
			}
		}
		// The tree is shared: for another sender too, as long as announcements are patient.
		if p, _, g, d = broadcast(t, s, nodes, 20, 4); p != count-1 || g+d != 0 {
			t.Errorf("seed %d: from another sender it took %d payloads, %d grafts, %d prunes", seed, p, g, d)
		}
	}
}

// When nodes die, the rest of the tree is joined again by links that were lazy.
func TestTreeHeals(t *testing.T) {
	for seed := range uint64(5) {
		const count = 40
		s, nodes, _ := overlay(t, seed, count)
		for number := range uint32(2) {
			broadcast(t, s, nodes, 7, number)
		}
		dead := sim.NodeID(0) // one that others hang on
		for i := range nodes {
			if i != 7 && len(nodes[i].Eager) > len(nodes[dead].Eager) {
				dead = sim.NodeID(i)
			}
		}
		s.Crash(dead, true)
		if err := s.Run(t.Context(), s.Now()+time.Second); err != nil {
			t.Fatal(err)
		}
		if _, _, g, _ := broadcast(t, s, nodes, 7, 2); g == 0 {
			t.Errorf("seed %d: nobody asked for a message", seed)
		}
		for number := range uint32(3) {
			broadcast(t, s, nodes, 7, number+3)
		}
		if p, _, g, d := broadcast(t, s, nodes, 7, 6); p != count-2 || g+d != 0 {
			t.Errorf("seed %d: on the new tree it took %d payloads, %d grafts, %d prunes", seed, p, g, d)
		}
	}
}

// Links are eager or lazy at both ends alike, once nothing is under way.
func TestEndsAgree(t *testing.T) {
	s, nodes, links := overlay(t, 3, 40)
	for number := range uint32(3) {
		broadcast(t, s, nodes, sim.NodeID(11*number), number)
	}
	lazy := map[string]int{}
	for i := range nodes {
		s.Links(sim.NodeID(i), func(l sim.LinkEnd) {
			if slices.Contains(nodes[i].Lazy, l.Owner) {
				lazy[fmt.Sprint(min(i, int(l.Peer)), max(i, int(l.Peer)))]++
			}
		})
	}
	for link, ends := range lazy {
		if ends != 2 {
			t.Errorf("link %s is lazy at one end", link)
		}
	}
	if len(lazy) != links-39 {
		t.Errorf("%d of %d links are lazy", len(lazy), links)
	}
}
