package dist

import (
	"cmp"
	"time"
)

// Normal is the normal distribution, cut at a minimum: what would be less than Min
// is Min. So the draws that are Min itself are as many as lie below it, and the
// mean of all is somewhat above Mean, if Min is near.
type Normal struct {
	// Mean is from 0 to [Max].
	Mean time.Duration
	// SD is the standard deviation, from 0 to [Max]. No draw is more than 9.2 of
	// them from the mean.
	SD time.Duration
	// Minimum is from 0 to Mean.
	Minimum time.Duration
}

// Validate implements [Distribution].
func (d Normal) Validate() error {
	return cmp.Or(
		checkDuration("the mean of a normal distribution", d.Mean, 0, Max),
		checkDuration("the standard deviation of a normal distribution", d.SD, 0, Max),
		checkDuration("the minimum of a normal distribution", d.Minimum, 0, d.Mean))
}

// Min implements [Distribution]. It is Minimum, or what is 9.1 standard deviations
// below the mean, if that is more.
func (d Normal) Min() time.Duration { return d.Draw(0) }

// Draw implements [Distribution].
func (d Normal) Draw(u uint64) time.Duration {
	z := deviate(u)
	away := time.Duration(times(uint64(d.SD), uint64(max(z, -z))))
	if z < 0 {
		return max(d.Mean-away, d.Minimum)
	}
	return min(d.Mean+away, Max)
}
