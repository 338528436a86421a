package peer_test

import (
	"context"
	"testing"
	"time"

	"peernet/actors"
	"peernet/actors/book"
	"peernet/actors/peer"
	"peernet/actors/wire"
	"peernet/sim"
	"peernet/sim/dist"
)

// latency is the delay of every link in the tests, unless they say otherwise.
const latency = 10 * time.Millisecond

// A rig is a small simulated network and what was observed in it.
type rig struct {
	t      *testing.T
	sim    *sim.Simulation
	next   sim.NodeID
	events []seen
}

// nodesMax is how many nodes a rig has, so that one can be told of another that
// starts a little later.
const nodesMax = 32

// seen is an observed event.
type seen struct {
	node sim.NodeID
	at   time.Duration
	actors.Event
}

// Observe implements [sim.Observer].
func (r *rig) Observe(_ int, node sim.NodeID, at actors.Time, e actors.Event) {
	r.events = append(r.events, seen{node, time.Duration(at), e})
}

func newRig(t *testing.T) *rig {
	return newRigWith(t, 1, dist.Constant(latency))
}

func newRigWith(t *testing.T, seed uint64, d dist.Distribution) *rig {
	t.Helper()
	r := &rig{t: t}
	s, err := sim.New(sim.Config{
		Seed:       seed,
		Latency:    sim.Latency{Link: d},
		NewDecoder: func() actors.Decoder { return &wire.Decoder{} },
		Observer:   r,
	})
	if err != nil {
		t.Fatal(err)
	}
	r.sim = s
	s.Add(nodesMax)
	return r
}

// run runs the network for a while.
func (r *rig) run(d time.Duration) {
	r.t.Helper()
	if err := r.sim.Run(context.Background(), r.sim.Now()+d); err != nil {
		r.t.Fatal(err)
	}
}

// A testNode is a node of the rig.
type testNode struct {
	*peer.Node
	rig *rig
	at  sim.NodeID
}

// idOf is the id of the node with a number: ids are ordered like numbers.
func idOf(n sim.NodeID) peer.NodeID { return peer.NodeID{0x10, byte(n)} }

// node adds and starts a node that knows some others.
func (r *rig) node(c peer.Config, known ...sim.NodeID) *testNode {
	r.t.Helper()
	n := &testNode{rig: r, at: r.take()}
	n.start(c, idOf(n.at), known...)
	return n
}

// take returns the number of the next node.
func (r *rig) take() sim.NodeID {
	r.next++
	return r.next - 1
}

// start starts a node that is not running.
func (n *testNode) start(c peer.Config, id peer.NodeID, known ...sim.NodeID) {
	n.rig.t.Helper()
	if err := c.Validate(); err != nil {
		n.rig.t.Fatal(err)
	}
	c = c.WithDefaults()
	n.Node = &peer.Node{Config: &c, ID: id, Advertise: []actors.Address{sim.AddressOf(n.at)}}
	for _, k := range known {
		n.Bootstrap = append(n.Bootstrap, sim.AddressOf(k))
	}
	n.rig.sim.Start(n.at, n.Node)
}

// A client is an actor of a node that sends operations to the root and records
// what it receives.
type client struct {
	ask func(self actors.Ref) []actors.Message
	got []actors.Message
	ref actors.Ref
}

// Receive implements [actors.Actor].
func (c *client) Receive(ctx actors.Context, m actors.Message) {
	if _, ok := m.(*actors.Started); ok {
		c.ref = ctx.Self()
		for _, op := range c.ask(ctx.Self()) {
			ctx.Send(ctx.Sender(), op)
		}
		return
	}
	c.got = append(c.got, m)
}

// ask has a new client send operations now. What is answered at once is there
// when ask returns.
func (n *testNode) ask(ops func(call peer.Call) []actors.Message) *client {
	c := &client{ask: func(self actors.Ref) []actors.Message { return ops(peer.Call{ReplyTo: self, Tag: 7}) }}
	n.rig.sim.Spawn(n.at, "client", c)
	return c
}

// answer returns the only message that a client got.
func answer[T actors.Message](t *testing.T, c *client) T {
	t.Helper()
	if len(c.got) != 1 {
		t.Fatalf("client got %d answers, want 1: %v", len(c.got), c.got)
	}
	m, ok := c.got[0].(T)
	if !ok {
		t.Fatalf("client got %T %+v", c.got[0], c.got[0])
	}
	return m
}

// connections returns the connections in use.
func (n *testNode) connections() []peer.Connection {
	n.rig.t.Helper()
	c := n.ask(func(call peer.Call) []actors.Message { return []actors.Message{&peer.Connections{Call: call}} })
	return answer[*peer.ConnectionList](n.rig.t, c).List
}

// connect dials an address and returns the client that waits for the outcome.
func (n *testNode) connect(a actors.Address) *client {
	return n.ask(func(call peer.Call) []actors.Message {
		return []actors.Message{&peer.Connect{Call: call, Address: a}}
	})
}

// announce makes the node the origin of a request and returns its id.
func (n *testNode) announce(typ, data string, limit uint32) string {
	n.rig.t.Helper()
	c := n.ask(func(call peer.Call) []actors.Message {
		return []actors.Message{&peer.Announce{Call: call, Type: typ, Data: data, Limit: limit}}
	})
	a := answer[*peer.Announced](n.rig.t, c)
	if a.Err != nil || a.ID == "" {
		n.rig.t.Fatalf("announce: %+v", a)
	}
	return a.ID
}

// respond answers a request.
func (n *testNode) respond(request, data string) error {
	n.rig.t.Helper()
	c := n.ask(func(call peer.Call) []actors.Message {
		return []actors.Message{&peer.Respond{Call: call, Request: request, Type: "answer", Data: data}}
	})
	return answer[*peer.Done](n.rig.t, c).Err
}

// entry returns what the node's book knows of an address.
func (n *testNode) entry(a actors.Address) (book.Entry, bool) {
	b := n.Store().Book()
	i, ok := b.Find(a)
	if !ok {
		return book.Entry{}, false
	}
	return b.At(i), true
}

// link joins two nodes by a link made from outside; the first is its dialler.
func (r *rig) link(a, b *testNode) {
	atA, atB := r.sim.Link(a.at, b.at)
	r.sim.Send(a.at, &peer.Attach{Link: atA, Outbound: true})
	r.sim.Send(b.at, &peer.Attach{Link: atB})
}

// seen returns the events of one kind at a node.
func (r *rig) seen(n sim.NodeID, k actors.EventKind) (list []seen) {
	for _, e := range r.events {
		if e.node == n && e.Kind == k {
			list = append(list, e)
		}
	}
	return list
}

// count is the number of events of one kind at a node.
func (n *testNode) count(k actors.EventKind) int { return len(n.rig.seen(n.at, k)) }

// wantCount fails the test unless the node saw so many events of a kind.
func (n *testNode) wantCount(k actors.EventKind, want int) {
	n.rig.t.Helper()
	if got := n.count(k); got != want {
		n.rig.t.Errorf("node %d: %d × %v, want %d", n.at, got, k, want)
	}
}

// wantConnections fails the test unless the node has so many connections.
func (n *testNode) wantConnections(want int) []peer.Connection {
	n.rig.t.Helper()
	list := n.connections()
	if len(list) != want {
		n.rig.t.Fatalf("node %d at %v has %d connections, want %d: %+v", n.at, n.rig.sim.Now(), len(list), want, list)
	}
	return list
}

// still is a configuration in which a node does nothing by itself.
func still() peer.Config { return peer.Config{Static: true} }

// addresses returns the addresses of the nodes from first to last.
func addresses(first, last sim.NodeID) (list []actors.Address) {
	for id := first; id <= last; id++ {
		list = append(list, sim.AddressOf(id))
	}
	return list
}
