package adversary

import (
	"slices"

	"peernet/actors"
	"peernet/actors/wire"
)

// A relay knows where requests and responses go, as an honest node does, by a
// small memory of what came lately.
type relay struct {
	heard []sighting // a ring once it is full
	next  int        // where the next one goes
}

// A sighting is a request or response that came over a link.
type sighting struct {
	key  uint64
	from actors.Ref
}

// As an honest node has them by default.
const (
	fanout  = 3
	hopsMax = 15
)

// keyOf names a request, or a response, by its id.
func keyOf(id string, response bool) uint64 {
	return actors.Mix(actors.Sum([]byte(id)), uint64(flag(response)))
}

// note remembers what a speaker brought, and reports whether it is new.
func (r *relay) note(f *wire.Frame, from actors.Ref, most int) bool {
	key := keyOf(f.Body.ID, f.Response)
	if !r.origin(key).IsZero() {
		return false
	}
	if len(r.heard) < most {
		r.heard = append(r.heard, sighting{key, from})
		return true
	}
	r.heard[r.next] = sighting{key, from}
	r.next = (r.next + 1) % most
	return true
}

// origin returns who brought a message first, or the zero Ref.
func (r *relay) origin(key uint64) actors.Ref {
	if i := slices.IndexFunc(r.heard, func(s sighting) bool { return s.key == key }); i >= 0 {
		return r.heard[i].from
	}
	return actors.Ref{}
}

// onward returns a message that is new as an honest node would pass it on, nil
// if it would not.
func (r *relay) onward(f *wire.Frame, from actors.Ref) *delayed {
	out := &wire.Frame{Body: f.Body, Hops: f.Hops + 1, Response: f.Response, LimitPresent: true}
	if f.Response {
		to := r.origin(keyOf(f.Body.Reply, false))
		if to.IsZero() {
			return nil
		}
		return &delayed{frame: out, to: to}
	}
	limit := uint32(hopsMax)
	if f.Body.Limit != 0 {
		limit = min(limit, f.Body.Limit)
	}
	if f.Hops >= limit {
		return nil
	}
	return &delayed{frame: out, from: from}
}

// pass sends a message to the speaker that it is for, or to a few random ones,
// and returns to how many.
func (m *machine) pass(ctx actors.Context, d *delayed) (sent int) {
	msg := &say{[]actors.Message{d.frame}}
	if !d.to.IsZero() {
		ctx.Send(d.to, msg)
		return 1
	}
	var space [64]actors.Ref
	others := space[:0]
	for i := range m.contacts {
		if c := &m.contacts[i]; c.up && c.speaker != d.from {
			others = append(others, c.speaker)
		}
	}
	n := min(fanout, len(others))
	if d.frame.Body.Type == wire.TypeSignal {
		n = min(1, n) // offers of links take a walk
	}
	for k := range n {
		j := k + ctx.Rand().IntN(len(others)-k)
		others[k], others[j] = others[j], others[k]
		ctx.Send(others[k], msg)
	}
	return n
}

// A delayer passes on what it hears, late.
type delayer struct {
	member
	relay relay
}

func (d *delayer) hear(ctx actors.Context, m *machine, f *wire.Frame, from actors.Ref) {
	if !d.relay.note(f, from, m.config.Memory) {
		return
	}
	out := d.relay.onward(f, from)
	switch {
	case out == nil:
	case m.pending >= m.config.Memory:
		ctx.Emit(actors.Event{Kind: EventDropped, Peer: from, Message: f})
	default:
		m.pending++
		ctx.After(m.config.Delay, out)
	}
}
