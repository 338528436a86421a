package adversary_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"peernet/actors"
	"peernet/actors/book"
	"peernet/actors/peer"
	"peernet/actors/wire"
	"peernet/sim"
	"peernet/sim/adversary"
	"peernet/sim/dist"
	"peernet/sim/overlay"
)

// A field is a small network of honest nodes, which come first, and hostile
// machines, and what was observed there.
type field struct {
	t      *testing.T
	sim    *sim.Simulation
	config peer.Config
	honest []*peer.Node
	others int // machines that are not honest

	mu     sync.Mutex // workers observe at the same time
	counts map[counted]tally
	hear   func(n sim.NodeID, at time.Duration, e actors.Event) // of single events; nil is nobody
	ids    map[sim.NodeID][]string                              // that nodes are the origin of
}

// counted is a kind of event at the honest nodes, or the others.
type counted struct {
	kind   actors.EventKind
	honest bool
}

type tally struct{ times, sum int64 }

// A setting is what a field is made of.
type setting struct {
	seed    uint64
	workers int
	encoded bool
	typed   bool // without a decoder: raw bytes would be a panic
	honest  int
	hostile []adversary.Config
	change  func(*peer.Config)
}

// nobody is a range beyond the simulated nodes, where dials are refused.
const nobody = "10.200.0.0/16"

// machines are n configurations of one role. They know the first honest nodes.
func machines(n int, c adversary.Config) []adversary.Config {
	if len(c.Known) == 0 {
		c.Known = addresses(0, 3)
	}
	return slices.Repeat([]adversary.Config{c}, n)
}

// addresses are those of n nodes.
func addresses(first, n int) (list []actors.Address) {
	for i := range n {
		list = append(list, sim.AddressOf(sim.NodeID(first+i)))
	}
	return list
}

// newField makes a field. The nodes start within two seconds, in random order.
func newField(t *testing.T, o setting) *field {
	t.Helper()
	f := &field{t: t, counts: map[counted]tally{}, ids: map[sim.NodeID][]string{}, others: len(o.hostile)}
	c := sim.Config{
		Seed: o.seed, Workers: o.workers, Encoded: o.encoded, Observer: f,
		Latency: sim.Latency{Link: dist.Uniform{Low: 10 * time.Millisecond, High: 50 * time.Millisecond}},
	}
	if !o.typed {
		c.NewDecoder = func() actors.Decoder { return &wire.Decoder{} }
	}
	s, err := sim.New(c)
	if err != nil {
		t.Fatal(err)
	}
	f.sim = s
	f.config = peer.Config{Interval: 2 * time.Second, Refresh: 10 * time.Second, Book: book.Limits{Entries: 64}}
	if o.change != nil {
		o.change(&f.config)
	}
	f.config = f.config.WithDefaults()
	s.Add(o.honest + len(o.hostile))
	random := s.Rand("field")
	times := make([]time.Duration, s.Nodes())
	for i := range times {
		times[i] = time.Duration(random.Int64N(int64(2 * time.Second)))
	}
	for i := range o.honest {
		f.honest = append(f.honest, &peer.Node{
			Config: &f.config, Advertise: addresses(i, 1),
			Bootstrap: []actors.Address{sim.AddressOf(0), sim.AddressOf(sim.NodeID(i / 2))},
		})
	}
	s.StartAt(0, times, func(id sim.NodeID) actors.Actor {
		if int(id) < o.honest {
			return f.honest[id]
		}
		c := o.hostile[int(id)-o.honest]
		c.Advertise = addresses(int(id), 1)
		return adversary.New(c)
	})
	return f
}

// Observe implements [sim.Observer].
func (f *field) Observe(_ int, n sim.NodeID, at actors.Time, e actors.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	key := counted{e.Kind, int(n) < len(f.honest)}
	c := f.counts[key]
	f.counts[key] = tally{c.times + 1, c.sum + e.N}
	if e.Kind == peer.EventAnnounced {
		f.ids[n] = append(f.ids[n], e.Message.(*wire.Frame).Body.ID)
	}
	if f.hear != nil {
		f.hear(n, time.Duration(at), e)
	}
}

// at is what was counted at the honest nodes, by is what at the others.
func (f *field) at(k actors.EventKind) tally { return f.counts[counted{k, true}] }
func (f *field) by(k actors.EventKind) tally { return f.counts[counted{k, false}] }

// run runs the network until a time.
func (f *field) run(until time.Duration) {
	f.t.Helper()
	if err := f.sim.Run(context.Background(), until); err != nil {
		f.t.Fatal(err)
	}
}

// announce makes a node the origin of a request, and returns its id.
func (f *field) announce(n int, typ string, limit uint32) string {
	id := sim.NodeID(n)
	f.sim.Send(id, &peer.Announce{Type: typ, Limit: limit})
	return f.ids[id][len(f.ids[id])-1]
}

// links counts the links of a node with others that are in use by it.
func (f *field) links(n int, with func(sim.NodeID) bool) (inbound, outbound int) {
	f.sim.Links(sim.NodeID(n), func(l sim.LinkEnd) {
		out, ok := f.honest[n].Gossip().InUse(l.Owner)
		switch {
		case !ok || !with(l.Peer):
		case out:
			outbound++
		default:
			inbound++
		}
	})
	return inbound, outbound
}

// isHostile reports whether a node is none of the honest.
func (f *field) isHostile(n sim.NodeID) bool { return int(n) >= len(f.honest) }

// wantSound fails the test unless the honest nodes keep their bounds, and, if
// they are to, form one network by the links among themselves.
func (f *field) wantSound(connected bool) {
	f.t.Helper()
	everybody := func(sim.NodeID) bool { return true }
	for i, n := range f.honest {
		in, out := f.links(i, everybody)
		if b := n.Store().Book().Len(); in > f.config.InboundMax || out > f.config.Connections+2 || b > f.config.Book.Entries {
			f.t.Errorf("node %d has %d inbound links, %d outbound ones, %d addresses: beyond its bounds", i, in, out, b)
		}
	}
	edges := func(yield func(a, b uint32) bool) {
		for i, n := range f.honest {
			f.sim.Links(sim.NodeID(i), func(l sim.LinkEnd) {
				if _, ok := n.Gossip().InUse(l.Owner); ok && !f.isHostile(l.Peer) {
					yield(uint32(i), uint32(l.Peer))
				}
			})
		}
	}
	if c := overlay.New(len(f.honest), edges).Components(); connected && len(c) != 1 {
		f.t.Errorf("the honest nodes are in components of %v", c)
	}
}

// wantRate fails the test unless a count over some seconds is as configured, or
// off by less than one action a machine.
func wantRate(t *testing.T, what string, got int64, machines, rate, seconds int) {
	t.Helper()
	want := int64(machines * rate * seconds)
	if got < want-int64(machines) || got > want+int64(machines) {
		t.Errorf("%s: %d in %d s by %d machines, want %d", what, got, seconds, machines, want)
	}
}

// coverage has some honest nodes announce, and returns how many of the other
// honest ones an announce reaches at the mean, times 1000, and the mean time that
// it takes.
func (f *field) coverage(rounds int) (permille int, mean time.Duration) {
	f.t.Helper()
	reached, sum := 0, time.Duration(0)
	sent := map[string]time.Duration{}
	f.hear = func(n sim.NodeID, at time.Duration, e actors.Event) {
		if e.Kind != peer.EventRequest || f.isHostile(n) {
			return
		}
		if t, ok := sent[e.Message.(*wire.Frame).Body.ID]; ok {
			reached++
			sum += at - t
		}
	}
	for i := range rounds {
		id := f.announce(i%len(f.honest), "news", 0)
		f.mu.Lock()
		sent[id] = f.sim.Now()
		f.mu.Unlock()
		f.run(f.sim.Now() + 100*time.Millisecond)
	}
	f.run(f.sim.Now() + 20*time.Second)
	f.hear = nil
	if reached == 0 {
		f.t.Fatal("no announce reaches anybody")
	}
	return 1000 * reached / (rounds * (len(f.honest) - 1)), sum / time.Duration(reached)
}
