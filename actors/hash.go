package actors

import (
	"encoding/binary"
	"math/bits"
)

// The constants are the first 64-bit chunks of the fraction of pi.
const (
	mixA = 0x243f6a8885a308d3
	mixB = 0x13198a2e03707344
	mixC = 0xa4093822299f31d0
)

// Mix folds two words into one, by a full 64×64 bit multiplication. It is the
// step of [Sum] and of the trace hash. It is fast, the same on every machine,
// and no defence against chosen input.
func Mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^mixA, b^mixB)
	return hi ^ lo
}

// Sum returns a 64-bit hash of b: eight bytes at a time, the length last.
func Sum(b []byte) uint64 {
	h := uint64(mixC)
	n := len(b)
	for len(b) >= 8 {
		h = Mix(h^binary.LittleEndian.Uint64(b), mixC)
		b = b[8:]
	}
	var tail uint64
	for i, c := range b {
		tail |= uint64(c) << (8 * i)
	}
	return Mix(h^tail, uint64(n))
}

// SumOf returns the hash of m's canonical encoding: its own [Summer] where it
// has one, otherwise [Sum]. scratch is used for the encoding.
func SumOf(m Message, scratch []byte) uint64 {
	if s, ok := m.(Summer); ok {
		return s.Sum()
	}
	return Sum(m.Append(scratch[:0]))
}
