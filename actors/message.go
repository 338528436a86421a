package actors

import (
	"encoding/binary"
	"fmt"
)

// A Message is an immutable value that actors and links exchange. Its type is
// registered once, with [RegisterMessage].
type Message interface {
	// Kind is what RegisterMessage returned for this type.
	Kind() Kind
	// Append adds the canonical encoding to b and returns it: every field,
	// with its presence. It is what trace hashes, traces and links between
	// processes see; for messages that cross links it is the wire form.
	Append(b []byte) []byte
}

// A Summer is a message that knows the hash of its canonical encoding, so that
// one that visits many nodes is hashed once.
type Summer interface{ Sum() uint64 }

// A Sizer is a message that knows the length in bytes of its canonical
// encoding without building it.
type Sizer interface{ Size() int }

// A Kind is the registered type of a message.
type Kind uint16

type kindInfo struct {
	name   string
	sum    uint64
	decode func([]byte) (Message, error)
}

// kinds is filled by package initialisation and only read afterwards.
var kinds = []kindInfo{{name: "none"}}

// RegisterMessage registers a message type under a name that is unique in the
// program, such as "swim.ping", and is to be called from a package-level
// variable. decode reverses Append and must not keep b; it may be nil for
// messages that never leave their node.
func RegisterMessage(name string, decode func(b []byte) (Message, error)) Kind {
	for _, k := range kinds {
		if k.name == name {
			panic("actors: message " + name + " registered twice")
		}
	}
	kinds = append(kinds, kindInfo{name, Sum([]byte(name)), decode})
	return Kind(len(kinds) - 1)
}

// String returns the registered name.
func (k Kind) String() string { return kinds[k].name }

// Sum is a hash of the registered name. Unlike the number it does not depend
// on the order of registration.
func (k Kind) Sum() uint64 { return kinds[k].sum }

// Decode reads the canonical encoding of a message of this kind.
func (k Kind) Decode(b []byte) (Message, error) {
	if int(k) >= len(kinds) || kinds[k].decode == nil {
		return nil, fmt.Errorf("actors: messages of kind %d have no decoder", k)
	}
	return kinds[k].decode(b)
}

// SizeOf returns the length in bytes of m's canonical encoding.
func SizeOf(m Message) int {
	if s, ok := m.(Sizer); ok {
		return s.Size()
	}
	return len(m.Append(nil))
}

// Started is the first message that an actor receives. Its Sender is the actor
// that spawned it, or the zero Ref for the root.
type Started struct{}

// Terminated answers a Watch.
type Terminated struct{ Who Ref }

// LinkIn gives the node's root an accepted link. The root binds it or closes
// it.
type LinkIn struct{ Link Link }

// LinkUp answers a Dial: the link is open, and not bound yet.
type LinkUp struct {
	ID   DialID
	Link Link
}

// LinkDown answers a Dial that failed (ID is set), or is the last message of a
// link (ID is zero).
type LinkDown struct {
	ID     DialID
	Reason Reason
	Text   string // what the host has to add, for people
}

// LinkMalformed says that the bytes of a link could not be decoded.
type LinkMalformed struct{ Reason string }

// Datagram is a message that came without a link.
type Datagram struct {
	From    Address
	Payload Message
}

// Round is the start of a lock-step round, numbered from 0, on hosts that run
// such rounds.
type Round struct{ N uint64 }

var (
	startedKind       = RegisterMessage("actors.started", nil)
	terminatedKind    = RegisterMessage("actors.terminated", nil)
	linkInKind        = RegisterMessage("actors.link_in", nil)
	linkUpKind        = RegisterMessage("actors.link_up", nil)
	linkDownKind      = RegisterMessage("actors.link_down", nil)
	linkMalformedKind = RegisterMessage("actors.link_malformed", nil)
	datagramKind      = RegisterMessage("actors.datagram", nil)
	roundKind         = RegisterMessage("actors.round", nil)
)

// Kind implements [Message].
func (*Started) Kind() Kind { return startedKind }

// Append implements [Message].
func (*Started) Append(b []byte) []byte { return b }

// Kind implements [Message].
func (*Terminated) Kind() Kind { return terminatedKind }

// Append implements [Message].
func (m *Terminated) Append(b []byte) []byte { return AppendRef(b, m.Who) }

// Kind implements [Message].
func (*LinkIn) Kind() Kind { return linkInKind }

// Append implements [Message]. A link has no encoding; where it comes from has.
func (m *LinkIn) Append(b []byte) []byte { return AppendString(b, m.Link.Remote().String()) }

// Kind implements [Message].
func (*LinkUp) Kind() Kind { return linkUpKind }

// Append implements [Message].
func (m *LinkUp) Append(b []byte) []byte { return binary.AppendUvarint(b, uint64(m.ID)) }

// Kind implements [Message].
func (*LinkDown) Kind() Kind { return linkDownKind }

// Append implements [Message].
func (m *LinkDown) Append(b []byte) []byte {
	return AppendString(append(binary.AppendUvarint(b, uint64(m.ID)), byte(m.Reason)), m.Text)
}

// Kind implements [Message].
func (*LinkMalformed) Kind() Kind { return linkMalformedKind }

// Append implements [Message].
func (m *LinkMalformed) Append(b []byte) []byte { return AppendString(b, m.Reason) }

// Kind implements [Message].
func (*Datagram) Kind() Kind { return datagramKind }

// Append implements [Message].
func (m *Datagram) Append(b []byte) []byte {
	b = AppendString(b, m.From.String())
	b = binary.LittleEndian.AppendUint64(b, m.Payload.Kind().Sum())
	return m.Payload.Append(b)
}

// Sum implements [Summer].
func (m *Datagram) Sum() uint64 {
	h := Mix(Sum([]byte(m.From.String())), m.Payload.Kind().Sum())
	return Mix(h, SumOf(m.Payload, nil))
}

// Kind implements [Message].
func (*Round) Kind() Kind { return roundKind }

// Append implements [Message].
func (m *Round) Append(b []byte) []byte { return binary.AppendUvarint(b, m.N) }

// Sum implements [Summer].
func (m *Round) Sum() uint64 { return Mix(m.N, roundKind.Sum()) }

// AppendString adds the length of s and s, for use in canonical encodings.
func AppendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// AppendRef adds r, for use in canonical encodings.
func AppendRef(b []byte, r Ref) []byte {
	b = binary.LittleEndian.AppendUint32(b, r.Slot)
	return binary.LittleEndian.AppendUint32(b, r.Gen)
}
