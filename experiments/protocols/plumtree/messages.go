package plumtree

import (
	"peernet/actors"
	"peernet/experiments/protocols/codec"
	"peernet/experiments/protocols/gossip"
)

// Payload is a message, numbered from 0 to below gossip.NumberMax.
type Payload struct {
	Number uint32
	Hops   uint16 // that it took to the sender's, and 1
}

// IHave says that the sender has a message.
type IHave struct {
	Number uint32
	Hops   uint16
}

// Graft makes the link eager, and asks for a message.
type Graft struct{ Number uint32 }

// Prune makes the link lazy.
type Prune struct{}

// Overdue is a node's timer for a message that was announced.
type Overdue struct{ Number uint32 }

var prune = &Prune{}

var (
	payloadKind = actors.RegisterMessage("plumtree.payload", func(b []byte) (actors.Message, error) {
		number, hops, err := read(b)
		return &Payload{number, hops}, err
	})
	ihaveKind = actors.RegisterMessage("plumtree.ihave", func(b []byte) (actors.Message, error) {
		number, hops, err := read(b)
		return &IHave{number, hops}, err
	})
	graftKind = actors.RegisterMessage("plumtree.graft", func(b []byte) (actors.Message, error) {
		r := codec.Reader{Bytes: b}
		m := &Graft{uint32(r.Length(gossip.NumberMax - 1))}
		return m, r.End()
	})
	pruneKind = actors.RegisterMessage("plumtree.prune", func(b []byte) (actors.Message, error) {
		r := codec.Reader{Bytes: b}
		return prune, r.End()
	})
	overdueKind = actors.RegisterMessage("plumtree.overdue", nil)
)

func read(b []byte) (number uint32, hops uint16, err error) {
	r := codec.Reader{Bytes: b}
	number, hops = uint32(r.Length(gossip.NumberMax-1)), uint16(r.Length(gossip.HopsMax))
	return number, hops, r.End()
}

// Kind implements [actors.Message].
func (*Payload) Kind() actors.Kind { return payloadKind }

// Append implements [actors.Message].
func (m *Payload) Append(b []byte) []byte {
	return codec.AppendNumber(codec.AppendNumber(b, m.Number), uint32(m.Hops))
}

// Kind implements [actors.Message].
func (*IHave) Kind() actors.Kind { return ihaveKind }

// Append implements [actors.Message].
func (m *IHave) Append(b []byte) []byte {
	return codec.AppendNumber(codec.AppendNumber(b, m.Number), uint32(m.Hops))
}

// Kind implements [actors.Message].
func (*Graft) Kind() actors.Kind { return graftKind }

// Append implements [actors.Message].
func (m *Graft) Append(b []byte) []byte { return codec.AppendNumber(b, m.Number) }

// Kind implements [actors.Message].
func (*Prune) Kind() actors.Kind { return pruneKind }

// Append implements [actors.Message].
func (*Prune) Append(b []byte) []byte { return b }

// Kind implements [actors.Message].
func (*Overdue) Kind() actors.Kind { return overdueKind }

// Append implements [actors.Message].
func (m *Overdue) Append(b []byte) []byte { return codec.AppendNumber(b, m.Number) }
