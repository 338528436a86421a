//go:build js

package indexeddb

import (
	"context"
	"errors"
	"fmt"
	"syscall/js"

	"peernet/actors"
	"peernet/actors/book"
	"peernet/realnet/browser"
)

// A Book is an address book in IndexedDB.
type Book struct {
	book.Memory
	db      js.Value                // null if there is none
	changed map[actors.Address]bool // entries since the last Commit
	barred  map[actors.Address]bool // likewise bars
	bars    book.Bars               // those of Memory, with what is dropped
}

// The object stores: entries by address, in the form of book.Entry, and the time until
// which an address is barred.
const (
	schemaVersion = 1
	entriesStore  = "entries"
	barsStore     = "bars"
)

// prefix starts the names of the databases.
const prefix = "peernet "

// Open opens the book of a name. Where there is no IndexedDB it is in memory.
func Open(ctx context.Context, name string) (*Book, error) {
	b := &Book{db: js.Null(), changed: map[actors.Address]bool{}, barred: map[actors.Address]bool{}}
	factory := js.Global().Get("indexedDB")
	if !factory.Truthy() {
		return b, nil
	}
	request, err := browser.Try(func() js.Value { return factory.Call("open", prefix+name, schemaVersion) })
	if err != nil {
		return b, nil // forbidden
	}
	upgrade := js.FuncOf(func(js.Value, []js.Value) any {
		db := request.Get("result")
		db.Call("createObjectStore", entriesStore)
		db.Call("createObjectStore", barsStore)
		return nil
	})
	defer upgrade.Release()
	request.Set("onupgradeneeded", upgrade)
	db, err := wait(ctx, request, "success", "error", "blocked")
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return b, nil // forbidden
	}
	if err := b.load(ctx, db); err != nil {
		db.Call("close")
		return nil, fmt.Errorf("indexeddb: %q: %w", name, err)
	}
	b.db = db
	return b, nil
}

// Persistent reports whether what is committed outlasts the page.
func (b *Book) Persistent() bool { return !b.db.IsNull() }

// Close closes the database. What is not committed is lost.
func (b *Book) Close() error {
	if b.Persistent() {
		b.db.Call("close")
		b.db = js.Null()
	}
	return nil
}

// load reads what there is. What is damaged is left out.
func (b *Book) load(ctx context.Context, db js.Value) error {
	stores := []any{entriesStore, barsStore}
	t, err := browser.Try(func() js.Value { return db.Call("transaction", js.ValueOf(stores), "readonly") })
	if err != nil {
		return err
	}
	values, err := wait(ctx, t.Call("objectStore", entriesStore).Call("getAll"), "success", "error")
	if err != nil {
		return err
	}
	for i := range values.Length() {
		raw := make([]byte, values.Index(i).Length())
		js.CopyBytesToGo(raw, values.Index(i))
		if e, err := book.DecodeEntry(raw); err == nil {
			b.Memory.Append(e)
		}
	}
	// Another transaction: this one ended while nothing was asked of it.
	t = db.Call("transaction", js.ValueOf(stores), "readonly")
	store := t.Call("objectStore", barsStore)
	keys, times := store.Call("getAllKeys"), store.Call("getAll")
	if times, err = wait(ctx, times, "success", "error"); err != nil {
		return err
	}
	keys = keys.Get("result")
	for i := range keys.Length() {
		if a, err := actors.ParseAddress(keys.Index(i).String()); err == nil {
			b.bars.Set(a, book.Seconds(times.Index(i).Float()))
		}
	}
	return nil
}

// Append implements [book.Book].
func (b *Book) Append(e book.Entry) {
	b.changed[e.Address] = true
	b.Memory.Append(e)
}

// Set implements [book.Book].
func (b *Book) Set(i int, e book.Entry) {
	b.changed[e.Address] = true
	b.Memory.Set(i, e)
}

// Delete implements [book.Book].
func (b *Book) Delete(i int) {
	b.changed[b.At(i).Address] = true
	b.Memory.Delete(i)
}

// Bar implements [book.Book].
func (b *Book) Bar(a actors.Address, until book.Seconds) {
	b.barred[a] = true
	b.bars.Set(a, until)
}

// Barred implements [book.Book].
func (b *Book) Barred(a actors.Address) book.Seconds { return b.bars.Until(a) }

// Bars implements [book.Book].
func (b *Book) Bars() int { return b.bars.Len() }

// ExpireBars implements [book.Book].
func (b *Book) ExpireBars(now book.Seconds, most int) {
	b.bars.Expire(now, most, func(a actors.Address) { b.barred[a] = true })
}

// Commit implements [book.Book].
func (b *Book) Commit() error {
	if !b.Persistent() {
		clear(b.changed)
		clear(b.barred)
		return nil
	}
	if len(b.changed)+len(b.barred) == 0 {
		return nil
	}
	t, err := browser.Try(func() js.Value {
		options := js.ValueOf(map[string]any{"durability": "strict"})
		return b.db.Call("transaction", js.ValueOf([]any{entriesStore, barsStore}), "readwrite", options)
	})
	if err != nil {
		return err
	}
	_, err = browser.Try(func() js.Value {
		entries, bars := t.Call("objectStore", entriesStore), t.Call("objectStore", barsStore)
		for a := range b.changed {
			if i, ok := b.Find(a); ok {
				raw := b.At(i).Append(nil)
				array := js.Global().Get("Uint8Array").New(len(raw))
				js.CopyBytesToJS(array, raw)
				entries.Call("put", array, a.String())
			} else {
				entries.Call("delete", a.String())
			}
		}
		for a := range b.barred {
			if until := b.bars.Until(a); until != 0 {
				bars.Call("put", float64(until), a.String())
			} else {
				bars.Call("delete", a.String())
			}
		}
		return js.Null()
	})
	if err != nil {
		return err
	}
	if _, err := wait(context.Background(), t, "complete", "error", "abort"); err != nil {
		return err // what has changed is tried again by the next Commit
	}
	clear(b.changed)
	clear(b.barred)
	return nil
}

// wait waits for a request or transaction to succeed, or for one of several failures,
// and returns its result.
func wait(ctx context.Context, target js.Value, success string, failures ...string) (js.Value, error) {
	done := make(chan error, 1)
	finish := func(err error) {
		select {
		case done <- err:
		default:
		}
	}
	ok := js.FuncOf(func(js.Value, []js.Value) any {
		finish(nil)
		return nil
	})
	defer ok.Release()
	target.Set("on"+success, ok)
	defer target.Set("on"+success, js.Null())
	for _, failure := range failures {
		handler := js.FuncOf(func(_ js.Value, args []js.Value) any {
			err := errors.New(failure)
			if e := target.Get("error"); e.Truthy() {
				err = errors.New(e.Get("message").String())
			}
			finish(err)
			return nil
		})
		defer handler.Release()
		target.Set("on"+failure, handler)
		defer target.Set("on"+failure, js.Null())
	}
	select {
	case err := <-done:
		if err != nil {
			return js.Value{}, err
		}
	case <-ctx.Done():
		return js.Value{}, context.Cause(ctx)
	}
	return target.Get("result"), nil
}
