package dist

import (
	"fmt"
	"math/bits"
	"strings"
	"time"
)

// Fractional bits of logarithms, exponents and deviates. They are to the base 2;
// the powers that belong to them have 62, so that 2 fits.
const fraction = 48

// interpolate returns the value of a table of 1024 cells at place, which is in
// units of 2⁻⁶⁴ of its length: the top ten bits choose the cell, the rest the
// place in it.
func interpolate(table *[1025]uint64, place uint64) uint64 {
	i := place >> 54
	a, b := table[i], table[i+1]
	hi, _ := bits.Mul64(place<<10, b-a)
	return a + hi
}

// log2 returns the logarithm of v, which is not 0. It is exact for powers of 2,
// and elsewhere low by less than 2e-7.
func log2(v uint64) uint64 {
	exponent := bits.Len64(v) - 1
	return uint64(exponent)<<fraction + interpolate(&logarithms, v<<(64-exponent))
}

// timesPower returns d·2^x, at most Max, for a positive d. It is exact, but for
// rounding, where x is whole, and elsewhere high by less than 1e-7 of it.
func timesPower(d time.Duration, x int64) time.Duration {
	n := x >> fraction
	if n >= 52 {
		return Max // which is less than 2^52 ns
	}
	hi, lo := bits.Mul64(uint64(d), interpolate(&powers, uint64(x)<<(64-fraction)))
	shift := uint(62 - n) // at least 11; what is shifted by 64 or more is 0
	switch {
	case shift >= 64:
		return time.Duration(hi >> (shift - 64))
	case hi>>shift != 0:
		return Max
	}
	return time.Duration(min(hi<<(64-shift)|lo>>shift, uint64(Max)))
}

// times returns a·x for an x with fractional bits.
func times(a, x uint64) uint64 {
	hi, lo := bits.Mul64(a, x)
	return hi<<(64-fraction) | lo>>fraction
}

// halfLives returns how many half-lives the quantile of an exponential variable at
// u/2⁶⁴ is: −log2(1−u/2⁶⁴), from 0 to 64.
func halfLives(u uint64) uint64 {
	if u == 0 {
		return 0
	}
	return 64<<fraction - log2(-u)
}

// deviate returns the standard normal quantile at u/2⁶⁴, from −9.1 to 9.1.
func deviate(u uint64) int64 {
	if u>>63 != 0 {
		return int64(deviation(^u))
	}
	return -int64(deviation(u))
}

// deviation returns by how many standard deviations a normal variable exceeds its
// mean with a probability of tail/2⁶⁴, which is below a half.
func deviation(tail uint64) uint64 {
	tail |= 1 // a tail of 0 would be infinitely far
	zeros := bits.LeadingZeros64(tail)
	place := tail << (zeros + 1)
	i := uint64(63-zeros)<<5 | place>>59
	a, b := normalDeviates[i], normalDeviates[i+1]
	hi, _ := bits.Mul64(place<<5, a-b)
	return a - hi
}

// decimal writes hundredths as a number: 50 is 0.5.
func decimal(hundredths int) string {
	sign, whole, rest := "", hundredths/100, hundredths%100
	if hundredths < 0 {
		sign, whole, rest = "-", -whole, -rest
	}
	s := fmt.Sprintf("%s%d.%02d", sign, whole, rest)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}
