package sim

import (
	"encoding/binary"
	"fmt"
	"time"

	"peernet/actors"
)

// Reach says how a node can be reached: what its NAT or firewall lets through.
// The kinds are those of RFC 3489, by what RFC 4787 says of their mapping and
// filtering. Each node is behind one of its own, and knows its address outside
// from a STUN server; there are no relays.
//
// Links that are dialled reach public nodes alone: elsewhere a dial is not
// answered. Links that are negotiated (actors.Negotiation) come to be where
// [Reach.Meets] says so.
type Reach uint8

// The kinds of [Reach].
const (
	// ReachPublic: no NAT; everything comes in.
	ReachPublic Reach = iota
	// ReachFullCone: one outside address for all destinations, and whatever is
	// sent there comes in.
	ReachFullCone
	// ReachRestricted: one outside address for all destinations; what comes from
	// hosts that were sent to comes in.
	ReachRestricted
	// ReachPortRestricted: likewise, where what comes from a port of a host comes
	// in if it was sent to.
	ReachPortRestricted
	// ReachSymmetric: another outside address for each destination; what comes from
	// there comes in.
	ReachSymmetric
	// ReachBlocked: no UDP, and nothing comes in.
	ReachBlocked

	reaches = iota
)

var reachNames = [reaches]string{"public", "full_cone", "restricted", "port_restricted", "symmetric", "blocked"}

// String names the kind, as in scenario files.
func (r Reach) String() string {
	if int(r) < len(reachNames) {
		return reachNames[r]
	}
	return "unknown"
}

// oneAddress reports whether all destinations see a node at one address, that
// which it tells others.
func (r Reach) oneAddress() bool { return r < ReachSymmetric }

// Meets reports whether two nodes that know each other's outside addresses, and
// send to them, come to a path.
func (r Reach) Meets(other Reach) bool {
	return r != ReachBlocked && other != ReachBlocked && (r.gets(other) || other.gets(r))
}

// gets reports whether what r sends to the address that the other tells comes in
// there, while the other sends to the address that r tells. If it does, the answer
// to it comes back.
func (r Reach) gets(other Reach) bool {
	switch other {
	case ReachSymmetric:
		return false // what it sends to r leaves from another address than it tells
	case ReachPortRestricted:
		return r.oneAddress() // else it did not send to where this comes from
	}
	return true
}

// attemptLife is when a negotiation that nobody gives up ends.
const attemptLife = time.Minute

// SetReach says how a node can be reached from now on; links that are open stay.
// At first all are public.
func (s *Simulation) SetReach(id NodeID, r Reach) { s.nodes[id].reach = r }

// talk is what the end of a link to be negotiated needs until it is open.
type talk struct {
	describe, life actors.Timer
	ufrag          string // of the offer that this end answers
	accepted       bool
}

// CanNegotiate implements [actors.Negotiation].
func (x *exec) CanNegotiate() bool { return x.sim.config.Negotiation }

// Offer implements [actors.Negotiation].
func (x *exec) Offer() actors.DialID { return x.negotiate("") }

// Answer implements [actors.Negotiation].
func (x *exec) Answer(offer *actors.Signal) actors.DialID { return x.negotiate(offer.Ufrag) }

// negotiate prepares one end, the answering one if ufrag is that of an offer. It
// takes a round trip to a STUN server to learn the address outside.
func (x *exec) negotiate(ufrag string) actors.DialID {
	n := x.node
	n.dials++
	id := actors.DialID(n.dials)
	e := n.newEndpoint(endDialling)
	e.owner, e.to = x.self, NodeID(id)
	if !x.CanNegotiate() {
		x.dialFails(e, actors.ReasonUnsupported, 0)
		return id
	}
	e.base = x.sim.linkDelay(n, n.id)
	t := &talk{ufrag: ufrag}
	e.needRare().talk = t
	gathered := x.now
	kind := actors.CandidateHost
	if n.reach != ReachPublic {
		gathered += 2 * e.base
		kind = actors.CandidateSrflx
	}
	s := &actors.Signal{
		Ufrag: fmt.Sprintf("%d/%d/%d", n.id, n.inc, id), Pwd: "simulated+simulated+simulated", Mid: "0",
		Candidates: []actors.Candidate{{Type: kind, Host: x.sim.addresses[n.id].Host(), Port: addressPort, Priority: 1}},
	}
	binary.BigEndian.PutUint32(s.Fingerprint[:], uint32(n.id)+1)
	if ufrag != "" {
		s.Setup = actors.SetupActive
	}
	t.describe = x.arm(x.self, gathered, &actors.Described{ID: id, Signal: s})
	t.life = x.arm(x.self, x.now.Add(attemptLife), &lifeOver{id})
	return id
}

// lifeOver ends an attempt that nobody gave up. The host handles it.
type lifeOver struct{ id actors.DialID }

var lifeOverKind = actors.RegisterMessage("sim.life_over", nil)

// Kind implements [actors.Message].
func (*lifeOver) Kind() actors.Kind { return lifeOverKind }

// Append implements [actors.Message].
func (m *lifeOver) Append(b []byte) []byte { return binary.AppendUvarint(b, uint64(m.id)) }

// join asks the answering end to open the link. It travels from the other.
type join struct {
	dial  actors.DialID // of the answer
	ufrag string        // of the offer
}

var joinKind = actors.RegisterMessage("sim.join", nil)

// Kind implements [actors.Message].
func (*join) Kind() actors.Kind { return joinKind }

// Append implements [actors.Message].
func (m *join) Append(b []byte) []byte {
	return actors.AppendString(binary.AppendUvarint(b, uint64(m.dial)), m.ufrag)
}

// talking returns the end of an actor's attempt, or nil.
func (n *node) talking(owner actors.Ref, id actors.DialID) (*endpoint, *talk) {
	for _, e := range n.ends {
		if r := n.rare[e]; e.state == endDialling && r != nil && r.talk != nil && e.dialID() == id && (owner.IsZero() || e.owner == owner) {
			return e, r.talk
		}
	}
	return nil, nil
}

// Accept implements [actors.Negotiation].
func (x *exec) Accept(offer actors.DialID, answer *actors.Signal) {
	n := x.node
	e, t := n.talking(x.self, offer)
	if e == nil || t.ufrag != "" || t.accepted {
		return
	}
	t.accepted = true
	var target NodeID
	var inc uint32
	m := &join{ufrag: fmt.Sprintf("%d/%d/%d", n.id, n.inc, offer)}
	// What is no end of this simulation is nowhere: the attempt ends some time.
	if _, err := fmt.Sscanf(answer.Ufrag, "%d/%d/%d", &target, &inc, &m.dial); err != nil || int(target) >= len(x.sim.nodes) || x.sim.cut(n.id, target) {
		return
	}
	d, arrives := x.pass(target, 0)
	if !arrives {
		return
	}
	e.base = x.sim.rebase(e.base, n, x.sim.nodes[target])
	e.last = x.now + e.base + d
	x.push(e.last, opJoin, target, e, m)
}

// joined opens the answering end, if it still waits for just that, and there is a
// path. Otherwise the two ends go on trying, until they are given up.
func (x *exec) joined(from *endpoint, m *join) {
	n, other := x.node, from.node
	e, t := n.talking(actors.Ref{}, m.dial)
	if e == nil || t.ufrag != m.ufrag || x.sim.cut(n.id, other.id) || !n.reach.Meets(other.reach) {
		return
	}
	owner, id := e.owner, e.dialID()
	x.endTalk(e)
	d, ok := x.pass(other.id, 0)
	if !ok {
		return
	}
	e.base = x.sim.rebase(e.base, n, other)
	at := x.now + e.base + d
	e.peer, e.to, e.last, e.state, e.owner = from, other.id, at, endOpen, actors.Ref{}
	x.push(at, opAccept, other.id, from, e)
	x.opened(e, true)
	x.deliver(local{to: owner, m: x.linkUp(id, e)})
}

// endTalk takes back the timers of an attempt, if the end is of one.
func (x *exec) endTalk(e *endpoint) {
	if r := e.node.rare[e]; r != nil && r.talk != nil {
		x.disarm(e.owner.Slot, r.talk.describe)
		x.disarm(e.owner.Slot, r.talk.life)
		delete(e.node.rare, e)
	}
}
