package overlay

import (
	"math/rand/v2"
	"slices"
)

// Clustering returns the clustering coefficient, from 0 to 1: the mean over all
// nodes of the share of the pairs of a node's neighbours that are neighbours of
// each other (Watts and Strogatz, "Collective dynamics of 'small-world'
// networks", 1998). A node with fewer than two neighbours has no such pairs,
// and counts as 0. So does a graph without nodes.
//
// It takes time in the order of the sum of the squares of the degrees, or less
// if few nodes have most of the neighbours.
func (g *Graph) Clustering() float64 { return g.SampledClustering(g.Nodes(), nil) }

// SampledClustering estimates [Graph.Clustering] by the mean over that many
// distinct nodes, drawn uniformly from r. With as many samples as nodes or more
// it is exact and r is not used.
func (g *Graph) SampledClustering(samples int, r *rand.Rand) float64 {
	nodes := sample(g.Nodes(), samples, r)
	if len(nodes) == 0 {
		return 0
	}
	// Nodes of one degree share a denominator. Their links add up as integers,
	// so that each distinct degree is rounded once.
	var links []uint64 // by degree
	marked := newNodeSet(g.Nodes())
	for _, v := range nodes {
		degree := g.Degree(v)
		if degree < 2 {
			continue
		}
		if degree >= len(links) {
			links = append(links, make([]uint64, degree+1-len(links))...)
		}
		links[degree] += g.linksAround(v, marked)
	}
	var sum float64
	for degree, n := range links {
		if n > 0 {
			pairs := float64(degree) * float64(degree-1) / 2
			sum += float64(n) / (pairs * float64(len(nodes)))
		}
	}
	return sum
}

// hubRatio is how many times longer than v's own a neighbour's row must be to
// be searched instead of read.
const hubRatio = 16

// linksAround counts the edges between neighbours of v. It needs marked empty,
// and leaves it so.
func (g *Graph) linksAround(v uint32, marked nodeSet) uint64 {
	row := g.Neighbours(v)
	for _, w := range row {
		marked.add(w)
	}
	var ends uint64
	for _, w := range row {
		next := g.Neighbours(w)
		if len(next) <= hubRatio*len(row) {
			for _, x := range next {
				ends += marked.bit(x)
			}
			continue
		}
		// A hub is the neighbour of many; reading its row around each of them
		// would take the square of its degree.
		for _, x := range row {
			if _, ok := slices.BinarySearch(next, x); ok {
				ends++
			}
		}
	}
	for _, w := range row {
		marked.remove(w)
	}
	return ends / 2
}
