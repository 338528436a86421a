package lab

import (
	"iter"
	"math"
	"time"

	"peernet/actors"
	"peernet/sim"
	"peernet/sim/overlay"
)

// pathSources is from how many nodes shortest paths are measured.
const pathSources = 500

// MeasureGraph measures the graph of who has whom in its view: on its undirected closure,
// as the literature does, the clustering coefficient, the mean shortest path, and the share
// of the nodes in the largest component; and how evenly in-degrees are spread.
func MeasureGraph(t *Trial, nodes int, view func(i int) []actors.Address) {
	g := overlay.New(nodes, Edges(nodes, view))
	t.Measure("clustering", g.Clustering())
	t.Measure("shortest path", g.PathLengths(pathSources, t.Rand("path sources")).Mean)
	t.Measure("largest component", float64(g.LargestComponent())/float64(nodes))
	in, sum := InDegrees(nodes, view), 0
	for _, d := range in {
		sum += d
	}
	mean, square := float64(sum)/float64(nodes), 0.0
	for _, d := range in {
		square += (float64(d) - mean) * (float64(d) - mean)
	}
	t.Measure("out-degree", mean)
	t.Measure("in-degree sd", math.Sqrt(square/float64(nodes)))
}

// InDegrees returns how many views each node is in.
func InDegrees(nodes int, view func(i int) []actors.Address) []int {
	in := make([]int, nodes)
	for _, to := range Edges(nodes, view) {
		in[to]++
	}
	return in
}

// Edges yields who has whom in its view.
func Edges(nodes int, view func(i int) []actors.Address) iter.Seq2[uint32, uint32] {
	return func(yield func(uint32, uint32) bool) {
		for i := range nodes {
			for _, a := range view(i) {
				to, ok := sim.NodeOf(a)
				if ok && int(to) < nodes && !yield(uint32(i), uint32(to)) {
					return
				}
			}
		}
	}
}

// CrashShare crashes so many per cent of the nodes, drawn uniformly, and returns those
// that live. With reset their links are reset; otherwise they fall silent.
func CrashShare(t *Trial, s *sim.Simulation, percent int, reset bool) (live []sim.NodeID) {
	order := t.Rand("crashes").Perm(s.Nodes())
	dead := make([]bool, s.Nodes())
	for _, i := range order[:s.Nodes()*percent/100] {
		dead[i] = true
		s.Crash(sim.NodeID(i), reset)
	}
	for i, is := range dead {
		if !is {
			live = append(live, sim.NodeID(i))
		}
	}
	return live
}

// Settle runs a simulation in steps until one of them sends nothing.
func Settle(t *Trial, s *sim.Simulation, step time.Duration) error {
	for before := s.Totals().Sent - 1; before != s.Totals().Sent; {
		before = s.Totals().Sent
		if err := s.Run(t.Context, s.Now()+step); err != nil {
			return err
		}
	}
	return nil
}
