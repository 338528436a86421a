package hosttest

import (
	"sync/atomic"

	"peernet/actors"
	"peernet/actors/wire"
)

// receive is what a play does with a message.
type receive func(ctx actors.Context, m actors.Message)

// A play is an actor made of a function. Its own part is to check what holds
// in every Receive of every actor.
type play struct {
	b       *bench
	f       receive
	inside  atomic.Bool
	started bool
	self    actors.Ref
	now     actors.Time
}

// actor returns an actor that does f.
func (b *bench) actor(f receive) actors.Actor { return &play{b: b, f: f} }

// named returns an actor that notes all that it receives, and does f, which
// may be nil.
func (b *bench) named(who string, f receive) actors.Actor {
	return b.actor(func(ctx actors.Context, m actors.Message) {
		b.note(who, "%s", describe(m))
		if f != nil {
			f(ctx, m)
		}
	})
}

// Receive implements [actors.Actor].
func (p *play) Receive(ctx actors.Context, m actors.Message) {
	if !p.inside.CompareAndSwap(false, true) {
		p.b.Errorf("Receive of %q entered while another runs", describe(m))
		return
	}
	defer p.inside.Store(false)
	switch {
	case !p.started && !isStarted(m):
		p.b.Errorf("%q came before Started", describe(m))
	case p.started && isStarted(m):
		p.b.Errorf("Started came again")
	}
	if !p.started {
		p.started, p.self = true, ctx.Self()
	}
	if ctx.Self() != p.self || p.self.IsZero() {
		p.b.Errorf("Self is %v, was %v", ctx.Self(), p.self)
	}
	if fromHost(m) && !ctx.Sender().IsZero() {
		p.b.Errorf("%q has the sender %v, want none", describe(m), ctx.Sender())
	}
	now := ctx.Now()
	if now < p.now {
		p.b.Errorf("Now went back from %v to %v", p.now, now)
	}
	p.now = now
	p.f(ctx, m)
	if ctx.Now() != now {
		p.b.Errorf("Now changed from %v to %v during Receive", now, ctx.Now())
	}
}

// fromHost reports whether no actor sends messages like m. LinkIn is missing, as
// roots pass it on, and Started, which has a sender where there is a spawner.
func fromHost(m actors.Message) bool {
	switch m.(type) {
	case *actors.Terminated, *actors.LinkUp, *actors.LinkDown, *wire.Ping, *actors.Datagram:
		return true
	}
	return false
}

// onLink is what an end of a link does: it is called with LinkUp or LinkIn,
// and with all that comes after.
type onLink func(ctx actors.Context, l actors.Link, m actors.Message)

// dialler returns a named actor that dials an address when it starts. It binds
// the link and does f, which may be nil.
func (b *bench) dialler(who string, to actors.Address, f onLink) actors.Actor {
	var link actors.Link
	return b.named(who, func(ctx actors.Context, m actors.Message) {
		if isStarted(m) {
			ctx.Dial(to)
		}
		if up, ok := m.(*actors.LinkUp); ok {
			link = up.Link
			link.Bind(ctx.Self())
		}
		if link != nil && f != nil {
			f(ctx, link, m)
		}
	})
}

// acceptor returns a named root that binds the link that comes in and does f,
// which may be nil. It is for nodes that get one link.
func (b *bench) acceptor(who string, f onLink) actors.Actor {
	var link actors.Link
	return b.named(who, func(ctx actors.Context, m actors.Message) {
		if in, ok := m.(*actors.LinkIn); ok {
			link = in.Link
			link.Bind(ctx.Self())
		}
		if link != nil && f != nil {
			f(ctx, link, m)
		}
	})
}

// pair starts node 1, which accepts, and node 0, which dials it. They note
// what they hear under "0" and "1".
func (b *bench) pair(dials, accepts onLink) {
	b.host.Start(1, b.acceptor("1", accepts))
	b.host.Start(0, b.dialler("0", b.host.Address(1), dials))
}

// collector returns a named root that takes any number of links: each gets an
// actor that notes what comes over it, under the same name.
func (b *bench) collector(who string) actors.Actor {
	return b.named(who, func(ctx actors.Context, m actors.Message) {
		if in, ok := m.(*actors.LinkIn); ok {
			in.Link.Bind(ctx.Spawn("link", b.actor(func(ctx actors.Context, m actors.Message) {
				if !isStarted(m) {
					b.note(who, "%s", describe(m))
				}
			})))
		}
	})
}

// isUp and isIn report whether m brings the link.
func isUp(m actors.Message) bool {
	_, ok := m.(*actors.LinkUp)
	return ok
}

func isIn(m actors.Message) bool {
	_, ok := m.(*actors.LinkIn)
	return ok
}
