// Package codec reads the canonical encodings that the messages of protocols share:
// unsigned varints, addresses as text, and lists of bounded length. What is not as it would
// be written is an error: a message has one encoding.
package codec

import (
	"encoding/binary"
	"errors"

	"peernet/actors"
)

// ErrBytes is the error for bytes that are no such message.
var ErrBytes = errors.New("codec: the bytes are no such message")

// A Reader reads an encoding from the front. After an error it reads zeros.
type Reader struct {
	Bytes []byte // that are left
	err   error
}

// Uint64 reads an unsigned varint that is at most limit.
func (r *Reader) Uint64(limit uint64) uint64 {
	v, n := binary.Uvarint(r.Bytes)
	if n <= 0 || v > limit || n > 1 && r.Bytes[n-1] == 0 {
		r.fail()
		return 0
	}
	r.Bytes = r.Bytes[n:]
	return v
}

// Number reads an unsigned varint of at most 32 bits.
func (r *Reader) Number() uint32 { return uint32(r.Uint64(1<<32 - 1)) }

// Bool reads a byte that is 0 or 1.
func (r *Reader) Bool() bool {
	if len(r.Bytes) == 0 || r.Bytes[0] > 1 {
		r.fail()
		return false
	}
	is := r.Bytes[0] == 1
	r.Bytes = r.Bytes[1:]
	return is
}

// Address reads an address, as [actors.AppendString] writes its text.
func (r *Reader) Address() (a actors.Address) {
	n := r.Number()
	if int64(n) > int64(len(r.Bytes)) {
		r.fail()
		return a
	}
	text := string(r.Bytes[:n])
	a, err := actors.ParseAddress(text)
	if err != nil || a.String() != text {
		r.fail()
		return actors.Address{}
	}
	r.Bytes = r.Bytes[n:]
	return a
}

// Length reads the length of a list, which is at most limit.
func (r *Reader) Length(limit int) int { return int(r.Uint64(uint64(limit))) }

// End returns the error of all that was read, or that there is more.
func (r *Reader) End() error {
	if r.err == nil && len(r.Bytes) > 0 {
		r.fail()
	}
	return r.err
}

func (r *Reader) fail() { r.Bytes, r.err = nil, ErrBytes }

// AppendNumber adds a number.
func AppendNumber(b []byte, n uint32) []byte { return binary.AppendUvarint(b, uint64(n)) }

// AppendBool adds a byte.
func AppendBool(b []byte, is bool) []byte {
	if is {
		return append(b, 1)
	}
	return append(b, 0)
}

// AppendAddress adds an address.
func AppendAddress(b []byte, a actors.Address) []byte { return actors.AppendString(b, a.String()) }

// AppendAddresses adds a list of addresses.
func AppendAddresses(b []byte, all []actors.Address) []byte {
	b = AppendNumber(b, uint32(len(all)))
	for _, a := range all {
		b = AppendAddress(b, a)
	}
	return b
}

// Addresses reads a list of at most limit addresses.
func (r *Reader) Addresses(limit int) []actors.Address {
	all := make([]actors.Address, r.Length(limit))
	for i := range all {
		all[i] = r.Address()
	}
	return all
}
