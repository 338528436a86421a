package overlay

import (
	"cmp"
	"slices"
)

// Components returns how many nodes each connected component has, in decreasing
// order. A node without neighbours is a component of one.
func (g *Graph) Components() []int {
	var sizes []int
	s := newSearch(g)
	for v := range g.Nodes() {
		if !s.seen.has(uint32(v)) {
			sizes = append(sizes, s.run(uint32(v)).nodes)
		}
	}
	slices.SortFunc(sizes, func(a, b int) int { return cmp.Compare(b, a) })
	return sizes
}

// LargestComponent returns how many nodes the largest connected component has,
// 0 if there are no nodes. The graph is connected if these are all.
func (g *Graph) LargestComponent() int {
	if g.Nodes() == 0 {
		return 0
	}
	return g.Components()[0]
}
