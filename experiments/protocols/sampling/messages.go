package sampling

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"peernet/actors"
)

// EntriesMax is how many entries a message can have: half of the largest view.
const EntriesMax = 1024

// Turn has a node begin an exchange. It is for the node itself, as a timer.
type Turn struct{}

// A Request begins an exchange.
type Request struct{ Entries []Entry }

// An Answer answers a Request, with the entries of the peer.
type Answer struct{ Entries []Entry }

var turn = &Turn{}

var (
	turnKind    = actors.RegisterMessage("sampling.turn", nil)
	requestKind = actors.RegisterMessage("sampling.request", func(b []byte) (actors.Message, error) {
		entries, err := decodeEntries(b)
		if err != nil {
			return nil, err
		}
		return &Request{entries}, nil
	})
	answerKind = actors.RegisterMessage("sampling.answer", func(b []byte) (actors.Message, error) {
		entries, err := decodeEntries(b)
		if err != nil {
			return nil, err
		}
		return &Answer{entries}, nil
	})
)

// Kind implements [actors.Message].
func (*Turn) Kind() actors.Kind { return turnKind }

// Append implements [actors.Message].
func (*Turn) Append(b []byte) []byte { return b }

// Kind implements [actors.Message].
func (*Request) Kind() actors.Kind { return requestKind }

// Append implements [actors.Message].
func (m *Request) Append(b []byte) []byte { return appendEntries(b, m.Entries) }

// Size implements [actors.Sizer].
func (m *Request) Size() int { return sizeOf(m.Entries) }

// Kind implements [actors.Message].
func (*Answer) Kind() actors.Kind { return answerKind }

// Append implements [actors.Message].
func (m *Answer) Append(b []byte) []byte { return appendEntries(b, m.Entries) }

// Size implements [actors.Sizer].
func (m *Answer) Size() int { return sizeOf(m.Entries) }

// appendEntries adds the number of entries, and of each the address and the age.
func appendEntries(b []byte, entries []Entry) []byte {
	b = binary.AppendUvarint(b, uint64(len(entries)))
	for _, e := range entries {
		b = actors.AppendString(b, e.Peer.String())
		b = binary.AppendUvarint(b, uint64(e.Age))
	}
	return b
}

func sizeOf(entries []Entry) int {
	size := uvarintSize(uint64(len(entries)))
	for _, e := range entries {
		text := len(e.Peer.String())
		size += uvarintSize(uint64(text)) + text + uvarintSize(uint64(e.Age))
	}
	return size
}

func uvarintSize(v uint64) int { return (bits.Len64(v|1) + 6) / 7 }

var errShort = errors.New("sampling: bytes are missing, or a number is not in its shortest form")

func decodeEntries(b []byte) ([]Entry, error) {
	count, b, err := uvarint(b, EntriesMax)
	if err != nil {
		return nil, err
	}
	var entries []Entry // grows by what is there, not by what count says
	for range count {
		var e Entry
		if e, b, err = decodeEntry(b); err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	if len(b) > 0 {
		return nil, fmt.Errorf("sampling: %d bytes are left over", len(b))
	}
	return entries, nil
}

func decodeEntry(b []byte) (e Entry, rest []byte, err error) {
	length, b, err := uvarint(b, actors.AddressMax)
	if err != nil {
		return e, nil, err
	}
	if length > uint64(len(b)) {
		return e, nil, errShort
	}
	text := string(b[:length])
	if e.Peer, err = actors.ParseAddress(text); err != nil {
		return e, nil, fmt.Errorf("sampling: %w", err)
	}
	if e.Peer.String() != text {
		return e, nil, fmt.Errorf("sampling: address %q is not canonical", text)
	}
	age, rest, err := uvarint(b[length:], 1<<32-1)
	e.Age = uint32(age)
	return e, rest, err
}

// uvarint reads a number of at most most.
func uvarint(b []byte, most uint64) (v uint64, rest []byte, err error) {
	v, n := binary.Uvarint(b)
	if n <= 0 || n != uvarintSize(v) {
		return 0, nil, errShort
	}
	if v > most {
		return 0, nil, fmt.Errorf("sampling: %d, at most %d is allowed", v, most)
	}
	return v, b[n:], nil
}
