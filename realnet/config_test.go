//go:build !js

package realnet_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"peernet/actors"
	"peernet/actors/peer"
	"peernet/realnet"
)

// testTLS returns the TLS configurations of a node that has a certificate for
// 127.0.0.1, and of one that trusts it.
func testTLS(t *testing.T) (server, client *tls.Config) {
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return &tls.Config{Certificates: s.TLS.Certificates}, &tls.Config{RootCAs: pool}
}

// Links are encrypted over tls and wss, and only with a node that is trusted.
func TestLinksOverTLS(t *testing.T) {
	server, client := testTLS(t)
	for _, scheme := range []string{"tls", "wss"} {
		n := open(t, realnet.Config{Listen: []string{scheme + "://127.0.0.1:0"}, TLS: server})
		at := n.Servers()[0]
		if err := open(t, realnet.Config{TLS: client}).Connect(t.Context(), at); err != nil {
			t.Errorf("%s: %v", scheme, err)
		}
		err := open(t, realnet.Config{}).Connect(t.Context(), at)
		if !errors.Is(err, peer.ErrFailed) || !strings.Contains(err.Error(), "certificate") {
			t.Errorf("%s: a node that does not trust the certificate connects: %v", scheme, err)
		}
		if _, err := realnet.Open(t.Context(), realnet.Config{Listen: []string{scheme + "://127.0.0.1:0"}}); err == nil {
			t.Errorf("%s: a node without a certificate listens", scheme)
		}
	}
}

// The access lists hold for links that come in and for those that are dialled, by
// name too.
func TestAccessLists(t *testing.T) {
	prefix := func(s string) netip.Prefix {
		p, err := realnet.ParsePrefix(s)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for name, c := range map[string]struct {
		access realnet.Access
		may    bool
	}{
		"all":                   {realnet.Access{}, true},
		"allowed":               {realnet.Access{Allow: []netip.Prefix{prefix("127.0.0.0/8"), prefix("::1")}}, true},
		"not allowed":           {realnet.Access{Allow: []netip.Prefix{prefix("10.0.0.0/8")}}, false},
		"banned":                {realnet.Access{Ban: []netip.Prefix{prefix("127.0.0.1"), prefix("::1")}}, false},
		"banned, though within": {realnet.Access{Allow: []netip.Prefix{prefix("127.0.0.0/8")}, Ban: []netip.Prefix{prefix("127.0.0.0/30")}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			for _, scheme := range []string{"tcp", "ws"} {
				guarded := open(t, realnet.Config{Listen: []string{scheme + "://127.0.0.1:0"}, Access: c.access})
				free := open(t, realnet.Config{Listen: []string{scheme + "://127.0.0.1:0"}})
				if err := free.Connect(t.Context(), guarded.Servers()[0]); (err == nil) != c.may {
					t.Errorf("%s, coming in: %v", scheme, err)
				}
				if n := guarded.Counts()["net.forbidden"]; (n == 0) != c.may {
					t.Errorf("%s: %d links were counted as forbidden", scheme, n)
				}
				for _, host := range []string{"127.0.0.1", "localhost"} {
					third := open(t, realnet.Config{Access: c.access})
					at := strings.Replace(free.Servers()[0], "127.0.0.1", host, 1)
					if err := third.Connect(t.Context(), at); (err == nil) != c.may || !c.may && !strings.Contains(err.Error(), "forbidden") {
						t.Errorf("%s, dialling %s: %v", scheme, at, err)
					}
				}
			}
		})
	}
	if p := prefix("::ffff:127.0.0.0/104"); p != netip.MustParsePrefix("127.0.0.0/8") {
		t.Errorf("a prefix of IPv4 in IPv6 is %v", p)
	}
	for _, bad := range []string{"", "10.0.0.0/33", "::ffff:0:0/90", "fe80::1%eth0", "localhost", "10.0.0"} {
		if p, err := realnet.ParsePrefix(bad); err == nil {
			t.Errorf("%q is taken for the prefix %v", bad, p)
		}
	}
}

// A node advertises where it listens, but for unspecified addresses; what is listened
// on later too.
func TestWhatIsAdvertised(t *testing.T) {
	known := func(n *realnet.Node) (list []string) {
		other := open(t, realnet.Config{Peer: quiet()})
		if err := n.Connect(t.Context(), listening(t, other)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond) // what is told comes with the handshake
		for e, err := range other.Known(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, e.Address.String())
		}
		return list
	}
	n := open(t, realnet.Config{Listen: []string{"tcp://127.0.0.1:0", "ws://0.0.0.0:0"}, Peer: quiet()})
	if got := known(n); !slices.Equal(got, n.Servers()[:1]) {
		t.Errorf("a peer was told %v, want %v", got, n.Servers()[:1])
	}
	late, err := n.Listen(t.Context(), "ws://127.0.0.1:0/path")
	if err != nil {
		t.Fatal(err)
	}
	if got := known(n); !slices.Contains(got, late) || !strings.HasSuffix(late, "/path") {
		t.Errorf("a later peer was told %v, want %s too", got, late)
	}
	n = open(t, realnet.Config{Listen: []string{"tcp://127.0.0.1:0"}, Advertise: []string{"ws://192.0.2.1:4000"}, Peer: quiet()})
	if got := known(n); !slices.Equal(got, []string{"ws://192.0.2.1:4000"}) {
		t.Errorf("a peer was told %v, want what is advertised", got)
	}
}

// listening has a node listen, and returns where.
func listening(t *testing.T, n *realnet.Node) string {
	t.Helper()
	at, err := n.Listen(t.Context(), "tcp://127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestEvents(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	a := open(t, realnet.Config{Listen: []string{"tcp://127.0.0.1:0"}})
	events := a.Events(ctx, false)
	b := open(t, realnet.Config{})
	if err := b.Connect(ctx, a.Servers()[0]); err != nil {
		t.Fatal(err)
	}
	var got []string
	for e, err := range events {
		if err != nil {
			t.Fatal(err)
		}
		switch e.Kind {
		case peer.EventPeerUp:
			got = append(got, "up "+e.Text)
			if !strings.HasPrefix(e.Address.String(), "tcp://127.0.0.1:") {
				t.Errorf("the event of an inbound peer has the address %q", e.Address)
			}
			if err := b.Close(ctx); err != nil {
				t.Fatal(err)
			}
		case peer.EventPeerDown:
			got = append(got, "down "+e.Text)
			cancel()
		}
	}
	if want := []string{"up inbound", "down inbound, goodbye: shutdown"}; !slices.Equal(got, want) {
		t.Errorf("events are %q, want %q", got, want)
	}
}

// What nobody takes is dropped and counted.
func TestUnreadRequestsAreCounted(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	a, b := open(t, realnet.Config{Listen: []string{"tcp://127.0.0.1:0"}, Peer: quiet()}), open(t, realnet.Config{Peer: quiet()})
	if err := b.Connect(ctx, a.Servers()[0]); err != nil {
		t.Fatal(err)
	}
	requests := a.Requests(ctx)
	until(t, "the requests that wait are too many", func() bool {
		if err := b.Publish(ctx, realnet.Message{Type: "x"}); err != nil {
			t.Fatal(err)
		}
		return a.Counts()["node.unread"] > 10
	})
	got := 0
	for _, err := range requests {
		if err != nil {
			t.Fatal(err)
		}
		if got++; got == 256 {
			break
		}
	}
}

// Close of a node that a silent client is connected to does not outlast its context.
func TestCloseKeepsToItsContext(t *testing.T) {
	n, err := realnet.Open(t.Context(), realnet.Config{Listen: []string{"tcp://127.0.0.1:0"}})
	if err != nil {
		t.Fatal(err)
	}
	c := dialRaw(t, n.Servers()[0])
	defer c.Close()
	if err := shakeHands(c); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	_ = n.Close(ctx)
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("Close took %v", took)
	}
	<-n.Done()
}

// stuckStream is a stream whose Read ends with nothing but the test.
type stuckStream struct{ end chan struct{} }

func (s stuckStream) Read([]byte) (int, error)    { <-s.end; return 0, io.EOF }
func (s stuckStream) Write(p []byte) (int, error) { return len(p), nil }
func (s stuckStream) Close() error                { return nil }

// A stream that cannot be broken off keeps neither Close nor other nodes waiting.
func TestStreamThatCannotBeBrokenOff(t *testing.T) {
	s := stuckStream{make(chan struct{})}
	defer close(s.end)
	n, err := realnet.Open(t.Context(), realnet.Config{})
	if err != nil {
		t.Fatal(err)
	}
	accepting, stop := context.WithCancel(t.Context())
	defer stop()
	go func() { _ = n.Accept(accepting, s) }()
	time.Sleep(20 * time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	began := time.Now()
	_ = n.Close(ctx)
	open(t, realnet.Config{})
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("Close and the next Open took %v", took)
	}
}

// The events of all messages come only to those who want them; peers tell a node where
// they see it.
func TestEventsOfMessages(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	a, b := open(t, realnet.Config{Listen: []string{"tcp://127.0.0.1:0"}}), open(t, realnet.Config{})
	all, few := a.Events(ctx, true), a.Events(ctx, false)
	if err := b.Connect(ctx, a.Servers()[0]); err != nil {
		t.Fatal(err)
	}
	until(t, "the announce arrives", func() bool {
		if err := b.Publish(ctx, realnet.Message{Type: "x"}); err != nil {
			t.Fatal(err)
		}
		return a.Counts()["gossip.request"] > 0
	})
	seen := func(events func(func(realnet.Event, error) bool), end actors.EventKind) (request bool) {
		for e := range events {
			request = request || e.Kind == peer.EventRequest
			if e.Kind == end {
				break
			}
		}
		return request
	}
	if !seen(all, peer.EventRequest) {
		t.Error("all events are without that of a request")
	}
	if err := b.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if seen(few, peer.EventPeerDown) {
		t.Error("few events have that of a request")
	}
	if got := a.Observed(); !slices.Contains(got, a.Servers()[0]) {
		t.Errorf("the node is seen as %v, want %s too", got, a.Servers()[0])
	}
}

// A panic ends the node, which says why, and no other.
func TestPanicEndsTheNode(t *testing.T) {
	other := open(t, realnet.Config{Listen: []string{"tcp://127.0.0.1:0"}})
	c := realnet.Config{Bootstrap: other.Servers()}
	c.Peer.Dialable = func(actors.Address) bool { panic("a bug") }
	n, err := realnet.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	<-n.Done()
	if err := n.Wait(); err == nil || !strings.Contains(err.Error(), "a bug") || !strings.Contains(err.Error(), "config_test.go") {
		t.Errorf("the node ended with %v, want the panic and its stack", err)
	}
	if err := n.Save(t.Context(), "tcp://192.0.2.1:1"); !errors.Is(err, realnet.ErrClosed) {
		t.Errorf("Save after the end: %v", err)
	}
	if err := n.Close(t.Context()); err != nil {
		t.Errorf("Close after the end: %v", err)
	}
	if err := other.Save(t.Context(), "tcp://192.0.2.1:1"); err != nil {
		t.Errorf("another node of the host: %v", err)
	}
}

// An Open that fails gives everything back.
func TestOpenThatFails(t *testing.T) {
	dir := t.TempDir()
	a := open(t, realnet.Config{Listen: []string{"tcp://127.0.0.1:0"}, Data: dir})
	for _, c := range []realnet.Config{
		{Listen: []string{"ws://127.0.0.1:0", a.Servers()[0]}},
		{Listen: []string{"ws://127.0.0.1:0"}, Data: dir},
		{Listen: []string{"ws://127.0.0.1:0", "smoke://127.0.0.1:0"}},
		{Listen: slices.Repeat([]string{"ws://127.0.0.1:0"}, 5)},
		{Bootstrap: []string{"smoke://127.0.0.1:1"}},
		{Advertise: []string{"ws://0.0.0.0:1"}},
		{Peer: peer.Config{Connections: -1}},
	} {
		if n, err := realnet.Open(t.Context(), c); err == nil {
			t.Errorf("%+v opens", c)
			_ = n.Close(t.Context())
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := realnet.Open(ctx, realnet.Config{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Open with a context that has ended: %v", err)
	}
}

// What happens too often is logged once a second, with how often it was not.
func TestLogIsBounded(t *testing.T) {
	var log strings.Builder
	n := open(t, realnet.Config{
		Listen: []string{"tcp://127.0.0.1:0"}, Peer: quiet(),
		Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	for range 200 {
		throw(t, n.Servers()[0], []byte{0x01, 0x80}, false, false)
	}
	until(t, "all are counted", func() bool { return n.Counts()["conn.malformed"] == 200 })
	if err := n.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(log.String(), "conn.malformed"); lines == 0 || lines > 20 {
		t.Errorf("%d lines of 200 events:\n%s", lines, log.String())
	}
}
