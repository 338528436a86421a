package swim

import (
	"time"

	"peernet/actors"
)

// A Clock says when the periods of a member begin.
type Clock uint8

// The clocks.
const (
	// Rounds are those of the host: lock-step. A round has to be longer than
	// Config.Timeout and four messages take. Config.Health has no effect.
	Rounds Clock = iota
	// Phased is every Config.Period, from a random phase on.
	Phased
	// Memoryless is after gaps that are exponentially distributed, with mean
	// Config.Period. Probes still last a Period, and may overlap.
	Memoryless
)

// A Config is a variant, shared by the members. The zero value lacks Peers and times.
type Config struct {
	Peers []actors.Address // all members, in the same order for all
	Clock Clock

	// Period is the length of a protocol period, T′. With Rounds it is that of the host.
	Period time.Duration
	// Timeout is how long an ack is waited for before others are asked.
	Timeout time.Duration
	// K is how many are asked by ping-req.
	K int
	// RoundRobin takes targets from a shuffled list, instead of drawing each.
	RoundRobin bool
	// Keep goes on probing members that were declared failed.
	Keep bool

	// Alpha turns suspicion on: its time-out is Alpha·max(1, log10 n) periods. With 0, a
	// member whose probe failed is declared failed at once.
	Alpha int
	// Return lets members come back that were declared failed.
	Return bool

	// Updates is how many updates a message carries at most, up to 255; 0 is no
	// dissemination.
	Updates int
	// Lambda is λ, in thousandths: an update is sent at most ⌈λ·ln n⌉ times. 0 is without
	// a bound.
	Lambda int
	// Relay passes updates on in the round in which they were heard; with clocks other
	// than Rounds this is always so.
	Relay bool

	// Health is the largest local health multiplier, LHM: the period and the time-out of
	// a member are LHM+1 times as long. 0 turns it off.
	Health int
	// Confirmations is K of the dynamic suspicion time-out: by this many independent
	// suspicions besides the first, it falls from Beta times the usual to the usual. 0
	// turns it off.
	Confirmations int
	Beta          int
	// Nack has those asked by ping-req answer at 4/5 of the time-out if they have got no
	// ack by then.
	Nack bool
	// Buddy has each ping to a suspected member tell it of the suspicion.
	Buddy bool
}

// SuspicionMin is the usual time-out of a suspicion.
func (c *Config) SuspicionMin() time.Duration {
	least := time.Duration(c.Alpha) * c.Period
	return max(least, scale(least, log2(uint64(len(c.Peers))), log2(10)))
}

// SuspicionTimeout is how long a suspicion lasts that has been confirmed by so many.
func (c *Config) SuspicionTimeout(confirmed int) time.Duration {
	least := c.SuspicionMin()
	if c.Confirmations == 0 {
		return least
	}
	most := time.Duration(c.Beta) * least
	return max(least, most-scale(most-least, log2(uint64(confirmed+1)), log2(uint64(c.Confirmations+1))))
}

// Transmissions is how often a member sends an update, ⌈λ·ln n⌉; 0 is without a bound.
func (c *Config) Transmissions() int {
	const unit = 1000 << fraction // of λ, and of logarithms
	return int((uint64(c.Lambda)*ln(uint64(len(c.Peers))) + unit - 1) / unit)
}
