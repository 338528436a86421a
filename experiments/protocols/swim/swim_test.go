package swim_test

import (
	"context"
	"testing"
	"time"

	"peernet/actors"
	"peernet/experiments/protocols/swim"
	"peernet/sim"
	"peernet/sim/dist"
)

const period = 100 * time.Millisecond

// A group is members in a simulation whose messages take a millisecond.
type group struct {
	*sim.Simulation
	t       *testing.T
	members []swim.Member
}

// start starts the members of a config but the last ones, which are dead from the start.
func start(t *testing.T, c swim.Config, n, dead int, more ...func(*sim.Config)) *group {
	config := sim.Config{Seed: 1, Latency: sim.Latency{Message: dist.Constant(time.Millisecond)}}
	c.Period, c.Timeout = period, 10*time.Millisecond
	if c.Clock == swim.Rounds {
		config.Round = period
	}
	for _, f := range more {
		f(&config)
	}
	s, err := sim.New(config)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		c.Peers = append(c.Peers, sim.AddressOf(sim.NodeID(i)))
	}
	s.Add(n)
	g := &group{s, t, make([]swim.Member, n)}
	for i := range n - dead {
		g.members[i] = swim.Member{Config: &c, Self: i}
		s.Start(sim.NodeID(i), &g.members[i])
	}
	return g
}

func (g *group) run(periods int) {
	if err := g.Run(context.Background(), time.Duration(periods)*period-1); err != nil {
		g.t.Fatal(err)
	}
}

// tell brings updates to a member, as if from another.
func (g *group) tell(member, from int, updates ...swim.Update) {
	g.Send(sim.NodeID(member), &actors.Datagram{From: sim.AddressOf(sim.NodeID(from)), Payload: &swim.Ping{Updates: updates}})
}

func (g *group) detections() (all int) {
	for i := range g.members {
		all += len(g.members[i].Detections)
	}
	return all
}

func TestOnePingAndOneAckPerPeriod(t *testing.T) {
	for _, clock := range []swim.Clock{swim.Rounds, swim.Phased} {
		g := start(t, swim.Config{Clock: clock, K: 3, Alpha: 3, Updates: 5, Lambda: 2000}, 20, 0)
		g.run(50)
		// One of a period that is not over may not have been answered yet.
		if got, want := g.Totals().Sent, uint64(2*20*50); got > want || got < want-5 {
			t.Errorf("clock %d: %d messages, want %d", clock, got, want)
		}
		if g.detections() > 0 {
			t.Errorf("clock %d: a member that is well was declared failed", clock)
		}
	}
}

func TestFailedMemberIsDetectedAtTheEndOfThePeriod(t *testing.T) {
	for _, clock := range []swim.Clock{swim.Rounds, swim.Phased, swim.Memoryless} {
		g := start(t, swim.Config{Clock: clock, K: 2}, 5, 1)
		g.run(40)
		for i := range 4 {
			d := g.members[i].Detections
			if len(d) != 1 || d[0].Member != 4 || d[0].At.Sub(d[0].Since) != period {
				t.Errorf("clock %d: member %d has %v, want one detection, a period after the ping", clock, i, d)
			}
		}
	}
}

// Two members hear each other only over a third.
func TestPingReqFindsAnotherWay(t *testing.T) {
	for k, want := range []bool{true, false} {
		g := start(t, swim.Config{K: k}, 3, 0, func(c *sim.Config) { c.Network = &sim.Network{Delay: apart(3)} })
		for i := range 3 {
			g.Place(sim.NodeID(i), i)
		}
		g.SetConditions(0, 1, sim.Conditions{Loss: 1_000_000})
		g.run(20)
		if got := g.detections() > 0; got != want {
			t.Errorf("k=%d: detected %v, want %v", k, got, want)
		}
	}
}

// apart is that regions have no delays, but are apart.
func apart(n int) [][]time.Duration {
	delay := make([][]time.Duration, n)
	for i := range delay {
		delay[i] = make([]time.Duration, n)
	}
	return delay
}

func TestRoundRobinProbesAllBeforeAnyAgain(t *testing.T) {
	const n = 9
	g := start(t, swim.Config{RoundRobin: true}, n, 0)
	for range 3 {
		var seen [n]bool
		for range n - 1 {
			at := g.members[0].Periods
			g.run(int(at) + 1)
			target := g.members[0].Probes[0].Target
			if seen[target] || target == 0 {
				t.Fatalf("period %d probes %d again", at, target)
			}
			seen[target] = true
		}
	}
}

func TestSuspicionIsRefuted(t *testing.T) {
	g := start(t, swim.Config{Alpha: 5, Updates: 5}, 6, 0)
	g.tell(0, 1, swim.Update{State: swim.Suspected, Member: 3, Accuser: 1})
	g.run(30)
	if g.members[3].Incarnation != 1 || g.detections() > 0 {
		t.Errorf("incarnation %d, %d detections, want a refutation", g.members[3].Incarnation, g.detections())
	}
	for _, i := range []int{0, 1, 2, 4, 5} {
		if r := g.members[i].Record(3); r.State != swim.Alive || r.Incarnation != 1 {
			t.Errorf("member %d knows %v, want it alive in incarnation 1", i, r)
		}
	}
}

func TestWhichUpdateCounts(t *testing.T) {
	const member = 2
	state := func(s swim.State, incarnation uint64) swim.Update {
		return swim.Update{State: s, Member: member, Incarnation: incarnation, Accuser: 1}
	}
	for _, c := range []struct {
		known, told swim.Update
		comeback    bool
		want        swim.Update
	}{
		{state(swim.Alive, 1), state(swim.Suspected, 1), false, state(swim.Suspected, 1)},
		{state(swim.Alive, 2), state(swim.Suspected, 1), false, state(swim.Alive, 2)},
		{state(swim.Suspected, 1), state(swim.Alive, 1), false, state(swim.Suspected, 1)},
		{state(swim.Suspected, 1), state(swim.Alive, 2), false, state(swim.Alive, 2)},
		{state(swim.Suspected, 1), state(swim.Suspected, 2), false, state(swim.Suspected, 2)},
		{state(swim.Alive, 5), state(swim.Failed, 1), false, state(swim.Failed, 1)},
		{state(swim.Failed, 1), state(swim.Alive, 2), false, state(swim.Failed, 1)},
		{state(swim.Failed, 1), state(swim.Alive, 2), true, state(swim.Alive, 2)},
		{state(swim.Alive, 5), state(swim.Failed, 1), true, state(swim.Alive, 5)},
		{state(swim.Failed, 1), state(swim.Suspected, 2), true, state(swim.Failed, 1)},
	} {
		g := start(t, swim.Config{Alpha: 5, Clock: swim.Phased, Return: c.comeback}, 3, 2)
		g.tell(0, 1, c.known)
		g.tell(0, 1, c.told)
		g.Run(context.Background(), time.Microsecond)
		if r := g.members[0].Record(member); r.State != c.want.State || r.Incarnation != c.want.Incarnation {
			t.Errorf("%v and then %v is %v", c.known, c.told, r)
		}
	}
}

// Each suspicion is by another accuser; the last one comes after the time-out that it
// makes, which is then over at once.
func TestConfirmationsShortenTheTimeout(t *testing.T) {
	const n = 10
	for _, c := range []struct {
		accusers []int
		after    time.Duration // of the last
		want     time.Duration
	}{
		{[]int{1}, 0, 6 * period}, {[]int{1, 1, 1}, 0, 6 * period}, {[]int{1, 2}, 0, 35 * period / 10},
		{[]int{1, 2, 3, 4}, 0, period}, {[]int{1, 2, 3, 4, 5}, 0, period}, {[]int{1, 2}, 5 * period, 5 * period},
	} {
		g := start(t, swim.Config{Alpha: 1, Beta: 6, Confirmations: 3, K: 1}, n, n-1, func(c *sim.Config) { c.Round = 0 })
		last := len(c.accusers) - 1
		for i, by := range c.accusers {
			tell := func() { g.tell(0, by, swim.Update{State: swim.Suspected, Member: 7, Accuser: by}) }
			if i == last {
				g.At(c.after, tell)
			} else {
				tell()
			}
		}
		g.run(10)
		if d := g.members[0].Detections; len(d) != 1 || time.Duration(d[0].At) != c.want {
			t.Errorf("accusers %v: %v, want one after %v", c.accusers, d, c.want)
		}
	}
}

// The time-out of a suspicion that was refuted does not end the next one.
func TestEachSuspicionHasItsOwnTimeout(t *testing.T) {
	g := start(t, swim.Config{Alpha: 10, Clock: swim.Phased, Keep: true}, 3, 2)
	u := swim.Update{State: swim.Suspected, Member: 2, Accuser: 1}
	g.tell(0, 1, u)
	g.At(5*period, func() {
		g.tell(0, 1, swim.Update{State: swim.Alive, Member: 2, Incarnation: 1, Accuser: 2})
		u.Incarnation = 1
		g.tell(0, 1, u)
	})
	g.run(20)
	for _, d := range g.members[0].Detections {
		if d.Member == 2 && time.Duration(d.At) != 15*period {
			t.Errorf("declared failed after %v, want 15 periods", d.At)
		}
	}
	if g.members[0].Record(2).State != swim.Failed {
		t.Error("not declared failed")
	}
}

func TestTransmissionsAreBounded(t *testing.T) {
	const n = 30 // ⌈2·ln 30⌉ = 7
	g := start(t, swim.Config{Updates: 3, Lambda: 2000}, n, 0)
	g.Send(0, &swim.Announce{})
	before := g.Totals().Bytes
	g.run(40)
	heard := 0
	for i := range n {
		if g.members[i].Record(0).Incarnation == 1 {
			heard++
		}
	}
	// An update is four bytes; a message without any is two, from number 128 on three.
	carried := (g.Totals().Bytes - before - 2*g.Totals().Sent) / 4
	if heard != n-1 || carried < n || carried > n*7 {
		t.Errorf("%d members heard it, in %d messages, want all, in at most 7 by each", heard, carried)
	}
	g.run(80)
	if more := (g.Totals().Bytes - 2*g.Totals().Sent) / 4; more != carried {
		t.Errorf("carried %d, and later %d, want the spread to end", carried, more)
	}
}

// In lock-step an update moves by one contact in a period, unless it is relayed.
func TestUpdatesWaitForTheNextPeriod(t *testing.T) {
	heard := func(relay bool) (sum int) {
		for seed := range 200 {
			g := start(t, swim.Config{Updates: 3, Relay: relay}, 200, 0, func(c *sim.Config) { c.Seed = uint64(seed) })
			g.Send(0, &swim.Announce{})
			g.run(1)
			for i := range g.members {
				sum += int(g.members[i].Record(0).Incarnation)
			}
		}
		return sum
	}
	// One by the ping of the source, and one by the acks for those it gets, on average.
	if got := heard(false); got < 350 || got > 440 {
		t.Errorf("%d heard it in a period, want about 400", got)
	}
	if got := heard(true); got < 480 {
		t.Errorf("%d heard it in a period with relaying, want more", got)
	}
}
