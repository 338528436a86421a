package adversary

import (
	"encoding/binary"

	"peernet/actors"
	"peernet/actors/peer"
	"peernet/actors/wire"
)

// The messages between the actors of one machine.

// met tells the root that a speaker knows its peer.
type met struct {
	id      peer.NodeID
	address actors.Address // that the peer shows, if any
}

// told tells the root of addresses that a peer sent.
type told struct{ list []actors.Address }

// asked tells the root that a peer would like to have n addresses.
type asked struct{ n uint32 }

// ended tells the root that a speaker ends; it is the last thing that it says.
type ended struct{ why wire.GoodbyeReason }

// say has a speaker send messages, in order.
type say struct{ list []actors.Message }

// leave has a speaker say goodbye and end.
type leave struct{ why wire.GoodbyeReason }

// delayed is a request or response that the root passes on when it comes back.
// to is the only speaker that gets it; zero is a few random ones, but not from.
type delayed struct {
	frame    *wire.Frame
	from, to actors.Ref
}

// tick is a timer; each actor has its own.
type tick uint8

const (
	tickAct tick = iota
	tickUpkeep
	tickSpeaker
)

// ticks hold one value each, so that arming a timer does not allocate.
var ticks = [...]*tick{new(tickAct), new(tickUpkeep), new(tickSpeaker)}

var (
	metKind     = actors.RegisterMessage("adversary.met", nil)
	toldKind    = actors.RegisterMessage("adversary.told", nil)
	askedKind   = actors.RegisterMessage("adversary.asked", nil)
	endedKind   = actors.RegisterMessage("adversary.ended", nil)
	sayKind     = actors.RegisterMessage("adversary.say", nil)
	leaveKind   = actors.RegisterMessage("adversary.leave", nil)
	delayedKind = actors.RegisterMessage("adversary.delayed", nil)
	tickKind    = actors.RegisterMessage("adversary.tick", nil)
)

func (*met) Kind() actors.Kind     { return metKind }
func (*told) Kind() actors.Kind    { return toldKind }
func (*asked) Kind() actors.Kind   { return askedKind }
func (*ended) Kind() actors.Kind   { return endedKind }
func (*say) Kind() actors.Kind     { return sayKind }
func (*leave) Kind() actors.Kind   { return leaveKind }
func (*delayed) Kind() actors.Kind { return delayedKind }
func (*tick) Kind() actors.Kind    { return tickKind }

func (m *met) Append(b []byte) []byte {
	return actors.AppendString(append(b, m.id[:]...), m.address.String())
}
func (m *told) Append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(m.list)))
	for _, a := range m.list {
		b = actors.AppendString(b, a.String())
	}
	return b
}
func (m *asked) Append(b []byte) []byte { return binary.AppendUvarint(b, uint64(m.n)) }
func (m *ended) Append(b []byte) []byte { return binary.AppendUvarint(b, uint64(m.why)) }
func (m *leave) Append(b []byte) []byte { return binary.AppendUvarint(b, uint64(m.why)) }
func (m *say) Append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(m.list)))
	for _, x := range m.list {
		b = x.Append(binary.LittleEndian.AppendUint64(b, x.Kind().Sum()))
	}
	return b
}

// Sum implements [actors.Summer]: what is said mostly knows its own.
func (m *say) Sum() uint64 {
	h := uint64(len(m.list))
	for _, x := range m.list {
		h = actors.Mix(actors.Mix(h, x.Kind().Sum()), actors.SumOf(x, nil))
	}
	return h
}
func (m *delayed) Append(b []byte) []byte {
	return m.frame.Append(actors.AppendRef(actors.AppendRef(b, m.from), m.to))
}
func (m *tick) Append(b []byte) []byte { return append(b, byte(*m)) }
