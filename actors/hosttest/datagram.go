package hosttest

import (
	"time"

	"peernet/actors"
	"peernet/actors/wire"
)

// Hosts may leave out datagrams.
var datagramTests = []test{
	{"a datagram reaches the root, and says where it comes from", datagramArrives},
	{"a datagram to nobody is lost", datagramLost},
}

// sends starts node 0 to send a datagram to each address; it skips the test if
// the host has none.
func (b *bench) sends(to ...actors.Address) {
	b.host.Start(0, b.named("0", func(ctx actors.Context, m actors.Message) {
		d, ok := ctx.(actors.Datagrams)
		if !ok {
			b.note("host", "has no datagrams")
		} else if isStarted(m) {
			for _, a := range to {
				d.SendTo(a, &wire.Ping{Nonce: 1})
			}
		}
	}))
	b.run(settle)
	if len(b.noted("host")) > 0 {
		b.Skip("the host has no datagrams")
	}
}

func datagramArrives(b *bench) {
	from := b.host.Address(0)
	b.host.Start(1, b.named("1", func(ctx actors.Context, m actors.Message) {
		if d, ok := m.(*actors.Datagram); ok && d.From != from {
			b.Errorf("a datagram comes from %v, want %v", d.From, from)
		}
		if isStarted(m) {
			ctx.Spawn("child", b.named("child", nil))
			ctx.After(time.Second, &note{Text: "timer"})
		}
	}))
	b.sends(b.host.Address(1), from)
	// One may be lost, but not where all goes well.
	b.want("1", "started", "datagram ping 1", "timer")
	b.want("child", "started")
	b.want("0", "started", "datagram ping 1")
}

func datagramLost(b *bench) {
	b.host.Start(1, b.named("1", func(ctx actors.Context, m actors.Message) { ctx.Stop(ctx.Self()) }))
	b.run(settle)
	b.sends(b.host.Address(1), b.host.Address(2), actors.MustAddress("gopher://10.0.0.1:70"), actors.Address{})
	b.want("0", "started")
	b.want("1", "started")
}
