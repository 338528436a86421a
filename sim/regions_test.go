package sim_test

import (
	"runtime"
	"testing"
	"time"
	"weak"

	"peernet/actors"
	"peernet/sim"
	"peernet/sim/dist"
)

// talker is a root that sends to random nodes: now and then all of them at the same time,
// and few in between.
type talker struct{ nodes int }

type (
	chat      struct{}
	talkTimer struct{ all bool } // a timer
)

var (
	chatKind      = actors.RegisterMessage("regions_test.chat", func([]byte) (actors.Message, error) { return &chat{}, nil })
	talkTimerKind = actors.RegisterMessage("regions_test.timer", nil)
)

func (*chat) Kind() actors.Kind             { return chatKind }
func (*chat) Append(b []byte) []byte        { return b }
func (*talkTimer) Kind() actors.Kind        { return talkTimerKind }
func (m *talkTimer) Append(b []byte) []byte { return b }
func (c *talker) send(ctx actors.Context)   { ctx.(actors.Datagrams).SendTo(c.other(ctx), &chat{}) }
func (c *talker) wait(ctx actors.Context) {
	ctx.After(time.Duration(ctx.Rand().Int64N(int64(20*time.Second))), &talkTimer{})
}
func (c *talker) other(ctx actors.Context) actors.Address {
	return sim.AddressOf(sim.NodeID(ctx.Rand().IntN(c.nodes)))
}

func (c *talker) Receive(ctx actors.Context, m actors.Message) {
	switch m := m.(type) {
	case *actors.Started:
		c.wait(ctx)
		ctx.After(time.Second, &talkTimer{all: true})
	case *talkTimer:
		if c.send(ctx); !m.all {
			c.wait(ctx)
		}
	case *actors.Datagram:
		if ctx.Rand().IntN(4) == 0 {
			c.send(ctx)
		}
	}
}

// How many nodes a worker runs at a time follows from how much there is to do, which must
// not show: with thousands of nodes, that come and go, in windows with much and with little.
func TestOneTraceOfManyNodes(t *testing.T) {
	const nodes = 3000
	run := func(change func(*sim.Config)) (uint64, sim.Totals) {
		c := sim.Config{Seed: 1, Latency: sim.Latency{Message: dist.Uniform{Low: time.Millisecond, High: 2 * time.Millisecond}}}
		change(&c)
		s, err := sim.New(c)
		if err != nil {
			t.Fatal(err)
		}
		start := func(first sim.NodeID, count int) {
			for i := range count {
				s.Start(first+sim.NodeID(i), &talker{nodes})
			}
		}
		s.Add(nodes / 2)
		start(0, nodes/2)
		s.At(500*time.Millisecond, func() { start(s.Add(nodes/2), nodes/2) })
		s.At(1200*time.Millisecond, func() {
			for i := range sim.NodeID(nodes / 3) {
				s.Crash(3*i, false)
			}
		})
		s.At(1300*time.Millisecond, func() { start(0, 1); start(300, 1) })
		if err := s.Run(t.Context(), 2500*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		return s.TraceHash(), s.Totals()
	}
	want, totals := run(func(c *sim.Config) { c.Reference = true })
	if totals.Deliveries < 2*nodes/2 {
		t.Fatalf("only %d messages arrived", totals.Deliveries)
	}
	for _, workers := range []int{1, 2, 7} {
		if got, n := run(func(c *sim.Config) { c.Workers = workers }); got != want || n != totals {
			t.Errorf("trace %016x and %+v with %d workers, %016x and %+v with the reference", got, n, workers, want, totals)
		}
	}
}

// sleeper is a root that arms a timer.
type sleeper struct{ timer *big }

type big [64]byte

var bigKind = actors.RegisterMessage("regions_test.big", nil)

func (*big) Kind() actors.Kind      { return bigKind }
func (*big) Append(b []byte) []byte { return b }

func (s *sleeper) Receive(ctx actors.Context, m actors.Message) {
	if _, ok := m.(*actors.Started); ok {
		ctx.After(time.Hour, s.timer)
	}
}

// A node that crashed keeps neither its root nor its timers from being collected.
func TestCrashedNodesLetGo(t *testing.T) {
	s, err := sim.New(sim.Config{Latency: sim.Latency{Message: dist.Constant(time.Millisecond)}})
	if err != nil {
		t.Fatal(err)
	}
	s.Add(1)
	root := &sleeper{&big{}}
	kept, timer := weak.Make(root), weak.Make(root.timer)
	s.Start(0, root)
	s.Crash(0, false)
	root = nil
	runtime.GC()
	if kept.Value() != nil || timer.Value() != nil {
		t.Errorf("root %v, timer %v", kept.Value(), timer.Value())
	}
	runtime.KeepAlive(s)
}
