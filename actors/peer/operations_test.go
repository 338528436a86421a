package peer_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"peernet/actors"
	"peernet/actors/peer"
	"peernet/actors/wire"
	"peernet/sim"
)

// one has a client send one operation and returns the client.
func (n *testNode) one(op func(call peer.Call) actors.Message) *client {
	return n.ask(func(call peer.Call) []actors.Message { return []actors.Message{op(call)} })
}

// wantDone fails the test unless a client got one Done, with its tag and an
// error that is want.
func wantDone(t *testing.T, c *client, want error) {
	t.Helper()
	if d := answer[*peer.Done](t, c); d.Tag != 7 || !errors.Is(d.Err, want) || want == nil && d.Err != nil {
		t.Errorf("done: %+v, want %v", d, want)
	}
}

func (n *testNode) save(a actors.Address) *client {
	return n.one(func(call peer.Call) actors.Message { return &peer.Save{Call: call, Address: a} })
}

func (n *testNode) remove(a actors.Address) *client {
	return n.one(func(call peer.Call) actors.Message { return &peer.Remove{Call: call, Address: a} })
}

func (n *testNode) subscribe(topics peer.Topics) *client {
	c := n.one(func(call peer.Call) actors.Message { return &peer.Subscribe{Call: call, Topics: topics} })
	return c
}

func TestSaveKeepsAnAddressAndFillsAFreeSlotAtOnce(t *testing.T) {
	r := newRig(t)
	a, b := r.node(peer.Config{Interval: time.Hour}), r.node(peer.Config{})
	r.run(time.Second)
	wantDone(t, a.save(sim.AddressOf(b.at)), nil)
	if e, ok := a.entry(sim.AddressOf(b.at)); !ok || !e.Saved {
		t.Errorf("entry: %+v %v", e, ok)
	}
	r.run(time.Second)
	a.wantConnections(1)
}

func TestRemovedAddressStaysRemovedAlthoughPeersTellOfIt(t *testing.T) {
	r := newRig(t)
	b := r.node(peer.Config{})
	a := r.node(peer.Config{Connections: 2}, b.at)
	r.run(time.Second)
	a.wantConnections(1)
	bad := sim.AddressOf(b.at)
	wantDone(t, a.remove(bad), nil)
	r.run(100 * time.Millisecond)
	a.wantConnections(0) // a link to it is closed
	e := r.script(nil).dial(a, polite(peer.NodeID{1}, v3()))
	r.run(time.Second)
	for range 60 {
		e.send(wire.NewAddresses([]actors.Address{bad, sim.AddressOf(300)}))
		r.run(10 * time.Second)
	}
	if _, ok := a.entry(bad); ok {
		t.Error("a peer brought a removed address back")
	}
	if c := a.connections(); len(c) > 2 || slices.ContainsFunc(c, func(c peer.Connection) bool { return c.Outbound }) {
		t.Errorf("connections: %+v", c)
	}
	wantDone(t, a.save(bad), nil)
	if _, ok := a.entry(bad); !ok {
		t.Error("its user cannot bring it back")
	}
}

func TestRemovedAddressMayReturnAfterADay(t *testing.T) {
	r := newRig(t)
	a := r.node(still(), 300)
	wantDone(t, a.remove(sim.AddressOf(300)), nil)
	e := r.script(nil).dial(a, polite(peer.NodeID{1}, v3()))
	for _, c := range []struct {
		wait  time.Duration
		known bool
	}{{24*time.Hour - time.Minute, false}, {2 * time.Minute, true}} {
		r.run(c.wait)
		e.send(wire.NewAddresses([]actors.Address{sim.AddressOf(300)}))
		r.run(time.Second)
		if _, ok := a.entry(sim.AddressOf(300)); ok != c.known {
			t.Errorf("at %v known: %v", r.sim.Now(), ok)
		}
	}
}

func TestRemoveOfAnAddressBeingDialledGivesUpTheDial(t *testing.T) {
	r := newRig(t)
	b := r.node(still())
	a := r.node(peer.Config{Interval: time.Hour}, b.at)
	a.remove(sim.AddressOf(b.at))
	r.run(time.Second)
	a.wantConnections(0)
	b.wantConnections(0)
	if n := r.pairs(a.at, b.at); n != 0 {
		t.Errorf("%d links", n)
	}
	b.wantCount(peer.EventDialFailed, 1) // its end was closed, not left to time out
}

func TestKnownPagesThroughTheBook(t *testing.T) {
	var known []sim.NodeID
	for i := range sim.NodeID(1500) {
		known = append(known, 1000+i)
	}
	r := newRig(t)
	n := r.node(still(), known...)
	for _, size := range []int{7, 1000, 5000} {
		got := map[actors.Address]bool{}
		pages := 0
		for start := 0; start >= 0; pages++ {
			page := answer[*peer.KnownPage](t, n.one(func(call peer.Call) actors.Message {
				return &peer.Known{Call: call, Start: start, Max: size}
			}))
			if page.Tag != 7 || len(page.Entries) > min(size, 1024) {
				t.Fatalf("page of %d entries, tag %d", len(page.Entries), page.Tag)
			}
			for _, e := range page.Entries {
				got[e.Address] = true
			}
			start = page.Next
		}
		per := min(size, 1024)
		if want := (1500 + per - 1) / per; len(got) != 1500 || pages != want {
			t.Errorf("size %d: %d addresses in %d pages, want %d", size, len(got), pages, want)
		}
	}
	for _, start := range []int{-5, 1500, 1 << 40} {
		page := answer[*peer.KnownPage](t, n.one(func(call peer.Call) actors.Message {
			return &peer.Known{Call: call, Start: start, Max: 10}
		}))
		if start > 0 && (len(page.Entries) != 0 || page.Next != -1) || start < 0 && len(page.Entries) != 10 {
			t.Errorf("start %d: %d entries, next %d", start, len(page.Entries), page.Next)
		}
	}
}

func TestStatsTellsWhatIsKnownOfAnAddress(t *testing.T) {
	r := newRig(t)
	b := r.node(still(), 200, 201)
	a := r.node(peer.Config{Connections: 1}, b.at)
	r.run(3 * time.Second)
	stats := func(id sim.NodeID) *peer.StatsResult {
		return answer[*peer.StatsResult](t, a.one(func(call peer.Call) actors.Message {
			return &peer.Stats{Call: call, Address: sim.AddressOf(id)}
		}))
	}
	if s := stats(b.at); !s.Found || s.Tag != 7 || !s.Entry.Saved || s.Entry.OK != 1 || s.Entry.Rx < 3 {
		t.Errorf("of a connected peer: %+v", s)
	}
	if s := stats(200); !s.Found || s.Entry.Saved || s.Entry.Source == 0 {
		t.Errorf("of a learned address: %+v", s)
	}
	if s := stats(999); s.Found {
		t.Errorf("of an unknown address: %+v", s)
	}
}

func TestConnectTellsHowItEnded(t *testing.T) {
	r := newRig(t)
	n := r.node(still())
	other := r.node(still())
	foreign := r.node(peer.Config{Network: "x", Static: true})
	r.run(time.Second)
	for _, c := range []struct {
		name string
		to   actors.Address
		want error
	}{
		{"ok", sim.AddressOf(other.at), nil},
		{"connected already", sim.AddressOf(other.at), peer.ErrBusy},
		{"own address", sim.AddressOf(n.at), peer.ErrSelf},
		{"other network", sim.AddressOf(foreign.at), peer.ErrRefused},
		{"nobody listens", sim.AddressOf(999), peer.ErrFailed},
		{"unknown scheme", actors.MustAddress("foo://bar:1"), peer.ErrFailed},
	} {
		call := n.connect(c.to)
		r.run(time.Second)
		t.Run(c.name, func(t *testing.T) { wantDone(t, call, c.want) })
	}
	first := n.connect(sim.AddressOf(998))
	second := n.connect(sim.AddressOf(998))
	wantDone(t, second, peer.ErrBusy) // while it is dialled
	r.run(time.Second)
	wantDone(t, first, peer.ErrFailed)
}

func TestDisconnectSaysGoodbye(t *testing.T) {
	r := newRig(t)
	n := r.node(still())
	s := r.script(polite(peer.NodeID{1}, v3()))
	n.connect(sim.AddressOf(s.at))
	in := s.dial(n, polite(peer.NodeID{2}, v3()))
	r.run(time.Second)
	list := n.wantConnections(2)
	i := slices.IndexFunc(list, func(c peer.Connection) bool { return !c.Outbound })
	disconnect := func(a actors.Address, p actors.Ref) *client {
		return n.one(func(call peer.Call) actors.Message { return &peer.Disconnect{Call: call, Address: a, Peer: p} })
	}
	wantDone(t, disconnect(sim.AddressOf(999), actors.Ref{}), peer.ErrNotConnected)
	wantDone(t, disconnect(actors.Address{}, actors.Ref{}), peer.ErrNotConnected)
	wantDone(t, disconnect(sim.AddressOf(999), list[i].Peer), peer.ErrNotConnected) // the address counts
	wantDone(t, disconnect(sim.AddressOf(s.at), actors.Ref{}), nil)
	wantDone(t, disconnect(actors.Address{}, list[i].Peer), nil)
	r.run(time.Second)
	for _, e := range []*end{s.ends[0], in} {
		if e.goodbye() != wire.GoodbyeUser || e.down == nil {
			t.Errorf("%q, down %v", e.conversation(), e.down)
		}
	}
	wantDone(t, disconnect(actors.Address{}, list[i].Peer), peer.ErrNotConnected)
	n.wantConnections(0)
}

func TestAttachMakesAConnectionOfALink(t *testing.T) {
	r := newRig(t)
	a, b := r.node(still()), r.node(still())
	atA, atB := r.sim.Link(a.at, b.at)
	ca := a.one(func(call peer.Call) actors.Message { return &peer.Attach{Call: call, Link: atA, Outbound: true} })
	cb := b.one(func(call peer.Call) actors.Message { return &peer.Attach{Call: call, Link: atB} })
	if len(ca.got) != 0 {
		t.Error("done before the handshake")
	}
	r.run(time.Second)
	wantDone(t, ca, nil)
	wantDone(t, cb, nil)
	if !a.wantConnections(1)[0].Outbound || b.wantConnections(1)[0].Outbound {
		t.Error("direction lost")
	}
	wantTalk(t, a, b)
}

func TestSubscribersHearTheirTopicsOnly(t *testing.T) {
	r := newRig(t)
	n, other := r.node(still()), r.node(still(), 200)
	topics := []peer.Topics{peer.TopicRequest, peer.TopicResponse, peer.TopicConnect, peer.TopicDisconnect, peer.TopicKnown, peer.TopicDebug}
	clients := make([]*client, len(topics))
	for i, topic := range topics {
		clients[i] = n.subscribe(topic)
		wantDone(t, clients[i], nil)
		clients[i].got = nil
	}
	e := r.script(nil).dial(n, polite(peer.NodeID{1}, v3()))
	n.connect(sim.AddressOf(other.at))
	r.run(time.Second)
	e.send(frame(false, 0, wire.Body{ID: "request", Type: "x"}), wire.NewAddresses([]actors.Address{sim.AddressOf(300)}))
	id := n.announce("y", "", 0)
	r.run(time.Second)
	if err := other.respond(id, "found"); err != nil {
		t.Fatal(err)
	}
	e.send(raw("02 0a00")) // no id
	e.send(&wire.Goodbye{Reason: wire.GoodbyeUser})
	r.run(time.Second)
	want := []string{
		"[request x 0]", "[response answer 0]", "[up up]", "[down goodbye: user]",
		"[learned ws://10.0.0.1:4000 learned ws://10.0.1.44:4000]", "[conn.invalid]",
	}
	for i, c := range clients {
		var got []string
		for _, m := range c.got {
			switch m := m.(type) {
			case *peer.Received:
				got = append(got, strings.Join(strings.Fields(describe(m.Frame))[:2], " ")+fmt.Sprint(" ", m.Frame.Hops))
			case *peer.Connected:
				got = append(got, "up")
			case *peer.Disconnected:
				got = append(got, "down "+m.Reason)
			case *peer.Learned:
				got = append(got, "learned "+m.Address.String())
			case *peer.Debug:
				got = append(got, m.Event.Kind.String())
			}
		}
		if fmt.Sprint(got) != want[i] {
			t.Errorf("topic %d: %v, want %s", topics[i], got, want[i])
		}
	}
}

func TestSubscriptionsEndAndAreBounded(t *testing.T) {
	r := newRig(t)
	n := r.node(peer.Config{Static: true, SubscribersMax: 2})
	first := n.subscribe(peer.TopicKnown | peer.TopicConnect)
	n.subscribe(peer.TopicRequest)
	refused := n.subscribe(peer.TopicKnown | peer.TopicConnect)
	wantDone(t, refused, peer.ErrSubscribers)
	n.wantCount(peer.EventSubscribersFull, 1)
	refused.got, first.got = nil, nil
	// Replacing a subscription needs no room; ending one makes some.
	r.sim.Send(n.at, &peer.Subscribe{Call: peer.Call{ReplyTo: first.ref, Tag: 7}, Topics: peer.TopicKnown})
	wantDone(t, first, nil)
	first.got = nil
	e := r.script(nil).dial(n, polite(peer.NodeID{1}, v3()))
	r.run(time.Second)
	e.send(wire.NewAddresses([]actors.Address{sim.AddressOf(300)}))
	r.run(time.Second)
	if len(first.got) != 1 || len(refused.got) != 0 {
		t.Errorf("the subscriber heard %v, the refused one %v", first.got, refused.got)
	}
	r.sim.Send(n.at, &peer.Subscribe{Call: peer.Call{ReplyTo: first.ref, Tag: 7}})
	wantDone(t, n.subscribe(peer.TopicConnect), nil)
	first.got = nil
	e.send(wire.NewAddresses([]actors.Address{sim.AddressOf(301)}))
	r.run(time.Second)
	if len(first.got) != 0 {
		t.Errorf("heard %v after the end of the subscription", first.got)
	}
}

func TestCloseSaysGoodbyeToAllAndEndsTheNode(t *testing.T) {
	r := newRig(t)
	n := r.node(still())
	s := r.script(polite(peer.NodeID{9}, v3()))
	ends := []*end{s.dial(n, polite(peer.NodeID{1}, v3())), s.dial(n, polite(peer.NodeID{2}, nil))}
	n.connect(sim.AddressOf(s.at))
	r.run(time.Second)
	ends = append(ends, s.ends...)
	n.wantConnections(3)
	waits := n.connect(sim.AddressOf(998))
	c := n.ask(func(call peer.Call) []actors.Message {
		return []actors.Message{
			&peer.Close{Call: call},
			&peer.Announce{Call: call, Type: "x"},
			&peer.Respond{Call: call, Request: "x"},
			&peer.Connect{Call: call, Address: sim.AddressOf(997)},
			&peer.Close{Call: call},
		}
	})
	if r.sim.IsLive(n.at) {
		t.Error("the node did not end")
	}
	var dones int
	for _, m := range c.got {
		switch m := m.(type) {
		case *peer.Done:
			if m.Err == nil {
				dones++
			} else if !errors.Is(m.Err, peer.ErrClosing) {
				t.Errorf("after Close: %v", m.Err)
			}
		case *peer.Announced:
			if !errors.Is(m.Err, peer.ErrClosing) {
				t.Errorf("after Close: %+v", m)
			}
		}
	}
	if dones != 1 || len(c.got) != 5 {
		t.Errorf("%d of %d answers are Done", dones, len(c.got))
	}
	if len(waits.got) != 1 || waits.got[0].(*peer.Done).Err == nil {
		t.Errorf("a waiting Connect got %v", waits.got)
	}
	r.run(time.Second)
	for i, e := range ends {
		want := wire.GoodbyeShutdown
		if i == 1 {
			want = 0 // version 2
		}
		if e.goodbye() != want || e.down == nil || e.down.Reason != actors.ReasonClosed {
			t.Errorf("end %d: %v, down %+v", i, e.goodbye(), e.down)
		}
	}
}

func TestCloseOfALonelyNodeIsDone(t *testing.T) {
	r := newRig(t)
	n := r.node(peer.Config{})
	r.run(time.Second)
	wantDone(t, n.one(func(call peer.Call) actors.Message { return &peer.Close{Call: call} }), nil)
	if r.sim.IsLive(n.at) {
		t.Error("the node did not end")
	}
}
