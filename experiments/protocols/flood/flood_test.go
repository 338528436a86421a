package flood_test

import (
	"slices"
	"testing"
	"time"

	"peernet/actors"
	"peernet/experiments/protocols/flood"
	"peernet/experiments/protocols/gossip"
	"peernet/experiments/protocols/mesh"
	"peernet/sim"
	"peernet/sim/dist"
)

// host is the context of a node: it keeps what the node sends.
type host struct {
	actors.Context
	to   []int
	last actors.Message
}

func (h *host) Emit(actors.Event) {}

func (h *host) Send(to actors.Ref, m actors.Message) {
	h.to, h.last = append(h.to, int(to.Slot)), m
}

func peer(i int) actors.Ref { return actors.Ref{Slot: uint32(i), Gen: 1} }

// Whom a node with the neighbours 1 to 5 sends what came from one of them.
func TestNeighboursThatAreSentTo(t *testing.T) {
	for name, test := range map[string]struct {
		node flood.Node
		from int // 0 is the user
		want []int
	}{
		"all but the one it came from": {flood.Node{}, 3, []int{1, 2, 4, 5}},
		"all, from the user":           {flood.Node{}, 0, []int{1, 2, 3, 4, 5}},
		"echo":                         {flood.Node{Echo: true}, 3, []int{1, 2, 3, 4, 5}},
	} {
		n, h := test.node, &host{}
		for i := 1; i <= 6; i++ {
			n.Up(h, peer(i))
		}
		n.Down(h, peer(6))
		n.Down(h, peer(7))
		from := actors.Ref{}
		if test.from > 0 {
			from = peer(test.from)
		}
		n.Receive(h, from, &gossip.Rumor{Number: 2, Hops: 8})
		if next := h.last.(*gossip.Rumor); next.Number != 2 || next.Hops != 9 || n.Hops[2] != 9 || n.Heard(1) || !n.Heard(2) {
			t.Errorf("%s: %v went on", name, next)
		}
		if slices.Sort(h.to); !slices.Equal(h.to, test.want) || n.Sent != uint64(len(test.want)) {
			t.Errorf("%s: sent to %v, and counted %d", name, h.to, n.Sent)
		}
		n.Receive(h, peer(1), &gossip.Rumor{Number: 2})
		n.Receive(h, peer(2), &mesh.Attach{}) // no message of its own
		if len(h.to) != len(test.want) || n.Hops[2] != 9 {
			t.Errorf("%s: a duplicate was passed on", name)
		}
	}
}

// A flood over E links reaches N nodes with 2E − (N−1) messages; with an echo of all it is 2E.
func TestMessagesOfAFlood(t *testing.T) {
	var ring, complete, tree [][2]int
	for i := range 10 {
		ring = append(ring, [2]int{i, (i + 1) % 10})
		for k := range i {
			complete = append(complete, [2]int{k, i})
		}
		if i > 0 {
			tree = append(tree, [2]int{(i - 1) / 2, i})
		}
	}
	for name, links := range map[string][][2]int{"ring": ring, "complete": complete, "tree": tree} {
		for _, echo := range []bool{false, true} {
			s, err := sim.New(sim.Config{Seed: 5, Latency: sim.Latency{Message: dist.Constant(time.Millisecond)}})
			if err != nil {
				t.Fatal(err)
			}
			s.Add(10)
			nodes := make([]flood.Node, 10)
			for i := range nodes {
				nodes[i].Echo = echo
				s.Start(sim.NodeID(i), &mesh.Static{App: &nodes[i]})
			}
			for _, l := range links {
				a, b := s.Link(sim.NodeID(l[0]), sim.NodeID(l[1]))
				s.Send(sim.NodeID(l[0]), &mesh.Attach{Link: a})
				s.Send(sim.NodeID(l[1]), &mesh.Attach{Link: b})
			}
			s.Send(4, &gossip.Rumor{})
			if err := s.Run(t.Context(), time.Second); err != nil {
				t.Fatal(err)
			}
			want, sent := 2*len(links)-9, 0
			if echo {
				want = 2 * len(links)
			}
			for i := range nodes {
				sent += int(nodes[i].Sent)
				if !nodes[i].Heard(0) {
					t.Errorf("%s: node %d did not hear the message", name, i)
				}
			}
			if sent != want || s.Totals().Sent != uint64(want) {
				t.Errorf("%s, echo %v: %d messages were sent, %d counted, want %d", name, echo, s.Totals().Sent, sent, want)
			}
			if far := nodes[9].Hops[0]; name == "ring" && far != 6 || name == "complete" && far != 2 || name == "tree" && far != 2 {
				t.Errorf("%s: it took %d hops to node 9", name, far-1)
			}
		}
	}
}
