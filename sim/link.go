package sim

import (
	"slices"

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
// line: what a message needs is here, or in its owner.
type endpoint struct {
	node   *node
	peer   *endpoint    // at the other node: its fields but node are not read
	actor  actors.Actor // the owner, nil before Bind
	owner  actors.Ref   // likewise; of a link that is not up yet, who dialled
	base   actors.Time  // the delay drawn for this direction
	last   actors.Time  // when the last message sent arrives
	to     NodeID       // the other node; of a link that is not up yet, the DialID
	state  endState
	broken bool // a message of this direction was lost
	shut   bool // closed at this end
}

// endRare is what few link ends need, so that the many stay small.
type endRare struct {
	pending   []actors.Message // arrived before Bind
	decoder   actors.Decoder   // of encoded links, and those that got Bytes
	talk      *talk            // of an end that is being negotiated
	malformed bool             // the decoder failed
}

func (e *endpoint) needRare() *endRare {
	n := e.node
	r := n.rare[e]
	if r == nil {
		r = &endRare{}
		if n.rare == nil {
			n.rare = map[*endpoint]*endRare{}
		}
		n.rare[e] = r
	}
	return r
}

func (n *node) newEndpoint(s endState) *endpoint {
	e := &endpoint{node: n, state: s}
	n.ends = append(roomFor(n.ends, nil, 8), e)
	return e
}

// placeOf is where an end is among those of its node, for slot.end.
func (n *node) placeOf(e *endpoint) uint32 {
	if len(n.ends) <= 64 { // of more, nothing is known
		return uint32(slices.Index(n.ends, e))
	}
	return noEnd
}

// close makes an end a closed one, that its node does not know any more.
func (e *endpoint) close() {
	n := e.node
	e.state = endClosed
	delete(n.rare, e)
	if i := slices.Index(n.ends, e); i >= 0 {
		n.ends = slices.Delete(n.ends, i, i+1)
	}
}

// Bind implements [actors.Link].
func (e *endpoint) Bind(owner actors.Ref) {
	if e.actor != nil || e.state == endClosed {
		return
	}
	s := e.node.actor(owner)
	if s == nil {
		e.Close()
		return
	}
	e.owner, e.actor, s.end = owner, s.actor, e.node.placeOf(e)
	x := e.node.exec
	if r := e.node.rare[e]; r != nil {
		for _, m := range r.pending {
			x.enqueue(local{to: owner, m: &held{m, e}, link: m != linkClosed && m != linkReset, held: true})
		}
		r.pending = nil
	}
	if e.state == endDown {
		e.close()
	}
}

// held is a message that waited for Bind, on its way to the owner: which gets
// it unless it closes the link before.
type held struct {
	actors.Message
	end *endpoint
}

// Remote implements [actors.Link].
func (e *endpoint) Remote() actors.Address { return e.node.exec.sim.addresses[e.to] }

// Send implements [actors.Link].
func (e *endpoint) Send(m actors.Message) error {
	if e.state != endOpen {
		return actors.ErrLinkClosed
	}
	x := e.node.exec
	if x.sim.profiled && e.node.profile != nil && e.node.profile.full(x) {
		return actors.ErrLinkFull
	}
	if _, raw := m.(Bytes); x.sim.config.Encoded && !raw {
		m = &encoded{kind: m.Kind(), bytes: m.Append(nil)}
	}
	size := actors.SizeOf(m)
	x.sent++
	x.bytes += uint64(size)
	if t := x.sim.traffic; t != nil {
		t[e.node.id].add(size)
	}
	e.transmit(opMessage, m, size)
	return nil
}

// transmit sends an event of size bytes to the other end, in order.
func (e *endpoint) transmit(o op, m actors.Message, size int) {
	x := e.node.exec
	if e.broken || x.sim.groups != nil && x.sim.cut(e.node.id, e.to) {
		e.broken = true
		x.lost++
		return
	}
	d, ok := x.pass(e.to, size)
	if !ok {
		x.breakLink(e, d)
		return
	}
	at := max(x.now+e.base+d, e.last)
	e.last = at
	x.push(at, o, e.to, e.peer, m)
}

// Close implements [actors.Link].
func (e *endpoint) Close() {
	e.shut = true
	switch e.state {
	case endOpen:
		e.transmit(opClose, nil, 0)
	case endClosed:
		return
	}
	e.close()
}

// down ends a link from the other side: its owner gets the reason last.
func (x *exec) down(e *endpoint, m *actors.LinkDown) {
	if e.state != endOpen {
		return
	}
	if e.actor == nil {
		e.state = endDown
		rare := e.needRare()
		rare.pending = append(rare.pending, m)
		return
	}
	e.close()
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
	if e.actor != nil {
		// The links of an actor end with it: it is there.
		x.deliveries++
		if x.sim.config.Tracer != nil {
			x.via = e
		}
		x.handle(e.actor, e.owner, actors.Ref{}, m)
		x.drain()
		return
	}
	if rare := e.needRare(); len(rare.pending) < pendingMax {
		rare.pending = append(rare.pending, m)
		return
	}
	e.transmit(opClose, nil, 0)
	x.down(e, linkReset)
}

// Dial implements [actors.Context].
func (x *exec) Dial(to actors.Address) actors.DialID {
	n := x.node
	n.dials++
	id := actors.DialID(n.dials)
	e := n.newEndpoint(endDialling)
	e.owner, e.to = x.self, NodeID(id)
	target, ok := NodeOf(to)
	other := n
	if ok && int(target) < len(x.sim.nodes) {
		other = x.sim.nodes[target]
	}
	e.base = x.sim.linkDelay(n, other.id)
	switch {
	case !ok:
		x.dialFails(e, actors.ReasonUnsupported, 0)
	case other == n && target != n.id:
		x.dialFails(e, actors.ReasonRefused, 2*e.base)
	case x.sim.cut(n.id, target):
		x.dialFails(e, actors.ReasonTimeout, actors.Time(x.sim.config.DialTimeout))
	default:
		x.call(e, target)
	}
	return id
}

// call has a dial travel to its target.
func (x *exec) call(e *endpoint, target NodeID) {
	d, ok := x.pass(target, 0)
	if !ok {
		x.dialFails(e, actors.ReasonTimeout, actors.Time(x.sim.config.DialTimeout))
		return
	}
	e.last = x.now + e.base + d
	x.push(e.last, opDial, target, e, nil)
	if w := x.sim.network; w != nil && x.chance(w.DialTwice) {
		// The answer finds an end that is closed.
		twin := &endpoint{node: e.node, state: endClosed, base: e.base}
		x.push(e.last+actors.Time(w.Retransmit), opDial, target, twin, nil)
	}
}

// dialFails answers a dial later, without anybody at the other end.
func (x *exec) dialFails(e *endpoint, r actors.Reason, after actors.Time) {
	e.close()
	x.arm(e.owner, x.now+after, &actors.LinkDown{ID: e.dialID(), Reason: r})
}

// dialID is that of a link that is not up yet.
func (e *endpoint) dialID() actors.DialID { return actors.DialID(e.to) }

// CancelDial implements [actors.Context].
func (x *exec) CancelDial(id actors.DialID) {
	x.giveUp(x.self, id, actors.ReasonCanceled)
}

// giveUp ends a dial of an actor that is not answered yet.
func (x *exec) giveUp(owner actors.Ref, id actors.DialID, why actors.Reason) {
	for _, e := range x.node.ends {
		if e.state == endDialling && e.dialID() == id && e.owner == owner {
			x.endTalk(e)
			e.close()
			x.enqueue(local{to: owner, m: &actors.LinkDown{ID: id, Reason: why}})
			return
		}
	}
}

// dialled answers a dial that arrived at its node. from is the dialler's end.
func (x *exec) dialled(from *endpoint) {
	n, dialler := x.node, from.node.id
	base := x.sim.linkDelay(n, dialler)
	d, ok := x.pass(dialler, 0)
	at := x.now + base + d
	cut := x.sim.cut(n.id, dialler) || !ok
	timeout := x.now + max(actors.Time(x.sim.config.DialTimeout), base, x.sim.lookahead)
	switch {
	case !n.live && cut, n.reach != ReachPublic:
		x.push(timeout, opTimeout, dialler, from, nil)
		return
	case !n.live:
		x.push(at, opRefuse, dialler, from, nil)
		return
	}
	e := n.newEndpoint(endOpen)
	e.peer, e.to, e.base, e.last = from, dialler, base, at
	if e.broken = cut; cut {
		x.push(timeout, opTimeout, dialler, from, nil)
	} else {
		x.push(at, opAccept, dialler, from, e)
	}
	x.opened(e, true)
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
	owner, id := e.owner, e.dialID()
	if ev.op == opAccept {
		e.peer = ev.m.(*endpoint)
		e.to = ev.src
	}
	switch {
	case e.state != endDialling:
		// Given up meanwhile: close the link that nobody wants.
		if ev.op == opAccept {
			e.transmit(opClose, nil, 0)
		}
	case ev.op == opAccept:
		x.endTalk(e)
		e.state, e.owner = endOpen, actors.Ref{}
		x.opened(e, false)
		x.deliver(local{to: owner, m: x.linkUp(id, e)})
	default:
		down := &actors.LinkDown{ID: id, Reason: actors.ReasonRefused}
		if ev.op == opTimeout {
			down.Reason = actors.ReasonTimeout
		}
		e.close()
		x.deliver(local{to: owner, m: down})
	}
}
