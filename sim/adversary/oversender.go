package adversary

import (
	"strings"
	"time"

	"peernet/actors"
	"peernet/actors/wire"
	"peernet/sim"
)

// turn is how long an Oversender stays with one peer.
const turn = 5 * time.Second

// TypeFlood is the type of the announces that an Oversender sends.
const TypeFlood = "flood"

// Bytes that no decoder of the wire takes: a frame whose data is beyond the
// limit, which is dropped, and a frame that is no protobuf, which ends the link.
var (
	oversize = sim.Bytes(wire.NewFrame(wire.Frame{}, wire.Body{
		ID: "oversize", Type: TypeFlood, Data: strings.Repeat("x", wire.DataMax+1),
	}).Append(nil))
	malformed = sim.Bytes("\x05\xff\xff\xff\xff\xff")
)

// An oversender sends to one peer more than that takes.
type oversender struct {
	member
	target actors.Ref
	until  actors.Time // with this one
	sent   uint64
}

func (o *oversender) act(ctx actors.Context, m *machine, n int) {
	up := m.isUp(o.target)
	if up && ctx.Now() >= o.until && m.config.Bytes {
		o.send(ctx, []actors.Message{malformed})
		up = false
		n--
	}
	if !up || ctx.Now() >= o.until {
		if i := m.pick(ctx, o.target); i >= 0 {
			o.target, up = m.contacts[i].speaker, true
		}
		o.until = ctx.Now().Add(turn)
	}
	if !up || n == 0 {
		return
	}
	list := make([]actors.Message, n)
	for i := range list {
		list[i] = o.next(ctx, m)
	}
	o.send(ctx, list)
}

func (o *oversender) send(ctx actors.Context, list []actors.Message) {
	ctx.Send(o.target, &say{list})
	ctx.Emit(actors.Event{Kind: EventOversent, Peer: o.target, N: int64(len(list))})
}

// next makes the next message of the mixture.
func (o *oversender) next(ctx actors.Context, m *machine) actors.Message {
	o.sent++
	switch o.sent % 8 {
	case 0, 2, 4, 6:
		return wire.NewFrame(wire.Frame{LimitPresent: true}, wire.Body{ID: randomID(ctx), Type: TypeFlood, Data: "more"})
	case 1:
		return &wire.AddressRequest{N: wire.AddressesMax}
	case 3:
		if m.config.Bytes {
			return oversize
		}
	}
	return &wire.Ping{Nonce: o.sent}
}
