package rivals

import (
	"fmt"
	"strconv"
	"time"

	"peernet/actors"
	"peernet/actors/peer"
	"peernet/actors/wire"
	"peernet/experiments/lab"
	"peernet/experiments/protocols/gossip"
	"peernet/experiments/protocols/plumtree"
	"peernet/sim"
)

// An observer follows messages, whatever protocol carries them. Its sums over shards do
// not depend on the workers.
type observer struct {
	sent   []time.Duration // by message
	shards []shard
}

type shard struct {
	batches [len(batches)]outcome
	reached [len(batches) * batch]uint64 // first receipts of a message, the origin's not counted
	_       [64]byte                     // keeps shards in different cache lines
}

// An outcome is what became of the messages of a batch.
type outcome struct {
	heard   uint64        // first receipts, the origin's not counted
	hops    uint64        // of these, in sum
	copies  uint64        // receipts after the first
	latency sim.Histogram // of first receipts, in microseconds
}

// coverage is the mean share of the live nodes that a message reached; its origin, which
// counts as reached, has it from the start.
func (o *outcome) coverage(live int) float64 {
	return (float64(o.heard)/batch + 1) / float64(live)
}

// Observe implements [sim.Observer].
func (o *observer) Observe(shard int, _ sim.NodeID, at actors.Time, e actors.Event) {
	number, hops, first := 0, 0, true
	switch e.Kind {
	case gossip.EventHeard, gossip.EventDuplicate:
		m := e.Message.(*gossip.Rumor)
		number, hops, first = int(m.Number), int(m.Hops), e.Kind == gossip.EventHeard
	case plumtree.EventHeard, plumtree.EventDuplicate:
		m := e.Message.(*plumtree.Payload)
		number, hops, first = int(m.Number), int(m.Hops), e.Kind == plumtree.EventHeard
	case peer.EventRequest, peer.EventDuplicate:
		f := e.Message.(*wire.Frame)
		if f.Body.Type != announceType {
			return
		}
		number, _ = strconv.Atoi(f.Body.Data)                    // start wrote it
		hops, first = int(f.Hops)+1, e.Kind == peer.EventRequest // Hops counts forwarders
	default:
		return
	}
	b := &o.shards[shard].batches[number/batch]
	switch {
	case !first:
		b.copies++
	case hops > 0: // not at the origin
		b.heard++
		o.shards[shard].reached[number]++
		b.hops += uint64(hops)
		b.latency.Add(uint64((time.Duration(at) - o.sent[number]) / time.Microsecond))
	}
}

// report reports whom the messages of a batch reached, of so many live nodes.
func (o *observer) report(t *lab.Trial, k, live int) {
	died := 0
	for number := k * batch; number < (k+1)*batch; number++ {
		reached := uint64(1) // the origin
		for i := range o.shards {
			reached += o.shards[i].reached[number]
		}
		share := float64(reached) / float64(live)
		t.Point("coverage", (o.sent[number] - failure).Seconds(), share)
		if share < 0.1 {
			died++
		}
	}
	when := "before"
	if at := batches[k]; at >= 0 {
		when = fmt.Sprintf("from +%.0f s", at.Seconds())
	}
	b := o.batch(k)
	t.Measure("coverage "+when, b.coverage(live))
	t.Measure("died out "+when, float64(died)/batch)
}

// batch returns the outcome of a batch.
func (o *observer) batch(k int) (sum outcome) {
	for i := range o.shards {
		b := &o.shards[i].batches[k]
		sum.heard += b.heard
		sum.hops += b.hops
		sum.copies += b.copies
		sum.latency.Merge(&b.latency)
	}
	return sum
}
