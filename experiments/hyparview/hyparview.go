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
	"peernet/experiments/protocols/hyparview"
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

// What counts as recovered, and how long that is waited for.
const (
	recovered = 0.999
	recovery  = 10 // cycles
	each      = 20 // messages after each of them
)

// trial builds the overlay, kills nodes, lets their neighbours replace them, and sends
// messages before any membership cycle, and after each of some.
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
	messages := overlays.Messages{Count: p.Messages, Step: 2 * hop, Hops: func(id sim.NodeID) []uint16 { return apps[id].Hops }}
	mean, least, err := send(t, s, live, messages)
	if err != nil {
		return err
	}
	t.Measure("reliability", mean)
	t.Measure("worst", least)

	for _, id := range live {
		s.Send(id, &hyparview.Begin{Cycles: recovery})
	}
	cycles := 0 // until it is recovered
	for k := 0; ; k++ {
		t.Point("recovery", float64(k), mean)
		if mean < recovered {
			cycles = k + 1
		}
		if k == recovery {
			break
		}
		if err := s.Run(t.Context, s.Now()+overlays.Period); err != nil {
			return err
		}
		messages.First, messages.Count = p.Messages+k*each, each
		messages.Name = fmt.Sprint(" after cycle ", k+1)
		if mean, _, err = send(t, s, live, messages); err != nil {
			return err
		}
	}
	t.Measure("cycles to recover", float64(cycles)) // recovery+1 if they were not enough
	return nil
}

// send sends messages, and returns what share of the live nodes they reached: the mean,
// and the least.
func send(t *lab.Trial, s *sim.Simulation, live []sim.NodeID, m overlays.Messages) (mean, least float64, err error) {
	sum := 0.0
	least = 1
	err = m.Send(t, s, live, func(reach float64, _ int) {
		sum, least = sum+reach, min(least, reach)
	})
	return sum / float64(m.Count), least, err
}

func plots(r *lab.Results) []lab.Plot {
	dead := lab.ByName("%g % dead")
	recovery := lab.Plot{Name: "recovery", Title: "Floods over HyParView, in the cycles after the failures", X: "membership cycles", Y: "share of the live nodes"}
	for _, name := range []string{"70 % dead", "80 % dead", "90 % dead", "95 % dead"} {
		recovery.Lines = append(recovery.Lines, r.Find(name).Line("recovery", name))
	}
	return []lab.Plot{{Name: "failures", Title: "Floods over HyParView, after its repair", X: "nodes that died at once, %", Y: "share of the live nodes",
		Lines: []lab.Line{r.Across("reliability", "mean of the messages", dead)[0], r.Across("worst", "worst message", dead)[0]}}, recovery}
}
