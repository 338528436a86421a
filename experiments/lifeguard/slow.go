package lifeguard

import (
	"time"

	"peernet/experiments/lab"
	"peernet/experiments/protocols/swim"
	"peernet/sim"
)

// What a slow member goes through.
const (
	run   = 300 * time.Second // all of it
	spell = 20 * time.Second  // in which each message to and from it takes longer,
	late  = 6 * time.Second   // by so much
	rest  = 10 * time.Second  // between two spells
)

// slow counts false positives about members that are well, while others are slow.
func (g *group) slow() error {
	g.start(0, g.p.Nodes-g.p.Failed)
	random := g.t.Rand("spells")
	for i := 1; i <= g.p.Slow; i++ {
		g.Place(sim.NodeID(i-1), i)
		for at := time.Duration(random.Int64N(int64(spell + rest))); at < run; at += spell + rest {
			g.At(at, func() { g.delay(i, late) })
			g.At(at+spell, func() { g.delay(i, 0) })
		}
	}
	if err := g.Run(g.t.Context, run); err != nil {
		return err
	}
	g.count()
	return nil
}

// delay makes the ways to and from a region longer.
func (g *group) delay(region int, by time.Duration) {
	for other := range g.p.Slow + 1 {
		g.SetConditions(region, other, sim.Conditions{Delay: by})
		g.SetConditions(other, region, sim.Conditions{Delay: by})
	}
}

// count reports what members declared failed wrongly, and whether those that are well know
// of what has failed.
func (g *group) count() {
	var all, atWell, missed int
	end := g.p.Nodes - g.p.Failed
	for i := range end {
		m := &g.members[i]
		for _, d := range m.Detections {
			if d.Member >= g.p.Slow && d.Member < end {
				all++
				if i >= g.p.Slow {
					atWell++
				}
			}
		}
		for failed := end; failed < g.p.Nodes && i >= g.p.Slow; failed++ {
			if m.Record(failed).State != swim.Failed {
				missed++
			}
		}
	}
	g.t.Measure("false positives", float64(all))
	g.t.Measure("false positives at those well", float64(atWell))
	g.t.Measure("missed", float64(missed))
}

func plots(r *lab.Results) []lab.Plot {
	slow := func(detector string) func(*lab.CaseResult) (float64, bool) {
		return lab.ByName("direction only: " + detector + ", %g slow")
	}
	confirmed := lab.ByName("n=100 C=%g")
	return []lab.Plot{
		{Name: "timeout", Title: "Time-out of a suspicion, n = 100, K = 3", X: "independent confirmations C", Y: "s",
			Lines: r.Across("time-out", "time-out", confirmed)},
		{Name: "health", Title: "A member that nobody answers for 100 s", X: "s", Y: "time between its probes, s",
			Lines: []lab.Line{r.Find("health").Line("interval", "interval")}},
		{Name: "slow", Title: "False positives, 64 members, 300 s", X: "members that are slow", Y: "false positives, mean",
			Lines: append(r.Across("false positives", "SWIM", slow("SWIM")), r.Across("false positives", "Lifeguard", slow("Lifeguard"))...)},
	}
}
