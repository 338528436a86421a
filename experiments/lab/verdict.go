package lab

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A Row is one line of the table: a measure, what was published, and the verdict.
type Row struct {
	Case, Measure string
	N             int // values; 0 if no trial reported the measure
	Mean, SD      float64
	Expectation   Expectation
	// Low and High are the bounds that the mean was held against, infinite where there
	// is none.
	Low, High float64
	Verdict   Verdict

	// leftOut is set where the case that it has to be below was not run.
	leftOut bool
	tooFew  bool // seeds, for a verdict
}

// A Verdict is what a check found.
type Verdict string

// The verdicts.
const (
	OK      Verdict = "ok"
	Failed  Verdict = "FAILED"
	Differs Verdict = "differs" // it does not reproduce, and expected.json says why
	Ungated Verdict = "not gated"
)

// Rows returns the table of the cases that were run.
func (r *Results) Rows() (rows []Row) {
	for _, c := range r.Cases {
		rows = append(rows, r.rows(c)...)
	}
	return rows
}

func (r *Results) rows(c *CaseResult) (rows []Row) {
	for _, x := range c.Case.Expect {
		rows = append(rows, r.judge(c, x))
	}
	return rows
}

// judge holds a measure of a case against an expectation.
func (r *Results) judge(c *CaseResult, x Expectation) Row {
	row := Row{Case: c.Case.Name, Measure: x.Measure, Expectation: x, Low: math.Inf(-1), High: math.Inf(1), Verdict: Failed}
	s := c.Measure(x.Measure)
	if s != nil {
		row.N, row.Mean, row.SD = s.N(), s.Mean(), s.SD()
	}
	needs, seeds := x.needs(c.Case.Seeds), len(c.Seeds)
	var other *CaseResult
	if x.Below != "" {
		if other = r.Find(x.Below); other != nil {
			seeds = min(seeds, len(other.Seeds))
		}
	}
	switch {
	case x.Ungated != "":
		row.ungated(x.Ungated)
	case x.Below != "" && other == nil:
		row.leftOut = true
		row.ungated("that case was left out")
	case seeds < needs:
		row.tooFew = true
		row.ungated(fmt.Sprintf("takes %d seeds, and these are %d", needs, seeds))
	}
	if s == nil || row.N < min(needs, seeds) || !x.Some && row.N < len(c.Seeds) || other != nil && other.Measure(x.Measure) == nil {
		return row // what is missing is no value
	}
	switch {
	case other != nil:
		o := other.Measure(x.Measure)
		row.High = o.Mean() - 3*math.Hypot(s.StandardError(), o.StandardError())
	case x.Published != "":
		slack := x.slack(x.Published, s, c.Case.Seeds)
		row.Low, row.High = x.Published.Value()-slack, x.Published.Value()+slack
	case x.Below == "":
		if x.Least != "" {
			row.Low = x.Least.Value()
		}
		if x.Most != "" {
			row.High = x.Most.Value()
		}
	}
	switch {
	case row.Verdict == Ungated:
	case row.within():
		row.Verdict = OK
	case x.Here != "" && math.Abs(row.Mean-x.Here.Value()) <= x.slack(x.Here, s, c.Case.Seeds)+rounding:
		row.Verdict = Differs
	}
	return row
}

// slack is how far a mean may be off a value.
func (x Expectation) slack(value Number, s *Sample, seeds int) float64 {
	if x.Tolerance == "" {
		return value.HalfDigit() + 3*s.StandardError()
	}
	slack := x.Tolerance.Value()
	if slack > 0 { // what is exact is so with any seeds
		slack += fewer(s, seeds)
	}
	return slack
}

// ungated takes the verdict away, and says why.
func (row *Row) ungated(why string) { row.Verdict, row.Expectation.Ungated = Ungated, why }

// rounding is for sums of decimals that should be equal, and may differ in the last bit.
const rounding = 1e-12

// within reports whether the mean is in the bounds.
func (row Row) within() bool {
	if row.Expectation.Below != "" {
		return row.Mean < row.High // measures without any error that are equal are in no order
	}
	return row.Mean >= row.Low-rounding*math.Abs(row.Low) && row.Mean <= row.High+rounding*math.Abs(row.High)
}

// fewer is three standard errors of the difference between the mean over the seeds that
// were asked for, and that over the first of them.
func fewer(s *Sample, seeds int) float64 {
	return 3 * s.SD() * math.Sqrt(max(0, 1/float64(s.N())-1/float64(seeds)))
}

// A ControlRow says whether a control was noticed.
type ControlRow struct {
	Name, Case string
	Rows       []Row    // the measures that have to fail
	Missed     []string // those that did not
	LeftOut    []string // those that could not be judged, since seeds or another case were not run
}

// Word says whether the control was noticed.
func (c ControlRow) Word() string {
	switch {
	case len(c.Missed) > 0:
		return "NOT NOTICED by " + strings.Join(c.Missed, ", ")
	case len(c.LeftOut) > 0:
		return "not judged, as cases or seeds were left out: " + strings.Join(c.LeftOut, ", ")
	}
	return "noticed"
}

// ControlRows returns what became of the controls.
func (r *Results) ControlRows() (rows []ControlRow) {
	for _, c := range r.Controls {
		row := ControlRow{Name: c.Control.Name, Case: c.Case.Name}
		judged := r.rows(c)
		for _, j := range judged {
			if slices.Contains(c.Control.Fails, j.Measure) && j.Verdict != Ungated {
				row.Rows = append(row.Rows, j)
			}
		}
		for _, m := range c.Control.Fails {
			noticed := func(j Row) bool {
				return j.Measure == m && j.N > 0 && j.Verdict == Failed
			}
			switch {
			case slices.ContainsFunc(row.Rows, noticed):
			case slices.ContainsFunc(judged, func(j Row) bool { return j.Measure == m && (j.leftOut || j.tooFew && r.Chosen) }):
				row.LeftOut = append(row.LeftOut, m)
			default:
				row.Missed = append(row.Missed, m)
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// A Tally is how many verdicts there are of each kind, and how many controls were noticed
// of those that could be judged.
type Tally struct {
	Verdicts          map[Verdict]int
	Controls, Noticed int
}

// Add counts results.
func (t *Tally) Add(r *Results) {
	if t.Verdicts == nil {
		t.Verdicts = map[Verdict]int{}
	}
	for _, row := range r.Rows() {
		t.Verdicts[row.Verdict]++
	}
	for _, c := range r.ControlRows() {
		switch {
		case len(c.Missed) > 0:
			t.Controls++
		case len(c.LeftOut) == 0:
			t.Controls, t.Noticed = t.Controls+1, t.Noticed+1
		}
	}
}

// Failed returns what is wrong, a line each; nothing if all is well.
func (r *Results) Failed() (failures []string) {
	for _, row := range r.Rows() {
		if row.Verdict == Failed {
			failures = append(failures, fmt.Sprintf("%s, %s: %s", row.Case, row.Measure, row.Ours()))
		}
	}
	for _, c := range r.ControlRows() {
		if len(c.Missed) > 0 {
			failures = append(failures, fmt.Sprintf("the control %q of %s was not noticed by %s", c.Name, c.Case, strings.Join(c.Missed, ", ")))
		}
	}
	return failures
}

// Ours formats the mean, with the standard deviation and the number of values.
func (row Row) Ours() string {
	if row.N == 0 {
		return "no trial reported it"
	}
	text := fmt.Sprintf("mean %s, sd %s, n %d", Format(row.Mean), Format(row.SD), row.N)
	if math.IsInf(row.Low, -1) && math.IsInf(row.High, 1) {
		text += `: some trials did not report it; if that is meant, "some" is to be true`
	}
	return text
}

// MeanText formats the mean, with digits enough to compare it with what is allowed.
func (row Row) MeanText() string {
	slack := (row.High - row.Low) / 2
	if row.N == 0 || row.Verdict == Ungated || math.IsInf(slack, 0) || !(slack > 0) || slack >= math.Abs(row.Mean)*1e-4 {
		return Format(row.Mean)
	}
	return strconv.FormatFloat(row.Mean, 'f', min(15, 1-int(math.Floor(math.Log10(slack)))), 64)
}

// Published formats what the mean was to be.
func (row Row) Published() string {
	x := row.Expectation
	switch {
	case x.Published != "":
		return string(x.Published)
	case x.Below != "":
		return "below " + x.Below
	case x.Least != "" && x.Most != "":
		return string(x.Least) + " to " + string(x.Most)
	case x.Least != "":
		return "at least " + string(x.Least)
	}
	return "at most " + string(x.Most)
}

// Allowed formats what was accepted: a range about the published value, or a bound.
func (row Row) Allowed() string {
	switch {
	case row.N == 0 || row.Verdict == Ungated || math.IsInf(row.Low, -1) && math.IsInf(row.High, 1):
		return ""
	case row.Verdict == Differs:
		return "here " + string(row.Expectation.Here)
	case row.Expectation.Below != "":
		return "< " + Format(row.High)
	case math.IsInf(row.Low, -1):
		return "≤ " + Format(row.High)
	case math.IsInf(row.High, 1):
		return "≥ " + Format(row.Low)
	case row.Expectation.Published != "":
		return "± " + strconv.FormatFloat((row.High-row.Low)/2, 'g', 3, 64)
	}
	return Format(row.Low) + " to " + Format(row.High)
}

// Reason says why a row is not gated, or differs; empty where it is neither.
func (row Row) Reason() string {
	switch row.Verdict {
	case Ungated:
		return row.Expectation.Ungated
	case Differs:
		return row.Expectation.Differs
	case OK:
		if row.Expectation.Differs != "" {
			return "these seeds do not tell it from what was published, though it differs: " + row.Expectation.Differs
		}
	}
	return ""
}
