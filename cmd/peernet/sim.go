package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"peernet/experiments"
	"peernet/sim/scenario"
)

// simFlags are the options of peernet sim.
type simFlags struct {
	nodes    string // these three as they would stand in a file
	seed     string
	duration string
	workers  int
	out      string
	json     bool
	set      []string
}

func simCommand() *cobra.Command {
	var f simFlags
	c := &cobra.Command{
		Use:   "sim [scenario.yaml]",
		Short: "Simulate a network",
		Long: `Simulate a network of nodes that run the real protocol in virtual time.

Without a file it runs the built-in quickstart: 10,000 nodes, 60 s of virtual
time. The result depends on the scenario and the seed alone, never on the
number of workers: the same run has the same trace hash everywhere.

Built-in scenarios can be named without a file: ` + strings.Join(experiments.Names(), ", ") + `.
Every key is explained in sim/scenario/reference.yaml.`,
		Example: `  peernet sim
  peernet sim flood --nodes 100000 --workers 2
  peernet sim my.yaml --seed 7 --set latency.min=5ms --out results`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runSim(cmd, args, &f) },
	}
	flags := c.Flags()
	flags.StringVar(&f.nodes, "nodes", "", "`number` of nodes")
	flags.StringVar(&f.seed, "seed", "", "seed of all randomness, a `number`")
	flags.StringVar(&f.duration, "duration", "", "virtual `time` to simulate, such as 60s")
	flags.IntVar(&f.workers, "workers", runtime.GOMAXPROCS(0), "goroutines that run nodes; no influence on the result")
	flags.StringVar(&f.out, "out", "", "`directory` to write manifest.json and summary.json to")
	flags.BoolVar(&f.json, "json", false, "print the summary as JSON, and nothing else")
	flags.StringArrayVar(&f.set, "set", nil, "override a key of the scenario, as `key=value`; repeatable")
	return c
}

func runSim(cmd *cobra.Command, args []string, f *simFlags) error {
	s, err := loadScenario(cmd, args, f)
	if err != nil {
		return err
	}
	if f.workers < 1 || f.workers > 1024 {
		return fmt.Errorf("--workers: %d, must be from 1 to 1024", f.workers)
	}
	if f.out != "" {
		// Find out now, not after an hour, that it cannot be written.
		if err := checkWritable(f.out); err != nil {
			return fmt.Errorf("--out %s: %w", f.out, err)
		}
	}
	limitMemory()
	out, errOut := cmd.OutOrStdout(), cmd.ErrOrStderr()
	if !f.json {
		fmt.Fprintf(errOut, "%s: %d nodes, %v of virtual time, seed %d, %d workers\n", s.Name, s.Nodes, s.Duration, s.Seed, f.workers)
	}
	bar := newProgress(errOut, f.json)
	sum, err := scenario.Run(cmd.Context(), s, scenario.Options{Workers: f.workers, Progress: bar.update})
	bar.end(err == nil)
	if err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	if writeErr := writeResult(out, s, sum, args, f); writeErr != nil {
		return writeErr
	}
	return err
}

// checkWritable makes a directory and finds out whether results can be written
// to it.
func checkWritable(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	file, err := os.CreateTemp(dir, ".peernet-*")
	if err != nil {
		return err
	}
	return errors.Join(file.Close(), os.Remove(file.Name()))
}

// The files that --out writes.
const (
	manifestName = "manifest.json"
	summaryName  = "summary.json"
)

// loadScenario reads the file, or a built-in scenario, and applies the flags.
func loadScenario(cmd *cobra.Command, args []string, f *simFlags) (*scenario.Scenario, error) {
	name := "quickstart"
	if len(args) > 0 {
		name = args[0]
	}
	var s *scenario.Scenario
	var err error
	if text, ok := experiments.Get(name); ok {
		s, err = scenario.Parse(name+".yaml", text)
	} else {
		s, err = scenario.Load(name)
	}
	if builtin, _ := strings.CutSuffix(name, ".yaml"); errors.Is(err, os.ErrNotExist) && slices.Contains(experiments.Names(), builtin) {
		return nil, fmt.Errorf("no file %s; the built-in scenario is named %s", name, builtin)
	}
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("no scenario %q: neither a file nor one of the built-in %s", name, strings.Join(experiments.Names(), ", "))
	}
	if err != nil {
		return nil, err
	}
	for _, kv := range f.set {
		key, value, ok := strings.Cut(kv, "=")
		if key = strings.TrimSpace(key); !ok || key == "" {
			return nil, fmt.Errorf("--set %q: want key=value", kv)
		}
		if cmd.Flags().Lookup(key) != nil && cmd.Flags().Changed(key) {
			return nil, fmt.Errorf("--set %s: is set by --%s too", kv, key)
		}
		if err := s.Set("--set", key, value); err != nil {
			return nil, err
		}
	}
	for _, flag := range []struct{ name, value string }{
		{"nodes", f.nodes}, {"seed", f.seed}, {"duration", f.duration},
	} {
		if cmd.Flags().Changed(flag.name) {
			if err := s.Set("--"+flag.name, flag.name, flag.value); err != nil {
				return nil, err
			}
		}
	}
	return s, s.Resolve()
}

// A manifest says what gave a result.
type manifest struct {
	Version   string             `json:"version"`
	Commit    string             `json:"commit"`
	Go        string             `json:"go"`
	Arch      string             `json:"arch"`
	Seed      uint64             `json:"seed"`
	TraceHash string             `json:"trace_hash"`
	Partial   bool               `json:"partial"`
	Rerun     string             `json:"rerun"`
	Scenario  *scenario.Scenario `json:"scenario"`
}

func writeResult(out io.Writer, s *scenario.Scenario, sum *scenario.Summary, args []string, f *simFlags) error {
	rerun := rerunLine(s, args, f)
	if f.out != "" {
		m := manifest{version(), commit(), runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH,
			s.Seed, sum.TraceHash, sum.Partial, rerun, s}
		if err := writeJSON(filepath.Join(f.out, manifestName), m); err != nil {
			return err
		}
		if err := writeJSON(filepath.Join(f.out, summaryName), sum); err != nil {
			return err
		}
	}
	if f.json {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(sum)
	}
	if err := printSummary(out, s, sum); err != nil {
		return err
	}
	if f.out != "" {
		fmt.Fprintf(out, "\nwritten to %s and %s\n", filepath.Join(f.out, manifestName), summaryName)
	}
	if sum.Partial {
		fmt.Fprintf(out, "\ntrace hash %s, of what was done: no run gives it again\n", sum.TraceHash)
	} else {
		fmt.Fprintf(out, "\ntrace hash %s\n", sum.TraceHash)
	}
	fmt.Fprintf(out, "rerun      %s\n", rerun)
	return nil
}

// rerunLine is the command that gives the same trace hash again.
func rerunLine(s *scenario.Scenario, args []string, f *simFlags) string {
	line := []string{"peernet", "sim"}
	for _, a := range args {
		if strings.HasPrefix(a, "-") {
			a = "./" + a
		}
		line = append(line, quoted(a))
	}
	line = append(line, fmt.Sprintf("--nodes %d --seed %d --duration %v", s.Nodes, s.Seed, s.Duration))
	for _, kv := range f.set {
		switch key, _, _ := strings.Cut(kv, "="); key {
		case "nodes", "seed", "duration":
		default:
			line = append(line, "--set "+quoted(kv))
		}
	}
	return strings.Join(line, " ")
}

// quoted quotes an argument for a shell, if that needs it.
func quoted(s string) string {
	if strings.ContainsAny(s, " \t\n'\"\\$&;|<>()*?[]{}~#`!") {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}

func writeJSON(path string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	// Whole or not at all.
	if err := os.WriteFile(path+".new", append(text, '\n'), 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
