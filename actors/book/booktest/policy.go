package booktest

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"peernet/actors"
	"peernet/actors/book"
)

// Policy checks what [book.Table] guarantees over what open returns: a new and
// empty book each time.
func Policy(t *testing.T, open func(t *testing.T) book.Book) {
	s := suite{open}
	for _, c := range []struct {
		name string
		run  func(t *testing.T)
	}{
		{"bounded", s.bounded},
		{"limits lowered", s.lowered},
		{"quota", s.quota},
		{"quota of a large book", s.quotaLarge},
		{"evict", s.evict},
		{"evict among many sources", s.evictMany},
		{"evict evenly", s.evictEvenly},
		{"evict from a large book", s.evictLarge},
		{"save", s.save},
		{"remove", s.remove},
		{"own", s.own},
		{"own flood", s.ownFlood},
		{"no address", s.noAddress},
		{"purge", s.purge},
		{"purge in parts", s.purgeParts},
		{"suspect", s.suspect},
		{"offline", s.offline},
		{"clock set back", s.clockSetBack},
		{"draw", s.draw},
		{"draw evenly", s.drawEvenly},
		{"draw the last", s.drawLast},
		{"share", s.share},
		{"share evenly", s.shareEvenly},
		{"share whom it met", s.shareMet},
		{"forget whom it met", s.forgetMet},
		{"outcomes", s.outcomes},
		{"back-off", s.backOff},
		{"back-off extremes", s.backOffExtremes},
		{"counters", s.counters},
		{"learn again", s.learnAgain},
		{"alike", s.alike},
	} {
		t.Run(c.name, c.run)
	}
}

type suite struct {
	open func(t *testing.T) book.Book
}

// limits are small, with room for what a test does not mean to bound.
func limits() book.Limits {
	return book.Limits{
		Entries: 64, PerSource: 64, Bars: 32,
		Retry: 5 * time.Second, RetryMax: time.Minute, RemovedFor: time.Hour,
	}
}

// removedFor is the Limits.RemovedFor of limits.
const removedFor = book.Seconds(3600)

// table returns the policy over a new book with some entries.
func (s suite) table(t *testing.T, l book.Limits, entries ...book.Entry) *book.Table {
	b := s.open(t)
	for _, e := range entries {
		b.Append(e)
	}
	table := book.NewTable(b, &l)
	return &table
}

// learn has the table learn one address at time 1.
func learn(table *book.Table, a actors.Address, source uint32, r *rand.Rand) bool {
	return table.Learn([]actors.Address{a}, source, actors.Address{}, 1, r, nil) == 1
}

func has(table *book.Table, a actors.Address) bool {
	_, ok := table.Book().Find(a)
	return ok
}

// get returns the entry of a, which must be there.
func get(t *testing.T, table *book.Table, a actors.Address) book.Entry {
	t.Helper()
	i, ok := table.Book().Find(a)
	if !ok {
		t.Fatalf("%v is not in the book", a)
	}
	return table.Book().At(i)
}

// ofSource counts the entries of a source that are not saved.
func ofSource(table *book.Table, source uint32) (n int) {
	for i := range table.Book().Len() {
		if e := table.Book().At(i); e.Source == source && !e.Saved {
			n++
		}
	}
	return n
}

// even checks by a chi-square that counts come from a uniform distribution.
// The bound is eight standard deviations above what is expected, or more.
func even(t *testing.T, what string, counts []int) {
	t.Helper()
	cells, total, squares := len(counts), 0, 0
	for _, n := range counts {
		total += n
		squares += n * n
	}
	bound := 2*(cells-1) + 35
	// The statistic is squares·cells/total − total.
	if excess := squares*cells - total*total; excess > bound*total || total < 20*cells {
		t.Errorf("%s: chi-square of %d counts is %d, bound %d: %v", what, total, excess/max(total, 1), bound, counts)
	}
}

func (s suite) save(t *testing.T) {
	r := random(1)
	l := limits()
	l.Entries = 3
	table := s.table(t, l, book.Entry{Address: addr(0), Source: 7, Seen: 1, Stats: entry(0).Stats})
	if err := table.Save(addr(0), 50, r); err != nil {
		t.Fatal(err)
	}
	if err := table.Save(addr(1), 60, r); err != nil {
		t.Fatal(err)
	}
	learn(table, addr(2), 7, r)
	want := []book.Entry{
		{Address: addr(0), Source: 7, Seen: 50, Saved: true, Stats: entry(0).Stats},
		{Address: addr(1), Seen: 60, Saved: true},
		{Address: addr(2), Source: 7, Seen: 1},
	}
	check(t, table.Book(), want)
	if err := table.Save(addr(3), 70, r); err != nil {
		t.Errorf("one could go, but Save says %v", err)
	}
	want[2] = book.Entry{Address: addr(3), Seen: 70, Saved: true}
	check(t, table.Book(), want)
	if err := table.Save(addr(1), 80, r); err != nil {
		t.Errorf("saving again: %v", err)
	}
	want[1].Seen = 80
	check(t, table.Book(), want)
	// What cannot be saved leaves all as it was, a bar too.
	table.Remove(addr(4), 80)
	if err := table.Save(addr(4), 90, r); !errors.Is(err, book.ErrFull) {
		t.Errorf("saving a fourth: %v", err)
	}
	check(t, table.Book(), want)
	if until := table.Book().Barred(addr(4)); until != 80+removedFor {
		t.Errorf("a Save that failed left the bar until %d, want %d", until, 80+removedFor)
	}
}

func (s suite) remove(t *testing.T) {
	r := random(1)
	table := s.table(t, limits())
	learn(table, addr(0), 1, r)
	_ = table.Save(addr(1), 1, r)
	learn(table, addr(2), 1, r)
	const at = 100
	for i, held := range []bool{true, true, true, false} {
		if got := table.Remove(addr(i), at); got != held {
			t.Errorf("Remove of address %d says %t", i, got)
		}
	}
	check(t, table.Book(), nil)
	list := addrs(0, 4)
	for _, now := range []book.Seconds{at, at + 1, at + removedFor - 1} {
		table.Purge(now)
		if n := table.Learn(list, 1, actors.Address{}, now, r, nil); n != 0 {
			t.Errorf("%d s after they were removed, %d addresses are back", now-at, n)
		}
	}
	// Only the user brings one back sooner, also if it is told of again.
	if err := table.Save(addr(0), at+1, r); err != nil {
		t.Fatal(err)
	}
	check(t, table.Book(), []book.Entry{{Address: addr(0), Saved: true, Seen: at + 1}})
	table.Remove(addr(0), at+2)
	if n := table.Learn(list, 1, actors.Address{}, at+removedFor, r, nil); n != 3 {
		t.Errorf("when the time was over, %d addresses came back, want 3", n)
	}
	if n := table.Learn(list, 1, actors.Address{}, at+2+removedFor, r, nil); n != 1 {
		t.Errorf("when the time of the last was over, %d addresses came back, want 1", n)
	}
	// A link in use does not keep it, nor does Remove leave it marked.
	table.Use(addr(1))
	table.Remove(addr(1), at)
	_ = table.Save(addr(1), at, r)
	if got := table.Draw(nil, 1, at, func(a actors.Address) bool { return a == addr(1) }, r); len(got) != 1 {
		t.Error("removed and saved again, an address is still in use")
	}
	for _, c := range []struct {
		removedFor time.Duration
		now, want  book.Seconds
	}{
		{time.Millisecond, 5, 6}, // rounded up
		{1500 * time.Millisecond, 5, 7},
		{math.MaxInt64, 5, book.Forever - 1}, // not for ever: that is for own ones
		{time.Hour, book.Forever - 10, book.Forever - 1},
	} {
		l := limits()
		l.RemovedFor = c.removedFor
		table := s.table(t, l)
		table.Remove(addr(0), c.now)
		if until := table.Book().Barred(addr(0)); until != c.want {
			t.Errorf("removed at %d for %v: until %d, want %d", c.now, c.removedFor, until, c.want)
		}
	}
}

func (s suite) own(t *testing.T) {
	r := random(1)
	table := s.table(t, limits())
	learn(table, addr(0), 1, r)
	_ = table.Save(addr(1), 1, r)
	table.Use(addr(1))
	table.Remove(addr(2), 1)
	list := addrs(0, 4)
	for _, a := range list {
		table.Own(a, 1)
	}
	check(t, table.Book(), nil)
	for _, now := range []book.Seconds{1, 1 + removedFor, book.Forever - 1} {
		table.Purge(now)
		if n := table.Learn(list, 1, actors.Address{}, now, r, nil); n != 0 {
			t.Errorf("at %d, %d own addresses were learned", now, n)
		}
		for _, a := range list {
			if err := table.Save(a, now, r); !errors.Is(err, book.ErrOwn) {
				t.Errorf("at %d, saving an own address: %v", now, err)
			}
			// Removing it does not make it another's.
			if table.Remove(a, now) {
				t.Errorf("the book held an own address")
			}
		}
	}
}

// ownFlood has peers claim to be this node at very many addresses.
func (s suite) ownFlood(t *testing.T) {
	r := random(1)
	l := limits()
	table := s.table(t, l)
	table.Own(addr(0), 1)
	removed := addrs(100, 100+l.Bars/2)
	for _, a := range removed[:4] {
		table.Remove(a, 1)
	}
	for i := range 200 {
		a := addr(1000 + i)
		learn(table, a, 1, r)
		table.Own(a, 2)
		if has(table, a) {
			t.Fatalf("%v is own, and still in the book", a)
		}
	}
	for _, a := range removed[4:] {
		table.Remove(a, 3)
	}
	table.Own(removed[0], 3) // known to be barred, it needs no room
	for i, a := range append(removed, addr(0)) {
		if table.Book().Barred(a) == 0 {
			t.Errorf("others pushed out what was barred: %d of %d", i, len(removed))
		}
	}
	if table.Book().Barred(removed[0]) != book.Forever {
		t.Error("what was removed and is own is barred for a time only")
	}
}

func (s suite) noAddress(t *testing.T) {
	r := random(1)
	var none actors.Address
	table := s.table(t, limits())
	if n := table.Learn([]actors.Address{none, none}, 1, none, 1, r, nil); n != 0 {
		t.Errorf("learned %d addresses that are none", n)
	}
	if err := table.Save(none, 1, r); !errors.Is(err, actors.ErrAddress) {
		t.Errorf("Save: %v", err)
	}
	table.Own(none, 1)
	if table.Remove(none, 1) {
		t.Error("Remove of none says that the book held it")
	}
	table.Use(none)
	table.Release(none)
	table.Result(none, book.OutcomeUp, 1, r)
	table.Met(none, 1, 1, r)
	if list := table.Share(nil, 1, none, nil, r); len(list) != 0 {
		t.Errorf("shared %v", list)
	}
	if b := table.Book(); b.Len() != 0 || b.Bars() != 0 {
		t.Errorf("the book has %d entries and %d bars", b.Len(), b.Bars())
	}
}
