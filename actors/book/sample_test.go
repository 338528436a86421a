package book_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"peernet/actors/book"
)

// TestSampleGolden pins the draw, so that every machine and back end, today
// and later, runs alike from a seed.
func TestSampleGolden(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		n, k int
		want []int
	}{
		{10, 3, []int{5, 0, 7}},
		{10, 10, []int{5, 9, 4, 3, 8, 1, 0, 2, 6, 7}},
		{64, 16, []int{37, 42, 56, 20, 32, 36, 28, 60, 23, 6, 50, 55, 16, 0, 24, 35}},
		{10000, 5, []int{5885, 9718, 9690, 4691, 8338}},
		{1 << 30, 2, []int{155931678, 133076306}},
	} {
		if got := book.Sample(nil, c.n, c.k, r); !slices.Equal(got, c.want) {
			t.Errorf("Sample of %d from %d is %#v, want %#v", c.k, c.n, got, c.want)
		}
	}
}

func TestSampleBounds(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct{ n, k, want int }{
		{0, 0, 0}, {0, 5, 0}, {5, 0, 0}, {5, -1, 0}, {5, math.MinInt, 0},
		{1, 1, 1}, {5, 5, 5}, {5, 6, 5}, {5, math.MaxInt, 5}, {100, 40, 40},
	} {
		for range 20 {
			got := book.Sample([]int{-7, 0}, c.n, c.k, r)
			if len(got) != c.want+2 || got[0] != -7 || got[1] != 0 {
				t.Fatalf("Sample of %d from %d appended to two numbers is %v", c.k, c.n, got)
			}
			got = got[2:]
			slices.Sort(got)
			if len(slices.Compact(got)) != c.want || c.want > 0 && (got[0] < 0 || got[c.want-1] >= c.n) {
				t.Fatalf("Sample of %d from %d is %v", c.k, c.n, got)
			}
		}
	}
}

// TestSampleEven checks that all arrangements are as likely: every subset in
// every order.
func TestSampleEven(t *testing.T) {
	const runs = 500 // of each arrangement, on average
	for _, c := range []struct{ n, k, arrangements int }{
		{6, 1, 6}, {6, 2, 30}, {6, 3, 120}, {5, 5, 120}, {4, 4, 24}, {2, 1, 2},
	} {
		t.Run(fmt.Sprintf("%d of %d", c.k, c.n), func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, 4))
			count := map[string]int{}
			subsets := map[string]int{}
			for range runs * c.arrangements {
				got := book.Sample([]int{0, 1}, c.n, c.k, r)[2:] // what is there is no matter
				count[fmt.Sprint(got)]++
				slices.Sort(got)
				subsets[fmt.Sprint(got)]++
			}
			if len(count) != c.arrangements {
				t.Errorf("%d arrangements came up, want %d", len(count), c.arrangements)
			}
			orders := 1
			for i := range c.k {
				orders *= i + 1
			}
			// Eight standard deviations of a binomial count are 8·√runs.
			for list, n := range count {
				if d := n - runs; d*d > 64*runs {
					t.Errorf("%s came up %d times of %d expected", list, n, runs)
				}
			}
			for list, n := range subsets {
				if want := runs * orders; (n-want)*(n-want) > 64*want {
					t.Errorf("set %s came up %d times of %d expected", list, n, want)
				}
			}
		})
	}
}
