// Package peersampling compares the overlays of the peer-sampling framework of Jelasity
// et al. (2007), blind, healer and swapper, with a random graph, and by how they clear
// links to dead nodes. Its README has the question and what came out.
package peersampling

import (
	"embed"
	"fmt"
	"time"

	"peernet/experiments/lab"
	"peernet/experiments/protocols/sampling"
	"peernet/sim"
	"peernet/sim/dist"
)

//go:embed README.md expected.json
var files embed.FS

// Experiment is the experiment.
var Experiment = lab.New("peer-sampling", files, trial)

func init() { Experiment.Plots = plots }

type parameters struct {
	Nodes  int    `json:"nodes"`
	View   int    `json:"view"` // c
	Heal   int    `json:"heal"` // H
	Swap   int    `json:"swap"` // S
	Tail   bool   `json:"tail"`
	Push   bool   `json:"push"`
	Drop   bool   `json:"drop"`
	Start  string `json:"start"`  // random, lattice, growing
	Order  string `json:"order"`  // of turns in a cycle: random, at once, phased
	Cycles int    `json:"cycles"` // before the overlay is measured, and half of the nodes die
	After  int    `json:"after"`  // cycles after that; 0 is without deaths
}

// A cycle is so long that of the exchanges, two messages of a millisecond, few overlap.
const (
	message = time.Millisecond
	cycle   = time.Second
)

// A world is a network that samples peers.
type world struct {
	*lab.Trial
	parameters
	config sampling.Config
	s      *sim.Simulation
	nodes  []sampling.Node
}

// trial runs the protocol until the overlay has its shape, and measures it; then half of
// the nodes die, and it counts the links to them.
func trial(t *lab.Trial, p parameters) error {
	w := &world{Trial: t, parameters: p, nodes: make([]sampling.Node, p.Nodes), config: sampling.Config{
		View: p.View, Heal: p.Heal, Swap: p.Swap, Tail: p.Tail, Push: p.Push, Drop: p.Drop}}
	network := sim.Config{Latency: sim.Latency{Message: dist.Constant(message)}, Round: cycle}
	switch p.Order {
	case "random":
		w.config.Spread = cycle - 10*message
	case "at once":
	case "phased":
		network.Round, w.config.Period = 0, cycle
	default:
		return fmt.Errorf("order %q is none", p.Order)
	}
	w.s = t.Simulation(network)
	w.s.Add(p.Nodes)
	if err := w.populate(); err != nil {
		return err
	}
	if w.After > 0 {
		w.kill()
		return w.heal()
	}
	return nil
}

// populate starts the nodes, and runs the cycles until the overlay is measured.
func (w *world) populate() error {
	first, err := w.first()
	if err != nil {
		return err
	}
	for c := 0; ; c++ {
		for i := range w.nodes {
			if started := w.Start != "growing" || i < 1+(c+1)*w.Nodes/20; started && !w.s.IsLive(sim.NodeID(i)) {
				w.nodes[i] = sampling.Node{Config: &w.config, Self: sim.AddressOf(sim.NodeID(i)), View: first(i)}
				w.s.Start(sim.NodeID(i), &w.nodes[i])
			}
		}
		if c == w.Cycles {
			w.measureOverlay()
			return nil
		}
		if due(c) {
			w.pointOverlay(c)
		}
		if err := w.s.Run(w.Context, time.Duration(c+1)*cycle); err != nil {
			return err
		}
	}
}

// first returns what the views of nodes begin with.
func (w *world) first() (func(node int) []sampling.Entry, error) {
	addresses := lab.Addresses(w.Nodes)
	switch w.Start {
	case "random":
		r := w.Rand("views")
		return func(node int) (view []sampling.Entry) {
			drawn := map[int]bool{node: true}
			for len(view) < w.View {
				if peer := r.IntN(w.Nodes); !drawn[peer] {
					drawn[peer] = true
					view = append(view, sampling.Entry{Peer: addresses[peer]})
				}
			}
			return view
		}, nil
	case "lattice":
		return func(node int) (view []sampling.Entry) {
			for i := 1; i <= w.View/2; i++ {
				view = append(view, sampling.Entry{Peer: addresses[(node+i)%w.Nodes]},
					sampling.Entry{Peer: addresses[(node+w.Nodes-i)%w.Nodes]})
			}
			return view
		}, nil
	case "growing":
		return func(node int) []sampling.Entry {
			if node == 0 {
				return nil
			}
			return []sampling.Entry{{Peer: addresses[0]}}
		}, nil
	}
	return nil, fmt.Errorf("start %q is none", w.Start)
}

// kill ends half of the nodes, without a word.
func (w *world) kill() {
	for _, i := range w.Rand("deaths").Perm(w.Nodes)[:w.Nodes/2] {
		w.s.Crash(sim.NodeID(i), false)
	}
}

// heal runs the cycles after the deaths, and counts what is left of the dead links.
func (w *world) heal() error {
	all := w.dead()
	w.Measure("dead links", float64(all))
	for c := 0; ; c++ {
		left := float64(w.dead()) / float64(all)
		w.Point("dead links", float64(c), left)
		if c == 5 || c == 10 {
			w.Measure(fmt.Sprint("left after ", c), left)
		}
		if c == w.After {
			w.Measure("left at the end", left)
			w.Measure("largest part", w.overlay().largest())
			return nil
		}
		if err := w.s.Run(w.Context, time.Duration(w.Cycles+c+1)*cycle); err != nil {
			return err
		}
	}
}

// dead counts the links from live nodes to dead ones.
func (w *world) dead() (links int) {
	w.links(func(_, to sim.NodeID) bool {
		if !w.s.IsLive(to) {
			links++
		}
		return true
	})
	return links
}

// links yields what live nodes have in their views.
func (w *world) links(yield func(from, to sim.NodeID) bool) {
	for i := range w.nodes {
		if !w.s.IsLive(sim.NodeID(i)) {
			continue
		}
		for _, e := range w.nodes[i].View {
			to, _ := sim.NodeOf(e.Peer)
			if !yield(sim.NodeID(i), to) {
				return
			}
		}
	}
}
