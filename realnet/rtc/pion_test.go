//go:build !js

package rtc_test

import (
	"context"
	"errors"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"peernet/actors"
	"peernet/actors/wire"
	"peernet/realnet/rtc"
)

// stranger is a peer connection of pion that is not ours, and does what it likes. prepare
// is called before the offer is made.
func stranger(t *testing.T, prepare func(*webrtc.PeerConnection)) (*webrtc.PeerConnection, *rtc.Stream) {
	t.Helper()
	pc, stream, err := tryStranger(t, prepare)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stream.Reset)
	return pc, stream
}

func tryStranger(t *testing.T, prepare func(*webrtc.PeerConnection)) (*webrtc.PeerConnection, *rtc.Stream, error) {
	t.Helper()
	s := webrtc.SettingEngine{}
	s.SetIncludeLoopbackCandidate(true)
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(s)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pc.Close() })
	prepare(pc)
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(offer); err != nil {
		t.Fatal(err)
	}
	<-gathered
	signal, err := wire.ParseSDP(pc.LocalDescription().SDP)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	stream, err := engine(t, loopback()).Answer(ctx, signal, func(a *actors.Signal) {
		answer := webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: string(wire.AppendSDP(nil, a))}
		if err := pc.SetRemoteDescription(answer); err != nil {
			t.Error(err)
		}
	})
	return pc, stream, err
}

// channel makes a data channel and tells when it is open.
func channel(t *testing.T, pc *webrtc.PeerConnection) (*webrtc.DataChannel, <-chan struct{}) {
	t.Helper()
	c, err := pc.CreateDataChannel("", nil)
	if err != nil {
		t.Fatal(err)
	}
	open := make(chan struct{})
	c.OnOpen(func() { close(open) })
	return c, open
}

// ends waits until nothing can be written to a stream any more.
func ends(t *testing.T, s *rtc.Stream) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if _, err := s.Write([]byte{0}); err != nil {
			return
		}
	}
	t.Error("the stream goes on")
}

// The data channel that an offer makes is reliable and ordered.
func TestChannelIsReliableAndOrdered(t *testing.T) {
	s := webrtc.SettingEngine{}
	s.SetIncludeLoopbackCandidate(true)
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(s)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	got := make(chan *webrtc.DataChannel, 1)
	pc.OnDataChannel(func(c *webrtc.DataChannel) { got <- c })
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	answers := make(chan *actors.Signal, 1)
	stream, err := engine(t, loopback()).Offer(ctx, func(offer *actors.Signal) {
		err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: string(wire.AppendSDP(nil, offer))})
		answer, err2 := pc.CreateAnswer(nil)
		gathered := webrtc.GatheringCompletePromise(pc)
		if err := errors.Join(err, err2, pc.SetLocalDescription(answer)); err != nil {
			t.Error(err)
			return
		}
		<-gathered
		signal, err := wire.ParseSDP(pc.LocalDescription().SDP)
		if err != nil {
			t.Error(err)
			return
		}
		answers <- signal
	}, answers)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Reset()
	c := <-got
	if !c.Ordered() || c.MaxRetransmits() != nil || c.MaxPacketLifeTime() != nil || c.Label() != "" {
		t.Errorf("ordered %v, retransmissions %v, life %v, label %q", c.Ordered(), c.MaxRetransmits(), c.MaxPacketLifeTime(), c.Label())
	}
}

// One data channel is a link. A peer that opens more loses it.
func TestMoreChannelsEndTheConnection(t *testing.T) {
	var open <-chan struct{}
	pc, stream := stranger(t, func(pc *webrtc.PeerConnection) { _, open = channel(t, pc) })
	<-open
	if _, err := stream.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	_, _ = channel(t, pc)
	ends(t, stream)
}

// However many channels a peer opens, and whenever it closes, nothing of it is left.
func TestChannelsLeaveNothing(t *testing.T) {
	before := measure()
	for range 5 {
		pc, stream, err := tryStranger(t, func(pc *webrtc.PeerConnection) {
			for range 20 {
				_, _ = channel(t, pc)
			}
		})
		if err == nil { // it may have ended before it was a stream
			stream.Reset()
		}
		_ = pc.Close()
	}
	settles(t, before)
}

// A peer that sends crumbs to somebody who does not read fills little memory, and loses
// the link.
func TestCrumbsAreBounded(t *testing.T) {
	var c *webrtc.DataChannel
	var open <-chan struct{}
	_, stream := stranger(t, func(pc *webrtc.PeerConnection) { c, open = channel(t, pc) })
	<-open
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	before, most := m.HeapAlloc, m.HeapAlloc
	for i := range 500000 {
		if c.Send([]byte{1}) != nil {
			break
		}
		if i%10000 == 0 {
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
		}
	}
	ends(t, stream)
	t.Logf("the heap grew by %d MiB at most, what the sender keeps included", (most-before)>>20)
}

// What the configuration names as servers is asked.
func TestServersAreAsked(t *testing.T) {
	server, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	c := loopback()
	c.Servers = []rtc.Server{{URLs: []string{"stun:" + server.LocalAddr().String()}}}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = engine(t, c).Offer(ctx, func(*actors.Signal) {}, nil)
	}()
	_ = server.SetReadDeadline(time.Now().Add(10 * time.Second))
	if n, _, err := server.ReadFrom(make([]byte, 2000)); err != nil || n < 20 {
		t.Errorf("the server got %d bytes, %v", n, err)
	}
	cancel()
	<-done
}
