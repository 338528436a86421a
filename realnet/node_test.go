//go:build !js

package realnet_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"peernet/actors"
	"peernet/actors/peer"
	"peernet/realnet"
)

// TestMain fails if anything of the package still runs when all is closed.
func TestMain(m *testing.M) {
	if runChild() {
		return
	}
	flag.Parse()
	if err := flag.Set("test.parallel", "16"); err != nil { // of what waits, most of the time
		panic(err)
	}
	code := m.Run()
	deadline := time.Now().Add(5 * time.Second)
	for {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		ours := func(part string) bool { return strings.Contains(string(stacks), part) }
		if !slices.ContainsFunc([]string{"peernet/realnet.(", "coder/websocket.", "net/http.(*persistConn)", "pebble/"}, ours) {
			break
		}
		if time.Now().After(deadline) {
			fmt.Printf("goroutines are left:\n%s\n", stacks)
			code = 1
			break
		}
		runtime.Gosched()
	}
	os.Exit(code)
}

// freeAddress returns an address on loopback that nobody listens on.
func freeAddress(t *testing.T, scheme string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return scheme + "://" + l.Addr().String()
}

func open(t *testing.T, c realnet.Config) *realnet.Node {
	t.Helper()
	n, err := realnet.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := n.Close(ctx); err != nil {
			t.Errorf("Close: %v", err)
		}
		if err := n.Wait(); err != nil {
			t.Errorf("the node ended: %v", err)
		}
	})
	return n
}

// An announce travels over a node in the middle to a node that answers, and the
// answer back, over each transport.
func TestAnnounceIsAnsweredOverTwoLinks(t *testing.T) {
	for _, scheme := range []string{"tcp", "ws"} {
		t.Run(scheme, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			at := freeAddress(t, scheme)
			open(t, realnet.Config{Listen: []string{at}})
			apart := realnet.Config{WebRTC: realnet.WebRTC{Off: true}} // else the two would meet
			asks, answers := open(t, apart), open(t, apart)
			answered := make(chan error, 1)
			requests := answers.Requests(ctx)
			go func() {
				for r, err := range requests {
					if err != nil {
						answered <- err
						return
					}
					if r.Type == "search" {
						answered <- r.Reply(ctx, realnet.Message{Type: "search", Data: "found " + r.Data})
						return
					}
				}
			}()
			for _, n := range []*realnet.Node{asks, answers} {
				if err := n.Connect(ctx, at); err != nil {
					t.Fatal(err)
				}
			}
			// The middle takes the link of the second into use about when
			// Connect returns, so ask until there is an answer.
			for {
				once, end := context.WithTimeout(ctx, time.Second)
				for r, err := range asks.Announce(once, realnet.Message{Type: "search", Data: "it"}) {
					if err != nil {
						break
					}
					if r.Data != "found it" || r.Hops != 2 {
						t.Errorf("response %+v", r)
					}
					end()
					if err := <-answered; err != nil {
						t.Errorf("Reply: %v", err)
					}
					return
				}
				end()
				if ctx.Err() != nil {
					t.Fatal("no answer")
				}
			}
		})
	}
}

// Nodes that know one address find each other by gossip.
func TestNodesFindEachOther(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	config := peer.Config{Interval: 100 * time.Millisecond, Connections: 3}
	host := realnet.NewHost(nil)
	defer host.Close()
	var nodes []*realnet.Node
	first := freeAddress(t, "ws")
	for i := range 8 {
		c := realnet.Config{Host: host, Peer: config, Listen: []string{first}, Advertise: []string{first}}
		if i > 0 {
			at := freeAddress(t, "tcp")
			c.Listen, c.Advertise, c.Bootstrap = []string{at}, []string{at}, []string{first}
		}
		nodes = append(nodes, open(t, c))
	}
	for i, n := range nodes {
		for links := 0; links < 3; {
			list, err := n.Connections(ctx)
			if err != nil {
				t.Fatalf("node %d has %d links: %v", i, links, err)
			}
			links = len(list)
			runtime.Gosched()
		}
	}
	for known := 0; known < len(nodes)-1; {
		known = 0
		for _, err := range nodes[3].Known(ctx) {
			if err != nil {
				t.Fatalf("a node knows %d of %d addresses: %v", known, len(nodes)-1, err)
			}
			known++
		}
		runtime.Gosched()
	}
}

// Two nodes are connected by any stream, and over a server of one's own.
func TestAcceptAndHandler(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	a, b, c := open(t, realnet.Config{}), open(t, realnet.Config{}), open(t, realnet.Config{})
	atA, atB := net.Pipe()
	accepted := make(chan error, 1)
	go func() { accepted <- a.Accept(ctx, atA) }()
	if err := errors.Join(b.Accept(ctx, atB), <-accepted); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(b.Handler())
	defer server.Close()
	if err := c.Connect(ctx, "ws"+strings.TrimPrefix(server.URL, "http")+"/peers"); err != nil {
		t.Fatal(err)
	}
	for name, n := range map[string]*realnet.Node{"a": a, "c": c} {
		if list, err := n.Connections(ctx); err != nil || len(list) != 1 {
			t.Errorf("%s has the connections %v, %v; want one", name, list, err)
		}
	}
	// A stream that ends before the handshake is an error.
	broken, other := net.Pipe()
	_ = other.Close()
	if err := a.Accept(ctx, broken); err == nil {
		t.Error("a stream that has ended is a connection")
	}
}

// What a node was told to save it knows after a restart, and one directory
// serves one node at a time.
func TestDataOutlivesTheNode(t *testing.T) {
	ctx := t.Context()
	c := realnet.Config{Data: t.TempDir()}
	c.Peer.Static = true // it dials nobody
	n, err := realnet.Open(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		if err := n.Save(ctx, fmt.Sprintf("tcp://192.0.2.1:%d", 1000+i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := realnet.Open(ctx, c); !errors.Is(err, realnet.ErrLocked) {
		t.Errorf("a second node in the directory: %v, want ErrLocked", err)
	}
	if err := n.Learn(ctx, "tcp://192.0.2.2:1000", "tcp://192.0.2.2:1001"); err != nil {
		t.Fatal(err)
	}
	if err := n.Close(ctx); err != nil {
		t.Fatal(err)
	}
	n = open(t, c)
	if count, err := n.Len(ctx); err != nil || count != 22 {
		t.Errorf("%d addresses after the restart, %v; want 22", count, err)
	}
	known := 0
	for e, err := range n.Known(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Saved {
			known++
		}
	}
	if known != 20 {
		t.Errorf("%d saved addresses are known after the restart, want 20", known)
	}
}

func TestErrors(t *testing.T) {
	ctx := t.Context()
	n := open(t, realnet.Config{})
	nobody := freeAddress(t, "tcp")
	if err := n.Connect(ctx, nobody); !errors.Is(err, peer.ErrFailed) {
		t.Errorf("Connect to nobody: %v", err)
	}
	if err := n.Connect(ctx, "foo:bar"); err == nil {
		t.Error("Connect to foo:bar succeeds")
	}
	if err := n.Connect(ctx, "smoke://127.0.0.1:1"); !errors.Is(err, actors.ErrAddress) {
		t.Errorf("Connect by an unknown scheme: %v", err)
	}
	if err := n.Disconnect(ctx, nobody); !errors.Is(err, peer.ErrNotConnected) {
		t.Errorf("Disconnect: %v", err)
	}
	if err := n.Save(ctx, nobody); err != nil {
		t.Errorf("Save: %v", err)
	}
	if e, known, err := n.Stats(ctx, nobody); err != nil || !known || !e.Saved {
		t.Errorf("Stats: %+v %v %v", e, known, err)
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	for _, err := range n.Announce(ended, realnet.Message{Type: "x"}) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Announce: %v", err)
		}
	}
	if _, err := realnet.Open(ctx, realnet.Config{Listen: []string{"smoke://127.0.0.1:1"}}); err == nil {
		t.Error("listening by an unknown scheme succeeds")
	}
	for _, scheme := range []string{"tls", "wss"} {
		if _, err := realnet.Open(ctx, realnet.Config{Listen: []string{freeAddress(t, scheme)}}); err == nil || !strings.Contains(err.Error(), "certificate") {
			t.Errorf("listening on %s without a certificate: %v", scheme, err)
		}
	}
	at := freeAddress(t, "tcp")
	open(t, realnet.Config{Listen: []string{at}})
	if _, err := realnet.Open(ctx, realnet.Config{Listen: []string{at}}); err == nil {
		t.Error("listening twice succeeds")
	}
	closed := open(t, realnet.Config{})
	if err := closed.Close(ctx); err != nil {
		t.Errorf("Close: %v", err)
	}
	if err := closed.Save(ctx, nobody); !errors.Is(err, realnet.ErrClosed) {
		t.Errorf("Save after Close: %v", err)
	}
}
