package adversary

import (
	"peernet/actors"
	"peernet/actors/book"
	"peernet/actors/wire"
)

// A sybil dials under ever new ids, and tells of its own side alone.
type sybil struct{ member }

func (sybil) act(ctx actors.Context, m *machine, n int) {
	for range min(n, m.config.Connections-m.outbound()) {
		m.dialAny(ctx)
	}
}

func (sybil) tell(ctx actors.Context, m *machine, n int) *wire.Addresses {
	var space [wire.AddressesMax]int
	list := make([]actors.Address, 0, n)
	for _, i := range book.Sample(space[:0], m.side(), n, ctx.Rand()) {
		list = append(list, m.sideAt(i))
	}
	told := wire.NewAddresses(list)
	ctx.Emit(actors.Event{Kind: EventColluded, Message: told, N: int64(len(list))})
	return told
}

// An eclipser is a sybil that dials its victim.
type eclipser struct{ sybil }

func (eclipser) act(ctx actors.Context, m *machine, n int) {
	for range min(n, m.config.Connections-m.outbound()) {
		m.dial(ctx, m.config.Victim)
	}
}

// A silent machine dials likewise, and its speakers say nothing.
type silent struct{ sybil }
