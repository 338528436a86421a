// Package mesh is what protocols over links to neighbours share: an overlay of symmetric
// links, and what runs over it.
//
// A message over a link says nothing of where it comes from. So each link has an actor of
// its own, a [Conn], which hands on what comes in to the root of the node, as its sender,
// and sends what the root sends to it. The [actors.Ref] of a Conn stands for the neighbour.
//
// # What it guarantees
//
//   - A Conn hands on the messages of its link in their order, and last of all the
//     *actors.LinkDown; then it ends.
//   - To stop a Conn closes its link, behind what was sent before.
//   - A link that cannot take a message is given up, as if it had been reset: no message is
//     left out unless both ends are told that the link is down.
//   - An App is told of each neighbour Up once, then gets its messages, and Down once.
package mesh

import (
	"slices"

	"peernet/actors"
)

// An App is a protocol that runs over an overlay. It is part of the node's root: its
// methods are called in Receive of that.
type App interface {
	// Up adds a neighbour; messages that are sent to it go over the link.
	Up(ctx actors.Context, peer actors.Ref)
	// Down says that a neighbour is gone.
	Down(ctx actors.Context, peer actors.Ref)
	// Receive handles a message from a neighbour or, if from is zero, from the user or a
	// timer.
	Receive(ctx actors.Context, from actors.Ref, m actors.Message)
}

// A Conn is the actor of one link.
type Conn struct {
	Link actors.Link
	root actors.Ref
}

// Receive implements [actors.Actor].
func (c *Conn) Receive(ctx actors.Context, m actors.Message) {
	switch m.(type) {
	case *actors.Started:
		c.root = ctx.Sender()
		c.Link.Bind(ctx.Self())
		return
	case *actors.LinkDown:
		ctx.Stop(ctx.Self())
	}
	if ctx.Sender() == c.root {
		// A link that is closed says so by LinkDown, one that is full does not.
		if c.Link.Send(m) == actors.ErrLinkFull {
			ctx.Send(c.root, &actors.LinkDown{Reason: actors.ReasonReset, Text: "full"})
			ctx.Stop(ctx.Self())
		}
		return
	}
	ctx.Send(c.root, m)
}

// Attach gives a node of a Static overlay a link.
type Attach struct{ Link actors.Link }

var attachKind = actors.RegisterMessage("mesh.attach", nil)

// Kind implements [actors.Message].
func (*Attach) Kind() actors.Kind { return attachKind }

// Append implements [actors.Message].
func (m *Attach) Append(b []byte) []byte { return actors.AppendString(b, m.Link.Remote().String()) }

// Static is the root of a node whose links are those that it was given.
type Static struct {
	App   App
	Peers []actors.Ref // that are up
}

// Receive implements [actors.Actor].
func (s *Static) Receive(ctx actors.Context, m actors.Message) {
	switch m := m.(type) {
	case *actors.Started:
	case *Attach:
		peer := ctx.Spawn("conn", &Conn{Link: m.Link})
		s.Peers = append(s.Peers, peer)
		s.App.Up(ctx, peer)
	case *actors.LinkDown:
		if i := slices.Index(s.Peers, ctx.Sender()); i >= 0 {
			s.Peers = slices.Delete(s.Peers, i, i+1)
			s.App.Down(ctx, ctx.Sender())
		}
	default:
		s.App.Receive(ctx, ctx.Sender(), m)
	}
}
