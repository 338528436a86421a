package book

import (
	"math/rand/v2"
	"slices"

	"peernet/actors"
)

// How many peers that connected a Table remembers, and how long.
const (
	metMax  = 8
	metLife = Seconds(600)
)

// A meeting is an address that a peer told of itself, and when.
type meeting struct {
	address actors.Address
	source  uint32
	at      Seconds
}

// Met notes the address that a peer which connected to this node, and finished
// the handshake, told of itself, for Share. A few of the last ten minutes are kept, one from each
// source.
func (t *Table) Met(a actors.Address, source uint32, now Seconds, r *rand.Rand) {
	if a.IsZero() || t.book.Barred(a) > now {
		return
	}
	met := t.met[:t.metLen]
	slot := slices.IndexFunc(met, func(m meeting) bool { return m.source == source })
	switch {
	case slices.ContainsFunc(met, func(m meeting) bool { return m.address == a && m.source != source }):
		return // to take it over would give source a second one
	case slot >= 0:
	case t.metLen < metMax:
		slot = int(t.metLen)
		t.metLen++
	default:
		slot = r.IntN(metMax)
	}
	t.met[slot] = meeting{a, source, now}
}

// part forgets the meetings that match.
func (t *Table) part(match func(*meeting) bool) {
	for i := 0; i < int(t.metLen); {
		if !match(&t.met[i]) {
			i++
			continue
		}
		t.metLen--
		t.met[i] = t.met[t.metLen]
		t.met[t.metLen] = meeting{}
	}
}
