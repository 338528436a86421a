package hosttest

import (
	"fmt"
	"time"

	"peernet/actors"
)

var stopTests = []test{
	{"what the caller sent before Stop is handled, what it sends after is not", stopBehind},
	{"an actor stopped as soon as it is spawned still starts", stopAtOnce},
	{"an actor may stop itself, and Receive goes on", stopSelf},
	{"stopping twice, stopping the dead and stopping nobody does nothing", stopHarmless},
	{"stopping the root ends all actors of the node", stopRoot},
	{"stopping the root closes the node's links behind what was sent", stopRootLinks},
	{"what is sent over links in the Receive that stops the root arrives", stopRootSends},
	{"a node whose root stopped can be started again", stopRootRestart},
	{"the links bound to an actor that ended are closed", stopLinks},
	{"the dials of an actor that ended are given up", stopDials},
	{"the dials of a node that ended are given up", stopRootDials},
}

func stopBehind(b *bench) {
	b.host.Start(0, b.named("root", func(ctx actors.Context, m actors.Message) {
		if isStarted(m) {
			child := ctx.Spawn("child", b.named("child", nil))
			for i := range 3 {
				ctx.Send(child, &note{Text: fmt.Sprint("before ", i)})
			}
			ctx.Stop(child)
			ctx.Send(child, &note{Text: "after"})
		}
	}))
	b.run(settle)
	b.want("child", "started", "before 0", "before 1", "before 2")
	b.want("root", "started")
}

func stopAtOnce(b *bench) {
	b.host.Start(0, b.actor(func(ctx actors.Context, m actors.Message) {
		if isStarted(m) {
			ctx.Stop(ctx.Spawn("child", b.named("child", nil)))
		}
	}))
	b.run(settle)
	b.want("child", "started")
}

func stopSelf(b *bench) {
	b.host.Start(0, b.named("root", func(ctx actors.Context, m actors.Message) {
		if !isStarted(m) {
			return
		}
		ctx.Spawn("child", b.named("child", func(ctx actors.Context, m actors.Message) {
			if !isStarted(m) {
				return
			}
			ctx.Send(ctx.Self(), &note{Text: "before"})
			ctx.Stop(ctx.Self())
			ctx.Send(ctx.Self(), &note{Text: "after"})
			ctx.After(0, &note{Text: "timer"})
			ctx.Spawn("grandchild", b.named("grandchild", nil))
			b.note("child", "goes on")
		}))
	}))
	b.run(settle)
	b.want("child", "started", "goes on", "before")
	b.want("grandchild", "started")
	b.want("root", "started")
}

func stopHarmless(b *bench) {
	var child actors.Ref
	b.host.Start(0, b.named("root", func(ctx actors.Context, m actors.Message) {
		switch m.(type) {
		case *actors.Started:
			child = ctx.Spawn("child", b.named("child", nil))
			ctx.Watch(child)
			ctx.Stop(child)
			ctx.Stop(child)
		case *actors.Terminated:
			ctx.Spawn("child", b.named("other", nil))
			ctx.Stop(child)
			ctx.Stop(actors.Ref{})
			ctx.After(time.Second, &note{Text: "alive"})
		}
	}))
	b.run(settle)
	b.want("child", "started")
	b.want("other", "started")
	b.want("root", "started", "terminated", "alive")
}

// ticker returns an actor that notes a tick every 10 ms.
func (b *bench) ticker(who string) actors.Actor {
	return b.actor(func(ctx actors.Context, m actors.Message) {
		b.note(who, "tick")
		ctx.After(10*time.Millisecond, &note{Text: "tick"})
	})
}

// stopper returns a root that stops after a second, and does f.
func (b *bench) stopper(who string, f receive) actors.Actor {
	return b.named(who, func(ctx actors.Context, m actors.Message) {
		switch {
		case isStarted(m):
			ctx.After(time.Second, &note{Text: "stop"})
		case is(m, "stop"):
			ctx.Stop(ctx.Self())
		}
		f(ctx, m)
	})
}

func stopRoot(b *bench) {
	b.host.Start(0, b.stopper("root", func(ctx actors.Context, m actors.Message) {
		switch {
		case isStarted(m):
			ctx.Spawn("child", b.ticker("child"))
			ctx.After(1001*time.Millisecond, &note{Text: "late"})
			ctx.After(2*time.Second, &note{Text: "late"})
		case is(m, "stop"):
			ctx.Send(ctx.Self(), &note{Text: "late"})
		}
	}))
	b.host.Start(1, b.ticker("other"))
	b.run(settle)
	ticks, others := b.count("child", "tick"), b.count("other", "tick")
	b.run(settle)
	b.want("root", "started", "stop")
	if now := b.count("child", "tick"); ticks == 0 || now != ticks {
		b.Errorf("a child of the root ticked %d times, then %d", ticks, now)
	}
	if now := b.count("other", "tick"); now < 2*others-1 {
		b.Errorf("another node ticked %d times, then %d", others, now)
	}
}

func stopRootLinks(b *bench) {
	there := b.host.Address(1)
	b.host.Start(1, b.acceptor("1", nil))
	b.host.Start(0, b.stopper("0", func(ctx actors.Context, m actors.Message) {
		if isStarted(m) {
			// The link is a child's; the whole node ends.
			ctx.Spawn("child", b.dialler("child", there, func(ctx actors.Context, l actors.Link, m actors.Message) {
				if isUp(m) {
					b.sendPings(l, 0, 3)
				}
			}))
		}
	}))
	b.run(settle)
	b.want("1", "started", "in", ping(0), ping(1), ping(2), "down: closed")
	b.want("child", "started", "up")
	// Nobody is there any more.
	b.host.Start(2, b.dialler("2", b.host.Address(0), nil))
	b.run(settle)
	b.want("2", "started", "no link: refused")
}

func stopRootSends(b *bench) {
	b.pair(nil, func(ctx actors.Context, l actors.Link, m actors.Message) {
		if isIn(m) {
			b.sendPings(l, 0, 50)
			ctx.Stop(ctx.Self())
		}
	})
	b.run(settle)
	b.want("0", append(append([]string{"started", "up"}, pings(0, 50)...), "down: closed")...)
	b.want("1", "started", "in")
}

func stopRootRestart(b *bench) {
	// It is a child that stops the root, as any actor may.
	b.host.Start(1, b.named("stopped", func(ctx actors.Context, m actors.Message) {
		if !isStarted(m) {
			return
		}
		root := ctx.Self()
		ctx.Spawn("child", b.ticker("child"))
		ctx.Spawn("child", b.actor(func(ctx actors.Context, m actors.Message) {
			if isStarted(m) {
				ctx.After(time.Second, &note{Text: "stop"})
				return
			}
			ctx.Send(root, &note{Text: "before"})
			ctx.Stop(root)
			ctx.Send(root, &note{Text: "after"})
		}))
	}))
	b.run(settle)
	ticks := b.count("child", "tick")
	b.want("stopped", "started", "before")
	b.pair(nil, nil)
	b.run(settle)
	b.want("1", "started", "in")
	b.want("0", "started", "up")
	if now := b.count("child", "tick"); now != ticks {
		b.Errorf("a child of the old root ticked %d times, then %d", ticks, now)
	}
}

func stopLinks(b *bench) {
	b.host.Start(1, b.named("1", func(ctx actors.Context, m actors.Message) {
		switch m := m.(type) {
		case *actors.LinkIn:
			child := ctx.Spawn("child", b.named("child", nil))
			m.Link.Bind(child)
			ctx.After(time.Second, &note{Text: "stop", Ref: child})
		case *note:
			ctx.Stop(m.Ref)
		}
	}))
	b.host.Start(0, b.dialler("0", b.host.Address(1), func(ctx actors.Context, l actors.Link, m actors.Message) {
		if isUp(m) {
			b.sendPings(l, 0, 2)
		}
	}))
	b.run(settle)
	b.want("child", "started", ping(0), ping(1))
	b.want("1", "started", "in", "stop")
	b.want("0", "started", "up", "down: closed")
}

// stopDials stops actors at all stages of a dial. A link that came up at the
// other end must go down there.
func stopDials(b *bench) {
	there := b.host.Address(1)
	b.host.Start(1, b.collector("1"))
	b.host.Start(0, b.actor(func(ctx actors.Context, m actors.Message) {
		switch m := m.(type) {
		case *actors.Started:
			for i := range 100 {
				child := ctx.Spawn("child", b.dialler("child", there, nil))
				if i == 0 {
					ctx.Stop(child)
					continue
				}
				ctx.After(time.Duration(i)*2*time.Millisecond, &note{Text: "stop", Ref: child})
			}
		case *note:
			ctx.Stop(m.Ref)
		}
	}))
	b.run(settle)
	checkDown(b, "1")
}

func stopRootDials(b *bench) {
	const last = 30
	there := b.host.Address(0)
	b.host.Start(0, b.collector("0"))
	for i := 1; i <= last; i++ {
		b.host.Start(i, b.dialler("diallers", there, nil))
	}
	for i := 1; i <= last; i++ {
		b.host.Start(last+i, b.actor(func(ctx actors.Context, m actors.Message) {
			switch {
			case isStarted(m):
				ctx.Spawn("child", b.dialler("child", there, nil))
				ctx.After(time.Duration(i)*5*time.Millisecond, &note{Text: "stop"})
			default:
				ctx.Stop(ctx.Self())
			}
		}))
	}
	b.run(settle)
	if got := b.count("diallers", "up"); got != last {
		b.Errorf("%d links came up to stay, want %d", got, last)
	}
	for i := 1; i <= last; i++ {
		b.host.Crash(i, true)
	}
	b.run(settle)
	checkDown(b, "0")
}

// checkDown fails the test if a collector still has a link.
func checkDown(b *bench, who string) {
	b.Helper()
	in, down := b.count(who, "in"), b.count(who, "down: ")
	if in == 0 || in != down {
		b.Errorf("of %d links that came in %d went down", in, down)
	}
}
