package swim

import (
	"encoding/binary"

	"peernet/actors"
)

// Kind implements [actors.Message].
func (*Ping) Kind() actors.Kind { return pingKind }

// Append implements [actors.Message].
func (m *Ping) Append(b []byte) []byte { return appendUpdates(number(b, m.Seq), m.Updates) }

// Kind implements [actors.Message].
func (*Ack) Kind() actors.Kind { return ackKind }

// Append implements [actors.Message].
func (m *Ack) Append(b []byte) []byte { return appendUpdates(number(b, m.Seq), m.Updates) }

// Kind implements [actors.Message].
func (*PingReq) Kind() actors.Kind { return pingReqKind }

// Append implements [actors.Message].
func (m *PingReq) Append(b []byte) []byte {
	return appendUpdates(number(number(b, m.Seq), uint64(m.Target)), m.Updates)
}

// Kind implements [actors.Message].
func (*Nack) Kind() actors.Kind { return nackKind }

// Append implements [actors.Message].
func (m *Nack) Append(b []byte) []byte { return number(b, m.Seq) }

// Kind implements [actors.Message].
func (*Announce) Kind() actors.Kind { return announceKind }

// Append implements [actors.Message].
func (*Announce) Append(b []byte) []byte { return b }

func (*tick) Kind() actors.Kind     { return tickKind }
func (*timeout) Kind() actors.Kind  { return timeoutKind }
func (*deadline) Kind() actors.Kind { return deadlineKind }
func (*relayed) Kind() actors.Kind  { return relayedKind }
func (*expired) Kind() actors.Kind  { return expiredKind }

func (*tick) Append(b []byte) []byte       { return b }
func (m *timeout) Append(b []byte) []byte  { return number(b, m.seq) }
func (m *deadline) Append(b []byte) []byte { return number(b, m.seq) }
func (m *expired) Append(b []byte) []byte  { return number(number(b, uint64(m.member)), m.timer) }
func (m *relayed) Append(b []byte) []byte {
	if m.nack {
		return append(number(b, m.seq), 1)
	}
	return append(number(b, m.seq), 0)
}

func number(b []byte, x uint64) []byte { return binary.AppendUvarint(b, x) }
