// Package booktest is the one test suite of address books.
//
// [Test] states what every [book.Book] does, and compares it with a naive
// model under random operations. [Policy] states what [book.Table] guarantees
// over any Book, and that equal seeds give equal results on every back end. A
// back end passes when both do:
//
//	func TestBook(t *testing.T) {
//		open := func(t *testing.T) book.Book { return &book.Memory{} }
//		booktest.Test(t, open)
//		booktest.Policy(t, open)
//	}
//
// The suite uses a book through its interface alone. It opens some hundred of
// them in a run, so open should return one that is quick to make; what has to
// be closed is closed by t.Cleanup. Random choices have fixed seeds, except
// those of the model test: a failure prints the flag that repeats it.
package booktest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"peernet/actors"
	"peernet/actors/book"
)

// Test checks that what open returns is a [book.Book]. open returns a new and
// empty book each time.
func Test(t *testing.T, open func(t *testing.T) book.Book) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, b book.Book)
	}{
		{"empty", testEmpty},
		{"append", testAppend},
		{"set", testSet},
		{"delete", testDelete},
		{"grow and shrink", testGrowAndShrink},
		{"thousands", testThousands},
		{"bars", testBars},
		{"bars and entries", testBarsAndEntries},
		{"commit", testCommit},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
	t.Run("expire bars", func(t *testing.T) { testExpireBars(t, open) })
	t.Run("model", func(t *testing.T) { testModel(t, open) })
}

// addr returns the i-th of 2^24 addresses.
func addr(i int) actors.Address {
	return actors.MustAddress(fmt.Sprintf("ws://10.%d.%d.%d:80", i>>16&255, i>>8&255, i&255))
}

func addrs(from, to int) []actors.Address {
	var list []actors.Address
	for i := from; i < to; i++ {
		list = append(list, addr(i))
	}
	return list
}

// entry returns an entry whose fields are all different, and different from
// those of other i.
func entry(i int) book.Entry {
	k := uint32(1000 * i)
	return book.Entry{
		Address: addr(i), Source: k + 1, Seen: book.Seconds(k + 2), Saved: i%3 == 0,
		Stats: book.Stats{
			OK: k + 3, Fail: k + 4, Rx: k + 5, Tx: k + 6,
			Tried: book.Seconds(k + 7), Retry: book.Seconds(k + 8), Streak: uint8(i)%255 + 1,
		},
	}
}

func random(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

// tester is the part of *testing.T and *rapid.T that checks need.
type tester interface {
	Helper()
	Fatalf(format string, args ...any)
}

// check compares all that b tells of entries with what it should.
func check(t tester, b book.Book, want []book.Entry) {
	t.Helper()
	if n := b.Len(); n != len(want) {
		t.Fatalf("Len is %d, want %d", n, len(want))
	}
	count := 0
	b.Sources(func(source uint32, saved bool) {
		if count < len(want) && (source != want[count].Source || saved != want[count].Saved) {
			t.Fatalf("Sources says %d, %t of %d; want %d, %t", source, saved, count, want[count].Source, want[count].Saved)
		}
		count++
	})
	if count != len(want) {
		t.Fatalf("Sources goes through %d of %d", count, len(want))
	}
	for i, w := range want {
		if e := b.At(i); e != w {
			t.Fatalf("At(%d) of %d is\n%+v, want\n%+v", i, len(want), e, w)
		}
		if source, saved := b.Source(i); source != w.Source || saved != w.Saved {
			t.Fatalf("Source(%d) is %d, %t; want %d, %t", i, source, saved, w.Source, w.Saved)
		}
		if k, ok := b.Find(w.Address); !ok || k != i {
			t.Fatalf("Find of what is at %d of %d is %d, %t", i, len(want), k, ok)
		}
	}
}

// checkAbsent checks that b has no entry of the addresses.
func checkAbsent(t tester, b book.Book, list ...actors.Address) {
	t.Helper()
	for _, a := range list {
		if i, ok := b.Find(a); ok {
			t.Fatalf("Find(%v) is %d, true; it should be absent", a, i)
		}
	}
}

func testEmpty(t *testing.T, b book.Book) {
	check(t, b, nil)
	checkAbsent(t, b, addr(1), actors.Address{})
	if n := b.Bars(); n != 0 {
		t.Errorf("a new book has %d bars", n)
	}
	if until := b.Barred(addr(1)); until != 0 {
		t.Errorf("in a new book an address is barred until %d", until)
	}
	b.ExpireBars(book.Forever, 0)
}

func testAppend(t *testing.T, b book.Book) {
	all := uint32(math.MaxUint32)
	want := []book.Entry{
		{Address: addr(0)},
		{Address: addr(1), Saved: true},
		{Address: addr(2), Source: all, Seen: book.Forever},
		entry(3),
		entry(4),
		{Address: addr(5), Source: all, Saved: true, Seen: book.Forever, Stats: book.Stats{
			OK: all, Fail: all, Rx: all, Tx: all, Tried: book.Forever, Retry: book.Forever, Streak: 255,
		}},
	}
	for i, e := range want {
		checkAbsent(t, b, e.Address)
		b.Append(e)
		check(t, b, want[:i+1])
	}
	checkAbsent(t, b, addr(6), actors.Address{})
}

func testSet(t *testing.T, b book.Book) {
	// Each step replaces the entry in the middle; its neighbours stay.
	none := book.Entry{Address: addr(1)}
	saved, tried := none, none
	saved.Saved = true
	tried.Stats = entry(1).Stats
	both := tried
	both.Saved = true
	other := tried
	other.Stats.OK++
	other.Source++
	other.Seen++
	steps := []struct {
		name string
		e    book.Entry
	}{
		{"same", none},
		{"saved", saved},
		{"stats added, flag cleared", tried},
		{"flag added, stats kept", both},
		{"flag cleared, stats kept", tried},
		{"stats replaced", other},
		{"stats cleared", none},
		{"both", both},
		{"stats cleared, flag kept", saved},
		{"cleared", none},
	}
	for k := range 7 {
		one := none // one field alone is enough to be kept
		switch s := &one.Stats; k {
		case 0:
			s.OK = 1
		case 1:
			s.Fail = 1
		case 2:
			s.Rx = 1
		case 3:
			s.Tx = 1
		case 4:
			s.Tried = 1
		case 5:
			s.Retry = 1
		case 6:
			s.Streak = 1
		}
		steps = append(steps, struct {
			name string
			e    book.Entry
		}{fmt.Sprintf("field %d", k), one}, struct {
			name string
			e    book.Entry
		}{"cleared", none})
	}
	want := []book.Entry{entry(0), none, entry(2)}
	for _, e := range want {
		b.Append(e)
	}
	for _, s := range steps {
		b.Set(1, s.e)
		want[1] = s.e
		t.Log(s.name)
		check(t, b, want)
	}
}

func testDelete(t *testing.T, b book.Book) {
	var want []book.Entry
	for i := range 8 {
		want = append(want, entry(i))
		b.Append(entry(i))
	}
	// First, last, middle, then all that is left.
	for _, i := range []int{0, 6, 2, 4, 3, 1, 1, 0} {
		gone := want[i].Address
		want[i] = want[len(want)-1]
		want = want[:len(want)-1]
		b.Delete(i)
		check(t, b, want)
		checkAbsent(t, b, gone)
	}
	// Nothing of a deleted entry comes back with its address.
	b.Append(book.Entry{Address: addr(1)})
	check(t, b, []book.Entry{{Address: addr(1)}})
}

// testGrowAndShrink goes up and down across sizes at which a book may change
// how it is kept.
func testGrowAndShrink(t *testing.T, b book.Book) {
	var want []book.Entry
	next := 0
	for _, size := range []int{70, 60, 66, 63, 65, 64, 300, 2, 130, 0, 100} {
		for len(want) < size {
			want = append(want, entry(next))
			b.Append(entry(next))
			next++
			check(t, b, want)
		}
		for len(want) > size {
			i := next * 7 % len(want)
			next++
			gone := want[i].Address
			want[i] = want[len(want)-1]
			want = want[:len(want)-1]
			b.Delete(i)
			check(t, b, want)
			checkAbsent(t, b, gone)
		}
	}
}

func testThousands(t *testing.T, b book.Book) {
	const n = 5000
	r := random(1)
	var want []book.Entry
	for i := range n {
		e := entry(i)
		if i%2 == 0 {
			e.Stats = book.Stats{}
		}
		want = append(want, e)
		b.Append(e)
	}
	check(t, b, want)
	for range n {
		i := r.IntN(n)
		e := entry(r.IntN(n))
		e.Address = want[i].Address
		if r.IntN(3) == 0 {
			e.Stats = book.Stats{}
		}
		want[i] = e
		b.Set(i, e)
	}
	check(t, b, want)
	for len(want) > 10 {
		i := r.IntN(len(want))
		gone := want[i].Address
		want[i] = want[len(want)-1]
		want = want[:len(want)-1]
		b.Delete(i)
		checkAbsent(t, b, gone)
	}
	check(t, b, want)
}

func testCommit(t *testing.T, b book.Book) {
	commit := func() {
		t.Helper()
		if err := b.Commit(); err != nil {
			t.Fatalf("Commit of a healthy book: %v", err)
		}
	}
	commit()
	want := []book.Entry{entry(0), entry(1), entry(2)}
	for _, e := range want {
		b.Append(e)
	}
	b.Bar(addr(9), 9)
	check(t, b, want) // changes are seen before they are committed
	commit()
	check(t, b, want)
	commit() // nothing to do
	b.Delete(0)
	want = []book.Entry{entry(2), entry(1)}
	check(t, b, want)
	commit()
	check(t, b, want)
	if until := b.Barred(addr(9)); until != 9 {
		t.Errorf("after Commit the bar ends at %d, want 9", until)
	}
	b.ExpireBars(9, 0)
	commit()
	if n := b.Bars(); n != 0 {
		t.Errorf("after Commit %d bars are back", n)
	}
}

// testBars sets and replaces bars.
func testBars(t *testing.T, b book.Book) {
	for i, s := range []struct {
		set         int
		until       book.Seconds
		bars        int
		wantA, want book.Seconds // of address 0 and 1
	}{
		{0, 10, 1, 10, 0},
		{1, 20, 2, 10, 20},
		{0, 15, 2, 15, 20}, // later
		{0, 5, 2, 5, 20},   // sooner
		{0, 5, 2, 5, 20},   // same
		{1, book.Forever, 2, 5, book.Forever},
		{1, 1, 2, 5, 1},
		{0, 0, 2, 0, 1}, // counted until it is dropped
	} {
		b.Bar(addr(s.set), s.until)
		if n, x, y := b.Bars(), b.Barred(addr(0)), b.Barred(addr(1)); n != s.bars || x != s.wantA || y != s.want {
			t.Errorf("step %d: %d bars until %d and %d, want %d until %d and %d", i, n, x, y, s.bars, s.wantA, s.want)
		}
	}
	if until := b.Barred(addr(2)); until != 0 {
		t.Errorf("what nobody barred is barred until %d", until)
	}
}

// testBarsAndEntries checks that neither knows of the other.
func testBarsAndEntries(t *testing.T, b book.Book) {
	b.Append(entry(0))
	b.Append(entry(1))
	b.Bar(addr(0), 10)
	b.Bar(addr(2), 20)
	check(t, b, []book.Entry{entry(0), entry(1)})
	checkAbsent(t, b, addr(2))
	b.Delete(0)
	if until := b.Barred(addr(0)); until != 10 {
		t.Errorf("after the entry was deleted its bar ends at %d, want 10", until)
	}
	b.ExpireBars(20, 10)
	check(t, b, []book.Entry{entry(1)})
}

func testExpireBars(t *testing.T, open func(t *testing.T) book.Book) {
	// Of bars that end together the one whose text comes first goes first:
	// 10.0.0.10 before 10.0.0.2.
	if addr(10).String() > addr(2).String() {
		t.Fatal("the test is wrong about texts")
	}
	type bars = map[int]book.Seconds
	many, fewer := bars{}, bars{}
	for i := range 500 {
		until := book.Seconds(i * 7 % 500) // all different
		many[i] = until + 1
		if until >= 450 {
			fewer[i] = until + 1
		}
	}
	for _, c := range []struct {
		name string
		bars bars
		now  book.Seconds
		most int
		want bars
	}{
		{"none", bars{}, 5, 5, bars{}},
		{"before now", bars{1: 4}, 5, 5, bars{}},
		{"at now", bars{1: 5}, 5, 5, bars{}},
		{"after now", bars{1: 6}, 5, 5, bars{1: 6}},
		{"bars of no length", bars{1: 0, 2: 1}, 0, 5, bars{2: 1}},
		{"some", bars{1: 3, 2: 8, 3: 5, 4: 6}, 5, 5, bars{2: 8, 4: 6}},
		{"for ever", bars{1: book.Forever}, book.Forever - 1, 5, bars{1: book.Forever}},
		{"as many as allowed", bars{1: 6, 2: 7}, 5, 2, bars{1: 6, 2: 7}},
		{"one too many", bars{1: 7, 2: 6, 3: 8}, 5, 2, bars{1: 7, 3: 8}},
		{"the last to end is kept", bars{1: book.Forever, 2: 9, 3: 8}, 5, 1, bars{1: book.Forever}},
		{"run out ones do not count", bars{1: 5, 2: 6, 3: 7}, 5, 2, bars{2: 6, 3: 7}},
		{"end together", bars{2: 9, 10: 9, 3: 9}, 5, 2, bars{2: 9, 3: 9}},
		{"end together, others sooner", bars{2: 9, 10: 9, 3: 8, 1: 7}, 5, 1, bars{2: 9}},
		{"none allowed", bars{1: 6, 2: book.Forever}, 5, 0, bars{}},
		{"many", many, 0, 50, fewer},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := open(t)
			for i := range 500 {
				if until, ok := c.bars[i]; ok {
					b.Bar(addr(i), until)
				}
			}
			b.ExpireBars(c.now, c.most)
			if n := b.Bars(); n != len(c.want) {
				t.Errorf("%d bars are left, want %d", n, len(c.want))
			}
			for i := range 500 {
				if until := b.Barred(addr(i)); until != c.want[i] {
					t.Errorf("%v is barred until %d, want %d", addr(i), until, c.want[i])
				}
			}
		})
	}
	t.Run("order of setting", func(t *testing.T) {
		// It makes no difference, nor does what a bar was before.
		for _, order := range [][]int{{0, 1, 2, 3}, {3, 2, 1, 0}, {2, 0, 3, 1}} {
			b := open(t)
			for _, i := range order {
				b.Bar(addr(i), book.Seconds(50-i))
				b.Bar(addr(i), book.Seconds(9+i/2))
			}
			b.ExpireBars(5, 1)
			left := slices.DeleteFunc(addrs(0, 4), func(a actors.Address) bool { return b.Barred(a) == 0 })
			if !slices.Equal(left, addrs(3, 4)) {
				t.Errorf("set in order %v, %v is left, want %v", order, left, addr(3))
			}
		}
	})
}
