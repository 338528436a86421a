package realnet_test

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"peernet/actors/peer"
	"peernet/realnet"
	"peernet/realnet/rtc"
)

// overLoopback is WebRTC between nodes of one machine.
var overLoopback = realnet.WebRTC{Config: rtc.Config{Loopback: true, Interfaces: loopbackInterfaces()}}

func loopbackInterfaces() (names []string) {
	all, _ := net.Interfaces()
	for _, i := range all {
		if i.Flags&net.FlagLoopback != 0 {
			names = append(names, i.Name)
		}
	}
	return names
}

// linksTo returns the connections of a node to another.
func linksTo(t *testing.T, n, other *realnet.Node) (list []realnet.Connection) {
	t.Helper()
	all, err := n.Connections(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if c.ID == other.ID() {
			list = append(list, c)
		}
	}
	return list
}

// answerSearches has a node answer all announces of type search.
func answerSearches(t *testing.T, n *realnet.Node) {
	ctx, cancel := context.WithCancel(context.Background())
	requests := n.Requests(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for r, err := range requests {
			if err == nil && r.Type == "search" {
				id := n.ID()
				_ = r.Reply(ctx, realnet.Message{Type: "search", Data: string(id[:])})
			}
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
}

// hears returns within a few seconds whether an announce is answered by a node.
func hears(t *testing.T, n, other *realnet.Node) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	want := other.ID()
	for r, err := range n.Announce(ctx, realnet.Message{Type: "search"}) {
		if err == nil && r.Data == string(want[:]) {
			return true
		}
	}
	return false
}

// Two nodes that are connected to a third alone, and listen nowhere, find each other
// by WebRTC through it, and keep talking when it is killed. The third may be a
// version 2 peer that only forwards.
func TestTwoMeetThroughAThird(t *testing.T) {
	middles := map[string]func(t *testing.T) (address string, kill func()){
		"ours": func(t *testing.T) (string, func()) {
			b := open(t, realnet.Config{Listen: []string{"ws://127.0.0.1:0"}, WebRTC: realnet.WebRTC{Off: true}})
			return b.Servers()[0], func() { _ = b.Close(t.Context()) }
		},
		"version 2": func(t *testing.T) (string, func()) {
			o := newOriginal(t)
			return o.at, o.stop
		},
	}
	for name, start := range middles {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at, kill := start(t)
			began := time.Now()
			config := realnet.Config{Bootstrap: []string{at}, WebRTC: overLoopback}
			a, c := open(t, config), open(t, config)
			answerSearches(t, c)
			until(t, "a link by WebRTC", func() bool { return len(linksTo(t, a, c)) == 1 })
			t.Logf("connected by WebRTC after %v", time.Since(began).Round(time.Millisecond))
			kill()
			until(t, "the third is gone", func() bool {
				list, err := a.Connections(t.Context())
				return err == nil && len(list) == 1
			})
			link := linksTo(t, a, c)
			if len(link) != 1 || !link[0].WebRTC || link[0].Remote.Scheme() != "webrtc" || !link[0].Remote.IsLoopback() {
				t.Fatalf("links %+v, want one by WebRTC over loopback", link)
			}
			if !hears(t, a, c) {
				t.Error("an announce is not answered over the link that is left")
			}
			if n := len(linksTo(t, c, a)); n != 1 {
				t.Errorf("%d links at the other end, want 1", n)
			}
		})
	}
}

// The original's own test that it never passed: 25 peers without a listening socket
// and 5 with one find each other, half of their outbound links by WebRTC.
func TestBootstrapByWebRTC(t *testing.T) {
	c := peer.Config{Connections: 10, InboundMax: 40}
	var nodes []*realnet.Node
	began := time.Now()
	for i := range 30 {
		config := realnet.Config{Peer: c, WebRTC: overLoopback}
		if i < 5 {
			config.Listen = []string{"ws://127.0.0.1:0"}
		}
		if i > 0 {
			config.Bootstrap = nodes[0].Servers()
		}
		n := open(t, config)
		answerSearches(t, n)
		nodes = append(nodes, n)
	}
	var dialled, negotiated, full int
	count := func() {
		dialled, negotiated, full = 0, 0, 0
		for _, n := range nodes {
			list, err := n.Connections(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			out := 0
			for _, c := range list {
				switch {
				case !c.Outbound:
					continue
				case c.WebRTC:
					negotiated++
				default:
					dialled++
				}
				out++
			}
			if out >= 10 {
				full++
			}
		}
	}
	deadline := time.Now().Add(time.Minute)
	for count(); (dialled < 50 || negotiated < 50) && time.Now().Before(deadline); count() {
		time.Sleep(100 * time.Millisecond)
	}
	t.Logf("after %v: %d links over WebSocket, %d by WebRTC; %d of 30 nodes have 10 outbound", time.Since(began).Round(100*time.Millisecond), dialled, negotiated, full)
	if dialled < 50 || negotiated < 50 {
		t.Fatal("want at least 50 of each")
	}
	// One announce reaches 19 of 20 nodes, as it is passed on to three others.
	missing := map[peer.NodeID]bool{}
	for _, n := range nodes[1:] {
		missing[n.ID()] = true
	}
	for i := 0; len(missing) > 0 && time.Now().Before(deadline); i++ {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		for r, err := range nodes[0].Announce(ctx, realnet.Message{Type: "search", Data: fmt.Sprint(i)}) {
			if err == nil && len(r.Data) == len(peer.NodeID{}) {
				delete(missing, peer.NodeID([]byte(r.Data)))
			}
			if len(missing) == 0 {
				break
			}
		}
		cancel()
	}
	if len(missing) > 0 {
		t.Errorf("%d peers never answered an announce", len(missing))
	}
	for ; full < 25 && time.Now().Before(deadline); count() {
		time.Sleep(100 * time.Millisecond)
	}
	t.Logf("after %v: %d links over WebSocket, %d by WebRTC; %d of 30 nodes have 10 outbound", time.Since(began).Round(100*time.Millisecond), dialled, negotiated, full)
}
