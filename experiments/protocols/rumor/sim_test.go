package rumor_test

import (
	"slices"
	"testing"
	"time"

	"peernet/experiments/lab"
	"peernet/experiments/protocols/rumor"
	"peernet/sim"
)

// spread has node 0 of some hear the update, and returns the sites after some cycles.
func spread(t *testing.T, c rumor.Config, encoded bool, seed uint64, nodes, cycles int) ([]rumor.Site, *sim.Simulation) {
	t.Helper()
	config := lab.Lockstep
	config.Seed, config.Encoded = seed, encoded
	s, err := sim.New(config)
	if err != nil {
		t.Fatal(err)
	}
	c.Peers = lab.Addresses(nodes)
	s.Add(nodes)
	sites := make([]rumor.Site, nodes)
	for i := range sites {
		sites[i] = rumor.Site{Config: &c, Self: i}
		s.Start(sim.NodeID(i), &sites[i])
	}
	s.Send(0, &rumor.Start{})
	if err := s.Run(t.Context(), time.Duration(cycles)*lab.Cycle-1); err != nil {
		t.Fatal(err)
	}
	return sites, s
}

// Two sites have no choice of partners, so that all can be counted.
func TestTwoSites(t *testing.T) {
	for _, test := range []struct {
		name      string
		config    rumor.Config
		cycles    int
		infective [2]bool
		updates   [2]uint64
		messages  uint64 // all that were sent
	}{
		{"push", rumor.Config{K: 1}, 1, [2]bool{true, true}, [2]uint64{1, 0}, 2},
		{"push", rumor.Config{K: 1}, 2, [2]bool{true, true}, [2]uint64{2, 1}, 6},
		{"push", rumor.Config{K: 1}, 3, [2]bool{}, [2]uint64{2, 1}, 6},
		{"push, k = 2", rumor.Config{K: 2}, 4, [2]bool{}, [2]uint64{3, 2}, 10},
		{"push, blind", rumor.Config{K: 1, Blind: true}, 2, [2]bool{false, true}, [2]uint64{1, 1}, 4},
		{"pull", rumor.Config{Mode: rumor.Pull, K: 1}, 1, [2]bool{true, true}, [2]uint64{1, 0}, 4},
		{"pull", rumor.Config{Mode: rumor.Pull, K: 1}, 2, [2]bool{true, true}, [2]uint64{2, 1}, 10},
		{"pull", rumor.Config{Mode: rumor.Pull, K: 1}, 3, [2]bool{}, [2]uint64{2, 1}, 12},
		// Site 1 polls, and is told by push and by answer in the same cycle.
		{"push-pull", rumor.Config{Mode: rumor.PushPull, K: 1}, 1, [2]bool{true, true}, [2]uint64{2, 0}, 5},
		{"push-pull", rumor.Config{Mode: rumor.PushPull, K: 1}, 2, [2]bool{true, true}, [2]uint64{4, 2}, 13},
		{"push-pull", rumor.Config{Mode: rumor.PushPull, K: 1}, 3, [2]bool{}, [2]uint64{4, 2}, 15},
	} {
		sites, s := spread(t, test.config, false, 1, 2, test.cycles)
		for i := range sites {
			if sites[i].Infective != test.infective[i] || sites[i].Sent != test.updates[i] || !sites[i].Heard || sites[i].HeardAt != uint64(i) {
				t.Errorf("%s, %d cycles: site %d is %+v", test.name, test.cycles, i, sites[i])
			}
		}
		if n := s.Totals().Sent; n != test.messages {
			t.Errorf("%s, %d cycles: %d messages, want %d", test.name, test.cycles, n, test.messages)
		}
	}
}

// Without loss of interest all hear the update; by push the number of those who heard it
// at most doubles in a cycle.
func TestManySites(t *testing.T) {
	sites, _ := spread(t, rumor.Config{K: 1000}, false, 3, 300, 40)
	heard := make([]int, 41)
	for i := range sites {
		if !sites[i].Heard || !sites[i].Infective {
			t.Fatalf("site %d is %+v", i, sites[i])
		}
		for at := sites[i].HeardAt; at <= 40; at++ {
			heard[at]++
		}
		if want := 40 - sites[i].HeardAt; sites[i].Sent != want {
			t.Errorf("site %d heard it at %d, and sent %d updates", i, sites[i].HeardAt, sites[i].Sent)
		}
	}
	for at := 1; at <= 40; at++ {
		if heard[at] > 2*heard[at-1] {
			t.Errorf("%v heard it, by cycle", heard)
		}
	}
}

// The same seed is the same run, as bytes or as messages; another seed is another run.
func TestRuns(t *testing.T) {
	for _, mode := range []rumor.Mode{rumor.Push, rumor.Pull, rumor.PushPull} {
		run := func(encoded bool, seed uint64) ([]uint64, uint64) {
			sites, s := spread(t, rumor.Config{Mode: mode, K: 2, Coin: true}, encoded, seed, 50, 12)
			var at []uint64
			for i := range sites {
				at = append(at, sites[i].HeardAt)
			}
			return at, s.TraceHash()
		}
		at, hash := run(false, 1)
		if again, h := run(true, 1); h != hash || !slices.Equal(at, again) {
			t.Errorf("mode %d: as bytes the run is another", mode)
		}
		if _, h := run(false, 2); h == hash {
			t.Errorf("mode %d: another seed is the same run", mode)
		}
	}
}
