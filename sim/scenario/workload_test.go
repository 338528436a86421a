package scenario

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"peernet/actors/peer"
	"peernet/sim"
)

// linesOf returns what a filter wants of the trace of a whole run.
func linesOf(t testing.TB, s *Scenario, f Filter) (lines []Line) {
	t.Helper()
	var out bytes.Buffer
	if _, err := Trace(context.Background(), s, Options{Workers: 1}, time.Duration(s.Duration), f, &out); err != nil {
		t.Fatal(err)
	}
	for in := json.NewDecoder(&out); in.More(); {
		var l Line
		if err := in.Decode(&l); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, l)
	}
	return lines
}

// A letter is a request, as a line of a trace tells of it.
type letter struct {
	at          float64
	node        sim.NodeID
	id, kind    string
	hops, bytes int
}

var letterText = regexp.MustCompile(`request ([0-9a-f]+), type (\w+), hops (\d+), (\d+) bytes`)

// lettersOf returns the requests that events of a kind are about.
func lettersOf(t testing.TB, s *Scenario, kind string) (list []letter) {
	t.Helper()
	for _, l := range linesOf(t, s, Filter{Kinds: []string{kind}}) {
		m := letterText.FindStringSubmatch(l.Text)
		if m == nil {
			t.Fatalf("line %+v", l)
		}
		hops, _ := strconv.Atoi(m[3])
		size, _ := strconv.Atoi(m[4])
		list = append(list, letter{l.AtS, sim.NodeID(l.Node), m[1], m[2], hops, size})
	}
	return list
}

// lettersSent returns the requests of a scenario as their origins sent them.
func lettersSent(t testing.TB, s *Scenario) []letter {
	t.Helper()
	return lettersOf(t, s, peer.EventAnnounced.String())
}

// whereabouts returns the region and the class of each node of a scenario.
func whereabouts(t testing.TB, s *Scenario) (regions, classes []string) {
	t.Helper()
	r, err := newRunner(s, Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range r.members[:s.Nodes] {
		if len(s.Regions) > 0 {
			regions = append(regions, s.Regions[m.region].Name)
		}
		if len(s.Classes) > 0 {
			classes = append(classes, s.Classes[m.class].Name)
		}
	}
	return regions, classes
}

const busy = `
nodes: 30
duration: 20s
arrivals: 0s
regions: [{name: tokyo}, {name: london, weight: 3}]
classes: [{name: home, weight: 3}, {name: server}]
`

// Requests are sent when the scenario says, as what it says, and as large.
func TestRequestsAreSentAsTheScenarioSays(t *testing.T) {
	t.Parallel()
	times := func(want ...float64) func(*testing.T, []letter) {
		return func(t *testing.T, list []letter) {
			var got []float64
			for _, l := range list {
				got = append(got, l.at)
			}
			if !slices.Equal(got, want) {
				t.Errorf("sent at %v, want %v", got, want)
			}
		}
	}
	sizes := func(kind string, want ...int) func(*testing.T, []letter) {
		return func(t *testing.T, list []letter) {
			var got []int
			for _, l := range list {
				got = append(got, l.bytes)
				if l.kind != kind {
					t.Errorf("sent as %s, want %s", l.kind, kind)
				}
			}
			slices.Sort(got)
			if got = slices.Compact(got); !slices.Equal(got, want) {
				t.Errorf("sizes %v, want %v", got, want)
			}
		}
	}
	for text, check := range map[string]func(*testing.T, []letter){
		"messages: 5\nmessages_from: 10s\nmessages_until: 18s":        times(10, 12, 14, 16, 18),
		"messages: 4\nmessages_from: 2s\nmessages_every: 500ms":       times(2, 2.5, 3, 3.5),
		"searches: 3\nsearches_from: 9s\nsearches_until: 11s":         times(9, 10, 11),
		"workload: [{count: 3, from: 5s, until: 15s}]":                times(5, 10, 15),
		"workload: [{count: 3, from: 5s, until: 15s, pace: burst}]":   times(5, 5, 5),
		"workload: [{count: 3, kind: search, from: 25%, until: 30%}]": times(5, 5.5, 6),
		"messages: 3":               sizes("announce", 64),
		"searches: 3":               sizes("search", 64),
		"messages: 3\npayload: 300": sizes("announce", 300),
		"searches: 3\npayload: 16":  sizes("search", 16),
		"workload: [{count: 3}]":    sizes("announce", 64),
		"workload: [{count: 99, kind: search, payload_min: 20, payload_max: 23}]": sizes("search", 20, 21, 22, 23),
		"workload: [{count: 9, payload_min: 1024, payload_max: 1024}]":            sizes("announce", 1024),
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			check(t, lettersSent(t, parsed(t, busy+text)))
		})
	}
}

// At the pace of Poisson, gaps vary as much as they are long, as an exponential
// distribution does.
func TestPoissonPace(t *testing.T) {
	t.Parallel()
	list := lettersSent(t, parsed(t, busy+"workload: [{count: 400, pace: poisson, from: 5s, until: 15s}]\n"))
	sum, squares := 0.0, 0.0
	for i := range list[1:] {
		gap := list[i+1].at - list[i].at
		sum += gap
		squares += gap * gap
	}
	n := float64(len(list) - 1)
	if v := squares*n/(sum*sum) - 1; n != 399 || v < 0.7 || v > 1.4 {
		t.Errorf("%v gaps with a squared coefficient of variation of %.2f, want about 1", n, v)
	}
	if first, last := list[0].at, list[len(list)-1].at; first < 5 || first > 5.5 || last > 15 || last < 14.5 {
		t.Errorf("the requests are sent from %v s to %v s", first, last)
	}
}

// Requests come from the nodes that the workload names, and from all of them.
func TestOriginsAreWhereTheWorkloadSays(t *testing.T) {
	t.Parallel()
	for text, fits := range map[string]func(region, class string) bool{
		"":                              func(string, string) bool { return true },
		", region: tokyo":               func(r, _ string) bool { return r == "tokyo" },
		", class: server":               func(_, c string) bool { return c == "server" },
		", region: tokyo, class: home":  func(r, c string) bool { return r == "tokyo" && c == "home" },
		", region: london, class: home": func(r, c string) bool { return r == "london" && c == "home" },
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			s := parsed(t, busy+"workload: [{count: 300, from: 5s"+text+"}]\n")
			regions, classes := whereabouts(t, s)
			sent := make([]int, s.Nodes)
			for _, l := range lettersSent(t, s) {
				sent[l.node]++
			}
			for id, n := range sent {
				if (n > 0) != fits(regions[id], classes[id]) {
					t.Errorf("node %d, a %s in %s, sends %d requests", id, classes[id], regions[id], n)
				}
			}
		})
	}
}

// A request goes as far as its limit allows, and no farther.
func TestLimitOfForwarding(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"hops_max: 9\nworkload: [{count: 2, limit: 2}]":               2,
		"hops_max: 9\nworkload: [{count: 2, kind: search, limit: 1}]": 1,
		"hops_max: 5\nworkload: [{count: 2}]":                         5,
		"hops_max: 3\nmessages: 2":                                    3,
	} {
		farthest := 0
		s := parsed(t, "nodes: 200\nduration: 10s\noverlay: static\nconnections: 1\nfanout: all\n"+text+"\n")
		for _, l := range lettersOf(t, s, peer.EventRequest.String()) {
			farthest = max(farthest, l.hops)
		}
		if farthest != want {
			t.Errorf("%q: forwarded %d times, want %d", text, farthest, want)
		}
	}
}

// As many nodes answer searches as there are responders, of the region that they are to be in.
func TestRespondersAreWhereTheScenarioSays(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		region string
		n      int
	}{
		"responders: 8\nsearches: 9\nsearches_from: 10s\nresponder_region: london":             {"london", 8},
		"responders: 4\nworkload: [{kind: search, count: 9}]\nresponder_region: tokyo":         {"tokyo", 4},
		"responders: 30\nsearches: 9\nsearches_from: 10s":                                      {"", 30},
		"responders: 8\nmessages: 9":                                                           {"", 0},
		"responders: 4\nsearches: 1\nsearches_from: 15s\nworkload: [{kind: search, count: 9}]": {"", 4},
	} {
		s := parsed(t, busy+"fanout: all\n"+text+"\n")
		regions, _ := whereabouts(t, s)
		answer := map[uint32]bool{}
		for _, l := range linesOf(t, s, Filter{Kinds: []string{(&peer.Respond{}).Kind().String()}}) {
			answer[l.Node] = true
			if want.region != "" && regions[l.Node] != want.region {
				t.Errorf("%q: node %d in %s answers", text, l.Node, regions[l.Node])
			}
		}
		if len(answer) != want.n {
			t.Errorf("%q: %d nodes answer, want %d", text, len(answer), want.n)
		}
	}
}

// What the summary counts is what was sent.
func TestRequestsAreCounted(t *testing.T) {
	t.Parallel()
	sum := run(t, parsed(t, busy+`
messages: 3
searches: 4
workload: [{count: 5}, {count: 6, kind: search, region: tokyo}]
`), Options{Workers: 1})
	if got, want := fmt.Sprint(sum.Announce.Count, sum.Search.Count), "8 10"; got != want {
		t.Errorf("announces and searches: %s, want %s", got, want)
	}
}
