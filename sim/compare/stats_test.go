package compare

import (
	"math"
	"math/rand/v2"
	"testing"
)

func near(a, b, tolerance float64) bool { return math.Abs(a-b) <= tolerance }

// Intervals of textbook examples: mean ± t s/√n with t from a table of Student's
// distribution, 12.7062 for 1 degree of freedom, 2.2622 for 9.
func TestIntervals(t *testing.T) {
	ten := []float64{49.8, 50.1, 50.3, 49.9, 50.0, 50.2, 49.7, 50.4, 50.0, 49.6}
	for _, test := range []struct {
		values    []float64
		mean, low float64
	}{
		{[]float64{1, 3}, 2, 2 - 12.7062}, // s/√n = 1
		{ten, 50, 50 - 2.2622*0.2581989/math.Sqrt(10)},
		{[]float64{1, 2, 3, 4, 5}, 3, 3 - 2.7764*math.Sqrt(2.5/5)},
	} {
		e := estimate(test.values)
		if e.N != len(test.values) || !near(*e.Mean, test.mean, 1e-12) || !near(*e.Low, test.low, 1e-3) || !near(*e.High-*e.Mean, *e.Mean-*e.Low, 1e-9) {
			t.Errorf("%v: n %d, %v in %v to %v; want %v from %v", test.values, e.N, *e.Mean, *e.Low, *e.High, test.mean, test.low)
		}
	}
	if e := estimate(nil); e.N != 0 || e.Mean != nil || e.Low != nil {
		t.Errorf("of nothing: %+v", e)
	}
	if e := estimate([]float64{4}); e.N != 1 || *e.Mean != 4 || e.Low != nil || e.High != nil {
		t.Errorf("one value: %+v", e)
	}
	if e := estimate([]float64{0.1, 0.1, 0.1}); *e.Mean != 0.1 || *e.Low != 0.1 || *e.High != 0.1 {
		t.Errorf("one value three times: %v in %v to %v", *e.Mean, *e.Low, *e.High)
	}
}

// permuted is the p value by its definition: the share of the ways to deal the values
// to two sides of their sizes in which U is as far in the tail it is in, doubled.
func permuted(a, b []float64) float64 {
	all := append(append([]float64{}, a...), b...)
	side := func(mask int) (x, y []float64) {
		for i, v := range all {
			if mask>>i&1 == 1 {
				x = append(x, v)
			} else {
				y = append(y, v)
			}
		}
		return x, y
	}
	wins := func(x, y []float64) (u float64) {
		for _, v := range x {
			for _, w := range y {
				switch {
				case v > w:
					u++
				case v == w:
					u += 0.5
				}
			}
		}
		return u
	}
	u, half := wins(a, b), float64(len(a)*len(b))/2
	if u == half {
		return 1
	}
	in, total := 0, 0
	for mask := range 1 << len(all) {
		x, y := side(mask)
		if len(x) != len(a) {
			continue
		}
		total++
		if v := wins(x, y); u < half && v <= u || u > half && v >= u {
			in++
		}
	}
	return math.Min(2*float64(in)/float64(total), 1)
}

// The first are of published tables of U: for 5 and 5, U = 0 has 2/252 and U = 2 has
// 8/252; the others are checked against all permutations.
func TestMannWhitney(t *testing.T) {
	low, high := []float64{1, 2, 3, 4, 5}, []float64{6, 7, 8, 9, 10}
	if p, ok := mannWhitney(low, high); !ok || !near(p, 2.0/252, 1e-12) {
		t.Errorf("U = 0 of 5 and 5: p = %v", p)
	}
	if p, ok := mannWhitney([]float64{1, 2, 3, 4, 7}, []float64{5, 6, 8, 9, 10}); !ok || !near(p, 8.0/252, 1e-12) {
		t.Errorf("U = 2 of 5 and 5: p = %v", p)
	}
	if p, ok := mannWhitney(low[:3], high[:3]); !ok || !near(p, 0.1, 1e-12) {
		t.Errorf("U = 0 of 3 and 3: p = %v", p)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		a, b := make([]float64, 2+random.IntN(5)), make([]float64, 2+random.IntN(5))
		ties := 2 + random.IntN(12)
		for _, side := range [][]float64{a, b} {
			for i := range side {
				side[i] = float64(random.IntN(ties))
			}
		}
		p, ok := mannWhitney(a, b)
		if ok == allEqual(a, b) {
			t.Fatalf("%v and %v are tested: %v", a, b, ok)
		}
		if want := permuted(a, b); ok && !near(p, want, 1e-9) {
			t.Errorf("%v and %v: p = %v, want %v", a, b, p, want)
		}
		if other, _ := mannWhitney(b, a); other != p {
			t.Errorf("%v and %v: p = %v, the other way round %v", a, b, p, other)
		}
	}
}

func TestNothingToTest(t *testing.T) {
	for _, test := range [][2][]float64{{nil, nil}, {{1}, {2}}, {{1}, {2, 3, 4, 5, 6}}, {{1, 2, 3}, nil}, {{7, 7}, {7, 7, 7}}} {
		if p, ok := mannWhitney(test[0], test[1]); ok {
			t.Errorf("%v: p = %v", test, p)
		}
	}
}

// Large samples use the normal approximation, with its continuity correction.
func TestMannWhitneyOfManyRuns(t *testing.T) {
	var a, b []float64
	for i := range 60 {
		a = append(a, float64(i))
		b = append(b, float64(i)+20.5)
	}
	p, ok := mannWhitney(a, b)
	// a wins where it is greater than b by 21 or more: 39 + 38 + ... + 1 pairs.
	u := 39.0 * 40 / 2
	z := (u + 0.5 - 1800) / math.Sqrt(60*60*121/12)
	if want := math.Erfc(-z / math.Sqrt2); !ok || !near(p, want, 1e-12) {
		t.Errorf("p = %v, want %v", p, want)
	}
}

func TestCliff(t *testing.T) {
	for _, test := range []struct {
		a, b []float64
		want float64
	}{
		{[]float64{1, 2}, []float64{3, 4}, 1},
		{[]float64{3, 4}, []float64{1, 2}, -1},
		{[]float64{1, 2}, []float64{1, 2}, 0},
		{[]float64{5, 5}, []float64{5}, 0},
		{[]float64{1, 2, 3}, []float64{2, 4}, 3.0 / 6}, // 4 of 6 pairs won, 1 lost, 1 tied
	} {
		if got := cliff(test.a, test.b); !near(got, test.want, 1e-15) {
			t.Errorf("%v, %v: %v, want %v", test.a, test.b, got, test.want)
		}
	}
}

// An example by hand: 0.01, 0.02, 0.03, 0.04 become 0.04, 0.06, 0.06, 0.06.
func TestHolm(t *testing.T) {
	p := []float64{0.04, 0.01, 0.03, 0.02}
	holm([]*float64{&p[0], &p[1], &p[2], &p[3]})
	for i, want := range []float64{0.06, 0.04, 0.06, 0.06} {
		if !near(p[i], want, 1e-15) {
			t.Errorf("corrected are %v", p)
			break
		}
	}
	one := 0.7
	two := 0.9
	holm([]*float64{&one, &two})
	if one != 1 || two != 1 {
		t.Errorf("0.7 and 0.9 become %v and %v", one, two)
	}
	holm(nil)
}

func TestRunsNeeded(t *testing.T) {
	for _, test := range []struct {
		a, b int
		p    float64
	}{{1, 9, 1}, {2, 2, 1.0 / 3}, {3, 3, 0.1}, {5, 5, 2.0 / 252}, {4, 6, 2.0 / 210}} {
		if got := leastP(test.a, test.b); !near(got, test.p, 1e-12) {
			t.Errorf("%d and %d runs: %v, want %v", test.a, test.b, got, test.p)
		}
	}
	// 2/70 of 4 runs is below 0.05; 20 tests need 2/C(12, 6) = 2/924 or less.
	for tests, want := range map[int]int{1: 4, 6: 5, 20: 6, 30: 7} {
		if got := runsNeeded(tests, 0.05); got != want {
			t.Errorf("%d tests need %d runs, want %d", tests, got, want)
		}
	}
}
