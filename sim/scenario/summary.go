package scenario

import (
	"math"

	"peernet/actors/peer"
	"peernet/sim"
	"peernet/sim/overlay"
	"peernet/sim/result"
)

// A Summary is the result of a run. Its JSON keys are explained in
// reference.yaml.
type Summary struct {
	Name                string   `json:"name"`
	Nodes               int      `json:"nodes"`
	Seed                uint64   `json:"seed"`
	DurationS           float64  `json:"duration_s"`
	Workers             int      `json:"workers"`
	Partial             bool     `json:"partial"`
	TraceHash           string   `json:"trace_hash"`
	Deliveries          uint64   `json:"deliveries"`
	Events              uint64   `json:"events"`
	WallS               float64  `json:"wall_s"`
	CPUS                float64  `json:"cpu_s"`
	DeliveriesPerCPUS   float64  `json:"deliveries_per_cpu_s"`
	HeapBytesPerNode    float64  `json:"heap_bytes_per_node"`
	PeakRSSBytes        uint64   `json:"peak_rss_bytes"`
	FormedAtS           *float64 `json:"formed_at_s"`
	JoinMessagesPerNode *float64 `json:"join_messages_per_node"`
	Announce            Announce `json:"announce"`
	Search              Search   `json:"search"`
	Overlay             Overlay  `json:"overlay"`
	Traffic             Traffic  `json:"traffic"`

	Checks []result.Check `json:"checks,omitempty"`
	Marks  []result.Mark  `json:"marks,omitempty"`
}

// Announce sums up the announces.
type Announce struct {
	Count        int     `json:"count"`
	CoverageMean float64 `json:"coverage_mean"`
	CoverageMin  float64 `json:"coverage_min"`
	HopsMean     float64 `json:"hops_mean"`
	HopsMax      uint64  `json:"hops_max"`
	LatencyMsP50 float64 `json:"latency_ms_p50"`
	LatencyMsP99 float64 `json:"latency_ms_p99"`
	Redundancy   float64 `json:"redundancy"`
}

// Search sums up the searches.
type Search struct {
	Count       int     `json:"count"`
	Answered    int     `json:"answered"`
	RepliesMean float64 `json:"replies_mean"`
}

// Overlay describes the network of the connections in use at the end.
type Overlay struct {
	DegreeMean       float64 `json:"degree_mean"`
	DegreeMin        int     `json:"degree_min"`
	DegreeMax        int     `json:"degree_max"`
	OutboundMean     float64 `json:"outbound_mean"`
	OutboundMin      int     `json:"outbound_min"`
	OutboundFull     float64 `json:"outbound_full"`
	NegotiatedMean   float64 `json:"negotiated_mean"` // outbound too
	LargestComponent float64 `json:"largest_component"`
	HostileLinks     float64 `json:"hostile_links"` // of the connections in use
	HostileBook      float64 `json:"hostile_book"`  // of the addresses in books
	Clustering       float64 `json:"clustering"`
	PathLengthMean   float64 `json:"path_length_mean"`
}

// Traffic counts what all nodes sent.
type Traffic struct {
	Messages         uint64  `json:"messages"`
	Bytes            uint64  `json:"bytes"`
	BytesPerNodePerS float64 `json:"bytes_per_node_per_s"`
	Throttled        uint64  `json:"throttled"`
	Lost             uint64  `json:"lost"`
	Retransmitted    uint64  `json:"retransmitted"`
}

// Failed returns the checks that the run did not pass.
func (s *Summary) Failed() (failed []result.Check) {
	for _, c := range s.Checks {
		if !c.OK {
			failed = append(failed, c)
		}
	}
	return failed
}

// announces sums up what the tracker saw of announces.
func (t *tracker) announces() (a Announce) {
	var hops, latency sim.Histogram
	var copies, reached uint64
	for i := range t.shards {
		hops.Merge(&t.shards[i].hops)
		latency.Merge(&t.shards[i].latency)
		copies += t.shards[i].copies
	}
	a.CoverageMin = math.Inf(1)
	for i, m := range t.messages {
		if m.search {
			continue
		}
		n := t.reached(i).nodes
		reached += n
		coverage := float64(n+1) / float64(m.alive) // the origin is reached
		a.Count++
		a.CoverageMean += coverage
		a.CoverageMin = min(a.CoverageMin, coverage)
	}
	if a.Count == 0 {
		a.CoverageMin = 0
		return a
	}
	a.CoverageMean /= float64(a.Count)
	a.HopsMean, a.HopsMax = hops.Mean(), hops.Max()
	a.LatencyMsP50 = float64(latency.Quantile(0.5)) / 1000
	a.LatencyMsP99 = float64(latency.Quantile(0.99)) / 1000
	if reached > 0 {
		a.Redundancy = float64(copies)/float64(reached) - 1
	}
	return a
}

func (t *tracker) searches() (s Search) {
	var replies uint64
	for i, m := range t.messages {
		if !m.search {
			continue
		}
		n := t.reached(i).replies
		s.Count++
		replies += n
		if n > 0 {
			s.Answered++
		}
	}
	if s.Count > 0 {
		s.RepliesMean = float64(replies) / float64(s.Count)
	}
	return s
}

// Sizes of the samples for the costlier measures of the overlay; networks of
// up to clusteringSample nodes are measured whole.
const (
	pathSources      = 32
	clusteringSample = 20000
)

// overlay describes the network as it is.
func (r *runner) overlay() (o Overlay) {
	s := r.sim
	live := r.live()
	if live == 0 {
		return o
	}
	g := r.graph()
	d := g.Degrees()
	o.DegreeMean, o.DegreeMin, o.DegreeMax = d.Mean, d.Min, d.Max
	full, total, negotiated := 0, 0, 0
	links, hostileLinks, known, hostileBook := 0, 0, 0, 0
	o.OutboundMin = math.MaxInt
	for id, root := range r.roots {
		if !s.IsLive(sim.NodeID(id)) {
			continue
		}
		n := root.Gossip().OutboundInUse()
		total += n
		negotiated += root.Gossip().NegotiatedInUse()
		o.OutboundMin = min(o.OutboundMin, n)
		if r.full(root) {
			full++
		}
		h := r.hostility(sim.NodeID(id))
		links, known = links+root.Gossip().PeersInUse(), known+root.Store().Book().Len()
		hostileLinks, hostileBook = hostileLinks+h.links, hostileBook+h.book
	}
	o.HostileLinks = float64(hostileLinks) / float64(max(links, 1))
	o.HostileBook = float64(hostileBook) / float64(max(known, 1))
	o.OutboundMean = float64(total) / float64(live)
	o.NegotiatedMean = float64(negotiated) / float64(live)
	o.OutboundFull = float64(full) / float64(live)
	o.LargestComponent = float64(g.LargestComponent()) / float64(live)
	o.Clustering = g.SampledClustering(clusteringSample, s.Rand("clustering"))
	o.PathLengthMean = g.PathLengths(pathSources, s.Rand("paths")).Mean
	return o
}

// hostility is how many connections in use of a node lead to adversaries, and how many
// addresses in its book to no honest node.
type hostility struct{ links, book int }

// hostility looks for it at a live honest node. Without adversaries there is none.
func (r *runner) hostility(id sim.NodeID) (h hostility) {
	if len(r.scenario.Adversaries) == 0 {
		return h
	}
	root := r.roots[id]
	r.sim.Links(id, func(e sim.LinkEnd) {
		if _, ok := root.Gossip().InUse(e.Owner); ok && int(e.Peer) >= len(r.roots) {
			h.links++
		}
	})
	b := root.Store().Book()
	for i := range b.Len() {
		if other, ok := sim.NodeOf(b.At(i).Address); !ok || int(other) >= len(r.roots) {
			h.book++
		}
	}
	return h
}

// graph is the network of live honest nodes whose connections both ends hold as in
// use, and that messages pass: none that a partition cuts, even if nobody has noticed.
// Nodes are numbered densely, in order.
func (r *runner) graph() *overlay.Graph {
	s := r.sim
	dense := make([]uint32, len(r.roots))
	live := uint32(0)
	for id := range r.roots {
		if s.IsLive(sim.NodeID(id)) {
			dense[id] = live
			live++
		}
	}
	return overlay.New(int(live), func(yield func(uint32, uint32) bool) {
		for id, root := range r.roots {
			if !s.IsLive(sim.NodeID(id)) {
				continue
			}
			g, more := root.Gossip(), true
			s.Links(sim.NodeID(id), func(e sim.LinkEnd) {
				// Each link is seen from both ends; take it from the lower.
				if !more || e.Cut || e.PeerOwner.IsZero() || e.Peer <= sim.NodeID(id) || int(e.Peer) >= len(r.roots) || !s.IsLive(e.Peer) {
					return
				}
				if _, ok := g.InUse(e.Owner); !ok {
					return
				}
				if _, ok := r.roots[e.Peer].Gossip().InUse(e.PeerOwner); ok {
					more = yield(dense[id], dense[e.Peer])
				}
			})
			if !more {
				return
			}
		}
	})
}

// full reports whether a node has all its outbound links, or a link to every
// other node: between two nodes there is one link, outbound at one of them. The nodes
// of a static overlay have what they were given.
func (r *runner) full(root *peer.Node) bool {
	g := root.Gossip()
	return r.scenario.Overlay == OverlayStatic || g.OutboundInUse() >= r.scenario.Connections || g.PeersInUse() >= r.live()-1
}

// formed reports whether the network has formed: at least 99 % of the live
// nodes have all their outbound links, and the largest component holds at
// least 99.9 % of them.
func (r *runner) formed() bool {
	live, full := 0, 0
	for id, root := range r.roots {
		if r.sim.IsLive(sim.NodeID(id)) {
			live++
			if r.full(root) {
				full++
			}
		}
	}
	if r.sim.Now() <= r.lastArrival || live == 0 || 100*full < 99*live {
		return false
	}
	return 1000*r.graph().LargestComponent() >= 999*live
}
