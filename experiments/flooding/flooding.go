// Package flooding counts the messages of floods and of Plumtree. See its README.
package flooding

import (
	"embed"
	"fmt"
	"time"

	"peernet/experiments/lab"
	"peernet/experiments/overlays"
	"peernet/experiments/protocols/flood"
	"peernet/experiments/protocols/gossip"
	"peernet/experiments/protocols/mesh"
	"peernet/experiments/protocols/plumtree"
	"peernet/sim"
	"peernet/sim/dist"
	"peernet/sim/overlay"
)

//go:embed README.md expected.json
var files embed.FS

// Experiment is the experiment.
var Experiment = lab.New("flooding", files, trial)

func init() { Experiment.Plots = plots }

type parameters struct {
	Nodes    int    `json:"nodes"`
	Overlay  string `json:"overlay"` // hyparview, regular (of Degree) or complete
	Degree   int    `json:"degree"`
	Plumtree bool   `json:"plumtree"` // instead of flooding
	Echo     bool   `json:"echo"`     // floods go back to where they came from
	Messages int    `json:"messages"` // from one sender
	Cycles   int    `json:"cycles"`   // of HyParView
}

const hop = time.Millisecond

// trial sends messages from one node, one after another, and counts what the last took.
func trial(t *lab.Trial, p parameters) error {
	s := t.Simulation(sim.Config{Latency: sim.Latency{Message: dist.Uniform{Low: hop, High: 2 * hop}}})
	floods, trees := make([]flood.Node, p.Nodes), make([]plumtree.Node, p.Nodes)
	config := &plumtree.Config{Missing: 200 * hop, Again: 20 * hop}
	links, err := build(t, s, p, func(i int) mesh.App {
		floods[i].Echo, trees[i].Config = p.Echo, config
		if p.Plumtree {
			return &trees[i]
		}
		return &floods[i]
	})
	if err != nil {
		return err
	}
	var before, after counts
	for number := range p.Messages {
		before = count(floods, trees)
		if p.Plumtree {
			s.Send(0, &plumtree.Payload{Number: uint32(number)})
		} else {
			s.Send(0, &gossip.Rumor{Number: uint32(number)})
		}
		if err := s.Run(t.Context, s.Now()+500*hop); err != nil {
			return err
		}
		after = count(floods, trees)
		t.Point("payload", float64(number+1), float64(after.payload-before.payload))
		t.Point("control", float64(number+1), float64(after.control-before.control))
	}
	payload := float64(after.payload - before.payload)
	reached := 0
	for i := range floods {
		if floods[i].Heard(p.Messages-1) || trees[i].Heard(p.Messages-1) {
			reached++
		}
	}
	t.Measure("payload", payload)
	t.Measure("reached", float64(reached))
	t.Measure("RMR", payload/float64(reached-1)-1)
	t.Measure("control", float64(after.control-before.control))
	if !p.Plumtree {
		t.Measure("payload − (2E − (N−1))", payload-float64(2*links-(p.Nodes-1)))
	}
	return nil
}

// build makes the overlay, and returns how many links it has.
func build(t *lab.Trial, s *sim.Simulation, p parameters, app func(i int) mesh.App) (links int, err error) {
	switch p.Overlay {
	case "hyparview":
		nodes, err := overlays.HyParView(t, s, p.Nodes, p.Cycles, app)
		if err != nil {
			return 0, err
		}
		return overlay.New(p.Nodes, lab.Edges(p.Nodes, overlays.ActiveViews(nodes))).Edges(), nil
	case "regular":
		overlays.Regular(t, s, p.Nodes, p.Degree, app)
		return p.Nodes * p.Degree / 2, nil
	case "complete":
		overlays.Complete(s, p.Nodes, app)
		return p.Nodes * (p.Nodes - 1) / 2, nil
	}
	return 0, fmt.Errorf("overlay %q is none", p.Overlay)
}

// counts are messages sent so far.
type counts struct{ payload, control uint64 }

func count(floods []flood.Node, trees []plumtree.Node) (c counts) {
	for i := range floods {
		c.payload += floods[i].Sent + trees[i].Payloads
		c.control += trees[i].IHaves + trees[i].Grafts + trees[i].Prunes
	}
	return c
}

func plots(r *lab.Results) []lab.Plot {
	p := lab.Plot{Name: "messages", Title: "Messages of each broadcast, HyParView, 10,000 nodes", X: "broadcast of one sender", Y: "messages"}
	p.Lines = append(p.Lines, r.Find("flood").Line("payload", "flood, payload"),
		r.Find("Plumtree").Line("payload", "Plumtree, payload"), r.Find("Plumtree").Line("control", "Plumtree, control"))
	return []lab.Plot{p}
}
