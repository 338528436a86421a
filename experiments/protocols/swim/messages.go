package swim

import (
	"encoding/binary"
	"errors"
	"slices"

	"peernet/actors"
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
	r := reader{bytes: b}
	m := &Ping{r.number(), r.updates()}
	return m, r.end(m, b)
}

func decodeAck(b []byte) (actors.Message, error) {
	r := reader{bytes: b}
	m := &Ack{r.number(), r.updates()}
	return m, r.end(m, b)
}

func decodePingReq(b []byte) (actors.Message, error) {
	r := reader{bytes: b}
	m := &PingReq{r.number(), r.member(), r.updates()}
	return m, r.end(m, b)
}

func decodeNack(b []byte) (actors.Message, error) {
	r := reader{bytes: b}
	m := &Nack{r.number()}
	return m, r.end(m, b)
}

var errBytes = errors.New("swim: the bytes are no message")

// numberMost bounds numbers, so that none overflows by being counted up.
const numberMost = 1 << 31

// A reader reads the fields of a message; after one that is wrong, the rest is 0.
type reader struct {
	bytes  []byte
	failed bool
}

func (r *reader) number() uint64 {
	x, n := binary.Uvarint(r.bytes)
	if n <= 0 {
		r.failed, r.bytes = true, nil
		return 0
	}
	r.bytes = r.bytes[n:]
	return x
}

func (r *reader) member() int {
	x := r.number()
	if x >= numberMost {
		r.failed = true
		return 0
	}
	return int(x)
}

func (r *reader) updates() (updates []Update) {
	n := r.number()
	if n > 255 {
		r.failed = true
		return nil
	}
	for range n {
		u := Update{State(r.member()), r.member(), r.number(), r.member()}
		if r.failed || u.State > Failed || u.Incarnation >= numberMost {
			r.failed = true
			return nil
		}
		updates = append(updates, u)
	}
	return updates
}

// end returns an error unless the bytes were the canonical encoding of m.
func (r *reader) end(m actors.Message, b []byte) error {
	if r.failed || !slices.Equal(m.Append(nil), b) {
		return errBytes
	}
	return nil
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
