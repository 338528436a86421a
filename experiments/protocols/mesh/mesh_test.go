package mesh_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"peernet/actors"
	"peernet/experiments/protocols/gossip"
	"peernet/experiments/protocols/mesh"
	"peernet/sim"
	"peernet/sim/dist"
)

// app keeps what it is told, in order, and does what the message says.
type app struct {
	told  []string
	peers []actors.Ref
}

// What a message from the user has a node do.
const (
	send = 100 // sends 1 to 5 to all neighbours
	end  = 101 // sends 1 and 2 to all, and stops the first Conn
)

func (a *app) Up(_ actors.Context, peer actors.Ref) {
	a.told, a.peers = append(a.told, fmt.Sprint("up ", len(a.peers))), append(a.peers, peer)
}

func (a *app) Down(_ actors.Context, peer actors.Ref) {
	a.told = append(a.told, fmt.Sprint("down ", slices.Index(a.peers, peer)))
}

func (a *app) Receive(ctx actors.Context, from actors.Ref, m actors.Message) {
	r, ok := m.(*gossip.Rumor)
	if !ok {
		a.told = append(a.told, fmt.Sprintf("%T", m))
		return
	}
	count := map[uint32]uint32{send: 5, end: 2}[r.Number]
	if !from.IsZero() {
		a.told = append(a.told, fmt.Sprintf("%d from %d", r.Number, slices.Index(a.peers, from)))
	}
	for _, p := range a.peers {
		for i := range count {
			ctx.Send(p, &gossip.Rumor{Number: i + 1})
		}
	}
	if r.Number == end {
		ctx.Stop(a.peers[0])
	}
}

// line is nodes 0 — 1 — 2.
func line(t *testing.T, c sim.Config) (*sim.Simulation, []*app) {
	t.Helper()
	c.Seed, c.Latency = 1, sim.Latency{Message: dist.Constant(time.Millisecond)}
	s, err := sim.New(c)
	if err != nil {
		t.Fatal(err)
	}
	s.Add(3)
	apps := []*app{{}, {}, {}}
	for i, a := range apps {
		s.Start(sim.NodeID(i), &mesh.Static{App: a})
	}
	for i := range sim.NodeID(2) {
		a, b := s.Link(i, i+1)
		s.Send(i, &mesh.Attach{Link: a})
		s.Send(i+1, &mesh.Attach{Link: b})
	}
	return s, apps
}

func run(t *testing.T, s *sim.Simulation) {
	t.Helper()
	if err := s.Run(t.Context(), s.Now()+time.Second); err != nil {
		t.Fatal(err)
	}
}

func (a *app) check(t *testing.T, node int, want ...string) {
	t.Helper()
	if !slices.Equal(a.told, want) {
		t.Errorf("node %d was told %q, want %q", node, a.told, want)
	}
	a.told = nil
}

func TestMessagesComeInOrderFromTheirNeighbour(t *testing.T) {
	s, apps := line(t, sim.Config{})
	s.Send(1, &gossip.Rumor{Number: send})
	run(t, s)
	apps[0].check(t, 0, "up 0", "1 from 0", "2 from 0", "3 from 0", "4 from 0", "5 from 0")
	apps[1].check(t, 1, "up 0", "up 1")
	apps[2].check(t, 2, "up 0", "1 from 0", "2 from 0", "3 from 0", "4 from 0", "5 from 0")
	s.Send(2, &gossip.Rumor{Number: send})
	run(t, s)
	apps[0].check(t, 0)
	apps[1].check(t, 1, "1 from 1", "2 from 1", "3 from 1", "4 from 1", "5 from 1")
}

// A link that a Conn's end closes goes down behind what was sent.
func TestStopClosesBehindWhatWasSent(t *testing.T) {
	s, apps := line(t, sim.Config{})
	s.Send(1, &gossip.Rumor{Number: end})
	run(t, s)
	apps[0].check(t, 0, "up 0", "1 from 0", "2 from 0", "down 0")
	apps[1].check(t, 1, "up 0", "up 1") // who closes is told nothing
	apps[2].check(t, 2, "up 0", "1 from 0", "2 from 0")
	// The Conn of node 0 has ended, and what is sent to it goes nowhere.
	before := s.Totals()
	s.Send(0, &gossip.Rumor{Number: send})
	run(t, s)
	apps[1].check(t, 1)
	if after := s.Totals(); after.Sent != before.Sent || after.Dropped != before.Dropped+5 {
		t.Errorf("%d messages were sent over a link that is closed, %d dropped", after.Sent-before.Sent, after.Dropped-before.Dropped)
	}
}

func TestCrashIsDownOnce(t *testing.T) {
	s, apps := line(t, sim.Config{})
	run(t, s)
	s.Crash(0, true)
	run(t, s)
	s.Crash(2, false)
	run(t, s)
	apps[1].check(t, 1, "up 0", "up 1", "down 0")
	s.Send(1, &mesh.Attach{Link: nobody{}})
	s.Send(1, &gossip.Rumor{Number: send}) // not to the one that is gone
	run(t, s)
	apps[1].check(t, 1, "up 2")
}

// nobody is a link on which nothing happens.
type nobody struct{ actors.Link }

func (nobody) Bind(actors.Ref)           {}
func (nobody) Send(actors.Message) error { return nil }
func (nobody) Remote() actors.Address    { return actors.Address{} }

func TestStaticKnowsWhoIsUp(t *testing.T) {
	s, err := sim.New(sim.Config{Latency: sim.Latency{Message: dist.Constant(time.Millisecond)}})
	if err != nil {
		t.Fatal(err)
	}
	s.Add(3)
	apps := []*app{{}, {}, {}}
	node := &mesh.Static{App: apps[0]}
	s.Start(0, node)
	for i := sim.NodeID(1); i < 3; i++ {
		s.Start(i, &mesh.Static{App: apps[i]})
		a, b := s.Link(0, i)
		s.Send(0, &mesh.Attach{Link: a})
		s.Send(i, &mesh.Attach{Link: b})
	}
	if !slices.Equal(node.Peers, apps[0].peers) || len(node.Peers) != 2 {
		t.Errorf("those who are up are %v", node.Peers)
	}
	s.Crash(1, true)
	run(t, s)
	if !slices.Equal(node.Peers, apps[0].peers[1:]) {
		t.Errorf("those who are up are %v", node.Peers)
	}
}

// A link that is full loses messages. So it is given up, and both ends are told.
func TestFullLinkIsGivenUp(t *testing.T) {
	s, apps := line(t, sim.Config{})
	if err := s.SetProfile(1, sim.Profile{Up: 8000, Queue: 15 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	run(t, s)
	s.Send(1, &gossip.Rumor{Number: send})
	run(t, s)
	apps[1].check(t, 1, "up 0", "up 1", "down 0", "down 1")
	for _, i := range []int{0, 2} {
		if a := apps[i].told; a[len(a)-1] != "down 0" || len(a) > 6 {
			t.Errorf("node %d was told %q", i, a)
		}
	}
}
