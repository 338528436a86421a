package wire

import (
	"google.golang.org/protobuf/encoding/protowire"

	"peernet/actors"
)

// Limits of the wire, in bytes unless it says otherwise.
const (
	IDMax        = 64
	TypeMax      = 64
	DataMax      = 1024
	NetworkMax   = 64
	FrameMax     = 16 << 10
	AddressesMax = 48 // addresses in one list; 48 of AddressMax bytes fit a frame
	AdvertiseMax = 4  // addresses that a hello advertises
	NodeIDLen    = 16
)

// Types of requests that are part of the protocol itself. They go to the
// neighbour and no further.
const (
	TypeHello     = "_hello"
	TypeAddresses = "_addrs"
)

// Version is the version of the wire that our hello offers.
const Version = 3

// A Frame is a request or response on its way: what changes from hop to hop.
type Frame struct {
	Body     *Body
	Hops     uint32 // links travelled before this one
	Response bool
	// LimitPresent writes the limit even if it is zero, as version 2 peers
	// do when they forward or reply.
	LimitPresent bool
}

// Has says which optional fields of a Body are present.
type Has uint8

// The optional fields of a [Body] that can be present and empty.
const (
	HasReply Has = 1 << iota
	HasType
	HasData
)

// A Body is the part of a request or response that never changes.
type Body struct {
	ID    string // at most IDMax bytes; random, names the message
	Reply string // responses: the ID of the request answered
	Type  string // at most TypeMax bytes
	Data  string // at most DataMax bytes
	Limit uint32 // the request travels at most this many hops; 0 is no limit
	Has   Has
	Hello *Hello // the extension of a version 3 hello, or nil

	size int    // encoded bytes, without hops and a zero limit
	sum  uint64 // of the encoding without hops and a zero limit
}

// Hello is what a version 3 peer says of itself in its hello request.
type Hello struct {
	Version    uint32           // of the wire; 3
	Network    string           // networks with different names do not merge
	Advertised []actors.Address // where the sender accepts links
	Observed   actors.Address   // where the sender sees the receiver
	Wanted     uint32           // how many addresses the sender asks for
}

// Field numbers of Announce; from 16 up they are extensions that version 2
// peers skip.
const (
	fieldID         = 1
	fieldHops       = 2
	fieldReply      = 3
	fieldType       = 4
	fieldData       = 5
	fieldLimit      = 6
	fieldVersion    = 16
	fieldNetwork    = 17
	fieldAdvertised = 18
	fieldObserved   = 19
	fieldWanted     = 20
)

// Field numbers of Message.
const (
	memberRequest        = 1
	memberResponse       = 2
	memberAddressRequest = 16
	memberAddresses      = 17
	memberPing           = 18
	memberPong           = 19
	memberGoodbye        = 20
)

var frameKind = actors.RegisterMessage("wire.frame", decodeOne)

// NewBody completes b, which must not change afterwards, and returns it. The
// limits are the caller's business: the other end takes a body that exceeds them
// for invalid.
func NewBody(b Body) *Body {
	b.complete()
	return &b
}

// NewFrame returns a frame with a body of its own, in one allocation.
func NewFrame(f Frame, b Body) *Frame {
	both := &struct {
		Frame
		Body
	}{f, b}
	both.Body.complete()
	both.Frame.Body = &both.Body
	return &both.Frame
}

// NewHello returns the frame of a version 3 hello request, in one allocation.
func NewHello(b Body, h Hello) *Frame {
	all := &struct {
		Frame
		Body
		Hello
	}{Body: b, Hello: h}
	all.Body.Hello = &all.Hello
	all.Body.complete()
	all.Frame.Body = &all.Body
	return &all.Frame
}

// complete computes what is derived from the fields.
func (b *Body) complete() {
	if b.Reply != "" {
		b.Has |= HasReply
	}
	if b.Type != "" {
		b.Has |= HasType
	}
	if b.Data != "" {
		b.Has |= HasData
	}
	var scratch [256]byte
	enc := b.Hello.append(b.appendTail(b.appendID(scratch[:0])))
	b.size = len(enc)
	b.sum = actors.Sum(enc)
}

// Sum is the hash of the parts that do not change on the way.
func (b *Body) Sum() uint64 { return b.sum }

func (b *Body) appendID(dst []byte) []byte {
	return appendStringField(dst, fieldID, b.ID)
}

// appendTail adds the fields behind hops. A zero limit is the frame's affair.
func (b *Body) appendTail(dst []byte) []byte {
	if b.Has&HasReply != 0 {
		dst = appendStringField(dst, fieldReply, b.Reply)
	}
	if b.Has&HasType != 0 {
		dst = appendStringField(dst, fieldType, b.Type)
	}
	if b.Has&HasData != 0 {
		dst = appendStringField(dst, fieldData, b.Data)
	}
	if b.Limit != 0 {
		dst = appendVarintField(dst, fieldLimit, uint64(b.Limit))
	}
	return dst
}

// The extension of a hello is not part of appendTail: a zero limit stands
// before it, and the field order is part of the wire.
func (h *Hello) append(dst []byte) []byte {
	if h == nil {
		return dst
	}
	dst = appendVarintField(dst, fieldVersion, uint64(h.Version))
	if h.Network != "" {
		dst = appendStringField(dst, fieldNetwork, h.Network)
	}
	for _, a := range h.Advertised {
		dst = appendStringField(dst, fieldAdvertised, a.String())
	}
	if !h.Observed.IsZero() {
		dst = appendStringField(dst, fieldObserved, h.Observed.String())
	}
	if h.Wanted != 0 {
		dst = appendVarintField(dst, fieldWanted, uint64(h.Wanted))
	}
	return dst
}

// Kind implements [actors.Message].
func (*Frame) Kind() actors.Kind { return frameKind }

// Sum implements [actors.Summer].
func (f *Frame) Sum() uint64 {
	x := uint64(f.Hops) << 2
	if f.Response {
		x |= 1
	}
	if f.zeroLimit() {
		x |= 2
	}
	return actors.Mix(f.Body.sum, x)
}

func (f *Frame) zeroLimit() bool { return f.LimitPresent && f.Body.Limit == 0 }

func (f *Frame) member() protowire.Number {
	if f.Response {
		return memberResponse
	}
	return memberRequest
}

// announceSize is the encoded length of the Announce inside the frame.
func (f *Frame) announceSize() int {
	n := f.Body.size + 1 + protowire.SizeVarint(uint64(f.Hops))
	if f.zeroLimit() {
		n += 2
	}
	return n
}

// Size implements [actors.Sizer]: the bytes of the frame, its length prefix
// included.
func (f *Frame) Size() int {
	n := f.announceSize()
	return protowire.SizeBytes(protowire.SizeTag(f.member()) + protowire.SizeBytes(n))
}

// Append implements [actors.Message]: the frame as it goes over the wire, its
// length prefix included.
func (f *Frame) Append(b []byte) []byte {
	n := f.announceSize()
	b = protowire.AppendVarint(b, uint64(protowire.SizeTag(f.member())+protowire.SizeBytes(n)))
	b = protowire.AppendTag(b, f.member(), protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(n))
	b = f.Body.appendID(b)
	b = appendVarintField(b, fieldHops, uint64(f.Hops))
	b = f.Body.appendTail(b)
	if f.zeroLimit() {
		b = appendVarintField(b, fieldLimit, 0)
	}
	return f.Body.Hello.append(b)
}

func appendVarintField(b []byte, n protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, n, protowire.VarintType), v)
}

func appendStringField(b []byte, n protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, n, protowire.BytesType), s)
}
