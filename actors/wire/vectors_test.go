package wire

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"reflect"
	"strings"
	"testing"

	"peernet/actors"
)

// A vector is one frame of a file in testdata, its length prefix included.
type vector struct {
	name  string
	bytes []byte
}

// A meaning is the message that a vector of that name stands for, built by the
// constructors.
type meaning struct {
	name string
	want actors.Message
}

// The ids of the two nodes whose greeting was captured.
var (
	nodeA = unhex("ff61921f88869b1c9fa18f15c4298fdd")
	nodeB = unhex("6aa96971a171b47f6dbd73bc1aa47714")
)

// meanings2 belongs to testdata/vectors.txt.
var meanings2 = []meaning{
	{"hello_request_a", &Frame{LimitPresent: true, Body: NewBody(Body{
		ID: unhex("b2f94c06"), Type: TypeHello, Data: nodeA, Limit: 1})}},
	{"addrs_request_a", &Frame{LimitPresent: true, Body: NewBody(Body{
		ID: unhex("afe9eff9"), Type: TypeAddresses, Data: `{"size":10}`, Limit: 1})}},
	{"hello_request_b", &Frame{LimitPresent: true, Body: NewBody(Body{
		ID: unhex("da4e26ea"), Type: TypeHello, Data: nodeB, Limit: 1})}},
	{"addrs_request_b", &Frame{LimitPresent: true, Body: NewBody(Body{
		ID: unhex("bf074ef7"), Type: TypeAddresses, Data: `{"size":10}`, Limit: 1})}},

	{"hello_response_b", &Frame{Response: true, Body: NewBody(Body{
		ID: unhex("da57193c"), Reply: unhex("b2f94c06"), Type: TypeHello, Data: nodeB})}},
	{"hello_response_a", &Frame{Response: true, Body: NewBody(Body{
		ID: unhex("ffa2ea53"), Reply: unhex("da4e26ea"), Type: TypeHello, Data: nodeA})}},

	{"addrs_response_ws", &Frame{Response: true, LimitPresent: true, Body: NewBody(Body{
		ID: unhex("f45d7e46"), Reply: unhex("afe9eff9"), Type: TypeAddresses, Data: "ws://10.0.0.1:1111", Limit: 1})}},
	{"addrs_response_tcp", &Frame{Response: true, LimitPresent: true, Body: NewBody(Body{
		ID: unhex("5eb560de"), Reply: unhex("bf074ef7"), Type: TypeAddresses, Data: "tcp://10.0.0.4:4444", Limit: 1})}},

	{"announce", &Frame{Body: NewBody(Body{
		ID: unhex("13e445a1"), Type: "search", Data: "whatever"})}},
	{"reply_data", &Frame{Response: true, LimitPresent: true, Body: NewBody(Body{
		ID: unhex("13e445a1"), Reply: unhex("13e445a1"), Type: "search", Data: "objreply"})}},
	{"reply_id_limit", &Frame{Response: true, LimitPresent: true, Body: NewBody(Body{
		ID: unhex("0badcafe"), Reply: unhex("a1a2a3a4"), Type: "search", Data: "objreply", Limit: 5})}},
	{"reply_string", &Frame{Response: true, LimitPresent: true, Body: NewBody(Body{
		ID: unhex("b1b2b3b4"), Type: "search", Data: "strreply"})}},

	{"forward_0", &Frame{Body: forwarded}},
	{"forward_1", &Frame{Body: forwarded, Hops: 1, LimitPresent: true}},
	{"forward_2", &Frame{Body: forwarded, Hops: 2, LimitPresent: true}},
	{"forward_3", &Frame{Body: forwarded, Hops: 3, LimitPresent: true}},
}

var forwarded = NewBody(Body{ID: unhex("aaaaaa01"), Type: "search", Data: "q"})

// meanings3 belongs to testdata/vectors3.txt.
var meanings3 = []meaning{
	{"hello_full", &Frame{LimitPresent: true, Body: NewBody(Body{
		ID: unhex("a1a2a3a4a5a6a7a8"), Type: TypeHello, Data: unhex("00112233445566778899aabbccddeeff"), Limit: 1,
		Hello: &Hello{
			Version:    3,
			Network:    "lab",
			Advertised: []actors.Address{actors.MustAddress("ws://10.0.0.1:1111"), actors.MustAddress("tcp://10.0.0.1:2222")},
			Observed:   actors.MustAddress("tcp://10.0.0.2:40000"),
			Wanted:     10,
		}})}},
	{"hello_bare", &Frame{LimitPresent: true, Body: NewBody(Body{
		ID: unhex("b1b2b3b4b5b6b7b8"), Type: TypeHello, Data: unhex("00112233445566778899aabbccddeeff"), Limit: 1,
		Hello: &Hello{Version: 3}})}},
	{"address_request", &AddressRequest{N: 10}},
	{"addresses", NewAddresses([]actors.Address{
		actors.MustAddress("ws://10.0.0.1:1111"), actors.MustAddress("tcp://[2001:db8::4]:4444")})},
	{"addresses_none", NewAddresses(nil)},
	{"ping", &Ping{Nonce: 0x1122334455667788}},
	{"pong", &Pong{Nonce: 0x1122334455667788}},
	{"goodbye", &Goodbye{Reason: GoodbyeDuplicate}},
}

// readVectors reads a file in testdata.
func readVectors(t testing.TB, file string) (list []vector) {
	t.Helper()
	text, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, digits, ok := strings.Cut(line, ": ")
		b, err := hex.DecodeString(digits)
		if !ok || err != nil {
			t.Fatalf("%s: want \"name: hex\", have %q", file, line)
		}
		list = append(list, vector{name, b})
	}
	return list
}

// allVectors reads the vectors of both versions, and puts them in one stream
// as well.
func allVectors(t testing.TB) (list []vector, stream []byte) {
	list = append(readVectors(t, "vectors.txt"), readVectors(t, "vectors3.txt")...)
	for _, v := range list {
		stream = append(stream, v.bytes...)
	}
	return list, stream
}

// unhex returns the bytes of hexadecimal digits, spaces ignored.
func unhex(digits string) string {
	b, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
	if err != nil {
		panic(err)
	}
	return string(b)
}

// describe writes a message out for a failure to show.
func describe(m actors.Message) string {
	if f, ok := m.(*Frame); ok {
		return fmt.Sprintf("%+v body %+v hello %+v", *f, *f.Body, f.Body.Hello)
	}
	return fmt.Sprintf("%T %+v", m, m)
}

func TestVectors(t *testing.T) {
	files := []struct {
		name     string
		meanings []meaning
	}{
		{"vectors.txt", meanings2},
		{"vectors3.txt", meanings3},
	}
	for _, file := range files {
		vectors := readVectors(t, file.name)
		if len(vectors) != len(file.meanings) {
			t.Fatalf("%s has %d vectors, want %d", file.name, len(vectors), len(file.meanings))
		}
		for i, v := range vectors {
			t.Run(v.name, func(t *testing.T) {
				if v.name != file.meanings[i].name {
					t.Fatalf("vector %d is %q, want %q", i, v.name, file.meanings[i].name)
				}
				checkVector(t, v.bytes, file.meanings[i].want)
			})
		}
	}
}

// checkVector checks both ways between bytes and the message they stand for.
func checkVector(t *testing.T, frame []byte, want actors.Message) {
	t.Helper()
	var d Decoder
	d.Write(frame)
	m, err := d.Next()
	if err != nil || m == nil {
		t.Fatalf("decodes to %v, %v", m, err)
	}
	if !reflect.DeepEqual(m, want) {
		t.Fatalf("decodes to\n%s, want\n%s", describe(m), describe(want))
	}
	if d.Buffered() != 0 {
		t.Errorf("%d bytes are left over", d.Buffered())
	}
	if m, err := want.Kind().Decode(frame); err != nil || !reflect.DeepEqual(m, want) {
		t.Errorf("Kind.Decode gives %v, %v", m, err)
	}
	for _, m := range []actors.Message{m, want} {
		if got := m.Append([]byte("before")); string(got) != "before"+string(frame) {
			t.Errorf("encodes to\n%x, want\n%x", got[len("before"):], frame)
		}
		if got := actors.SizeOf(m); got != len(frame) {
			t.Errorf("size is %d, want %d", got, len(frame))
		}
	}
	if got, want := actors.SumOf(m, nil), actors.SumOf(want, nil); got != want {
		t.Errorf("sum of the decoded message is %x, of the constructed one %x", got, want)
	}
}

// A forwarder writes what an original forwards, from the very body it received.
func TestForward(t *testing.T) {
	var line [][]byte
	for _, v := range readVectors(t, "vectors.txt") {
		if strings.HasPrefix(v.name, "forward_") {
			line = append(line, v.bytes)
		}
	}
	m, err := decodeOne(line[0])
	if err != nil {
		t.Fatal(err)
	}
	arrived := m.(*Frame)
	for hops := 1; hops < len(line); hops++ {
		out := Frame{Body: arrived.Body, Hops: uint32(hops), LimitPresent: true}
		if got := out.Append(nil); !bytes.Equal(got, line[hops]) {
			t.Errorf("with %d hops: %x, want %x", hops, got, line[hops])
		}
	}
}

// LimitPresent is about a zero limit alone.
func TestLimitPresent(t *testing.T) {
	for _, c := range []struct {
		limit          uint32
		absent, filled string // with LimitPresent false and true
	}{
		{0, "070a050a01781000", "090a070a017810003000"},
		{1, "090a070a017810003001", "090a070a017810003001"},
	} {
		b := NewBody(Body{ID: "x", Limit: c.limit})
		absent, filled := &Frame{Body: b}, &Frame{Body: b, LimitPresent: true}
		for _, x := range []struct {
			f    *Frame
			want string
		}{{absent, c.absent}, {filled, c.filled}} {
			if got := hex.EncodeToString(x.f.Append(nil)); got != x.want || 2*x.f.Size() != len(x.want) {
				t.Errorf("limit %d, present %v: %s (size %d), want %s", c.limit, x.f.LimitPresent, got, x.f.Size(), x.want)
			}
		}
		if same := absent.Sum() == filled.Sum(); same != (c.absent == c.filled) {
			t.Errorf("limit %d: sums are equal: %v", c.limit, same)
		}
	}
	// It stands before the extensions of a hello.
	checkVector(t, []byte(unhex("14 0a12 0a0178 1000 22065f68656c6c6f 3000 800103")),
		&Frame{LimitPresent: true, Body: NewBody(Body{ID: "x", Type: TypeHello, Hello: &Hello{Version: 3}})})
}

// Optional fields can be present and empty, and stay so.
func TestEmptyFields(t *testing.T) {
	for _, c := range []struct {
		digits string
		has    Has
	}{
		{"07 0a050a01781000", 0},
		{"09 0a070a017810001a00", HasReply},
		{"09 0a070a017810002200", HasType},
		{"09 0a070a017810002a00", HasData},
		{"0d 0a0b0a017810001a0022002a00", HasReply | HasType | HasData},
	} {
		checkVector(t, []byte(unhex(c.digits)), &Frame{Body: NewBody(Body{ID: "x", Has: c.has})})
	}
}

func TestControlRoundTrip(t *testing.T) {
	messages := []actors.Message{
		&AddressRequest{}, &AddressRequest{N: 1}, &AddressRequest{N: math.MaxUint32},
		&Ping{}, &Ping{Nonce: 1}, &Ping{Nonce: math.MaxUint64},
		&Pong{}, &Pong{Nonce: 1}, &Pong{Nonce: math.MaxUint64},
		&Goodbye{}, &Goodbye{Reason: GoodbyeSilent}, &Goodbye{Reason: 200}, &Goodbye{Reason: math.MaxUint32},
	}
	for _, m := range messages {
		if got, err := m.Kind().Decode(m.Append(nil)); err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("%s comes back as %v, %v", describe(m), got, err)
		}
	}
}

// Messages that differ in anything have different encodings and sums.
func TestSumTellsApart(t *testing.T) {
	a, b := actors.MustAddress("tcp://a:1"), actors.MustAddress("tcp://b:1")
	hello := func(h Hello) actors.Message {
		return &Frame{Body: NewBody(Body{ID: "x", Type: TypeHello, Hello: &h})}
	}
	plain := NewBody(Body{ID: "x"})
	messages := []actors.Message{
		&Frame{Body: plain},
		&Frame{Body: plain, Hops: 1},
		&Frame{Body: plain, Response: true},
		&Frame{Body: plain, LimitPresent: true},
		&Frame{Body: NewBody(Body{ID: "y"})},
		&Frame{Body: NewBody(Body{ID: "x", Has: HasReply})},
		&Frame{Body: NewBody(Body{ID: "x", Reply: "a"})},
		&Frame{Body: NewBody(Body{ID: "x", Has: HasType})},
		&Frame{Body: NewBody(Body{ID: "x", Type: "a"})},
		&Frame{Body: NewBody(Body{ID: "x", Has: HasData})},
		&Frame{Body: NewBody(Body{ID: "x", Data: "a"})},
		&Frame{Body: NewBody(Body{ID: "x", Limit: 1})},
		&Frame{Body: NewBody(Body{ID: "x", Type: TypeHello})},
		hello(Hello{Version: 3}),
		hello(Hello{Version: 4}),
		hello(Hello{Version: 3, Network: "a"}),
		hello(Hello{Version: 3, Advertised: []actors.Address{a}}),
		hello(Hello{Version: 3, Advertised: []actors.Address{a, b}}),
		hello(Hello{Version: 3, Advertised: []actors.Address{b, a}}),
		hello(Hello{Version: 3, Observed: a}),
		hello(Hello{Version: 3, Wanted: 1}),
		NewAddresses(nil),
		NewAddresses([]actors.Address{a}),
		NewAddresses([]actors.Address{a, b}),
		NewAddresses([]actors.Address{b, a}),
		&AddressRequest{N: 1}, &AddressRequest{N: 2},
		&Ping{Nonce: 1}, &Ping{Nonce: 2}, &Pong{Nonce: 1},
		&Goodbye{Reason: 1}, &Goodbye{Reason: 2},
	}
	encodings, sums := map[string]string{}, map[uint64]string{}
	for _, m := range messages {
		text := describe(m)
		encoding, sum := string(m.Append(nil)), actors.SumOf(m, nil)
		if other, ok := encodings[encoding]; ok {
			t.Errorf("one encoding for\n%s and\n%s", other, text)
		}
		if other, ok := sums[sum]; ok {
			t.Errorf("one sum for\n%s and\n%s", other, text)
		}
		encodings[encoding], sums[sum] = text, text
	}
}

// The largest messages that keep to the limits fit a frame.
func TestLargestFit(t *testing.T) {
	long := actors.MustAddress("tcp://" + strings.Repeat("a", actors.AddressMax-len("tcp://:1")) + ":1")
	if n := len(long.String()); n != actors.AddressMax {
		t.Fatalf("the address has %d bytes, want %d", n, actors.AddressMax)
	}
	list := make([]actors.Address, AddressesMax)
	for i := range list {
		list[i] = long
	}
	messages := []actors.Message{
		NewAddresses(list),
		&Frame{Hops: math.MaxUint32, Response: true, LimitPresent: true, Body: NewBody(Body{
			ID: strings.Repeat("i", IDMax), Reply: strings.Repeat("r", IDMax),
			Type: TypeHello, Data: strings.Repeat("d", DataMax), Limit: math.MaxUint32,
			Hello: &Hello{
				Version: math.MaxUint32, Network: strings.Repeat("n", NetworkMax),
				Advertised: list[:AdvertiseMax], Observed: long, Wanted: math.MaxUint32,
			}})},
	}
	for _, m := range messages {
		got, err := m.Kind().Decode(m.Append(nil))
		if err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("%T of %d bytes comes back as %v, %v", m, actors.SizeOf(m), got, err)
		}
	}
}

func TestTooManyAddressesPanic(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a list beyond AddressesMax was accepted")
		}
	}()
	NewAddresses(make([]actors.Address, AddressesMax+1))
}

func TestGoodbyeReasonString(t *testing.T) {
	for _, c := range []struct {
		r    GoodbyeReason
		want string
	}{
		{0, "none"}, {GoodbyeShutdown, "shutdown"}, {GoodbyeDuplicate, "duplicate"}, {GoodbyeSilent, "silent"},
		{GoodbyeSilent + 1, "other"}, {1 << 31, "other"}, {math.MaxUint32, "other"},
	} {
		if got := c.r.String(); got != c.want {
			t.Errorf("reason %d is %q, want %q", uint32(c.r), got, c.want)
		}
	}
}
