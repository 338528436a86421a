// Package hyparview is the membership protocol of Leitão, Pereira and Rodrigues,
// "HyParView: a membership protocol for reliable gossip-based broadcast" (DI-FCUL
// TR-07-13, 2007): Algorithms 1 and 2, and sections 4.3 to 4.5.
//
// A node has a small active view, the neighbours that it has links with, and a larger
// passive view of addresses, from which it replaces neighbours that fail.
//
// # What it guarantees
//
//   - Active views are symmetric: a neighbour is a link, that both ends have agreed on.
//     They have at most Config.Active neighbours, each once and never the node itself.
//   - The passive view has at most Config.Passive addresses, without repeats, the node
//     itself, and its neighbours.
//   - A link that breaks is replaced from the passive view at once, one attempt after
//     another, until the active view is full or each passive address was tried. Addresses
//     that do not answer are forgotten; over a link, in the second cycle.
//   - A request of high priority, from a node without neighbours, is always accepted.
//
// # What the paper leaves open
//
// To close a link is DISCONNECT: the other end learns of it as a link that was closed, not
// broken, and keeps the address in its passive view. A node whose view is not full tries
// to fill it after each loss and in each cycle. Two requests that cross are one: that of
// the node whose address sorts first counts. Replies to shuffles go by datagram, the
// "temporary connection" of the paper. How fast failures are noticed is the host's: a
// crash with a reset is noticed at once, a silent one never, as links carry no probes; but
// who is asked to become a neighbour has one to two cycles for its answer.
// A node that joins and is refused, or whose contact is dead, does not try again. One that
// came back is refused by those who take its old self for a neighbour still.
package hyparview

import (
	"slices"
	"time"

	"peernet/actors"
	"peernet/experiments/protocols/mesh"
)

// A Config is shared by the nodes of a network.
type Config struct {
	Active        int           // neighbours
	Passive       int           // passive addresses
	ActiveWalk    int           // ARWL: hops of the walk of a join
	PassiveWalk   int           // PRWL: hops that are left of it when the address is kept passively
	ShuffleActive int           // ka: neighbours that a shuffle sends
	ShufflePass   int           // kp: passive addresses that it sends
	ShuffleWalk   int           // hops of its walk
	Period        time.Duration // of the cycles
}

// A Neighbour is in the active view.
type Neighbour struct {
	Conn actors.Ref
	Peer actors.Address
}

// A Node is the actor, the root of its node.
type Node struct {
	Config  *Config
	Self    actors.Address
	Contact actors.Address // to join through; none for the first
	App     mesh.App       // what runs over the active view

	Active  []Neighbour
	Passive []actors.Address
	Cycles  int // that were begun

	asking  []request
	guests  []actors.Ref     // links that were accepted, and did not say why yet
	tried   []actors.Address // passive addresses that refused, since the last cycle
	offered []actors.Address // in the last shuffle
	left    int              // cycles that are to come
}

// A request is a link that is wanted, until the other end has agreed.
type request struct {
	peer   actors.Address
	dial   actors.DialID
	conn   actors.Ref // once it is up
	ask    actors.Message
	repair bool // a passive address is to become a neighbour
	cycle  int  // when it was made
}

// Bounds of what peers can make a node keep.
const (
	guestsMax = 1024 // links that have not said yet what they are for
	askingMax = 256  // requests that are not answered yet
	triedMax  = 1024 // addresses that refused
)

// Receive implements [actors.Actor].
func (n *Node) Receive(ctx actors.Context, m actors.Message) {
	switch m := m.(type) {
	case *actors.Started:
		if !n.Contact.IsZero() {
			n.ask(ctx, n.Contact, &Join{n.Self}, false)
		}
	case *actors.LinkIn:
		if len(n.guests) >= guestsMax {
			m.Link.Close()
			return
		}
		n.guests = append(n.guests, ctx.Spawn("conn", &mesh.Conn{Link: m.Link}))
	case *actors.LinkUp:
		n.dialled(ctx, m)
	case *actors.LinkDown:
		n.down(ctx, m)
	case *Begin:
		if n.left = int(m.Cycles); n.left > 0 {
			ctx.After(time.Duration(ctx.Rand().Int64N(int64(n.Config.Period))), tick)
		}
	case *Tick:
		if n.left--; n.left > 0 {
			ctx.After(n.Config.Period, tick)
		}
		n.cycle(ctx)
	case *actors.Datagram:
		if r, ok := m.Payload.(*ShuffleReply); ok {
			n.keep(ctx, r.Peers, n.offered)
		}
	default:
		n.heard(ctx, ctx.Sender(), m)
	}
}

// heard handles what comes over links, and what is the App's.
func (n *Node) heard(ctx actors.Context, from actors.Ref, m actors.Message) {
	switch m := m.(type) {
	case *Join:
		n.join(ctx, from, m)
	case *Neighbor:
		n.asked(ctx, from, m)
	case *Accept:
		n.accepted(ctx, from)
	case *ForwardJoin:
		n.forwardJoin(ctx, from, m)
	case *Shuffle:
		n.shuffle(ctx, from, m)
	default:
		if n.App != nil && (from.IsZero() || n.neighbour(from) >= 0) {
			n.App.Receive(ctx, from, m)
		}
	}
}

// join takes a new node, and has walks spread word of it.
func (n *Node) join(ctx actors.Context, from actors.Ref, m *Join) {
	if !n.welcome(from) {
		return // a neighbour is no guest any more
	}
	if m.Peer == n.Self || n.knows(m.Peer) {
		ctx.Stop(from)
		return
	}
	ctx.Send(from, accept)
	n.add(ctx, from, m.Peer)
	for _, a := range n.Active {
		if a.Conn != from {
			ctx.Send(a.Conn, &ForwardJoin{m.Peer, uint32(n.Config.ActiveWalk)})
		}
	}
}

// forwardJoin is where the walk of a join is.
func (n *Node) forwardJoin(ctx actors.Context, from actors.Ref, m *ForwardJoin) {
	if m.Hops == uint32(n.Config.PassiveWalk) {
		n.keep(ctx, []actors.Address{m.Peer}, nil)
	}
	if m.Hops > 0 && len(n.Active) > 1 {
		if next, ok := n.other(ctx, from, m.Peer); ok {
			ctx.Send(next, &ForwardJoin{m.Peer, m.Hops - 1})
			return
		}
	}
	if m.Peer != n.Self && !n.knows(m.Peer) {
		n.ask(ctx, m.Peer, &Neighbor{n.Self, true}, false)
	}
}

// asked answers a request to become a neighbour.
func (n *Node) asked(ctx actors.Context, from actors.Ref, m *Neighbor) {
	if !n.welcome(from) {
		return // likewise
	}
	full := len(n.Active) >= n.Config.Active
	if m.Peer == n.Self || n.knows(m.Peer) || full && !m.High || n.crosses(m.Peer) {
		ctx.Stop(from) // a link that is closed instead of accepted is a refusal
		return
	}
	ctx.Send(from, accept)
	n.add(ctx, from, m.Peer)
}

// crosses reports whether an own request to a peer takes precedence over one from it.
// Otherwise that is given up.
func (n *Node) crosses(peer actors.Address) bool {
	return n.Self.String() < peer.String() &&
		slices.ContainsFunc(n.asking, func(r request) bool { return r.peer == peer })
}

// welcome takes a link out of those that did not say yet what they are for.
func (n *Node) welcome(conn actors.Ref) bool {
	i := slices.Index(n.guests, conn)
	if i >= 0 {
		n.guests = slices.Delete(n.guests, i, i+1)
	}
	return i >= 0
}

// ask opens a link, to become a neighbour of a peer.
func (n *Node) ask(ctx actors.Context, peer actors.Address, m actors.Message, repair bool) {
	if len(n.asking) >= askingMax || slices.ContainsFunc(n.asking, func(r request) bool { return r.peer == peer }) {
		return
	}
	n.asking = append(n.asking, request{peer: peer, dial: ctx.Dial(peer), ask: m, repair: repair, cycle: n.Cycles})
}

// dialled says over a link that is up what it is for.
func (n *Node) dialled(ctx actors.Context, m *actors.LinkUp) {
	i := slices.IndexFunc(n.asking, func(r request) bool { return r.dial == m.ID })
	if i < 0 {
		m.Link.Close()
		return
	}
	r := &n.asking[i]
	r.conn = ctx.Spawn("conn", &mesh.Conn{Link: m.Link})
	ctx.Send(r.conn, r.ask)
}

// accepted makes a neighbour of whom the node asked.
func (n *Node) accepted(ctx actors.Context, from actors.Ref) {
	i := slices.IndexFunc(n.asking, func(r request) bool { return r.conn == from })
	if i < 0 {
		return
	}
	peer := n.asking[i].peer
	full := n.asking[i].repair && len(n.Active) >= n.Config.Active
	n.asking = slices.Delete(n.asking, i, i+1)
	if n.knows(peer) || full { // meanwhile
		ctx.Stop(from)
		return
	}
	n.add(ctx, from, peer)
	n.refill(ctx)
}

// down handles a link that is gone, or could not be opened.
func (n *Node) down(ctx actors.Context, m *actors.LinkDown) {
	conn := ctx.Sender()
	i := slices.IndexFunc(n.asking, func(r request) bool {
		return m.ID != 0 && r.dial == m.ID || m.ID == 0 && r.conn == conn
	})
	switch k := n.neighbour(conn); {
	case i >= 0:
		r := n.asking[i]
		n.asking = slices.Delete(n.asking, i, i+1)
		if m.ID == 0 && m.Reason == actors.ReasonClosed {
			n.spent(r.peer) // refused: it lives
		} else {
			n.forget(r.peer)
		}
		n.refill(ctx)
	case m.ID == 0 && k >= 0:
		peer := n.Active[k].Peer
		n.remove(ctx, k)
		if m.Reason == actors.ReasonClosed {
			n.keep(ctx, []actors.Address{peer}, nil)
			n.spent(peer) // it had no room
		}
		n.refill(ctx)
	default:
		n.welcome(conn)
	}
}

// spent remembers that a peer refused, until the next cycle.
func (n *Node) spent(peer actors.Address) {
	if len(n.tried) < triedMax && !slices.Contains(n.tried, peer) {
		n.tried = append(n.tried, peer)
	}
}

// refill asks a passive address to become a neighbour, if there is room and none is asked
// already.
func (n *Node) refill(ctx actors.Context) {
	if len(n.Active) >= n.Config.Active || slices.ContainsFunc(n.asking, func(r request) bool { return r.repair }) {
		return
	}
	var open []actors.Address
	for _, p := range n.Passive {
		if !slices.Contains(n.tried, p) {
			open = append(open, p)
		}
	}
	if len(open) > 0 {
		n.ask(ctx, open[ctx.Rand().IntN(len(open))], &Neighbor{n.Self, len(n.Active) == 0}, true)
	}
}

// add makes a neighbour of a peer; if there is no room, a random one has to go.
func (n *Node) add(ctx actors.Context, conn actors.Ref, peer actors.Address) {
	if len(n.Active) >= n.Config.Active {
		k := ctx.Rand().IntN(len(n.Active))
		gone := n.Active[k]
		n.remove(ctx, k)
		ctx.Stop(gone.Conn)
		n.keep(ctx, []actors.Address{gone.Peer}, nil)
	}
	n.forget(peer)
	n.Active = append(n.Active, Neighbour{conn, peer})
	if n.App != nil {
		n.App.Up(ctx, conn)
	}
}

func (n *Node) remove(ctx actors.Context, k int) {
	conn := n.Active[k].Conn
	n.Active = slices.Delete(n.Active, k, k+1)
	if n.App != nil {
		n.App.Down(ctx, conn)
	}
}

// neighbour returns the index of a neighbour by its link, −1 if it is none.
func (n *Node) neighbour(conn actors.Ref) int {
	return slices.IndexFunc(n.Active, func(a Neighbour) bool { return a.Conn == conn })
}

// knows reports whether a peer is a neighbour.
func (n *Node) knows(peer actors.Address) bool {
	return slices.ContainsFunc(n.Active, func(a Neighbour) bool { return a.Peer == peer })
}

// other draws a neighbour but one, and but a peer.
func (n *Node) other(ctx actors.Context, but actors.Ref, peer actors.Address) (actors.Ref, bool) {
	var others []actors.Ref
	for _, a := range n.Active {
		if a.Conn != but && a.Peer != peer {
			others = append(others, a.Conn)
		}
	}
	if len(others) == 0 {
		return actors.Ref{}, false
	}
	return others[ctx.Rand().IntN(len(others))], true
}
