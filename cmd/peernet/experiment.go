package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"peernet/experiments"
	"peernet/experiments/lab"
	"peernet/sim/sweep"
)

// experimentFlags are the options of peernet experiment run and check.
type experimentFlags struct {
	seeds   string
	cases   []string
	workers int
	out     string
	json    bool
	quick   bool
	all     bool

	check bool // the command is check
}

func experimentCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "experiment",
		Short: "Run published results again, and compare",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	list := &cobra.Command{
		Use:   "list",
		Short: "List the experiments",
		Long: `List the experiments: how many cases each has, and how many trials, one for each case
and seed, a run and a quick run have, without the controls.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return listExperiments(cmd.OutOrStdout()) },
	}
	c.AddCommand(list, experimentRunCommand(false), experimentRunCommand(true))
	return c
}

// experimentRunCommand is peernet experiment run, or check.
func experimentRunCommand(check bool) *cobra.Command {
	f := experimentFlags{check: check}
	c := &cobra.Command{
		Use:   "run NAME...",
		Short: "Run experiments",
		Long: `Run experiments, and print what came out beside what was published.

Each experiment is a folder of experiments/, whose README says what is run, where the
published numbers are from, and what differs. The seeds of a case decide its results,
whatever the number of workers.`,
		Example: `  peernet experiment run demers --quick
  peernet experiment run demers --seeds 1..20 --out results`,
		RunE: func(cmd *cobra.Command, args []string) error { return runExperiments(cmd, args, &f) },
	}
	if check {
		c.Use, c.Short = "check NAME...", "Run experiments with their controls, and fail where one does not reproduce"
		c.Long += `

check also runs the controls, models that are wrong on purpose and have to be noticed.
The exit code is 1 if a verdict is FAILED, or a control was not noticed.`
		c.Example = `  peernet experiment check --all --quick
  peernet experiment check demers --out results`
	}
	flags := c.Flags()
	flags.StringVar(&f.seeds, "seeds", "", "`seeds` of every case, such as 1..20; default what expected.json asks for")
	flags.StringArrayVar(&f.cases, "case", nil, "run the case of this `name` alone; repeatable")
	flags.IntVar(&f.workers, "workers", runtime.NumCPU(), "trials to run at a time; no influence on the result")
	flags.StringVar(&f.out, "out", "", "`directory` for the report: report.html, report.md with plots, results.json")
	flags.BoolVar(&f.json, "json", false, "print the results as JSON, and nothing else")
	flags.BoolVar(&f.quick, "quick", false, "fewer seeds, and without the cases that take long")
	flags.BoolVar(&f.all, "all", false, "all experiments")
	return c
}

func listExperiments(out io.Writer) error {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tCASES\tTRIALS\tQUICK\tWHAT")
	for _, e := range experiments.All() {
		trials, quick := 0, 0
		for _, c := range e.Cases {
			trials, quick = trials+c.Seeds, quick+c.Quick
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%s\n", e.Name, len(e.Cases), trials, quick, e.Title)
	}
	_ = w.Flush() // to a builder, without errors
	return printTrimmed(out, text.String())
}

func runExperiments(cmd *cobra.Command, args []string, f *experimentFlags) error {
	chosen, err := f.chosen(args)
	if err != nil {
		return err
	}
	o := lab.Options{Quick: f.quick, Controls: f.check, Cases: f.cases, Workers: f.workers}
	if f.workers < 1 || f.workers > 1024 {
		return fmt.Errorf("--workers: %d, must be from 1 to 1024", f.workers)
	}
	if err := checkCases(chosen, f.cases); err != nil {
		return err
	}
	if f.seeds != "" {
		if o.Seeds, err = sweep.ParseSeeds(f.seeds); err != nil {
			return fmt.Errorf("--seeds %w", err)
		}
		// The same trial again would count as another one.
		sorted := slices.Sorted(slices.Values(o.Seeds))
		for i := range sorted[1:] {
			if sorted[i] == sorted[i+1] {
				return fmt.Errorf("--seeds: seed %d is given twice", sorted[i])
			}
		}
	}
	if f.out != "" {
		if err := checkWritable(f.out); err != nil {
			return fmt.Errorf("--out %s: %w", f.out, err)
		}
	}
	limitMemory()
	show := newTally(cmd.ErrOrStderr(), "trials", f.json)
	o.Progress = func(p lab.Progress) { show.update(p.Done, p.Total) }
	started := time.Now()
	all, err := lab.Run(cmd.Context(), chosen, o)
	show.end()
	if errors.Is(err, context.Canceled) && len(all) == 0 {
		return fmt.Errorf("no trial was done yet, and there is no report: %w", err)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	interrupted := err // with the results so far
	if f.out != "" {
		if err := lab.Write(f.out, all); err != nil {
			return err
		}
	}
	if f.json {
		text, err := lab.JSON(all)
		if err != nil {
			return err
		}
		if _, err := cmd.OutOrStdout().Write(text); err != nil {
			return err
		}
	} else if err := errors.Join(printExperiments(cmd.OutOrStdout(), all), printTally(cmd.OutOrStdout(), all)); err != nil {
		return err
	}
	if !f.json {
		fmt.Fprintf(cmd.ErrOrStderr(), "%.1f s\n", time.Since(started).Seconds())
		if f.out != "" {
			fmt.Fprintf(cmd.ErrOrStderr(), "the report is %s\n", filepath.Join(f.out, lab.HTMLName))
		}
	}
	if f.check && interrupted == nil {
		return failures(all)
	}
	return interrupted
}

// checkCases finds out whether each case is one of an experiment.
func checkCases(chosen []*lab.Experiment, names []string) error {
	for _, name := range names {
		found := slices.ContainsFunc(chosen, func(e *lab.Experiment) bool {
			return slices.ContainsFunc(e.Cases, func(c lab.Case) bool { return c.Name == name })
		})
		if !found {
			return fmt.Errorf("--case: no experiment that was named has a case %q", name)
		}
	}
	return nil
}

// chosen are the experiments that the arguments name.
func (f *experimentFlags) chosen(args []string) ([]*lab.Experiment, error) {
	switch {
	case f.all && len(args) > 0:
		return nil, errors.New("--all: is all experiments, without names")
	case f.all:
		return experiments.All(), nil
	case len(args) == 0:
		return nil, errors.New("want the name of an experiment, such as: peernet experiment run demers; peernet experiment list has them, and --all is all of them")
	}
	return experiments.Find(args...)
}

// failures is the error of a check that failed.
func failures(all []*lab.Results) error {
	var lines []string
	judged := false
	for _, r := range all {
		judged = judged || slices.ContainsFunc(r.Rows(), func(row lab.Row) bool { return row.Verdict != lab.Ungated })
		for _, f := range r.Failed() {
			lines = append(lines, "  "+r.Experiment.Name+": "+f)
		}
	}
	switch {
	case len(lines) == 0 && !judged:
		return errors.New("nothing was checked: there are too few seeds or cases for a verdict")
	case len(lines) == 0:
		return nil
	}
	return fmt.Errorf("not reproduced:\n%s", strings.Join(lines, "\n"))
}

// printExperiments prints results for people.
func printExperiments(out io.Writer, all []*lab.Results) error {
	for i, r := range all {
		if i > 0 {
			fmt.Fprintln(out)
		}
		fmt.Fprintf(out, "%s: %s\n%s\n\n", r.Experiment.Name, r.Experiment.Title, r.Experiment.Source)
		switch {
		case r.Partial:
			fmt.Fprint(out, "PARTIAL: the run was interrupted; rows are of the seeds that were done\n\n")
		case r.Chosen:
			fmt.Fprint(out, "only chosen seeds or cases, not all that the check asks for\n\n")
		case r.Quick:
			fmt.Fprint(out, "a quick run: fewer seeds, and without the cases that take long\n\n")
		}
		rows := r.Rows()
		if err := printVerdicts(out, rows); err != nil {
			return err
		}
		for _, row := range rows {
			if reason := row.Reason(); reason != "" {
				fmt.Fprintf(out, "%s, %s %s: %s\n", row.Case, row.Measure, row.Verdict, reason)
			}
		}
		for _, c := range r.ControlRows() {
			fmt.Fprintf(out, "control %s (%s): %s\n", c.Name, c.Case, c.Word())
		}
		if others := r.Others(); len(others) > 0 {
			fmt.Fprintln(out, "\nbesides")
			if err := printMeans(out, others); err != nil {
				return err
			}
		}
		if costs := r.CostRows(); len(costs) > 0 {
			fmt.Fprintln(out, "\ncosts, of this machine")
			if err := printMeans(out, costs); err != nil {
				return err
			}
		}
	}
	return nil
}

// printTally prints how many verdicts there are of each kind.
func printTally(out io.Writer, all []*lab.Results) error {
	var n lab.Tally
	for _, r := range all {
		n.Add(r)
	}
	text := fmt.Sprintf("\n%d ok, %d FAILED, %d differ, %d not gated",
		n.Verdicts[lab.OK], n.Verdicts[lab.Failed], n.Verdicts[lab.Differs], n.Verdicts[lab.Ungated])
	if n.Controls > 0 {
		text += fmt.Sprintf("; %d of %d controls noticed", n.Noticed, n.Controls)
	}
	_, err := fmt.Fprintln(out, text)
	return err
}

func printVerdicts(out io.Writer, rows []lab.Row) error {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "CASE\tMEASURE\tMEAN\tSD\tN\tPUBLISHED\tALLOWED\tFROM\tVERDICT")
	for _, r := range rows {
		mean, sd := "none", ""
		if r.N > 0 {
			mean, sd = r.MeanText(), lab.Format(r.SD)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\t%s\n", r.Case, r.Measure, mean, sd, r.N,
			r.Published(), r.Allowed(), r.Expectation.From, r.Verdict)
	}
	_ = w.Flush() // to a builder, without errors
	return printTrimmed(out, text.String())
}

func printMeans(out io.Writer, rows []lab.Row) error {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "CASE\tMEASURE\tMEAN\tSD\tN")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\n", r.Case, r.Measure, lab.Format(r.Mean), lab.Format(r.SD), r.N)
	}
	_ = w.Flush() // to a builder, without errors
	return printTrimmed(out, text.String())
}
