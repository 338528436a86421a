// Package uneven asks whether it matters who sends how much: see its README.
package uneven

import (
	"embed"
	"time"

	"peernet/experiments/lab"
	"peernet/experiments/protocols/gossip"
	"peernet/sim"
)

//go:embed README.md expected.json
var files embed.FS

// Experiment is the experiment.
var Experiment = lab.New("uneven-fanout", files, trial)

func init() { Experiment.Plots = plots }

type parameters struct {
	Nodes, Low, High int // half of the nodes have fan-out Low, the others High
}

func trial(t *lab.Trial, p parameters) error {
	s := t.Simulation(sim.Config{Latency: sim.Latency{Link: lab.Internet}})
	s.Add(p.Nodes)
	nodes, r := make([]gossip.Node, p.Nodes), t.Rand("fan-outs")
	for i := range nodes {
		nodes[i].Sampler = gossip.Everybody{Peers: lab.Addresses(p.Nodes), Self: i}
		nodes[i].Fanout = []int{p.Low, p.High}[r.IntN(2)]
		s.Start(sim.NodeID(i), &nodes[i])
	}
	s.Send(0, &gossip.Rumor{})
	if err := lab.Settle(t, s, time.Second); err != nil {
		return err
	}
	heard := 0.0
	for i := range nodes {
		if nodes[i].Heard(0) {
			heard += 1 / float64(p.Nodes)
		}
	}
	died := heard < 0.1
	t.Happened("died out", died)
	if !died {
		t.Measure("residue", 1-heard)
	}
	return nil
}

func plots(r *lab.Results) []lab.Plot {
	high := func(c *lab.CaseResult) (x float64, ok bool) {
		x, ok = map[string]float64{"2": 2, "1 or 3": 3, "0 or 4": 4}[c.Case.Name]
		return x, ok
	}
	return []lab.Plot{{Name: "spread", Title: "Fan-outs with a mean of 2", X: "the larger of the two fan-outs", Y: "share",
		Lines: append(r.Across("residue", "residue", high), r.Across("died out", "died out", high)...)}}
}
