package sim

import (
	"slices"

	"peernet/actors"
)

// Link makes a link between two running nodes and returns its ends, which are
// not bound yet: they are to be handed to the nodes' actors in messages.
func (s *Simulation) Link(a, b NodeID) (atA, atB actors.Link) {
	var ends [2]*endpoint
	for i, id := range []NodeID{a, b} {
		ends[i] = s.nodes[id].newEndpoint(endOpen)
	}
	s.join(ends[0], ends[1], b)
	s.join(ends[1], ends[0], a)
	if s.network != nil {
		for i, e := range ends {
			s.outside(e.node, func(x *exec) { x.opened(e, i == 1) })
		}
	}
	return ends[0], ends[1]
}

// join completes an end of a new link to a node.
func (s *Simulation) join(e, peer *endpoint, to NodeID) {
	e.peer, e.to = peer, to
	e.base = s.linkDelay(e.node, to)
}

// Connect makes links between running nodes, each from the first of an edge to the
// second, and has the roots of both receive what attach makes of their ends. Node by node
// in the order of their ids, and at each in the order of the edges: so that all that a
// node has lies together in memory, which makes large networks several times as fast as
// links made one by one.
func (s *Simulation) Connect(edges [][2]NodeID, attach func(l actors.Link, outbound bool) actors.Message) {
	first := make([]int, len(s.nodes)+1) // of each node in sides
	for _, e := range edges {
		first[e[0]+1]++
		first[e[1]+1]++
	}
	for i := range s.nodes {
		first[i+1] += first[i]
	}
	sides := make([]int, 2*len(edges)) // by node: 2·edge, and 1 more for its second
	next := slices.Clone(first)
	for i, e := range edges {
		for k, id := range e {
			sides[next[id]] = 2*i + k
			next[id]++
		}
	}
	ends := make([]*endpoint, 2*len(edges)) // by side
	for i, n := range s.nodes {
		own := sides[first[i]:first[i+1]]
		n.ends = slices.Grow(n.ends, len(own))
		slab := make([]endpoint, len(own))
		for k, side := range own {
			e := &slab[k]
			e.node, e.state = n, endOpen
			n.ends = append(n.ends, e)
			ends[side] = e
		}
	}
	for i, n := range s.nodes {
		if first[i] == first[i+1] {
			continue
		}
		own := sides[first[i]:first[i+1]]
		for _, side := range own { // all first: a root may end, and close them
			s.join(ends[side], ends[side^1], edges[side/2][1-side&1])
		}
		s.outside(n, func(x *exec) {
			for _, side := range own {
				e, outbound := ends[side], side&1 == 0
				if s.network != nil {
					x.opened(e, !outbound)
				}
				x.deliver(local{to: rootRef(n), m: attach(e, outbound)})
			}
		})
	}
}
