package swim

import (
	"math"
	"testing"
	"time"

	"peernet/actors"
)

func TestLogarithmsAreThoseOfMath(t *testing.T) {
	for _, x := range []uint64{1, 2, 3, 7, 10, 100, 128, 1000, 1 << 20, 1<<40 + 1, math.MaxUint64} {
		const unit = 1 << fraction
		if got, want := float64(log2(x))/unit, math.Log2(float64(x)); math.Abs(got-want) > 1e-8 {
			t.Errorf("log2(%d) is %v, want %v", x, got, want)
		}
		if got, want := float64(ln(x))/unit, math.Log(float64(x)); math.Abs(got-want) > 1e-8 {
			t.Errorf("ln(%d) is %v, want %v", x, got, want)
		}
	}
	for i := range 64 {
		if got := log2(1 << i); got != uint64(i)<<fraction {
			t.Errorf("log2(2^%d) is %d/2^32, want it exact", i, got)
		}
	}
}

func TestExponentialInvertsTheDistribution(t *testing.T) {
	for _, u := range []float64{0.9, 0.5, 1 / math.E, 0.01} {
		got := exponential(time.Second, uint64(u*(1<<64)))
		if want := -math.Log(u); math.Abs(got.Seconds()-want) > 1e-8 {
			t.Errorf("at %v it is %v, want %v s", u, got, want)
		}
	}
	if got := exponential(time.Second, 0); got < 44*time.Second || got > 45*time.Second {
		t.Errorf("at 0 it is %v, want 64·ln 2 s", got)
	}
}

// The formula of Lifeguard with K = 3, α = 5 and β = 6: the base of the logarithms does
// not count, and what is published is C = 0, the most, to C = K, the least.
func TestSuspicionTimeout(t *testing.T) {
	for _, n := range []int{2, 10, 100, 128, 1000} {
		c := Config{Peers: make([]actors.Address, n), Period: time.Second, Alpha: 5, Beta: 6, Confirmations: 3}
		least := 5 * max(1, math.Log10(float64(n)))
		for confirmed := range 6 {
			want := max(least, 6*least-5*least*math.Log(float64(confirmed+1))/math.Log(4))
			if got := c.SuspicionTimeout(confirmed).Seconds(); math.Abs(got-want) > 1e-6 {
				t.Errorf("n=%d, C=%d: %v s, want %v", n, confirmed, got, want)
			}
		}
		c.Confirmations = 0
		if got := c.SuspicionTimeout(0).Seconds(); math.Abs(got-least) > 1e-6 {
			t.Errorf("n=%d: %v s without Lifeguard, want %v", n, got, least)
		}
	}
}

func TestTransmissions(t *testing.T) {
	for _, c := range []struct{ n, lambda, want int }{{1000, 0, 0}, {1000, 1000, 7}, {1000, 3000, 21}, {2, 1000, 1}, {148, 1000, 5}, {149, 1000, 6}} {
		config := Config{Peers: make([]actors.Address, c.n), Lambda: c.lambda}
		if got := config.Transmissions(); got != c.want {
			t.Errorf("n=%d, λ=%d/1000: %d, want %d", c.n, c.lambda, got, c.want)
		}
	}
}
