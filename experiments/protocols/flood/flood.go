// Package flood is dissemination over the links of an overlay, with suppression of
// duplicates: who hears a message for the first time sends it to its neighbours, but not to
// the one that it came from. That is flooding, the eager push of Leitão,
// Pereira and Rodrigues, "Epidemic broadcast trees" (2007), and what their "HyParView"
// (2007) runs over its active views.
//
// # What it guarantees
//
// In a connected overlay of N nodes and E symmetric links on which nothing is lost, a flood
// reaches all nodes with 2E − (N−1) messages: each link carries the message both ways, but
// for those N−1 by which it came first. Copies that cross on a link count twice.
package flood

import (
	"slices"

	"peernet/actors"
	"peernet/experiments/protocols/gossip"
)

// A Node is the App. The user sends a *gossip.Rumor of no hops to begin a message.
type Node struct {
	// Echo sends to the one that a message came from too, which is wrong.
	Echo bool

	// Hops is as in gossip.Node; Sent counts messages sent.
	Hops []uint16
	Sent uint64

	peers []actors.Ref
}

// Up implements [mesh.App].
func (n *Node) Up(_ actors.Context, peer actors.Ref) { n.peers = append(n.peers, peer) }

// Down implements [mesh.App].
func (n *Node) Down(_ actors.Context, peer actors.Ref) {
	if i := slices.Index(n.peers, peer); i >= 0 {
		n.peers = slices.Delete(n.peers, i, i+1)
	}
}

// Heard reports whether a message got here.
func (n *Node) Heard(number int) bool { return number < len(n.Hops) && n.Hops[number] > 0 }

// Receive implements [mesh.App].
func (n *Node) Receive(ctx actors.Context, from actors.Ref, m actors.Message) {
	r, ok := m.(*gossip.Rumor)
	switch {
	case !ok:
		return
	case n.Heard(int(r.Number)):
		ctx.Emit(actors.Event{Kind: gossip.EventDuplicate, Message: r})
		return
	}
	ctx.Emit(actors.Event{Kind: gossip.EventHeard, Message: r})
	for len(n.Hops) <= int(r.Number) {
		n.Hops = append(n.Hops, 0)
	}
	n.Hops[r.Number] = r.Hops + 1
	next := &gossip.Rumor{Number: r.Number, Hops: r.Hops + 1}
	for _, peer := range n.peers {
		if peer == from && !n.Echo {
			continue
		}
		n.Sent++
		ctx.Send(peer, next)
	}
}
