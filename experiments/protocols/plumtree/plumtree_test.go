package plumtree_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"peernet/actors"
	"peernet/experiments/protocols/plumtree"
)

// host is the context of a node: it writes down what the node sends, and its timers.
type host struct {
	actors.Context
	told []string
	due  []*plumtree.Overdue
}

func (h *host) Emit(e actors.Event) {
	h.told = append(h.told, map[actors.EventKind]string{plumtree.EventHeard: "heard", plumtree.EventDuplicate: "duplicate"}[e.Kind])
}

func (h *host) Send(to actors.Ref, m actors.Message) {
	name := map[string]string{
		"*plumtree.Payload": "payload", "*plumtree.IHave": "ihave", "*plumtree.Graft": "graft", "*plumtree.Prune": "prune",
	}[fmt.Sprintf("%T", m)]
	switch m := m.(type) {
	case *plumtree.Payload:
		name += fmt.Sprint(m.Number, "/", m.Hops)
	case *plumtree.IHave:
		name += fmt.Sprint(m.Number, "/", m.Hops)
	case *plumtree.Graft:
		name += fmt.Sprint(m.Number)
	}
	h.told = append(h.told, fmt.Sprint(name, ">", to.Slot))
}

func (h *host) After(d time.Duration, m actors.Message) actors.Timer {
	h.told, h.due = append(h.told, fmt.Sprint("after ", d)), append(h.due, m.(*plumtree.Overdue))
	return 0
}

func peer(i int) actors.Ref { return actors.Ref{Slot: uint32(i), Gen: 1} }

var (
	config   = &plumtree.Config{Missing: 3 * time.Second, Again: time.Second}
	messages = map[string]actors.Message{
		"payload": &plumtree.Payload{Number: 1, Hops: 4}, "other": &plumtree.Payload{Number: 2, Hops: 4},
		"ihave": &plumtree.IHave{Number: 1, Hops: 4},
		"graft": &plumtree.Graft{Number: 1}, "prune": &plumtree.Prune{},
	}
)

// play gives a node with the neighbours 1 to 3 a script: "NAME FROM" is a message from a
// neighbour, or from the user if that is 0; "due" has the first timer fire. It returns the
// node, and what happened at the last step.
func play(script string) (*plumtree.Node, []string) {
	n, h := &plumtree.Node{Config: config}, &host{}
	for i := 1; i <= 3; i++ {
		n.Up(h, peer(i))
	}
	for _, step := range strings.Split(script, ", ") {
		h.told = nil
		name, from := "", 0
		_, _ = fmt.Sscan(step, &name, &from)
		switch name {
		case "down":
			n.Down(h, peer(from))
		case "up":
			n.Up(h, peer(from))
		case "due":
			m := h.due[0]
			h.due = h.due[1:]
			n.Receive(h, actors.Ref{}, m)
		default:
			ref := actors.Ref{}
			if from > 0 {
				ref = peer(from)
			}
			n.Receive(h, ref, messages[name])
		}
	}
	return n, h.told
}

func slots(all []actors.Ref) (peers []int) {
	for _, p := range all {
		peers = append(peers, int(p.Slot))
	}
	slices.Sort(peers)
	return peers
}

func TestRules(t *testing.T) {
	for _, test := range []struct{ script, told, eager, lazy string }{
		{"payload 0", "heard, payload1/5>1, payload1/5>2, payload1/5>3", "[1 2 3]", "[]"},
		{"payload 2", "heard, payload1/5>1, payload1/5>3", "[1 2 3]", "[]"},
		{"prune 1", "", "[2 3]", "[1]"},
		{"prune 1, prune 1", "", "[2 3]", "[1]"},
		{"prune 1, payload 2", "heard, payload1/5>3, ihave1/5>1", "[2 3]", "[1]"},
		{"prune 1, prune 2, prune 3, payload 0", "heard, ihave1/5>1, ihave1/5>2, ihave1/5>3", "[]", "[1 2 3]"},
		{"prune 1, payload 1", "heard, payload1/5>2, payload1/5>3", "[1 2 3]", "[]"}, // who brings it first is eager

		{"payload 2, payload 3", "duplicate, prune>3", "[1 2]", "[3]"},
		{"payload 2, payload 2", "duplicate, prune>2", "[1 3]", "[2]"},
		{"payload 2, payload 3, payload 3", "duplicate, prune>3", "[1 2]", "[3]"},
		{"payload 2, payload 0", "duplicate", "[1 2 3]", "[]"},
		{"payload 2, other 3", "heard, payload2/5>1, payload2/5>2", "[1 2 3]", "[]"},

		{"prune 1, graft 1", "", "[1 2 3]", "[]"}, // what is not here cannot be sent
		{"prune 1, payload 2, graft 1", "payload1/5>1", "[1 2 3]", "[]"},
		{"payload 2, graft 2", "payload1/5>2", "[1 2 3]", "[]"},

		{"ihave 1", "after 3s", "[1 2 3]", "[]"},
		{"payload 2, ihave 1", "", "[1 2 3]", "[]"},
		{"ihave 1, ihave 2", "", "[1 2 3]", "[]"},
		{"prune 1, ihave 1, due", "after 1s, graft1>1", "[1 2 3]", "[]"},
		{"prune 1, ihave 2, ihave 1, due", "after 1s, graft1>2", "[2 3]", "[1]"},
		{"prune 1, ihave 2, ihave 1, due, due", "after 1s, graft1>1", "[1 2 3]", "[]"},
		{"ihave 2, ihave 1, due, ihave 3, due, due", "after 1s, graft1>3", "[1 2 3]", "[]"},
		{"ihave 1, payload 2, due", "", "[1 2 3]", "[]"},
		{"ihave 2, ihave 1, due, payload 2, due", "", "[1 2 3]", "[]"},
		{"ihave 1, due, due", "", "[1 2 3]", "[]"}, // nobody is left to ask
		{"ihave 1, due, due, ihave 1", "after 3s", "[1 2 3]", "[]"},
		{"ihave 1, due, ihave 2", "", "[1 2 3]", "[]"}, // Again is under way

		{"ihave 1, ihave 2, down 1, due", "after 1s, graft1>2", "[2 3]", "[]"},
		{"ihave 1, down 1, due", "", "[2 3]", "[]"},
		{"prune 1, down 1, payload 2", "heard, payload1/5>3", "[2 3]", "[]"},
		{"down 1, payload 2", "heard, payload1/5>3", "[2 3]", "[]"},
		{"down 9", "", "[1 2 3]", "[]"},
		{"down 1, up 4, payload 2", "heard, payload1/5>3, payload1/5>4", "[2 3 4]", "[]"},
		{"down 1, graft 1", "", "[2 3]", "[]"}, // a neighbour that is gone does not come back
		{"down 1, prune 1", "", "[2 3]", "[]"},
	} {
		n, told := play(test.script)
		if got := strings.Join(told, ", "); got != test.told {
			t.Errorf("%s: %q, want %q", test.script, got, test.told)
		}
		if e, l := fmt.Sprint(slots(n.Eager)), fmt.Sprint(slots(n.Lazy)); e != test.eager || l != test.lazy {
			t.Errorf("%s: eager %s and lazy %s, want %s and %s", test.script, e, l, test.eager, test.lazy)
		}
	}
}

// Announcers are asked in the order in which they announced, and at most so many.
func TestAnnouncersAreBounded(t *testing.T) {
	n, h := &plumtree.Node{Config: config}, &host{}
	for i := range plumtree.AnnouncersMax + 5 {
		n.Receive(h, peer(i), messages["ihave"])
	}
	for len(h.due) > 0 && n.Grafts < 100 {
		m := h.due[0]
		h.due = h.due[1:]
		n.Receive(h, actors.Ref{}, m)
	}
	var want []string
	for i := range plumtree.AnnouncersMax {
		want = append(want, "after 1s", fmt.Sprint("graft1>", i))
	}
	if n.Grafts != plumtree.AnnouncersMax || !slices.Equal(h.told[1:], want) {
		t.Errorf("%d were asked: %v", n.Grafts, h.told)
	}
}

// A neighbour that announces what it never sends makes a node keep so much and no more.
func TestMissingMessagesAreBounded(t *testing.T) {
	n, h := &plumtree.Node{Config: config}, &host{}
	for i := range plumtree.MissingMax + 5 {
		n.Receive(h, peer(1), &plumtree.IHave{Number: uint32(i)})
	}
	if len(h.due) != plumtree.MissingMax {
		t.Errorf("the node waits for %d messages, want %d", len(h.due), plumtree.MissingMax)
	}
}

func TestCounts(t *testing.T) {
	n, _ := play("prune 1, payload 2, payload 3, graft 1, ihave 1, other 2, payload 1")
	if n.Payloads != 3 || n.IHaves != 2 || n.Prunes != 2 || n.Grafts != 0 || !slices.Equal(n.Hops, []uint16{0, 5, 5}) {
		t.Errorf("counted %d payloads, %d announcements, %d prunes, %d grafts; hops %v", n.Payloads, n.IHaves, n.Prunes, n.Grafts, n.Hops)
	}
	if !n.Heard(1) || n.Heard(0) || n.Heard(3) {
		t.Error("other messages were heard than came")
	}
}
