package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"peernet/sim/compare"
)

// compareFlags are the options of peernet sim compare.
type compareFlags struct {
	a, b             []string
	metrics          []string
	alpha            float64
	changeMin        string
	json             bool
	failOnRegression bool
}

func compareCommand() *cobra.Command {
	var f compareFlags
	c := &cobra.Command{
		Use:   "compare A B",
		Short: "Tell whether two sets of simulations differ",
		Long: `Tell whether two sets of simulations differ: directories of runs (peernet sim --out)
or of sweeps (peernet sim sweep). Several directories of a side are given by --a and
--b. Runs that differ in nothing but their seed are samples of the same thing; of sweeps,
those with the same values of what was varied are compared.

For each metric it prints the means, each ± half of its 95 % confidence interval (no
standard deviation, as the table of a sweep has it), the difference,
Cliff's delta (how far the two are apart, from -1 to 1), and the p value of the
Mann-Whitney U test, also corrected for the number of tests (Holm). A difference is
significant if the corrected value is at most --alpha. Few runs cannot show anything:
have 7 or more on each side.

With --fail-on-regression the exit code is 1 if a metric of which it is known what is
better is significantly worse, and also if no regression could be found: there are too few
runs, or it is of no metric known what is better. Costs, such as run times, count only if
they are named by --metric. One directory on both sides is an error at any rate.`,
		Example: `  peernet sim compare before after
  peernet sim compare before after --metric announce.coverage_mean --fail-on-regression
  peernet sim compare --a run1 --a run2 --b run3 --b run4 --json`,
		Args: cobra.ArbitraryArgs, // see sides
		RunE: func(cmd *cobra.Command, args []string) error { return runCompare(cmd, args, &f) },
	}
	flags := c.Flags()
	flags.StringArrayVar(&f.a, "a", nil, "`directory` of side A; repeatable")
	flags.StringArrayVar(&f.b, "b", nil, "`directory` of side B; repeatable")
	flags.StringArrayVar(&f.metrics, "metric", nil, "`name` of a metric to compare; default is all; repeatable")
	flags.Float64Var(&f.alpha, "alpha", 0.05, "probability of a false finding that is accepted")
	flags.StringVar(&f.changeMin, "min-change", "1%", "least change of a mean that counts as better or worse, a `percentage`")
	flags.BoolVar(&f.json, "json", false, "print the report as JSON, and nothing else")
	flags.BoolVar(&f.failOnRegression, "fail-on-regression", false, "exit with 1 if a metric is significantly worse in B")
	return c
}

func runCompare(cmd *cobra.Command, args []string, f *compareFlags) error {
	dirsA, dirsB, err := f.sides(args)
	if err != nil {
		return err
	}
	o := compare.Options{Metrics: f.metrics, Alpha: f.alpha}
	if o.ChangeMin, err = strconv.ParseFloat(strings.TrimSuffix(f.changeMin, "%"), 64); err != nil {
		return fmt.Errorf("--min-change: want a percentage such as 1%% or 0.5%%, not %q", f.changeMin)
	}
	if !(f.alpha > 0) { // the package takes zero for its default
		return fmt.Errorf("--alpha: %v, must be between 0 and 1, such as 0.05", f.alpha)
	}
	if dir, ok := onBothSides(dirsA, dirsB); ok {
		return fmt.Errorf("%s is on both sides, and does not differ from itself; name the directories of other runs for one", dir)
	}
	a, err := compare.Load(dirsA...)
	if err != nil {
		return fmt.Errorf("side A: %w", err)
	}
	b, err := compare.Load(dirsB...)
	if err != nil {
		return fmt.Errorf("side B: %w", err)
	}
	r, err := compare.Compare(a, b, o)
	if err != nil {
		return err
	}
	if f.json {
		e := json.NewEncoder(cmd.OutOrStdout())
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		err = e.Encode(r)
	} else {
		err = printReport(cmd.OutOrStdout(), r, dirsA, dirsB, len(f.metrics) > 0)
	}
	if err != nil || !f.failOnRegression {
		return err
	}
	if names := r.Regressions(); len(names) > 0 {
		return fmt.Errorf("%d metrics regressed: %s", len(names), strings.Join(names, "; "))
	}
	return r.CanRegress()
}

// sides are the directories that the arguments or the flags name.
func (f *compareFlags) sides(args []string) (a, b []string, err error) {
	switch {
	case len(args) == 2 && len(f.a)+len(f.b) == 0:
		return args[:1], args[1:], nil
	case len(args) == 0 && len(f.a) > 0 && len(f.b) > 0:
		return f.a, f.b, nil
	}
	return nil, nil, errors.New("want two directories, A and B, or --a DIR and --b DIR, each once or more, such as: peernet sim compare before after")
}

// onBothSides finds a directory that is named on both sides, by whatever paths.
func onBothSides(a, b []string) (dir string, ok bool) {
	for _, one := range a {
		for _, other := range b {
			x, errX := os.Stat(one)
			y, errY := os.Stat(other)
			if errX == nil && errY == nil && x.IsDir() && os.SameFile(x, y) {
				return other, true
			}
		}
	}
	return "", false
}

// groups are the families of metrics in the order of the table, and what they are
// called.
var groups = []struct{ family, title string }{
	{compare.FamilyNamed, "named metrics"},
	{compare.FamilyJudged, "metrics with a better side"},
	{compare.FamilyOther, "other metrics"},
	{compare.FamilyCosts, "costs"},
}

// printReport prints a report for people. all shows rows without a difference too.
func printReport(out io.Writer, r *compare.Report, a, b []string, all bool) error {
	var text strings.Builder
	fmt.Fprintf(&text, "A  %s\nB  %s\n", strings.Join(a, " "), strings.Join(b, " "))
	for _, c := range r.Changes {
		fmt.Fprintf(&text, "   %s\n", c)
	}
	for _, side := range []struct {
		name       string
		only       []string
		unfinished int
	}{{"A", r.OnlyA, r.UnfinishedA}, {"B", r.OnlyB, r.UnfinishedB}} {
		for _, name := range side.only {
			fmt.Fprintf(&text, "only in %s, and not compared: %s\n", side.name, name)
		}
		if side.unfinished > 0 {
			fmt.Fprintf(&text, "%s lacks %d points of its sweep that are not done\n", side.name, side.unfinished)
		}
	}
	for _, c := range r.Cells {
		fmt.Fprintln(&text)
		if c.Name != "" {
			fmt.Fprintf(&text, "%s\n", c.Name)
		}
		if err := printCell(&text, &c, all); err != nil {
			return err
		}
	}
	printNotes(&text, r)
	_, err := io.WriteString(out, text.String())
	return err
}

func printCell(out io.Writer, c *compare.CellReport, all bool) error {
	side := func(name string, runs int) string {
		if runs < 2 {
			return fmt.Sprintf("%s, n=%d", name, runs)
		}
		return fmt.Sprintf("%s ± CI/2, n=%d", name, runs)
	}
	rows := [][]string{{"metric", side("A", c.RunsA), side("B", c.RunsB), "change", "delta", "p", "p Holm", "verdict"}}
	same := 0
	for _, g := range groups {
		first := true
		for _, row := range c.Rows {
			switch {
			case row.Family != g.family:
				continue
			case row.Verdict == compare.Same && !all:
				same++
				continue
			}
			if first && g.family != compare.FamilyNamed {
				rows = append(rows, []string{g.title})
			}
			first = false
			rows = append(rows, []string{
				"  " + row.Metric, meanAndInterval(row.A, c.RunsA), meanAndInterval(row.B, c.RunsB), percentage(row.Change),
				delta(row), probability(row.P), probability(row.PHolm), verdict(row),
			})
		}
	}
	if err := printRows(out, rows); err != nil {
		return err
	}
	if same > 0 {
		_, err := fmt.Fprintf(out, "%d metrics have one value in all runs of both sides\n", same)
		return err
	}
	return nil
}

func meanAndInterval(e compare.Estimate, runs int) string {
	if e.Mean == nil {
		return "-"
	}
	text := figure(*e.Mean)
	if e.Low != nil {
		text = spread(*e.Mean, (*e.High-*e.Low)/2)
	}
	if e.N != runs {
		text += fmt.Sprintf(" (n=%d)", e.N)
	}
	return text
}

func percentage(v *float64) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf("%+.2f %%", *v)
}

// delta formats Cliff's delta. Of one run and another it says no more than the change.
func delta(r compare.Row) string {
	if r.CliffsDelta == nil || r.A.N == 1 && r.B.N == 1 {
		return "-"
	}
	return fmt.Sprintf("%+.2f", *r.CliffsDelta)
}

func probability(p *float64) string {
	switch {
	case p == nil:
		return "-"
	case *p < 0.0001:
		return "<0.0001"
	}
	return fmt.Sprintf("%.4f", *p)
}

func verdict(r compare.Row) string {
	if r.Regressed {
		return strings.ToUpper(string(r.Verdict))
	}
	return string(r.Verdict)
}

// printNotes says what the columns mean, and what the runs can show at all.
func printNotes(out io.Writer, r *compare.Report) {
	fmt.Fprintf(out, "\nA and B are means, ± CI/2 half of their 95 %% confidence interval (Student's t); delta is Cliff's, above 0 where B is greater;\n"+
		"p is of the Mann-Whitney U test, two-sided; significant is p Holm <= %v, negligible a change below %v %%.\n", r.Alpha, r.ChangeMin)
	for _, f := range r.Families {
		title := groups[slices.IndexFunc(groups, func(g struct{ family, title string }) bool { return g.family == f.Name })].title
		switch {
		case f.Tests == 0:
			fmt.Fprintf(out, "%s: no test is possible with one run on a side; have %d runs or more on each.\n", title, f.RunsNeeded)
		case f.LeastP > r.Alpha:
			fmt.Fprintf(out, "%s: p Holm is over %d tests, and with so few runs at least %.3f: nothing can be significant; have %d runs or more on each side.\n",
				title, f.Tests, f.LeastP, f.RunsNeeded)
		default:
			fmt.Fprintf(out, "%s: p Holm is over %d tests.\n", title, f.Tests)
		}
	}
}
