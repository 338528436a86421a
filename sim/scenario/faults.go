package scenario

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"peernet/actors"
	"peernet/actors/peer"
	"peernet/sim"
	"peernet/sim/adversary"
	"peernet/sim/result"
)

// partitionsMax is how many partitions there can be in a scenario: a node's group has
// a bit for each.
const partitionsMax = 8

// planFaults plans the faults, and the times of bad conditions.
func (r *runner) planFaults() error {
	d := time.Duration(r.scenario.Duration)
	partitions := 0
	for i := range r.scenario.Faults {
		f := &r.scenario.Faults[i]
		bit := partitions
		if f.Kind == FaultPartition {
			if partitions++; partitions > partitionsMax {
				return r.scenario.fails(key("faults", i, "kind"), "there are more than %d partitions", partitionsMax)
			}
		}
		random := r.sim.Rand(fmt.Sprintf("fault %d", i))
		r.sim.At(f.At.Of(d), func() {
			chosen := r.choose(f, random)
			r.mark(fmt.Sprintf("%s: %d nodes", f.Kind, len(chosen)))
			r.begin(f, chosen, bit, random)
			if f.lasting() {
				r.sim.At(f.Until.Of(d), func() {
					r.mark("end of " + f.Kind)
					r.finish(f, chosen, bit)
				})
			}
		})
	}
	for i := range r.scenario.Conditions {
		c := &r.scenario.Conditions[i]
		r.sim.At(c.At.Of(d), func() { r.worsen(c, 1) })
		r.sim.At(c.Until.Of(d), func() { r.worsen(c, -1) })
	}
	return nil
}

// mark notes an event on the time line.
func (r *runner) mark(label string) {
	r.marks = append(r.marks, result.Mark{AtS: r.sim.Now().Seconds(), Label: strings.ReplaceAll(label, "_", " ")})
}

// choose draws the honest nodes that a fault concerns: of those that are live, or for
// a partition of all.
func (r *runner) choose(f *Fault, random *rand.Rand) []sim.NodeID {
	var all []sim.NodeID
	region := r.scenario.regionIndex(f.Region)
	for id := range sim.NodeID(len(r.members)) {
		switch {
		case f.Kind == FaultPartition: // the wire does not ask who is honest
		case int(id) >= r.scenario.Nodes || !r.sim.IsLive(id):
			continue
		}
		if f.Spare && int(id) < r.scenario.Bootstraps {
			continue
		}
		if region < 0 || int(r.members[id].region) == region {
			all = append(all, id)
		}
	}
	random.Shuffle(len(all), func(i, k int) { all[i], all[k] = all[k], all[i] })
	return all[:f.Share.Of(len(all))]
}

// begin has a fault happen to the nodes.
func (r *runner) begin(f *Fault, chosen []sim.NodeID, bit int, random *rand.Rand) {
	now := r.sim.Now()
	for _, id := range chosen {
		m := &r.members[id]
		switch f.Kind {
		case FaultCrash:
			r.sim.Crash(id, f.Leave == LeaveReset)
			if f.Restart == 0 {
				m.down = never
			} else if m.down < never {
				m.down = max(m.down, now+time.Duration(f.Restart))
				r.back(id, now+time.Duration(f.Restart), f.Book)
			}
		case FaultStall:
			r.sim.StallLinks(id, f.Until.Of(time.Duration(r.scenario.Duration)))
		case FaultReset:
			for _, peer := range r.neighbours(id) {
				r.sim.ResetLinks(id, peer)
			}
		case FaultSlow:
			r.slowDown(id, time.Duration(f.Slow))
		case FaultDiskError:
			m.disk.fails = append(m.disk.fails, errDisk)
		case FaultDiskFull:
			m.disk.fails = append(m.disk.fails, errFull)
		case FaultRemove:
			r.remove(id, random)
		}
	}
	if f.Kind == FaultPartition {
		r.partition(chosen, bit, true)
	}
}

// finish ends a fault that lasts.
func (r *runner) finish(f *Fault, chosen []sim.NodeID, bit int) {
	for _, id := range chosen {
		m := &r.members[id]
		switch f.Kind {
		case FaultSlow:
			r.slowDown(id, -time.Duration(f.Slow))
		case FaultDiskError:
			m.disk.repair(errDisk)
		case FaultDiskFull:
			m.disk.repair(errFull)
		}
	}
	if f.Kind == FaultPartition {
		r.partition(chosen, bit, false)
	}
}

// slowDown makes a node take longer for each message.
func (r *runner) slowDown(id sim.NodeID, by time.Duration) {
	p := r.sim.Profile(id)
	p.Processing += by
	if err := r.sim.SetProfile(id, p); err != nil {
		panic(err) // it was checked
	}
}

// partition cuts some nodes off from the others, or no more.
func (r *runner) partition(chosen []sim.NodeID, bit int, on bool) {
	if r.groups == nil {
		r.groups = make([]uint8, len(r.members))
	}
	for _, id := range chosen {
		r.groups[id] &^= 1 << bit
		if on {
			r.groups[id] |= 1 << bit
		}
	}
	r.sim.Partition(r.groups)
	for _, g := range r.groups {
		if g != r.groups[0] {
			return
		}
	}
	r.sim.Partition(nil)
}

// neighbours are the nodes that a node has links with.
func (r *runner) neighbours(id sim.NodeID) (list []sim.NodeID) {
	r.sim.Links(id, func(e sim.LinkEnd) { list = append(list, e.Peer) })
	return list
}

// A removal is an address that a node's user does not want any more.
type removal struct {
	node    sim.NodeID
	starts  uint32
	address actors.Address
	at      time.Duration
}

// remove has the user of a node remove a random address of its book, none that it
// saved: without these it might not find the network again.
func (r *runner) remove(id sim.NodeID, random *rand.Rand) {
	b := r.roots[id].Store().Book()
	var heard []actors.Address
	for i := range b.Len() {
		if e := b.At(i); !e.Saved {
			heard = append(heard, e.Address)
		}
	}
	if len(heard) == 0 {
		return
	}
	a := heard[random.IntN(len(heard))]
	r.removals = append(r.removals, removal{id, r.members[id].starts, a, r.sim.Now()})
	r.sim.Send(id, &peer.Remove{Address: a})
}

// worsen makes the ways between regions worse, or as they were.
func (r *runner) worsen(c *Condition, sign int) {
	n := max(1, len(r.scenario.Regions))
	if r.conditions == nil {
		r.conditions = make([]sim.Conditions, n*n)
	}
	if sign > 0 {
		r.mark("bad conditions")
	} else {
		r.mark("end of bad conditions")
	}
	from, to := r.scenario.regionIndex(c.From), r.scenario.regionIndex(c.To)
	for i := range n {
		for k := range n {
			there := (from < 0 || from == i) && (to < 0 || to == k)
			back := !c.OneWay && (from < 0 || from == k) && (to < 0 || to == i)
			if !there && !back {
				continue
			}
			now := &r.conditions[i*n+k]
			now.Delay += time.Duration(sign) * time.Duration(c.Delay)
			now.Loss += sign * int(c.Loss)
			r.sim.SetConditions(i, k, *now)
		}
	}
}

// planAdversaries plans when adversaries come and go. They are the nodes after the
// honest ones.
func (r *runner) planAdversaries() {
	d := time.Duration(r.scenario.Duration)
	first := sim.NodeID(r.scenario.Nodes)
	for i := range r.scenario.Adversaries {
		a := &r.scenario.Adversaries[i]
		own := make([]actors.Address, a.Count)
		times := make([]time.Duration, a.Count)
		for k := range own {
			own[k] = sim.AddressOf(first + sim.NodeID(k))
			times[k] = a.At.Of(d)
		}
		base := first
		r.sim.StartAt(first, times, func(id sim.NodeID) actors.Actor {
			k := int(id - base)
			r.members[id].begin(times[k])
			return adversary.New(a.config(own, k, r.bootstraps))
		})
		r.sim.At(a.At.Of(d), func() { r.mark(fmt.Sprintf("%s: %d nodes", a.Role, a.Count)) })
		if a.Until != (Span{}) {
			r.sim.At(a.Until.Of(d), func() {
				r.mark("end of " + a.Role)
				for k := range own {
					r.sim.Crash(base+sim.NodeID(k), false)
				}
			})
		}
		first += sim.NodeID(a.Count)
	}
}

// config is what the k-th of an adversary's nodes does.
func (a *Adversary) config(own []actors.Address, k int, known []actors.Address) adversary.Config {
	c := adversary.Config{
		Role: adversary.Role(a.Role), Rate: a.Rate, Delay: time.Duration(a.Delay),
		Known: known, Advertise: own[k : k+1], Bytes: true,
	}
	if c.Role == adversary.Eclipser {
		c.Victim = sim.AddressOf(sim.NodeID(a.Victim))
	}
	for i, other := range own {
		if i != k {
			c.Colluders = append(c.Colluders, other)
		}
	}
	return c
}

// Population is how many nodes there are, adversaries included.
func (s *Scenario) Population() int { return s.Nodes + s.adversaries() }

// adversaries is how many of the nodes are not honest.
func (s *Scenario) adversaries() (n int) {
	for i := range s.Adversaries {
		n += s.Adversaries[i].Count
	}
	return n
}

// lies reports whether there are adversaries that change what others sent: then hop
// counts say nothing.
func (s *Scenario) lies() bool {
	for i := range s.Adversaries {
		switch adversary.Role(s.Adversaries[i].Role) {
		case adversary.Forger, adversary.Replayer, adversary.Oversender, adversary.Delayer:
			return true
		}
	}
	return false
}
