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

	"peernet/experiments/scenarios"
	"peernet/sim/result"
	"peernet/sim/scenario"
)

// scenarioFlags say which scenario is meant, and what of it is changed.
type scenarioFlags struct {
	nodes    string // these three as they would stand in a file
	seed     string
	duration string
	set      []string
	workers  int
}

// runFlags are the options of peernet sim run.
type runFlags struct {
	scenarioFlags
	out    string
	csv    bool
	tables bool
	json   bool

	kept *scenario.Scenario // as it stands in the directory
}

func simCommand() *cobra.Command {
	c := runCommand("sim [SCENARIO]")
	c.Short = "Simulate a network"
	c.AddCommand(
		runCommand("run [SCENARIO]"), sweepCommand(), compareCommand(), replayCommand(), shrinkCommand(),
		swarmCommand(), schemaCommand(), reportCommand(),
	)
	return c
}

// runCommand is peernet sim, and peernet sim run.
func runCommand(use string) *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   use,
		Short: "Run one scenario",
		Long: `Simulate a network of nodes that run the real protocol in virtual time.

Without a scenario it runs the built-in quickstart: 10,000 nodes, 60 s of virtual
time. The result depends on the scenario and the seed alone, never on the
number of workers: the same run has the same trace hash everywhere.

A scenario is a YAML file, the directory of an earlier run, or one that is built in:
` + strings.Join(scenarios.Names(), ", ") + `. Every key is explained in
sim/scenario/reference.yaml; peernet sim schema prints them for editors.

The exit code is 2 if a check of the scenario fails, and 130 after Ctrl-C.`,
		Example: `  peernet sim
  peernet sim flood --nodes 100000 --workers 2
  peernet sim my.yaml --seed 7 --set latency.min=5ms --out results`,
		Args: argsFrom(0, 1, "one scenario at most", "peernet sim my.yaml --seed 7"),
		RunE: func(cmd *cobra.Command, args []string) error { return runSim(cmd, args, &f) },
	}
	f.register(c)
	flags := c.Flags()
	flags.StringVar(&f.out, "out", "", "`directory` for the results: JSON, tables (Parquet) and report.html")
	flags.BoolVar(&f.csv, "csv", false, "with --out: write each table as CSV too")
	flags.BoolVar(&f.tables, "tables", true, "with --out: record time series, nodes and messages, and write the report")
	flags.BoolVar(&f.json, "json", false, "print the summary as JSON, and nothing else")
	return c
}

// register adds the flags of a scenario to a command.
func (f *scenarioFlags) register(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.nodes, "nodes", "", "`number` of nodes")
	flags.StringVar(&f.seed, "seed", "", "seed of all randomness, a `number`")
	flags.StringVar(&f.duration, "duration", "", "virtual `time` to simulate, such as 60s")
	flags.IntVar(&f.workers, "workers", runtime.GOMAXPROCS(0), "goroutines that run nodes; no influence on the result")
	flags.StringArrayVar(&f.set, "set", nil, "override a key of the scenario, as `key=value`, such as latency.min=5ms or faults[0].share=20%; repeatable")
}

func runSim(cmd *cobra.Command, args []string, f *runFlags) error {
	s, err := f.load(cmd, args)
	if err != nil {
		return err
	}
	if f.csv && (f.out == "" || !f.tables) {
		return errors.New("--csv: is for the tables that --out writes, with the directory, and without --tables=false")
	}
	if f.out != "" {
		// Find out now, not after an hour, that it cannot be written.
		if err := checkWritable(f.out); err != nil {
			return fmt.Errorf("--out %s: %w", f.out, err)
		}
		if f.kept, err = keepInput(s, f.out); err != nil {
			return err
		}
	}
	limitMemory()
	errOut := cmd.ErrOrStderr()
	if !f.json {
		fmt.Fprintf(errOut, "%s: %d nodes, %v of virtual time, seed %d, %d workers\n", s.Name, s.Nodes, s.Duration, s.Seed, f.workers)
	}
	bar := newProgress(errOut, f.json)
	o := scenario.Options{Workers: f.workers, Progress: bar.update, Record: f.out != "" && f.tables}
	sum, record, err := scenario.Record(cmd.Context(), s, o)
	bar.end(err == nil)
	if err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	if writeErr := writeResult(cmd.OutOrStdout(), s, sum, record, args, f); writeErr != nil {
		return writeErr
	}
	if failed := sum.Failed(); err == nil && len(failed) > 0 {
		return &checksError{failed}
	}
	return err
}

// checksError says that checks failed: the exit code is 2.
type checksError struct{ failed []result.Check }

// Error implements error.
func (e *checksError) Error() string {
	if len(e.failed) == 1 {
		return fmt.Sprintf("the check %q failed", e.failed[0].Name)
	}
	return fmt.Sprintf("%d checks failed", len(e.failed))
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

// The files that --out writes without tables.
const (
	manifestName = "manifest.json"
	summaryName  = "summary.json"
)

// load reads a scenario, and applies the flags.
func (f *scenarioFlags) load(cmd *cobra.Command, args []string) (*scenario.Scenario, error) {
	if f.workers < 1 || f.workers > 1024 {
		return nil, fmt.Errorf("--workers: %d, must be from 1 to 1024", f.workers)
	}
	name := "quickstart"
	if len(args) > 0 {
		name = args[0]
	}
	s, err := findScenario(name)
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

// findScenario reads a scenario that is built in, a file, or that of a run's
// directory.
func findScenario(name string) (*scenario.Scenario, error) {
	if text, ok := scenarios.Get(name); ok {
		return scenario.Parse(name+".yaml", text)
	}
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return scenarioOfRun(name)
	}
	s, err := scenario.Load(name)
	if _, missing := os.Stat(name); missing == nil || !errors.Is(err, os.ErrNotExist) {
		return s, err
	}
	if builtin, _ := strings.CutSuffix(name, ".yaml"); slices.Contains(scenarios.Names(), builtin) {
		return nil, fmt.Errorf("no file %s; the built-in scenario is named %s", name, builtin)
	}
	return nil, fmt.Errorf("no scenario %q: neither a file nor one of the built-in %s", name, strings.Join(scenarios.Names(), ", "))
}

// scenarioOfRun reads the scenario that a run's directory is of.
func scenarioOfRun(dir string) (*scenario.Scenario, error) {
	path := filepath.Join(dir, manifestName)
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s is a directory, and not of a run: it has no %s", dir, manifestName)
	}
	if err != nil {
		return nil, err
	}
	var m struct {
		File string `json:"file"`
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if m.File == "" {
		return nil, fmt.Errorf("%s has no scenario", path)
	}
	s, err := scenario.Parse(path+", scenario", []byte(m.File))
	if err != nil {
		return nil, err
	}
	return s, s.Locate(dir)
}

// inputName is where in a run's directory the file is that its scenario reads.
const inputName = "input"

// keepInput copies the file that a scenario reads to a run's directory, and returns the
// scenario that reads it from there.
func keepInput(s *scenario.Scenario, dir string) (*scenario.Scenario, error) {
	kept := *s
	for _, file := range kept.Files() {
		name := file.Name
		text, err := os.ReadFile(*name)
		if err != nil {
			return nil, err
		}
		*name = filepath.Join(inputName, filepath.Base(*name))
		path := filepath.Join(dir, *name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return nil, err
		}
		if err := writeWhole(path, text); err != nil {
			return nil, err
		}
	}
	return &kept, nil
}

// A manifest says what gave a result.
type manifest struct {
	Version   string             `json:"version"`
	Commit    string             `json:"commit"`
	Go        string             `json:"go"`
	Arch      string             `json:"arch"`
	Name      string             `json:"name"`
	Seed      uint64             `json:"seed"`
	TraceHash string             `json:"trace_hash"`
	Partial   bool               `json:"partial"`
	Rerun     string             `json:"rerun"`
	Scenario  *scenario.Scenario `json:"scenario"`
	File      string             `json:"file"` // the scenario as a file
}

func writeResult(out io.Writer, s *scenario.Scenario, sum *scenario.Summary, record *result.Run, args []string, f *runFlags) error {
	rerun := rerunLine("peernet sim", s, args, &f.scenarioFlags)
	for i := range sum.Checks {
		if !sum.Checks[i].OK {
			sum.Checks[i].Rerun = rerun
		}
	}
	if f.out != "" {
		m := manifest{version(), commit(), runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH,
			s.Name, s.Seed, sum.TraceHash, sum.Partial, rerun, f.kept, string(f.kept.YAML())}
		if err := f.write(m, sum, record); err != nil {
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
	switch {
	case f.out != "" && record != nil:
		fmt.Fprintf(out, "\nwritten to %s; open %s\n", f.out, filepath.Join(f.out, "report.html"))
	case f.out != "":
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

// write writes the results to the directory.
func (f *runFlags) write(m manifest, sum *scenario.Summary, record *result.Run) error {
	if record == nil {
		if err := writeJSON(filepath.Join(f.out, manifestName), m); err != nil {
			return err
		}
		return writeJSON(filepath.Join(f.out, summaryName), sum)
	}
	bare := *sum
	bare.Checks, bare.Marks = nil, nil // the package adds them
	var err error
	if record.Manifest, err = json.Marshal(m); err != nil {
		return err
	}
	if record.Summary, err = json.Marshal(bare); err != nil {
		return err
	}
	record.Checks, record.Marks = sum.Checks, sum.Marks
	return result.Write(f.out, record, result.Options{CSV: f.csv})
}

// rerunLine is the command that gives the same trace hash again.
func rerunLine(command string, s *scenario.Scenario, args []string, f *scenarioFlags) string {
	line := strings.Fields(command)
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
	return writeWhole(path, append(text, '\n'))
}

// writeWhole writes a file whole, or not at all.
func writeWhole(path string, text []byte) error {
	if err := os.WriteFile(path+".new", text, 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func schemaCommand() *cobra.Command {
	var reference bool
	c := &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of scenario files",
		Long: `Print the JSON Schema of scenario files, with which editors complete and explain
their keys. With --reference, print a scenario file that explains every key.

For editors that use the YAML language server, begin a scenario with
  # yaml-language-server: $schema=scenario.schema.json`,
		Example: `  peernet sim schema > scenario.schema.json`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			text := scenario.Schema()
			if reference {
				text = []byte(scenario.Reference)
			}
			_, err := cmd.OutOrStdout().Write(text)
			return err
		},
	}
	c.Flags().BoolVar(&reference, "reference", false, "print the reference of all keys, a scenario file")
	return c
}
