//go:build !js

package rtc

import (
	"net/netip"
	"testing"

	"peernet/actors"
)

// Which addresses of strangers are tried.
func TestPermits(t *testing.T) {
	banned := netip.MustParsePrefix("203.0.113.0/24")
	permits := func(ip netip.Addr) bool { return !banned.Contains(ip) }
	const never, privately, publicly = 0, 1, 2 // publicly: also with PublicOnly
	for host, want := range map[string]int{
		"198.51.100.7": publicly, "2001:db8::1": publicly, "64:ff9b::c633:6407": publicly,
		"10.0.0.1": privately, "192.168.1.7": privately, "fd00::1": privately, "fe80::1": privately, "169.254.1.1": privately,
		"100.64.0.1": privately, "198.18.0.1": privately, "192.0.0.8": privately, "x.local": privately,
		"64:ff9b::a00:1": privately, "2002:a00:1::1": privately,
		"127.0.0.1": never, "::1": never, "::127.0.0.1": never, "64:ff9b::7f00:1": never, "2002:7f00:1::1": never,
		"203.0.113.9": never, "64:ff9b::cb00:7109": never, "2002:cb00:7109::1": never,
		"0.1.2.3": never, "240.0.0.1": never, "fec0::1": never, "100::1": never, "224.0.0.251": never, "ff02::fb": never,
	} {
		for publicOnly, least := range map[bool]int{false: privately, true: publicly} {
			c := Config{PublicOnly: publicOnly, Permits: permits}
			if got := c.permits(actors.Candidate{Host: host, Port: 5000}); got != (want >= least) {
				t.Errorf("PublicOnly %v: %s is permitted: %v", publicOnly, host, got)
			}
		}
	}
	open := Config{Loopback: true}
	if !open.permits(actors.Candidate{Host: "::1", Port: 5000}) {
		t.Error("loopback of IPv6 is not permitted where loopback is")
	}
	for port, want := range map[uint16]bool{22: false, 53: false, 443: true, 1023: false, 1024: true, 65535: true} {
		if got := open.permits(actors.Candidate{Host: "127.0.0.1", Port: port}); got != want {
			t.Errorf("port %d is permitted: %v", port, got)
		}
	}
}

// With one port for all links, the address of an open link is nobody else's candidate.
func TestOpenAddressesAreNotTried(t *testing.T) {
	at, err := addressOf("198.51.100.7", 5000)
	if err != nil {
		t.Fatal(err)
	}
	for port, kept := range map[uint16]int{0: 1, 4001: 0} {
		e := &Engine{config: Config{Port: port}, open: map[actors.Address]int{}}
		e.enter(at)()
		leave := e.enter(at)
		offered := &actors.Signal{Candidates: []actors.Candidate{{Host: "198.51.100.7", Port: 5000}}}
		for _, want := range []int{kept, 1} {
			if got := len(e.kept(offered).Candidates); got != want {
				t.Errorf("port %d: %d candidates are kept, want %d", port, got, want)
			}
			leave()
		}
	}
}

// What a link receives is judged by what was read of it and sent: an honest one, which
// gets acknowledgements, or whose owner is behind, goes on; one that gets crumbs does not.
func TestExcess(t *testing.T) {
	d := &detached{}
	var received, sent uint64
	for range 100000 { // small messages one way, each acknowledged
		received, sent = received+28, sent+48
		if over := d.excess(received, sent); over > receivedFree {
			t.Fatalf("acknowledgements count: %d", over)
		}
	}
	d.read.Add(1 << 30) // much was read, which is no reserve for later
	d.excess(received, sent)
	received += receiveMax * 5 / 2 // as much as may wait, in small messages
	if over := d.excess(received, sent); over > receivedFree {
		t.Errorf("a link whose owner is behind is ended: %d", over)
	}
	received += receiveMax
	if over := d.excess(received, sent); over <= receivedFree {
		t.Errorf("what comes beyond that is borne: %d", over)
	}
}
