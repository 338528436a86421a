//go:build !js

package realnet_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"peernet/actors/peer"
	"peernet/realnet"
)

// until waits until something holds, up to 20 s.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 20 s", what)
		}
	}
}

// quiet is a configuration of nodes that dial nobody by themselves for long.
func quiet() peer.Config {
	return peer.Config{Interval: time.Hour, Refresh: time.Hour, Purge: time.Hour}
}

func knows(t *testing.T, n *realnet.Node, address string) bool {
	t.Helper()
	_, known, err := n.Stats(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	return known
}

// A version 2 peer connects, as the one who dials and as the one who listens, over
// TCP and WebSocket; addresses go both ways; each hello is answered under a fresh id.
func TestOriginalHandshakeAndAddresses(t *testing.T) {
	for _, scheme := range []string{"tcp", "ws"} {
		t.Run(scheme, func(t *testing.T) {
			n := open(t, realnet.Config{Listen: []string{scheme + "://127.0.0.1:0"}, Peer: quiet()})
			const ours, theirs = "ws://127.0.0.1:3", "tcp://127.0.0.1:4"
			if err := n.Save(t.Context(), ours); err != nil {
				t.Fatal(err)
			}
			answers := map[string]bool{}
			o := newOriginal(t, theirs)
			for round := range 2 { // the second is a reconnection
				l := o.connect(n.Servers()[0])
				until(t, "the handshake", func() bool { return o.ups() == 1 })
				id := n.ID()
				if l.node != string(id[:]) {
					t.Errorf("the hello is answered with %x, want %x", l.node, id)
				}
				until(t, "the node learns from the peer", func() bool { return knows(t, n, theirs) })
				until(t, "the peer learns from the node", func() bool {
					o.mu.Lock()
					defer o.mu.Unlock()
					return o.known[ours]
				})
				until(t, "the connection is counted", func() bool {
					list, err := n.Connections(t.Context())
					return err == nil && len(list) > 0 && list[len(list)-1].Version == 2
				})
				o.mu.Lock()
				for _, id := range l.ids {
					if answers[id] {
						t.Errorf("round %d: id %x was used before", round, id)
					}
					answers[id] = true
				}
				o.mu.Unlock()
				until(t, "an announce reaches the peer", func() bool {
					data := fmt.Sprint("round ", round)
					if err := n.Publish(t.Context(), realnet.Message{Type: "news", Data: data}); err != nil {
						t.Fatal(err)
					}
					return len(o.heard(func(m v2message) bool { return m.data == data })) > 0
				})
				_ = l.Close()
				until(t, "the connection is given up", func() bool {
					list, err := n.Connections(t.Context())
					return err == nil && len(list) == 0
				})
			}
		})
	}
	t.Run("listening", func(t *testing.T) {
		n, o := open(t, realnet.Config{Peer: quiet()}), newOriginal(t, "tcp://127.0.0.1:4")
		if err := n.Connect(t.Context(), o.at); err != nil {
			t.Fatal(err)
		}
		until(t, "the handshake", func() bool { return o.ups() == 1 })
		until(t, "the node learns from the peer", func() bool { return knows(t, n, "tcp://127.0.0.1:4") })
		list, err := n.Connections(t.Context())
		if err != nil || len(list) != 1 || hex.EncodeToString(list[0].ID[:]) != hex.EncodeToString([]byte(o.id)) {
			t.Errorf("connections %+v, %v", list, err)
		}
	})
}

// line connects nodes of ours in a line, and returns them.
func line(t *testing.T, count int) []*realnet.Node {
	t.Helper()
	var nodes []*realnet.Node
	for i := range count {
		n := open(t, realnet.Config{Listen: []string{"tcp://127.0.0.1:0"}, Peer: fast()})
		if i > 0 {
			if err := n.Connect(t.Context(), nodes[i-1].Servers()[0]); err != nil {
				t.Fatal(err)
			}
		}
		nodes = append(nodes, n)
	}
	return nodes
}

// A request of a version 2 peer travels along a line of five to another, with the
// hops and the limit that the original would write, and the answer comes back.
func TestOriginalsAtTheEndsOfALineOfFive(t *testing.T) {
	nodes := line(t, 3)
	asks, answers := newOriginal(t), newOriginal(t)
	asks.connect(nodes[0].Servers()[0])
	answers.connect(nodes[2].Servers()[0])
	until(t, "both are connected", func() bool {
		last, err := nodes[2].Connections(t.Context())
		return asks.ups() == 1 && answers.ups() == 1 && err == nil && len(last) == 2
	})
	var id string
	fits := func(m v2message) bool { return m.id == id && !m.response }
	until(t, "the request arrives", func() bool { // the first nodes may not have it in use yet
		if id == "" || len(answers.heard(fits)) == 0 {
			id = asks.announce("search", "q")
			time.Sleep(20 * time.Millisecond)
		}
		return len(answers.heard(fits)) == 1
	})
	if m := answers.heard(fits)[0]; m.hops != 3 || m.limit != 0 || m.typ != "search" || m.data != "q" {
		t.Errorf("the request arrives as %+v", m)
	}
	answers.reply(id, "found")
	var back []v2message
	until(t, "the answer arrives", func() bool {
		back = asks.heard(func(m v2message) bool { return m.response && m.reply == id })
		return len(back) > 0
	})
	if m := back[0]; len(back) != 1 || m.data != "found" || m.hops != 3 {
		t.Errorf("the answer arrives as %+v", back)
	}
}

// An announce of a version 2 peer reaches a third node of ours through us, and the
// node's answer the peer.
func TestOriginalAsksThroughUs(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	nodes := line(t, 2)
	requests := nodes[1].Requests(ctx)
	go func() {
		for r, err := range requests {
			if err != nil {
				return
			}
			_ = r.Reply(ctx, realnet.Message{Type: r.Type, Data: fmt.Sprintf("%s after %d", r.Data, r.Hops)})
		}
	}()
	o := newOriginal(t)
	o.connect(nodes[0].Servers()[0])
	until(t, "the handshake", func() bool { return o.ups() == 1 })
	until(t, "the answer arrives", func() bool {
		id := o.announce("search", "x")
		time.Sleep(20 * time.Millisecond)
		got := o.heard(func(m v2message) bool { return m.response && m.reply == id })
		return len(got) == 1 && got[0].data == "x after 2" && got[0].hops == 1
	})
}

// A request is passed on to three of the others, no more.
func TestThreeOfManyOriginals(t *testing.T) {
	n := open(t, realnet.Config{Listen: []string{"tcp://127.0.0.1:0"}, Peer: quiet()})
	var all []*original
	for range 10 {
		o := newOriginal(t)
		o.connect(n.Servers()[0])
		all = append(all, o)
	}
	until(t, "all are connected", func() bool {
		list, err := n.Connections(t.Context())
		return err == nil && len(list) == len(all)
	})
	const announces = 20
	for range announces {
		all[0].announce("search", "x")
	}
	count := func() (total int) {
		for i, o := range all {
			got := o.heard(func(m v2message) bool { return m.typ == "search" && m.hops == 1 })
			if total += len(got); i == 0 && len(got) > 0 {
				t.Error("a request comes back to where it came from")
			}
		}
		return total
	}
	until(t, "all are passed on", func() bool { return count() >= 3*announces })
	time.Sleep(50 * time.Millisecond) // for what should not come
	if n := count(); n != 3*announces {
		t.Errorf("%d announces were passed on %d times, want three each", announces, n)
	}
}

// Too much in a message does no harm to the connection; nonsense ends it, and no
// other.
func TestOversizeAndMalformedOfOriginals(t *testing.T) {
	n := open(t, realnet.Config{Listen: []string{"tcp://127.0.0.1:0"}, Peer: quiet(), WebRTC: realnet.WebRTC{Off: true}})
	good, bad := newOriginal(t), newOriginal(t)
	other := good.connect(n.Servers()[0])
	l := bad.connect(n.Servers()[0])
	until(t, "both are connected", func() bool {
		list, err := n.Connections(t.Context())
		return err == nil && len(list) == 2
	})
	for _, m := range []v2message{
		{id: strings.Repeat("i", 65), typ: "search", data: "oversize"}, {id: "abcd", typ: strings.Repeat("t", 65), data: "oversize"},
		{id: "abce", typ: "search", data: strings.Repeat("d", 1025)},
	} {
		l.send(m.encode())
	}
	bad.announce("search", "of good size")
	until(t, "what comes after it arrives", func() bool {
		return len(good.heard(func(m v2message) bool { return m.data == "of good size" })) == 1
	})
	if got := good.heard(func(m v2message) bool { return m.data != "of good size" }); len(got) != 0 {
		t.Errorf("passed on: %+v", got)
	}
	if n.Counts()["conn.invalid"] != 3 {
		t.Errorf("%d messages were counted as invalid, want 3", n.Counts()["conn.invalid"])
	}
	l.send([]byte{0x05, 0xff, 0xff, 0xff, 0xff, 0xff})
	// That link: the node may open another one at once.
	until(t, "nonsense ends the connection", l.ended)
	if other.ended() || n.Counts()["conn.malformed"] != 1 {
		t.Errorf("the other connection has ended: %v, malformed: %d", other.ended(), n.Counts()["conn.malformed"])
	}
}

// In a network of both, all books come to hold all addresses.
func TestMixedNetwork(t *testing.T) {
	t.Parallel()
	const each = 10
	var originals []*original
	var nodes []*realnet.Node
	var all []string
	for i := range each {
		c := realnet.Config{Peer: scaled(50), Listen: []string{"tcp://127.0.0.1:0"}}
		var known []string
		if i > 0 {
			known = []string{all[0]}
			c.Bootstrap = known
		}
		n := open(t, c)
		nodes = append(nodes, n)
		all = append(all, n.Servers()[0])
		o := newOriginal(t, all[0])
		originals = append(originals, o)
		all = append(all, o.at)
	}
	missing := func() string {
		for i, o := range originals {
			o.mu.Lock()
			count := 0
			for _, a := range all {
				if o.known[a] {
					count++
				}
			}
			o.mu.Unlock()
			if count < len(all) {
				return fmt.Sprintf("original %d was told %d of %d addresses", i, count, len(all))
			}
		}
		for i, n := range nodes {
			for _, a := range all {
				if a != n.Servers()[0] && !knows(t, n, a) {
					return fmt.Sprintf("node %d does not know %s", i, a)
				}
			}
		}
		return ""
	}
	deadline := time.Now().Add(60 * time.Second)
	for what := missing(); what != ""; what = missing() {
		if time.Now().After(deadline) {
			t.Fatal(what)
		}
		for _, o := range originals {
			o.askAgain()
		}
		time.Sleep(20 * time.Millisecond)
	}
}
