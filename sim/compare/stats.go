package compare

import (
	"cmp"
	"math"
	"slices"

	"golang.org/x/perf/benchmath"
)

// confidence is the level of the intervals.
const confidence = 0.95

// An Estimate is what the runs of a side say of a metric.
type Estimate struct {
	N    int      `json:"n"`
	Mean *float64 `json:"mean"` // nil without runs
	// Low and High bound the mean with a confidence of 95 %; nil with fewer than
	// two runs.
	Low  *float64 `json:"low"`
	High *float64 `json:"high"`
}

func estimate(values []float64) Estimate {
	e := Estimate{N: len(values)}
	switch len(values) {
	case 0:
		return e
	case 1:
		e.Mean = &values[0]
		return e
	}
	s := benchmath.AssumeNormal.Summary(sample(values), confidence)
	e.Mean, e.Low, e.High = &s.Center, &s.Lo, &s.Hi
	return e
}

func sample(values []float64) *benchmath.Sample {
	return benchmath.NewSample(slices.Clone(values), &benchmath.DefaultThresholds)
}

// mannWhitney returns the two-sided p value of the Mann-Whitney U test. ok is false if
// there is nothing to test: fewer than two values on a side, or one value throughout.
func mannWhitney(a, b []float64) (p float64, ok bool) {
	if len(a) < 2 || len(b) < 2 || allEqual(a, b) {
		return 0, false
	}
	// The library doubles the lower tail of U of the first sample. With ties and
	// sides of two sizes the tails differ: let it be the tail that is meant.
	if cliff(a, b) < 0 {
		a, b = b, a
	}
	return min(benchmath.AssumeNothing.Compare(sample(a), sample(b)).P, 1), true
}

func allEqual(a, b []float64) bool {
	all := slices.Concat(a, b)
	return slices.Min(all) == slices.Max(all)
}

// cliff returns Cliff's delta: the share of the pairs in which b has the greater value,
// less that in which a has. Cliff, N. (1993). "Dominance statistics: ordinal analyses to
// answer ordinal questions". Psychological Bulletin 114 (3): 494-509.
func cliff(a, b []float64) float64 {
	sorted := slices.Sorted(slices.Values(a))
	greater, less := 0, 0
	for _, v := range b {
		below, _ := slices.BinarySearch(sorted, v)
		above, _ := slices.BinarySearchFunc(sorted, v, func(x, v float64) int {
			if x <= v {
				return -1
			}
			return 1
		})
		greater += below
		less += len(sorted) - above
	}
	return float64(greater-less) / (float64(len(a)) * float64(len(b)))
}

// holm corrects p values for their number, in place. Holm, S. (1979). "A simple
// sequentially rejective multiple test procedure". Scandinavian Journal of Statistics 6
// (2): 65-70.
func holm(p []*float64) {
	order := slices.Clone(p)
	slices.SortStableFunc(order, func(a, b *float64) int { return cmp.Compare(*a, *b) })
	least := 0.0
	for i, v := range order {
		least = max(least, min(*v*float64(len(order)-i), 1))
		*v = least
	}
}

// leastP is the least p value that the test can give for so many runs on each side,
// without ties: 2/C(a+b, a).
func leastP(a, b int) float64 {
	if a < 2 || b < 2 {
		return 1
	}
	sum, _ := math.Lgamma(float64(a + b + 1))
	one, _ := math.Lgamma(float64(a + 1))
	two, _ := math.Lgamma(float64(b + 1))
	return min(2*math.Exp(one+two-sum), 1)
}

// runsNeeded is the number of runs on each side with which a difference can be
// significant after Holm's correction over so many tests.
func runsNeeded(tests int, alpha float64) int {
	n := 2
	for leastP(n, n)*float64(tests) > alpha {
		n++
	}
	return n
}
