// Package demers runs Tables 1 and 3 of Demers et al. (1987) again: rumor mongering by
// push and by pull, with feedback and a counter. Its README has the question and what
// came out.
package demers

import (
	"embed"
	"fmt"
	"time"

	"peernet/experiments/lab"
	"peernet/experiments/protocols/rumor"
	"peernet/sim"
)

//go:embed README.md expected.json
var files embed.FS

// Experiment is the experiment.
var Experiment = lab.New("demers", files, trial)

func init() { Experiment.Plots = plots }

type parameters struct {
	Nodes int    `json:"nodes"`
	Mode  string `json:"mode"` // push, pull or push-pull
	K     int    `json:"k"`
	Live  bool   `json:"live"` // see rumor.Config
	Keep  bool   `json:"keep"`
}

var modes = map[string]rumor.Mode{"push": rumor.Push, "pull": rumor.Pull, "push-pull": rumor.PushPull}

// cyclesPlotted is how long the plot of infective sites is at least.
const cyclesPlotted = 35

// trial spreads one update from one site, until no site is infective.
func trial(t *lab.Trial, p parameters) error {
	mode, ok := modes[p.Mode]
	if !ok {
		return fmt.Errorf("mode %q is none", p.Mode)
	}
	config := &rumor.Config{Mode: mode, K: p.K, Live: p.Live, Keep: p.Keep, Peers: lab.Addresses(p.Nodes)}
	s := t.Simulation(lab.Lockstep)
	s.Add(p.Nodes)
	sites := make([]rumor.Site, p.Nodes)
	for i := range sites {
		sites[i] = rumor.Site{Config: config, Self: i}
		s.Start(sim.NodeID(i), &sites[i])
	}
	s.Send(0, &rumor.Start{})
	infective, cycles := 1, 0
	for ; infective > 0; cycles++ {
		if err := s.Run(t.Context, time.Duration(cycles+1)*lab.Cycle-1); err != nil {
			return err
		}
		infective = 0
		for i := range sites {
			if sites[i].Infective {
				infective++
			}
		}
		t.Point("infective", float64(cycles), float64(infective)/float64(p.Nodes))
	}
	for cycle := cycles; cycle < cyclesPlotted; cycle++ {
		t.Point("infective", float64(cycle), 0) // the mean is over all trials
	}
	report(t, sites)
	return nil
}

// report reports what the columns of the tables are.
func report(t *lab.Trial, sites []rumor.Site) {
	var heard, sent, last, sum uint64
	for i := range sites {
		sent += sites[i].Sent
		if sites[i].Heard {
			heard++
			sum += sites[i].HeardAt
			last = max(last, sites[i].HeardAt)
		}
	}
	n := uint64(len(sites))
	t.Measure("residue", float64(n-heard)/float64(n))
	t.Measure("traffic", float64(sent)/float64(n))
	t.Measure("t_ave", float64(sum)/float64(heard))
	t.Measure("t_last", float64(last))
}

func plots(r *lab.Results) []lab.Plot {
	across := func(name, title, y, measure string, log bool) lab.Plot {
		return lab.Plot{Name: name, Title: title, X: "k", Y: y, LogY: log,
			Lines: append(r.Across(measure, "push", lab.ByName("push k=%g")), r.Across(measure, "pull", lab.ByName("pull k=%g"))...)}
	}
	cycles := lab.Plot{Name: "cycles", Title: "Infective sites over time", X: "cycles", Y: "share of the sites"}
	for _, name := range []string{"push k=1", "push k=3", "pull k=1", "pull k=3"} {
		cycles.Lines = append(cycles.Lines, r.Find(name).Line("infective", name))
	}
	return []lab.Plot{
		across("residue", "Sites that never hear the update", "residue s", "residue", true),
		across("traffic", "Updates sent per site", "traffic m", "traffic", false),
		cycles,
	}
}
