package peer

import (
	"encoding/binary"
	"slices"

	"peernet/actors"
	"peernet/actors/wire"
)

// How Gossip passes on requests and responses.

// Foresee implements [actors.Foreseer]: every request and response is looked up
// in the seen cache.
func (g *Gossip) Foresee(m actors.Message) *uint64 {
	f, ok := m.(*wire.Frame)
	if !ok || len(g.seen.cells) == 0 {
		return nil
	}
	return &g.seen.cells[g.seen.home(g.seen.hash(f.Body.ID, f.Response))]
}

// turnSeen lets the seen cache forget what is old.
func (g *Gossip) turnSeen(ctx actors.Context) {
	if g.seen.turn(ctx.Now(), g.node.config.RouteLife) {
		for i := range g.peers {
			g.peers[i].routes = 0
		}
		g.spent = nil
	}
}

// A source names the host that a peer is seen at, by a hash.
type source [4]byte

func sourceOf(a actors.Address) (s source) {
	if a.IsZero() || a.IsLoopback() {
		return s // nobody's: it may be any host, or a proxy on this machine
	}
	binary.LittleEndian.PutUint32(s[:], uint32(actors.Sum([]byte(a.Network()))))
	return s
}

func (s source) word() uint32 { return binary.LittleEndian.Uint32(s[:]) }

// spent is what links of a source, which have ended, used up of their quotas of
// routes. The next link from there goes on with it: to hang up and come back gives
// nobody more.
type spent struct {
	source source
	routes uint32
}

// spentMax bounds the sources remembered until the next generation.
const spentMax = 256

func (g *Gossip) keepSpent(p *peer) {
	if p.routes == 0 || p.ready == nil || p.ready.source == (source{}) {
		return
	}
	for i := range g.spent {
		if g.spent[i].source == p.ready.source {
			g.spent[i].routes += p.routes
			return
		}
	}
	if len(g.spent) < spentMax {
		g.spent = append(g.spent, spent{p.ready.source, p.routes})
	}
}

func (g *Gossip) takeSpent(s source) uint32 {
	for i := range g.spent {
		if g.spent[i].source == s {
			routes := min(g.spent[i].routes, uint32(g.node.config.RoutesPerLink))
			g.spent[i].routes -= routes
			return routes
		}
	}
	return 0
}

// remember enters a message that a peer brought into the seen cache, and
// returns the index of the peer, or −1 if the link is not in use or its quota
// is used up.
func (g *Gossip) remember(ctx actors.Context, f *wire.Frame, hash uint64) int {
	g.turnSeen(ctx)
	i := g.find(ctx.Sender())
	if i < 0 || g.peers[i].state != peerUp {
		ctx.Emit(actors.Event{Kind: EventEarly, Peer: ctx.Sender(), Message: f})
		return -1
	}
	p := &g.peers[i]
	if int(p.routes) >= g.node.config.RoutesPerLink || g.seen.young >= g.node.config.routesMax() {
		ctx.Emit(actors.Event{Kind: EventQuota, Peer: p.conn, Message: f})
		return -1
	}
	p.routes++
	g.seen.add(hash, p.number)
	return i
}

func (g *Gossip) onRequest(ctx actors.Context, f *wire.Frame) {
	hash := g.seen.hash(f.Body.ID, false)
	if _, ok := g.seen.find(hash); ok {
		ctx.Emit(actors.Event{Kind: EventDuplicate, Peer: ctx.Sender(), Message: f})
		return
	}
	most := uint32(g.node.config.HopsMax)
	if f.Body.Limit != 0 {
		most = min(most, f.Body.Limit)
	}
	if f.Hops > most {
		ctx.Emit(actors.Event{Kind: EventHopsExceeded, Peer: ctx.Sender(), Message: f})
		return
	}
	from := g.remember(ctx, f, hash)
	if from < 0 {
		return
	}
	ctx.Emit(actors.Event{Kind: EventRequest, Peer: ctx.Sender(), Message: f})
	if f.Body.Type == wire.TypeSignal {
		g.onOffer(ctx, f, from)
		return
	}
	if g.listeners.want(TopicRequest) {
		g.listeners.tell(ctx, TopicRequest, &Received{f})
	}
	if f.Hops < most {
		out := &send{wire.Frame{Body: f.Body, Hops: f.Hops + 1, LimitPresent: true}}
		g.forward(ctx, out, from)
	}
}

// forward sends a request to Fanout random peers other than the one it came
// from.
func (g *Gossip) forward(ctx actors.Context, out *send, from int) {
	var space [64]uint16
	others := space[:0]
	for i := range g.peers {
		if i != from && g.peers[i].state == peerUp {
			others = append(others, uint16(i))
		}
	}
	n := g.node.config.Fanout
	if n == FanoutAll || n > len(others) {
		n = len(others)
	}
	for k := range n {
		if n < len(others) { // the first n of a random order
			j := k + ctx.Rand().IntN(len(others)-k)
			others[k], others[j] = others[j], others[k]
		}
		ctx.Send(g.peers[others[k]].conn, out)
	}
}

func (g *Gossip) onResponse(ctx actors.Context, f *wire.Frame) {
	hash := g.seen.hash(f.Body.ID, true)
	if _, ok := g.seen.find(hash); ok {
		ctx.Emit(actors.Event{Kind: EventDuplicate, Peer: ctx.Sender(), Message: f})
		return
	}
	if f.Hops > uint32(g.node.config.HopsMax) {
		ctx.Emit(actors.Event{Kind: EventHopsExceeded, Peer: ctx.Sender(), Message: f})
		return
	}
	// One without a way back uses up nobody's quota.
	if _, ok := g.seen.find(g.seen.hash(f.Body.Reply, false)); !ok {
		ctx.Emit(actors.Event{Kind: EventNoRoute, Peer: ctx.Sender(), Message: f})
		return
	}
	if g.remember(ctx, f, hash) < 0 {
		return
	}
	g.route(ctx, f.Body, f.Hops+1, f)
}

// route sends a response one hop back towards the origin of its request, and
// reports whether there was a way. arrived is the frame it came in, nil for a
// response of this node.
func (g *Gossip) route(ctx actors.Context, b *wire.Body, hops uint32, arrived *wire.Frame) bool {
	number, ok := g.seen.find(g.seen.hash(b.Reply, false))
	if ok && number == self {
		if b.Type == wire.TypeSignal {
			g.onAnswer(ctx, b)
			return true
		}
		if arrived == nil {
			arrived = &wire.Frame{Body: b, Response: true}
		}
		ctx.Emit(actors.Event{Kind: EventResponse, Peer: ctx.Sender(), Message: arrived})
		g.listeners.tell(ctx, TopicResponse, &Received{arrived})
		return true
	}
	i := -1
	if ok {
		i = slices.IndexFunc(g.peers, func(p peer) bool { return p.state == peerUp && p.number == number })
	}
	if i < 0 {
		if arrived != nil {
			ctx.Emit(actors.Event{Kind: EventNoRoute, Peer: ctx.Sender(), Message: arrived})
		}
		return false
	}
	ctx.Send(g.peers[i].conn, &send{wire.Frame{Body: b, Hops: hops, Response: true, LimitPresent: true}})
	return true
}
