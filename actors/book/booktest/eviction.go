package booktest

import (
	"errors"
	"slices"
	"testing"

	"peernet/actors/book"
)

func (s suite) bounded(t *testing.T) {
	for _, n := range []int{1, 10, 64, 65, 300} {
		r := random(1)
		l := limits()
		l.Entries, l.PerSource, l.Bars = n, n, 7
		table := s.table(t, l)
		for i := range 3 * n {
			if !learn(table, addr(i), uint32(i%5+1), r) {
				t.Errorf("%d: address %d was not learned", n, i)
			}
			if got := table.Book().Len(); got != min(i+1, n) {
				t.Fatalf("%d: the book has %d entries", n, got)
			}
		}
		for i := range 50 {
			table.Remove(addr(i), 1)
			if got := table.Book().Bars(); got != min(i+1, l.Bars) {
				t.Fatalf("%d: the book has %d bars", n, got)
			}
		}
		for i := range n + 3 {
			err := table.Save(addr(1000+i), 1, r)
			if full := i >= n; n <= 64 && full != errors.Is(err, book.ErrFull) || err != nil && !errors.Is(err, book.ErrFull) {
				t.Errorf("%d: saving the %d. address: %v", n, i+1, err)
			}
			for n > 64 && err != nil && i < n { // a large book may have to look again
				err = table.Save(addr(1000+i), 1, r)
			}
			if got := table.Book().Len(); got > n {
				t.Fatalf("%d: the book has %d entries", n, got)
			}
		}
		if learn(table, addr(5000), 1, r) {
			t.Errorf("%d: a book full of saved addresses learned one", n)
		}
	}
}

// lowered opens books that are larger than the limits.
func (s suite) lowered(t *testing.T) {
	for _, c := range []struct{ held, entries, quota, wantLen, wantOf int }{
		{60, 20, 20, 20, 10},
		{60, 20, 5, 20, 5},
		{300, 100, 100, 100, 50},
		{300, 100, 20, 100, 20},
		{300, 20, 20, 20, 10},
	} {
		l := limits()
		l.Entries, l.PerSource = c.entries, c.quota
		var held []book.Entry
		for i := range c.held {
			held = append(held, book.Entry{Address: addr(i), Source: uint32(i%2 + 1)})
		}
		table := s.table(t, l, held...)
		r := random(1)
		if !learn(table, addr(1000), 1, r) || !learn(table, addr(1001), 2, r) {
			t.Errorf("%+v: an address was not learned", c)
		}
		if n := table.Book().Len(); n > c.wantLen {
			t.Errorf("%+v: the book has %d entries", c, n)
		}
		for source := range uint32(2) {
			if n := ofSource(table, source+1); n > c.wantOf+1 {
				t.Errorf("%+v: source %d has %d entries", c, source+1, n)
			}
		}
	}
}

func (s suite) quota(t *testing.T) {
	l := limits()
	l.PerSource = 10
	r := random(1)
	table := s.table(t, l)
	for i := range 200 {
		if !learn(table, addr(i), 7, r) {
			t.Fatalf("address %d was not learned; one of the same source could go", i)
		}
		if n := ofSource(table, 7); n != min(i+1, 10) {
			t.Fatalf("%d entries of the source after %d addresses", n, i+1)
		}
	}
	// The others are not in their way, nor do they push them out.
	for i := range 20 {
		learn(table, addr(1000+i), uint32(100+i), r)
	}
	if n := ofSource(table, 7); n != 10 || table.Book().Len() != 30 {
		t.Errorf("%d of %d entries are of the source, want 10 of 30", n, table.Book().Len())
	}
	// In a full book the quota holds too, even while what the source has is
	// in use.
	for i := range 34 {
		learn(table, addr(2000+i), uint32(200+i/2), r)
	}
	for _, a := range addrs(0, 200) {
		if has(table, a) {
			table.Use(a)
		}
	}
	if learn(table, addr(3000), 7, r) || ofSource(table, 7) != 10 || table.Book().Len() != 64 {
		t.Errorf("full book, all of the source in use: it has %d of %d entries", ofSource(table, 7), table.Book().Len())
	}
	// Saved ones do not count, and the user has no quota.
	for _, a := range addrs(0, 200) {
		if has(table, a) {
			_ = table.Save(a, 1, r)
		}
	}
	if !learn(table, addr(3000), 7, r) || ofSource(table, 7) != 1 {
		t.Errorf("after the addresses of a source were saved, it has %d others, want 1", ofSource(table, 7))
	}
	table = s.table(t, l)
	for i := range 64 {
		learn(table, addr(i), 0, r)
	}
	if n := table.Book().Len(); n != 64 {
		t.Errorf("the user has %d of 64 entries; there is no quota on source 0", n)
	}
}

// quotaLarge checks that the bound is exact in a book of which eviction sees
// a sample, whatever came and went before.
func (s suite) quotaLarge(t *testing.T) {
	l := limits()
	l.PerSource = 6
	for _, l.Entries = range []int{120, 400} { // less than the quotas of all allow, and more
		r := random(1)
		var held []book.Entry // the book comes with some, as a stored one does
		for i := range 70 {
			held = append(held, book.Entry{Address: addr(i), Source: uint32(i%14 + 1), Saved: i < 14})
		}
		table := s.table(t, l, held...)
		for i := range 2000 {
			source := uint32(1 + r.IntN(40))
			past := addr(99 + i - r.IntN(100))
			switch i % 50 {
			case 1:
				_ = table.Save(past, 1, r)
			case 2:
				table.Remove(past, 1)
			case 3:
				table.Own(past, 1)
			case 4:
				table.Purge(1)
			case 5, 6, 7, 8, 9:
				for range 4 {
					table.Result(past, book.OutcomeFailed, 1, r)
				}
			}
			learn(table, addr(100+i), source, r)
			if n := ofSource(table, source); n > l.PerSource {
				t.Fatalf("after %d addresses source %d has %d entries", i+1, source, n)
			}
		}
		for source := uint32(1); source <= 40; source++ {
			if n := ofSource(table, source); l.Entries == 400 && n < l.PerSource/2 {
				t.Errorf("source %d has %d entries; its quota is %d", source, n, l.PerSource)
			}
		}
	}
}

func (s suite) evict(t *testing.T) {
	// Each case is a book of ten entries, one digit or letter each: its
	// source. Capitals are saved, what follows ! is in use, ? fails.
	for _, c := range []struct {
		name, book string
		only       string // every victim is of one of these sources
		failing    bool   // every victim fails
	}{
		{"the largest", "aaaabbbccd", "a", false},
		{"the largest, last", "dccbbbaaaa", "a", false},
		{"two as large", "aaaabbbbcd", "ab", false},
		{"all as large", "abcdefghij", "abcdefghij", false},
		{"saved ones do not count", "AAAAAbbccc", "c", false},
		{"in use ones count, and stay", "!a!a!aabbbccd", "a", false},
		{"the largest is all in use", "!a!a!a!abbbccd", "b", false},
		{"two are all in use", "!a!a!a!a!b!b!bccd", "c", false},
		{"failing first", "a?aa?abbbccc", "a", true},
		{"failing first among as large", "aaab?bbcccd", "b", true},
		{"failing of others stay", "aaaa?b?b?bccc", "a", false},
		{"failing in use stays", "a!?aaabbbccc", "a", false},
		{"one is left", "ABCDEFG!h!ij", "j", false},
		{"none is left", "ABCDEFG!h!i!j", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := limits()
			l.Entries, l.PerSource = 10, 10
			b := s.open(t)
			seen := map[byte]bool{}
			for seed := range uint64(60) {
				for b.Len() > 0 {
					b.Delete(0)
				}
				inner := book.NewTable(b, &l)
				table := &inner
				var sources []byte
				var used, fails bool
				for _, x := range []byte(c.book) {
					switch x {
					case '!':
						used = true
						continue
					case '?':
						fails = true
						continue
					}
					e := book.Entry{Address: addr(len(sources)), Source: uint32(x | 0x20), Saved: x < 'a'}
					if fails {
						e.Streak = 1
					}
					if used {
						table.Use(e.Address)
					}
					table.Book().Append(e)
					sources = append(sources, x)
					used, fails = false, false
				}
				before := entries(table)
				if len(before) != l.Entries {
					t.Fatalf("the test is wrong: %d entries", len(before))
				}
				if ok := learn(table, addr(100), 99, random(seed)); ok != (c.only != "") {
					t.Fatalf("learned: %t", ok)
				}
				for _, e := range before {
					if has(table, e.Address) {
						continue
					}
					seen[byte(e.Source)] = true
					if !slices.Contains([]byte(c.only), byte(e.Source)) || e.Saved || c.failing && e.Streak == 0 {
						t.Fatalf("seed %d: %c went: %+v", seed, e.Source, e)
					}
				}
			}
			for _, x := range []byte(c.only) {
				if !seen[x] {
					t.Errorf("%c never went in 60 runs", x)
				}
			}
		})
	}
}

// evictMany has one source with three entries, and very many with one.
func (s suite) evictMany(t *testing.T) {
	l := limits()
	table := s.table(t, l)
	b := table.Book()
	for seed := range uint64(40) {
		r := random(seed)
		for b.Len() > 0 {
			b.Delete(0)
		}
		large := r.Uint32()
		for i := range l.Entries {
			e := book.Entry{Address: addr(i), Source: r.Uint32()}
			if i%20 == 7 {
				e.Source = large
			}
			b.Append(e)
		}
		if n := ofSource(table, large); n != 3 {
			t.Fatalf("the test is wrong: %d entries", n)
		}
		for _, want := range []int{2, 1} {
			learn(table, addr(1000+want), r.Uint32(), r)
			if n := ofSource(table, large); n != want {
				t.Errorf("seed %d: the largest source has %d entries, want %d", seed, n, want)
			}
		}
	}
}

func entries(table *book.Table) (list []book.Entry) {
	for i := range table.Book().Len() {
		list = append(list, table.Book().At(i))
	}
	return list
}

// evictEvenly checks that all positions are evicted alike where all sources
// are as large, and that what came last does not go first.
func (s suite) evictEvenly(t *testing.T) {
	const n = 32
	l := limits()
	l.Entries = n
	table := s.table(t, l)
	r := random(1)
	for i := range n {
		learn(table, addr(i), uint32(i+1), r)
	}
	counts := make([]int, n)
	for i := range 100 * n {
		before := entries(table)
		learn(table, addr(n+i), uint32(n+i+1), r)
		for k, e := range before {
			if !has(table, e.Address) {
				counts[k]++
			}
		}
	}
	even(t, "evicted positions", counts)
}

func (s suite) evictLarge(t *testing.T) {
	const n = 500
	l := limits()
	l.Entries, l.PerSource = n, n
	r := random(1)
	table := s.table(t, l)
	// A quarter is of one source, the others have one or two.
	for i := range n {
		source := uint32(1)
		if i%4 > 0 {
			source = uint32(10 + i/2)
		}
		learn(table, addr(i), source, r)
	}
	was := ofSource(table, 1)
	for i := range 50 {
		if !learn(table, addr(n+i), uint32(10000+i), r) {
			t.Errorf("address %d was not learned; there is always one that can go", i)
		}
	}
	if now := ofSource(table, 1); now != was-50 {
		t.Errorf("the largest source went from %d to %d entries, want %d", was, now, was-50)
	}
	// What is saved or in use stays when all else goes.
	for i := range 20 {
		table.Use(addr(10 * i))
		_ = table.Save(addr(5000+i), 1, r)
	}
	var keep []book.Entry
	for _, e := range entries(table) {
		if i := slices.Index(addrs(0, 200), e.Address); e.Saved || i >= 0 && i%10 == 0 {
			keep = append(keep, e)
		}
	}
	for i := range 10 * n {
		if !learn(table, addr(10000+i), uint32(20000+i), r) {
			t.Fatal("an address was not learned; there are many small sources")
		}
	}
	for _, e := range keep {
		if !has(table, e.Address) {
			t.Errorf("evicted although saved or in use: %+v", e)
		}
	}
}
