// Package swarm draws whole scenarios from seeds, and runs them: sizes, latencies,
// regions, machines, the protocol's configuration, churn, faults and adversaries. The
// invariants hold all along (package scenario); at a time everything heals, and then
// the network must become one component, reach its nodes, and answer.
//
// The same seed gives the same scenario and the same run. What fails is run again by
//
//	peernet sim swarm --seeds 17
//
// or, written as a file, looked into with peernet sim replay and shrink.
package swarm

import (
	"fmt"
	"math/rand/v2"
	"time"

	"peernet/sim/adversary"
	"peernet/sim/scenario"
)

// A dice draws the parts of a scenario.
type dice struct {
	*rand.Rand
	s    *scenario.Scenario
	heal time.Duration // when all that disturbs has ended
}

// between draws from low to high, both included.
func (d *dice) between(low, high int) int { return low + d.IntN(high-low+1) }

// chance is true in percent of a hundred cases.
func (d *dice) chance(percent int) bool { return d.IntN(100) < percent }

// seconds draws a duration, in hundredths of a second.
func (d *dice) seconds(low, high float64) scenario.Duration {
	const hundredth = 10 * time.Millisecond
	return scenario.Duration(hundredth) * scenario.Duration(d.between(int(low*100), int(high*100)))
}

// at is a time of the run.
func at(t scenario.Duration) scenario.Span { return scenario.Span{Time: t} }

// during draws a span before everything heals.
func (d *dice) during() (from, until scenario.Span) {
	heal := int(d.heal / time.Second)
	a := d.between(5, heal-20)
	b := d.between(a+5, min(a+60, heal-5))
	return at(scenario.Duration(a) * second), at(scenario.Duration(b) * second)
}

const second = scenario.Duration(time.Second)

// Draw draws the scenario of a seed.
func Draw(seed uint64) *scenario.Scenario {
	s := scenario.Default()
	d := &dice{rand.New(rand.NewPCG(seed, 0x737761726d)), &s, 0}
	s.Name, s.Seed = fmt.Sprintf("swarm %d", seed), seed
	s.Nodes = d.between(7, 50)
	s.Bootstraps = d.between(1, min(5, s.Nodes))
	// Fewer, and the bootstrap nodes may be two groups that do not know each other.
	s.Known = d.between(max(1, s.Bootstraps/2), s.Bootstraps)
	d.heal = time.Duration(d.between(60, 150)) * time.Second
	d.network()
	d.protocol()
	d.population()
	for range d.between(0, 4) {
		d.fault()
	}
	for range d.IntN(3) {
		d.adversary()
	}
	d.checks()
	return &s
}

// network draws latencies, regions, and what happens to messages.
func (d *dice) network() {
	s := d.s
	switch d.IntN(4) {
	case 0:
		s.Latency.Model = scenario.Constant
	case 1:
		s.Latency.Model, s.Latency.Max = scenario.Uniform, d.seconds(0.05, 0.2)
	}
	s.Latency.Min = d.seconds(0.01, 0.02)
	if d.chance(30) {
		s.Latency.Per = scenario.PerMessage
	}
	if d.chance(20) {
		s.Wire = scenario.WireEncoded
	}
	if d.chance(40) {
		names := scenario.RegionNames()
		d.Shuffle(len(names), func(i, k int) { names[i], names[k] = names[k], names[i] })
		for _, name := range names[:d.between(2, 4)] {
			s.Regions = append(s.Regions, scenario.Region{Name: name, Weight: d.between(1, 5), Jitter: d.jitter()})
		}
	}
	n := &s.Network
	if d.chance(40) {
		n.Loss = scenario.Share(d.between(1, 30_000))
	}
	if d.chance(25) {
		n.LinkLife = scenario.Draw{Model: scenario.Exponential, Mean: d.seconds(60, 600)}
	}
	if d.chance(25) {
		n.StallEvery = scenario.Draw{Model: scenario.Exponential, Mean: d.seconds(30, 300)}
		n.StallFor = scenario.Draw{Model: scenario.Uniform, Max: d.seconds(0.1, 5)}
	}
	if d.chance(30) {
		n.DialTwice = scenario.Share(d.between(1, 300_000))
	}
	if d.chance(50) {
		n.Reorder, n.ReorderSeed = d.seconds(0.01, 0.05), d.Uint64()
	}
}

func (d *dice) jitter() scenario.Draw {
	switch d.IntN(5) {
	case 0:
		return scenario.Draw{Model: scenario.Normal, Mean: d.seconds(0.01, 0.03), SD: d.seconds(0.01, 0.02)}
	case 1:
		return scenario.Draw{Model: scenario.LogNormal, Min: 1, Median: d.seconds(0.01, 0.03), Sigma: scenario.Percent(d.between(10, 150))}
	case 2:
		return scenario.Draw{Model: scenario.Pareto, Min: d.seconds(0.01, 0.02), Shape: scenario.Percent(d.between(150, 400))}
	case 3:
		return scenario.Draw{Model: scenario.Empirical, Quantiles: scenario.Times{0, d.seconds(0.01, 0.02), d.seconds(0.03, 0.2)}}
	}
	return scenario.Draw{Model: scenario.None}
}

// protocol draws the configuration of the nodes.
func (d *dice) protocol() {
	s := d.s
	// A random graph of one link from each node is not connected.
	s.Connections = d.between(2, min(4, (s.Nodes-1)/3))
	s.InboundMax = d.between(4*s.Connections, 32)
	if s.Fanout = scenario.Fanout(d.between(3, 6)); d.chance(50) {
		s.Fanout = -1 // all
	}
	s.HopsMax = d.between(12, 30)
	s.Book = d.between(16, 64)
	s.Exchange = d.between(3, 20)
	s.Interval = d.seconds(1, 5)
	s.Refresh = d.seconds(5, 20)
	s.Purge = d.seconds(5, 20)
	s.HelloTimeout = d.seconds(4, 10)
	s.KeepAlive = d.seconds(5, 20)
	s.RateMax = d.between(100, 1000)
	s.RoutesMax = d.between(300, 5000)
}

// population draws who is there, and when.
func (d *dice) population() {
	s := d.s
	s.Arrivals = at(d.seconds(0, 10))
	s.ArrivalModel = []string{scenario.ArriveUniform, scenario.ArriveRamp, scenario.ArrivePoisson}[d.IntN(3)]
	if d.chance(25) {
		s.Reach = scenario.Reach{Public: 3, FullCone: d.IntN(2), Restricted: d.IntN(2), PortRestricted: 1}
	}
	if d.chance(20) {
		from, _ := d.during()
		s.Crowds = append(s.Crowds, scenario.Crowd{At: from, Within: d.seconds(0, 3), Share: scenario.Share(d.between(100_000, 500_000))})
	}
	if d.chance(40) {
		for i := range d.between(1, 3) {
			s.Classes = append(s.Classes, d.class(fmt.Sprintf("class %d", i)))
		}
	}
	if !d.chance(40) {
		return
	}
	c := &s.Churn
	c.Session = scenario.Draw{Model: scenario.Weibull, Scale: d.seconds(20, 120), Shape: scenario.Percent(d.between(50, 150))}
	c.Downtime = scenario.Draw{Model: scenario.Exponential, Mean: d.seconds(3, 30)}
	c.From, c.Until = at(d.seconds(0, 20)), at(scenario.Duration(d.heal)-2*second)
	c.Leave = []string{scenario.LeaveGoodbye, scenario.LeaveReset, scenario.LeaveSilence}[d.IntN(3)]
	c.Book = d.book()
}

func (d *dice) book() string {
	return []string{scenario.BookKept, scenario.BookSynced, scenario.BookLost}[d.IntN(3)]
}

func (d *dice) class(name string) scenario.Class {
	c := scenario.Class{Name: name, Weight: d.between(1, 3), Queue: d.seconds(2, 10)}
	if d.chance(50) {
		c.Up, c.Down = scenario.Bandwidth(d.between(300, 10_000))*1000, scenario.Bandwidth(d.between(300, 10_000))*1000
	}
	if d.chance(30) {
		c.Processing = scenario.Duration(d.between(1, 2000)) * scenario.Duration(time.Microsecond)
	}
	if d.chance(50) {
		c.ClockSkew, c.ClockDrift = d.seconds(0, 60), scenario.Duration(d.between(1, 20_000))*scenario.Duration(time.Microsecond)
	}
	return c
}

// fault draws something that goes wrong, and is over when everything heals.
func (d *dice) fault() {
	kinds := []string{
		scenario.FaultCrash, scenario.FaultCrash, scenario.FaultPartition, scenario.FaultPartition, scenario.FaultStall,
		scenario.FaultReset, scenario.FaultSlow, scenario.FaultDiskError, scenario.FaultDiskFull, scenario.FaultRemove, scenario.FaultRemove,
	}
	from, until := d.during()
	f := scenario.Fault{
		Kind: kinds[d.IntN(len(kinds))], At: from, Until: until, Share: scenario.Share(d.between(50_000, 600_000)),
		Leave: scenario.LeaveSilence, Book: scenario.BookKept,
	}
	if len(d.s.Regions) > 0 && d.chance(40) {
		f.Region = d.s.Regions[d.IntN(len(d.s.Regions))].Name
		f.Share = 1_000_000
	}
	switch f.Kind {
	case scenario.FaultCrash:
		f.Until, f.Book = scenario.Span{}, d.book()
		if f.Restart = d.seconds(1, 20); d.chance(40) {
			f.Restart, f.Spare, f.Share, f.Region = 0, true, f.Share/2, ""
		}
		if d.chance(50) {
			f.Leave = scenario.LeaveReset
		}
	case scenario.FaultReset, scenario.FaultRemove:
		f.Until = scenario.Span{}
	case scenario.FaultSlow:
		f.Slow = d.seconds(0.01, 0.1)
	}
	d.s.Faults = append(d.s.Faults, f)
}

// adversary draws some hostile nodes, which are gone when everything heals.
func (d *dice) adversary() {
	roles := adversary.Roles()
	from, until := d.during()
	a := scenario.Adversary{
		Role: string(roles[d.IntN(len(roles))]), Count: d.between(1, 1+d.s.Nodes/10), At: from, Until: until,
	}
	if victim := d.IntN(d.s.Nodes); a.Role == string(adversary.Eclipser) {
		a.Victim = victim
	}
	d.s.Adversaries = append(d.s.Adversaries, a)
}

// Liveness after everything has healed. A node that found nobody for long tries again
// more and more seldom.
const (
	mergeTime = 300 * time.Second
	quietTime = 20 * time.Second // until the last announce has come everywhere
)

// checks draws the workload, and sets what the network must come to.
func (d *dice) checks() {
	s := d.s
	merged := scenario.Duration(d.heal + mergeTime)
	end := merged + 60*second + scenario.Duration(quietTime)
	s.Duration = end
	// What is sent while things go wrong is for the invariants.
	s.Messages, s.MessagesFrom, s.MessagesUntil = d.between(5, 30), at(5*second), at(scenario.Duration(d.heal))
	s.Searches, s.SearchesFrom, s.SearchesUntil = d.between(1, 10), at(10*second), at(scenario.Duration(d.heal))
	s.Responders = s.Nodes
	s.Workload = append(s.Workload, scenario.Workload{
		Kind: scenario.SendAnnounce, Count: d.between(1, 10), From: at(10 * second), Until: at(scenario.Duration(d.heal)),
		Pace: scenario.PaceBurst, PayloadMin: 16, PayloadMax: 16, Limit: d.between(1, 4),
	})
	for _, kind := range []string{scenario.SendAnnounce, scenario.SendSearch} {
		s.Workload = append(s.Workload, scenario.Workload{
			Kind: kind, Count: 10, From: at(merged), Until: at(merged + 60*second), Pace: scenario.PacePoisson,
			PayloadMin: 16, PayloadMax: d.between(16, 512),
		})
	}
	coverage := scenario.Share(950_000)
	if s.Fanout > 0 {
		coverage = 700_000
	}
	s.Checks.Every = at(d.seconds(1, 5))
	s.Checks.Goals = []scenario.Goal{
		{Goal: scenario.GoalComponent, After: at(scenario.Duration(d.heal)), Within: scenario.Duration(mergeTime)},
		{Goal: scenario.GoalCoverage, After: at(merged), Least: coverage},
		{Goal: scenario.GoalAnswered, After: at(merged), Least: 700_000},
	}
	if s.Reach == (scenario.Reach{Public: 1}) { // others take long to have all their links
		s.Checks.Goals = append(s.Checks.Goals, scenario.Goal{
			Goal: scenario.GoalFormed, After: at(scenario.Duration(d.heal)), Within: scenario.Duration(mergeTime),
		})
	}
}
