package scenario

import (
	"errors"
	"slices"

	"peernet/actors"
	"peernet/actors/book"
)

// Errors of a disk.
var (
	errDisk = errors.New("scenario: the disk returns errors")
	errFull = errors.New("scenario: the disk is full")
)

// A disk keeps the address book of one node. What was not committed when the node
// ended is lost, unless the end was a proper one; while the disk fails, nothing is
// committed.
type disk struct {
	book   *diskBook // of the last start
	synced image
	fails  []error // Commit returns the last; none is a disk that works
}

// repair ends one fault of the disk.
func (d *disk) repair(err error) {
	if i := slices.Index(d.fails, err); i >= 0 {
		d.fails = slices.Delete(d.fails, i, i+1)
	}
}

// An image is a book as it is on disk.
type image struct {
	entries []book.Entry
	bars    []bar
}

type bar struct {
	address actors.Address
	until   book.Seconds
}

// open returns the book of a new start.
func (d *disk) open(how bookState) book.Book {
	last := d.book
	d.book = &diskBook{disk: d}
	switch {
	case how == bookLost:
		d.synced = image{}
	case how == bookKept && last != nil:
		last.save()
	}
	for _, e := range d.synced.entries {
		d.book.Append(e)
	}
	for _, b := range d.synced.bars {
		d.book.Bar(b.address, b.until)
	}
	return d.book
}

// A diskBook is a book in memory that writes its image when it commits.
type diskBook struct {
	book.Memory
	disk *disk
	bars []actors.Address // that were ever set, to write them
}

// Bar implements [book.Book].
func (b *diskBook) Bar(a actors.Address, until book.Seconds) {
	b.Memory.Bar(a, until)
	if !slices.Contains(b.bars, a) {
		b.bars = append(b.bars, a)
	}
}

// Commit implements [book.Book].
func (b *diskBook) Commit() error {
	if n := len(b.disk.fails); n > 0 {
		return b.disk.fails[n-1]
	}
	b.save()
	return nil
}

// save writes the image.
func (b *diskBook) save() {
	d := &b.disk.synced
	d.entries, d.bars = d.entries[:0], d.bars[:0]
	for i := range b.Len() {
		d.entries = append(d.entries, b.At(i))
	}
	b.bars = slices.DeleteFunc(b.bars, func(a actors.Address) bool { return b.Barred(a) == 0 })
	for _, a := range b.bars {
		d.bars = append(d.bars, bar{a, b.Barred(a)})
	}
}

// disks reports whether the nodes of the scenario have disks.
func (s *Scenario) disks() bool {
	return s.Churn.Book == BookSynced || slices.ContainsFunc(s.Faults, func(f Fault) bool {
		return f.Kind == FaultDiskError || f.Kind == FaultDiskFull || f.Book == BookSynced
	})
}
