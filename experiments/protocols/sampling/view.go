package sampling

import (
	"slices"

	"peernet/actors"
)

// selectPeer returns whom to contact.
func (n *Node) selectPeer(ctx actors.Context) actors.Address {
	if n.Config.Tail {
		return n.View[oldest(n.View)].Peer
	}
	return n.View[ctx.Rand().IntN(len(n.View))].Peer
}

// buffer returns what to send, and leaves what was taken of the view at its head.
func (n *Node) buffer(ctx actors.Context) []Entry {
	ctx.Rand().Shuffle(len(n.View), func(i, j int) { n.View[i], n.View[j] = n.View[j], n.View[i] })
	n.moveOldest()
	half := n.Config.View / 2
	b := append(make([]Entry, 0, half), Entry{Peer: n.Self})
	return append(b, n.View[:min(half-1, len(n.View))]...)
}

// moveOldest moves the H oldest entries to the end of the view.
func (n *Node) moveOldest() {
	for end := len(n.View); end > max(0, len(n.View)-n.Config.Heal); end-- {
		i := oldest(n.View[:end])
		n.View[i], n.View[end-1] = n.View[end-1], n.View[i]
	}
}

// selectView makes the new view, of the one there is and what was received.
func (n *Node) selectView(ctx actors.Context, received []Entry) {
	for _, e := range received {
		n.merge(e)
	}
	n.removeOldest(min(n.Config.Heal, n.excess()))
	n.removeHead(min(n.Config.Swap, n.excess()))
	n.removeRandom(ctx, n.excess())
}

// excess is by how much the view is too long.
func (n *Node) excess() int { return max(0, len(n.View)-n.Config.View) }

// merge appends an entry, unless there is one of the peer that is not older.
func (n *Node) merge(e Entry) {
	if e.Peer == n.Self {
		return
	}
	if i := n.index(e.Peer); i >= 0 {
		if n.View[i].Age <= e.Age {
			return
		}
		n.View = slices.Delete(n.View, i, i+1)
	}
	n.View = append(n.View, e)
}

func (n *Node) removeOldest(count int) {
	for range count {
		i := oldest(n.View)
		n.View = slices.Delete(n.View, i, i+1)
	}
}

// removeHead removes the first entries, which are those sent last.
func (n *Node) removeHead(count int) { n.View = slices.Delete(n.View, 0, count) }

func (n *Node) removeRandom(ctx actors.Context, count int) {
	for range count {
		i := ctx.Rand().IntN(len(n.View))
		n.View = slices.Delete(n.View, i, i+1)
	}
}

func (n *Node) increaseAges() {
	for i := range n.View {
		n.View[i].Age++
	}
}

// index returns where a peer is in the view, -1 if it is not.
func (n *Node) index(peer actors.Address) int {
	return slices.IndexFunc(n.View, func(e Entry) bool { return e.Peer == peer })
}

// oldest returns the index of the oldest entry, the first of several.
func oldest(view []Entry) int {
	at := 0
	for i := range view {
		if view[i].Age > view[at].Age {
			at = i
		}
	}
	return at
}
