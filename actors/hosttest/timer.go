package hosttest

import (
	"fmt"
	"slices"
	"time"

	"peernet/actors"
)

var timerTests = []test{
	{"a timer fires once", timerOnce},
	{"a timer fires for the actor that armed it", timerOwner},
	{"timers fire in the order they are due, then armed", timerOrder},
	{"a delay of zero or less fires behind the messages on their way", timerAtOnce},
	{"a cancelled timer does not fire", timerCancelled},
	{"a timer cancelled when it is already due does not fire", timerCancelledDue},
	{"a timer cancelled at the instant it is due does not fire later", timerCancelledRace},
	{"cancelling a timer that fired does nothing", timerCancelledLate},
	{"the timers of an actor that ended end", timerOfEnded},
}

func timerOnce(b *bench) {
	b.host.Start(0, b.named("root", func(ctx actors.Context, m actors.Message) {
		if isStarted(m) {
			ctx.After(time.Second, &note{Text: "due"})
		}
	}))
	b.run(time.Minute)
	b.want("root", "started", "due")
}

func timerOwner(b *bench) {
	b.host.Start(0, b.named("root", func(ctx actors.Context, m actors.Message) {
		if isStarted(m) {
			for i := range 10 {
				text := fmt.Sprint("due ", i)
				ctx.Spawn("child", b.named(fmt.Sprint("child ", i), func(ctx actors.Context, m actors.Message) {
					if isStarted(m) {
						ctx.After(time.Second, &note{Text: text})
					}
				}))
			}
		}
	}))
	b.run(settle)
	b.want("root", "started")
	for i := range 10 {
		b.want(fmt.Sprint("child ", i), "started", fmt.Sprint("due ", i))
	}
}

func timerOrder(b *bench) {
	delays := []time.Duration{
		20 * time.Second, 3 * time.Millisecond, 1, 11 * time.Second, 3 * time.Millisecond, 40 * time.Second,
		500 * time.Millisecond, time.Microsecond, 12 * time.Second, 0, 11 * time.Second, 3 * time.Millisecond, 1, 0,
	}
	order := make([]int, len(delays))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return int(delays[i] - delays[j]) })
	b.host.Start(0, b.named("root", func(ctx actors.Context, m actors.Message) {
		if isStarted(m) {
			for i, d := range delays {
				ctx.After(d, &note{Text: fmt.Sprint("due ", i)})
			}
		}
	}))
	b.run(time.Minute)
	want := []string{"started"}
	for _, i := range order {
		want = append(want, fmt.Sprint("due ", i))
	}
	b.want("root", want...)
}

func timerAtOnce(b *bench) {
	b.host.Start(0, b.named("root", func(ctx actors.Context, m actors.Message) {
		if isStarted(m) {
			ctx.Send(ctx.Self(), &note{Text: "a"})
			ctx.Send(ctx.Self(), &note{Text: "b"})
			ctx.After(0, &note{Text: "zero"})
			ctx.After(-time.Hour, &note{Text: "less"})
		}
	}))
	b.run(settle)
	b.want("root", "started", "a", "b", "zero", "less")
}

func timerCancelled(b *bench) {
	var later actors.Timer
	b.host.Start(0, b.named("root", func(ctx actors.Context, m actors.Message) {
		switch {
		case isStarted(m):
			ctx.Cancel(ctx.After(0, &note{Text: "cancelled"}))
			ctx.Cancel(ctx.After(time.Second, &note{Text: "cancelled"}))
			later = ctx.After(2*time.Second, &note{Text: "cancelled"})
			ctx.After(time.Second, &note{Text: "cancel"})
			ctx.After(2*time.Second, &note{Text: "due"})
		case is(m, "cancel"):
			ctx.Cancel(later)
			ctx.Cancel(later)
		}
	}))
	b.run(settle)
	b.want("root", "started", "cancel", "due")
}

func timerCancelledDue(b *bench) {
	var timers [2]actors.Timer
	b.host.Start(0, b.named("root", func(ctx actors.Context, m actors.Message) {
		switch {
		case isStarted(m):
			// The message arrives first, when the timer is due already.
			ctx.Send(ctx.Self(), &note{Text: "cancel 0"})
			timers[0] = ctx.After(0, &note{Text: "cancelled"})
			// Both are due, and the first cancels the second.
			ctx.After(time.Second, &note{Text: "cancel 1"})
			timers[1] = ctx.After(time.Second, &note{Text: "cancelled"})
		case is(m, "cancel 0"):
			ctx.Cancel(timers[0])
		case is(m, "cancel 1"):
			ctx.Cancel(timers[1])
		}
	}))
	b.run(settle)
	b.want("root", "started", "cancel 0", "cancel 1")
}

// timerCancelledRace has other actors ask for the cancellation at the instant
// that the timers are due. Either may come first. In a mailbox the request may
// stand before what the timer put there.
func timerCancelledRace(b *bench) {
	const pairs = 100
	owner := func() actors.Actor {
		var timer actors.Timer
		cancelled := false
		return b.actor(func(ctx actors.Context, m actors.Message) {
			switch {
			case isStarted(m):
				timer = ctx.After(time.Second, &note{Text: "due"})
			case is(m, "cancel"):
				ctx.Cancel(timer)
				cancelled = true
				b.note("owners", "cancel")
			case cancelled:
				b.Errorf("a timer fired after it was cancelled")
			}
		})
	}
	canceller := func() actors.Actor {
		var owner actors.Ref
		return b.actor(func(ctx actors.Context, m actors.Message) {
			switch {
			case isStarted(m):
				ctx.After(time.Second, &note{Text: "due"})
			case is(m, "owner"):
				owner = m.(*note).Ref
			default:
				ctx.Send(owner, &note{Text: "cancel"})
			}
		})
	}
	b.host.Start(0, b.actor(func(ctx actors.Context, m actors.Message) {
		if !isStarted(m) {
			return
		}
		for i := range pairs {
			var o, c actors.Ref
			if i%2 == 0 {
				o = ctx.Spawn("owner", owner())
				c = ctx.Spawn("canceller", canceller())
			} else {
				c = ctx.Spawn("canceller", canceller())
				o = ctx.Spawn("owner", owner())
			}
			ctx.Send(c, &note{Text: "owner", Ref: o})
		}
	}))
	b.run(settle)
	if got := b.count("owners", "cancel"); got != pairs {
		b.Errorf("%d timers were cancelled, want %d", got, pairs)
	}
}

func timerCancelledLate(b *bench) {
	var first actors.Timer
	b.host.Start(0, b.named("root", func(ctx actors.Context, m actors.Message) {
		switch {
		case isStarted(m):
			ctx.Cancel(0)
			first = ctx.After(time.Millisecond, &note{Text: "first"})
			ctx.After(time.Second, &note{Text: "second"})
		case is(m, "first"):
			ctx.Cancel(first)
			ctx.After(time.Millisecond, &note{Text: "third"})
			ctx.Cancel(first)
			ctx.Cancel(0)
		case is(m, "second"):
			ctx.Cancel(first)
		}
	}))
	b.run(settle)
	b.want("root", "started", "first", "third", "second")
}

func timerOfEnded(b *bench) {
	// The successor may get the place of the one that ended.
	var child actors.Ref
	b.host.Start(0, b.actor(func(ctx actors.Context, m actors.Message) {
		switch m.(type) {
		case *actors.Started:
			child = ctx.Spawn("child", b.named("child", func(ctx actors.Context, m actors.Message) {
				if isStarted(m) {
					ctx.After(time.Second, &note{Text: "timer"})
					ctx.Stop(ctx.Self())
					ctx.After(0, &note{Text: "timer"})
					ctx.After(time.Second, &note{Text: "timer"})
				}
			}))
			ctx.Watch(child)
		case *actors.Terminated:
			for range 3 {
				ctx.Spawn("child", b.named("successor", nil))
			}
		}
	}))
	b.run(settle)
	b.want("child", "started")
	b.want("successor", "started", "started", "started")
}
