package hosttest

import (
	"slices"
	"time"

	"peernet/actors"
	"peernet/actors/wire"
)

// Tests of how links end, by the hand of their owners.
var closeTests = []test{
	{"Close travels behind what was sent, and LinkDown comes last and once", closeLast},
	{"the closer receives nothing more", closeCloser},
	{"what waited for Bind does not reach the closer either", closePending},
	{"when both ends close neither hears of it", closeBoth},
	{"what came before LinkDown waits for Bind too", closeUnbound},
	{"a link closed before Bind is closed", closeUnboundHere},
	{"Send after Close or LinkDown fails with ErrLinkClosed", closeSend},
}

func closeLast(b *bench) {
	b.pair(func(ctx actors.Context, l actors.Link, m actors.Message) {
		switch m.(type) {
		case *actors.LinkUp:
			b.sendPings(l, 0, 50)
			l.Close()
			l.Close()
			ctx.After(time.Second, &note{Text: "again"})
		case *note:
			l.Close()
		}
	}, func(ctx actors.Context, l actors.Link, m actors.Message) {
		if _, ok := m.(*actors.LinkDown); ok {
			l.Close()
		}
	})
	b.run(settle)
	b.want("0", "started", "up", "again")
	b.want("1", append(heard([]string{"started", "in"}, 0, 50), "down: closed")...)
}

func closeCloser(b *bench) {
	b.pair(func(ctx actors.Context, l actors.Link, m actors.Message) {
		// Much is in flight, and waits in mailboxes, when the other end closes.
		switch m.(type) {
		case *actors.LinkUp:
			b.sendPings(l, 0, 100)
			ctx.After(time.Millisecond, &note{Text: "more"})
		case *note:
			if l.Send(&wire.Ping{Nonce: 100}) == nil {
				ctx.After(time.Millisecond, &note{Text: "more"})
			}
		}
	}, func(ctx actors.Context, l actors.Link, m actors.Message) {
		if describe(m) == ping(10) {
			l.Close()
		}
	})
	b.run(settle)
	b.want("1", heard([]string{"started", "in"}, 0, 11)...)
	got := slices.DeleteFunc(b.noted("0"), func(s string) bool { return s == "more" })
	if !slices.Equal(got, []string{"started", "up", "down: closed"}) {
		b.Errorf("the other end heard %v", got)
	}
}

func closePending(b *bench) {
	send := func(ctx actors.Context, l actors.Link, m actors.Message) {
		if isUp(m) {
			b.sendPings(l, 0, 10)
		}
	}
	sendAndClose := func(ctx actors.Context, l actors.Link, m actors.Message) {
		send(ctx, l, m)
		l.Close()
	}
	// One closes as soon as it bound the link, the other at a message.
	b.host.Start(1, b.bindLate("closes", actors.Address{}, func(ctx actors.Context, l actors.Link) { l.Close() }))
	var link actors.Link
	b.host.Start(3, b.named("closes later", func(ctx actors.Context, m actors.Message) {
		switch m := m.(type) {
		case *actors.LinkIn:
			link = m.Link
			ctx.After(time.Second, &note{Text: "bind"})
		case *note:
			link.Bind(ctx.Self())
		case *wire.Ping:
			if m.Nonce == 3 {
				link.Close()
			}
		}
	}))
	b.host.Start(0, b.dialler("0", b.host.Address(1), send))
	b.host.Start(2, b.dialler("2", b.host.Address(3), sendAndClose))
	b.run(settle)
	b.want("closes", "started", "in", "bind")
	b.want("closes later", heard([]string{"started", "in", "bind"}, 0, 4)...)
	b.want("0", "started", "up", "down: closed")
	b.want("2", "started", "up")
}

// closeBoth has both ends close links at about the same time, so that some
// closes meet on the way. An end may hear of the other's before its own.
func closeBoth(b *bench) {
	const links = 50
	there := b.host.Address(1)
	// end returns the owner of an end, which closes it after a delay.
	end := func(delay time.Duration) actors.Actor {
		var link actors.Link
		closed := false
		return b.actor(func(ctx actors.Context, m actors.Message) {
			if closed {
				b.Errorf("%q came after Close", describe(m))
			}
			switch m := m.(type) {
			case *actors.Started:
				if delay == 0 {
					ctx.Dial(there)
				}
			case *actors.LinkUp:
				ctx.Send(ctx.Self(), &actors.LinkIn{Link: m.Link})
			case *actors.LinkIn:
				link = m.Link
				link.Bind(ctx.Self())
				ctx.After(time.Second+delay, &note{Text: "close"})
			case *note:
				b.note("ends", "close")
				link.Close()
				closed = true
			}
		})
	}
	b.host.Start(1, b.actor(func(ctx actors.Context, m actors.Message) {
		if isIn(m) {
			ins := len(b.noted("ins"))
			b.note("ins", "in")
			ctx.Send(ctx.Spawn("end", end(1+time.Duration(ins)*time.Millisecond)), m)
		}
	}))
	b.host.Start(0, b.actor(func(ctx actors.Context, m actors.Message) {
		if isStarted(m) {
			for range links {
				ctx.Spawn("end", end(0))
			}
		}
	}))
	b.run(settle)
	if got := b.count("ends", "close"); got != 2*links {
		b.Errorf("%d ends were closed, want %d", got, 2*links)
	}
}

func closeUnbound(b *bench) {
	sendAndClose := func(ctx actors.Context, l actors.Link, m actors.Message) {
		b.sendPings(l, 0, 5)
		l.Close()
	}
	b.host.Start(1, b.bindLate("accepts late", actors.Address{}, nil))
	b.host.Start(0, b.dialler("dials", b.host.Address(1), sendAndClose))
	b.host.Start(2, b.acceptor("accepts", sendAndClose))
	b.host.Start(3, b.bindLate("dials late", b.host.Address(2), nil))
	b.run(settle)
	b.want("accepts late", append(heard([]string{"started", "in", "bind"}, 0, 5), "down: closed")...)
	b.want("dials late", append(heard([]string{"started", "up", "bind"}, 0, 5), "down: closed")...)
	b.want("dials", "started", "up")
	b.want("accepts", "started", "in")
}

func closeUnboundHere(b *bench) {
	var link actors.Link
	b.host.Start(1, b.named("1", func(ctx actors.Context, m actors.Message) {
		switch m := m.(type) {
		case *actors.LinkIn:
			link = m.Link
			link.Close()
			ctx.After(time.Second, &note{Text: "bind"})
		case *note:
			link.Bind(ctx.Self())
		}
	}))
	b.host.Start(0, b.dialler("0", b.host.Address(1), nil))
	b.run(settle)
	b.want("1", "started", "in", "bind")
	b.want("0", "started", "up", "down: closed")
}

func closeSend(b *bench) {
	fails := func(when string, l actors.Link) {
		for range 2 {
			if err := l.Send(&wire.Ping{Nonce: 9}); err != actors.ErrLinkClosed {
				b.Errorf("Send after %s: %v, want %v", when, err, actors.ErrLinkClosed)
			}
		}
	}
	b.pair(func(ctx actors.Context, l actors.Link, m actors.Message) {
		switch m.(type) {
		case *actors.LinkUp:
			b.sendPings(l, 0, 1)
			l.Close()
			fails("Close", l)
			ctx.After(time.Second, &note{Text: "later"})
		case *note:
			fails("Close", l)
		}
	}, func(ctx actors.Context, l actors.Link, m actors.Message) {
		switch m.(type) {
		case *actors.LinkDown:
			fails("LinkDown", l)
			ctx.After(time.Second, &note{Text: "later"})
		case *note:
			fails("LinkDown", l)
		}
	})
	b.run(settle)
	b.want("0", "started", "up", "later")
	b.want("1", "started", "in", ping(0), "down: closed", "later")
}
