//go:build !js

package realnet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"peernet/actors"
	"peernet/actors/book"
)

// A Book is an address book on disk, in a Pebble database: a [book.Book] whose
// changes survive a crash once Commit has returned nil, and of which a crash
// keeps all or nothing of what came between two Commits, except that many
// changes without a Commit are written in several parts.
//
// Keys are a letter and what they are about; numbers are big-endian:
//
//	v            the version of this schema
//	e position   the entry at a position: fixed fields, then the address
//	a address    the position of an address
//	b address    until when it is barred
type Book struct {
	db    *pebble.DB
	batch *pebble.Batch // changes that are not committed
	n     int
	bars  book.Bars
	err   error // the first since the last Commit
}

const (
	schemaVersion = 1
	// batchMax is the size of the changes, in bytes, beyond which they are
	// written without waiting for a Commit.
	batchMax = 1 << 20
)

// ErrLocked is the error of a directory that another node uses.
var ErrLocked = errors.New("realnet: another node uses the directory")

// ErrForeign is the error of a directory that holds something else than an
// address book. It is left as it is.
var ErrForeign = errors.New("realnet: the directory holds no address book")

// OpenBook opens the book in a directory, which is made if it does not exist.
// It is locked until Close. log gets what the database has to say; nil is
// nobody.
func OpenBook(dir string, log *slog.Logger) (*Book, error) { return openBook(dir, vfs.Default, log) }

func openBook(dir string, files vfs.FS, log *slog.Logger) (*Book, error) {
	exists, err := checkDirectory(dir, files, log)
	if err != nil {
		return nil, openError(dir, err)
	}
	db, err := pebble.Open(dir, bookOptions(files, log))
	if err != nil {
		return nil, openError(dir, err)
	}
	b := &Book{db: db, batch: db.NewIndexedBatch()}
	if !exists {
		b.set([]byte{'v'}, []byte{schemaVersion})
	}
	b.load()
	if err := b.Commit(); err != nil {
		_ = b.Close()
		return nil, openError(dir, err)
	}
	return b, nil
}

func openError(dir string, err error) error {
	if errors.Is(err, syscall.EAGAIN) || strings.Contains(err.Error(), "lock held by current process") {
		err = ErrLocked
	} else if !errors.Is(err, ErrForeign) && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, fs.ErrExist) {
		err = fmt.Errorf("%w; to start with an empty one, move it away", err)
	}
	return fmt.Errorf("realnet: opening the address book in %s: %w", dir, err)
}

// bookOptions are for a small database that is written little at a time.
func bookOptions(files vfs.FS, log *slog.Logger) *pebble.Options {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	o := &pebble.Options{
		FS: files, Logger: pebbleLog{log, &atomic.Int64{}}, FormatMajorVersion: pebble.FormatNewest,
		CacheSize: 32 << 20, MemTableSize: 4 << 20,
	}
	// Reads are of single entries anywhere: small blocks cost less to read.
	o.ApplyCompressionSettings(func() pebble.DBCompressionSettings { return pebble.DBCompressionNone })
	for i := range o.Levels {
		o.Levels[i].BlockSize = 2 << 10
	}
	return o
}

// errCorrupt is the error of a book that holds what no book writes.
var errCorrupt = errors.New("realnet: the address book is damaged")

// checkDirectory reports whether there is a book in a directory. It changes
// nothing.
func checkDirectory(dir string, files vfs.FS, log *slog.Logger) (exists bool, err error) {
	names, err := files.List(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case len(names) == 0:
		return false, nil
	}
	found, err := pebble.Peek(dir, files)
	if err != nil {
		return false, err
	}
	if !found.Exists {
		// What is left where making a database was interrupted is no obstacle.
		if i := slices.IndexFunc(names, func(name string) bool { return !isPebbleFile(name) }); i >= 0 {
			return false, fmt.Errorf("%w, but %s", ErrForeign, names[i])
		}
		return false, nil
	}
	o := bookOptions(files, log)
	o.ReadOnly, o.ErrorIfNotExists = true, true
	db, err := pebble.Open(dir, o)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	version, closer, err := db.Get([]byte{'v'})
	if errors.Is(err, pebble.ErrNotFound) {
		return false, checkEmpty(db)
	}
	if err != nil {
		return false, err
	}
	defer closer.Close()
	if len(version) != 1 || version[0] != schemaVersion {
		return false, fmt.Errorf("its schema has version %v, this program knows %d", version, schemaVersion)
	}
	return true, nil
}

// isPebbleFile reports whether a file is one that Pebble makes.
func isPebbleFile(name string) bool {
	return name == "LOCK" || slices.ContainsFunc([]string{"MANIFEST-", "OPTIONS-", "CURRENT", "marker."}, func(p string) bool {
		return strings.HasPrefix(name, p)
	}) || slices.Contains([]string{".log", ".sst", ".dbtmp"}, filepath.Ext(name))
}

// checkEmpty returns ErrForeign unless a database is as new.
func checkEmpty(db *pebble.DB) error {
	i, err := db.NewIter(nil)
	if err != nil {
		return err
	}
	if i.First() {
		err = ErrForeign
	}
	return errors.Join(err, i.Close())
}

// pebbleLog passes on what the database says. It never ends the program but for
// what the database cannot go on from.
type pebbleLog struct {
	log  *slog.Logger
	last *atomic.Int64 // the second in which an error was logged
}

func (l pebbleLog) Infof(format string, args ...any) { l.log.Debug(fmt.Sprintf(format, args...)) }
func (l pebbleLog) Errorf(format string, args ...any) {
	// It tries again without a pause where it can not write.
	if now := time.Now().Unix(); l.last.Swap(now) != now {
		l.log.Error(fmt.Sprintf(format, args...))
	}
}
func (l pebbleLog) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

// Close closes the database. What is not committed is lost.
func (b *Book) Close() error { return errors.Join(b.batch.Close(), b.db.Close()) }

// load reads the number of entries and the bars.
func (b *Book) load() {
	last, err := b.batch.NewIter(&pebble.IterOptions{LowerBound: []byte{'e'}, UpperBound: []byte{'e' + 1}})
	if err != nil {
		b.fail(err)
		return
	}
	if last.Last() {
		if len(last.Key()) != 5 {
			b.fail(fmt.Errorf("%w: the key of an entry is %x", errCorrupt, last.Key()))
		} else {
			b.n = int(binary.BigEndian.Uint32(last.Key()[1:])) + 1
		}
	}
	b.fail(last.Close())
	b.each('b', func(k, v []byte) {
		if a, ok := b.address(k[1:]); ok && len(v) == 4 {
			b.bars.Set(a, book.Seconds(binary.BigEndian.Uint32(v)))
		}
	})
}

// each goes through the keys that start with a letter.
func (b *Book) each(letter byte, f func(key, value []byte)) {
	i, err := b.batch.NewIter(&pebble.IterOptions{LowerBound: []byte{letter}, UpperBound: []byte{letter + 1}})
	if err != nil {
		b.fail(err)
		return
	}
	for i.First(); i.Valid(); i.Next() {
		f(i.Key(), i.Value())
	}
	b.fail(i.Close())
}

// fail keeps the first error for Commit.
func (b *Book) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

func (b *Book) address(text []byte) (actors.Address, bool) {
	a, err := actors.ParseAddress(string(text))
	b.fail(err)
	return a, err == nil
}

func entryKey(i int) []byte { return binary.BigEndian.AppendUint32([]byte{'e'}, uint32(i)) }

func addressKey(letter byte, a actors.Address) []byte { return append([]byte{letter}, a.String()...) }

func (b *Book) set(key, value []byte) { b.fail(b.batch.Set(key, value, nil)) }

func (b *Book) delete(key []byte) { b.fail(b.batch.Delete(key, nil)) }

// get calls f with the value of a key, if there is one.
func (b *Book) get(key []byte, f func(value []byte)) bool {
	value, closer, err := b.batch.Get(key)
	if err != nil {
		if !errors.Is(err, pebble.ErrNotFound) {
			b.fail(err)
		}
		return false
	}
	defer func() { b.fail(closer.Close()) }()
	f(value)
	return true
}

// Len implements [book.Book].
func (b *Book) Len() int { return b.n }

// At implements [book.Book].
func (b *Book) At(i int) (e book.Entry) {
	b.get(entryKey(i), func(v []byte) { e = b.decode(v) })
	return e
}

// Source implements [book.Book].
func (b *Book) Source(i int) (source uint32, saved bool) {
	b.get(entryKey(i), func(v []byte) {
		source, saved = book.SourceOf(v)
	})
	return source, saved
}

// Sources implements [book.Book].
func (b *Book) Sources(f func(source uint32, saved bool)) {
	b.each('e', func(_, v []byte) {
		f(book.SourceOf(v))
	})
}

// Find implements [book.Book].
func (b *Book) Find(a actors.Address) (i int, ok bool) {
	b.get(addressKey('a', a), func(v []byte) {
		if len(v) != 4 || binary.BigEndian.Uint32(v) >= uint32(b.n) {
			b.fail(fmt.Errorf("%w: the position of %s is %x", errCorrupt, a, v))
			return
		}
		i, ok = int(binary.BigEndian.Uint32(v)), true
	})
	return i, ok
}

// Append implements [book.Book].
func (b *Book) Append(e book.Entry) {
	b.place(b.n, e)
	b.n++
	b.spill()
}

// place writes an entry and where its address is.
func (b *Book) place(i int, e book.Entry) {
	b.set(entryKey(i), e.Append(nil))
	b.set(addressKey('a', e.Address), binary.BigEndian.AppendUint32(nil, uint32(i)))
}

// Set implements [book.Book].
func (b *Book) Set(i int, e book.Entry) {
	b.set(entryKey(i), e.Append(nil))
	b.spill()
}

// Delete implements [book.Book].
func (b *Book) Delete(i int) {
	b.delete(addressKey('a', b.At(i).Address))
	b.n--
	if i != b.n {
		b.place(i, b.At(b.n))
	}
	b.delete(entryKey(b.n))
	b.spill()
}

// Bar implements [book.Book].
func (b *Book) Bar(a actors.Address, until book.Seconds) {
	b.set(addressKey('b', a), binary.BigEndian.AppendUint32(nil, uint32(until)))
	b.bars.Set(a, until)
}

// Barred implements [book.Book].
func (b *Book) Barred(a actors.Address) book.Seconds { return b.bars.Until(a) }

// Bars implements [book.Book].
func (b *Book) Bars() int { return b.bars.Len() }

// ExpireBars implements [book.Book].
func (b *Book) ExpireBars(now book.Seconds, most int) {
	b.bars.Expire(now, most, func(a actors.Address) { b.delete(addressKey('b', a)) })
}

// Commit implements [book.Book].
func (b *Book) Commit() error {
	b.write(pebble.Sync)
	err := b.err
	b.err = nil
	return err
}

// spill writes the changes if they are many.
func (b *Book) spill() {
	if b.batch.Len() > batchMax {
		b.write(pebble.NoSync)
	}
}

func (b *Book) write(o *pebble.WriteOptions) {
	if b.batch.Empty() {
		if o.Sync {
			b.fail(b.db.LogData(nil, pebble.Sync))
		}
		return
	}
	b.fail(b.batch.Commit(o))
	b.fail(b.batch.Close())
	b.batch = b.db.NewIndexedBatch()
}

func (b *Book) decode(v []byte) book.Entry {
	e, err := book.DecodeEntry(v)
	b.fail(err)
	return e
}
