package sim

import (
	"container/heap"

	"peernet/actors"
)

// reference is the obvious executor: one queue of everything that will happen,
// in one order. It exists to be right, so that the fast one can be held
// against it.
type reference struct {
	sim    *Simulation
	queue  globalQueue
	timers map[NodeID][]*planned // by node, to find those to take back
}

// A planned item is an event, or a timer of the node dst.
type planned struct {
	event
	timer   bool
	slot    uint32
	dropped bool
}

type globalQueue []*planned

func (q globalQueue) Len() int { return len(q) }

func (q globalQueue) Less(i, j int) bool {
	a, b := q[i], q[j]
	switch {
	case a.at != b.at:
		return a.at < b.at
	case a.timer != b.timer:
		return b.timer
	case a.dst != b.dst:
		return a.dst < b.dst
	case a.src != b.src:
		return a.src < b.src
	}
	if a.seq != b.seq {
		return a.seq < b.seq
	}
	if a.op != b.op {
		return a.op < b.op
	}
	return a.planned < b.planned
}

func (q globalQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push implements [heap.Interface].
func (q *globalQueue) Push(v any) { *q = append(*q, v.(*planned)) }

// Pop implements [heap.Interface].
func (q *globalQueue) Pop() any {
	last := len(*q) - 1
	v := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return v
}

func (f *reference) push(ev event) { heap.Push(&f.queue, &planned{event: ev}) }

func (f *reference) arm(id NodeID, t timer) {
	p := &planned{event: event{at: t.at, m: t.m, dst: id, src: id, seq: t.seq}, timer: true, slot: t.slot}
	f.timers[id] = append(f.timers[id], p)
	heap.Push(&f.queue, p)
}

// drop takes back the timers of a node that match.
func (f *reference) drop(id NodeID, match func(*timer) bool) {
	kept := f.timers[id][:0]
	for _, p := range f.timers[id] {
		if match(&timer{at: p.at, m: p.m, seq: p.seq, slot: p.slot}) {
			p.dropped = true
		} else {
			kept = append(kept, p)
		}
	}
	f.timers[id] = kept
}

func (f *reference) runUntil(end actors.Time) {
	x := f.sim.execs[0]
	for len(f.queue) > 0 && f.queue[0].at < end && !f.sim.stopped() {
		p := heap.Pop(&f.queue).(*planned)
		n := f.sim.nodes[p.dst]
		x.enter(n)
		switch {
		case p.dropped:
		case p.timer:
			f.drop(p.dst, func(t *timer) bool { return t.seq == p.seq })
			x.now = p.at
			x.expire(p.slot, p.m)
		default:
			x.run(&p.event)
		}
	}
	f.sim.now = end
}
