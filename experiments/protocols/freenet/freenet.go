// Package freenet is the routing of Freenet: Clarke, Sandberg, Wiley, Hong, "Freenet: a
// distributed anonymous information storage and retrieval system" (2000), section 3.
//
// A node forwards a request for a key to the node that its routing table has under the
// closest key. What is found goes back the way that the request came, hop by hop, and each
// node of that way caches it, and enters where it was found into its routing table: so
// nodes become known for keys that are close to each other, and paths become short.
//
// # What it guarantees
//
//   - A request takes at most as many hops as it was given (hops to live, HTL), those into
//     dead ends included: a dead end gives back what is left.
//   - No node handles a request twice: it refuses the second time, and the other tries its
//     next closest. So there are no loops.
//   - A reply takes the hops of the request's path in reverse, without its dead ends, and
//     no others. If a node of it is gone, the reply is lost.
//   - Stores and routing tables are bounded, and the least recently used goes.
//
// # What the paper leaves open
//
//   - Closeness: keys are numbers, and close if their difference is small.
//   - Which hops count: those that a node accepted. A hop to a node that is down or refuses
//     costs nothing.
//   - How a node learns that another is down: it does not acknowledge within
//     Config.Timeout. It stays in the table.
//   - Who is named as the source, of a reply the node that had the data, of an insert who
//     inserted: the paper lets any node of the way name itself instead, to those behind
//     it; each does with a chance of one in Config.Rename, 0 is never.
//   - How newcomers become known: by an announcement that takes a random walk, whose nodes
//     enter the newcomer under the key of its address. The paper has them agree on a
//     random key, so that nobody can choose one.
//   - A request that is a probe is to measure: nobody caches or learns from it.
//
// An insert is one message that carries the data, and not a query first and the data
// after it; a node that has the key already answers as to a request. Keys are not hashed,
// data have no content, nothing is encrypted.
package freenet

import (
	"time"

	"peernet/actors"
)

// A Key is where data are in the space of keys.
type Key uint64

// distance is how far two keys are apart.
func distance(a, b Key) uint64 {
	if a < b {
		return uint64(b - a)
	}
	return uint64(a - b)
}

// KeyOf is the key that the address of a node stands for.
func KeyOf(a actors.Address) Key { return Key(actors.Sum([]byte(a.String()))) }

// A Config is a variant. It is shared by nodes, and not changed.
type Config struct {
	Store   int           // data that a node stores
	Table   int           // entries of a routing table
	Timeout time.Duration // that an acknowledgement may take; more than a round trip
	Rename  int           // see the package's comment
	Random  bool          // forwards to a random entry, not to the closest
	Seen    int           // requests that a node remembers, to refuse them
	Fetch   time.Duration // what reading data from the store takes
}

// A Result is what came of a request or insert that this node's user made.
type Result struct {
	ID    uint64
	Found bool // for an insert: all hops were taken
	// Hops is how many the request took in all, Depth the length of its path to where
	// it ended, Reply how many hops the reply took.
	Hops, Depth, Reply uint32
	Source             actors.Address // of the reply
}

// A Node is the actor.
type Node struct {
	Config  *Config
	Self    actors.Address
	Store   Store
	Table   Table
	Results []Result // of what was started here, in the order in which they ended
	Lost    int      // replies that had nowhere to go
	Refused int      // requests that came twice

	pending []*pending
	seen    []uint64 // the last requests, a ring
	at      int
}

// A pending request waits for what is behind it.
type pending struct {
	request  Request
	from     actors.Address // zero for the user of this node
	next     actors.Address
	accepted bool
	tried    []actors.Address
	timer    actors.Timer
}

// Receive implements [actors.Actor].
func (n *Node) Receive(ctx actors.Context, m actors.Message) {
	switch m := m.(type) {
	case *Know:
		for _, a := range m.Nodes {
			n.Table.Learn(KeyOf(a), a, n.Config.Table)
		}
	case *Start:
		r := m.Request
		if r.Insert {
			r.Source = n.Self
		}
		n.request(ctx, actors.Address{}, r)
	case *Join:
		n.Table.Learn(KeyOf(m.By), m.By, n.Config.Table)
		send(ctx, m.By, &Announce{n.Self, m.HTL})
	case *fetched:
		if p := n.find(m.id); p != nil {
			n.found(ctx, p)
		}
	case *silence:
		if p := n.find(m.id); p != nil && !p.accepted && p.next == m.next {
			n.forward(ctx, p) // it is down: the next closest
		}
	case *actors.Datagram:
		n.arrived(ctx, m.From, m.Payload)
	}
}

func (n *Node) arrived(ctx actors.Context, from actors.Address, m actors.Message) {
	switch m := m.(type) {
	case *Request:
		n.request(ctx, from, *m)
		return
	case *Announce:
		n.announced(ctx, *m)
		return
	}
	answer, ok := m.(Answer)
	if !ok {
		return
	}
	p := n.find(answer.Of())
	if p == nil || p.next != from {
		n.Lost++
		return
	}
	ctx.Cancel(p.timer)
	switch m := m.(type) {
	case *Accepted:
		p.accepted = true
	case *Refused:
		n.forward(ctx, p)
	case *Failed: // a dead end, or no hops are left
		p.request.HTL, p.request.Hops = m.HTL, m.Hops
		n.forward(ctx, p)
	case *Data:
		n.reply(ctx, p, *m)
	}
}

// request handles a request from a neighbour or the user.
func (n *Node) request(ctx actors.Context, from actors.Address, r Request) {
	if n.repeated(r.ID) {
		n.Refused++
		send(ctx, from, &Refused{r.ID})
		return
	}
	if !from.IsZero() {
		send(ctx, from, &Accepted{r.ID})
	}
	p := &pending{request: r, from: from}
	n.pending = append(n.pending, p)
	switch {
	case !n.Store.Has(r.Key, !r.Probe) && (!r.Insert || r.HTL > 0):
		n.forward(ctx, p)
	case n.Config.Fetch > 0:
		ctx.After(n.Config.Fetch, &fetched{r.ID})
	default:
		n.found(ctx, p)
	}
}

// found answers a request from this node's store, or as the last that stores an insert.
func (n *Node) found(ctx actors.Context, p *pending) {
	r := p.request
	n.reply(ctx, p, Data{ID: r.ID, Source: n.Self, Stored: !n.Store.Has(r.Key, false), Hops: r.Hops, Depth: r.Depth})
}

// announced enters a newcomer into the table, and passes the word on to a random node.
func (n *Node) announced(ctx actors.Context, m Announce) {
	next := n.Table.Any(ctx.Rand(), func(a actors.Address) bool { return a == n.Self || a == m.Node })
	n.Table.Learn(KeyOf(m.Node), m.Node, n.Config.Table)
	if m.HTL--; m.HTL > 0 && !next.IsZero() {
		send(ctx, next, &m)
	}
}

// forward sends a request on to the closest that was not tried, or back as failed.
func (n *Node) forward(ctx actors.Context, p *pending) {
	p.accepted, p.next = false, actors.Address{}
	if p.request.HTL > 0 {
		p.next = n.choose(ctx, p)
	}
	if p.next.IsZero() {
		n.fail(ctx, p)
		return
	}
	p.tried = append(p.tried, p.next)
	r := p.request
	r.HTL, r.Hops, r.Depth = r.HTL-1, r.Hops+1, r.Depth+1
	if r.Insert {
		r.Source = n.rename(ctx, r.Source)
	}
	send(ctx, p.next, &r)
	p.timer = ctx.After(n.Config.Timeout, &silence{r.ID, p.next})
}

func (n *Node) choose(ctx actors.Context, p *pending) actors.Address {
	skip := func(a actors.Address) bool {
		if a == n.Self || a == p.from {
			return true
		}
		for _, t := range p.tried {
			if a == t {
				return true
			}
		}
		return false
	}
	if n.Config.Random {
		return n.Table.Any(ctx.Rand(), skip)
	}
	return n.Table.Closest(p.request.Key, !p.request.Probe, skip)
}

// fail gives a request back to who sent it.
func (n *Node) fail(ctx actors.Context, p *pending) {
	n.drop(p)
	r := p.request
	switch {
	case p.from.IsZero():
		n.Results = append(n.Results, Result{ID: r.ID, Hops: r.Hops})
	default:
		send(ctx, p.from, &Failed{r.ID, r.HTL, r.Hops})
	}
}

// reply takes in what was found, or that an insert ended, and passes it back.
func (n *Node) reply(ctx actors.Context, p *pending, d Data) {
	n.drop(p)
	r := p.request
	if !r.Probe {
		source := d.Source
		if d.Stored {
			source = r.Source
		}
		n.Store.Put(r.Key, n.Config.Store)
		if source != n.Self {
			n.Table.Learn(r.Key, source, n.Config.Table)
		}
		d.Source = n.rename(ctx, d.Source)
	}
	if p.from.IsZero() {
		n.Results = append(n.Results, Result{r.ID, true, d.Hops, d.Depth, d.Back, d.Source})
		return
	}
	d.Back++
	send(ctx, p.from, &d)
}

// rename returns the source that is named to the next node.
func (n *Node) rename(ctx actors.Context, source actors.Address) actors.Address {
	if n.Config.Rename > 0 && ctx.Rand().IntN(n.Config.Rename) == 0 {
		return n.Self
	}
	return source
}

// repeated reports whether a request came before, and remembers it.
func (n *Node) repeated(id uint64) bool {
	for _, s := range n.seen {
		if s == id {
			return true
		}
	}
	if len(n.seen) < n.Config.Seen {
		n.seen = append(n.seen, id)
		return false
	}
	n.seen[n.at] = id
	n.at = (n.at + 1) % n.Config.Seen
	return false
}

func (n *Node) find(id uint64) *pending {
	for _, p := range n.pending {
		if p.request.ID == id {
			return p
		}
	}
	return nil
}

func (n *Node) drop(p *pending) {
	for i, q := range n.pending {
		if q == p {
			last := len(n.pending) - 1
			n.pending[i], n.pending[last] = n.pending[last], nil
			n.pending = n.pending[:last]
			return
		}
	}
}

func send(ctx actors.Context, to actors.Address, m actors.Message) {
	ctx.(actors.Datagrams).SendTo(to, m)
}
