package peer

import (
	"testing"

	"peernet/actors"
)

// What one host can fill of a book is bounded by its source, so a host with a
// whole IPv6 network must not have a source for each address of it.
func TestSourceIsTheHostOrItsNetwork(t *testing.T) {
	s := Store{key: 5}
	source := func(text string) uint32 { return s.source(actors.MustAddress(text)) }
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"ws://10.0.0.1:80", "tcp://10.0.0.1:99", true},
		{"ws://10.0.0.1:80", "ws://10.0.0.2:80", false},
		{"ws://[2001:db8:1:2::1]:80", "ws://[2001:db8:1:2:ffff::9]:81", true},
		{"ws://[2001:db8:1:2::1]:80", "ws://[2001:db8:1:3::1]:80", false},
		{"ws://[::ffff:10.0.0.1]:80", "ws://10.0.0.1:80", true},
		{"ws://[::ffff:10.0.0.1]:80", "ws://[::ffff:10.0.0.2]:80", false},
		{"ws://[64:ff9b::a00:1]:80", "ws://10.0.0.1:80", true},
		{"ws://example.org:80", "ws://example.com:80", false},
	} {
		if got := source(c.a) == source(c.b); got != c.same {
			t.Errorf("%s and %s have the same source: %t", c.a, c.b, got)
		}
	}
	if source("ws://10.0.0.1:80") == 0 {
		t.Error("a peer has the source of the user")
	}
}
