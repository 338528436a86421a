package freenet

import (
	"context"
	"slices"
	"testing"
	"time"

	"peernet/actors"
	"peernet/sim"
	"peernet/sim/dist"
)

func address(i int) actors.Address { return sim.AddressOf(sim.NodeID(i)) }

// A rig is a network of nodes whose tables a test writes.
type rig struct {
	t     *testing.T
	sim   *sim.Simulation
	nodes []*Node
}

func newRig(t *testing.T, nodes int, c Config) *rig {
	t.Helper()
	s, err := sim.New(sim.Config{Seed: 1, Latency: sim.Latency{Message: dist.Constant(time.Millisecond)}})
	if err != nil {
		t.Fatal(err)
	}
	c.Store, c.Table, c.Timeout, c.Seen = max(c.Store, 10), max(c.Table, 10), 4*time.Millisecond, 16
	r := &rig{t: t, sim: s}
	s.Add(nodes)
	for i := range nodes {
		n := &Node{Config: &c, Self: address(i)}
		r.nodes = append(r.nodes, n)
		s.Start(sim.NodeID(i), n)
	}
	return r
}

// knows has a node know another under a key.
func (r *rig) knows(node int, k Key, other int) { r.nodes[node].Table.Learn(k, address(other), 10) }

// ask makes a request at node 0 and returns what came of it.
func (r *rig) ask(q Request) Result {
	r.t.Helper()
	before := len(r.nodes[0].Results)
	r.sim.Send(0, &Start{q})
	r.run()
	if len(r.nodes[0].Results) != before+1 {
		r.t.Fatalf("%d results, want one more than %d", len(r.nodes[0].Results), before)
	}
	return r.nodes[0].Results[before]
}

func (r *rig) run() {
	r.t.Helper()
	if err := r.sim.Run(context.Background(), r.sim.Now()+time.Second); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) wants(got Result, found bool, hops, depth, reply uint32) {
	r.t.Helper()
	if got.Found != found || got.Hops != hops || got.Depth != depth || got.Reply != reply {
		r.t.Errorf("got %+v, want found %v, %d hops, depth %d, reply %d", got, found, hops, depth, reply)
	}
}

// chain is 0 → 1 → 2 → 3, where 3 has the data of key 100.
func chain(t *testing.T, c Config) *rig {
	r := newRig(t, 5, c)
	for i := range 3 {
		r.knows(i, 90, i+1)
	}
	r.nodes[3].Store.Put(100, 10)
	return r
}

func TestRequestGoesToTheClosestAndReplyComesBackTheSameWay(t *testing.T) {
	r := chain(t, Config{})
	r.knows(0, 50, 4) // farther
	got := r.ask(Request{ID: 1, Key: 100, HTL: 10})
	r.wants(got, true, 3, 3, 3)
	if got.Source != address(3) {
		t.Errorf("the source is %v", got.Source)
	}
	for i := range 3 {
		if !r.nodes[i].Store.Has(100, false) || !slices.Contains(r.nodes[i].Table, Route{100, address(3)}) {
			t.Errorf("node %d did not cache and learn: %v %v", i, r.nodes[i].Store, r.nodes[i].Table)
		}
	}
	if len(r.nodes[4].Store) > 0 {
		t.Error("a node that was not on the path has the data")
	}
	r.wants(r.ask(Request{ID: 2, Key: 100, HTL: 10}), true, 0, 0, 0)
	for i, n := range r.nodes {
		if len(n.pending) > 0 {
			t.Errorf("node %d still waits", i)
		}
	}
}

func TestProbeLeavesNoTrace(t *testing.T) {
	r := chain(t, Config{})
	before := make([]Table, 5)
	for i, n := range r.nodes {
		n.Table.Learn(7, address(4), 10) // so that use would change the order
		before[i] = slices.Clone(n.Table)
	}
	r.wants(r.ask(Request{ID: 1, Key: 100, HTL: 10, Probe: true}), true, 3, 3, 3)
	for i, n := range r.nodes {
		if i < 3 && len(n.Store) > 0 || !slices.Equal(n.Table, before[i]) {
			t.Errorf("node %d changed: %v %v", i, n.Store, n.Table)
		}
	}
}

func TestHopsToLive(t *testing.T) {
	r := chain(t, Config{})
	r.wants(r.ask(Request{ID: 1, Key: 100, HTL: 2}), false, 2, 0, 0)
	r.wants(r.ask(Request{ID: 2, Key: 100, HTL: 3}), true, 3, 3, 3)
}

// A dead end gives back what is left of the hops; the next closest is tried.
func TestBacktracking(t *testing.T) {
	r := newRig(t, 5, Config{})
	r.knows(0, 99, 1) // the closest, a dead end behind which is one more
	r.knows(1, 99, 2)
	r.knows(0, 50, 3)
	r.knows(3, 50, 4)
	r.nodes[4].Store.Put(100, 10)
	got := r.ask(Request{ID: 1, Key: 100, HTL: 4})
	r.wants(got, true, 4, 2, 2)
	r.wants(r.ask(Request{ID: 2, Key: 101, HTL: 3}), false, 3, 0, 0)
}

// A request that comes back to a node that has it is refused, at no hop.
func TestLoopsAreRefused(t *testing.T) {
	r := newRig(t, 4, Config{})
	r.knows(0, 90, 1)
	r.knows(1, 90, 2)
	r.knows(2, 99, 0) // a loop
	r.knows(2, 50, 3)
	r.nodes[3].Store.Put(100, 10)
	r.wants(r.ask(Request{ID: 1, Key: 100, HTL: 10}), true, 3, 3, 3)
	if r.nodes[0].Refused != 1 {
		t.Errorf("node 0 refused %d", r.nodes[0].Refused)
	}
}

func TestDeadNodeIsPassedOver(t *testing.T) {
	r := chain(t, Config{})
	r.knows(1, 99, 4) // closer
	r.sim.Crash(4, false)
	r.wants(r.ask(Request{ID: 1, Key: 100, HTL: 10}), true, 3, 3, 3)
}

func TestReplyIsLostWithARelay(t *testing.T) {
	for _, dead := range []int{0, 2} { // 0: nobody
		r := chain(t, Config{Fetch: 100 * time.Millisecond})
		r.sim.Send(0, &Start{Request{ID: 1, Key: 100, HTL: 10}})
		if err := r.sim.Run(context.Background(), 50*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		if dead > 0 {
			r.sim.Crash(sim.NodeID(dead), false)
		}
		r.run()
		if got := len(r.nodes[0].Results) == 1; got != (dead == 0) {
			t.Errorf("node %d dead: a result is there: %v", dead, got)
		}
	}
}

func TestInsertIsStoredOnTheWayAndItsSourceKnown(t *testing.T) {
	r := chain(t, Config{})
	r.wants(r.ask(Request{ID: 1, Key: 105, HTL: 2, Insert: true}), true, 2, 2, 2)
	for i, want := range []bool{true, true, true, false, false} {
		if r.nodes[i].Store.Has(105, false) != want {
			t.Errorf("node %d: stored is %v", i, !want)
		}
		if got := slices.Contains(r.nodes[i].Table, Route{105, address(0)}); got != (want && i > 0) {
			t.Errorf("node %d knows the source: %v", i, got)
		}
	}
	// Where the key is known already, that is the end, and the source.
	r.wants(r.ask(Request{ID: 2, Key: 100, HTL: 9, Insert: true}), true, 3, 3, 3)
	if !slices.Contains(r.nodes[1].Table, Route{100, address(3)}) {
		t.Error("node 1 does not know where the key was")
	}
}

func TestRenameNamesNodesOfTheWay(t *testing.T) {
	r := chain(t, Config{Rename: 1})
	if got := r.ask(Request{ID: 1, Key: 100, HTL: 10}); got.Source != address(0) && got.Source != address(1) {
		t.Errorf("the source is %v, want one of the way", got.Source)
	}
	r.ask(Request{ID: 2, Key: 110, HTL: 2, Insert: true})
	for i, want := range []int{-1, 2, 3} { // of the reply
		if i > 0 && !slices.Contains(r.nodes[i].Table, Route{100, address(want)}) {
			t.Errorf("node %d: table %v, want node %d for key 100", i, r.nodes[i].Table, want)
		}
	}
	if !slices.Contains(r.nodes[2].Table, Route{110, address(1)}) {
		t.Errorf("node 2: table %v, want node 1 for key 110", r.nodes[2].Table)
	}
}

// Where a request came from is no way on, and costs no hop.
func TestRequestDoesNotTurnBack(t *testing.T) {
	r := chain(t, Config{})
	r.knows(1, 100, 0)
	r.wants(r.ask(Request{ID: 1, Key: 100, HTL: 10}), true, 3, 3, 3)
	if r.nodes[0].Refused != 0 {
		t.Error("node 1 sent the request back")
	}
}

func TestUseOfTheStoreCounts(t *testing.T) {
	for _, probe := range []bool{false, true} {
		r := newRig(t, 1, Config{})
		r.nodes[0].Store.Put(1, 10)
		r.nodes[0].Store.Put(2, 10)
		r.ask(Request{ID: 1, Key: 1, HTL: 1, Probe: probe})
		if first := r.nodes[0].Store[0] == 1; first == probe {
			t.Errorf("probe %v: store %v", probe, r.nodes[0].Store)
		}
	}
}

func TestAnnouncement(t *testing.T) {
	r := newRig(t, 4, Config{})
	r.knows(1, 1, 2)
	r.knows(2, 1, 3)
	r.sim.Send(0, &Join{By: address(1), HTL: 2})
	r.run()
	for i, want := range []bool{false, true, true, false} {
		if got := slices.Contains(r.nodes[i].Table, Route{KeyOf(address(0)), address(0)}); got != want {
			t.Errorf("node %d knows the newcomer: %v", i, got)
		}
	}
	if !slices.Contains(r.nodes[0].Table, Route{KeyOf(address(1)), address(1)}) {
		t.Error("the newcomer does not know whom it joined by")
	}
}

func TestStoreForgetsTheLeastRecentlyUsed(t *testing.T) {
	var s Store
	for _, k := range []Key{1, 2, 3} {
		s.Put(k, 3)
	}
	s.Has(1, true)
	s.Has(2, false)
	s.Put(4, 3)
	if want := (Store{4, 1, 3}); !slices.Equal(s, want) {
		t.Errorf("store %v, want %v", s, want)
	}
}

func TestTable(t *testing.T) {
	var table Table
	none := func(actors.Address) bool { return false }
	for i, k := range []Key{10, 20, 40} {
		table.Learn(k, address(i), 3)
	}
	for k, want := range map[Key]int{0: 0, 14: 0, 16: 1, 29: 1, 31: 2, 1 << 63: 2} {
		if got := table.Closest(k, false, none); got != address(want) {
			t.Errorf("closest to %d is %v, want node %d", k, got, want)
		}
	}
	if got := table.Closest(16, true, func(a actors.Address) bool { return a == address(1) }); got != address(0) {
		t.Errorf("second closest is %v", got)
	}
	table.Learn(50, address(4), 3) // 20 is now the least recently used
	table.Learn(40, address(5), 3)
	if want := (Table{{40, address(5)}, {50, address(4)}, {10, address(0)}}); !slices.Equal(table, want) {
		t.Errorf("table %v, want %v", table, want)
	}
}

// Answers of others than the node that was asked do not count.
func TestStrangeAnswersAreLost(t *testing.T) {
	r := chain(t, Config{Fetch: time.Minute})
	r.sim.Crash(4, false)
	r.sim.Start(4, &stranger{})
	r.sim.Send(0, &Start{Request{ID: 1, Key: 100, HTL: 10}})
	r.run()
	r.sim.Send(4, &Know{[]actors.Address{address(0)}})
	r.run()
	if n := r.nodes[0]; len(n.Results) > 0 || n.Lost != 1 || len(n.pending) != 1 {
		t.Errorf("results %v, %d answers lost, %d requests wait", n.Results, n.Lost, len(n.pending))
	}
}

// stranger answers request 1 to who is named.
type stranger struct{}

func (*stranger) Receive(ctx actors.Context, m actors.Message) {
	if m, ok := m.(*Know); ok {
		send(ctx, m.Nodes[0], &Data{ID: 1, Source: address(4)})
	}
}
