package scenario

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"peernet/actors/peer"
	"peernet/sim"
	"peernet/sim/result"
)

// row is the edges of a row of nodes.
func row(n int) (edges string) {
	for i := range n - 1 {
		edges += fmt.Sprintf("%d %d\n", i, i+1)
	}
	return edges
}

// wired is a scenario in which nodes have the links of a list of edges, and no others.
func wired(t testing.TB, edges, text string) *Scenario {
	t.Helper()
	path := filepath.Join(t.TempDir(), "edges.txt")
	if err := os.WriteFile(path, []byte(edges), 0o600); err != nil {
		t.Fatal(err)
	}
	return parsed(t, "overlay: static\nfanout: all\ntopology: "+path+"\n"+text+"\n")
}

// In a row of nodes a request reaches those that are near enough: its origin, which
// counts, and those on either side, if it has links at all.
func TestCoverageOfARow(t *testing.T) {
	t.Parallel()
	s := wired(t, row(10), "nodes: 12\nduration: 30s\nmessages: 40\nmessages_from: 1s\nmessages_until: 20s\nhops_max: 3\n")
	sum, record, err := Record(context.Background(), s, Options{Workers: 2, Record: true})
	if err != nil {
		t.Fatal(err)
	}
	mean, least, most := 0.0, 1.0, 0.0
	for _, m := range record.Messages {
		reached, hops := 1, 0
		if o := int(m.Origin); o < 10 {
			left, right := min(o, 4), min(9-o, 4)
			reached, hops = 1+left+right, max(left, right)
		}
		coverage := float64(reached) / 12
		if int(m.Reached) != reached || math.Abs(m.Coverage-coverage) > 1e-12 || int(m.HopsMax) != hops || int(m.Alive) != 12 {
			t.Errorf("from node %d a message reaches %d of %d nodes over %d links, coverage %v; want %d over %d", m.Origin, m.Reached, m.Alive, m.HopsMax, m.Coverage, reached, hops)
		}
		mean, least, most = mean+coverage/40, min(least, coverage), max(most, coverage)
	}
	if a := sum.Announce; a.Count != 40 || math.Abs(a.CoverageMean-mean) > 1e-9 || math.Abs(a.CoverageMin-least) > 1e-9 {
		t.Errorf("the summary says %+v, want a mean coverage of %v, at least %v", a, mean, least)
	}
	if least != 1./12 || most != 9./12 {
		t.Errorf("coverage is from %v to %v", least, most)
	}
}

// What is before the time of a goal does not count for it, and what is after does.
func TestGoalsCountFromTheirTime(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"{goal: coverage, after: 5s}":             "mean 1.0000 of 2 announces, least 1.0000; 1.0000 wanted",
		"{goal: coverage, after: 4s, least: 60%}": "mean 1.0000 of 2 announces, least 1.0000; 0.6000 wanted",
		"{goal: coverage, least: 71%}":            "FAILED mean 0.7037 of 6 announces, least 0.5556; 0.7100 wanted",
		"{goal: coverage, least: 70%}":            "mean 0.7037 of 6 announces, least 0.5556; 0.7000 wanted",
		"{goal: bytes_per_node_per_s, most: 9999}, {goal: bytes_per_node_per_s, after: 9s, most: 1}": "0 bytes per node and second, at most 1 wanted",
		"{goal: bytes_per_node_per_s, after: 9s, most: 1}":                                           "0 bytes per node and second, at most 1 wanted",
		"{goal: bytes_per_node_per_s, after: 4s, most: 1}":                                           "FAILED",
		"{goal: bytes_per_node_per_s, most: 1}":                                                      "FAILED",
	} {
		// In a ring, what is forwarded once reaches two nodes on either side.
		s := wired(t, row(9)+"8 0\n", "nodes: 9\nduration: 20s\nchecks: {goals: ["+text+"]}\n"+
			"workload: [{count: 4, pace: burst, from: 1s, limit: 1}, {count: 2, pace: burst, from: 5s}]\n")
		sum := run(t, s, Options{Workers: 1})
		c := sum.Checks[len(sum.Checks)-1]
		got := c.Detail
		if !c.OK {
			got = "FAILED " + got
		}
		if c.Kind != result.KindGoal || !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s; want %s", text, got, want)
		}
	}
}

// The traffic of a goal is what is sent from its time on, by node and second.
func TestTrafficOfAGoal(t *testing.T) {
	t.Parallel()
	r := planned(t, wired(t, row(9), "nodes: 10\nduration: 20s\npayload: 1000\nmessages: 60\nmessages_from: 1s\nchecks: {goals: [{goal: bytes_per_node_per_s, after: 12s, most: 100000}]}\n"))
	r.runTo(t, 12*time.Second)
	before := r.sim.Totals().Bytes
	r.runTo(t, 20*time.Second)
	checks := r.summary(false).Checks
	rate := float64(r.sim.Totals().Bytes-before) / 10 / 8
	if got, want := checks[len(checks)-1].Detail, fmt.Sprintf("%.0f bytes per node", rate); rate < 1000 || !strings.HasPrefix(got, want) {
		t.Errorf("the goal says %q, want %s", got, want)
	}
}

// A replay shows the state at the very time that is asked for, and lines from before to
// after it, each from a neighbour.
func TestReplayIsOfTheTime(t *testing.T) {
	t.Parallel()
	const at, around = 10 * time.Second, 3 * time.Second
	s := wired(t, row(5), "nodes: 5\nduration: 20s\nmessages: 200\nmessages_from: 1s\nmessages_until: 19s\n")
	state, err := Replay(context.Background(), s, Options{Workers: 1}, 2, at, around)
	if err != nil {
		t.Fatal(err)
	}
	if state.AtS != at.Seconds() || state.ClockS != at.Seconds() || state.Node != 2 || !state.Live || len(state.Connections) != 2 {
		t.Errorf("the state is %+v", state)
	}
	first, last := state.Lines[0].AtS, state.Lines[len(state.Lines)-1].AtS
	if first < 7 || first > 7.5 || last < 12.5 || last > 13 {
		t.Errorf("the lines are from %v s to %v s, want 7 to 13", first, last)
	}
	from := map[uint32]int{}
	for _, l := range state.Lines {
		if !l.Event {
			from[*l.From]++
		}
	}
	if len(from) != 2 || from[1] < 10 || from[3] < 10 {
		t.Errorf("messages come from nodes %v, want 1 and 3", from)
	}
	// A node that is away then is, though it is there before and after.
	gone := parsed(t, "nodes: 20\nduration: 20s\narrivals: 0s\nfaults: [{kind: crash, at: 9s, restart: 2s, share: 100%, spare_bootstraps: yes}]\n")
	for at, live := range map[time.Duration]bool{8 * time.Second: true, 10 * time.Second: false, 12 * time.Second: true} {
		if state, err := Replay(context.Background(), gone, Options{}, 15, at, 2*time.Second); err != nil || state.Live != live {
			t.Errorf("at %v the node is live: %v, want %v; %v", at, state.Live, live, err)
		}
	}
}

// A trace ends where it is to, and begins where it is to; a line says from whom a message
// came, and of how far it came along a row.
func TestTraceOfARow(t *testing.T) {
	t.Parallel()
	s := wired(t, row(8), "nodes: 8\nduration: 20s\nmessages: 50\nmessages_from: 1s\nmessages_until: 19s\n")
	frames := linesOf(t, s, Filter{Kinds: []string{"wire.frame"}, Links: true, From: 5 * time.Second, Until: 15 * time.Second})
	origin := map[string]letter{}
	for _, l := range lettersSent(t, s) {
		origin[l.id] = l
	}
	for _, l := range frames {
		m := letterText.FindStringSubmatch(l.Text)
		o := origin[m[1]]
		way := int(l.Node) - int(o.node)
		previous := int(l.Node) - way/max(way, -way)
		if int(*l.From) != previous || m[3] != fmt.Sprint(max(way, -way)-1) || l.AtS <= o.at {
			t.Errorf("a message of node %d comes to node %d from node %d: %s", o.node, l.Node, *l.From, l.Text)
		}
	}
	first, last := frames[0].AtS, frames[len(frames)-1].AtS
	if first < 5 || first > 6 || last < 14 || last > 15 {
		t.Errorf("the lines are from %v s to %v s, want 5 to 15", first, last)
	}
	some := linesOf(t, s, Filter{Nodes: []sim.NodeID{2, 5}, Kinds: []string{peer.EventRequest.String()}})
	if i := slices.IndexFunc(some, func(l Line) bool {
		return !l.Event || l.Node != 2 && l.Node != 5 || l.Kind != peer.EventRequest.String()
	}); i >= 0 || len(some) < 60 {
		t.Errorf("%d lines, and one is not wanted: %d", len(some), i)
	}
}
