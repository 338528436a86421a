package hosttest

import (
	"fmt"
	"time"

	"peernet/actors"
)

var dialTests = []test{
	{"a dial is answered by one LinkUp with its id, and the other root gets one LinkIn", dialUp},
	{"the answer comes to the actor that dialled", dialByChild},
	{"a dial is refused where nobody runs", dialRefused},
	{"a dial to an address without transport goes down", dialUnsupported},
	{"a dial that is cancelled is answered once", dialCancelled},
	{"cancelling a dial that was answered does nothing", dialCancelledLate},
	{"a node can dial itself", dialSelf},
	{"many nodes dial at the same time", dialMany},
}

func dialUp(b *bench) {
	const dials = 20
	there := b.host.Address(1)
	b.host.Start(1, b.collector("1"))
	open := map[actors.DialID]bool{}
	b.host.Start(0, b.named("0", func(ctx actors.Context, m actors.Message) {
		switch m := m.(type) {
		case *actors.Started:
			for range dials {
				id := ctx.Dial(there)
				if id == 0 || open[id] {
					b.Errorf("Dial returned %d, which is another's or none", id)
				}
				open[id] = true
			}
		case *actors.LinkUp:
			if !open[m.ID] {
				b.Errorf("LinkUp has the id %d of no open dial", m.ID)
			}
			delete(open, m.ID)
			m.Link.Bind(ctx.Self())
		}
	}))
	b.run(settle)
	if got := b.count("0", "up"); got != dials || len(b.noted("0")) != 1+dials {
		b.Errorf("%d dials were answered by %v", dials, b.noted("0"))
	}
	if got := b.count("1", "in"); got != dials || len(b.noted("1")) != 1+dials {
		b.Errorf("of %d dials the other node heard %v", dials, b.noted("1"))
	}
}

func dialByChild(b *bench) {
	there, nobody := b.host.Address(1), b.host.Address(2)
	b.host.Start(1, b.collector("1"))
	b.host.Start(0, b.named("0", func(ctx actors.Context, m actors.Message) {
		if isStarted(m) {
			ctx.Spawn("child", b.dialler("finds", there, nil))
			ctx.Spawn("child", b.dialler("fails", nobody, nil))
		}
	}))
	b.run(settle)
	b.want("0", "started")
	b.want("finds", "started", "up")
	b.want("fails", "started", "no link: refused")
}

// failing returns a root that dials addresses one after the other, of which
// none answers with a link.
func (b *bench) failing(who string, addresses ...actors.Address) actors.Actor {
	var id actors.DialID
	return b.named(who, func(ctx actors.Context, m actors.Message) {
		if down, ok := m.(*actors.LinkDown); ok && down.ID != id {
			b.Errorf("LinkDown has the id %d, want %d", down.ID, id)
		}
		if len(addresses) > 0 {
			id = ctx.Dial(addresses[0])
			addresses = addresses[1:]
		}
	})
}

func dialRefused(b *bench) {
	b.host.Start(1, b.named("1", func(ctx actors.Context, m actors.Message) { ctx.Stop(ctx.Self()) }))
	b.host.Start(2, b.named("2", nil))
	b.run(settle)
	b.host.Crash(2, true)
	b.host.Start(0, b.failing("0", b.host.Address(1), b.host.Address(2), b.host.Address(3)))
	b.run(settle)
	b.want("0", "started", "no link: refused", "no link: refused", "no link: refused")
	b.want("1", "started")
	b.want("2", "started")
}

func dialUnsupported(b *bench) {
	b.host.Start(0, b.failing("0", actors.MustAddress("gopher://10.0.0.1:70"), actors.Address{}))
	b.run(settle)
	b.want("0", "started", "no link: unsupported", "no link: unsupported")
}

// dialCancelled gives up dials at all stages.
func dialCancelled(b *bench) {
	const dials = 100
	there := b.host.Address(1)
	b.host.Start(1, b.collector("1"))
	canceller := func(i int) actors.Actor {
		var id actors.DialID
		return b.named(fmt.Sprint("dial ", i), func(ctx actors.Context, m actors.Message) {
			switch m := m.(type) {
			case *actors.Started:
				id = ctx.Dial(there)
				if i == 0 {
					ctx.CancelDial(id)
				}
				ctx.After(time.Duration(i)*2*time.Millisecond, &note{Text: "cancel"})
			case *note:
				ctx.CancelDial(id)
				ctx.CancelDial(id)
			case *actors.LinkUp:
				m.Link.Bind(ctx.Self())
				m.Link.Close()
			}
		})
	}
	b.host.Start(0, b.actor(func(ctx actors.Context, m actors.Message) {
		if isStarted(m) {
			for i := range dials {
				ctx.Spawn("dials", canceller(i))
			}
		}
	}))
	b.run(settle)
	for i := range dials {
		who := fmt.Sprint("dial ", i)
		up, down := b.count(who, "up"), b.count(who, "no link: canceled")
		if up+down != 1 || len(b.noted(who)) != 3 {
			b.Errorf("a dial that was cancelled heard %v", b.noted(who))
		}
	}
	// A link that came up at the other end only goes down there.
	checkDown(b, "1")
}

func dialCancelledLate(b *bench) {
	b.pair(func(ctx actors.Context, l actors.Link, m actors.Message) {
		switch m := m.(type) {
		case *actors.LinkUp:
			ctx.CancelDial(m.ID)
			ctx.CancelDial(0)
			ctx.CancelDial(m.ID + 1)
			ctx.After(time.Second, &note{Text: "send"})
		case *note:
			b.sendPings(l, 0, 1)
		}
	}, nil)
	b.run(settle)
	b.want("0", "started", "up", "send")
	b.want("1", "started", "in", ping(0))
}

func dialSelf(b *bench) {
	here := b.host.Address(0)
	b.host.Start(0, b.named("root", func(ctx actors.Context, m actors.Message) {
		switch m := m.(type) {
		case *actors.Started:
			ctx.Spawn("child", b.dialler("child", here, func(ctx actors.Context, l actors.Link, m actors.Message) {
				if isUp(m) {
					b.sendPings(l, 0, 3)
					l.Close()
				}
			}))
		case *actors.LinkIn:
			m.Link.Bind(ctx.Self())
		}
	}))
	b.run(settle)
	b.want("child", "started", "up")
	b.want("root", "started", "in", ping(0), ping(1), ping(2), "down: closed")
}

func dialMany(b *bench) {
	const nodes, each = 150, 8
	for i := range nodes {
		who, next := fmt.Sprint("node ", i), b.host.Address((i+1)%nodes)
		b.host.Start(i, b.actor(func(ctx actors.Context, m actors.Message) {
			switch m := m.(type) {
			case *actors.Started:
				ctx.After(time.Second, &note{Text: "dial"})
			case *note:
				ctx.Dial(next)
			case *actors.LinkUp:
				m.Link.Bind(ctx.Self())
				b.sendPings(m.Link, 0, each)
			case *actors.LinkIn:
				m.Link.Bind(ctx.Self())
			default:
				b.note(who, "%s", describe(m))
			}
		}))
	}
	b.run(settle)
	for i := range nodes {
		b.want(fmt.Sprint("node ", i), pings(0, each)...)
	}
}
