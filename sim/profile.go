package sim

import (
	"fmt"
	"math/bits"
	"time"

	"peernet/actors"
)

// A Profile is what a node's machine and its access to the network are like. The
// zero Profile is a machine that is infinitely fast and has the right time.
type Profile struct {
	// Up and Down are the bandwidths of the access link, in bits per second; 0 is
	// without limit. What is sent, or arrives, waits until what came before is
	// through.
	Up, Down int64
	// Queue is how much, in time, may wait for either. A link that would send more
	// is full (actors.ErrLinkFull), one that brings more is reset; a datagram that
	// is more is lost, either way. Default QueueDefault.
	Queue time.Duration
	// Processing is how long the node is busy with each message that comes over a
	// link; others wait behind it, as for Down.
	Processing time.Duration
	// ClockOffset is how far the node's clock is ahead at the start of the
	// simulation; not negative, so that no clock begins before 0.
	ClockOffset time.Duration
	// ClockDrift is how many microseconds the clock gains in a second; at most
	// 100,000 either way.
	ClockDrift int
}

// QueueDefault is the default of Profile.Queue.
const QueueDefault = 10 * time.Second

// bandwidthMax is 1 Tbit/s.
const bandwidthMax = 1_000_000_000_000

func (p *Profile) validate() error {
	switch {
	case p.Up < 0 || p.Up > bandwidthMax || p.Down < 0 || p.Down > bandwidthMax:
		return fmt.Errorf("sim: bandwidths must be from 0 to %d bits per second", int64(bandwidthMax))
	case p.Queue < 0 || p.Processing < 0 || p.ClockOffset < 0:
		return fmt.Errorf("sim: times of a Profile must not be negative")
	case p.ClockDrift < -100_000 || p.ClockDrift > 100_000:
		return fmt.Errorf("sim: Profile.ClockDrift is %d, must be from −100000 to 100000", p.ClockDrift)
	}
	return nil
}

// SetProfile gives a node a profile, before it is started for the first time, or
// changes all of it but the clock later.
func (s *Simulation) SetProfile(id NodeID, p Profile) error {
	if err := p.validate(); err != nil {
		return err
	}
	n := s.nodes[id]
	if p.Queue == 0 {
		p.Queue = QueueDefault
	}
	if n.profile == nil {
		if p == (Profile{Queue: p.Queue}) {
			return nil
		}
		n.profile = &profile{}
		s.profiled = true
	}
	if n.inc > 0 {
		p.ClockOffset, p.ClockDrift = n.profile.ClockOffset, n.profile.ClockDrift
	}
	n.profile.Profile = p
	s.clocks = s.clocks || p.ClockOffset != 0 || p.ClockDrift != 0
	return nil
}

// Profile returns what SetProfile gave a node.
func (s *Simulation) Profile(id NodeID) Profile {
	if p := s.nodes[id].profile; p != nil {
		return p.Profile
	}
	return Profile{}
}

// A profile is a Profile at work.
type profile struct {
	Profile
	up, down actors.Time // until when the access link is taken, either way
}

// transfer is how long size bytes take at bits per second, at least a nanosecond:
// so that what comes later is later.
func transfer(size int, bits int64) actors.Time {
	if bits == 0 {
		return 0
	}
	return max(1, actors.Time(size)*8*actors.Second/actors.Time(bits))
}

// upload enters size bytes into the queue of the access link, and returns when they
// are through, from now.
func (p *profile) upload(x *exec, size int) actors.Time {
	if p.Up == 0 || size == 0 {
		return 0
	}
	p.up = max(p.up, x.now) + transfer(size, p.Up)
	return p.up - x.now
}

// full reports whether more waits to be sent than may.
func (p *profile) full(x *exec) bool { return p != nil && p.up-x.now > actors.Time(p.Queue) }

// queued enters what arrives into the queue of the access link and of the node's
// processor, and reports whether it is for later.
func (x *exec) queued(ev *event) bool {
	p := x.node.profile
	if p == nil || p.Down == 0 && p.Processing == 0 && p.down <= x.now {
		return false
	}
	size := 0
	switch ev.op {
	case opMessage, opDatagram:
		size = actors.SizeOf(ev.m)
	case opClose, opReset: // behind what was sent
	default:
		return false
	}
	free := max(p.down, x.now)
	if free-x.now > actors.Time(p.Queue) {
		x.overflow(ev)
		return true
	}
	p.down = max(free+transfer(size, p.Down)+actors.Time(p.Processing), x.now+1)
	late := *ev
	x.armHost(p.down, &arrival{late})
	return true
}

// overflow is for what is more than the node takes: a datagram is lost, a link reset.
func (x *exec) overflow(ev *event) {
	switch e := ev.end; {
	case ev.op == opDatagram:
		x.lost++
	case e.state == endOpen:
		e.transmit(opReset, nil, 0)
		x.down(e, linkReset)
		x.drain()
	}
}

// An arrival waits for the access link or the processor of its node.
type arrival struct{ event event }

var arrivalKind = actors.RegisterMessage("sim.arrival", nil)

// Kind implements [actors.Message].
func (*arrival) Kind() actors.Kind { return arrivalKind }

// Append implements [actors.Message].
func (m *arrival) Append(b []byte) []byte { return append(b, byte(m.event.op)) }

// clock is what the node's clock shows at a time of the simulation.
func (p *profile) clock(t actors.Time) actors.Time {
	return t + actors.Time(p.ClockOffset) + drift(t, actors.Time(p.ClockDrift))
}

// drift is floor(t·ppm/10⁶), without overflow.
func drift(t, ppm actors.Time) actors.Time {
	rest := t % million * ppm
	low := rest / million
	if rest%million < 0 {
		low--
	}
	return t/million*ppm + low
}

// alarm is the first time of the simulation, from now on, at which the clock shows
// that d has passed.
func (p *profile) alarm(now actors.Time, d actors.Time) actors.Time {
	due := p.clock(now) + d
	hi, lo := bits.Mul64(uint64(d), million)
	q, _ := bits.Div64(hi, lo, uint64(million+p.ClockDrift))
	// Off by a nanosecond or two, put right below.
	t := now + actors.Time(q)
	for p.clock(t) < due {
		t++
	}
	for t > now && p.clock(t-1) >= due {
		t--
	}
	return t
}

// Clock is what a node's clock shows.
func (s *Simulation) Clock(id NodeID) actors.Time {
	if p := s.nodes[id].profile; p != nil {
		return p.clock(s.now)
	}
	return s.now
}

// reading is what the node's clock shows now.
func (x *exec) reading() actors.Time {
	if p := x.node.profile; p != nil {
		return p.clock(x.now)
	}
	return x.now
}

// due is when a timer of d from now is due.
func (x *exec) due(d time.Duration) actors.Time {
	if p := x.node.profile; p != nil && x.sim.clocks {
		return p.alarm(x.now, actors.Time(d))
	}
	return x.now.Add(d)
}
