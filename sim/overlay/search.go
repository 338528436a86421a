package overlay

// A search visits nodes breadth first. What one run has seen, the next does
// not visit again unless seen is cleared between.
type search struct {
	graph *Graph
	seen  nodeSet
	queue []uint32
}

func newSearch(g *Graph) *search {
	return &search{graph: g, seen: newNodeSet(g.Nodes()), queue: make([]uint32, 0, g.Nodes())}
}

// A reach is what a search from one source found.
type reach struct {
	nodes int // the source included
	hops  int // sum of their distances from the source
	depth int // the largest distance
}

// run visits what can be reached from source.
func (s *search) run(source uint32) reach {
	s.seen.add(source)
	s.queue = append(s.queue[:0], source)
	var found reach
	for begin, distance := 0, 0; begin < len(s.queue); distance++ {
		// The queue from begin on is all that is at this distance, so that no
		// distances need to be stored.
		level := s.queue[begin:]
		found.hops += distance * len(level)
		found.depth = distance
		begin = len(s.queue)
		for _, v := range level {
			if len(s.queue) == s.graph.Nodes() {
				break // the last level, often most of the graph, finds nothing
			}
			for _, w := range s.graph.Neighbours(v) {
				if !s.seen.has(w) {
					s.seen.add(w)
					s.queue = append(s.queue, w)
				}
			}
		}
	}
	found.nodes = len(s.queue)
	return found
}
