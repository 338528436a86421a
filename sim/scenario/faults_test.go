package scenario

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"peernet/actors"
	"peernet/actors/peer"
	"peernet/actors/wire"
	"peernet/sim"
	"peernet/sim/adversary"
)

// passing draws for each pair of regions when messages pass from one to the other: a
// character a second, # or a dot.
func passing(t testing.TB, s *Scenario) map[string]string {
	t.Helper()
	regions, _ := whereabouts(t, s)
	drawn := map[string][]byte{}
	for _, from := range s.Regions {
		for _, to := range s.Regions {
			drawn[from.Name+" "+to.Name] = []byte(strings.Repeat(".", int(time.Duration(s.Duration)/time.Second)))
		}
	}
	for _, l := range linesOf(t, s, Filter{Kinds: []string{"wire.*"}, Links: true}) {
		drawn[regions[*l.From]+" "+regions[l.Node]][int(l.AtS)] = '#'
	}
	out := map[string]string{}
	for pair, line := range drawn {
		out[pair] = string(line)
	}
	return out
}

// matches reports whether a line is as the pattern, in which ? stands for anything.
func matches(line, pattern string) bool {
	for i := range line {
		if len(line) != len(pattern) || pattern[i] != '?' && pattern[i] != line[i] {
			return false
		}
	}
	return true
}

// A partition cuts its nodes off from the others while it lasts, whatever other
// partitions begin and end meanwhile, and a stall holds everything back.
func TestPartitionsAndStallsOverTime(t *testing.T) {
	t.Parallel()
	const gossip = "latency: {model: constant, min: 20ms}\nregions: [{name: tokyo}, {name: london}, {name: madrid}]\n" +
		"nodes: 60\nduration: 20s\narrivals: 0s\ninterval: 1s\nkeep_alive: 1s\nhello_timeout: 1s\n"
	const static = gossip + "overlay: static\nmessages: 100\nmessages_from: 0s\nmessages_until: 20s\n"
	const always = "?###################"
	for name, test := range map[string]struct {
		text string
		want map[string]string
	}{
		"partition": {gossip + "faults: [{kind: partition, at: 5s, until: 12s, region: tokyo}]", map[string]string{
			"tokyo london": "?####?......????####", "madrid tokyo": "?####?......????####", "london madrid": always, "tokyo tokyo": always,
		}},
		"the same nodes twice": {gossip + "faults: [{kind: partition, at: 5s, until: 14s, region: tokyo}, {kind: partition, at: 7s, until: 10s, region: tokyo}]", map[string]string{
			"tokyo london": "?####?........????##", "madrid tokyo": "?####?........????##", "london madrid": always, "tokyo tokyo": always,
		}},
		"one after the other": {gossip + "faults: [{kind: partition, at: 5s, until: 14s, region: tokyo}, {kind: partition, at: 7s, until: 10s, region: london}]", map[string]string{
			"tokyo london": "?####?........????##", "madrid tokyo": "?####?........????##", "london madrid": "?######?..????######", "london london": always,
		}},
		"stall": {static + "faults: [{kind: stall, at: 5s, until: 12s, region: tokyo}]", map[string]string{
			"tokyo london": "?####?......########", "madrid tokyo": "?####?......########", "tokyo tokyo": "?####?......########", "london madrid": always,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := passing(t, parsed(t, test.text+"\n"))
			for pair, want := range test.want {
				if !matches(got[pair], want) {
					t.Errorf("from %s messages pass\n%s, want\n%s", strings.Replace(pair, " ", " to ", 1), got[pair], want)
				}
			}
		})
	}
}

// A slow node takes longer for each message as long as it is slow, on top of what its
// machine takes.
func TestSlowNodes(t *testing.T) {
	t.Parallel()
	s := parsed(t, `
nodes: 50
duration: 20s
regions: [{name: tokyo}, {name: london}]
classes: [{name: home, processing: 1ms}]
faults:
  - {kind: slow, at: 5s, until: 15s, slow: 20ms, region: tokyo}
  - {kind: slow, at: 8s, until: 12s, slow: 3ms}
`)
	r := planned(t, s)
	regions, _ := whereabouts(t, s)
	for _, look := range []struct{ at, tokyo, london time.Duration }{{4, 1, 1}, {6, 21, 1}, {9, 24, 4}, {13, 21, 1}, {16, 1, 1}} {
		r.runTo(t, look.at*time.Second)
		for id, region := range regions {
			want := map[string]time.Duration{"tokyo": look.tokyo, "london": look.london}[region] * time.Millisecond
			if got := r.sim.Profile(sim.NodeID(id)).Processing; got != want {
				t.Errorf("at %d s node %d in %s takes %v for a message, want %v", look.at, id, region, got, want)
			}
		}
	}
}

// A reset breaks all links of its nodes, and both ends of each notice at once.
func TestResetBreaksLinks(t *testing.T) {
	t.Parallel()
	s := parsed(t, "nodes: 40\nduration: 10s\noverlay: static\nregions: [{name: tokyo}, {name: london}]\nfaults: [{kind: reset, at: 5s, region: tokyo}]\n")
	regions, _ := whereabouts(t, s)
	r := planned(t, s)
	ends := func() (tokyo, others int) {
		for id := range sim.NodeID(40) {
			r.sim.Links(id, func(e sim.LinkEnd) {
				if regions[id] == "tokyo" || regions[e.Peer] == "tokyo" {
					tokyo++
				} else {
					others++
				}
			})
		}
		return tokyo, others
	}
	r.runTo(t, 4*time.Second)
	before, others := ends()
	r.runTo(t, 6*time.Second)
	if left, now := ends(); before == 0 || left != 0 || now != others {
		t.Errorf("of %d link ends of tokyo %d are left, of %d others %d", before, left, others, now)
	}
	noticed := linesOf(t, s, Filter{Kinds: []string{(&actors.LinkDown{}).Kind().String()}, From: 5 * time.Second, Until: 5 * time.Second})
	for _, l := range noticed {
		if l.Text != actors.ReasonReset.String() {
			t.Errorf("node %d is told of %s", l.Node, l.Text)
		}
	}
	if len(noticed) != before {
		t.Errorf("%d ends notice, want %d", len(noticed), before)
	}
}

// Address books cannot be written while the disk fails, for the reason that began
// last, and can be written after that.
func TestDisksFailForATime(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"{kind: disk_error, at: 3s, until: 7s}":                                       "...EEEE...",
		"{kind: disk_full, at: 2s, until: 6s}":                                        "..FFFF....",
		"{kind: disk_error, at: 2s, until: 8s}, {kind: disk_full, at: 4s, until: 6s}": "..EEFFEE..",
		"{kind: disk_error, at: 2s, until: 5s}, {kind: disk_full, at: 4s, until: 8s}": "..EEFFFF..",
		"{kind: disk_full, at: 2s, until: 8s}, {kind: disk_full, at: 4s, until: 6s}":  "..FFFFFF..",
	} {
		s := parsed(t, "nodes: 20\nduration: 10s\narrivals: 0s\npurge: 300ms\nfaults: ["+text+"]\n")
		got := []byte("..........")
		for _, l := range linesOf(t, s, Filter{Kinds: []string{peer.EventStoreFailed.String()}}) {
			got[int(l.AtS)] = 'E'
			if strings.Contains(l.Text, "full") {
				got[int(l.AtS)] = 'F'
			}
		}
		if string(got) != want {
			t.Errorf("%s: writing fails %s, want %s", text, got, want)
		}
	}
}

// Bad conditions make the ways longer between the regions that they name, in the
// directions and for the time that they say: to the nanosecond.
func TestConditionsLengthenWays(t *testing.T) {
	t.Parallel()
	const way = 100 * time.Millisecond
	for text, longer := range map[string]map[string]time.Duration{
		"from: tokyo, to: london, one_way: yes": {"tokyo london": way},
		"from: tokyo, to: london":               {"tokyo london": way, "london tokyo": way},
		"from: london, one_way: yes":            {"london tokyo": way, "london london": way},
		"to: tokyo":                             {"london tokyo": way, "tokyo london": way, "tokyo tokyo": way},
		"from: tokyo, to: tokyo":                {"tokyo tokyo": way},
		"":                                      {"tokyo tokyo": way, "tokyo london": way, "london tokyo": way, "london london": way},
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			s := parsed(t, `
nodes: 20
duration: 12s
overlay: static
latency: {model: constant, min: 10ms}
regions: [{name: tokyo}, {name: london}]
rtt: [{from: tokyo, to: london, rtt: 60ms}, {from: tokyo, to: tokyo, rtt: 4ms}, {from: london, to: london, rtt: 8ms}]
conditions: [{at: 4s, until: 8s, delay: 100ms, `+text+`}]
messages: 60
messages_from: 100ms
messages_every: 190ms
`)
			regions, _ := whereabouts(t, s)
			sent := map[string]letter{}
			for _, l := range lettersSent(t, s) {
				sent[l.id] = l
			}
			seen := map[string]bool{}
			for _, l := range lettersOf(t, s, peer.EventRequest.String()) {
				if l.hops > 0 {
					continue
				}
				from := sent[l.id]
				pair := regions[from.node] + " " + regions[l.node]
				want := 10*time.Millisecond + map[string]time.Duration{"tokyo tokyo": 2, "london london": 4, "tokyo london": 30, "london tokyo": 30}[pair]*time.Millisecond
				if from.at >= 4 && from.at < 8 {
					want += longer[pair]
				}
				seen[fmt.Sprint(pair, int(from.at/4))] = true
				if got := l.at - from.at; math.Abs(got-want.Seconds()) > 1e-9 {
					t.Errorf("from %s at %v s it takes %v s, want %v", pair, from.at, got, want)
				}
			}
			if len(seen) != 12 {
				t.Errorf("messages are seen of %d pairs and times, want 12", len(seen))
			}
		})
	}
}

// Bad conditions lose messages while they last.
func TestConditionsLose(t *testing.T) {
	t.Parallel()
	r := planned(t, parsed(t, "nodes: 50\nduration: 12s\ninterval: 1s\nconditions: [{at: 4s, until: 8s, loss: 40%}]\n"))
	lost := map[time.Duration]uint64{}
	for _, at := range []time.Duration{4, 8, 9, 12} {
		r.runTo(t, at*time.Second)
		lost[at] = r.sim.Totals().Retransmitted
	}
	if lost[4] != 0 || lost[8] < 100 || lost[12] != lost[9] || lost[9] > lost[8]+lost[8]/2 {
		t.Errorf("by these seconds so many transmissions are lost: %v", lost)
	}
}

// Adversaries are there from at to until, and do what they do at the rate and with the
// delay of the scenario.
func TestAdversariesDoAsTheScenarioSays(t *testing.T) {
	t.Parallel()
	s := parsed(t, `
nodes: 30
duration: 20s
arrivals: 1s
messages: 50
adversaries:
  - {role: flooder, at: 5s, until: 15s, rate: 7}
  - {role: delayer, at: 6s, delay: 1300ms}
  - {role: dropper, at: 2s, until: 9s, count: 2}
`)
	r := planned(t, s)
	for _, look := range []struct {
		at   time.Duration
		live [4]bool
	}{
		{1, [4]bool{}}, {4, [4]bool{2: true, 3: true}}, {7, [4]bool{true, true, true, true}}, {10, [4]bool{true, true}}, {16, [4]bool{1: true}}, {20, [4]bool{1: true}},
	} {
		r.runTo(t, look.at*time.Second)
		for k, want := range look.live {
			if got := r.sim.IsLive(sim.NodeID(s.Nodes + k)); got != want {
				t.Errorf("at %d s adversary %d is there: %v, want %v", look.at, k, got, want)
			}
		}
	}
	lists := 0
	for _, l := range linesOf(t, s, Filter{Kinds: []string{adversary.EventPoisoned.String()}}) {
		if l.N == wire.AddressesMax { // nobody asked for it
			lists++
		}
	}
	if lists < 55 || lists > 70 {
		t.Errorf("a flooder tells %d lists in ten seconds, want about 70", lists)
	}
	came, passed := map[string]float64{}, 0
	for _, l := range linesOf(t, s, Filter{Nodes: []sim.NodeID{31}, Kinds: []string{(&wire.Frame{}).Kind().String(), adversary.EventDelayed.String()}}) {
		m := letterText.FindStringSubmatch(l.Text)
		switch {
		case m == nil:
		case !l.Event:
			if _, before := came[m[1]]; !before {
				came[m[1]] = l.AtS
			}
		default:
			passed++
			if late := l.AtS - came[m[1]]; math.Abs(late-1.3) > 1e-6 {
				t.Errorf("a delayer keeps a request for %v s, want 1.3", late)
			}
		}
	}
	if passed < 10 {
		t.Errorf("a delayer passes on %d requests", passed)
	}
}
