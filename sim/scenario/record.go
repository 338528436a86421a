package scenario

import (
	"math"
	"strings"
	"time"

	"peernet/actors"
	"peernet/sim"
	"peernet/sim/result"
)

// A recorder collects what a run directory keeps.
type recorder struct {
	runner  *runner
	series  result.Series
	kinds   []actors.EventKind // that have a column
	before  sim.Totals         // at the last sample
	sending sending            // likewise
	events  []uint64           // likewise, by column
	edges   []result.Edge
}

// seriesNames are the columns before those of the events.
var seriesNames = []string{
	"live", "components", "largest_component", "degree_mean", "outbound_mean", "book_mean",
	"messages_per_node_per_s", "bytes_per_node_per_s", "deliveries_per_node_per_s", "lost_per_s", "retransmitted_per_s",
}

// planRecord plans the samples.
func (r *runner) planRecord() {
	if !r.options.Record {
		return
	}
	c := &recorder{runner: r}
	names := append([]string(nil), seriesNames...)
	for k := 1; k < actors.EventKinds(); k++ {
		kind := actors.EventKind(k)
		if group, _, _ := strings.Cut(kind.String(), "."); recordedGroups[group] {
			c.kinds = append(c.kinds, kind)
			names = append(names, strings.ReplaceAll(kind.String(), ".", "_")+"_per_s")
		}
	}
	c.events = make([]uint64, len(c.kinds))
	c.series = result.NewSeries(names...)
	r.record = c
	step := time.Duration(r.scenario.Sample)
	var sample func()
	sample = func() {
		c.sample(step)
		r.sim.At(r.sim.Now()+step, sample)
	}
	r.sim.At(step, sample)
	for _, at := range r.scenario.EdgesAt {
		r.sim.At(at.Of(time.Duration(r.scenario.Duration)), c.addEdges)
	}
}

// recordedGroups are the groups of events that have a column each.
var recordedGroups = map[string]bool{
	"gossip": true, "peer": true, "webrtc": true, "conn": true, "store": true, "node": true, "adversary": true,
}

// sample adds a row.
func (c *recorder) sample(step time.Duration) {
	r := c.runner
	totals := r.sim.Totals()
	live := r.live()
	row := make([]float64, 0, len(c.series.Columns))
	g := r.graph()
	sizes := g.Components()
	largest, outbound, known := 0, 0, 0
	for _, n := range sizes {
		largest = max(largest, n)
	}
	for id, root := range r.roots {
		if r.sim.IsLive(sim.NodeID(id)) {
			outbound += root.Gossip().OutboundInUse()
			known += root.Store().Book().Len()
		}
	}
	perNode := func(v float64) float64 {
		if live == 0 {
			return math.NaN()
		}
		return v / float64(live)
	}
	s := step.Seconds()
	sending := r.sending()
	lived := sending.liveS - c.sending.liveS // NaN follows, if nobody did
	row = append(row, float64(live), float64(len(sizes)), perNode(float64(largest)), perNode(g.Degrees().Mean*float64(live)),
		perNode(float64(outbound)), perNode(float64(known)),
		float64(sending.messages-c.sending.messages)/lived, float64(sending.bytes-c.sending.bytes)/lived,
		perNode(float64(totals.Deliveries-c.before.Deliveries)/s),
		float64(totals.Lost-c.before.Lost)/s, float64(totals.Retransmitted-c.before.Retransmitted)/s)
	for i, kind := range c.kinds {
		n := r.sim.EventCount(kind)
		row = append(row, float64(n-c.events[i])/s)
		c.events[i] = n
	}
	c.before, c.sending = totals, sending
	c.series.Add(r.sim.Now().Seconds(), row...)
}

// addEdges adds the overlay as it is.
func (c *recorder) addEdges() {
	r := c.runner
	at := r.sim.Now().Seconds()
	for id, root := range r.roots {
		if !r.sim.IsLive(sim.NodeID(id)) {
			continue
		}
		g := root.Gossip()
		r.sim.Links(sim.NodeID(id), func(e sim.LinkEnd) {
			if outbound, ok := g.InUse(e.Owner); ok && outbound && !e.Cut && int(e.Peer) < len(r.roots) && r.holds(e.Peer, e.PeerOwner) {
				c.edges = append(c.edges, result.Edge{AtS: at, From: uint32(id), To: uint32(e.Peer), Negotiated: g.Negotiated(e.Owner)})
			}
		})
	}
}

// run returns what was collected, nil if nothing was.
func (c *recorder) run(sum *Summary) *result.Run {
	if c == nil {
		return nil
	}
	r := c.runner
	out := &result.Run{Checks: sum.Checks, Marks: sum.Marks, Series: c.series, Edges: c.edges, Nodes: c.nodes(), Messages: c.messages()}
	var hops, latency sim.Histogram
	for i := range r.tracker.shards {
		hops.Merge(&r.tracker.shards[i].hops)
		latency.Merge(&r.tracker.shards[i].latency)
	}
	hops.Bins(func(low, high, n uint64) {
		out.Hops = append(out.Hops, result.Bin{Low: float64(low), High: float64(high), Count: n})
	})
	latency.Bins(func(low, high, n uint64) {
		out.Latency = append(out.Latency, result.Bin{Low: float64(low) / 1000, High: float64(high) / 1000, Count: n})
	})
	return out
}

func (c *recorder) nodes() (list []result.Node) {
	r, s := c.runner, c.runner.scenario
	roles := s.roles()
	for i := range r.members {
		m, id := &r.members[i], sim.NodeID(i)
		t := r.sim.Traffic(id)
		n := result.Node{
			ID: uint32(id), Reach: m.reach.String(), Role: roles(i), Live: r.sim.IsLive(id),
			Incarnations: m.starts, StartedS: math.NaN(), UpS: r.sim.Uptime(id).Seconds(),
			SentMessages: t.Messages, SentBytes: t.Bytes,
		}
		if m.reach == sim.ReachPublic {
			n.Address = sim.AddressOf(id).String()
		}
		if len(s.Classes) > 0 {
			n.Class = s.Classes[m.class].Name
		}
		if len(s.Regions) > 0 {
			n.Region = s.Regions[m.region].Name
		}
		if m.starts > 0 {
			n.StartedS = m.started.Seconds()
		}
		if i < len(r.roots) && n.Live {
			g := r.roots[i].Gossip()
			n.Degree, n.Outbound = int32(g.PeersInUse()), int32(g.OutboundInUse())
			n.Inbound = n.Degree - n.Outbound
			n.Book = int32(r.roots[i].Store().Book().Len())
			h := r.hostility(id)
			n.HostileLinks, n.HostileBook = int32(h.links), int32(h.book)
		}
		list = append(list, n)
	}
	return list
}

// roles returns the role of each node, "" for the honest ones.
func (s *Scenario) roles() func(i int) string {
	var list []string
	for i := range s.Adversaries {
		for range s.Adversaries[i].Count {
			list = append(list, s.Adversaries[i].Role)
		}
	}
	return func(i int) string {
		if i < s.Nodes {
			return ""
		}
		return list[i-s.Nodes]
	}
}

func (c *recorder) messages() (list []result.Message) {
	t := c.runner.tracker
	for i, m := range t.messages {
		got := t.reached(i)
		out := result.Message{
			Index: int32(i), Kind: result.KindAnnounce, SentS: time.Duration(m.sent).Seconds(), Origin: uint32(m.origin),
			Alive: int32(m.alive), Reached: int32(got.nodes) + 1, Coverage: float64(got.nodes+1) / float64(m.alive),
			HopsMean: math.NaN(), LatencyP50Ms: math.NaN(), LatencyP90Ms: math.NaN(), LatencyP99Ms: math.NaN(), LatencyMaxMs: math.NaN(),
			Copies: got.copies, Redundancy: math.NaN(), Replies: int32(got.replies),
		}
		if m.search {
			out.Kind = result.KindSearch
		}
		if got.latency.Count() > 0 {
			out.HopsMean, out.HopsMax = got.hops.Mean(), int32(min(got.hops.Max(), math.MaxInt32))
			ms := func(q float64) float64 { return float64(got.latency.Quantile(q)) / 1000 }
			out.LatencyP50Ms, out.LatencyP90Ms, out.LatencyP99Ms = ms(0.5), ms(0.9), ms(0.99)
			out.LatencyMaxMs = float64(got.latency.Max()) / 1000
		}
		if got.nodes > 0 {
			out.Redundancy = float64(got.copies)/float64(got.nodes) - 1
		}
		list = append(list, out)
	}
	return list
}
