package hosttest

import (
	"time"

	"peernet/actors"
)

// That Now stands still in a Receive, and does not go back from one to the
// next, is checked by every play.
var clockTests = []test{
	{"Now does not go back along a message", clockAlongMessages},
	{"a timer is never early by Now", clockTimer},
	{"a timer is never early by the time that Run lets pass", clockRun},
}

func clockAlongMessages(b *bench) {
	// The actors pass the time around, and let some of it pass.
	passOn := func() actors.Actor {
		return b.actor(func(ctx actors.Context, m actors.Message) {
			n, ok := m.(*note)
			if !ok {
				return
			}
			if n.Text == "time" && ctx.Now() < actors.Time(n.N) {
				b.Errorf("Now is %v, was %v where the message came from", ctx.Now(), actors.Time(n.N))
			}
			b.note("passed on", "%s", n.Text)
			to := n.Ref
			if n.Text == "time" {
				to = ctx.Sender()
				ctx.After(time.Duration(1+n.N%3)*time.Millisecond, &note{Text: "pause", Ref: to})
				return
			}
			ctx.Send(to, &note{Text: "time", N: int(ctx.Now())})
		})
	}
	b.host.Start(0, b.actor(func(ctx actors.Context, m actors.Message) {
		if isStarted(m) {
			first, second := ctx.Spawn("passes", passOn()), ctx.Spawn("passes", passOn())
			ctx.Send(first, &note{Text: "go", Ref: second})
		}
	}))
	b.run(50 * time.Millisecond)
	b.host.Crash(0, true)
	if b.count("passed on", "time") < 10 {
		b.Errorf("the time was passed on %d times only", b.count("passed on", "time"))
	}
}

func clockTimer(b *bench) {
	b.host.Start(0, b.actor(func(ctx actors.Context, m actors.Message) {
		if isStarted(m) {
			for _, d := range []time.Duration{1, time.Microsecond, 999 * time.Microsecond, time.Millisecond, time.Second, 2 * time.Second} {
				ctx.After(d, &note{Text: "due", N: int(ctx.Now().Add(d))})
			}
			return
		}
		if due := actors.Time(m.(*note).N); ctx.Now() < due {
			b.Errorf("a timer due at %v fired at %v", due, ctx.Now())
		}
		b.note("root", "fired")
	}))
	b.run(settle)
	if got := b.count("root", "fired"); got != 6 {
		b.Errorf("%d timers fired, want 6", got)
	}
}

func clockRun(b *bench) {
	b.host.Start(0, b.named("root", func(ctx actors.Context, m actors.Message) {
		if isStarted(m) {
			ctx.After(10*time.Second, &note{Text: "due"})
		}
	}))
	b.run(5 * time.Second)
	b.run(4 * time.Second)
	b.want("root", "started")
	b.run(2 * time.Second)
	b.want("root", "started", "due")
}
