package sim

import (
	"math/bits"

	"peernet/actors"
)

// A region is what a worker runs at a time: a range of nodes, with the events
// of the window that are for them. Its slices are reused.
type region struct {
	nodes  []*node
	peers  []actors.Address // of all nodes of the simulation
	end    actors.Time      // timers before it are due
	events []event
	busy   []uint64 // a bit for each place: the node there has something to do
	places []int32  // the places whose bit is set, in order
	heads  []int32  // by place: an event of the node, or −1
	nexts  []int32  // by event: another one of the same node, or −1
}

// fill takes the nodes of a region, which starts at base, their events, and
// those whose timers are due.
func (r *region) fill(nodes []*node, base NodeID, events []event, woken []NodeID) {
	r.nodes, r.events, r.places = nodes, events, r.places[:0]
	r.busy, r.heads = resized(r.busy, (len(nodes)+63)/64), resized(r.heads, len(nodes))
	r.nexts = resized(r.nexts, len(events))
	for i := range events {
		k := events[i].dst - base
		r.mark(k)
		r.nexts[i] = r.heads[k]
		r.heads[k] = int32(i)
	}
	for _, id := range woken {
		r.mark(id - base)
	}
	for w, word := range r.busy {
		for ; word != 0; word &= word - 1 {
			r.places = append(r.places, int32(w*64+bits.TrailingZeros64(word)))
		}
		r.busy[w] = 0
	}
}

// mark notes that the node at place k has something to do.
func (r *region) mark(k NodeID) {
	if bit := uint64(1) << (k % 64); r.busy[k/64]&bit == 0 {
		r.busy[k/64] |= bit
		r.heads[k] = -1
	}
}

// runRegion runs the nodes of region number i that have something to do in the
// window, one after the other.
func (x *exec) runRegion(f *fast, i int) {
	r, base := &x.region, NodeID(i)<<f.shift
	r.peers, r.end = x.sim.addresses, f.end
	nodes := x.sim.nodes[base:]
	r.fill(nodes[:min(1<<f.shift, len(nodes))], base, f.sorted[f.starts[i]:f.starts[i+1]], f.woken[f.wstarts[i]:f.wstarts[i+1]])
	for i := range len(r.places) + prefetchStages*ahead {
		r.prefetch(i)
		if i -= prefetchStages * ahead; i >= 0 {
			x.runPlace(f, r.places[i])
		}
	}
	clear(r.events)
}

// runPlace runs the node at place k of the region.
func (x *exec) runPlace(f *fast, k int32) {
	r := &x.region
	n := r.nodes[k]
	x.batch = x.batch[:0]
	for i := r.heads[k]; i >= 0; i = r.nexts[i] {
		x.batch = append(x.batch, &r.events[i])
	}
	x.runNode(n, f.end)
	if n.wake < f.full {
		// The wake-ups of the window were all taken out of the bucket.
		n.wake = never
	}
	x.settle(n)
}
