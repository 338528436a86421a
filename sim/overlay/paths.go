package overlay

import "math/rand/v2"

// Paths describes the shortest paths from some sources to all other nodes. A
// path is as long as it has hops, and a pair is ordered: a source, and another
// node.
type Paths struct {
	Mean        float64 // hops, over the pairs that are connected; 0 if none is
	Max         int     // hops to the farthest node reached: the largest eccentricity of a source
	Unreachable int     // pairs without a path
}

// PathLengths measures the shortest paths from that many distinct sources,
// drawn uniformly from r. With as many sources as nodes or more it takes all, r
// is not used, and in a connected graph Mean is the average shortest path, the
// characteristic path length of Watts and Strogatz (1998), and Max the
// diameter.
//
// Each source takes a breadth-first search, time in the order of the nodes and
// edges.
func (g *Graph) PathLengths(sources int, r *rand.Rand) Paths {
	var p Paths
	var hops, pairs int
	s := newSearch(g)
	for _, v := range sample(g.Nodes(), sources, r) {
		clear(s.seen)
		found := s.run(v)
		hops += found.hops
		pairs += found.nodes - 1
		p.Max = max(p.Max, found.depth)
		p.Unreachable += g.Nodes() - found.nodes
	}
	if pairs > 0 {
		p.Mean = float64(hops) / float64(pairs)
	}
	return p
}
