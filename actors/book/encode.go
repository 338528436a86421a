package book

import (
	"encoding/binary"
	"errors"
	"fmt"

	"peernet/actors"
)

// ErrEntry is wrapped by the errors of [DecodeEntry].
var ErrEntry = errors.New("book: a damaged entry")

// entryFixed is the length of an entry without its address.
const entryFixed = 4 + 4 + 1 + 6*4 + 1

// Append adds a binary form of e for books that keep entries as bytes: fixed fields,
// big-endian, then the address.
func (e Entry) Append(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, e.Source)
	b = binary.BigEndian.AppendUint32(b, uint32(e.Seen))
	saved := byte(0)
	if e.Saved {
		saved = 1
	}
	b = append(b, saved)
	for _, n := range [...]uint32{e.OK, e.Fail, e.Rx, e.Tx, uint32(e.Tried), uint32(e.Retry)} {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	b = append(b, e.Streak)
	return append(b, e.Address.String()...)
}

// SourceOf returns what Book.Source does of an entry in binary form, zeros if it is
// damaged.
func SourceOf(b []byte) (source uint32, saved bool) {
	if len(b) < entryFixed {
		return 0, false
	}
	return binary.BigEndian.Uint32(b), b[8] == 1
}

// DecodeEntry reverses Append.
func DecodeEntry(b []byte) (Entry, error) {
	if len(b) < entryFixed {
		return Entry{}, fmt.Errorf("%w of %d bytes", ErrEntry, len(b))
	}
	a, err := actors.ParseAddress(string(b[entryFixed:]))
	if err != nil {
		return Entry{}, fmt.Errorf("%w: %w", ErrEntry, err)
	}
	word := func(i int) uint32 { return binary.BigEndian.Uint32(b[i:]) }
	return Entry{
		Address: a, Source: word(0), Seen: Seconds(word(4)), Saved: b[8] == 1,
		Stats: Stats{
			OK: word(9), Fail: word(13), Rx: word(17), Tx: word(21),
			Tried: Seconds(word(25)), Retry: Seconds(word(29)), Streak: b[33],
		},
	}, nil
}
