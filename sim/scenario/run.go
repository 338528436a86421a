package scenario

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"time"

	"peernet/actors"
	"peernet/actors/peer"
	"peernet/sim"
	"peernet/sim/result"
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
	// Record keeps what Record returns: it takes memory, and some time.
	Record bool
	// Tracer is told of all that actors receive, nil is nobody; see sim.Config.
	Tracer sim.Tracer
	// Observer is told of all events, besides the run itself; nil is nobody.
	Observer sim.Observer
}

func (o Options) withDefaults() Options {
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	return o
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
	scenario    *Scenario
	options     Options
	sim         *sim.Simulation
	tracker     *tracker
	bootstraps  []actors.Address
	config      *peer.Config
	roots       []*peer.Node // of the honest nodes, the first
	members     []member
	lastArrival time.Duration // when the last node comes for the first time
	start       meter         // of what the summary's times and counts cover
	formedAt    *float64
	joined      *float64
	random      *rand.Rand // of the workload

	groups     []uint8          // of partitions, a bit each; nil before the first
	conditions []sim.Conditions // from region to region; nil before the first
	removals   []removal
	marks      []result.Mark

	responders []responding

	found    violations // of looks at all nodes
	onesided map[linkEnd]onesided
	reached  []time.Duration // when each goal was, or never
	missed   []string        // how far each was when it was late
	before   []sending       // when each goal of traffic began to count
	record   *recorder       // nil is none
}

// A meter is a point from which costs are counted.
type meter struct {
	wall    time.Time
	cpu     time.Duration
	totals  sim.Totals
	sending sending
}

// A sending is what the honest nodes sent until then, and how long they were live.
type sending struct {
	messages, bytes uint64
	liveS           float64 // seconds, of all
}

// sending is that of now.
func (r *runner) sending() sending {
	now, whole := r.sim.Now(), r.scenario.undisturbed()
	u := sending{}
	if whole { // nobody leaves, and all are honest: it is not kept by node
		t := r.sim.Totals()
		u.messages, u.bytes = t.Sent, t.Bytes
	}
	for i := range r.roots {
		switch m := &r.members[i]; {
		case m.starts == 0:
		case whole:
			u.liveS += (now - m.started).Seconds()
		default:
			t := r.sim.Traffic(sim.NodeID(i))
			u.messages, u.bytes = u.messages+t.Messages, u.bytes+t.Bytes
			u.liveS += r.sim.Uptime(sim.NodeID(i)).Seconds()
		}
	}
	return u
}

// bytesPerNodeSecond is what a live honest node sent in a second, since before.
func (u sending) bytesPerNodeSecond(before sending) float64 {
	if u.liveS <= before.liveS {
		return 0
	}
	return float64(u.bytes-before.bytes) / (u.liveS - before.liveS)
}

func (r *runner) measure() meter {
	return meter{time.Now(), processCPU(), r.sim.Totals(), r.sending()}
}

// Run runs a scenario, which must be resolved. If ctx ends before the run does,
// it returns the summary of what was done, marked as partial, and ctx's error.
func Run(ctx context.Context, s *Scenario, o Options) (*Summary, error) {
	sum, _, err := Record(ctx, s, o)
	return sum, err
}

// Record is Run that also returns, if Options.Record is set, what a run directory
// keeps besides manifest and summary.
func Record(ctx context.Context, s *Scenario, o Options) (*Summary, *result.Run, error) {
	r, err := newRunner(s, o)
	if err != nil {
		return nil, nil, err
	}
	err = r.sim.Run(ctx, time.Duration(s.Duration))
	if err != nil && ctx.Err() == nil {
		return nil, nil, err // an actor panicked
	}
	sum := r.summary(err != nil)
	return sum, r.record.run(sum), err
}

// newRunner plans a run.
func newRunner(s *Scenario, o Options) (*runner, error) {
	o = o.withDefaults()
	r := &runner{
		scenario: s, options: o, config: s.PeerConfig(),
		roots: make([]*peer.Node, s.Nodes), members: make([]member, s.Population()),
	}
	r.tracker = newTracker(s, r.members, o.Workers, o.Record)
	var observer sim.Observer = r.tracker
	if o.Observer != nil {
		observer = both{r.tracker, o.Observer}
	}
	var err error
	if r.sim, err = s.simulation(o, observer); err != nil {
		return nil, err
	}
	r.random = r.sim.Rand("workload")
	r.start = r.measure()
	r.sim.Add(len(r.members))
	if s.Overlay == OverlayStatic {
		err = r.plantStatic()
	} else {
		err = r.plantGossip()
	}
	if err != nil {
		return nil, err
	}
	if err := r.planFaults(); err != nil {
		return nil, err
	}
	r.planAdversaries()
	r.planWorkload()
	r.planSampling()
	r.planInspection()
	r.planGoals()
	r.planRecord()
	return r, nil
}

// both tells two observers.
type both struct{ first, second sim.Observer }

// Observe implements [sim.Observer].
func (b both) Observe(shard int, node sim.NodeID, at actors.Time, e actors.Event) {
	b.first.Observe(shard, node, at, e)
	b.second.Observe(shard, node, at, e)
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

			Lost:          end.totals.Lost - r.start.totals.Lost,
			Retransmitted: end.totals.Retransmitted - r.start.totals.Retransmitted,
		},
	}
	for i := range r.tracker.shards {
		sum.Traffic.Throttled += r.tracker.shards[i].throttled
	}
	if sum.CPUS > 0 {
		sum.DeliveriesPerCPUS = float64(sum.Deliveries) / sum.CPUS
	}
	sum.Traffic.BytesPerNodePerS = end.sending.bytesPerNodeSecond(r.start.sending)
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	sum.HeapBytesPerNode = float64(m.HeapAlloc) / float64(len(r.members))
	sum.Checks = append(r.checkInvariants(sum.HeapBytesPerNode), r.checkGoals()...)
	sum.Marks = r.marks
	runtime.KeepAlive(r)
	sum.PeakRSSBytes = peakRSS()
	return sum
}
