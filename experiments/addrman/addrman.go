// Package addrman runs the numbers of Heilman et al. (2015) on eclipse attacks on Bitcoin
// again: how much of a node's table of tried addresses an attacker gets, and how likely it
// then gets all outgoing connections. Its README has the question and what came out.
package addrman

import (
	"embed"
	"time"

	"peernet/actors"
	"peernet/experiments/lab"
	"peernet/experiments/protocols/addrman"
	"peernet/sim"
	"peernet/sim/dist"
)

//go:embed README.md expected.json
var files embed.FS

// Experiment is the experiment.
var Experiment = lab.New("addrman", files, trial)

func init() { Experiment.Plots = plots }

type parameters struct {
	Closed bool `json:"closed"` // no run: the closed forms
	// The attacker has so many groups of so many addresses, or bots, each of which is
	// a group of its own, as honest nodes are then.
	Groups    int `json:"groups"`
	Addresses int `json:"addresses"`
	Bots      int `json:"bots"`
	Honest    int `json:"honest"`
	// Minutes from the connection of the honest nodes, and of the attacker, to the
	// restart; 0 is that they connect in a random order.
	HonestAge int `json:"honest_age"`
	AttackAge int `json:"attack_age"`
	// Of the victim: see addrman.Config.
	Buckets  int  `json:"buckets"`
	PerGroup int  `json:"per_group"`
	Fixed    bool `json:"fixed"`
	Uniform  bool `json:"uniform"`
	Outgoing int  `json:"outgoing"`
}

func (p parameters) config() *addrman.Config {
	c := addrman.Before()
	c.NewBuckets, c.GroupBits = 0, 32 // the analysis is of tried alone
	c.Fixed, c.Uniform = p.Fixed, p.Uniform
	if p.Groups > 0 {
		c.GroupBits = 24 // simulated addresses all begin with the same 8 bits
	}
	if p.Buckets > 0 {
		c.TriedBuckets = p.Buckets
	}
	if p.PerGroup > 0 {
		c.TriedPerGroup = p.PerGroup
	}
	if p.Outgoing > 0 {
		c.Outgoing = p.Outgoing
	}
	return &c
}

// network has messages take a second, which is what timestamps are in.
var network = sim.Config{Latency: sim.Latency{Message: dist.Constant(time.Second)}}

// trial fills the table of one victim, by connections of honest nodes and of the attacker,
// and has it restart.
func trial(t *lab.Trial, p parameters) error {
	if p.Closed {
		closedForms(t)
		return nil
	}
	bots := p.Bots + p.Groups*p.Addresses
	s := t.Simulation(network)
	victim := s.Add(bots+p.Honest+1) + sim.NodeID(bots+p.Honest)
	node, others := &addrman.Node{Config: p.config()}, &addrman.Peer{}
	s.Start(victim, node)
	hostile := make([]bool, victim)
	for id := range hostile {
		hostile[id] = id < bots
		s.Start(sim.NodeID(id), others)
	}
	connect := func(who bool) {
		for id, h := range hostile {
			if h == who {
				s.Send(sim.NodeID(id), &addrman.Dial{To: sim.AddressOf(victim)})
			}
		}
	}
	restart := time.Duration(p.HonestAge) * time.Minute
	if restart == 0 {
		mix := t.Rand("order")
		mix.Shuffle(len(hostile), func(i, j int) { hostile[i], hostile[j] = hostile[j], hostile[i] })
		restart = time.Minute
	}
	s.At(0, func() {
		connect(false)
		if p.HonestAge == 0 {
			connect(true)
		}
	})
	if p.HonestAge > 0 {
		s.At(restart-time.Duration(p.AttackAge)*time.Minute, func() { connect(true) })
	}
	if err := s.Run(t.Context, restart); err != nil {
		return err
	}
	isHostile := func(a actors.Address) bool {
		id, ok := sim.NodeOf(a)
		return ok && int(id) < len(hostile) && hostile[id]
	}
	reportTried(t, node, isHostile)
	if p.Honest == 0 {
		return nil
	}
	s.Send(victim, &addrman.Start{})
	for len(node.Outgoing) < node.Config.Outgoing {
		if err := s.Run(t.Context, s.Now()+time.Second); err != nil {
			return err
		}
	}
	reportOutgoing(t, node, isHostile)
	return nil
}
