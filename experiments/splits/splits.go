// Package splits asks what the simulation of the original suffered from: does the network
// fall apart? See its README.
package splits

import (
	"embed"
	"time"

	"peernet/actors"
	"peernet/actors/peer"
	"peernet/experiments/lab"
	"peernet/sim"
	"peernet/sim/overlay"
	"peernet/sim/scenario"
)

//go:embed README.md expected.json
var files embed.FS

// Experiment is the experiment.
var Experiment = lab.New("splits", files, trial)

func init() { Experiment.Plots = plots }

type parameters struct {
	Nodes int `json:"nodes"`
	// Alone are nodes that know no address at the start, per cent: they are parts of their
	// own until somebody dials them, which nobody does.
	Alone int `json:"alone"`
	// Cut has the partition come before the churn, and stay.
	Cut bool `json:"cut"`
}

// The course of a run.
const (
	arrivals  = 30 * time.Second  // nodes come, knowing the first alone
	formed    = 120 * time.Second // the network is looked at
	churn     = 60 * time.Second  // then half of the nodes, drawn at random, are replaced
	settled   = 60 * time.Second  // it is looked at again so long after
	partition = 10 * time.Minute  // then it is cut into halves
	healed    = 120 * time.Second // and looked at so long after they are joined
)

// trial has a network form from one address, replaces half of its nodes, cuts it in two,
// and heals it.
func trial(t *lab.Trial, p parameters) error {
	s := t.Simulation(sim.Config{Latency: sim.Latency{Link: lab.Internet}})
	all := p.Nodes + p.Nodes/2 // with those that come in the churn
	s.Add(all)
	defaults := scenario.Default()
	config := defaults.PeerConfig()
	r := t.Rand("alone")
	alone := make([]bool, all)
	for _, i := range r.Perm(p.Nodes)[:p.Nodes*p.Alone/100] {
		alone[i] = true
	}
	grow := func(id sim.NodeID) actors.Actor {
		n := &peer.Node{Config: config, Advertise: []actors.Address{sim.AddressOf(id)}}
		if id != 0 && !alone[id] {
			n.Bootstrap = []actors.Address{sim.AddressOf(0)}
		}
		return n
	}
	arrive := make([]time.Duration, p.Nodes)
	for i := range arrive {
		arrive[i] = arrivals * time.Duration(i) / time.Duration(p.Nodes)
	}
	s.StartAt(0, arrive, grow)
	halves := make([]uint8, all)
	for _, i := range t.Rand("halves").Perm(all)[:all/2] {
		halves[i] = 1
	}
	look := func(at time.Duration, name string) error {
		if err := s.Run(t.Context, at); err != nil {
			return err
		}
		parts := components(s, all)
		t.Happened("one component "+name, len(parts) == 1)
		t.Measure("components "+name, float64(len(parts)))
		t.Measure("largest "+name, float64(parts[0])/float64(s.Live()))
		return nil
	}
	if err := look(formed, "after bootstrap"); err != nil {
		return err
	}
	if p.Cut {
		s.Partition(halves)
	}
	replace(t, s, p.Nodes, grow)
	if err := look(formed+churn+settled, "after churn"); err != nil {
		return err
	}
	s.Partition(halves)
	if err := s.Run(t.Context, s.Now()+partition); err != nil {
		return err
	}
	t.Measure("components when cut", float64(len(components(s, all))))
	t.Measure("cut links that are left", float64(cut(s, all)))
	if !p.Cut {
		s.Partition(nil)
	}
	return look(s.Now()+healed, "after the partition")
}

// replace crashes half of the nodes without a word, but the first, over the time of the
// churn, for good. For each a new one comes a second later, with an address of its own.
func replace(t *lab.Trial, s *sim.Simulation, nodes int, grow func(sim.NodeID) actors.Actor) {
	r := t.Rand("churn")
	for k, i := range r.Perm(nodes - 1)[:nodes/2] {
		at := formed + time.Duration(r.Int64N(int64(churn)))
		s.CrashAt(sim.NodeID(i+1), at, false)
		s.StartAt(sim.NodeID(nodes+k), []time.Duration{at + time.Second}, grow)
	}
}

// cut returns how many ends of links are kept that carry nothing, as the network is cut.
func cut(s *sim.Simulation, nodes int) (ends int) {
	for i := range nodes {
		s.Links(sim.NodeID(i), func(e sim.LinkEnd) {
			if e.Cut {
				ends++
			}
		})
	}
	return ends
}

// components returns how many nodes each component has, the largest first: of the live
// nodes, by the links that a message passes.
func components(s *sim.Simulation, nodes int) []int {
	index := make([]int32, nodes)
	live := int32(0)
	for i := range nodes {
		index[i] = -1
		if s.IsLive(sim.NodeID(i)) {
			index[i] = live
			live++
		}
	}
	edges := func(yield func(uint32, uint32) bool) {
		for i := range nodes {
			more := true
			s.Links(sim.NodeID(i), func(e sim.LinkEnd) {
				if more && !e.Cut && !e.PeerOwner.IsZero() && index[i] >= 0 && index[e.Peer] >= 0 {
					more = yield(uint32(index[i]), uint32(index[e.Peer]))
				}
			})
			if !more {
				return
			}
		}
	}
	return overlay.New(int(live), edges).Components()
}

func plots(r *lab.Results) []lab.Plot {
	nodes := lab.ByName("%g nodes")
	p := lab.Plot{Name: "components", Title: "Is it one component?", X: "nodes", Y: "share of the runs", LogX: true}
	for _, when := range []string{"after bootstrap", "after churn", "after the partition"} {
		p.Lines = append(p.Lines, r.Across("one component "+when, when, nodes)[0])
	}
	return []lab.Plot{p}
}
