package freenet

import (
	"bytes"
	"testing"

	"peernet/actors"
)

func samples() []actors.Message {
	return []actors.Message{
		&Request{}, &Request{ID: 1, Key: 2, Insert: true, HTL: 3, Hops: 4, Depth: 5, Source: address(6)}, &Request{ID: 1 << 60, Probe: true},
		&Accepted{7}, &Refused{8}, &Failed{9, 10, 11}, &Data{12, address(3), true, 13, 14, 15}, &Announce{address(4), 2},
	}
}

func TestMessagesComeBack(t *testing.T) {
	for _, m := range samples() {
		b := m.Append(nil)
		back, err := m.Kind().Decode(b)
		if err != nil || !bytes.Equal(back.Append(nil), b) || back.Kind() != m.Kind() {
			t.Errorf("%T: %+v, %v", m, back, err)
		}
	}
}

func TestMalformedMessages(t *testing.T) {
	for _, m := range samples() {
		b := m.Append(nil)
		for n := range len(b) {
			// An address may be valid without its end: only what is before it counts.
			if back, err := m.Kind().Decode(b[:n]); err == nil && bytes.Equal(back.Append(nil), b) {
				t.Errorf("%T cut to %d bytes is the same", m, n)
			} else if err == nil && n < 12 {
				t.Errorf("%T cut to %d bytes: decoded", m, n)
			}
		}
		if _, err := m.Kind().Decode(append(b, '!')); err == nil {
			t.Errorf("%T with a byte more: decoded", m)
		}
	}
	flags := (&Request{}).Append(nil)
	flags[2] = 4
	stored := (&Data{Source: address(1)}).Append(nil)
	stored[4] = 2
	none := (&Announce{address(1), 0}).Append(nil)
	long := append((&Data{Source: address(1)}).Append(nil), bytes.Repeat([]byte("1"), actors.AddressMax)...)
	for name, c := range map[string]struct {
		kind  actors.Kind
		bytes []byte
	}{"flags": {requestKind, flags}, "stored": {dataKind, stored}, "no hops": {announceKind, none}, "address": {dataKind, long}} {
		if _, err := c.kind.Decode(c.bytes); err == nil {
			t.Errorf("%s: decoded", name)
		}
	}
}
