package book

import (
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"peernet/actors"
)

// Limits bound a [Table] and pace its retries.
type Limits struct {
	Entries    int           // addresses in the book
	PerSource  int           // addresses from one source
	Bars       int           // removed and own addresses remembered
	Retry      time.Duration // wait after a first failure; doubles with each further one
	RetryMax   time.Duration // the wait's upper bound
	RemovedFor time.Duration // how long a removed address stays removed
}

// scanMax is the size up to which eviction looks at all entries; above it, it
// probes as many random positions.
const scanMax = 256

// purgeBatch is how many positions one Purge looks at.
const purgeBatch = 4096

// Errors of [Table.Save].
var (
	ErrFull = errors.New("book: full of saved addresses")
	ErrOwn  = errors.New("book: the address is this node's own")
)

// An Outcome says how a dial ended.
type Outcome uint8

// The outcomes of a dial.
const (
	OutcomeNone     Outcome = iota // nothing to be learned; it is free again
	OutcomeUp                      // a link is up and uses the address
	OutcomeRefused                 // the peer answered, and refused
	OutcomeFailed                  // no answer
	OutcomeDialling                // not yet: a dial has begun
)

// A Table is the policy of the address book over a [Book].
type Table struct {
	book   Book
	limits *Limits
	inUse  []actors.Address // dialled or connected: not drawn, not evicted
	cursor int              // where the next Purge starts
}

// NewTable returns the policy over b. The limits must not change.
func NewTable(b Book, l *Limits) Table { return Table{book: b, limits: l} }

// Book returns the store beneath.
func (t *Table) Book() Book { return t.book }

// Save adds a for good on behalf of the user, and lifts a bar on it.
func (t *Table) Save(a actors.Address, now Seconds, r *rand.Rand) error {
	if t.book.Barred(a) == Forever {
		return ErrOwn
	}
	if t.book.Barred(a) != 0 {
		t.book.Bar(a, 0)
		t.book.ExpireBars(0, t.limits.Bars)
	}
	if i, ok := t.book.Find(a); ok {
		e := t.book.At(i)
		e.Saved, e.Seen = true, now
		t.book.Set(i, e)
		return nil
	}
	if t.book.Len() >= t.limits.Entries && !t.evict(r) {
		return ErrFull
	}
	t.book.Append(Entry{Address: a, Saved: true, Seen: now})
	return nil
}

// Remove forgets a and bars it on behalf of the user. It reports whether the
// book held a.
func (t *Table) Remove(a actors.Address, now Seconds) bool {
	return t.bar(a, now, now+Seconds(t.limits.RemovedFor/time.Second))
}

// Own marks a as an address of this node: it is forgotten and never learned.
func (t *Table) Own(a actors.Address, now Seconds) { t.bar(a, now, Forever) }

func (t *Table) bar(a actors.Address, now, until Seconds) bool {
	i, ok := t.book.Find(a)
	if ok {
		t.book.Delete(i)
	}
	t.Release(a)
	t.book.Bar(a, until)
	t.book.ExpireBars(now, t.limits.Bars)
	return ok
}

// Learn takes addresses that a peer told of and returns how many are new;
// fresh, unless nil, is called for each of these. from is the address in the
// book that told, if any; its count of addresses received goes up.
func (t *Table) Learn(list []actors.Address, source uint32, from actors.Address, now Seconds, r *rand.Rand, fresh func(actors.Address)) (added int) {
	if i, ok := t.book.Find(from); ok && !from.IsZero() {
		e := t.book.At(i)
		e.Rx += uint32(len(list))
		t.book.Set(i, e)
	}
	for _, a := range list {
		if t.learn(a, source, now, r) {
			added++
			if fresh != nil {
				fresh(a)
			}
		}
	}
	return added
}

func (t *Table) learn(a actors.Address, source uint32, now Seconds, r *rand.Rand) bool {
	if i, ok := t.book.Find(a); ok {
		e := t.book.At(i)
		if e.Seen != now {
			e.Seen = now
			t.book.Set(i, e)
		}
		return false
	}
	if t.book.Barred(a) > now {
		return false
	}
	if t.book.Len() >= t.limits.Entries {
		if !t.evict(r) {
			return false
		}
	} else if t.overQuota(source, r) && !t.evictFrom(source, r) {
		return false
	}
	t.book.Append(Entry{Address: a, Source: source, Seen: now})
	return true
}

// probe calls f for the positions that eviction considers: all of a small
// book, a random sample of a large one.
func (t *Table) probe(r *rand.Rand, f func(i int, e Entry)) {
	n := t.book.Len()
	for k := range min(n, scanMax) {
		i := k
		if n > scanMax {
			i = r.IntN(n)
		}
		f(i, t.book.At(i))
	}
}

// overQuota reports whether source has its quota of entries already; in a
// large book, whether it seems so from a sample.
func (t *Table) overQuota(source uint32, r *rand.Rand) bool {
	n := t.book.Len()
	if source == 0 || n < t.limits.PerSource {
		return false
	}
	count := 0
	t.probe(r, func(_ int, e Entry) {
		if e.Source == source && !e.Saved {
			count++
		}
	})
	if n > scanMax {
		return count*n >= t.limits.PerSource*scanMax
	}
	return count >= t.limits.PerSource
}

// evict makes room by forgetting an entry of the source that has the most.
func (t *Table) evict(r *rand.Rand) bool {
	type group struct {
		source uint32
		n      int
	}
	var space [64]group
	groups := space[:0]
	t.probe(r, func(_ int, e Entry) {
		if e.Saved || t.isInUse(e.Address) {
			return
		}
		g := slices.IndexFunc(groups, func(g group) bool { return g.source == e.Source })
		if g < 0 {
			g = len(groups)
			groups = append(groups, group{source: e.Source})
		}
		groups[g].n++
	})
	largest, ties := -1, 0
	for g := range groups {
		switch {
		case largest < 0 || groups[g].n > groups[largest].n:
			largest, ties = g, 1
		case groups[g].n == groups[largest].n:
			// Most sources have one entry: among equals, chance decides.
			ties++
			if r.IntN(ties) == 0 {
				largest = g
			}
		}
	}
	return largest >= 0 && t.evictFrom(groups[largest].source, r)
}

// evictFrom forgets one entry of a source, drawn at random, one that fails if
// there is any.
func (t *Table) evictFrom(source uint32, r *rand.Rand) bool {
	victim, fails, count := -1, false, 0
	t.probe(r, func(i int, e Entry) {
		if e.Source != source || e.Saved || t.isInUse(e.Address) {
			return
		}
		switch failing := e.Streak > 0; {
		case failing && !fails:
			victim, fails, count = i, true, 1
		case failing == fails:
			count++
			if r.IntN(count) == 0 {
				victim = i
			}
		}
	})
	if victim < 0 {
		return false
	}
	t.book.Delete(victim)
	return true
}

// Draw appends to dst up to n addresses to dial, drawn uniformly from those that are
// not in use and may be tried by now, and marks them in use. can says which
// addresses the node is able to dial; nil is all.
func (t *Table) Draw(dst []actors.Address, n int, now Seconds, can func(actors.Address) bool, r *rand.Rand) []actors.Address {
	out := dst
	var space [64]int
	for _, i := range Sample(space[:0], t.book.Len(), min(4*n+16, len(space)), r) {
		e := t.book.At(i)
		if e.Retry > now || t.isInUse(e.Address) || can != nil && !can(e.Address) {
			continue
		}
		out = append(out, e.Address)
		t.Use(e.Address)
		if len(out)-len(dst) == n {
			break
		}
	}
	return out
}

// Share appends to dst up to n addresses to tell a peer of, drawn uniformly
// from those that do not mostly fail. to is the peer's own address, which is
// left out; if the book holds it, its count of addresses sent goes up.
func (t *Table) Share(dst []actors.Address, n int, to actors.Address, r *rand.Rand) []actors.Address {
	n = min(n, t.book.Len())
	if n <= 0 {
		return dst
	}
	out := slices.Grow(dst, n)
	start := len(out)
	var space [64]int
	for _, i := range Sample(space[:0], t.book.Len(), min(n+n/2+1, len(space)), r) {
		e := t.book.At(i)
		if e.Address == to || e.Streak >= 3 {
			continue
		}
		out = append(out, e.Address)
		if len(out)-start == n {
			break
		}
	}
	if i, ok := t.book.Find(to); ok && !to.IsZero() {
		e := t.book.At(i)
		e.Tx += uint32(len(out) - start)
		t.book.Set(i, e)
	}
	return out
}

// Result records how a dial of a ended, or that a link to it ended. Unless the
// outcome is OutcomeUp the address is free again.
func (t *Table) Result(a actors.Address, o Outcome, now Seconds, r *rand.Rand) {
	if o == OutcomeUp || o == OutcomeDialling {
		t.Use(a)
	} else {
		t.Release(a)
	}
	i, ok := t.book.Find(a)
	if !ok {
		return
	}
	e := t.book.At(i)
	switch o {
	case OutcomeUp:
		e.OK++
		e.Tried, e.Streak = now, 0
	case OutcomeRefused:
		e.OK++
		e.Tried, e.Streak = now, 0
		e.Retry = now + t.wait(1, r)
	case OutcomeFailed:
		e.Fail++
		e.Tried = now
		if e.Streak < 255 {
			e.Streak++
		}
		e.Retry = now + t.wait(e.Streak, r)
	case OutcomeNone:
		e.Retry = now + t.wait(1, r)
	}
	t.book.Set(i, e)
}

// wait returns how long to leave an address alone: exponential back-off with
// jitter from half to one and a half.
func (t *Table) wait(streak uint8, r *rand.Rand) Seconds {
	d := t.limits.Retry
	for ; streak > 1 && d < t.limits.RetryMax; streak-- {
		d *= 2
	}
	d = min(d, t.limits.RetryMax)
	d = d/2 + time.Duration(r.Int64N(int64(d)+1))
	return Seconds((d + time.Second - 1) / time.Second)
}

// Purge forgets addresses that mostly fail, and bars that ran out. It returns
// how many addresses it forgot. Of a large book, each call looks at a part.
func (t *Table) Purge(now Seconds) (purged int) {
	t.book.ExpireBars(now, t.limits.Bars)
	for range min(purgeBatch, t.book.Len()) {
		if t.cursor >= t.book.Len() {
			t.cursor = 0
		}
		e := t.book.At(t.cursor)
		if !e.Saved && e.Streak >= 3 && e.Fail > 2*e.OK && !t.isInUse(e.Address) {
			t.book.Delete(t.cursor)
			purged++
			continue
		}
		t.cursor++
	}
	return purged
}

// Use marks a as dialled or connected.
func (t *Table) Use(a actors.Address) {
	if !a.IsZero() && !t.isInUse(a) {
		if t.inUse == nil {
			t.inUse = make([]actors.Address, 0, 8)
		}
		t.inUse = append(t.inUse, a)
	}
}

// Release takes back Use.
func (t *Table) Release(a actors.Address) {
	if i := slices.Index(t.inUse, a); i >= 0 {
		t.inUse = slices.Delete(t.inUse, i, i+1)
	}
}

func (t *Table) isInUse(a actors.Address) bool { return slices.Contains(t.inUse, a) }

// Sample appends min(k, n) different numbers from 0 to n−1 to dst, drawn
// uniformly and in random order.
func Sample(dst []int, n, k int, r *rand.Rand) []int {
	start := len(dst)
	for j := max(0, n-k); j < n; j++ {
		i := r.IntN(j + 1)
		if slices.Contains(dst[start:], i) {
			i = j
		}
		dst = append(dst, i)
	}
	// Floyd's algorithm draws a uniform set; its order is not uniform.
	drawn := dst[start:]
	for i := len(drawn) - 1; i > 0; i-- {
		j := r.IntN(i + 1)
		drawn[i], drawn[j] = drawn[j], drawn[i]
	}
	return dst
}
