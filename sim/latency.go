package sim

import (
	"errors"
	"fmt"
	"math/bits"
	"time"

	"peernet/actors"
)

// A Distribution of delays. Draw maps 64 uniformly random bits to a delay with
// integer arithmetic alone, so that every machine draws alike.
type Distribution interface {
	// Min is the smallest delay that Draw returns.
	Min() time.Duration
	Draw(u uint64) time.Duration
}

// Latency is how long messages take. At least one part must have a positive
// minimum; the sum of the minima is the lookahead of the simulation.
type Latency struct {
	// Link is drawn once per link and direction; nil is none.
	Link Distribution
	// Message is drawn for each message; nil is none.
	Message Distribution
}

// valid reports whether no delay can be less than the lookahead says.
func (l Latency) valid() bool {
	for _, d := range []Distribution{l.Link, l.Message} {
		if u, ok := d.(Uniform); ok && u.High < u.Low {
			return false
		}
	}
	return true
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

// Constant is always the same delay.
type Constant time.Duration

// Min implements [Distribution].
func (c Constant) Min() time.Duration { return time.Duration(c) }

// Draw implements [Distribution].
func (c Constant) Draw(uint64) time.Duration { return time.Duration(c) }

// Uniform is uniform over the nanoseconds from Low to High, both included.
type Uniform struct{ Low, High time.Duration }

// Min implements [Distribution].
func (d Uniform) Min() time.Duration { return d.Low }

// Draw implements [Distribution].
func (d Uniform) Draw(u uint64) time.Duration {
	hi, _ := bits.Mul64(u, uint64(d.High-d.Low)+1)
	return d.Low + time.Duration(hi)
}

// sigmaStep is the resolution of LogNormal's sigma, in hundredths.
const sigmaStep = 5

// logNormal draws from a table of quantiles.
type logNormal struct {
	low       time.Duration
	quantiles [len(normalQuantiles)]uint64 // of the part above low, in ns
}

// NewLogNormal returns low plus a log-normal delay, such that the median is
// as given and the logarithm of the part above low has the standard deviation
// sigma, in hundredths and a multiple of 5 up to 200. It interpolates linearly
// between 1025 quantiles from 1/2050 to 1−1/2050; the tails beyond are cut.
func NewLogNormal(low, median time.Duration, sigma int) (Distribution, error) {
	switch {
	case low <= 0:
		return nil, errors.New("sim: the minimum of a log-normal delay must be positive")
	case median <= low:
		return nil, errors.New("sim: the median of a log-normal delay must exceed its minimum")
	case median-low > time.Minute:
		return nil, errors.New("sim: the median of a log-normal delay must be within a minute of its minimum")
	case sigma <= 0 || sigma > 200 || sigma%sigmaStep != 0:
		return nil, fmt.Errorf("sim: the sigma of a log-normal delay must be from 0.05 to 2 in steps of 0.05, not %d/100", sigma)
	}
	d := &logNormal{low: low}
	for i, q := range normalQuantiles {
		// q is exp(z/20) with 32 fractional bits; raise it to sigma/0.05.
		power := uint64(1) << 32
		for range sigma / sigmaStep {
			hi, lo := bits.Mul64(power, q)
			power = hi<<32 | lo>>32
		}
		hi, lo := bits.Mul64(power, uint64(median-low))
		d.quantiles[i] = hi<<32 | lo>>32
	}
	return d, nil
}

// Min implements [Distribution].
func (d *logNormal) Min() time.Duration { return d.low + time.Duration(d.quantiles[0]) }

// Draw implements [Distribution]: the top ten bits choose the interval, the
// rest the place in it.
func (d *logNormal) Draw(u uint64) time.Duration {
	i := u >> 54
	a, b := d.quantiles[i], d.quantiles[i+1]
	hi, _ := bits.Mul64(u<<10, b-a)
	return d.low + time.Duration(a+hi)
}

// linkDelay draws the delay of a new link's direction, or of a datagram.
func (s *Simulation) linkDelay(n, to *node) (d actors.Time) {
	if s.network != nil {
		d = s.network.between(n, to)
	}
	if s.config.Latency.Link == nil {
		return d
	}
	if c, ok := s.config.Latency.Link.(Constant); ok {
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
