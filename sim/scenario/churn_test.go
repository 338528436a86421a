package scenario

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"peernet/actors"
	"peernet/actors/wire"
	"peernet/sim"
)

// planned returns a runner that is at the start of its run.
func planned(t testing.TB, s *Scenario) *runner {
	t.Helper()
	r, err := newRunner(s, Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// runTo runs to a time.
func (r *runner) runTo(t testing.TB, at time.Duration) {
	t.Helper()
	if err := r.sim.Run(context.Background(), at); err != nil {
		t.Fatal(err)
	}
}

// Nodes leave and come back when they are to: sessions begin with the arrival or at
// churn.from, nobody leaves from churn.until on, and who is away then comes back.
func TestChurnTimes(t *testing.T) {
	t.Parallel()
	const session, downtime, step = 5 * time.Second, 3 * time.Second, 50 * time.Millisecond
	for text, span := range map[string][2]time.Duration{
		"until: 95%":            {0, 38 * time.Second},
		"until: 20s":            {0, 20 * time.Second},
		"from: 12s, until: 38s": {12 * time.Second, 38 * time.Second},
		"from: 30%, until: 70%": {12 * time.Second, 28 * time.Second},
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			s := parsed(t, "nodes: 60\nduration: 40s\narrivals: 10s\nclasses: [{name: home, weight: 3}, {name: server, stays: yes}]\n"+
				"churn: {session: {model: constant, min: 5s}, downtime: {model: constant, min: 3s}, leave: silence, "+text+"}\n")
			_, classes := whereabouts(t, s)
			r := planned(t, s)
			changes := make([][]time.Duration, s.Nodes) // the arrival, then when each leaves and comes back
			for at := step; at <= time.Duration(s.Duration); at += step {
				r.runTo(t, at)
				for id := range changes {
					if r.sim.IsLive(sim.NodeID(id)) != (len(changes[id])%2 == 1) {
						changes[id] = append(changes[id], at)
					}
				}
			}
			for id, got := range changes {
				want := []time.Duration{got[0]}
				for leaves := max(got[0], span[0]) + session; leaves < span[1] && id >= s.Bootstraps && classes[id] == "home"; {
					back := max(min(leaves+downtime, span[1]), leaves)
					want = append(want, leaves, back)
					leaves = back + session
				}
				if n := int(r.members[id].starts); n != (len(want)+1)/2 {
					t.Errorf("node %d starts %d times, want %d", id, n, (len(want)+1)/2)
				}
				if !slices.EqualFunc(got, want, func(a, b time.Duration) bool { return (a - b).Abs() <= step }) {
					t.Errorf("node %d, a %s, comes and goes at %v, want %v", id, classes[id], got, want)
				}
			}
		})
	}
}

// How a node leaves, or crashes, is what its peers get to know of it.
func TestLeavingAsPeersSeeIt(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"churn: {session: {model: constant, min: 10s}, leave: goodbye}":           "goodbye shutdown",
		"churn: {session: {model: constant, min: 10s}, leave: reset}":             "reset",
		"churn: {session: {model: constant, min: 10s}, leave: silence}":           "",
		"faults: [{kind: crash, at: 10s, spare_bootstraps: yes, leave: reset}]":   "reset",
		"faults: [{kind: crash, at: 10s, spare_bootstraps: yes, leave: silence}]": "",
	} {
		goodbye, down := (&wire.Goodbye{}).Kind().String(), (&actors.LinkDown{}).Kind().String()
		s := parsed(t, "nodes: 20\nbootstraps: 19\nduration: 12s\narrivals: 0s\n"+text+"\n")
		got := ""
		for _, l := range linesOf(t, s, Filter{Kinds: []string{goodbye, down}, From: 10 * time.Second, Until: 11 * time.Second}) {
			switch {
			case l.Kind == goodbye && *l.From == 19:
				got = "goodbye " + l.Text
			case l.Kind == down && l.Text == actors.ReasonReset.String():
				got = "reset"
			}
		}
		if got != want {
			t.Errorf("%s: the peers of the node get %q, want %q", text, got, want)
		}
	}
}

// Nodes that are back find the address books that the scenario leaves them: as they
// were, as they were written last, or the bootstrap nodes alone.
func TestBooksOfTheReturn(t *testing.T) {
	t.Parallel()
	const network = "nodes: 60\nbootstraps: 40\nduration: 20s\narrivals: 0s\nexchange: 1\ninterval: 1s\npurge: 5s\n"
	const churn = "churn: {session: {model: constant, min: 10s}, downtime: {model: constant, min: 2s}, leave: silence, book: %s}\n"
	const crash = "faults: [{kind: crash, at: 10s, restart: 2s, spare_bootstraps: yes, book: %s}]\n"
	for name, text := range map[string]string{"churn": network + churn, "crash": network + crash} {
		known := func(book string, at time.Duration) (n int) {
			r := planned(t, parsed(t, fmt.Sprintf(text, book)))
			r.runTo(t, at)
			for _, root := range r.roots[40:] {
				n += root.Store().Book().Len()
			}
			return n
		}
		before := known(BookKept, 10*time.Second-1)
		const back = 12*time.Second + time.Millisecond // they have heard of nobody yet
		kept, synced, lost := known(BookKept, back), known(BookSynced, back), known(BookLost, back)
		if kept != before || synced >= kept-10 || synced <= lost+40 || lost != 20*3 {
			t.Errorf("%s: of %d addresses %d are left if books are kept, %d of the last sync, %d if they are lost", name, before, kept, synced, lost)
		}
	}
}

// Each node is of a class and in a region, drawn by their weights, and its machine is
// what its class says.
func TestNodesAreDrawnByWeight(t *testing.T) {
	t.Parallel()
	s := parsed(t, `
nodes: 1000
duration: 1s
regions: [{name: tokyo, weight: 3}, {name: london}]
reach: {public: 3, symmetric: 1}
classes:
  - {name: home, weight: 2, up: 1Mbit, down: 9Mbit, queue: 3s, processing: 200us}
  - {name: phone, reach: blocked, clock_skew: 5s, clock_drift: 2ms}
  - {name: server, region: london, reach: public}
  - {name: none, weight: 0}
`)
	r := planned(t, s)
	counts := map[string]int{}
	for id, m := range r.members {
		class, region := s.Classes[m.class].Name, s.Regions[m.region].Name
		counts[class]++
		if id >= s.Bootstraps {
			counts[class+" "+m.reach.String()]++
		}
		counts[class+" in "+region]++
		p := r.sim.Profile(sim.NodeID(id))
		got := fmt.Sprint(p.Up, p.Down, p.Queue, p.Processing)
		want := map[string]string{"home": "1000000 9000000 3s 200µs", "phone": "0 0 10s 0s"}[class]
		if want != "" && got != want {
			t.Errorf("node %d, a %s, has the profile %+v", id, class, p)
		}
		if class == "phone" {
			if p.ClockOffset < 0 || p.ClockOffset > 10*time.Second || p.ClockDrift < -2000 || p.ClockDrift > 2000 {
				t.Errorf("the clock of node %d is off by %v and drifts by %d ppm", id, p.ClockOffset, p.ClockDrift)
			}
			if p.ClockDrift < 0 {
				counts["phone slow"]++
			}
			if p.ClockOffset < 5*time.Second {
				counts["phone late"]++
			}
		} else if p.ClockOffset != 5*time.Second || p.ClockDrift != 0 { // right is in the middle of what is wrong
			t.Errorf("node %d, a %s, has the clock of %+v", id, class, p)
		}
	}
	for what, share := range map[string]float64{
		"home": 0.5, "phone": 0.25, "server": 0.25, "none": 0,
		"home in tokyo": 0.375, "phone in tokyo": 0.1875, "server in tokyo": 0, "server in london": 0.25,
		"home public": 0.375, "home symmetric": 0.125, "phone blocked": 0.25, "phone public": 0, "server public": 0.25, "server symmetric": 0,
		"phone slow": 0.125, "phone late": 0.125,
	} {
		n := float64(s.Nodes)
		if got := float64(counts[what]); math.Abs(got-share*n) > 4*math.Sqrt(n*share*(1-share)) {
			t.Errorf("%s: %v nodes, want about %v", what, got, share*n)
		}
	}
}

// A crowd comes within the time that it is given, evenly.
func TestCrowdsTakeTheirTime(t *testing.T) {
	t.Parallel()
	s := parsed(t, "nodes: 205\nduration: 12s\narrivals: 1s\ncrowds: [{at: 4s, within: 6s, share: 50%}]\n")
	r := planned(t, s)
	for _, look := range []struct {
		at   time.Duration
		come float64 // of the crowd
	}{{4, 0}, {6, 1. / 3}, {7, 1. / 2}, {8, 2. / 3}, {10, 1}} {
		r.runTo(t, look.at*time.Second+time.Millisecond)
		got, want := float64(r.sim.Live()), 105+100*look.come
		if math.Abs(got-want) > 4*math.Sqrt(100*look.come*(1-look.come)) {
			t.Errorf("at %d s %v nodes are there, want about %.0f", look.at, got, want)
		}
	}
}
