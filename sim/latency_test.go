package sim

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// The generator is part of the identity of a run: if a Go release changed it,
// every published trace hash would change. This pins its output.
func TestGeneratorIsPinned(t *testing.T) {
	pcg := stream(1, 2, 3, 4, 5)
	r := rand.New(&pcg)
	got := [6]uint64{r.Uint64(), r.Uint64(), uint64(r.IntN(1000)), uint64(r.Int64N(1e12)), uint64(r.Uint32N(7)), r.Uint64()}
	want := [6]uint64{0xf1f3fff7dde7d00, 0xefb7e55a41c3ad82, 0xf6, 0x277d7b3eb9, 0x5, 0xbd6bf292b657c2da}
	if got != want {
		t.Errorf("stream(1,2,3,4,5) gives %#v", got)
	}
}

func TestStreamsDiffer(t *testing.T) {
	base := stream(1, 2, 3, 4, 5)
	for name, other := range map[string]rand.PCG{
		"seed": stream(2, 2, 3, 4, 5), "node": stream(1, 3, 3, 4, 5), "incarnation": stream(1, 2, 4, 4, 5),
		"name": stream(1, 2, 3, 5, 5), "ordinal": stream(1, 2, 3, 4, 6),
	} {
		a, b := base, other
		if a.Uint64() == b.Uint64() {
			t.Errorf("another %s gives the same stream", name)
		}
	}
}

// logNormalCDF is the model that NewLogNormal approximates.
func logNormalCDF(d, low, median time.Duration, sigma float64) float64 {
	if d <= low {
		return 0
	}
	z := math.Log(float64(d-low)/float64(median-low)) / sigma
	return 0.5 * math.Erfc(-z/math.Sqrt2)
}

// The drawn delays follow the distributions: Kolmogorov-Smirnov distance below
// the 1 % critical value (plus the cut tails of the table).
func TestDistributionsFollowTheirDefinition(t *testing.T) {
	const ms = time.Millisecond
	logNormal := func(low, median time.Duration, sigma int) Distribution {
		d, err := NewLogNormal(low, median, sigma)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	tests := []struct {
		name string
		d    Distribution
		cdf  func(time.Duration) float64
	}{
		{"uniform", Uniform{10 * ms, 100 * ms}, func(d time.Duration) float64 { return float64(d-10*ms) / float64(90*ms) }},
		{"log-normal 0.5", logNormal(10*ms, 50*ms, 50), func(d time.Duration) float64 { return logNormalCDF(d, 10*ms, 50*ms, 0.5) }},
		{"log-normal 0.05", logNormal(1*ms, 20*ms, 5), func(d time.Duration) float64 { return logNormalCDF(d, 1*ms, 20*ms, 0.05) }},
		{"log-normal 2", logNormal(1*ms, 20*ms, 200), func(d time.Duration) float64 { return logNormalCDF(d, 1*ms, 20*ms, 2) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			const n = 200000
			r := rand.New(rand.NewPCG(1, 2))
			var sorted Histogram
			low := time.Duration(math.MaxInt64)
			for range n {
				d := test.d.Draw(r.Uint64())
				low = min(low, d)
				sorted.Add(uint64(d))
			}
			if low < test.d.Min() || test.d.Min() <= 0 {
				t.Errorf("drew %v, Min is %v", low, test.d.Min())
			}
			distance := 0.0
			for q := 0.01; q < 1; q += 0.01 {
				// Quantile returns the low end of a bucket of relative width 1/64.
				v := time.Duration(sorted.Quantile(q))
				lo, hi := test.cdf(v), test.cdf(v+v/64+1)
				distance = max(distance, lo-q, q-hi)
			}
			if limit := 1.63/math.Sqrt(n) + 1.0/2050; distance > limit {
				t.Errorf("Kolmogorov-Smirnov distance %.5f, want at most %.5f", distance, limit)
			}
		})
	}
}

func TestUniformReachesBothEnds(t *testing.T) {
	d := Uniform{10, 12}
	if got := [3]time.Duration{d.Draw(0), d.Draw(1 << 63), d.Draw(math.MaxUint64)}; got != [3]time.Duration{10, 11, 12} {
		t.Errorf("drew %v", got)
	}
}

func TestLogNormalRefusesNonsense(t *testing.T) {
	for _, bad := range []struct {
		low, median time.Duration
		sigma       int
	}{{0, 10, 50}, {-1, 10, 50}, {10, 10, 50}, {10, 20, 0}, {10, 20, 52}, {10, 20, 205}, {1, 2 * time.Hour, 50}} {
		if _, err := NewLogNormal(bad.low, bad.median, bad.sigma); err == nil {
			t.Errorf("NewLogNormal(%v, %v, %d) is accepted", bad.low, bad.median, bad.sigma)
		}
	}
}

func TestHistogram(t *testing.T) {
	var all, a, b Histogram
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 10000 {
		v := r.Uint64() >> r.IntN(64)
		all.Add(v)
		if i%3 == 0 {
			a.Add(v)
		} else {
			b.Add(v)
		}
		if low := histogramLow(histogramBucket(v)); low > v || v-low > v/64 {
			t.Fatalf("%d falls into a bucket from %d on", v, low)
		}
	}
	a.Merge(&b)
	for _, q := range []float64{0, 0.01, 0.5, 0.99, 1} {
		if a.Quantile(q) != all.Quantile(q) {
			t.Errorf("quantile %v of the merged halves is %d, of the whole %d", q, a.Quantile(q), all.Quantile(q))
		}
	}
	if a.Count() != 10000 || a.Max() != all.Max() || a.Mean() != all.Mean() {
		t.Error("merged halves differ from the whole")
	}
	var small Histogram
	for v := range uint64(100) {
		small.Add(v)
	}
	if small.Quantile(0.5) != 50 || small.Quantile(0.99) != 99 || small.Mean() != 49.5 {
		t.Errorf("median %d, 99th percentile %d, mean %v", small.Quantile(0.5), small.Quantile(0.99), small.Mean())
	}
}
