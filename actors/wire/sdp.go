package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"peernet/actors"
)

// The session descriptions (SDP, RFC 8866) in which version 2 peers and WebRTC
// implementations put a signal. All but the signal is the same in each.

// AppendSDP adds a complete session description of s, as RTCSessionDescription
// takes it.
func AppendSDP(b []byte, s *actors.Signal) []byte {
	b = appendSDPHead(b, s)
	for i, c := range s.Candidates {
		b = appendSDPCandidate(b, i, c)
	}
	return b
}

var setupNames = [...]string{"actpass", "active", "passive"}

func appendSDPHead(b []byte, s *actors.Signal) []byte {
	b = append(b, "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE "...)
	b = append(b, s.Mid...)
	b = append(b, "\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:"...)
	b = append(b, s.Mid...)
	b = append(b, "\r\na=sctp-port:5000\r\na=max-message-size:65536\r\na=setup:"...)
	b = append(b, setupNames[s.Setup]...)
	b = append(append(b, "\r\na=ice-ufrag:"...), s.Ufrag...)
	b = append(append(b, "\r\na=ice-pwd:"...), s.Pwd...)
	b = append(b, "\r\na=fingerprint:sha-256 "...)
	for i, x := range s.Fingerprint {
		if i > 0 {
			b = append(b, ':')
		}
		b = append(b, "0123456789ABCDEF"[x>>4], "0123456789ABCDEF"[x&15])
	}
	return append(b, "\r\n"...)
}

// appendSDPCandidate adds a candidate. Each has a foundation of its own, which
// makes the checks a little slower and is always right.
func appendSDPCandidate(b []byte, i int, c actors.Candidate) []byte {
	b = fmt.Appendf(b, "a=candidate:%d 1 udp %d %s %d typ %s", i+1, c.Priority, c.Host, c.Port, c.Type)
	if c.Type != actors.CandidateHost {
		b = append(b, " raddr 0.0.0.0 rport 9"...)
	}
	return append(b, "\r\n"...)
}

// ParseSDP reads what a signal needs from a session description. Lines that say
// something else, candidates of TCP and those that cannot be read are skipped.
func ParseSDP(text string) (*actors.Signal, error) {
	s := &actors.Signal{Mid: defaultMid}
	err := parseSDP(s, text)
	if err == nil {
		err = check(s)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSignal, err)
	}
	return s, nil
}

// sdpMax bounds the description that is read.
const sdpMax = 64 << 10

func parseSDP(s *actors.Signal, text string) error {
	if len(text) > sdpMax {
		return fmt.Errorf("%d bytes of SDP", len(text))
	}
	if !strings.HasPrefix(text, "v=0") {
		return errors.New("no SDP")
	}
	for line := range strings.Lines(text) {
		name, content, _ := strings.Cut(strings.TrimRight(line, "\r\n"), ":")
		switch name {
		case "a=ice-ufrag":
			s.Ufrag = content
		case "a=ice-pwd":
			s.Pwd = content
		case "a=mid":
			s.Mid = content
		case "a=setup":
			i := 0
			for i < len(setupNames) && setupNames[i] != content {
				i++
			}
			if i == len(setupNames) {
				return errors.New("unknown setup")
			}
			s.Setup = actors.Setup(i)
		case "a=fingerprint":
			if err := parseFingerprint(&s.Fingerprint, content); err != nil {
				return err
			}
		case "a=candidate":
			// Of so many that they were no list of addresses, only the first are looked at.
			if c, ok := parseSDPCandidate(content); ok && len(s.Candidates) < 8*actors.CandidatesMax {
				s.Candidates = append(s.Candidates, c)
			}
		}
	}
	return nil
}

func parseFingerprint(to *[32]byte, text string) error {
	hash, digits, _ := strings.Cut(text, " ")
	if !strings.EqualFold(hash, "sha-256") {
		return nil // another line may have it
	}
	digits = strings.TrimSpace(digits)
	if len(digits) != 3*len(to)-1 {
		return errors.New("fingerprint of another length")
	}
	for i := range to {
		x, err := strconv.ParseUint(digits[3*i:3*i+2], 16, 8)
		if err != nil || i > 0 && digits[3*i-1] != ':' {
			return errors.New("bad fingerprint")
		}
		to[i] = byte(x)
	}
	return nil
}

// parseSDPCandidate reads
//
//	foundation component transport priority host port typ type …
func parseSDPCandidate(text string) (c actors.Candidate, ok bool) {
	f := strings.Fields(text)
	if len(f) < 8 || f[1] != "1" || !strings.EqualFold(f[2], "udp") || f[6] != "typ" {
		return c, false
	}
	priority, err1 := strconv.ParseUint(f[3], 10, 32)
	port, err2 := strconv.ParseUint(f[5], 10, 16)
	c.Type, ok = actors.ParseCandidateType(f[7])
	c.Priority, c.Port, c.Host = uint32(priority), uint16(port), f[4]
	if ip := c.IP(); ip.IsValid() {
		c.Host = ip.String()
	}
	return c, ok && err1 == nil && err2 == nil
}

// jsonSignal is a signal of version 2: the JSON of an RTCSessionDescription. Node
// is ours; others skip it.
type jsonSignal struct {
	Type string `json:"type"`
	SDP  string `json:"sdp"`
	Node string `json:"node,omitempty"` // in hex
}

// JSON returns the form of s for version 2 peers, at most DataMax bytes: the
// candidates that matter least are left out where it would be longer. It returns
// "" where even a signal without any is too long.
func (s *Signal) JSON() string {
	j := jsonSignal{Type: "offer"}
	if s.Answer {
		j.Type = "answer"
	}
	if s.Node != ([NodeIDLen]byte{}) {
		j.Node = fmt.Sprintf("%x", s.Node[:])
	}
	sdp := appendSDPHead(nil, &s.Signal)
	data := j.marshal(sdp)
	if len(data) > DataMax {
		return ""
	}
	for i, c := range byMerit(s.Candidates) {
		longer := appendSDPCandidate(sdp, i, c)
		if text := j.marshal(longer); len(text) <= DataMax {
			sdp, data = longer, text
		}
	}
	return data
}

func (j jsonSignal) marshal(sdp []byte) string {
	j.SDP = string(sdp)
	b, err := json.Marshal(j)
	if err != nil {
		panic(err) // strings always marshal
	}
	return string(b)
}

func (s *Signal) parseJSON(data string) error {
	var j jsonSignal
	if err := json.Unmarshal([]byte(data), &j); err != nil {
		return errors.New("neither compact nor JSON")
	}
	switch j.Type {
	case "offer":
	case "answer":
		s.Answer = true
	default:
		return fmt.Errorf("neither offer nor answer: %.20q", j.Type)
	}
	if j.Node != "" {
		if len(j.Node) != 2*NodeIDLen {
			return errors.New("node id of another length")
		}
		for i := range s.Node {
			x, err := strconv.ParseUint(j.Node[2*i:2*i+2], 16, 8)
			if err != nil {
				return errors.New("bad node id")
			}
			s.Node[i] = byte(x)
		}
	}
	s.Mid = defaultMid
	return parseSDP(&s.Signal, j.SDP)
}
