package adversary

import (
	"peernet/actors"
	"peernet/actors/wire"
)

// What a Forger makes up of a request.
const (
	forgedAnswers = 3
	forgedHops    = 32 // hop counts are below this, so that half are beyond the default limit
)

// ForgedData is the data of all responses that a Forger makes up.
const ForgedData = "forged"

// A forger answers what it hears of.
type forger struct {
	member
	relay relay
}

func (g *forger) hear(ctx actors.Context, m *machine, f *wire.Frame, from actors.Ref) {
	if f.Response {
		ctx.Emit(actors.Event{Kind: EventDropped, Peer: from, Message: f})
		return
	}
	if !g.relay.note(f, from, m.config.Memory) {
		return
	}
	list := make([]actors.Message, forgedAnswers)
	for i := range list {
		list[i] = forged(ctx, f.Body.ID, f.Body.Type)
	}
	ctx.Send(from, &say{list})
	ctx.Emit(actors.Event{Kind: EventForged, Peer: from, Message: f, N: forgedAnswers})
	if out := g.relay.onward(f, from); out != nil {
		out.frame.Hops = 0
		ctx.Emit(actors.Event{Kind: EventRewound, Message: f, N: int64(m.pass(ctx, out))})
	}
}

// forged makes up a response.
func forged(ctx actors.Context, request, typ string) *wire.Frame {
	return wire.NewFrame(
		wire.Frame{Hops: ctx.Rand().Uint32N(forgedHops), Response: true, LimitPresent: true},
		wire.Body{ID: randomID(ctx), Reply: request, Type: typ, Data: ForgedData},
	)
}

func (g *forger) act(ctx actors.Context, m *machine, n int) {
	for range n {
		f := forged(ctx, randomID(ctx), "search")
		if m.sayToAny(ctx, actors.Ref{}, f) {
			ctx.Emit(actors.Event{Kind: EventMisdirected, Message: f})
		}
	}
}
