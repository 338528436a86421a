package peer_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"peernet/actors"
	"peernet/actors/book"
	"peernet/actors/peer"
	"peernet/actors/wire"
	"peernet/sim"
)

func TestVersion3HandshakeBringsBothEndsUpAndExchangesAddresses(t *testing.T) {
	r := newRig(t)
	far := sim.AddressOf(100)
	a := r.node(peer.Config{Connections: 1}, 1)
	b := r.node(still(), 100)
	r.run(time.Second)

	list := a.wantConnections(1)
	if c := list[0]; c.ID != b.ID || c.Version != 3 || !c.Outbound || c.Address != sim.AddressOf(b.at) {
		t.Errorf("dialler: %+v", c)
	}
	list = b.wantConnections(1)
	if c := list[0]; c.ID != a.ID || c.Version != 3 || c.Outbound || !c.Address.IsZero() {
		t.Errorf("listener: %+v", c)
	}
	if _, ok := a.entry(far); !ok {
		t.Error("the dialler did not learn what the listener knows")
	}
	if _, ok := b.entry(sim.AddressOf(a.at)); !ok {
		t.Error("the listener did not learn where the dialler listens")
	}
	if e, _ := a.entry(sim.AddressOf(b.at)); e.OK != 1 || e.Fail != 0 || e.Rx == 0 {
		t.Errorf("the dialler counted %+v", e.Stats)
	}
	observed := r.seen(a.at, peer.EventObserved)
	if len(observed) != 1 || observed[0].Address != sim.AddressOf(a.at) {
		t.Errorf("the dialler observes itself as %+v", observed)
	}
}

func TestVersion3HandshakeSendsExactlyTheExpectedMessages(t *testing.T) {
	id := peer.NodeID{0x7a}
	for _, dials := range []bool{true, false} {
		r := newRig(t)
		n := r.node(peer.Config{Exchange: 5, Interval: time.Hour}, 200)
		s := r.script(polite(id, &wire.Hello{Version: 3, Advertised: []actors.Address{sim.AddressOf(201)}, Wanted: 7}))
		var e *end
		if dials {
			e = s.dial(n, s.play)
		} else {
			n.connect(sim.AddressOf(s.at))
		}
		r.run(time.Second)
		if !dials {
			e = s.ends[0]
		}
		n.wantConnections(1)
		nodeID := string(n.ID[:])
		want := []string{
			describe(hello("", n.ID, &wire.Hello{
				Version: 3, Advertised: n.Advertise, Observed: sim.AddressOf(s.at), Wanted: 5,
			})),
			describe(frame(true, 0, wire.Body{Type: wire.TypeHello, Data: nodeID})),
			"addresses [ws://10.0.0.200:4000]", // not what the peer has just said of itself
		}
		if got := e.conversation(); !slices.Equal(got, want) {
			t.Errorf("dials=%v: the node said\n%q, want\n%q", dials, got, want)
		}
	}
}

// What is on loopback is not told to others, nor believed from them.
func TestLoopbackStaysOnTheMachine(t *testing.T) {
	r := newRig(t)
	own, local := actors.MustAddress("ws://127.0.0.1:4000"), actors.MustAddress("ws://localhost:5000")
	n := &testNode{rig: r, at: r.take()}
	c := peer.Config{Static: true}.WithDefaults()
	n.Node = &peer.Node{
		Config: &c, Advertise: []actors.Address{own, sim.AddressOf(n.at)},
		Bootstrap: []actors.Address{local, sim.AddressOf(300)},
	}
	r.sim.Start(n.at, n.Node)
	r.run(time.Second)
	s := r.script(nil)
	e := s.dial(n, polite(peer.NodeID{9}, &wire.Hello{Version: 3, Wanted: 10, Advertised: []actors.Address{actors.MustAddress("ws://127.0.0.1:6000")}}))
	r.run(time.Second)
	e.send(wire.NewAddresses([]actors.Address{actors.MustAddress("ws://127.0.0.1:7000"), sim.AddressOf(301)}))
	r.run(time.Second)
	if got := e.frames(wire.TypeHello)[0].Body.Hello.Advertised; !slices.Equal(got, []actors.Address{sim.AddressOf(n.at)}) {
		t.Errorf("a peer elsewhere is told of %v", got)
	}
	if said := strings.Join(e.conversation(), "\n"); strings.Contains(said, "localhost") || !strings.Contains(said, "10.0.1.44") {
		t.Errorf("the book is shared as\n%s", said)
	}
	for a, want := range map[string]bool{"ws://127.0.0.1:6000": false, "ws://127.0.0.1:7000": false, sim.AddressOf(301).String(): true} {
		if _, ok := n.entry(actors.MustAddress(a)); ok != want {
			t.Errorf("%s in the book: %v, want %v", a, ok, want)
		}
	}
	n.wantCount(peer.EventLoopback, 2)
}

// An address that is advertised later is told to later peers, and never dialled.
func TestAdvertiseLater(t *testing.T) {
	r := newRig(t)
	n := r.node(still())
	later := sim.AddressOf(400)
	c := n.ask(func(call peer.Call) []actors.Message {
		return []actors.Message{&peer.Advertise{Call: call, Address: later}}
	})
	r.run(time.Second)
	if err := answer[*peer.Done](t, c).Err; err != nil {
		t.Fatal(err)
	}
	e := r.script(nil).dial(n, nil)
	r.run(time.Second)
	if got := e.frames(wire.TypeHello)[0].Body.Hello.Advertised; !slices.Contains(got, later) {
		t.Errorf("a later peer is told of %v", got)
	}
	if n.Store().Book().Barred(later) != book.Forever {
		t.Error("the address could be dialled")
	}
}

func TestHelloIsSentAtOnceByBothEnds(t *testing.T) {
	r := newRig(t)
	n := r.node(still())
	s := r.script(nil)
	e := s.dial(n, nil)
	r.run(time.Second)
	if len(e.got) != 1 || e.at[0] != 2*latency {
		t.Errorf("a mute dialler got %v at %v, want a hello with the link", e.conversation(), e.at)
	}
	n.connect(sim.AddressOf(s.at))
	start := r.sim.Now()
	r.run(time.Second)
	if e := s.ends[0]; len(e.got) != 1 || e.at[0]-start != 3*latency {
		t.Errorf("a mute listener got %v at %v", e.conversation(), e.at)
	}
}

func TestSelfConnectionIsDetectedAndTheAddressNeverDialledAgain(t *testing.T) {
	r := newRig(t)
	n := &testNode{rig: r, at: r.take()}
	c := peer.Config{}.WithDefaults()
	n.Node = &peer.Node{Config: &c, Bootstrap: []actors.Address{sim.AddressOf(n.at)}} // does not know its own address
	r.sim.Start(n.at, n.Node)
	r.run(time.Second)
	if b := n.Store().Book(); b.Len() != 0 || b.Barred(sim.AddressOf(n.at)) != book.Forever {
		t.Errorf("the own address is not barred: %d entries", b.Len())
	}
	n.wantConnections(0)
	sent := r.sim.Totals().Sent
	r.run(10 * time.Minute)
	if got := r.sim.Totals().Sent; got != sent {
		t.Errorf("sent %d more messages to itself", got-sent)
	}
	saved := n.ask(func(call peer.Call) []actors.Message {
		return []actors.Message{&peer.Save{Call: call, Address: sim.AddressOf(n.at)}}
	})
	if err := answer[*peer.Done](t, saved).Err; !errors.Is(err, book.ErrOwn) {
		t.Errorf("saving the own address: %v", err)
	}
	by := n.connect(sim.AddressOf(n.at))
	r.run(time.Second)
	if err := answer[*peer.Done](t, by).Err; !errors.Is(err, peer.ErrSelf) {
		t.Errorf("connecting to itself: %v", err)
	}
}

func TestFullNodeGivesAddressesThenSaysGoodbyeAndCountsAsOK(t *testing.T) {
	r := newRig(t)
	full := r.node(peer.Config{InboundMax: 1, Connections: 1, Refresh: time.Hour}, 200)
	first := r.script(nil)
	first.dial(full, polite(peer.NodeID{1}, v3()))
	r.run(time.Second)
	full.wantConnections(1)

	second := first.dial(full, polite(peer.NodeID{2}, &wire.Hello{Version: 3, Wanted: 5}))
	r.run(time.Second)
	if n := len(second.got); second.goodbye() != wire.GoodbyeFull || describe(second.got[n-2]) != "addresses [ws://10.0.0.200:4000]" || second.down == nil {
		t.Errorf("refused as full: %q, down %v", second.conversation(), second.down)
	}
	full.wantConnections(1)

	late := r.node(peer.Config{Connections: 2}, full.at)
	call := late.connect(sim.AddressOf(full.at))
	r.run(time.Second)
	if err := answer[*peer.Done](t, call).Err; !errors.Is(err, peer.ErrBusy) && !errors.Is(err, peer.ErrRefused) {
		t.Errorf("connecting to a full node: %v", err)
	}
	if e, _ := late.entry(sim.AddressOf(full.at)); e.OK != 1 || e.Fail != 0 || e.Streak != 0 {
		t.Errorf("a refusal as full counts as %+v", e.Stats)
	}
	if _, ok := late.entry(sim.AddressOf(200)); !ok {
		t.Error("the refused node learned no address")
	}
	refused := r.seen(full.at, peer.EventRefused)
	if len(refused) != 2 || refused[0].N != int64(wire.GoodbyeFull) {
		t.Errorf("refused: %+v", refused)
	}
}

func TestNetworksWithDifferentNamesDoNotMerge(t *testing.T) {
	for _, c := range []struct {
		ours, theirs string
		h            *wire.Hello // of a scripted peer, instead of a node
		up           bool
	}{
		{"", "", nil, true},
		{"x", "x", nil, true},
		{"x", "y", nil, false},
		{"x", "", nil, false},
		{"", "x", nil, false},
	} {
		r := newRig(t)
		a := r.node(peer.Config{Network: c.ours, Connections: 1}, 1)
		b := r.node(peer.Config{Network: c.theirs, Connections: 1, Interval: time.Hour}, 200)
		r.run(time.Second)
		if got := len(a.connections()) == 1 && len(b.connections()) == 1; got != c.up {
			t.Errorf("%q and %q: up %v", c.ours, c.theirs, got)
		}
		if _, learned := a.entry(sim.AddressOf(200)); learned != c.up {
			t.Errorf("%q and %q: addresses crossed: %v", c.ours, c.theirs, learned)
		}
		if e, _ := a.entry(sim.AddressOf(b.at)); e.OK != 1 || e.Fail != 0 {
			t.Errorf("%q and %q: counted %+v", c.ours, c.theirs, e.Stats)
		}
	}
}

func TestNamedNetworkRefusesVersion2Peers(t *testing.T) {
	r := newRig(t)
	n := r.node(peer.Config{Network: "x"})
	e := r.script(nil).dial(n, polite(peer.NodeID{1}, nil))
	r.run(time.Second)
	n.wantConnections(0)
	if e.down == nil || e.goodbye() != 0 {
		t.Errorf("want the link closed without a word: %q", e.conversation())
	}
}

func TestPeerThatNeverAnswersTheHelloIsClosed(t *testing.T) {
	for _, dials := range []bool{true, false} {
		r := newRig(t)
		n := r.node(peer.Config{HelloTimeout: 10 * time.Second, Connections: 1})
		s := r.script(func(e *end, m actors.Message) {
			if m == nil {
				e.put(hello("hell", peer.NodeID{1}, v3())) // it talks, but does not answer
			}
		})
		call := &client{}
		if dials {
			s.dial(n, s.play)
		} else {
			call = n.connect(sim.AddressOf(s.at))
		}
		r.run(9900 * time.Millisecond)
		n.wantCount(peer.EventDialFailed, 0)
		r.run(200 * time.Millisecond)
		n.wantCount(peer.EventDialFailed, 1)
		n.wantConnections(0)
		if !dials {
			if err := answer[*peer.Done](t, call).Err; !errors.Is(err, peer.ErrFailed) {
				t.Errorf("connect: %v", err)
			}
			if s.ends[0].goodbye() != wire.GoodbyeSilent {
				t.Errorf("said %q", s.ends[0].conversation())
			}
		}
	}
}

func TestHelloAnswerMustNameTheRequest(t *testing.T) {
	r := newRig(t)
	n := r.node(peer.Config{})
	id := peer.NodeID{1}
	e := r.script(nil).dial(n, func(e *end, m actors.Message) {
		switch m := m.(type) {
		case nil:
			e.put(hello("hell", id, v3()))
		case *wire.Frame:
			if !m.Response {
				e.put(frame(true, 0, wire.Body{ID: "x", Reply: "wrong", Type: wire.TypeHello, Data: string(id[:])}))
			}
		}
	})
	r.run(5 * time.Second)
	n.wantConnections(0)
	e.send(answerTo(e.frames(wire.TypeHello)[0], id)) // the first right answer wins
	r.run(time.Second)
	n.wantConnections(1)
}

func TestSilentCrashClosesTheLinkInTimeAndCountsAsFailure(t *testing.T) {
	const keepAlive, timeout = 30 * time.Second, 10 * time.Second
	r := newRig(t)
	a := r.node(peer.Config{Connections: 1, Interval: time.Hour}, 1)
	b := r.node(peer.Config{Interval: time.Hour})
	r.run(time.Second)
	a.wantConnections(1)
	b.wantConnections(1)
	r.sim.Crash(b.at, false)
	crashed := r.sim.Now()
	r.run(keepAlive - 2*time.Second)
	a.wantConnections(1)
	r.run(crashed + keepAlive + timeout + 2*latency - r.sim.Now())
	a.wantConnections(0)
	if e, _ := a.entry(sim.AddressOf(b.at)); e.OK != 1 || e.Fail != 1 || e.Streak != 1 {
		t.Errorf("counted %+v", e.Stats)
	}
	a.wantCount(peer.EventPeerDown, 1)
}

func TestResetClosesTheLinkAtOnceAndCountsAsFailure(t *testing.T) {
	r := newRig(t)
	a := r.node(peer.Config{Connections: 1}, 1)
	b := r.node(peer.Config{})
	r.run(time.Second)
	r.sim.Crash(b.at, true)
	r.run(2 * latency)
	a.wantConnections(0)
	if e, _ := a.entry(sim.AddressOf(b.at)); e.Fail != 1 {
		t.Errorf("counted %+v", e.Stats)
	}
}

func TestIdleLinkIsKeptAlive(t *testing.T) {
	for _, h := range []*wire.Hello{v3(), nil} {
		r := newRig(t)
		n := r.node(peer.Config{Interval: time.Hour, Refresh: time.Hour})
		e := r.script(nil).dial(n, polite(peer.NodeID{1}, h))
		r.run(5 * time.Minute)
		n.wantConnections(1)
		pings, hellos := count[*wire.Ping](e), 0
		for _, f := range e.frames(wire.TypeHello) {
			if !f.Response {
				hellos++
			}
		}
		if h != nil && (pings < 9 || hellos != 1) || h == nil && (pings != 0 || hellos < 10) {
			t.Errorf("version 3 %v: %d pings and %d hellos in 5 min", h != nil, pings, hellos)
		}
	}
}

func TestTalkingPeerIsNotProbed(t *testing.T) {
	r := newRig(t)
	n := r.node(peer.Config{Interval: time.Hour, Refresh: time.Hour})
	e := r.script(nil).dial(n, polite(peer.NodeID{1}, v3()))
	for range 20 {
		r.run(10 * time.Second)
		e.send(&wire.Ping{Nonce: 1})
	}
	if got := count[*wire.Ping](e); got != 0 {
		t.Errorf("%d pings to a peer that talks", got)
	}
	if got := count[*wire.Pong](e); got != 19 {
		t.Errorf("%d pongs to 19 pings that arrived", got)
	}
}

// The zero id is nobody's: a peer that has it could change it later.
func TestZeroNodeIDIsRefused(t *testing.T) {
	r := newRig(t)
	n := r.node(still())
	s := r.script(nil)
	e := s.dial(n, polite(peer.NodeID{}, v3()))
	r.run(time.Second)
	n.wantConnections(0)
	n.wantCount(peer.EventInvalid, 1)
	if e.down == nil {
		t.Error("the link stays open")
	}
}
