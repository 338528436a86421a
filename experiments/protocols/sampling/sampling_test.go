package sampling_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"peernet/actors"
	"peernet/experiments/protocols/sampling"
	"peernet/sim"
	"peernet/sim/dist"
)

const second = time.Second

// A rig is a few nodes, with rounds of a second and messages of a millisecond.
type rig struct {
	*testing.T
	*sim.Simulation
	nodes []*sampling.Node
	sent  []sim.Trace // datagrams that arrived
}

// Trace implements [sim.Tracer].
func (r *rig) Trace(_ int, t sim.Trace) {
	if _, ok := t.Message.(*actors.Datagram); ok {
		r.sent = append(r.sent, t)
	}
}

// start starts a node for each view, which is of indices and of ages that fall.
func start(t *testing.T, c sampling.Config, views ...[]int) *rig {
	r := &rig{T: t}
	network := sim.Config{Seed: 1, Latency: sim.Latency{Message: dist.Constant(time.Millisecond)}, Round: second, Tracer: r}
	if c.Period > 0 {
		network.Round = 0
	}
	s, err := sim.New(network)
	if err != nil {
		t.Fatal(err)
	}
	r.Simulation = s
	s.Add(len(views))
	for i, view := range views {
		n := &sampling.Node{Config: &c, Self: sim.AddressOf(sim.NodeID(i))}
		for k, peer := range view {
			n.View = append(n.View, sampling.Entry{Peer: sim.AddressOf(sim.NodeID(peer)), Age: uint32(10 * (len(view) - k))})
		}
		r.nodes = append(r.nodes, n)
		s.Start(sim.NodeID(i), n)
	}
	return r
}

func (r *rig) run(until time.Duration) {
	r.Helper()
	if err := r.Simulation.Run(context.Background(), until); err != nil {
		r.Fatal(err)
	}
}

// age returns the age of a peer in the view of a node, −1 if it is not there.
func (r *rig) age(node, peer int) int {
	view := r.nodes[node].View
	i := slices.IndexFunc(view, func(e sampling.Entry) bool { return e.Peer == sim.AddressOf(sim.NodeID(peer)) })
	if i < 0 {
		return -1
	}
	return int(view[i].Age)
}

func (r *rig) wantAges(node int, want ...int) {
	r.Helper()
	for peer, age := range want {
		if got := r.age(node, peer); got != age {
			r.Errorf("at node %d, peer %d has age %d, want %d", node, peer, got, age)
		}
	}
}

// Node 0 knows node 1, which knows node 2, which is dead: after an exchange both know each
// other and what the other knew, and all is older by one.
func TestPushPull(t *testing.T) {
	r := start(t, sampling.Config{View: 6}, []int{1}, []int{2}, nil)
	r.Crash(2, false)
	r.run(second)
	// Node 1 had its own turn too, without an answer until the next; its request to node
	// 2 was before the one from node 0 came.
	r.wantAges(0, -1, 1, 11)
	r.wantAges(1, 1, -1, 11)
	if n := r.nodes[0]; n.Turns != 1 || n.Unanswered != 0 {
		t.Errorf("%d turns, %d unanswered, want 1 and 0", n.Turns, n.Unanswered)
	}
}

// By push, nobody answers: who is contacted learns, and who contacts does not.
func TestPush(t *testing.T) {
	r := start(t, sampling.Config{View: 6, Push: true}, []int{1}, []int{2}, nil)
	r.run(second)
	r.wantAges(0, -1, 11, -1)
	r.wantAges(1, 1, -1, 12) // its own turn, and the request of node 0
	if len(r.sent) != 2 {
		t.Errorf("%d messages arrived, want the requests of nodes 0 and 1", len(r.sent))
	}
	if n := r.nodes[0]; n.Turns != 1 || n.Unanswered != 0 {
		t.Errorf("%d turns, %d unanswered, want 1 and 0", n.Turns, n.Unanswered)
	}
}

// A peer that does not answer stays, and ages; or it leaves the view.
func TestNoAnswer(t *testing.T) {
	for _, drop := range []bool{false, true} {
		r := start(t, sampling.Config{View: 6, Drop: drop}, []int{1}, nil)
		r.Crash(1, false)
		r.run(2*second + second/2)
		n := r.nodes[0]
		if drop {
			r.wantAges(0, -1, -1)
			if n.Turns != 1 || n.Unanswered != 1 {
				t.Errorf("dropped: %d turns, %d unanswered, want 1 and 1", n.Turns, n.Unanswered)
			}
			continue
		}
		r.wantAges(0, -1, 12)
		if n.Turns != 3 || n.Unanswered != 2 {
			t.Errorf("%d turns, %d unanswered, want 3 and 2", n.Turns, n.Unanswered)
		}
	}
}

// A peer that answers stays where those that do not are dropped.
func TestDropKeepsWhoAnswers(t *testing.T) {
	r := start(t, sampling.Config{View: 6, Drop: true}, []int{1}, nil)
	r.run(10 * second)
	if r.age(0, 1) < 0 || r.nodes[0].Unanswered > 0 {
		t.Errorf("age %d, %d unanswered, want the peer in the view", r.age(0, 1), r.nodes[0].Unanswered)
	}
}

// The tail is contacted, again and again if it is dead and stays.
func TestTail(t *testing.T) {
	r := start(t, sampling.Config{View: 6, Tail: true}, []int{1, 2, 3}, nil, nil, nil)
	r.Crash(1, false)
	r.run(5 * second)
	if n := r.nodes[0]; n.Turns != 5 || n.Unanswered != 4 || len(r.sent) > 0 {
		t.Errorf("%d turns, %d unanswered, %d messages that arrived, want 5, 4 and none", n.Turns, n.Unanswered, len(r.sent))
	}
}

// What is no answer to the present request changes nothing.
func TestUnaskedAnswer(t *testing.T) {
	r := start(t, sampling.Config{View: 6}, []int{1}, []int{0}, nil)
	r.run(second / 2)
	before := slices.Clone(r.nodes[0].View)
	for _, from := range []sim.NodeID{1, 2} {
		r.Send(0, &actors.Datagram{From: sim.AddressOf(from), Payload: &sampling.Answer{Entries: []sampling.Entry{{Peer: sim.AddressOf(2)}}}})
	}
	r.Send(0, &actors.Datagram{Payload: &sampling.Answer{Entries: []sampling.Entry{{Peer: sim.AddressOf(2)}}}})
	if !slices.Equal(r.nodes[0].View, before) {
		t.Errorf("view %v, want %v", r.nodes[0].View, before)
	}
}

// Turns are at the start of the round, or spread over some of it, or have a period and a
// phase of their own.
func TestTurns(t *testing.T) {
	const nodes, cycles = 50, 10
	ring := make([][]int, nodes)
	for i := range ring {
		ring[i] = []int{(i + 1) % nodes}
	}
	requests := func(r *rig) (at []time.Duration, first, last time.Duration) {
		first = time.Hour
		for _, m := range r.sent {
			if _, ok := m.Message.(*actors.Datagram).Payload.(*sampling.Request); ok {
				sent := time.Duration(m.At) - time.Millisecond
				first, last = min(first, sent%second), max(last, sent%second)
				at = append(at, sent)
			}
		}
		return at, first, last
	}
	for name, c := range map[string]struct {
		config      sampling.Config
		first, last time.Duration // within the second
	}{
		"at once": {sampling.Config{View: 6, Push: true}, 0, 0},
		"spread":  {sampling.Config{View: 6, Push: true, Spread: second / 2}, second / 10, second / 2},
		"phased":  {sampling.Config{View: 6, Push: true, Period: second}, second / 10, second},
	} {
		r := start(t, c.config, ring...)
		r.run(cycles*second + 2*time.Millisecond - 1)
		at, first, last := requests(r)
		at = slices.DeleteFunc(at, func(sent time.Duration) bool { return sent >= cycles*second })
		if len(at) != nodes*cycles {
			t.Errorf("%s: %d requests, want %d", name, len(at), nodes*cycles)
		}
		if first > c.first || last > c.last || last < c.last*8/10 {
			t.Errorf("%s: requests were sent from %v to %v of a second, want up to %v", name, first, last, c.last)
		}
	}
}

// Views are full, of distinct peers, wherever they began: with one node that all know, or
// on a ring. By push alone it takes the ring.
func TestViews(t *testing.T) {
	const nodes, c = 60, 8
	for _, config := range []sampling.Config{
		{View: c}, {View: c, Heal: 4}, {View: c, Swap: 4}, {View: c, Heal: 2, Swap: 2, Tail: true}, {View: c, Heal: 4, Push: true},
	} {
		config.Spread = second / 2
		views := make([][]int, nodes)
		for i := range views[1:] {
			views[i+1] = []int{0}
		}
		if config.Push {
			for i := range views {
				views[i] = []int{}
				for k := range c {
					views[i] = append(views[i], (i+k+1)%nodes)
				}
			}
		}
		r := start(t, config, views...)
		r.run(40 * second)
		for i, n := range r.nodes {
			peers := []string{n.Self.String()}
			for _, e := range n.View {
				peers = append(peers, e.Peer.String())
			}
			slices.Sort(peers)
			if len(n.View) != c || len(slices.Compact(peers)) != c+1 {
				t.Fatalf("%+v: node %d has the view %v", config, i, n.View)
			}
		}
	}
}
