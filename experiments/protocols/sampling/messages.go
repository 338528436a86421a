package sampling

import (
	"encoding/binary"
	"math/bits"

	"peernet/actors"
	"peernet/experiments/protocols/codec"
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

func decodeEntries(b []byte) ([]Entry, error) {
	r := codec.Reader{Bytes: b}
	var entries []Entry
	for range r.Length(EntriesMax) {
		entries = append(entries, Entry{Peer: r.Address(), Age: r.Number()})
	}
	return entries, r.End()
}
