package addrman

import (
	"bytes"
	"slices"
	"testing"

	"peernet/actors"
)

func TestMessagesComeBack(t *testing.T) {
	for _, m := range []actors.Message{version, verack, getAddr, &Addr{}, &Addr{[]Entry{{address(7), 0}, {address(300), 1 << 40}}}} {
		b := m.Append(nil)
		back, err := m.Kind().Decode(b)
		if err != nil || !bytes.Equal(back.Append(nil), b) || back.Kind() != m.Kind() {
			t.Errorf("%T: %v, %v", m, back, err)
		}
	}
}

func TestMalformedMessages(t *testing.T) {
	good := (&Addr{[]Entry{{address(7), 300}}}).Append(nil)
	other := func(i int, c byte) []byte { b := bytes.Clone(good); b[i] = c; return b }
	for name, b := range map[string][]byte{
		"nothing": nil, "cut": good[:len(good)-1], "cut in the address": good[:9], "more": append(bytes.Clone(good), 0),
		"count": other(0, 2), "length": other(1, 200), "no address": other(2, '!'),
		"too many":     (&Addr{slices.Repeat([]Entry{{address(7), 0}}, EntriesMax+1)}).Append(nil),
		"leading zero": append([]byte{0x81, 0x00}, good[1:]...),
	} {
		if m, err := addrKind.Decode(b); err == nil {
			t.Errorf("%s: decoded as %v", name, m)
		}
	}
	for _, m := range []actors.Message{version, verack, getAddr} {
		if _, err := m.Kind().Decode([]byte{0}); err == nil {
			t.Errorf("%T with a byte", m)
		}
	}
}
