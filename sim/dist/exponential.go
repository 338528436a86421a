package dist

import (
	"cmp"
	"math/bits"
	"time"
)

// Exponential is the time to an event that is as likely in every moment, such as
// the next arrival of many, or the end of a session that knows no age. Its standard
// deviation is its Mean, which is from 1 ns to [Max]. The longest draw is 44.4
// times the Mean.
type Exponential struct{ Mean time.Duration }

// Validate implements [Distribution].
func (d Exponential) Validate() error {
	return checkDuration("the mean of an exponential distribution", d.Mean, 1, Max)
}

// Min implements [Distribution]. It is 0.
func (d Exponential) Min() time.Duration { return 0 }

// Draw implements [Distribution].
func (d Exponential) Draw(u uint64) time.Duration {
	x, _ := bits.Mul64(halfLives(u), ln2)
	return time.Duration(min(times(uint64(d.Mean), x), uint64(Max)))
}

// Weibull is the time to an event that becomes less likely with age if Shape is
// below 1: many sessions are short, and those that have lasted go on. Stutzbach and
// Rejaie (Understanding Churn in Peer-to-Peer Networks, 2006) fit sessions of
// BitTorrent with shapes of 0.34 to 0.59. With a Shape above 1 it becomes more
// likely, and 1 is [Exponential].
type Weibull struct {
	// Scale is what 1−1/e of the draws, 63 %, are below: from 1 ns to [Max].
	Scale time.Duration
	// Shape is in hundredths, from 10 to 1000.
	Shape int
}

// Validate implements [Distribution].
func (d Weibull) Validate() error {
	return cmp.Or(
		checkDuration("the scale of a Weibull distribution", d.Scale, 1, Max),
		checkHundredths("the shape of a Weibull distribution", d.Shape, 10, 1000))
}

// Min implements [Distribution]. It is 0.
func (d Weibull) Min() time.Duration { return 0 }

// Draw implements [Distribution].
func (d Weibull) Draw(u uint64) time.Duration {
	h := halfLives(u)
	if h == 0 {
		return 0
	}
	// The logarithm of the exponential variable that d is a power of.
	x := int64(log2(h)) - fraction<<fraction + log2Ln2
	return timesPower(d.Scale, x*100/int64(d.Shape))
}

// Pareto has the heaviest tail: beyond twice a duration are 2^−Alpha of those
// beyond the duration, however long that is. With an Alpha of at most 1 there is
// no mean but for the cut at [Max], with one of at most 2 no variance.
type Pareto struct {
	// Scale is the smallest duration: from 1 ns to [Max].
	Scale time.Duration
	// Alpha is in hundredths, from 10 to 10000.
	Alpha int
}

// Validate implements [Distribution].
func (d Pareto) Validate() error {
	return cmp.Or(
		checkDuration("the scale of a Pareto distribution", d.Scale, 1, Max),
		checkHundredths("the alpha of a Pareto distribution", d.Alpha, 10, 10000))
}

// Min implements [Distribution]. It is Scale.
func (d Pareto) Min() time.Duration { return d.Scale }

// Draw implements [Distribution].
func (d Pareto) Draw(u uint64) time.Duration {
	return timesPower(d.Scale, int64(halfLives(u)*100/uint64(d.Alpha)))
}
