package hosttest

import (
	"fmt"
	"runtime"
	"time"

	"peernet/actors"
)

var mailboxTests = []test{
	{"messages of one sender arrive in the order sent", mailboxOrder},
	{"Receive runs to completion before the next", mailboxOneAtATime},
	{"the sender is the actor that sent", mailboxSender},
	{"what the host sends has no sender", mailboxNoSender},
	{"what is sent to nobody is dropped", mailboxNobody},
	{"what is sent to an actor that ended is dropped", mailboxEnded},
	{"Emit has no effect on any actor", mailboxEmit},
}

// flood starts many actors that send to one, each its own numbers in order and
// a few at a time, so that they interleave.
func flood(b *bench, to actors.Actor) (senders, each int) {
	const burst = 10
	senders, each = 20, 5*burst
	sender := func(to actors.Ref) actors.Actor {
		next := 0
		return b.actor(func(ctx actors.Context, m actors.Message) {
			for range burst {
				ctx.Send(to, &note{Text: "n", N: next})
				next++
			}
			switch {
			case next == each:
			case next%2 == 0:
				ctx.Send(ctx.Self(), &note{Text: "more"})
			default:
				ctx.After(time.Millisecond, &note{Text: "more"})
			}
		})
	}
	b.host.Start(0, b.actor(func(ctx actors.Context, m actors.Message) {
		if isStarted(m) {
			to := ctx.Spawn("receiver", to)
			for range senders {
				ctx.Spawn("sender", sender(to))
			}
		}
	}))
	return senders, each
}

func mailboxOrder(b *bench) {
	next := map[actors.Ref]int{}
	senders, each := flood(b, b.actor(func(ctx actors.Context, m actors.Message) {
		n, ok := m.(*note)
		if !ok {
			return
		}
		if n.N != next[ctx.Sender()] {
			b.Errorf("of sender %v came number %d, want %d", ctx.Sender(), n.N, next[ctx.Sender()])
		}
		next[ctx.Sender()] = n.N + 1
		b.note("receiver", "n")
	}))
	b.run(settle)
	if got := b.count("receiver", "n"); got != senders*each {
		b.Errorf("%d messages arrived, want %d", got, senders*each)
	}
}

// mailboxOneAtATime leaves the check to the play, and gives other threads and
// a call from inside Receive every chance to fail it.
func mailboxOneAtATime(b *bench) {
	echo := b.actor(func(ctx actors.Context, m actors.Message) {
		if is(m, "call") {
			ctx.Send(ctx.Sender(), &note{Text: "answer"})
		}
	})
	var echoRef actors.Ref
	senders, each := flood(b, b.actor(func(ctx actors.Context, m actors.Message) {
		switch {
		case isStarted(m):
			echoRef = ctx.Spawn("echo", echo)
		case is(m, "n"):
			ctx.Send(echoRef, &note{Text: "call"})
			ctx.Send(ctx.Self(), &note{Text: "self"})
		}
		runtime.Gosched()
		b.note("receiver", "%s", describe(m))
	}))
	b.run(settle)
	for _, what := range []string{"n", "self", "answer"} {
		if got := b.count("receiver", what); got != senders*each {
			b.Errorf("%d of %q arrived, want %d", got, what, senders*each)
		}
	}
}

func mailboxSender(b *bench) {
	// An actor passes a note on to whom it names, once.
	passOn := func(who string) actors.Actor {
		return b.actor(func(ctx actors.Context, m actors.Message) {
			if n, ok := m.(*note); ok {
				b.note(who, "from %v", ctx.Sender())
				ctx.Send(n.Ref, &note{Text: "passed on"})
			}
		})
	}
	b.host.Start(0, b.actor(func(ctx actors.Context, m actors.Message) {
		if !isStarted(m) {
			b.note("root", "from %v", ctx.Sender())
			return
		}
		first, second := ctx.Spawn("passes", passOn("first")), ctx.Spawn("passes", passOn("second"))
		for _, r := range []actors.Ref{ctx.Self(), first, second} {
			b.note("refs", "from %v", r)
		}
		ctx.Send(ctx.Self(), &note{Text: "to itself"})
		ctx.Send(first, &note{Text: "go", Ref: second})
		ctx.After(time.Second, &note{Text: "from nobody"})
	}))
	b.run(settle)
	root, first := b.noted("refs")[0], b.noted("refs")[1]
	b.want("root", root, "from 0.0")
	b.want("first", root)
	b.want("second", first)
}

// mailboxNoSender leaves most checks to the play. Timers carry a message of
// the actor's choice, of which the play cannot tell that the host sends it.
func mailboxNoSender(b *bench) {
	nobody := b.host.Address(2)
	b.pair(func(ctx actors.Context, l actors.Link, m actors.Message) {
		if isUp(m) {
			b.sendPings(l, 0, 1)
			ctx.Watch(actors.Ref{})
			ctx.CancelDial(ctx.Dial(nobody))
			ctx.Dial(nobody)
			ctx.Dial(actors.Address{})
			ctx.Send(ctx.Self(), &note{Text: "self"})
			ctx.After(0, &note{Text: "timer"})
			ctx.After(time.Second, &note{Text: "timer"})
		}
		if is(m, "timer") && !ctx.Sender().IsZero() {
			b.Errorf("a timer has the sender %v, want none", ctx.Sender())
		}
	}, func(ctx actors.Context, l actors.Link, m actors.Message) {
		switch {
		case isIn(m) && !ctx.Sender().IsZero():
			b.Errorf("LinkIn has the sender %v, want none", ctx.Sender())
		case describe(m) == ping(0):
			b.sendPings(l, 1, 2)
			l.Close()
		}
	})
	b.run(settle)
	for what, times := range map[string]int{ping(1): 1, "down: ": 1, "no link: ": 3, "timer": 2, "terminated": 1} {
		if got := b.count("0", what); got != times {
			b.Errorf("%q came %d times, want %d", what, got, times)
		}
	}
}

func mailboxNobody(b *bench) {
	b.host.Start(0, b.named("root", func(ctx actors.Context, m actors.Message) {
		if isStarted(m) {
			ctx.Spawn("child", b.named("child", nil))
			ctx.Send(actors.Ref{}, &note{Text: "a"})
			ctx.Send(ctx.Self(), &note{Text: "b"})
		}
	}))
	b.run(settle)
	b.want("root", "started", "b")
	b.want("child", "started")
}

func mailboxEnded(b *bench) {
	var child actors.Ref
	b.host.Start(0, b.named("root", func(ctx actors.Context, m actors.Message) {
		switch m.(type) {
		case *actors.Started:
			child = ctx.Spawn("child", b.named("child", nil))
			ctx.Watch(child)
			ctx.Stop(child)
		case *actors.Terminated:
			ctx.Send(child, &note{Text: "a"})
			ctx.Send(ctx.Spawn("child", b.named("other", nil)), &note{Text: "b"})
			ctx.Send(child, &note{Text: "c"})
		}
	}))
	b.run(settle)
	b.want("root", "started", "terminated")
	b.want("child", "started")
	b.want("other", "started", "b")
}

var emitted = actors.RegisterEvent("hosttest.emitted")

func mailboxEmit(b *bench) {
	address := b.host.Address(0)
	b.host.Start(0, b.named("root", func(ctx actors.Context, m actors.Message) {
		if isStarted(m) {
			child := ctx.Spawn("child", b.named("child", nil))
			for i := range 10 {
				ctx.Emit(actors.Event{Kind: emitted, Peer: child, Address: address, Message: m, N: int64(i), Text: fmt.Sprint(i)})
			}
			ctx.Send(ctx.Self(), &note{Text: "a"})
		}
	}))
	b.run(settle)
	b.want("root", "started", "a")
	b.want("child", "started")
}
