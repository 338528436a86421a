package hosttest

import (
	"sync"
	"time"

	"peernet/actors"
)

var refTests = []test{
	{"a Ref is never used again", refDistinct},
	{"what is sent to old references does not reach new actors", refStale},
	{"a Ref is not used again by the next incarnation", refIncarnations},
}

// refs collects references across the actors of a test.
type refs struct {
	mu   sync.Mutex
	list []actors.Ref
}

func (r *refs) add(ref actors.Ref) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, ref)
}

func (r *refs) all() []actors.Ref {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.list[:len(r.list):len(r.list)]
}

// distinct fails the test if a reference names two actors, or nobody.
func (r *refs) distinct(b *bench) {
	b.Helper()
	seen := map[actors.Ref]bool{}
	for _, ref := range r.all() {
		if ref.IsZero() || seen[ref] {
			b.Errorf("the reference %v names two actors", ref)
		}
		seen[ref] = true
	}
}

func refDistinct(b *bench) {
	const spawns = 1000
	var all refs
	b.host.Start(0, b.actor(func(ctx actors.Context, m actors.Message) {
		if isStarted(m) {
			all.add(ctx.Self())
		}
		if isStarted(m) || is(m, "more") {
			// Some end at once, some later.
			for i := range 10 {
				child := ctx.Spawn("child", b.named("child", func(ctx actors.Context, m actors.Message) {
					if is(m, "you are") && ctx.Self() != m.(*note).Ref {
						b.Errorf("Self is %v, Spawn returned %v", ctx.Self(), m.(*note).Ref)
					}
				}))
				ctx.Send(child, &note{Text: "you are", Ref: child})
				all.add(child)
				if i%2 == 0 {
					ctx.Stop(child)
				} else {
					ctx.After(time.Duration(i)*time.Millisecond, &note{Text: "stop", Ref: child})
				}
			}
			if len(all.all()) < spawns {
				ctx.After(time.Millisecond, &note{Text: "more"})
			}
		}
		if is(m, "stop") {
			ctx.Stop(m.(*note).Ref)
		}
	}))
	b.run(settle)
	if got := b.count("child", "started"); got < spawns {
		b.Errorf("%d children started, want %d", got, spawns)
	}
	all.distinct(b)
}

func refStale(b *bench) {
	const each = 200
	var old refs
	b.host.Start(0, b.actor(func(ctx actors.Context, m actors.Message) {
		switch {
		case isStarted(m):
			for range each {
				child := ctx.Spawn("child", b.named("old", nil))
				old.add(child)
				ctx.Stop(child)
			}
			ctx.After(time.Second, &note{Text: "again"})
		case is(m, "again"):
			for range each {
				ctx.Spawn("child", b.named("new", nil))
			}
			for _, ref := range old.all() {
				ctx.Send(ref, &note{Text: "stale"})
				ctx.Stop(ref)
				ctx.Send(ref, &note{Text: "stale"})
			}
		}
	}))
	b.run(settle)
	for _, who := range []string{"old", "new"} {
		if got := b.noted(who); len(got) != each || b.count(who, "started") != each {
			b.Errorf("%d %s actors heard %v", each, who, got)
		}
	}
}

func refIncarnations(b *bench) {
	const incarnations = 5
	var all refs
	for range incarnations {
		old := all.all()
		b.host.Start(0, b.actor(func(ctx actors.Context, m actors.Message) {
			if !isStarted(m) {
				b.Errorf("%q reached a new root", describe(m))
				return
			}
			all.add(ctx.Self())
			for range 10 {
				all.add(ctx.Spawn("child", b.named("child", nil)))
			}
			for _, ref := range old {
				ctx.Send(ref, &note{Text: "stale"})
				ctx.Stop(ref)
			}
		}))
		b.run(time.Second)
		b.host.Crash(0, true)
	}
	all.distinct(b)
	if got := b.count("child", "started"); got != 10*incarnations || len(b.noted("child")) != got {
		b.Errorf("%d children heard %v", 10*incarnations, b.noted("child"))
	}
}
