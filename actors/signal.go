package actors

import (
	"encoding/binary"
	"net/netip"
)

// Negotiation is what the Context of some hosts can do besides: open links to
// nodes that no address leads to, as WebRTC does. The two ends tell each other a
// [Signal], by whatever way their actors know, and then find a path by
// themselves (the offer and answer of RFC 3264, ICE of RFC 8445).
//
// An offer or answer is a dial: it is answered by exactly one *LinkUp or
// *LinkDown with its id, unless its actor ends first, and [Context.CancelDial]
// gives it up. Before that comes at most one *Described. The link that both ends
// get is like any other. An attempt that nobody gives up ends by a time-out of
// the host, and gives back all that it held.
type Negotiation interface {
	// CanNegotiate reports whether the node has the means. Where it has not,
	// Offer and Answer go down as unsupported.
	CanNegotiate() bool
	// Offer prepares one end of a link. *Described brings its signal, for Accept
	// to be called with the answer of whoever takes it up.
	Offer() DialID
	// Answer prepares the other end. *Described brings the answer, for the
	// actor that made the offer. Signals are immutable.
	Answer(offer *Signal) DialID
	// Accept has an offer of this actor go on with an answer. Only the first
	// call counts, and only after *Described.
	Accept(offer DialID, answer *Signal)
}

// Described brings the signal of an offer or answer.
type Described struct {
	ID     DialID
	Signal *Signal
}

// A Signal is what one end of a link to be negotiated tells the other.
type Signal struct {
	Ufrag, Pwd  string   // its ICE credentials
	Fingerprint [32]byte // SHA-256 of its certificate (RFC 8122)
	Setup       Setup    // which end of DTLS it is
	Mid         string   // names the data channels' section in SDP
	Candidates  []Candidate
}

// Limits of a [Signal].
const (
	CandidatesMax     = 16
	CandidateHostMax  = 64 // bytes
	SignalUfragMax    = 32 // bytes
	SignalPasswordMax = 64 // bytes
	SignalMidMax      = 16 // bytes
)

// Setup says which end of DTLS one is (RFC 4145).
type Setup uint8

// The values of Setup. An offer is actpass, an answer one of the others.
const (
	SetupActPass Setup = iota
	SetupActive
	SetupPassive
)

// A Candidate is where one end of a link may be reached over UDP.
type Candidate struct {
	Type     CandidateType
	Host     string // an IP address, or a name of multicast DNS that ends in .local
	Port     uint16
	Priority uint32 // the higher the better
}

// CandidateType says how a candidate became known.
type CandidateType uint8

// The types of a [Candidate].
const (
	CandidateHost  CandidateType = iota // an interface of the host
	CandidateSrflx                      // seen by a STUN server: the outside of a NAT
	CandidatePrflx                      // seen by the peer
	CandidateRelay                      // a TURN server's
)

var candidateTypes = [...]string{"host", "srflx", "prflx", "relay"}

// String returns the type's name in SDP.
func (t CandidateType) String() string {
	if int(t) < len(candidateTypes) {
		return candidateTypes[t]
	}
	return "unknown"
}

// ParseCandidateType reverses String.
func ParseCandidateType(s string) (CandidateType, bool) {
	for i, name := range candidateTypes {
		if s == name {
			return CandidateType(i), true
		}
	}
	return 0, false
}

// IP returns the address of the candidate, not valid if it is a name.
func (c Candidate) IP() netip.Addr {
	ip, _ := netip.ParseAddr(c.Host)
	return ip.Unmap()
}

var describedKind = RegisterMessage("actors.described", nil)

// Kind implements [Message].
func (*Described) Kind() Kind { return describedKind }

// Append implements [Message].
func (m *Described) Append(b []byte) []byte {
	return m.Signal.Append(binary.AppendUvarint(b, uint64(m.ID)))
}

// Append adds a canonical encoding of s, for messages that hold one.
func (s *Signal) Append(b []byte) []byte {
	b = AppendString(AppendString(b, s.Ufrag), s.Pwd)
	b = AppendString(append(append(b, s.Fingerprint[:]...), byte(s.Setup)), s.Mid)
	b = binary.AppendUvarint(b, uint64(len(s.Candidates)))
	for _, c := range s.Candidates {
		b = AppendString(append(b, byte(c.Type)), c.Host)
		b = binary.BigEndian.AppendUint16(b, c.Port)
		b = binary.BigEndian.AppendUint32(b, c.Priority)
	}
	return b
}
