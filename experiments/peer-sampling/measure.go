package peersampling

import (
	"fmt"
	"math"

	"peernet/experiments/lab"
	"peernet/sim"
	"peernet/sim/overlay"
)

// A shape is the overlay of the live nodes.
type shape struct {
	graph    *overlay.Graph // undirected: whoever knows whom
	inDegree []int          // in how many views each is
}

// overlay returns the present one, of the live nodes, in their order.
func (w *world) overlay() *shape {
	index, live := make([]uint32, w.Nodes), uint32(0)
	for i := range index {
		if index[i] = live; w.s.IsLive(sim.NodeID(i)) {
			live++
		}
	}
	o := &shape{inDegree: make([]int, live)}
	o.graph = overlay.New(int(live), func(yield func(uint32, uint32) bool) {
		w.links(func(from, to sim.NodeID) bool { return !w.s.IsLive(to) || yield(index[from], index[to]) })
	})
	w.links(func(_, to sim.NodeID) bool {
		if w.s.IsLive(to) {
			o.inDegree[index[to]]++
		}
		return true
	})
	return o
}

// inDegreeSD returns the standard deviation of the in-degree over the nodes.
func (o *shape) inDegreeSD() float64 {
	var sum, squares float64
	for _, d := range o.inDegree {
		sum += float64(d)
		squares += float64(d * d)
	}
	n := float64(len(o.inDegree))
	return math.Sqrt(max(0, squares/n-sum/n*sum/n))
}

// largest returns the share of the nodes that are in the largest connected part.
func (o *shape) largest() float64 {
	return float64(o.graph.LargestComponent()) / float64(o.graph.Nodes())
}

// measureOverlay reports what the overlay has become.
func (w *world) measureOverlay() {
	o := w.overlay()
	w.pointOverlay(w.Cycles)
	w.Measure("in-degree sd", o.inDegreeSD())
	w.Measure("clustering", o.graph.Clustering())
	w.Measure("path length", o.graph.PathLengths(200, w.Rand("paths")).Mean)
	w.Measure("connected", o.largest())
	counts := make([]int, 4*w.View+1)
	for _, d := range o.inDegree {
		if d < len(counts) {
			counts[d]++
		}
	}
	for d, n := range counts {
		w.Point("in-degrees", float64(d), float64(n)/float64(w.Nodes))
	}
}

// pointOverlay reports what the overlay is like at a cycle.
func (w *world) pointOverlay(cycle int) {
	o, x := w.overlay(), float64(cycle)
	w.Point("in-degree sd", x, o.inDegreeSD())
	w.Point("clustering", x, o.graph.SampledClustering(1000, w.Rand(fmt.Sprint("clustering ", cycle))))
	w.Point("path length", x, o.graph.PathLengths(20, w.Rand(fmt.Sprint("paths ", cycle))).Mean)
}

// due reports whether a cycle is one to look at: most change is in the first.
func due(cycle int) bool {
	return cycle <= 6 || cycle <= 12 && cycle%2 == 0 || cycle <= 30 && cycle%5 == 0 || cycle%10 == 0
}

func plots(r *lab.Results) []lab.Plot {
	lines := func(series string, cases ...string) (lines []lab.Line) {
		for _, name := range cases {
			lines = append(lines, r.Find(name).Line(series, name))
		}
		return lines
	}
	suffix := ""
	if r.Quick {
		suffix = ", small"
	}
	instances := []string{"random graph" + suffix, "swapper" + suffix, "healer" + suffix, "blind" + suffix}
	starts := []string{"swapper" + suffix, "swapper, lattice", "swapper, growing", "healer" + suffix, "healer, lattice", "healer, growing"}
	inDegree := lines("in-degree sd", instances...)
	inDegree[0] = level(inDegree[0].Name, r.Find(instances[0]).Measure("in-degree sd"), inDegree[1].Points)
	return []lab.Plot{
		{Name: "in-degrees", Title: "In-degrees", X: "in-degree", Y: "share of the nodes", LogY: true, Lines: lines("in-degrees", instances...)},
		{Name: "in-degree", Title: "In-degree over time, from random views", X: "cycles", Y: "standard deviation", Lines: inDegree},
		{Name: "in-degree-starts", Title: "In-degree from different starts", X: "cycles", Y: "standard deviation", LogY: true, Lines: lines("in-degree sd", starts...)},
		{Name: "clustering", Title: "Clustering from different starts", X: "cycles", Y: "clustering coefficient", LogY: true, Lines: lines("clustering", starts...)},
		{Name: "paths", Title: "Path lengths from different starts", X: "cycles", Y: "hops", LogY: true, Lines: lines("path length", starts...)},
		{Name: "dead", Title: "Links to dead nodes, after half of the nodes died", X: "cycles after the deaths", Y: "share that is left", LogY: true, Lines: lines("dead links", instances...)},
	}
}

// level returns a line at the mean of a measure, as long as another.
func level(name string, s *lab.Sample, along []lab.XY) lab.Line {
	l := lab.Line{Name: name, Dashed: true}
	for _, p := range along {
		if s != nil {
			l.Points = append(l.Points, lab.XY{X: p.X, Y: s.Mean()})
		}
	}
	return l
}
