package peer_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"peernet/actors"
	"peernet/actors/peer"
	"peernet/actors/wire"
	"peernet/sim"
)

// links counts the open link ends of a node.
func (r *rig) links(n sim.NodeID) (count int) {
	r.sim.Links(n, func(sim.LinkEnd) { count++ })
	return count
}

// siege is a node with a hostile peer and an honest one.
type siege struct {
	*rig
	node            *testNode
	script          *script
	hostile, honest *end
}

func newSiege(t *testing.T, c peer.Config, hostile player) *siege {
	c.Interval, c.Refresh = time.Hour, time.Hour
	r := newRig(t)
	s := &siege{rig: r, node: r.node(c), script: r.script(nil)}
	s.honest = s.script.dial(s.node, polite(peer.NodeID{1}, v3()))
	s.hostile = s.script.dial(s.node, hostile)
	r.run(time.Second)
	return s
}

// wantUnharmed fails the test unless the node serves its honest peer and a new
// one, and holds nothing but the links it should.
func (s *siege) wantUnharmed(closed bool) {
	s.t.Helper()
	if got := s.hostile.down != nil; got != closed {
		s.t.Errorf("hostile link closed: %v, want %v; it heard %q", got, closed, s.hostile.conversation())
	}
	want := 3
	if closed {
		want = 2
	}
	fresh := s.script.dial(s.node, polite(peer.NodeID{2}, v3()))
	s.run(time.Second)
	s.honest.forget()
	fresh.send(frame(false, 0, wire.Body{ID: "still there?", Type: "ask"}))
	id := s.node.announce("answer", "", 0)
	s.run(time.Second)
	if len(s.honest.frames("ask"))+s.node.count(peer.EventQuota) == 0 || len(s.honest.frames("answer")) != 1 || s.honest.down != nil {
		s.t.Errorf("the honest peer heard %q", s.honest.conversation())
	}
	if got := s.links(s.node.at); got != want {
		s.t.Errorf("%d links are open, want %d", got, want)
	}
	if id == "" {
		s.t.Error("no announce")
	}
}

func TestHostileInputIsCountedAndHarmsNoOtherLink(t *testing.T) {
	id := peer.NodeID{66}
	for _, c := range []struct {
		name   string
		send   actors.Message
		event  actors.EventKind
		times  int
		closed bool
	}{
		{"no varint in a body", raw("05ffffffffff"), peer.EventMalformed, 1, true},
		{"truncated tag", raw("0180"), peer.EventMalformed, 1, true},
		{"huge length", raw("ffffffffffffff0f00"), peer.EventMalformed, 1, true},
		{"endless length", raw("ffffffffffffffffffffffff"), peer.EventMalformed, 1, true},
		{"frame beyond the limit", raw("818001"), peer.EventMalformed, 1, true},
		{"undecodable body", raw("04 0a0a0a0a"), peer.EventMalformed, 1, true},
		{"wrong wire type", raw("04 0a02 0801"), peer.EventMalformed, 1, true},
		{"no id", raw("04 0a02 1000"), peer.EventInvalid, 1, false},
		{"empty id", raw("06 0a04 0a00 1000"), peer.EventInvalid, 1, false},
		{"no hops", raw("08 0a06 0a04 aaaaaa01"), peer.EventInvalid, 1, false},
		{"no member", raw("00 00 00 02 7800"), peer.EventInvalid, 0, false},
		{"truncated frame", raw("15 0a130a04aaaaaa0110"), peer.EventMalformed, 0, false},
		{"oversize id", frame(false, 0, wire.Body{ID: strings.Repeat("i", wire.IDMax+1)}), peer.EventInvalid, 1, false},
		{"oversize type", frame(false, 0, wire.Body{ID: "i", Type: strings.Repeat("t", wire.TypeMax+1)}), peer.EventInvalid, 1, false},
		{"oversize data", frame(false, 0, wire.Body{ID: "i", Data: strings.Repeat("d", wire.DataMax+1)}), peer.EventInvalid, 1, false},
		{"oversize reply", frame(true, 0, wire.Body{ID: "i", Reply: strings.Repeat("r", wire.IDMax+1)}), peer.EventInvalid, 1, false},
		{"no node id in a hello", frame(false, 0, wire.Body{ID: "i", Type: wire.TypeHello, Data: "short"}), peer.EventInvalid, 1, true},
		{"too long a node id", frame(true, 0, wire.Body{ID: "i", Type: wire.TypeHello, Data: string(make([]byte, 17))}), peer.EventInvalid, 1, true},
		{"another node id", hello("again", peer.NodeID{67}, v3()), peer.EventInvalid, 1, true},
		{"our node id", hello("again", idOf(0), v3()), peer.EventInvalid, 1, true},
		{"another network", hello("again", id, &wire.Hello{Version: 3, Network: "y"}), peer.EventInvalid, 0, false},
		{"another version", hello("again", id, nil), peer.EventInvalid, 0, false},
		{"pong to nothing", &wire.Pong{Nonce: 5}, peer.EventInvalid, 0, false},
		{"address without scheme", raw("10 8a010d 0a0b 6e6f20616464726573732e"), peer.EventInvalid, 1, false},
		{"address of an unknown scheme", wire.NewAddresses([]actors.Address{actors.MustAddress("foo://bar:1")}), peer.EventDialFailed, 1, false},
		{"addresses not asked for", frame(true, 0, wire.Body{ID: "i", Reply: "x", Type: wire.TypeAddresses, Data: "ws://1.2.3.4:5"}), peer.EventInvalid, 1, false},
		{"signal that is no JSON", frame(false, 0, wire.Body{ID: "i", Type: "signal.webrtc", Data: "{\xff"}), peer.EventRequest, 1, false},
		{"huge wish for addresses", &wire.AddressRequest{N: 1<<32 - 1}, peer.EventThrottled, 0, false},
		{"unknown goodbye", &wire.Goodbye{Reason: 1 << 31}, peer.EventGoodbye, 1, true},
		{"response to nothing", frame(true, 0, wire.Body{ID: "i"}), peer.EventNoRoute, 1, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSiege(t, peer.Config{}, polite(id, v3()))
			s.node.wantConnections(2)
			// Oversize messages cannot exist typed: they go as bytes.
			s.hostile.send(sim.Bytes(c.send.Append(nil)))
			s.run(time.Second)
			s.node.wantCount(c.event, c.times)
			s.wantUnharmed(c.closed)
		})
	}
}

func TestNothingButTheHandshakeIsHeardBeforeIt(t *testing.T) {
	s := newSiege(t, peer.Config{}, nil)
	s.hostile.send(
		frame(false, 0, wire.Body{ID: "request", Type: "x"}),
		frame(true, 0, wire.Body{ID: "response", Reply: "x"}),
	)
	s.run(time.Second)
	s.node.wantCount(peer.EventEarly, 2)
	s.node.wantCount(peer.EventRequest, 0)
	s.run(10 * time.Second)
	s.wantUnharmed(true)
}

func TestFloodIsThrottledToTheRate(t *testing.T) {
	const rate = 100
	s := newSiege(t, peer.Config{RateMax: rate}, polite(peer.NodeID{66}, v3()))
	const seconds, perSecond = 10, 1000
	for i := range seconds * 10 {
		var list []actors.Message
		for k := range perSecond / 10 {
			list = append(list, frame(false, 0, wire.Body{ID: fmt.Sprint("flood", i, k), Type: "x"}))
		}
		s.hostile.send(list...)
		s.run(100 * time.Millisecond)
	}
	if got := s.node.count(peer.EventRequest); got > rate*(seconds+2) || got < rate*(seconds+2)-rate/4 {
		t.Errorf("%d requests got through in %d s, want a burst of two seconds' and then %d a second", got, seconds, rate)
	}
	if got := s.node.count(peer.EventRequest) + s.node.count(peer.EventThrottled); got < seconds*perSecond-perSecond/10 {
		t.Errorf("%d of %d are accounted for", got, seconds*perSecond)
	}
	s.wantUnharmed(false)
}

func TestAddressRequestsCostAsManyMessagesAsTheyGive(t *testing.T) {
	var known []sim.NodeID
	for i := range sim.NodeID(100) {
		known = append(known, 1000+i)
	}
	r := newRig(t)
	n := r.node(peer.Config{Static: true, RateMax: 48}, known...)
	e := r.script(nil).dial(n, polite(peer.NodeID{66}, v3()))
	r.run(3 * time.Second)
	for range 100 {
		e.send(&wire.AddressRequest{N: 48})
		r.run(100 * time.Millisecond)
	}
	if got := count[*wire.Addresses](e); got > 12 || got < 5 {
		t.Errorf("100 requests in 10 s got %d lists of 48 at a rate of 48/s", got)
	}
	if n.count(peer.EventThrottled) == 0 {
		t.Error("nothing was counted as throttled")
	}
}

func TestUnsolicitedResponsesGoNowhere(t *testing.T) {
	s := newSiege(t, peer.Config{}, polite(peer.NodeID{66}, v3()))
	s.honest.forget()
	for i := range 100 {
		var list []actors.Message
		for k := range 100 {
			list = append(list, frame(true, 0, wire.Body{ID: fmt.Sprint("r", i, ".", k), Reply: fmt.Sprint("q", i, ".", k), Data: "storm"}))
		}
		s.hostile.send(list...)
		s.run(100 * time.Millisecond)
	}
	s.run(time.Second)
	if got := s.node.count(peer.EventNoRoute); got < 9900 {
		t.Errorf("%d of 10000 counted", got)
	}
	if len(s.honest.got) != 0 {
		t.Errorf("the honest peer was sent %d messages", len(s.honest.got))
	}
	s.wantUnharmed(false)
}

// Responses that nobody asked for use up no quota.
func TestResponsesWithoutAWayBackAreForgotten(t *testing.T) {
	s := newSiege(t, peer.Config{RoutesPerLink: 5}, polite(peer.NodeID{66}, v3()))
	for i := range 100 {
		s.hostile.send(frame(true, 0, wire.Body{ID: fmt.Sprint("junk", i), Reply: "nothing"}))
	}
	s.run(time.Second)
	s.node.wantCount(peer.EventNoRoute, 100)
	s.node.wantCount(peer.EventQuota, 0)
	s.wantUnharmed(false)
}

// Who hangs up and comes back goes on with the quota that is left; who comes from
// elsewhere has one of its own.
func TestQuotaOfRoutesOutlivesTheLink(t *testing.T) {
	const quota = 50
	s := newSiege(t, peer.Config{RoutesPerLink: quota, RouteLife: time.Minute}, nil)
	from := func(sc *script, round, n int) (taken int) {
		e := sc.dial(s.node, polite(peer.NodeID{70, byte(round)}, v3()))
		s.run(time.Second)
		before := s.node.count(peer.EventRequest)
		for i := range n {
			e.send(frame(false, 0, wire.Body{ID: fmt.Sprint(round, "flood", i)}))
		}
		s.run(time.Second)
		e.send(&wire.Goodbye{Reason: wire.GoodbyeUser})
		s.run(time.Second)
		return s.node.count(peer.EventRequest) - before
	}
	elsewhere := s.rig.script(nil)
	for round, c := range []struct {
		from    *script
		n, want int
	}{{s.script, 30, 30}, {s.script, 100, 20}, {s.script, 100, 0}, {elsewhere, 100, 50}, {elsewhere, 100, 0}} {
		if taken := from(c.from, round, c.n); taken != c.want {
			t.Errorf("link %d: %d requests were taken, want %d", round, taken, c.want)
		}
	}
}

func TestLinkCannotUseUpMoreThanItsQuotaOfRoutes(t *testing.T) {
	const quota = 50
	s := newSiege(t, peer.Config{RoutesPerLink: quota, RouteLife: 10 * time.Second}, polite(peer.NodeID{66}, v3()))
	flood := func(round int) {
		for i := range 200 {
			s.hostile.send(frame(false, 0, wire.Body{ID: fmt.Sprint(round, "flood", i)}))
		}
		s.run(time.Second)
	}
	s.run(10 * time.Second)
	s.honest.send(frame(false, 0, wire.Body{ID: "starts a generation"}))
	s.run(time.Second)
	flood(1)
	got := s.node.count(peer.EventRequest) - 1
	if got != quota || s.node.count(peer.EventQuota) != 200-quota {
		t.Errorf("%d remembered, %d over the quota", got, s.node.count(peer.EventQuota))
	}
	s.honest.send(frame(false, 0, wire.Body{ID: "has its own quota"}))
	s.run(time.Second)
	if got := s.node.count(peer.EventRequest) - 1; got != quota+1 {
		t.Errorf("the honest peer's request was not taken")
	}
	s.run(10 * time.Second)
	flood(2) // a new generation, a new quota
	if got := s.node.count(peer.EventRequest) - 2; got != 2*quota {
		t.Errorf("%d remembered in two generations, want %d", got, 2*quota)
	}
	s.wantUnharmed(false)
}

func TestAddressesOfOneSourceAreBounded(t *testing.T) {
	s := newSiege(t, peer.Config{Static: true}, polite(peer.NodeID{66}, v3()))
	for i := range 300 {
		var list []actors.Address
		for k := range wire.AddressesMax {
			list = append(list, sim.AddressOf(sim.NodeID(1000+i*wire.AddressesMax+k)))
		}
		s.hostile.send(wire.NewAddresses(list))
		s.run(20 * time.Millisecond)
	}
	// A large book knows its sources from samples only.
	if got := s.node.Store().Book().Len(); got > 3000 {
		t.Errorf("one source filled the book with %d addresses", got)
	}
	s.wantUnharmed(false)
}

func TestRandomBytesNeverHarm(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for round := range 200 {
		var play player
		if round%2 == 0 {
			play = polite(peer.NodeID{66}, v3())
		}
		s := newSiege(t, peer.Config{}, play)
		b := make([]byte, random.IntN(300))
		for i := range b {
			b[i] = byte(random.Uint32())
			if random.IntN(3) == 0 {
				b[i] &= 0x1f // tags and lengths are small
			}
		}
		for len(b) > 0 {
			n := 1 + random.IntN(len(b))
			s.hostile.send(sim.Bytes(b[:n]))
			b = b[n:]
			s.run(15 * time.Millisecond)
		}
		s.run(time.Second)
		s.wantUnharmed(s.hostile.down != nil)
	}
}

// FuzzConn sends arbitrary bytes after the handshake, and instead of it. The
// node must live, and answer another peer.
func FuzzConn(f *testing.F) {
	for _, text := range []string{
		"", "05ffffffffff", "0180", "ffffffffffffff0f00", "00", originalHello + originalAddresses,
		"1c 0a1a0a0413e445a1100022067365617263682a087768617465766572",
		"24 12220a0413e445a110001a0413e445a122067365617263682a086f626a7265706c793000",
	} {
		f.Add([]byte(raw(text)), true)
		f.Add([]byte(raw(text)), false)
	}
	f.Add(append((&wire.Ping{Nonce: 1}).Append(nil), (&wire.Goodbye{Reason: 1}).Append(nil)...), true)
	f.Add(hello("again", peer.NodeID{66}, &wire.Hello{Version: 3, Wanted: 9, Observed: sim.AddressOf(1)}).Append(nil), false)
	f.Add((&wire.AddressRequest{N: 1 << 31}).Append(nil), true)
	f.Fuzz(func(t *testing.T, b []byte, shaken bool) {
		var play player
		if shaken {
			play = polite(peer.NodeID{66}, v3())
		}
		s := newSiege(t, peer.Config{}, play)
		s.hostile.send(sim.Bytes(b))
		s.run(time.Second)
		fresh := s.script.dial(s.node, polite(peer.NodeID{2}, v3()))
		s.run(time.Second)
		fresh.send(&wire.Ping{Nonce: 77})
		s.run(time.Second)
		if count[*wire.Pong](fresh) != 1 || s.honest.down != nil {
			t.Errorf("the node does not answer: %q", fresh.conversation())
		}
	})
}

// One host does not keep all inbound places from others.
func TestInboundPlacesAreSharedOutByHost(t *testing.T) {
	r := newRig(t)
	c := still()
	c.InboundMax = 4
	n := r.node(c)
	greedy, other, third := r.script(nil), r.script(nil), r.script(nil)
	dial := func(s *script, id byte) *end {
		e := s.dial(n, polite(peer.NodeID{id}, v3()))
		r.run(time.Second)
		return e
	}
	var list []*end
	for i := range byte(5) {
		list = append(list, dial(greedy, 10+i))
	}
	if list[3].down != nil || list[4].down == nil || list[4].goodbye() != wire.GoodbyeFull {
		t.Fatal("a full node does not refuse a fifth link of one host")
	}
	for i, e := range []*end{dial(other, 20), dial(third, 30), dial(other, 21)} {
		if refused := e.down != nil; refused != (i == 2) {
			t.Errorf("link %d of another host: refused %v", i, refused)
		}
	}
	for i, e := range list[:4] {
		if gone := e.down != nil; gone != (i >= 2) {
			t.Errorf("link %d of the greedy host: gone %v", i, gone)
		}
	}
	n.wantConnections(4)
}
