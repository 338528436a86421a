package sampling

import (
	"bytes"
	"reflect"
	"slices"
	"testing"

	"peernet/actors"
)

func TestMessagesRoundTrip(t *testing.T) {
	long := slices.Repeat([]Entry{{peer('a'), 1<<32 - 1}, {peer('b'), 127}, {peer('c'), 128}}, 341)
	for _, entries := range [][]Entry{nil, view("a0"), view("a0b7"), long} {
		for _, m := range []actors.Message{&Request{entries}, &Answer{entries}} {
			b := m.Append(nil)
			got, err := m.Kind().Decode(b)
			if err != nil || !reflect.DeepEqual(got, m) {
				t.Fatalf("%v: decoded %v, %v", m, got, err)
			}
			if size := actors.SizeOf(m); size != len(b) {
				t.Errorf("size %d of %d bytes", size, len(b))
			}
		}
	}
}

func TestMalformedMessages(t *testing.T) {
	entry := func(text string, age ...byte) []byte { return append(actors.AppendString(nil, text), age...) }
	good := append([]byte{1}, entry("ws://a:1", 5)...)
	for name, b := range map[string][]byte{
		"empty":                    {},
		"an entry is missing":      append([]byte{2}, good[1:]...),
		"bytes left over":          append(slices.Clone(good), 0),
		"the number of entries":    {0x81},
		"a long number":            append([]byte{0x81, 0}, good[1:]...),
		"no address":               append([]byte{1}, entry("", 5)...),
		"an address with a blank":  append([]byte{1}, entry("ws://a b:1", 5)...),
		"not canonical":            append([]byte{1}, entry("WS://a:1", 5)...),
		"the address is too short": {1, 200, 1, 'w'},
		"the address is too long":  append([]byte{1}, entry("ws://a:1/"+string(bytes.Repeat([]byte{'x'}, 300)), 5)...),
		"no age":                   append([]byte{1}, entry("ws://a:1")...),
		"an age beyond 32 bits":    append([]byte{1}, entry("ws://a:1", 0x80, 0x80, 0x80, 0x80, 0x10)...),
		"a number without end":     bytes.Repeat([]byte{0xff}, 12),
		"too many entries":         append([]byte{0x81, 0x08}, bytes.Repeat(good[1:], 1025)...),
	} {
		for _, kind := range []actors.Kind{requestKind, answerKind} {
			if m, err := kind.Decode(b); err == nil || m != nil {
				t.Errorf("%s: decoded %v, %v", name, m, err)
			}
		}
	}
	if _, err := requestKind.Decode(good); err != nil {
		t.Errorf("what the malformed ones are made of: %v", err)
	}
}
