// Package cyclon measures the overlay that Cyclon makes, gossip over it, and what is left
// of that when nodes die, as the HyParView paper did. See its README.
package cyclon

import (
	"embed"
	"fmt"
	"math"
	"slices"
	"time"

	"peernet/actors"
	"peernet/experiments/lab"
	"peernet/experiments/overlays"
	"peernet/experiments/protocols/cyclon"
	"peernet/experiments/protocols/gossip"
	"peernet/sim"
	"peernet/sim/dist"
)

//go:embed README.md expected.json
var files embed.FS

// Experiment is the experiment.
var Experiment = lab.New("cyclon", files, trial)

func init() { Experiment.Plots = plots }

type parameters struct {
	Nodes    int   `json:"nodes"`
	View     int   `json:"view"`
	Shuffle  int   `json:"shuffle"`
	Cycles   int   `json:"cycles"`
	Random   bool  `json:"random"` // views are drawn, not made by Cyclon
	Dead     int   `json:"dead"`   // per cent of the nodes, once the overlay is there
	Fanouts  []int `json:"fanouts"`
	Messages int   `json:"messages"` // for each fan-out
	Graph    bool  `json:"graph"`    // is measured
}

const hop = time.Millisecond

// trial builds the overlay, measures it, kills nodes, and sends messages.
func trial(t *lab.Trial, p parameters) error {
	s := t.Simulation(sim.Config{Latency: sim.Latency{Message: dist.Constant(hop)}})
	nodes, views, err := build(t, s, p)
	if err != nil {
		return err
	}
	if p.Graph {
		lab.MeasureGraph(t, p.Nodes, views)
	}
	in := lab.InDegrees(p.Nodes, views)
	live := lab.CrashShare(t, s, p.Dead, false)
	for k, fanout := range p.Fanouts {
		for i := range nodes {
			nodes[i].Fanout = fanout
		}
		f := flood{name: fmt.Sprintf(" f=%d", fanout), first: k * p.Messages, count: p.Messages}
		f.theory = reach(in, float64(fanout)*(1-float64(p.Dead)/100)/float64(p.View))
		if err := f.run(t, s, nodes, live); err != nil {
			return err
		}
	}
	return nil
}

// build makes the overlay, and returns the views.
func build(t *lab.Trial, s *sim.Simulation, p parameters) ([]gossip.Node, func(int) []actors.Address, error) {
	nodes := make([]gossip.Node, p.Nodes)
	if p.Random {
		s.Add(p.Nodes)
		views := lab.RandomViews(t.Rand("views"), p.Nodes, p.View)
		for i, v := range views {
			nodes[i].Sampler = gossip.View(v)
			s.Start(sim.NodeID(i), &nodes[i])
		}
		return nodes, func(i int) []actors.Address { return views[i] }, nil
	}
	config := *overlays.CyclonConfig
	config.View, config.Shuffle = p.View, p.Shuffle
	members, err := overlays.Cyclon(t, s, &config, p.Nodes, p.Cycles, func(i int, member *cyclon.Node) actors.Actor {
		nodes[i].Sampler, nodes[i].Membership = member, member
		return &nodes[i]
	})
	return nodes, overlays.CyclonViews(members), err
}

// A flood is some messages, one after another.
type flood struct {
	name         string // behind the names of measures
	first, count int    // the numbers of the messages
	theory       float64
}

func (f flood) run(t *lab.Trial, s *sim.Simulation, nodes []gossip.Node, live []sim.NodeID) error {
	sum, best, hops := 0.0, 0.0, 0
	spread, survived := 0.0, 0 // of the messages that did not die out at once
	far := 0                   // messages that reached more than 85 %
	messages := overlays.Messages{Name: f.name, First: f.first, Count: f.count, Step: 2 * hop,
		Hops: func(id sim.NodeID) []uint16 { return nodes[id].Hops }}
	err := messages.Send(t, s, live, func(reach float64, most int) {
		sum, best, hops = sum+reach, max(best, reach), hops+most
		if reach > 0.1 {
			spread, survived = spread+reach, survived+1
		}
		if reach > 0.85 {
			far++
		}
	})
	if err != nil {
		return err
	}
	n := float64(f.count)
	t.Measure("reliability"+f.name, sum/n)
	t.Measure("best"+f.name, best)
	t.Measure("messages above 85 %"+f.name, float64(far))
	t.Measure("max hops"+f.name, float64(hops)/n)
	if survived > 0 {
		t.Measure("reach if spread"+f.name, spread/float64(survived))
		t.Measure("reach − theory"+f.name, spread/float64(survived)-f.theory)
	}
	return nil
}

func plots(r *lab.Results) []lab.Plot {
	dead := func(c *lab.CaseResult) (float64, bool) {
		if c.Case.Name == "overlay" {
			return 0, true
		}
		return lab.ByName("%g % dead")(c)
	}
	fanouts := lab.Line{Name: "mean of the messages"}
	for fanout := 4; fanout <= 6; fanout++ {
		if s := r.Find("overlay").Measure(fmt.Sprintf("reliability f=%d", fanout)); s != nil {
			fanouts.Points = append(fanouts.Points, lab.XY{X: float64(fanout), Y: s.Mean(), Error: 3 * s.StandardError()})
		}
	}
	closed := lab.Line{Name: "r = 1−(1−fr/c)^c", Dashed: true}
	for f := 3.0; f <= 8; f += 0.1 {
		closed.Points = append(closed.Points, lab.XY{X: f, Y: reach([]int{35}, f/35)})
	}
	reliability := lab.Plot{Name: "fanout", Title: "Gossip over Cyclon, by fan-out", X: "fan-out", Y: "share of the nodes", Lines: []lab.Line{fanouts, closed}}
	return []lab.Plot{reliability, {Name: "failures", Title: "Gossip over Cyclon, fan-out 4, without repair", X: "nodes that are dead, %", Y: "share of the live nodes",
		Lines: append(r.Across("reliability f=4", "mean of the messages", dead)[:1],
			r.Across("best f=4", "best message", dead)[0], r.Across("reach if spread f=4", "mean of those that spread", dead)[0], theory())}}
}

// theory is the reach of a message that does not die out, by the share of the dead, where
// each node is in 35 views.
func theory() (l lab.Line) {
	l.Name, l.Dashed = "r = 1−(1−f(1−x)r/c)^c", true
	for x := 0.0; x < 75; x++ {
		l.Points = append(l.Points, lab.XY{X: x, Y: reach([]int{35}, 4*(1-x/100)/35)})
	}
	return l
}

// reach solves for the share of the nodes that a message reaches if it does not die out:
// r = 1 − mean of (1 − pr)^d over the in-degrees d, where a node that has the message
// sends it to a given one of its view with chance p.
func reach(in []int, p float64) float64 {
	count := make([]float64, slices.Max(in)+1)
	for _, d := range in {
		count[d]++
	}
	r := 1.0
	for range 1000 {
		missed := 0.0
		for d, n := range count {
			missed += n * math.Pow(1-p*r, float64(d))
		}
		r = 1 - missed/float64(len(in))
	}
	return r
}
