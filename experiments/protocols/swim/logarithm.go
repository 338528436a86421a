package swim

import (
	"math/bits"
	"time"
)

// fraction is how many bits of a logarithm are behind the point.
const fraction = 32

// log2 is the logarithm of x from 1 up, to the base of 2. It is exact for powers of 2, and
// otherwise off by a few units of its last bit.
func log2(x uint64) uint64 {
	whole := bits.Len64(x) - 1
	m := x << (63 - whole) // from 1 to 2, with 63 bits behind the point
	y := uint64(whole)
	for range fraction {
		hi, lo := bits.Mul64(m, m)
		y <<= 1
		if hi>>63 == 1 {
			y, m = y|1, hi
		} else {
			m = hi<<1 | lo>>63
		}
	}
	return y
}

// ln is the natural logarithm of x from 1 up.
func ln(x uint64) uint64 {
	const ln2 = 0xB17217F7D1CF79AB // the logarithm of 2, times 2⁶⁴
	hi, _ := bits.Mul64(log2(x), ln2)
	return hi
}

// exponential makes a duration of a uniformly drawn x: exponentially distributed, with a
// mean.
func exponential(mean time.Duration, x uint64) time.Duration {
	const ln2to64 = 0x2C5C85FDF4 // ln 2⁶⁴, times 2³²
	return scale(mean, ln2to64-ln(max(x, 1)), 1<<fraction)
}

// scale is d·n/m, rounded down; d is not negative, and n/m at most 2³².
func scale(d time.Duration, n, m uint64) time.Duration {
	hi, lo := bits.Mul64(uint64(d), n)
	q, _ := bits.Div64(hi, lo, m)
	return time.Duration(q)
}
