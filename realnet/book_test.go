//go:build !js

package realnet

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"peernet/actors"
	"peernet/actors/book"
	"peernet/actors/book/booktest"
)

// The book on disk does what every book does.
func TestBook(t *testing.T) {
	open := func(t *testing.T) book.Book {
		b, err := openBook("book", vfs.NewMem(), nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		})
		return b
	}
	booktest.Test(t, open)
	booktest.Policy(t, open)
}

// What was committed survives a crash, whatever became of what was not.
func TestCommittedSurvivesACrash(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		files := vfs.NewCrashableMem()
		var model book.Memory // as of the last Commit
		b, err := openBook("book", files, nil)
		if err != nil {
			t.Fatal(err)
		}
		var live book.Memory
		for range 200 {
			switch k := r.IntN(10); {
			case k < 6:
				a := actors.MustAddress("ws://10.0.0.1:" + string(rune('1'+r.IntN(9))) + string(rune('0'+r.IntN(10))))
				e := book.Entry{Address: a, Source: r.Uint32(), Saved: r.IntN(2) == 0}
				if i, ok := live.Find(a); ok {
					live.Set(i, e)
					b.Set(i, e)
				} else {
					live.Append(e)
					b.Append(e)
				}
			case k < 8 && live.Len() > 0:
				i := r.IntN(live.Len())
				live.Delete(i)
				b.Delete(i)
			default:
				if err := b.Commit(); err != nil {
					t.Fatal(err)
				}
				model = copyOf(&live)
			}
		}
		after := files.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 0})
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		again, err := openBook("book", after, nil)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if got, want := entries(again), entries(&model); !slices.Equal(got, want) {
			t.Errorf("seed %d: after the crash\n%v\nwant\n%v", seed, got, want)
		}
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func entries(b book.Book) (list []book.Entry) {
	for i := range b.Len() {
		list = append(list, b.At(i))
	}
	return list
}

func copyOf(m *book.Memory) (c book.Memory) {
	for _, e := range entries(m) {
		c.Append(e)
	}
	return c
}

func TestBookInADirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data", "book")
	a := actors.MustAddress("ws://10.0.0.1:80")
	b, err := OpenBook(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	b.Append(book.Entry{Address: a, Saved: true})
	b.Bar(actors.MustAddress("ws://10.0.0.2:80"), 77)
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenBook(dir, nil); err == nil {
		t.Error("a book that is open is opened again")
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if b, err = OpenBook(dir, nil); err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if i, ok := b.Find(a); !ok || !b.At(i).Saved || b.Len() != 1 {
		t.Errorf("the entry is lost: %v", entries(b))
	}
	if b.Barred(actors.MustAddress("ws://10.0.0.2:80")) != 77 {
		t.Error("the bar is lost")
	}
}

// A directory of something else is refused, and left as it is.
func TestForeignDirectoryIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "diary.txt"), []byte("dear diary"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenBook(dir, nil); !errors.Is(err, ErrForeign) {
		t.Errorf("error %v, want ErrForeign", err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("the directory holds %v, %v", left, err)
	}
}
