package overlays_test

import (
	"slices"
	"testing"
	"time"

	"peernet/actors"
	"peernet/experiments/lab"
	"peernet/experiments/overlays"
	"peernet/experiments/protocols/cyclon"
	"peernet/experiments/protocols/flood"
	"peernet/experiments/protocols/gossip"
	"peernet/experiments/protocols/mesh"
	"peernet/sim"
	"peernet/sim/overlay"
)

func simulation(t *testing.T, seed uint64) (*lab.Trial, *sim.Simulation) {
	trial := &lab.Trial{Context: t.Context(), Seed: seed, Workers: 1}
	c := lab.Lockstep
	c.Round = 0
	return trial, trial.Simulation(c)
}

// linked is the graph of the links of a simulation.
func linked(t *testing.T, s *sim.Simulation) *overlay.Graph {
	t.Helper()
	return overlay.New(s.Nodes(), func(yield func(uint32, uint32) bool) {
		for i := range s.Nodes() {
			more := true
			s.Links(sim.NodeID(i), func(l sim.LinkEnd) { more = more && yield(uint32(i), uint32(l.Peer)) })
			if !more {
				return
			}
		}
	})
}

// Each node of a regular overlay has so many different neighbours, and the App knows them.
func TestRegular(t *testing.T) {
	for _, test := range []struct{ nodes, degree int }{{2, 1}, {6, 2}, {10, 3}, {30, 8}, {101, 4}} {
		for seed := range uint64(5) {
			trial, s := simulation(t, seed)
			nodes := overlays.Regular(trial, s, test.nodes, test.degree, func(int) mesh.App { return &flood.Node{} })
			if err := s.Run(t.Context(), time.Second); err != nil {
				t.Fatal(err)
			}
			g := linked(t, s)
			for i := range nodes {
				if n := g.Degree(uint32(i)); n != test.degree || len(nodes[i].Peers) != test.degree {
					t.Errorf("%v: node %d has %d neighbours over %d links", test, i, n, len(nodes[i].Peers))
				}
			}
		}
	}
}

// Each pair of nodes is linked as often as any other.
func TestRegularIsUniform(t *testing.T) {
	const nodes, degree, runs = 8, 3, 700
	var have [nodes][nodes]int
	for seed := range uint64(runs) {
		trial, s := simulation(t, seed)
		overlays.Regular(trial, s, nodes, degree, func(int) mesh.App { return &flood.Node{} })
		g := linked(t, s)
		for i := range have {
			for _, k := range g.Neighbours(uint32(i)) {
				have[i][k]++
			}
		}
	}
	for i := range nodes {
		for k := range nodes {
			if n := have[i][k]; i != k && (n < 300-65 || n > 300+65) || i == k && n > 0 { // the standard deviation is 13
				t.Fatalf("who is linked with whom is %v", have)
			}
		}
	}
}

func TestComplete(t *testing.T) {
	_, s := simulation(t, 1)
	apps := make([]flood.Node, 9)
	overlays.Complete(s, 9, func(i int) mesh.App { return &apps[i] })
	if g := linked(t, s); g.Edges() != 36 {
		t.Errorf("%d links", g.Edges())
	}
	s.Send(4, &gossip.Rumor{})
	if err := s.Run(t.Context(), time.Second); err != nil {
		t.Fatal(err)
	}
	for i := range apps {
		if want := uint16(2); i != 4 && apps[i].Hops[0] != want || s.Totals().Sent != 2*36-8 {
			t.Errorf("node %d heard it after %d hops; %d messages", i, apps[i].Hops[0]-1, s.Totals().Sent)
		}
	}
}

// Overlays that protocols make are in one piece, and their nodes had the cycles.
func TestProtocols(t *testing.T) {
	const count, cycles = 60, 5
	trial, s := simulation(t, 1)
	nodes, err := overlays.HyParView(trial, s, count, cycles, func(int) mesh.App { return nil })
	if err != nil {
		t.Fatal(err)
	}
	views := overlays.ActiveViews(nodes)
	g, links := overlay.New(count, lab.Edges(count, views)), linked(t, s)
	for i := range nodes {
		if nodes[i].Cycles != cycles || !slices.Equal(g.Neighbours(uint32(i)), links.Neighbours(uint32(i))) || len(views(i)) > overlays.HyParViewConfig.Active {
			t.Errorf("node %d had %d cycles, and has %v", i, nodes[i].Cycles, nodes[i].Active)
		}
	}
	if g.LargestComponent() != count {
		t.Errorf("HyParView: the largest component has %d nodes", g.LargestComponent())
	}

	trial, s = simulation(t, 1)
	members, err := overlays.Cyclon(trial, s, overlays.CyclonConfig, count, cycles, func(_ int, m *cyclon.Node) actors.Actor { return m })
	if err != nil {
		t.Fatal(err)
	}
	g = overlay.New(count, lab.Edges(count, overlays.CyclonViews(members)))
	for i := range members {
		if members[i].Cycles != cycles || len(overlays.CyclonViews(members)(i)) != len(members[i].View) {
			t.Errorf("node %d had %d cycles", i, members[i].Cycles)
		}
	}
	if g.LargestComponent() != count {
		t.Errorf("Cyclon: the largest component has %d nodes", g.LargestComponent())
	}
}
