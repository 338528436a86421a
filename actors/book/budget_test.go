package book_test

import (
	"math/rand/v2"
	"runtime"
	"testing"
	"unsafe"

	"peernet/actors"
	"peernet/actors/book"
)

// retained returns the bytes of heap that what make returns keeps alive.
func retained(make func() any) uint64 {
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	kept := make()
	after := heap()
	runtime.KeepAlive(kept)
	return after - min(before, after)
}

// TestMemoryBudget bounds the heap per address, the Memory itself included.
// A million simulated nodes with 64 addresses each take 1.4 GB of it, so that
// a byte more has to be worth 64 MB.
func TestMemoryBudget(t *testing.T) {
	const books, entries = 1000, 64
	all := addresses(4 * entries) // interned once, shared by all books
	fill := func(b *book.Memory, tried bool) {
		for i, a := range all[:entries] {
			b.Append(book.Entry{Address: a, Source: uint32(i), Seen: 1})
		}
		for i := range entries {
			if e := b.At(i); tried {
				e.OK, e.Tried = 1, 1
				b.Set(i, e)
			}
		}
	}
	for _, c := range []struct {
		name string
		most uint64 // bytes per entry
		fill func(b *book.Memory)
	}{
		{"untried", 24, func(b *book.Memory) { fill(b, false) }},
		{"tried", 56, func(b *book.Memory) { fill(b, true) }},
		{"untried, after a long life", 24, func(b *book.Memory) {
			table, r := book.NewTable(b, limits(entries)), rand.New(rand.NewPCG(1, 2))
			for i := range 40 {
				table.Learn(all[5*i:5*i+20], uint32(i), actors.Address{}, 1, r, nil)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			bytes := retained(func() any {
				list := make([]book.Memory, books)
				for i := range list {
					c.fill(&list[i])
				}
				return list
			})
			per := bytes / (books * entries)
			t.Logf("%d.%02d bytes per entry", per, bytes*100/(books*entries)%100)
			if bytes > c.most*books*entries {
				t.Errorf("%d bytes per entry, at most %d allowed", per, c.most)
			}
		})
	}
}

// TestTableBudget bounds what the policy adds to a book: two thirds of it are the
// addresses of peers that connected, without which the degrees of a network are
// far more unequal.
func TestTableBudget(t *testing.T) {
	if n := unsafe.Sizeof(book.Table{}); n > 200 {
		t.Errorf("a Table takes %d bytes, at most 200 allowed", n)
	}
}

func TestMemoryAllocations(t *testing.T) {
	all := addresses(2000)
	for _, n := range []int{64, 1000} {
		var b book.Memory
		for i, a := range all[:n] {
			b.Append(book.Entry{Address: a, Source: 1, Stats: book.Stats{OK: uint32(i % 2)}})
		}
		i := 0
		for _, c := range []struct {
			name string
			run  func()
		}{
			{"Find", func() { b.Find(all[i]) }},
			{"Find of none", func() { b.Find(all[n+i]) }},
			{"At", func() { b.At(i) }},
			{"Source", func() { b.Source(i) }},
			{"Set", func() { b.Set(i, b.At(i)) }},
			{"Barred", func() { b.Barred(all[i]) }},
		} {
			allocations := testing.AllocsPerRun(200, func() {
				i = (i + 7) % n
				c.run()
			})
			if allocations > 0 {
				t.Errorf("%s on %d entries allocates", c.name, n)
			}
		}
	}
}

// TestTableAllocations: a full book learns without garbage.
func TestTableAllocations(t *testing.T) {
	for _, n := range []int{64, 1000} {
		r := rand.New(rand.NewPCG(1, 2))
		all := addresses(20000)
		table := fullTable(n, 30, all, r)
		for i := range 1000 { // all sources were seen
			table.Learn(all[2000+i:2001+i], uint32(i%30+1), actors.Address{}, 2, r, nil)
		}
		i := 3000
		allocations := testing.AllocsPerRun(200, func() {
			i += 10
			table.Learn(all[i:i+10], uint32(i/10%30+1), actors.Address{}, 2, r, nil)
		})
		if allocations > 0 {
			t.Errorf("Learn in a full book of %d allocates", n)
		}
	}
}

// stuck is a book whose disk failed: it forgets nothing.
type stuck struct{ book.Memory }

func (*stuck) Delete(int) {}

// TestStuck checks that a book that does not shrink cannot hang its node.
func TestStuck(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	all := addresses(500)
	b := &stuck{}
	for i, a := range all[:100] {
		b.Append(book.Entry{Address: a, Source: uint32(i % 5), Stats: book.Stats{Fail: 9, Streak: 9}})
	}
	table := book.NewTable(b, limits(20))
	table.Learn(all[100:], 3, actors.Address{}, 1, r, nil)
	_ = table.Save(all[499], 1, r)
	table.Remove(all[0], 1)
	table.Purge(1)
}
