package hosttest

import (
	"fmt"
	"time"

	"peernet/actors"
)

var watchTests = []test{
	{"Watch is answered when the actor ends, and not before", watchEnds},
	{"Watch of an actor that ended is answered", watchEnded},
	{"Watch of an actor about to end is answered once", watchEnding},
	{"each Watch of each watcher is answered once", watchSeveral},
	{"an actor that watches itself ends all the same", watchSelf},
}

// watching returns a play that notes whom a Terminated names.
func (b *bench) watching(who string, f receive) actors.Actor {
	return b.actor(func(ctx actors.Context, m actors.Message) {
		if t, ok := m.(*actors.Terminated); ok {
			b.note(who, "ended %v", t.Who)
		}
		f(ctx, m)
	})
}

func watchEnds(b *bench) {
	var child actors.Ref
	b.host.Start(0, b.watching("root", func(ctx actors.Context, m actors.Message) {
		switch {
		case isStarted(m):
			child = ctx.Spawn("child", b.named("child", nil))
			ctx.Watch(child)
			ctx.Watch(ctx.Spawn("child", b.named("lives", nil)))
			ctx.After(time.Second, &note{Text: "stop"})
		case is(m, "stop"):
			b.note("root", "stops %v", child)
			b.note("root", "ended %v", child) // what is to come
			ctx.Stop(child)
		}
	}))
	b.run(settle)
	got := b.noted("root")
	if len(got) != 3 || got[1] != got[2] {
		b.Errorf("the watcher noted %v", got)
	}
}

func watchEnded(b *bench) {
	b.host.Start(0, b.watching("root", func(ctx actors.Context, m actors.Message) {
		switch m := m.(type) {
		case *actors.Started:
			child := ctx.Spawn("child", b.named("child", nil))
			ctx.Stop(child)
			ctx.After(time.Second, &note{Text: "watch", Ref: child})
		case *note:
			// Another may live in its place.
			ctx.Spawn("child", b.named("child", nil))
			b.note("want", "ended %v", m.Ref)
			ctx.Watch(m.Ref)
			b.note("want", "ended %v", actors.Ref{})
			ctx.Watch(actors.Ref{})
		}
	}))
	b.run(settle)
	b.want("root", b.noted("want")...)
}

func watchEnding(b *bench) {
	b.host.Start(0, b.watching("root", func(ctx actors.Context, m actors.Message) {
		if isStarted(m) {
			for range 10 {
				child := ctx.Spawn("child", b.named("child", nil))
				ctx.Stop(child)
				ctx.Watch(child)
				ctx.Send(child, &note{Text: "late"})
			}
		}
	}))
	b.run(settle)
	if got := b.count("root", "ended"); got != 10 {
		b.Errorf("%d watches of 10 actors were answered", got)
	}
	if got := b.count("child", "started"); got != 10 || len(b.noted("child")) != 10 {
		b.Errorf("10 children heard %v", b.noted("child"))
	}
}

func watchSeveral(b *bench) {
	watcher := func(i int, child actors.Ref) actors.Actor {
		return b.watching(fmt.Sprint("watcher ", i), func(ctx actors.Context, m actors.Message) {
			if isStarted(m) {
				for range i {
					ctx.Watch(child)
				}
			}
		})
	}
	b.host.Start(0, b.actor(func(ctx actors.Context, m actors.Message) {
		switch m := m.(type) {
		case *actors.Started:
			child := ctx.Spawn("child", b.named("child", nil))
			for i := range 4 {
				ctx.Spawn("watcher", watcher(i, child))
			}
			ctx.Stop(ctx.Spawn("watcher", watcher(9, child)))
			ctx.After(time.Second, &note{Text: "stop", Ref: child})
		case *note:
			ctx.Stop(m.Ref)
		}
	}))
	b.run(settle)
	for i := range 4 {
		if got := b.count(fmt.Sprint("watcher ", i), "ended"); got != i {
			b.Errorf("%d watches were answered %d times", i, got)
		}
	}
	b.want("watcher 9") // it ended first
}

func watchSelf(b *bench) {
	b.host.Start(0, b.actor(func(ctx actors.Context, m actors.Message) {
		if isStarted(m) {
			child := ctx.Spawn("child", b.named("child", func(ctx actors.Context, m actors.Message) {
				if isStarted(m) {
					ctx.Watch(ctx.Self())
					ctx.Stop(ctx.Self())
				}
			}))
			b.note("want", "ended %v", child)
			ctx.Spawn("watcher", b.watching("watcher", func(ctx actors.Context, m actors.Message) {
				if isStarted(m) {
					ctx.Watch(child)
				}
			}))
		}
	}))
	b.run(settle)
	b.want("child", "started")
	b.want("watcher", b.noted("want")...)
}
