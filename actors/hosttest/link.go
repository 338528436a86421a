package hosttest

import (
	"slices"
	"time"

	"peernet/actors"
	"peernet/actors/wire"
)

var linkTests = []test{
	{"messages arrive in the order sent, both ways", linkOrder},
	{"what arrives waits until Bind", linkWaits},
	{"what waits for Bind is bounded, and nothing is lost silently", linkWaitsBounded},
	{"the first Bind counts", linkBindsOnce},
	{"a link bound to an actor that ended is closed", linkBoundToEnded},
	{"links between the same nodes are independent", linkIndependent},
	{"Remote of the dialling end is the address dialled", linkRemote},
}

// heard joins what an end of a link heard in front and the pings that follow.
func heard(front []string, from, below int) []string {
	return slices.Concat(front, pings(from, below))
}

func linkOrder(b *bench) {
	// Each end sends bursts, several at an instant and some later.
	const bursts, each = 20, 10
	send := func(ctx actors.Context, l actors.Link, m actors.Message) {
		n, ok := m.(*note)
		if !ok && !isUp(m) && !isIn(m) {
			return
		}
		burst := 0
		if ok {
			burst = n.N
		}
		b.sendPings(l, burst*each, (burst+1)*each)
		if burst+1 < bursts {
			ctx.After(time.Duration(burst%4)*time.Millisecond, &note{Text: "more", N: burst + 1})
		}
	}
	b.pair(send, send)
	b.run(settle)
	for _, who := range []string{"0", "1"} {
		got := slices.DeleteFunc(b.noted(who), func(s string) bool { return s == "more" })
		if want := heard(got[:2], 0, bursts*each); !slices.Equal(got, want) {
			b.Errorf("%s heard %v, want %v", who, got, want)
		}
	}
}

// bindLate returns a root that dials, or takes a link where to is zero, and
// binds it a second later.
func (b *bench) bindLate(who string, to actors.Address, f func(actors.Context, actors.Link)) actors.Actor {
	var link actors.Link
	return b.named(who, func(ctx actors.Context, m actors.Message) {
		switch m := m.(type) {
		case *actors.Started:
			if !to.IsZero() {
				ctx.Dial(to)
			}
		case *actors.LinkUp:
			link = m.Link
			ctx.After(time.Second, &note{Text: "bind"})
		case *actors.LinkIn:
			link = m.Link
			ctx.After(time.Second, &note{Text: "bind"})
		case *note:
			link.Bind(ctx.Self())
			if f != nil {
				f(ctx, link)
			}
		}
	})
}

func linkWaits(b *bench) {
	const sent = 50
	send := func(ctx actors.Context, l actors.Link, m actors.Message) {
		if isUp(m) || isIn(m) {
			b.sendPings(l, 0, sent)
		}
	}
	more := func(ctx actors.Context, l actors.Link) { b.sendPings(l, 0, 1) }
	b.host.Start(1, b.bindLate("accepts late", actors.Address{}, more))
	b.host.Start(0, b.dialler("dials", b.host.Address(1), send))
	b.host.Start(2, b.acceptor("accepts", send))
	b.host.Start(3, b.bindLate("dials late", b.host.Address(2), more))
	b.run(settle)
	b.want("accepts late", heard([]string{"started", "in", "bind"}, 0, sent)...)
	b.want("dials late", heard([]string{"started", "up", "bind"}, 0, sent)...)
	b.want("dials", heard([]string{"started", "up"}, 0, 1)...)
	b.want("accepts", heard([]string{"started", "in"}, 0, 1)...)
}

// linkWaitsBounded sends far more than a host can be expected to keep for a link
// that nobody has bound. It may hold the sender back, or end the link: then
// whoever binds it learns so after what came before.
func linkWaitsBounded(b *bench) {
	const most = 20_000
	sent := 0
	b.host.Start(1, b.bindLate("accepts late", actors.Address{}, nil))
	b.host.Start(0, b.dialler("dials", b.host.Address(1), func(ctx actors.Context, l actors.Link, m actors.Message) {
		if !isUp(m) {
			return
		}
		for sent < most && l.Send(&wire.Ping{Nonce: uint64(sent)}) == nil {
			sent++
		}
	}))
	b.run(settle)
	front := []string{"started", "in", "bind"}
	got := b.noted("accepts late")
	n := b.count("accepts late", "ping")
	if want := heard(front, 0, n); !slices.Equal(got[:min(len(want), len(got))], want) {
		b.Errorf("heard %v", got)
	}
	if downs := b.count("accepts late", "down"); n < sent && downs != 1 || n+len(front)+downs != len(got) {
		b.Errorf("of %d sent, %d arrived, then %v", sent, n, got[min(n+len(front), len(got)):])
	}
}

func linkBindsOnce(b *bench) {
	b.host.Start(1, b.named("1", func(ctx actors.Context, m actors.Message) {
		if in, ok := m.(*actors.LinkIn); ok {
			in.Link.Bind(ctx.Spawn("child", b.named("first", nil)))
			second := ctx.Spawn("child", b.named("second", nil))
			in.Link.Bind(second)
			in.Link.Bind(ctx.Self())
			// The link is not the second's, whose end does not matter to it.
			ctx.Stop(second)
		}
	}))
	b.host.Start(0, b.dialler("0", b.host.Address(1), func(ctx actors.Context, l actors.Link, m actors.Message) {
		switch m.(type) {
		case *actors.LinkUp:
			b.sendPings(l, 0, 10)
			ctx.After(time.Second, &note{Text: "more"})
		case *note:
			b.sendPings(l, 10, 20)
		}
	}))
	b.run(settle)
	b.want("first", heard([]string{"started"}, 0, 20)...)
	b.want("second", "started")
	b.want("1", "started", "in")
	b.want("0", "started", "up", "more")
}

func linkBoundToEnded(b *bench) {
	var child actors.Ref
	b.host.Start(1, b.named("1", func(ctx actors.Context, m actors.Message) {
		switch m := m.(type) {
		case *actors.Started:
			child = ctx.Spawn("child", b.named("child", nil))
			ctx.Stop(child)
		case *actors.LinkIn:
			m.Link.Bind(child)
			ctx.Spawn("child", b.named("other", nil))
		}
	}))
	b.run(settle)
	b.host.Start(0, b.dialler("0", b.host.Address(1), func(ctx actors.Context, l actors.Link, m actors.Message) {
		if isUp(m) {
			// The other end may be closed already, as far as a host can know.
			_ = l.Send(&wire.Ping{})
		}
	}))
	b.run(settle)
	b.want("0", "started", "up", "down: closed")
	b.want("1", "started", "in")
	b.want("child", "started")
	b.want("other", "started")
}

func linkIndependent(b *bench) {
	b.host.Start(1, b.collector("1"))
	there := b.host.Address(1)
	b.host.Start(0, b.actor(func(ctx actors.Context, m actors.Message) {
		if isStarted(m) {
			ctx.Spawn("child", b.dialler("stays", there, func(ctx actors.Context, l actors.Link, m actors.Message) {
				switch m.(type) {
				case *actors.LinkUp:
					ctx.After(2*time.Second, &note{Text: "send"})
				case *note:
					b.sendPings(l, 0, 1)
				}
			}))
			ctx.Spawn("child", b.dialler("closes", there, func(ctx actors.Context, l actors.Link, m actors.Message) {
				switch m.(type) {
				case *actors.LinkUp:
					ctx.After(time.Second, &note{Text: "close"})
				case *note:
					l.Close()
				}
			}))
		}
	}))
	b.run(settle)
	b.want("1", "started", "in", "in", "down: closed", ping(0))
	b.want("stays", "started", "up", "send")
	b.want("closes", "started", "up", "close")
}

func linkRemote(b *bench) {
	there, from := b.host.Address(1), b.host.Address(0).Host()
	b.pair(func(ctx actors.Context, l actors.Link, m actors.Message) {
		if l.Remote() != there {
			b.Errorf("Remote is %v, dialled was %v", l.Remote(), there)
		}
		if isUp(m) {
			ctx.After(time.Second, &note{Text: "close"})
		} else {
			l.Close()
		}
	}, func(ctx actors.Context, l actors.Link, m actors.Message) {
		// The port is any: dialling ends have their own.
		if got := l.Remote().Host(); got != from {
			b.Errorf("Remote of the accepting end has the host %q, want %q", got, from)
		}
	})
	b.run(settle)
	b.want("0", "started", "up", "close")
	b.want("1", "started", "in", "down: closed")
}
