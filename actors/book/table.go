package book

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"peernet/actors"
)

// Limits bound a [Table] and pace its retries.
type Limits struct {
	Entries    int           // addresses in the book
	PerSource  int           // addresses from one source
	Bars       int           // removed and own addresses remembered; own ones fill at most half
	Retry      time.Duration // wait after a first failure; doubles with each further one
	RetryMax   time.Duration // the wait's upper bound
	RemovedFor time.Duration // how long a removed address stays removed
}

// dead is how many times in a row an address fails until it is purged whatever it
// did before: with the default back-off, for five minutes.
const dead = 6

// silence is how long after an address has answered failures say something of the
// addresses that fail.
const silence = Seconds(120)

// saveTries is how often Save looks for room, at 64 random entries of a large book.
const saveTries = 16

// purgeBatch is how many positions one Purge looks at.
const purgeBatch = 4096

// Errors of [Table.Save].
var (
	ErrFull = errors.New("book: the address book is full of saved addresses and those in use")
	ErrOwn  = errors.New("book: the address is this node's own")
)

// An Outcome says how a dial ended.
type Outcome uint8

// The outcomes of a dial.
const (
	OutcomeNone      Outcome = iota // nothing to be learned; it is free again
	OutcomeUp                       // a link is up and uses the address
	OutcomeRefused                  // the peer answered, and refused
	OutcomeFailed                   // no answer
	OutcomeDialling                 // not yet: a dial has begun
	OutcomeDuplicate                // the peer answered, and is connected by another address
)

// A Table is the policy of the address book over a [Book].
type Table struct {
	book   Book
	limits *Limits
	inUse  []actors.Address // dialled or connected: not drawn, not evicted
	counts map[uint32]int   // unsaved entries by source; nil until the book is large
	met    [metMax]meeting  // see Met; the first metLen
	metLen uint8
	cursor uint32  // where the next Purge starts
	heard  Seconds // when an address answered last; 0 is never
	since  Seconds // from when on some have answered again and again
}

// NewTable returns the policy over b. The limits must not change.
func NewTable(b Book, l *Limits) Table { return Table{book: b, limits: l} }

// Book returns the store beneath.
func (t *Table) Book() Book { return t.book }

// Save adds a for good on behalf of the user, and lifts a bar on it. It fails
// with ErrOwn, ErrFull, or, if a is the zero Address, actors.ErrAddress. A book
// of more than 64 is full if 1024 random entries are saved or in use.
func (t *Table) Save(a actors.Address, now Seconds, r *rand.Rand) error {
	barred := t.book.Barred(a)
	switch {
	case a.IsZero():
		return fmt.Errorf("book: saving none: %w", actors.ErrAddress)
	case barred == Forever:
		return ErrOwn
	}
	if i, ok := t.book.Find(a); ok {
		t.tally(i, -1)
		e := t.book.At(i)
		e.Saved, e.Seen = true, now
		t.book.Set(i, e)
		return nil
	}
	var s scan
	room := false
	for range saveTries {
		if room = room || t.makeRoom(&s, 0, r); room {
			break
		}
	}
	if !room {
		return ErrFull
	}
	t.add(&s, Entry{Address: a, Saved: true, Seen: now})
	if barred != 0 {
		t.book.Bar(a, 0)
		t.book.ExpireBars(0, t.limits.Bars)
	}
	return nil
}

// Remove forgets a and bars it on behalf of the user. It reports whether the
// book held a.
func (t *Table) Remove(a actors.Address, now Seconds) bool {
	return t.bar(a, now, later(now, uint64(t.limits.RemovedFor)))
}

// Own marks a as an address of this node: it is forgotten, and not learned
// again. A peer that claims to be this node could mark many, so that they are
// only remembered while half of the bars are free: the rest are for what the
// user removed.
func (t *Table) Own(a actors.Address, now Seconds) {
	t.book.ExpireBars(now, t.limits.Bars)
	if t.book.Barred(a) == 0 && t.book.Bars() >= (t.limits.Bars+1)/2 {
		t.drop(a)
		return
	}
	t.bar(a, now, Forever)
}

// bar drops a and bars it; an earlier bar that lasts longer stays.
func (t *Table) bar(a actors.Address, now, until Seconds) bool {
	if a.IsZero() {
		return false
	}
	t.book.Bar(a, max(until, t.book.Barred(a)))
	t.book.ExpireBars(now, t.limits.Bars)
	return t.drop(a)
}

// drop forgets a wherever it stands.
func (t *Table) drop(a actors.Address) bool {
	t.Release(a)
	t.part(func(m *meeting) bool { return m.address == a })
	i, ok := t.book.Find(a)
	if ok {
		t.forget(i)
	}
	return ok
}

// Learn takes addresses that a peer told of and returns how many are new;
// fresh, unless nil, is called for each of these and must not use the Table.
// from is the address in the book that told, if any; its count of addresses
// received goes up.
func (t *Table) Learn(list []actors.Address, source uint32, from actors.Address, now Seconds, r *rand.Rand, fresh func(actors.Address)) (added int) {
	if source != 0 {
		t.hear(now) // a peer talks
	}
	if i, ok := t.book.Find(from); ok && !from.IsZero() {
		e := t.book.At(i)
		e.Rx += uint32(len(list))
		t.book.Set(i, e)
	}
	var s scan
	for _, a := range list {
		if t.learn(&s, a, source, now, r) {
			added++
			if fresh != nil {
				fresh(a)
			}
		}
	}
	return added
}

func (t *Table) learn(s *scan, a actors.Address, source uint32, now Seconds, r *rand.Rand) bool {
	if i, ok := t.book.Find(a); ok {
		e := t.book.At(i)
		if e.Seen != now {
			e.Seen = now
			t.book.Set(i, e)
		}
		return false
	}
	if a.IsZero() || t.book.Barred(a) > now {
		return false
	}
	if !t.makeRoom(s, source, r) {
		return false
	}
	t.add(s, Entry{Address: a, Source: source, Seen: now})
	return true
}

// lookMax is how many positions Draw and Share look at.
const lookMax = 64

// Draw appends to dst up to n addresses to dial, drawn uniformly from those that are
// not in use and may be tried by now, and marks them in use. can says which
// addresses the node is able to dial; nil is all. At most 64 are drawn, and a
// book of more is searched for them at random, for a bounded time: there Draw
// may return less than there is.
func (t *Table) Draw(dst []actors.Address, n int, now Seconds, can func(actors.Address) bool, r *rand.Rand) []actors.Address {
	n = min(n, lookMax)
	if n <= 0 {
		return dst
	}
	out := dst
	var space [lookMax]int
	// A short look mostly does.
	for look := min(4*n+16, lookMax); ; look = lookMax {
		for _, i := range Sample(space[:0], t.book.Len(), look, r) {
			e := t.book.At(i)
			if t.waits(e, now) || t.isInUse(e.Address) || can != nil && !can(e.Address) {
				continue
			}
			out = append(out, e.Address)
			t.Use(e.Address)
			if len(out)-len(dst) == n {
				return out
			}
		}
		if look >= min(lookMax, t.book.Len()) {
			return out
		}
	}
}

// Suspect returns an address to check, and marks it in use: of at most 64 random
// entries that Draw could return, the one that failed most often since it last
// answered, or, where none has failed, that was tried the longest time ago.
func (t *Table) Suspect(now Seconds, can func(actors.Address) bool, r *rand.Rand) (a actors.Address, ok bool) {
	var space [lookMax]int
	var worst Entry
	for _, i := range Sample(space[:0], t.book.Len(), lookMax, r) {
		e := t.book.At(i)
		if t.waits(e, now) || t.isInUse(e.Address) || can != nil && !can(e.Address) {
			continue
		}
		if !ok || e.Streak > worst.Streak || e.Streak == worst.Streak && e.Tried < worst.Tried {
			worst, ok = e, true
		}
	}
	t.Use(worst.Address)
	return worst.Address, ok
}

// Share appends to dst up to n addresses to tell a peer of. to is the peer's own
// address, which is left out; if the book holds it, its count of addresses sent
// goes up. keep says which entries the peer may be told of; nil is all.
//
// Up to two fifths are of peers that connected to this node. As every node
// connects to equally many, these are a fair sample of the network, while
// addresses that are only passed on from book to book become ever more unequal
// by chance, and with them the degrees of the nodes. The rest is drawn uniformly
// from the book without those that failed the last three times; of it, Share
// looks at half as many positions again as it is to return, or, if that gives less
// than half, at 64.
func (t *Table) Share(dst []actors.Address, n int, to actors.Address, keep func(Entry) bool, r *rand.Rand) []actors.Address {
	n = min(n, t.book.Len()+int(t.metLen), lookMax)
	if n <= 0 {
		return dst
	}
	out := slices.Grow(dst, n)
	var space [lookMax]int
	for _, i := range Sample(space[:0], int(t.metLen), 2*n/5, r) {
		e := Entry{Address: t.met[i].address, Source: t.met[i].source, Stats: Stats{OK: 1}}
		if e.Address != to && (keep == nil || keep(e)) {
			out = append(out, e.Address)
		}
	}
	// Where few may be told, a longer look finds more of them.
	for _, look := range [...]int{min(n+n/2+1, lookMax), lookMax} {
		for _, i := range Sample(space[:0], t.book.Len(), look, r) {
			if len(out)-len(dst) == n {
				break
			}
			e := t.book.At(i)
			if e.Address == to || e.Streak >= 3 || slices.Contains(out[len(dst):], e.Address) || keep != nil && !keep(e) {
				continue
			}
			out = append(out, e.Address)
		}
		if 2*(len(out)-len(dst)) >= n || look >= t.book.Len() {
			break
		}
	}
	if i, ok := t.book.Find(to); ok && !to.IsZero() {
		e := t.book.At(i)
		e.Tx += uint32(len(out) - len(dst))
		t.book.Set(i, e)
	}
	return out
}

// Result records how a dial of a ended, or that a link to it ended. Unless the
// outcome is OutcomeUp the address is free again. Where no address has answered for
// two minutes, failures are not counted: a node that is offline forgets nobody.
func (t *Table) Result(a actors.Address, o Outcome, now Seconds, r *rand.Rand) {
	if o == OutcomeUp || o == OutcomeDialling {
		t.Use(a)
	} else {
		t.Release(a)
	}
	i, ok := t.book.Find(a)
	if !ok || o == OutcomeDialling {
		return
	}
	e := t.book.At(i)
	switch o {
	case OutcomeUp:
		e.OK++
		e.Tried, e.Streak = now, 0
		t.hear(now)
	case OutcomeRefused:
		e.OK++
		e.Tried, e.Streak = now, 0
		e.Retry = t.retry(1, now, r)
		t.hear(now)
	case OutcomeDuplicate:
		e.OK++
		e.Tried, e.Streak = now, 0
		e.Retry = t.retry(255, now, r)
		t.hear(now)
	case OutcomeFailed:
		if t.heard != 0 && now > t.heard && now-t.heard > silence {
			// The node seems to be offline: that says nothing of the address.
			e.Tried = now
			e.Retry = t.retry(min(e.Streak, 2)+1, now, r)
			break
		}
		t.part(func(m *meeting) bool { return m.address == a })
		e.Fail++
		e.Tried = now
		if e.Streak < 255 {
			e.Streak++
		}
		e.Retry = t.retry(e.Streak, now, r)
	case OutcomeNone:
		e.Retry = t.retry(1, now, r)
	}
	t.book.Set(i, e)
}

// Hear notes that a peer talks, so that failures say something of the addresses that
// fail.
func (t *Table) Hear(now Seconds) { t.hear(now) }

// hear notes that an address answers, or a peer talks.
func (t *Table) hear(now Seconds) {
	if t.heard == 0 || now > t.heard && now-t.heard > silence {
		t.since = now
	}
	t.heard = now
}

// waits reports whether an address is to be left alone for now. A time further off
// than any wait is of a clock that was set back since.
func (t *Table) waits(e Entry, now Seconds) bool {
	return e.Retry > now && e.Retry <= later(now, 2*uint64(t.limits.RetryMax))
}

// retry returns until when to leave an address alone: exponential back-off with
// jitter from half to one and a half.
func (t *Table) retry(streak uint8, now Seconds, r *rand.Rand) Seconds {
	// Unsigned, so that neither doubling nor jitter can overflow.
	d, most := uint64(t.limits.Retry), uint64(t.limits.RetryMax)
	for ; streak > 1 && d < most; streak-- {
		d *= 2
	}
	d = min(d, most)
	return later(now, d/2+r.Uint64N(d+1))
}

// later returns the time d nanoseconds after now, rounded up, and before
// Forever.
func later(now Seconds, d uint64) Seconds {
	return Seconds(min(uint64(now)+(d+uint64(time.Second)-1)/uint64(time.Second), uint64(Forever)-1))
}

// Heard reports whether an address has answered, or a peer talked, in this run of the
// node.
func (t *Table) Heard() bool { return t.heard != 0 }

// Purge forgets addresses that mostly fail or have failed for long, and bars that
// ran out: of addresses those alone that failed while others answered. It returns how many addresses it forgot. Of a large book, each call looks at a part.
func (t *Table) Purge(now Seconds) (purged int) {
	t.book.ExpireBars(now, t.limits.Bars)
	t.part(func(m *meeting) bool { return now-m.at > metLife && now > m.at })
	for range min(purgeBatch, t.book.Len()) {
		if int(t.cursor) >= t.book.Len() {
			t.cursor = 0
		}
		e := t.book.At(int(t.cursor))
		if !e.Saved && e.Tried >= t.since && (e.Streak >= 3 && e.Fail > 2*e.OK || e.Streak >= dead) && !t.isInUse(e.Address) {
			t.forget(int(t.cursor))
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
	for j := n - min(max(k, 0), n); j < n; j++ {
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
