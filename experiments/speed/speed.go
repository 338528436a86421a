// Package speed measures how many messages per second of CPU time the simulator carries:
// a flood of the real protocol, and an exchange of views. See its README.
package speed

import (
	"embed"
	"time"

	"peernet/experiments/lab"
	"peernet/experiments/protocols/shuffle"
	"peernet/experiments/scenarios"
	"peernet/sim"
	"peernet/sim/dist"
	"peernet/sim/scenario"
)

//go:embed README.md expected.json
var files embed.FS

// Experiment is the experiment.
var Experiment = lab.New("speed", files, trial)

type parameters struct {
	Nodes    int  `json:"nodes"`
	Flood    bool `json:"flood"`    // else shuffle
	Messages int  `json:"messages"` // of flood
	Careless bool `json:"careless"` // see shuffle.Config
}

func trial(t *lab.Trial, p parameters) error {
	if p.Flood {
		return flood(t, p)
	}
	return exchange(t, p)
}

// flood runs the built-in scenario of that name.
func flood(t *lab.Trial, p parameters) error {
	text, _ := scenarios.Get("flood")
	s, err := scenario.Parse("flood.yaml", text)
	if err != nil {
		return err
	}
	s.Nodes, s.Messages, s.Seed = p.Nodes, p.Messages, t.Seed
	if err := s.Resolve(); err != nil {
		return err
	}
	m := begin()
	sum, err := scenario.Run(t.Context, s, scenario.Options{Workers: t.Workers})
	if err != nil {
		return err
	}
	m.end(t, sum.Deliveries, sum.CPUS)
	t.Measure("coverage", sum.Announce.CoverageMean)
	return nil
}

// exchange runs package shuffle for a minute.
func exchange(t *lab.Trial, p parameters) error {
	m := begin()
	s := t.Simulation(sim.Config{Latency: sim.Latency{Message: dist.Uniform{Low: 10 * time.Millisecond, High: 100 * time.Millisecond}}})
	s.Add(p.Nodes)
	config := &shuffle.Config{Peers: s.Addresses(), Period: 5 * time.Second, Careless: p.Careless}
	nodes := make([]shuffle.Node, p.Nodes)
	r := t.Rand("views")
	for i := range nodes {
		n := &nodes[i]
		n.Config, n.Self = config, uint32(i)
		for n.Len < shuffle.ViewMax {
			if peer := uint32(r.IntN(p.Nodes)); peer != n.Self && !has(n, peer) {
				n.View[n.Len] = peer
				n.Len++
			}
		}
		s.Start(sim.NodeID(i), n)
	}
	started := cpu()
	if err := s.Run(t.Context, time.Minute); err != nil {
		return err
	}
	m.end(t, s.Totals().Deliveries, (cpu() - started).Seconds())
	wrong := 0
	for i := range nodes {
		n := &nodes[i]
		for k, peer := range n.View[:n.Len] {
			earlier := *n
			earlier.Len = uint8(k)
			if peer == n.Self || has(&earlier, peer) {
				wrong++
				break
			}
		}
	}
	t.Measure("views with repeats or the node itself", float64(wrong)/float64(p.Nodes))
	t.Measure("messages/node", float64(s.Totals().Sent)/float64(p.Nodes))
	return nil
}

func has(n *shuffle.Node, peer uint32) bool {
	for _, known := range n.View[:n.Len] {
		if known == peer {
			return true
		}
	}
	return false
}
