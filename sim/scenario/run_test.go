package scenario

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"peernet/experiments/scenarios"
	"peernet/sim"
	"peernet/sim/overlay"
)

// builtin returns a built-in scenario, changed by key=value pairs.
func builtin(t testing.TB, name string, sets ...string) *Scenario {
	t.Helper()
	text, ok := scenarios.Get(name)
	if !ok {
		t.Fatalf("no built-in scenario %s", name)
	}
	s, err := Parse(name+".yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	for _, kv := range sets {
		key, value, _ := strings.Cut(kv, "=")
		if err := s.Set("--set", key, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Resolve(); err != nil {
		t.Fatal(err)
	}
	return s
}

func run(t testing.TB, s *Scenario, o Options) *Summary {
	t.Helper()
	sum, err := Run(context.Background(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// What the README promises of the first command that a newcomer runs.
func TestQuickstartForms(t *testing.T) {
	// With one worker the memory is the same on every machine.
	sum := run(t, builtin(t, "quickstart"), Options{Workers: 1})
	if sum.FormedAtS == nil || *sum.FormedAtS > 15 {
		t.Errorf("formed at %v s, want at most 15", deref(sum.FormedAtS))
	}
	if sum.Overlay.LargestComponent != 1 {
		t.Errorf("largest component %v, want all nodes", sum.Overlay.LargestComponent)
	}
	if sum.Overlay.OutboundFull < 0.99 {
		t.Errorf("%v of the nodes have all outbound links, want at least 0.99", sum.Overlay.OutboundFull)
	}
	if sum.Announce.Count != 100 || sum.Announce.CoverageMin < 0.9 {
		t.Errorf("%d announces, least coverage %v", sum.Announce.Count, sum.Announce.CoverageMin)
	}
	if sum.Search.Answered != 10 || sum.Search.RepliesMean < 7 {
		t.Errorf("%d of 10 searches answered, %v replies each", sum.Search.Answered, sum.Search.RepliesMean)
	}
	t.Logf("%.0f bytes of heap per node", sum.HeapBytesPerNode)
	const bound = 8 << 10
	if sum.HeapBytesPerNode > bound {
		t.Errorf("%.0f bytes of heap per node, at most %d are budgeted", sum.HeapBytesPerNode, bound)
	}
}

func deref(p *float64) any {
	if p == nil {
		return "never"
	}
	return *p
}

// In a flood each node sends to all its links but the one it first heard from,
// the origin to all: 2E−(N−1) messages, exactly, and everybody is reached.
func TestFloodIdentity(t *testing.T) {
	for _, seed := range []string{"1", "2", "3"} {
		s := builtin(t, "flood", "nodes=3000", "messages=4", "seed="+seed)
		r, err := newRunner(s, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.sim.Run(context.Background(), time.Duration(s.Duration)); err != nil {
			t.Fatal(err)
		}
		sum := r.summary(false)
		want := uint64(s.Messages * (2*r.graph().Edges() - (s.Nodes - 1)))
		if sum.Deliveries != want || sum.Traffic.Messages != want {
			t.Errorf("seed %s: %d messages sent, %d delivered, want %d", seed, sum.Traffic.Messages, sum.Deliveries, want)
		}
		if sum.Announce.CoverageMin != 1 {
			t.Errorf("seed %s: least coverage %v, want 1", seed, sum.Announce.CoverageMin)
		}
		wantRedundancy := float64(want)/float64(s.Messages*(s.Nodes-1)) - 1
		if math.Abs(sum.Announce.Redundancy-wantRedundancy) > 1e-12 {
			t.Errorf("seed %s: redundancy %v, want %v", seed, sum.Announce.Redundancy, wantRedundancy)
		}
	}
}

// A static overlay has all the links that it is drawn with, however many.
func TestStaticOverlayIsWhole(t *testing.T) {
	s := builtin(t, "flood", "nodes=300", "connections=80", "messages=1")
	sum := run(t, s, Options{})
	// Of the pairs, 1−(1−80/299)² are linked.
	if d := sum.Overlay.DegreeMean; math.Abs(d-138.6) > 1 {
		t.Errorf("mean degree %v, want 138.6", d)
	}
	if sum.Overlay.OutboundMean != sum.Overlay.DegreeMean/2 {
		t.Errorf("%v outbound links a node, half of %v wanted", sum.Overlay.OutboundMean, sum.Overlay.DegreeMean)
	}
}

// The smallest networks form too: two nodes have one link.
func TestSmallNetworksForm(t *testing.T) {
	for n := 2; n <= 8; n++ {
		sum := run(t, builtin(t, "quickstart", fmt.Sprintf("nodes=%d", n)), Options{Workers: 1})
		if sum.FormedAtS == nil || sum.Overlay.OutboundFull != 1 {
			t.Errorf("%d nodes: formed at %v s, %v full", n, deref(sum.FormedAtS), sum.Overlay.OutboundFull)
		}
	}
}

// meanField returns the coverage of fan-out f on a large random symmetric graph
// with the given degrees.
//
// The directed formula s = exp(−f(1−s)) takes targets uniform over all nodes.
// Here a node sends along its own links, which also bring it messages, and not
// back to whom it first heard from. Let q be the probability that a link does
// not bring the message to a node v, given that v has it from nowhere else. The
// node u at its other end has degree d with probability d·p(d)/⟨d⟩ (a link leads
// to a node in proportion to its degree), and d−1 links besides. It has the
// message if any of these brought it, with probability 1−q^(d−1); then it sends
// to f of the d−1 links other than the first that brought it, and v is among
// these d−1, so v is left out with probability 1−min(1, f/(d−1)). So
//
//	q = Σ d·p(d)/⟨d⟩ · [ q^(d−1) + (1−q^(d−1))·(1−min(1, f/(d−1))) ]
//
// and v is reached with probability 1 − Σ p(d)·q^d. The graph must be locally
// like a tree: clustering makes the real coverage smaller.
func meanField(d overlay.Degrees, f float64) float64 {
	nodes, links := 0.0, 0.0
	for degree, count := range d.Counts {
		nodes += float64(count)
		links += float64(degree * count)
	}
	q := 0.5
	for range 1000 {
		next := 0.0
		for degree, count := range d.Counts {
			if degree == 0 || count == 0 {
				continue
			}
			others := float64(degree - 1)
			silent := math.Pow(q, others)
			skipped := 0.0
			if others > 0 {
				skipped = 1 - math.Min(1, f/others)
			}
			next += float64(degree*count) / links * (silent + (1-silent)*skipped)
		}
		q = next
	}
	missed := 0.0
	for degree, count := range d.Counts {
		missed += float64(count) / nodes * math.Pow(q, float64(degree))
	}
	return 1 - missed
}

// The mean-field solution itself, where it is known: with a fan-out of at least
// all links everybody is reached, and with as many links as nodes it is the
// directed formula.
func TestMeanFieldLimits(t *testing.T) {
	regular := func(d int) overlay.Degrees { return overlay.Degrees{Counts: append(make([]int, d), 1)} }
	if got := meanField(regular(5), 4); math.Abs(got-1) > 1e-9 {
		t.Errorf("flooding reaches %v", got)
	}
	if got := meanField(regular(100000), 3); math.Abs(got-(1-0.05952)) > 1e-4 {
		t.Errorf("fan-out 3 with very many links reaches %v, want 0.94048", got)
	}
}

// Fan-out 3 reaches what theory says for the degrees that the overlay has: the
// random one, and the one that the membership protocol makes. That is no
// uniformly random graph of its degrees: nodes that joined together share
// neighbours, which the mean field leaves out, so it reaches about 0.003 less.
func TestFanoutCoverageIsTheMeanField(t *testing.T) {
	for _, test := range []struct {
		name string
		s    *Scenario
	}{
		{"static overlay", builtin(t, "flood", "fanout=3", "hops_max=1000000", "messages=30")},
		{"gossip overlay", builtin(t, "quickstart", "hops_max=1000000", "messages=60", "searches=0", "messages_from=80%", "messages_until=95%")},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := test.s
			r, err := newRunner(s, Options{})
			if err != nil {
				t.Fatal(err)
			}
			var want float64
			r.sim.At(time.Duration(s.Duration)*7/8, func() { want = meanField(r.graph().Degrees(), 3) })
			if err := r.sim.Run(context.Background(), time.Duration(s.Duration)); err != nil {
				t.Fatal(err)
			}
			got := r.tracker.announces().CoverageMean
			t.Logf("coverage %.4f, mean field %.4f", got, want)
			if math.Abs(got-want) > 0.004 {
				t.Errorf("coverage %.4f, mean field %.4f: more than 0.004 apart", got, want)
			}
		})
	}
}

// Joining costs each node about the same in a small network and in a large one.
func TestJoinTrafficIsLinear(t *testing.T) {
	perNode := map[int]float64{}
	for _, n := range []int{500, 2000, 8000} {
		sum := run(t, builtin(t, "quickstart", fmt.Sprintf("nodes=%d", n), "messages=0", "searches=0", "duration=30s"), Options{})
		if sum.JoinMessagesPerNode == nil {
			t.Fatalf("%d nodes did not form", n)
		}
		perNode[n] = *sum.JoinMessagesPerNode
	}
	t.Logf("messages per node until formed: %v", perNode)
	if perNode[8000] > 1.5*perNode[500] || perNode[8000] > 300 {
		t.Errorf("messages per node until formed grow with the network: %v", perNode)
	}
}

// A network that was split in two for five minutes, so that both halves are
// full and have forgotten the other in their links, is one again within a
// minute of the heal.
func TestHealedPartitionMerges(t *testing.T) {
	seeds := 20
	if testing.Short() {
		seeds = 2
	}
	for seed := range seeds {
		t.Run(fmt.Sprintf("seed %d", seed+1), func(t *testing.T) {
			t.Parallel()
			s := builtin(t, "quickstart", "nodes=1000", "messages=0", "searches=0", "duration=10m", "arrivals=5s", fmt.Sprintf("seed=%d", seed+1))
			r, err := newRunner(s, Options{Workers: 1})
			if err != nil {
				t.Fatal(err)
			}
			groups := make([]uint8, s.Nodes)
			for i := range groups {
				groups[i] = uint8(r.random.IntN(2))
			}
			until := func(d time.Duration) {
				if err := r.sim.Run(context.Background(), d); err != nil {
					t.Fatal(err)
				}
			}
			until(30 * time.Second)
			if got := r.graph().LargestComponent(); got != s.Nodes {
				t.Fatalf("largest component %d before the split", got)
			}
			r.sim.Partition(groups)
			until(330 * time.Second)
			if got := len(r.graph().Components()); got != 2 {
				t.Fatalf("%d components at the end of the split, want 2", got)
			}
			if o := r.overlay(); o.OutboundFull < 0.95 {
				t.Errorf("%v of the nodes are full at the end of the split: the halves did not refill", o.OutboundFull)
			}
			r.sim.Partition(nil)
			until(390 * time.Second)
			if got := r.graph().LargestComponent(); got != s.Nodes {
				t.Errorf("largest component %d of %d a minute after the heal", got, s.Nodes)
			}
		})
	}
}

// The trace hash is the same in other processes, for any number of workers, any
// setting of the garbage collector, and for typed and encoded links, whether all models
// are on or none.
func TestTraceHashIsTheSameInEveryProcess(t *testing.T) {
	const variable = "PEERNET_TEST_TRACE"
	s := func(sets ...string) *Scenario {
		return builtin(t, "quickstart", append([]string{"nodes=600", "duration=20s"}, sets...)...)
	}
	if workers := os.Getenv(variable); workers != "" {
		var n int
		var wire string
		fmt.Sscan(workers, &n, &wire)
		for _, s := range []*Scenario{s(), parsed(t, everything)} {
			s.Wire = wire
			fmt.Println("trace", run(t, s, Options{Workers: n}).TraceHash)
		}
		return
	}
	want := run(t, s(), Options{Workers: 1}).TraceHash
	all := run(t, parsed(t, everything), Options{Workers: 2}).TraceHash
	if other := run(t, s("seed=2"), Options{Workers: 1}).TraceHash; other == want {
		t.Error("another seed gives the same trace hash")
	}
	if got := run(t, s(), Options{Reference: true}).TraceHash; got != want {
		t.Errorf("trace hash %s with the reference executor, %s without", got, want)
	}
	if got := run(t, s(), Options{Workers: 2, Window: time.Millisecond}).TraceHash; got != want {
		t.Errorf("trace hash %s with windows of 1 ms, %s without", got, want)
	}
	for _, p := range []struct{ workers, gogc string }{
		{"1 typed", "20"}, {"7 typed", "400"}, {"2 encoded", "100"},
	} {
		c := exec.Command(os.Args[0], "-test.run=^TestTraceHashIsTheSameInEveryProcess$", "-test.v")
		c.Env = append(os.Environ(), variable+"="+p.workers, "GOGC="+p.gogc)
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", p, err, out)
		}
		for _, want := range []string{want, all} {
			if !strings.Contains(string(out), "trace "+want+"\n") {
				t.Errorf("%s workers, GOGC=%s: want trace %s\n%s", p.workers, p.gogc, want, out)
			}
		}
	}
}

// An interrupted run gives what was done, marked as partial.
func TestInterruptedRunIsPartial(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	s := builtin(t, "quickstart", "nodes=100")
	sum, err := Run(ctx, s, Options{Progress: func(p Progress) {
		if p.Now >= 10*time.Second {
			cancel()
		}
	}})
	if err != context.Canceled || sum == nil || !sum.Partial {
		t.Fatalf("summary %+v, error %v", sum, err)
	}
	if sum.DurationS < 10 || sum.DurationS > 10.3 {
		t.Errorf("%v s simulated, want the 10 s until the interrupt", sum.DurationS)
	}
}

// A delivery costs at most one allocation, joining and all.
func TestAllocationBudget(t *testing.T) {
	s := builtin(t, "quickstart", "nodes=2000")
	var deliveries uint64
	allocs := testing.AllocsPerRun(1, func() {
		deliveries = run(t, s, Options{Workers: 1}).Deliveries
	})
	perDelivery := allocs / float64(deliveries)
	t.Logf("%.3f allocations per delivery", perDelivery)
	if perDelivery > 1 {
		t.Errorf("%.3f allocations per delivery, at most 1 is budgeted", perDelivery)
	}
}

// BenchmarkFlood is the speed of the kernel: ns/delivery is its inverse. Run it
// with -benchtime=1x and compare within one run.
func BenchmarkFlood(b *testing.B) {
	for _, c := range []struct {
		name string
		o    Options
	}{
		{"1worker", Options{Workers: 1}}, {"2workers", Options{Workers: 2}}, {"reference", Options{Reference: true}},
	} {
		for _, n := range []int{10_000, 100_000} {
			b.Run(fmt.Sprintf("%s/nodes=%d", c.name, n), func(b *testing.B) {
				for b.Loop() {
					sum := run(b, builtin(b, "flood", fmt.Sprintf("nodes=%d", n)), c.o)
					b.ReportMetric(sum.DeliveriesPerCPUS, "deliveries/cpu-s")
					b.ReportMetric(sum.WallS, "wall-s")
				}
			})
		}
	}
}

var _ sim.Observer = (*tracker)(nil)

// Most nodes of the Internet cannot be dialled. A network of such nodes forms all the
// same, by WebRTC, whoever runs it.
func TestUnreachableNodesFormANetwork(t *testing.T) {
	s := builtin(t, "quickstart", "nodes=600", "reach.public=20", "reach.full_cone=10", "reach.restricted=20", "reach.port_restricted=30", "reach.symmetric=20")
	sum := run(t, s, Options{Workers: 2})
	o := sum.Overlay
	t.Logf("formed at %v s; %.2f of %.2f outbound links by WebRTC", deref(sum.FormedAtS), o.NegotiatedMean, o.OutboundMean)
	if sum.FormedAtS == nil || o.LargestComponent != 1 || o.OutboundFull < 0.99 {
		t.Errorf("formed at %v s, largest component %v, full %v", deref(sum.FormedAtS), o.LargestComponent, o.OutboundFull)
	}
	if o.NegotiatedMean < 1.5 || o.NegotiatedMean > 2.5 {
		t.Errorf("%.2f links by WebRTC, want about half of 5 rounded down", o.NegotiatedMean)
	}
	for _, o := range []Options{{Workers: 1}, {Reference: true}} {
		if got := run(t, s, o); got.TraceHash != sum.TraceHash {
			t.Errorf("%+v: trace hash %v, want %v", o, got.TraceHash, sum.TraceHash)
		}
	}
}
