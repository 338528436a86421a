package sim

import (
	"reflect"
	"unsafe"

	"peernet/actors"
)

// Touching memory.
//
// With many nodes nearly every access to a node's state misses the caches, and
// an access that depends on another waits for it: link end, slot, actor. So
// before a worker runs the nodes of a group it reads, stage by stage, a byte of
// each line that they are about to need. The reads of a stage do not depend on
// each other, so the processor has them under way together. At 100,000 nodes
// this more than doubles the speed of the flood benchmark.
//
// Touching only reads, and changes no result.

// groupLen is how many nodes are touched together: enough to have all of the
// processor's outstanding misses busy, few enough to stay in its first cache.
const groupLen = 16

// How many lines of an actor are touched: the fields that each message needs
// come first, in one line, or two for the actor that the links talk to.
const (
	linesOfActor = 1
	linesOfHot   = 2
)

const lineLen = 64

// touch reads the byte that p points to.
func touch(p unsafe.Pointer) uint64 {
	if p == nil {
		return 0
	}
	return uint64(*(*byte)(p))
}

// dataOf returns the pointer in a message's interface value.
func dataOf(m actors.Message) unsafe.Pointer {
	return (*[2]unsafe.Pointer)(unsafe.Pointer(&m))[1]
}

// touchActor reads a byte of each of the first lines of the slot's actor.
func (s *slot) touchActor(lines uint8) (sum uint64) {
	p := (*[2]unsafe.Pointer)(unsafe.Pointer(&s.actor))[1]
	if p == nil {
		return 0
	}
	for i := range uintptr(min(lines, s.lines)) {
		sum += uint64(*(*byte)(unsafe.Add(p, i*lineLen)))
	}
	return sum
}

// linesOf is how many lines of an actor can be touched: 0 for one that is no
// pointer.
func linesOf(a actors.Actor) uint8 {
	t := reflect.TypeOf(a)
	if t.Kind() != reflect.Pointer || reflect.ValueOf(a).IsNil() {
		return 0
	}
	return uint8(min((t.Elem().Size()+lineLen-1)/lineLen, linesOfHot))
}

// touchGroup touches what the nodes at places ks of a region will need for
// their events.
func (x *exec) touchGroup(nodes []*node, ks []int32, events []event, nexts []int32) {
	var sum uint64
	for _, k := range ks {
		n := nodes[k]
		sum += n.hash + uint64(n.wake)
		for i := x.heads[k]; i >= 0; i = nexts[i] {
			if e := events[i].end; e != nil {
				sum += uint64(e.owner.Slot)
			}
			sum += touch(dataOf(events[i].m))
		}
	}
	for _, k := range ks {
		n := nodes[k]
		if int(n.hot) < len(n.slots) {
			sum += uint64(n.slots[0].gen) + uint64(n.slots[n.hot].gen)
		}
		for i := x.heads[k]; i >= 0; i = nexts[i] {
			if e := events[i].end; e != nil && int(e.owner.Slot) < len(n.slots) {
				sum += uint64(n.slots[e.owner.Slot].gen)
			}
		}
	}
	for _, k := range ks {
		n := nodes[k]
		if int(n.hot) < len(n.slots) {
			sum += n.slots[0].touchActor(linesOfActor) + n.slots[n.hot].touchActor(linesOfHot)
		}
		for i := x.heads[k]; i >= 0; i = nexts[i] {
			if e := events[i].end; e != nil && int(e.owner.Slot) < len(n.slots) {
				sum += n.slots[e.owner.Slot].touchActor(linesOfActor)
			}
		}
	}
	x.sink += sum
}

// touchQueue touches the receivers of the next waiting local messages and their
// links.
func (x *exec) touchQueue(from int) {
	var sum uint64
	n := x.node
	for _, l := range x.queue[from:min(from+16, len(x.queue))] {
		if to := l.to.Slot; int(to) < len(n.slots) {
			s := &n.slots[to]
			sum += s.touchActor(linesOfActor)
			if s.end != nil {
				sum += uint64(s.end.to)
			}
		}
	}
	x.sink += sum
}
