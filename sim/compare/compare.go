package compare

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"peernet/sim/sweep"
)

// Options say what is compared.
type Options struct {
	// Metrics are the names of the metrics to compare. Default: all.
	Metrics []string
	// Alpha is the probability of a false finding that is accepted, for each
	// family of tests. Default: 0.05.
	Alpha float64
	// ChangeMin is the least change of a mean that is called better or worse, in
	// per cent of A's.
	ChangeMin float64
}

// WithDefaults returns the options with what is zero filled in.
func (o Options) WithDefaults() Options {
	if o.Alpha == 0 {
		o.Alpha = 0.05
	}
	return o
}

// Validate returns an error that says what is wrong.
func (o Options) Validate() error {
	if !(o.Alpha > 0 && o.Alpha < 1) {
		return fmt.Errorf("compare: alpha is %v, must be between 0 and 1, such as 0.05", o.Alpha)
	}
	if !(o.ChangeMin >= 0 && o.ChangeMin < math.Inf(1)) {
		return fmt.Errorf("compare: the least change is %v %%, must be from 0", o.ChangeMin)
	}
	return nil
}

// A Verdict says what a comparison of a metric came to.
type Verdict string

// Verdicts. The first four are of significant differences.
const (
	Better     Verdict = "better"
	Worse      Verdict = "worse"
	Differs    Verdict = "differs"    // what is better is not known, or the mean and the ranks disagree
	Negligible Verdict = "negligible" // a change below Options.ChangeMin
	Unclear    Verdict = "unclear"    // no difference was found; there may be one
	Same       Verdict = "same"       // one value throughout
	Untested   Verdict = "untested"   // a side has fewer than two values
)

// A Row compares one metric of one cell.
type Row struct {
	Metric string    `json:"metric"`
	Better Direction `json:"better"`
	Cost   bool      `json:"cost"`
	A      Estimate  `json:"a"`
	B      Estimate  `json:"b"`
	// Change is from A's mean to B's, in per cent of A's; nil where A's is 0 or one
	// is missing.
	Change *float64 `json:"change_percent"`
	// CliffsDelta is from -1, all of B is less, to 1; nil where a side is empty.
	CliffsDelta *float64 `json:"cliffs_delta"`
	// P is of the Mann-Whitney U test, and PHolm the same after the correction; nil
	// if there was no test.
	P       *float64 `json:"p"`
	PHolm   *float64 `json:"p_holm"`
	Family  string   `json:"family"`
	Verdict Verdict  `json:"verdict"`
	// Regressed is set for what is worse and no cost, or named.
	Regressed bool `json:"regressed"`
}

// A CellReport compares the runs of one cell.
type CellReport struct {
	Vary  []sweep.Setting `json:"vary"`
	Name  string          `json:"name"`
	RunsA int             `json:"runs_a"`
	RunsB int             `json:"runs_b"`
	Rows  []Row           `json:"rows"`
}

// Names of families of tests.
const (
	FamilyJudged = "judged" // of metrics with a direction
	FamilyOther  = "other"
	FamilyCosts  = "costs"
	FamilyNamed  = "named" // in Options.Metrics
)

// A Family is a set of tests that are corrected for their number together.
type Family struct {
	Name  string `json:"name"`
	Tests int    `json:"tests"`
	// Untested counts the metrics that differ, and have too few values for a test.
	Untested int `json:"untested"`
	// LeastP is the least corrected p value that is possible with so many runs and
	// tests. If it is above alpha, nothing can be significant.
	LeastP float64 `json:"least_p"`
	// RunsNeeded is the number of runs on each side from which on something can be.
	RunsNeeded int `json:"runs_needed"`
}

// A Report is the result of a comparison.
type Report struct {
	Alpha     float64 `json:"alpha"`
	ChangeMin float64 `json:"change_min_percent"`
	// Changes are the settings in which the sides differ.
	Changes     []string     `json:"changes"`
	Cells       []CellReport `json:"cells"`
	OnlyA       []string     `json:"only_a"` // cells without a counterpart
	OnlyB       []string     `json:"only_b"`
	UnfinishedA int          `json:"unfinished_a"` // points of sweeps that are not done
	UnfinishedB int          `json:"unfinished_b"`
	Families    []Family     `json:"families"` // of which there are tests, or should be
}

// Compare compares the cells of two sides that have the same settings. It is an error
// if there are none, or if nobody has a metric that is named.
func Compare(a, b *Side, o Options) (*Report, error) {
	o = o.WithDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	r := &Report{
		Alpha: o.Alpha, ChangeMin: o.ChangeMin, Changes: Differences(a.Settings, b.Settings),
		UnfinishedA: a.Unfinished, UnfinishedB: b.Unfinished,
		OnlyA: []string{}, OnlyB: []string{}, Families: []Family{},
	}
	known := map[string]bool{}
	for _, ca := range a.Cells {
		cb, ok := b.index[ca.Name()]
		if !ok || ca.Runs() == 0 || cb.Runs() == 0 {
			r.OnlyA = append(r.OnlyA, ca.label())
			continue
		}
		for _, c := range []*Cell{ca, cb} {
			for name := range c.samples {
				known[name] = true
			}
		}
		r.Cells = append(r.Cells, compareCells(ca, cb, o))
	}
	for _, cb := range b.Cells {
		if ca, ok := a.index[cb.Name()]; !ok || ca.Runs() == 0 || cb.Runs() == 0 {
			r.OnlyB = append(r.OnlyB, cb.label())
		}
	}
	if len(r.Cells) == 0 {
		return nil, fmt.Errorf("compare: the sides have no cell in common: A has %s, B has %s; compare sweeps that vary the same keys by the same values, or single runs",
			some(r.OnlyA), some(r.OnlyB))
	}
	for _, name := range o.Metrics {
		if !known[name] {
			names := slices.DeleteFunc(slices.Sorted(maps.Keys(known)), func(n string) bool { return DirectionOf(n) == Neither })
			return nil, fmt.Errorf("compare: no run has the metric %s; there are %s, and others: see summary.json", name, strings.Join(names, ", "))
		}
	}
	r.correct()
	for i := range r.Cells {
		for k := range r.Cells[i].Rows {
			row := &r.Cells[i].Rows[k]
			row.Verdict = row.verdict(o)
			row.Regressed = row.Verdict == Worse && row.Family != FamilyCosts
		}
	}
	return r, nil
}

// label is a name for people.
func (c *Cell) label() string {
	switch {
	case c.Runs() == 0:
		return c.Name() + " (no run is done)"
	case len(c.Vary) == 0:
		return "a scenario that nothing is varied in"
	}
	return c.Name()
}

// some lists a few names.
func some(names []string) string {
	if len(names) > 3 {
		return strings.Join(names[:3], "; ") + fmt.Sprintf(" and %d more", len(names)-3)
	}
	return strings.Join(names, "; ")
}

// compareCells compares the metrics of two cells, before the correction.
func compareCells(a, b *Cell, o Options) CellReport {
	r := CellReport{Vary: a.Vary, Name: a.Name(), RunsA: a.Runs(), RunsB: b.Runs()}
	names := slices.Clone(o.Metrics)
	if len(names) == 0 {
		names = slices.Concat(slices.Collect(maps.Keys(a.samples)), slices.Collect(maps.Keys(b.samples)))
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		row := compareMetric(a.samples[name], b.samples[name])
		row.Metric, row.Better, row.Cost = name, DirectionOf(name), sweep.IsCost(name)
		switch {
		case len(o.Metrics) > 0:
			row.Family = FamilyNamed
		case row.Cost:
			row.Family = FamilyCosts
		case row.Better == Neither:
			row.Family = FamilyOther
		default:
			row.Family = FamilyJudged
		}
		r.Rows = append(r.Rows, row)
	}
	return r
}

func compareMetric(a, b []float64) (r Row) {
	r.A, r.B = estimate(a), estimate(b)
	if len(a) == 0 || len(b) == 0 {
		return r
	}
	delta := cliff(a, b)
	r.CliffsDelta = &delta
	if from, to := *r.A.Mean, *r.B.Mean; from == to {
		r.Change = new(float64)
	} else if from != 0 {
		change := 100 * (to - from) / math.Abs(from)
		r.Change = &change
	}
	if p, ok := mannWhitney(a, b); ok {
		corrected := p
		r.P, r.PHolm = &p, &corrected
	}
	return r
}

// correct corrects the p values of each family, and describes it.
func (r *Report) correct() {
	for _, name := range []string{FamilyNamed, FamilyJudged, FamilyOther, FamilyCosts} {
		f := Family{Name: name, LeastP: 1}
		var all []*float64
		for i := range r.Cells {
			for k := range r.Cells[i].Rows {
				row := &r.Cells[i].Rows[k]
				switch {
				case row.Family != name:
				case row.PHolm != nil:
					all = append(all, row.PHolm)
					f.LeastP = min(f.LeastP, leastP(row.A.N, row.B.N))
				case row.same():
				default:
					f.Untested++
				}
			}
		}
		holm(all)
		f.Tests = len(all)
		if f.Tests == 0 && f.Untested == 0 {
			continue
		}
		f.LeastP = min(f.LeastP*float64(f.Tests), 1)
		if f.Tests == 0 {
			f.LeastP = 1
		}
		f.RunsNeeded = runsNeeded(f.Tests+f.Untested, r.Alpha)
		r.Families = append(r.Families, f)
	}
}

// same reports whether all values are one.
func (r *Row) same() bool {
	return r.P == nil && r.A.N > 0 && r.B.N > 0 && r.one(r.A) && r.one(r.B) && *r.A.Mean == *r.B.Mean
}

func (r *Row) one(e Estimate) bool { return e.N == 1 || *e.Low == *e.High }

func (r *Row) verdict(o Options) Verdict {
	switch {
	case r.same():
		return Same
	case r.PHolm == nil:
		return Untested
	case *r.PHolm > o.Alpha:
		return Unclear
	case r.Change != nil && math.Abs(*r.Change) < o.ChangeMin:
		return Negligible
	}
	change := *r.B.Mean - *r.A.Mean
	if r.Better == Down {
		change = -change
	}
	rank := *r.CliffsDelta
	if r.Better == Down {
		rank = -rank
	}
	switch {
	case r.Better == Neither:
		return Differs
	case change > 0 && rank > 0:
		return Better
	case change < 0 && rank < 0:
		return Worse
	}
	return Differs
}

// Regressions returns the names of the metrics that regressed, with their cells.
func (r *Report) Regressions() (names []string) {
	for _, c := range r.Cells {
		for _, row := range c.Rows {
			if row.Regressed {
				names = append(names, strings.TrimPrefix(c.Name+": "+row.Metric, ": "))
			}
		}
	}
	return names
}

// ErrPowerless is the error of runs that are too few for any regression to be found.
var ErrPowerless = errors.New("compare: no regression can be found")

// CanRegress returns an error that says what to do if no regression could be found:
// the runs are so few, for so many tests, or it is of no metric known what is better.
func (r *Report) CanRegress() error {
	for _, f := range r.Families {
		if (f.Name == FamilyJudged || f.Name == FamilyNamed) && f.LeastP > r.Alpha {
			return fmt.Errorf("%w: %d tests of so few runs cannot give a p value of %v or less; have %d runs or more on each side, or name fewer metrics",
				ErrPowerless, f.Tests+f.Untested, r.Alpha, f.RunsNeeded)
		}
	}
	judged, least := false, 1.0
	for _, c := range r.Cells {
		least = min(least, leastP(c.RunsA, c.RunsB))
		judged = judged || slices.ContainsFunc(c.Rows, func(row Row) bool {
			return row.Better != Neither && (row.Family == FamilyJudged || row.Family == FamilyNamed)
		})
	}
	switch {
	case !judged:
		return fmt.Errorf("%w: of no metric that is compared it is known what is better; name others, such as announce.coverage_mean", ErrPowerless)
	case least > r.Alpha: // all values are the same, and with others there would be no test
		return fmt.Errorf("%w: no test of so few runs can give a p value of %v or less; have %d runs or more on each side",
			ErrPowerless, r.Alpha, runsNeeded(1, r.Alpha))
	}
	return nil
}
