package sim

import (
	"unsafe"

	"peernet/actors"
)

// Prefetching.
//
// With many nodes nearly every access to a node's state misses the caches, and
// one that depends on another waits for it: link end, actor, what the actor
// looks up. So a worker asks for the cache lines that a node is about to need
// while it still runs the nodes before it, in stages: each stage reads only what
// the one before has asked for. That is why what a message needs comes first in
// a node, in a link end, and in the actors of package peer: there are some ten
// lines to ask for. When this was written, the flood benchmark at 100,000 nodes
// ran at less than half the speed without.
//
// Prefetching changes no result.

const (
	prefetchStages = 4
	// ahead is how many nodes lie between two stages: enough to hide the
	// latency of memory behind the work on them, few enough for what they need
	// to stay in the first cache.
	ahead = 4
)

// prefetch starts the first stage for the i-th of the nodes that have something
// to do, and the others for those before it.
func (r *region) prefetch(i int) {
	if next := i + ahead; next < len(r.places) { // what tells where the node is
		prefetch(unsafe.Pointer(&r.nodes[r.places[next]]))
	}
	if i < len(r.places) {
		r.prefetchEnds(r.places[i])
	}
	if i -= ahead; i >= 0 && i < len(r.places) {
		r.prefetchOwners(r.places[i])
	}
	if i -= ahead; i >= 0 && i < len(r.places) {
		r.prefetchHot(r.places[i])
	}
	if i -= ahead; i >= 0 && i < len(r.places) {
		r.prefetchForeseen(r.places[i])
	}
}

// prefetchEnds asks for the node, and for what its events point to.
func (r *region) prefetchEnds(k int32) {
	n := r.nodes[k]
	prefetch(unsafe.Pointer(n))
	prefetch(unsafe.Pointer(&n.net))
	prefetch(unsafe.Pointer(&n.oneSlot))
	for i := r.heads[k]; i >= 0; i = r.nexts[i] {
		ev := &r.events[i]
		prefetch(dataOf(ev.m))
		if ev.op == opDatagram {
			prefetch(unsafe.Pointer(&r.peers[ev.src]))
		} else {
			prefetch(unsafe.Pointer(ev.end))
		}
	}
}

// prefetchOwners asks for the actors that the events are for.
func (r *region) prefetchOwners(k int32) {
	n := r.nodes[k]
	if s := n.hotSlot(); s != nil {
		prefetch(unsafe.Pointer(s))
	}
	if n.due < r.end {
		prefetch(unsafe.Pointer(&n.timers))
	}
	for i := r.heads[k]; i >= 0; i = r.nexts[i] {
		switch ev := &r.events[i]; {
		case ev.op == opDatagram:
			prefetch(*(*unsafe.Pointer)(unsafe.Pointer(&r.peers[ev.src]))) // for who answers
		case ev.end != nil && ev.op != opDial && ev.op != opJoin: // that end is another node's
			prefetch(dataOf(ev.end.actor))
		}
	}
}

// prefetchHot asks for the actor that these will send to, and for its random stream.
func (r *region) prefetchHot(k int32) {
	n := r.nodes[k]
	if s := n.hotSlot(); s != nil {
		prefetch(dataOf(s.actor))
		prefetch(unsafe.Pointer(&n.streams[n.hot]))
	}
	if n.due < r.end {
		prefetch(unsafe.Pointer(&n.timers[0]))
	}
}

// prefetchForeseen asks for what that actor will look up.
func (r *region) prefetchForeseen(k int32) {
	s := r.nodes[k].hotSlot()
	if s == nil {
		return
	}
	a, ok := s.actor.(actors.Foreseer)
	if !ok {
		return
	}
	for i := r.heads[k]; i >= 0; i = r.nexts[i] {
		if m := r.events[i].m; m != nil {
			prefetch(unsafe.Pointer(a.Foresee(m)))
		}
	}
}

// hotSlot is the slot of the actor that is likely to be sent to because of an
// event: the one that was because of the last.
func (n *node) hotSlot() *slot {
	if int(n.hot) >= len(n.slots) {
		return nil
	}
	return &n.slots[n.hot]
}

// prefetchQueue asks for the receivers of the next waiting local messages and
// their links.
func (x *exec) prefetchQueue(from int) {
	slots, ends := x.node.slots, x.node.ends
	next := x.queue[from:min(from+16, len(x.queue))]
	for i := range next {
		if to := next[i].to.Slot; int(to) < len(slots) {
			prefetch(unsafe.Pointer(&slots[to]))
		}
	}
	for i := range next {
		if to := next[i].to.Slot; int(to) < len(slots) {
			prefetch(dataOf(slots[to].actor))
			if at := slots[to].end; at < uint32(len(ends)) {
				prefetch(unsafe.Pointer(ends[at]))
			}
		}
	}
}

// dataOf returns the pointer in an interface value.
func dataOf[T any](v T) unsafe.Pointer {
	return (*[2]unsafe.Pointer)(unsafe.Pointer(&v))[1]
}
