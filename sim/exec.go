package sim

import (
	"math/rand/v2"
	"slices"
	"time"

	"peernet/actors"
)

// op says what an event is.
type op uint8

const (
	opMessage    op = iota // a message arrives over a link
	opClose                // the other end closed the link
	opReset                // the other end crashed, with a reset
	opDial                 // a dial arrives
	opJoin                 // what opens a negotiated link arrives
	opAccept               // the answers to a dial
	opRefuse               //
	opTimeout              //
	opDatagram             // a message arrives without a link
	opCrash                // the world ends the node
	opCrashReset           //
	opStart                // the world starts the node
	opWorld                // the world sends a message to the root
)

// An event travels between nodes. Events at a node are ordered by (at, src,
// seq).
type event struct {
	at  actors.Time
	m   actors.Message
	end *endpoint // the receiving end; for opDial and opJoin the dialling one
	dst NodeID
	src NodeID
	seq uint32
	op  op
	// planned orders what the world plans for one time.
	planned uint16
}

func (e *event) before(f *event) bool {
	if e.at != f.at {
		return e.at < f.at
	}
	if e.src != f.src {
		return e.src < f.src
	}
	if e.seq != f.seq {
		return e.seq < f.seq
	}
	if e.op != f.op {
		return e.op < f.op
	}
	return e.planned < f.planned
}

// local is a message between the actors of one node, or from the host to one.
type local struct {
	to, from actors.Ref
	m        actors.Message
	stop     bool // ends the actor instead of delivering m
	link     bool // m came over a link
	held     bool // m is a *held
}

// instantMax bounds the messages that one event may cause at its instant.
const instantMax = 1 << 22

// An exec runs nodes, one at a time: it is the Context of their actors. Each
// worker has one.
type exec struct {
	sim     *Simulation
	shard   int
	node    *node
	now     actors.Time
	self    actors.Ref
	sender  actors.Ref
	rand    *rand.Rand
	queue   []local
	fired   int // timers in a row at this instant
	scratch []byte
	cal     calendar // what this worker's nodes sent

	// What this worker counted.
	deliveries, events, sent, bytes, lost, dropped, retransmitted uint64
	counts                                                        []uint64 // by actors.EventKind

	// Scratch.
	region  region
	batch   []*event
	via     *endpoint       // what the message at hand came over, for the Tracer
	linkIns []actors.LinkIn // slabs
	linkUps []actors.LinkUp

	datagrams []actors.Datagram // likewise
}

// source is a random source: the stream of the actor that an exec runs.
type source struct{ exec *exec }

// Uint64 implements [rand.Source].
func (s source) Uint64() uint64 { return s.exec.node.streams[s.exec.self.Slot].Uint64() }

func newExec(s *Simulation, shard int) *exec {
	x := &exec{sim: s, shard: shard, counts: make([]uint64, actors.EventKinds())}
	x.rand = rand.New(source{x})
	return x
}

// enter points the exec at a node.
func (x *exec) enter(n *node) {
	x.node = n
	x.fired = 0
	n.exec = x
}

// deliver gives a message to an actor and runs the node until nothing is left
// to do at this instant.
func (x *exec) deliver(l local) {
	x.receive(&l)
	x.drain()
}

func (x *exec) drain() {
	for i := 0; i < len(x.queue); i++ {
		if i&15 == 1 && len(x.queue)-i > 1 {
			x.prefetchQueue(i)
		}
		if i == instantMax {
			panic("sim: actors of a node send to each other without end")
		}
		if i == 0 {
			x.node.hot = x.queue[0].to.Slot
		}
		x.receive(&x.queue[i])
	}
	clear(x.queue)
	x.queue = x.queue[:0]
}

func (x *exec) enqueue(l local) { x.queue = append(x.queue, l) }

// receive handles one message. It reads l field by field: copying what was
// just written would wait for all writes before it.
func (x *exec) receive(l *local) {
	s := x.node.actor(l.to)
	if s == nil {
		x.dropped++
		return
	}
	if l.stop {
		x.end(l.to)
		return
	}
	m := l.m
	if l.held {
		h := m.(*held)
		if h.end.shut {
			return
		}
		m = h.Message
	}
	if l.link {
		x.deliveries++
	}
	x.handle(s.actor, l.to, l.from, m)
}

// handle has an actor receive a message.
func (x *exec) handle(a actors.Actor, to, from actors.Ref, m actors.Message) {
	x.hand(a, to, from, m, x.content(m))
}

// content is the hash of what a message says.
func (x *exec) content(m actors.Message) uint64 {
	if sum, ok := m.(actors.Summer); ok {
		return sum.Sum()
	}
	x.scratch = m.Append(x.scratch[:0])
	return actors.Sum(x.scratch)
}

// datagram delivers a message that came without a link. Its sender is in the trace by its
// number: the text of the address, which says the same, would have to be fetched from
// somewhere in memory.
func (x *exec) datagram(ev *event) {
	to := rootRef(x.node)
	root := x.node.actor(to)
	if root == nil {
		x.dropped++
		return
	}
	x.deliveries++
	payload := ev.m
	if enc, ok := payload.(*encoded); ok {
		payload = enc.decode()
	}
	m := fromSlab(&x.datagrams, actors.Datagram{From: x.sim.addresses[ev.src], Payload: payload})
	content := actors.Mix(uint64(ev.src)<<32|payload.Kind().Sum()>>32, x.content(payload))
	x.hand(root.actor, to, actors.Ref{}, m, content)
	x.drain()
}

// hand has an actor receive a message whose content has been hashed.
func (x *exec) hand(a actors.Actor, to, from actors.Ref, m actors.Message, content uint64) {
	n := x.node
	x.events++
	h := actors.Mix(n.hash^uint64(x.now), m.Kind().Sum()+uint64(to.Slot))
	n.hash = actors.Mix(h, content)
	x.self, x.sender = to, from
	if t := x.sim.config.Tracer; t != nil {
		t.Trace(x.shard, Trace{Node: n.id, At: x.now, To: to, From: from, Message: m, Link: x.via != nil, Peer: x.peer()})
		x.via = nil
	}
	a.Receive(x, m)
}

// peer is the node that the message at hand came from, if that was over a link.
func (x *exec) peer() NodeID {
	if x.via == nil {
		return 0
	}
	return x.via.to
}

// end takes an actor out of its slot.
func (x *exec) end(who actors.Ref) {
	n := x.node
	s := n.actor(who)
	s.actor, s.end = nil, noEnd
	n.free++
	x.dropTimers(who.Slot)
	for i := 0; i < len(n.ends); {
		if e := n.ends[i]; e.owner == who {
			e.Close()
			continue
		}
		i++
	}
	for i := 0; n.watches != nil && i < len(*n.watches); {
		w := (*n.watches)[i]
		if w.who == who {
			x.enqueue(local{to: w.watcher, m: &actors.Terminated{Who: who}})
		}
		if w.who == who || w.watcher == who {
			*n.watches = slices.Delete(*n.watches, i, i+1)
			continue
		}
		i++
	}
	if who.Slot == 0 {
		x.endNode(true)
	}
}

// endNode ends all actors of the node. With closing, links are closed;
// without, they fall silent.
func (x *exec) endNode(closing bool) {
	n := x.node
	n.live = false
	if t := x.sim.traffic; t != nil {
		t[n.id].up += x.now - t[n.id].since
	}
	clear(x.queue)
	x.queue = x.queue[:0]
	for len(n.ends) > 0 {
		if e := n.ends[0]; closing {
			e.Close()
		} else {
			e.close()
		}
	}
	n.ends, n.watches, n.names = nil, nil, nil
	n.timers, n.oneTimer, n.due = nil, [1]timer{}, never
	if x.sim.ref != nil {
		x.sim.ref.drop(n.id, func(*timer) bool { return true })
	}
	n.free = 0
	for i := range n.slots {
		n.slots[i].actor, n.slots[i].end = nil, noEnd
		n.free++
	}
	x.sim.alive.Add(-1)
}

// crash ends the node without a word.
func (x *exec) crash(reset bool) {
	for _, e := range x.node.ends {
		switch {
		case !reset:
			e.broken = true // not even a dial's end tells the peer
		case e.state == endOpen:
			e.transmit(opReset, nil, 0)
		}
	}
	x.endNode(false)
}

// run handles one event that arrived at the node.
func (x *exec) run(ev *event) {
	x.now = ev.at
	if x.sim.profiled && x.queued(ev) {
		return
	}
	x.take(ev)
}

// take handles an event whose turn it is.
func (x *exec) take(ev *event) {
	switch ev.op {
	case opMessage:
		x.arrive(ev.end, ev.m)
	case opDial:
		x.dialled(ev.end)
	case opJoin:
		x.joined(ev.end, ev.m.(*join))
	case opClose:
		x.down(ev.end, linkClosed)
		x.drain()
	case opReset:
		x.down(ev.end, linkReset)
		x.drain()
	case opStart:
		if x.node.live {
			return
		}
		if root := ev.m.(*planting).grow(x.node.id); root != nil {
			x.start(root)
		}
	case opCrash, opCrashReset:
		if x.node.live {
			x.crash(ev.op == opCrashReset)
		}
	case opWorld:
		if x.node.live {
			x.deliver(local{to: rootRef(x.node), m: ev.m})
		}
	case opDatagram:
		if x.node.live {
			x.datagram(ev)
		}
	default:
		x.answered(ev.end, ev)
	}
}

var (
	linkClosed = &actors.LinkDown{Reason: actors.ReasonClosed}
	linkReset  = &actors.LinkDown{Reason: actors.ReasonReset}
)

// start begins an incarnation of the node.
func (x *exec) start(root actors.Actor) {
	n := x.node
	n.inc++
	n.live = true
	if n.profile != nil {
		n.profile.up, n.profile.down = 0, 0
	}
	if t := x.sim.traffic; t != nil {
		t[n.id].since = x.now
	}
	x.sim.alive.Add(1)
	n.hash = actors.Mix(n.hash, uint64(n.id)<<32|uint64(n.inc))
	n.net = stream(x.sim.config.Seed, n.id, n.inc, networkStream, 0)
	x.self, x.sender = actors.Ref{}, actors.Ref{}
	x.Spawn("root", root)
	x.drain()
}

// networkStream names the stream of a node's network.
const networkStream = 0x6e6574

// planting is a node start that the world planned.
type planting struct{ grow func(NodeID) actors.Actor }

var plantingKind = actors.RegisterMessage("sim.planting", nil)

// Kind implements [actors.Message].
func (*planting) Kind() actors.Kind { return plantingKind }

// Append implements [actors.Message].
func (*planting) Append(b []byte) []byte { return b }

// fire handles the node's earliest timer.
func (x *exec) fire() {
	t := x.node.popTimer()
	if t.at == x.now {
		if x.fired++; x.fired == instantMax {
			panic("sim: timers of no delay without end")
		}
	} else {
		x.fired = 0
	}
	x.now = t.at
	x.expire(t.slot, t.m)
}

// push sends an event to another node.
func (x *exec) push(at actors.Time, o op, dst NodeID, end *endpoint, m actors.Message) {
	n := x.node
	n.seq++
	if x.sim.ref != nil {
		x.sim.ref.push(event{at: at, m: m, end: end, dst: dst, src: n.id, seq: n.seq, op: o})
		return
	}
	// Written in its place: copying what was just written would wait for all
	// writes before it.
	ev := x.cal.place(at)
	ev.at, ev.m, ev.end, ev.dst, ev.src, ev.seq, ev.op = at, m, end, dst, n.id, n.seq, o
}

// arm delivers m to an actor of the node at a time.
func (x *exec) arm(who actors.Ref, at actors.Time, m actors.Message) actors.Timer {
	n := x.node
	n.armed++
	t := timer{at: at, m: m, seq: n.armed, slot: who.Slot}
	if x.sim.ref != nil {
		x.sim.ref.arm(n.id, t)
	} else {
		n.pushTimer(t)
	}
	return actors.Timer(t.seq)
}

func (x *exec) dropTimers(slot uint32) {
	if x.sim.ref != nil {
		x.sim.ref.drop(x.node.id, func(t *timer) bool { return t.slot == slot })
		return
	}
	x.node.dropTimers(slot)
}

// Self implements [actors.Context].
func (x *exec) Self() actors.Ref { return x.self }

// Sender implements [actors.Context].
func (x *exec) Sender() actors.Ref { return x.sender }

// Now implements [actors.Context].
func (x *exec) Now() actors.Time {
	if x.sim.clocks {
		return x.reading()
	}
	return x.now
}

// Rand implements [actors.Context].
func (x *exec) Rand() *rand.Rand { return x.rand }

// Send implements [actors.Context].
func (x *exec) Send(to actors.Ref, m actors.Message) {
	if !to.IsZero() {
		x.queue = append(x.queue, local{to: to, from: x.self, m: m})
	}
}

// After implements [actors.Context].
func (x *exec) After(d time.Duration, m actors.Message) actors.Timer {
	return x.arm(x.self, x.due(max(d, 0)), m)
}

// expire delivers what a timer of a slot was armed with.
func (x *exec) expire(slot uint32, m actors.Message) {
	if slot == hostSlot {
		switch m := m.(type) {
		case *lapse:
			x.happen(m)
		case *arrival:
			x.take(&m.event)
		}
		return
	}
	to := actors.Ref{Slot: slot, Gen: x.node.slots[slot].gen}
	if over, ok := m.(*lifeOver); ok {
		x.giveUp(to, over.id, actors.ReasonTimeout)
		x.drain()
		return
	}
	x.deliver(local{to: to, m: m})
}

// Cancel implements [actors.Context].
func (x *exec) Cancel(t actors.Timer) { x.disarm(x.self.Slot, t) }

// disarm takes back a timer of a slot.
func (x *exec) disarm(slot uint32, t actors.Timer) {
	if t == 0 {
		return
	}
	mine := func(u *timer) bool { return u.seq == uint32(t) && u.slot == slot }
	if x.sim.ref != nil {
		x.sim.ref.drop(x.node.id, mine)
		return
	}
	for i := range x.node.timers {
		if mine(&x.node.timers[i]) {
			x.node.removeTimer(i)
			return
		}
	}
}

// Spawn implements [actors.Context].
func (x *exec) Spawn(name string, a actors.Actor) actors.Ref {
	n := x.node
	i := n.vacantSlot()
	s := &n.slots[i]
	s.actor = a
	s.gen++
	sum := actors.Sum(append(x.scratch[:0], name...))
	n.streams[i] = stream(x.sim.config.Seed, n.id, n.inc, sum, n.ordinal(sum))
	ref := actors.Ref{Slot: uint32(i), Gen: s.gen}
	x.enqueue(local{to: ref, from: x.self, m: started})
	return ref
}

var started = &actors.Started{}

// Stop implements [actors.Context].
func (x *exec) Stop(who actors.Ref) {
	x.enqueue(local{to: who, from: x.self, stop: true})
}

// Watch implements [actors.Context].
func (x *exec) Watch(who actors.Ref) {
	if x.node.actor(who) == nil {
		x.enqueue(local{to: x.self, m: &actors.Terminated{Who: who}})
		return
	}
	n := x.node
	if n.watches == nil {
		n.watches = new([]watch)
	}
	*n.watches = append(*n.watches, watch{who, x.self})
}

// Emit implements [actors.Context].
func (x *exec) Emit(e actors.Event) {
	s := x.sim
	if s.config.Count {
		x.counts[e.Kind]++
	}
	if s.config.Observer != nil {
		s.config.Observer.Observe(x.shard, x.node.id, x.now, e)
	}
}

// SendTo implements [actors.Datagrams].
func (x *exec) SendTo(to actors.Address, m actors.Message) {
	target, ok := NodeOf(to)
	s := x.sim
	if s.config.Encoded {
		m = &encoded{kind: m.Kind(), bytes: m.Append(nil)}
	}
	size := actors.SizeOf(m)
	x.sent++
	x.bytes += uint64(size)
	if !ok || int(target) >= len(s.nodes) || s.cut(x.node.id, target) || x.node.profile.full(x) {
		x.lost++
		return
	}
	base := s.linkDelay(x.node, target)
	d, loss := x.route(target, size)
	if x.chance(loss) {
		x.lost++
		return
	}
	x.push(x.now+base+d, opDatagram, target, nil, m)
}

var (
	_ actors.Datagrams   = (*exec)(nil)
	_ actors.Negotiation = (*exec)(nil)
)
