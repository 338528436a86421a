// Package lifeguard runs the extensions of SWIM by Lifeguard (Dadgar et al., 2017): the
// time-out of suspicions, the local health multiplier, and false positives where members
// are slow. Its README has the questions and what came out.
package lifeguard

import (
	"embed"
	"fmt"
	"time"

	"peernet/actors"
	"peernet/experiments/lab"
	"peernet/experiments/protocols/swim"
	"peernet/sim"
	"peernet/sim/dist"
)

//go:embed README.md expected.json
var files embed.FS

// Experiment is the experiment.
var Experiment = lab.New("lifeguard", files, trial)

func init() { Experiment.Plots = plots }

type parameters struct {
	Trial         string `json:"trial"` // one of those below
	Nodes         int    `json:"nodes"`
	Health        int    `json:"health"` // see swim.Config
	Confirmations int    `json:"confirmations"`
	Buddy         bool   `json:"buddy"`
	Confirmed     int    `json:"confirmed"` // suspicions besides the first
	Slow          int    `json:"slow"`      // members with spells in which messages take long
	Failed        int    `json:"failed"`    // of the nodes, from the start
}

var trials = map[string]func(*group) error{"timeout": (*group).timeout, "health": (*group).health, "slow": (*group).slow}

// A group is the members, in a simulation. Those that are slow have regions of their own,
// from 1 up; all others are in region 0.
type group struct {
	*sim.Simulation
	p       parameters
	t       *lab.Trial
	members []swim.Member
	last    actors.Time // when member 0 probed
}

func trial(t *lab.Trial, p parameters) error {
	run, ok := trials[p.Trial]
	if !ok {
		return fmt.Errorf("trial %q is none", p.Trial)
	}
	delay := make([][]time.Duration, p.Slow+1)
	for i := range delay {
		delay[i] = make([]time.Duration, p.Slow+1)
	}
	g := &group{p: p, t: t, members: make([]swim.Member, p.Nodes), Simulation: t.Simulation(sim.Config{
		Latency: sim.Latency{Message: dist.Constant(time.Millisecond)}, Network: &sim.Network{Delay: delay},
	})}
	// The periods and the factors of the paper.
	config := &swim.Config{
		Peers: lab.Addresses(p.Nodes), Clock: swim.Phased, Period: time.Second, Timeout: time.Second / 2, K: 3,
		RoundRobin: true, Keep: p.Trial == "health", Alpha: 5, Return: true, Updates: 6, Lambda: 3000,
		Health: p.Health, Nack: p.Health > 0, Confirmations: p.Confirmations, Beta: 6, Buddy: p.Buddy,
	}
	g.Add(p.Nodes)
	for i := range g.members {
		g.members[i] = swim.Member{Config: config, Self: i}
	}
	return run(g)
}

// start starts members.
func (g *group) start(from, to int) {
	for i := from; i < to; i++ {
		g.Start(sim.NodeID(i), &g.members[i])
	}
}

// timeout measures how long member 0, to which nobody answers, suspects another that so
// many others suspect too.
func (g *group) timeout() error {
	g.start(0, 1)
	m := &g.members[0]
	for len(m.Records) == 0 {
		if err := g.Run(g.t.Context, g.Now()+time.Second/10); err != nil {
			return err
		}
	}
	suspect := m.Records[0].Member
	for i := 0; i < g.p.Confirmed; i++ {
		by := 1 + (suspect+i)%(g.p.Nodes-1) // not the suspect itself, nor member 0
		u := swim.Update{State: swim.Suspected, Member: suspect, Accuser: by}
		g.Send(0, &actors.Datagram{From: m.Config.Peers[by], Payload: &swim.Ping{Updates: []swim.Update{u}}})
	}
	if err := g.Run(g.t.Context, g.Now()+100*time.Second); err != nil {
		return err
	}
	for _, d := range m.Detections {
		if d.Member == suspect {
			g.t.Measure("time-out", d.At.Sub(d.Since).Seconds())
		}
	}
	return nil
}

// health measures the period and the time-out of member 0, to which nobody answers, and
// its period once they do.
func (g *group) health() error {
	g.start(0, 1)
	const worse, better = 100 * time.Second, 250 * time.Second
	interval, timeout, err := g.probes(worse)
	if err != nil {
		return err
	}
	g.t.Measure("interval", interval.Seconds())
	g.t.Measure("time-out", timeout.Seconds())
	g.t.Measure("multiplier", float64(g.members[0].Health))
	g.start(1, g.p.Nodes)
	if interval, _, err = g.probes(better); err != nil {
		return err
	}
	g.t.Measure("interval, well again", interval.Seconds())
	return nil
}

// probes returns the time between the last two probes of member 0 before a time, and how
// long an ack was waited for.
func (g *group) probes(until time.Duration) (interval, timeout time.Duration, err error) {
	m := &g.members[0]
	for g.Now() < until {
		if err := g.Run(g.t.Context, g.Now()+time.Second/10); err != nil {
			return 0, 0, err
		}
		for _, p := range m.Probes {
			if p.At > g.last {
				if g.last > 0 {
					interval = p.At.Sub(g.last)
				}
				g.last = p.At
			}
			if p.Requested > 0 {
				timeout = p.Requested.Sub(p.At)
			}
		}
		if interval > 0 {
			g.t.Point("interval", g.Now().Round(time.Second).Seconds(), interval.Seconds())
		}
	}
	return interval, timeout, nil
}
