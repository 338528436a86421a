package sim

import (
	"fmt"
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

// endsTogether is how many link ends are allocated at a time: more than 512 bytes with
// pointers in them would begin behind a header, and each end would lie in two cache lines.
const endsTogether = 8

// Connect makes links between running nodes, each from the first of an edge to the second,
// and has the roots of both receive what attach makes of their ends. It goes node by node,
// by their ids, and at each node by the order of the edges: so all that a node has lies
// together in memory, and large networks are faster than with links made one by one. The
// traces are the same if latencies are drawn by message alone. It takes a look at each node
// of the simulation. If a root ends, its links are closed, and it is sent no more of them.
func (s *Simulation) Connect(edges [][2]NodeID, attach func(l actors.Link, outbound bool) actors.Message) {
	first := make([]int, len(s.nodes)+1) // of each node in sides
	for _, e := range edges {
		for _, id := range e {
			if !s.nodes[id].live {
				panic(fmt.Sprintf("sim: node %d is not running", id))
			}
			first[id+1]++
		}
	}
	for i := range s.nodes {
		first[i+1] += first[i]
	}
	sides := make([]uint32, 2*len(edges)) // by node: 2·edge, and 1 more for its second
	next := slices.Clone(first)
	for i, e := range edges {
		for k, id := range e {
			sides[next[id]] = uint32(2*i + k)
			next[id]++
		}
	}
	ends := make([]*endpoint, 2*len(edges)) // by side
	for i, n := range s.nodes {
		own := sides[first[i]:first[i+1]]
		n.ends = slices.Grow(n.ends, len(own))
		var slab []endpoint
		for k, side := range own {
			if len(slab) == 0 {
				slab = make([]endpoint, min(endsTogether, len(own)-k))
			}
			e := &slab[0]
			slab = slab[1:]
			e.node, e.state = n, endOpen
			n.ends = append(n.ends, e)
			ends[side] = e
		}
	}
	for i, n := range s.nodes {
		own := sides[first[i]:first[i+1]]
		if len(own) == 0 {
			continue
		}
		for _, side := range own { // all first: a root may end, and close them
			other := side ^ 1
			s.join(ends[side], ends[other], edges[side/2][other%2])
		}
		s.outside(n, func(x *exec) {
			for _, side := range own {
				if !n.live {
					return
				}
				e, outbound := ends[side], side%2 == 0
				if s.network != nil {
					x.opened(e, !outbound)
				}
				x.deliver(local{to: rootRef(n), m: attach(e, outbound)})
			}
		})
	}
}
