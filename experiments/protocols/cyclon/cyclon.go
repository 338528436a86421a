// Package cyclon is the membership protocol of Voulgaris, Gavidia and van Steen, "CYCLON:
// inexpensive membership management for unstructured P2P overlays" (2005): enhanced
// shuffling (section 3.2) and joining by random walks (section 3.3).
//
// Each node keeps a view of at most c others, with the age of each entry. Once in a cycle
// it takes the oldest out of its view and exchanges entries with it.
//
// # What it guarantees
//
//   - A view has no repeats and not the node itself, and at most Config.View entries.
//   - An exchange gives away no entry that nobody keeps: what is replaced was sent to the
//     partner, whose answer takes its place. The entry of the partner is replaced by one
//     of age 0 for the initiator, at the partner, unless that has one. Only peers that
//     both had may be lost: each sends its entry, drops the other's as known, and replaces
//     its own.
//   - The entry of a partner that does not answer is gone: so dead nodes are forgotten.
//   - A node that joins through a contact gets as many entries as walks come to an end,
//     each taken from where a walk ended, whose entry it replaces: the in-degrees of others
//     stay as they are. An entry that comes to it twice is dropped the second time.
//
// # What the paper leaves open
//
// A walk that ends where there is room replaces nothing: the joining node gets an entry
// for the node itself then. A walk that ends at the joining node, or where that is known,
// is lost. Nodes begin to shuffle when they are told to (Begin), each at a phase of its
// own, so that an experiment can have all of them join first.
package cyclon

import (
	"math/rand/v2"
	"slices"
	"time"

	"peernet/actors"
	"peernet/experiments/protocols/gossip"
)

// A Config is shared by the nodes of a network.
type Config struct {
	View    int           // c: entries that a node keeps, at most EntriesMax
	Shuffle int           // l: entries that an exchange sends, from 1 to View
	Walk    int           // hops of the random walks of a join
	Period  time.Duration // of the cycles
}

// An Entry is a peer in a view.
type Entry struct {
	Peer actors.Address
	Age  uint32 // in cycles
}

// A Node is the actor, the root of its node or of what that hands on; see package gossip.
type Node struct {
	Config  *Config
	Self    actors.Address
	Contact actors.Address // to join through; none for the first

	View   []Entry
	Cycles int // that were begun

	left   int              // cycles that are to come
	sent   []actors.Address // of the exchange that was begun last
	serial uint32           // of that exchange
}

// Receive implements [actors.Actor].
func (n *Node) Receive(ctx actors.Context, m actors.Message) {
	switch m := m.(type) {
	case *actors.Started:
		if !n.Contact.IsZero() {
			send(ctx, n.Contact, &Join{})
		}
	case *Begin:
		n.left = int(m.Cycles)
		if n.left > 0 {
			ctx.After(time.Duration(ctx.Rand().Int64N(int64(n.Config.Period))), tick)
		}
	case *Tick:
		if n.left--; n.left > 0 {
			ctx.After(n.Config.Period, tick)
		}
		n.shuffle(ctx)
	case *actors.Datagram:
		n.arrived(ctx, m.From, m.Payload)
	}
}

func (n *Node) arrived(ctx actors.Context, from actors.Address, m actors.Message) {
	switch m := m.(type) {
	case *Join:
		for range n.Config.View {
			n.walk(ctx, &Walk{Joining: from, Hops: uint32(n.Config.Walk)})
		}
	case *Walk:
		n.walk(ctx, m)
	case *Given:
		n.merge([]Entry{m.Entry}, nil)
	case *Shuffle:
		reply := n.pick(ctx.Rand(), n.Config.Shuffle)
		send(ctx, from, &Reply{Serial: m.Serial, Entries: reply})
		n.merge(m.Entries, peersOf(reply))
	case *Reply:
		if m.Serial == n.serial {
			n.merge(m.Entries, n.sent)
			n.sent = nil
		}
	}
}

// shuffle begins an exchange with the oldest peer.
func (n *Node) shuffle(ctx actors.Context) {
	n.Cycles++
	if len(n.View) == 0 {
		return
	}
	oldest := 0
	for i := range n.View {
		n.View[i].Age++
		if n.View[i].Age > n.View[oldest].Age {
			oldest = i
		}
	}
	partner := n.View[oldest].Peer
	n.remove(oldest)
	others := n.pick(ctx.Rand(), n.Config.Shuffle-1)
	n.sent = peersOf(others)
	n.serial++
	send(ctx, partner, &Shuffle{Serial: n.serial, Entries: append(others, Entry{Peer: n.Self})})
}

// merge takes in entries that are new: in free places, then in those of the peers that
// were sent away.
func (n *Node) merge(entries []Entry, sent []actors.Address) {
	for _, e := range entries {
		if e.Peer == n.Self || n.index(e.Peer) >= 0 {
			continue
		}
		if len(n.View) < n.Config.View {
			n.View = append(n.View, e)
			continue
		}
		for len(sent) > 0 {
			i := n.index(sent[0])
			sent = sent[1:]
			if i >= 0 {
				n.View[i] = e
				break
			}
		}
	}
}

// walk is where the random walk of a join is.
func (n *Node) walk(ctx actors.Context, m *Walk) {
	if m.Hops > 0 && len(n.View) > 0 {
		send(ctx, n.View[ctx.Rand().IntN(len(n.View))].Peer, &Walk{Joining: m.Joining, Hops: m.Hops - 1})
		return
	}
	if m.Joining == n.Self || n.index(m.Joining) >= 0 {
		return
	}
	given := Entry{Peer: n.Self}
	if len(n.View) == n.Config.View {
		i := ctx.Rand().IntN(len(n.View))
		given = n.View[i]
		n.remove(i)
	}
	n.View = append(n.View, Entry{Peer: m.Joining})
	send(ctx, m.Joining, &Given{given})
}

// pick returns up to k entries of the view, uniformly drawn without repeats.
func (n *Node) pick(r *rand.Rand, k int) []Entry {
	k = min(k, len(n.View))
	for i := range k { // the first k places of a random permutation
		j := i + r.IntN(len(n.View)-i)
		n.View[i], n.View[j] = n.View[j], n.View[i]
	}
	return append(make([]Entry, 0, k+1), n.View[:k]...)
}

// Sample implements [gossip.Sampler].
func (n *Node) Sample(r *rand.Rand, k int, peers []actors.Address) []actors.Address {
	return gossip.View(peersOf(n.View)).Sample(r, k, peers)
}

func (n *Node) index(peer actors.Address) int {
	return slices.IndexFunc(n.View, func(e Entry) bool { return e.Peer == peer })
}

// remove takes out an entry; the order of a view means nothing.
func (n *Node) remove(i int) {
	last := len(n.View) - 1
	n.View[i] = n.View[last]
	n.View = n.View[:last]
}

func peersOf(entries []Entry) []actors.Address {
	peers := make([]actors.Address, len(entries))
	for i, e := range entries {
		peers[i] = e.Peer
	}
	return peers
}

func send(ctx actors.Context, to actors.Address, m actors.Message) {
	ctx.(actors.Datagrams).SendTo(to, m)
}
