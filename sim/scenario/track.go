package scenario

import (
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
	alive  int // nodes at that time
}

// A tracker observes what becomes of the workload's messages. Between two
// barriers of the simulation, messages and index are only read, and each shard
// is written by one worker.
type tracker struct {
	messages []message
	index    map[string]int // by the ID of the request
	started  []actors.Time  // when each node started
	next     message        // what the next EventAnnounced belongs to
	shards   []shard
}

// A shard is what one worker saw.
type shard struct {
	perMessage []reach
	hops       sim.Histogram
	latency    sim.Histogram // in microseconds
	copies     uint64        // deliveries of announces, duplicates included
	throttled  uint64
	_          [64]byte // keeps shards in different cache lines
}

// reach is where one message came.
type reach struct {
	nodes   uint64 // besides the origin
	replies uint64
}

func newTracker(workers, nodes int) *tracker {
	return &tracker{index: map[string]int{}, shards: make([]shard, workers), started: make([]actors.Time, nodes)}
}

// Observe implements [sim.Observer].
func (t *tracker) Observe(shard int, node sim.NodeID, at actors.Time, e actors.Event) {
	switch e.Kind {
	case peer.EventDuplicate, peer.EventHopsExceeded:
		if f := e.Message.(*wire.Frame); !f.Response && f.Body.Type == typeAnnounce {
			t.shards[shard].copies++
		}
	case peer.EventThrottled, peer.EventQuota:
		t.shards[shard].throttled++
	case peer.EventRequest:
		t.onRequest(&t.shards[shard], node, at, e.Message.(*wire.Frame))
	case peer.EventResponse:
		if i, ok := t.index[e.Message.(*wire.Frame).Body.Reply]; ok {
			t.shards[shard].at(i).replies++
		}
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
	if !m.search {
		s.copies++
	}
	if t.started[node] > m.sent {
		return // it came later
	}
	s.at(i).nodes++
	if !m.search {
		s.hops.Add(uint64(f.Hops) + 1)
		s.latency.Add(uint64(at.Sub(m.sent) / time.Microsecond))
	}
}

func (s *shard) at(i int) *reach {
	for len(s.perMessage) <= i {
		s.perMessage = append(s.perMessage, reach{})
	}
	return &s.perMessage[i]
}

// reached sums up where message i came.
func (t *tracker) reached(i int) (r reach) {
	for k := range t.shards {
		if s := &t.shards[k]; i < len(s.perMessage) {
			r.nodes += s.perMessage[i].nodes
			r.replies += s.perMessage[i].replies
		}
	}
	return r
}

// A responder answers every search that its node hears of.
type responder struct{ root actors.Ref }

// Receive implements [actors.Actor].
func (r *responder) Receive(ctx actors.Context, m actors.Message) {
	switch m := m.(type) {
	case *actors.Started:
		r.root = ctx.Sender()
		call := peer.Call{ReplyTo: ctx.Self()}
		ctx.Send(r.root, &peer.Subscribe{Call: call, Topics: peer.TopicRequest})
	case *peer.Received:
		if b := m.Frame.Body; b.Type == typeSearch {
			ctx.Send(r.root, &peer.Respond{Request: b.ID, Type: typeSearch, Data: "here"})
		}
	}
}
