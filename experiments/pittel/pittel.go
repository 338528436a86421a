// Package pittel runs the push protocol on the complete graph, and compares how many
// rounds it takes with what Pittel (1987) and Daknama, Panagiotou and Reisser (2020)
// proved. Its README has the question and what came out.
package pittel

import (
	"embed"
	"fmt"
	"math"
	"time"

	"peernet/actors"
	"peernet/experiments/lab"
	"peernet/experiments/protocols/rumor"
	"peernet/sim"
)

//go:embed README.md expected.json
var files embed.FS

// Experiment is the experiment.
var Experiment = lab.New("pittel", files, trial)

func init() { Experiment.Plots = plots }

type parameters struct {
	Nodes int    `json:"nodes"`
	Mode  string `json:"mode"` // push or pull
	// Neighbours is how many fixed nodes each one calls, the next and the last on a ring
	// among them; 0 is all others.
	Neighbours int `json:"neighbours"`
}

var modes = map[string]rumor.Mode{"push": rumor.Push, "pull": rumor.Pull}

// roundsMax is when a rumor counts as stuck, and roundsShown what plots have.
const (
	roundsMax   = 10000
	roundsShown = 35
)

// trial spreads a rumor from one node, until all know it.
func trial(t *lab.Trial, p parameters) error {
	mode, ok := modes[p.Mode]
	if !ok {
		return fmt.Errorf("mode %q is none", p.Mode)
	}
	s := t.Simulation(lab.Lockstep)
	s.Add(p.Nodes)
	nodes := make([]rumor.Site, p.Nodes)
	all := &rumor.Config{Mode: mode, Peers: lab.Addresses(p.Nodes)}
	for i := range nodes {
		nodes[i] = rumor.Site{Config: all, Self: i}
		if p.Neighbours > 0 {
			nodes[i] = rumor.Site{Config: &rumor.Config{Mode: mode, Peers: neighbours(t, p, i)}}
		}
		s.Start(sim.NodeID(i), &nodes[i])
	}
	s.Send(0, &rumor.Start{})
	informed, rounds := 1, 0
	t.Point("informed", 0, 1/float64(p.Nodes))
	for ; informed < p.Nodes; rounds++ {
		if rounds == roundsMax {
			return fmt.Errorf("%d nodes know the rumor after %d rounds", informed, rounds)
		}
		if err := s.Run(t.Context, time.Duration(rounds+1)*lab.Cycle-1); err != nil {
			return err
		}
		informed = 0
		for i := range nodes {
			if nodes[i].Heard {
				informed++
			}
		}
		t.Point("informed", float64(rounds+1), float64(informed)/float64(p.Nodes))
	}
	for r := rounds + 1; r <= roundsShown; r++ {
		t.Point("informed", float64(r), 1) // so that the mean is over all trials
	}
	report(t, nodes, rounds)
	return nil
}

// neighbours returns a node and those that it calls.
func neighbours(t *lab.Trial, p parameters, node int) []actors.Address {
	all := lab.Addresses(p.Nodes)
	calls := []actors.Address{all[node], all[(node+1)%p.Nodes], all[(node+p.Nodes-1)%p.Nodes]}
	for _, step := range t.Rand(fmt.Sprint("neighbours ", node)).Perm(p.Nodes - 3)[:p.Neighbours-2] {
		calls = append(calls, all[(node+2+step)%p.Nodes])
	}
	return calls
}

func report(t *lab.Trial, nodes []rumor.Site, rounds int) {
	var sent uint64
	for i := range nodes {
		sent += nodes[i].Sent
	}
	n := float64(len(nodes))
	t.Measure("T", float64(rounds))
	t.Measure("T − log2 n − ln n", float64(rounds)-math.Log2(n)-math.Log(n))
	t.Measure("sent per node", float64(sent)/n)
	t.Measure("sent per node − ln n", float64(sent)/n-math.Log(n))
}

func plots(r *lab.Results) []lab.Plot {
	size := lab.ByName("n=%g")
	theorem := lab.Line{Name: "log2 n + ln n + 1.17", Dashed: true}
	for n := 10.0; n <= 10000; n *= math.Sqrt2 {
		theorem.Points = append(theorem.Points, lab.XY{X: n, Y: math.Log2(n) + math.Log(n) + 1.17})
	}
	informed := lab.Plot{Name: "informed", Title: "Nodes that know the rumor", X: "rounds", Y: "share of the nodes", LogY: true}
	for _, name := range []string{"n=100", "n=1000", "n=10000"} {
		informed.Lines = append(informed.Lines, r.Find(name).Line("informed", name))
	}
	return []lab.Plot{
		informed,
		{Name: "rounds", Title: "Rounds until all know it", X: "nodes n", Y: "rounds T", LogX: true,
			Lines: append(r.Across("T", "push", size), theorem)},
	}
}
