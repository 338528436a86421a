package dist

import (
	"cmp"
	"errors"
	"fmt"
	"math/bits"
	"time"
)

// sigmaStep is the resolution of NewLogNormal's sigma, in hundredths.
const sigmaStep = 5

// logNormal draws from a table of quantiles.
type logNormal struct {
	low       time.Duration
	quantiles [len(normalQuantiles)]uint64 // of the part above low, in ns
}

// NewLogNormal returns low plus a log-normal delay, such that the median is
// as given and the logarithm of the part above low has the standard deviation
// sigma, in hundredths and a multiple of 5 up to 200. It interpolates linearly
// between 1025 quantiles from 1/2050 to 1−1/2050; the tails beyond are cut, so
// that there is no message that takes very long. [UncutLogNormal] has them.
func NewLogNormal(low, median time.Duration, sigma int) (Distribution, error) {
	switch {
	case low <= 0:
		return nil, errors.New("sim/dist: the minimum of a log-normal delay must be positive")
	case median <= low:
		return nil, errors.New("sim/dist: the median of a log-normal delay must exceed its minimum")
	case median-low > time.Minute:
		return nil, errors.New("sim/dist: the median of a log-normal delay must be within a minute of its minimum")
	case sigma <= 0 || sigma > 200 || sigma%sigmaStep != 0:
		return nil, fmt.Errorf("sim/dist: the sigma of a log-normal delay must be from 0.05 to 2 in steps of 0.05, not %s", decimal(sigma))
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

// Validate implements [Distribution]: NewLogNormal has checked.
func (d *logNormal) Validate() error { return nil }

// Min implements [Distribution].
func (d *logNormal) Min() time.Duration { return d.low + time.Duration(d.quantiles[0]) }

// Draw implements [Distribution].
func (d *logNormal) Draw(u uint64) time.Duration {
	return d.low + time.Duration(interpolate(&d.quantiles, u))
}

// UncutLogNormal is Low plus a log-normal duration, with its tails. It draws
// otherwise than what [NewLogNormal] returns, which has none.
type UncutLogNormal struct {
	// Low is from 0 to below Median.
	Low time.Duration
	// Median is that of the whole, Low included: up to [Max].
	Median time.Duration
	// Sigma is the standard deviation of the logarithm of the part above Low, in
	// hundredths, from 1 to 1000.
	Sigma int
}

// Validate implements [Distribution].
func (d UncutLogNormal) Validate() error {
	return cmp.Or(
		checkDuration("the minimum of a log-normal distribution", d.Low, 0, Max-1),
		checkDuration("the median of a log-normal distribution", d.Median, d.Low+1, Max),
		checkHundredths("the sigma of a log-normal distribution", d.Sigma, 1, 1000))
}

// Min implements [Distribution]. It is Low, or a little more if Sigma is small.
func (d UncutLogNormal) Min() time.Duration { return d.Draw(0) }

// Draw implements [Distribution].
func (d UncutLogNormal) Draw(u uint64) time.Duration {
	z := deviate(u)
	scale := uint64(d.Sigma) * log2E / 100
	x := int64(times(uint64(max(z, -z)), scale))
	if z < 0 {
		x = -x
	}
	return min(d.Low+timesPower(d.Median-d.Low, x), Max)
}
