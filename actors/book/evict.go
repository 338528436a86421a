package book

import (
	"math/rand/v2"
)

// scanMax is the size up to which eviction looks at all entries. Of a larger
// book it looks at as many random positions, and the Table counts how many
// entries each source has.
const scanMax = 64

// noGroup is the group of saved entries. Its size stays 0.
const noGroup = scanMax + 1

// A scan is what eviction looks at: positions of the book, grouped by source.
// A scan of a small book is of all positions and follows its changes, so that
// a list of addresses is learned with one look. It lives on the stack.
type scan struct {
	whole     bool // of all of a small book: index k is position k
	n         int
	known     int // groups
	positions [scanMax]int32
	groups    [scanMax]uint8      // of what is at positions
	sources   [scanMax + 1]uint32 // of the groups; one may be new to the book
	sizes     [scanMax + 2]int32  // of the groups: entries in the book
	slots     [2 * scanMax]uint8  // open hash table: one more than a group
}

// evictMax bounds the entries that make room for one.
const evictMax = 256

// group returns the group of a source.
func (s *scan) group(source uint32) uint8 {
	h := source * 0x9e3779b1 >> 25 // a multiplicative hash of seven bits
	for ; s.slots[h] != 0; h = (h + 1) % uint32(len(s.slots)) {
		if g := s.slots[h] - 1; s.sources[g] == source {
			return g
		}
	}
	g := s.known
	s.sources[g] = source
	s.known++
	s.slots[h] = uint8(s.known)
	return uint8(g)
}

// add puts position i into the scan.
func (s *scan) add(i int, source uint32, saved bool) {
	g := uint8(noGroup)
	if !saved {
		g = s.group(source)
		s.sizes[g]++
	}
	s.positions[s.n], s.groups[s.n] = int32(i), g
	s.n++
}

// remove takes index k out of the scan as [Book.Delete] does.
func (s *scan) remove(k int) {
	s.n--
	s.sizes[s.groups[k]]--
	s.groups[k] = s.groups[s.n]
}

// look fills s, unless it knows all of the book.
func (t *Table) look(s *scan, r *rand.Rand) {
	n := t.book.Len()
	switch {
	case n > scanMax:
		*s = scan{}
		for range scanMax {
			i := r.IntN(n)
			source, saved := t.book.Source(i)
			s.add(i, source, saved)
		}
		for g := range s.known {
			s.sizes[g] = int32(t.count(s, s.sources[g]))
		}
	case !s.whole:
		*s = scan{whole: true}
		for i := range n {
			source, saved := t.book.Source(i)
			s.add(i, source, saved)
		}
	}
}

// count returns how many entries of source are not saved, of a small book from
// a scan that looked.
func (t *Table) count(s *scan, source uint32) int {
	if t.book.Len() <= scanMax {
		return int(s.sizes[s.group(source)])
	}
	if t.counts == nil {
		t.counts = make(map[uint32]int)
		t.book.Sources(func(source uint32, saved bool) {
			if !saved {
				t.counts[source]++
			}
		})
	}
	return t.counts[source]
}

// tally keeps the counts, if there are any, once position i was added, or
// before it is deleted or saved.
func (t *Table) tally(i, d int) {
	if t.counts == nil {
		return
	}
	if source, saved := t.book.Source(i); !saved {
		if t.counts[source] += d; t.counts[source] == 0 {
			delete(t.counts, source)
		}
	}
}

// add appends e to the book.
func (t *Table) add(s *scan, e Entry) {
	i := t.book.Len()
	t.book.Append(e)
	t.tally(i, 1)
	if s.whole = s.whole && i < scanMax; s.whole {
		s.add(i, e.Source, e.Saved)
	}
}

// forget deletes position i of the book.
func (t *Table) forget(i int) {
	t.tally(i, -1)
	t.book.Delete(i)
}

// makeRoom forgets what must go before an entry of source is added: one of the
// same source if its quota is full, one of the largest source if the book is.
// It reports whether there is room. Only where limits were lowered since is
// there more than one to go; the loops end even if a broken book forgets none.
func (t *Table) makeRoom(s *scan, source uint32, r *rand.Rand) bool {
	if n := t.book.Len(); source != 0 && n >= t.limits.PerSource {
		if n <= scanMax {
			t.look(s, r)
		}
		for range t.count(s, source) - t.limits.PerSource + 1 {
			if !t.evict(s, source, r) {
				return false
			}
		}
	}
	// Where limits were lowered since, the rest goes with the next entries.
	for range min(t.book.Len()-t.limits.Entries+1, evictMax) {
		if !t.evict(s, 0, r) {
			return false
		}
	}
	return t.book.Len() < t.limits.Entries
}

// evict forgets one entry that is neither saved nor in use: one of the source
// that has the most or, unless only is 0, one of that source.
func (t *Table) evict(s *scan, only uint32, r *rand.Rand) bool {
	t.look(s, r)
	for below := int32(1<<31 - 1); ; {
		size := int32(0)
		for g := range s.known {
			if n := s.sizes[g]; n > size && n < below {
				size = n
			}
		}
		if size == 0 {
			return false
		}
		if k := t.victim(s, size, only, r); k >= 0 {
			t.forget(int(s.positions[k]))
			s.remove(k)
			return true
		}
		below = size // all of the largest are in use: on to the next
	}
}

// victim draws what to forget from the groups of a size: one that fails if
// there is any. It returns an index in s, or −1.
func (t *Table) victim(s *scan, size int32, only uint32, r *rand.Rand) int {
	victim, fails, count := -1, false, 0
	for k, g := range s.groups[:s.n] {
		if s.sizes[g] != size || only != 0 && s.sources[g] != only {
			continue
		}
		e := t.book.At(int(s.positions[k]))
		if fails && e.Streak == 0 || t.isInUse(e.Address) {
			continue
		}
		if e.Streak > 0 && !fails {
			fails, count = true, 0
		}
		if count++; count == 1 || r.IntN(count) == 0 {
			victim = k
		}
	}
	return victim
}
