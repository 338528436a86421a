package cyclon_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"peernet/actors"
	"peernet/experiments/lab"
	"peernet/experiments/protocols/cyclon"
)

var addresses = lab.Addresses(100)

// host is the context of a node: it keeps what the node sends, and its timers.
type host struct {
	actors.Context
	rand   *rand.Rand
	sent   []letter
	timers []time.Duration
}

type letter struct {
	to actors.Address
	m  actors.Message
}

func newHost() *host { return &host{rand: rand.New(rand.NewPCG(1, 2))} }

func (h *host) Rand() *rand.Rand { return h.rand }

func (h *host) SendTo(to actors.Address, m actors.Message) { h.sent = append(h.sent, letter{to, m}) }

func (h *host) After(d time.Duration, _ actors.Message) actors.Timer {
	h.timers = append(h.timers, d)
	return 0
}

// only is the one message that was sent since.
func (h *host) only(t *testing.T) letter {
	t.Helper()
	if len(h.sent) != 1 {
		t.Fatalf("sent %v, want one message", h.sent)
	}
	l := h.sent[0]
	h.sent = nil
	return l
}

// node is one whose view has these peers, all but the first of age 1.
func node(c *cyclon.Config, self int, oldest int, others ...int) *cyclon.Node {
	n := &cyclon.Node{Config: c, Self: addresses[self]}
	n.View = entries(1, others...)
	// Neither the first nor the last.
	n.View = slices.Insert(n.View, len(others)/2, cyclon.Entry{Peer: addresses[oldest], Age: 7})
	return n
}

func entries(age uint32, peers ...int) (all []cyclon.Entry) {
	for _, i := range peers {
		all = append(all, cyclon.Entry{Peer: addresses[i], Age: age})
	}
	return all
}

// numbers are the peers of entries, in order.
func numbers(all []cyclon.Entry) (peers []int) {
	for _, e := range all {
		peers = append(peers, slices.Index(addresses, e.Peer))
	}
	slices.Sort(peers)
	return peers
}

func datagram(from int, m actors.Message) *actors.Datagram {
	return &actors.Datagram{From: addresses[from], Payload: m}
}

// shuffled is a node after it began an exchange, and what it sent.
func shuffled(t *testing.T, n *cyclon.Node, h *host) (to int, m *cyclon.Shuffle) {
	t.Helper()
	n.Receive(h, &cyclon.Tick{})
	l := h.only(t)
	return slices.Index(addresses, l.to), l.m.(*cyclon.Shuffle)
}

func TestExchangeIsWithTheOldest(t *testing.T) {
	c := &cyclon.Config{View: 6, Shuffle: 4}
	drawn := map[int]int{}
	for seed := range uint64(200) {
		n, h := node(c, 0, 9, 1, 2, 3, 4, 5), newHost()
		h.rand = rand.New(rand.NewPCG(seed, 1))
		to, m := shuffled(t, n, h)
		if to != 9 || !slices.Equal(numbers(n.View), []int{1, 2, 3, 4, 5}) {
			t.Fatalf("node 0 sent to %d, and has %v", to, numbers(n.View))
		}
		for _, e := range n.View {
			if e.Age != 2 {
				t.Fatalf("the ages are not one more: %v", n.View)
			}
		}
		if len(m.Entries) != 4 {
			t.Fatalf("%d entries were sent, want 4", len(m.Entries))
		}
		sent := numbers(m.Entries)
		if sent[0] != 0 || len(slices.Compact(slices.Clone(sent))) != 4 || slices.Contains(sent, 9) {
			t.Fatalf("sent %v, want node 0 itself and three others", sent)
		}
		for _, e := range m.Entries {
			if self := e.Peer == addresses[0]; self != (e.Age == 0) || !self && e.Age != 2 {
				t.Fatalf("sent %v, want age 0 for node 0 alone", m.Entries)
			}
		}
		for _, i := range sent[1:] {
			drawn[i]++
		}
	}
	for i := 1; i <= 5; i++ { // three of five: the standard deviation is 7
		if drawn[i] < 120-35 || drawn[i] > 120+35 {
			t.Errorf("the others were drawn %v times", drawn)
		}
	}
}

func TestSmallViews(t *testing.T) {
	c := &cyclon.Config{View: 6, Shuffle: 4}
	n, h := &cyclon.Node{Config: c, Self: addresses[0]}, newHost()
	n.Receive(h, &cyclon.Tick{})
	if len(h.sent) > 0 || n.Cycles != 1 {
		t.Errorf("a node that knows nobody sent %v in %d cycles", h.sent, n.Cycles)
	}
	n = node(c, 0, 9)
	if to, m := shuffled(t, n, h); to != 9 || !slices.Equal(numbers(m.Entries), []int{0}) || len(n.View) > 0 {
		t.Errorf("the only peer was sent %v, view %v", numbers(m.Entries), numbers(n.View))
	}
}

// What a reply makes of the view of node 0, which is {1…5} after it sent to 9, and which
// entries it may have given up.
func TestReply(t *testing.T) {
	c := &cyclon.Config{View: 6, Shuffle: 4}
	for name, test := range map[string]struct {
		reply  []int
		lost   int // of those that were sent
		gained []int
		late   bool
	}{
		"all are new":       {reply: []int{21, 22, 23, 24}, lost: 3, gained: []int{21, 22, 23, 24}},
		"room first":        {reply: []int{21}, gained: []int{21}},
		"then one":          {reply: []int{21, 22}, lost: 1, gained: []int{21, 22}},
		"itself":            {reply: []int{0, 21}, gained: []int{21}},
		"one that is known": {reply: []int{1, 2, 3, 21}, gained: []int{21}},
		"a repeat":          {reply: []int{21, 21, 21}, gained: []int{21}},
		"more than asked":   {reply: []int{21, 22, 23, 24, 25, 26}, lost: 3, gained: []int{21, 22, 23, 24}},
		"the partner":       {reply: []int{9}, gained: []int{9}},
		"none":              {},
		"too late":          {reply: []int{21, 22, 23}, late: true},
	} {
		n, h := node(c, 0, 9, 1, 2, 3, 4, 5), newHost()
		_, m := shuffled(t, n, h)
		sent := numbers(m.Entries)
		serial := m.Serial
		if test.late {
			serial--
		}
		n.Receive(h, datagram(9, &cyclon.Reply{Serial: serial, Entries: entries(3, test.reply...)}))
		want := slices.Sorted(slices.Values(append([]int{1, 2, 3, 4, 5}, test.gained...)))
		var lost []int
		for _, i := range want {
			if !slices.Contains(numbers(n.View), i) {
				lost = append(lost, i)
			}
		}
		if len(lost) != test.lost || len(n.View) != len(want)-len(lost) || len(n.View) > c.View {
			t.Errorf("%s: view %v, want %v less %d", name, numbers(n.View), want, test.lost)
		}
		for _, i := range lost {
			if !slices.Contains(sent, i) {
				t.Errorf("%s: %d is gone, and only %v were sent", name, i, sent)
			}
		}
		for _, e := range n.View {
			if i := slices.Index(addresses, e.Peer); i > 20 && e.Age != 3 {
				t.Errorf("%s: the age of %d changed to %d", name, i, e.Age)
			}
		}
		h.sent = nil
		n.Receive(h, datagram(9, &cyclon.Reply{Serial: serial, Entries: entries(3, 31, 32, 33, 34)}))
		if !test.late && len(n.View) == c.View && slices.Contains(numbers(n.View), 34) {
			t.Errorf("%s: another reply replaced what was not sent again", name)
		}
	}
}

func TestReplyToAnEarlierExchangeIsDropped(t *testing.T) {
	n, h := node(&cyclon.Config{View: 6, Shuffle: 4}, 0, 9, 1, 2, 3, 4, 5), newHost()
	_, first := shuffled(t, n, h)
	shuffled(t, n, h)
	before := slices.Clone(n.View)
	n.Receive(h, datagram(9, &cyclon.Reply{Serial: first.Serial, Entries: entries(3, 21)}))
	if !slices.Equal(n.View, before) {
		t.Errorf("the view is %v", numbers(n.View))
	}
}

// After an exchange of full views without a common entry, the entry for the partner is one
// for the initiator, and every other entry is at one of the two still.
func TestExchangeConservesEntries(t *testing.T) {
	c := &cyclon.Config{View: 6, Shuffle: 4}
	for seed := range uint64(50) {
		h := newHost()
		h.rand = rand.New(rand.NewPCG(seed, 1))
		p, q := node(c, 0, 9, 1, 2, 3, 4, 5), node(c, 9, 10, 11, 12, 13, 14, 15)
		_, m := shuffled(t, p, h)
		q.Receive(h, datagram(0, m))
		reply := h.only(t)
		r := reply.m.(*cyclon.Reply)
		if reply.to != addresses[0] || len(r.Entries) != 4 {
			t.Fatalf("answered %v", reply)
		}
		for _, e := range r.Entries {
			if i := slices.Index(addresses, e.Peer); i < 10 || i > 15 || slices.Contains(q.View, e) {
				t.Fatalf("%d was answered, and is still in the view, or was never", i)
			}
		}
		p.Receive(h, datagram(9, reply.m))
		if all := numbers(slices.Concat(p.View, q.View)); len(p.View) != 6 || len(q.View) != 6 ||
			!slices.Equal(all, []int{0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15}) {
			t.Fatalf("views are %v and %v", numbers(p.View), numbers(q.View))
		}
		if !slices.Contains(q.View, cyclon.Entry{Peer: addresses[0]}) {
			t.Fatalf("the partner has no entry of age 0 for the initiator: %v", q.View)
		}
	}
}

// Of a peer that both have, both entries may be replaced; no other is lost.
func TestExchangeOfACommonEntry(t *testing.T) {
	c, lost := &cyclon.Config{View: 3, Shuffle: 3}, 0
	for seed := range uint64(50) {
		h := newHost()
		h.rand = rand.New(rand.NewPCG(seed, 1))
		p, q := node(c, 0, 9, 1, 2), node(c, 9, 10, 1, 11)
		_, m := shuffled(t, p, h)
		q.Receive(h, datagram(0, m))
		p.Receive(h, datagram(9, h.only(t).m))
		all := slices.Concat(numbers(p.View), numbers(q.View))
		for _, i := range []int{0, 2, 10, 11} {
			if !slices.Contains(all, i) {
				t.Fatalf("nobody kept %d: %v", i, all)
			}
		}
		if len(all) != 6 {
			t.Fatalf("views have %v", all)
		}
		if !slices.Contains(all, 1) {
			lost++
		}
	}
	if lost == 0 || lost == 50 {
		t.Errorf("the peer of both was lost %d times of 50", lost)
	}
}

// A walk is passed on until it has no hops left.
func TestWalk(t *testing.T) {
	c := &cyclon.Config{View: 3, Shuffle: 2, Walk: 5}
	n, h := node(c, 0, 9, 1, 2), newHost()
	n.Receive(h, datagram(50, &cyclon.Join{}))
	for _, l := range h.sent {
		if w := l.m.(*cyclon.Walk); w.Joining != addresses[50] || w.Hops != 4 || !slices.Contains(numbers(n.View), slices.Index(addresses, l.to)) {
			t.Errorf("to %v went %v", l.to, w)
		}
	}
	if len(h.sent) != 3 {
		t.Errorf("%d walks began, want one for each entry of a view", len(h.sent))
	}
	h.sent = nil
	n.Receive(h, datagram(3, &cyclon.Walk{Joining: addresses[50], Hops: 1}))
	if w := h.only(t).m.(*cyclon.Walk); w.Hops != 0 {
		t.Errorf("the walk went on as %v", w)
	}

	for name, test := range map[string]struct {
		n       *cyclon.Node
		joining int
		hops    uint32
		given   bool
		size    int // of the view then
	}{
		"ends at a full view":      {node(c, 0, 9, 1, 2), 50, 0, true, 3},
		"ends where there is room": {node(c, 0, 9, 1), 50, 0, true, 3},
		"ends where nobody is":     {&cyclon.Node{Config: c, Self: addresses[0]}, 50, 4, true, 1},
		"ends where it is known":   {node(c, 0, 9, 1, 50), 50, 0, false, 3},
		"ends where it came from":  {node(c, 0, 9, 1, 2), 0, 0, false, 3},
	} {
		before := numbers(test.n.View)
		test.n.Receive(h, datagram(3, &cyclon.Walk{Joining: addresses[test.joining], Hops: test.hops}))
		if len(test.n.View) != test.size {
			t.Errorf("%s: view %v", name, numbers(test.n.View))
		}
		if !test.given {
			if len(h.sent) > 0 || !slices.Equal(before, numbers(test.n.View)) {
				t.Errorf("%s: sent %v, view %v", name, h.sent, numbers(test.n.View))
			}
			h.sent = nil
			continue
		}
		l := h.only(t)
		given := slices.Index(addresses, l.m.(*cyclon.Given).Entry.Peer)
		want := append(slices.Clone(before), 50)
		if len(before) == c.View {
			want = slices.DeleteFunc(want, func(i int) bool { return i == given })
		} else if given != 0 {
			t.Errorf("%s: %d was given, want the node itself", name, given)
		}
		if l.to != addresses[50] || !slices.Equal(numbers(test.n.View), slices.Sorted(slices.Values(want))) {
			t.Errorf("%s: %d was given to %v, view %v", name, given, l.to, numbers(test.n.View))
		}
		if !slices.Contains(test.n.View, cyclon.Entry{Peer: addresses[50]}) {
			t.Errorf("%s: no entry of age 0 in %v", name, test.n.View)
		}
	}
}

func TestGiven(t *testing.T) {
	c := &cyclon.Config{View: 3, Shuffle: 2}
	n, h := node(c, 0, 9, 1), newHost()
	for _, i := range []int{0, 1, 20, 21} { // itself, known, new, and one for which there is no room
		n.Receive(h, datagram(5, &cyclon.Given{Entry: cyclon.Entry{Peer: addresses[i], Age: 4}}))
	}
	if !slices.Equal(numbers(n.View), []int{1, 9, 20}) || !slices.Contains(n.View, cyclon.Entry{Peer: addresses[20], Age: 4}) {
		t.Errorf("the view is %v", n.View)
	}
}

// Cycles begin at a uniform phase, and are as many as the user said.
func TestBegin(t *testing.T) {
	c, h := &cyclon.Config{View: 3, Shuffle: 2, Period: time.Second}, newHost()
	n := &cyclon.Node{Config: c, Self: addresses[0]}
	n.Receive(h, &cyclon.Begin{Cycles: 3})
	ticks := 0
	for ; ticks < len(h.timers) && ticks < 10; ticks++ {
		n.Receive(h, &cyclon.Tick{})
	}
	if ticks != 3 || n.Cycles != 3 || h.timers[1] != time.Second || h.timers[2] != time.Second {
		t.Errorf("%d cycles after %v", n.Cycles, h.timers)
	}
	var sum, least, most time.Duration = 0, time.Second, 0
	for range 1000 {
		h.timers = nil
		n.Receive(h, &cyclon.Begin{Cycles: 1})
		if h.timers[0] < 0 || h.timers[0] >= time.Second {
			t.Fatalf("a phase of %v", h.timers[0])
		}
		sum += h.timers[0] / 1000
		least, most = min(least, h.timers[0]), max(most, h.timers[0])
	}
	if sum < 450*time.Millisecond || sum > 550*time.Millisecond || least > 20*time.Millisecond || most < 980*time.Millisecond {
		t.Errorf("phases are from %v to %v, %v in the mean", least, most, sum) // the standard deviation of that is 9 ms
	}
	h.timers = nil
	if n.Receive(h, &cyclon.Begin{}); len(h.timers) > 0 {
		t.Error("no cycles began")
	}
}

func TestSample(t *testing.T) {
	n := node(&cyclon.Config{View: 3}, 0, 9, 1, 2)
	peers := n.Sample(newHost().rand, 2, []actors.Address{addresses[50]})
	if len(peers) != 3 || peers[0] != addresses[50] || peers[1] == peers[2] {
		t.Errorf("drew %v", peers)
	}
	for _, p := range n.Sample(newHost().rand, 5, nil) {
		if !slices.Contains(numbers(n.View), slices.Index(addresses, p)) {
			t.Errorf("drew %v, which is not in the view", p)
		}
	}
}
