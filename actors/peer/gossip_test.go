package peer_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"peernet/actors"
	"peernet/actors/peer"
	"peernet/actors/wire"
	"peernet/sim"
)

// line returns nodes in a row, each linked to the next, that do nothing by
// themselves. ring closes the row.
func line(t *testing.T, n int, c peer.Config, ring bool) (*rig, []*testNode) {
	t.Helper()
	r := newRig(t)
	c.Static = true
	var nodes []*testNode
	for range n {
		nodes = append(nodes, r.node(c))
	}
	for i := range nodes[1:] {
		r.link(nodes[i], nodes[i+1])
	}
	if ring {
		r.link(nodes[n-1], nodes[0])
	}
	r.run(time.Second)
	return r, nodes
}

// arrivals returns the hops with which a request came to each node for the first
// time, −1 where it did not.
func (r *rig) arrivals(nodes []*testNode, id string) []int {
	hops := make([]int, len(nodes))
	for i, n := range nodes {
		hops[i] = -1
		for _, e := range r.seen(n.at, peer.EventRequest) {
			if f := e.Message.(*wire.Frame); f.Body.ID == id {
				hops[i] = int(f.Hops)
			}
		}
	}
	return hops
}

func TestAnnounceHopsAreExact(t *testing.T) {
	for _, c := range []struct {
		name  string
		n     int
		ring  bool
		hops  int // HopsMax
		from  int
		limit uint32
		want  string
	}{
		{"line", 5, false, 0, 0, 0, "[-1 0 1 2 3]"},
		{"line, from the middle", 5, false, 0, 2, 0, "[1 0 -1 0 1]"},
		{"ring", 5, true, 0, 0, 0, "[-1 0 1 1 0]"},
		{"limit 1", 5, false, 0, 0, 1, "[-1 0 1 -1 -1]"},
		{"limit 2", 5, false, 0, 0, 2, "[-1 0 1 2 -1]"},
		{"hops max", 5, false, 2, 0, 0, "[-1 0 1 2 -1]"},
		{"limit beyond hops max", 5, false, 1, 0, 3, "[-1 0 1 -1 -1]"},
	} {
		r, nodes := line(t, c.n, peer.Config{HopsMax: c.hops}, c.ring)
		id := nodes[c.from].announce("search", "x", c.limit)
		r.run(time.Second)
		if got := fmt.Sprint(r.arrivals(nodes, id)); got != c.want {
			t.Errorf("%s: first arrivals at hops %s, want %s", c.name, got, c.want)
		}
		nodes[c.from].wantCount(peer.EventAnnounced, 1)
	}
}

func TestDuplicatesAreDroppedAndCounted(t *testing.T) {
	// Around a ring of four, two copies meet at the far node, which sends the
	// first of them on to the one that brought the second.
	r, nodes := line(t, 4, peer.Config{}, true)
	nodes[0].announce("search", "x", 0)
	r.run(time.Second)
	total := 0
	for i, n := range nodes {
		if i > 0 {
			n.wantCount(peer.EventRequest, 1)
		}
		total += n.count(peer.EventDuplicate)
	}
	if total == 0 || total > 3 {
		t.Errorf("%d duplicates, want some", total)
	}
	if nodes[0].count(peer.EventRequest) != 0 {
		t.Error("the origin takes its own request for a new one")
	}
}

func TestEveryRepliersAnswerArrivesOnceOverAsManyHopsAsTheRequestTook(t *testing.T) {
	for _, ring := range []bool{false, true} {
		r, nodes := line(t, 5, peer.Config{}, ring)
		listener := nodes[0].subscribe(peer.TopicResponse)
		listener.got = nil
		id := nodes[0].announce("search", "x", 0)
		r.run(time.Second)
		want := r.arrivals(nodes, id)
		for i, n := range nodes[1:] {
			for k := range 2 { // two answers each
				if err := n.respond(id, fmt.Sprint(i+1, k)); err != nil {
					t.Errorf("respond: %v", err)
				}
			}
		}
		r.run(time.Second)
		got := map[string]int{}
		for _, m := range listener.got {
			f := m.(*peer.Received).Frame
			if f.Body.Reply != id || !f.Response || f.Body.Type != "answer" {
				t.Errorf("response %s", describe(f))
			}
			var i int
			fmt.Sscan(f.Body.Data, &i)
			if int(f.Hops) != want[i] {
				t.Errorf("ring=%v: answer of node %d took %d hops, the request %d", ring, i, f.Hops, want[i])
			}
			got[f.Body.Data]++
		}
		if len(got) != 8 || len(listener.got) != 8 {
			t.Errorf("ring=%v: answers %v, want 8 different ones", ring, got)
		}
		nodes[0].wantCount(peer.EventResponse, 8)
	}
}

// A request may reach a node at hops 15; its answer takes as many.
func TestAnswerFromTheFarthestNodeArrives(t *testing.T) {
	r, nodes := line(t, 18, peer.Config{}, false)
	id := nodes[0].announce("search", "x", 0)
	r.run(time.Second)
	if got := r.arrivals(nodes, id); got[16] != 15 || got[17] != -1 {
		t.Fatalf("first arrivals at hops %v", got)
	}
	if err := nodes[16].respond(id, "far"); err != nil {
		t.Fatal(err)
	}
	r.run(time.Second)
	nodes[0].wantCount(peer.EventResponse, 1)
}

func TestResponsesThatTravelledTooFarAreDropped(t *testing.T) {
	r, nodes := line(t, 2, peer.Config{}, false)
	e := r.script(nil).dial(nodes[0], polite(peer.NodeID{1}, v3()))
	r.run(time.Second)
	id := nodes[0].announce("search", "x", 0)
	for _, hops := range []uint32{15, 16, 1 << 30} {
		e.send(frame(true, hops, wire.Body{ID: fmt.Sprint("response", hops), Reply: id}))
	}
	r.run(time.Second)
	nodes[0].wantCount(peer.EventResponse, 1)
	nodes[0].wantCount(peer.EventHopsExceeded, 2)
}

func TestResponseWhoseRouteIsGoneIsDroppedAndCounted(t *testing.T) {
	r, nodes := line(t, 3, peer.Config{}, false)
	id := nodes[0].announce("search", "x", 0)
	r.run(time.Second)
	r.sim.Crash(nodes[0].at, true)
	r.run(time.Second)
	if err := nodes[2].respond(id, "late"); err != nil {
		t.Fatal(err)
	}
	r.run(time.Second)
	nodes[1].wantCount(peer.EventNoRoute, 1)
	if err := nodes[1].respond(id, "late"); !errors.Is(err, peer.ErrNoRoute) {
		t.Errorf("respond without a way: %v", err)
	}
	if err := nodes[2].respond("never seen", ""); !errors.Is(err, peer.ErrNoRoute) {
		t.Errorf("respond to nothing: %v", err)
	}
}

func TestRouteIsRememberedForItsLifeAndNotForEver(t *testing.T) {
	for _, c := range []struct {
		wait time.Duration
		ok   bool
	}{{29 * time.Second, true}, {75 * time.Second, false}} {
		r, nodes := line(t, 2, peer.Config{RouteLife: 30 * time.Second}, false)
		r.run(17 * time.Second)
		id := nodes[0].announce("search", "x", 0)
		r.run(c.wait / 2)
		nodes[0].announce("search", "y", 0) // makes the caches turn
		r.run(c.wait / 2)
		nodes[0].announce("search", "y", 0)
		r.run(100 * time.Millisecond)
		if err := nodes[1].respond(id, ""); (err == nil) != c.ok {
			t.Errorf("after %v: %v", c.wait, err)
		}
	}
}

// A star: the centre forwards to Fanout random others, the origin sends to all.
func TestForwarderSendsToFanoutAndOriginToAll(t *testing.T) {
	for _, c := range []struct{ fanout, want int }{{0, 3}, {1, 1}, {5, 5}, {100, 9}, {peer.FanoutAll, 9}} {
		r := newRig(t)
		centre := r.node(peer.Config{Static: true, Fanout: c.fanout})
		var leaves []*testNode
		for range 10 {
			leaf := r.node(still())
			r.link(leaf, centre)
			leaves = append(leaves, leaf)
		}
		r.run(time.Second)
		reached := map[sim.NodeID]bool{}
		heard := func() (n int) {
			for _, l := range leaves {
				for _, e := range r.seen(l.at, peer.EventRequest) {
					reached[e.node] = true
					n++
				}
			}
			r.events = nil
			return n
		}
		for range 20 {
			leaves[0].announce("x", "", 0)
			r.run(time.Second)
			if got := heard(); got != c.want {
				t.Fatalf("fan-out %d: forwarded to %d peers, want %d", c.fanout, got, c.want)
			}
		}
		if len(reached) != 9 || reached[leaves[0].at] {
			t.Errorf("fan-out %d: 20 requests reached %d of 9 others, %v", c.fanout, len(reached), reached)
		}
		centre.announce("x", "", 0)
		r.run(time.Second)
		if got := heard(); got != 10 {
			t.Errorf("the origin sent to %d of 10 peers", got)
		}
	}
}

func TestAnnounceAndRespondCheckTheirArguments(t *testing.T) {
	_, nodes := line(t, 2, peer.Config{}, false)
	long := func(n int) string { return strings.Repeat("x", n) }
	for _, c := range []struct {
		typ, data string
		want      error
	}{
		{long(wire.TypeMax), long(wire.DataMax), nil},
		{"", "", nil},
		{long(wire.TypeMax + 1), "", peer.ErrTooLong},
		{"x", long(wire.DataMax + 1), peer.ErrTooLong},
		{wire.TypeHello, "", peer.ErrReservedType},
		{wire.TypeAddresses, "", peer.ErrReservedType},
		{"_own", "", peer.ErrReservedType},
	} {
		a := answer[*peer.Announced](t, nodes[0].one(func(call peer.Call) actors.Message {
			return &peer.Announce{Call: call, Type: c.typ, Data: c.data}
		}))
		if !errors.Is(a.Err, c.want) || (a.Err == nil) != (c.want == nil) || (a.ID == "") != (c.want != nil) || a.Tag != 7 {
			t.Errorf("announce %.10q with %d bytes: %+v, want %v", c.typ, len(c.data), a, c.want)
		}
	}
	id := nodes[0].announce("x", "", 0)
	nodes[0].rig.run(time.Second)
	for _, m := range []*peer.Respond{
		{Request: id, Type: long(wire.TypeMax + 1)},
		{Request: id, Data: long(wire.DataMax + 1)},
		{Request: long(wire.IDMax + 1)},
	} {
		c := nodes[1].one(func(call peer.Call) actors.Message { m.Call = call; return m })
		wantDone(t, c, peer.ErrTooLong)
	}
	for _, typ := range []string{wire.TypeHello, wire.TypeAddresses} {
		c := nodes[1].one(func(call peer.Call) actors.Message {
			return &peer.Respond{Call: call, Request: id, Type: typ}
		})
		wantDone(t, c, peer.ErrReservedType)
	}
}

func TestRequestIDsAreEightRandomBytes(t *testing.T) {
	_, nodes := line(t, 2, peer.Config{}, false)
	ids := map[string]bool{}
	for range 100 {
		id := nodes[0].announce("x", "", 0)
		if len(id) != 8 {
			t.Errorf("id of %d bytes", len(id))
		}
		ids[id] = true
	}
	if len(ids) != 100 {
		t.Errorf("%d different ids of 100", len(ids))
	}
}

// A request and a response may have one id, as the original's do.
func TestRequestAndResponseOfOneIDAreNoDuplicates(t *testing.T) {
	r, nodes := line(t, 1, peer.Config{}, false)
	e := r.script(nil).dial(nodes[0], polite(peer.NodeID{1}, v3()))
	r.run(time.Second)
	id := nodes[0].announce("search", "x", 0)
	e.send(
		frame(true, 0, wire.Body{ID: id, Reply: id}),
		frame(true, 0, wire.Body{ID: id, Reply: id}),
	)
	r.run(time.Second)
	nodes[0].wantCount(peer.EventResponse, 1)
	nodes[0].wantCount(peer.EventDuplicate, 1)
}
