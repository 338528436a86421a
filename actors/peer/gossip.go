package peer

import (
	"slices"
	"time"

	"peernet/actors"
	"peernet/actors/book"
	"peernet/actors/wire"
)

// peerState is the state of a peer in Gossip's list.
type peerState uint8

const (
	peerNew  peerState = iota // dialling, or in the handshake
	peerHeld                  // ready, but an older link to the same peer is in question
	peerUp                    // in use
)

// peerWay says which end opened a link, and why.
type peerWay uint8

const (
	wayIn      peerWay = iota
	wayOut             // opened by this node
	wayRefresh         // likewise, to replace another outbound link once it lasted
	wayFeeler          // likewise, to find out whether somebody answers

	// By WebRTC.
	wayAnswered      // this node answered an offer
	waySought        // this node made the offer
	waySoughtRefresh // likewise, to replace another outbound link once it lasted
)

// inbound reports whether the other end opened the link.
func (w peerWay) inbound() bool { return w == wayIn || w == wayAnswered }

// negotiated reports whether the link is by WebRTC.
func (w peerWay) negotiated() bool { return w >= wayAnswered }

// A peer is what Gossip knows of one Conn.
type peer struct {
	conn    actors.Ref
	address actors.Address // dialled, or known from a refused duplicate; may be zero
	ready   *ready         // what the handshake told; nil before
	routes  uint32         // entries in the young generation of the seen cache
	number  uint16         // names the peer in the seen cache
	state   peerState
	way     peerWay
}

// A Gossip schedules what a node does: which links it keeps, and who is sent
// which announce.
type Gossip struct {
	node      *identity
	seen      seenCache // its first fields end the cache line that node is in
	peers     []peer
	numbered  uint16 // the last peer number given out
	drawing   bool   // a draw for refilling is at the Store
	closing   *Close // the operation that ends the node, if any
	closed    bool   // the root was told that the links are closed
	listeners listeners
	calls     []connectCall
	spent     []spent     // by sources whose links have ended
	dialled   actors.Time // until when the dials of refills use up their rate

	negotiator actors.Ref  // of links by WebRTC, if the host can
	offers     meters      // of offers that peers brought
	seekNext   actors.Time // no offer before
	seeking    uint16      // outbound links that offers are out for
	barren     uint8       // how often in a row offers came to nothing
	vain       actors.Time // when they last did
	drySince   actors.Time // since when draws give nothing, 0 if they do
}

// A connectCall is a Connect that waits for its Conn.
type connectCall struct {
	conn actors.Ref
	call Call
}

// Receive implements [actors.Actor].
func (g *Gossip) Receive(ctx actors.Context, m actors.Message) {
	switch m := m.(type) {
	case *wire.Frame:
		if m.Response {
			g.onResponse(ctx, m)
		} else {
			g.onRequest(ctx, m)
		}
	case *tick:
		g.onTick(ctx, *m)
	case *ready:
		g.onReady(ctx, m)
	case *gone:
		g.onGone(ctx, m)
	case *alive:
		g.onAlive(ctx)
	case *drawn:
		g.onDrawn(ctx, m)
	case *fresh:
		g.drySince = 0
		g.refill(ctx)
	case *suspect:
		g.onSuspect(ctx, m)
	case *found:
		g.onFound(ctx, m)
	case *cast:
		g.onCast(ctx, m)
	case *actors.LinkIn:
		g.onLinkIn(ctx, m)
	case *actors.Started:
		g.onStarted(ctx)
	case *note:
		if g.listeners.want(TopicDebug) {
			g.listeners.tell(ctx, TopicDebug, &Debug{m.event})
		}
	case *actors.Terminated:
		g.listeners.drop(m.Who)
	default:
		g.onOperation(ctx, m)
	}
}

func (g *Gossip) onStarted(ctx actors.Context) {
	g.seen.key = [2]uint64{ctx.Rand().Uint64(), ctx.Rand().Uint64()}
	g.seen.turned = ctx.Now()
	if g.node.config.Static {
		return
	}
	ctx.After(jitter(ctx, g.node.config.Interval), ticks[tickInterval])
	ctx.After(jitter(ctx, 2*g.node.config.Refresh), ticks[tickRefresh])
	g.startNegotiator(ctx)
	g.refill(ctx)
}

// jitter draws a duration from 1 ns to d.
func jitter(ctx actors.Context, d time.Duration) time.Duration {
	return 1 + time.Duration(ctx.Rand().Int64N(int64(d)))
}

func (g *Gossip) onTick(ctx actors.Context, t tick) {
	switch t {
	case tickInterval:
		ctx.After(g.node.config.Interval, ticks[tickInterval])
		g.turnSeen(ctx)
		g.refill(ctx)
		if i := g.pick(ctx, func(p *peer) bool { return p.state == peerUp }); i >= 0 {
			ctx.Send(g.peers[i].conn, &exchange{})
		}
	case tickRefresh:
		// Half to one and a half of Refresh: its mean, with jitter.
		ctx.After(g.node.config.Refresh/2+jitter(ctx, g.node.config.Refresh), ticks[tickRefresh])
		if g.outbound() >= g.node.config.Connections && g.closing == nil && !g.refreshBySeeking(ctx) {
			ctx.Send(g.node.store, &draw{n: 1, refresh: true})
		}
	case tickSettled:
		g.replace(ctx)
	case tickClose:
		g.finishClosing(ctx)
	}
}

// pick draws one of the peers that fit, or returns −1.
func (g *Gossip) pick(ctx actors.Context, fits func(*peer) bool) int {
	chosen, count := -1, 0
	for i := range g.peers {
		if fits(&g.peers[i]) {
			count++
			if ctx.Rand().IntN(count) == 0 {
				chosen = i
			}
		}
	}
	return chosen
}

// outbound counts the outbound links, those on their way included.
func (g *Gossip) outbound() int {
	n := int(g.seeking)
	for i := range g.peers {
		if w := g.peers[i].way; w == wayOut || w == waySought {
			n++
		}
	}
	return n
}

// inboundInUse counts the inbound connections in use.
func (g *Gossip) inboundInUse() (n int) {
	for i := range g.peers {
		if g.peers[i].state == peerUp && g.peers[i].way.inbound() {
			n++
		}
	}
	return n
}

// refill asks for addresses if outbound slots are free. One draw is out at a
// time.
func (g *Gossip) refill(ctx actors.Context) {
	missing := g.node.config.Connections - g.outbound()
	if missing <= 0 || g.node.config.Static || g.closing != nil {
		return
	}
	negotiated := g.reserved(ctx, missing)
	g.seek(ctx, negotiated)
	if missing -= negotiated; missing <= 0 || g.drawing {
		return
	}
	if missing = min(missing, g.affordable(ctx)); missing <= 0 {
		return // the next Interval tries again
	}
	g.drawing = true
	ctx.Send(g.node.store, drawOf(missing))
}

// Refills dial, and make offers, at a bounded rate, so that a book full of addresses
// that refuse, or a peer that answers every offer in vain, does not make a node go on
// without a pause: twice Connections in an Interval, after a
// burst of eight times Connections.
const dialRate, dialBurst = 2, 8

func (g *Gossip) dialCost() actors.Time {
	return actors.Time(g.node.config.Interval) / actors.Time(dialRate*g.node.config.Connections)
}

// affordable is how many addresses may be dialled now.
func (g *Gossip) affordable(ctx actors.Context) int {
	cost := g.dialCost()
	g.dialled = max(g.dialled, ctx.Now())
	return int((ctx.Now() + dialBurst*actors.Time(g.node.config.Connections)*cost - g.dialled) / cost)
}

func (g *Gossip) onDrawn(ctx actors.Context, m *drawn) {
	way := wayRefresh
	if !m.refresh {
		way = wayOut
		g.drawing = false
		g.onDry(ctx, len(m.list) == 0)
	}
	for _, a := range m.list {
		if g.closing != nil {
			ctx.Send(g.node.store, &result{address: a})
			continue
		}
		if way == wayOut {
			g.dialled += g.dialCost()
		}
		g.dial(ctx, a, way)
	}
}

// onSuspect dials an address to find out whether it answers.
func (g *Gossip) onSuspect(ctx actors.Context, m *suspect) {
	if g.closing != nil {
		ctx.Send(g.node.store, &result{address: m.address})
		return
	}
	g.dial(ctx, m.address, wayFeeler)
}

func (g *Gossip) dial(ctx actors.Context, a actors.Address, way peerWay) actors.Ref {
	conn := ctx.Spawn("conn", &Conn{node: g.node, address: a})
	g.add(peer{conn: conn, address: a, way: way})
	return conn
}

func (g *Gossip) onLinkIn(ctx actors.Context, m *actors.LinkIn) {
	if g.closing != nil || g.busy(ctx, m.Link) {
		m.Link.Close()
		return
	}
	g.attach(ctx, m.Link, wayIn)
}

// busy reports whether there are too many handshakes for another accepted link.
func (g *Gossip) busy(ctx actors.Context, l actors.Link) bool {
	handshakes := 0
	for i := range g.peers {
		if g.peers[i].state != peerUp && g.peers[i].way.inbound() {
			handshakes++
		}
	}
	if handshakes < g.node.config.HandshakesMax {
		return false
	}
	ctx.Emit(actors.Event{Kind: EventBusy, Address: l.Remote(), N: int64(handshakes)})
	return true
}

func (g *Gossip) attach(ctx actors.Context, l actors.Link, way peerWay) actors.Ref {
	conn := ctx.Spawn("conn", &Conn{node: g.node, link: l})
	l.Bind(conn)
	g.add(peer{conn: conn, way: way})
	return conn
}

// add enters a peer. The list grows by an eighth, not by doubling.
func (g *Gossip) add(p peer) {
	if n := len(g.peers); n == cap(g.peers) {
		g.peers = append(make([]peer, 0, max(10, n+n/8+1)), g.peers...)
	}
	g.peers = append(g.peers, p)
}

func (g *Gossip) find(conn actors.Ref) int {
	return slices.IndexFunc(g.peers, func(p peer) bool { return p.conn == conn })
}

// findID returns the peer of an id in a state, or −1.
func (g *Gossip) findID(id NodeID, s peerState) int {
	if id == (NodeID{}) {
		return -1 // the handshake was not over
	}
	return slices.IndexFunc(g.peers, func(p peer) bool { return p.state == s && p.ready != nil && p.ready.id == id })
}

// onReady decides about a link that finished its handshake.
func (g *Gossip) onReady(ctx actors.Context, m *ready) {
	i := g.find(ctx.Sender())
	if i < 0 {
		return
	}
	p := &g.peers[i]
	p.ready = m
	p.routes += g.takeSpent(m.source)
	if older := g.findID(m.id, peerUp); older >= 0 {
		g.onDuplicate(ctx, i, older)
		return
	}
	g.accept(ctx, i)
}

// onDuplicate decides about a second link to the same peer; see the package
// documentation.
func (g *Gossip) onDuplicate(ctx actors.Context, newer, older int) {
	p := &g.peers[newer]
	held := 0
	for i := range g.peers {
		if g.peers[i].state == peerHeld && g.peers[i].id() == p.id() {
			held++
		}
	}
	if p.version() == 2 || g.peers[older].version() == 2 || held >= heldMax {
		g.refuse(ctx, newer, wire.GoodbyeDuplicate)
		return
	}
	p.state = peerHeld
	ctx.Send(g.peers[older].conn, &probe{})
}

// heldMax bounds the links to one peer that wait for a decision. A node that is not
// to decide must not refuse one of three: the other end may keep just that.
const heldMax = 2 * wire.AdvertiseMax

// decides reports whether this node decides about duplicate links to id.
func (g *Gossip) decides(id NodeID) bool {
	return decides(g.node, id)
}

// decides reports whether a node, and not the other one with an id, is to decide
// between the two.
func decides(n *identity, id NodeID) bool { return n.idText < string(id[:]) }

// onAlive: the older of several links answered, so the newer ones go, if that is
// for this node to decide. If it does not answer it ends, and the newer one
// takes its place without a decision.
func (g *Gossip) onAlive(ctx actors.Context) {
	i := g.find(ctx.Sender())
	if i < 0 || !g.decides(g.peers[i].id()) {
		return
	}
	id := g.peers[i].id()
	for newer := g.findID(id, peerHeld); newer >= 0; newer = g.findID(id, peerHeld) {
		g.refuse(ctx, newer, wire.GoodbyeDuplicate)
	}
}

// succeed takes a link into use that was held back for one that has ended, and
// holds the others back for that.
func (g *Gossip) succeed(ctx actors.Context, id NodeID) {
	for held := g.findID(id, peerHeld); held >= 0; held = g.findID(id, peerHeld) {
		g.accept(ctx, held)
		if g.peers[held].state == peerUp {
			if g.findID(id, peerHeld) >= 0 {
				ctx.Send(g.peers[held].conn, &probe{})
			}
			return
		}
	}
}

// accept takes a link into use, unless there are too many.
func (g *Gossip) accept(ctx actors.Context, i int) {
	p := &g.peers[i]
	switch {
	case g.closing != nil:
		g.refuse(ctx, i, wire.GoodbyeShutdown)
		return
	case p.way.inbound() && g.inboundInUse() >= g.node.config.InboundMax:
		k := g.crowding(p.ready.source)
		if k < 0 {
			g.refuse(ctx, i, wire.GoodbyeFull)
			return
		}
		ctx.Send(g.peers[k].conn, &verdicts[wire.GoodbyeFull])
	case p.way == wayFeeler && g.outbound() >= g.node.config.Connections:
		g.refuse(ctx, i, wire.GoodbyeRefresh)
		return
	case p.way == wayFeeler:
		p.way = wayOut
	}
	p.state = peerUp
	if p.way == waySought || p.way == waySoughtRefresh {
		g.barren, g.seekNext, g.vain = 0, 0, 0
	}
	p.number = g.nextNumber()
	ctx.Send(p.conn, &verdicts[0])
	ctx.Emit(actors.Event{Kind: EventPeerUp, Peer: p.conn, Address: p.address, N: p.outboundCount()})
	if !p.address.IsZero() && !p.way.inbound() {
		ctx.Send(g.node.store, &result{address: p.address, outcome: book.OutcomeUp})
	}
	if g.listeners.want(TopicConnect) {
		g.listeners.tell(ctx, TopicConnect, &Connected{p.connection()})
	}
	g.answer(ctx, p.conn, nil)
	if !g.negotiator.IsZero() {
		g.refill(ctx) // there is somebody now to send an offer to
		p = &g.peers[i]
	}
	if p.way == wayRefresh || p.way == waySoughtRefresh {
		ctx.After(settle, ticks[tickSettled])
	}
}

// crowding returns the newest inbound peer of the source that has the most, if that has
// at least two more than another source: to make room for one of that. Else it returns
// −1. So one host cannot take all places of a node from others.
func (g *Gossip) crowding(newcomer source) int {
	var space [64]uint32
	sources := space[:0]
	for i := range g.peers {
		if p := &g.peers[i]; p.state == peerUp && p.way.inbound() {
			sources = append(sources, p.ready.source.word())
		}
	}
	slices.Sort(sources)
	most, own, worst := 0, 0, uint32(0)
	for run, i := 0, 0; i < len(sources); i++ { // run is how many like this there were
		if run++; i > 0 && sources[i] != sources[i-1] {
			run = 1
		}
		if run > most {
			most, worst = run, sources[i]
		}
		if sources[i] == newcomer.word() {
			own = run
		}
	}
	if most < own+2 {
		return -1
	}
	for i := len(g.peers) - 1; ; i-- {
		if p := &g.peers[i]; p.state == peerUp && p.way.inbound() && p.ready.source.word() == worst {
			return i
		}
	}
}

// settle is how long the new link of a refresh must last before it replaces
// another. A full node seems to accept a link until its goodbye arrives.
const settle = time.Second

// replace completes the refreshes whose new link has lasted: it says goodbye to
// a random other outbound link for each, one by WebRTC if there are more of those
// than their share.
func (g *Gossip) replace(ctx actors.Context) {
	for i := range g.peers {
		p := &g.peers[i]
		switch {
		case p.state != peerUp:
			continue
		case p.way == wayRefresh:
			p.way = wayOut
		case p.way == waySoughtRefresh:
			p.way = waySought
		default:
			continue
		}
		if g.outbound() <= g.node.config.Connections {
			continue // another link ended meanwhile
		}
		surplus := wayOut
		if g.sought() > max(g.node.config.WebRTC, 0) {
			surplus = waySought
		}
		k := g.pick(ctx, func(q *peer) bool { return q.state == peerUp && q.way == surplus && q != p })
		if k >= 0 {
			ctx.Send(g.peers[k].conn, &verdicts[wire.GoodbyeRefresh])
		}
	}
}

func (g *Gossip) refuse(ctx actors.Context, i int, why wire.GoodbyeReason) {
	p := &g.peers[i]
	p.state = peerNew
	ctx.Emit(actors.Event{Kind: EventRefused, Peer: p.conn, Address: p.address, N: int64(why)})
	ctx.Send(p.conn, &verdicts[why])
}

// nextNumber gives a peer a number that no other has.
func (g *Gossip) nextNumber() uint16 {
	for {
		g.numbered++
		if g.numbered != self && !slices.ContainsFunc(g.peers, func(p peer) bool {
			return p.state == peerUp && p.number == g.numbered
		}) {
			return g.numbered
		}
	}
}

// onGone forgets a Conn that ended.
func (g *Gossip) onGone(ctx actors.Context, m *gone) {
	i := g.find(ctx.Sender())
	if i < 0 {
		return
	}
	p := g.peers[i]
	g.peers = slices.Delete(g.peers, i, i+1)
	g.keepSpent(&p)
	if p.state != peerUp && (p.way == waySought || p.way == waySoughtRefresh) {
		g.fruitless(ctx)
	}
	if !p.address.IsZero() {
		outcome := m.outcome
		if k := g.findID(p.id(), peerUp); k >= 0 && outcome == book.OutcomeRefused {
			// A connected peer can be reached there: do not dial it again, or,
			// where it has another address, not soon.
			outcome = book.OutcomeDuplicate
			if g.peers[k].address.IsZero() {
				g.peers[k].address = p.address
				outcome = book.OutcomeUp
			}
		}
		ctx.Send(g.node.store, &result{address: p.address, outcome: outcome, self: m.self})
	}
	if p.state == peerUp {
		ctx.Emit(actors.Event{Kind: EventPeerDown, Peer: p.conn, Address: p.address, N: p.outboundCount(), Text: m.reason})
		if g.listeners.want(TopicDisconnect) {
			g.listeners.tell(ctx, TopicDisconnect, &Disconnected{p.connection(), m.reason})
		}
		g.succeed(ctx, p.id())
	}
	if len(g.calls) > 0 {
		err := connectError(m)
		if g.findID(p.id(), peerUp) >= 0 {
			err = nil // connected by another link
		}
		g.answer(ctx, p.conn, err)
	}
	if g.closing != nil && len(g.peers) == 0 {
		g.finishClosing(ctx)
		return
	}
	g.refill(ctx)
}

// InUse reports whether a Conn is a connection in use, and whether this node
// opened it.
func (g *Gossip) InUse(conn actors.Ref) (outbound, ok bool) {
	i := g.find(conn)
	if i < 0 || g.peers[i].state != peerUp {
		return false, false
	}
	return !g.peers[i].way.inbound(), true
}

// Negotiated reports whether a Conn's link is by WebRTC.
func (g *Gossip) Negotiated(conn actors.Ref) bool {
	i := g.find(conn)
	return i >= 0 && g.peers[i].way.negotiated()
}

// PeersInUse counts the connections in use.
func (g *Gossip) PeersInUse() (n int) {
	for i := range g.peers {
		if g.peers[i].state == peerUp {
			n++
		}
	}
	return n
}

// OutboundInUse counts the outbound connections in use.
func (g *Gossip) OutboundInUse() (n int) {
	for i := range g.peers {
		if !g.peers[i].way.inbound() && g.peers[i].state == peerUp {
			n++
		}
	}
	return n
}

// NegotiatedInUse counts the outbound connections in use that are by WebRTC.
func (g *Gossip) NegotiatedInUse() (n int) {
	for i := range g.peers {
		if w := g.peers[i].way; w.negotiated() && !w.inbound() && g.peers[i].state == peerUp {
			n++
		}
	}
	return n
}

// id is the peer's node id, zero before the handshake.
func (p *peer) id() NodeID {
	if p.ready == nil {
		return NodeID{}
	}
	return p.ready.id
}

// version is that of the link's wire, 0 before the handshake.
func (p *peer) version() int {
	if p.ready == nil {
		return 0
	}
	return int(p.ready.version)
}

func (p *peer) outboundCount() int64 {
	if !p.way.inbound() {
		return 1
	}
	return 0
}

func (p *peer) connection() Connection {
	return Connection{Peer: p.conn, ID: p.id(), Address: p.address, Outbound: !p.way.inbound(), Negotiated: p.way.negotiated(), Version: p.version()}
}
