package wire

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"peernet/actors"
)

// drain returns what a decoder has ready.
func drain(d *Decoder) (list []actors.Message, err error) {
	for {
		m, err := d.Next()
		if m == nil || err != nil {
			return list, err
		}
		list = append(list, m)
	}
}

// decodeSplit decodes a stream in chunks; next says how long the next chunk is
// when some bytes are left. What follows an error is written all the same.
func decodeSplit(stream []byte, next func(left int) int) (list []actors.Message, err error) {
	var d Decoder
	for len(stream) > 0 {
		n := next(len(stream))
		d.Write(stream[:n])
		stream = stream[n:]
		var more []actors.Message
		more, err = drain(&d)
		list = append(list, more...)
	}
	return list, err
}

// atOnce and byByte are the extreme splits, randomly is what lies between.
func atOnce(left int) int { return left }
func byByte(int) int      { return 1 }

func randomly(seed uint64) func(left int) int {
	r := rand.New(rand.NewPCG(seed, 0))
	return func(left int) int { return 1 + r.IntN(min(left, 1<<r.IntN(8))) }
}

// The parts of frames, for tests to write what the encoder never would.

func framed(body string) string     { return string(protowire.AppendString(nil, body)) }
func member(n int, s string) string { return text(n, s) }

func text(n int, s string) string {
	return string(appendStringField(nil, protowire.Number(n), s))
}

func number(n int, v uint64) string {
	return string(appendVarintField(nil, protowire.Number(n), v))
}

func fixed64(n int, v uint64) string {
	b := protowire.AppendTag(nil, protowire.Number(n), protowire.Fixed64Type)
	return string(protowire.AppendFixed64(b, v))
}

func fixed32(n int, v uint32) string {
	b := protowire.AppendTag(nil, protowire.Number(n), protowire.Fixed32Type)
	return string(protowire.AppendFixed32(b, v))
}

// idHops is the least that a request or response needs.
const idHops = "\x0a\x01x\x10\x00"

// A reading is what a decoder should make of a stream: the messages, then the
// error, if any.
type reading struct {
	name   string
	stream string
	want   []actors.Message
	err    error
}

func checkReadings(t *testing.T, list []reading) {
	t.Helper()
	for _, c := range list {
		t.Run(c.name, func(t *testing.T) {
			for _, split := range []func(int) int{atOnce, byByte} {
				got, err := decodeSplit([]byte(c.stream), split)
				if err != c.err {
					t.Errorf("error %v, want %v", err, c.err)
				}
				checkMessages(t, got, c.want)
			}
		})
	}
}

func checkMessages(t *testing.T, got, want []actors.Message) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			t.Errorf("message %d is missing: %s", i, describe(want[i]))
		case i >= len(want):
			t.Errorf("message %d is one too many: %s", i, describe(got[i]))
		case !reflect.DeepEqual(got[i], want[i]):
			t.Errorf("message %d is\n%s, want\n%s", i, describe(got[i]), describe(want[i]))
		}
	}
}

func one(m actors.Message) []actors.Message { return []actors.Message{m} }

// simple is the request idHops with some fields filled in.
func simple(b Body) *Frame {
	b.ID = "x"
	return &Frame{Body: NewBody(b)}
}

func TestSplits(t *testing.T) {
	_, stream := allVectors(t)
	var want []actors.Message
	for _, m := range slices.Concat(meanings2, meanings3) {
		want = append(want, m.want)
	}
	check := func(name string, split func(int) int) {
		t.Run(name, func(t *testing.T) {
			got, err := decodeSplit(stream, split)
			if err != nil {
				t.Error(err)
			}
			checkMessages(t, got, want)
		})
	}
	check("at once", atOnce)
	check("byte by byte", byByte)
	for seed := range uint64(20) {
		check(fmt.Sprintf("seed %d", seed), randomly(seed))
	}
}

// What a message holds is its own: neither the caller's buffer nor the
// decoder's may show through when it is used again.
func TestMessagesOwnTheirBytes(t *testing.T) {
	vectors, stream := allVectors(t)
	var d Decoder
	var got []actors.Message
	var buffer [50]byte
	for len(stream) > 0 {
		n := copy(buffer[:], stream)
		stream = stream[n:]
		d.Write(buffer[:n])
		clear(buffer[:])
		more, err := drain(&d)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, more...)
		clear(d.buf[:d.off]) // consumed
	}
	for i, v := range vectors {
		if string(got[i].Append(nil)) != string(v.bytes) {
			t.Errorf("%s was overwritten: %s", v.name, describe(got[i]))
		}
	}
}

// stretched is n as a varint of width bytes, minimal or not.
func stretched(n uint64, width int) string {
	b := make([]byte, width)
	for i := range b {
		b[i] = byte(n>>(7*i))&0x7f | 0x80
	}
	b[width-1] &= 0x7f
	return string(b)
}

func TestStretchedLengths(t *testing.T) {
	vectors, _ := allVectors(t)
	for width := 1; width <= 10; width++ {
		stream := ""
		for _, v := range vectors { // all shorter than 128 bytes, so one byte of prefix
			stream += stretched(uint64(v.bytes[0]), width) + string(v.bytes[1:]) + stretched(0, width)
		}
		for _, split := range []func(int) int{atOnce, byByte} {
			got, err := decodeSplit([]byte(stream), split)
			if err != nil || len(got) != len(vectors) {
				t.Fatalf("lengths of %d bytes: %d messages, %v; want %d", width, len(got), err, len(vectors))
			}
			for i, v := range vectors {
				if string(got[i].Append(nil)) != string(v.bytes) {
					t.Errorf("lengths of %d bytes: %s is %s", width, v.name, describe(got[i]))
				}
			}
		}
	}
}

// A length is judged at the first byte that shows what it is.
func TestLength(t *testing.T) {
	for _, c := range []struct {
		name, digits string
		at           int // bytes before the error; 0 if more bytes could follow
		err          error
	}{
		{"the longest allowed", "808001", 0, nil},
		{"one more", "818001", 3, ErrTooLong},
		{"two bytes cannot be too long", "ff7f", 0, nil},
		{"a prefix of 21 bits", "ffff01", 3, ErrTooLong},
		{"2^31", "8080808008", 5, ErrTooLong},
		{"2^32", "8080808010", 5, ErrTooLong},
		{"2^56-1 and more", "ffffffffffffff0f00", 3, ErrTooLong},
		{"2^63", "80808080808080808001", 10, ErrTooLong},
		{"2^64", "80808080808080808002", 10, ErrLength},
		{"2^64 and more bytes to come", "80808080808080808082", 10, ErrLength},
		{"nine bytes without end", "808080808080808080", 0, nil},
		{"zero in ten bytes", "80808080808080808000", 0, nil},
		{"zero in eleven bytes", "8080808080808080808000", 10, ErrLength},
		{"one in eleven bytes", "8180808080808080808000", 10, ErrLength},
		{"all ones", "ffffffffffffffffffff", 3, ErrTooLong},
	} {
		var d Decoder
		at, prefix := 0, unhex(c.digits)
		var err error
		for at < len(prefix) && err == nil {
			d.Write([]byte{prefix[at]})
			_, err = d.Next()
			at++
		}
		if err != c.err || err != nil && at != c.at {
			t.Errorf("%s: %v after %d bytes, want %v after %d", c.name, err, at, c.err, c.at)
		}
	}
}

func TestFrameLimit(t *testing.T) {
	// A request and a field that nobody knows fill the body.
	fill := func(size int) string {
		head := member(memberRequest, idHops)
		return head + text(31, strings.Repeat("z", size-len(head)-4)) // a tag and a length of 2 bytes each
	}
	full, over := fill(FrameMax), fill(FrameMax+1)
	if len(full) != FrameMax || len(over) != FrameMax+1 {
		t.Fatalf("bodies of %d and %d bytes", len(full), len(over))
	}
	checkReadings(t, []reading{
		{"limit", framed(full), one(simple(Body{})), nil},
		{"limit, twice", framed(full) + framed(full), []actors.Message{simple(Body{}), simple(Body{})}, nil},
		{"one more", framed(over), nil, ErrTooLong},
		{"one more behind a good one", framed(full) + framed(over), one(simple(Body{})), ErrTooLong},
	})
}

func TestUnknownIsSkipped(t *testing.T) {
	const most = 1<<29 - 1 // the highest field number there is
	var unknown []string
	for _, n := range []int{7, 15, 21, 31, most} {
		unknown = append(unknown, number(n, 1<<63), fixed32(n, 1), fixed64(n, 1), text(n, "what"))
	}
	all := strings.Join(unknown, "")
	checkReadings(t, []reading{
		{"zero length", "\x00\x00\x00", nil, nil},
		{"zero length between", "\x00" + framed(member(memberRequest, idHops)) + "\x00", one(simple(Body{})), nil},
		{"fields of Announce", framed(member(memberRequest, all+idHops+all)), one(simple(Body{})), nil},
		{"fields of Message", framed(all + member(memberRequest, idHops) + all), one(simple(Body{})), nil},
		{"fields of AddressRequest", framed(member(memberAddressRequest, all+number(1, 5)+all)), one(&AddressRequest{N: 5}), nil},
		{"fields of Addresses", framed(member(memberAddresses, all+text(1, "tcp://a:1")+all)),
			one(NewAddresses([]actors.Address{actors.MustAddress("tcp://a:1")})), nil},
		{"fields of Ping", framed(member(memberPing, all+fixed64(1, 5)+all)), one(&Ping{Nonce: 5}), nil},
		{"fields of Pong", framed(member(memberPong, all+fixed64(1, 5)+all)), one(&Pong{Nonce: 5}), nil},
		{"fields of Goodbye", framed(member(memberGoodbye, all+number(1, 5)+all)), one(&Goodbye{Reason: 5}), nil},
		{"no known member", framed(all) + framed(member(memberPing, "")), one(&Ping{}), nil},
		{"reason that nobody knows", framed(member(memberGoodbye, number(1, 77))), one(&Goodbye{Reason: 77}), nil},
		{"extension without a version", framed(member(memberRequest, idHops+text(fieldType, TypeHello)+text(fieldNetwork, "n"))),
			one(simple(Body{Type: TypeHello})), nil},
		{"extension of another type", framed(member(memberRequest, idHops+text(fieldType, "search")+number(fieldVersion, 3))),
			one(simple(Body{Type: "search"})), nil},
		{"later version", framed(member(memberRequest, idHops+text(fieldType, TypeHello)+number(fieldVersion, 4))),
			one(simple(Body{Type: TypeHello, Hello: &Hello{Version: 4}})), nil},
	})
}

func TestLastCounts(t *testing.T) {
	req, ping := member(memberRequest, idHops), member(memberPing, fixed64(1, 7))
	checkReadings(t, []reading{
		{"response behind request", framed(req + member(memberResponse, idHops)), one(&Frame{Response: true, Body: NewBody(Body{ID: "x"})}), nil},
		{"ping behind request", framed(req + ping), one(&Ping{Nonce: 7}), nil},
		{"request behind ping", framed(ping + req), one(simple(Body{})), nil},
		{"invalid behind request", framed(req + member(memberRequest, "")), one(&Invalid{InvalidMissing}), nil},
		{"request behind invalid", framed(member(memberRequest, "") + req), one(simple(Body{})), nil},
		{"members are not merged", framed(member(memberRequest, idHops+text(fieldData, "d")) + req), one(simple(Body{})), nil},
		{"malformed before request", framed(member(memberRequest, "\x0a") + req), nil, ErrMalformed},
		{"fields of Announce", framed(member(memberRequest, text(fieldID, "y")+number(fieldHops, 9)+text(fieldData, "1")+number(fieldLimit, 9)+
			idHops+text(fieldData, "2")+number(fieldLimit, 0))), one(&Frame{LimitPresent: true, Body: NewBody(Body{ID: "x", Data: "2"})}), nil},
		{"scalar", framed(member(memberAddressRequest, number(1, 5)+number(1, 6))), one(&AddressRequest{N: 6}), nil},
		// Protobuf has 32-bit fields keep the low bits of a longer number.
		{"hops beyond 32 bits", framed(member(memberRequest, idHops+number(fieldHops, 1<<32+5))), one(&Frame{Hops: 5, Body: NewBody(Body{ID: "x"})}), nil},
		{"reason beyond 32 bits", framed(member(memberGoodbye, number(1, 1<<32+1))), one(&Goodbye{Reason: 1}), nil},
	})
}

func TestLimits(t *testing.T) {
	z := func(n int) string { return strings.Repeat("z", n) }
	announce := func(fields string) string { return framed(member(memberRequest, idHops+fields)) }
	hello := func(fields string) string {
		return announce(text(fieldType, TypeHello) + number(fieldVersion, 3) + fields)
	}
	helloOf := func(h Hello) []actors.Message {
		h.Version = 3
		return one(simple(Body{Type: TypeHello, Hello: &h}))
	}
	oversize := one(&Invalid{InvalidOversize})
	longest := "tcp://" + z(actors.AddressMax-len("tcp://:1")) + ":1"
	list, fields := make([]actors.Address, AddressesMax), ""
	for i := range list {
		list[i] = actors.MustAddress(fmt.Sprintf("tcp://host:%d", i+1))
		fields += text(1, list[i].String())
	}
	dropped := func(n int, list ...actors.Address) []actors.Message {
		m := NewAddresses(list)
		m.Bad = n
		return one(m)
	}
	advertised := ""
	for _, a := range list[:AdvertiseMax+1] {
		advertised += text(fieldAdvertised, a.String())
	}
	checkReadings(t, []reading{
		{"id of 0 bytes", announce(text(fieldID, "")), one(&Invalid{InvalidMissing}), nil},
		{"id of 64 bytes", announce(text(fieldID, z(64))), one(&Frame{Body: NewBody(Body{ID: z(64)})}), nil},
		{"id of 65 bytes", announce(text(fieldID, z(65))), oversize, nil},
		{"reply of 64 bytes", announce(text(fieldReply, z(64))), one(simple(Body{Reply: z(64)})), nil},
		{"reply of 65 bytes", announce(text(fieldReply, z(65))), oversize, nil},
		{"type of 64 bytes", announce(text(fieldType, z(64))), one(simple(Body{Type: z(64)})), nil},
		{"type of 65 bytes", announce(text(fieldType, z(65))), oversize, nil},
		{"data of 1024 bytes", announce(text(fieldData, z(1024))), one(simple(Body{Data: z(1024)})), nil},
		{"data of 1025 bytes", announce(text(fieldData, z(1025))), oversize, nil},
		{"oversize once is enough", announce(text(fieldData, z(1025)) + text(fieldData, "d")), oversize, nil},
		{"network of 64 bytes", hello(text(fieldNetwork, z(64))), helloOf(Hello{Network: z(64)}), nil},
		{"network of 65 bytes", hello(text(fieldNetwork, z(65))), oversize, nil},
		{"advertised addresses", hello(advertised), helloOf(Hello{Advertised: list[:AdvertiseMax]}), nil},
		{"advertised, bad ones first", hello(text(fieldAdvertised, "foo:bar") + advertised), helloOf(Hello{Advertised: list[:AdvertiseMax]}), nil},
		{"observed", hello(text(fieldObserved, longest)), helloOf(Hello{Observed: actors.MustAddress(longest)}), nil},
		{"observed is bad", hello(text(fieldObserved, longest+"0")), helloOf(Hello{}), nil},
		{"observed ends bad", hello(text(fieldObserved, longest) + text(fieldObserved, "foo:bar")), helloOf(Hello{}), nil},
		{"address of 256 bytes", framed(member(memberAddresses, text(1, longest))), dropped(0, actors.MustAddress(longest)), nil},
		{"address of 257 bytes", framed(member(memberAddresses, text(1, longest+"0"))), dropped(1), nil},
		{"48 addresses", framed(member(memberAddresses, fields)), dropped(0, list...), nil},
		{"50 addresses", framed(member(memberAddresses, fields+text(1, "tcp://a:1")+text(1, "foo:bar"))), dropped(2, list...), nil},
		{"the stream goes on", announce(text(fieldID, z(65))) + announce(""), append(oversize, simple(Body{})), nil},
	})
}

// Addresses that do not parse are dropped and counted, one by one.
func TestBadAddresses(t *testing.T) {
	good := actors.MustAddress("ws://host:80")
	for _, bad := range []string{
		"", "foo:bar", "ws://", "ws://host:0", "ws://host:65536", "ws://ho st:1", "ws://h\x80st:1", "ws://user@host:1",
		// Their canonical form would have another canonical form, or none.
		"ws://host..:80", "ws://..:80",
	} {
		stream := framed(member(memberAddresses, text(1, bad)+text(1, good.String())))
		m, err := decodeOne([]byte(stream))
		if err != nil {
			t.Errorf("%q: %v", bad, err)
			continue
		}
		if got := m.(*Addresses); got.Bad != 1 || !slices.Equal(got.List, []actors.Address{good}) {
			t.Errorf("%q: %s", bad, describe(m))
		}
	}
	m, err := decodeOne([]byte(framed(member(memberAddresses, text(1, "WS://HOST/")))))
	if err != nil || !reflect.DeepEqual(m, NewAddresses([]actors.Address{good})) {
		t.Errorf("an address that is not canonical: %v, %v", m, err)
	}
}

// hostile are streams that hung, crashed or deafened nodes, or might. What
// follows in want is what must come of each.
var hostile = []reading{
	{"number without end", unhex("05 ffffffffff"), nil, ErrMalformed},
	{"unfinished number", unhex("01 80"), nil, ErrMalformed},
	{"huge length", unhex("ffffffffffffff0f 00"), nil, ErrTooLong},
	{"length without end", strings.Repeat("\x80", 100), nil, ErrLength},
	{"no id", unhex("04 0a02 1000"), one(&Invalid{InvalidMissing}), nil},
	{"no hops", unhex("05 0a03 0a0178"), one(&Invalid{InvalidMissing}), nil},
	{"neither", unhex("02 1200"), one(&Invalid{InvalidMissing}), nil},
	{"empty id", unhex("06 0a04 0a00 1000"), one(&Invalid{InvalidMissing}), nil},
	{"field number zero", unhex("02 0000"), nil, ErrMalformed},
	{"field number too high", unhex("06 808080804000"), nil, ErrMalformed},
	{"wire type 6", unhex("02 0e00"), nil, ErrMalformed},
	{"wire type 7", unhex("02 0f00"), nil, ErrMalformed},
	{"member longer than its frame", unhex("03 0a0578"), nil, ErrMalformed},
	{"field longer than its member", unhex("05 0a03 0a0578"), nil, ErrMalformed},
	{"field of 2^63 bytes", unhex("0b 0a80808080808080808001"), nil, ErrMalformed},
	{"short fixed32", unhex("04 3d000000"), nil, ErrMalformed},
	{"short fixed64", unhex("08 39 00000000000000"), nil, ErrMalformed},
	{"short nonce", unhex("06 920103 090102"), nil, ErrMalformed},
	{"request is a number", unhex("02 0801"), nil, ErrMalformed},
	{"ping is a number", unhex("03 900101"), nil, ErrMalformed},
	{"group", unhex("02 3b3c"), nil, ErrMalformed},
	{"end of a group", unhex("01 3c"), nil, ErrMalformed},
	{"nested groups", framed(strings.Repeat("\x3b", FrameMax/2) + strings.Repeat("\x3c", FrameMax/2)), nil, ErrMalformed},
	{"address of no scheme", framed(member(memberAddresses, text(1, "foo:bar"))), one(&Addresses{Bad: 1}), nil},
	{"address of two forms", framed(member(memberAddresses, text(1, "ws://host..:80"))), one(&Addresses{Bad: 1}), nil},
	{"random text", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" + strings.Repeat("x", 100), nil, ErrMalformed},
}

func TestHostile(t *testing.T) {
	checkReadings(t, hostile)
	// Behind an error nothing is read, behind anything else all is.
	ping := &Ping{Nonce: 7}
	for _, c := range hostile {
		stream := slices.Concat(ping.Append(nil), []byte(c.stream), ping.Append(nil))
		want := append(one(ping), c.want...)
		if c.err == nil {
			want = append(want, ping)
		}
		got, err := decodeSplit(stream, atOnce)
		if err != c.err {
			t.Errorf("%s: error %v, want %v", c.name, err, c.err)
		}
		checkMessages(t, got, want)
	}
}

// Every field that is known has one wire type, and any other is malformed.
func TestWrongTypes(t *testing.T) {
	types := map[protowire.Type]func(n int) string{
		protowire.VarintType:  func(n int) string { return number(n, 1) },
		protowire.Fixed32Type: func(n int) string { return fixed32(n, 1) },
		protowire.Fixed64Type: func(n int) string { return fixed64(n, 1) },
		protowire.BytesType:   func(n int) string { return text(n, "") },
	}
	check := func(n int, right protowire.Type, in func(field string) string) {
		for typ, write := range types {
			stream := framed(in(write(n)))
			_, err := decodeOne([]byte(stream))
			if wrong := typ != right; errors.Is(err, ErrMalformed) != wrong {
				t.Errorf("%x: type %d where %d is right gives %v", stream, typ, right, err)
			}
		}
	}
	for _, n := range []int{memberRequest, memberResponse, memberAddressRequest, memberAddresses, memberPing, memberPong, memberGoodbye} {
		check(n, protowire.BytesType, func(field string) string { return field })
	}
	for _, n := range []int{fieldID, fieldReply, fieldType, fieldData, fieldNetwork, fieldAdvertised, fieldObserved} {
		check(n, protowire.BytesType, func(field string) string { return member(memberRequest, idHops+field) })
	}
	for _, n := range []int{fieldHops, fieldLimit, fieldVersion, fieldWanted} {
		check(n, protowire.VarintType, func(field string) string { return member(memberRequest, idHops+field) })
	}
	for n, right := range map[int]protowire.Type{
		memberAddressRequest: protowire.VarintType, memberAddresses: protowire.BytesType, memberGoodbye: protowire.VarintType,
		memberPing: protowire.Fixed64Type, memberPong: protowire.Fixed64Type,
	} {
		check(1, right, func(field string) string { return member(n, field) })
	}
}

// Kind.Decode takes exactly one frame.
func TestDecodeOne(t *testing.T) {
	ping := string((&Ping{Nonce: 7}).Append(nil))
	for _, c := range []struct {
		name, bytes string
		err         error
	}{
		{"one", ping, nil},
		{"nothing", "", ErrMalformed},
		{"a byte short", ping[:len(ping)-1], ErrMalformed},
		{"a byte more", ping + "\x00", ErrMalformed},
		{"two", ping + ping, ErrMalformed},
		{"zero length", "\x00", ErrMalformed},
		{"no known member", framed(text(31, "")), ErrMalformed},
		{"too long", stretched(FrameMax+1, 3), ErrTooLong},
		{"no length", strings.Repeat("\x80", 10), ErrLength},
	} {
		m, err := decodeOne([]byte(c.bytes))
		if !errors.Is(err, c.err) || (m == nil) != (c.err != nil) {
			t.Errorf("%s: %v, %v; want error %v", c.name, m, err, c.err)
		}
	}
}

func TestErrorStays(t *testing.T) {
	_, good := allVectors(t)
	for _, c := range hostile {
		if c.err == nil {
			continue
		}
		var d Decoder
		d.Write([]byte(c.stream))
		if _, err := d.Next(); err != c.err {
			t.Errorf("%s: error %v, want %v", c.name, err, c.err)
		}
		allocs := testing.AllocsPerRun(10, func() {
			if n, err := d.Write(good); n != len(good) || err != nil {
				t.Errorf("%s: Write gives %d, %v afterwards", c.name, n, err)
			}
			if m, err := d.Next(); m != nil || err != c.err {
				t.Errorf("%s: Next gives %v, %v afterwards", c.name, m, err)
			}
		})
		if allocs != 0 || d.Buffered() != 0 || d.buf != nil {
			t.Errorf("%s: a dead decoder holds %d bytes and allocates %v times", c.name, d.Buffered(), allocs)
		}
	}
}
