package sim

import (
	"peernet/actors"
)

// pendingMax bounds what waits in a link end that nobody bound yet.
const pendingMax = 1024

type endState uint8

const (
	endDialling endState = iota
	endOpen
	endDown // the other end is gone; what came before waits for Bind
	endClosed
)

// An endpoint is one end of a link. It belongs to its node, and fills a cache
// line.
type endpoint struct {
	node   *node
	peer   *endpoint // at the other node: its fields but node are not read
	next   *endpoint // in the node's list
	owner  actors.Ref
	base   actors.Time // the delay drawn for this direction
	last   actors.Time // when the last message sent arrives
	rare   *endRare    // what few ends need
	to     NodeID      // the other node, so that sending needs no look at it
	state  endState
	broken bool // a message of this direction was lost
	shut   bool // closed at this end
}

// endRare is what few link ends need, so that the many stay small.
type endRare struct {
	dial      actors.DialID    // of a link that is not up yet
	pending   []actors.Message // arrived before Bind
	decoder   actors.Decoder   // of encoded links, and those that got Bytes
	malformed bool             // the decoder failed
}

func (e *endpoint) needRare() *endRare {
	if e.rare == nil {
		e.rare = &endRare{}
	}
	return e.rare
}

func (n *node) newEndpoint(s endState) *endpoint {
	e := &endpoint{node: n, state: s, next: n.ends}
	n.ends = e
	return e
}

// unlink takes a closed end out of its node's list.
func (e *endpoint) unlink() {
	for p := &e.node.ends; *p != nil; p = &(*p).next {
		if *p == e {
			*p = e.next
			e.next = nil
			return
		}
	}
}

// Bind implements [actors.Link].
func (e *endpoint) Bind(owner actors.Ref) {
	if !e.owner.IsZero() || e.state == endClosed {
		return
	}
	s := e.node.actor(owner)
	if s == nil {
		e.Close()
		return
	}
	e.owner, s.end = owner, e
	x := e.node.exec
	if e.rare != nil {
		for _, m := range e.rare.pending {
			x.enqueue(local{to: owner, m: &held{m, e}, link: m != linkClosed && m != linkReset, held: true})
		}
		e.rare.pending = nil
	}
	if e.state == endDown {
		e.state = endClosed
		e.unlink()
	}
}

// held is a message that waited for Bind, on its way to the owner: which gets
// it unless it closes the link before.
type held struct {
	actors.Message
	end *endpoint
}

// Remote implements [actors.Link].
func (e *endpoint) Remote() actors.Address { return e.peer.node.address }

// Send implements [actors.Link].
func (e *endpoint) Send(m actors.Message) error {
	if e.state != endOpen {
		return actors.ErrLinkClosed
	}
	x := e.node.exec
	if _, raw := m.(Bytes); x.sim.config.Encoded && !raw {
		m = &encoded{kind: m.Kind(), bytes: m.Append(nil)}
	}
	x.sent++
	x.bytes += uint64(actors.SizeOf(m))
	e.transmit(opMessage, m)
	return nil
}

// transmit sends an event to the other end, in order.
func (e *endpoint) transmit(o op, m actors.Message) {
	x := e.node.exec
	if e.broken || x.sim.groups != nil && x.sim.cut(e.node.id, e.to) {
		e.broken = true
		x.lost++
		return
	}
	at := max(x.now+e.base+x.sim.messageDelay(e.node), e.last)
	e.last = at
	x.push(event{at: at, m: m, end: e.peer, dst: e.to, op: o})
}

// Close implements [actors.Link].
func (e *endpoint) Close() {
	e.shut = true
	switch e.state {
	case endOpen:
		e.transmit(opClose, nil)
	case endClosed:
		return
	}
	e.state, e.rare = endClosed, nil
	e.unlink()
}

// down ends a link from the other side: its owner gets the reason last.
func (x *exec) down(e *endpoint, m *actors.LinkDown) {
	if e.state != endOpen {
		return
	}
	if e.owner.IsZero() {
		e.state = endDown
		rare := e.needRare()
		rare.pending = append(rare.pending, m)
		return
	}
	e.state = endClosed
	e.unlink()
	x.enqueue(local{to: e.owner, m: m})
}

// arrive hands a message to the owner of a link, or keeps it until there is
// one.
func (x *exec) arrive(e *endpoint, m actors.Message) {
	if e.state != endOpen {
		return
	}
	switch enc := m.(type) {
	case *encoded:
		m = e.decode(x.sim, enc)
	case Bytes:
		x.arriveBytes(e, enc)
		return
	}
	if !e.owner.IsZero() {
		x.deliver(local{to: e.owner, m: m, link: true})
		return
	}
	if rare := e.needRare(); len(rare.pending) < pendingMax {
		rare.pending = append(rare.pending, m)
	} else {
		e.Close()
	}
}

// Dial implements [actors.Context].
func (x *exec) Dial(to actors.Address) actors.DialID {
	n := x.node
	n.dials++
	id := actors.DialID(n.dials)
	e := n.newEndpoint(endDialling)
	e.owner, e.rare = x.self, fromSlab(&x.rares, endRare{dial: id})
	e.base = x.sim.linkDelay(n)
	target, ok := nodeOf(to)
	switch {
	case !ok:
		x.dialFails(e, actors.ReasonUnsupported, 0)
	case int(target) >= len(x.sim.nodes):
		x.dialFails(e, actors.ReasonRefused, 2*e.base)
	case x.sim.cut(n.id, target):
		x.dialFails(e, actors.ReasonTimeout, actors.Time(x.sim.config.DialTimeout))
	default:
		e.last = x.now + e.base + x.sim.messageDelay(n)
		x.push(event{at: e.last, end: e, dst: target, op: opDial})
	}
	return id
}

// dialFails answers a dial later, without anybody at the other end.
func (x *exec) dialFails(e *endpoint, r actors.Reason, after actors.Time) {
	e.state = endClosed
	e.unlink()
	x.arm(e.owner, x.now+after, &actors.LinkDown{ID: e.rare.dial, Reason: r})
}

// CancelDial implements [actors.Context].
func (x *exec) CancelDial(id actors.DialID) {
	for e := x.node.ends; e != nil; e = e.next {
		if e.state == endDialling && e.rare.dial == id && e.owner == x.self {
			e.state = endClosed
			e.unlink()
			x.enqueue(local{to: x.self, m: &actors.LinkDown{ID: id, Reason: actors.ReasonCanceled}})
			return
		}
	}
}

// dialled answers a dial that arrived at its node. from is the dialler's end.
func (x *exec) dialled(from *endpoint) {
	n := x.node
	base := x.sim.linkDelay(n)
	at := x.now + base + x.sim.messageDelay(n)
	answer := event{at: at, end: from, dst: from.node.id, op: opRefuse}
	if x.sim.cut(n.id, from.node.id) {
		answer.op = opTimeout
		answer.at = x.now + max(actors.Time(x.sim.config.DialTimeout), base)
	}
	if !n.live {
		x.push(answer)
		return
	}
	e := n.newEndpoint(endOpen)
	e.peer, e.to, e.base, e.last = from, from.node.id, base, at
	if answer.op == opRefuse {
		answer.op, answer.m = opAccept, e
	} else {
		e.broken = true
	}
	x.push(answer)
	x.deliver(local{to: rootRef(n), m: x.linkIn(e)})
}

// rootRef is the root actor of a node: slot 0, whose generation counts the
// incarnations.
func rootRef(n *node) actors.Ref { return actors.Ref{Slot: 0, Gen: n.slots[0].gen} }

// An accepting end travels to the dialler as the message of opAccept.
var endpointKind = actors.RegisterMessage("sim.endpoint", nil)

// Kind implements [actors.Message].
func (*endpoint) Kind() actors.Kind { return endpointKind }

// Append implements [actors.Message].
func (*endpoint) Append(b []byte) []byte { return b }

// slabLen is how many short-lived values are allocated at a time.
const slabLen = 64

// fromSlab returns a new value, allocated together with others.
func fromSlab[T any](slab *[]T, v T) *T {
	if len(*slab) == 0 {
		*slab = make([]T, slabLen)
	}
	p := &(*slab)[0]
	*p = v
	*slab = (*slab)[1:]
	return p
}

func (x *exec) linkIn(e *endpoint) *actors.LinkIn {
	return fromSlab(&x.linkIns, actors.LinkIn{Link: e})
}

func (x *exec) linkUp(id actors.DialID, e *endpoint) *actors.LinkUp {
	return fromSlab(&x.linkUps, actors.LinkUp{ID: id, Link: e})
}

// answered handles the answer to a dial at the dialler.
func (x *exec) answered(e *endpoint, ev *event) {
	if ev.op == opAccept {
		e.peer = ev.m.(*endpoint)
		e.to = e.peer.node.id
	}
	switch {
	case e.state != endDialling:
		// Given up meanwhile: close the link that nobody wants.
		if ev.op == opAccept {
			e.transmit(opClose, nil)
		}
	case ev.op == opAccept:
		owner, id := e.owner, e.rare.dial
		e.state, e.owner, e.rare = endOpen, actors.Ref{}, nil
		x.deliver(local{to: owner, m: x.linkUp(id, e)})
	default:
		down := &actors.LinkDown{ID: e.rare.dial, Reason: actors.ReasonRefused}
		if ev.op == opTimeout {
			down.Reason = actors.ReasonTimeout
		}
		e.state = endClosed
		e.unlink()
		x.deliver(local{to: e.owner, m: down})
	}
}
