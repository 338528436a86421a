package wire

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"peernet/actors"
)

// Errors of a [Decoder]; the stream cannot be used after one.
var (
	ErrLength    = errors.New("wire: frame length is no varint")
	ErrTooLong   = errors.New("wire: frame is longer than the limit")
	ErrMalformed = errors.New("wire: frame body is malformed")
)

// Reasons of an [Invalid].
const (
	InvalidMissing  = "missing id or hops"
	InvalidOversize = "oversize field"
)

// A Decoder reads frames from a stream of bytes. The zero Decoder is ready.
// It implements [actors.Decoder].
type Decoder struct {
	buf []byte // from off on: bytes not consumed yet
	off int
	err error
}

// Write implements [actors.Decoder]. It never fails; errors come from Next.
// Call Next until it returns nil before writing more: then the decoder holds
// an unfinished frame and nothing else.
func (d *Decoder) Write(p []byte) (int, error) {
	if d.err != nil {
		return len(p), nil
	}
	// What is left moves only if as much was consumed, so that moving costs
	// linear time however calls of Write and Next alternate.
	if d.off >= d.Buffered() {
		n := copy(d.buf, d.buf[d.off:])
		d.buf, d.off = d.buf[:n], 0
	}
	d.buf = append(d.buf, p...)
	return len(p), nil
}

// Next implements [actors.Decoder].
func (d *Decoder) Next() (actors.Message, error) {
	for d.err == nil {
		body, n, err := nextFrame(d.buf[d.off:])
		if err != nil {
			d.fail(err)
			break
		}
		if n == 0 {
			d.shrink()
			return nil, nil
		}
		d.off += n
		m, err := decodeMessage(body)
		if err != nil {
			d.fail(err)
			break
		}
		if m != nil {
			return m, nil
		}
	}
	return nil, d.err
}

// Buffered returns how many bytes the decoder holds.
func (d *Decoder) Buffered() int { return len(d.buf) - d.off }

func (d *Decoder) fail(err error) {
	d.err = err
	d.buf, d.off = nil, 0
}

// shrink lets go of the buffer when all of it was consumed, and of one that a
// burst made much larger than a frame.
func (d *Decoder) shrink() {
	if rest := d.buf[d.off:]; len(rest) == 0 || cap(d.buf) > 2*FrameMax {
		d.buf, d.off = append([]byte(nil), rest...), 0
	}
}

// nextFrame returns the body of the first frame in b and the length of the
// frame with its prefix; n is 0 when more bytes are needed. Zero lengths are
// frames with an empty body.
func nextFrame(b []byte) (body []byte, n int, err error) {
	var size uint64
	for i, c := range b {
		if i == 9 && c > 1 { // it goes on, or has more than 64 bits
			return nil, 0, ErrLength
		}
		size |= uint64(c&0x7f) << (7 * i)
		if size > FrameMax {
			return nil, 0, ErrTooLong
		}
		if c < 0x80 {
			head := i + 1
			if len(b)-head < int(size) {
				return nil, 0, nil
			}
			return b[head : head+int(size)], head + int(size), nil
		}
	}
	return nil, 0, nil
}

// decodeOne reads one frame, its prefix included; it is the decoder of the
// kinds in this package.
func decodeOne(b []byte) (actors.Message, error) {
	body, n, err := nextFrame(b)
	if err != nil {
		return nil, err
	}
	if n == 0 || n != len(b) {
		return nil, fmt.Errorf("%w: not exactly one frame", ErrMalformed)
	}
	m, err := decodeMessage(body)
	if err == nil && m == nil {
		err = fmt.Errorf("%w: no known member", ErrMalformed)
	}
	return m, err
}

// decodeMessage reads a Message. It returns nil for one without any member
// that it knows. Where there are several the last one counts, and nothing of
// the others.
func decodeMessage(b []byte) (actors.Message, error) {
	var m actors.Message
	err := eachField(b, func(n protowire.Number, t protowire.Type, v value) error {
		if n != memberRequest && n != memberResponse && (n < memberAddressRequest || n > memberGoodbye) {
			return nil
		}
		if t != protowire.BytesType {
			return ErrMalformed
		}
		var err error
		switch n {
		case memberRequest, memberResponse:
			m, err = decodeAnnounce(v.bytes, n == memberResponse)
		case memberAddresses:
			m, err = decodeAddresses(v.bytes)
		default:
			m, err = decodeScalar(n, v.bytes)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

func decodeAnnounce(b []byte, response bool) (actors.Message, error) {
	f := Frame{Response: response}
	var body Body
	var hello Hello
	var hasID, hasHops, oversize bool
	text := func(dst *string, has Has, v value, limit int) {
		if len(v.bytes) > limit {
			oversize = true
			return
		}
		*dst = string(v.bytes)
		body.Has |= has
	}
	err := eachField(b, func(n protowire.Number, t protowire.Type, v value) error {
		want, known := announceTypes(n)
		if !known {
			return nil
		}
		if t != want {
			return ErrMalformed
		}
		switch n {
		case fieldID:
			text(&body.ID, 0, v, IDMax)
			hasID = true
		case fieldHops:
			f.Hops = uint32(v.number)
			hasHops = true
		case fieldReply:
			text(&body.Reply, HasReply, v, IDMax)
		case fieldType:
			text(&body.Type, HasType, v, TypeMax)
		case fieldData:
			text(&body.Data, HasData, v, DataMax)
		case fieldLimit:
			body.Limit = uint32(v.number)
			f.LimitPresent = true
		case fieldVersion:
			hello.Version = uint32(v.number)
		case fieldNetwork:
			text(&hello.Network, 0, v, NetworkMax)
		case fieldAdvertised:
			if len(hello.Advertised) == AdvertiseMax {
				return nil
			}
			if a, ok := decodeAddress(v.bytes); ok {
				hello.Advertised = append(hello.Advertised, a)
			}
		case fieldObserved:
			hello.Observed, _ = decodeAddress(v.bytes)
		case fieldWanted:
			hello.Wanted = uint32(v.number)
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case oversize:
		return &Invalid{InvalidOversize}, nil
	case !hasID || body.ID == "" || !hasHops:
		return &Invalid{InvalidMissing}, nil
	}
	if hello.Version != 0 && body.Type == TypeHello {
		body.Hello = &hello
	}
	f.Body = NewBody(body)
	return &f, nil
}

// announceTypes returns the wire type of a field of Announce.
func announceTypes(n protowire.Number) (t protowire.Type, known bool) {
	switch n {
	case fieldHops, fieldLimit, fieldVersion, fieldWanted:
		return protowire.VarintType, true
	case fieldID, fieldReply, fieldType, fieldData, fieldNetwork, fieldAdvertised, fieldObserved:
		return protowire.BytesType, true
	}
	return 0, false
}

func decodeAddress(b []byte) (actors.Address, bool) {
	if len(b) > actors.AddressMax {
		return actors.Address{}, false
	}
	a, err := actors.ParseAddress(string(b))
	return a, err == nil
}

func decodeAddresses(b []byte) (actors.Message, error) {
	var list []actors.Address
	bad := 0
	err := eachField(b, func(n protowire.Number, t protowire.Type, v value) error {
		if n != 1 {
			return nil
		}
		if t != protowire.BytesType {
			return ErrMalformed
		}
		if len(list) < AddressesMax {
			if a, ok := decodeAddress(v.bytes); ok {
				list = append(list, a)
				return nil
			}
		}
		bad++
		return nil
	})
	if err != nil {
		return nil, err
	}
	m := NewAddresses(list)
	m.Bad = bad
	return m, nil
}

// decodeScalar reads the members that hold one number in field 1.
func decodeScalar(member protowire.Number, b []byte) (actors.Message, error) {
	want := protowire.VarintType
	if member == memberPing || member == memberPong {
		want = protowire.Fixed64Type
	}
	var x uint64
	err := eachField(b, func(n protowire.Number, t protowire.Type, v value) error {
		if n != 1 {
			return nil
		}
		if t != want {
			return ErrMalformed
		}
		x = v.number
		return nil
	})
	if err != nil {
		return nil, err
	}
	switch member {
	case memberAddressRequest:
		return &AddressRequest{N: uint32(x)}, nil
	case memberPing:
		return &Ping{Nonce: x}, nil
	case memberPong:
		return &Pong{Nonce: x}, nil
	default:
		return &Goodbye{Reason: GoodbyeReason(x)}, nil
	}
}

// value is the content of one field.
type value struct {
	number uint64 // varint and fixed types
	bytes  []byte // bytes type; aliases the input
}

// eachField calls f for every field of b. Groups, which no version of the wire
// uses, are malformed: a frame of them nests deep enough to cost a megabyte of
// stack.
func eachField(b []byte, f func(protowire.Number, protowire.Type, value) error) error {
	for len(b) > 0 {
		n, t, k := protowire.ConsumeTag(b)
		if k < 0 {
			return ErrMalformed
		}
		b = b[k:]
		var v value
		switch t {
		case protowire.VarintType:
			v.number, k = protowire.ConsumeVarint(b)
		case protowire.Fixed32Type:
			var x uint32
			x, k = protowire.ConsumeFixed32(b)
			v.number = uint64(x)
		case protowire.Fixed64Type:
			v.number, k = protowire.ConsumeFixed64(b)
		case protowire.BytesType:
			v.bytes, k = protowire.ConsumeBytes(b)
		default:
			return ErrMalformed
		}
		if k < 0 {
			return ErrMalformed
		}
		if err := f(n, t, v); err != nil {
			return err
		}
		b = b[k:]
	}
	return nil
}
