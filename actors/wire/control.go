package wire

import (
	"google.golang.org/protobuf/encoding/protowire"

	"peernet/actors"
)

// The messages of version 3 links. Version 2 peers skip them.

// AddressRequest asks the neighbour for at most N addresses.
type AddressRequest struct{ N uint32 }

// Addresses is a list of addresses.
type Addresses struct {
	List []actors.Address
	Bad  int // how many were dropped as no valid addresses

	size int
	sum  uint64
}

// Ping asks for a Pong with the same nonce.
type Ping struct{ Nonce uint64 }

// Pong answers a Ping.
type Pong struct{ Nonce uint64 }

// Goodbye says why its sender closes the link.
type Goodbye struct{ Reason GoodbyeReason }

// Invalid stands for a frame that is well formed but means nothing valid. It
// is never sent.
type Invalid struct{ Reason string }

// A GoodbyeReason says why a link is closed. Numbers that a decoder does not
// know are kept.
type GoodbyeReason uint32

// The reasons of a [Goodbye].
const (
	GoodbyeShutdown  GoodbyeReason = iota + 1 // the node ends
	GoodbyeFull                               // no room for more peers
	GoodbyeDuplicate                          // another link to the same peer is kept
	GoodbyeSelf                               // both ends are the same node
	GoodbyeNetwork                            // the networks have different names
	GoodbyeRefresh                            // replaced by another random peer
	GoodbyeUser                               // the user disconnected
	GoodbyeProtocol                           // the peer broke the protocol
	GoodbyeSilent                             // the peer did not answer in time

	// GoodbyeReasons is one more than the largest reason that is defined.
	GoodbyeReasons
)

var goodbyeNames = [...]string{"none", "shutdown", "full", "duplicate", "self", "network", "refresh", "user", "protocol", "silent"}

// String names the reason.
func (r GoodbyeReason) String() string {
	if r < GoodbyeReason(len(goodbyeNames)) { // int(r) can be negative where int has 32 bits
		return goodbyeNames[r]
	}
	return "other"
}

var (
	addressRequestKind = actors.RegisterMessage("wire.address_request", decodeOne)
	addressesKind      = actors.RegisterMessage("wire.addresses", decodeOne)
	pingKind           = actors.RegisterMessage("wire.ping", decodeOne)
	pongKind           = actors.RegisterMessage("wire.pong", decodeOne)
	goodbyeKind        = actors.RegisterMessage("wire.goodbye", decodeOne)
	invalidKind        = actors.RegisterMessage("wire.invalid", nil)
)

// NewAddresses returns a list message. It keeps list, which must not change,
// and must hold at most AddressesMax addresses.
func NewAddresses(list []actors.Address) *Addresses {
	m := MakeAddresses(list)
	return &m
}

// MakeAddresses is NewAddresses for a value that is part of another.
func MakeAddresses(list []actors.Address) Addresses {
	if len(list) > AddressesMax {
		panic("wire: too many addresses in one list")
	}
	m := Addresses{List: list}
	h := uint64(len(list))
	for _, a := range list {
		text := a.String()
		m.size += 1 + protowire.SizeBytes(len(text))
		var scratch [actors.AddressMax]byte
		h = actors.Mix(h, actors.Sum(append(scratch[:0], text...)))
	}
	m.sum = h
	return m
}

// Kind implements [actors.Message].
func (*AddressRequest) Kind() actors.Kind { return addressRequestKind }

// Kind implements [actors.Message].
func (*Addresses) Kind() actors.Kind { return addressesKind }

// Kind implements [actors.Message].
func (*Ping) Kind() actors.Kind { return pingKind }

// Kind implements [actors.Message].
func (*Pong) Kind() actors.Kind { return pongKind }

// Kind implements [actors.Message].
func (*Goodbye) Kind() actors.Kind { return goodbyeKind }

// Kind implements [actors.Message].
func (*Invalid) Kind() actors.Kind { return invalidKind }

// Append implements [actors.Message].
func (m *AddressRequest) Append(b []byte) []byte {
	return appendVarintMember(b, memberAddressRequest, uint64(m.N))
}

// Append implements [actors.Message].
func (m *Ping) Append(b []byte) []byte { return appendNonceMember(b, memberPing, m.Nonce) }

// Append implements [actors.Message].
func (m *Pong) Append(b []byte) []byte { return appendNonceMember(b, memberPong, m.Nonce) }

// Append implements [actors.Message].
func (m *Goodbye) Append(b []byte) []byte {
	return appendVarintMember(b, memberGoodbye, uint64(m.Reason))
}

// Append implements [actors.Message].
func (m *Invalid) Append(b []byte) []byte { return actors.AppendString(b, m.Reason) }

// Append implements [actors.Message].
func (m *Addresses) Append(b []byte) []byte {
	b = appendMemberHead(b, memberAddresses, m.size)
	for _, a := range m.List {
		b = appendStringField(b, 1, a.String())
	}
	return b
}

// Size implements [actors.Sizer].
func (m *AddressRequest) Size() int { return memberSize(1 + protowire.SizeVarint(uint64(m.N))) }

// Size implements [actors.Sizer].
func (m *Goodbye) Size() int { return memberSize(1 + protowire.SizeVarint(uint64(m.Reason))) }

// Size implements [actors.Sizer].
func (m *Ping) Size() int { return memberSize(9) }

// Size implements [actors.Sizer].
func (m *Pong) Size() int { return memberSize(9) }

// memberSize is the length of a frame with a member of the given size.
func memberSize(n int) int {
	return protowire.SizeBytes(protowire.SizeTag(memberAddresses) + protowire.SizeBytes(n))
}

// Size implements [actors.Sizer].
func (m *Addresses) Size() int {
	return memberSize(m.size)
}

// Sum implements [actors.Summer].
func (m *Addresses) Sum() uint64 { return m.sum }

func appendMemberHead(b []byte, n protowire.Number, size int) []byte {
	b = protowire.AppendVarint(b, uint64(protowire.SizeTag(n)+protowire.SizeBytes(size)))
	b = protowire.AppendTag(b, n, protowire.BytesType)
	return protowire.AppendVarint(b, uint64(size))
}

func appendVarintMember(b []byte, n protowire.Number, v uint64) []byte {
	b = appendMemberHead(b, n, 1+protowire.SizeVarint(v))
	return appendVarintField(b, 1, v)
}

func appendNonceMember(b []byte, n protowire.Number, nonce uint64) []byte {
	b = appendMemberHead(b, n, 9)
	return protowire.AppendFixed64(protowire.AppendTag(b, 1, protowire.Fixed64Type), nonce)
}
