package gossip_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"peernet/actors"
	"peernet/experiments/lab"
	"peernet/experiments/protocols/gossip"
)

var addresses = lab.Addresses(20)

// host is the context of a node: it keeps what the node sends and emits.
type host struct {
	actors.Context
	rand   *rand.Rand
	to     []actors.Address
	sent   []gossip.Rumor
	events []actors.EventKind
}

func newHost() *host { return &host{rand: rand.New(rand.NewPCG(1, 2))} }

func (h *host) Rand() *rand.Rand { return h.rand }

func (h *host) Emit(e actors.Event) { h.events = append(h.events, e.Kind) }

func (h *host) SendTo(to actors.Address, m actors.Message) {
	h.to, h.sent = append(h.to, to), append(h.sent, *m.(*gossip.Rumor))
}

// A message goes to Fanout distinct peers when it is heard first, and never again.
func TestInfectAndDie(t *testing.T) {
	for _, test := range []struct{ fanout, want int }{{0, 0}, {1, 1}, {5, 5}, {19, 19}, {100, 19}} {
		n, h := &gossip.Node{Fanout: test.fanout, Sampler: gossip.Everybody{Peers: addresses, Self: 7}}, newHost()
		if n.Heard(3) || n.Heard(0) {
			t.Error("what nobody said was heard")
		}
		n.Receive(h, &actors.Datagram{From: addresses[1], Payload: &gossip.Rumor{Number: 3, Hops: 4}})
		n.Receive(h, &actors.Datagram{From: addresses[2], Payload: &gossip.Rumor{Number: 3, Hops: 2}})
		n.Receive(h, &gossip.Rumor{Number: 3})
		if !n.Heard(3) || n.Heard(2) || n.Heard(4) || !slices.Equal(n.Hops, []uint16{0, 0, 0, 5}) {
			t.Errorf("fan-out %d: hops are %v", test.fanout, n.Hops)
		}
		if !slices.Equal(h.events, []actors.EventKind{gossip.EventHeard, gossip.EventDuplicate, gossip.EventDuplicate}) {
			t.Errorf("fan-out %d: events %v", test.fanout, h.events)
		}
		seen := map[actors.Address]bool{addresses[7]: true}
		for i, to := range h.to {
			if seen[to] || h.sent[i] != (gossip.Rumor{Number: 3, Hops: 5}) {
				t.Errorf("fan-out %d: %v was sent to %v", test.fanout, h.sent[i], h.to)
			}
			seen[to] = true
		}
		if len(h.to) != test.want {
			t.Errorf("fan-out %d: sent to %d, want %d", test.fanout, len(h.to), test.want)
		}
		n.Receive(h, &gossip.Rumor{Number: 1})
		if !slices.Equal(n.Hops, []uint16{0, 1, 0, 5}) || len(h.to) != 2*test.want {
			t.Errorf("fan-out %d: hops %v, and %d sent, after another message", test.fanout, n.Hops, len(h.to))
		}
	}
}

type member struct{ got []actors.Message }

func (m *member) Receive(_ actors.Context, got actors.Message) { m.got = append(m.got, got) }

// What is no gossip is the membership protocol's.
func TestMembership(t *testing.T) {
	m := &member{}
	n, h := &gossip.Node{Sampler: gossip.View(nil), Membership: m}, newHost()
	started, other := &actors.Started{}, &actors.Datagram{Payload: &actors.Started{}}
	for _, n := range []*gossip.Node{n, {Sampler: gossip.View(nil)}} {
		n.Receive(h, started)
		n.Receive(h, other)
		n.Receive(h, &actors.Datagram{Payload: &gossip.Rumor{}})
		n.Receive(h, &gossip.Rumor{Number: 1})
	}
	if !slices.Equal(m.got, []actors.Message{started, other}) {
		t.Errorf("the membership protocol got %v", m.got)
	}
}

// Samples are distinct peers, never the node itself; each peer is in one as often as any
// other, and so is each pair.
func TestSamplers(t *testing.T) {
	const n, draws = 6, 6000
	known := addresses[:n]
	for name, test := range map[string]struct {
		gossip.Sampler
		self int // −1 is not among those known
	}{
		"everybody, first":  {gossip.Everybody{Peers: known, Self: 0}, 0},
		"everybody, middle": {gossip.Everybody{Peers: known, Self: 3}, 3},
		"everybody, last":   {gossip.Everybody{Peers: known, Self: n - 1}, n - 1},
		"view":              {gossip.View(known), -1},
	} {
		others := n
		if test.self >= 0 {
			others--
		}
		for size := range n + 2 {
			r := rand.New(rand.NewPCG(uint64(size), 9))
			want := min(size, others)
			var single [n]int
			var pairs [n][n]int
			for range draws {
				before := []actors.Address{addresses[15]}
				peers := test.Sample(r, size, before)
				if len(peers) != 1+want || peers[0] != before[0] {
					t.Fatalf("%s: a sample of %d is %v", name, size, peers)
				}
				for i, p := range peers[1:] {
					k := slices.Index(known, p)
					if k < 0 || k == test.self || slices.Contains(peers[1:1+i], p) {
						t.Fatalf("%s: a sample of %d is %v", name, size, peers)
					}
					single[k]++
					for _, q := range peers[1 : 1+i] {
						l := slices.Index(known, q)
						pairs[min(k, l)][max(k, l)]++
					}
				}
			}
			var one, two float64
			mean, meanPair := float64(draws*want)/float64(others), float64(draws*want*(want-1))/float64(others*(others-1))
			for i := range n {
				for k := i; k < n; k++ {
					switch {
					case i == test.self || k == test.self || want == 0:
					case i == k:
						one += square(float64(single[i])-mean) / mean
					case want > 1:
						two += square(float64(pairs[i][k])-meanPair) / meanPair
					}
				}
			}
			// The 0.9999 quantiles of chi-square with 5 and 14 degrees of freedom; sampling
			// without repeats spreads less.
			if one > 25.7 || two > 42.6 {
				t.Errorf("%s: samples of %d are not uniform: %v, %v", name, size, single, pairs)
			}
		}
	}
}

func square(x float64) float64 { return x * x }

// A view that nobody is in, or a network of one node, has nobody to draw.
func TestNobodyToDraw(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, s := range []gossip.Sampler{gossip.View(nil), gossip.Everybody{Peers: addresses[:1]}} {
		if peers := s.Sample(r, 3, nil); len(peers) > 0 {
			t.Errorf("drew %v", peers)
		}
	}
}
