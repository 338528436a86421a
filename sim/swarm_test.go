package sim_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"peernet/actors"
	"peernet/actors/book"
	"peernet/actors/peer"
	"peernet/actors/wire"
	"peernet/sim"
	"peernet/sim/dist"
)

// A swarmRun is a small random scenario, drawn from a seed: latencies, the
// protocol's configuration, crashes, restarts, partitions, operations, hostile
// bytes and datagrams.
type swarmRun struct {
	seed   uint64
	config sim.Config
	nodes  int
	length time.Duration
}

// chatter is a root actor that plays with everything that the peernet protocol
// does not use: datagrams, rounds, timers that are cancelled, actors that come
// and go and are watched.
type chatter struct {
	nodes int
	timer actors.Timer
	child actors.Ref
}

type echo struct{}

func (echo) Receive(ctx actors.Context, m actors.Message) {
	if _, ok := m.(*rumor); ok {
		ctx.Send(ctx.Sender(), m)
	}
}

func (c *chatter) Receive(ctx actors.Context, m actors.Message) {
	switch m := m.(type) {
	case *actors.Started:
		c.child = ctx.Spawn("echo", &echo{})
		ctx.Watch(c.child)
		ctx.After(time.Duration(ctx.Rand().IntN(1000))*time.Millisecond, &rumor{1})
	case *actors.Round:
		to := sim.AddressOf(sim.NodeID(ctx.Rand().IntN(c.nodes)))
		ctx.(actors.Datagrams).SendTo(to, &rumor{m.N})
	case *rumor:
		switch ctx.Rand().IntN(4) {
		case 0:
			ctx.Cancel(c.timer)
			c.timer = ctx.After(time.Duration(ctx.Rand().IntN(50_000))*time.Microsecond, m)
		case 1:
			ctx.Stop(c.child)
		case 2:
			ctx.Send(c.child, m)
		case 3:
			ctx.Dial(sim.AddressOf(sim.NodeID(ctx.Rand().IntN(c.nodes + 1))))
		}
	case *actors.Terminated:
		c.child = ctx.Spawn("echo", &echo{})
		ctx.Watch(c.child)
	case *actors.LinkIn:
		if ctx.Rand().IntN(2) == 0 {
			m.Link.Close()
			return
		}
		m.Link.Bind(ctx.Self())
		_ = m.Link.Send(&wire.Ping{Nonce: 1})
	case *actors.LinkUp:
		m.Link.Bind(ctx.Self())
		_ = m.Link.Send(&wire.Ping{Nonce: 2})
		_ = m.Link.Send(sim.Bytes("\x05\xff\xff"))
		m.Link.Close()
	case *actors.Datagram:
		ctx.After(0, &rumor{2})
	}
}

func drawSwarm(seed uint64) swarmRun {
	r := rand.New(rand.NewPCG(seed, 77))
	ms := func(n int) time.Duration { return time.Duration(1+r.IntN(n)) * time.Millisecond }
	c := sim.Config{Seed: seed, NewDecoder: func() actors.Decoder { return &wire.Decoder{} }}
	switch r.IntN(4) {
	case 0:
		c.Latency.Link = dist.Constant(ms(50))
	case 1:
		low := ms(20)
		c.Latency.Message = dist.Uniform{Low: low, High: low + ms(200)}
	case 2:
		c.Latency.Link = dist.Uniform{Low: 0, High: ms(100)}
		c.Latency.Message = dist.Constant(ms(10))
	case 3:
		low := ms(20)
		d, err := dist.NewLogNormal(low, low+ms(100), 5*(1+r.IntN(40)))
		if err != nil {
			panic(err)
		}
		c.Latency.Link = d
	}
	if r.IntN(3) == 0 {
		c.Round = 10 * ms(100)
	}
	c.DialTimeout = ms(3000)
	if r.IntN(2) == 0 {
		c.Network = drawNetwork(r, ms)
	}
	return swarmRun{seed: seed, config: c, nodes: 2 + r.IntN(60), length: time.Duration(5+r.IntN(40)) * time.Second}
}

// drawNetwork draws a network with three regions.
func drawNetwork(r *rand.Rand, ms func(int) time.Duration) *sim.Network {
	w := &sim.Network{Delay: make([][]time.Duration, 3)}
	for i := range w.Delay {
		w.Delay[i] = []time.Duration{ms(50), ms(50), ms(50)}
	}
	on := func() bool { return r.IntN(2) == 0 }
	if on() {
		w.Jitter = []dist.Distribution{dist.Uniform{Low: 0, High: ms(50)}, nil, dist.Constant(ms(5))}
	}
	if on() {
		w.Loss, w.Retransmit, w.Attempts = r.IntN(100_000), ms(300), 1+r.IntN(10)
	}
	if on() {
		w.LinkLife = dist.Uniform{Low: 0, High: 100 * ms(1000)}
	}
	if on() {
		w.StallEvery, w.StallFor = dist.Uniform{Low: 0, High: 10 * ms(1000)}, dist.Uniform{Low: 0, High: ms(5000)}
	}
	if on() {
		w.Reorder, w.ReorderSeed = ms(20), r.Uint64()
	}
	w.DialTwice = r.IntN(2) * r.IntN(500_000)
	return w
}

// drawProfile draws a machine.
func drawProfile(r *rand.Rand) sim.Profile {
	p := sim.Profile{ClockOffset: time.Duration(r.IntN(10)) * time.Second, ClockDrift: r.IntN(2001) - 1000}
	if r.IntN(2) == 0 {
		p.Up, p.Down = int64(1000+r.IntN(1e6)), int64(1000+r.IntN(1e6))
		p.Queue = time.Duration(1+r.IntN(20)) * time.Second
	}
	if r.IntN(3) == 0 {
		p.Processing = time.Duration(r.IntN(50)) * time.Millisecond
	}
	return p
}

// run runs the scenario on some executor and returns its trace hash.
func (w swarmRun) run(t *testing.T, change func(*sim.Config)) uint64 {
	t.Helper()
	c := w.config
	change(&c)
	s, err := sim.New(c)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(w.seed, 99))
	config := peer.Config{
		Connections: 1 + r.IntN(6), InboundMax: 1 + r.IntN(10), Fanout: 1 + r.IntN(4), HopsMax: 1 + r.IntN(20),
		Interval: time.Duration(1+r.IntN(5)) * time.Second, Refresh: time.Duration(1+r.IntN(20)) * time.Second,
		Purge: time.Duration(1+r.IntN(20)) * time.Second, HelloTimeout: time.Duration(1+r.IntN(4)) * time.Second,
		KeepAlive: time.Duration(1+r.IntN(8)) * time.Second, HandshakesMax: 1 + r.IntN(20),
		RateMax: 5 + r.IntN(500), RoutesPerLink: 1 + r.IntN(50), RouteLife: time.Duration(1+r.IntN(10)) * time.Second,
		Book: book.Limits{Entries: 4 + r.IntN(100), Retry: time.Duration(1+r.IntN(5)) * time.Second},
	}.WithDefaults()
	s.Add(w.nodes)
	for id := range sim.NodeID(w.nodes) {
		if w.config.Network != nil {
			s.Place(id, r.IntN(3))
			if err := s.SetProfile(id, drawProfile(r)); err != nil {
				t.Fatal(err)
			}
		}
	}
	grow := func(id sim.NodeID) actors.Actor {
		if id%7 == 6 {
			return &chatter{nodes: w.nodes}
		}
		return &peer.Node{Config: &config, Advertise: []actors.Address{sim.AddressOf(id)},
			Bootstrap: []actors.Address{sim.AddressOf(id / 2), sim.AddressOf(0)}}
	}
	times := make([]time.Duration, w.nodes)
	for i := range times {
		times[i] = time.Duration(r.Int64N(int64(3 * time.Second)))
	}
	s.StartAt(0, times, grow)
	any := func() sim.NodeID { return sim.NodeID(r.IntN(w.nodes)) }
	for range 40 {
		s.At(time.Duration(r.Int64N(int64(w.length))), func() { w.disturb(s, r, any, grow) })
	}
	if err := s.Run(context.Background(), w.length); err != nil {
		t.Fatal(err)
	}
	return s.TraceHash()
}

// disturb does something to the network.
func (w swarmRun) disturb(s *sim.Simulation, r *rand.Rand, any func() sim.NodeID, grow func(sim.NodeID) actors.Actor) {
	id := any()
	switch r.IntN(12) {
	case 9:
		s.CrashAt(id, s.Now()+time.Duration(r.IntN(1e9)), r.IntN(2) == 0)
	case 10:
		s.ResetLinks(id, any())
	case 11:
		if w.config.Network != nil {
			s.SetConditions(r.IntN(3), r.IntN(3), sim.Conditions{Delay: time.Duration(r.IntN(1e8)), Loss: r.IntN(300_000)})
		}
		s.SendAt(id, s.Now()+time.Duration(r.IntN(1e9)), &peer.Announce{Type: "later"})
	case 0:
		s.Crash(id, r.IntN(2) == 0)
	case 1:
		if !s.IsLive(id) {
			s.Start(id, grow(id))
		}
	case 2:
		groups := make([]uint8, w.nodes)
		for i := range groups {
			groups[i] = uint8(r.IntN(2))
		}
		s.Partition(groups)
	case 3:
		s.Partition(nil)
	case 4:
		s.Send(id, &peer.Connect{Address: sim.AddressOf(any())})
	case 5:
		s.Send(id, &peer.Remove{Address: sim.AddressOf(any())})
	case 6:
		s.Send(id, &peer.Close{})
	default:
		s.Send(id, &peer.Announce{Type: "swarm", Data: fmt.Sprint(s.Now()), Limit: uint32(r.IntN(4))})
	}
}

// swarmRuns is how many random scenarios each test run tries.
const swarmRuns = 60

// The same scenario has one trace, whoever runs it: any number of workers, any
// window, typed and encoded links, and the reference executor.
func TestOneTraceOnEveryExecutor(t *testing.T) {
	ways := []struct {
		name   string
		change func(*sim.Config)
	}{
		{"reference", func(c *sim.Config) { c.Reference = true }},
		{"3 workers", func(c *sim.Config) { c.Workers = 3 }},
		{"short windows", func(c *sim.Config) { c.Window = 700 * time.Microsecond }},
		{"encoded", func(c *sim.Config) { c.Encoded = true; c.Workers = 2 }},
	}
	seen := map[uint64]uint64{}
	for seed := uint64(1); seed <= swarmRuns; seed++ {
		w := drawSwarm(seed)
		want := w.run(t, func(*sim.Config) {})
		if other, ok := seen[want]; ok {
			t.Errorf("seeds %d and %d have the same trace", other, seed)
		}
		seen[want] = seed
		for _, way := range ways {
			if got := w.run(t, way.change); got != want {
				t.Errorf("seed %d: trace %016x with %s, %016x without; rerun: go test ./sim -run OneTrace", seed, got, way.name, want)
			}
		}
	}
}

// Whatever was in a run, the same again gives the same trace, and another seed
// another.
func TestTraceDependsOnTheSeedAlone(t *testing.T) {
	w := drawSwarm(5)
	first, again := w.run(t, func(*sim.Config) {}), w.run(t, func(*sim.Config) {})
	if first != again {
		t.Errorf("trace %016x, then %016x", first, again)
	}
	if other := w.run(t, func(c *sim.Config) { c.Seed++ }); other == first {
		t.Error("another seed gives the same trace")
	}
}

// An actor that never lets time pass is reported, not waited for.
func TestTimersWithoutEndAreReported(t *testing.T) {
	s, err := sim.New(sim.Config{Seed: 1, Latency: sim.Latency{Link: dist.Constant(time.Millisecond)}})
	if err != nil {
		t.Fatal(err)
	}
	s.Add(1)
	s.Start(0, restless{})
	var failure *sim.Panic
	if err := s.Run(context.Background(), time.Second); !errors.As(err, &failure) || failure.Node != 0 || failure.Seed != 1 {
		t.Errorf("Run returns %v", err)
	}
}

type restless struct{}

func (restless) Receive(ctx actors.Context, _ actors.Message) { ctx.After(0, &rumor{}) }
