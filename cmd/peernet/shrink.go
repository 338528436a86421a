package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"peernet/sim/scenario"
	"peernet/sim/swarm"
	"peernet/sim/sweep"
)

func shrinkCommand() *cobra.Command {
	var f scenarioFlags
	var out string
	var tries int
	c := &cobra.Command{
		Use:   "shrink [SCENARIO] --out FILE",
		Short: "Make a scenario that fails a check smaller",
		Long: `Look for a smaller scenario that fails the same check as this one: with fewer
nodes, shorter, with fewer faults and simpler models. Each change is tried by a run, and
kept if the check still fails. Ctrl-C ends it with the smallest found so far.`,
		Example: `  peernet sim shrink failing.yaml --seed 17 --out small.yaml
  peernet sim swarm --seeds 17 --write failing && peernet sim shrink failing/17.yaml --out small.yaml`,
		Args: argsFrom(0, 1, "one scenario at most", "peernet sim shrink failing.yaml --out small.yaml"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := f.load(cmd, args)
			switch {
			case err != nil:
				return err
			case out == "":
				return errors.New("--out: is missing; want a file for the smaller scenario")
			case tries < 1:
				return fmt.Errorf("--tries: %d, must be positive", tries)
			}
			if err := checkWritable(filepath.Dir(out)); err != nil {
				return fmt.Errorf("--out: %w", err)
			}
			limitMemory()
			errOut := cmd.ErrOrStderr()
			small, check, detail, err := scenario.Shrink(cmd.Context(), s, scenario.Options{Workers: f.workers}, tries, func(p scenario.Shrinking) {
				fmt.Fprintf(errOut, "%4d runs, %3d changes kept: %d nodes, %v; last: %s\n", p.Tried, p.Kept, p.Nodes, p.Duration, p.Step)
			})
			if errors.Is(err, scenario.ErrPasses) {
				return errors.New("the scenario passes all its checks: there is nothing to shrink")
			}
			if err != nil {
				return err
			}
			small.Name = s.Name
			if err := writeWhole(out, small.YAML()); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %d nodes, %v, was %d nodes, %v\nfails      %s: %s\nrerun      peernet sim %s\n",
				out, small.Nodes, small.Duration, s.Nodes, s.Duration, check, detail, quoted(out))
			return cmd.Context().Err()
		},
	}
	f.register(c)
	c.Flags().StringVar(&out, "out", "", "`file` for the smaller scenario")
	c.Flags().IntVar(&tries, "tries", 500, "end after so many runs")
	return c
}

func swarmCommand() *cobra.Command {
	var seeds, write string
	c := &cobra.Command{
		Use:   "swarm",
		Short: "Run random scenarios, with faults and adversaries, under all checks",
		Long: `Draw whole scenarios from seeds: sizes, latencies, machines, configuration, churn,
faults, adversaries. Each runs under all invariants; then everything heals, and the
network must become one component, and reach and answer. A few are run by other
executors too, which must give the same trace.

Exit code 2 if one fails; each failure is printed with the line that runs it again.`,
		Example: `  peernet sim swarm --seeds 1..200
  peernet sim swarm --seeds 17 --write failing`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, err := sweep.ParseSeeds(seeds)
			if err != nil {
				return fmt.Errorf("--seeds: %w", err)
			}
			return runSwarm(cmd, list, write)
		},
	}
	c.Flags().StringVar(&seeds, "seeds", "1..200", "`seeds` to draw scenarios from, such as 1..200 or 3,17")
	c.Flags().StringVar(&write, "write", "", "`directory` to write the scenarios to, as SEED.yaml, besides running them")
	return c
}

// runSwarm runs the scenarios of seeds, as many at a time as there are processors.
func runSwarm(cmd *cobra.Command, seeds []uint64, write string) error {
	if write != "" {
		if err := writeDrawn(write, seeds); err != nil {
			return err
		}
	}
	limitMemory()
	failed, err := swarm.RunAll(cmd.Context(), seeds, func(done, failures int) {
		if done%20 == 0 && done < len(seeds) {
			fmt.Fprintf(cmd.ErrOrStderr(), "%d of %d scenarios, %d failed\n", done, len(seeds), failures)
		}
	})
	out := cmd.OutOrStdout()
	for _, f := range failed {
		text, _, _ := strings.Cut(f.Error(), "\n") // of a panic, without the stack
		fmt.Fprintf(out, "%s\nrerun      peernet sim swarm --seeds %d\n", text, f.Seed)
	}
	if err != nil {
		return err
	}
	if len(failed) > 0 {
		return &swarmError{len(failed), len(seeds)}
	}
	fmt.Fprintf(out, "%d scenarios, all hold\n", len(seeds))
	return nil
}

// swarmError says that scenarios failed: the exit code is 2.
type swarmError struct{ failed, all int }

// Error implements error.
func (e *swarmError) Error() string { return fmt.Sprintf("%d of %d scenarios failed", e.failed, e.all) }

// writeDrawn writes the scenarios of seeds.
func writeDrawn(dir string, seeds []uint64) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, seed := range seeds {
		path := fmt.Sprintf("%s/%d.yaml", strings.TrimSuffix(dir, "/"), seed)
		if err := os.WriteFile(path, swarm.Draw(seed).YAML(), 0o644); err != nil {
			return err
		}
	}
	return nil
}
