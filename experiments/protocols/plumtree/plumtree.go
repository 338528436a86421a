// Package plumtree is the broadcast of Leitão, Pereira and Rodrigues, "Epidemic broadcast
// trees" (2007): push-lazy-push multicast trees over an overlay of symmetric links.
//
// Payload goes over eager links, which come to be a tree; over the others, lazy ones, goes
// word that there is a message (IHave). A duplicate makes its link lazy (Prune). A message
// that was announced and did not come is asked for (Graft), which makes that link eager
// again, and mends the tree.
//
// # What it guarantees
//
//   - A link is lazy at a node after a Prune over it, either way, and eager after a Graft.
//   - A message is delivered once; payload that comes again is answered by Prune.
//   - An announced message that did not come within Missing is asked for at the announcers,
//     one after another, Again apart.
//
// Not here: the optimisation of section 3.8 (exchange of links whose path is longer), and
// IHaves that wait to share a message; each is sent at once.
package plumtree

import (
	"slices"
	"time"

	"peernet/actors"
)

// The events of dissemination. Message is the *Payload as it came.
var (
	// EventHeard: a message got here for the first time.
	EventHeard = actors.RegisterEvent("plumtree.heard")
	// EventDuplicate: a message got here again.
	EventDuplicate = actors.RegisterEvent("plumtree.duplicate")
	// EventMissingFull: MissingMax messages are missing; the announcement of another, the
	// *IHave, is dropped.
	EventMissingFull = actors.RegisterEvent("plumtree.missing_full")
)

// A Config is shared by the nodes of a network.
type Config struct {
	Missing time.Duration // from the first announcement to the first Graft
	Again   time.Duration // from one Graft to the next
}

// What a node keeps of messages that were announced and did not come: how many messages,
// and of each how many announcers. More are forgotten.
const (
	MissingMax    = 1024
	AnnouncersMax = 32
)

// A Node is the App. The user sends a *Payload of no hops to begin a message.
type Node struct {
	Config *Config

	// Hops has, by number of message, one more than the hops of the way by which it came
	// first, 0 if it did not.
	Hops []uint16
	// What was sent so far.
	Payloads, IHaves, Grafts, Prunes uint64

	Eager, Lazy []actors.Ref
	missing     []missing
}

// missing is a message that was announced and did not come.
type missing struct {
	number     uint32
	announcers []announcer
}

type announcer struct {
	peer actors.Ref
	hops uint16
}

// Up implements [mesh.App].
func (n *Node) Up(_ actors.Context, peer actors.Ref) { n.Eager = append(n.Eager, peer) }

// Down implements [mesh.App].
func (n *Node) Down(_ actors.Context, peer actors.Ref) {
	n.Eager, n.Lazy = without(n.Eager, peer), without(n.Lazy, peer)
	for i := range n.missing {
		m := &n.missing[i]
		m.announcers = slices.DeleteFunc(m.announcers, func(a announcer) bool { return a.peer == peer })
	}
}

// Heard reports whether a message got here.
func (n *Node) Heard(number int) bool { return number < len(n.Hops) && n.Hops[number] > 0 }

// Receive implements [mesh.App].
func (n *Node) Receive(ctx actors.Context, from actors.Ref, m actors.Message) {
	switch m := m.(type) {
	case *Payload:
		n.payload(ctx, from, m)
	case *IHave:
		n.announced(ctx, from, m)
	case *Graft:
		n.eager(from)
		if n.Heard(int(m.Number)) {
			n.Payloads++
			ctx.Send(from, &Payload{Number: m.Number, Hops: n.Hops[m.Number]})
		}
	case *Prune:
		n.lazy(from)
	case *Overdue:
		n.overdue(ctx, m)
	}
}

// payload takes a message, and passes it on.
func (n *Node) payload(ctx actors.Context, from actors.Ref, m *Payload) {
	if n.Heard(int(m.Number)) {
		ctx.Emit(actors.Event{Kind: EventDuplicate, Message: m})
		if !from.IsZero() {
			n.lazy(from)
			n.Prunes++
			ctx.Send(from, prune)
		}
		return
	}
	ctx.Emit(actors.Event{Kind: EventHeard, Message: m})
	for len(n.Hops) <= int(m.Number) {
		n.Hops = append(n.Hops, 0)
	}
	n.Hops[m.Number] = m.Hops + 1
	n.missing = slices.DeleteFunc(n.missing, func(x missing) bool { return x.number == m.Number })
	if !from.IsZero() {
		n.eager(from)
	}
	n.push(ctx, from, m.Number)
}

// push sends a message to the eager neighbours, and word of it to the lazy ones.
func (n *Node) push(ctx actors.Context, from actors.Ref, number uint32) {
	next := &Payload{Number: number, Hops: n.Hops[number]}
	for _, peer := range n.Eager {
		if peer != from {
			n.Payloads++
			ctx.Send(peer, next)
		}
	}
	have := &IHave{Number: number, Hops: n.Hops[number]}
	for _, peer := range n.Lazy {
		if peer != from {
			n.IHaves++
			ctx.Send(peer, have)
		}
	}
}

// announced remembers who has a message that did not come yet.
func (n *Node) announced(ctx actors.Context, from actors.Ref, m *IHave) {
	if n.Heard(int(m.Number)) {
		return
	}
	i := slices.IndexFunc(n.missing, func(x missing) bool { return x.number == m.Number })
	if i < 0 {
		if len(n.missing) >= MissingMax {
			ctx.Emit(actors.Event{Kind: EventMissingFull, Message: m})
			return
		}
		i = len(n.missing)
		n.missing = append(n.missing, missing{number: m.Number})
		ctx.After(n.Config.Missing, &Overdue{m.Number})
	}
	x := &n.missing[i]
	if len(x.announcers) < AnnouncersMax {
		x.announcers = append(x.announcers, announcer{from, m.Hops})
	}
}

// overdue asks the next announcer for a message.
func (n *Node) overdue(ctx actors.Context, m *Overdue) {
	i := slices.IndexFunc(n.missing, func(x missing) bool { return x.number == m.Number })
	if i < 0 {
		return
	}
	x := &n.missing[i]
	if len(x.announcers) == 0 { // the next announcement starts anew
		n.missing = slices.Delete(n.missing, i, i+1)
		return
	}
	first := x.announcers[0]
	x.announcers = x.announcers[1:]
	ctx.After(n.Config.Again, m)
	n.eager(first.peer)
	n.Grafts++
	ctx.Send(first.peer, &Graft{Number: m.Number})
}

// eager makes a neighbour's link an eager one.
func (n *Node) eager(peer actors.Ref) {
	if i := slices.Index(n.Lazy, peer); i >= 0 {
		n.Lazy = slices.Delete(n.Lazy, i, i+1)
		n.Eager = append(n.Eager, peer)
	}
}

// lazy makes a neighbour's link a lazy one.
func (n *Node) lazy(peer actors.Ref) {
	if i := slices.Index(n.Eager, peer); i >= 0 {
		n.Eager = slices.Delete(n.Eager, i, i+1)
		n.Lazy = append(n.Lazy, peer)
	}
}

func without(peers []actors.Ref, peer actors.Ref) []actors.Ref {
	return slices.DeleteFunc(peers, func(p actors.Ref) bool { return p == peer })
}
