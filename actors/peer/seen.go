package peer

import (
	"encoding/binary"
	"math/bits"
	"time"

	"peernet/actors"
)

// seenCache remembers the requests and responses of the last while, and which
// peer brought each. Its entries are of two generations; a new one begins every
// life and ends the older one, so that an entry stays for one to two lives.
//
// It is one open addressed table with linear probing, for one look at one cache
// line. An entry is one word: 47 bits of a keyed hash of the message's id, the
// bit of its generation, and the 16-bit number of the peer, 0 for this node
// itself. A free cell is 0.
type seenCache struct {
	key    [2]uint64
	cells  []uint64
	count  int         // entries
	young  int         // those of the young generation
	turned actors.Time // when that began
	fresh  uint64      // its bit
}

// self is the number of this node as the origin of a message.
const self = 0

const (
	numberMask    = 1<<16 - 1
	generationBit = 1 << 16
	hashMask      = ^uint64(numberMask | generationBit)
	cellsMin      = 16
)

// hash names a message by its id; a request and a response may share one.
func (s *seenCache) hash(id string, response bool) uint64 {
	key := s.key
	if response {
		key[0] = ^key[0]
	}
	return max(sipHash(key, id)&hashMask, generationBit<<1) // 0 marks a free cell
}

// home is the cell where the search for a hash begins, if there are any.
func (s *seenCache) home(hash uint64) int {
	i, _ := bits.Mul64(hash, uint64(len(s.cells)))
	return int(i)
}

// turn starts a new generation if it is time, and reports whether it did.
func (s *seenCache) turn(now actors.Time, life time.Duration) bool {
	if now.Sub(s.turned) < life {
		return false
	}
	kept := s.young
	if now.Sub(s.turned) >= 2*life {
		kept = 0
	}
	cells := s.cells
	s.cells, s.count, s.young = nil, 0, 0
	if kept > 0 {
		s.resize(kept + kept/4)
		for _, v := range cells {
			if v != 0 && v&generationBit == s.fresh {
				s.insert(v)
			}
		}
	}
	s.fresh ^= generationBit
	s.turned = now
	return true
}

// find returns the number of the peer that brought a message.
func (s *seenCache) find(hash uint64) (number uint16, ok bool) {
	if len(s.cells) == 0 {
		return 0, false
	}
	for i := s.home(hash); ; {
		switch v := s.cells[i]; {
		case v == 0:
			return 0, false
		case v&hashMask == hash:
			return uint16(v), true
		}
		if i++; i == len(s.cells) {
			i = 0
		}
	}
}

// add remembers a message that is not there. The table grows by a quarter when
// seven of eight cells are taken.
func (s *seenCache) add(hash uint64, number uint16) {
	if 8*(s.count+1) > 7*len(s.cells) {
		cells := s.cells
		s.resize(len(cells) + len(cells)/4)
		for _, v := range cells {
			if v != 0 {
				s.insert(v)
			}
		}
	}
	s.insert(hash | s.fresh | uint64(number))
	s.young++
}

// resize makes an empty table of at least n cells: as many as the allocator
// gives for the memory of n.
func (s *seenCache) resize(n int) {
	cells := append([]uint64(nil), make([]uint64, max(n, cellsMin))...)
	s.cells, s.count = cells[:cap(cells)], 0
}

func (s *seenCache) insert(v uint64) {
	i := s.home(v & hashMask)
	for s.cells[i] != 0 {
		if i++; i == len(s.cells) {
			i = 0
		}
	}
	s.cells[i] = v
	s.count++
}

// sipHash is SipHash-1-3 (Aumasson and Bernstein, 2012): a keyed hash that a
// peer who does not know the key cannot make collide.
func sipHash(key [2]uint64, s string) uint64 {
	v0 := key[0] ^ 0x736f6d6570736575
	v1 := key[1] ^ 0x646f72616e646f6d
	v2 := key[0] ^ 0x6c7967656e657261
	v3 := key[1] ^ 0x7465646279746573
	var block [8]byte
	tail := uint64(len(s)) << 56
	for ; len(s) >= 8; s = s[8:] {
		copy(block[:], s)
		m := binary.LittleEndian.Uint64(block[:])
		v3 ^= m
		v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
		v0 ^= m
	}
	for i := range len(s) {
		tail |= uint64(s[i]) << (8 * i)
	}
	v3 ^= tail
	v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
	v0 ^= tail
	v2 ^= 0xff
	for range 3 {
		v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
	}
	return v0 ^ v1 ^ v2 ^ v3
}

func sipRound(v0, v1, v2, v3 uint64) (uint64, uint64, uint64, uint64) {
	v0 += v1
	v1 = bits.RotateLeft64(v1, 13) ^ v0
	v0 = bits.RotateLeft64(v0, 32)
	v2 += v3
	v3 = bits.RotateLeft64(v3, 16) ^ v2
	v0 += v3
	v3 = bits.RotateLeft64(v3, 21) ^ v0
	v2 += v1
	v1 = bits.RotateLeft64(v1, 17) ^ v2
	v2 = bits.RotateLeft64(v2, 32)
	return v0, v1, v2, v3
}
