package sim

import (
	"math/rand/v2"
	"net/netip"

	"peernet/actors"
)

// A NodeID is the index of a node in a simulation, from 0 up.
type NodeID uint32

// addressPort is the port of every simulated node.
const addressPort = 4000

// NodesMax is how many nodes a simulation can have: the addresses of 10.0.0.0/8.
const NodesMax = 1 << 24

// AddressOf returns the address of a node: ws://10.x.y.z:4000.
func AddressOf(id NodeID) actors.Address {
	ip := netip.AddrFrom4([4]byte{10, byte(id >> 16), byte(id >> 8), byte(id)})
	return actors.MustAddress("ws://" + netip.AddrPortFrom(ip, addressPort).String())
}

// NodeOf reverses AddressOf, without a table: the node may not exist.
func NodeOf(a actors.Address) (NodeID, bool) {
	ip, port, ok := a.IPv4()
	return NodeID(ip[1])<<16 | NodeID(ip[2])<<8 | NodeID(ip[3]), ok && ip[0] == 10 && port == addressPort
}

// A node is the simulator's side of one node. Its actors' state is behind
// slots; everything is touched by one worker at a time. What every delivery
// needs is in the first cache line, what every send needs in the second. The first
// actor, its stream and the first timer are in the third and fourth: a node of a
// simple protocol has all it needs in one place.
type node struct {
	slots []slot
	hash  uint64      // the chain over delivered events
	due   actors.Time // of the earliest timer, or never
	wake  actors.Time // the earliest wake-up in a calendar, or never
	exec  *exec       // who runs the node now
	id    NodeID
	hot   uint32 // the slot of who last got a message because of an event

	net     rand.PCG // the node's network stream
	streams []rand.PCG
	seq     uint32 // of events sent
	inc     uint32 // incarnation, from 1
	free    uint32 // slots that are free
	live    bool
	reach   Reach
	region  uint8    // of the Network
	profile *profile // nil for the zero Profile

	oneSlot   [1]slot     // the room of slots at first
	oneStream [1]rand.PCG // of streams
	armed     uint32      // timers armed
	dials     uint32
	planned   uint16 // events that the world planned

	timers   []timer  // a binary heap, earliest first
	oneTimer [1]timer // the room of timers at first
	rare     map[*endpoint]*endRare

	ends    []*endpoint // that are not closed
	names   []spawned
	watches *[]watch // nil is none: few have any
	_       [16]byte // makes five cache lines
}

// never is later than any time.
const never = actors.Time(1<<63 - 1)

// A slot holds an actor. Its generation outlives it.
type slot struct {
	actor actors.Actor
	gen   uint32
	// end is where a link that the actor owns was among node.ends when it was bound, or
	// noEnd: ends before it may have gone. It is only to prefetch it.
	end uint32
}

const noEnd = ^uint32(0)

// spawned counts the actors of one name.
type spawned struct {
	name  uint64
	count uint32
}

type watch struct{ who, watcher actors.Ref }

// A timer waits in its node's heap.
type timer struct {
	at  actors.Time
	m   actors.Message
	seq uint32
	// slot owns the timer. A slot's timers go when its actor stops, so the
	// generation is known.
	slot uint32
}

func (t *timer) before(u *timer) bool {
	return t.at < u.at || t.at == u.at && t.seq < u.seq
}

// pushTimer enters t into the heap.
func (n *node) pushTimer(t timer) {
	n.timers = append(roomFor(n.timers, n.oneTimer[:], 12), t)
	n.siftUp(len(n.timers) - 1)
	n.due = n.timers[0].at
}

// popTimer removes and returns the earliest timer.
func (n *node) popTimer() timer {
	t := n.timers[0]
	n.removeTimer(0)
	return t
}

func (n *node) removeTimer(i int) {
	last := len(n.timers) - 1
	n.timers[i] = n.timers[last]
	n.timers[last] = timer{}
	n.timers = n.timers[:last]
	if i < last {
		n.siftDown(i)
		n.siftUp(i)
	}
	n.due = never
	if last > 0 {
		n.due = n.timers[0].at
	}
}

func (n *node) siftUp(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !n.timers[i].before(&n.timers[parent]) {
			return
		}
		n.timers[i], n.timers[parent] = n.timers[parent], n.timers[i]
		i = parent
	}
}

func (n *node) siftDown(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(n.timers); child++ {
			if n.timers[child].before(&n.timers[least]) {
				least = child
			}
		}
		if least == i {
			return
		}
		n.timers[i], n.timers[least] = n.timers[least], n.timers[i]
		i = least
	}
}

// dropTimers removes the timers of a slot.
func (n *node) dropTimers(slot uint32) {
	for i := 0; i < len(n.timers); {
		if n.timers[i].slot == slot {
			n.removeTimer(i)
			i = 0
			continue
		}
		i++
	}
}

// actor returns the slot that r names, or nil.
func (n *node) actor(r actors.Ref) *slot {
	if int(r.Slot) >= len(n.slots) {
		return nil
	}
	s := &n.slots[r.Slot]
	if s.gen != r.Gen || s.actor == nil {
		return nil
	}
	return s
}

// vacantSlot returns the index of a slot for a new actor.
func (n *node) vacantSlot() int {
	if n.free > 0 {
		for i := range n.slots {
			if n.slots[i].actor == nil {
				n.free--
				return i
			}
		}
	}
	n.slots = append(roomFor(n.slots, n.oneSlot[:], 12), slot{end: noEnd})
	n.streams = append(roomFor(n.streams, n.oneStream[:], 12), rand.PCG{})
	return len(n.slots) - 1
}

// roomFor returns s with room for one more. The nodes of a simple protocol have one actor
// and one timer, for which there is room in the node. Others have a dozen, so that the
// next makes room for several; and as there are many nodes, s grows by an eighth then, not
// by doubling.
func roomFor[T any](s, one []T, several int) []T {
	switch n := len(s); {
	case n < cap(s):
		return s
	case n < len(one):
		return one[:n]
	default:
		s = append(make([]T, 0, max(several, n+n/8+1)), s...)
		clear(one)
		return s
	}
}

// ordinal counts the actors spawned under a name.
func (n *node) ordinal(name uint64) uint32 {
	for i := range n.names {
		if n.names[i].name == name {
			n.names[i].count++
			return n.names[i].count
		}
	}
	if n.names == nil {
		n.names = make([]spawned, 0, 4)
	}
	n.names = append(n.names, spawned{name, 0})
	return 0
}

// stream derives a random stream.
func stream(seed uint64, id NodeID, inc uint32, name uint64, ordinal uint32) rand.PCG {
	hi := actors.Mix(actors.Mix(seed, uint64(id)<<32|uint64(inc)), actors.Mix(name, uint64(ordinal)))
	return *rand.NewPCG(hi, actors.Mix(hi, seed))
}
