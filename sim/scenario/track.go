package scenario

import (
	"fmt"
	"time"

	"peernet/actors"
	"peernet/actors/peer"
	"peernet/actors/wire"
	"peernet/sim"
)

// Types of the requests that a workload sends.
const (
	typeAnnounce = "announce"
	typeSearch   = "search"
)

// A message is one request of the workload.
type message struct {
	search bool
	sent   actors.Time
	origin sim.NodeID
	alive  int // honest nodes at that time
	peers  int // connections of the origin in use
	// hopsMax is how often it may be forwarded.
	hopsMax uint32
}

// A tracker observes what becomes of the workload's messages. Between two
// barriers of the simulation, messages and index are only read, and each shard
// is written by one worker; what is kept by node is written by who runs the node.
type tracker struct {
	honest   int // nodes; those after them are adversaries
	messages []message
	index    map[string]int // by the ID of the request
	members  []member       // when each node started
	allThere actors.Time    // no node starts later
	inUse    []int32        // connections that each node says came up, less those that went down
	next     message        // what the next EventAnnounced belongs to
	detailed bool           // distributions are kept for each message
	life     actors.Time    // how long a node recognises a duplicate, at least
	lies     bool           // there are adversaries that change hop counts
	heard    heard
	shards   []shard
}

// A shard is what one worker saw.
type shard struct {
	perMessage []reach
	hops       sim.Histogram
	latency    sim.Histogram // in microseconds
	copies     uint64        // deliveries of announces, duplicates included
	throttled  uint64
	found      violations
	_          [64]byte // keeps shards in different cache lines
}

// reach is where one message came.
type reach struct {
	nodes   uint64 // besides the origin
	replies uint64
	copies  uint64
	byHops  []uint32      // first receipts, by the hops of the frame, the last for all beyond
	hops    sim.Histogram // if detailed, of those that count as reached
	latency sim.Histogram // likewise, in microseconds
}

// byHopsMax bounds the hop counts that are told apart.
const byHopsMax = 64

// A violation is where an invariant does not hold.
type violation struct {
	detail string
	node   sim.NodeID
	at     actors.Time
}

// violations are the first of each invariant that does not hold, by its name.
type violations map[string]violation

// note keeps a violation if it comes before the one of that invariant found so far.
func (v *violations) note(name string, node sim.NodeID, at actors.Time, format string, args ...any) {
	if first, ok := (*v)[name]; ok && (first.at < at || first.at == at && first.node <= node) {
		return
	}
	if *v == nil {
		*v = violations{}
	}
	(*v)[name] = violation{fmt.Sprintf(format, args...), node, at}
}

func newTracker(s *Scenario, members []member, workers int, detailed bool) *tracker {
	t := &tracker{
		honest: s.Nodes, index: map[string]int{}, shards: make([]shard, workers),
		members: members, inUse: make([]int32, s.Nodes), detailed: detailed,
		// Clocks may run a tenth too fast.
		life: actors.Time(s.PeerConfig().RouteLife) / 10 * 9, lies: s.lies(),
	}
	if s.Checks.Invariants {
		t.heard = newHeard(s)
	}
	return t
}

// Observe implements [sim.Observer].
func (t *tracker) Observe(shard int, node sim.NodeID, at actors.Time, e actors.Event) {
	if int(node) >= t.honest {
		return
	}
	switch e.Kind {
	case peer.EventDuplicate, peer.EventHopsExceeded:
		if f := e.Message.(*wire.Frame); !f.Response && (f.Body.Type == typeAnnounce || f.Body.Type == typeSearch) {
			s := &t.shards[shard]
			if f.Body.Type == typeAnnounce {
				s.copies++
			}
			i, ok := t.index[f.Body.ID]
			if t.detailed && ok {
				s.at(i).copies++
			}
			if ok && e.Kind == peer.EventHopsExceeded && !t.lies && !t.heard.none() {
				s.found.note(invariantHops, node, at, "message %d was forwarded %d times, and sent on", i, f.Hops)
			}
		}
	case peer.EventThrottled, peer.EventQuota:
		t.shards[shard].throttled++
	case peer.EventRequest:
		t.onRequest(&t.shards[shard], node, at, e.Message.(*wire.Frame))
	case peer.EventResponse:
		if i, ok := t.index[e.Message.(*wire.Frame).Body.Reply]; ok {
			t.shards[shard].at(i).replies++
		}
	case peer.EventPeerUp:
		t.inUse[node]++
	case peer.EventPeerDown:
		t.inUse[node]--
	case peer.EventAnnounced:
		// The world announces between two windows.
		t.index[e.Message.(*wire.Frame).Body.ID] = len(t.messages)
		t.messages = append(t.messages, t.next)
	}
}

func (t *tracker) onRequest(s *shard, node sim.NodeID, at actors.Time, f *wire.Frame) {
	i, ok := t.index[f.Body.ID]
	if !ok {
		return
	}
	m := &t.messages[i]
	r := s.at(i)
	r.copies++
	if !m.search {
		s.copies++
	}
	if again := t.invariants(s, i, node, at, f); again || node == m.origin {
		return // it is reached already
	}
	if m.sent < t.allThere && t.started(node) > m.sent {
		return // it came later
	}
	r.nodes++
	hops, late := uint64(f.Hops)+1, uint64(at.Sub(m.sent)/time.Microsecond)
	if !m.search {
		s.hops.Add(hops)
		s.latency.Add(late)
	}
	if t.detailed {
		r.hops.Add(hops)
		r.latency.Add(late)
	}
}

// invariants checks what a first receipt must fulfil, and reports whether the node had
// received the message before, and forgotten it.
func (t *tracker) invariants(s *shard, i int, node sim.NodeID, at actors.Time, f *wire.Frame) bool {
	if t.heard.none() {
		return false
	}
	r := s.at(i)
	if r.byHops == nil {
		r.byHops = make([]uint32, byHopsMax)
	}
	r.byHops[min(f.Hops, byHopsMax-1)]++
	m := &t.messages[i]
	if f.Hops > m.hopsMax {
		s.found.note(invariantHops, node, at, "message %d was forwarded %d times, at most %d are permitted", i, f.Hops, m.hopsMax)
	}
	if m.origin == node && t.started(node) <= m.sent && at-m.sent < t.life {
		s.found.note(invariantOnce, node, at, "message %d is delivered to its origin", i)
	}
	before, again := t.heard.again(t, node, i, at)
	if again && at-before < t.life {
		s.found.note(invariantOnce, node, at, "message %d is delivered again, %v after the first time", i, at-before)
	}
	return again
}

// started is when a node started.
func (t *tracker) started(node sim.NodeID) actors.Time { return actors.Time(t.members[node].started) }

func (s *shard) at(i int) *reach {
	for len(s.perMessage) <= i {
		s.perMessage = append(s.perMessage, reach{})
	}
	return &s.perMessage[i]
}

// reached sums up where message i came.
func (t *tracker) reached(i int) (r reach) {
	for k := range t.shards {
		s := &t.shards[k]
		if i >= len(s.perMessage) {
			continue
		}
		p := &s.perMessage[i]
		r.nodes += p.nodes
		r.replies += p.replies
		r.copies += p.copies
		r.hops.Merge(&p.hops)
		r.latency.Merge(&p.latency)
		if r.byHops == nil && p.byHops != nil {
			r.byHops = make([]uint32, byHopsMax)
		}
		for h, n := range p.byHops {
			r.byHops[h] += n
		}
	}
	return r
}

// heard remembers which node received which message, and when: a bit each where that
// is enough.
type heard struct {
	perNode int
	bits    []uint64
	times   []uint32 // milliseconds, plus one
}

// heardMax bounds the pairs of nodes and messages that are watched.
const heardMax = 1 << 28

func newHeard(s *Scenario) heard {
	n := s.requests()
	switch {
	case n == 0 || n > heardMax/s.Nodes:
		return heard{}
	case s.undisturbed():
		h := heard{perNode: (n + 63) / 64}
		h.bits = make([]uint64, h.perNode*s.Nodes)
		return h
	}
	return heard{perNode: n, times: make([]uint32, n*s.Nodes)}
}

// undisturbed reports whether no node starts twice and no message is held up for long.
func (s *Scenario) undisturbed() bool {
	return !s.modelled() && len(s.Classes) == 0 && len(s.Faults) == 0 && len(s.Adversaries) == 0 &&
		!s.Churn.Session.set() && s.Churn.Trace == ""
}

func (h *heard) none() bool { return h.perNode == 0 }

// again notes that a node receives a message, and returns when it did before, since it
// started.
func (h *heard) again(t *tracker, node sim.NodeID, i int, at actors.Time) (before actors.Time, again bool) {
	if h.bits != nil {
		word, bit := &h.bits[int(node)*h.perNode+i/64], uint64(1)<<(i%64)
		again = *word&bit != 0
		*word |= bit
		return at, again
	}
	cell := &h.times[int(node)*h.perNode+i]
	before, again = actors.Time(*cell-1)*actors.Millisecond, *cell > 0
	if again && before < t.started(node) {
		again = false
	}
	*cell = uint32(at/actors.Millisecond) + 1
	return before, again
}
