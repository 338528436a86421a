package scenario

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"peernet/actors"
	"peernet/actors/peer"
	"peernet/sim"
	"peernet/sim/dist"
)

// A member is what the runner knows of one node, honest or not.
type member struct {
	started       time.Duration // when the last start was
	disk          *disk         // nil is a book in memory that no crash harms
	down          time.Duration // a fault holds it down until then; never is for good
	starts        uint32        // incarnations begun
	class, region uint8
	reach         sim.Reach
	traced        bool // it is there when a trace says, and not before
}

// bookState is what a start finds of the address book: one of BookKept, BookSynced and
// BookLost.
type bookState uint8

const (
	bookKept bookState = iota
	bookSynced
	bookLost
)

func bookStateOf(word string) bookState {
	return bookState(slices.Index([]string{BookKept, BookSynced, BookLost}, word))
}

// grow makes the root actor of an honest node that starts at a time. Workers call it,
// each for other nodes. Nil is a node that does not start: a fault holds it down.
func (r *runner) grow(id sim.NodeID, at time.Duration, left bookState) actors.Actor {
	m := &r.members[id]
	if at < m.down {
		return nil
	}
	n := &peer.Node{Config: r.config}
	if m.reach == sim.ReachPublic {
		n.Advertise = []actors.Address{sim.AddressOf(id)}
	}
	if r.scenario.Overlay == OverlayGossip {
		n.Bootstrap = r.bootstrapsOf(id)
	}
	switch last := r.roots[id]; {
	case m.disk != nil:
		n.Book = m.disk.open(left)
	case last != nil && left != bookLost:
		n.Book = last.Store().Book()
	}
	m.begin(at)
	r.tracker.inUse[id] = 0
	r.roots[id] = n
	return n
}

// begin notes that the node starts.
func (m *member) begin(at time.Duration) {
	m.started = at
	m.starts++
}

// bootstrapsOf draws the bootstrap nodes that a node knows; the bootstrap nodes
// are the first.
func (r *runner) bootstrapsOf(id sim.NodeID) []actors.Address {
	random := r.sim.NodeRand(id, "bootstrap")
	var known []actors.Address
	for _, i := range random.Perm(r.scenario.Bootstraps) {
		if sim.NodeID(i) != id {
			known = append(known, r.bootstraps[i])
		}
		if len(known) == r.scenario.Known {
			break
		}
	}
	return known
}

// plantGossip has the bootstrap nodes start at 0 and the others when they arrive.
func (r *runner) plantGossip() error {
	for i := range r.scenario.Bootstraps {
		r.bootstraps = append(r.bootstraps, sim.AddressOf(sim.NodeID(i)))
	}
	times := r.arrivals()
	r.tracker.allThere = actors.Time(never)
	if r.scenario.undisturbed() {
		r.tracker.allThere = actors.Time(slices.Max(times)) + 1
	}
	r.lastArrival = slices.Max(times)
	r.drawReach()
	if err := r.drawMembers(); err != nil {
		return err
	}
	r.sim.StartAt(0, times, func(id sim.NodeID) actors.Actor {
		if r.members[id].traced {
			return nil
		}
		return r.grow(id, times[id], bookKept)
	})
	return r.planChurn(times)
}

// arrivals draws when each node comes for the first time.
func (r *runner) arrivals() []time.Duration {
	s := r.scenario
	d := time.Duration(s.Duration)
	span := s.Arrivals.Of(d)
	times := make([]time.Duration, s.Nodes)
	random := r.sim.Rand("arrivals")
	others := s.Nodes - s.Bootstraps
	at := time.Duration(0)
	for i := s.Bootstraps; i < s.Nodes && span > 0; i++ {
		switch s.ArrivalModel {
		case ArriveRamp:
			times[i] = spread(0, span, i-s.Bootstraps, others)
		case ArrivePoisson:
			// Of the rate that brings all of them within the span, on average.
			at += dist.Exponential{Mean: max(span/time.Duration(others), 1)}.Draw(random.Uint64())
			times[i] = at
		default:
			times[i] = time.Duration(random.Int64N(int64(span)))
		}
	}
	if len(s.Crowds) == 0 {
		return times
	}
	order := r.sim.Rand("crowds").Perm(others)
	for i, c := range s.Crowds {
		n := min(c.Share.Of(others), len(order))
		random := r.sim.Rand(fmt.Sprintf("crowd %d", i))
		for _, k := range order[:n] {
			times[s.Bootstraps+k] = c.At.Of(d) + time.Duration(random.Int64N(int64(c.Within)+1))
		}
		order = order[n:]
	}
	return times
}

// draw draws one of so many by their weights.
func draw(random *rand.Rand, n int, weight func(int) int) int {
	sum := 0
	for i := range n {
		sum += weight(i)
	}
	left := random.IntN(sum)
	for i := range n {
		if left -= weight(i); left < 0 {
			return i
		}
	}
	panic("scenario: unreachable")
}

// drawReach draws how each node can be reached. The bootstrap nodes are public.
func (r *runner) drawReach() {
	if r.scenario.Reach.allPublic() {
		return
	}
	weights := r.scenario.Reach.weights()
	random := r.sim.Rand("reach")
	for i := r.scenario.Bootstraps; i < r.scenario.Nodes; i++ {
		r.members[i].reach = sim.Reach(draw(random, len(weights), func(k int) int { return weights[k] }))
	}
}

// drawMembers draws the class and the region of each node, and sets it up.
func (r *runner) drawMembers() error {
	s := r.scenario
	classes, regions, clocks := r.sim.Rand("classes"), r.sim.Rand("regions"), r.sim.Rand("clocks")
	skew := Duration(0)
	for i := range s.Classes {
		skew = max(skew, s.Classes[i].ClockSkew)
	}
	for i := range r.members {
		m, id := &r.members[i], sim.NodeID(i)
		if len(s.Regions) > 0 {
			m.region = uint8(draw(regions, len(s.Regions), func(k int) int { return s.Regions[k].Weight }))
		}
		if len(s.Classes) > 0 {
			m.class = uint8(draw(classes, len(s.Classes), func(k int) int { return s.Classes[k].Weight }))
			c := &s.Classes[m.class]
			if c.Region != "" {
				m.region = uint8(s.regionIndex(c.Region))
			}
			if c.Reach != "" && i >= s.Bootstraps && i < s.Nodes {
				m.reach = sim.Reach(slices.Index(reachNames(), c.Reach))
			}
			if err := r.sim.SetProfile(id, c.profile(clocks, skew)); err != nil {
				return err
			}
		}
		if s.modelled() {
			r.sim.Place(id, int(m.region))
		}
		if m.reach != sim.ReachPublic {
			r.sim.SetReach(id, m.reach)
		}
		if i < s.Nodes && s.disks() {
			m.disk = &disk{}
		}
	}
	return nil
}

// profile draws the machine of a node of the class. Right clocks are ahead of virtual
// time by the largest skew of all classes, as no clock begins before 0.
func (c *Class) profile(random *rand.Rand, skew Duration) sim.Profile {
	p := sim.Profile{
		Up: int64(c.Up), Down: int64(c.Down), Queue: time.Duration(c.Queue), Processing: time.Duration(c.Processing),
	}
	p.ClockOffset = time.Duration(skew)
	if c.ClockSkew > 0 {
		p.ClockOffset += time.Duration(random.Int64N(2*int64(c.ClockSkew)+1)) - time.Duration(c.ClockSkew)
	}
	if most := int(c.ClockDrift / Duration(time.Microsecond)); most > 0 {
		p.ClockDrift = random.IntN(2*most+1) - most
	}
	return p
}

func (s *Scenario) classIndex(name string) int {
	return slices.IndexFunc(s.Classes, func(c Class) bool { return c.Name == name })
}

func reachNames() (names []string) {
	for r := sim.ReachPublic; r <= sim.ReachBlocked; r++ {
		names = append(names, r.String())
	}
	return names
}

// negotiates reports whether there may be nodes that cannot be dialled.
func (s *Scenario) negotiates() bool {
	return !s.Reach.allPublic() || slices.ContainsFunc(s.Classes, func(c Class) bool {
		return c.Reach != "" && c.Reach != sim.ReachPublic.String()
	})
}
