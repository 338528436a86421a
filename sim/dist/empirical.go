package dist

import (
	"fmt"
	"math/bits"
	"time"
)

// QuantilesMax is how many quantiles an [Empirical] distribution can have.
const QuantilesMax = 1 << 16

// Empirical is what was measured: its quantiles at equally spaced probabilities,
// so that of n the first is the minimum, i/(n−1) of the draws are below the one at
// i, and the last is the maximum. Between two of them all durations are alike;
// equal ones are a duration that is drawn as such. There are from 2 to
// [QuantilesMax], from 0 to [Max], none less than the one before. They must not
// change once in use.
type Empirical []time.Duration

// Validate implements [Distribution].
func (d Empirical) Validate() error {
	if len(d) < 2 || len(d) > QuantilesMax {
		return fmt.Errorf("sim/dist: an empirical distribution must have from 2 to %d quantiles, not %d", QuantilesMax, len(d))
	}
	low := time.Duration(0)
	for i, q := range d {
		if q < low || q > Max {
			return fmt.Errorf("sim/dist: quantile %d of %d of an empirical distribution must be from %v to %v, not %v", i+1, len(d), low, Max, q)
		}
		low = q
	}
	return nil
}

// Min implements [Distribution]. It is the first quantile.
func (d Empirical) Min() time.Duration { return d[0] }

// Draw implements [Distribution].
func (d Empirical) Draw(u uint64) time.Duration {
	i, place := bits.Mul64(u, uint64(len(d)-1))
	a, b := d[i], d[i+1]
	above, _ := bits.Mul64(place, uint64(b-a)+1)
	return a + time.Duration(above)
}
