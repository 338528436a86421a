// Package smallworld measures the graphs of Watts and Strogatz (1998). It validates the
// metrics that other experiments use, and no protocol. Its README has the question and
// what came out.
package smallworld

import (
	"embed"
	"fmt"
	"math"
	"math/rand/v2"

	"peernet/experiments/lab"
	"peernet/sim/overlay"
)

//go:embed README.md expected.json
var files embed.FS

// Experiment is the experiment.
var Experiment = lab.New("small-world", files, trial)

func init() { Experiment.Plots = plots }

type parameters struct {
	Nodes  int     `json:"nodes"`
	K      int     `json:"k"`      // neighbours on the ring, even
	Rewire float64 `json:"rewire"` // p, the chance that an edge is rewired
}

// trial measures a graph, and with it the lattice that it was made from.
func trial(t *lab.Trial, p parameters) error {
	if p.K%2 != 0 || p.K < 2 || p.K >= p.Nodes {
		return fmt.Errorf("k is %d, must be even and less than the nodes", p.K)
	}
	lattice, graph := ring(p.Nodes, p.K), rewired(t.Rand("rewiring"), p)
	if lattice.Edges() != p.Nodes*p.K/2 || graph.Edges() != lattice.Edges() {
		return fmt.Errorf("%d and %d edges, want %d", lattice.Edges(), graph.Edges(), p.Nodes*p.K/2)
	}
	c, l := graph.Clustering(), graph.PathLengths(p.Nodes, nil)
	t.Measure("C", c)
	t.Measure("L", l.Mean)
	t.Measure("C(p)/C(0)", c/lattice.Clustering())
	t.Measure("L(p)/L(0)", l.Mean/lattice.PathLengths(p.Nodes, nil).Mean)
	t.Measure("pairs apart", float64(l.Unreachable))
	return nil
}

// ring joins each node to its k nearest.
func ring(nodes, k int) *overlay.Graph {
	return overlay.New(nodes, func(yield func(uint32, uint32) bool) {
		for v := range nodes {
			for i := 1; i <= k/2; i++ {
				if !yield(uint32(v), uint32((v+i)%nodes)) {
					return
				}
			}
		}
	})
}

// rewired begins with the ring, and goes around it once for each distance up to k/2: the
// edge from a node to the one at that distance clockwise gets, with chance p, another end
// that is drawn uniformly, without a loop and without an edge that exists already.
func rewired(r *rand.Rand, p parameters) *overlay.Graph {
	edges := map[[2]int]bool{}
	key := func(a, b int) [2]int { return [2]int{min(a, b), max(a, b)} }
	ends := make([][]int, p.Nodes) // of the edges that began clockwise
	for v := range ends {
		for i := 1; i <= p.K/2; i++ {
			w := (v + i) % p.Nodes
			ends[v] = append(ends[v], w)
			edges[key(v, w)] = true
		}
	}
	for i := range p.K / 2 {
		for v := range ends {
			if r.Float64() >= p.Rewire {
				continue
			}
			w := r.IntN(p.Nodes)
			for w == v || edges[key(v, w)] {
				w = r.IntN(p.Nodes)
			}
			delete(edges, key(v, ends[v][i]))
			edges[key(v, w)] = true
			ends[v][i] = w
		}
	}
	return overlay.New(p.Nodes, func(yield func(uint32, uint32) bool) {
		for v := range ends {
			for _, w := range ends[v] {
				if !yield(uint32(v), uint32(w)) {
					return
				}
			}
		}
	})
}

func plots(r *lab.Results) []lab.Plot {
	chance := func(c *lab.CaseResult) (p float64, ok bool) {
		p, ok = lab.ByName("p=%g")(c)
		return p, ok && p > 0 // the axis is logarithmic
	}
	// What is left of a triangle if each of its edges stays with chance 1−p (Barrat and
	// Weigt, 2000).
	stays := lab.Line{Name: "(1−p)³", Dashed: true}
	for p := 1e-4; p < 1; p *= 1.1 {
		stays.Points = append(stays.Points, lab.XY{X: p, Y: math.Pow(1-p, 3)})
	}
	lines := append(r.Across("C(p)/C(0)", "C(p)/C(0)", chance), r.Across("L(p)/L(0)", "L(p)/L(0)", chance)...)
	return []lab.Plot{{Name: "figure2", Title: "Small worlds: Figure 2 of Watts and Strogatz", X: "chance p that an edge is rewired",
		Y: "share of the lattice's", LogX: true, Lines: append(lines, stays)}}
}
