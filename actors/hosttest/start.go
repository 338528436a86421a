package hosttest

import (
	"strings"

	"peernet/actors"
)

var startTests = []test{
	{"Started is the first message of a root", startOfRoot},
	{"Started is the first message of a spawned actor", startOfSpawned},
	{"Started is the first message of a restarted node", startAgain},
	{"the sender of Started is who spawned the actor, and nobody for a root", startSender},
}

func startOfRoot(b *bench) {
	b.host.Start(0, b.named("root", func(ctx actors.Context, m actors.Message) {
		if isStarted(m) {
			ctx.Send(ctx.Self(), &note{Text: "a"})
		}
	}))
	b.run(settle)
	b.want("root", "started", "a")
}

func startOfSpawned(b *bench) {
	child := b.named("child", func(ctx actors.Context, m actors.Message) {
		if isStarted(m) {
			ctx.Spawn("grandchild", b.named("grandchild", nil))
		}
	})
	b.host.Start(0, b.actor(func(ctx actors.Context, m actors.Message) {
		if isStarted(m) {
			ctx.Send(ctx.Spawn("child", child), &note{Text: "a"})
		}
	}))
	b.run(settle)
	b.want("child", "started", "a")
	b.want("grandchild", "started")
}

func startAgain(b *bench) {
	b.host.Start(0, b.named("crashes", nil))
	b.run(settle)
	b.host.Crash(0, true)
	b.host.Start(0, b.named("stops", func(ctx actors.Context, m actors.Message) { ctx.Stop(ctx.Self()) }))
	b.run(settle)
	b.host.Start(0, b.named("stays", nil))
	b.run(settle)
	b.want("crashes", "started")
	b.want("stops", "started")
	b.want("stays", "started")
}

func startSender(b *bench) {
	sender := func(who string, f receive) actors.Actor {
		return b.actor(func(ctx actors.Context, m actors.Message) {
			b.note("selves", "%s is %v", who, ctx.Self())
			b.note("senders", "of %s is %v", who, ctx.Sender())
			if f != nil {
				f(ctx, m)
			}
		})
	}
	b.host.Start(0, sender("root", func(ctx actors.Context, m actors.Message) {
		ctx.Spawn("child", sender("child", func(ctx actors.Context, m actors.Message) {
			ctx.Spawn("grandchild", sender("grandchild", nil))
		}))
	}))
	b.run(settle)
	var refs []string
	for _, line := range b.noted("selves") {
		_, ref, _ := strings.Cut(line, " is ")
		refs = append(refs, ref)
	}
	if len(refs) != 3 {
		b.Fatalf("started were %v", b.noted("selves"))
	}
	b.want("senders", "of root is "+actors.Ref{}.String(), "of child is "+refs[0], "of grandchild is "+refs[1])
}
