//go:build !js

package realnet

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"peernet/actors"
	"peernet/realnet/rtc"
)

// What the access lists do not permit is not tried by WebRTC either, whoever names it.
func TestAccessListsHoldForWebRTC(t *testing.T) {
	for name, access := range map[string]Access{"": {}, "banned": {Ban: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}} {
		sink, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer sink.Close()
		c := Config{Access: access, WebRTC: WebRTC{Config: rtc.Config{Loopback: true}}}
		e, err := c.engine()
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		offer := &actors.Signal{
			Ufrag: "nobody", Pwd: "nobody+nobody+nobody+nobody", Mid: "0", Fingerprint: [32]byte{1},
			Candidates: []actors.Candidate{{Host: "127.0.0.1", Port: netip.MustParseAddrPort(sink.LocalAddr().String()).Port(), Priority: 1}},
		}
		_, _ = e.Answer(ctx, offer, func(*actors.Signal) {})
		_ = sink.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		_, _, err = sink.ReadFrom(make([]byte, 2000))
		if probed := err == nil; probed != (name == "") {
			t.Errorf("%q: probed: %v", name, probed)
		}
	}
}
