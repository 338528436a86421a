package sim

import (
	"math/bits"
	"time"
	"unsafe"

	"peernet/actors"
)

// Totals counts what happened in a simulation so far.
type Totals struct {
	Deliveries uint64 // messages that came over a link or as datagram, and reached a live actor
	Events     uint64 // messages that any actor received
	Sent       uint64 // messages handed to a link, or sent as datagram
	Bytes      uint64 // their encoded length
	Lost       uint64 // messages lost in a partition or on a broken link, or sent to no node
	Dropped    uint64 // messages to actors that had ended
	// Retransmitted counts transmissions that Network.Loss took, and that were
	// repeated or given up.
	Retransmitted uint64
}

// Traffic is what a node sent over links, since it was added.
type Traffic struct {
	Messages, Bytes uint64

	since, up actors.Time // the last start, and how long it was live before
}

// Uptime returns how long a node was live in all, if Config.PerNode is set.
func (s *Simulation) Uptime(id NodeID) time.Duration {
	if s.traffic == nil {
		return 0
	}
	t := &s.traffic[id]
	if s.nodes[id].live {
		return time.Duration(t.up + s.now - t.since)
	}
	return time.Duration(t.up)
}

func (t *Traffic) add(size int) {
	t.Messages++
	t.Bytes += uint64(size)
}

// Traffic returns what a node sent, if Config.PerNode is set.
func (s *Simulation) Traffic(id NodeID) Traffic {
	if s.traffic == nil {
		return Traffic{}
	}
	return s.traffic[id]
}

// Totals returns the counts so far.
func (s *Simulation) Totals() (t Totals) {
	for _, x := range s.execs {
		t.Deliveries += x.deliveries
		t.Events += x.events
		t.Sent += x.sent
		t.Bytes += x.bytes
		t.Lost += x.lost
		t.Dropped += x.dropped
		t.Retransmitted += x.retransmitted
	}
	return t
}

// EventCount returns how often an event was emitted, if Config.Count is set.
func (s *Simulation) EventCount(k actors.EventKind) (n uint64) {
	for _, x := range s.execs {
		n += x.counts[k]
	}
	return n
}

// A LinkEnd is one end of an open link, as Links sees it.
type LinkEnd struct {
	Owner     actors.Ref // at the node asked about
	Peer      NodeID
	PeerOwner actors.Ref // at the peer, zero if it is not bound or closed
	// Cut is a link that a message does not pass, one way at least, whatever the ends
	// know: a partition cuts it now, or a message was lost on it.
	Cut bool
}

// Links calls f for each open link end of a node that is bound.
func (s *Simulation) Links(id NodeID, f func(LinkEnd)) {
	ends := s.nodes[id].ends
	for _, e := range ends {
		prefetch(unsafe.Pointer(e))
	}
	for _, e := range ends {
		prefetch(unsafe.Pointer(e.peer)) // at nodes anywhere in memory
	}
	for _, e := range ends {
		if e.state != endOpen || e.actor == nil {
			continue
		}
		end := LinkEnd{Owner: e.owner, Peer: e.to, Cut: e.broken || e.peer.broken || s.cut(id, e.to)}
		if e.peer.state == endOpen {
			end.PeerOwner = e.peer.owner
		}
		f(end)
	}
}

// A Histogram counts values in buckets that grow with them: exact up to 127,
// then 64 to each doubling, so that a quantile is off by less than one part in
// 64. Adding two gives the same as counting everything in one.
type Histogram struct {
	counts []uint64
	n, sum uint64
	max    uint64
}

const histogramBits = 6

func histogramBucket(v uint64) int {
	if v < 2<<histogramBits {
		return int(v)
	}
	shift := bits.Len64(v) - histogramBits - 1
	return shift<<histogramBits + int(v>>shift)
}

// histogramLow is the smallest value of a bucket.
func histogramLow(b int) uint64 {
	if b < 2<<histogramBits {
		return uint64(b)
	}
	shift := b>>histogramBits - 1
	return uint64(b-shift<<histogramBits) << shift
}

// Bins calls f for each bucket that is not empty, in increasing order, with the
// values that it is for, from low to less than high, and how many there are in it.
func (h *Histogram) Bins(f func(low, high, count uint64)) {
	for b, c := range h.counts {
		if c > 0 {
			f(histogramLow(b), histogramLow(b+1), c)
		}
	}
}

// Add counts a value.
func (h *Histogram) Add(v uint64) {
	b := histogramBucket(v)
	for len(h.counts) <= b {
		h.counts = append(h.counts, 0)
	}
	h.counts[b]++
	h.n++
	h.sum += v
	h.max = max(h.max, v)
}

// Merge adds what other counted.
func (h *Histogram) Merge(other *Histogram) {
	for len(h.counts) < len(other.counts) {
		h.counts = append(h.counts, 0)
	}
	for b, c := range other.counts {
		h.counts[b] += c
	}
	h.n += other.n
	h.sum += other.sum
	h.max = max(h.max, other.max)
}

// Count returns how many values were added.
func (h *Histogram) Count() uint64 { return h.n }

// Max returns the largest value, 0 if there is none.
func (h *Histogram) Max() uint64 { return h.max }

// Mean returns the exact mean, 0 if there are no values.
func (h *Histogram) Mean() float64 {
	if h.n == 0 {
		return 0
	}
	return float64(h.sum) / float64(h.n)
}

// Quantile returns the value that the share q of the values, from 0 to 1, does not
// exceed, with those of a bucket spread over it evenly; 0 if there are no values.
func (h *Histogram) Quantile(q float64) uint64 {
	rank := q * float64(h.n)
	var seen uint64
	for b, c := range h.counts {
		if seen += c; c > 0 && (float64(seen) > rank || seen == h.n) {
			low, high := histogramLow(b), histogramLow(b+1)
			within := (rank - float64(seen-c)) / float64(c)
			return min(low+uint64(within*float64(high-low)), high-1, h.max)
		}
	}
	return 0
}
