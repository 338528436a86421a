package wire

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"peernet/actors"
)

// candidates returns n candidates of all kinds, the best first.
func candidates(n int) []actors.Candidate {
	list := make([]actors.Candidate, n)
	for i := range list {
		c := actors.Candidate{Type: actors.CandidateHost, Port: uint16(40000 + i), Priority: uint32(2130706431 - 1000*i)}
		switch i % 5 {
		case 0:
			c.Host = fmt.Sprintf("192.168.100.%d", 100+i)
		case 1:
			c.Host = fmt.Sprintf("2001:db8:aaaa:bbbb:cccc:dddd:eeee:%x", 0x1000+i)
		case 2:
			c.Host = fmt.Sprintf("8d5bbbc2-2b1f-4b1e-9e1f-%012d.local", i)
		case 3:
			c.Host, c.Type = fmt.Sprintf("203.0.113.%d", 100+i), actors.CandidateSrflx
		case 4:
			c.Host, c.Type = fmt.Sprintf("198.51.100.%d", 100+i), actors.CandidateRelay
		}
		list[i] = c
	}
	return list
}

func testSignal(answer bool, n int) *Signal {
	s := &Signal{Answer: answer, Node: [NodeIDLen]byte{1, 2, 3}, Signal: actors.Signal{
		Ufrag: "FUiGBLNEVmpvNxVL", Pwd: "WqLAgKDBQFZAKqKozjONUJKputeffiGD", Mid: "0", Candidates: candidates(n),
	}}
	for i := range s.Fingerprint {
		s.Fingerprint[i] = byte(0xa0 + i)
	}
	if answer {
		s.Setup = actors.SetupActive
	}
	return s
}

func TestSignalWithTenCandidatesIsShort(t *testing.T) {
	s := testSignal(false, 10)
	data := s.Data()
	t.Logf("with ten candidates: %d bytes; without: %d", len(data), len(testSignal(false, 0).Data()))
	if len(data) > 512 {
		t.Errorf("the compact form has %d bytes, want at most half of %d", len(data), DataMax)
	}
	got, err := ParseSignal(data)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Candidates) != 10 {
		t.Errorf("%d of 10 candidates come back", len(got.Candidates))
	}
}

// Both forms bring back what went in, but for candidates that have no room, and
// their order.
func TestSignalsComeBack(t *testing.T) {
	for _, answer := range []bool{false, true} {
		for _, n := range []int{0, 1, 5, 10, 16} {
			want := testSignal(answer, n)
			for name, data := range map[string]string{"compact": want.Data(), "json": want.JSON()} {
				got, err := ParseSignal(data)
				if err != nil {
					t.Errorf("%s, %d candidates: %v", name, n, err)
					continue
				}
				if len(data) > DataMax {
					t.Errorf("%s, %d candidates: %d bytes", name, n, len(data))
				}
				for _, c := range got.Candidates {
					if !slices.Contains(want.Candidates, c) {
						t.Errorf("%s: candidate %+v was not there", name, c)
					}
				}
				if name == "compact" && len(got.Candidates) != n {
					t.Errorf("compact: %d of %d candidates", len(got.Candidates), n)
				}
				got.Candidates = want.Candidates
				if !reflect.DeepEqual(got, want) {
					t.Errorf("%s: comes back as\n%+v, was\n%+v", name, got, want)
				}
			}
		}
	}
}

// What version 2 peers get is the JSON of an RTCSessionDescription. Where not all
// candidates find room, one of each kind does, so that a far peer can use it.
func TestSignalJSONKeepsTheBest(t *testing.T) {
	s := testSignal(false, 16)
	best := slices.Clone(s.Candidates[:5]) // one of each kind, each the best of it
	slices.Reverse(s.Candidates)
	data := s.JSON()
	if got, err := ParseSignal(data); err != nil {
		t.Error(err)
	} else {
		for _, c := range best {
			if !slices.Contains(got.Candidates, c) {
				t.Errorf("candidate %+v has no room, others have", c)
			}
		}
	}
	var j struct{ Type, SDP string }
	if err := json.Unmarshal([]byte(data), &j); err != nil || j.Type != "offer" {
		t.Fatalf("%v in %s", err, data)
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(j.SDP, "\r\n"), "\r\n") {
		if len(line) < 3 || line[1] != '=' || strings.ContainsAny(line, "\r\n") {
			t.Errorf("no line of SDP: %q", line)
		}
	}
	for _, kind := range []string{"typ host", "typ srflx", "typ relay"} {
		if !strings.Contains(j.SDP, kind) {
			t.Errorf("no candidate of %s in\n%s", kind, j.SDP)
		}
	}
	if n := strings.Count(j.SDP, "a=candidate:"); n < 4 || n > 10 {
		t.Errorf("%d candidates in %d bytes", n, len(data))
	}
}

// The compact form has a bound too. What does not fit is what matters least.
func TestSignalCompactKeepsTheBest(t *testing.T) {
	s := testSignal(false, 0)
	for i := range actors.CandidatesMax {
		name := fmt.Sprintf("%058d.local", i)
		s.Candidates = append(s.Candidates, actors.Candidate{Host: name, Port: 5000, Priority: uint32(1 + i)})
	}
	data := s.Data()
	got, err := ParseSignal(data)
	if err != nil || len(data) > DataMax || len(data) < DataMax-80 {
		t.Fatalf("%d bytes, %v", len(data), err)
	}
	for i, c := range got.Candidates {
		if want := s.Candidates[actors.CandidatesMax-1-i]; c != want {
			t.Errorf("candidate %d is %+v, want %+v", i, c, want)
		}
	}
}

// Whoever names many ports at one address is heard of two.
func TestFewCandidatesPerHost(t *testing.T) {
	s := testSignal(false, 2)
	for i := range 10 {
		s.Candidates = append(s.Candidates, actors.Candidate{Host: "203.0.113.99", Port: uint16(5000 + i), Priority: uint32(i)})
	}
	got, err := ParseSignal(s.Data())
	if err != nil {
		t.Fatal(err)
	}
	same := 0
	for _, c := range got.Candidates {
		if c.Host == "203.0.113.99" {
			same++
		}
	}
	if same != 2 || len(got.Candidates) != 4 {
		t.Errorf("%d candidates, %d at one host, want 4 and 2", len(got.Candidates), same)
	}
}

// Descriptions as pion and Chromium write them.
const (
	pionSDP = "v=0\r\no=- 4347683084325685015 1795554469 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=msid-semantic:WMS *\r\na=fingerprint:sha-256 22:03:57:38:C0:71:3F:89:38:96:9D:F6:36:6A:56:5D:DA:7E:87:F5:AA:1D:F0:97:A6:54:DF:B7:15:B0:7A:E8\r\na=extmap-allow-mixed\r\na=group:BUNDLE 0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=setup:actpass\r\na=mid:0\r\na=sendrecv\r\na=sctp-port:5000\r\na=max-message-size:1073741823\r\na=ice-ufrag:FUiGBLNEVmpvNxVL\r\na=ice-pwd:WqLAgKDBQFZAKqKozjONUJKputeffiGD\r\na=candidate:2878742611 1 udp 2130706431 127.0.0.1 37355 typ host ufrag FUiGBLNEVmpvNxVL generation 0\r\na=candidate:2878742611 2 udp 2130706431 127.0.0.1 37355 typ host ufrag FUiGBLNEVmpvNxVL generation 0\r\na=candidate:3932658255 1 udp 2130706430 fd00:0:0:0:0:0:0:2 50162 typ host\r\na=end-of-candidates\r\n"
	// With a name in place of the address, a candidate of TCP, and line feeds alone.
	chromiumSDP = "v=0\no=- 1 2 IN IP4 127.0.0.1\ns=-\nt=0 0\na=group:BUNDLE data\na=msid-semantic: WMS\nm=application 37355 UDP/DTLS/SCTP webrtc-datachannel\nc=IN IP4 203.0.113.7\na=candidate:1 1 udp 2113937151 8d5bbbc2-2b1f-4b1e-9e1f-0f8e4f3a2b1c.local 37355 typ host generation 0 network-cost 999\na=candidate:3 1 udp 1677729535 203.0.113.7 37355 typ srflx raddr 0.0.0.0 rport 0 generation 0\na=candidate:2 1 tcp 1518280447 192.0.2.2 9 typ host tcptype active generation 0\na=ice-ufrag:4ZcD\na=ice-pwd:2/1muCWoOi3uLifh0NuRHlAb\na=ice-options:trickle\na=fingerprint:sha-256 22:03:57:38:C0:71:3F:89:38:96:9D:F6:36:6A:56:5D:DA:7E:87:F5:AA:1D:F0:97:A6:54:DF:B7:15:B0:7A:E8\na=setup:actpass\na=mid:data\na=sctp-port:5000\na=max-message-size:262144\n"
)

func TestParseSDP(t *testing.T) {
	host := actors.Candidate{Host: "127.0.0.1", Port: 37355, Priority: 2130706431}
	for _, c := range []struct {
		name, sdp, ufrag, mid string
		candidates            []actors.Candidate
	}{
		{"pion", pionSDP, "FUiGBLNEVmpvNxVL", "0", []actors.Candidate{host, {Host: "fd00::2", Port: 50162, Priority: 2130706430}}},
		{"chromium", chromiumSDP, "4ZcD", "data", []actors.Candidate{
			{Host: "8d5bbbc2-2b1f-4b1e-9e1f-0f8e4f3a2b1c.local", Port: 37355, Priority: 2113937151},
			{Type: actors.CandidateSrflx, Host: "203.0.113.7", Port: 37355, Priority: 1677729535},
		}},
	} {
		s, err := ParseSDP(c.sdp)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if s.Ufrag != c.ufrag || s.Mid != c.mid || s.Fingerprint[0] != 0x22 || s.Fingerprint[31] != 0xe8 || s.Setup != actors.SetupActPass {
			t.Errorf("%s: %+v", c.name, s)
		}
		if !slices.Equal(s.Candidates, c.candidates) {
			t.Errorf("%s: candidates %+v", c.name, s.Candidates)
		}
		again, err := ParseSDP(string(AppendSDP(nil, s)))
		if err != nil || !reflect.DeepEqual(again, s) {
			t.Errorf("%s: comes back as %+v, %v", c.name, again, err)
		}
	}
}

// Signals come from strangers: nothing but a signal is one, and nothing in it
// breaks out of the description that is made of it.
func TestBadSignals(t *testing.T) {
	good := testSignal(false, 2)
	edit := func(f func(*Signal)) string {
		s := *good
		s.Candidates = slices.Clone(good.Candidates)
		f(&s)
		return s.Data()
	}
	for name, data := range map[string]string{
		"empty":                 "",
		"no JSON":               "hello",
		"truncated JSON":        good.JSON()[:300],
		"JSON null":             "null",
		"JSON without SDP":      `{"type":"offer"}`,
		"JSON of another type":  `{"type":"rollback","sdp":"v=0\r\n"}`,
		"JSON with a bad id":    strings.Replace(good.JSON(), `"node":"01`, `"node":"0x`, 1),
		"truncated":             good.Data()[:60],
		"a group":               good.Data() + "\x0b",
		"too long":              good.Data() + strings.Repeat("x", DataMax),
		"no ufrag":              edit(func(s *Signal) { s.Ufrag = "" }),
		"line break in ufrag":   edit(func(s *Signal) { s.Ufrag = "abcd\r\na=candidate:1 1 udp 1 10.0.0.1 22 typ host" }),
		"long ufrag":            edit(func(s *Signal) { s.Ufrag = strings.Repeat("u", actors.SignalUfragMax+1) }),
		"line break in pwd":     edit(func(s *Signal) { s.Pwd += "\n" }),
		"short pwd":             edit(func(s *Signal) { s.Pwd = "secret" }),
		"space in mid":          edit(func(s *Signal) { s.Mid = "0 1" }),
		"no fingerprint":        edit(func(s *Signal) { s.Fingerprint = [32]byte{} }),
		"active offer":          edit(func(s *Signal) { s.Setup = actors.SetupActive }),
		"actpass answer":        edit(func(s *Signal) { s.Answer = true }),
		"unknown setup":         edit(func(s *Signal) { s.Setup = 3 }),
		"unknown kind of place": edit(func(s *Signal) { s.Candidates[0].Type = 4 }),
	} {
		if s, err := ParseSignal(data); err == nil {
			t.Errorf("%s is taken for %+v", name, s)
		}
	}
}

// What no peer can have is left out, however it came.
func TestUselessCandidatesAreLeftOut(t *testing.T) {
	for _, host := range []string{
		"0.0.0.0", "::", "255.255.255.255", "224.0.0.251", "ff02::fb", "example.com", "localhost", ".local", "a b.local",
		"evil.example.local.", strings.Repeat("x", 64) + ".local",
	} {
		s := testSignal(false, 1)
		s.Candidates = append(s.Candidates, actors.Candidate{Host: host, Port: 5, Priority: 1}, actors.Candidate{Host: "10.0.0.1"})
		got, err := ParseSignal(s.Data())
		if err == nil && len(got.Candidates) != 1 {
			t.Errorf("%q: %+v", host, got.Candidates)
		}
		if parsed, err := ParseSDP(string(AppendSDP(nil, &s.Signal))); err != nil || len(parsed.Candidates) != 1 {
			t.Errorf("%q in SDP: %+v, %v", host, parsed, err)
		}
	}
	s := testSignal(false, 16)
	s.Candidates = append(s.Candidates, s.Candidates...)
	for i := range 40 {
		s.Candidates = append(s.Candidates, actors.Candidate{Host: fmt.Sprintf("10.0.0.%d", i), Port: 9, Priority: uint32(i)})
	}
	got, err := ParseSDP(string(AppendSDP(nil, &s.Signal)))
	if err != nil || len(got.Candidates) != actors.CandidatesMax {
		t.Errorf("%d candidates are kept, want %d; %v", len(got.Candidates), actors.CandidatesMax, err)
	}
}

// FuzzSignal reads any data as a signal. What is taken for one comes back from
// both forms, and its description has one line for each thing.
func FuzzSignal(f *testing.F) {
	for _, n := range []int{0, 3, 16} {
		f.Add(testSignal(false, n).Data())
		f.Add(testSignal(true, n).JSON())
	}
	f.Add(`{"type":"offer","sdp":"` + strings.ReplaceAll(chromiumSDP, "\n", `\n`) + `"}`)
	f.Fuzz(func(t *testing.T, data string) {
		s, err := ParseSignal(data)
		if err != nil {
			return
		}
		for _, form := range []string{s.Data(), s.JSON()} {
			if form == "" {
				t.Fatal("no room for a signal without candidates")
			}
			again, err := ParseSignal(form)
			if err != nil {
				t.Fatalf("%v in %q", err, form)
			}
			if len(form) > DataMax || len(again.Candidates) > len(s.Candidates) {
				t.Errorf("%d bytes, %d candidates of %d", len(form), len(again.Candidates), len(s.Candidates))
			}
			again.Candidates = s.Candidates
			if !reflect.DeepEqual(again, s) {
				t.Errorf("comes back as\n%+v, was\n%+v", again, s)
			}
		}
		sdp := string(AppendSDP(nil, &s.Signal))
		if got, want := strings.Count(sdp, "\n"), 14+len(s.Candidates); got != want {
			t.Errorf("%d lines, want %d:\n%s", got, want, sdp)
		}
	})
}
