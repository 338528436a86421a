package freenet

import (
	"encoding/binary"
	"errors"

	"peernet/actors"
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

var errBytes = errors.New("freenet: malformed")

var (
	startKind   = actors.RegisterMessage("freenet.start", nil)
	knowKind    = actors.RegisterMessage("freenet.know", nil)
	joinKind    = actors.RegisterMessage("freenet.join", nil)
	fetchedKind = actors.RegisterMessage("freenet.fetched", nil)
	silenceKind = actors.RegisterMessage("freenet.silence", nil)
	requestKind = actors.RegisterMessage("freenet.request", func(b []byte) (actors.Message, error) {
		r := reader{rest: b}
		m := &Request{ID: r.word(), Key: Key(r.word())}
		flags := r.byte()
		m.Insert, m.Probe = flags&1 != 0, flags&2 != 0
		m.HTL, m.Hops, m.Depth = r.half(), r.half(), r.half()
		if m.Insert {
			m.Source = r.address()
		}
		return m, r.end(flags > 3)
	})
	acceptedKind = actors.RegisterMessage("freenet.accepted", func(b []byte) (actors.Message, error) {
		r := reader{rest: b}
		return &Accepted{r.word()}, r.end(false)
	})
	refusedKind = actors.RegisterMessage("freenet.refused", func(b []byte) (actors.Message, error) {
		r := reader{rest: b}
		return &Refused{r.word()}, r.end(false)
	})
	failedKind = actors.RegisterMessage("freenet.failed", func(b []byte) (actors.Message, error) {
		r := reader{rest: b}
		return &Failed{r.word(), r.half(), r.half()}, r.end(false)
	})
	dataKind = actors.RegisterMessage("freenet.data", func(b []byte) (actors.Message, error) {
		r := reader{rest: b}
		m := &Data{ID: r.word(), Hops: r.half(), Depth: r.half(), Back: r.half()}
		stored := r.byte()
		m.Stored, m.Source = stored == 1, r.address()
		return m, r.end(stored > 1)
	})
	announceKind = actors.RegisterMessage("freenet.announce", func(b []byte) (actors.Message, error) {
		r := reader{rest: b}
		m := &Announce{HTL: r.half()}
		m.Node = r.address()
		return m, r.end(m.HTL == 0)
	})
)

// A reader takes fields of fixed length off the front.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) take(n int) []byte {
	if len(r.rest) < n {
		r.bad = true
		return make([]byte, n)
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) word() uint64 { return binary.LittleEndian.Uint64(r.take(8)) }
func (r *reader) half() uint32 { return binary.LittleEndian.Uint32(r.take(4)) }
func (r *reader) byte() byte   { return r.take(1)[0] }

// address takes all that is left.
func (r *reader) address() (a actors.Address) {
	if len(r.rest) <= actors.AddressMax {
		var err error
		if a, err = actors.ParseAddress(string(r.rest)); err == nil && a.String() == string(r.rest) {
			r.rest = nil
			return a
		}
	}
	r.bad = true
	return a
}

// end returns an error if something was missing, is left, or is wrong.
func (r *reader) end(wrong bool) error {
	if r.bad || wrong || len(r.rest) > 0 {
		return errBytes
	}
	return nil
}

var little = binary.LittleEndian

// Kind implements [actors.Message].
func (*Request) Kind() actors.Kind { return requestKind }

// Append implements [actors.Message].
func (m *Request) Append(b []byte) []byte {
	b = little.AppendUint64(little.AppendUint64(b, m.ID), uint64(m.Key))
	flags := byte(0)
	if m.Insert {
		flags |= 1
	}
	if m.Probe {
		flags |= 2
	}
	b = little.AppendUint32(append(b, flags), m.HTL)
	b = little.AppendUint32(little.AppendUint32(b, m.Hops), m.Depth)
	if m.Insert {
		b = append(b, m.Source.String()...)
	}
	return b
}

// Kind implements [actors.Message].
func (*Accepted) Kind() actors.Kind { return acceptedKind }

// Append implements [actors.Message].
func (m *Accepted) Append(b []byte) []byte { return little.AppendUint64(b, m.ID) }

// Kind implements [actors.Message].
func (*Refused) Kind() actors.Kind { return refusedKind }

// Append implements [actors.Message].
func (m *Refused) Append(b []byte) []byte { return little.AppendUint64(b, m.ID) }

// Kind implements [actors.Message].
func (*Failed) Kind() actors.Kind { return failedKind }

// Append implements [actors.Message].
func (m *Failed) Append(b []byte) []byte {
	return little.AppendUint32(little.AppendUint32(little.AppendUint64(b, m.ID), m.HTL), m.Hops)
}

// Kind implements [actors.Message].
func (*Data) Kind() actors.Kind { return dataKind }

// Append implements [actors.Message].
func (m *Data) Append(b []byte) []byte {
	b = little.AppendUint32(little.AppendUint64(b, m.ID), m.Hops)
	b = little.AppendUint32(little.AppendUint32(b, m.Depth), m.Back)
	stored := byte(0)
	if m.Stored {
		stored = 1
	}
	return append(append(b, stored), m.Source.String()...)
}

// Kind implements [actors.Message].
func (*Start) Kind() actors.Kind { return startKind }

// Append implements [actors.Message].
func (m *Start) Append(b []byte) []byte { return m.Request.Append(b) }

// Kind implements [actors.Message].
func (*Know) Kind() actors.Kind { return knowKind }

// Append implements [actors.Message].
func (m *Know) Append(b []byte) []byte {
	for _, a := range m.Nodes {
		b = actors.AppendString(b, a.String())
	}
	return b
}

// Kind implements [actors.Message].
func (*Join) Kind() actors.Kind { return joinKind }

// Append implements [actors.Message].
func (m *Join) Append(b []byte) []byte {
	return actors.AppendString(little.AppendUint32(b, m.HTL), m.By.String())
}

// Kind implements [actors.Message].
func (*Announce) Kind() actors.Kind { return announceKind }

// Append implements [actors.Message].
func (m *Announce) Append(b []byte) []byte {
	return append(little.AppendUint32(b, m.HTL), m.Node.String()...)
}

// Kind implements [actors.Message].
func (*fetched) Kind() actors.Kind { return fetchedKind }

// Append implements [actors.Message].
func (m *fetched) Append(b []byte) []byte { return little.AppendUint64(b, m.id) }

// Kind implements [actors.Message].
func (*silence) Kind() actors.Kind { return silenceKind }

// Append implements [actors.Message].
func (m *silence) Append(b []byte) []byte {
	return actors.AppendString(little.AppendUint64(b, m.id), m.next.String())
}
