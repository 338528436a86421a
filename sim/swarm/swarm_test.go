package swarm

import (
	"context"
	"flag"
	"fmt"
	"testing"
)

var (
	seeds = flag.Int("swarm-seeds", 24, "how many seeds to run")
	first = flag.Bool("swarm-first", false, "stop at the first seed that fails")
)

// Whole scenarios, drawn from seeds, hold all invariants and heal.
func TestSwarm(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var list []uint64
	for seed := range *seeds {
		list = append(list, uint64(seed+1))
	}
	failed, _ := RunAll(ctx, list, func(_, failures int) {
		if *first && failures > 0 {
			cancel()
		}
	})
	for _, f := range failed {
		t.Errorf("%v; rerun: go run ./cmd/peernet sim swarm --seeds %d", f, f.Seed)
	}
}

// A seed always draws the same scenario, and seeds draw different ones.
func TestDrawDependsOnTheSeedAlone(t *testing.T) {
	known := map[string]bool{}
	for seed := range uint64(50) {
		text := string(Draw(seed).YAML())
		if again := string(Draw(seed).YAML()); again != text {
			t.Errorf("seed %d draws two scenarios", seed)
		}
		known[text] = true
		s := Draw(seed)
		if err := s.Resolve(); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
	if len(known) != 50 {
		t.Error(fmt.Sprint(len(known), " scenarios of 50 seeds"))
	}
}
