package overlay

import (
	"fmt"
	"iter"
	"math"
	"slices"
)

// A Graph is an undirected graph without self-loops or parallel edges. The
// zero Graph has no nodes.
type Graph struct {
	offsets    []uint32 // row v is neighbours[offsets[v]:offsets[v+1]]; Nodes()+1 of them
	neighbours []uint32 // each edge twice, each row increasing
}

// New returns the graph of the nodes 0 to nodes−1 with the given edges, in any
// order and direction. Self-loops are dropped and parallel edges merged.
//
// To need no list of edges in memory, New ranges over edges twice, to count and
// to fill, and then sorts and merges each row in place. So the sequence must
// yield the same edges both times, if perhaps in another order. It panics if
// their number differs, if a node is out of range, or if there are more than
// 2³¹−1 edges before merging. The peak is 8 bytes per edge yielded, and if
// many were merged 8 more per edge that remains, as those are copied.
func New(nodes int, edges iter.Seq2[uint32, uint32]) *Graph {
	offsets := make([]uint32, nodes+1)
	var ends uint64
	for a, b := range edges {
		if a == b {
			continue
		}
		if max(int(a), int(b)) >= nodes {
			panic(fmt.Sprintf("overlay: edge (%d, %d) in a graph of %d nodes", a, b, nodes))
		}
		offsets[a]++
		offsets[b]++
		ends += 2
	}
	if ends > math.MaxUint32 {
		panic("overlay: too many edges")
	}

	// Let each offset be the end of its row, and fill rows from their ends:
	// then each is the beginning when all is done, without a second array.
	var sum uint32
	for v, n := range offsets {
		sum += n
		offsets[v] = sum
	}
	neighbours := make([]uint32, ends)
	for a, b := range edges {
		if a == b {
			continue
		}
		offsets[a]--
		neighbours[offsets[a]] = b
		offsets[b]--
		neighbours[offsets[b]] = a
		ends -= 2
	}
	if ends != 0 {
		panic("overlay: the edges differ between the first and the second pass")
	}
	g := &Graph{offsets, neighbours}
	g.merge()
	return g
}

// merge sorts each row, drops what is repeated in it, and closes the gaps.
func (g *Graph) merge() {
	var end uint32
	for v := range g.Nodes() {
		row := g.Neighbours(uint32(v))
		slices.Sort(row)
		row = slices.Compact(row)
		g.offsets[v] = end
		end += uint32(copy(g.neighbours[end:], row))
	}
	g.offsets[g.Nodes()] = end
	idle := len(g.neighbours) - int(end)
	g.neighbours = g.neighbours[:end:end]
	if idle > int(end)/4 {
		// Where edges come from both their ends, half of the array is idle for
		// as long as the graph lives; a copy is not.
		g.neighbours = slices.Clone(g.neighbours)
	}
}

// Nodes returns the number of nodes.
func (g *Graph) Nodes() int { return max(len(g.offsets)-1, 0) }

// Edges returns the number of undirected edges.
func (g *Graph) Edges() int { return len(g.neighbours) / 2 }

// Degree returns the number of neighbours of v.
func (g *Graph) Degree(v uint32) int { return int(g.offsets[v+1] - g.offsets[v]) }

// Neighbours returns the neighbours of v in increasing order. The slice is part
// of the graph and must not be changed.
func (g *Graph) Neighbours(v uint32) []uint32 {
	begin, end := g.offsets[v], g.offsets[v+1]
	return g.neighbours[begin:end:end]
}
