package peer_test

import (
	"bytes"
	"encoding/hex"
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

// The bytes that the original sends, from a capture: its hello, its address
// request, and its answer to a hello up to the id of our request.
const (
	originalHello     = "26 0a240a04b2f94c06100022065f68656c6c6f2a10ff61921f88869b1c9fa18f15c4298fdd3001"
	originalAddresses = "21 0a1f0a04afe9eff9100022065f61646472732a0b7b2273697a65223a31307d3001"
	originalID        = "ff61921f88869b1c9fa18f15c4298fdd"
)

// original plays a version 2 peer with the captured bytes.
func original(e *end, m actors.Message) {
	switch m := m.(type) {
	case nil:
		e.put(raw(originalHello + originalAddresses))
	case *wire.Frame:
		if !m.Response && m.Body.Type == wire.TypeHello {
			// 12280a04 id 1000 1a04 reply 2206 _hello 2a10 data, with our longer id as reply.
			e.put(raw(fmt.Sprintf("2e 122c 0a04da57193c 1000 1a08%x 22065f68656c6c6f 2a10%s", m.Body.ID, originalID)))
		}
	}
}

func TestOriginalConnectsAsDiallerAndAsListener(t *testing.T) {
	for _, dials := range []bool{true, false} {
		r := newRig(t)
		n := r.node(peer.Config{Interval: time.Hour, Exchange: 6}, 200, 201)
		s := r.script(original)
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
		c := n.wantConnections(1)[0]
		if c.Version != 2 || hex.EncodeToString(c.ID[:]) != originalID || c.Outbound == dials {
			t.Errorf("dials=%v: %+v", dials, c)
		}

		hellos := e.frames(wire.TypeHello)
		answer := hellos[slices.IndexFunc(hellos, func(f *wire.Frame) bool { return f.Response })]
		if answer.Body.Reply != "\xb2\xf9\x4c\x06" || answer.Body.Data != string(n.ID[:]) || answer.Hops != 0 {
			t.Errorf("hello answered by %s to %x", describe(answer), answer.Body.Reply)
		}
		var told, asked []string
		for _, f := range e.frames(wire.TypeAddresses) {
			if !f.Response {
				asked = append(asked, f.Body.Data)
				continue
			}
			if f.Body.Reply != "\xaf\xe9\xef\xf9" || f.Body.Limit != 1 || f.Hops != 0 {
				t.Errorf("address in %+v", f.Body)
			}
			told = append(told, f.Body.Data)
		}
		slices.Sort(told)
		if want := []string{"ws://10.0.0.200:4000", "ws://10.0.0.201:4000"}; !slices.Equal(told, want) {
			t.Errorf("dials=%v: told %q, want %q, one in a message", dials, told, want)
		}
		if !slices.Equal(asked, []string{`{"size":6}`}) {
			t.Errorf("asked for addresses by %q", asked)
		}
		if count[*wire.Addresses](e)+count[*wire.AddressRequest](e)+count[*wire.Ping](e) != 0 {
			t.Errorf("version 3 messages to a version 2 peer: %q", e.conversation())
		}
	}
}

func TestHelloAnswerHasAFreshIDOnEveryConnect(t *testing.T) {
	r := newRig(t)
	n := r.node(peer.Config{})
	s := r.script(nil)
	ids := map[string]bool{}
	for range 3 {
		e := s.dial(n, original)
		r.run(time.Second)
		for _, f := range e.frames(wire.TypeHello) {
			if f.Response {
				ids[f.Body.ID] = true
			}
		}
		e.script.rig.sim.Send(s.at, &command{func(actors.Context) { e.link.Close() }})
		r.run(time.Second)
	}
	if len(ids) != 3 {
		t.Errorf("3 connects gave %d different ids of the hello response", len(ids))
	}
}

func TestVersion3PeersAreNotSentVersion2AddressRequests(t *testing.T) {
	r := newRig(t)
	n := r.node(peer.Config{})
	e := r.script(nil).dial(n, polite(peer.NodeID{1}, v3()))
	r.run(20 * time.Second)
	if got := e.frames(wire.TypeAddresses); len(got) != 0 {
		t.Errorf("_addrs to a version 3 peer: %q", e.conversation())
	}
	if count[*wire.AddressRequest](e) == 0 {
		t.Error("no address request of version 3 either")
	}
}

// The three address responses of the capture, one of them to another request.
func TestOriginalsAddressesAreLearned(t *testing.T) {
	r := newRig(t)
	n := r.node(peer.Config{Interval: time.Hour})
	e := r.script(nil).dial(n, original)
	r.run(time.Second)
	i := slices.IndexFunc(e.got, func(m actors.Message) bool {
		f, ok := m.(*wire.Frame)
		return ok && f.Body.Type == wire.TypeAddresses && !f.Response
	})
	asked := e.got[i].(*wire.Frame).Body.ID
	tell := func(address string) string {
		return string(frame(true, 0, wire.Body{ID: address[len(address)-8:], Reply: asked, Type: wire.TypeAddresses, Data: address, Limit: 1}).Append(nil))
	}
	e.send(sim.Bytes(tell("ws://10.0.0.1:1111") + tell("tcp://10.0.0.4:4444") + tell("ws://10.0.0.1:1111") + tell("ws:foo:bar")))
	e.sendHex("2f 122d0a045eb560de10001a04bf074ef722065f61646472732a137463703a2f2f31302e302e302e353a353535353001")
	r.run(time.Second)
	for text, want := range map[string]bool{"ws://10.0.0.1:1111": true, "tcp://10.0.0.4:4444": true, "tcp://10.0.0.5:5555": false} {
		if _, ok := n.entry(actors.MustAddress(text)); ok != want {
			t.Errorf("%s known: %v, want %v", text, ok, want)
		}
	}
	n.wantCount(peer.EventInvalid, 2) // no address, and not asked for
	n.wantConnections(1)
}

func TestAddressRequestsOfVersion2AreBounded(t *testing.T) {
	for _, c := range []struct {
		data string
		want int
	}{
		{`{"size":3}`, 3},
		{`{"limit":3}`, 3},
		{`{"limit":1e300}`, wire.AddressesMax},
		{`{"size":99999999999999999999}`, wire.AddressesMax},
		{`{"size":-5}`, 10},
		{`{"size":0.5}`, 10},
		{`{"size":"many"}`, 10},
		{`{"size":`, 10},
		{`[]`, 10},
		{``, 10},
		{"\xff\x00", 10},
	} {
		known := []sim.NodeID{}
		for i := range sim.NodeID(100) {
			known = append(known, 1000+i)
		}
		r := newRig(t)
		n := r.node(still(), known...)
		e := r.script(nil).dial(n, polite(peer.NodeID{1}, nil))
		r.run(time.Second)
		e.forget()
		e.send(frame(false, 0, wire.Body{ID: "asking", Type: wire.TypeAddresses, Data: c.data, Limit: 1}))
		r.run(time.Second)
		if len(e.got) != c.want {
			t.Errorf("%q: %d addresses, want %d", c.data, len(e.got), c.want)
		}
		n.wantConnections(1)
	}
}

// An address request is answered in the way it was asked, also before the hello.
func TestAddressRequestBeforeTheHelloIsAnswered(t *testing.T) {
	r := newRig(t)
	n := r.node(still(), 200)
	e := r.script(nil).dial(n, nil)
	r.run(time.Second)
	e.forget()
	e.sendHex(originalAddresses)
	r.run(time.Second)
	if got := e.frames(wire.TypeAddresses); len(got) != 1 || got[0].Body.Data != "ws://10.0.0.200:4000" {
		t.Errorf("answered by %q", e.conversation())
	}
}

// bridge is a node between two peers of version 2.
func bridge(t *testing.T) (r *rig, n *testNode, left, right *end) {
	r = newRig(t)
	n = r.node(peer.Config{Interval: time.Hour})
	s := r.script(nil)
	left = s.dial(n, polite(peer.NodeID{1}, nil))
	right = s.dial(n, polite(peer.NodeID{2}, nil))
	r.run(time.Second)
	n.wantConnections(2)
	left.forget()
	right.forget()
	return r, n, left, right
}

func encode(list []actors.Message) string {
	var b []byte
	for _, m := range list {
		b = m.Append(b)
	}
	return hex.EncodeToString(b)
}

func TestForwardedRequestHasAnotherHopAndItsLimitPresent(t *testing.T) {
	r, _, left, right := bridge(t)
	left.sendHex("15 0a130a04aaaaaa01100022067365617263682a0171")
	r.run(time.Second)
	if got, want := encode(right.got), "170a150a04aaaaaa01100122067365617263682a01713000"; got != want {
		t.Errorf("forwarded as %s, want %s", got, want)
	}
	if len(left.got) != 0 {
		t.Errorf("sent back %q", left.conversation())
	}
}

// The capture's announce and its reply. The reply has an id of its own here: the
// original's default, the id of the request, is accepted as well.
func TestRequestGoesThroughAndTheResponseComesBack(t *testing.T) {
	for _, reply := range []string{
		"24 12220a0413e445a110001a0413e445a122067365617263682a086f626a7265706c793000",
		"24 12220a040badcafe10001a0413e445a122067365617263682a086f626a7265706c793005",
	} {
		r, n, left, right := bridge(t)
		left.sendHex("1c 0a1a0a0413e445a1100022067365617263682a087768617465766572")
		r.run(time.Second)
		if got, want := encode(right.got), "1e0a1c0a0413e445a1100122067365617263682a0877686174657665723000"; got != want {
			t.Errorf("forwarded as %s, want %s", got, want)
		}
		right.sendHex(reply)
		r.run(time.Second)
		want := strings.Replace(strings.ReplaceAll(reply, " ", ""), "10001a", "10011a", 1)
		if got := encode(left.got); got != want {
			t.Errorf("response came as %s, want %s", got, want)
		}
		n.wantConnections(2)
	}
}

// reply('strreply') of the original names no request.
func TestResponseToNothingIsDroppedAndCounted(t *testing.T) {
	r, n, left, right := bridge(t)
	right.sendHex("1e 121c0a04b1b2b3b4100022067365617263682a087374727265706c793000")
	r.run(time.Second)
	n.wantCount(peer.EventNoRoute, 1)
	if len(left.got)+len(right.got) != 0 {
		t.Errorf("sent %q and %q", left.conversation(), right.conversation())
	}
}

func TestRequestIsAcceptedAtTheHopLimitAndNotBeyond(t *testing.T) {
	for _, c := range []struct {
		hops, limit       uint32
		accepted, forward bool
	}{
		{14, 0, true, true}, {15, 0, true, false}, {16, 0, false, false}, {1 << 31, 0, false, false},
		{2, 3, true, true}, {3, 3, true, false}, {4, 3, false, false},
		{15, 100, true, false}, {16, 100, false, false},
	} {
		r, n, left, right := bridge(t)
		left.send(frame(false, c.hops, wire.Body{ID: "request", Type: "search", Limit: c.limit}))
		r.run(time.Second)
		accepted, forwarded := n.count(peer.EventRequest) == 1, len(right.got) == 1
		if accepted != c.accepted || forwarded != c.forward {
			t.Errorf("hops %d, limit %d: accepted %v, forwarded %v", c.hops, c.limit, accepted, forwarded)
		}
		if dropped := n.count(peer.EventHopsExceeded) == 1; dropped == c.accepted {
			t.Errorf("hops %d, limit %d: counted as dropped: %v", c.hops, c.limit, dropped)
		}
	}
}

func TestHelloAndAddressRequestFromAfarAreIgnoredAndNeverForwarded(t *testing.T) {
	r, n, left, right := bridge(t)
	far := peer.NodeID{9}
	for hops := range uint32(3) {
		if hops > 0 {
			left.send(
				frame(false, hops, wire.Body{ID: "hh", Type: wire.TypeHello, Data: string(far[:])}),
				frame(true, hops, wire.Body{ID: "rr", Type: wire.TypeHello, Data: string(far[:])}),
				frame(false, hops, wire.Body{ID: "aa", Type: wire.TypeAddresses, Data: `{"size":3}`}),
			)
		}
	}
	r.run(time.Second)
	if len(left.got)+len(right.got) != 0 {
		t.Errorf("sent %q and %q", left.conversation(), right.conversation())
	}
	n.wantCount(peer.EventInvalid, 6)
	// At hops 0 they are for the neighbour, and go no further either.
	left.sendHex(originalAddresses)
	left.send(frame(false, 0, wire.Body{ID: "hh", Type: wire.TypeHello, Data: string(bytes.Repeat([]byte{1}, 1)) + string(make([]byte, 15))}))
	r.run(time.Second)
	if len(right.got) != 0 {
		t.Errorf("forwarded %q", right.conversation())
	}
	n.wantConnections(2)
}

func TestVersion2PeersAreSentNothingBeyondTheirHopLimit(t *testing.T) {
	r := newRig(t)
	n := r.node(peer.Config{HopsMax: 40})
	s := r.script(nil)
	from := s.dial(n, polite(peer.NodeID{1}, v3()))
	old := s.dial(n, polite(peer.NodeID{2}, nil))
	young := s.dial(n, polite(peer.NodeID{3}, v3()))
	r.run(time.Second)
	from.send(frame(false, 15, wire.Body{ID: "fifteen", Type: "x"}), frame(false, 14, wire.Body{ID: "fourteen", Type: "x"}))
	r.run(time.Second)
	if a, b := len(old.frames("x")), len(young.frames("x")); a != 1 || b != 2 {
		t.Errorf("version 2 got %d and version 3 got %d of the requests to be sent at hops 15 and 16, want 1 and 2", a, b)
	}
}
