package swim

import (
	"encoding/binary"

	"peernet/actors"
	"peernet/experiments/protocols/codec"
)

// An Update is what is piggybacked: the state of a member.
type Update struct {
	State       State
	Member      int
	Incarnation uint64
	Accuser     int // who found it out
}

// A Ping asks for an Ack.
type Ping struct {
	Seq     uint64 // the sender's
	Updates []Update
}

// An Ack answers a Ping, or a PingReq whose target has answered.
type Ack struct {
	Seq     uint64 // of the Ping or PingReq
	Updates []Update
}

// A PingReq asks a member to ping another one.
type PingReq struct {
	Seq     uint64
	Target  int
	Updates []Update
}

// A Nack says that the target of a PingReq has not answered yet.
type Nack struct{ Seq uint64 }

// Announce has a member tell that it is alive, in a new incarnation, as one that joins
// does.
type Announce struct{}

// Timers.
type (
	tick     struct{}
	timeout  struct{ seq uint64 }
	deadline struct{ seq uint64 }
	relayed  struct {
		seq  uint64
		nack bool
	}
	expired struct {
		member int
		timer  uint64
	}
)

var (
	pingKind     = actors.RegisterMessage("swim.ping", decodePing)
	ackKind      = actors.RegisterMessage("swim.ack", decodeAck)
	pingReqKind  = actors.RegisterMessage("swim.ping_req", decodePingReq)
	nackKind     = actors.RegisterMessage("swim.nack", decodeNack)
	announceKind = actors.RegisterMessage("swim.announce", nil)
	tickKind     = actors.RegisterMessage("swim.tick", nil)
	timeoutKind  = actors.RegisterMessage("swim.timeout", nil)
	deadlineKind = actors.RegisterMessage("swim.deadline", nil)
	relayedKind  = actors.RegisterMessage("swim.relayed", nil)
	expiredKind  = actors.RegisterMessage("swim.expired", nil)
)

func decodePing(b []byte) (actors.Message, error) {
	r := codec.Reader{Bytes: b}
	m := &Ping{r.Uint64(1<<64 - 1), readUpdates(&r)}
	return m, r.End()
}

func decodeAck(b []byte) (actors.Message, error) {
	r := codec.Reader{Bytes: b}
	m := &Ack{r.Uint64(1<<64 - 1), readUpdates(&r)}
	return m, r.End()
}

func decodePingReq(b []byte) (actors.Message, error) {
	r := codec.Reader{Bytes: b}
	m := &PingReq{r.Uint64(1<<64 - 1), readMember(&r), readUpdates(&r)}
	return m, r.End()
}

func decodeNack(b []byte) (actors.Message, error) {
	r := codec.Reader{Bytes: b}
	m := &Nack{r.Uint64(1<<64 - 1)}
	return m, r.End()
}

// numberMost bounds numbers, so that none overflows by being counted up.
const numberMost = 1<<31 - 1

func readMember(r *codec.Reader) int { return r.Length(numberMost) }

func readUpdates(r *codec.Reader) (updates []Update) {
	for range r.Length(255) {
		state := State(r.Length(int(Failed)))
		updates = append(updates, Update{state, readMember(r), r.Uint64(numberMost), readMember(r)})
	}
	return updates
}

func appendUpdates(b []byte, updates []Update) []byte {
	b = binary.AppendUvarint(b, uint64(len(updates)))
	for _, u := range updates {
		b = binary.AppendUvarint(append(b, byte(u.State)), uint64(u.Member))
		b = binary.AppendUvarint(b, u.Incarnation)
		b = binary.AppendUvarint(b, uint64(u.Accuser))
	}
	return b
}
