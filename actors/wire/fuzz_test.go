package wire

import (
	"bytes"
	"reflect"
	"testing"

	"peernet/actors"
)

// FuzzDecoder gives a decoder any bytes in any split. The split must not
// matter, and whatever is decoded must survive a round trip.
func FuzzDecoder(f *testing.F) {
	vectors, stream := allVectors(f)
	f.Add(stream, uint64(1))
	for i, v := range vectors {
		f.Add(v.bytes, uint64(i))
	}
	for i, c := range hostile {
		f.Add([]byte(c.stream), uint64(i))
	}
	f.Fuzz(func(t *testing.T, stream []byte, seed uint64) {
		list, err := decodeSplit(stream, atOnce)
		for _, split := range []func(int) int{byByte, randomly(seed)} {
			again, errAgain := decodeSplit(stream, split)
			if errAgain != err {
				t.Errorf("error %v, in another split %v", err, errAgain)
			}
			checkMessages(t, again, list)
		}
		for _, m := range list {
			checkRoundTrip(t, m)
		}
	})
}

// checkRoundTrip checks that the encoding of a decoded message stands for the
// same message.
func checkRoundTrip(t *testing.T, m actors.Message) {
	t.Helper()
	if _, ok := m.(*Invalid); ok {
		return // never sent
	}
	encoding := m.Append(nil)
	if got := actors.SizeOf(m); got != len(encoding) {
		t.Errorf("size is %d, the encoding has %d: %s", got, len(encoding), describe(m))
	}
	again, err := m.Kind().Decode(encoding)
	if err != nil {
		t.Fatalf("%s does not come back: %v", describe(m), err)
	}
	if again.Kind() != m.Kind() || actors.SumOf(again, nil) != actors.SumOf(m, nil) {
		t.Errorf("comes back as\n%s, was\n%s", describe(again), describe(m))
	}
	if got := again.Append(nil); !bytes.Equal(got, encoding) {
		t.Errorf("encoding changes from\n%x to\n%x", encoding, got)
	}
}

// The bits of FuzzFrame's flags that are not a Has.
const (
	flagResponse = HasData << (1 + iota)
	flagLimit
	flagHello
	flagObserved
)

// FuzzFrame encodes any frame within the limits and decodes it again.
func FuzzFrame(f *testing.F) {
	full := uint8(HasReply | HasType | HasData | flagResponse | flagLimit | flagHello | flagObserved)
	f.Add("id", "", "search", "data", "", "", uint32(0), uint32(0), uint32(0), uint32(0), uint8(0))
	f.Add("id", "reply", "", "data", "", "", uint32(3), uint32(0), uint32(0), uint32(0), uint8(flagResponse|flagLimit))
	f.Add("id", "", "", "16 bytes of node", "lab", "tcp://host:1", uint32(0), uint32(1), uint32(3), uint32(10), full)
	f.Fuzz(func(t *testing.T, id, reply, typ, data, network, address string, hops, limit, version, wanted uint32, bits uint8) {
		flags := Has(bits)
		if id == "" {
			id = "x"
		}
		body := Body{
			ID: cut(id, IDMax), Reply: cut(reply, IDMax), Type: cut(typ, TypeMax), Data: cut(data, DataMax),
			Limit: limit, Has: flags & (HasReply | HasType | HasData),
		}
		if flags&flagHello != 0 {
			hello := &Hello{Version: max(version, 1), Network: cut(network, NetworkMax), Wanted: wanted}
			if a, err := actors.ParseAddress(address); err == nil {
				hello.Advertised = []actors.Address{a, actors.MustAddress("tcp://host:2")}
				if flags&flagObserved != 0 {
					hello.Observed = a
				}
			}
			body.Type, body.Hello = TypeHello, hello
		}
		frame := &Frame{Body: NewBody(body), Hops: hops, Response: flags&flagResponse != 0, LimitPresent: flags&flagLimit != 0}
		encoding := frame.Append(nil)
		if frame.Size() != len(encoding) {
			t.Errorf("size is %d, the encoding has %d", frame.Size(), len(encoding))
		}
		got, err := decodeOne(encoding)
		if err != nil {
			t.Fatal(err)
		}
		if got.(*Frame).Sum() != frame.Sum() {
			t.Errorf("sum is %x, was %x", got.(*Frame).Sum(), frame.Sum())
		}
		frame.LimitPresent = frame.LimitPresent || limit != 0 // it cannot be absent
		if !reflect.DeepEqual(got, actors.Message(frame)) {
			t.Errorf("comes back as\n%s, was\n%s", describe(got), describe(frame))
		}
	})
}

// cut returns at most n bytes of s.
func cut(s string, n int) string { return s[:min(len(s), n)] }
