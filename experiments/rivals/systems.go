package rivals

import (
	"fmt"
	"strconv"
	"time"

	"peernet/actors"
	"peernet/actors/peer"
	"peernet/experiments/lab"
	"peernet/experiments/overlays"
	"peernet/experiments/protocols/cyclon"
	"peernet/experiments/protocols/gossip"
	"peernet/experiments/protocols/hyparview"
	"peernet/experiments/protocols/plumtree"
	"peernet/sim"
	"peernet/sim/scenario"
)

// announceType is the type of peernet's announces.
const announceType = "rivals"

// start has the nodes of a system come, and returns how to send a message.
func start(t *lab.Trial, s *sim.Simulation, p parameters) (send func(from sim.NodeID, number int), err error) {
	contacts := contacts(t, p.Nodes)
	var root func(i int) actors.Actor
	var begin actors.Message // for membership cycles, once all have come
	switch p.System {
	case "peernet":
		root, send = peernet(s, p, contacts)
	case "cyclon":
		nodes, members := make([]gossip.Node, p.Nodes), make([]cyclon.Node, p.Nodes)
		for i := range nodes {
			members[i] = cyclon.Node{Config: overlays.CyclonConfig, Self: sim.AddressOf(sim.NodeID(i)), Contact: contacts[i]}
			nodes[i] = gossip.Node{Fanout: p.Fanout, Sampler: &members[i], Membership: &members[i]}
		}
		root, begin = func(i int) actors.Actor { return &nodes[i] }, &cyclon.Begin{Cycles: 1 << 20}
		send = func(from sim.NodeID, number int) { s.Send(from, &gossip.Rumor{Number: uint32(number)}) }
	case "plumtree":
		apps, nodes := make([]plumtree.Node, p.Nodes), make([]hyparview.Node, p.Nodes)
		// An IHave is overdue when the tree, some ten links of 50 ms deep, has had its time.
		config := &plumtree.Config{Missing: time.Second, Again: 500 * time.Millisecond}
		for i := range nodes {
			apps[i].Config = config
			nodes[i] = hyparview.Node{Config: overlays.HyParViewConfig, Self: sim.AddressOf(sim.NodeID(i)), Contact: contacts[i], App: &apps[i]}
		}
		root, begin = func(i int) actors.Actor { return &nodes[i] }, &hyparview.Begin{Cycles: 1 << 20}
		send = func(from sim.NodeID, number int) { s.Send(from, &plumtree.Payload{Number: uint32(number)}) }
	default:
		return nil, fmt.Errorf("system %q is none", p.System)
	}
	times := make([]time.Duration, p.Nodes)
	for i := range times {
		times[i] = arrivals * time.Duration(i) / time.Duration(p.Nodes)
	}
	s.StartAt(0, times, func(id sim.NodeID) actors.Actor { return root(int(id)) })
	if begin != nil {
		for i := range p.Nodes {
			s.SendAt(sim.NodeID(i), arrivals, begin)
		}
	}
	return send, nil
}

// contacts draws for each node one that comes a second before it or more, or the first.
func contacts(t *lab.Trial, nodes int) []actors.Address {
	r := t.Rand("contacts")
	all := make([]actors.Address, nodes)
	second := int(int64(nodes) * int64(time.Second) / int64(arrivals))
	for i := 1; i < nodes; i++ {
		all[i] = sim.AddressOf(sim.NodeID(r.IntN(max(1, i-second))))
	}
	return all
}

// peernet has the nodes of this project's own protocol, as scenarios have them by default:
// with address books of 64.
func peernet(s *sim.Simulation, p parameters, contacts []actors.Address) (func(int) actors.Actor, func(sim.NodeID, int)) {
	defaults := scenario.Default()
	config := defaults.PeerConfig()
	if config.Fanout = p.Fanout; p.Fanout == 0 {
		config.Fanout = peer.FanoutAll
	}
	root := func(i int) actors.Actor {
		n := &peer.Node{Config: config, Advertise: []actors.Address{sim.AddressOf(sim.NodeID(i))}}
		if !contacts[i].IsZero() {
			n.Bootstrap = []actors.Address{contacts[i]}
		}
		return n
	}
	send := func(from sim.NodeID, number int) {
		s.Send(from, &peer.Announce{Type: announceType, Data: strconv.Itoa(number)})
	}
	return root, send
}
