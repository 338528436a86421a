package rumor_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"peernet/actors"
	"peernet/experiments/lab"
	"peernet/experiments/protocols/rumor"
)

// host is the context of a site: it writes down what the site sends.
type host struct {
	actors.Context
	rand *rand.Rand
	sent []string
}

func (h *host) Rand() *rand.Rand { return h.rand }

func (h *host) SendTo(to actors.Address, m actors.Message) {
	text := ""
	switch m := m.(type) {
	case *rumor.Update:
		text = "update"
		if m.Answer {
			text = "answer"
		}
	case *rumor.Poll:
		text = "poll"
	case *rumor.Feedback:
		text = "unneeded"
		if m.Needed {
			text = "needed"
		}
	}
	for i, a := range lab.Addresses(3) {
		if a == to {
			text += fmt.Sprint(">", i)
		}
	}
	h.sent = append(h.sent, text)
}

// What sites 0 and 2 may send to site 1, by name.
var messages = map[string]actors.Message{
	"update": &rumor.Update{}, "answer": &rumor.Update{Answer: true}, "poll": &rumor.Poll{},
	"needed": &rumor.Feedback{Needed: true}, "unneeded": &rumor.Feedback{},
}

// play gives site 1 of 3 a script, and returns the site and what it sent, a string for
// each word: start is the update from its user, round the next round, and all others
// datagrams from site 0.
func play(c rumor.Config, script string) (*rumor.Site, []string) {
	c.Peers = lab.Addresses(3)
	s, h := &rumor.Site{Config: &c, Self: 1}, &host{rand: rand.New(rand.NewPCG(1, 2))}
	var sent []string
	cycle := uint64(0)
	for _, word := range strings.Fields(script) {
		h.sent = nil
		switch word {
		case "start":
			s.Receive(h, &rumor.Start{})
		case "round":
			s.Receive(h, &actors.Round{N: cycle})
			cycle++
		default:
			s.Receive(h, &actors.Datagram{From: lab.Addresses(1)[0], Payload: messages[word]})
		}
		sent = append(sent, strings.Join(h.sent, " "))
	}
	return s, sent
}

// Who is infective, and since when the update is known, after a script.
func TestStates(t *testing.T) {
	push, pull, both := rumor.Config{K: 2}, rumor.Config{Mode: rumor.Pull, K: 2}, rumor.Config{Mode: rumor.PushPull, K: 2}
	with := func(c rumor.Config, change func(*rumor.Config)) rumor.Config { change(&c); return c }
	one := with(push, func(c *rumor.Config) { c.K = 1 })
	keep := with(push, func(c *rumor.Config) { c.Keep = true })
	blind := with(push, func(c *rumor.Config) { c.Blind = true })
	coin := with(push, func(c *rumor.Config) { c.Coin, c.K = true, 1 })
	never := with(push, func(c *rumor.Config) { c.Coin, c.K = true, 1<<40 })
	for _, test := range []struct {
		name             string
		config           rumor.Config
		script           string
		heard, infective bool
		at               uint64
	}{
		{"nothing", push, "round round", false, false, 0},
		{"the source", push, "start", true, true, 0},
		{"heard in the first cycle", push, "round update", true, true, 1},
		{"heard in the third cycle", push, "round round round update", true, true, 3},
		{"heard again", push, "round update round update round update", true, true, 1},
		{"a poll tells nothing", pull, "round poll", false, false, 0},
		{"an answer does", pull, "round answer", true, true, 1},
		{"feedback tells nothing", push, "round needed unneeded", false, false, 0},

		{"unneeded, before the cycle ends", one, "start round unneeded", true, true, 0},
		{"unneeded, after it", one, "start round unneeded round", true, false, 0},
		{"needed", one, "start round needed round", true, true, 0},
		{"no contact", one, "start round round", true, true, 0},
		{"once of two", push, "start round unneeded round", true, true, 0},
		{"twice", push, "start round unneeded round unneeded round", true, false, 0},
		{"twice, not in a row", push, "start round unneeded round needed round unneeded round", true, true, 0},
		{"twice, then twice in a row", push, "start round unneeded round needed round unneeded round unneeded round", true, false, 0},
		{"a cycle without contact is none in the row", push, "start round unneeded round round unneeded round", true, false, 0},
		{"twice, kept over a useful one", keep, "start round unneeded round needed round unneeded round", true, false, 0},
		{"two contacts in a cycle are one in the row", push, "start round unneeded unneeded round", true, true, 0},
		{"one of two contacts needed", push, "start round unneeded round unneeded needed round unneeded round", true, true, 0},

		{"blind, needed once", blind, "start round needed round", true, true, 0},
		{"blind, needed twice", blind, "start round needed round needed round", true, false, 0},
		{"blind, two contacts in a cycle", blind, "start round needed unneeded round", true, false, 0},
		{"coin, unneeded", coin, "start round unneeded round", true, false, 0},
		{"coin, needed", coin, "start round needed round", true, true, 0},
		{"coin with no chance", never, "start round unneeded round unneeded round unneeded round", true, true, 0},
		{"blind coin", with(coin, func(c *rumor.Config) { c.Blind = true }), "start round needed round", true, false, 0},

		{"removed is for good", one, "start round unneeded round update round update round", true, false, 0},
		{"feedback when removed", one, "start round unneeded round needed round", true, false, 0},
		{"push-pull, unneeded", both, "start round unneeded round unneeded round", true, false, 0},
	} {
		s, _ := play(test.config, test.script)
		if s.Heard != test.heard || s.Infective != test.infective || s.HeardAt != test.at {
			t.Errorf("%s: heard %v at %d, infective %v", test.name, s.Heard, s.HeardAt, s.Infective)
		}
	}
}

// What a site sends for the last word of a script, and how many updates until then.
func TestMessages(t *testing.T) {
	push, pull, both := rumor.Config{K: 1}, rumor.Config{Mode: rumor.Pull, K: 1}, rumor.Config{Mode: rumor.PushPull, K: 1}
	live := func(c rumor.Config) rumor.Config { c.Live = true; return c }
	for _, test := range []struct {
		name   string
		config rumor.Config
		script string
		want   string // the partner of a round is any
		count  uint64
	}{
		{"push, susceptible", push, "round", "", 0},
		{"push, infective", push, "start round", "update", 1},
		{"push, infective from the next cycle on", push, "round update round", "update", 1},
		{"push, removed", push, "start round unneeded round", "", 1},
		{"push, needed", push, "round update", "needed>0", 0},
		{"push, needed as of the start of the cycle", push, "round update update", "needed>0", 0},
		{"push, needed as of now", live(push), "round update update", "unneeded>0", 0},
		{"push, unneeded in the next cycle", push, "round update round update", "unneeded>0", 1},
		{"push, unneeded of the source", push, "start round update", "unneeded>0", 1},
		{"push, unneeded when removed", push, "start round unneeded round update", "unneeded>0", 1},
		{"push does not answer", push, "start round update", "unneeded>0", 1},

		{"pull, susceptible", pull, "round", "poll", 0},
		{"pull, infective", pull, "start round", "poll", 0},
		{"pull, removed", pull, "start round unneeded round", "poll", 0},
		{"pull, polled", pull, "start round poll", "answer>0", 1},
		{"pull, polled twice", pull, "start round poll poll", "answer>0", 2},
		{"pull, polled without the update", pull, "round poll", "", 0},
		{"pull, polled when removed", pull, "start round unneeded round poll", "", 0},
		{"pull, polled in the cycle of the update", pull, "round answer poll", "", 0},
		{"pull, the same, as of now", live(pull), "round answer poll", "answer>0", 1},
		{"pull, polled in the next", pull, "round answer round poll", "answer>0", 1},
		{"pull, answered", pull, "round answer", "needed>0", 0},
		{"pull, answered for nothing", pull, "start round answer", "unneeded>0", 0},

		{"push-pull, susceptible", both, "round", "poll", 0},
		{"push-pull, infective", both, "start round", "update", 1},
		{"push-pull, removed", both, "start round unneeded round", "poll", 1},
		{"push-pull, both have it", both, "start round update", "unneeded>0 answer>0", 2},
		{"push-pull, an answer is not answered", both, "start round answer", "unneeded>0", 1},
		{"push-pull, news are no answer", both, "round update", "needed>0", 0},
		{"push-pull, the same, as of now", live(both), "round update", "needed>0 answer>0", 1},
		{"feedback is not answered", push, "start round needed", "", 1},
	} {
		s, sent := play(test.config, test.script)
		got := sent[len(sent)-1]
		if strings.HasSuffix(test.script, "round") {
			got, _, _ = strings.Cut(got, ">")
		}
		if got != test.want || s.Sent != test.count {
			t.Errorf("%s: sent %q, %d updates; want %q, %d", test.name, got, s.Sent, test.want, test.count)
		}
	}
}

// Partners are all others alike, and never the site itself.
func TestPartners(t *testing.T) {
	const rounds = 4000
	_, sent := play(rumor.Config{Mode: rumor.Pull, K: 1}, strings.Repeat("round ", rounds))
	count := map[string]int{}
	for _, m := range sent {
		count[m]++
	}
	// The standard deviation is 32.
	if n := count["poll>0"]; n+count["poll>2"] != rounds || n < rounds/2-150 || n > rounds/2+150 {
		t.Errorf("sent %v", count)
	}
}

// Interest is lost to a coin with chance 1/K.
func TestCoin(t *testing.T) {
	const runs = 4000
	c := rumor.Config{K: 4, Coin: true, Peers: lab.Addresses(3)}
	h, lost := &host{rand: rand.New(rand.NewPCG(1, 2))}, 0
	for range runs {
		s := rumor.Site{Config: &c, Self: 1}
		for _, m := range []actors.Message{&rumor.Start{}, &actors.Round{N: 0}, &actors.Datagram{Payload: &rumor.Feedback{}}, &actors.Round{N: 1}} {
			s.Receive(h, m)
		}
		if !s.Infective {
			lost++
		}
	}
	// The standard deviation is 27.
	if lost < runs/4-130 || lost > runs/4+130 {
		t.Errorf("%d of %d lost interest, want a quarter", lost, runs)
	}
}

// All messages that cross the network are what they were when they were decoded, and
// nothing else can be decoded.
func TestEncodings(t *testing.T) {
	for name, m := range messages {
		b := m.Append([]byte{7})[1:]
		got, err := m.Kind().Decode(b)
		if err != nil || fmt.Sprintf("%T%v", got, got) != fmt.Sprintf("%T%v", m, m) {
			t.Errorf("%s is %T%v after %x, %v", name, got, got, b, err)
		}
		if got, err := m.Kind().Decode(append(b, 0)); err == nil {
			t.Errorf("%s with another byte is %v", name, got)
		}
		if len(b) == 0 {
			continue
		}
		for _, bad := range [][]byte{nil, {2}, {255}} {
			if got, err := m.Kind().Decode(bad); err == nil {
				t.Errorf("%x is %T%v", bad, got, got)
			}
		}
	}
	if _, err := (&rumor.Start{}).Kind().Decode(nil); err == nil {
		t.Error("what the user of a site says comes from others")
	}
}
