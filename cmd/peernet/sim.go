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
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"peernet/experiments"
	"peernet/sim/scenario"
)

// simFlags are the options of peernet sim.
type simFlags struct {
	nodes    int
	seed     uint64
	duration time.Duration
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
Every key is explained in experiments/reference.yaml.`,
		Example: `  peernet sim
  peernet sim flood --nodes 100000 --workers 2
  peernet sim my.yaml --seed 7 --set latency.min=5ms --out results`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runSim(cmd, args, &f) },
	}
	flags := c.Flags()
	flags.IntVar(&f.nodes, "nodes", 0, "number of nodes")
	flags.Uint64Var(&f.seed, "seed", 0, "seed of all randomness")
	flags.DurationVar(&f.duration, "duration", 0, "virtual time to simulate, such as 60s")
	flags.IntVar(&f.workers, "workers", runtime.GOMAXPROCS(0), "goroutines that run nodes; no influence on the result")
	flags.StringVar(&f.out, "out", "", "directory to write manifest.json and summary.json to")
	flags.BoolVar(&f.json, "json", false, "print the summary as JSON, and nothing else")
	flags.StringArrayVar(&f.set, "set", nil, "override a key of the scenario, as key=value; repeatable")
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
			return err
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
	for _, name := range []string{manifestName, summaryName} {
		file, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE, 0o644)
		if err != nil {
			return err
		}
		if err := file.Close(); err != nil {
			return err
		}
	}
	return nil
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
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("no scenario %q: neither a file nor one of the built-in %s", name, strings.Join(experiments.Names(), ", "))
	}
	if err != nil {
		return nil, err
	}
	sets := append([]string(nil), f.set...)
	for _, flag := range []struct{ name, value string }{
		{"nodes", strconv.Itoa(f.nodes)},
		{"seed", strconv.FormatUint(f.seed, 10)},
		{"duration", f.duration.String()},
	} {
		if cmd.Flags().Changed(flag.name) {
			sets = append(sets, flag.name+"="+flag.value)
		}
	}
	for _, kv := range sets {
		key, value, ok := strings.Cut(kv, "=")
		if !ok {
			return nil, fmt.Errorf("--set %s: want key=value", kv)
		}
		if err := s.Set(strings.TrimSpace(key), value); err != nil {
			return nil, err
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
	if err := printSummary(out, sum); err != nil {
		return err
	}
	if f.out != "" {
		fmt.Fprintf(out, "\nwritten to %s and %s\n", filepath.Join(f.out, manifestName), summaryName)
	}
	fmt.Fprintf(out, "\ntrace hash %s\nrerun      %s\n", sum.TraceHash, rerun)
	return nil
}

// rerunLine is the command that gives the same trace hash again.
func rerunLine(s *scenario.Scenario, args []string, f *simFlags) string {
	line := []string{"peernet", "sim"}
	for _, a := range args {
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
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
