package dist

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// real turns fixed point into floating point.
func real(v int64) float64 { return float64(v) / (1 << fraction) }

// A changed or misplaced entry would be a kink in a distribution.
func TestTablesHoldWhatTheySay(t *testing.T) {
	near := func(name string, i int, got uint64, bits int, want float64) {
		if v := math.Ldexp(float64(got), -bits); math.Abs(v-want) > 1e-14*max(1, math.Abs(want)) {
			t.Errorf("%s[%d] is %v, want %v", name, i, v, want)
		}
	}
	for i := range 1025 {
		near("logarithms", i, logarithms[i], 48, math.Log2(1+float64(i)/1024))
		near("powers", i, powers[i], 62, math.Exp2(float64(i)/1024))
	}
	for i, got := range normalDeviates {
		p := math.Ldexp(1+float64(i%32)/32, i/32-64)
		if q := math.Erfc(real(int64(got))/math.Sqrt2) / 2; math.Abs(q/p-1) > 1e-12 {
			t.Errorf("normalDeviates[%d] is exceeded with a probability of %v, want %v", i, q, p)
		}
	}
	for i, got := range normalQuantiles {
		z := 20 * math.Log(float64(got)/(1<<32))
		if q, p := math.Erfc(-z/math.Sqrt2)/2, (float64(i)+0.5)/1025; math.Abs(q-p) > 1e-8 {
			t.Errorf("normalQuantiles[%d] is at %v, want %v", i, q, p)
		}
	}
	near("log2E", 0, log2E, 48, math.Log2E)
	near("ln2", 0, ln2, 64, math.Ln2)
	near("log2Ln2", 0, -log2Ln2, 48, -math.Log2(math.Ln2))
}

func TestLogarithm(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 100000 {
		v := r.Uint64()>>r.IntN(64) | 1
		if off := real(int64(log2(v))) - math.Log2(float64(v)); off > 1e-12 || off < -2e-7 {
			t.Fatalf("log2(%d) is off by %g", v, off)
		}
	}
	for k := range 64 {
		if got := log2(1 << k); got != uint64(k)<<fraction {
			t.Errorf("log2(2^%d) is %v", k, real(int64(got)))
		}
	}
}

// timesPower is held against math.Exp, over all that does not end at Max.
func TestPower(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for range 100000 {
		d := time.Duration(1 + r.Int64N(int64(Max))>>r.IntN(52))
		x := int64(r.Uint64()) >> (8 + r.IntN(16)) // down to −128 and up to 128
		want := float64(d) * math.Exp(real(x)*math.Ln2)
		got := float64(timesPower(d, x))
		if want > float64(Max) {
			if got < float64(Max)*(1-1e-7) {
				t.Fatalf("%d ns times 2^%v is %v, want Max", d, real(x), got)
			}
			continue
		}
		if off := got - want; off > want*1e-7+1e-6 || off < -1-want*1e-12 {
			t.Fatalf("%d ns times 2^%v is %v ns, want %v", d, real(x), got, want)
		}
	}
	for n := range int64(51) {
		if got := timesPower(1, n<<fraction); got != 1<<n {
			t.Errorf("2^%d is %d", n, got)
		}
		if got := timesPower(1<<n, -n<<fraction); got != 1 {
			t.Errorf("2^%d times 2^-%d is %d", n, n, got)
		}
	}
}

func TestHalfLives(t *testing.T) {
	for u, want := range map[uint64]float64{0: 0, 1 << 63: 1, 3 << 62: 2, 7 << 61: 3, math.MaxUint64: 64, math.MaxUint64 - 1<<10 + 1: 54} {
		if got := real(int64(halfLives(u))); got != want {
			t.Errorf("after %#x/2^64 of them are gone, it is %v half-lives, want %v", u, got, want)
		}
	}
}

// The halves of the normal distribution mirror each other.
func TestDeviateIsSymmetric(t *testing.T) {
	for _, u := range edges() {
		if deviate(u) != -deviate(^u) {
			t.Fatalf("deviate(%#x) is %v, of the opposite %v", u, real(deviate(u)), real(deviate(^u)))
		}
	}
	if z := real(deviate(math.MaxUint64)); math.Abs(z-9.08) > 0.01 {
		t.Errorf("the largest deviate is %v", z)
	}
}
