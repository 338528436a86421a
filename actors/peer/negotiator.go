package peer

import (
	"slices"
	"time"

	"peernet/actors"
	"peernet/actors/wire"
)

// A Negotiator opens links by WebRTC: it has offers sent into the network,
// answers those of others, chooses among the answers, and gives Gossip the links
// that come of it. It lives on hosts that can negotiate; see the package
// documentation.
type Negotiator struct {
	node     *identity
	attempts []attempt
	last     uint32 // attempt, by serial
	answered meters // by peer; number 0 is all of them
}

// Offers are answered at a bounded rate, as each costs a handshake: twice AnswersMax in
// an Interval, after a burst of eight times AnswersMax; of those that one peer brought,
// half as many.
const answerRate, answerBurst = 2, 8

// pay takes one answer off the rates, and reports whether there is one left.
func (n *Negotiator) pay(ctx actors.Context, by uint16) bool {
	most := actors.Time(n.node.config.AnswersMax)
	cost := actors.Time(n.node.config.Interval) / (answerRate * most)
	burst := answerBurst * most * cost
	return n.answered.pay(ctx.Now(), by, 2*cost, burst) && n.answered.pay(ctx.Now(), 0, cost, burst)
}

// attemptState is how far an attempt is.
type attemptState uint8

const (
	attemptDescribing attemptState = iota // the host prepares our end
	attemptCalling                        // our offer is out, and has no answer yet
	attemptJoining                        // each end has what the other told, or is sent it
)

// An attempt is one link to be, from our offer or from another's.
type attempt struct {
	dial     actors.DialID
	timer    actors.Timer
	serial   uint32
	way      peerWay
	state    attemptState
	calls    uint8    // how often our offer was sent
	by       uint16   // the peer that brought the offer we answer
	other    NodeID   // who is at the other end, zero while unknown
	data     string   // our offer
	requests []string // the IDs of the requests with our offer, or of that with the other's
	ufrag    string   // the other's
}

// ours reports whether the attempt is by our offer.
func (a *attempt) ours() bool { return a.way != wayAnswered }

// walks are the limits of the requests that an offer is sent with, one after the
// other while nobody answers: far first, so that the link is to a random node, then
// close by, as walks in a small network often meet themselves and end.
var walks = [...]uint32{6, 3, 2, 1, 5, 4, 2, 1}

// Receive implements [actors.Actor].
func (n *Negotiator) Receive(ctx actors.Context, m actors.Message) {
	switch m := m.(type) {
	case *seek:
		n.onSeek(ctx, m)
	case *offerIn:
		n.onOffered(ctx, m)
	case *answerIn:
		n.onAnswered(ctx, m)
	case *actors.Described:
		n.onDescribed(ctx, m)
	case *actors.LinkUp:
		n.onLinkUp(ctx, m)
	case *actors.LinkDown:
		if i := n.find(m.ID); i >= 0 {
			n.fail(ctx, i, m.Reason.String())
		}
	case *attemptTick:
		n.onTick(ctx, m)
	}
}

func (n *Negotiator) find(id actors.DialID) int {
	return slices.IndexFunc(n.attempts, func(a attempt) bool { return a.dial == id })
}

// with returns the attempt whose other end is a node, or −1.
func (n *Negotiator) with(id NodeID) int {
	if id == (NodeID{}) {
		return -1 // it did not say
	}
	return slices.IndexFunc(n.attempts, func(a attempt) bool { return a.other == id })
}

// sameMax bounds the attempts to answer one node. One would do, were it sure that who
// says to be a node is.
const sameMax = 2

// joining counts the attempts whose other end says to be a node.
func (n *Negotiator) joining(id NodeID) (count int) {
	for i := range n.attempts {
		if id != (NodeID{}) && n.attempts[i].other == id {
			count++
		}
	}
	return count
}

// add enters an attempt with its deadline.
func (n *Negotiator) add(ctx actors.Context, a attempt) {
	n.last++
	a.serial = n.last
	a.timer = ctx.After(n.node.config.HelloTimeout, &attemptTick{a.serial})
	n.attempts = append(n.attempts, a)
}

// rearm gives an attempt its next deadline.
func (n *Negotiator) rearm(ctx actors.Context, a *attempt, d time.Duration) {
	ctx.Cancel(a.timer)
	a.timer = ctx.After(d, &attemptTick{a.serial})
}

func (n *Negotiator) onSeek(ctx actors.Context, m *seek) {
	n.add(ctx, attempt{dial: ctx.(actors.Negotiation).Offer(), way: m.way})
}

// onOffered answers an offer, if that is one more link that this node can be
// busy with.
func (n *Negotiator) onOffered(ctx actors.Context, m *offerIn) {
	answering, same := 0, 0
	for i := range n.attempts {
		if a := &n.attempts[i]; !a.ours() {
			answering++
			if a.by == m.by {
				same++
			}
			if a.ufrag == m.signal.Ufrag && a.other == m.signal.Node {
				return // the same offer on another way
			}
		}
	}
	if n.joining(m.signal.Node) >= sameMax {
		return // links to the same node are on their way
	}
	most := n.node.config.AnswersMax
	if answering >= most || same >= max(most/2, 1) || !n.pay(ctx, m.by) {
		ctx.Emit(actors.Event{Kind: EventOffersFull, N: int64(answering)})
		return
	}
	n.add(ctx, attempt{
		dial: ctx.(actors.Negotiation).Answer(&m.signal.Signal), way: wayAnswered, by: m.by,
		other: m.signal.Node, ufrag: m.signal.Ufrag, requests: []string{m.request},
	})
}

// onDescribed sends what the host prepared.
func (n *Negotiator) onDescribed(ctx actors.Context, m *actors.Described) {
	i := n.find(m.ID)
	if i < 0 || n.attempts[i].state != attemptDescribing {
		return
	}
	a := &n.attempts[i]
	if len(m.Signal.Candidates) == 0 {
		n.fail(ctx, i, "this host has no address to use")
		return
	}
	signal := wire.Signal{Answer: !a.ours(), Node: n.node.id(), Signal: *m.Signal}
	a.data = signal.Data()
	if a.ours() {
		a.state = attemptCalling
		n.call(ctx, a)
		return
	}
	a.state = attemptJoining
	ctx.Emit(actors.Event{Kind: EventAnswered})
	ctx.Send(n.node.gossip, &cast{request: a.requests[0], data: a.data})
}

// call sends our offer on its next walk.
func (n *Negotiator) call(ctx actors.Context, a *attempt) {
	id := randomID(ctx)
	a.requests = append(a.requests, id)
	ctx.Emit(actors.Event{Kind: EventOffered, N: int64(walks[a.calls])})
	ctx.Send(n.node.gossip, &cast{id: id, data: a.data, limit: walks[a.calls]})
	a.calls++
	n.rearm(ctx, a, n.node.config.HelloTimeout/time.Duration(len(walks)))
}

// onAnswered goes on with an answer, the first that an offer gets, unless another
// link to the same node is on its way. Of two offers that crossed, that of the
// lower id is gone on with.
func (n *Negotiator) onAnswered(ctx actors.Context, m *answerIn) {
	i := slices.IndexFunc(n.attempts, func(a attempt) bool {
		return a.ours() && slices.Contains(a.requests, m.request)
	})
	if i < 0 || n.attempts[i].state != attemptCalling {
		ctx.Emit(actors.Event{Kind: EventAnswerIgnored})
		return
	}
	if k := n.with(m.signal.Node); k >= 0 {
		if n.attempts[k].ours() || !decides(n.node, m.signal.Node) {
			ctx.Emit(actors.Event{Kind: EventAnswerIgnored})
			return
		}
		n.drop(ctx, k)
		i = slices.IndexFunc(n.attempts, func(a attempt) bool { return slices.Contains(a.requests, m.request) })
	}
	a := &n.attempts[i]
	a.state, a.other, a.ufrag = attemptJoining, m.signal.Node, m.signal.Ufrag
	n.rearm(ctx, a, n.node.config.HelloTimeout)
	ctx.(actors.Negotiation).Accept(a.dial, &m.signal.Signal)
}

func (n *Negotiator) onLinkUp(ctx actors.Context, m *actors.LinkUp) {
	i := n.find(m.ID)
	if i < 0 {
		m.Link.Close() // given up meanwhile
		return
	}
	a := n.attempts[i]
	ctx.Cancel(a.timer)
	n.attempts = slices.Delete(n.attempts, i, i+1)
	ctx.Send(n.node.gossip, &found{way: a.way, link: m.Link})
}

func (n *Negotiator) onTick(ctx actors.Context, m *attemptTick) {
	i := slices.IndexFunc(n.attempts, func(a attempt) bool { return a.serial == m.serial })
	if i < 0 {
		return
	}
	switch a := &n.attempts[i]; {
	case a.state == attemptCalling && int(a.calls) < len(walks):
		n.call(ctx, a)
	case a.state == attemptCalling:
		n.fail(ctx, i, "nobody answers")
	default:
		n.fail(ctx, i, "timeout")
	}
}

// fail ends an attempt that came to nothing.
func (n *Negotiator) fail(ctx actors.Context, i int, why string) {
	a := n.attempts[i]
	ctx.Emit(actors.Event{Kind: EventNegotiationFailed, Text: why})
	n.drop(ctx, i)
	if a.ours() {
		ctx.Send(n.node.gossip, &found{way: a.way})
	}
}

// drop forgets an attempt, and has the host give back what it holds.
func (n *Negotiator) drop(ctx actors.Context, i int) {
	ctx.Cancel(n.attempts[i].timer)
	ctx.CancelDial(n.attempts[i].dial)
	n.attempts = slices.Delete(n.attempts, i, i+1)
}
