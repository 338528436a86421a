// Package sampling is the peer-sampling framework of Jelasity, Voulgaris, Guerraoui,
// Kermarrec and van Steen, "Gossip-based peer sampling" (ACM TOCS 25(3), 2007), section 2:
// nodes know a few others each, their view, and keep mixing their views, so that a view is
// a sample of the network.
//
// In each cycle a node selects a peer of its view, and the two exchange half of their
// views, each with itself as a fresh entry. The instances of the framework differ in which
// peer is selected (a random one, or the tail, that is the oldest), in whether the peer
// answers (push-pull) or not (push), and in what is dropped of a view that has become too
// long: first up to H of the oldest entries (healing), then up to S of those that were
// sent (swap), then random ones. With views of c, H=0 and S=0 is called blind, H=c/2 the
// healer, and S=c/2 the swapper.
//
// # What it guarantees
//
//   - A view has at most c entries, of distinct peers, and not of the node itself.
//   - What is sent is the node itself, with age 0, and c/2−1 random entries of its view.
//     The H oldest come last: they are sent only where there are too few others.
//   - Of two entries of a peer the younger stays; of the same age, the one that was there.
//   - Ages grow by one after each exchange that a node has part in, whoever began it.
//
// # What the paper leaves open
//
//   - A peer that does not answer. A node waits for the answer until its next turn; then
//     the ages grow, and the peer stays in the view, as nothing in the paper's algorithm
//     takes it out. With Config.Drop it is taken out, as in CYCLON.
//   - The order within a cycle. The paper simulates cycles in which the nodes have their
//     turns one after the other, in random order, and exchanges do not overlap. Here a
//     node has its turn at a uniform time of the round, within Config.Spread of its start:
//     a random order, in which few exchanges overlap if messages take much less than that.
//     With a Spread of 0 all nodes begin at once; with a Config.Period there are no
//     rounds, and each node keeps time for itself, from a random phase on.
//   - Exchanges that overlap. A request that comes while an answer is awaited is answered
//     at once. What counts as sent for S is then the last buffer, not the one the answer
//     is for. An answer that comes after the next turn began is dropped.
//   - An entry of the node itself, in what it receives, is dropped; and of several entries
//     of the same age, the first in the view counts as the oldest.
package sampling

import (
	"slices"
	"time"

	"peernet/actors"
)

// A Config is an instance of the framework.
type Config struct {
	View int  // c: entries of a view, even, from 2 to 2·EntriesMax
	Heal int  // H: how many of the oldest entries go first, from 0 to c/2
	Swap int  // S: how many of those sent go next, from 0 to c/2−H
	Tail bool // the peer is the oldest entry, not a random one
	Push bool // the peer does not answer: push instead of push-pull
	Drop bool // a peer that has not answered by the next turn leaves the view

	// Spread is how long after the start of a round a node may have its turn; 0 is at the
	// start. A round has to be longer, by what a message and its answer take.
	Spread time.Duration
	// Period is the time between turns, on hosts without rounds, with a random phase; 0
	// is to go by rounds.
	Period time.Duration
}

// An Entry is what a view says of a peer.
type Entry struct {
	Peer actors.Address
	Age  uint32 // in exchanges, since the peer sent it
}

// A Node is the actor. It starts with the peers that it knows in View.
type Node struct {
	Config *Config
	Self   actors.Address
	View   []Entry

	Turns      uint64 // exchanges that it began
	Unanswered uint64 // of those, the ones whose peer did not answer by the next turn

	partner actors.Address // whose answer is awaited, zero if none is
}

// Receive implements [actors.Actor].
func (n *Node) Receive(ctx actors.Context, m actors.Message) {
	switch m := m.(type) {
	case *actors.Started:
		if n.Config.Period > 0 {
			ctx.After(within(ctx, n.Config.Period), turn)
		}
	case *actors.Round:
		switch {
		case n.Config.Period > 0: // it keeps time for itself
		case n.Config.Spread > 0:
			ctx.After(within(ctx, n.Config.Spread), turn)
		default:
			n.begin(ctx)
		}
	case *Turn:
		n.begin(ctx)
		if n.Config.Period > 0 {
			ctx.After(n.Config.Period, turn)
		}
	case *actors.Datagram:
		switch p := m.Payload.(type) {
		case *Request:
			n.requested(ctx, m.From, p.Entries)
		case *Answer:
			n.answered(ctx, m.From, p.Entries)
		}
	}
}

// within draws a time from 0 to less than d.
func within(ctx actors.Context, d time.Duration) time.Duration {
	return time.Duration(ctx.Rand().Int64N(int64(d)))
}

// begin is the active thread of the paper, up to where it waits for the answer.
func (n *Node) begin(ctx actors.Context) {
	n.giveUp()
	if len(n.View) == 0 {
		return
	}
	n.Turns++
	peer := n.selectPeer(ctx)
	send(ctx, peer, &Request{n.buffer(ctx)})
	if n.Config.Push {
		n.increaseAges()
		return
	}
	n.partner = peer
}

// answered is the rest of the active thread.
func (n *Node) answered(ctx actors.Context, from actors.Address, received []Entry) {
	if from != n.partner || from.IsZero() {
		return
	}
	n.partner = actors.Address{}
	n.selectView(ctx, received)
	n.increaseAges()
}

// giveUp ends an exchange whose answer did not come.
func (n *Node) giveUp() {
	if n.partner.IsZero() {
		return
	}
	if i := n.index(n.partner); i >= 0 && n.Config.Drop {
		n.View = slices.Delete(n.View, i, i+1)
	}
	n.partner = actors.Address{}
	n.Unanswered++
	n.increaseAges()
}

// requested is the passive thread of the paper.
func (n *Node) requested(ctx actors.Context, from actors.Address, received []Entry) {
	if !n.Config.Push {
		send(ctx, from, &Answer{n.buffer(ctx)})
	}
	n.selectView(ctx, received)
	n.increaseAges()
}

func send(ctx actors.Context, to actors.Address, m actors.Message) {
	ctx.(actors.Datagrams).SendTo(to, m)
}
