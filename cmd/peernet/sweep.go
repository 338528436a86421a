package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"peernet/sim/scenario"
	"peernet/sim/sweep"
)

// sweepFlags are the options of peernet sim sweep.
type sweepFlags struct {
	vary, set       []string
	nodes, duration string
	seeds           string
	out             string
	jobs, workers   int
	again           bool
	metrics         []string
}

// Exit codes of a simulation in a process of its own that is whole: some of its
// checks may have failed.
var exitWhole = []int{2}

// What a table of a sweep shows where --metric says nothing.
var sweepMetrics = []string{
	"announce.coverage_mean", "announce.latency_ms_p50", "announce.redundancy", "traffic.bytes_per_node_per_s", sweep.ChecksFailed,
}

func sweepCommand() *cobra.Command {
	var f sweepFlags
	c := &cobra.Command{
		Use:   "sweep SCENARIO --out DIR",
		Short: "Simulate a scenario over a grid of settings and seeds",
		Long: `Simulate a scenario for each combination of the values of --vary and each seed.

Every point of the grid runs in a process of its own, --jobs of them at a time. Their
results are in DIR/points, and all in one table, DIR/table.csv and DIR/table.parquet:
a row per point with what was varied, the seed, and the numbers of its summary. That
table has the same bytes whenever it is made anew; what is about the machine, such as
run times, is in DIR/costs.csv.

A sweep that was interrupted, or killed, goes on when it is started again in the same
way: points that are done are not run again, those that failed are. --again starts
over. Each point runs with the scenario as it was at the start, DIR/scenario.yaml.

It prints a row for each combination of values: means over the seeds, each ± the standard
deviation of the single runs (no confidence interval, as peernet sim compare has it).

The exit code is 2 if checks failed at a point, which is in the tables as the others are,
1 if a point could not be run, and 130 after Ctrl-C.`,
		Example: `  peernet sim sweep quickstart --vary fanout=2,3,4 --vary latency.median=20ms,50ms --out results
  peernet sim sweep my.yaml --set nodes=1000 --seeds 1..20 --metric overlay.clustering --out results`,
		Args: argsFrom(1, 1, "a scenario", "peernet sim sweep quickstart --vary fanout=2,3,4 --out results"),
		RunE: func(cmd *cobra.Command, args []string) error { return runSweep(cmd, args[0], &f) },
	}
	flags := c.Flags()
	flags.StringArrayVar(&f.vary, "vary", nil, "`key=value,value` of the scenario to vary; repeatable")
	flags.StringArrayVar(&f.set, "set", nil, "`key=value` of the scenario to set for all points; repeatable")
	flags.StringVar(&f.nodes, "nodes", "", "`number` of nodes, as --set nodes=")
	flags.StringVar(&f.duration, "duration", "", "virtual `time` to simulate, as --set duration=")
	flags.StringVar(&f.seeds, "seeds", "1..5", "`seeds` to run each combination with, such as 1..5 or 1,2,7")
	flags.StringVar(&f.out, "out", "", "`directory` of the sweep")
	flags.IntVar(&f.jobs, "jobs", runtime.NumCPU(), "points to run at a time; each needs memory of its own")
	flags.IntVar(&f.workers, "workers", 1, "goroutines of each point; no influence on the result")
	flags.BoolVar(&f.again, "again", false, "remove what an earlier sweep left in the directory, and start over")
	flags.StringArrayVar(&f.metrics, "metric", nil, "`name` of a number to show, such as overlay.clustering; repeatable")
	return c
}

func runSweep(cmd *cobra.Command, file string, f *sweepFlags) error {
	grid, err := f.grid(file)
	if err != nil {
		return err
	}
	if err := checkCells(file, grid); err != nil {
		return err
	}
	if err := checkMetricNames(f.metrics); err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	copied := filepath.Join(f.out, sweep.ScenarioName)
	process := sweep.Process{
		Program: program, OK: exitWhole, Env: memoryShare(f.jobs),
		Args: func(p sweep.Point, dir string) []string {
			return append(pointArgs(grid, p, copied), "--workers", strconv.Itoa(f.workers), "--out", dir, "--tables=false", "--json")
		},
	}
	rerun := func(p sweep.Point) string { return commandLine(pointArgs(grid, p, copied)) }
	show := newSweepProgress(cmd.ErrOrStderr(), rerun)
	table, err := sweep.Run(cmd.Context(), sweep.Config{
		Dir: f.out, Grid: *grid, Jobs: f.jobs, Again: f.again, Runner: process.Run, Progress: show.update,
	})
	show.end()
	if err != nil {
		return f.explain(cmd, err, show.last)
	}
	if err := printSweep(cmd.OutOrStdout(), table, f.metrics); err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "\nwritten to %s, %s and %s\n", filepath.Join(f.out, sweep.TableName), sweep.ParquetName, sweep.CostsName)
	failed := failedChecks(table)
	printFailed(cmd.OutOrStdout(), table, failed, rerun)
	if n := show.last.Failed; n > 0 {
		return fmt.Errorf("%d of %d points failed, and are not in the tables; the same command runs them again", n, show.last.Total)
	}
	if len(failed) > 0 {
		return &pointsError{len(failed), table.Len()}
	}
	return nil
}

// pointsError says that checks failed at points of a sweep.
type pointsError struct{ failed, points int }

// Error implements error.
func (e *pointsError) Error() string {
	return fmt.Sprintf("checks failed at %d of %d points", e.failed, e.points)
}

// Unwrap has the exit code be that of failed checks.
func (e *pointsError) Unwrap() error { return &checksError{} }

// failedChecks are the points at which checks failed.
func failedChecks(t *sweep.Table) (points []sweep.Point) {
	for i := range t.Grid.Len() {
		if n, _ := t.Value(i, sweep.ChecksFailed); n > 0 {
			points = append(points, t.Grid.Point(i))
		}
	}
	return points
}

// printFailed lists points at which checks failed, as many as are read.
func printFailed(out io.Writer, t *sweep.Table, points []sweep.Point, rerun func(sweep.Point) string) {
	if len(points) == 0 {
		return
	}
	fmt.Fprintf(out, "\nchecks failed at %d of %d points:\n", len(points), t.Len())
	for _, p := range points[:min(len(points), failuresShown)] {
		n, _ := t.Value(p.Index, sweep.ChecksFailed)
		fmt.Fprintf(out, "  %s: %.0f failed\n    rerun: %s\n", p.Name, n, rerun(p))
	}
	if more := len(points) - failuresShown; more > 0 {
		fmt.Fprintf(out, "  and %d more: see %s in %s\n", more, sweep.ChecksFailed, sweep.TableName)
	}
}

// checkMetricNames finds out before any run that no summary has a number of that name.
func checkMetricNames(names []string) error {
	known := sweep.MetricNames(reflect.TypeFor[scenario.Summary]())
	for _, name := range names {
		if slices.Contains(known, name) {
			continue
		}
		if like := slices.DeleteFunc(slices.Clone(known), func(k string) bool { return !strings.Contains(k, name) }); len(like) > 0 {
			return fmt.Errorf("--metric %s: is none; is one of these meant: %s?", name, strings.Join(like, ", "))
		}
		return fmt.Errorf("--metric %s: is none; there are %s", name, strings.Join(known, ", "))
	}
	return nil
}

// grid is what the flags ask for.
func (f *sweepFlags) grid(file string) (*sweep.Grid, error) {
	switch {
	case f.out == "":
		return nil, errors.New("--out: is missing; want a directory for the sweep, new or empty")
	case f.jobs < 1 || f.jobs > 1024:
		return nil, fmt.Errorf("--jobs: %d, must be from 1 to 1024", f.jobs)
	case f.workers < 1 || f.workers > 1024:
		return nil, fmt.Errorf("--workers: %d, must be from 1 to 1024", f.workers)
	}
	if info, err := os.Stat(f.out); err == nil && !info.IsDir() {
		return nil, fmt.Errorf("--out %s: is a file; want a directory for the sweep, new or empty", f.out)
	}
	text, err := scenarioText(file)
	if err != nil {
		return nil, err
	}
	g := &sweep.Grid{Scenario: text, Program: programIdentity()}
	sets := f.set
	for _, s := range []struct{ key, value string }{{"nodes", f.nodes}, {"duration", f.duration}} {
		if s.value != "" {
			sets = append(slices.Clip(sets), s.key+"="+s.value)
		}
	}
	for _, text := range sets {
		s, err := sweep.ParseSetting(text)
		if err != nil {
			return nil, fmt.Errorf("--set %w", err)
		}
		g.Set = append(g.Set, s)
	}
	for _, text := range f.vary {
		a, err := sweep.ParseAxis(text)
		if err != nil {
			return nil, fmt.Errorf("--vary %w", err)
		}
		g.Axes = append(g.Axes, a)
	}
	if g.Seeds, err = sweep.ParseSeeds(f.seeds); err != nil {
		return nil, fmt.Errorf("--seeds %w", err)
	}
	return g, g.Validate()
}

// scenarioText is a scenario as a file that stands for itself, wherever it is.
func scenarioText(name string) ([]byte, error) {
	s, err := findScenario(name)
	if err != nil {
		return nil, err
	}
	return s.YAML(), nil
}

// checkCells finds out now, not after an hour, that a combination is impossible.
func checkCells(file string, g *sweep.Grid) error {
	for i := range g.Cells() {
		s, err := scenario.Parse(file, g.Scenario)
		if err != nil {
			return err
		}
		for _, set := range g.Set {
			if err := s.Set("--set", set.Key, set.Value); err != nil {
				return err
			}
		}
		cell := g.Cell(i)
		for _, set := range cell {
			if err := s.Set("--vary", set.Key, set.Value); err != nil {
				return err
			}
		}
		if err := s.Resolve(); err != nil {
			if len(cell) > 0 {
				return fmt.Errorf("with %s: %w", settings(cell, " "), err)
			}
			return err
		}
	}
	return nil
}

func settings(all []sweep.Setting, between string) string {
	var parts []string
	for _, s := range all {
		parts = append(parts, s.String())
	}
	return strings.Join(parts, between)
}

// pointArgs are the arguments of the command that simulates a point.
func pointArgs(g *sweep.Grid, p sweep.Point, file string) []string {
	if strings.HasPrefix(file, "-") {
		file = "./" + file
	}
	args := []string{"sim", "run", file}
	for _, s := range slices.Concat(g.Set, p.Varied) {
		args = append(args, "--set", s.String())
	}
	return append(args, "--seed", strconv.FormatUint(p.Seed, 10))
}

func commandLine(args []string) string {
	line := "peernet"
	for _, a := range args {
		line += " " + quoted(a)
	}
	return line
}

// programIdentity says which program this is: its version and commit and, where these
// do not tell, a hash of the program itself.
func programIdentity() string {
	identity := version() + " " + commit()
	if !strings.HasSuffix(identity, " unknown") && !strings.HasSuffix(identity, "+modified") {
		return identity
	}
	path, err := os.Executable()
	if err != nil {
		return identity
	}
	file, err := os.Open(path)
	if err != nil {
		return identity
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return identity
	}
	return identity + " sha256:" + hex.EncodeToString(hash.Sum(nil)[:8])
}

// memoryShare is the environment that has several simulations share the memory that
// limitMemory gives to one.
func memoryShare(jobs int) []string {
	total := physicalMemory()
	if total == 0 || os.Getenv("GOMEMLIMIT") != "" || os.Getenv("GOGC") != "" {
		return nil
	}
	return []string{fmt.Sprintf("GOMEMLIMIT=%d", total/10*6/int64(jobs))}
}

// explain says what to do about an error of a sweep.
func (f *sweepFlags) explain(cmd *cobra.Command, err error, last sweep.Progress) error {
	switch {
	case cmd.Context().Err() != nil:
		fmt.Fprintf(cmd.ErrOrStderr(), "interrupted: %d of %d points are done; to go on:\n  %s\n", last.Done, last.Total, commandLine(os.Args[1:]))
	case errors.Is(err, sweep.ErrLocked):
		return fmt.Errorf("%w: wait for it or end it, or name another --out", err)
	case errors.Is(err, sweep.ErrForeign):
		return fmt.Errorf("%w: name another --out, new or empty", err)
	case errors.Is(err, sweep.ErrOther):
		return fmt.Errorf("%w; name another --out, or remove the old results and start over with --again", err)
	}
	return err
}

// printSweep prints a row for each combination of values: means of metrics and their
// standard deviation over the seeds.
func printSweep(out io.Writer, t *sweep.Table, metrics []string) error {
	if len(metrics) == 0 {
		metrics = slices.DeleteFunc(slices.Clone(sweepMetrics), func(m string) bool { return !t.Has(m) })
	}
	var header []string
	for _, a := range t.Grid.Axes {
		header = append(header, a.Key)
	}
	rows := [][]string{append(append(header, "runs"), metrics...)}
	for cell := range t.Grid.Cells() {
		rows = append(rows, cellRow(t, cell, metrics))
	}
	if err := printRows(out, rows); err != nil || len(t.Grid.Seeds) < 2 {
		return err
	}
	_, err := fmt.Fprintln(out, "mean ± standard deviation over the seeds; for confidence intervals and tests see peernet sim compare")
	return err
}

func cellRow(t *sweep.Table, cell int, metrics []string) (row []string) {
	for _, s := range t.Grid.Cell(cell) {
		row = append(row, s.Value)
	}
	runs, seeds := 0, len(t.Grid.Seeds)
	for i := range seeds {
		if t.Done(cell*seeds + i) {
			runs++
		}
	}
	row = append(row, strconv.Itoa(runs))
	for _, m := range metrics {
		values := t.Samples(cell, m)
		mean, sd := sweep.MeanSD(values)
		text := figure(mean)
		if len(values) > 1 {
			text = spread(mean, sd)
		}
		if len(values) < runs && len(values) > 0 {
			text += fmt.Sprintf(" (of %d)", len(values))
		}
		row = append(row, text)
	}
	return row
}

// printRows prints rows of cells in columns, without spaces at the ends of lines. The
// first row is the longest.
func printRows(out io.Writer, rows [][]string) error {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		// Columns end at a line that lacks them.
		fmt.Fprintln(w, strings.Join(r, "\t")+strings.Repeat("\t", len(rows[0])-len(r)))
	}
	_ = w.Flush() // to a builder, without errors
	return printTrimmed(out, text.String())
}

// printTrimmed prints lines without the spaces at their ends.
func printTrimmed(out io.Writer, text string) error {
	for line := range strings.Lines(text) {
		if _, err := fmt.Fprintln(out, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}

// figure formats a number with four digits, or as many as it has before the point;
// whole numbers have no decimals.
func figure(v float64) string {
	switch {
	case math.IsNaN(v):
		return "-"
	case v == math.Trunc(v):
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return figureAs(v, v)
}

// spread formats a mean and what is around it with equal decimals.
func spread(mean, around float64) string {
	if around == 0 {
		return figure(mean) + " ± 0"
	}
	return figureAs(mean, mean) + " ± " + figureAs(around, mean)
}

// figureAs formats a number with the decimals that give another four digits. What
// these would not show is formatted by itself.
func figureAs(v, like float64) string {
	decimals := 3
	if like != 0 {
		decimals = max(3-int(math.Floor(math.Log10(math.Abs(like)))), 0)
	}
	if v != 0 && (decimals > 6 || math.Abs(v) < 0.5*math.Pow10(-decimals)) {
		return strconv.FormatFloat(v, 'g', 2, 64)
	}
	return strconv.FormatFloat(v, 'f', min(decimals, 6), 64)
}
