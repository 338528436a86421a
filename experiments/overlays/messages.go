package overlays

import (
	"time"

	"peernet/experiments/lab"
	"peernet/experiments/protocols/gossip"
	"peernet/sim"
)

// Messages are rumors that are sent one after another.
type Messages struct {
	Name         string        // of the stream that their sources are drawn from
	First, Count int           // their numbers
	Step         time.Duration // a message is over when nothing was sent for so long
	// Hops returns what a node keeps of messages: see gossip.Node.
	Hops func(id sim.NodeID) []uint16
}

// Send sends the messages, from random ones of the live nodes, and tells of each what share
// of these it reached, and over how many hops at most.
func (m Messages) Send(t *lab.Trial, s *sim.Simulation, live []sim.NodeID, tell func(reach float64, most int)) error {
	r := t.Rand("sources" + m.Name)
	for number := m.First; number < m.First+m.Count; number++ {
		s.Send(live[r.IntN(len(live))], &gossip.Rumor{Number: uint32(number)})
		if err := lab.Settle(t, s, m.Step); err != nil {
			return err
		}
		heard, most := 0, 0
		for _, id := range live {
			if hops := m.Hops(id); number < len(hops) && hops[number] > 0 {
				heard++
				most = max(most, int(hops[number])-1)
			}
		}
		tell(float64(heard)/float64(len(live)), most)
	}
	return nil
}
