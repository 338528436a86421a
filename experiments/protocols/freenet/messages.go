package freenet

import (
	"encoding/binary"

	"peernet/actors"
	"peernet/experiments/protocols/codec"
)

// A Request asks for the data of a key, or puts them (Insert). HTL is how many more hops
// it may take, Hops how many it took, Depth how many nodes are on its path.
type Request struct {
	ID            uint64
	Key           Key
	Insert, Probe bool
	HTL           uint32
	Hops, Depth   uint32
	Source        actors.Address // of an insert: who is said to have inserted
}

// An Answer is to a request that this node forwarded.
type Answer interface {
	actors.Message
	Of() uint64 // the request's ID
}

// Accepted says that a request arrived.
type Accepted struct{ ID uint64 }

// Refused says that it arrived for the second time.
type Refused struct{ ID uint64 }

// Failed gives a request back, with the hops that are left and those it took.
type Failed struct {
	ID   uint64
	HTL  uint32
	Hops uint32
}

// Data carries what was found back, or that an insert ended. Back is how many hops it
// took so far. Stored is the end of an insert, whose source nodes know from the request.
type Data struct {
	ID                uint64
	Source            actors.Address
	Stored            bool
	Hops, Depth, Back uint32
}

// Start has a node's user make a request.
type Start struct{ Request Request }

// Know has a node enter others into its routing table, each under its own key.
type Know struct{ Nodes []actors.Address }

// Join has a node enter another into its table, and announce itself to it.
type Join struct {
	By  actors.Address
	HTL uint32 // how many are to learn of it
}

// Announce tells of a newcomer; HTL counts who is still to learn of it, with the receiver.
type Announce struct {
	Node actors.Address
	HTL  uint32
}

// fetched is that data were read from the store.
type fetched struct{ id uint64 }

// silence is that an acknowledgement did not come.
type silence struct {
	id   uint64
	next actors.Address
}

// Of implements [Answer].
func (m *Accepted) Of() uint64 { return m.ID }

// Of implements [Answer].
func (m *Refused) Of() uint64 { return m.ID }

// Of implements [Answer].
func (m *Failed) Of() uint64 { return m.ID }

// Of implements [Answer].
func (m *Data) Of() uint64 { return m.ID }

var (
	startKind   = actors.RegisterMessage("freenet.start", nil)
	knowKind    = actors.RegisterMessage("freenet.know", nil)
	joinKind    = actors.RegisterMessage("freenet.join", nil)
	fetchedKind = actors.RegisterMessage("freenet.fetched", nil)
	silenceKind = actors.RegisterMessage("freenet.silence", nil)
	requestKind = actors.RegisterMessage("freenet.request", func(b []byte) (actors.Message, error) {
		r := codec.Reader{Bytes: b}
		m := &Request{ID: r.Uint64(1<<64 - 1), Key: Key(r.Uint64(1<<64 - 1))}
		m.Insert, m.Probe = r.Bool(), r.Bool()
		m.HTL, m.Hops, m.Depth = r.Number(), r.Number(), r.Number()
		if m.Insert {
			m.Source = r.Address()
		}
		return m, r.End()
	})
	acceptedKind = actors.RegisterMessage("freenet.accepted", func(b []byte) (actors.Message, error) {
		r := codec.Reader{Bytes: b}
		return &Accepted{r.Uint64(1<<64 - 1)}, r.End()
	})
	refusedKind = actors.RegisterMessage("freenet.refused", func(b []byte) (actors.Message, error) {
		r := codec.Reader{Bytes: b}
		return &Refused{r.Uint64(1<<64 - 1)}, r.End()
	})
	failedKind = actors.RegisterMessage("freenet.failed", func(b []byte) (actors.Message, error) {
		r := codec.Reader{Bytes: b}
		return &Failed{r.Uint64(1<<64 - 1), r.Number(), r.Number()}, r.End()
	})
	dataKind = actors.RegisterMessage("freenet.data", func(b []byte) (actors.Message, error) {
		r := codec.Reader{Bytes: b}
		m := &Data{ID: r.Uint64(1<<64 - 1), Hops: r.Number(), Depth: r.Number(), Back: r.Number()}
		m.Stored, m.Source = r.Bool(), r.Address()
		return m, r.End()
	})
	announceKind = actors.RegisterMessage("freenet.announce", func(b []byte) (actors.Message, error) {
		r := codec.Reader{Bytes: b}
		m := &Announce{HTL: r.Number()}
		m.Node = r.Address()
		if m.HTL == 0 {
			return nil, codec.ErrBytes
		}
		return m, r.End()
	})
)

// Kind implements [actors.Message].
func (*Request) Kind() actors.Kind { return requestKind }

// Append implements [actors.Message].
func (m *Request) Append(b []byte) []byte {
	b = binary.AppendUvarint(binary.AppendUvarint(b, m.ID), uint64(m.Key))
	b = codec.AppendBool(codec.AppendBool(b, m.Insert), m.Probe)
	b = codec.AppendNumber(codec.AppendNumber(codec.AppendNumber(b, m.HTL), m.Hops), m.Depth)
	if m.Insert {
		b = codec.AppendAddress(b, m.Source)
	}
	return b
}

// Kind implements [actors.Message].
func (*Accepted) Kind() actors.Kind { return acceptedKind }

// Append implements [actors.Message].
func (m *Accepted) Append(b []byte) []byte { return binary.AppendUvarint(b, m.ID) }

// Kind implements [actors.Message].
func (*Refused) Kind() actors.Kind { return refusedKind }

// Append implements [actors.Message].
func (m *Refused) Append(b []byte) []byte { return binary.AppendUvarint(b, m.ID) }

// Kind implements [actors.Message].
func (*Failed) Kind() actors.Kind { return failedKind }

// Append implements [actors.Message].
func (m *Failed) Append(b []byte) []byte {
	return codec.AppendNumber(codec.AppendNumber(binary.AppendUvarint(b, m.ID), m.HTL), m.Hops)
}

// Kind implements [actors.Message].
func (*Data) Kind() actors.Kind { return dataKind }

// Append implements [actors.Message].
func (m *Data) Append(b []byte) []byte {
	b = codec.AppendNumber(binary.AppendUvarint(b, m.ID), m.Hops)
	b = codec.AppendNumber(codec.AppendNumber(b, m.Depth), m.Back)
	return codec.AppendAddress(codec.AppendBool(b, m.Stored), m.Source)
}

// Kind implements [actors.Message].
func (*Start) Kind() actors.Kind { return startKind }

// Append implements [actors.Message].
func (m *Start) Append(b []byte) []byte { return m.Request.Append(b) }

// Kind implements [actors.Message].
func (*Know) Kind() actors.Kind { return knowKind }

// Append implements [actors.Message].
func (m *Know) Append(b []byte) []byte {
	return codec.AppendAddresses(b, m.Nodes)
}

// Kind implements [actors.Message].
func (*Join) Kind() actors.Kind { return joinKind }

// Append implements [actors.Message].
func (m *Join) Append(b []byte) []byte {
	return codec.AppendAddress(codec.AppendNumber(b, m.HTL), m.By)
}

// Kind implements [actors.Message].
func (*Announce) Kind() actors.Kind { return announceKind }

// Append implements [actors.Message].
func (m *Announce) Append(b []byte) []byte {
	return codec.AppendAddress(codec.AppendNumber(b, m.HTL), m.Node)
}

// Kind implements [actors.Message].
func (*fetched) Kind() actors.Kind { return fetchedKind }

// Append implements [actors.Message].
func (m *fetched) Append(b []byte) []byte { return binary.AppendUvarint(b, m.id) }

// Kind implements [actors.Message].
func (*silence) Kind() actors.Kind { return silenceKind }

// Append implements [actors.Message].
func (m *silence) Append(b []byte) []byte {
	return codec.AppendAddress(binary.AppendUvarint(b, m.id), m.next)
}
