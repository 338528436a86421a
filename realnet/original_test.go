//go:build !js

package realnet_test

import (
	"bufio"
	"bytes"
	"context"
	crand "crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"google.golang.org/protobuf/encoding/protowire"
)

// An original is a version 2 peer, as the JavaScript original behaves: scripted
// here on its own, with an encoder and a decoder that share nothing with ours.
type original struct {
	t  *testing.T
	id string // 16 bytes
	at string // where it listens

	mu     sync.Mutex
	known  map[string]bool // its database
	links  []*originalLink
	origin map[string]*originalLink // by the id of a request
	got    []v2message              // requests and responses other than _hello and _addrs
	closed bool
	group  sync.WaitGroup

	listener net.Listener
}

type originalLink struct {
	io.ReadWriteCloser
	of    *original
	write sync.Mutex
	hello string // the id of our hello
	addrs string // the id of our address request
	up    bool
	node  string // the id that the other end says it has
	ids   []string
}

// A v2message is a request or response of version 2.
type v2message struct {
	response             bool
	id, reply, typ, data string
	hops                 uint64
	limit                int // −1 is absent
}

// encode writes a message as the original does.
func (m v2message) encode() []byte {
	b := protowire.AppendBytes([]byte{0x0a}, []byte(m.id))
	b = protowire.AppendVarint(append(b, 0x10), m.hops)
	if m.reply != "" {
		b = protowire.AppendBytes(append(b, 0x1a), []byte(m.reply))
	}
	if m.typ != "" {
		b = protowire.AppendBytes(append(b, 0x22), []byte(m.typ))
	}
	if m.data != "" {
		b = protowire.AppendBytes(append(b, 0x2a), []byte(m.data))
	}
	if m.limit >= 0 {
		b = protowire.AppendVarint(append(b, 0x30), uint64(m.limit))
	}
	tag := byte(0x0a)
	if m.response {
		tag = 0x12
	}
	body := protowire.AppendBytes([]byte{tag}, b)
	return append(protowire.AppendVarint(nil, uint64(len(body))), body...)
}

// decodeV2 reads a message as the original does: unknown fields are skipped. ok is
// false for a Message with neither member.
func decodeV2(body []byte) (m v2message, ok bool, err error) {
	m.limit = -1
	err = eachV2(body, func(n protowire.Number, v []byte, _ uint64) error {
		if n != 1 && n != 2 {
			return nil
		}
		m.response, ok = n == 2, true
		return eachV2(v, func(n protowire.Number, v []byte, x uint64) error {
			switch n {
			case 1:
				m.id = string(v)
			case 2:
				m.hops = x
			case 3:
				m.reply = string(v)
			case 4:
				m.typ = string(v)
			case 5:
				m.data = string(v)
			case 6:
				m.limit = int(x)
			}
			return nil
		})
	})
	return m, ok, err
}

func eachV2(b []byte, f func(protowire.Number, []byte, uint64) error) error {
	for len(b) > 0 {
		n, t, k := protowire.ConsumeTag(b)
		if k < 0 {
			return protowire.ParseError(k)
		}
		b = b[k:]
		var v []byte
		var x uint64
		switch t {
		case protowire.BytesType:
			v, k = protowire.ConsumeBytes(b)
		case protowire.VarintType:
			x, k = protowire.ConsumeVarint(b)
		default:
			k = protowire.ConsumeFieldValue(n, t, b)
		}
		if k < 0 {
			return protowire.ParseError(k)
		}
		if err := f(n, v, x); err != nil {
			return err
		}
		b = b[k:]
	}
	return nil
}

func randomText(n int) string {
	b := make([]byte, n)
	_, _ = crand.Read(b)
	return string(b)
}

// newOriginal starts a version 2 peer that listens over TCP.
func newOriginal(t *testing.T, known ...string) *original {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := &original{t: t, id: randomText(16), at: "tcp://" + l.Addr().String(), known: map[string]bool{}, origin: map[string]*originalLink{}}
	o.known[o.at] = true
	for _, a := range known {
		o.known[a] = true
	}
	o.group.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			o.attach(c)
		}
	})
	o.listener = l
	t.Cleanup(o.stop)
	return o
}

// stop ends the peer, as a kill would.
func (o *original) stop() {
	o.mu.Lock()
	o.closed = true
	links := o.links
	o.mu.Unlock()
	_ = o.listener.Close()
	for _, l := range links {
		_ = l.Close()
	}
	o.group.Wait()
}

// connect dials an address over TCP or WebSocket, and starts the handshake.
func (o *original) connect(at string) *originalLink {
	o.t.Helper()
	if hostport, ok := strings.CutPrefix(at, "tcp://"); ok {
		c, err := net.Dial("tcp", hostport)
		if err != nil {
			o.t.Fatal(err)
		}
		return o.attach(c)
	}
	ctx, cancel := context.WithTimeout(o.t.Context(), 10*time.Second)
	defer cancel()
	c, _, err := websocket.Dial(ctx, at, nil)
	if err != nil {
		o.t.Fatal(err)
	}
	return o.attach(websocket.NetConn(context.Background(), c, websocket.MessageBinary))
}

// attach greets the other end of a link, and serves it.
func (o *original) attach(c io.ReadWriteCloser) *originalLink {
	l := &originalLink{ReadWriteCloser: c, of: o, hello: randomText(4), addrs: randomText(4)}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		_ = c.Close()
		return l
	}
	o.links = append(o.links, l)
	o.group.Go(l.serve)
	// The original's first two requests are one message.
	l.send(append(v2message{id: l.hello, typ: "_hello", data: o.id, limit: 1}.encode(),
		v2message{id: l.addrs, typ: "_addrs", data: `{"size":10}`, limit: 1}.encode()...))
	return l
}

func (l *originalLink) send(b []byte) {
	l.write.Lock()
	defer l.write.Unlock()
	_, _ = l.Write(b)
}

// serve handles what the other end sends.
func (l *originalLink) serve() {
	in := bufio.NewReader(l)
	for {
		n, err := binary.ReadUvarint(in)
		if err != nil || n > 1<<16 {
			break
		}
		body := make([]byte, n)
		if _, err := io.ReadFull(in, body); err != nil {
			break
		}
		m, ok, err := decodeV2(body)
		if err != nil {
			break
		}
		if ok {
			l.of.handle(l, m)
		}
	}
	_ = l.Close()
	o := l.of
	o.mu.Lock()
	defer o.mu.Unlock()
	for i, x := range o.links {
		if x == l {
			o.links = append(o.links[:i:i], o.links[i+1:]...)
			break
		}
	}
}

func (o *original) handle(l *originalLink, m v2message) {
	o.mu.Lock()
	defer o.mu.Unlock()
	l.ids = append(l.ids, m.id)
	switch {
	case m.response && m.reply == l.hello:
		// It takes the id of the response for the peer's.
		l.up, l.node = true, m.data
	case m.response && m.reply == l.addrs:
		o.known[m.data] = true
	case m.typ == "_hello" && !m.response:
		l.send(v2message{response: true, id: randomText(4), reply: m.id, typ: "_hello", data: o.id, limit: -1}.encode())
	case m.typ == "_addrs" && !m.response:
		o.giveAddresses(l, m)
	case m.typ == "_hello" || m.typ == "_addrs":
	case m.response:
		o.got = append(o.got, m)
		if back := o.origin[m.reply]; back != nil {
			m.hops++
			m.limit = max(m.limit, 0)
			back.send(m.encode())
		}
	case o.origin[m.id] == nil:
		o.origin[m.id] = l
		o.got = append(o.got, m)
		m.hops++
		m.limit = max(m.limit, 0)
		o.forward(l, m)
	}
}

// forward sends a request on to three others.
func (o *original) forward(from *originalLink, m v2message) {
	sent := 0
	for _, i := range rand.Perm(len(o.links)) {
		if l := o.links[i]; l != from && l.up && sent < 3 {
			l.send(m.encode())
			sent++
		}
	}
}

// giveAddresses answers a request for addresses. It honours limit, not size, and a
// small database repeats itself.
func (o *original) giveAddresses(l *originalLink, m v2message) {
	var ask struct{ Limit int }
	_ = json.Unmarshal([]byte(m.data), &ask)
	if ask.Limit == 0 {
		ask.Limit = 10
	}
	var list []string
	for a := range o.known {
		list = append(list, a)
	}
	for range ask.Limit {
		l.send(v2message{response: true, id: randomText(4), reply: m.id, typ: "_addrs", data: list[rand.IntN(len(list))], limit: 1}.encode())
	}
}

// askAgain asks all peers for addresses, and dials somebody it knows.
func (o *original) askAgain() {
	o.mu.Lock()
	links := append([]*originalLink(nil), o.links...)
	var list []string
	for a := range o.known {
		if a != o.at && strings.HasPrefix(a, "tcp://") {
			list = append(list, a)
		}
	}
	for _, l := range links {
		l.send(v2message{id: l.addrs, typ: "_addrs", data: `{"size":10}`, limit: 1}.encode())
		l.addrs = randomText(4)
		l.send(v2message{id: l.addrs, typ: "_addrs", data: `{"size":10}`, limit: 1}.encode())
	}
	o.mu.Unlock()
	if len(links) < 4 && len(list) > 0 {
		if c, err := net.Dial("tcp", strings.TrimPrefix(list[rand.IntN(len(list))], "tcp://")); err == nil {
			o.attach(c)
		}
	}
}

// announce sends a request to all peers.
func (o *original) announce(typ, data string) (id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	id = randomText(4)
	for _, l := range o.links {
		if l.up {
			l.send(v2message{id: id, typ: typ, data: data, limit: -1}.encode())
		}
	}
	return id
}

// reply answers a request by the link that it came over.
func (o *original) reply(request, data string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	l := o.origin[request]
	l.send(v2message{response: true, id: randomText(4), reply: request, typ: "search", data: data, limit: 0}.encode())
}

// ended reports whether the link is over.
func (l *originalLink) ended() bool {
	l.of.mu.Lock()
	defer l.of.mu.Unlock()
	return !slices.Contains(l.of.links, l)
}

// ups counts the links that are up.
func (o *original) ups() (n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, l := range o.links {
		if l.up {
			n++
		}
	}
	return n
}

// heard returns the messages that fit.
func (o *original) heard(fits func(v2message) bool) (list []v2message) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, m := range o.got {
		if fits(m) {
			list = append(list, m)
		}
	}
	return list
}

// The scripted peer writes the bytes that were captured from the original.
func TestScriptedOriginalWritesTheCapturedBytes(t *testing.T) {
	text := func(s string) string {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for want, m := range map[string]v2message{
		"260a240a04b2f94c06100022065f68656c6c6f2a10ff61921f88869b1c9fa18f15c4298fdd3001": {
			id: text("b2f94c06"), typ: "_hello", data: text("ff61921f88869b1c9fa18f15c4298fdd"), limit: 1},
		"210a1f0a04afe9eff9100022065f61646472732a0b7b2273697a65223a31307d3001": {
			id: text("afe9eff9"), typ: "_addrs", data: `{"size":10}`, limit: 1},
		"2a12280a04da57193c10001a04b2f94c0622065f68656c6c6f2a106aa96971a171b47f6dbd73bc1aa47714": {
			response: true, id: text("da57193c"), reply: text("b2f94c06"), typ: "_hello", data: text("6aa96971a171b47f6dbd73bc1aa47714"), limit: -1},
		"2e122c0a04f45d7e4610001a04afe9eff922065f61646472732a1277733a2f2f31302e302e302e313a313131313001": {
			response: true, id: text("f45d7e46"), reply: text("afe9eff9"), typ: "_addrs", data: "ws://10.0.0.1:1111", limit: 1},
		"1c0a1a0a0413e445a1100022067365617263682a087768617465766572": {
			id: text("13e445a1"), typ: "search", data: "whatever", limit: -1},
		"2412220a0413e445a110001a0413e445a122067365617263682a086f626a7265706c793000": {
			response: true, id: text("13e445a1"), reply: text("13e445a1"), typ: "search", data: "objreply", limit: 0},
		"170a150a04aaaaaa01100122067365617263682a01713000": {
			id: text("aaaaaa01"), hops: 1, typ: "search", data: "q", limit: 0},
	} {
		if got := hex.EncodeToString(m.encode()); got != want {
			t.Errorf("%+v is written as\n%s, want\n%s", m, got, want)
		}
		raw, _ := hex.DecodeString(want)
		if back, ok, err := decodeV2(raw[1:]); err != nil || !ok || !bytes.Equal(back.encode(), raw) {
			t.Errorf("%s is read as %+v, %v", want, back, errors.Join(err))
		}
	}
}
