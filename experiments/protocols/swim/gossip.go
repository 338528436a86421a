package swim

import "slices"

// A rumour is an update that the member spreads.
type rumour struct {
	update Update
	sent   int
	heard  uint64 // the period in which it was
}

// spread begins to spread an update, in place of others that it overrides.
func (m *Member) spread(u Update) {
	if m.Config.Updates == 0 {
		return
	}
	m.rumours = slices.DeleteFunc(m.rumours, func(r rumour) bool {
		// Suspicions of the same incarnation confirm each other.
		return r.update.Member == u.Member &&
			(r.update.State != Suspected || u.State != Suspected || r.update.Incarnation != u.Incarnation)
	})
	m.rumours = append(m.rumours, rumour{update: u, heard: m.Periods})
}

// piggyback returns the updates that a message to a member carries: those that were sent
// least.
func (m *Member) piggyback(to int) (updates []Update) {
	if len(m.rumours) == 0 && !m.Config.Buddy {
		return nil
	}
	if r := m.Record(to); m.Config.Buddy && to != m.Self && r.State == Suspected {
		updates = append(updates, Update{Suspected, to, r.Incarnation, r.Accusers[0]})
	}
	slices.SortStableFunc(m.rumours, func(a, b rumour) int { return a.sent - b.sent })
	for i := range m.rumours {
		r := &m.rumours[i]
		if len(updates) >= m.Config.Updates {
			break
		}
		if m.Config.Clock == Rounds && !m.Config.Relay && r.heard == m.Periods || slices.Contains(updates, r.update) {
			continue
		}
		updates = append(updates, r.update)
		r.sent++
	}
	if most := m.Config.Transmissions(); most > 0 {
		m.rumours = slices.DeleteFunc(m.rumours, func(r rumour) bool { return r.sent >= most })
	}
	return updates
}
