package hosttest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"peernet/actors"
	"peernet/actors/wire"
)

var crashTests = []test{
	{"a crash with reset takes the node's links down with ReasonReset", crashReset},
	{"after a silent crash nothing arrives, and the links stay half-open", crashSilent},
	{"a crash with reset gives up the node's dials", crashDials},
	{"a crash ends all actors of the node and of no other", crashEnds},
	{"what was in flight to the old incarnation does not reach the new", crashInFlight},
}

func crashReset(b *bench) {
	b.host.Start(1, b.collector("1"))
	there := b.host.Address(1)
	b.host.Start(0, b.dialler("0", there, nil))
	b.host.Start(2, b.bindLate("2", there, nil))
	b.run(500 * time.Millisecond) // the second is not bound yet
	b.host.Crash(1, true)
	b.run(settle)
	b.want("0", "started", "up", "down: reset")
	b.want("2", "started", "up", "bind", "down: reset")
	b.want("1", "started", "in", "in")

	// The dialling end crashes.
	b.host.Start(3, b.acceptor("3", func(ctx actors.Context, l actors.Link, m actors.Message) {
		if _, ok := m.(*actors.LinkDown); ok && l.Send(&wire.Ping{}) != actors.ErrLinkClosed {
			b.Errorf("Send after LinkDown succeeds")
		}
	}))
	b.host.Start(4, b.dialler("4", b.host.Address(3), nil))
	b.run(settle)
	b.host.Crash(4, true)
	b.run(settle)
	b.want("3", "started", "in", "down: reset")
}

func crashSilent(b *bench) {
	b.host.Start(1, b.acceptor("1", func(ctx actors.Context, l actors.Link, m actors.Message) {
		switch {
		case isIn(m):
			ctx.After(100*time.Millisecond, &note{Text: "send"})
		case is(m, "send"):
			b.sendPings(l, 0, 1)
			ctx.After(100*time.Millisecond, &note{Text: "send"})
		}
	}))
	b.host.Start(0, b.dialler("0", b.host.Address(1), func(ctx actors.Context, l actors.Link, m actors.Message) {
		b.sendPings(l, 0, 1) // one for each that comes
	}))
	b.run(settle)
	b.host.Crash(0, false)
	b.run(settle) // what was in flight arrives
	received, answered, sent := len(b.noted("0")), b.count("1", "ping"), b.count("1", "send")
	b.run(settle)
	if answered == 0 || b.count("1", "send") <= sent {
		b.Errorf("before the crash came %d pings; %d were sent, then %d", answered, sent, b.count("1", "send"))
	}
	if now := b.count("1", "ping"); now != answered {
		b.Errorf("%d pings came from a node that crashed", now-answered)
	}
	if now := len(b.noted("0")); now != received {
		b.Errorf("a node that crashed heard %d messages", now-received)
	}
	if got := b.count("1", "down"); got != 0 {
		b.Errorf("the peer of a node that crashed silently heard %d LinkDown", got)
	}
}

func crashDials(b *bench) {
	const last = 30
	there := b.host.Address(0)
	b.host.Start(0, b.collector("0"))
	b.host.Start(1, b.dialler("1", there, nil))
	b.run(settle)
	for i := 1; i <= last; i++ {
		b.host.Start(1+i, b.dialler("crashes", there, nil))
	}
	for i := 1; i <= last; i++ {
		b.run(5 * time.Millisecond)
		b.host.Crash(1+i, true)
	}
	b.run(settle)
	b.want("1", "started", "up")
	b.host.Crash(1, true)
	b.run(settle)
	checkDown(b, "0")
}

func crashEnds(b *bench) {
	for i := range 3 {
		b.host.Start(i, b.actor(func(ctx actors.Context, m actors.Message) {
			if isStarted(m) {
				ctx.Spawn("child", b.ticker(fmt.Sprint("child of ", i)))
			}
			b.note(fmt.Sprint("root of ", i), "tick")
			ctx.After(10*time.Millisecond, &note{Text: "tick"})
		}))
	}
	b.run(settle)
	b.host.Crash(0, true)
	b.host.Crash(1, false)
	for i := range 3 {
		for _, who := range []string{fmt.Sprint("root of ", i), fmt.Sprint("child of ", i)} {
			b.note("before", "%d", b.count(who, "tick"))
		}
	}
	b.run(settle)
	for k, before := range b.noted("before") {
		who := fmt.Sprint([]string{"root of ", "child of "}[k%2], k/2)
		now := fmt.Sprint(b.count(who, "tick"))
		if crashed := k/2 < 2; before == "0" || crashed != (now == before) {
			b.Errorf("before a crash %s ticked %s times, then %s", who, before, now)
		}
	}
}

// crashInFlight crashes and restarts nodes that are sent to all the time, over
// links, by their own actors and timers, and by dials of their own.
func crashInFlight(b *bench) {
	for i, reset := range []bool{true, false} {
		victim, other := 2*i, 2*i+1
		here, there, nobody := b.host.Address(victim), b.host.Address(other), b.host.Address(99)
		old := b.actor(func(ctx actors.Context, m actors.Message) {
			switch m := m.(type) {
			case *actors.Started:
				ctx.Spawn("child", b.ticker("old child"))
				ctx.After(3*time.Second, &note{Text: "late"})
				ctx.After(time.Millisecond, &note{Text: "tick"})
			case *actors.LinkIn:
				m.Link.Bind(ctx.Self())
			case *actors.LinkUp:
				m.Link.Close()
			case *wire.Ping:
				b.note("old", "ping")
			case *note:
				if m.Text == "tick" {
					b.note("old", "tick")
					ctx.Dial(there)
					ctx.Dial(nobody)
					ctx.After(5*time.Millisecond, m)
				}
			}
		})
		b.host.Start(victim, old)
		var link actors.Link
		b.host.Start(other, b.actor(func(ctx actors.Context, m actors.Message) {
			switch m := m.(type) {
			case *actors.Started:
				ctx.Dial(here)
			case *actors.LinkIn:
				m.Link.Bind(ctx.Self())
			case *actors.LinkUp:
				link = m.Link
				link.Bind(ctx.Self())
				ctx.Send(ctx.Self(), &note{Text: "send"})
			case *note:
				// Once the link is down sending fails.
				_ = link.Send(&wire.Ping{})
				ctx.After(time.Millisecond, m)
			}
		}))
		b.run(settle)
		b.host.Crash(victim, reset)
		before := len(b.noted("old"))
		b.host.Start(victim, b.named(fmt.Sprint("new ", i), nil))
		b.run(settle)
		b.want(fmt.Sprint("new ", i), "started")
		if now := len(b.noted("old")); now != before {
			b.Errorf("the old incarnation heard %d messages", now-before)
		}
		if b.count("old", "ping") == 0 || b.count("old", "tick") == 0 {
			b.Errorf("the old incarnation heard nothing")
		}
	}
}

var panicTests = []test{
	{"a panic in Receive makes Run fail with its value and stack", panicMessage},
	{"a panic at Started makes Run fail with its value and stack", panicStarted},
	{"nothing is restarted after a panic", panicNoRestart},
}

// explode panics. Its name is to be found in the stack.
func explode() { panic(fmt.Sprint("hosttest: boom ", 40+2)) }

// fails runs the host, in which a panic is to be expected.
func (b *bench) fails() {
	b.Helper()
	err := b.host.Run(settle)
	if err == nil {
		b.Fatalf("Run succeeds after a panic")
	}
	for _, part := range []string{"hosttest: boom 42", "hosttest.explode"} {
		if !strings.Contains(err.Error(), part) {
			b.Errorf("the error of Run lacks %q:\n%v", part, err)
		}
	}
}

func panicMessage(b *bench) {
	b.host.Start(0, b.named("0", nil))
	b.host.Start(1, b.actor(func(ctx actors.Context, m actors.Message) {
		if isStarted(m) {
			ctx.After(time.Second, &note{Text: "panic"})
		} else {
			explode()
		}
	}))
	b.run(500 * time.Millisecond)
	b.fails()
	b.want("0", "started")
}

func panicStarted(b *bench) {
	b.host.Start(0, b.actor(func(ctx actors.Context, m actors.Message) {
		if isStarted(m) {
			ctx.Spawn("child", b.actor(func(actors.Context, actors.Message) { explode() }))
		}
	}))
	b.fails()
}

func panicNoRestart(b *bench) {
	b.host.Start(0, b.named("root", func(ctx actors.Context, m actors.Message) {
		if !isStarted(m) {
			return
		}
		ctx.Spawn("child", b.ticker("child"))
		ctx.Spawn("child", b.named("panics", func(ctx actors.Context, m actors.Message) {
			if isStarted(m) {
				ctx.After(time.Second, &note{Text: "panic"})
				ctx.After(2*time.Second, &note{Text: "late"})
			} else {
				explode()
			}
		}))
	}))
	b.fails()
	ticks := b.noted("child")
	// What Run returns from now on is the host's affair.
	_ = b.host.Run(settle)
	b.want("root", "started")
	b.want("panics", "started", "panic")
	if now := b.noted("child"); len(ticks) == 0 || !slices.Equal(now, ticks) {
		b.Errorf("another actor of the node ticked %d times, then %d", len(ticks), len(now))
	}
}
