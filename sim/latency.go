package sim

import (
	"fmt"
	"time"

	"peernet/actors"
	"peernet/sim/dist"
)

// Latency is how long messages take. At least one part must have a positive
// minimum; the sum of the minima is the lookahead of the simulation.
type Latency struct {
	// Link is drawn once per link and direction; nil is none.
	Link dist.Distribution
	// Message is drawn for each message; nil is none.
	Message dist.Distribution
}

// valid returns what is wrong with the distributions.
func (l Latency) valid() error { return valid(l.Link, l.Message) }

// valid returns what is wrong with some distributions, each of which may be nil.
func valid(distributions ...dist.Distribution) error {
	for _, d := range distributions {
		if d == nil {
			continue
		}
		if err := d.Validate(); err != nil {
			return fmt.Errorf("sim: %w", err)
		}
	}
	return nil
}

func (l Latency) lookahead() time.Duration {
	var d time.Duration
	if l.Link != nil {
		d += l.Link.Min()
	}
	if l.Message != nil {
		d += l.Message.Min()
	}
	return d
}

// linkDelay draws the delay of a new link's direction, or of a datagram.
func (s *Simulation) linkDelay(n *node, to NodeID) (d actors.Time) {
	if s.network != nil {
		d = s.network.between(n, s.nodes[to])
	}
	if s.config.Latency.Link == nil {
		return d
	}
	if c, ok := s.config.Latency.Link.(dist.Constant); ok {
		return d + actors.Time(c)
	}
	return d + actors.Time(s.config.Latency.Link.Draw(n.net.Uint64()))
}

// messageDelay draws the delay of a message beyond its link's.
func (s *Simulation) messageDelay(n *node) actors.Time {
	if s.config.Latency.Message == nil {
		return 0
	}
	return actors.Time(s.config.Latency.Message.Draw(n.net.Uint64()))
}
