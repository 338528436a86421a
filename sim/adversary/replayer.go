package adversary

import (
	"peernet/actors"
	"peernet/actors/wire"
)

// A replayer passes on what it hears, and sends some of it again.
type replayer struct {
	member
	relay relay
	tape  []recording
	heard uint64 // messages so far
}

// A recording is a message as it came, and who brought it.
type recording struct {
	frame *wire.Frame
	from  actors.Ref
}

// hear keeps a uniform sample of all that ever came (Vitter's algorithm R), so
// that old messages are sent again as often as new ones.
func (r *replayer) hear(ctx actors.Context, m *machine, f *wire.Frame, from actors.Ref) {
	r.heard++
	if len(r.tape) < m.config.Memory {
		r.tape = append(r.tape, recording{f, from})
	} else if k := ctx.Rand().Uint64N(r.heard); k < uint64(len(r.tape)) {
		r.tape[k] = recording{f, from}
	}
	if !r.relay.note(f, from, m.config.Memory) {
		return
	}
	if out := r.relay.onward(f, from); out != nil {
		m.pass(ctx, out)
	}
}

func (r *replayer) act(ctx actors.Context, m *machine, n int) {
	if len(r.tape) == 0 {
		return
	}
	for range n {
		k := r.tape[ctx.Rand().IntN(len(r.tape))]
		again := ctx.Rand().IntN(2) == 0
		if again && m.isUp(k.from) {
			ctx.Send(k.from, &say{[]actors.Message{k.frame}})
			ctx.Emit(actors.Event{Kind: EventReplayed, Peer: k.from, Message: k.frame})
			continue
		}
		young := &wire.Frame{Body: k.frame.Body, Response: k.frame.Response, LimitPresent: k.frame.LimitPresent}
		if m.sayToAny(ctx, k.from, young) {
			ctx.Emit(actors.Event{Kind: EventReplayed, Message: young, N: 1})
		}
	}
}
