package dist

import (
	"cmp"
	"fmt"
	"math/bits"
	"time"
)

// Max is the longest duration that a Distribution of this package draws, and the
// largest that its parameters can be.
const Max = 1000 * time.Hour

// A Distribution of durations. What implements it must draw with integer
// arithmetic alone, and have no state: its methods are called by many goroutines.
type Distribution interface {
	// Validate returns what is wrong with the parameters. If something is, the
	// other methods mean nothing, and may panic.
	Validate() error
	// Min is the smallest duration that Draw returns, Draw(0).
	Min() time.Duration
	// Draw maps 64 uniformly random bits to a duration. It never decreases as u
	// grows.
	Draw(u uint64) time.Duration
}

// Constant is always the same duration, from 0 to [Max].
type Constant time.Duration

// Validate implements [Distribution].
func (d Constant) Validate() error {
	return checkDuration("a constant", time.Duration(d), 0, Max)
}

// Min implements [Distribution].
func (d Constant) Min() time.Duration { return time.Duration(d) }

// Draw implements [Distribution].
func (d Constant) Draw(uint64) time.Duration { return time.Duration(d) }

// Uniform is uniform over the nanoseconds from Low to High, both included. Low is
// at least 0, High from Low to [Max].
type Uniform struct{ Low, High time.Duration }

// Validate implements [Distribution].
func (d Uniform) Validate() error {
	return cmp.Or(
		checkDuration("the Low of a uniform distribution", d.Low, 0, Max),
		checkDuration("the High of a uniform distribution", d.High, d.Low, Max))
}

// Min implements [Distribution].
func (d Uniform) Min() time.Duration { return d.Low }

// Draw implements [Distribution].
func (d Uniform) Draw(u uint64) time.Duration {
	hi, _ := bits.Mul64(u, uint64(d.High-d.Low)+1)
	return d.Low + time.Duration(hi)
}

// checkDuration returns an error that says what is not from low to high.
func checkDuration(what string, d, low, high time.Duration) error {
	if d < low || d > high {
		return fmt.Errorf("sim/dist: %s must be from %v to %v, not %v", what, low, high, d)
	}
	return nil
}

// checkHundredths is checkDuration for what is in hundredths.
func checkHundredths(what string, v, low, high int) error {
	if v < low || v > high {
		return fmt.Errorf("sim/dist: %s must be from %s to %s, not %s", what, decimal(low), decimal(high), decimal(v))
	}
	return nil
}
