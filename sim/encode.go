package sim

import (
	"fmt"

	"peernet/actors"
)

// encoded is a message on its way over an encoded link.
type encoded struct {
	kind  actors.Kind
	bytes []byte
}

// Kind implements [actors.Message].
func (m *encoded) Kind() actors.Kind { return m.kind }

// Append implements [actors.Message].
func (m *encoded) Append(b []byte) []byte { return append(b, m.bytes...) }

// Size implements [actors.Sizer].
func (m *encoded) Size() int { return len(m.bytes) }

// decode turns what arrives over an encoded link into a message, through the
// link's stream decoder if the simulation has one.
func (e *endpoint) decode(s *Simulation, m *encoded) actors.Message {
	if s.config.NewDecoder == nil {
		return m.decode()
	}
	d := e.stream(s)
	_, _ = d.Write(m.bytes) // errors come from Next
	out, err := d.Next()
	if err != nil || out == nil {
		panic(fmt.Sprintf("sim: %s does not survive encoding: %v", m.kind, err))
	}
	return out
}

// decode reads a message by its registered kind.
func (m *encoded) decode() actors.Message {
	out, err := m.kind.Decode(m.bytes)
	if err != nil {
		panic(fmt.Sprintf("sim: %s does not survive encoding: %v", m.kind, err))
	}
	return out
}

func (e *endpoint) stream(s *Simulation) actors.Decoder {
	rare := e.needRare()
	if rare.decoder == nil {
		rare.decoder = s.config.NewDecoder()
	}
	return rare.decoder
}

// Bytes are raw bytes for a link, for actors that play a hostile or foreign
// peer. At the other end they go through the stream decoder of the protocol,
// Config.NewDecoder, on typed and encoded links alike: what arrives is what the
// decoder makes of them, an *actors.LinkMalformed in the worst case.
type Bytes string

var bytesKind = actors.RegisterMessage("sim.bytes", nil)

// Kind implements [actors.Message].
func (Bytes) Kind() actors.Kind { return bytesKind }

// Append implements [actors.Message].
func (m Bytes) Append(b []byte) []byte { return append(b, m...) }

// Size implements [actors.Sizer].
func (m Bytes) Size() int { return len(m) }

// arriveBytes decodes raw bytes and hands over what comes out.
func (x *exec) arriveBytes(e *endpoint, m Bytes) {
	d := e.stream(x.sim)
	rare := e.needRare()
	if _, err := d.Write([]byte(m)); err != nil || rare.malformed {
		return
	}
	for e.state == endOpen {
		out, err := d.Next()
		switch {
		case err != nil:
			rare.malformed = true
			x.arrive(e, &actors.LinkMalformed{Reason: err.Error()})
			return
		case out == nil:
			return
		}
		x.arrive(e, out)
	}
}
