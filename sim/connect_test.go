package sim_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"peernet/actors"
	"peernet/sim"
	"peernet/sim/dist"
)

// connected is a root that greets over each link that it is given, with the number of the
// node, and notes what it gets.
type connected struct {
	number   byte
	stops    bool // at the first link
	attached []string
	heard    []string
}

type given struct {
	link     actors.Link
	outbound bool
}

type hello struct{ from byte }

var (
	givenKind = actors.RegisterMessage("connect_test.given", nil)
	helloKind = actors.RegisterMessage("connect_test.hello", nil)
)

func (*given) Kind() actors.Kind        { return givenKind }
func (*given) Append(b []byte) []byte   { return b }
func (*hello) Kind() actors.Kind        { return helloKind }
func (m *hello) Append(b []byte) []byte { return append(b, m.from) }

func (c *connected) Receive(ctx actors.Context, m actors.Message) {
	switch m := m.(type) {
	case *given:
		there, _ := sim.NodeOf(m.link.Remote())
		c.attached = append(c.attached, fmt.Sprint(there, m.outbound))
		if c.stops {
			ctx.Stop(ctx.Self())
			return
		}
		m.link.Bind(ctx.Self())
		_ = m.link.Send(&hello{c.number})
	case *hello:
		c.heard = append(c.heard, fmt.Sprint("hello ", m.from))
	case *actors.LinkDown:
		c.heard = append(c.heard, m.Reason.String())
	}
}

// Where latencies are drawn by message, a network that is connected at once has the trace of
// one whose links are made one by one.
func TestConnectIsAsOneByOne(t *testing.T) {
	const count = 40
	var edges [][2]sim.NodeID
	for r := rand.New(rand.NewPCG(1, 2)); len(edges) < 5*count; {
		edges = append(edges, [2]sim.NodeID{sim.NodeID(r.IntN(count)), sim.NodeID(r.IntN(count/2) + count/2)})
	}
	var traces [2]uint64
	for i := range traces {
		s, err := sim.New(sim.Config{Latency: sim.Latency{Message: dist.Uniform{Low: time.Millisecond, High: time.Second}}})
		if err != nil {
			t.Fatal(err)
		}
		s.Add(count)
		for k := range sim.NodeID(count) {
			s.Start(k, &connected{number: byte(k)})
		}
		if i == 0 {
			s.Connect(edges, func(l actors.Link, outbound bool) actors.Message { return &given{l, outbound} })
		} else {
			for _, e := range edges {
				a, b := s.Link(e[0], e[1])
				s.Send(e[0], &given{a, true})
				s.Send(e[1], &given{b, false})
			}
		}
		if err := s.Run(t.Context(), 2*time.Second); err != nil {
			t.Fatal(err)
		}
		traces[i] = s.TraceHash()
	}
	if traces[0] != traces[1] {
		t.Errorf("traces are %016x and, one by one, %016x", traces[0], traces[1])
	}
}

// Each end of each edge is attached once, in the order of the edges, to a link that carries
// messages both ways; and one whose other node ends at once is closed.
func TestConnect(t *testing.T) {
	for _, reference := range []bool{false, true} {
		s, err := sim.New(sim.Config{
			Reference: reference, Network: &sim.Network{},
			Latency: sim.Latency{Link: dist.Uniform{Low: time.Millisecond, High: 2 * time.Millisecond}},
		})
		if err != nil {
			t.Fatal(err)
		}
		nodes := make([]connected, 5)
		s.Add(len(nodes))
		for i := range nodes {
			nodes[i] = connected{number: byte(i), stops: i == 1}
			s.Start(sim.NodeID(i), &nodes[i])
		}
		s.Connect([][2]sim.NodeID{{2, 0}, {0, 1}, {3, 2}, {0, 3}, {1, 3}}, func(l actors.Link, outbound bool) actors.Message {
			return &given{l, outbound}
		})
		if err := s.Run(t.Context(), time.Second); err != nil {
			t.Fatal(err)
		}
		for i, want := range []connected{
			{attached: []string{"2 false", "1 true", "3 true"}, heard: []string{"closed", "hello 2", "hello 3"}},
			{attached: []string{"0 false"}},
			{attached: []string{"0 true", "3 false"}, heard: []string{"hello 0", "hello 3"}},
			{attached: []string{"2 true", "0 false", "1 false"}, heard: []string{"closed", "hello 0", "hello 2"}},
			{},
		} {
			got := &nodes[i]
			slices.Sort(got.heard)
			if !slices.Equal(got.attached, want.attached) || !slices.Equal(got.heard, want.heard) {
				t.Errorf("reference %v: node %d has %v, heard %v; want %v, %v", reference, i, got.attached, got.heard, want.attached, want.heard)
			}
		}
		open := 0
		for i := range nodes {
			s.Links(sim.NodeID(i), func(e sim.LinkEnd) {
				if e.PeerOwner == (actors.Ref{}) || e.Cut {
					t.Errorf("a link of node %d is %+v", i, e)
				}
				open++
			})
		}
		if open != 6 {
			t.Errorf("%d ends are open, want 6", open)
		}
	}
}
