package scenario

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"peernet/actors"
	"peernet/actors/book"
	"peernet/actors/peer"
	"peernet/sim"
	"peernet/sim/result"
)

// everything is a scenario with all models, faults and roles.
const everything = `
nodes: 120
duration: 60s
latency: {min: 2ms, median: 20ms}
regions:
  - {name: tokyo, weight: 2, jitter: {model: pareto, min: 1ms, shape: 2.5}}
  - {name: london, jitter: {model: normal, mean: 5ms, sd: 3ms}}
  - {name: mars, jitter: {model: empirical, quantiles: [0s, 1ms, 50ms]}}
rtt:
  - {from: mars, to: tokyo, rtt: 400ms}
  - {from: mars, to: london, delay: 100ms}
  - {from: london, to: mars, delay: 150ms}
  - {from: mars, to: mars, rtt: 8ms}
network:
  loss: 1%
  link_life: {model: exponential, mean: 40s}
  stall_every: {model: exponential, mean: 30s}
  stall_for: {model: uniform, min: 100ms, max: 3s}
  dial_twice: 5%
  reorder: 10ms
  reorder_seed: 3
conditions:
  - {at: 20s, until: 30s, from: tokyo, to: london, delay: 80ms, loss: 10%}
arrival_model: poisson
crowds:
  - {at: 15s, within: 1s, share: 20%}
churn:
  session: {model: weibull, scale: 20s, shape: 0.7}
  downtime: {model: exponential, mean: 4s}
  from: 5s
  until: 50s
  book: synced
reach: {public: 4, full_cone: 1, restricted: 1, port_restricted: 1, symmetric: 1, blocked: 1}
classes:
  - {name: server, stays: yes}
  - {name: home, weight: 3, up: 2Mbit, down: 10Mbit, processing: 300us, clock_skew: 5s, clock_drift: 2ms}
faults:
  - {kind: crash, at: 12s, share: 20%, restart: 5s, book: lost}
  - {kind: crash, at: 30s, region: mars, leave: reset, share: 50%}
  - {kind: partition, at: 18s, until: 26s, share: 40%}
  - {kind: partition, at: 22s, until: 40s, region: london}
  - {kind: stall, at: 33s, until: 38s, share: 10%}
  - {kind: slow, at: 10s, until: 40s, share: 10%, slow: 20ms}
  - {kind: reset, at: 35s, share: 30%}
  - {kind: disk_error, at: 10s, until: 30s, share: 50%}
  - {kind: disk_full, at: 20s, until: 45s, share: 20%}
  - {kind: remove, at: 25s, share: 50%}
adversaries:
  - {role: flooder, count: 2, at: 8s}
  - {role: sybil, count: 4, at: 8s, until: 40s}
  - {role: eclipser, count: 3, at: 8s, victim: 9}
  - {role: dropper, count: 2, at: 8s}
  - {role: delayer, count: 2, at: 8s, delay: 1s}
  - {role: replayer, at: 8s}
  - {role: forger, at: 8s}
  - {role: oversender, at: 8s, rate: 2000}
  - {role: silent, at: 8s}
messages: 20
messages_from: 10s
searches: 5
workload:
  - {count: 10, pace: burst, from: 20s, region: mars, payload_max: 900}
  - {kind: search, count: 10, pace: poisson, from: 10s, class: home}
edges_at: [50%, 100%]
`

func parsed(t testing.TB, text string) *Scenario {
	t.Helper()
	s, err := Parse("test.yaml", []byte(text))
	if err == nil {
		err = s.Resolve()
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// With every model switched on a run is the same for any number of workers, by the
// reference executor, with encoded links, and whether it is recorded or traced.
func TestEverythingHasOneTrace(t *testing.T) {
	s := parsed(t, everything)
	want := run(t, s, Options{Workers: 1})
	for _, c := range want.Failed() {
		t.Errorf("%s: %s", c.Name, c.Detail)
	}
	for name, o := range map[string]Options{
		"3 workers": {Workers: 3}, "reference": {Reference: true}, "short windows": {Workers: 2, Window: 300 * time.Microsecond},
		"recorded": {Workers: 2, Record: true}, "traced": {Workers: 2, Tracer: &collector{shards: make([][]Line, 2)}},
	} {
		if got := run(t, s, o); got.TraceHash != want.TraceHash {
			t.Errorf("%s: trace %s, want %s", name, got.TraceHash, want.TraceHash)
		}
	}
	s.Wire = WireEncoded
	if got := run(t, s, Options{Workers: 2}); got.TraceHash != want.TraceHash {
		t.Errorf("encoded: trace %s, want %s", got.TraceHash, want.TraceHash)
	}
	s.Seed++
	if got := run(t, s, Options{Workers: 2}); got.TraceHash == want.TraceHash {
		t.Error("another seed gives the same trace")
	}
}

// What is recorded does not depend on the workers either.
func TestRecordsAreTheSame(t *testing.T) {
	s := parsed(t, everything)
	record := func(workers int) *result.Run {
		_, r, err := Record(context.Background(), s, Options{Workers: workers, Record: true})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	one, three := record(1), record(3)
	dirs := [2]string{t.TempDir(), t.TempDir()}
	for i, r := range []*result.Run{one, three} {
		r.Manifest, r.Summary = []byte("{}"), []byte("{}")
		if err := result.Write(dirs[i], r, result.Options{CSV: true}); err != nil {
			t.Fatal(err)
		}
	}
	files, err := os.ReadDir(dirs[0])
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		a, errA := os.ReadFile(filepath.Join(dirs[0], f.Name()))
		b, errB := os.ReadFile(filepath.Join(dirs[1], f.Name()))
		if errA != nil || errB != nil || string(a) != string(b) {
			t.Errorf("%s differs: %v, %v", f.Name(), errA, errB)
		}
	}
	honest, hostile := 0, 0
	for _, n := range one.Nodes {
		if n.Role == "" {
			honest++
		} else {
			hostile++
		}
		if n.UpS < 0 || n.UpS > 60 {
			t.Errorf("node %d was up for %v s", n.ID, n.UpS)
		}
	}
	if honest != 120 || hostile != 17 || len(one.Edges) == 0 || len(one.Messages) < 30 {
		t.Errorf("%d honest and %d hostile nodes, %d edges, %d messages", honest, hostile, len(one.Edges), len(one.Messages))
	}
}

// presence watches when nodes come and go, once every so often.
func presence(t *testing.T, s *Scenario, every time.Duration) [][]bool {
	t.Helper()
	r, err := newRunner(s, Options{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	var list [][]bool
	for at := every; at <= time.Duration(s.Duration); at += every {
		if err := r.sim.Run(context.Background(), at); err != nil {
			t.Fatal(err)
		}
		row := make([]bool, s.Nodes)
		for id := range row {
			row[id] = r.sim.IsLive(sim.NodeID(id))
		}
		list = append(list, row)
	}
	return list
}

// Sessions and downtimes are as long as configured.
func TestChurnFollowsItsDistributions(t *testing.T) {
	s := parsed(t, `
nodes: 400
duration: 400s
bootstraps: 2
arrivals: 0s
churn:
  session: {model: exponential, mean: 30s}
  downtime: {model: uniform, min: 1s, max: 5s}
  leave: goodbye
connections: 2
interval: 60s
refresh: 300s
checks: {invariants: no}
`)
	every := 250 * time.Millisecond
	rows := presence(t, s, every)
	var sessions, downtimes []float64
	for id := s.Bootstraps; id < s.Nodes; id++ {
		since, was := 0, rows[0][id]
		for i, row := range rows {
			if row[id] == was {
				continue
			}
			length := float64(i-since) * every.Seconds()
			switch {
			case since == 0: // began before the first look
			case was && float64(since)*every.Seconds() < 200: // else the long ones would be cut
				sessions = append(sessions, length)
			case !was:
				downtimes = append(downtimes, length)
			}
			since, was = i, row[id]
		}
	}
	// Looking four times a second blurs each length by as much.
	check := func(name string, sample []float64, cdf func(float64) float64) {
		slices.Sort(sample)
		n, d := float64(len(sample)), 0.0
		for i, v := range sample {
			d = max(d, cdf(v-every.Seconds())-float64(i+1)/n, float64(i)/n-cdf(v+every.Seconds()))
		}
		if d *= math.Sqrt(n); n < 1000 || d > 1.63 {
			t.Errorf("%s: %d lengths, Kolmogorov-Smirnov distance %.2f", name, len(sample), d)
		}
	}
	check("sessions", sessions, func(v float64) float64 { return 1 - math.Exp(-max(v, 0)/30) })
	check("downtimes", downtimes, func(v float64) float64 { return min(max((v-1)/4, 0), 1) })
	for id := range s.Bootstraps {
		if !rows[len(rows)-1][id] {
			t.Error("a bootstrap node left")
		}
	}
}

// Nodes of a trace are there when the file says, to the second, and the others stay.
func TestChurnTrace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stays.csv")
	trace := "until_s,node,from_s\n20,7,10\n45.5,7,30.25\n# nobody\n60,9,0\n12,8,3\n"
	if err := os.WriteFile(path, []byte(trace), 0o600); err != nil {
		t.Fatal(err)
	}
	s := parsed(t, "nodes: 12\nduration: 60s\narrivals: 1s\nchurn: {trace: "+path+", leave: silence}\n")
	rows := presence(t, s, time.Second)
	for i, row := range rows {
		at := float64(i + 1)
		want7 := at > 10 && at <= 20 || at > 30.25 && at <= 45.5
		if slices.Contains([]float64{3, 10, 12, 20, 60}, at) { // some of what is at that time is done
			continue
		}
		if row[7] != want7 || row[8] != (at >= 3 && at < 12) || !row[9] || !row[11] {
			t.Errorf("at %v s nodes 7, 8, 9, 11 are there: %v %v %v %v", at, row[7], row[8], row[9], row[11])
		}
	}
	for text, want := range map[string]string{
		"":                                  "want a first line node,from_s,until_s",
		"a,b\n1,2\n":                        `the first line is "a,b"`,
		"node,from_s,until_s\n1,5,9\n":      `line 2: node "1", want one from 5`,
		"node,from_s,until_s\n7,9,5\n":      "line 2: until_s 5 is not after",
		"node,from_s,until_s\n7,1e3,5\n":    `line 2: want seconds such as 12.5, not "1e3"`,
		"node,from_s,until_s\n7,1,5\n7,4,9": "two stays of node 7 overlap",
	} {
		if _, err := readTrace(strings.NewReader(text), 5, 12); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
}

// Arrivals are spread as the model says, and crowds come when they are to.
func TestArrivals(t *testing.T) {
	at := func(text string) []time.Duration {
		s := parsed(t, "nodes: 1000\nduration: 100s\nbootstraps: 5\n"+text)
		r, err := newRunner(s, Options{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		times := r.arrivals()
		return times[s.Bootstraps:]
	}
	ramp := at("arrivals: 50s\narrival_model: ramp\n")
	for i := 1; i < len(ramp); i++ {
		if gap := ramp[i] - ramp[i-1]; gap < 50*time.Millisecond || gap > 51*time.Millisecond {
			t.Fatalf("gap %d of a ramp is %v", i, gap)
		}
	}
	poisson := at("arrivals: 50s\narrival_model: poisson\n")
	var gaps []float64
	for i := 1; i < len(poisson); i++ {
		gaps = append(gaps, (poisson[i] - poisson[i-1]).Seconds())
	}
	slices.Sort(gaps)
	d := 0.0
	for i, v := range gaps {
		f := 1 - math.Exp(-v*995/50)
		d = max(d, f-float64(i)/994, float64(i+1)/994-f)
	}
	if d *= math.Sqrt(994); d > 1.63 {
		t.Errorf("gaps of Poisson arrivals: Kolmogorov-Smirnov distance %.2f", d)
	}
	crowd := at("arrivals: 10s\ncrowds: [{at: 60s, within: 2s, share: 30%}, {at: 80s, share: 20%}]\n")
	counts := [3]int{}
	for _, v := range crowd {
		switch {
		case v < 10*time.Second:
			counts[0]++
		case v >= 60*time.Second && v <= 62*time.Second:
			counts[1]++
		case v == 80*time.Second:
			counts[2]++
		}
	}
	if want := [3]int{497, 299, 199}; counts != want {
		t.Errorf("%v nodes come first and with the two crowds, want %v", counts, want)
	}
}

// The share of the nodes that a fault concerns is what it says, in its region, and a
// crash that is no end ends.
func TestFaultsConcernWhomTheyName(t *testing.T) {
	s := parsed(t, `
nodes: 200
duration: 60s
arrivals: 2s
regions: [{name: tokyo}, {name: london}]
faults:
  - {kind: crash, at: 20s, region: tokyo, share: 40%, restart: 10s}
  - {kind: crash, at: 40s, share: 25%, spare_bootstraps: yes}
`)
	r, err := newRunner(s, Options{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	inTokyo, live := 0, func() (n, london int) {
		for id := range s.Nodes {
			if r.sim.IsLive(sim.NodeID(id)) {
				n++
				london += int(r.members[id].region)
			}
		}
		return n, london
	}
	for id := range s.Nodes {
		inTokyo += 1 - int(r.members[id].region)
	}
	for _, step := range []struct {
		at   time.Duration
		gone int
	}{{19 * time.Second, 0}, {21 * time.Second, int(math.Round(float64(inTokyo) * 0.4))}, {31 * time.Second, 0}, {41 * time.Second, 49}, {60 * time.Second, 49}} {
		if err := r.sim.Run(context.Background(), step.at); err != nil {
			t.Fatal(err)
		}
		n, london := live()
		if n != s.Nodes-step.gone || step.at < 40*time.Second && london != s.Nodes-inTokyo {
			t.Errorf("at %v %d nodes live, %d of them in london; want %d", step.at, n, london, s.Nodes-step.gone)
		}
	}
	for id := range s.Bootstraps {
		if !r.sim.IsLive(sim.NodeID(id)) {
			t.Error("a bootstrap node crashed")
		}
	}
}

// A node that crashes finds what it wrote to the disk last, and nothing newer; while
// the disk fails nothing is written.
func TestBooksAfterCrashes(t *testing.T) {
	for book, want := range map[string][2]int{BookKept: {3, 3}, BookSynced: {1, 1}, BookLost: {0, 0}} {
		d := &disk{}
		a := func(i int) actors.Address { return sim.AddressOf(sim.NodeID(i)) }
		b := d.open(bookKept)
		b.Append(entryOf(a(1)))
		b.Bar(a(9), 100)
		if err := b.Commit(); err != nil {
			t.Fatal(err)
		}
		b.Append(entryOf(a(2)))
		d.fails = []error{errDisk, errFull}
		if err := b.Commit(); err != errFull {
			t.Errorf("a full disk commits: %v", err)
		}
		b.Append(entryOf(a(3)))
		b.Bar(a(8), 100)
		after := d.open(bookStateOf(book))
		if after.Len() != want[0] {
			t.Errorf("%s: %d addresses after the crash, want %d", book, after.Len(), want[0])
		}
		barred := 0
		for _, i := range []int{8, 9} {
			if after.Barred(a(i)) == 100 {
				barred++
			}
		}
		if most := map[string]int{BookKept: 2, BookSynced: 1}[book]; barred != most {
			t.Errorf("%s: %d addresses are barred after the crash, want %d", book, barred, most)
		}
	}
}

// Goals are judged by what happens, and say where they fail.
func TestGoals(t *testing.T) {
	const base = "nodes: 60\nduration: 60s\nmessages: 5\nsearches: 3\nchecks:\n  goals:\n    - "
	for goal, ok := range map[string]bool{
		"{goal: formed, within: 30s}":                            true,
		"{goal: formed, within: 500ms}":                          false,
		"{goal: one_component, after: 10s, within: 10s}":         true,
		"{goal: coverage, least: 80%}":                           true,
		"{goal: answered}":                                       true,
		"{goal: bytes_per_node_per_s, after: 20s, most: 100000}": true,
		"{goal: bytes_per_node_per_s, most: 10}":                 false,
		"{goal: dead_forgotten, after: 10s, within: 1s}":         true,
		"{goal: coverage, least: 80%}\nresponders: 0\nfanout: 1": false,
		"{goal: answered, least: 1%}\nresponders: 0":             false,
		"{goal: one_component, after: 20s, within: 1s}\nfaults: [{kind: partition, at: 10s, until: 50s, share: 50%}]\nkeep_alive: 2s\nhello_timeout: 1s": false,
		"{goal: dead_forgotten, after: 40s, within: 1s}\nfaults: [{kind: crash, at: 39s, share: 50%}]":                                                   false,
	} {
		sum := run(t, parsed(t, base+goal), Options{Workers: 2})
		failed := sum.Failed()
		if (len(failed) == 0) != ok {
			t.Errorf("%s: failed %+v", goal, failed)
		}
	}
}

// A smaller scenario that fails the same check is found.
func TestShrink(t *testing.T) {
	s := parsed(t, `
nodes: 60
duration: 60s
regions: [{name: tokyo, jitter: {model: exponential, mean: 5ms}}, {name: london}]
network: {loss: 1%, dial_twice: 5%}
classes: [{name: home, up: 5Mbit}, {name: server}]
faults:
  - {kind: slow, at: 5s, until: 20s, share: 20%, slow: 5ms}
  - {kind: partition, at: 22s, until: 50s, share: 40%}
  - {kind: remove, at: 25s, share: 50%}
  - {kind: reset, at: 26s, share: 10%}
adversaries: [{role: dropper, at: 8s}, {role: flooder, at: 8s, count: 2}]
messages: 10
searches: 4
workload: [{kind: search, count: 5}]
keep_alive: 2s
hello_timeout: 1s
checks:
  goals:
    - {goal: answered, after: 0s, least: 0.0001%}
    - {goal: one_component, after: 30s, within: 5s}
`)
	small, check, _, err := Shrink(context.Background(), s, Options{Workers: 2}, 200, nil)
	if err != nil {
		t.Fatal(err)
	}
	if check != GoalComponent {
		t.Errorf("it shrinks a failure of %s", check)
	}
	again := parsed(t, string(small.YAML()))
	name, _, err := Failure(context.Background(), again, Options{Workers: 1})
	if err != nil || name != GoalComponent {
		t.Errorf("what it writes fails %q, %v", name, err)
	}
	if small.Nodes > 30 || len(small.Faults) != 1 || small.Faults[0].Kind != FaultPartition || len(small.Adversaries) > 0 || len(small.YAML()) > 500 {
		t.Errorf("it is not small:\n%s", small.YAML())
	}
	if _, _, _, err := Shrink(context.Background(), parsed(t, "nodes: 20\nduration: 10s\n"), Options{Workers: 1}, 10, nil); err != ErrPasses {
		t.Errorf("of a scenario that passes: %v", err)
	}
}

// A replay shows the node as it was, and what came around that time, whoever asks.
func TestReplay(t *testing.T) {
	s := parsed(t, "nodes: 50\nduration: 40s\nmessages: 20\n")
	state, err := Replay(context.Background(), s, Options{Workers: 1}, 17, 25*time.Second, 2*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Replay(context.Background(), s, Options{Workers: 3}, 17, 25*time.Second, 2*time.Second)
	if err != nil || len(again.Lines) != len(state.Lines) || again.ID != state.ID {
		t.Errorf("with 3 workers %d lines and id %s, want %d and %s; %v", len(again.Lines), again.ID, len(state.Lines), state.ID, err)
	}
	if !state.Live || len(state.Connections) < 5 || len(state.Book) < 20 || state.Broken != "" {
		t.Errorf("the node is %+v", state)
	}
	received := 0
	for _, l := range state.Lines {
		if l.AtS < 23 || l.AtS > 27 || l.Node != 17 {
			t.Errorf("line %+v", l)
		}
		if l.Kind == peer.EventRequest.String() {
			received++
		}
	}
	if received == 0 {
		t.Error("no announce arrived in four seconds")
	}
	if _, err := Replay(context.Background(), s, Options{}, 50, 0, 0); err == nil {
		t.Error("a node that is not there is replayed")
	}
}

// A trace is in order, the same for any workers, and filtered.
func TestTraceIsInOrder(t *testing.T) {
	s := parsed(t, "nodes: 40\nduration: 20s\nmessages: 10\n")
	trace := func(workers int, f Filter) string {
		var b strings.Builder
		n, err := Trace(context.Background(), s, Options{Workers: workers}, 20*time.Second, f, &b)
		if err != nil || n != strings.Count(b.String(), "\n") {
			t.Fatalf("%d lines, %v", n, err)
		}
		return b.String()
	}
	all := Filter{Kinds: []string{"gossip.*"}}
	one := trace(1, all)
	if one != trace(3, all) {
		t.Error("traces differ with the workers")
	}
	if strings.Count(one, "\n") < 100 || strings.Contains(one, "conn.") || !strings.HasPrefix(one, `{"at_s":`) {
		t.Errorf("the trace is %.300s", one)
	}
	few := trace(1, Filter{Nodes: []sim.NodeID{3}, From: 12 * time.Second, Until: 14 * time.Second})
	if few == "" || strings.Count(few, `"node":3,`) != strings.Count(few, "\n") {
		t.Errorf("the filtered trace is %.300s", few)
	}
}

// A static overlay can be read from a file.
func TestTopology(t *testing.T) {
	path := filepath.Join(t.TempDir(), "edges.txt")
	if err := os.WriteFile(path, []byte("from to\n0 1\n1,2\n2\t3 7.5\n\n# end\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := parsed(t, "nodes: 5\noverlay: static\ntopology: "+path+"\nfanout: all\nmessages: 1\nmessages_from: 1s\nduration: 10s\n")
	sum := run(t, s, Options{Workers: 1})
	if sum.Overlay.DegreeMax != 2 || sum.Overlay.DegreeMin != 0 || sum.Overlay.LargestComponent != 0.8 {
		t.Errorf("the overlay is %+v", sum.Overlay)
	}
	for text, want := range map[string]string{
		"0 1\n1\n": "line 2: want two numbers", "0 9\n": "line 1: node 9, but nodes are numbered from 0 to 4",
		"1 1\n": "line 1: a link from node 1 to itself", "0 1\n1 0\n": "line 2: the link between 1 and 0 is there already", "0 1\nx y\n": "line 2: want two numbers",
	} {
		if _, err := readEdges(strings.NewReader(text), 5); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
}

func entryOf(a actors.Address) book.Entry { return book.Entry{Address: a} }

// Whoever hears a message again, after it has forgotten it, is not reached twice.
func TestCoverageCountsNodesOnce(t *testing.T) {
	s := parsed(t, "nodes: 30\nduration: 200s\nmessages: 5\nmessages_from: 10s\nmessages_until: 20s\nadversaries: [{role: replayer, count: 4}]\n")
	_, record, err := Record(context.Background(), s, Options{Workers: 2, Record: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range record.Messages {
		if m.Coverage > 1 || m.Coverage < 0.5 {
			t.Errorf("message %d reached %v of the nodes", m.Index, m.Coverage)
		}
	}
}

// The times for which nodes were there add up to the live nodes over time.
func TestUptimesAddUp(t *testing.T) {
	s := parsed(t, "nodes: 100\nduration: 100s\nsample: 100ms\nchurn: {session: {model: exponential, mean: 4s}, downtime: {model: exponential, mean: 3s}, leave: reset}\n")
	_, record, err := Record(context.Background(), s, Options{Workers: 2, Record: true})
	if err != nil {
		t.Fatal(err)
	}
	up, live := 0.0, 0.0
	for _, n := range record.Nodes {
		up += n.UpS
	}
	for _, v := range record.Series.Column("live") {
		live += v / 10
	}
	if math.Abs(up-live) > 0.02*live {
		t.Errorf("nodes say that they were there for %.0f s in all, the series says %.0f", up, live)
	}
}

// A network has not formed before its last node has come, whatever else happens.
func TestFormedWaitsForAll(t *testing.T) {
	for _, more := range []string{"", "faults: [{kind: remove, at: 55s, share: 10%}]\n"} {
		sum := run(t, parsed(t, "nodes: 20\nduration: 60s\narrivals: 30s\narrival_model: ramp\n"+more), Options{Workers: 1})
		if sum.FormedAtS == nil || *sum.FormedAtS <= 30 {
			t.Errorf("%q: formed at %v", more, deref(sum.FormedAtS))
		}
	}
}

// A partition is seen in the components at once, before any node has noticed it, and
// the goal of one component waits for the heal.
func TestPartitionIsSeenAtOnce(t *testing.T) {
	s := parsed(t, `
nodes: 100
duration: 40s
sample: 1s
faults: [{kind: partition, at: 20s, until: 30s, share: 50%}]
checks: {goals: [{goal: one_component, after: 21s, within: 15s}]}
`)
	sum, record, err := Record(context.Background(), s, Options{Workers: 2, Record: true})
	if err != nil {
		t.Fatal(err)
	}
	goal := sum.Checks[len(sum.Checks)-1]
	if !goal.OK || !strings.HasPrefix(goal.Detail, "reached at 30") && !strings.HasPrefix(goal.Detail, "reached at 31") {
		t.Errorf("the goal: %+v", goal)
	}
	k := slices.IndexFunc(record.Series.Columns, func(c result.Column) bool { return c.Name == "components" })
	for i, at := range record.Series.AtS {
		n := record.Series.Columns[k].Values[i]
		if split := at >= 20 && at < 30; at > 10 && split != (n > 1) {
			t.Errorf("%v components at %v s", n, at)
		}
	}
}

// A node that a fault took down is away until the fault says, whatever churn would do,
// and its book is what the fault left of it.
func TestFaultsHoldNodesDown(t *testing.T) {
	s := parsed(t, `
nodes: 200
duration: 120s
bootstraps: 5
arrivals: 1s
churn: {session: {model: exponential, mean: 10s}, downtime: {model: uniform, min: 1s, max: 2s}, leave: silence}
faults: [{kind: crash, at: 30s, spare_bootstraps: yes, restart: 60s}]
`)
	rows := presence(t, s, 10*time.Millisecond)
	at := func(second float64) []bool { return rows[int(math.Round(100*second))-1] }
	for id, live := range at(30) {
		if before := at(29.99)[id]; id < s.Bootstraps || live || !before {
			continue // it was away: the fault did not concern it
		}
		for second := 30.5; second < 90; second++ {
			if at(second)[id] {
				t.Fatalf("node %d crashed at 30 s and is back at %v s, before 90 s", id, second)
			}
		}
	}
	back := 0
	for _, live := range at(90.5) {
		if live {
			back++
		}
	}
	if back < 150 {
		t.Errorf("%d of 200 are back", back)
	}
}

// Clocks are off either way, and those without skew are right.
func TestSkewIsEitherWay(t *testing.T) {
	s := parsed(t, "nodes: 1000\nduration: 10s\nclasses: [{name: right}, {name: wrong, clock_skew: 10s}]\n")
	r, err := newRunner(s, Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	clock := func(class int) (low, high time.Duration) {
		low = never
		for id := range s.Nodes {
			if int(r.members[id].class) == class {
				at := time.Duration(r.sim.Clock(sim.NodeID(id)))
				low, high = min(low, at), max(high, at)
			}
		}
		return low, high
	}
	right, same := clock(0)
	low, high := clock(1)
	if right != same {
		t.Errorf("right clocks show from %v to %v", right, same)
	}
	for _, off := range []time.Duration{right - low, high - right} {
		if off < 9*time.Second || off > 10*time.Second {
			t.Errorf("wrong clocks show from %v to %v, right ones %v", low, high, right)
		}
	}
}

// Nodes that answer searches do so after a restart too.
func TestRespondersComeBack(t *testing.T) {
	sum := run(t, parsed(t, `
nodes: 50
duration: 60s
responders: 50
searches: 1
searches_from: 20s
searches_until: 20s
workload: [{kind: search, count: 10, from: 50s, until: 55s}]
faults: [{kind: crash, at: 30s, spare_bootstraps: yes, restart: 1s}]
`), Options{Workers: 1})
	if sum.Search.Answered != 11 || sum.Search.RepliesMean < 25 {
		t.Errorf("%+v", sum.Search)
	}
}

// What adversaries achieve is measured: an eclipsed node has most of its links with
// them, and its peers' books are not empty of honest ones.
func TestEclipseIsMeasured(t *testing.T) {
	const text = "nodes: 60\nduration: 90s\n"
	sum, record, err := Record(context.Background(), parsed(t, text+"adversaries: [{role: eclipser, count: 20, at: 10s, victim: 30}]\n"), Options{Workers: 2, Record: true})
	if err != nil {
		t.Fatal(err)
	}
	victim := record.Nodes[30]
	links, book := float64(victim.HostileLinks)/float64(victim.Degree), float64(victim.HostileBook)/float64(victim.Book)
	if o := sum.Overlay; links < 2*o.HostileLinks || o.HostileLinks == 0 || book <= 0 || o.HostileBook <= 0 || o.HostileBook > 0.9 {
		t.Errorf("of the victim's links %.2f are hostile, of its book %.2f; of all %.2f and %.2f", links, book, o.HostileLinks, o.HostileBook)
	}
	if o := run(t, parsed(t, text), Options{Workers: 2}).Overlay; o.HostileLinks != 0 || o.HostileBook != 0 {
		t.Errorf("without adversaries: %+v", o)
	}
}

// What is said of one message is said of the nodes that count as reached, those that
// came later left out, whether invariants are checked or not; and adds up to the summary.
func TestMessagesCountWhomTheyReach(t *testing.T) {
	const text = "nodes: 200\nduration: 60s\narrivals: 40s\nmessages: 20\nmessages_from: 5s\nchurn: {session: {model: exponential, mean: 20s}, downtime: {model: exponential, mean: 5s}}\n"
	for _, checks := range []string{"", "checks: {invariants: no}\n"} {
		sum, record, err := Record(context.Background(), parsed(t, text+checks), Options{Workers: 2, Record: true})
		if err != nil {
			t.Fatal(err)
		}
		hops, reached := 0.0, 0.0
		for _, m := range record.Messages {
			n := float64(m.Reached - 1)
			if n == 0 {
				continue
			}
			if all := m.HopsMean * n; math.Abs(all-math.Round(all)) > 1e-6 {
				t.Errorf("message %d: %v hops on average of %v nodes are %v in all", m.Index, m.HopsMean, n, all)
			}
			hops, reached = hops+m.HopsMean*n, reached+n
		}
		if math.Abs(hops/reached-sum.Announce.HopsMean) > 1e-9 {
			t.Errorf("%v hops on average of the messages, %v in the summary", hops/reached, sum.Announce.HopsMean)
		}
	}
}

// In a static overlay nobody finds out who is gone, and that is no failure.
func TestStaticOverlayHasNoOneSidedLinks(t *testing.T) {
	sum := run(t, parsed(t, "nodes: 20\nduration: 300s\noverlay: static\nmessages: 20\nchecks: {every: 10s}\nfaults: [{kind: crash, at: 10s, share: 20%}]\n"), Options{Workers: 1})
	if failed := sum.Failed(); len(failed) > 0 {
		t.Errorf("%+v", failed)
	}
}
