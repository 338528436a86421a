package overlay

import (
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
)

// unreachable is farther than any path in a naive graph.
const unreachable = 1 << 20

// A naive graph is a matrix of distances, and obvious.
type naive [][]int

// newNaive finds all distances by the algorithm of Floyd and Warshall.
func newNaive(nodes int, pairs []pair) naive {
	n := make(naive, nodes)
	for a := range n {
		n[a] = slices.Repeat([]int{unreachable}, nodes)
		n[a][a] = 0
	}
	for _, p := range pairs {
		if p[0] != p[1] {
			n[p[0]][p[1]], n[p[1]][p[0]] = 1, 1
		}
	}
	for via := range n {
		for a := range n {
			for b := range n {
				n[a][b] = min(n[a][b], n[a][via]+n[via][b])
			}
		}
	}
	return n
}

func (n naive) neighbours(v int) (row []uint32) {
	for w, d := range n[v] {
		if d == 1 {
			row = append(row, uint32(w))
		}
	}
	return row
}

func (n naive) components() (sizes []int) {
	for v := range n {
		size, first := 0, true
		for w, d := range n[v] {
			if d < unreachable {
				size++
				first = first && w >= v
			}
		}
		if first {
			sizes = append(sizes, size)
		}
	}
	slices.Sort(sizes)
	slices.Reverse(sizes)
	return sizes
}

// clustering is computed in rational numbers.
func (n naive) clustering() float64 {
	if len(n) == 0 {
		return 0
	}
	sum := new(big.Rat)
	for v := range n {
		row := n.neighbours(v)
		var links, pairs int64
		for i, a := range row {
			for _, b := range row[:i] {
				pairs++
				if n[a][b] == 1 {
					links++
				}
			}
		}
		if pairs > 0 {
			sum.Add(sum, big.NewRat(links, pairs))
		}
	}
	mean, _ := sum.Quo(sum, big.NewRat(int64(len(n)), 1)).Float64()
	return mean
}

func (n naive) paths() (p Paths) {
	sum, pairs := 0, 0
	for a := range n {
		for b, d := range n[a] {
			switch {
			case a == b:
			case d < unreachable:
				sum += d
				pairs++
				p.Max = max(p.Max, d)
			default:
				p.Unreachable++
			}
		}
	}
	if pairs > 0 {
		p.Mean = float64(sum) / float64(pairs)
	}
	return p
}

// randomPairs has few or many edges, repeats and self-loops among them, and
// sometimes a hub with a row long enough to be searched.
func randomPairs(nodes int, r *rand.Rand) (pairs []pair) {
	if nodes == 0 {
		return nil
	}
	for range r.IntN(1 + nodes*(1+r.IntN(5))) {
		p := pair{uint32(r.IntN(nodes)), uint32(r.IntN(nodes))}
		pairs = append(pairs, p)
		if r.IntN(8) == 0 {
			pairs = append(pairs, p, pair{p[1], p[0]})
		}
	}
	if r.IntN(2) == 0 {
		hub := uint32(r.IntN(nodes))
		for v := range uint32(nodes) {
			pairs = append(pairs, pair{v, hub})
		}
	}
	return pairs
}

// TestAgainstNaive holds every measure against its definition on small random
// graphs, and against the same graph with its nodes renumbered.
func TestAgainstNaive(t *testing.T) {
	r := stream(5)
	for round := range 400 {
		nodes := r.IntN(70)
		pairs := randomPairs(nodes, r)
		g, want := New(nodes, edgesOf(pairs)), newNaive(nodes, pairs)
		ends := 0
		for v := range nodes {
			row := want.neighbours(v)
			ends += len(row)
			if !slices.Equal(g.Neighbours(uint32(v)), row) || g.Degree(uint32(v)) != len(row) {
				t.Fatalf("round %d: neighbours of %d are %v, want %v", round, v, g.Neighbours(uint32(v)), row)
			}
		}
		if g.Edges() != ends/2 {
			t.Fatalf("round %d: %d edges, want %d", round, g.Edges(), ends/2)
		}
		degrees := g.Degrees()
		for d, n := range degrees.Counts {
			for v := range nodes {
				if g.Degree(uint32(v)) == d {
					n--
				}
			}
			if n != 0 {
				t.Fatalf("round %d: the count of degree %d is off by %d", round, d, n)
			}
		}
		if got := g.Components(); !slices.Equal(got, want.components()) {
			t.Fatalf("round %d: components %v, want %v", round, got, want.components())
		}
		if got := g.Clustering(); !near(got, want.clustering(), ulps) {
			t.Fatalf("round %d: clustering %v, want %v", round, got, want.clustering())
		}
		if got := g.PathLengths(nodes, nil); got != want.paths() {
			t.Fatalf("round %d: paths %+v, want %+v", round, got, want.paths())
		}

		number := r.Perm(nodes)
		for i, p := range pairs {
			pairs[i] = pair{uint32(number[p[1]]), uint32(number[p[0]])}
		}
		r.Shuffle(len(pairs), func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })
		same := New(nodes, edgesOf(pairs))
		if same.Clustering() != g.Clustering() || same.PathLengths(nodes, nil) != g.PathLengths(nodes, nil) {
			t.Fatalf("round %d: the numbering of nodes matters", round)
		}
	}
}
