package book

import (
	"slices"

	"peernet/actors"
)

// linearMax is the size up to which a Memory book searches its addresses one
// by one: 64 handles are eight cache lines, less than an index costs.
const linearMax = 64

// firstEntries is the room for entries that a Memory starts with.
const firstEntries = 16

// Memory is a compact [Book] in memory, for simulations and short-lived nodes.
// An address that was never tried takes 20 bytes. The zero Memory is empty and
// ready to use.
type Memory struct {
	addresses []actors.Address
	records   []record
	stats     []Stats // of the addresses that have any
	freeStats []uint32
	index     map[actors.Address]uint32 // nil up to linearMax entries
	bars      Bars
}

type record struct {
	source uint32
	seen   Seconds
	// stats is 0 for none, otherwise one more than the index in stats, times
	// two; plus one for a saved address.
	stats uint32
}

// Len implements [Book].
func (m *Memory) Len() int { return len(m.addresses) }

// At implements [Book].
func (m *Memory) At(i int) Entry {
	r := m.records[i]
	e := Entry{Address: m.addresses[i], Source: r.source, Seen: r.seen, Saved: r.stats&1 == 1}
	if s := r.stats >> 1; s != 0 {
		e.Stats = m.stats[s-1]
	}
	return e
}

// Source implements [Book].
func (m *Memory) Source(i int) (source uint32, saved bool) {
	r := &m.records[i]
	return r.source, r.stats&1 == 1
}

// Sources implements [Book].
func (m *Memory) Sources(f func(source uint32, saved bool)) {
	for i := range m.records {
		f(m.Source(i))
	}
}

// Find implements [Book].
func (m *Memory) Find(a actors.Address) (int, bool) {
	if m.index != nil {
		i, ok := m.index[a]
		return int(i), ok
	}
	i := slices.Index(m.addresses, a)
	return i, i >= 0
}

// Append implements [Book].
func (m *Memory) Append(e Entry) {
	if m.addresses == nil {
		m.addresses = make([]actors.Address, 0, firstEntries)
		m.records = make([]record, 0, firstEntries)
	}
	m.addresses = append(m.addresses, e.Address)
	m.records = append(m.records, record{})
	last := len(m.addresses) - 1
	if m.index != nil {
		m.index[e.Address] = uint32(last)
	} else if last == linearMax {
		m.index = make(map[actors.Address]uint32, 2*linearMax)
		for i, a := range m.addresses {
			m.index[a] = uint32(i)
		}
	}
	m.Set(last, e)
}

// Set implements [Book].
func (m *Memory) Set(i int, e Entry) {
	r := &m.records[i]
	slot := r.stats >> 1
	switch {
	case e.Stats == Stats{}:
		m.releaseStats(slot)
		slot = 0
	case slot == 0:
		slot = m.allocateStats()
	}
	if slot != 0 {
		m.stats[slot-1] = e.Stats
	}
	*r = record{source: e.Source, seen: e.Seen, stats: slot << 1}
	if e.Saved {
		r.stats |= 1
	}
}

func (m *Memory) allocateStats() uint32 {
	if n := len(m.freeStats); n > 0 {
		slot := m.freeStats[n-1]
		m.freeStats = m.freeStats[:n-1]
		return slot
	}
	if n := len(m.stats); n == cap(m.stats) {
		m.stats = append(make([]Stats, 0, n+max(n/8, 4)), m.stats...)
	}
	m.stats = append(m.stats, Stats{})
	return uint32(len(m.stats))
}

func (m *Memory) releaseStats(slot uint32) {
	if slot != 0 {
		m.freeStats = append(m.freeStats, slot)
	}
}

// Delete implements [Book].
func (m *Memory) Delete(i int) {
	m.releaseStats(m.records[i].stats >> 1)
	last := len(m.addresses) - 1
	if m.index != nil {
		delete(m.index, m.addresses[i])
		if i != last {
			m.index[m.addresses[last]] = uint32(i)
		}
	}
	m.addresses[i] = m.addresses[last]
	m.records[i] = m.records[last]
	m.addresses[last] = actors.Address{}
	m.addresses = m.addresses[:last]
	m.records = m.records[:last]
}

// Bar implements [Book].
func (m *Memory) Bar(a actors.Address, until Seconds) { m.bars.Set(a, until) }

// Barred implements [Book].
func (m *Memory) Barred(a actors.Address) Seconds { return m.bars.Until(a) }

// Bars implements [Book].
func (m *Memory) Bars() int { return m.bars.Len() }

// ExpireBars implements [Book].
func (m *Memory) ExpireBars(now Seconds, most int) { m.bars.Expire(now, most, nil) }

// Commit implements [Book]; memory is as durable as it gets.
func (m *Memory) Commit() error { return nil }
