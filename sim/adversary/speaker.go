package adversary

import (
	"strings"
	"time"

	"peernet/actors"
	"peernet/actors/peer"
	"peernet/actors/wire"
)

// Times of a speaker, as an honest node has them by default.
const (
	handshakeMax = 10 * time.Second
	// patrol is how often a link is checked: one that was silent twice, with a
	// ping between, is dead.
	patrol = 60 * time.Second
)

// wanted is how many addresses a hello asks for.
const wanted = 10

// What a speaker has done, and what it knows.
type speakerFlags uint8

const (
	gotHello  speakerFlags = 1 << iota // the peer's hello request was seen
	gotAnswer                          // our hello was answered
	isMet                              // both, and the root knows
	isHeard                            // something came since the last patrol
	isPinged                           // nothing came, and the peer was asked
	isOver                             // asked to be stopped
)

// A speaker is one link: it opens it or takes it over, does the handshake, and
// carries what the root says.
type speaker struct {
	self   *self
	link   actors.Link
	to     actors.Address // dialled, zero for links that were open
	hello  string         // the id of our hello
	who    peer.NodeID    // the peer's id, zero while unknown
	shown  actors.Address // the first that the peer advertises
	number uint32         // of the link in the machine's life
	flags  speakerFlags
}

// mute reports whether nothing at all is said on the link.
func (s *speaker) mute() bool { return s.silent() && s.number%2 == 0 }

// silent reports whether nothing but the handshake is said, or not even that.
func (s *speaker) silent() bool { return s.self.config.Role == Silent }

// Receive implements [actors.Actor].
func (s *speaker) Receive(ctx actors.Context, m actors.Message) {
	if s.flags&isOver != 0 {
		return
	}
	switch m := m.(type) {
	case *say:
		for _, x := range m.list {
			s.send(x)
		}
	case *leave:
		s.send(&wire.Goodbye{Reason: m.why})
		s.end(ctx, 0)
	case *tick:
		s.onTick(ctx)
	case *actors.Started:
		if s.link == nil {
			ctx.Dial(s.to)
			return
		}
		s.greet(ctx)
	case *actors.LinkUp:
		s.link = m.Link
		m.Link.Bind(ctx.Self())
		s.greet(ctx)
	case *actors.LinkDown, *actors.LinkMalformed:
		s.end(ctx, 0)
	default:
		s.flags |= isHeard
		s.onPeer(ctx, m)
	}
}

// send hands a message to the link. One that is full does without; a closed one
// will say so.
func (s *speaker) send(m actors.Message) { _ = s.link.Send(m) }

// greet starts the handshake on a link that has just come up.
func (s *speaker) greet(ctx actors.Context) {
	if s.mute() {
		ctx.Emit(actors.Event{Kind: EventMuted, Peer: ctx.Self(), Address: s.link.Remote()})
		ctx.After(patrol, ticks[tickSpeaker])
		return
	}
	ctx.After(handshakeMax, ticks[tickSpeaker])
	s.hello = randomID(ctx)
	id := s.self.id(s.number)
	s.send(wire.NewHello(
		wire.Body{ID: s.hello, Type: wire.TypeHello, Data: string(id[:]), Limit: 1},
		wire.Hello{
			Version: wire.Version, Network: s.self.config.Network, Advertised: s.self.advertised(s.number),
			Observed: s.link.Remote(), Wanted: wanted,
		},
	))
}

// onTick ends a link whose handshake takes too long, or whose peer is gone.
func (s *speaker) onTick(ctx actors.Context) {
	switch {
	case s.flags&isMet == 0 && !s.mute(), s.flags&(isHeard|isPinged) == isPinged:
		s.end(ctx, 0)
		return
	case s.flags&isHeard != 0:
		s.flags &^= isHeard | isPinged
	default:
		s.flags |= isPinged
		if !s.silent() {
			s.send(&wire.Ping{Nonce: ctx.Rand().Uint64()})
		}
	}
	ctx.After(patrol, ticks[tickSpeaker])
}

// onPeer handles what the peer sends.
func (s *speaker) onPeer(ctx actors.Context, m actors.Message) {
	switch m := m.(type) {
	case *wire.Frame:
		s.onFrame(ctx, m)
	case *wire.Addresses:
		if len(m.List) > 0 {
			ctx.Send(s.self.root, &told{m.List})
		}
	case *wire.AddressRequest:
		if !s.silent() {
			ctx.Send(s.self.root, &asked{m.N})
		}
	case *wire.Ping:
		if !s.silent() {
			s.send(&wire.Pong{Nonce: m.Nonce})
		}
	case *wire.Goodbye:
		s.end(ctx, m.Reason)
	}
}

func (s *speaker) onFrame(ctx actors.Context, f *wire.Frame) {
	switch typ := f.Body.Type; {
	case typ == wire.TypeHello:
		s.onHello(ctx, f)
	case strings.HasPrefix(typ, "_") || s.flags&isMet == 0: // of version 2, or too early
	case s.self.traits.hears:
		ctx.Send(s.self.root, f)
	default:
		ctx.Emit(actors.Event{Kind: EventDropped, Peer: ctx.Self(), Message: f})
	}
}

// onHello handles the peer's hello, and its answer to ours.
func (s *speaker) onHello(ctx actors.Context, f *wire.Frame) {
	if len(f.Body.Data) != wire.NodeIDLen || s.mute() {
		return
	}
	s.who = peer.NodeID([]byte(f.Body.Data))
	switch {
	case !f.Response:
		s.onHelloRequest(ctx, f.Body)
	case f.Body.Reply == s.hello:
		s.flags |= gotAnswer
	}
	if s.flags&(gotHello|gotAnswer|isMet|isOver) != gotHello|gotAnswer {
		return
	}
	s.flags |= isMet
	ctx.Send(s.self.root, &met{id: s.who, address: s.shown})
	if s.silent() {
		ctx.Emit(actors.Event{Kind: EventMuted, Peer: ctx.Self(), Address: s.link.Remote(), N: 1})
	}
}

// onHelloRequest answers a hello, and gives the addresses that it asks for.
func (s *speaker) onHelloRequest(ctx actors.Context, b *wire.Body) {
	if s.silent() && s.flags&gotHello != 0 {
		return
	}
	id := s.self.id(s.number)
	s.send(wire.NewFrame(wire.Frame{Response: true}, wire.Body{
		ID: randomID(ctx), Reply: b.ID, Type: wire.TypeHello, Data: string(id[:]),
	}))
	if s.flags&gotHello != 0 {
		return
	}
	s.flags |= gotHello
	if b.Hello == nil || b.Hello.Version < wire.Version {
		s.end(ctx, 0)
		return
	}
	if list := b.Hello.Advertised; len(list) > 0 {
		s.shown = list[0]
		ctx.Send(s.self.root, &told{list})
	}
	if b.Hello.Wanted > 0 && !s.silent() {
		ctx.Send(s.self.root, &asked{b.Hello.Wanted})
	}
}

// end closes the link, tells the root, and stops the speaker.
func (s *speaker) end(ctx actors.Context, why wire.GoodbyeReason) {
	if s.link != nil {
		s.link.Close()
	}
	s.flags |= isOver
	ctx.Send(s.self.root, &ended{why})
	ctx.Stop(ctx.Self())
}
