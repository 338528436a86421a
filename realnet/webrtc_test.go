//go:build !js

package realnet_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"peernet/actors"
	"peernet/actors/peer"
	"peernet/actors/wire"
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
			if len(link) != 1 || link[0].Transport != "webrtc" || link[0].Remote.Scheme() != "webrtc" || !link[0].Remote.IsLoopback() {
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
				case c.Transport == "webrtc":
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
	for ; full < 25 && time.Now().Before(deadline); count() { // the five find only four others to dial
		time.Sleep(100 * time.Millisecond)
	}
	// Half of the links of each, rounded down, and what crossed.
	if dialled < 100 || negotiated < 100 {
		t.Errorf("%d and %d links, want about half of them each", dialled, negotiated)
	}
	if full < 25 {
		t.Errorf("%d nodes have 10 outbound links, want at least 25", full)
	}
	t.Logf("after %v: %d links over WebSocket, %d by WebRTC; %d of 30 nodes have 10 outbound", time.Since(began).Round(100*time.Millisecond), dialled, negotiated, full)
}

// held is what this process holds.
type held struct{ descriptors, goroutines int }

func holds() (h held) {
	if list, err := os.ReadDir("/proc/self/fd"); err == nil {
		h.descriptors = len(list)
	}
	// This stops the world to count. runtime.NumGoroutine does not, and may count thousands
	// that have ended, while the garbage collector frees their stacks.
	h.goroutines, _ = runtime.GoroutineProfile(make([]runtime.StackRecord, 1))
	return h
}

// settlesTo waits until no more is held than before, but for a few goroutines of
// what pools and timers there are.
func settlesTo(t *testing.T, before held) {
	t.Helper()
	now := holds()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if now = holds(); now.descriptors <= before.descriptors && now.goroutines <= before.goroutines+2 {
			return
		}
	}
	t.Errorf("%+v are held, before there were %+v", now, before)
}

// A version 2 peer sends what should be signals, thousands of them: the node answers
// few, holds little, and has all of it back in the end.
func TestHostileSignals(t *testing.T) {
	c := scaled(10)
	c.RateMax, c.Connections, c.WebRTC = 1<<20, 1, 0
	n := open(t, realnet.Config{Listen: []string{"tcp://127.0.0.1:0"}, Peer: c, WebRTC: overLoopback})
	o := newOriginal(t)
	l := o.connect(n.Servers()[0])
	until(t, "the handshake", func() bool { return o.ups() == 1 })
	until(t, "the connection is in use", func() bool {
		list, err := n.Connections(t.Context())
		return err == nil && len(list) == 1
	})
	signal := wire.Signal{Signal: actors.Signal{
		Pwd: "password+password+password", Mid: "0", Fingerprint: [32]byte{1},
		Candidates: []actors.Candidate{{Host: "127.0.0.1", Port: 9999, Priority: 1}},
	}}
	offer := func(i int) string {
		s := signal
		s.Ufrag = fmt.Sprint("ufrag", i)
		if i%2 == 0 {
			return s.Data()
		}
		return s.JSON()
	}
	send := func(response bool, i int, data string) {
		l.send(v2message{response: response, id: randomText(8), reply: map[bool]string{true: "nothing"}[response], typ: wire.TypeSignal, data: data, hops: 1, limit: 1}.encode())
	}
	send(false, 0, offer(0))
	until(t, "an offer is answered", func() bool { return n.Counts()["webrtc.answered"] == 1 })
	answered := o.heard(func(m v2message) bool { return m.response && m.typ == wire.TypeSignal })
	until(t, "the answer comes", func() bool {
		answered = o.heard(func(m v2message) bool { return m.response && m.typ == wire.TypeSignal })
		return len(answered) == 1
	})
	if s, err := wire.ParseSignal(answered[0].data); err != nil || !s.Answer || !strings.HasPrefix(answered[0].data, "{") {
		t.Errorf("the answer is %q, %v", answered[0].data, err)
	}
	until(t, "the attempt is given up", func() bool { return n.Counts()["webrtc.failed"] > 0 })
	before := holds()
	most := before
	const offers = 10000
	for i := range offers {
		switch i % 5 {
		case 0:
			send(false, i, "hello")
			send(false, i, offer(i)[:50])
		case 1:
			answer := signal
			answer.Answer, answer.Setup, answer.Ufrag = true, actors.SetupActive, "ufrag"
			send(true, i, answer.JSON())
			send(false, i, answer.Data())
		}
		send(false, i, offer(i))
		if i%100 == 0 {
			h := holds()
			most.descriptors, most.goroutines = max(most.descriptors, h.descriptors), max(most.goroutines, h.goroutines)
		}
	}
	until(t, "all is read", func() bool { return n.Counts()["gossip.request"] >= offers*8/5 })
	counts := n.Counts()
	if counts["webrtc.invalid"] == 0 || counts["webrtc.offers_full"] == 0 || counts["webrtc.throttled"] == 0 {
		t.Errorf("counts %v", counts)
	}
	t.Logf("%d offers, %d answered; at most %d descriptors and %d goroutines, before %d and %d", offers,
		counts["webrtc.answered"], most.descriptors, most.goroutines, before.descriptors, before.goroutines)
	if a := counts["webrtc.answered"]; a > 100 {
		t.Errorf("%d offers were answered", a)
	}
	// Four attempts at a time, each with a socket or two for each address.
	if most.descriptors > before.descriptors+40 || most.goroutines > before.goroutines+400 {
		t.Error("that is too much for four attempts")
	}
	settlesTo(t, before)
	if err := n.Publish(t.Context(), realnet.Message{Type: "news", Data: "still here"}); err != nil {
		t.Fatal(err)
	}
	until(t, "the node still speaks", func() bool {
		return len(o.heard(func(m v2message) bool { return m.data == "still here" })) == 1
	})
}

// Two nodes connect by WebRTC and part two hundred times, and nothing is left of it.
func TestConnectRoundsLeaveNothing(t *testing.T) {
	rounds := 200
	if testing.Short() {
		rounds = 40
	}
	const rate = 1 << 20 // of messages, and so of offers
	b := open(t, realnet.Config{Listen: []string{"ws://127.0.0.1:0"}, WebRTC: realnet.WebRTC{Off: true}, Peer: peer.Config{RateMax: rate}})
	c := peer.Config{Connections: 2, WebRTC: 1, RateMax: rate, AnswersMax: 1000, Interval: 20 * time.Millisecond, HelloTimeout: 2 * time.Second} // offers have a rate
	config := realnet.Config{Bootstrap: b.Servers(), WebRTC: overLoopback, Peer: c}
	x := open(t, config)
	config.Peer.WebRTC, config.Peer.Connections = 0, 1 // it answers, and offers nothing
	y := open(t, config)
	var before held
	var heap runtime.MemStats
	var heapBefore uint64
	var times []time.Duration
	var last actors.Address
	for round := range rounds + 10 {
		if round == 10 { // what there is once is there now
			until(t, "a link to compare with", func() bool { return len(linksTo(t, x, y)) == 1 })
			time.Sleep(1500 * time.Millisecond) // for what lingers of the earlier ones
			before = holds()
			runtime.GC()
			runtime.ReadMemStats(&heap)
			heapBefore = heap.HeapInuse
		}
		began := time.Now()
		until(t, "a new link", func() bool {
			list := linksTo(t, x, y)
			fresh := len(list) == 1 && list[0].Remote != last && !list[0].Remote.IsZero()
			if fresh {
				last = list[0].Remote
			}
			return fresh
		})
		times = append(times, time.Since(began))
		if err := x.Disconnect(t.Context(), last.String()); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "a last link", func() bool { return len(linksTo(t, x, y)) == 1 })
	settlesTo(t, before)
	runtime.GC()
	runtime.ReadMemStats(&heap)
	slices.Sort(times)
	t.Logf("%d rounds, median %v; heap %d KiB before, %d after; %+v before, %+v after", rounds, times[len(times)/2].Round(100*time.Microsecond),
		heapBefore>>10, heap.HeapInuse>>10, before, holds())
	if grown := int64(heap.HeapInuse) - int64(heapBefore); grown > 4<<20 {
		t.Errorf("the heap has grown by %d KiB", grown>>10)
	}
}

// BenchmarkLink sends announces from one node to another over one link, by WebRTC and
// over WebSocket, in one process. Each has 1000 bytes, so that the link counts.
func BenchmarkLink(b *testing.B) {
	c := peer.Config{RateMax: 1 << 23, Connections: 2, WebRTC: 1}
	for _, kind := range []string{"ws", "webrtc"} {
		b.Run(kind, func(b *testing.B) {
			node := func(config realnet.Config) *realnet.Node {
				config.Peer, config.WebRTC = c, overLoopback
				config.WebRTC.Off = kind == "ws"
				n, err := realnet.Open(b.Context(), config)
				if err != nil {
					b.Fatal(err)
				}
				b.Cleanup(func() { _ = n.Close(context.Background()) })
				return n
			}
			var got atomic.Int64
			room := make(chan struct{}, 128) // announces that are on their way: fewer than fill a link
			sink := realnet.Config{Listen: []string{"ws://127.0.0.1:0"}, Observe: func(e actors.Event) {
				if f, ok := e.Message.(*wire.Frame); ok && e.Kind == peer.EventRequest && f.Body.Type == "bench" {
					got.Add(1)
					<-room
				}
			}}
			var x, middle *realnet.Node
			if kind == "ws" {
				y := node(sink)
				x = node(realnet.Config{Bootstrap: y.Servers()})
			} else {
				middle = node(realnet.Config{Listen: []string{"ws://127.0.0.1:0"}})
				sink.Bootstrap, sink.Listen = middle.Servers(), nil
				node(sink)
				x = node(realnet.Config{Bootstrap: middle.Servers()})
			}
			// Until there is just the link in question.
			for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
				list, err := x.Connections(b.Context())
				if err != nil || time.Now().After(deadline) {
					b.Fatalf("no link: %v", err)
				}
				if len(list) == 1 && list[0].Transport == kind {
					break
				}
				if len(list) == 2 && kind == "webrtc" {
					_ = middle.Close(b.Context())
				}
			}
			payload := strings.Repeat("x", 1000)
			before := cpu()
			b.ResetTimer()
			for range b.N {
				room <- struct{}{}
				if err := x.Publish(b.Context(), realnet.Message{Type: "bench", Data: payload}); err != nil {
					b.Fatal(err)
				}
			}
			for got.Load() < int64(b.N) {
				time.Sleep(100 * time.Microsecond)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "announces/s")
			b.ReportMetric(float64((cpu()-before).Nanoseconds())/1000/float64(b.N), "cpu-µs/announce")
			b.ReportMetric(0, "ns/op")
		})
	}
}
