// Package freenet runs the measurements of Clarke et al. (2000) on Freenet again: how long
// the paths of requests are while the network learns, when nodes fail, and as it grows. Its
// README has the question and what came out.
package freenet

import (
	"embed"
	"fmt"
	"math"

	"peernet/experiments/lab"
	"peernet/sim"
)

//go:embed README.md expected.json
var files embed.FS

// Experiment is the experiment.
var Experiment = lab.New("freenet", files, trial)

func init() { Experiment.Plots = plots }

type parameters struct {
	Nodes    int    `json:"nodes"` // at the end
	Store    int    `json:"store"`
	Table    int    `json:"table"`
	HTL      uint32 `json:"htl"`
	Steps    int    `json:"steps"` // inserts and requests
	Probes   int    `json:"probes"`
	ProbeHTL uint32 `json:"probe_htl"`
	Rename   int    `json:"rename"` // see freenet.Config
	Random   bool   `json:"random"`
	Grow     int    `json:"grow"` // steps for each node that joins; 0 has all there at once
}

// trial trains a network by inserts and requests, and measures it meanwhile.
func trial(t *lab.Trial, p parameters) error {
	w := newWorld(t, p)
	if p.Grow > 0 {
		return w.grow()
	}
	w.ring(p.Nodes)
	every := 100
	if t.Quick {
		every = 500
	}
	var late []float64 // medians of the last fifth
	for step := 0; step <= p.Steps; step++ {
		if step%every == 0 && step > 0 {
			paths, err := w.probe()
			if err != nil {
				return err
			}
			for i, name := range []string{"first quartile", "median", "third quartile"} {
				t.Point(name, float64(step), quantile(paths, float64(i+1)/4))
			}
			if step > p.Steps*4/5 {
				late = append(late, quantile(paths, 0.5))
			}
			if step == p.Steps {
				t.Measure("median_late", mean(late))
				t.Measure("median", quantile(paths, 0.5))
				t.Measure("failed", failed(paths, p))
			}
		}
		if err := w.step(); err != nil {
			return err
		}
	}
	if err := w.replies(); err != nil {
		return err
	}
	return w.failures()
}

// failures has nodes die, and measures.
func (w *world) failures() error {
	order := w.draw.Perm(len(w.live))
	all := append([]sim.NodeID(nil), w.live...)
	for percent := 0; percent <= 50; percent += 10 {
		w.live = w.live[:0]
		for i, k := range order {
			if i >= len(order)*percent/100 {
				w.live = append(w.live, all[k])
			} else if w.sim.IsLive(all[k]) {
				w.sim.Crash(all[k], false)
			}
		}
		paths, err := w.probe()
		if err != nil {
			return err
		}
		w.Point("failures", float64(percent), quantile(paths, 0.5))
		w.Measure(fmt.Sprintf("median_%d", percent), quantile(paths, 0.5))
	}
	return nil
}

// replies measures the way back: its length, and whether it survives that a fifth of the
// nodes die while data are fetched.
func (w *world) replies() error {
	const dead, rounds = 0.2, 4
	longer, survived, predicted := 0.0, 0.0, 0.0
	for range rounds {
		// Probes change nothing, so that they take the same paths the second time.
		requests := w.requests()
		before, err := w.ask(requests)
		if err != nil {
			return err
		}
		again := w.again(requests)
		var gone []sim.NodeID
		for _, k := range w.draw.Perm(len(w.live))[:int(dead*float64(len(w.live)))] {
			gone = append(gone, w.live[k])
		}
		after, err := w.interrupted(again, gone)
		if err != nil {
			return err
		}
		for i, r := range requests {
			was := before[r.ID]
			if !was.Found {
				continue
			}
			longer += math.Abs(float64(was.Reply) - float64(was.Depth))
			source, _ := sim.NodeOf(was.Source)
			if was.Depth < 2 || !w.sim.IsLive(source) || !w.sim.IsLive(r.at) {
				continue // there are no relays, or an end is gone
			}
			predicted += math.Pow(1-dead, float64(was.Depth-1))
			if after[again[i].ID].Found {
				survived++
			}
		}
		if err := w.revive(gone); err != nil {
			return err
		}
	}
	w.Measure("reply_minus_request", longer)
	w.Measure("survival_ratio", survived/predicted)
	return nil
}

// grow has nodes join one by one, and measures at some sizes.
func (w *world) grow() error {
	last := w.parameters.Nodes
	if w.Quick {
		last = min(last, 1000)
	}
	w.ring(20)
	// Below that an insert of 20 hops finds too few nodes, and fails.
	for next := 40.0; ; w.join() {
		for range w.parameters.Grow {
			if err := w.step(); err != nil {
				return err
			}
		}
		n := len(w.live)
		if n < min(int(next), last) {
			continue
		}
		next *= math.Pow(10, 0.25)
		paths, err := w.probe()
		if err != nil {
			return err
		}
		w.Point("growth", float64(n), quantile(paths, 0.5))
		if n >= last {
			w.Measure("median", quantile(paths, 0.5))
			return nil
		}
	}
}

func plots(r *lab.Results) []lab.Plot {
	trained, grown := r.Find("1000 nodes"), r.Find("growth")
	converge := lab.Plot{Name: "converge", Title: "Paths while the network learns", X: "inserts and requests", Y: "hops of a request", LogY: true}
	for _, name := range []string{"first quartile", "median", "third quartile"} {
		converge.Lines = append(converge.Lines, trained.Line(name, name))
	}
	return []lab.Plot{converge,
		{Name: "failures", Title: "Paths when nodes fail", X: "nodes that failed, percent", Y: "median hops of a request",
			Lines: []lab.Line{trained.Line("failures", "median")}},
		{Name: "growth", Title: "Paths as the network grows", X: "nodes", Y: "median hops of a request", LogX: true,
			Lines: []lab.Line{grown.Line("growth", "median")}},
	}
}

// quantile is a quantile of path lengths, which it sorts.
func quantile(paths []float64, q float64) float64 {
	return paths[min(len(paths)-1, int(q*float64(len(paths))))]
}

// failed is the share of the requests that found nothing.
func failed(paths []float64, p parameters) float64 {
	n := 0.0
	for _, v := range paths {
		if v == float64(p.ProbeHTL) {
			n++
		}
	}
	return n / float64(len(paths))
}

func mean(values []float64) (m float64) {
	for _, v := range values {
		m += v / float64(len(values))
	}
	return m
}
