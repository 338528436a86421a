// Package infect runs infect-and-die gossip over full knowledge, and over partial views,
// and compares whom it misses with what epidemic theory says. See its README.
package infect

import (
	"embed"
	"fmt"
	"math"
	"time"

	"peernet/experiments/lab"
	"peernet/experiments/protocols/gossip"
	"peernet/sim"
	"peernet/sim/dist"
)

//go:embed README.md expected.json
var files embed.FS

// Experiment is the experiment.
var Experiment = lab.New("infect-and-die", files, trial)

func init() { Experiment.Plots = plots }

type parameters struct {
	Nodes  int `json:"nodes"`
	Fanout int `json:"fanout"`
	View   int `json:"view"` // size of fixed views; 0 is full knowledge
	Loss   int `json:"loss"` // of a million messages
}

const hop = time.Millisecond

// trial spreads one message from one node, until nothing is under way.
func trial(t *lab.Trial, p parameters) error {
	s := t.Simulation(sim.Config{
		Latency: sim.Latency{Message: dist.Constant(hop)},
		Network: &sim.Network{Loss: p.Loss},
	})
	s.Add(p.Nodes)
	everybody := lab.Addresses(p.Nodes)
	views := lab.RegularViews(t.Rand("views"), p.Nodes, p.View)
	nodes := make([]gossip.Node, p.Nodes)
	for i := range nodes {
		nodes[i] = gossip.Node{Fanout: p.Fanout, Sampler: gossip.Everybody{Peers: everybody, Self: i}}
		if p.View > 0 {
			nodes[i].Sampler = gossip.View(views[i])
		}
		s.Start(sim.NodeID(i), &nodes[i])
	}
	s.Send(0, &gossip.Rumor{})
	if err := lab.Settle(t, s, 2*hop); err != nil {
		return err
	}
	report(t, nodes)
	return nil
}

func report(t *lab.Trial, nodes []gossip.Node) {
	heard, last, sum := 0, 0, 0
	var byHop [64]int
	for i := range nodes {
		if !nodes[i].Heard(0) {
			continue
		}
		hops := int(nodes[i].Hops[0]) - 1
		heard++
		sum += hops
		last = max(last, hops)
		byHop[min(hops, len(byHop)-1)]++
	}
	// With loss a message may die out at once: theory is about the others.
	extinct := heard < len(nodes)/4
	t.Happened("extinct", extinct)
	if extinct {
		return
	}
	t.Measure("residue", 1-float64(heard)/float64(len(nodes)))
	t.Measure("hops_mean", float64(sum)/float64(heard))
	t.Measure("hops_last", float64(last))
	reached := 0
	for h := range last + 1 {
		reached += byHop[h]
		t.Point("reached", float64(h), float64(reached)/float64(len(nodes)))
	}
}

func plots(r *lab.Results) []lab.Plot {
	theory := lab.Line{Name: "s = exp(−f(1−s))", Dashed: true}
	for f := 2.0; f <= 6; f += 0.125 {
		s := 0.5
		for range 200 {
			s = math.Exp(-f * (1 - s))
		}
		theory.Points = append(theory.Points, lab.XY{X: f, Y: s})
	}
	fanout := lab.ByName("f=%g")
	hops := lab.Plot{Name: "hops", Title: "Nodes reached", X: "hops", Y: "share of the nodes"}
	for f := 2; f <= 6; f++ {
		name := fmt.Sprintf("f=%d", f)
		hops.Lines = append(hops.Lines, r.Find(name).Line("reached", name))
	}
	return []lab.Plot{
		{Name: "residue", Title: "Nodes that never hear the message", X: "fan-out f", Y: "residue s", LogY: true,
			Lines: append(r.Across("residue", "simulated", fanout), theory)},
		hops,
	}
}
