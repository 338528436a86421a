package peer

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"peernet/actors"
)

// The answers are CPython's, whose hash of bytes is SipHash-1-3: 3.11.7 with
// PYTHONHASHSEED=0, for which the key is zero, and with PYTHONHASHSEED=42.
func TestSipHashKnownAnswers(t *testing.T) {
	seed42 := [2]uint64{0xdc504fd368cd90af, 0xb920bb9ffe99e9c1}
	for _, c := range []struct {
		key  [2]uint64
		n    int // the text is the bytes 0 to n−1
		want uint64
	}{
		{[2]uint64{}, 1, 0x68a914128e01e473},
		{[2]uint64{}, 7, 0x2f098ab0c751325a},
		{[2]uint64{}, 8, 0xead411e67ebe2eea},
		{[2]uint64{}, 9, 0x75927f9d95124362},
		{[2]uint64{}, 15, 0xf30eb725bb91c9ea},
		{[2]uint64{}, 16, 0x8972188433a5c5b7},
		{[2]uint64{}, 63, 0x385d3e39e5f37359},
		{[2]uint64{}, 64, 0x75e05fd5bbc870c6},
		{seed42, 1, 0xce880c366bcf3489},
		{seed42, 7, 0xce280fabc397fbda},
		{seed42, 8, 0x60866c3c108c6afb},
		{seed42, 9, 0x68814005f7469e03},
		{seed42, 15, 0x94ace24d68c18cf8},
		{seed42, 16, 0x339176f3ac59ce05},
		{seed42, 63, 0x6e24d6f0d014c37},
		{seed42, 64, 0x91639ef7de8d52cb},
	} {
		text := make([]byte, c.n)
		for i := range text {
			text[i] = byte(i)
		}
		if got := sipHash(c.key, string(text)); got != c.want {
			t.Errorf("key %x, %d bytes: %#x, want %#x", c.key, c.n, got, c.want)
		}
	}
	if got := sipHash([2]uint64{}, "abc"); got != 0xc03bc3a0042630f2 {
		t.Errorf("key 0, abc: %#x", got)
	}
}

func TestSeenFindsAllItHoldsWhileItGrows(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var s seenCache
	if _, ok := s.find(1 << 20); ok {
		t.Error("an empty cache finds something")
	}
	hash := func() uint64 { return r.Uint64()&hashMask | 1<<20 }
	var hashes []uint64
	for n := range 3000 {
		hashes = append(hashes, hash())
		s.add(hashes[n], uint16(n))
		if 8*s.count > 7*len(s.cells) {
			t.Fatalf("%d of %d cells are taken", s.count, len(s.cells))
		}
		for i := max(0, n-100); i <= n; i++ {
			if number, ok := s.find(hashes[i]); !ok || int(number) != i {
				t.Fatalf("lost %x of %d entries", hashes[i], n+1)
			}
		}
	}
	for i, h := range hashes {
		if number, ok := s.find(h); !ok || int(number) != i {
			t.Fatalf("lost %x", h)
		}
		if _, ok := s.find(h ^ 1<<63); ok {
			t.Fatalf("found what was never added")
		}
	}
}

// Entries whose cells collide at the end of the table wrap around.
func TestSeenWrapsAround(t *testing.T) {
	var s seenCache
	last := func(i uint64) uint64 { return hashMask - i<<20 }
	for i := range uint64(5) {
		s.add(last(i), uint16(i))
	}
	for i := range uint64(5) {
		if number, ok := s.find(last(i)); !ok || uint64(number) != i {
			t.Errorf("entry %d: %d %v", i, number, ok)
		}
	}
}

// A turn keeps all of the generation that becomes the old one, and nothing of
// that before; afterwards the table has no more room than what it holds needs.
func TestSeenTurnKeepsOneGeneration(t *testing.T) {
	const life = 30 * time.Second
	s := seenCache{key: [2]uint64{1, 2}}
	name := func(turn, i int) uint64 { return s.hash(fmt.Sprint(turn, i), false) }
	sizes := []int{1000, 10, 0, 400, 400}
	for turn, size := range sizes {
		for i := range size {
			s.add(name(turn, i), uint16(i+1))
		}
		if !s.turn(actors.Time(turn+1)*actors.Time(life), life) {
			t.Fatal("no turn")
		}
		if s.young != 0 || s.count != size || len(s.cells) > 2*size+cellsMin {
			t.Errorf("turn %d: %d young of %d entries in %d cells, want 0 of %d", turn, s.young, s.count, len(s.cells), size)
		}
		for before := range turn + 1 {
			for i := range sizes[before] {
				number, ok := s.find(name(before, i))
				if want := before == turn; ok != want || ok && int(number) != i+1 {
					t.Fatalf("turn %d: entry %d of turn %d: %d %v", turn, i, before, number, ok)
				}
			}
		}
	}
}

func TestSeenEntryLivesOneToTwoLives(t *testing.T) {
	const life = 30 * time.Second
	for _, c := range []struct {
		added, looked time.Duration // since the cache began
		found         bool
	}{
		{0, 29 * time.Second, true},
		{0, 30 * time.Second, true},
		{0, 59 * time.Second, true},
		{0, 60 * time.Second, false},
		{29 * time.Second, 59 * time.Second, true}, // a whole life
		{29 * time.Second, 60 * time.Second, false},
		{29*time.Second + time.Millisecond, 200 * time.Second, false},
	} {
		var s seenCache
		h := s.hash("id", false)
		for at := time.Duration(0); at <= c.looked; at += time.Second {
			s.turn(actors.Time(at), life)
			if at == c.added.Truncate(time.Second) {
				s.add(h, 9)
			}
		}
		if number, ok := s.find(h); ok != c.found || ok && number != 9 {
			t.Errorf("added at %v, at %v: %d %v, want %v", c.added, c.looked, number, ok, c.found)
		}
	}
}

func TestSeenTurnAfterALongPauseForgetsAll(t *testing.T) {
	var s seenCache
	h := s.hash("id", false)
	s.add(h, 9)
	if !s.turn(actors.Time(2*time.Minute), 30*time.Second) {
		t.Error("no turn")
	}
	if _, ok := s.find(h); ok {
		t.Error("an entry outlived two lives")
	}
}

func TestSeenTellsRequestsFromResponsesAndSelfFromNobody(t *testing.T) {
	s := seenCache{key: [2]uint64{1, 2}}
	s.add(s.hash("id", false), self)
	if number, ok := s.find(s.hash("id", false)); !ok || number != self {
		t.Errorf("own request: %d %v", number, ok)
	}
	if _, ok := s.find(s.hash("id", true)); ok {
		t.Error("a request is taken for a response")
	}
	s.add(s.hash("id", true), 0xffff)
	if number, ok := s.find(s.hash("id", true)); !ok || number != 0xffff {
		t.Errorf("response: %d %v", number, ok)
	}
	other := seenCache{key: [2]uint64{1, 3}}
	if other.hash("id", false) == s.hash("id", false) {
		t.Error("the hash does not depend on the key")
	}
}
