package shuffle_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"peernet/actors"
	"peernet/experiments/lab"
	"peernet/experiments/protocols/shuffle"
	"peernet/sim"
	"peernet/sim/dist"
)

var addresses = lab.Addresses(60)

// host is the context of a node: it keeps what the node sends, and its timers.
type host struct {
	actors.Context
	rand   *rand.Rand
	to     []int
	sent   []*shuffle.Shuffle
	timers []time.Duration
}

func newHost(seed uint64) *host { return &host{rand: rand.New(rand.NewPCG(seed, 2))} }

func (h *host) Rand() *rand.Rand { return h.rand }

func (h *host) SendTo(to actors.Address, m actors.Message) {
	h.to, h.sent = append(h.to, slices.Index(addresses, to)), append(h.sent, m.(*shuffle.Shuffle))
}

func (h *host) After(d time.Duration, _ actors.Message) actors.Timer {
	h.timers = append(h.timers, d)
	return 0
}

// node is number 0, with so many from number 1 on in its view.
func node(size int) *shuffle.Node {
	n := &shuffle.Node{Config: &shuffle.Config{Peers: addresses, Period: time.Second}, Len: uint8(size)}
	for i := range size {
		n.View[i] = uint32(i + 1)
	}
	return n
}

func view(n *shuffle.Node) []uint32 { return slices.Sorted(slices.Values(n.View[:n.Len])) }

// message comes from number 7.
func message(reply bool, peers ...uint32) *actors.Datagram {
	m := &shuffle.Shuffle{Reply: reply, Len: uint8(len(peers))}
	copy(m.Peers[:], slices.Repeat([]uint32{59}, len(m.Peers))) // what is beyond Len counts for nothing
	copy(m.Peers[:], peers)
	return &actors.Datagram{From: addresses[7], Payload: m}
}

// up is the numbers from a to b.
func up(a, b uint32) (all []uint32) {
	for ; a <= b; a++ {
		all = append(all, a)
	}
	return all
}

// A node sends a random member of its view itself, and nine others or all that there are.
func TestRequest(t *testing.T) {
	for _, size := range []int{0, 1, 5, 9, 10, 20} {
		var partners, drawn [61]int
		const runs = 400
		for seed := range uint64(runs) {
			n, h := node(size), newHost(seed)
			n.Receive(h, &shuffle.Tick{})
			if len(h.timers) != 1 || h.timers[0] != time.Second || !slices.Equal(view(n), up(1, uint32(size))) {
				t.Fatalf("size %d: timers %v, view %v", size, h.timers, view(n))
			}
			if size == 0 {
				if len(h.sent) > 0 {
					t.Fatalf("who knows nobody sent %v", h.sent)
				}
				continue
			}
			m := h.sent[0]
			others := slices.Sorted(slices.Values(m.Peers[1:m.Len]))
			if len(h.sent) != 1 || m.Reply || m.Peers[0] != 0 || len(others) != min(9, size) ||
				len(slices.Compact(slices.Clone(others))) != len(others) || others[0] < 1 || int(others[len(others)-1]) > size {
				t.Fatalf("size %d: sent %v", size, m)
			}
			partners[h.to[0]]++
			for _, i := range others {
				drawn[i]++
			}
		}
		for i := 1; i <= size; i++ { // standard deviations are 10 at most
			if a, b := partners[i]-runs/size, drawn[i]-runs*min(9, size)/size; a*a > 2500 || b*b > 2500 {
				t.Errorf("size %d: partners %v, others %v", size, partners, drawn)
			}
		}
	}
}

// A request is answered with what the view was before; a reply is not answered.
func TestReply(t *testing.T) {
	n, h := node(8), newHost(1)
	n.Receive(h, message(false, 30, 31, 2, 0))
	if len(h.sent) != 1 || h.to[0] != 7 {
		t.Fatalf("sent %v to %v", h.sent, h.to)
	}
	m := h.sent[0]
	if !m.Reply || m.Peers[0] != 0 || !slices.Equal(slices.Sorted(slices.Values(m.Peers[1:m.Len])), up(1, 8)) {
		t.Errorf("answered %v", m)
	}
	if want := append(up(1, 8), 30, 31); !slices.Equal(view(n), want) {
		t.Errorf("the view is %v, want %v", view(n), want)
	}
	n.Receive(h, message(true, 40))
	if want := append(up(1, 8), 30, 31, 40); len(h.sent) != 1 || !slices.Equal(view(n), want) {
		t.Errorf("the view is %v, want %v; sent %v", view(n), want, h.sent)
	}
	for _, m := range []*actors.Datagram{message(false), {Payload: &shuffle.Tick{}}} {
		h.sent = nil
		if n.Receive(h, m); len(h.sent) > 0 {
			t.Errorf("answered %v", m)
		}
	}
	// Who is in no directory can get into a view, and is sent nothing.
	n, h = node(0), newHost(1)
	n.Receive(h, message(true, 4000))
	if n.Receive(h, &shuffle.Tick{}); len(h.sent) > 0 || n.Len != 1 {
		t.Errorf("sent %v, with the view %v", h.sent, view(n))
	}
}

// A full view overwrites a uniformly drawn place; the node itself and peers that are known
// take none.
func TestMergeIntoAFullView(t *testing.T) {
	var gone [shuffle.ViewMax + 1]int
	const runs = 2000
	for seed := range uint64(runs) {
		n, h := node(shuffle.ViewMax), newHost(seed)
		n.Receive(h, message(true, 0, 3, 20, 50))
		left := view(n)
		if len(left) != shuffle.ViewMax || left[len(left)-1] != 50 || len(slices.Compact(left)) != shuffle.ViewMax {
			t.Fatalf("the view is %v", left)
		}
		for i := range shuffle.ViewMax {
			if !slices.Contains(left, uint32(i+1)) {
				gone[i+1]++
			}
		}
	}
	for _, g := range gone[1:] {
		if g < 50 || g > 150 { // the standard deviation is 10
			t.Errorf("those who were overwritten are %v", gone)
			break
		}
	}
}

// Ticks begin at a uniform phase.
func TestPhase(t *testing.T) {
	n, h := node(3), newHost(1)
	for range 1000 {
		n.Receive(h, &actors.Started{})
	}
	slices.Sort(h.timers)
	if h.timers[0] < 0 || h.timers[0] > 20*time.Millisecond || h.timers[999] < 980*time.Millisecond || h.timers[999] >= time.Second ||
		h.timers[500] < 400*time.Millisecond || h.timers[500] > 600*time.Millisecond {
		t.Errorf("phases are %v, %v, … %v, … %v", h.timers[0], h.timers[1], h.timers[500], h.timers[999])
	}
}

// In a network each node sends one request and one reply in a period, and no view is wrong.
func TestNetwork(t *testing.T) {
	const count, periods = 60, 20
	s, err := sim.New(sim.Config{Seed: 1, Latency: sim.Latency{Message: dist.Constant(time.Millisecond)}})
	if err != nil {
		t.Fatal(err)
	}
	s.Add(count)
	nodes := make([]*shuffle.Node, count)
	for i := range nodes {
		nodes[i] = node(0)
		nodes[i].Self, nodes[i].View[0], nodes[i].Len = uint32(i), uint32((i+1)%count), 1
		s.Start(sim.NodeID(i), nodes[i])
	}
	for range periods {
		if err := s.Run(t.Context(), s.Now()+time.Second); err != nil {
			t.Fatal(err)
		}
		for i, n := range nodes {
			v := view(n)
			if slices.Contains(v, uint32(i)) || len(slices.Compact(v)) != int(n.Len) || v[len(v)-1] >= count {
				t.Fatalf("node %d has %v", i, v)
			}
		}
	}
	for i, n := range nodes {
		if n.Len != shuffle.ViewMax {
			t.Errorf("node %d has only %v", i, view(n))
		}
	}
	// The last requests may not have been answered yet.
	if n := s.Totals().Sent; n > 2*count*periods || n < 2*count*periods-5 {
		t.Errorf("%d messages were sent, want %d", n, 2*count*periods)
	}
}
