package book_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"peernet/actors"
	"peernet/actors/book"
)

var pool []actors.Address

func addresses(n int) []actors.Address {
	for i := len(pool); i < n; i++ {
		pool = append(pool, actors.MustAddress(fmt.Sprintf("ws://10.%d.%d.%d:80", i>>16, i>>8&255, i&255)))
	}
	return pool[:n:n]
}

// limits are the defaults of package peer for a book of a size.
func limits(entries int) *book.Limits {
	return &book.Limits{Entries: entries, PerSource: max(1, entries/4), Bars: 1024, Retry: 5 * time.Second, RetryMax: 10 * time.Minute, RemovedFor: 24 * time.Hour}
}

// sourceOf returns a source as package peer makes them, by a keyed hash.
func sourceOf(i int) uint32 { return uint32(actors.Mix(42, uint64(i))) | 1 }

// fullTable returns a table at its limit, a third of it tried, five in use.
func fullTable(entries, sources int, all []actors.Address, r *rand.Rand) *book.Table {
	t := book.NewTable(&book.Memory{}, limits(entries))
	t.Own(all[len(all)-1], 1)
	for i := 0; t.Book().Len() < entries; i++ {
		t.Learn(all[i:i+1], sourceOf(r.IntN(sources)), actors.Address{}, 1, r, nil)
	}
	for i, a := range t.Draw(nil, min(entries/3, 30), 1, nil, r) {
		switch {
		case i < 5:
			t.Result(a, book.OutcomeUp, 1, r)
		case i%2 == 0:
			t.Result(a, book.OutcomeRefused, 1, r)
		default:
			t.Result(a, book.OutcomeFailed, 1, r)
		}
	}
	return &t
}

func benchmarkLearn(b *testing.B, entries, sources, tables int) {
	r := rand.New(rand.NewPCG(1, 2))
	all := addresses(1 << 16)
	list := make([]*book.Table, tables)
	for i := range list {
		list[i] = fullTable(entries, sources, all, r)
	}
	offset, fresh := entries, 0
	b.ResetTimer()
	for i := range b.N {
		if offset+10 > len(all) {
			offset = 0
		}
		fresh += list[i*7919%tables].Learn(all[offset:offset+10], sourceOf(r.IntN(sources)), actors.Address{}, 2, r, nil)
		offset += 10
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(fresh), "ns/new")
	b.ReportMetric(float64(fresh)/float64(b.N), "new/op")
}

func BenchmarkLearn64(b *testing.B)     { benchmarkLearn(b, 64, 30, 1) }
func BenchmarkLearn64Cold(b *testing.B) { benchmarkLearn(b, 64, 30, 20000) }
func BenchmarkLearn10k(b *testing.B)    { benchmarkLearn(b, 10000, 300, 1) }

func BenchmarkDraw(b *testing.B) {
	for _, n := range []int{64, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 2))
			t := fullTable(n, 30, addresses(1<<16), r)
			b.ResetTimer()
			b.ReportAllocs()
			for range b.N {
				for _, a := range t.Draw(nil, 1, 1, nil, r) {
					t.Release(a)
				}
			}
		})
	}
}

func BenchmarkShare(b *testing.B) {
	for _, n := range []int{64, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 2))
			all := addresses(1 << 16)
			t := fullTable(n, 30, all, r)
			b.ResetTimer()
			b.ReportAllocs()
			for range b.N {
				t.Share(nil, 10, all[0], nil, r)
			}
		})
	}
}

// BenchmarkLearnBarred learns what is barred, among as many bars as there are
// by default.
func BenchmarkLearnBarred(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	all := addresses(1 << 16)
	t := fullTable(64, 30, all, r)
	for _, a := range all[:1023] {
		t.Remove(a, 1)
	}
	b.ResetTimer()
	for i := range b.N {
		k := i * 10 % 1010
		t.Learn(all[k:k+10], 7, actors.Address{}, 2, r, nil)
	}
}
