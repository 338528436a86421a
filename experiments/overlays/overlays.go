// Package overlays makes the overlays that several experiments start from: by the
// protocols themselves, as the HyParView paper did, and drawn at random, as controls.
package overlays

import (
	"math/rand/v2"
	"time"

	"peernet/actors"
	"peernet/experiments/lab"
	"peernet/experiments/protocols/cyclon"
	"peernet/experiments/protocols/hyparview"
	"peernet/experiments/protocols/mesh"
	"peernet/sim"
)

// Nodes join one by one, so far apart that a join is over before the next begins where
// messages take some milliseconds.
const joinEvery = 50 * time.Millisecond

// Period is that of membership cycles.
const Period = 10 * time.Second

// Repair is a time in which neighbours of nodes that died have been replaced: no longer
// than a cycle.
const Repair = Period / 2

// HyParViewConfig has the values of the paper's experiments (section 5.1).
var HyParViewConfig = &hyparview.Config{
	Active: 5, Passive: 30, ActiveWalk: 6, PassiveWalk: 3,
	ShuffleActive: 3, ShufflePass: 4, ShuffleWalk: 6, Period: Period,
}

// CyclonConfig has the values that the HyParView paper gave Cyclon.
var CyclonConfig = &cyclon.Config{View: 35, Shuffle: 14, Walk: 5, Period: Period}

// HyParView adds nodes to an empty simulation, which join one by one through the first and
// then shuffle for some cycles. app returns what runs at a node.
func HyParView(t *lab.Trial, s *sim.Simulation, count, cycles int, app func(i int) mesh.App) ([]hyparview.Node, error) {
	addresses := lab.Addresses(count)
	nodes := make([]hyparview.Node, count)
	for i := range nodes {
		nodes[i] = hyparview.Node{Config: HyParViewConfig, Self: addresses[i], App: app(i)}
		if i > 0 {
			nodes[i].Contact = addresses[0]
		}
	}
	join(s, count, func(i int) actors.Actor { return &nodes[i] }, &hyparview.Begin{Cycles: uint32(cycles)})
	return nodes, s.Run(t.Context, joined(count)+time.Duration(cycles)*Period+Period)
}

// ActiveViews returns the active views.
func ActiveViews(nodes []hyparview.Node) func(i int) []actors.Address {
	return func(i int) (view []actors.Address) {
		for _, a := range nodes[i].Active {
			view = append(view, a.Peer)
		}
		return view
	}
}

// Cyclon adds nodes to an empty simulation, likewise. root returns the root of a node, to
// which the member belongs.
func Cyclon(t *lab.Trial, s *sim.Simulation, c *cyclon.Config, count, cycles int, root func(i int, member *cyclon.Node) actors.Actor) ([]cyclon.Node, error) {
	addresses := lab.Addresses(count)
	nodes := make([]cyclon.Node, count)
	for i := range nodes {
		nodes[i] = cyclon.Node{Config: c, Self: addresses[i]}
		if i > 0 {
			nodes[i].Contact = addresses[0]
		}
	}
	join(s, count, func(i int) actors.Actor { return root(i, &nodes[i]) }, &cyclon.Begin{Cycles: uint32(cycles)})
	return nodes, s.Run(t.Context, joined(count)+time.Duration(cycles)*c.Period+c.Period)
}

// CyclonViews returns the views.
func CyclonViews(nodes []cyclon.Node) func(i int) []actors.Address {
	return func(i int) (view []actors.Address) {
		for _, e := range nodes[i].View {
			view = append(view, e.Peer)
		}
		return view
	}
}

func joined(count int) time.Duration { return time.Duration(count) * joinEvery }

// join starts nodes one after another, and has them begin their cycles when all have.
func join(s *sim.Simulation, count int, root func(i int) actors.Actor, begin actors.Message) {
	s.Add(count)
	times := make([]time.Duration, count)
	for i := range times {
		times[i] = time.Duration(i) * joinEvery
	}
	s.StartAt(0, times, func(id sim.NodeID) actors.Actor { return root(int(id)) })
	for i := range count {
		s.SendAt(sim.NodeID(i), joined(count), begin)
	}
}

// Regular adds nodes to an empty simulation whose links are a random graph in which each
// has so many: a pairing of ends drawn until it is simple. count·degree has to be even.
func Regular(t *lab.Trial, s *sim.Simulation, count, degree int, app func(i int) mesh.App) []mesh.Static {
	return static(s, count, pairing(t.Rand("regular graph"), count, degree), app)
}

// Complete adds nodes to an empty simulation that all have links with each other.
func Complete(s *sim.Simulation, count int, app func(i int) mesh.App) []mesh.Static {
	var links [][2]sim.NodeID
	for i := range sim.NodeID(count) {
		for k := range i {
			links = append(links, [2]sim.NodeID{k, i})
		}
	}
	return static(s, count, links, app)
}

// static adds nodes with these links.
func static(s *sim.Simulation, count int, links [][2]sim.NodeID, app func(i int) mesh.App) []mesh.Static {
	s.Add(count)
	nodes := make([]mesh.Static, count)
	for i := range nodes {
		nodes[i].App = app(i)
		s.Start(sim.NodeID(i), &nodes[i])
	}
	s.Connect(links, func(l actors.Link, _ bool) actors.Message { return &mesh.Attach{Link: l} })
	return nodes
}

// pairing draws the links of a random regular graph: ends are paired at random, and pairs
// that are no link, or are one twice, swap an end with a random other pair. The
// degree has to be much smaller than count, or that does not end.
func pairing(r *rand.Rand, count, degree int) [][2]sim.NodeID {
	ends := make([]sim.NodeID, count*degree)
	for i := range ends {
		ends[i] = sim.NodeID(i / degree)
	}
	r.Shuffle(len(ends), func(i, k int) { ends[i], ends[k] = ends[k], ends[i] })
	pairs := len(ends) / 2
	have := map[[2]sim.NodeID]int{} // how often
	key := func(p int) [2]sim.NodeID {
		return [2]sim.NodeID{min(ends[2*p], ends[2*p+1]), max(ends[2*p], ends[2*p+1])}
	}
	for p := range pairs {
		have[key(p)]++
	}
	for again := true; again; {
		again = false
		for p := range pairs {
			k := key(p)
			if k[0] != k[1] && have[k] == 1 {
				continue
			}
			q := r.IntN(pairs)
			have[k]--
			have[key(q)]--
			ends[2*p], ends[2*q] = ends[2*q], ends[2*p]
			have[key(p)]++
			have[key(q)]++
			again = true
		}
	}
	all := make([][2]sim.NodeID, pairs)
	for p := range all {
		all[p] = key(p)
	}
	return all
}
