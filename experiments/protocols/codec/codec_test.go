package codec_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"peernet/actors"
	"peernet/experiments/lab"
	"peernet/experiments/protocols/codec"
)

// What is written is read, one after another, and nothing is left.
func TestReaderReadsWhatWasWritten(t *testing.T) {
	some := lab.Addresses(5)
	var b []byte
	for _, n := range []uint32{0, 1, 127, 128, math.MaxUint32} {
		b = codec.AppendNumber(b, n)
	}
	b = codec.AppendBool(codec.AppendBool(b, true), false)
	b = codec.AppendAddress(b, some[3])
	b = codec.AppendAddresses(b, some)
	b = codec.AppendAddresses(b, nil)
	b = codec.AppendNumber(b, 10)

	r := codec.Reader{Bytes: b}
	for _, want := range []uint32{0, 1, 127, 128, math.MaxUint32} {
		if n := r.Number(); n != want {
			t.Errorf("%d was written, and %d read", want, n)
		}
	}
	if !r.Bool() || r.Bool() {
		t.Error("the truth was not read as it was written")
	}
	if a := r.Address(); a != some[3] {
		t.Errorf("read %v", a)
	}
	if all := r.Addresses(5); !slices.Equal(all, some) {
		t.Errorf("read %v", all)
	}
	if all := r.Addresses(0); len(all) > 0 {
		t.Errorf("read %v", all)
	}
	if n := r.Length(10); n != 10 {
		t.Errorf("read %d", n)
	}
	if err := r.End(); err != nil {
		t.Error(err)
	}
}

func TestMalformedBytesAreErrors(t *testing.T) {
	number := func(r *codec.Reader) any { return r.Number() }
	truth := func(r *codec.Reader) any { return r.Bool() }
	address := func(r *codec.Reader) any { return r.Address().IsZero() == false }
	length := func(r *codec.Reader) any { return r.Length(3) }
	list := func(r *codec.Reader) any { return len(r.Addresses(3)) }
	text := func(s string) string { return string(actors.AppendString(nil, s)) }
	a := text("ws://a:80")
	for name, test := range map[string]struct {
		read  func(*codec.Reader) any
		bytes string
	}{
		"no number":                          {number, ""},
		"number without an end":              {number, "\x80"},
		"number of very many bytes":          {number, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"},
		"number of 33 bits":                  {number, "\x80\x80\x80\x80\x10"},
		"number of 65 bits":                  {number, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"},
		"number of more bytes than it needs": {number, "\x80\x00"},
		"the same, of three":                 {number, "\xff\x80\x00"},
		"number and another byte":            {number, "\x01\x00"},
		"no truth":                           {truth, ""},
		"truth 2":                            {truth, "\x02"},
		"truth and another byte":             {truth, "\x01\x01"},
		"no address":                         {address, ""},
		"empty address":                      {address, text("")},
		"address cut short":                  {address, a[:len(a)-1]},
		"address without its text":           {address, a[:1]},
		"address without a host":             {address, text("ws://:80")},
		"address not as it is written":       {address, text("WS://a:80")},
		"address without its port":           {address, text("ws://a")},
		"address and another byte":           {address, a + "\x00"},
		"very long address":                  {address, "\xff\xff\xff\xff\x0f" + a},
		"length beyond the limit":            {length, "\x04"},
		"length far beyond it":               {length, "\xff\xff\xff\xff\x0f"},
		"list beyond the limit":              {list, "\x04" + a + a + a + a},
		"list that is short":                 {list, "\x03" + a + a},
		"list with an address that is none":  {list, "\x02" + a + text("b")},
		"list and another byte":              {list, "\x01" + a + "\x00"},
	} {
		r := codec.Reader{Bytes: slices.Clip([]byte(test.bytes))} // to read beyond the end is a panic
		got := test.read(&r)
		if err := r.End(); !errors.Is(err, codec.ErrBytes) {
			t.Errorf("%s: read %v, and the error is %v", name, got, err)
		}
	}
}

// What comes after an error is zero, whatever the bytes are, and the error stays.
func TestZerosAfterAnError(t *testing.T) {
	r := codec.Reader{Bytes: []byte("\x02\x05\x01\x01")}
	r.Bool()
	if n, is, a, all := r.Number(), r.Bool(), r.Address(), r.Addresses(9); n != 0 || is || !a.IsZero() || len(all) > 0 {
		t.Errorf("read %d, %v, %v, %v", n, is, a, all)
	}
	for range 2 {
		if r.End() == nil {
			t.Error("the error is gone")
		}
	}
}
