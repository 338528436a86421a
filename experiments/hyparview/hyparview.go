// Package hyparview measures what HyParView is known for: floods over its active views go
// on reaching almost all live nodes when most of the nodes die at once. See its README.
package hyparview

import (
	"embed"
	"fmt"
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
var Experiment = lab.New("hyparview", files, trial)

func init() { Experiment.Plots = plots }

type parameters struct {
	Nodes    int  `json:"nodes"`
	Cycles   int  `json:"cycles"`
	Dead     int  `json:"dead"`   // per cent of the nodes
	Silent   bool `json:"silent"` // nobody notices that they died
	Messages int  `json:"messages"`
}

const hop = time.Millisecond

// trial builds the overlay, kills nodes, lets their neighbours replace them, and sends
// messages before any membership cycle.
func trial(t *lab.Trial, p parameters) error {
	s := t.Simulation(sim.Config{Latency: sim.Latency{Message: dist.Constant(hop)}})
	apps := make([]flood.Node, p.Nodes)
	nodes, err := overlays.HyParView(t, s, p.Nodes, p.Cycles, func(i int) mesh.App { return &apps[i] })
	if err != nil {
		return err
	}
	lab.MeasureGraph(t, p.Nodes, overlays.ActiveViews(nodes))
	live := lab.CrashShare(t, s, p.Dead, !p.Silent)
	if err := s.Run(t.Context, s.Now()+overlays.Repair); err != nil {
		return err
	}
	sum, least := 0.0, 1.0
	messages := overlays.Messages{Count: p.Messages, Step: 2 * hop, Hops: func(id sim.NodeID) []uint16 { return apps[id].Hops }}
	err = messages.Send(t, s, live, func(reach float64, _ int) {
		sum, least = sum+reach, min(least, reach)
	})
	if err != nil {
		return err
	}
	t.Measure("reliability", sum/float64(p.Messages))
	t.Measure("worst", least)
	return nil
}

func plots(r *lab.Results) []lab.Plot {
	dead := func(c *lab.CaseResult) (x float64, ok bool) {
		_, err := fmt.Sscanf(c.Case.Name, "%g %% dead", &x)
		return x, err == nil
	}
	return []lab.Plot{{Name: "failures", Title: "Floods over HyParView, after its repair", X: "nodes that died at once, %", Y: "share of the live nodes",
		Lines: []lab.Line{r.Across("reliability", "mean of the messages", dead)[0], r.Across("worst", "worst message", dead)[0]}}}
}
