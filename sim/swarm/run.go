package swarm

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"peernet/sim/result"
	"peernet/sim/scenario"
)

// A Failure is a run that did not do what it must.
type Failure struct {
	Seed   uint64
	Checks []result.Check // that failed
	Err    error          // a panic, or a difference between two runs
}

// Error implements error.
func (f *Failure) Error() string {
	if f.Err != nil {
		return fmt.Sprintf("seed %d: %v", f.Seed, f.Err)
	}
	c := f.Checks[0]
	where := ""
	if c.Node != nil {
		where += fmt.Sprintf(" at node %d", *c.Node)
	}
	if c.AtS != nil {
		where += fmt.Sprintf(" at %.3f s", *c.AtS)
	}
	return fmt.Sprintf("seed %d: %s%s: %s", f.Seed, c.Name, where, c.Detail)
}

// crossChecked is how many seeds are run once for each that is run on other executors
// too.
const crossChecked = 16

// Run runs the scenario of a seed. The error is a *Failure, or of ctx. Every sixteenth
// seed is run again by several workers, and by the reference executor: the trace must
// be the same.
func Run(ctx context.Context, seed uint64) error {
	s := Draw(seed)
	if err := s.Resolve(); err != nil {
		return &Failure{Seed: seed, Err: err}
	}
	sum, err := scenario.Run(ctx, s, scenario.Options{Workers: 1})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return &Failure{Seed: seed, Err: err}
	}
	if failed := sum.Failed(); len(failed) > 0 {
		return &Failure{Seed: seed, Checks: failed}
	}
	if seed%crossChecked != 0 {
		return nil
	}
	for _, o := range []scenario.Options{{Workers: 3}, {Reference: true}} {
		again, err := scenario.Run(ctx, s, o)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return &Failure{Seed: seed, Err: err}
		case again.TraceHash != sum.TraceHash:
			return &Failure{Seed: seed, Err: fmt.Errorf("swarm: trace %s with one worker, %s with %d workers, reference executor: %v",
				sum.TraceHash, again.TraceHash, max(o.Workers, 1), o.Reference)}
		}
	}
	return nil
}

// RunAll runs the scenarios of seeds, as many at a time as there are processors, and
// returns those that failed, in the order of seeds. progress is called after each, one
// call at a time. The error is of ctx.
func RunAll(ctx context.Context, seeds []uint64, progress func(done, failed int)) ([]*Failure, error) {
	var (
		mu           sync.Mutex
		wg           sync.WaitGroup
		next         int
		done, failed int
	)
	all := make([]*Failure, len(seeds))
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for {
				mu.Lock()
				i := next
				next++
				mu.Unlock()
				if i >= len(seeds) || ctx.Err() != nil {
					return
				}
				err := Run(ctx, seeds[i])
				mu.Lock()
				if f, ok := err.(*Failure); ok {
					all[i] = f
					failed++
				}
				done++
				progress(done, failed)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	list := make([]*Failure, 0, failed)
	for _, f := range all {
		if f != nil {
			list = append(list, f)
		}
	}
	return list, ctx.Err()
}
