package peer_test

import (
	"testing"
	"time"

	"peernet/actors"
	"peernet/actors/peer"
	"peernet/actors/wire"
	"peernet/sim"
)

func TestFreeOutboundSlotIsRefilledAtOnce(t *testing.T) {
	r := newRig(t)
	n := r.node(peer.Config{Connections: 2, Interval: time.Hour, Refresh: time.Hour}, 1, 2, 3, 4)
	s := make([]*script, 4)
	for i := range s {
		s[i] = r.script(polite(peer.NodeID{1, byte(i)}, v3()))
	}
	r.run(time.Second)
	list := n.wantConnections(2)
	for _, sc := range s {
		if sim.AddressOf(sc.at) == list[0].Address {
			sc.ends[0].send(&wire.Goodbye{Reason: wire.GoodbyeShutdown})
		}
	}
	r.run(10 * latency) // a dial and a handshake
	again := n.wantConnections(2)
	if again[0].Address == list[0].Address || again[1].Address == list[0].Address {
		t.Errorf("redialled the peer that left at once: %+v", again)
	}
}

// Nobody was known; a peer tells of somebody.
func TestFreeSlotIsFilledAsSoonAsAnAddressIsLearned(t *testing.T) {
	r := newRig(t)
	n := r.node(peer.Config{Interval: time.Hour, Refresh: time.Hour})
	other := r.node(still())
	e := r.script(nil).dial(n, polite(peer.NodeID{1}, v3()))
	r.run(time.Minute)
	e.send(wire.NewAddresses(other.Advertise))
	r.run(10 * latency)
	n.wantConnections(2)
}

func TestIntervalRetriesAndExchangesAddresses(t *testing.T) {
	r := newRig(t)
	n := r.node(peer.Config{Interval: 2 * time.Second, Refresh: time.Hour, Exchange: 4}, 1)
	r.run(30 * time.Second)
	n.wantConnections(0)
	late := r.node(still()) // starts at the address that nobody had
	if sim.AddressOf(late.at) != sim.AddressOf(1) {
		t.Fatal("not the address that the node knows")
	}
	r.run(2 * time.Minute)
	n.wantConnections(1)
	e := r.script(nil).dial(n, polite(peer.NodeID{1}, v3()))
	r.run(time.Minute)
	// Two peers share 30 exchanges.
	if got := count[*wire.AddressRequest](e); got < 5 || got > 25 {
		t.Errorf("%d exchanges with one of two peers in a minute", got)
	}
	for _, m := range e.got {
		if q, ok := m.(*wire.AddressRequest); ok && q.N != 4 {
			t.Errorf("asked for %d", q.N)
		}
	}
}

func TestRefreshReplacesExactlyOneOutboundLink(t *testing.T) {
	const connections = 3
	var known []sim.NodeID
	for i := range sim.NodeID(20) {
		known = append(known, 1+i)
	}
	r := newRig(t)
	n := r.node(peer.Config{Connections: connections, Interval: time.Hour, Refresh: 10 * time.Second}, known...)
	for range known {
		r.node(still())
	}
	r.run(time.Second)
	n.wantConnections(connections)
	const minutes = 10
	for range minutes * 60 {
		r.run(time.Second)
		// One more for the second in which the new link must last.
		if got := n.Gossip().OutboundInUse(); got != connections && got != connections+1 {
			t.Fatalf("%d outbound links in use at %v", got, r.sim.Now())
		}
	}
	ups, downs := n.count(peer.EventPeerUp), n.count(peer.EventPeerDown)
	if held := ups - downs; held != connections && held != connections+1 {
		t.Errorf("%d up, %d down", ups, downs)
	}
	// Every 10 s in the mean; from 5 s to 15 s.
	if mean := minutes * 6; downs < mean*2/3-2 || downs > mean*3/2 {
		t.Errorf("%d replaced in %d min", downs, minutes)
	}
	for _, e := range r.seen(n.at, peer.EventPeerDown) {
		if e.Text != wire.GoodbyeRefresh.String() {
			t.Errorf("down: %+v", e)
		}
	}
}

func TestRefreshLeavesANodeWithFreeSlotsAlone(t *testing.T) {
	r := newRig(t)
	n := r.node(peer.Config{Connections: 3, Refresh: 5 * time.Second}, 1)
	r.node(still())
	r.run(20 * time.Minute)
	n.wantConnections(1)
	n.wantCount(peer.EventPeerDown, 0)
}

func TestFailuresBackOff(t *testing.T) {
	r := newRig(t)
	n := r.node(peer.Config{Interval: time.Second}, 200)
	r.run(time.Minute)
	first := n.count(peer.EventDialFailed)
	r.run(59 * time.Minute)
	later := n.count(peer.EventDialFailed) - first
	// Waits of 5, 10, 20, ... s up to 10 min, each times 0.5 to 1.5.
	if first < 3 || first > 7 || later < 5 || later > 14 {
		t.Errorf("%d dials in the first minute and %d in the rest of the hour", first, later)
	}
	if e, ok := n.entry(sim.AddressOf(200)); !ok || int(e.Fail) != first+later || int(e.Streak) != first+later {
		t.Errorf("a saved address that never answers: %+v %v", e, ok)
	}
}

func TestDeadAddressesArePurgedSavedOnesAreNot(t *testing.T) {
	r := newRig(t)
	n := r.node(peer.Config{Interval: time.Second, Purge: 20 * time.Second}, 300)
	e := r.script(nil).dial(n, polite(peer.NodeID{1}, v3()))
	r.run(time.Second)
	e.send(wire.NewAddresses(addresses(301, 305)))
	r.run(time.Second)
	if got := n.Store().Book().Len(); got != 6 {
		t.Fatalf("%d addresses known", got)
	}
	r.run(20 * time.Minute)
	if _, saved := n.entry(sim.AddressOf(300)); !saved || n.Store().Book().Len() != 1 {
		t.Errorf("%d left, the saved one: %v", n.Store().Book().Len(), saved)
	}
	var purged int64
	for _, e := range r.seen(n.at, peer.EventPurged) {
		purged += e.N
	}
	if purged != 5 {
		t.Errorf("%d purged", purged)
	}
}

func TestAcceptedHandshakesAreBounded(t *testing.T) {
	r := newRig(t)
	n := r.node(peer.Config{HandshakesMax: 3, Static: true})
	s := r.script(nil)
	var ends []*end
	for range 5 {
		ends = append(ends, s.dial(n, nil)) // they never say hello
	}
	r.run(time.Second)
	n.wantCount(peer.EventBusy, 2)
	closed := 0
	for _, e := range ends {
		if e.down != nil {
			closed++
		}
	}
	if closed != 2 || r.links(n.at) != 3 {
		t.Errorf("%d closed at once, %d open", closed, r.links(n.at))
	}
	r.run(10 * time.Second)
	if got := r.links(n.at); got != 0 {
		t.Errorf("%d open after the time-out", got)
	}
	s.dial(n, polite(peer.NodeID{1}, v3()))
	r.run(time.Second)
	n.wantConnections(1)
	n.wantCount(peer.EventBusy, 2)
}

// A host that accepts streams itself is held to the same bound.
func TestAttachedHandshakesAreBounded(t *testing.T) {
	r := newRig(t)
	n := r.node(peer.Config{HandshakesMax: 2, Static: true})
	other := r.node(still())
	attach := func(outbound bool) *client {
		atN, _ := r.sim.Link(n.at, other.at)
		return n.one(func(call peer.Call) actors.Message { return &peer.Attach{Call: call, Link: atN, Outbound: outbound} })
	}
	attach(false)
	attach(false)
	wantDone(t, attach(false), peer.ErrHandshakes)
	n.wantCount(peer.EventBusy, 1)
	attach(true)
	if got := r.links(n.at); got != 3 {
		t.Errorf("%d links are open, want 2 accepted and the one opened", got)
	}
}

func TestInboundLinksAreBounded(t *testing.T) {
	r := newRig(t)
	n := r.node(peer.Config{InboundMax: 4, Static: true})
	s := r.script(nil)
	var ends []*end
	for i := range 10 {
		ends = append(ends, s.dial(n, polite(peer.NodeID{1, byte(i)}, v3())))
	}
	out := r.script(polite(peer.NodeID{2}, v3()))
	n.connect(sim.AddressOf(out.at))
	r.run(time.Second)
	n.wantConnections(5) // outbound links are apart
	full := 0
	for _, e := range ends {
		if e.goodbye() == wire.GoodbyeFull {
			full++
		}
	}
	if full != 6 || r.links(n.at) != 5 {
		t.Errorf("%d refused as full, %d open", full, r.links(n.at))
	}
}

func TestStaticNodeDoesNothingByItself(t *testing.T) {
	r := newRig(t)
	a := r.node(still(), 1)
	b := r.node(still())
	r.run(time.Minute)
	a.wantConnections(0)
	r.link(a, b)
	r.run(time.Second)
	sent := r.sim.Totals().Sent
	r.run(time.Hour)
	if got := r.sim.Totals().Sent; got != sent {
		t.Errorf("%d messages in an idle hour", got-sent)
	}
	a.wantConnections(1)
}

func TestNodesFindEachOtherThroughOne(t *testing.T) {
	r := newRig(t)
	all := peer.Config{Fanout: peer.FanoutAll} // who is connected hears everything
	var nodes []*testNode
	for i := range 12 {
		if i == 0 {
			nodes = append(nodes, r.node(all))
			continue
		}
		nodes = append(nodes, r.node(all, 0))
	}
	r.run(30 * time.Second)
	for _, n := range nodes {
		if got := len(n.connections()); got < 3 {
			t.Errorf("node %d has %d connections", n.at, got)
		}
	}
	nodes[5].announce("x", "", 0)
	r.run(time.Second)
	for i, n := range nodes {
		if i != 5 {
			n.wantCount(peer.EventRequest, 1)
		}
	}
	// Crashes heal.
	for _, n := range nodes[:4] {
		r.sim.Crash(n.at, false)
	}
	r.run(90 * time.Second)
	nodes[5].announce("x", "", 0)
	r.run(time.Second)
	for i, n := range nodes[4:] {
		if i+4 != 5 {
			n.wantCount(peer.EventRequest, 2)
		}
	}
}

func TestConfigIsValidated(t *testing.T) {
	if err := (peer.Config{}).Validate(); err != nil {
		t.Errorf("the zero Config: %v", err)
	}
	for name, c := range map[string]peer.Config{
		"Connections":   {Connections: -1},
		"InboundMax":    {InboundMax: 10001},
		"HandshakesMax": {HandshakesMax: -1},
		"HopsMax":       {HopsMax: -1},
		"RoutesPerLink": {RoutesPerLink: 1 << 25},
		"RateMax":       {RateMax: -5},
		"Exchange":      {Exchange: wire.AddressesMax + 1},
		"Fanout":        {Fanout: -2},
		"Network":       {Network: string(make([]byte, wire.NetworkMax+1))},
		"Interval":      {Interval: time.Microsecond},
		"KeepAlive":     {KeepAlive: -time.Second},
	} {
		if c.Validate() == nil {
			t.Errorf("%s: %+v is accepted", name, c)
		}
	}
}

// Where part of a network is gone for good, the rest finds out and forgets it, also
// those whom nobody was connected with.
func TestTheDeadAreForgotten(t *testing.T) {
	const all, gone = 30, 12
	r := newRig(t)
	c := peer.Config{Connections: 3}
	nodes := []*testNode{r.node(c)}
	for len(nodes) < all {
		nodes = append(nodes, r.node(c, nodes[0].at))
	}
	r.run(2 * time.Minute)
	dead := map[actors.Address]bool{}
	for _, n := range nodes[1 : 1+gone] {
		dead[sim.AddressOf(n.at)] = true
		r.sim.Crash(n.at, true)
	}
	rest := append([]*testNode{nodes[0]}, nodes[1+gone:]...)
	r.run(20 * time.Minute)
	for _, n := range rest {
		b := n.Store().Book()
		left := 0
		for i := range b.Len() {
			if dead[b.At(i).Address] {
				left++
			}
		}
		if left > 0 || b.Len() < len(rest)-1 {
			t.Errorf("node %d knows %d dead of %d addresses, want none, and the %d others", n.at, left, b.Len(), len(rest)-1)
		}
		if out := n.Gossip().OutboundInUse(); out < 3 {
			t.Errorf("node %d has %d outbound links", n.at, out)
		}
	}
}

// A book full of addresses that refuse does not make a node dial without a pause.
func TestDialsAreBounded(t *testing.T) {
	r := newRig(t)
	n := r.node(peer.Config{Connections: 5, Interval: 5 * time.Second}, func() (list []sim.NodeID) {
		for i := range sim.NodeID(900) {
			list = append(list, 100+i)
		}
		return list
	}()...)
	r.run(time.Minute)
	dials := n.count(peer.EventDialFailed)
	// 40 at once, two a second, and one an interval to check what has failed.
	if most := 40 + 2*60 + 60/5 + 5; dials > most || dials < 100 {
		t.Errorf("%d dials in a minute, want up to %d", dials, most)
	}
}

// Two nodes that have only each other forget a third that is gone for good.
func TestTheDeadAreForgottenInASmallNetwork(t *testing.T) {
	r := newRig(t)
	first := r.node(peer.Config{})
	second, third := r.node(peer.Config{}, first.at), r.node(peer.Config{}, first.at)
	r.run(10 * time.Minute)
	for range 5 { // it was good for long
		r.sim.Crash(third.at, true)
		r.run(time.Second)
		third.start(peer.Config{}, idOf(third.at), first.at)
		r.run(10 * time.Minute)
	}
	r.sim.Crash(third.at, true)
	r.run(3 * time.Hour)
	for _, n := range []*testNode{first, second} {
		if e, ok := n.entry(sim.AddressOf(third.at)); ok {
			t.Errorf("node %d knows the dead: %+v", n.at, e.Stats)
		}
	}
}
