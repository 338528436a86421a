//go:build !js

package realnet

import (
	"context"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"peernet/actors"
	"peernet/actors/book"
)

// -addresses is the size of the book of BenchmarkBook.
var bookSize = flag.Int("addresses", 1_000_000, "addresses in the book of BenchmarkBook and of its test")

// bigAddress is one of very many addresses, scattered as they are in the world.
func bigAddress(i int) actors.Address {
	h := actors.Mix(uint64(i), 1)
	return actors.MustAddress(fmt.Sprintf("wss://%d.%d.%d.%d:%d", 1+h>>24&63, h>>16&255, h>>8&255, i&255, 1024+h>>32%50000))
}

// fillBook makes a book of n addresses, a fifth of which were tried.
func fillBook(tb testing.TB, dir string, n int) *Book {
	b, err := OpenBook(dir, nil)
	if err != nil {
		tb.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 4))
	now := func() book.Seconds { return 1_800_000_000 + book.Seconds(r.IntN(1_000_000)) }
	for i := range n {
		e := book.Entry{Address: bigAddress(i), Source: r.Uint32(), Seen: now()}
		if i%5 == 0 {
			e.Stats = book.Stats{OK: uint32(r.IntN(100)), Fail: uint32(r.IntN(30)), Tried: now(), Retry: now()}
		}
		b.Append(e)
		if i%1000 == 999 {
			b.spill()
		}
	}
	if err := b.Commit(); err != nil {
		tb.Fatal(err)
	}
	if err := b.db.Compact(context.Background(), []byte{0}, []byte{255}, true); err != nil {
		tb.Fatal(err)
	}
	return b
}

func diskBytes(tb testing.TB, dir string) (n int64) {
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			n += info.Size()
		}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

// BenchmarkBook reports what a large book costs: on disk, to open, and to draw ten
// addresses.
func BenchmarkBook(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "book")
	big := fillBook(b, dir, *bookSize)
	if err := big.Close(); err != nil {
		b.Fatal(err)
	}
	bytes := diskBytes(b, dir)
	began := time.Now()
	big, err := OpenBook(dir, nil)
	if err != nil {
		b.Fatal(err)
	}
	opened := time.Since(began)
	defer big.Close()
	r := rand.New(rand.NewPCG(1, 2))
	samples := make([]time.Duration, 0, b.N)
	b.ResetTimer()
	for range b.N {
		began := time.Now()
		var space [10]int
		for _, i := range book.Sample(space[:0], big.Len(), 10, r) {
			if big.At(i).Address.IsZero() {
				b.Fatal(big.Commit())
			}
		}
		samples = append(samples, time.Since(began))
	}
	b.StopTimer()
	slices.Sort(samples)
	b.ReportMetric(float64(samples[len(samples)/2].Microseconds()), "µs-median")
	b.ReportMetric(float64(samples[len(samples)*99/100].Microseconds()), "µs-p99")
	b.ReportMetric(float64(opened.Milliseconds()), "ms/open")
	b.ReportMetric(float64(bytes)/float64(*bookSize), "disk-B/address")
}

// BenchmarkSaves reports the acknowledged saves of 64 callers and of one.
func BenchmarkSaves(b *testing.B) {
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprint("callers=", callers), func(b *testing.B) {
			n, err := Open(b.Context(), Config{Data: b.TempDir()})
			if err != nil {
				b.Fatal(err)
			}
			defer n.Close(context.Background())
			next := make(chan int)
			failed := make(chan error, callers)
			b.ResetTimer()
			for range callers {
				go func() {
					var err error
					for i := range next {
						if e := n.Save(b.Context(), bigAddress(i%9000).String()); e != nil {
							err = e
						}
					}
					failed <- err
				}()
			}
			for i := range b.N {
				next <- i
			}
			close(next)
			for range callers {
				if err := <-failed; err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "saves/s")
		})
	}
}
