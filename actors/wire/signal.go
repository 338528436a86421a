package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"peernet/actors"
)

// TypeSignal is the type of requests that offer a WebRTC link, and of the
// responses that answer them.
const TypeSignal = "signal.webrtc"

// A Signal is an offer or answer of a WebRTC link, as it travels in the data of
// a request or response.
type Signal struct {
	Answer bool
	Node   [NodeIDLen]byte // who made it; zero if it does not say
	actors.Signal
}

// ErrSignal is wrapped by every error of [ParseSignal].
var ErrSignal = errors.New("wire: bad signal")

// signalVersion starts the compact form of a signal; JSON starts with a brace.
const signalVersion = 1

// Field numbers of the compact form, which is the protobuf message
//
//	message Signal {
//	  optional bool   answer      = 1;
//	  optional bytes  node        = 2;
//	  required string ufrag       = 3;
//	  required string pwd         = 4;
//	  required bytes  fingerprint = 5;  // SHA-256
//	  optional uint32 setup       = 6;  // 0 actpass, 1 active, 2 passive
//	  optional string mid         = 7;  // absent is "0"
//	  repeated bytes  candidate   = 8;
//	}
//
// behind the byte 01. A candidate is a byte for its type (low four bits) and the
// form of its host (high four: 4 for IPv4, 6 for IPv6, 0 for a name), its port in
// 2 bytes, its priority in 4, both big endian, and its host.
const (
	signalAnswer      = 1
	signalNode        = 2
	signalUfrag       = 3
	signalPwd         = 4
	signalFingerprint = 5
	signalSetup       = 6
	signalMid         = 7
	signalCandidate   = 8
)

// defaultMid names the only section of our descriptions.
const defaultMid = "0"

// Data returns the compact form of s, at most DataMax bytes: the candidates that
// matter least are left out where it would be longer.
func (s *Signal) Data() string {
	b := []byte{signalVersion}
	if s.Answer {
		b = appendVarintField(b, signalAnswer, 1)
	}
	if s.Node != ([NodeIDLen]byte{}) {
		b = appendStringField(b, signalNode, string(s.Node[:]))
	}
	b = appendStringField(b, signalUfrag, s.Ufrag)
	b = appendStringField(b, signalPwd, s.Pwd)
	b = appendStringField(b, signalFingerprint, string(s.Fingerprint[:]))
	if s.Setup != 0 {
		b = appendVarintField(b, signalSetup, uint64(s.Setup))
	}
	if s.Mid != defaultMid {
		b = appendStringField(b, signalMid, s.Mid)
	}
	for _, c := range byMerit(s.Candidates) {
		if text := candidateBytes(c); len(b)+2+len(text) <= DataMax {
			b = appendStringField(b, signalCandidate, string(text))
		}
	}
	return string(b)
}

// candidateBytes is the compact form of a candidate.
func candidateBytes(c actors.Candidate) []byte {
	form, host := byte(0), []byte(c.Host)
	if ip := c.IP(); ip.IsValid() {
		host = ip.AsSlice()
		form = 6 << 4
		if ip.Is4() {
			form = 4 << 4
		}
	}
	b := binary.BigEndian.AppendUint16([]byte{form | byte(c.Type)}, c.Port)
	return append(binary.BigEndian.AppendUint32(b, c.Priority), host...)
}

// byMerit orders candidates for the case that not all find room: first the best
// of each type and family, as a far peer may be reached by one of them alone, then
// the others, each by priority.
func byMerit(list []actors.Candidate) []actors.Candidate {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b actors.Candidate) int {
		switch {
		case a.Priority > b.Priority:
			return -1
		case a.Priority < b.Priority:
			return 1
		}
		return strings.Compare(a.Host, b.Host)
	})
	first := make([]actors.Candidate, 0, len(list))
	var rest []actors.Candidate
	for _, c := range list {
		if slices.ContainsFunc(first, func(f actors.Candidate) bool {
			return f.Type == c.Type && f.IP().BitLen() == c.IP().BitLen()
		}) {
			rest = append(rest, c)
		} else {
			first = append(first, c)
		}
	}
	return append(first, rest...)
}

// ParseSignal reads the data of a signal in either form, the compact one or
// version 2's JSON. Of more candidates than actors.CandidatesMax the best are
// kept. Errors wrap [ErrSignal].
func ParseSignal(data string) (*Signal, error) {
	s := &Signal{}
	var err error
	switch {
	case len(data) > DataMax:
		err = fmt.Errorf("%d bytes", len(data))
	case strings.HasPrefix(data, "\x01"):
		err = s.parseCompact([]byte(data[1:]))
	default:
		err = s.parseJSON(data)
	}
	if err == nil {
		err = check(&s.Signal)
	}
	switch {
	case err == nil && !s.Answer && s.Setup != actors.SetupActPass:
		err = errors.New("an offer that is not actpass")
	case err == nil && s.Answer && s.Setup == actors.SetupActPass:
		err = errors.New("an answer that is actpass")
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSignal, err)
	}
	return s, nil
}

func (s *Signal) parseCompact(b []byte) error {
	s.Mid = defaultMid
	fingerprint := false
	err := eachField(b, func(n protowire.Number, t protowire.Type, v value) error {
		switch {
		case n == signalAnswer && t == protowire.VarintType:
			s.Answer = v.number != 0
		case n == signalNode && t == protowire.BytesType:
			if copy(s.Node[:], v.bytes) != NodeIDLen || len(v.bytes) != NodeIDLen {
				return errors.New("node id of another length")
			}
		case n == signalUfrag && t == protowire.BytesType:
			s.Ufrag = string(v.bytes)
		case n == signalPwd && t == protowire.BytesType:
			s.Pwd = string(v.bytes)
		case n == signalFingerprint && t == protowire.BytesType:
			if copy(s.Fingerprint[:], v.bytes) != len(s.Fingerprint) || len(v.bytes) != len(s.Fingerprint) {
				return errors.New("fingerprint of another length")
			}
			fingerprint = true
		case n == signalSetup && t == protowire.VarintType:
			if v.number > uint64(actors.SetupPassive) {
				return errors.New("unknown setup")
			}
			s.Setup = actors.Setup(v.number)
		case n == signalMid && t == protowire.BytesType:
			s.Mid = string(v.bytes)
		case n == signalCandidate && t == protowire.BytesType:
			c, err := parseCandidateBytes(v.bytes)
			if err != nil {
				return err
			}
			s.Candidates = append(s.Candidates, c)
		}
		return nil
	})
	if err == nil && !fingerprint {
		err = errors.New("no fingerprint")
	}
	return err
}

func parseCandidateBytes(b []byte) (c actors.Candidate, err error) {
	if len(b) < 8 || len(b) > 7+actors.CandidateHostMax {
		return c, errors.New("candidate of a wrong length")
	}
	c.Type = actors.CandidateType(b[0] & 15)
	c.Port = binary.BigEndian.Uint16(b[1:])
	c.Priority = binary.BigEndian.Uint32(b[3:])
	host := b[7:]
	switch b[0] >> 4 {
	case 0:
		c.Host = string(host)
	case 4, 6:
		ip, ok := netip.AddrFromSlice(host)
		if !ok || ip.Is4() != (b[0]>>4 == 4) {
			return c, errors.New("candidate of a wrong length")
		}
		c.Host = ip.Unmap().String()
	default:
		return c, errors.New("candidate of an unknown form")
	}
	return c, nil
}

// check reports what is wrong with a signal that came from elsewhere, and puts
// its candidates in order: the best first, none twice, those of no use left out.
func check(s *actors.Signal) error {
	switch {
	case !isToken(s.Ufrag, 4, actors.SignalUfragMax):
		return errors.New("bad ufrag")
	case !isToken(s.Pwd, 22, actors.SignalPasswordMax):
		return errors.New("bad password")
	case !isToken(s.Mid, 1, actors.SignalMidMax):
		return errors.New("bad mid")
	case s.Fingerprint == [32]byte{}:
		return errors.New("no fingerprint")
	}
	for _, c := range s.Candidates {
		if c.Type > actors.CandidateRelay {
			return errors.New("candidate of an unknown type")
		}
	}
	s.Candidates = slices.DeleteFunc(byMerit(s.Candidates), func(c actors.Candidate) bool { return !usable(c) })
	for i := 0; i < len(s.Candidates); i++ {
		c := s.Candidates[i]
		s.Candidates = append(s.Candidates[:i+1], slices.DeleteFunc(s.Candidates[i+1:], func(d actors.Candidate) bool {
			return c.Host == d.Host && c.Port == d.Port
		})...)
	}
	// An honest host has one or two ports at an address. Who names many of another's
	// has it sent as many packets.
	for i := 0; i < len(s.Candidates); i++ {
		same := 0
		s.Candidates = append(s.Candidates[:i], slices.DeleteFunc(s.Candidates[i:], func(d actors.Candidate) bool {
			if d.Host == s.Candidates[i].Host {
				same++
			}
			return d.Host == s.Candidates[i].Host && same > candidatesPerHost
		})...)
	}
	s.Candidates = s.Candidates[:min(len(s.Candidates), actors.CandidatesMax)]
	return nil
}

// candidatesPerHost is how many ports at one address are looked at.
const candidatesPerHost = 2

// usable reports whether a candidate can be one: at a port, at the address of one
// host or a name of multicast DNS, and no other name, as who resolves that can be
// made to ask anybody.
func usable(c actors.Candidate) bool {
	if c.Port == 0 {
		return false
	}
	ip, err := netip.ParseAddr(c.Host)
	if err != nil {
		name, ok := strings.CutSuffix(c.Host, ".local")
		return ok && len(c.Host) <= actors.CandidateHostMax && isToken(name, 1, actors.CandidateHostMax)
	}
	return ip.Zone() == "" && !ip.IsUnspecified() && !ip.IsMulticast() && ip != broadcast
}

var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// isToken reports whether s has from least to most characters, all of which can
// stand in a description without being anything else there.
func isToken(s string, least, most int) bool {
	if len(s) < least || len(s) > most {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && !strings.ContainsRune("+/-_=", rune(c)) {
			return false
		}
	}
	return true
}
