//go:build !js

package realnet_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"peernet/actors"
	"peernet/actors/peer"
	"peernet/actors/wire"
	"peernet/realnet"
)

// dialRaw opens a stream to a node without saying anything.
func dialRaw(t testing.TB, at string) net.Conn {
	t.Helper()
	if hostport, ok := strings.CutPrefix(at, "tcp://"); ok {
		c, err := net.Dial("tcp", hostport)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c, _, err := websocket.Dial(ctx, at, nil)
	if err != nil {
		t.Fatal(err)
	}
	return websocket.NetConn(context.Background(), c, websocket.MessageBinary)
}

// hostileStreams are the ways in which the original is known to die, and some more.
func hostileStreams() (list [][]byte) {
	for _, s := range []string{
		"05ffffffffff", "0180", "ffffffffffffff0f00", "ffffffffffffffffffff01", "00000000", "",
		"040a02100a",     // no id
		"060a040a02abcd", // no hops
		"030a01ff", "ff7f", "8080808000",
		"47455420", // the start of an HTTP request
	} {
		b, err := hex.DecodeString(s)
		if err != nil {
			panic(err)
		}
		list = append(list, b)
	}
	greet := v2message{id: "abcd", typ: "_hello", data: "0123456789abcdef", limit: 1}.encode()
	for _, m := range []v2message{
		{id: "sign", typ: "signal.webrtc", data: "not json", limit: -1},
		{id: "sig2", typ: "signal.webrtc", data: `{"type":"answer","sdp":"x"}`, limit: -1},
		{response: true, id: "addr", reply: "nope", typ: "_addrs", data: "foo:bar", limit: 1},
		{response: true, id: "stor", reply: "nope", typ: "search", data: "x", limit: 0},
		{id: "abcd", typ: "_hello", data: "too short", limit: 1},
		{id: "abcd", typ: "_addrs", data: `{"limit":1e300}`, limit: 1},
		{id: "far", hops: 1 << 31, typ: "search", data: "x", limit: -1},
	} {
		list = append(list, append(append([]byte(nil), greet...), m.encode()...))
	}
	return list
}

// fuzzed returns a stream that begins well and goes wrong somewhere.
func fuzzed(r *rand.Rand) []byte {
	b := wire.NewHello(wire.Body{ID: "12345678", Type: wire.TypeHello, Data: randomText(16), Limit: 1}, wire.Hello{
		Version: wire.Version, Wanted: 10, Advertised: []actors.Address{actors.MustAddress(fmt.Sprintf("ws://127.0.0.1:%d", 1+r.IntN(60000)))},
	}).Append(nil)
	for range r.IntN(20) {
		switch r.IntN(6) {
		case 0:
			b = wire.NewAddresses([]actors.Address{actors.MustAddress(fmt.Sprintf("tcp://127.0.0.1:%d", 1+r.IntN(60000)))}).Append(b)
		case 1:
			b = (&wire.AddressRequest{N: r.Uint32()}).Append(b)
		case 2:
			b = (&wire.Ping{Nonce: r.Uint64()}).Append(b)
		case 3:
			b = (&wire.Goodbye{Reason: wire.GoodbyeReason(r.Uint32())}).Append(b)
		case 4:
			b = append(b, v2message{id: randomText(r.IntN(80)), typ: randomText(r.IntN(80)), data: randomText(r.IntN(1200)), limit: -1}.encode()...)
		default:
			b = append(b, v2message{response: true, id: randomText(8), reply: randomText(8), typ: "x", limit: r.IntN(99)}.encode()...)
		}
	}
	for range r.IntN(4) {
		b[r.IntN(len(b))] = byte(r.Uint32())
	}
	return b[:r.IntN(len(b)+1)]
}

// A node that is sent nonsense serves its other peers as before, and its memory
// stays flat.
func TestHostileStreams(t *testing.T) {
	const perRound = 60
	rounds := 20
	if *soak {
		rounds = 500
	}
	for _, scheme := range []string{"tcp", "ws"} {
		t.Run(scheme, func(t *testing.T) {
			c := scaled(100)
			c.Static, c.RouteLife, c.Book.Entries = scheme == "ws", time.Second, 100
			n := open(t, realnet.Config{Listen: []string{scheme + "://127.0.0.1:0"}, Peer: c})
			asks, answers := open(t, realnet.Config{Peer: quiet()}), open(t, realnet.Config{Peer: quiet()})
			go answerAll(t.Context(), answers)
			for _, x := range []*realnet.Node{asks, answers} {
				if err := x.Connect(t.Context(), n.Servers()[0]); err != nil {
					t.Fatal(err)
				}
			}
			attack := func(rounds int) {
				r := rand.New(rand.NewPCG(1, 2))
				for range rounds {
					var group sync.WaitGroup
					streams := hostileStreams()
					for len(streams) < perRound {
						streams = append(streams, fuzzed(r))
					}
					for _, b := range streams {
						greet, leave := r.IntN(2) == 0, r.IntN(2) == 0
						group.Go(func() { throw(t, n.Servers()[0], b, greet, leave) })
					}
					group.Wait()
				}
			}
			attack(20)
			realnet.Warm(n)
			before := liveHeap()
			attack(rounds / 10)
			mustAnswer(t, asks)
			attack(rounds - rounds/10)
			mustAnswer(t, asks)
			until(t, "the hostile are gone", func() bool {
				list, err := n.Connections(t.Context())
				strangers := 0
				for _, c := range list {
					if c.ID != asks.ID() && c.ID != answers.ID() {
						strangers++
					}
				}
				return err == nil && strangers == 0
			})
			// What is remembered for the length of RouteLife goes too.
			var after uint64
			until(t, "memory is flat", func() bool {
				mustAnswer(t, asks)
				after = liveHeap()
				return after < before+1<<20
			})
			counts := n.Counts()
			if counts["conn.malformed"] == 0 || counts["conn.invalid"] == 0 || counts["peer.up"] < 50 || counts["gossip.request"] < 5 {
				t.Errorf("nothing was counted: %v", counts)
			}
			t.Logf("%d streams; heap %d KiB before, %d after; %d malformed, %d invalid", rounds*perRound, before>>10, after>>10,
				counts["conn.malformed"], counts["conn.invalid"])
		})
	}
}

// throw sends bytes to a node, behind a handshake if greet is set, and reads what it says until it ends the connection,
// or for a while.
func throw(t *testing.T, at string, b []byte, greet, leave bool) {
	c := dialRaw(t, at)
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(300 * time.Millisecond))
	if greet {
		_ = shakeHands(c) // it may have been busy, or full
	}
	_, _ = c.Write(b)
	if !leave {
		_, _ = io.Copy(io.Discard, c)
	}
}

func liveHeap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func answerAll(ctx context.Context, n *realnet.Node) {
	for r, err := range n.Requests(ctx) {
		if err != nil {
			return
		}
		if r.Type == "alive" {
			_ = r.Reply(ctx, realnet.Message{Type: "alive", Data: r.Data})
		}
	}
}

// mustAnswer fails unless a search over the node is answered.
func mustAnswer(t *testing.T, asks *realnet.Node) {
	t.Helper()
	for range 20 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		for _, err := range asks.Announce(ctx, realnet.Message{Type: "alive", Data: "?"}) {
			cancel()
			if err != nil {
				t.Fatal(err)
			}
			return
		}
		cancel()
	}
	t.Fatal("a search over the node is not answered any more")
}

// A thousand clients that connect and say nothing are hung up on, whatever they
// have not said, while others are served.
func TestSilentClientsAreTimedOut(t *testing.T) {
	t.Parallel()
	const count = 1000
	c := peer.Config{Static: true, HelloTimeout: time.Second, HandshakesMax: 2 * count}
	for name, silent := range map[string]func(at string) net.Conn{
		"tcp": func(at string) net.Conn { return dialRaw(t, at) },
		"ws":  func(at string) net.Conn { return dialRaw(t, at) },
		"ws without an upgrade": func(at string) net.Conn {
			return dialRaw(t, "tcp"+strings.TrimPrefix(at, "ws"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			scheme, _, _ := strings.Cut(name, " ")
			n := open(t, realnet.Config{Listen: []string{scheme + "://127.0.0.1:0"}, Peer: c})
			asks, answers := open(t, realnet.Config{Peer: quiet()}), open(t, realnet.Config{Peer: quiet()})
			go answerAll(t.Context(), answers)
			for _, x := range []*realnet.Node{asks, answers} {
				if err := x.Connect(t.Context(), n.Servers()[0]); err != nil {
					t.Fatal(err)
				}
			}
			began := time.Now()
			var group sync.WaitGroup
			for range count {
				conn := silent(n.Servers()[0])
				group.Go(func() {
					defer conn.Close()
					_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
					if _, err := io.Copy(io.Discard, conn); errors.Is(err, context.DeadlineExceeded) || isTimeout(err) {
						t.Error("a silent client was not hung up on within 20 s")
					}
				})
			}
			mustAnswer(t, asks)
			group.Wait()
			t.Logf("%d clients were hung up on within %v", count, time.Since(began).Round(time.Millisecond))
			mustAnswer(t, asks)
		})
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
