package actors_test

import (
	"errors"
	"strings"
	"testing"

	"peernet/actors"
)

func TestParseAddress(t *testing.T) {
	for in, want := range map[string]string{
		"ws://10.0.0.1:1111":             "ws://10.0.0.1:1111",
		"WS://Example.ORG:80/":           "ws://example.org:80",
		"ws://example.org":               "ws://example.org:80",
		"wss://example.org./chat":        "wss://example.org:443/chat",
		"tcp://[0:0:0::1]:0443":          "tcp://[::1]:443",
		"tcp://[2001:DB8::A]:9":          "tcp://[2001:db8::a]:9",
		"webrtc+x.y-z://host:65535/a/b/": "webrtc+x.y-z://host:65535/a/b/",
	} {
		a, err := actors.ParseAddress(in)
		if err != nil || a.String() != want {
			t.Errorf("%q gives %q, %v; want %q", in, a, err, want)
			continue
		}
		if again, err := actors.ParseAddress(a.String()); err != nil || again != a {
			t.Errorf("%q is not canonical: gives %q, %v", a, again, err)
		}
	}
	for _, bad := range []string{
		"", "foo:bar", "://x:1", "1ws://x:1", "w s://x:1", "ws://", "ws://:80", "tcp://host", "ws://h:0", "ws://h:65536",
		"ws://h:99999999999999999999", "ws://h:1x", "ws://h:-1", "ws://u@h:1", "ws://h:1?q", "ws://h:1#f", "ws://[::1:80",
		"ws://[10.0.0.1]:80", "ws://[fe80::1%eth0]:80", "ws://a b:1", "ws://ä:1", "ws://h:1/\x00", "ws://a:b:1",
		"ws://127.1:80", "ws://0x7f000001:80", "ws://a.08:1", "ws://2130706433:1", "ws://a..:80", "ws://h:1/" + strings.Repeat("x", 300),
	} {
		if a, err := actors.ParseAddress(bad); !errors.Is(err, actors.ErrAddress) {
			t.Errorf("%q is accepted as %q, %v", bad, a, err)
		}
	}
}

func TestAddressParts(t *testing.T) {
	for text, want := range map[string][2]string{
		"ws://10.0.0.1:1111":     {"ws", "10.0.0.1"},
		"tcp://[::1]:80/x:y/z":   {"tcp", "::1"},
		"wss://example.org:1/a:": {"wss", "example.org"},
	} {
		a := actors.MustAddress(text)
		if a.Scheme() != want[0] || a.Host() != want[1] {
			t.Errorf("%s: scheme %q, host %q, want %q", text, a.Scheme(), a.Host(), want)
		}
	}
	var none actors.Address
	if !none.IsZero() || none.String() != "" || none.Scheme() != "" || none.Host() != "" {
		t.Error("the zero Address is not empty")
	}
}

func TestIsLoopback(t *testing.T) {
	for text, want := range map[string]bool{
		"ws://127.0.0.1:80": true, "tcp://127.9.9.9:1": true, "ws://0.0.0.0:80": true, "ws://localhost:80/x": true,
		"ws://[::1]:80": true, "ws://[::]:80": true, "ws://[::ffff:127.0.0.1]:80": true, "ws://a.localhost:80": true, "ws://l.localhost:80": true,
		"ws://10.0.0.1:80": false, "ws://128.0.0.1:80": false, "ws://localhost.example:80": false,
		"ws://[2001:db8::1]:80": false, "ws://1.2.3.4:80": false, "ws://1a.localhost:80": true, "ws://localhosts:80": false,
	} {
		if got := actors.MustAddress(text).IsLoopback(); got != want {
			t.Errorf("%s: loopback %v, want %v", text, got, want)
		}
	}
	if (actors.Address{}).IsLoopback() {
		t.Error("no address is one of loopback")
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{"ws://10.0.0.1:1111", "tcp://[::1]:443/x", "wss://a.b.", "foo:bar"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := actors.ParseAddress(s)
		if err != nil {
			return
		}
		if again, err := actors.ParseAddress(a.String()); err != nil || again != a {
			t.Errorf("%q gives %q, which gives %q, %v", s, a, again, err)
		}
		if len(a.String()) > actors.AddressMax || a.Host() == "" || a.Scheme() == "" {
			t.Errorf("%q gives %q", s, a)
		}
	})
}

// The hash is part of the identity of a run: these values must never change.
func TestHashIsPinned(t *testing.T) {
	got := [4]uint64{actors.Sum(nil), actors.Sum([]byte("peernet")), actors.Sum([]byte("a longer text of more than one word")), actors.Mix(1, 2)}
	want := [4]uint64{0xdd895ee7d69467da, 0xbcac4395ef534028, 0x3becf0a66a3b90a0, 0xf6b8cd2d25e53219}
	if got != want {
		t.Errorf("got %#v", got)
	}
}

// Texts that differ in length, order or a single bit have different hashes.
func TestHashTellsTextsApart(t *testing.T) {
	seen := map[uint64]string{}
	for n := range 40 {
		for bit := range 8 * n {
			b := make([]byte, n)
			b[bit/8] ^= 1 << (bit % 8)
			if other, ok := seen[actors.Sum(b)]; ok {
				t.Fatalf("%x and %x have the same hash", b, other)
			}
			seen[actors.Sum(b)] = string(b)
		}
		zero := make([]byte, n)
		if other, ok := seen[actors.Sum(zero)]; ok {
			t.Fatalf("%x and %x have the same hash", zero, other)
		}
		seen[actors.Sum(zero)] = string(zero)
	}
}

func TestIPv4(t *testing.T) {
	ip, port, ok := actors.MustAddress("ws://10.0.200.1:1111").IPv4()
	if ip != [4]byte{10, 0, 200, 1} || port != 1111 || !ok {
		t.Errorf("gives %v, %d, %v", ip, port, ok)
	}
	for _, text := range []string{"wss://10.0.0.1:1", "ws://10.0.0.1:1/x", "ws://[::ffff:10.0.0.1]:1", "ws://[::1]:1", "ws://h:1"} {
		if ip, port, ok := actors.MustAddress(text).IPv4(); ok {
			t.Errorf("%s gives %v, %d", text, ip, port)
		}
	}
	if _, _, ok := (actors.Address{}).IPv4(); ok {
		t.Error("the zero Address has a host")
	}
}
