//go:build !js

package realnet_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"peernet/actors"
	"peernet/actors/peer"
	"peernet/actors/wire"
	"peernet/realnet"
)

// What comes over a link after the node has closed it is not kept.
func TestFloodBehindAGoodbye(t *testing.T) {
	n := open(t, realnet.Config{Listen: []string{"tcp://127.0.0.1:0"}, Peer: quiet()})
	before := liveHeap()
	pings := []byte{}
	for range 1000 {
		pings = (&wire.Ping{Nonce: 1}).Append(pings)
	}
	var group sync.WaitGroup
	for range 4 {
		c := dialRaw(t, n.Servers()[0])
		defer c.Close()
		group.Go(func() {
			if err := shakeHands(c); err != nil {
				t.Error(err)
			}
			_, _ = c.Write((&wire.Goodbye{Reason: wire.GoodbyeUser}).Append(nil))
			_ = c.SetDeadline(time.Now().Add(time.Second))
			for err := error(nil); err == nil; {
				_, err = c.Write(pings)
			}
		})
	}
	group.Wait()
	if after := liveHeap(); after > before+4<<20 {
		t.Errorf("the heap grew from %d to %d bytes", before, after)
	}
}

// A peer that sends without a pause does not keep others from being heard.
func TestFloodStarvesNobody(t *testing.T) {
	n := open(t, realnet.Config{Listen: []string{"tcp://127.0.0.1:0"}, Peer: quiet()})
	asks, answers := open(t, realnet.Config{Peer: quiet()}), open(t, realnet.Config{Peer: quiet()})
	go answerAll(t.Context(), answers)
	for _, x := range []*realnet.Node{asks, answers} {
		if err := x.Connect(t.Context(), n.Servers()[0]); err != nil {
			t.Fatal(err)
		}
	}
	before := liveHeap()
	flood := []byte{}
	for i := range 300 {
		flood = (&wire.Ping{Nonce: 1}).Append(flood)
		flood = wire.NewFrame(wire.Frame{}, wire.Body{ID: fmt.Sprint(i), Type: "junk"}).Append(flood)
		flood = wire.NewAddresses([]actors.Address{actors.MustAddress(fmt.Sprintf("tcp://127.0.0.1:%d", i+1))}).Append(flood)
	}
	var group sync.WaitGroup
	for range 8 {
		c := dialRaw(t, n.Servers()[0])
		defer c.Close()
		group.Go(func() {
			if err := shakeHands(c); err != nil {
				t.Error(err)
			}
			go io.Copy(io.Discard, c)
			_ = c.SetWriteDeadline(time.Now().Add(2 * time.Second))
			for err := error(nil); err == nil; {
				_, err = c.Write(flood)
			}
		})
	}
	for range 5 {
		mustAnswer(t, asks)
	}
	group.Wait()
	if after := liveHeap(); after > before+32<<20 {
		t.Errorf("the heap grew from %d to %d bytes", before, after)
	}
	if n.Counts()["conn.throttled"] == 0 {
		t.Error("nobody was throttled")
	}
}

// A WebSocket that stops in the middle of a message, while the node closes it, is
// broken off, and does not keep the node from ending.
func TestWebSocketStuckInAMessage(t *testing.T) {
	t.Parallel()
	n, err := realnet.Open(t.Context(), realnet.Config{
		Listen: []string{"ws://127.0.0.1:0"}, Peer: peer.Config{Static: true, HelloTimeout: 100 * time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		c := dialRaw(t, "tcp"+strings.TrimPrefix(n.Servers()[0], "ws"))
		defer c.Close()
		fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OUFCQ0RFRg==\r\n\r\n")
		in := bufio.NewReader(c)
		if answer, err := http.ReadResponse(in, nil); err != nil || answer.StatusCode != http.StatusSwitchingProtocols {
			t.Fatal(answer, err)
		}
		frame := append([]byte{0x82, 0xff}, binary.BigEndian.AppendUint64(nil, 900000)...)
		_, _ = c.Write(append(append(frame, 0, 0, 0, 0), make([]byte, 100)...))
		time.Sleep(300 * time.Millisecond) // until it gives up waiting for a hello
		_, _ = c.Write(make([]byte, 3996))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	ended := make(chan error)
	go func() { ended <- n.Close(ctx) }()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-ctx.Done():
		t.Fatal("the node does not end")
	}
}

// A request that never ends, and one that is no upgrade, are hung up on.
func TestRequestsThatAreNoUpgrade(t *testing.T) {
	t.Parallel()
	n := open(t, realnet.Config{Listen: []string{"ws://127.0.0.1:0"}, Peer: quiet()})
	var group sync.WaitGroup
	for range 300 { // more than may wait
		c := dialRaw(t, "tcp"+strings.TrimPrefix(n.Servers()[0], "ws"))
		defer c.Close()
		group.Go(func() {
			fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
			_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
			if _, err := io.Copy(io.Discard, c); isTimeout(err) {
				t.Error("a request without an end was not hung up on")
			}
		})
	}
	group.Wait()
	if err := open(t, realnet.Config{}).Connect(t.Context(), n.Servers()[0]); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// A server that is no peer keeps no connection of a node that tried.
func TestDialsOfWebServersLeaveNothing(t *testing.T) {
	var open64 atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "0") }))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		switch s {
		case http.StateNew:
			open64.Add(1)
		case http.StateClosed, http.StateHijacked:
			open64.Add(-1)
		}
	}
	server.Start()
	defer server.Close()
	n := open(t, realnet.Config{Peer: quiet()})
	for i := range 20 {
		if err := n.Connect(t.Context(), fmt.Sprintf("ws%s/%d", strings.TrimPrefix(server.URL, "http"), i)); err == nil {
			t.Fatal("a web server is a peer")
		}
	}
	until(t, "no connection is left", func() bool { return open64.Load() == 0 })
}
