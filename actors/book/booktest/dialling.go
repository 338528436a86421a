package booktest

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"peernet/actors"
	"peernet/actors/book"
)

func (s suite) purge(t *testing.T) {
	type stats = book.Stats
	for _, c := range []struct {
		name  string
		stats stats
		saved bool
		inUse bool
		goes  bool
	}{
		{"never tried", stats{}, false, false, false},
		{"failed twice", stats{Fail: 2, Streak: 2}, false, false, false},
		{"failed three times", stats{Fail: 3, Streak: 3}, false, false, true},
		{"failed very often", stats{Fail: 1000, Streak: 255}, false, false, true},
		{"was good", stats{OK: 10, Fail: 3, Streak: 3}, false, false, false},
		{"fails twice as often", stats{OK: 10, Fail: 20, Streak: 3}, false, false, false},
		{"fails more than twice as often", stats{OK: 10, Fail: 21, Streak: 3}, false, false, true},
		{"was good, and failed for long", stats{OK: 1000, Fail: 6, Streak: 6}, false, false, true},
		{"answered of late", stats{OK: 1, Fail: 100, Streak: 2}, false, false, false},
		{"saved", stats{Fail: 100, Streak: 100}, true, false, false},
		{"in use", stats{Fail: 100, Streak: 100}, false, true, false},
		{"saved and in use", stats{Fail: 100, Streak: 100}, true, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := book.Entry{Address: addr(1), Source: 1, Saved: c.saved, Stats: c.stats}
			table := s.table(t, limits(), entry(0), e, entry(3))
			if c.inUse {
				table.Use(addr(1))
			}
			n := table.Purge(1)
			if gone := !has(table, addr(1)); gone != c.goes || (n == 1) != c.goes || n > 1 {
				t.Fatalf("purged %d; it is gone: %t", n, gone)
			}
			if !has(table, addr(0)) || !has(table, addr(3)) {
				t.Error("others went too")
			}
			// It is forgotten, not barred.
			if again := learn(table, addr(1), 1, random(1)); again != c.goes {
				t.Errorf("learned again: %t", again)
			}
			if e := get(t, table, addr(1)); c.goes && e.Stats != (stats{}) {
				t.Errorf("after it was forgotten, its counters are %+v", e.Stats)
			}
		})
	}
	t.Run("bars", func(t *testing.T) {
		table := s.table(t, limits())
		table.Remove(addr(0), 1)
		table.Own(addr(1), 1)
		table.Purge(1 + removedFor)
		if n := table.Book().Bars(); n != 1 {
			t.Errorf("%d bars are left, want that of the own address", n)
		}
	})
	t.Run("again and again", func(t *testing.T) {
		table := s.table(t, limits(), entry(0), entry(1), entry(2))
		for i := range 3 {
			if n := table.Purge(1); n != 0 {
				t.Errorf("purged %d good addresses", n)
			}
			e := table.Book().At(i)
			e.Saved, e.Stats = false, stats{Fail: 9, Streak: 9}
			table.Book().Set(i, e)
			if n := table.Purge(1); n != 1 {
				t.Errorf("the %d. bad address was not purged", i+1)
			}
			next := entry(10 + i)
			next.Streak = 0
			table.Book().Append(next)
		}
	})
	t.Run("empty", func(t *testing.T) {
		if n := s.table(t, limits()).Purge(1); n != 0 {
			t.Errorf("purged %d of no addresses", n)
		}
	})
}

// suspect checks which address is checked first.
func (s suite) suspect(t *testing.T) {
	at := func(i int, st book.Stats) book.Entry { return book.Entry{Address: addr(i), Source: 1, Stats: st} }
	table := s.table(t, limits(),
		at(0, book.Stats{Tried: 50}), at(1, book.Stats{Streak: 2, Tried: 90}), at(2, book.Stats{Streak: 1, Tried: 10}),
		at(3, book.Stats{Streak: 9, Retry: 110}), at(4, book.Stats{Tried: 20}), at(5, book.Stats{Streak: 8}))
	table.Use(addr(5))
	var got []actors.Address
	for range 5 {
		a, ok := table.Suspect(100, func(a actors.Address) bool { return a != addr(0) }, random(3))
		if !ok {
			break
		}
		got = append(got, a)
	}
	if want := []actors.Address{addr(1), addr(2), addr(4)}; !slices.Equal(got, want) {
		t.Errorf("suspects are %v, want %v", got, want)
	}
	if a, ok := s.table(t, limits()).Suspect(100, nil, random(3)); ok || !a.IsZero() {
		t.Errorf("an empty book suspects %v", a)
	}
}

// clockSetBack checks that addresses are not left alone for years where the clock was
// ahead once.
func (s suite) clockSetBack(t *testing.T) {
	l := limits()
	table := s.table(t, l, book.Entry{Address: addr(1), Source: 1, Stats: book.Stats{Fail: 1, Streak: 1, Tried: 2_000_000_000, Retry: 2_000_000_005}})
	if got := table.Draw(nil, 1, 1_800_000_000, nil, random(1)); len(got) != 1 {
		t.Error("an address waits for a time that was")
	}
}

// offline checks that a node that nothing answers forgets nobody.
func (s suite) offline(t *testing.T) {
	table := s.table(t, limits())
	r := random(1)
	for i := range 3 {
		learn(table, addr(i), 1, r)
	}
	table.Result(addr(0), book.OutcomeUp, 1000, r)
	table.Result(addr(1), book.OutcomeFailed, 1100, r)
	for i := range 50 {
		table.Result(addr(1), book.OutcomeFailed, book.Seconds(1200+100*i), r)
		table.Result(addr(2), book.OutcomeFailed, book.Seconds(1200+100*i), r)
		if n := table.Purge(book.Seconds(1200 + 100*i)); n != 0 {
			t.Fatalf("a node that is offline forgets %d", n)
		}
	}
	if e := get(t, table, addr(1)); e.Fail != 1 || e.Streak != 1 || e.Retry > e.Tried+30 {
		t.Errorf("what failed while the node was offline has %+v", e.Stats)
	}
	for i := range book.Seconds(20) { // online again
		table.Result(addr(0), book.OutcomeUp, 10000+i, r)
		table.Result(addr(2), book.OutcomeFailed, 10000+i, r)
	}
	if table.Purge(10100); has(table, addr(2)) {
		t.Error("what fails while others answer is not purged")
	}
}

// purgeParts has more in the book than one Purge looks at.
func (s suite) purgeParts(t *testing.T) {
	const n = 10000
	l := limits()
	l.Entries, l.PerSource = n, n
	var held []book.Entry
	for i := range n {
		e := book.Entry{Address: addr(i), Source: 1}
		if i%100 > 0 {
			e.Stats = book.Stats{Fail: 5, Streak: 5}
		}
		held = append(held, e)
	}
	table := s.table(t, l, held...)
	total := 0
	for range 3 {
		purged := table.Purge(1)
		if purged == 0 || purged > 4096 {
			t.Errorf("one Purge forgot %d", purged)
		}
		total += purged
	}
	if total != n-n/100 || table.Book().Len() != n/100 {
		t.Errorf("purged %d, left %d of %d", total, table.Book().Len(), n)
	}
}

func (s suite) draw(t *testing.T) {
	r := random(1)
	const now = 100
	var held []book.Entry
	for i := range 20 {
		held = append(held, book.Entry{Address: addr(i), Source: 1, Stats: book.Stats{Retry: book.Seconds(now - 5 + i)}})
	}
	// 0 to 5 may be tried by now.
	table := s.table(t, limits(), held...)
	table.Use(addr(0))
	can := func(a actors.Address) bool { return a != addr(1) }
	for _, n := range []int{0, -1, math.MinInt} {
		if list := table.Draw(nil, n, now, nil, r); len(list) != 0 {
			t.Fatalf("Draw(%d) returned %v", n, list)
		}
	}
	first := table.Draw(nil, 3, now, can, r)
	second := table.Draw(nil, math.MaxInt, now, can, r)
	if len(first) != 3 || len(second) != 1 {
		t.Fatalf("drew %v and %v, want three and one", first, second)
	}
	all := slices.Concat(first, second)
	for _, a := range addrs(2, 6) {
		if !slices.Contains(all, a) {
			t.Errorf("%v was not drawn: %v", a, all)
		}
	}
	if list := table.Draw(nil, 10, now, can, r); len(list) != 0 {
		t.Errorf("drew what is in use: %v", list)
	}
	if list := table.Draw(nil, 10, now, nil, r); !slices.Equal(list, addrs(1, 2)) {
		t.Errorf("if all can be dialled, drew %v, want %v", list, addr(1))
	}
	table.Use(addr(3)) // twice in use is in use
	table.Release(addr(3))
	if list := table.Draw(nil, 10, now, can, r); !slices.Equal(list, addrs(3, 4)) {
		t.Errorf("after a release, drew %v, want %v", list, addr(3))
	}
	if list := table.Draw(nil, 10, now+1, can, r); !slices.Equal(list, addrs(6, 7)) {
		t.Errorf("a second later, drew %v, want %v", list, addr(6))
	}
	table.Result(addr(6), book.OutcomeFailed, now+1, r)
	if list := table.Draw(nil, 10, now+1, can, r); len(list) != 0 {
		t.Errorf("after a failure, drew %v", list)
	}
}

func (s suite) drawEvenly(t *testing.T) {
	for _, c := range []struct{ entries, eligible, n, runs int }{
		{10, 10, 1, 2000},
		{64, 64, 1, 6400},
		{64, 64, 5, 1600},
		{64, 16, 3, 1600}, // a first look often finds too few
		{64, 3, 1, 600},
		{200, 200, 3, 5000},
		{200, 50, 2, 2500},
	} {
		r := random(7)
		l := limits()
		l.Entries, l.PerSource = c.entries, c.entries
		var held []book.Entry
		for i := range c.entries {
			e := book.Entry{Address: addr(i), Source: 1}
			if i%(c.entries/c.eligible) > 0 || i >= c.eligible*(c.entries/c.eligible) {
				e.Retry = 2
			}
			held = append(held, e)
		}
		table := s.table(t, l, held...)
		counts := make([]int, c.eligible)
		firsts := make([]int, c.eligible)
		for range c.runs {
			for k, a := range table.Draw(nil, c.n, 1, nil, r) {
				i, _ := table.Book().Find(a)
				i /= c.entries / c.eligible
				counts[i]++
				if k == 0 {
					firsts[i]++
				}
				table.Release(a)
			}
		}
		even(t, "drawn", counts)
		even(t, "drawn first", firsts)
	}
}

// drawLast finds the only address that can be drawn, wherever it is.
func (s suite) drawLast(t *testing.T) {
	const n = 64
	var held []book.Entry
	for i := range n {
		held = append(held, book.Entry{Address: addr(i), Source: 1, Stats: book.Stats{Retry: 2}})
	}
	table := s.table(t, limits(), held...)
	for i := range n {
		e := held[i]
		e.Retry = 0
		table.Book().Set(i, e)
		if list := table.Draw(nil, 1, 1, nil, random(uint64(i))); !slices.Equal(list, addrs(i, i+1)) {
			t.Errorf("drew %v, want %v: only it may be tried", list, addr(i))
		}
		table.Book().Set(i, held[i])
	}
}

func (s suite) share(t *testing.T) {
	r := random(1)
	var held []book.Entry
	for i := range 20 {
		held = append(held, book.Entry{Address: addr(i), Source: 1, Stats: book.Stats{Streak: uint8(i % 5)}})
	}
	table := s.table(t, limits(), held...)
	table.Use(addr(0)) // in use is as good as any
	seen := map[actors.Address]bool{}
	for range 200 {
		list := table.Share(nil, 4, addr(1), nil, r)
		if len(list) > 4 {
			t.Fatalf("Share(4) returned %d", len(list))
		}
		for i, a := range list {
			if e := get(t, table, a); a == addr(1) || e.Streak >= 3 || slices.Contains(list[:i], a) {
				t.Errorf("shared %v with %v: %v", e, addr(1), list)
			}
			seen[a] = true
		}
	}
	for i, e := range held {
		if want := i != 1 && e.Streak < 3; seen[e.Address] != want {
			t.Errorf("address %d of streak %d was shared: %t", i, e.Streak, !want)
		}
	}
	if !slices.Contains(table.Share(nil, 20, actors.Address{}, nil, r), addr(1)) {
		t.Error("it is not shared with others")
	}
	for _, n := range []int{0, -1, math.MinInt} {
		if list := table.Share(nil, n, addr(1), nil, r); len(list) != 0 {
			t.Errorf("Share(%d) returned %v", n, list)
		}
	}
	if n := len(table.Share(nil, math.MaxInt, addr(1), nil, r)); n != 11 {
		t.Errorf("of eleven that can be shared, %d were", n)
	}
	if list := s.table(t, limits()).Share(nil, 5, addr(1), nil, r); len(list) != 0 {
		t.Errorf("an empty book shared %v", list)
	}
}

func (s suite) shareEvenly(t *testing.T) {
	for _, c := range []struct{ entries, n, runs int }{{12, 1, 2400}, {64, 10, 1000}, {200, 48, 500}} {
		r := random(7)
		var held []book.Entry
		for i := range c.entries {
			e := book.Entry{Address: addr(i), Source: 1}
			if i == 1 {
				e.Streak = 3
			}
			held = append(held, e)
		}
		table := s.table(t, limits(), held...)
		counts := make([]int, c.entries)
		firsts := make([]int, c.entries)
		for range c.runs {
			list := table.Share(nil, c.n, addr(0), nil, r)
			if c.entries > 12 && len(list) != c.n {
				t.Fatalf("Share(%d) of %d returned %d", c.n, c.entries, len(list))
			}
			for k, a := range list {
				i, _ := table.Book().Find(a)
				counts[i]++
				if k == 0 {
					firsts[i]++
				}
			}
		}
		even(t, "shared", counts[2:])
		if c.runs > 20*c.entries {
			even(t, "shared first", firsts[2:])
		}
	}
}

// meets returns a table of 64 addresses that met peers 100 to 100+n−1, each from
// a source of its own.
func (s suite) meets(t *testing.T, n int, r *rand.Rand) *book.Table {
	var held []book.Entry
	for i := range 64 {
		held = append(held, book.Entry{Address: addr(i), Source: 1})
	}
	table := s.table(t, limits(), held...)
	for i := range n {
		table.Met(addr(100+i), uint32(100+i), 1, r)
	}
	return table
}

// told counts how often each address is shared in many lists of n.
func told(table *book.Table, n int, r *rand.Rand) map[actors.Address]int {
	counts := map[actors.Address]int{}
	for range 1000 {
		for _, a := range table.Share(nil, n, actors.Address{}, nil, r) {
			counts[a]++
		}
	}
	return counts
}

// Two fifths of what is shared are peers that connected, all of them alike, and
// of one source no more than one.
func (s suite) shareMet(t *testing.T) {
	r := random(1)
	table := s.meets(t, 8, r)
	for range 10 {
		table.Met(addr(100), 100, 1, r) // meeting again is no advantage
	}
	counts := told(table, 10, r)
	var met []int
	for _, a := range addrs(100, 108) {
		met = append(met, counts[a])
	}
	even(t, "shared whom it met", met)
	for range 200 {
		list := table.Share(nil, 10, addr(101), nil, r)
		n := 0
		for i, a := range list {
			if slices.Contains(addrs(100, 108), a) {
				n++
			}
			if slices.Contains(list[:i], a) || a == addr(101) {
				t.Errorf("shared %v with %v", list, addr(101))
			}
		}
		if len(list) != 10 || n < 3 || n > 4 {
			t.Fatalf("%d of %d shared are whom it met, want two fifths", n, len(list))
		}
	}
	for i := range 50 { // one host under many addresses, and those of others
		table.Met(addr(100+i%8), 100, 1, r)
		table.Met(addr(200+i), 100, 1, r)
	}
	n := 0
	for a := range told(table, 10, r) {
		if slices.Contains(addrs(200, 250), a) {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d addresses of one source are shared, want 1", n)
	}
	if list := s.table(t, limits()).Share(nil, 5, addr(1), nil, r); len(list) != 0 {
		t.Errorf("who met nobody shared %v", list)
	}
}

// What was removed, is this node's own, failed, or was met long ago is not
// shared as met.
func (s suite) forgetMet(t *testing.T) {
	r := random(1)
	table := s.meets(t, 5, r)
	if n := told(table, 10, r)[addr(100)]; n == 0 {
		t.Fatal("whom it met is not shared")
	}
	table.Remove(addr(100), 2)
	table.Met(addr(100), 100, 2, r)
	table.Own(addr(101), 2)
	table.Met(addr(101), 101, 2, r)
	table.Met(addr(3), 103, 2, r)
	table.Book().Append(book.Entry{Address: addr(102), Source: 1})
	table.Result(addr(102), book.OutcomeFailed, 2, r)
	if i, ok := table.Book().Find(addr(102)); ok {
		table.Book().Delete(i) // so that only Met could know it
	}
	for a, n := range told(table, 10, r) {
		if slices.Contains(addrs(100, 103), a) {
			t.Errorf("%v was shared %d times", a, n)
		}
	}
	table.Met(addr(105), 105, 500, r)
	table.Purge(602)
	counts := told(table, 10, r)
	if counts[addr(104)] != 0 || counts[addr(105)] == 0 {
		t.Errorf("met 10 minutes ago: shared %d times; 2 minutes ago: %d", counts[addr(104)], counts[addr(105)])
	}
}

func (s suite) outcomes(t *testing.T) {
	was := book.Stats{OK: 10, Fail: 20, Rx: 1, Tx: 2, Tried: 50, Retry: 60, Streak: 3}
	for _, c := range []struct {
		name  string
		o     book.Outcome
		want  book.Stats // Retry apart
		later bool       // Retry is set
		inUse bool
	}{
		{"none", book.OutcomeNone, was, true, false},
		{"up", book.OutcomeUp, book.Stats{OK: 11, Fail: 20, Rx: 1, Tx: 2, Tried: 100}, false, true},
		{"refused", book.OutcomeRefused, book.Stats{OK: 11, Fail: 20, Rx: 1, Tx: 2, Tried: 100}, true, false},
		{"failed", book.OutcomeFailed, book.Stats{OK: 10, Fail: 21, Rx: 1, Tx: 2, Tried: 100, Streak: 4}, true, false},
		{"dialling", book.OutcomeDialling, was, false, true},
	} {
		for _, before := range []bool{false, true} { // in use
			r := random(1)
			e := book.Entry{Address: addr(1), Source: 5, Seen: 9, Saved: true, Stats: was}
			table := s.table(t, limits(), entry(0), e)
			if before {
				table.Use(addr(1))
			}
			table.Result(addr(1), c.o, 100, r)
			got := get(t, table, addr(1))
			if later := got.Retry > 100; later != c.later || !later && got.Retry != was.Retry {
				t.Errorf("%s: Retry is %d", c.name, got.Retry)
			}
			want := e
			want.Stats = c.want
			want.Retry = got.Retry
			if got != want {
				t.Errorf("%s:\n%+v, want\n%+v", c.name, got, want)
			}
			free := table.Draw(nil, 5, book.Forever, nil, r)
			if slices.Contains(free, addr(1)) == c.inUse {
				t.Errorf("%s, in use before: %t: free are %v", c.name, before, free)
			}
			if get(t, table, addr(0)) != entry(0) {
				t.Errorf("%s: another entry changed", c.name)
			}
			// What is not in the book is marked all the same, and not added.
			table.Result(addr(2), c.o, 100, r)
			if table.Book().Len() != 2 {
				t.Errorf("%s: the result of an unknown address added it", c.name)
			}
		}
	}
}

func (s suite) backOff(t *testing.T) {
	table := s.table(t, limits(), book.Entry{Address: addr(0), Source: 1})
	r := random(1)
	const now, runs = 1000, 300
	for _, c := range []struct {
		o      book.Outcome
		streak uint8 // before
		base   int   // seconds, before jitter
	}{
		{book.OutcomeFailed, 0, 5},
		{book.OutcomeFailed, 1, 10},
		{book.OutcomeFailed, 2, 20},
		{book.OutcomeFailed, 3, 40},
		{book.OutcomeFailed, 4, 60},
		{book.OutcomeFailed, 5, 60},
		{book.OutcomeFailed, 254, 60},
		{book.OutcomeFailed, 255, 60},
		{book.OutcomeRefused, 9, 5},
		{book.OutcomeNone, 0, 5},
		{book.OutcomeNone, 9, 5},
	} {
		least, most, sum := math.MaxInt, 0, 0
		for range runs {
			table.Book().Set(0, book.Entry{Address: addr(0), Source: 1, Stats: book.Stats{Streak: c.streak}})
			table.Result(addr(0), c.o, now, r)
			wait := int(table.Book().At(0).Retry) - now
			least, most, sum = min(least, wait), max(most, wait), sum+wait
		}
		// From half to one and a half, rounded up to seconds.
		if least < (c.base+1)/2 || most > (3*c.base+1)/2 {
			t.Errorf("%+v: waits from %d to %d", c, least, most)
		}
		if least > (c.base+1)/2+c.base/10+1 || most < (3*c.base+1)/2-c.base/10-1 {
			t.Errorf("%+v: waits only from %d to %d", c, least, most)
		}
		// The mean is the base, and half a second for the rounding.
		if mean := 2 * sum / runs; mean < 2*c.base-c.base/5-1 || mean > 2*c.base+c.base/5+3 {
			t.Errorf("%+v: waits of %d/2 s on average", c, mean)
		}
		if streak := table.Book().At(0).Streak; c.o == book.OutcomeFailed && streak != c.streak+min(1, 255-c.streak) {
			t.Errorf("%+v: the streak is %d now", c, streak)
		}
	}
}

func (s suite) backOffExtremes(t *testing.T) {
	for _, c := range []struct {
		retry, most time.Duration
		now         book.Seconds
		streak      uint8
		least, last book.Seconds // of Retry
	}{
		{0, 0, 100, 5, 100, 100},
		{time.Millisecond, time.Millisecond, 100, 0, 101, 101},
		{time.Hour, time.Minute, 100, 0, 130, 190}, // RetryMax bounds the first too
		{time.Second, math.MaxInt64, 100, 255, book.Forever - 1, book.Forever - 1},
		{math.MaxInt64, math.MaxInt64, 100, 255, book.Forever - 1, book.Forever - 1},
		{time.Hour, time.Hour, book.Forever - 10, 1, book.Forever - 1, book.Forever - 1},
	} {
		l := limits()
		l.Retry, l.RetryMax = c.retry, c.most
		table := s.table(t, l, book.Entry{Address: addr(0), Source: 1, Stats: book.Stats{Streak: c.streak}})
		table.Result(addr(0), book.OutcomeFailed, c.now, random(1))
		if got := table.Book().At(0).Retry; got < c.least || got > c.last {
			t.Errorf("%+v: not before %d", c, got)
		}
	}
}

func (s suite) counters(t *testing.T) {
	r := random(1)
	teller := addr(0)
	bad := book.Stats{Streak: 9} // not shared: often there is less than asked for
	table := s.table(t, limits(), book.Entry{Address: teller, Saved: true},
		book.Entry{Address: addr(50001), Stats: bad}, book.Entry{Address: addr(50002), Stats: bad})
	var want book.Stats
	for i := range 100 {
		list := addrs(i, 2*i+1) // the teller itself, known ones, new ones
		table.Learn(list, 1, teller, 1, r, nil)
		want.Rx += uint32(len(list))
		want.Tx += uint32(len(table.Share(nil, i%7, teller, nil, r)))
		table.Share(nil, i%7, addr(100000), nil, r) // somebody who is not in the book
		table.Share(nil, i%7, actors.Address{}, nil, r)
		table.Learn(list, 1, actors.Address{}, 1, r, nil)
		switch i % 3 {
		case 0:
			table.Result(teller, book.OutcomeUp, 1, r)
			want.OK++
		case 1:
			table.Result(teller, book.OutcomeRefused, 1, r)
			want.OK++
		case 2:
			table.Result(teller, book.OutcomeFailed, 1, r)
			want.Fail++
		}
		table.Result(teller, book.OutcomeNone, 1, r)
		table.Result(teller, book.OutcomeDialling, 1, r)
	}
	got := get(t, table, teller).Stats
	got.Tried, got.Retry, got.Streak = 0, 0, 0
	if got != want || want.Tx == 0 {
		t.Errorf("the counters are %+v, want %+v", got, want)
	}
	for _, e := range entries(table) {
		if e.Address != teller && e.Stats != (book.Stats{}) && e.Stats != bad {
			t.Errorf("counters of another: %+v", e)
		}
	}
}

// learnAgain checks what hearing of a known address changes: Seen alone.
func (s suite) learnAgain(t *testing.T) {
	r := random(1)
	e := entry(1)
	e.Seen = 5
	table := s.table(t, limits(), e)
	var fresh []actors.Address
	list := []actors.Address{addr(1), addr(2), addr(2), addr(3), addr(1)}
	n := table.Learn(list, 77, actors.Address{}, 9, r, func(a actors.Address) { fresh = append(fresh, a) })
	if n != 2 || !slices.Equal(fresh, addrs(2, 4)) {
		t.Errorf("%d are new, told %v", n, fresh)
	}
	e.Seen = 9
	check(t, table.Book(), []book.Entry{e, {Address: addr(2), Source: 77, Seen: 9}, {Address: addr(3), Source: 77, Seen: 9}})
}
