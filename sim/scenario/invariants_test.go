package scenario

import (
	"strings"
	"sync"
	"testing"
	"time"

	"peernet/actors"
	"peernet/actors/peer"
	"peernet/actors/wire"
	"peernet/sim"
)

// A witness knows whom the first request of a run came to.
type witness struct {
	sync.Mutex
	id     string
	origin sim.NodeID
	heard  map[sim.NodeID]*wire.Frame
}

// Observe implements [sim.Observer].
func (w *witness) Observe(_ int, node sim.NodeID, _ actors.Time, e actors.Event) {
	w.Lock()
	defer w.Unlock()
	f, _ := e.Message.(*wire.Frame)
	switch {
	case e.Kind == peer.EventAnnounced && w.heard == nil:
		w.id, w.origin, w.heard = f.Body.ID, node, map[sim.NodeID]*wire.Frame{}
	case e.Kind == peer.EventRequest && f.Body.ID == w.id:
		w.heard[node] = f
	}
}

// some returns the first node that heard the request, or did not, besides its origin,
// and any copy of the request.
func (w *witness) some(heard bool) (sim.NodeID, wire.Frame) {
	var copy wire.Frame
	for _, f := range w.heard {
		copy = *f
	}
	for id := sim.NodeID(0); ; id++ {
		if f := w.heard[id]; (f != nil) == heard && id != w.origin {
			if heard {
				copy = *f
			}
			return id, copy
		}
	}
}

// A leakyLink is closed by the first request, and its owner does not get to know.
type leakyLink struct{ actors.Link }

// Send implements [actors.Link].
func (l leakyLink) Send(m actors.Message) error {
	if f, ok := m.(*wire.Frame); ok && f.Body.Type == typeAnnounce {
		l.Close()
		return nil
	}
	return l.Link.Send(m)
}

// Each invariant is looked after: what breaks it fails its check and no other, which
// names the node and the time.
func TestInvariantsAreChecked(t *testing.T) {
	t.Parallel()
	const now, next, end = 10500 * time.Millisecond, 11 * time.Second, 20 * time.Second
	tell := func(r *runner, node sim.NodeID, kind actors.EventKind, f wire.Frame) {
		r.tracker.Observe(0, node, actors.Time(r.sim.Now()), actors.Event{Kind: kind, Message: &f})
	}
	for name, test := range map[string]struct {
		text  string
		plant func(r *runner, w *witness) (sim.NodeID, time.Duration)
		want  string
	}{
		"nothing": {plant: func(*runner, *witness) (sim.NodeID, time.Duration) { return 0, 0 }},
		"a book that is too large": {plant: func(r *runner, _ *witness) (sim.NodeID, time.Duration) {
			b := r.roots[7].Store().Book()
			for i := range sim.NodeID(r.scenario.Book + 9) {
				b.Append(entryOf(sim.AddressOf(5000 + i)))
			}
			return 7, next
		}, want: invariantBounds},
		"a barred address in a book": {plant: func(r *runner, _ *witness) (sim.NodeID, time.Duration) {
			b := r.roots[8].Store().Book()
			b.Bar(b.At(0).Address, 1000)
			return 8, next
		}, want: invariantBounds},
		"a connection that is no link": {text: "overlay: static\nfanout: all\nmessages: 5\nmessages_from: 12100ms\nmessages_until: 12500ms", plant: func(r *runner, _ *witness) (sim.NodeID, time.Duration) {
			a, b := r.sim.Link(9, 31)
			r.sim.Send(9, &peer.Attach{Link: leakyLink{a}, Outbound: true})
			r.sim.Send(31, &peer.Attach{Link: b})
			return 9, 13 * time.Second
		}, want: invariantLinks},
		"a request that comes twice": {plant: func(r *runner, w *witness) (sim.NodeID, time.Duration) {
			node, f := w.some(true)
			f.Hops = 1
			tell(r, node, peer.EventRequest, f)
			return node, now
		}, want: invariantOnce},
		"a request that comes twice, where nodes may start again": {text: "faults: [{kind: slow, at: 1s, until: 2s, slow: 1us}]", plant: func(r *runner, w *witness) (sim.NodeID, time.Duration) {
			node, f := w.some(true)
			f.Hops = 1
			tell(r, node, peer.EventRequest, f)
			return node, now
		}, want: invariantOnce},
		"a request that comes back": {plant: func(r *runner, w *witness) (sim.NodeID, time.Duration) {
			_, f := w.some(true)
			f.Hops = 1
			tell(r, w.origin, peer.EventRequest, f)
			return w.origin, now
		}, want: invariantOnce},
		"a request that goes too far": {plant: func(r *runner, w *witness) (sim.NodeID, time.Duration) {
			node, f := w.some(false)
			f.Hops = 2
			tell(r, node, peer.EventRequest, f)
			return node, now
		}, want: invariantHops},
		"a request that is sent on too often": {plant: func(r *runner, w *witness) (sim.NodeID, time.Duration) {
			node, f := w.some(false)
			f.Hops = 2
			tell(r, node, peer.EventHopsExceeded, f)
			return node, now
		}, want: invariantHops},
		"a request of more copies than can be": {plant: func(r *runner, w *witness) (sim.NodeID, time.Duration) {
			for range r.sim.Live() - len(w.heard) - 1 {
				node, f := w.some(false)
				f.Hops = 0
				tell(r, node, peer.EventRequest, f)
				w.heard[node] = &f
			}
			return w.origin, 3 * time.Second
		}, want: invariantHops},
		"an address that is back": {text: "faults: [{kind: remove, at: 8s, spare_bootstraps: yes}]", plant: func(r *runner, _ *witness) (sim.NodeID, time.Duration) {
			m := r.removals[3]
			b := r.roots[m.node].Store().Book()
			b.Bar(m.address, 0)
			b.Append(entryOf(m.address))
			return m.node, next
		}, want: invariantRemoved},
		"a connection that is not counted": {plant: func(r *runner, _ *witness) (sim.NodeID, time.Duration) {
			r.tracker.inUse[6]--
			return 6, next
		}, want: invariantCounters},
		"a connection that came up untold": {plant: func(r *runner, _ *witness) (sim.NodeID, time.Duration) {
			r.tracker.Observe(0, 5, actors.Time(r.sim.Now()), actors.Event{Kind: peer.EventPeerUp})
			return 5, next
		}, want: invariantCounters},
		"the first of many": {plant: func(r *runner, _ *witness) (sim.NodeID, time.Duration) {
			r.tracker.inUse[6]--
			r.tracker.inUse[8]++
			r.sim.At(next+time.Millisecond, func() { r.tracker.inUse[1]++ })
			return 6, next
		}, want: invariantCounters},
		"the first of all that see it": {plant: func(r *runner, w *witness) (sim.NodeID, time.Duration) {
			node, f := w.some(true)
			f.Hops = 1
			for shard, later := range []actors.Time{2, 0, 1} {
				r.tracker.Observe(shard, node, actors.Time(now)+later, actors.Event{Kind: peer.EventRequest, Message: &f})
			}
			return node, now
		}, want: invariantOnce},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &witness{}
			s := parsed(t, "nodes: 60\nduration: 20s\narrivals: 0s\nworkload: [{count: 3, from: 3s, until: 4s, limit: 1}]\nchecks: {every: 1s}\n"+test.text+"\n")
			r, err := newRunner(s, Options{Workers: 3, Observer: w})
			if err != nil {
				t.Fatal(err)
			}
			r.runTo(t, now)
			node, at := test.plant(r, w)
			r.runTo(t, end)
			failsAlone(t, r.summary(false), test.want, node, at)
		})
	}
}

// failsAlone checks that one of the checks fails, at a node and a time, or none if it is
// "", and that none is missing.
func failsAlone(t *testing.T, sum *Summary, check string, node sim.NodeID, at time.Duration) {
	t.Helper()
	var names []string
	for _, c := range sum.Checks {
		names = append(names, c.Name)
	}
	if got := strings.Join(names, ", "); !strings.HasPrefix(got, "bounded tables, symmetric links, no delivery twice, hop counts, removed stays removed, counters add up") ||
		check == invariantMemory && !strings.HasSuffix(got, ", memory") {
		t.Errorf("the checks are %s", got)
	}
	for _, c := range sum.Checks {
		switch {
		case c.OK != (c.Name != check):
			t.Errorf("%q: %v, %s; want that of %q", c.Name, c.OK, c.Detail, check)
		case !c.OK && (*c.Node != uint32(node) || *c.AtS != at.Seconds() || c.Detail == ""):
			t.Errorf("%q fails at node %d and %v s, want node %d and %v: %s", c.Name, *c.Node, *c.AtS, node, at, c.Detail)
		}
	}
}

// A link of which one end has gone, and the other does not find out, is one-sided.
func TestOneSidedLinksAreFound(t *testing.T) {
	t.Parallel()
	s := parsed(t, "nodes: 20\nbootstraps: 19\nduration: 60s\narrivals: 0s\nrefresh: 1h\nkeep_alive: 1s\nhello_timeout: 1s\nchecks: {every: 1s}\n"+
		"faults: [{kind: crash, at: 10500ms, spare_bootstraps: yes}]\n")
	for keepAlive, want := range map[time.Duration]string{time.Second: "", time.Hour: invariantLinks} {
		r := planned(t, s)
		r.config.KeepAlive = keepAlive // an hour is a bug: nodes do not probe as the scenario says
		r.runTo(t, 10*time.Second)
		first := sim.NodeID(s.Nodes)
		r.sim.Links(19, func(e sim.LinkEnd) { first = min(first, e.Peer) })
		r.runTo(t, 60*time.Second)
		// They have 36 s to find out, from the look at 11 s on.
		failsAlone(t, r.summary(false), want, first, 48*time.Second)
	}
}

// The heap is within its bound, if there is one.
func TestMemoryIsChecked(t *testing.T) {
	t.Parallel()
	for bound, want := range map[string]string{"0": "", "1": invariantMemory, "100000000": ""} {
		sum := run(t, parsed(t, "nodes: 20\nduration: 1s\nchecks: {memory: "+bound+"}\n"), Options{Workers: 1})
		failsAlone(t, sum, want, 0, time.Second)
	}
}
