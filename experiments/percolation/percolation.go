// Package percolation kills nodes of overlays that do not mend, and compares what is left
// with the theory of site percolation. See its README.
package percolation

import (
	"embed"
	"math"
	"time"

	"peernet/experiments/lab"
	"peernet/experiments/overlays"
	"peernet/experiments/protocols/flood"
	"peernet/experiments/protocols/mesh"
	"peernet/sim"
	"peernet/sim/dist"
)

//go:embed README.md expected.json
var files embed.FS

// Experiment is the experiment.
var Experiment = lab.New("percolation", files, trial)

func init() { Experiment.Plots = plots }

type parameters struct {
	Nodes     int  `json:"nodes"`
	Degree    int  `json:"degree"`    // of a random regular graph
	HyParView bool `json:"hyparview"` // instead, after 50 cycles
	Dead      int  `json:"dead"`      // per cent of the nodes
	Repair    bool `json:"repair"`    // the failures are noticed: HyParView mends
	Messages  int  `json:"messages"`
}

const hop = time.Millisecond

// trial makes the overlay, kills nodes silently, and floods it from random sources.
func trial(t *lab.Trial, p parameters) error {
	s := t.Simulation(sim.Config{Latency: sim.Latency{Message: dist.Constant(hop)}})
	apps := make([]flood.Node, p.Nodes)
	app := func(i int) mesh.App { return &apps[i] }
	if p.HyParView {
		if _, err := overlays.HyParView(t, s, p.Nodes, 50, app); err != nil {
			return err
		}
	} else {
		overlays.Regular(t, s, p.Nodes, p.Degree, app)
	}
	live := lab.CrashShare(t, s, p.Dead, p.Repair)
	if err := s.Run(t.Context, s.Now()+overlays.Repair); err != nil {
		return err
	}
	giant, sum := 0.0, 0.0
	messages := overlays.Messages{Count: p.Messages, Step: 2 * hop, Hops: func(id sim.NodeID) []uint16 { return apps[id].Hops }}
	err := messages.Send(t, s, live, func(reach float64, _ int) {
		giant, sum = max(giant, reach), sum+reach
	})
	if err != nil {
		return err
	}
	t.Measure("giant", giant)
	t.Measure("reliability", sum/float64(p.Messages))
	return nil
}

func plots(r *lab.Results) []lab.Plot {
	giant := lab.Line{Name: "theory: g", Dashed: true}
	square := lab.Line{Name: "theory: g²", Dashed: true}
	for x := 0.0; x <= 100; x++ {
		g := theory(x/100, 5)
		giant.Points = append(giant.Points, lab.XY{X: x, Y: g})
		square.Points = append(square.Points, lab.XY{X: x, Y: g * g})
	}
	regular, frozen := lab.ByName("5-regular, %g % dead"), lab.ByName("HyParView, %g % dead")
	return []lab.Plot{{Name: "giant", Title: "What is left of overlays that do not mend", X: "nodes that are dead, %", Y: "share of the live nodes",
		Lines: []lab.Line{r.Across("giant", "random 5-regular: most", regular)[0], r.Across("reliability", "random 5-regular: mean", regular)[0],
			r.Across("giant", "HyParView: most", frozen)[0], r.Across("reliability", "HyParView: mean", frozen)[0], giant, square}}}
}

// theory is the share of the live nodes that are in the giant component of a random
// d-regular graph, a share x of whose nodes is dead: 1 − u^d, where u = x + (1−x)u^(d−1) is
// the chance that a link leads to nothing.
func theory(x float64, d int) float64 {
	u := 0.0
	for range 100000 {
		u = x + (1-x)*math.Pow(u, float64(d-1))
	}
	return 1 - math.Pow(u, float64(d))
}
