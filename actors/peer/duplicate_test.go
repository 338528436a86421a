package peer_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"peernet/actors"
	"peernet/actors/peer"
	"peernet/actors/wire"
	"peernet/sim"
	"peernet/sim/dist"
)

// pairs returns the open links between two nodes whose both ends are bound.
func (r *rig) pairs(a, b sim.NodeID) (n int) {
	r.sim.Links(a, func(e sim.LinkEnd) {
		if e.Peer == b && !e.PeerOwner.IsZero() {
			n++
		}
	})
	return n
}

// wantTalk fails the test unless each of two nodes hears what the other says.
func wantTalk(t *testing.T, a, b *testNode) {
	t.Helper()
	for _, p := range [][2]*testNode{{a, b}, {b, a}} {
		before := p[1].count(peer.EventRequest)
		p[0].announce("talk", "", 1)
		p[0].rig.run(time.Second)
		if p[1].count(peer.EventRequest) != before+1 {
			t.Errorf("node %d does not hear node %d", p[1].at, p[0].at)
		}
	}
}

func TestSimultaneousDialsEndInOneLinkThatBothEndsUse(t *testing.T) {
	for _, d := range []dist.Distribution{
		dist.Constant(latency),
		dist.Uniform{Low: time.Millisecond, High: 300 * time.Millisecond},
	} {
		for seed := range uint64(20) {
			for _, lead := range []time.Duration{0, 5 * time.Millisecond, 40 * time.Millisecond, 400 * time.Millisecond} {
				t.Run(fmt.Sprintf("%T/%d/%v", d, seed, lead), func(t *testing.T) {
					r := newRigWith(t, seed, d)
					a, b := r.node(still()), r.node(still())
					a.connect(sim.AddressOf(b.at))
					r.run(lead)
					b.connect(sim.AddressOf(a.at))
					r.run(40 * time.Second)
					if n := r.pairs(a.at, b.at); n != 1 {
						t.Errorf("%d links", n)
					}
					ca, cb := a.wantConnections(1)[0], b.wantConnections(1)[0]
					if ca.ID != b.ID || cb.ID != a.ID || ca.Outbound == cb.Outbound {
						t.Errorf("%+v and %+v", ca, cb)
					}
					wantTalk(t, a, b)
				})
			}
		}
	}
}

// The decision takes no time-out: a second after the dials it is over.
// Nodes with several addresses may dial each other by all of them.
func TestManySimultaneousLinksEndInOne(t *testing.T) {
	for links := 3; links <= 5; links++ {
		for seed := range uint64(400) {
			r := newRigWith(t, seed, dist.Uniform{Low: time.Millisecond, High: 300 * time.Millisecond})
			a, b := r.node(still()), r.node(still())
			// The two ends of a link take it up at different times, and so the
			// ends of several in different orders.
			var attach []func()
			for range links {
				atA, atB := r.sim.Link(a.at, b.at)
				attach = append(attach,
					func() { r.sim.Send(a.at, &peer.Attach{Link: atA, Outbound: true}) },
					func() { r.sim.Send(b.at, &peer.Attach{Link: atB}) })
			}
			random := rand.New(rand.NewPCG(seed, 1))
			random.Shuffle(len(attach), func(i, j int) { attach[i], attach[j] = attach[j], attach[i] })
			for _, f := range attach {
				f()
				r.run(time.Duration(random.IntN(60)) * time.Millisecond)
			}
			r.run(40 * time.Second)
			ca, cb := a.connections(), b.connections()
			if n := r.pairs(a.at, b.at); n != 1 || len(ca) != 1 || len(cb) != 1 {
				t.Errorf("%d links, seed %d: %d are left, in use: %d and %d", links, seed, n, len(ca), len(cb))
			}
			if t.Failed() {
				return
			}
		}
	}
}

func TestSimultaneousDialsAreDecidedSoon(t *testing.T) {
	for seed := range uint64(10) {
		r := newRigWith(t, seed, dist.Uniform{Low: time.Millisecond, High: 50 * time.Millisecond})
		a, b := r.node(peer.Config{}, 1), r.node(peer.Config{}, 0)
		r.run(time.Second)
		if n := r.pairs(a.at, b.at); n != 1 {
			t.Errorf("seed %d: %d links after a second", seed, n)
		}
		a.wantConnections(1)
		b.wantConnections(1)
		wantTalk(t, a, b)
	}
}

func TestAddressWhoseIDIsConnectedIsNotDialledAgain(t *testing.T) {
	for seed := range uint64(10) {
		r := newRigWith(t, seed, dist.Uniform{Low: time.Millisecond, High: 50 * time.Millisecond})
		a := r.node(peer.Config{Refresh: time.Hour}, 1)
		b := r.node(peer.Config{Refresh: time.Hour}, 0)
		r.run(20 * time.Second)
		before := a.count(peer.EventRefused) + b.count(peer.EventRefused)
		r.run(10 * time.Minute)
		if got := a.count(peer.EventRefused) + b.count(peer.EventRefused) - before; got != 0 {
			t.Errorf("seed %d: %d more duplicates", seed, got)
		}
		if before > 2 {
			t.Errorf("seed %d: %d duplicates while the two dialled each other", seed, before)
		}
		a.wantConnections(1)
		b.wantConnections(1)
	}
}

// A stranger claims the id of a connected peer. The node with the real link is
// tried with the lower and with the higher id.
func TestStrangerWithAClaimedIDNeitherEvictsNorStallsTheRealLink(t *testing.T) {
	for _, c := range []struct {
		name string
		id   peer.NodeID // of the real peer
		gone time.Duration
	}{
		{"the node decides", peer.NodeID{0xff}, time.Second},
		{"the node holds", peer.NodeID{0x01}, 31 * time.Second},
	} {
		for _, mute := range []bool{false, true} {
			t.Run(fmt.Sprint(c.name, mute), func(t *testing.T) {
				r := newRig(t)
				n := r.node(peer.Config{Refresh: time.Hour})
				s := r.script(nil)
				silent := s.dial(n, polite(c.id, v3()))
				r.run(time.Second)
				play := polite(c.id, v3())
				stranger := s.dial(n, func(e *end, m actors.Message) {
					if _, ping := m.(*wire.Ping); !ping || !mute {
						play(e, m)
					}
				})
				r.run(200 * time.Millisecond)
				for range 10 {
					list := n.wantConnections(1)
					if list[0].ID != c.id {
						t.Fatalf("%+v", list)
					}
					id := n.announce("x", "", 0)
					silent.send(frame(true, 0, wire.Body{ID: "answer to" + id, Reply: id, Type: "x"}))
					stranger.send(frame(false, 0, wire.Body{ID: "stranger" + id, Type: "x"}))
					r.run(c.gone / 10)
				}
				if got := len(silent.frames("x")); got != 10 {
					t.Errorf("the real peer heard %d of 10", got)
				}
				if got := n.count(peer.EventResponse); got != 10 {
					t.Errorf("the node heard %d of 10 answers", got)
				}
				if got := n.count(peer.EventRequest); got != 0 || len(stranger.frames("x")) != 0 {
					t.Errorf("the stranger was used: %d requests, %q", got, stranger.conversation())
				}
				r.run(time.Second)
				if stranger.down == nil || stranger.goodbye() != wire.GoodbyeDuplicate {
					t.Errorf("the stranger is still there: %q", stranger.conversation())
				}
				if silent.down != nil {
					t.Error("the real link was closed")
				}
				n.wantConnections(1)
				n.wantCount(peer.EventPeerDown, 0)
			})
		}
	}
}

// The stranger comes back again and again.
func TestStrangersCannotWearOutTheRealLink(t *testing.T) {
	for _, id := range []peer.NodeID{{0xff}, {0x01}} {
		r := newRig(t)
		n := r.node(peer.Config{})
		s := r.script(nil)
		silent := s.dial(n, polite(id, v3()))
		r.run(time.Second)
		for range 200 {
			s.dial(n, polite(id, v3()))
			r.run(500 * time.Millisecond)
		}
		if silent.down != nil {
			t.Errorf("id %x: the real link was closed: %q", id[0], silent.conversation())
		}
		n.wantConnections(1)
		n.wantCount(peer.EventPeerUp, 1)
	}
}

func TestRestartedPeerReplacesTheDeadLink(t *testing.T) {
	for _, low := range []bool{true, false} {
		t.Run(fmt.Sprintf("stays low=%v", low), func(t *testing.T) {
			r := newRig(t)
			one, two := r.node(still()), r.node(still())
			stays, restarts := one, two
			if !low {
				stays, restarts = two, one
			}
			restarts.connect(sim.AddressOf(stays.at))
			r.run(time.Second)
			stays.wantConnections(1)
			r.sim.Crash(restarts.at, false)
			restarts.start(still(), restarts.ID)
			restarts.connect(sim.AddressOf(stays.at))
			r.run(11 * time.Second) // a probe's time-out
			if c := stays.wantConnections(1)[0]; c.ID != restarts.ID {
				t.Errorf("%+v", c)
			}
			restarts.wantConnections(1)
			if n := r.pairs(one.at, two.at); n != 1 {
				t.Errorf("%d links", n)
			}
			wantTalk(t, one, two)
		})
	}
}

// A cut broke the link for good; both ends still believe in it.
func TestLinkBrokenByAPartitionIsReplaced(t *testing.T) {
	r := newRig(t)
	a, b := r.node(still()), r.node(still())
	a.connect(sim.AddressOf(b.at))
	r.run(time.Second)
	r.sim.Partition([]uint8{0, 1})
	a.announce("lost", "", 0)
	b.announce("lost", "", 0)
	r.run(time.Second)
	r.sim.Partition(nil)
	b.connect(sim.AddressOf(a.at))
	r.run(12 * time.Second)
	a.wantConnections(1)
	b.wantConnections(1)
	wantTalk(t, a, b)
}

func TestVersion2KeepsTheOlderLink(t *testing.T) {
	r := newRig(t)
	n := r.node(peer.Config{})
	s := r.script(nil)
	id := peer.NodeID{0xff}
	older := s.dial(n, polite(id, nil))
	r.run(time.Second)
	for _, h := range []*wire.Hello{nil, v3()} {
		newer := s.dial(n, polite(id, h))
		r.run(100 * time.Millisecond)
		if newer.down == nil || older.down != nil {
			t.Errorf("version 3 %v: newer closed %v, older closed %v", h != nil, newer.down != nil, older.down != nil)
		}
		n.wantConnections(1)
	}
}

func TestAddressOfAConnectedVersion2PeerIsNotDialledAgain(t *testing.T) {
	r := newRig(t)
	n := r.node(peer.Config{Refresh: time.Hour, Interval: time.Second}, 1)
	s := r.script(polite(peer.NodeID{1}, nil))
	s.dial(n, polite(peer.NodeID{1}, nil)) // and n dials it
	r.run(time.Minute)
	n.wantConnections(1)
	if len(s.ends) != 1 {
		t.Errorf("dialled %d times", len(s.ends))
	}
	if e, _ := n.entry(sim.AddressOf(s.at)); e.OK != 1 || e.Fail != 0 {
		t.Errorf("counted %+v", e.Stats)
	}
}

// Strangers that come and go must not put off the end of a dead link either.
func TestStrangersCannotKeepADeadLinkAlive(t *testing.T) {
	r := newRig(t)
	n := r.node(still())
	s := r.script(nil)
	id := peer.NodeID{0xff}
	s.dial(n, polite(id, v3()))
	r.run(time.Second)
	r.sim.Crash(s.at, false)
	r.sim.Start(s.at, s)
	for range 6 {
		stranger := s.dial(n, polite(id, v3()))
		r.run(time.Second)
		stranger.send(&wire.Goodbye{Reason: wire.GoodbyeUser})
		r.run(time.Second)
	}
	downs := r.seen(n.at, peer.EventPeerDown)
	if len(downs) == 0 || downs[0].at > 12*time.Second || !strings.Contains(downs[0].Text, "probe") && downs[0].Text != "silent" {
		t.Errorf("the dead link: %+v", downs)
	}
}
