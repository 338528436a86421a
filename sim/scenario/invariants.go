package scenario

import (
	"fmt"
	"time"

	"peernet/actors"
	"peernet/actors/book"
	"peernet/actors/peer"
	"peernet/sim"
	"peernet/sim/result"
)

// The invariants: what must hold in every run, whatever happens.
const (
	// invariantBounds: every table is within its bound, and each node's state is
	// consistent (peer.Node.Check).
	invariantBounds = "bounded tables"
	// invariantLinks: what a node has in use is an open link, and what one end has in
	// use for longer than it takes to find out, the other end has too.
	invariantLinks = "symmetric links"
	// invariantOnce: no node receives a message twice while it recognises it.
	invariantOnce = "no delivery twice"
	// invariantHops: hop counts go up by one with each forwarding.
	invariantHops = "hop counts"
	// invariantRemoved: what a user removed stays so.
	invariantRemoved = "removed stays removed"
	// invariantCounters: connections that came up less those that went down are in use.
	invariantCounters = "counters add up"
	// invariantMemory: the heap is within checks.memory.
	invariantMemory = "memory"
)

var invariants = []string{invariantBounds, invariantLinks, invariantOnce, invariantHops, invariantRemoved, invariantCounters, invariantMemory}

// planInspection plans the looks at all nodes.
func (r *runner) planInspection() {
	s := r.scenario
	if !s.Checks.Invariants {
		return
	}
	r.onesided = map[linkEnd]onesided{}
	every := s.Checks.Every.Of(time.Duration(s.Duration))
	var look func()
	look = func() {
		if r.sim.Now() < time.Duration(s.Duration) { // the last look is behind the end
			r.inspect()
			r.sim.At(r.sim.Now()+every, look)
		}
	}
	r.sim.At(every, look)
}

// A linkEnd names a connection of a node.
type linkEnd struct {
	node   sim.NodeID
	starts uint32
	conn   actors.Ref
}

// onesided is since when, and in how many looks, only one end has a link in use.
type onesided struct {
	since time.Duration
	looks int
	seen  time.Duration
}

// looksMin is in how many looks a link must be found one-sided: it may be so for an
// instant while it opens, and while it closes.
const looksMin = 4

// onesidedMax is how long only one end of a link may have it in use: until it finds
// out by silence that the other end is gone, and a handshake that is not decided.
func (s *Scenario) onesidedMax() time.Duration {
	patience := time.Duration(s.KeepAlive) + 5*time.Duration(s.HelloTimeout) + 30*time.Second
	if s.modelled() { // what was sent may be under way for as long as it is retransmitted
		patience += time.Duration(s.Network.Retransmit) << s.Network.Attempts
	}
	queue := time.Duration(0)
	for i := range s.Classes {
		queue = max(queue, time.Duration(s.Classes[i].Queue))
	}
	return patience + 2*queue
}

// inspect looks at all honest nodes, between two of their steps.
func (r *runner) inspect() {
	for id := range sim.NodeID(r.scenario.Nodes) {
		if r.sim.IsLive(id) && r.roots[id] != nil {
			r.inspectNode(id)
		}
	}
	now := r.sim.Now()
	for end, o := range r.onesided {
		if o.seen != now {
			delete(r.onesided, end)
		}
	}
	r.inspectRemovals()
}

func (r *runner) inspectNode(id sim.NodeID) {
	now := actors.Time(r.sim.Now())
	root := r.roots[id]
	if err := root.Check(book.SecondsOf(r.sim.Clock(id))); err != nil {
		r.found.note(invariantBounds, id, now, "%v", err)
	}
	gossip := root.Gossip()
	if n := gossip.PeersInUse(); n != int(r.tracker.inUse[id]) {
		r.found.note(invariantCounters, id, now, "%d connections are in use; came up less went down are %d", n, r.tracker.inUse[id])
	}
	open := 0
	r.sim.Links(id, func(e sim.LinkEnd) {
		if _, ok := gossip.InUse(e.Owner); !ok {
			return
		}
		open++
		// Nodes of a static overlay do not find out who is gone.
		if r.scenario.Overlay != OverlayStatic && int(e.Peer) < r.scenario.Nodes && !r.holds(e.Peer, e.PeerOwner) {
			r.oneSided(linkEnd{id, r.members[id].starts, e.Owner}, e.Peer)
		}
	})
	// What ended a moment ago is still in use until the node handles it: nothing is
	// between two steps.
	if n := gossip.PeersInUse(); n != open {
		r.found.note(invariantLinks, id, now, "%d connections are in use, and %d of them are open links", n, open)
	}
}

// holds reports whether a node has a connection in use.
func (r *runner) holds(id sim.NodeID, conn actors.Ref) bool {
	if conn.IsZero() || !r.sim.IsLive(id) {
		return false
	}
	_, ok := r.roots[id].Gossip().InUse(conn)
	return ok
}

// oneSided notes that only one end has a link in use.
func (r *runner) oneSided(end linkEnd, other sim.NodeID) {
	now := r.sim.Now()
	o, before := r.onesided[end]
	if !before {
		o.since = now
	}
	o.looks++
	o.seen = now
	r.onesided[end] = o
	if limit := r.scenario.onesidedMax(); o.looks >= looksMin && now-o.since > limit {
		r.found.note(invariantLinks, end.node, actors.Time(now),
			"its connection %v to node %d has been in use at one end for %v, more than %v", end.conn, other, now-o.since, limit)
	}
}

// inspectRemovals looks for addresses that were removed, and are back.
func (r *runner) inspectRemovals() {
	for _, m := range r.removals {
		// Another start may have lost the removal, with its book.
		if !r.sim.IsLive(m.node) || r.members[m.node].starts != m.starts || r.sim.Now() == m.at {
			continue
		}
		if _, back := r.roots[m.node].Store().Book().Find(m.address); back {
			r.found.note(invariantRemoved, m.node, actors.Time(r.sim.Now()), "%v, removed at %v, is in the book", m.address, m.at)
		}
	}
}

// inspectHops checks how the first receipts of each message are distributed: at each
// hop count, there are at most fan-out times as many as at the one before, as each
// node forwards once.
func (r *runner) inspectHops() {
	if r.scenario.lies() || r.tracker.heard.none() {
		return
	}
	fanout := uint64(r.scenario.Fanout)
	if int(r.scenario.Fanout) == peer.FanoutAll {
		fanout = uint64(r.config.Connections + r.config.InboundMax)
	}
	for i := range r.tracker.messages {
		m := &r.tracker.messages[i]
		got := r.tracker.reached(i)
		most := uint64(m.peers)
		for h, n := range got.byHops {
			if h == byHopsMax-1 {
				break
			}
			if uint64(n) > most {
				r.found.note(invariantHops, m.origin, m.sent, "message %d reached %d nodes after %d forwardings, where at most %d are possible", i, n, h, most)
			}
			most = uint64(n) * fanout
		}
	}
}

// checkInvariants returns a check for each invariant.
func (r *runner) checkInvariants(heapPerNode float64) (list []result.Check) {
	if !r.scenario.Checks.Invariants {
		return nil
	}
	r.inspect()
	r.inspectHops()
	found := r.found
	for _, name := range invariants {
		for i := range r.tracker.shards {
			if v, ok := r.tracker.shards[i].found[name]; ok {
				found.note(name, v.node, v.at, "%s", v.detail)
			}
		}
	}
	most := r.scenario.Checks.Memory
	if most > 0 && heapPerNode > float64(most) {
		found.note(invariantMemory, 0, actors.Time(r.sim.Now()), "%.0f bytes of heap per node, more than checks.memory, %d", heapPerNode, most)
	}
	for _, name := range invariants {
		if name == invariantMemory && most == 0 {
			continue
		}
		v, broken := found[name]
		c := result.Check{Name: name, Kind: result.KindInvariant, OK: !broken}
		if broken {
			node, at := uint32(v.node), time.Duration(v.at).Seconds()
			c.Detail, c.Node, c.AtS = v.detail, &node, &at
		} else {
			c.Unchecked, c.Detail = r.unchecked(name)
		}
		list = append(list, c)
	}
	return list
}

// unchecked reports whether nobody looked whether an invariant holds, and why, or what
// could not be seen.
func (r *runner) unchecked(name string) (bool, string) {
	s := r.scenario
	switch name {
	case invariantOnce, invariantHops:
		if n := s.requests(); n > 0 && r.tracker.heard.none() {
			return true, fmt.Sprintf("%d requests to %d nodes are more than the %d receipts that are watched", n, s.Nodes, heardMax)
		}
	case invariantLinks:
		if s.Overlay == OverlayStatic {
			return false, "nodes of a static overlay do not find out who is gone: that a link is in use at one end alone is no failure"
		}
		limit, every := s.onesidedMax(), s.Checks.Every.Of(time.Duration(s.Duration))
		if r.sim.Now() < limit+looksMin*every {
			return false, fmt.Sprintf("links in use at one end alone are found in runs longer than %v", limit+looksMin*every)
		}
	}
	return false, ""
}
