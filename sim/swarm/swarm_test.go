package swarm

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"sync"
	"testing"
)

var (
	seeds = flag.Int("swarm-seeds", 24, "how many seeds to run")
	first = flag.Bool("swarm-first", false, "stop at the first seed that fails")
)

// Whole scenarios, drawn from seeds, hold all invariants and heal.
func TestSwarm(t *testing.T) {
	failures := runSeeds(t.Context(), 1, *seeds)
	for _, err := range failures {
		t.Errorf("%v; rerun: go run ./cmd/peernet sim swarm --seeds %d", err, err.(*Failure).Seed)
	}
}

// runSeeds runs seeds by two workers, and returns the failures in order of seeds.
func runSeeds(ctx context.Context, from, n int) (failures []error) {
	all := make([]error, n)
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for w := range 2 {
		wg.Go(func() {
			for i := w; i < n && ctx.Err() == nil; i += 2 {
				if all[i] = Run(ctx, uint64(from+i)); all[i] != nil && *first {
					cancel()
				}
			}
		})
	}
	wg.Wait()
	for _, err := range all {
		if err != nil && !errors.Is(err, context.Canceled) {
			failures = append(failures, err)
		}
	}
	return failures
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
