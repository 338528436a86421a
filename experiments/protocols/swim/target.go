package swim

import (
	"slices"

	"peernet/actors"
)

// target returns whom to probe in this period; there may be nobody.
func (m *Member) target(ctx actors.Context) (int, bool) {
	if !m.Config.RoundRobin {
		return m.draw(ctx, []int{m.Self})
	}
	// One that is no candidate is skipped. If none is, the list is gone through once.
	for range 2 * len(m.Config.Peers) {
		if m.next == len(m.order) {
			m.shuffle(ctx)
		}
		m.next++
		if i := m.order[m.next-1]; m.candidate(i) {
			return i, true
		}
	}
	return 0, false
}

// shuffle begins the round-robin anew.
func (m *Member) shuffle(ctx actors.Context) {
	if m.order == nil {
		for i := range m.Config.Peers {
			if i != m.Self {
				m.order = append(m.order, i)
			}
		}
	}
	m.next = 0
	ctx.Rand().Shuffle(len(m.order), func(i, j int) { m.order[i], m.order[j] = m.order[j], m.order[i] })
}

// draw draws one of the candidates, except some.
func (m *Member) draw(ctx actors.Context, except []int) (int, bool) {
	left := len(m.Config.Peers) - len(except)
	for _, r := range m.Records {
		if !m.candidate(r.Member) && !slices.Contains(except, r.Member) {
			left--
		}
	}
	for left > 0 {
		if i := ctx.Rand().IntN(len(m.Config.Peers)); m.candidate(i) && !slices.Contains(except, i) {
			return i, true
		}
	}
	return 0, false
}

// candidate reports whether a member is to be probed, and asked.
func (m *Member) candidate(i int) bool { return m.Config.Keep || m.Record(i).State != Failed }
