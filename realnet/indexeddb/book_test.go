//go:build js

package indexeddb_test

import (
	"fmt"
	"syscall/js"
	"testing"

	"peernet/actors"
	"peernet/actors/book"
	"peernet/actors/book/booktest"
	"peernet/realnet/indexeddb"
)

var opened int

func open(t *testing.T, name string) *indexeddb.Book {
	t.Helper()
	b, err := indexeddb.Open(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func fresh() string {
	opened++
	return fmt.Sprint("test ", opened, js.Global().Get("Math").Call("random").Float())
}

// The book in IndexedDB does what every book does.
func TestBook(t *testing.T) {
	one := func(t *testing.T) book.Book {
		b := open(t, fresh())
		if !b.Persistent() {
			t.Fatal("there is no IndexedDB")
		}
		return b
	}
	booktest.Test(t, one)
	booktest.Policy(t, one)
}

// What was committed is there when the book is opened again, and nothing else.
func TestCommittedIsKept(t *testing.T) {
	name := fresh()
	b := open(t, name)
	address := func(i int) actors.Address { return actors.MustAddress(fmt.Sprintf("ws://10.0.0.%d:80", i)) }
	for i := range 10 {
		b.Append(book.Entry{Address: address(i), Source: uint32(i), Saved: i == 3, Seen: book.Seconds(i)})
	}
	b.Bar(address(20), 77)
	b.Bar(address(21), 5)
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	at, _ := b.Find(address(4))
	b.Delete(at)
	b.ExpireBars(10, 100)
	at, _ = b.Find(address(5))
	e := b.At(at)
	e.OK = 9
	b.Set(at, e)
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	b.Append(book.Entry{Address: address(30)}) // and no Commit
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, name)
	if again.Len() != 9 || again.Bars() != 1 || again.Barred(address(20)) != 77 {
		t.Errorf("%d entries, %d bars", again.Len(), again.Bars())
	}
	for i := range 10 {
		at, ok := again.Find(address(i))
		if ok != (i != 4) {
			t.Errorf("address %d: %v", i, ok)
			continue
		}
		if !ok {
			continue
		}
		want := book.Entry{Address: address(i), Source: uint32(i), Saved: i == 3, Seen: book.Seconds(i)}
		if i == 5 {
			want.OK = 9
		}
		if got := again.At(at); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	if _, ok := again.Find(address(30)); ok {
		t.Error("what was not committed is kept")
	}
}

// Without IndexedDB the book is in memory, and works.
func TestWithoutIndexedDB(t *testing.T) {
	global := js.Global()
	factory := global.Get("indexedDB")
	global.Get("Object").Call("defineProperty", global, "indexedDB", map[string]any{"value": js.Null(), "configurable": true, "writable": true})
	defer global.Set("indexedDB", factory)
	b := open(t, fresh())
	if b.Persistent() {
		t.Error("the book says that it lasts")
	}
	b.Append(book.Entry{Address: actors.MustAddress("ws://10.0.0.1:80")})
	if err := b.Commit(); err != nil || b.Len() != 1 {
		t.Errorf("%d entries, %v", b.Len(), err)
	}
}
