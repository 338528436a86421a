package scenario

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"time"

	"peernet/actors"
	"peernet/actors/peer"
	"peernet/sim"
)

// Options of a run have no influence on its trace.
type Options struct {
	// Workers is how many goroutines run nodes. Default: one per CPU.
	Workers int
	// Progress is called now and then with how far the run is; nil is never.
	Progress func(Progress)
	// Reference runs the slow reference executor.
	Reference bool
	// Window is the length of a window of the executor; see sim.Config.
	Window time.Duration
}

// Progress is how far a run is.
type Progress struct {
	Now, Duration time.Duration // virtual time
	Live          int
	Deliveries    uint64
}

// progressSteps is how often Progress is called in a run, and at least once a
// virtual second.
const progressSteps = 200

// A runner is a run under way.
type runner struct {
	scenario   *Scenario
	options    Options
	sim        *sim.Simulation
	tracker    *tracker
	bootstraps []actors.Address
	roots      []*peer.Node
	reach      []sim.Reach // of each node; nil is public
	start      meter       // of what the summary's times and counts cover
	formedAt   *float64
	joined     *float64
	random     *rand.Rand // of the workload
}

// A meter is a point from which costs are counted.
type meter struct {
	wall   time.Time
	cpu    time.Duration
	at     time.Duration // virtual
	totals sim.Totals
}

func (r *runner) measure() meter {
	return meter{time.Now(), processCPU(), r.sim.Now(), r.sim.Totals()}
}

// Run runs a scenario, which must be resolved. If ctx ends before the run does,
// it returns the summary of what was done, marked as partial, and ctx's error.
func Run(ctx context.Context, s *Scenario, o Options) (*Summary, error) {
	r, err := newRunner(s, o)
	if err != nil {
		return nil, err
	}
	err = r.sim.Run(ctx, time.Duration(s.Duration))
	if err != nil && ctx.Err() == nil {
		return nil, err // an actor panicked
	}
	return r.summary(err != nil), err
}

// newRunner plans a run.
func newRunner(s *Scenario, o Options) (*runner, error) {
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	r := &runner{scenario: s, options: o, roots: make([]*peer.Node, s.Nodes)}
	r.tracker = newTracker(o.Workers, s.Nodes)
	var err error
	if r.sim, err = s.simulation(o, r.tracker); err != nil {
		return nil, err
	}
	r.random = r.sim.Rand("workload")
	r.start = r.measure()
	r.sim.Add(s.Nodes)
	if s.Overlay == OverlayStatic {
		r.plantStatic()
	} else {
		r.plantGossip()
	}
	r.planWorkload()
	r.planSampling()
	return r, nil
}

// grow makes the root actor of a node. Workers call it, each for other nodes.
func (r *runner) grow(config *peer.Config) func(sim.NodeID) actors.Actor {
	return func(id sim.NodeID) actors.Actor {
		n := &peer.Node{Config: config}
		if r.reach == nil || r.reach[id] == sim.ReachPublic {
			n.Advertise = []actors.Address{sim.AddressOf(id)}
		}
		if r.scenario.Overlay == OverlayGossip {
			n.Bootstrap = r.bootstrapsOf(id)
		}
		r.roots[id] = n
		return n
	}
}

// bootstrapsOf draws the bootstrap nodes that a node knows; the bootstrap nodes
// are the first.
func (r *runner) bootstrapsOf(id sim.NodeID) []actors.Address {
	random := r.sim.NodeRand(id, "bootstrap")
	var known []actors.Address
	for _, i := range random.Perm(r.scenario.Bootstraps) {
		if sim.NodeID(i) != id {
			known = append(known, r.bootstraps[i])
		}
		if len(known) == r.scenario.Known {
			break
		}
	}
	return known
}

// plantGossip has the bootstrap nodes start at 0 and the others at uniformly
// drawn times.
func (r *runner) plantGossip() {
	for i := range r.scenario.Bootstraps {
		r.bootstraps = append(r.bootstraps, sim.AddressOf(sim.NodeID(i)))
	}
	span := r.scenario.Arrivals.Of(time.Duration(r.scenario.Duration))
	times := make([]time.Duration, r.scenario.Nodes)
	random := r.sim.Rand("arrivals")
	for i := range times {
		if i >= r.scenario.Bootstraps && span > 0 {
			times[i] = time.Duration(random.Int64N(int64(span)))
		}
		r.tracker.started[i] = actors.Time(times[i])
	}
	r.drawReach()
	r.sim.StartAt(0, times, r.grow(r.scenario.PeerConfig()))
}

// drawReach draws how each node can be reached. The bootstrap nodes are public.
func (r *runner) drawReach() {
	if r.scenario.Reach.allPublic() {
		return
	}
	weights := r.scenario.Reach.weights()
	sum := 0
	for _, w := range weights {
		sum += w
	}
	r.reach = make([]sim.Reach, r.scenario.Nodes)
	random := r.sim.Rand("reach")
	for i := r.scenario.Bootstraps; i < r.scenario.Nodes; i++ {
		kind, left := 0, random.IntN(sum)
		for left >= weights[kind] {
			left -= weights[kind]
			kind++
		}
		r.reach[i] = sim.Reach(kind)
		r.sim.SetReach(sim.NodeID(i), r.reach[i])
	}
}

// plantStatic starts all nodes at 0 and gives them a random overlay: every node
// draws Connections distinct others, and a pair drawn from both ends is one
// link.
func (r *runner) plantStatic() {
	n, k := r.scenario.Nodes, r.scenario.Connections
	grow := r.grow(r.scenario.PeerConfig())
	random := r.sim.Rand("overlay")
	drawn := make([]sim.NodeID, 0, n*k)
	for i := range n {
		r.sim.Start(sim.NodeID(i), grow(sim.NodeID(i)))
		own := len(drawn)
		for len(drawn) < own+k {
			j := sim.NodeID(random.IntN(n))
			if int(j) != i && !slices.Contains(drawn[own:], j) {
				drawn = append(drawn, j)
			}
		}
	}
	for i := range n {
		a := sim.NodeID(i)
		for _, b := range drawn[i*k : (i+1)*k] {
			if b < a && slices.Contains(drawn[int(b)*k:(int(b)+1)*k], a) {
				continue
			}
			atA, atB := r.sim.Link(a, b)
			r.sim.Send(a, &peer.Attach{Link: atA, Outbound: true})
			r.sim.Send(b, &peer.Attach{Link: atB})
		}
	}
}

// planWorkload plans the announces and searches.
func (r *runner) planWorkload() {
	s := r.scenario
	d := time.Duration(s.Duration)
	from, until := s.MessagesFrom.Of(d), s.MessagesUntil.Of(d)
	if s.MessagesEvery > 0 {
		until = from + time.Duration(s.MessagesEvery)*time.Duration(max(s.Messages-1, 0))
	}
	if s.Overlay == OverlayStatic {
		r.sim.At(from, func() { r.start = r.measure() })
	}
	for i := range s.Messages {
		r.sim.At(spread(from, until, i, s.Messages), func() { r.send(i, false) })
	}
	if s.Searches == 0 {
		return
	}
	from, until = s.SearchesFrom.Of(d), s.SearchesUntil.Of(d)
	r.sim.At(from, r.placeResponders)
	for i := range s.Searches {
		r.sim.At(spread(from, until, i, s.Searches), func() { r.send(i, true) })
	}
}

// send has a random live node announce or search.
func (r *runner) send(i int, search bool) {
	id, ok := r.randomLive()
	if !ok {
		return
	}
	m := &peer.Announce{Type: typeAnnounce, Data: fmt.Sprintf("message %d", i)}
	if search {
		m.Type = typeSearch
	}
	m.Data += strings.Repeat(".", max(r.scenario.Payload-len(m.Data), 0))
	r.tracker.next = message{search: search, sent: actors.Time(r.sim.Now()), alive: r.sim.Live()}
	r.sim.Send(id, m)
}

func (r *runner) randomLive() (sim.NodeID, bool) {
	for range 1000 {
		if id := sim.NodeID(r.random.IntN(r.sim.Nodes())); r.sim.IsLive(id) {
			return id, true
		}
	}
	if r.sim.Live() == 0 {
		return 0, false
	}
	// There are few: take the k-th.
	k := r.random.IntN(r.sim.Live())
	for id := sim.NodeID(0); ; id++ {
		if r.sim.IsLive(id) {
			if k--; k < 0 {
				return id, true
			}
		}
	}
}

// placeResponders makes random live nodes answer searches.
func (r *runner) placeResponders() {
	placed := map[sim.NodeID]bool{}
	for range 100 * r.scenario.Responders {
		id, ok := r.randomLive()
		if !ok || len(placed) == r.scenario.Responders {
			return
		}
		if !placed[id] {
			placed[id] = true
			r.sim.Spawn(id, "responder", &responder{})
		}
	}
}

// planSampling plans what watches the run: whether the network has formed, each
// second until it has, and the progress.
func (r *runner) planSampling() {
	var sample func()
	sample = func() {
		if r.formed() {
			at, joined := r.sim.Now().Seconds(), float64(r.sim.Totals().Sent)/float64(r.scenario.Nodes)
			r.formedAt, r.joined = &at, &joined
			return
		}
		r.sim.At(r.sim.Now()+time.Second, sample)
	}
	r.sim.At(time.Second, sample)
	if r.options.Progress == nil {
		return
	}
	step := min(max(time.Duration(r.scenario.Duration)/progressSteps, time.Millisecond), time.Second)
	var report func()
	report = func() {
		r.options.Progress(Progress{r.sim.Now(), time.Duration(r.scenario.Duration), r.sim.Live(), r.sim.Totals().Deliveries})
		r.sim.At(r.sim.Now()+step, report)
	}
	r.sim.At(0, report)
}

// summary sums up the run as it stands.
func (r *runner) summary(partial bool) *Summary {
	end := r.measure()
	s := r.scenario
	sum := &Summary{
		Name: s.Name, Nodes: s.Nodes, Seed: s.Seed, DurationS: r.sim.Now().Seconds(),
		Workers: r.options.Workers, Partial: partial,
		TraceHash:  fmt.Sprintf("%016x", r.sim.TraceHash()),
		Deliveries: end.totals.Deliveries - r.start.totals.Deliveries,
		Events:     end.totals.Events - r.start.totals.Events,
		WallS:      end.wall.Sub(r.start.wall).Seconds(),
		CPUS:       (end.cpu - r.start.cpu).Seconds(),
		FormedAtS:  r.formedAt, JoinMessagesPerNode: r.joined,
		Announce: r.tracker.announces(), Search: r.tracker.searches(), Overlay: r.overlay(),
		Traffic: Traffic{
			Messages: end.totals.Sent - r.start.totals.Sent,
			Bytes:    end.totals.Bytes - r.start.totals.Bytes,
		},
	}
	for i := range r.tracker.shards {
		sum.Traffic.Throttled += r.tracker.shards[i].throttled
	}
	if sum.CPUS > 0 {
		sum.DeliveriesPerCPUS = float64(sum.Deliveries) / sum.CPUS
	}
	if span := end.at - r.start.at; span > 0 {
		sum.Traffic.BytesPerNodePerS = float64(sum.Traffic.Bytes) / float64(s.Nodes) / span.Seconds()
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	sum.HeapBytesPerNode = float64(m.HeapAlloc) / float64(s.Nodes)
	runtime.KeepAlive(r)
	sum.PeakRSSBytes = peakRSS()
	return sum
}
