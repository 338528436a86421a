// Package swim holds the failure detector of SWIM (Das et al., 2002) against its analysis:
// how soon a failure is detected, at what load, how fast an update spreads, and how often
// a member that is well is declared failed. Its README has the questions and what came
// out.
package swim

import (
	"embed"
	"fmt"
	"time"

	"peernet/experiments/lab"
	"peernet/experiments/protocols/swim"
	"peernet/sim"
	"peernet/sim/dist"
)

//go:embed README.md expected.json
var files embed.FS

// Experiment is the experiment.
var Experiment = lab.New("swim", files, trial)

func init() { Experiment.Plots = plots }

type parameters struct {
	Trial      string `json:"trial"` // one of those below
	Nodes      int    `json:"nodes"`
	Failed     int    `json:"failed"` // of the nodes, from the start
	Clock      string `json:"clock"`
	K          int    `json:"k"`
	RoundRobin bool   `json:"round_robin"`
	Relay      bool   `json:"relay"` // see swim.Config
	Loss       int    `json:"loss"`  // of a million messages
}

var (
	trials = map[string]func(*group) error{
		"first": (*group).first, "every": (*group).every, "load": (*group).load, "spread": (*group).spread, "false": (*group).falsely,
	}
	clocks = map[string]swim.Clock{"rounds": swim.Rounds, "phased": swim.Phased, "memoryless": swim.Memoryless}
)

// A group is the members, in a simulation.
type group struct {
	*sim.Simulation
	t       *lab.Trial
	config  *swim.Config
	members []swim.Member
	live    int // those before are started
}

func trial(t *lab.Trial, p parameters) error {
	run, known := trials[p.Trial]
	clock, ok := clocks[p.Clock]
	if !known || !ok {
		return fmt.Errorf("trial %q with clock %q is none", p.Trial, p.Clock)
	}
	// Rounds are just long enough; of the other periods messages take a thousandth.
	period, world := lab.Cycle, lab.Lockstep
	if clock != swim.Rounds {
		period, world = time.Second, sim.Config{Latency: sim.Latency{Message: dist.Constant(time.Millisecond)}}
	}
	world.Network = &sim.Network{Loss: p.Loss}
	g := &group{Simulation: t.Simulation(world), t: t, members: make([]swim.Member, p.Nodes), live: p.Nodes - p.Failed}
	g.config = &swim.Config{
		Peers: lab.Addresses(p.Nodes), Clock: clock, Period: period, Timeout: 3 * time.Millisecond,
		K: p.K, RoundRobin: p.RoundRobin, Keep: true,
	}
	switch p.Trial {
	case "load":
		g.config.Alpha, g.config.Updates, g.config.Lambda = 5, 10, 3000
	case "spread":
		g.config.Updates, g.config.Lambda, g.config.Relay = 10, 3000, p.Relay
	}
	g.Add(p.Nodes)
	for i := range g.live {
		g.members[i] = swim.Member{Config: g.config, Self: i}
		g.Start(sim.NodeID(i), &g.members[i])
	}
	return run(g)
}

// run runs periods, up to the end of one.
func (g *group) run(periods int) error {
	return g.Run(g.t.Context, time.Duration(periods)*g.config.Period)
}

// periods is a time, in periods.
func (g *group) periods(d time.Duration) float64 { return float64(d) / float64(g.config.Period) }

// first measures when the last of the members, which has failed at time 0, is detected
// first, and when the ping for that was sent.
func (g *group) first() error {
	for n := 1; ; n++ {
		if err := g.run(n); err != nil {
			return err
		}
		if d, ok := g.earliest(len(g.members) - 1); ok {
			g.t.Measure("detected", g.periods(time.Duration(d.At)))
			g.t.Measure("probed", g.periods(time.Duration(d.Since)))
			return nil
		}
	}
}

// earliest returns the first detection of a member.
func (g *group) earliest(member int) (first swim.Detection, ok bool) {
	for i := range g.members {
		for _, d := range g.members[i].Detections {
			if d.Member == member && (!ok || d.At < first.At) {
				first, ok = d, true
			}
		}
	}
	return first, ok
}

// every measures when the last member detects a failure itself, which happens in any
// period of the first list, and whether that is later than the bound.
func (g *group) every() error {
	failed := g.live - 1
	crash := time.Duration(1+g.t.Rand("crash").IntN(failed)) * g.config.Period
	g.CrashAt(sim.NodeID(failed), crash-1, false)
	last := crash
	for i := range failed {
		for len(g.members[i].Detections) == 0 {
			if err := g.run(int(g.Now()/g.config.Period) + 1); err != nil {
				return err
			}
		}
		last = max(last, time.Duration(g.members[i].Detections[0].At))
	}
	g.t.Measure("last", g.periods(last-crash))
	late := 0.0
	if g.periods(last-crash) > float64(2*failed-1) {
		late = 1
	}
	g.t.Measure("late", late)
	return nil
}

// load measures what a member sends in a period, with all of SWIM turned on.
func (g *group) load() error {
	const periods = 40
	if err := g.Run(g.t.Context, periods*g.config.Period-1); err != nil {
		return err
	}
	g.t.Measure("load", float64(g.Totals().Sent)/float64(g.live)/periods)
	return nil
}

// falsely measures how often a member that is well is declared failed: in a period, and
// until one that has failed is detected.
func (g *group) falsely() error {
	const periods = 5 // at least
	detected := 0
	for n := 1; n <= periods || detected == 0; n++ {
		// A period is judged when the next one begins.
		if err := g.Run(g.t.Context, time.Duration(n)*g.config.Period+1); err != nil {
			return err
		}
		if _, ok := g.earliest(len(g.members) - 1); ok && detected == 0 {
			detected = n
			g.t.Measure("detected", float64(n))
			g.t.Measure("false per detection", g.falseOf())
		}
		if n == periods {
			g.t.Measure("false per period", g.falseOf()/periods)
		}
	}
	return nil
}

// falseOf returns how often a member that is well was declared failed, on average.
func (g *group) falseOf() float64 {
	all := 0
	for i := range g.members {
		for _, d := range g.members[i].Detections {
			if d.Member < g.live {
				all++
			}
		}
	}
	return float64(all) / float64(g.live)
}
