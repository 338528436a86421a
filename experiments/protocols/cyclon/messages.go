package cyclon

import (
	"peernet/actors"
	"peernet/experiments/protocols/codec"
)

// EntriesMax is how many entries a message can have.
const EntriesMax = 256

// Begin has a node shuffle for a number of cycles, from its user.
type Begin struct{ Cycles uint32 }

// Join asks a contact for a place in the network.
type Join struct{}

// A Walk carries a joining node to a random place.
type Walk struct {
	Joining actors.Address
	Hops    uint32 // that are left
}

// Given is an entry for a joining node.
type Given struct{ Entry Entry }

// Shuffle offers entries for others.
type Shuffle struct {
	Serial  uint32
	Entries []Entry
}

// Reply answers a Shuffle.
type Reply struct {
	Serial  uint32
	Entries []Entry
}

// Tick is a node's timer.
type Tick struct{}

var tick = &Tick{}

var (
	beginKind = actors.RegisterMessage("cyclon.begin", nil)
	tickKind  = actors.RegisterMessage("cyclon.tick", nil)
	joinKind  = actors.RegisterMessage("cyclon.join", func(b []byte) (actors.Message, error) {
		r := codec.Reader{Bytes: b}
		return &Join{}, r.End()
	})
	walkKind = actors.RegisterMessage("cyclon.walk", func(b []byte) (actors.Message, error) {
		r := codec.Reader{Bytes: b}
		m := &Walk{Joining: r.Address(), Hops: r.Number()}
		return m, r.End()
	})
	givenKind = actors.RegisterMessage("cyclon.given", func(b []byte) (actors.Message, error) {
		r := codec.Reader{Bytes: b}
		m := &Given{readEntry(&r)}
		return m, r.End()
	})
	shuffleKind = actors.RegisterMessage("cyclon.shuffle", func(b []byte) (actors.Message, error) {
		r := codec.Reader{Bytes: b}
		m := &Shuffle{r.Number(), readEntries(&r)}
		return m, r.End()
	})
	replyKind = actors.RegisterMessage("cyclon.reply", func(b []byte) (actors.Message, error) {
		r := codec.Reader{Bytes: b}
		m := &Reply{r.Number(), readEntries(&r)}
		return m, r.End()
	})
)

func readEntry(r *codec.Reader) Entry { return Entry{r.Address(), r.Number()} }

func readEntries(r *codec.Reader) []Entry {
	entries := make([]Entry, r.Length(EntriesMax))
	for i := range entries {
		entries[i] = readEntry(r)
	}
	return entries
}

func appendEntry(b []byte, e Entry) []byte {
	return codec.AppendNumber(codec.AppendAddress(b, e.Peer), e.Age)
}

func appendEntries(b []byte, entries []Entry) []byte {
	b = codec.AppendNumber(b, uint32(len(entries)))
	for _, e := range entries {
		b = appendEntry(b, e)
	}
	return b
}

// Kind implements [actors.Message].
func (*Begin) Kind() actors.Kind { return beginKind }

// Append implements [actors.Message].
func (m *Begin) Append(b []byte) []byte { return codec.AppendNumber(b, m.Cycles) }

// Kind implements [actors.Message].
func (*Tick) Kind() actors.Kind { return tickKind }

// Append implements [actors.Message].
func (*Tick) Append(b []byte) []byte { return b }

// Kind implements [actors.Message].
func (*Join) Kind() actors.Kind { return joinKind }

// Append implements [actors.Message].
func (*Join) Append(b []byte) []byte { return b }

// Kind implements [actors.Message].
func (*Walk) Kind() actors.Kind { return walkKind }

// Append implements [actors.Message].
func (m *Walk) Append(b []byte) []byte {
	return codec.AppendNumber(codec.AppendAddress(b, m.Joining), m.Hops)
}

// Kind implements [actors.Message].
func (*Given) Kind() actors.Kind { return givenKind }

// Append implements [actors.Message].
func (m *Given) Append(b []byte) []byte {
	return appendEntry(b, m.Entry)
}

// Kind implements [actors.Message].
func (*Shuffle) Kind() actors.Kind { return shuffleKind }

// Append implements [actors.Message].
func (m *Shuffle) Append(b []byte) []byte {
	return appendEntries(codec.AppendNumber(b, m.Serial), m.Entries)
}

// Kind implements [actors.Message].
func (*Reply) Kind() actors.Kind { return replyKind }

// Append implements [actors.Message].
func (m *Reply) Append(b []byte) []byte {
	return appendEntries(codec.AppendNumber(b, m.Serial), m.Entries)
}
