package hosttest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"peernet/actors"
	"peernet/actors/peer"
)

// Story runs nodes of package peer through a scenario whose order is determined, and
// compares the events of all their actors, step by step, with the text of
// testdata/story.txt: they are the same on every host. in is as in [TestIn].
func Story(t *testing.T, in func(*testing.T, func(*testing.T)), want string, new New) {
	in(t, func(t *testing.T) {
		s := &story{t: t, host: new(t)}
		defer s.host.Close()
		s.tell()
		if got := s.text.String(); got != want {
			t.Errorf("the events are\n%s\nwant\n%s", got, want)
		}
	})
}

// A story is a scenario at work.
type story struct {
	t    *testing.T
	host Host
	text strings.Builder

	mu     sync.Mutex
	events map[string][]string // of this step, by actor
}

// tell goes through the scenario.
func (s *story) tell() {
	const count = 4
	roots := make([]*storyRoot, count)
	start := func(i int) {
		c := peer.Config{Static: true, Network: "story"}.WithDefaults()
		n := &peer.Node{Config: &c, ID: peer.NodeID{0: byte(i + 1)}, Advertise: []actors.Address{s.host.Address(i)}}
		roots[i] = &storyRoot{node: n, ops: make(chan actors.Message, 8)}
		s.host.Start(i, &traced{s, fmt.Sprintf("node %d", i), roots[i], map[string]int{}})
	}
	do := func(what string, i int, m actors.Message) {
		roots[i].ops <- m
		s.step(what)
	}
	address := func(i int) actors.Address { return s.host.Address(i) }
	for i := range count {
		start(i)
	}
	s.step("four nodes start")
	do("1 connects to 0", 1, &peer.Connect{Address: address(0)})
	do("2 connects to 1", 2, &peer.Connect{Address: address(1)})
	do("3 connects to 2", 3, &peer.Connect{Address: address(2)})
	do("0 connects to 1, to which it is connected", 0, &peer.Connect{Address: address(1)})
	do("0 announces", 0, &peer.Announce{Type: "story", Data: "once upon a time"})
	do("1 announces over two links at most", 1, &peer.Announce{Type: "story", Data: "limited", Limit: 1})
	do("2 saves an address", 2, &peer.Save{Address: address(99)})
	do("2 removes it", 2, &peer.Remove{Address: address(99)})
	do("2 connects to nobody", 2, &peer.Connect{Address: address(50)})
	do("3 disconnects from 2", 3, &peer.Disconnect{Address: address(2)})
	s.host.Crash(1, true)
	s.step("1 crashes")
	start(1)
	s.step("1 starts again")
	do("2 connects to 1 again", 2, &peer.Connect{Address: address(1)})
	do("2 closes", 2, &peer.Close{})
}

// step lets a second pass, and writes down what happened.
func (s *story) step(what string) {
	if err := s.host.Run(time.Second); err != nil {
		s.t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(&s.text, "%s\n", what)
	var who []string
	for name := range s.events {
		who = append(who, name)
	}
	slices.Sort(who)
	for _, name := range who {
		for _, e := range s.events[name] {
			fmt.Fprintf(&s.text, "  %s: %s\n", name, e)
		}
	}
	s.events = map[string][]string{}
}

// emit writes down an event without what is random: references and ids.
func (s *story) emit(who string, e actors.Event) {
	line := e.Kind.String()
	if !e.Address.IsZero() {
		line += " " + e.Address.String()
	}
	if e.N != 0 {
		line += fmt.Sprintf(" n=%d", e.N)
	}
	if e.Text != "" {
		line += fmt.Sprintf(" %q", e.Text)
	}
	if m := e.Message; m != nil {
		line += " " + m.Kind().String()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.events == nil {
		s.events = map[string][]string{}
	}
	s.events[who] = append(s.events[who], line)
}

// A storyRoot is the root of a node that takes operations between two steps: once
// in a while it looks whether there is one.
type storyRoot struct {
	node *peer.Node
	ops  chan actors.Message
}

// look is when a storyRoot looks for operations.
type look struct{}

var lookKind = actors.RegisterMessage("hosttest.look", nil)

// Kind implements [actors.Message].
func (*look) Kind() actors.Kind { return lookKind }

// Append implements [actors.Message].
func (*look) Append(b []byte) []byte { return b }

// Receive implements [actors.Actor].
func (r *storyRoot) Receive(ctx actors.Context, m actors.Message) {
	switch m.(type) {
	case *actors.Started:
		ctx.After(50*time.Millisecond, &look{})
	case *look:
		ctx.After(50*time.Millisecond, &look{})
		select {
		case m := <-r.ops:
			r.node.Receive(ctx, m)
		default:
		}
		return
	}
	r.node.Receive(ctx, m)
}

// A traced is an actor whose events, and those of the actors that it spawns, are
// written down.
type traced struct {
	story *story
	name  string
	actor actors.Actor
	names map[string]int
}

// Receive implements [actors.Actor].
func (a *traced) Receive(ctx actors.Context, m actors.Message) {
	a.actor.Receive(&tracedContext{ctx, a}, m)
}

type tracedContext struct {
	actors.Context
	of *traced
}

// Emit implements [actors.Context].
func (c *tracedContext) Emit(e actors.Event) {
	c.of.story.emit(c.of.name, e)
	c.Context.Emit(e)
}

// Spawn implements [actors.Context].
func (c *tracedContext) Spawn(name string, a actors.Actor) actors.Ref {
	n := c.of.names[name]
	c.of.names[name]++
	full := fmt.Sprintf("%s %s %d", c.of.name, name, n)
	return c.Context.Spawn(name, &traced{c.of.story, full, a, map[string]int{}})
}
