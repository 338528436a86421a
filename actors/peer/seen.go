package peer

import (
	"encoding/binary"
	"math/bits"
	"time"

	"peernet/actors"
)

// seenCache remembers the requests and responses of the last while, and which
// peer brought each. It holds two generations and starts a new one every
// life, so that an entry stays for one to two lives.
//
// An entry is one word: 48 bits of a keyed hash of the message's id, and the
// 16-bit number of the peer, 0 for this node itself.
type seenCache struct {
	key        [2]uint64
	young, old table64
	turned     actors.Time // when young was started
}

// self is the number of this node as the origin of a message.
const self = 0

// hash names a message by its id; a request and a response may share one.
func (s *seenCache) hash(id string, response bool) uint64 {
	key := s.key
	if response {
		key[0] = ^key[0]
	}
	// The peer's number goes where the low bits were; 0 marks a free cell.
	return max(sipHash(key, id)&^0xffff, 1<<16)
}

// turn starts a new generation if it is time, and reports whether it did.
func (s *seenCache) turn(now actors.Time, life time.Duration) bool {
	if now.Sub(s.turned) < life {
		return false
	}
	s.old = s.young
	if now.Sub(s.turned) >= 2*life {
		s.old = table64{}
	}
	s.young = table64{}
	s.turned = now
	return true
}

// find returns the number of the peer that brought a message.
func (s *seenCache) find(hash uint64) (number uint16, ok bool) {
	if v := s.young.find(hash); v != 0 {
		return uint16(v), true
	}
	v := s.old.find(hash)
	return uint16(v), v != 0
}

// add remembers a message that is not there.
func (s *seenCache) add(hash uint64, number uint16) { s.young.add(hash | uint64(number)) }

// table64 is a set of words with their low 16 bits free, open addressed with
// linear probing. It grows by doubling when seven of eight cells are taken.
type table64 struct {
	cells []uint64
	count int
}

const tagMask = ^uint64(0xffff)

func (t *table64) find(hash uint64) uint64 {
	if len(t.cells) == 0 {
		return 0
	}
	mask := uint64(len(t.cells) - 1)
	for i := hash >> 16 & mask; ; i = (i + 1) & mask {
		v := t.cells[i]
		if v == 0 || v&tagMask == hash {
			return v
		}
	}
}

func (t *table64) add(v uint64) {
	if 8*(t.count+1) > 7*len(t.cells) {
		t.grow()
	}
	t.insert(v)
	t.count++
}

func (t *table64) insert(v uint64) {
	mask := uint64(len(t.cells) - 1)
	i := v >> 16 & mask
	for t.cells[i] != 0 {
		i = (i + 1) & mask
	}
	t.cells[i] = v
}

func (t *table64) grow() {
	cells := t.cells
	t.cells = make([]uint64, max(16, 2*len(cells)))
	for _, v := range cells {
		if v != 0 {
			t.insert(v)
		}
	}
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
