package sim

import (
	"errors"
	"fmt"
	"time"

	"peernet/actors"
	"peernet/sim/dist"
)

// A Network is what may happen to messages on their way, besides the delays of
// Config.Latency. All of it is drawn from the sender's network stream, and
// nothing from it where a field is zero. The zero Network does nothing.
type Network struct {
	// Delay is the one-way delay from each region to each: Delay[from][to]. It
	// is added to what Config.Latency draws. Nodes are in region 0 until
	// Simulation.Place puts them elsewhere. Nil is no delay.
	Delay [][]time.Duration
	// Jitter is drawn for each message, by the region of its sender; nil, and a
	// nil Distribution, is none.
	Jitter []dist.Distribution
	// Loss is how many of a million transmissions are lost. On a link the message
	// is transmitted again after Retransmit, then after twice that, and so on, and
	// what is behind it waits. A message that was lost Attempts times breaks the
	// link: its sender gets a reset then, the other end hears no more. A
	// datagram is gone.
	Loss int
	// Retransmit is the first retransmission time-out. Default 200 ms.
	Retransmit time.Duration
	// Attempts is how often a message is transmitted. Default 8.
	Attempts int
	// LinkLife is how long a link lasts until the network resets it, drawn when
	// it opens; nil is for ever.
	LinkLife dist.Distribution
	// StallEvery is the time between two stalls of one direction of a link, drawn
	// anew after each, and StallFor how long they are: what is sent meanwhile
	// arrives after it. Nil is never.
	StallEvery, StallFor dist.Distribution
	// DialTwice is how many of a million dials arrive twice: the other end
	// accepts two links, one of which the dialler does not know of and closes.
	DialTwice int
	// Reorder delays each message by up to so much more, by a hash of ReorderSeed
	// and the message: messages of different links come in another order for each
	// seed, while all that is drawn stays the same. 0 is off.
	Reorder     time.Duration
	ReorderSeed uint64
}

// million is what probabilities are shares of.
const million = 1_000_000

func (w *Network) validate() error {
	if len(w.Delay) > RegionsMax {
		return fmt.Errorf("sim: %d regions, at most %d are possible", len(w.Delay), RegionsMax)
	}
	for from, row := range w.Delay {
		if len(row) != len(w.Delay) {
			return fmt.Errorf("sim: Network.Delay has %d rows, but row %d has %d columns", len(w.Delay), from, len(row))
		}
		for to, d := range row {
			if d < 0 {
				return fmt.Errorf("sim: Network.Delay from %d to %d is %v, must not be negative", from, to, d)
			}
		}
	}
	if err := valid(append(w.Jitter[:len(w.Jitter):len(w.Jitter)], w.LinkLife, w.StallEvery, w.StallFor)...); err != nil {
		return err
	}
	switch {
	case w.Loss < 0 || w.Loss >= million:
		return fmt.Errorf("sim: Network.Loss is %d, must be from 0 to %d of a million", w.Loss, million-1)
	case w.DialTwice < 0 || w.DialTwice > million:
		return fmt.Errorf("sim: Network.DialTwice is %d, must be from 0 to %d of a million", w.DialTwice, million)
	case w.Attempts < 0 || w.Attempts > 20:
		return fmt.Errorf("sim: Network.Attempts is %d, must be from 1 to 20", w.Attempts)
	case w.Retransmit < 0 || w.Retransmit > time.Minute:
		return fmt.Errorf("sim: Network.Retransmit is %v, must be from 0 to a minute", w.Retransmit)
	case w.Reorder < 0:
		return fmt.Errorf("sim: Network.Reorder is %v, must not be negative", w.Reorder)
	case (w.StallEvery == nil) != (w.StallFor == nil):
		return errors.New("sim: Network.StallEvery and StallFor go together")
	case w.StallEvery != nil && w.StallEvery.Draw(1<<63) < time.Millisecond:
		return errors.New("sim: the median of Network.StallEvery must be at least a millisecond")
	}
	return nil
}

// withDefaults fills in what is zero.
func (w Network) withDefaults() Network {
	if w.Retransmit == 0 {
		w.Retransmit = 200 * time.Millisecond
	}
	if w.Attempts == 0 {
		w.Attempts = 8
	}
	return w
}

// lookahead is the smallest delay between two nodes.
func (w *Network) lookahead() time.Duration {
	if w == nil || len(w.Delay) == 0 {
		return 0
	}
	least := w.Delay[0][0]
	for _, row := range w.Delay {
		for _, d := range row {
			least = min(least, d)
		}
	}
	return least
}

// Conditions is how the way from one region to another is at present, worse than
// the Network says.
type Conditions struct {
	Delay time.Duration // added to each message
	Loss  int           // of a million transmissions, besides Network.Loss
}

// SetConditions changes the way from one region to another from now on, for open
// links too. The zero Conditions are as at first. It needs a Config.Network.
func (s *Simulation) SetConditions(from, to int, c Conditions) {
	if s.network == nil {
		panic("sim: SetConditions without a Config.Network")
	}
	if s.conditions == nil {
		s.conditions = make([][]Conditions, max(1, len(s.network.Delay)))
		for i := range s.conditions {
			s.conditions[i] = make([]Conditions, len(s.conditions))
		}
	}
	s.conditions[from][to] = c
}

// Place puts a node into a region of the Network. Links that are open keep their
// delay.
func (s *Simulation) Place(id NodeID, region int) {
	if s.network == nil || region < 0 || region >= max(1, len(s.network.Delay)) {
		panic(fmt.Sprintf("sim: there is no region %d", region))
	}
	s.nodes[id].region = uint8(region)
}

// RegionsMax is how many regions a Network can have.
const RegionsMax = 256

// between is the delay between the regions of two nodes.
func (w *Network) between(from, to *node) actors.Time {
	if len(w.Delay) == 0 {
		return 0
	}
	return actors.Time(w.Delay[from.region][to.region])
}

// rebase is the delay of a link that is now known to be to another node; it was drawn
// for one in the same region.
func (s *Simulation) rebase(base actors.Time, n, to *node) actors.Time {
	if s.network == nil {
		return base
	}
	return base - s.network.between(n, n) + s.network.between(n, to)
}

// route returns how much longer than its link's delay something of size bytes takes
// that the node sends now, and how likely it is to be lost, of a million.
func (x *exec) route(to NodeID, size int) (d actors.Time, loss int) {
	s, n := x.sim, x.node
	d = s.messageDelay(n)
	w := s.network
	if p := n.profile; p != nil {
		d += p.upload(x, size)
	}
	if w == nil {
		return d, 0
	}
	if int(n.region) < len(w.Jitter) && w.Jitter[n.region] != nil {
		d += actors.Time(w.Jitter[n.region].Draw(n.net.Uint64()))
	}
	if w.Reorder > 0 {
		h := actors.Mix(actors.Mix(w.ReorderSeed, uint64(n.id)<<32|uint64(n.seq)), uint64(x.now))
		d += actors.Time(dist.Uniform{High: w.Reorder}.Draw(h))
	}
	loss = w.Loss
	if s.conditions != nil {
		c := &s.conditions[n.region][s.nodes[to].region]
		d += actors.Time(c.Delay)
		loss = min(loss+c.Loss, million)
	}
	return d, loss
}

// pass is route for what is transmitted again if it is lost. It reports whether it
// arrives at all: if not, d is how long its sender tries.
func (x *exec) pass(to NodeID, size int) (d actors.Time, ok bool) {
	if x.sim.network == nil && !x.sim.profiled {
		return x.sim.messageDelay(x.node), true
	}
	return x.insist(to, size)
}

// insist is pass where there is more than latency.
func (x *exec) insist(to NodeID, size int) (d actors.Time, ok bool) {
	d, loss := x.route(to, size)
	if loss == 0 {
		return d, true
	}
	w := x.sim.network
	for wait, i := actors.Time(w.Retransmit), 1; x.chance(loss); i++ {
		x.retransmitted++
		if d += wait; i >= w.Attempts {
			return d, false
		}
		wait *= 2
	}
	return d, true
}

// chance reports whether something that happens in share of a million cases does.
func (x *exec) chance(share int) bool {
	return share > 0 && x.node.net.Uint64()>>32*million>>32 < uint64(share)
}

// breakLink has an end learn, when its sender gives up, that a message was lost for
// good.
func (x *exec) breakLink(e *endpoint, after actors.Time) {
	e.broken = true
	x.lost++
	x.armHost(x.now+after, &lapse{e, lapseReset})
}

// opened plans what will happen to a link of which this node has just got an end.
// The accepting end resets it.
func (x *exec) opened(e *endpoint, accepting bool) {
	w, n := x.sim.network, x.node
	if w == nil {
		return
	}
	if w.LinkLife != nil && accepting {
		x.armHost(x.now+actors.Time(w.LinkLife.Draw(n.net.Uint64())), &lapse{e, lapseCut})
	}
	if w.StallEvery != nil {
		x.planStall(e)
	}
}

func (x *exec) planStall(e *endpoint) {
	x.armHost(x.now+actors.Time(x.sim.network.StallEvery.Draw(x.node.net.Uint64())), &lapse{e, lapseStall})
}

// A lapse is what the network does to a link. The host of the end handles it.
type lapse struct {
	end  *endpoint
	what lapseKind
}

type lapseKind uint8

const (
	lapseReset lapseKind = iota // this end is reset
	lapseCut                    // both ends are
	lapseStall                  // this direction stalls
)

// happen carries out a lapse, if the link is still open.
func (x *exec) happen(l *lapse) {
	e := l.end
	if e.state != endOpen {
		return
	}
	switch l.what {
	case lapseStall:
		w, n := x.sim.network, x.node
		e.last = max(e.last, x.now+actors.Time(w.StallFor.Draw(n.net.Uint64())))
		x.planStall(e)
		return
	case lapseCut:
		e.transmit(opReset, nil, 0)
	}
	e.broken = true
	x.down(e, linkReset)
	x.drain()
}

// hostSlot owns the timers of the host itself: no actor has it.
const hostSlot = ^uint32(0)

// armHost has the host of a node handle m at a time. Its timers end with the node.
func (x *exec) armHost(at actors.Time, m actors.Message) {
	x.arm(actors.Ref{Slot: hostSlot}, at, m)
}

var lapseKindOf = actors.RegisterMessage("sim.lapse", nil)

// Kind implements [actors.Message].
func (*lapse) Kind() actors.Kind { return lapseKindOf }

// Append implements [actors.Message].
func (m *lapse) Append(b []byte) []byte { return append(b, byte(m.what)) }

// StallLinks holds back what is sent over the open links of a node, either way, until
// a time.
func (s *Simulation) StallLinks(id NodeID, until time.Duration) {
	for _, e := range s.nodes[id].ends {
		if e.state == endOpen {
			e.last = max(e.last, actors.Time(until))
			e.peer.last = max(e.peer.last, actors.Time(until))
		}
	}
}

// ResetLinks breaks the links between two nodes: both ends get a reset now, and what
// is under way is lost.
func (s *Simulation) ResetLinks(a, b NodeID) {
	for _, id := range [...]NodeID{a, b} {
		n, other := s.nodes[id], a+b-id
		s.outside(n, func(x *exec) {
			for i := 0; i < len(n.ends); {
				e := n.ends[i]
				if e.state != endOpen || e.to != other {
					i++
					continue
				}
				e.broken = true
				x.down(e, linkReset) // takes it out, unless it is not bound yet
			}
			x.drain()
		})
	}
}
