package hosttest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"peernet/actors"
)

var randTests = []test{
	{"every actor has a random stream of its own", randDiffers},
	{"the same seed gives the same streams", randSeed},
	{"further actors and nodes leave a stream as it is", randUnaffected},
	{"streams differ by node, incarnation, name and ordinal", randNames},
}

// drawer returns an actor that notes three draws at its start and three later.
// It does f before each.
func (b *bench) drawer(who string, f func(actors.Context)) actors.Actor {
	return b.actor(func(ctx actors.Context, m actors.Message) {
		for range 3 {
			if f != nil {
				f(ctx)
			}
			b.note(who, "%x", ctx.Rand().Uint64())
		}
		if isStarted(m) {
			ctx.After(time.Second, &note{Text: "draw"})
		}
	})
}

// differ fails the test if two of the draws are the same.
func (b *bench) differ() {
	b.Helper()
	seen := map[string]string{}
	all := b.journals()
	for _, who := range slices.Sorted(maps.Keys(all)) {
		for _, d := range all[who] {
			if seen[d] != "" {
				b.Errorf("%s and %s both drew %s", seen[d], who, d)
			}
			seen[d] = who
		}
	}
}

func randDiffers(b *bench) {
	for i := range 3 {
		b.host.Start(i, b.drawer(fmt.Sprint("root of ", i), func(ctx actors.Context) {
			for k, name := range []string{"a", "a", "b"} {
				ctx.Spawn(name, b.drawer(fmt.Sprint(name, k, " of ", i), nil))
			}
		}))
	}
	b.run(settle)
	b.differ()
	if got := len(b.journals()); got != 12 {
		b.Errorf("%d actors drew, want 12", got)
	}
}

// seeded sets the host's seed, or skips the test.
func (b *bench) seeded(seed uint64) {
	s, ok := b.host.(Seeded)
	if !ok {
		b.Skip("the host has no seed")
	}
	s.Seed(seed)
}

// draw runs two nodes, of which the first is restarted, and notes their
// actors' draws. Further does what must not matter: it is called in each of
// their Receives before each draw, and before an actor is spawned.
func draw(b *bench, further func(actors.Context)) {
	for _, life := range []string{"0", "1", "0 again"} {
		node := int(life[0] - '0')
		if strings.HasSuffix(life, "again") {
			b.host.Crash(node, true)
		}
		children := []string{"a", "a", "b", "a"}
		b.host.Start(node, b.drawer("root of "+life, func(ctx actors.Context) {
			if len(children) == 0 {
				return
			}
			further(ctx)
			for ordinal, name := range children {
				further(ctx)
				ctx.Spawn(name, b.drawer(fmt.Sprint(name, ordinal, " of ", life), further))
			}
			children = nil
		}))
		b.run(settle)
	}
}

func nothing(actors.Context) {}

func randSeed(b *bench) {
	b.seeded(7)
	draw(b, nothing)
	same := b.another()
	same.seeded(7)
	draw(same, nothing)
	first, second := b.journals(), same.journals()
	if !maps.EqualFunc(first, second, slices.Equal) {
		b.Errorf("the same seed drew\n%v\nand\n%v", first, second)
	}
	other := b.another()
	other.seeded(8)
	draw(other, nothing)
	for who, draws := range other.journals() {
		if slices.Equal(draws, first[who]) {
			b.Errorf("%s drew the same from another seed", who)
		}
	}
}

func randUnaffected(b *bench) {
	b.seeded(7)
	draw(b, nothing)
	more := b.another()
	more.seeded(7)
	for i := 2; i < 5; i++ {
		more.host.Start(i, more.actor(func(ctx actors.Context, m actors.Message) { ctx.Rand().Uint64() }))
	}
	draw(more, func(ctx actors.Context) {
		for range 5 {
			ctx.Spawn("further", more.actor(func(ctx actors.Context, m actors.Message) { ctx.Rand().Uint64() }))
		}
	})
	for who, draws := range b.journals() {
		if got := more.noted(who); !slices.Equal(got, draws) {
			b.Errorf("among further actors %s drew %v, want %v", who, got, draws)
		}
	}
}

func randNames(b *bench) {
	b.seeded(7)
	draw(b, nothing)
	b.differ()
	if got := len(b.journals()); got != 15 {
		b.Errorf("%d actors drew, want 15", got)
	}
}
