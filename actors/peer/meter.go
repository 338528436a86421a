package peer

import (
	"slices"

	"peernet/actors"
)

// Meters hold peers to a rate each, by their numbers (the generic cell rate algorithm, as
// Conn.pay has it for all messages). They keep only those that have used some of it.
type meters []meter

type meter struct {
	peer uint16
	paid actors.Time // until when what it did uses up its rate
}

// pay takes what costs a time off a peer's rate, after bursts that cost burst, and
// reports whether there was as much left.
func (m *meters) pay(now actors.Time, peer uint16, cost, burst actors.Time) bool {
	*m = slices.DeleteFunc(*m, func(x meter) bool { return x.paid <= now })
	i := slices.IndexFunc(*m, func(x meter) bool { return x.peer == peer })
	if i < 0 {
		*m = append(*m, meter{peer, now})
		i = len(*m) - 1
	}
	if (*m)[i].paid+cost > now+burst {
		return false
	}
	(*m)[i].paid += cost
	return true
}
