package peer_test

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"peernet/actors"
	"peernet/actors/peer"
	"peernet/actors/wire"
	"peernet/sim"
)

// A script is the root actor of a node that tests play by hand. Every link it
// accepts or dials is an end.
type script struct {
	rig  *rig
	at   sim.NodeID
	play player // for accepted links
	ends []*end // accepted, in the order they came
}

// A player reacts to what an end receives; m is nil when the link comes up.
type player func(e *end, m actors.Message)

// An end is one end of a scripted peer's link.
type end struct {
	script *script
	to     actors.Address // dialled
	link   actors.Link
	play   player
	got    []actors.Message
	at     []time.Duration // when each of got came
	down   *actors.LinkDown
}

// A command makes a script act.
type command struct{ do func(actors.Context) }

var commandKind = actors.RegisterMessage("peer_test.command", nil)

// Kind implements [actors.Message].
func (*command) Kind() actors.Kind { return commandKind }

// Append implements [actors.Message].
func (*command) Append(b []byte) []byte { return b }

// script adds a scripted peer.
func (r *rig) script(p player) *script {
	s := &script{rig: r, at: r.take(), play: p}
	r.sim.Start(s.at, s)
	return s
}

// Receive implements [actors.Actor].
func (s *script) Receive(ctx actors.Context, m actors.Message) {
	switch m := m.(type) {
	case *command:
		m.do(ctx)
	case *actors.LinkIn:
		e := &end{script: s, link: m.Link, play: s.play}
		s.ends = append(s.ends, e)
		m.Link.Bind(ctx.Spawn("end", e))
	}
}

// dial opens a link to a node.
func (s *script) dial(n *testNode, p player) *end {
	e := &end{script: s, to: sim.AddressOf(n.at), play: p}
	s.rig.sim.Send(s.at, &command{func(ctx actors.Context) { ctx.Spawn("end", e) }})
	return e
}

// Receive implements [actors.Actor].
func (e *end) Receive(ctx actors.Context, m actors.Message) {
	switch m := m.(type) {
	case *actors.Started:
		if e.link == nil {
			ctx.Dial(e.to)
			return
		}
		e.react(nil)
	case *actors.LinkUp:
		e.link = m.Link
		m.Link.Bind(ctx.Self())
		e.react(nil)
	case *actors.LinkDown:
		e.down = m
	default:
		e.got = append(e.got, m)
		e.at = append(e.at, time.Duration(ctx.Now()))
		e.react(m)
	}
}

func (e *end) react(m actors.Message) {
	if e.play != nil {
		e.play(e, m)
	}
}

// put sends messages from inside a player.
func (e *end) put(list ...actors.Message) {
	for _, m := range list {
		_ = e.link.Send(m)
	}
}

// send sends messages now, from outside.
func (e *end) send(list ...actors.Message) {
	e.script.rig.sim.Send(e.script.at, &command{func(actors.Context) { e.put(list...) }})
}

// sendHex sends bytes written in hexadecimal, spaces allowed.
func (e *end) sendHex(s string) { e.send(raw(s)) }

func raw(s string) sim.Bytes {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return sim.Bytes(b)
}

// forget drops what was received so far.
func (e *end) forget() { e.got, e.at = nil, nil }

// frames returns the frames received of a type.
func (e *end) frames(typ string) (list []*wire.Frame) {
	for _, m := range e.got {
		if f, ok := m.(*wire.Frame); ok && f.Body.Type == typ {
			list = append(list, f)
		}
	}
	return list
}

// goodbye returns the reason of the goodbye received, or 0.
func (e *end) goodbye() wire.GoodbyeReason {
	for _, m := range e.got {
		if g, ok := m.(*wire.Goodbye); ok {
			return g.Reason
		}
	}
	return 0
}

// count is how many messages of a type were received.
func count[T actors.Message](e *end) (n int) {
	for _, m := range e.got {
		if _, ok := m.(T); ok {
			n++
		}
	}
	return n
}

// conversation writes what was received, one line a message. Random ids are
// left out.
func (e *end) conversation() (lines []string) {
	for _, m := range e.got {
		lines = append(lines, describe(m))
	}
	return lines
}

func describe(m actors.Message) string {
	switch m := m.(type) {
	case *wire.Frame:
		kind := "request"
		if m.Response {
			kind = "response"
		}
		s := fmt.Sprintf("%s %s hops=%d limit=%d data=%q", kind, m.Body.Type, m.Hops, m.Body.Limit, m.Body.Data)
		if h := m.Body.Hello; h != nil {
			s += fmt.Sprintf(" hello{%d %q %v %v %d}", h.Version, h.Network, h.Advertised, h.Observed, h.Wanted)
		}
		return s
	case *wire.Addresses:
		texts := []string{}
		for _, a := range m.List {
			texts = append(texts, a.String())
		}
		slices.Sort(texts)
		return fmt.Sprintf("addresses %v", texts)
	case *wire.AddressRequest:
		return fmt.Sprintf("address request %d", m.N)
	case *wire.Goodbye:
		return "goodbye " + m.Reason.String()
	}
	return fmt.Sprintf("%T", m)
}

// frame builds a request or response.
func frame(response bool, hops uint32, b wire.Body) *wire.Frame {
	return &wire.Frame{Body: wire.NewBody(b), Hops: hops, Response: response}
}

// hello is a hello request; h is nil for version 2.
func hello(nonce string, id peer.NodeID, h *wire.Hello) *wire.Frame {
	return frame(false, 0, wire.Body{ID: nonce, Type: wire.TypeHello, Data: string(id[:]), Limit: 1, Hello: h})
}

// answerTo answers a hello request.
func answerTo(f *wire.Frame, id peer.NodeID) *wire.Frame {
	return frame(true, 0, wire.Body{ID: "r" + f.Body.ID[:4], Reply: f.Body.ID, Type: wire.TypeHello, Data: string(id[:])})
}

// polite plays the handshake of an id, version 2 if h is nil, and answers
// hellos and pings ever after.
func polite(id peer.NodeID, h *wire.Hello) player {
	return func(e *end, m actors.Message) {
		switch m := m.(type) {
		case nil:
			e.put(hello("hell", id, h))
		case *wire.Frame:
			if !m.Response && m.Body.Type == wire.TypeHello {
				e.put(answerTo(m, id))
			}
		case *wire.Ping:
			e.put(&wire.Pong{Nonce: m.Nonce})
		}
	}
}

// v3 is the extension that makes a hello one of version 3.
func v3() *wire.Hello { return &wire.Hello{Version: 3} }
