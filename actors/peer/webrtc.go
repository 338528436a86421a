package peer

import (
	"peernet/actors"
	"peernet/actors/wire"
)

// How Gossip decides which links are opened by WebRTC, and passes signals on.

// startNegotiator spawns the Negotiator where the host can negotiate and the
// configuration wants it.
func (g *Gossip) startNegotiator(ctx actors.Context) {
	n, ok := ctx.(actors.Negotiation)
	if !ok || !n.CanNegotiate() || g.node.config.WebRTC == WebRTCNone {
		return
	}
	g.negotiator = ctx.Spawn("negotiator", &Negotiator{node: g.node})
}

// reserved is how many of the missing outbound links are to be opened by WebRTC: as
// many as make up its share or, where nobody was found there lately, one now and then.
// A node without a peer has at least one to dial.
func (g *Gossip) reserved(ctx actors.Context, missing int) int {
	if g.negotiator.IsZero() {
		return 0
	}
	share := min(missing, max(g.node.config.WebRTC-g.sought(), 0))
	switch {
	case g.PeersInUse() == 0:
		return min(share, missing-1)
	case g.barren < barrenMax:
		return share
	case g.canSeek(ctx):
		return min(share, 1)
	}
	return 0
}

// barrenMax is how often in a row offers may come to nothing until a node no longer
// keeps outbound links free for WebRTC. From then on it makes one offer at a time, more
// and more seldom.
const barrenMax = 2

// sought counts the outbound links by WebRTC, those on their way included.
func (g *Gossip) sought() int {
	n := int(g.seeking)
	for i := range g.peers {
		if g.peers[i].way == waySought {
			n++
		}
	}
	return n
}

// canSeek reports whether an offer would reach anybody, and it is time for one.
func (g *Gossip) canSeek(ctx actors.Context) bool {
	return !g.negotiator.IsZero() && g.closing == nil && ctx.Now() >= g.seekNext && g.PeersInUse() > 0
}

// seek makes n offers for outbound links.
func (g *Gossip) seek(ctx actors.Context, n int) {
	if n <= 0 || g.node.config.WebRTC <= 0 || !g.canSeek(ctx) {
		return
	}
	if g.barren >= barrenMax {
		n = 1 // to see whether there is somebody now
	}
	if n = min(n, g.affordable(ctx)); n <= 0 {
		return // the next Interval tries again
	}
	g.dialled += actors.Time(n) * g.dialCost()
	g.seeking += uint16(n)
	for range n {
		ctx.Send(g.negotiator, &seek{way: waySought})
	}
}

// onDry hears whether a draw gave nothing. Where that is so for more than an Interval,
// there is nobody to dial, and the slots that are free are for WebRTC.
func (g *Gossip) onDry(ctx actors.Context, dry bool) {
	switch {
	case !dry:
		g.drySince = 0
	case g.drySince == 0:
		g.drySince = ctx.Now()
	case ctx.Now() > g.drySince.Add(g.node.config.Interval):
		g.seek(ctx, g.node.config.Connections-g.outbound())
	}
}

// onFound takes a link that the Negotiator opened, or hears that it could not.
func (g *Gossip) onFound(ctx actors.Context, m *found) {
	if m.way == waySought {
		g.seeking--
	}
	switch {
	case m.link == nil:
		// Of those that were made at once, the first counts.
		if ctx.Now() >= g.vain.Add(g.node.config.Interval/2) {
			g.vain = ctx.Now()
			g.fruitless(ctx)
		}
		g.seekNext = max(g.seekNext, ctx.Now().Add(g.node.config.Interval/5)) // it may fail at once
		g.refill(ctx)
	case g.closing != nil || m.way == wayAnswered && g.busy(ctx, m.link):
		m.link.Close()
	default:
		g.attach(ctx, m.link, m.way)
	}
}

// fruitless counts an offer that came to nothing, be it that nobody answered, that
// there was no path, or that the link was of no use.
func (g *Gossip) fruitless(ctx actors.Context) {
	if g.barren++; g.barren >= barrenMax {
		g.barren = min(g.barren, barrenMax+5)
		g.seekNext = ctx.Now().Add(g.node.config.Interval << (g.barren - barrenMax))
	}
}

// onCast sends a signal of this node: an offer to one random peer, an answer to
// where the offer came from.
func (g *Gossip) onCast(ctx actors.Context, m *cast) {
	if m.request != "" {
		body := wire.NewBody(wire.Body{ID: randomID(ctx), Reply: m.request, Type: wire.TypeSignal, Data: m.data})
		g.route(ctx, body, 0, nil)
		return
	}
	i := g.pick(ctx, func(p *peer) bool { return p.state == peerUp })
	if i < 0 || g.closing != nil {
		return
	}
	g.turnSeen(ctx)
	g.seen.add(g.seen.hash(m.id, false), self)
	out := &send{wire.Frame{Body: wire.NewBody(wire.Body{ID: m.id, Type: wire.TypeSignal, Data: m.data, Limit: m.limit})}}
	ctx.Send(g.peers[i].conn, out)
}

// An offer costs a peer as much of its rate as so many messages, after a burst of 64: one
// that makes up many has no more of them walk through the network than four a second, by
// default.
const offerCost, offerBurst = 250, 64

// walkMax bounds the walk of an offer that comes without a limit.
const walkMax = 6

// onOffer passes an offer on to one random peer or, where its walk ends, considers
// it. So an offer is a random walk: it finds a random node, and makes nobody else
// do more than pass it on.
func (g *Gossip) onOffer(ctx actors.Context, f *wire.Frame, from int) {
	cost := offerCost * g.node.messageCost
	if !g.offers.pay(ctx.Now(), g.peers[from].number, cost, offerBurst*cost) {
		ctx.Emit(actors.Event{Kind: EventOffersThrottled, Peer: g.peers[from].conn, Message: f})
		return
	}
	most := uint32(walkMax)
	if f.Body.Limit != 0 {
		most = min(most, f.Body.Limit)
	}
	if f.Hops < most {
		next := g.pick(ctx, func(p *peer) bool { return p.state == peerUp && p != &g.peers[from] })
		if next >= 0 {
			ctx.Send(g.peers[next].conn, &send{wire.Frame{Body: f.Body, Hops: f.Hops + 1, LimitPresent: true}})
			return
		}
	}
	if g.negotiator.IsZero() {
		return
	}
	s, err := wire.ParseSignal(f.Body.Data)
	if err != nil || s.Answer {
		ctx.Emit(actors.Event{Kind: EventSignalInvalid, Peer: g.peers[from].conn, Message: f})
		return
	}
	if s.Node == g.node.id() || g.findID(s.Node, peerUp) >= 0 || g.inboundInUse() >= g.node.config.InboundMax {
		return // we do not want it
	}
	ctx.Send(g.negotiator, &offerIn{request: f.Body.ID, signal: s, by: g.peers[from].number})
}

// onAnswer takes an answer to an offer of this node.
func (g *Gossip) onAnswer(ctx actors.Context, b *wire.Body) {
	s, err := wire.ParseSignal(b.Data)
	switch {
	case err != nil || !s.Answer:
		ctx.Emit(actors.Event{Kind: EventSignalInvalid, Peer: ctx.Sender()})
	case g.negotiator.IsZero() || s.Node == g.node.id() || g.findID(s.Node, peerUp) >= 0:
		ctx.Emit(actors.Event{Kind: EventAnswerIgnored, Peer: ctx.Sender()})
	default:
		ctx.Send(g.negotiator, &answerIn{request: b.Reply, signal: s})
	}
}

// refreshBySeeking makes an offer in place of dialling an address, as often as links
// by WebRTC are among the outbound ones, and reports whether it did.
func (g *Gossip) refreshBySeeking(ctx actors.Context) bool {
	if g.node.config.WebRTC <= 0 || !g.canSeek(ctx) || ctx.Rand().IntN(g.node.config.Connections) >= g.node.config.WebRTC {
		return false
	}
	ctx.Send(g.negotiator, &seek{way: waySoughtRefresh})
	return true
}

// forVersion2 is a frame as a version 2 peer takes it: a compact signal becomes
// JSON.
func forVersion2(f *wire.Frame) *wire.Frame {
	if f.Body.Type != wire.TypeSignal {
		return f
	}
	s, err := wire.ParseSignal(f.Body.Data)
	if err != nil {
		return f
	}
	data := s.JSON()
	if data == "" {
		return f
	}
	return wire.NewFrame(wire.Frame{Hops: f.Hops, Response: f.Response, LimitPresent: f.LimitPresent}, wire.Body{
		ID: f.Body.ID, Reply: f.Body.Reply, Type: f.Body.Type, Data: data, Limit: f.Body.Limit, Has: f.Body.Has,
	})
}
