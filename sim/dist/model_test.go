package dist

import (
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"
	"time"
)

// A model is what a distribution should be, in closed form and floating point.
type model struct {
	name string
	d    Distribution
	// below and above are how likely a real variable is less, or more, than x ns.
	// Both are there because 1 − below has no digits left where above is small.
	below, above func(x float64) float64
	slack        float64 // that a draw may be off, as a probability
}

// normalModel is that of a variable which t makes a standard normal one.
func normalModel(name string, d Distribution, slack float64, t func(x float64) float64) model {
	return model{name, d,
		func(x float64) float64 { return math.Erfc(-t(x)/math.Sqrt2) / 2 },
		func(x float64) float64 { return math.Erfc(t(x)/math.Sqrt2) / 2 }, slack}
}

// exponentialModel is that of a variable which t makes a standard exponential one.
func exponentialModel(name string, d Distribution, t func(x float64) float64) model {
	return model{name, d,
		func(x float64) float64 { return -math.Expm1(-max(t(x), 0)) },
		func(x float64) float64 { return math.Exp(-max(t(x), 0)) }, 0}
}

func logNormalOf(low, median time.Duration, sigma int) func(x float64) float64 {
	return func(x float64) float64 {
		if x <= float64(low) {
			return math.Inf(-1)
		}
		return math.Log((x-float64(low))/float64(median-low)) / (float64(sigma) / 100)
	}
}

func models(t *testing.T) (all []model) {
	const ms = time.Millisecond
	uniform := func(x float64) float64 { return min(max((x-float64(10*ms))/float64(90*ms), 0), 1) }
	all = append(all, model{"uniform", Uniform{10 * ms, 100 * ms}, uniform, func(x float64) float64 { return 1 - uniform(x) }, 0})

	for _, d := range []Normal{{100 * ms, 20 * ms, 0}, {50 * ms, 50 * ms, 10 * ms}, {time.Hour, time.Second, 0}, {time.Hour, time.Hour, time.Hour}} {
		all = append(all, normalModel("normal "+d.Mean.String()+" "+d.SD.String(), d, 0, func(x float64) float64 {
			if x < float64(d.Minimum) {
				return math.Inf(-1)
			}
			return (x - float64(d.Mean)) / float64(d.SD)
		}))
	}
	for _, mean := range []time.Duration{ms, time.Minute, 20 * time.Hour} {
		all = append(all, exponentialModel("exponential "+mean.String(), Exponential{mean}, func(x float64) float64 { return x / float64(mean) }))
	}
	for _, d := range []Weibull{{20 * time.Minute, 50}, {time.Second, 100}, {time.Minute, 150}, {time.Hour, 1000}, {time.Second, 10}} {
		all = append(all, exponentialModel("Weibull "+decimal(d.Shape), d, func(x float64) float64 {
			return math.Pow(max(x, 0)/float64(d.Scale), float64(d.Shape)/100)
		}))
	}
	for _, d := range []Pareto{{10 * ms, 150}, {time.Second, 250}, {time.Minute, 100}, {ms, 10}, {time.Hour, 10000}} {
		all = append(all, exponentialModel("Pareto "+decimal(d.Alpha), d, func(x float64) float64 {
			return math.Log(max(x/float64(d.Scale), 1)) * float64(d.Alpha) / 100
		}))
	}
	for _, d := range []UncutLogNormal{{10 * ms, 50 * ms, 50}, {0, 20 * time.Minute, 200}, {time.Minute, time.Hour, 1}} {
		all = append(all, normalModel("uncut log-normal "+decimal(d.Sigma), d, 0, logNormalOf(d.Low, d.Median, d.Sigma)))
	}
	for _, p := range []struct {
		low, median time.Duration
		sigma       int
	}{{10 * ms, 50 * ms, 50}, {ms, 20 * ms, 5}, {ms, 20 * ms, 200}} {
		d, err := NewLogNormal(p.low, p.median, p.sigma)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, normalModel("log-normal "+decimal(p.sigma), d, 1.0/2050, logNormalOf(p.low, p.median, p.sigma)))
	}
	empirical := Empirical{5 * ms, 10 * ms, 10 * ms, 40 * ms, 200 * ms, time.Hour}
	return append(all, model{"empirical", empirical,
		func(x float64) float64 { return empiricalBelow(empirical, x) },
		func(x float64) float64 { return 1 - empiricalBelow(empirical, x) }, 0})
}

func empiricalBelow(q Empirical, x float64) float64 {
	i := sort.Search(len(q), func(i int) bool { return float64(q[i]) >= x })
	switch i {
	case 0:
		return 0
	case len(q):
		return 1
	}
	a, b := float64(q[i-1]), float64(q[i])
	return (float64(i-1) + (x-a)/(b-a)) / float64(len(q)-1)
}

// quantile searches for the duration that the variable is below with probability p, up
// to Max.
func (m model) quantile(p float64) time.Duration {
	low, high := time.Duration(0), Max
	for low < high {
		if x := low + (high-low)/2; m.above(float64(x)) > 1-p {
			low = x + 1
		} else {
			high = x
		}
	}
	return low
}

// Whatever is wrong in the bulk of a distribution, such as a parameter in the wrong
// place or a slope of the wrong sign, shows as a Kolmogorov-Smirnov distance above
// the 1 % critical value. What is wrong in the tail does not; but then the largest
// draws are not where they should be, by three standard deviations of their place.
func TestDrawsFollowTheirDefinition(t *testing.T) {
	const n = 200000
	for _, m := range models(t) {
		t.Run(m.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			draws := make([]time.Duration, n)
			for i := range draws {
				draws[i] = m.d.Draw(r.Uint64())
			}
			slices.Sort(draws)
			distance := 0.0
			for i := 0; i < n; {
				x, first := draws[i], i
				for i < n && draws[i] == x {
					i++
				}
				// A draw of x stands for what is from x to x+1.
				if x > m.d.Min() {
					distance = max(distance, math.Abs(m.below(float64(x))-float64(first)/n))
				}
				if x < Max {
					distance = max(distance, math.Abs(m.below(float64(x+1))-float64(i)/n))
				}
			}
			if limit := 1.63/math.Sqrt(n) + m.slack; distance > limit {
				t.Errorf("Kolmogorov-Smirnov distance %.5f, want at most %.5f", distance, limit)
			}
			for _, q := range []float64{0.001, 0.999, 0.9999} {
				off := 3*math.Sqrt(q*(1-q)/n) + m.slack
				low, high := m.quantile(max(q-off, 0)), m.quantile(min(q+off, 1))
				if got := draws[int(q*n)]; got < low-1 || got > high {
					t.Errorf("quantile %v is %v, want %v, or from %v to %v", q, got, m.quantile(q), low, high)
				}
			}
		})
	}
}

// Draw is the inverse of the distribution function, up to the ends of both tails:
// a table with too few cells there, or a cut, would show here alone.
func TestDrawIsTheQuantile(t *testing.T) {
	const exact = 0.001 // of the probability: see the package's doc
	for _, m := range models(t) {
		if m.slack > 0 {
			continue // that has no tails
		}
		r := rand.New(rand.NewPCG(3, 4))
		worst := 0.0
		for range 20000 {
			octave := 1 + r.IntN(50)
			tail := (1<<63 | r.Uint64()) >> octave
			p := float64(tail) / (1 << 32) / (1 << 32)
			if octave <= 30 {
				x := float64(m.d.Draw(tail))
				worst = max(worst, m.below(x-1)/p-1, 1-m.below(x+1)/p)
			}
			if x := m.d.Draw(^tail); x < Max {
				worst = max(worst, m.above(float64(x+1))/p-1, 1-m.above(float64(x-1))/p)
			} else if m.above(float64(x)) < p*(1-exact) {
				t.Errorf("%s: Draw(%#x) is cut", m.name, ^tail)
			}
		}
		if worst > exact {
			t.Errorf("%s: a draw is the quantile of another probability, by %.6f of it", m.name, worst)
		}
	}
}
