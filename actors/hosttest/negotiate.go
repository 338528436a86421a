package hosttest

import (
	"slices"

	"peernet/actors"
	"peernet/actors/wire"
)

// Hosts may leave out negotiation.
var negotiationTests = []test{
	{"two ends that hear each other's signals get one link", negotiateUp},
	{"the first answer counts", negotiateTwice},
	{"two nodes can make each other offers at once", negotiateCrossed},
	{"an attempt that is cancelled is answered once", negotiateCancelled},
	{"a signal of nobody's leads nowhere", negotiateNobody},
	{"an attempt ends with its actor", negotiateEnds},
	{"a negotiated link falls with its node", negotiateCrash},
	{"hosts that cannot negotiate say so", negotiateUnsupported},
}

// A party is one of two nodes that negotiate, over a link on which they tell each
// other their signals.
type party struct {
	b       *bench
	who     string
	dial    actors.Address // of the other, zero for who waits
	offers  bool
	told    actors.Link // where the signals go
	links   []actors.Link
	ids     []actors.DialID
	onEvent func(p *party, ctx actors.Context, m actors.Message) // after what it does by itself
}

func (p *party) actor() actors.Actor { return p.b.actor(p.receive) }

// can returns what the host can do, nil if it cannot negotiate.
func (p *party) can(ctx actors.Context) actors.Negotiation {
	n, ok := ctx.(actors.Negotiation)
	if !ok || !n.CanNegotiate() {
		p.b.note("host", "cannot negotiate")
		return nil
	}
	return n
}

func (p *party) receive(ctx actors.Context, m actors.Message) {
	switch m := m.(type) {
	case *actors.Started:
		if p.can(ctx) != nil && !p.dial.IsZero() {
			ctx.Dial(p.dial)
		}
	case *actors.LinkIn:
		p.tell(ctx, m.Link)
	case *actors.LinkUp:
		if p.told == nil {
			p.tell(ctx, m.Link)
			break
		}
		p.up(ctx, m)
	case *actors.LinkDown:
		p.b.note(p.who, "%s", describe(m))
	case *actors.Described:
		if !slices.Contains(p.ids, m.ID) {
			p.b.Errorf("%s: Described has the id %d, want one of %d", p.who, m.ID, p.ids)
		}
		s := wire.Signal{Answer: m.Signal.Setup != actors.SetupActPass, Signal: *m.Signal}
		if err := p.told.Send(signalFrame(&s)); err != nil {
			p.b.Errorf("%s: %v", p.who, err)
		}
	case *wire.Frame:
		s, err := wire.ParseSignal(m.Body.Data)
		if err != nil {
			p.b.Errorf("%s: %v", p.who, err)
			break
		}
		if s.Answer {
			p.can(ctx).Accept(p.ids[0], &s.Signal)
		} else {
			p.ids = append(p.ids, p.can(ctx).Answer(&s.Signal))
		}
	default:
		p.b.note(p.who, "%s", describe(m))
	}
	if p.onEvent != nil {
		p.onEvent(p, ctx, m)
	}
}

// tell makes l the link for signals. Who offers does so then.
func (p *party) tell(ctx actors.Context, l actors.Link) {
	p.told = l
	l.Bind(ctx.Self())
	if p.offers {
		p.ids = append(p.ids, p.can(ctx).Offer())
	}
}

// up takes a negotiated link, and greets on it.
func (p *party) up(ctx actors.Context, m *actors.LinkUp) {
	if !slices.Contains(p.ids, m.ID) {
		p.b.Errorf("%s: LinkUp has the id %d, want one of %d", p.who, m.ID, p.ids)
	}
	p.b.note(p.who, "up")
	p.links = append(p.links, m.Link)
	m.Link.Bind(ctx.Self())
	for n := range uint64(3) {
		_ = m.Link.Send(&wire.Ping{Nonce: n}) // the other end may have given up already
	}
}

func signalFrame(s *wire.Signal) *wire.Frame {
	return wire.NewFrame(wire.Frame{}, wire.Body{ID: "id", Type: wire.TypeSignal, Data: s.Data()})
}

// parties starts node 1, which answers, and node 0, which dials it and offers. It
// skips the test where the host cannot negotiate.
func (b *bench) parties(zero, one *party) {
	zero.b, zero.who, zero.dial, zero.offers = b, "0", b.host.Address(1), true
	one.b, one.who = b, "1"
	b.host.Start(1, one.actor())
	b.host.Start(0, zero.actor())
	b.run(settle)
	if len(b.noted("host")) > 0 {
		b.Skip("the host cannot negotiate")
	}
}

var upAndGreeted = []string{"up", "ping 0", "ping 1", "ping 2"}

func negotiateUp(b *bench) {
	closes := func(p *party, ctx actors.Context, m actors.Message) {
		if ping, ok := m.(*wire.Ping); ok && ping.Nonce == 2 {
			b.sendPings(p.links[0], 3, 5)
			p.links[0].Close()
		}
	}
	b.parties(&party{}, &party{onEvent: closes})
	b.want("1", upAndGreeted...)
	b.want("0", append(slices.Clone(upAndGreeted), "ping 3", "ping 4", "down: closed")...)
}

func negotiateTwice(b *bench) {
	again := func(p *party, ctx actors.Context, m actors.Message) {
		if f, ok := m.(*wire.Frame); ok {
			s, _ := wire.ParseSignal(f.Body.Data)
			s.Ufrag, s.Pwd = "another", "another+another+another+another"
			p.can(ctx).Accept(p.ids[0], &s.Signal)
			p.can(ctx).Accept(p.ids[0]+1000, &s.Signal)
		}
	}
	b.parties(&party{onEvent: again}, &party{})
	b.want("0", upAndGreeted...)
	b.want("1", upAndGreeted...)
}

// negotiateCrossed has both offer. Each answers the other, so there are two links.
func negotiateCrossed(b *bench) {
	b.parties(&party{}, &party{offers: true})
	for _, who := range []string{"0", "1"} {
		if b.count(who, "up") != 2 || b.count(who, "ping") != 6 || b.count(who, "no link") > 0 {
			b.Errorf("%s heard %v, want two links", who, b.noted(who))
		}
	}
}

func negotiateCancelled(b *bench) {
	stages := map[string]func(m actors.Message) bool{
		"dialling":   func(m actors.Message) bool { _, ok := m.(*actors.LinkUp); return ok },
		"described":  func(m actors.Message) bool { _, ok := m.(*actors.Described); return ok },
		"accepted":   func(m actors.Message) bool { _, ok := m.(*wire.Frame); return ok },
		"first ping": func(m actors.Message) bool { _, ok := m.(*wire.Ping); return ok },
	}
	for stage, at := range stages {
		c := b.another()
		cancel := func(p *party, ctx actors.Context, m actors.Message) {
			if at(m) && len(p.ids) > 0 {
				ctx.CancelDial(p.ids[0])
				ctx.CancelDial(p.ids[0])
			}
		}
		c.parties(&party{onEvent: cancel}, &party{})
		if n := c.count("0", "up") + c.count("0", "no link: canceled"); n != 1 {
			b.Errorf("cancelled at %q: %d answers: %v", stage, n, c.noted("0"))
		}
		if stage == "first ping" {
			c.want("0", upAndGreeted...)
		} else if c.count("0", "up") == 0 && c.count("1", "up") > 0 && c.count("1", "down") == 0 {
			b.Errorf("cancelled at %q: the other end keeps its link: %v", stage, c.noted("1"))
		}
	}
}

func negotiateNobody(b *bench) {
	b.host.Start(0, b.named("0", func(ctx actors.Context, m actors.Message) {
		n, ok := ctx.(actors.Negotiation)
		if !ok || !n.CanNegotiate() {
			b.note("host", "cannot negotiate")
			return
		}
		switch m := m.(type) {
		case *actors.Started:
			n.Offer()
		case *actors.Described:
			s := *m.Signal
			if s.Setup != actors.SetupActPass {
				b.note("0", "answers")
				return
			}
			s.Ufrag, s.Pwd, s.Fingerprint = "nobody", "nobody+nobody+nobody+nobody", [32]byte{1}
			ctx.CancelDial(n.Answer(&s))
			n.Answer(&s)
			answer := s
			answer.Setup = actors.SetupActive
			n.Accept(m.ID, &answer)
		}
	}))
	b.run(settle)
	if len(b.noted("host")) > 0 {
		b.Skip("the host cannot negotiate")
	}
	if b.count("0", "up") > 0 || b.count("0", "no link: canceled") != 1 {
		b.Errorf("a link to nobody, or one that was cancelled goes on: %v", b.noted("0"))
	}
}

func negotiateEnds(b *bench) {
	stop := func(p *party, ctx actors.Context, m actors.Message) {
		if _, ok := m.(*wire.Frame); ok {
			ctx.Stop(ctx.Self())
		}
	}
	b.parties(&party{onEvent: stop}, &party{})
	b.want("0")
	if b.count("1", "up") > 0 && b.count("1", "down") < 2 {
		b.Errorf("the other end keeps its link: %v", b.noted("1"))
	}
}

func negotiateCrash(b *bench) {
	b.parties(&party{}, &party{})
	b.want("1", upAndGreeted...)
	b.host.Crash(0, true)
	b.run(settle)
	if b.count("1", "down") != 2 { // that of the signals too
		b.Errorf("after a crash of the other end: %v", b.noted("1"))
	}
}

func negotiateUnsupported(b *bench) {
	b.host.Start(0, b.named("0", func(ctx actors.Context, m actors.Message) {
		n, ok := ctx.(actors.Negotiation)
		if !isStarted(m) {
			return
		}
		if !ok || n.CanNegotiate() {
			b.note("host", "can negotiate, or has not even the methods")
			return
		}
		n.Offer()
		n.Answer(&actors.Signal{})
		n.Accept(77, &actors.Signal{})
	}))
	b.run(settle)
	if len(b.noted("host")) > 0 {
		b.Skip("the host can negotiate, or has not even the methods")
	}
	b.want("0", "started", "no link: unsupported", "no link: unsupported")
}
