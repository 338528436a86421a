package lab_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"peernet/experiments/lab"
)

// around returns n values, an even number, with this mean and sample standard deviation.
func around(mean, sd float64, n int) (values []float64) {
	off := sd * math.Sqrt(float64(n-1)/float64(n))
	for i := range n {
		values = append(values, mean+off*float64(1-i%2*2))
	}
	return values
}

// result is what the trials of a case reported of the measure m.
func result(name string, seeds int, values []float64, expect ...lab.Expectation) *lab.CaseResult {
	c := &lab.CaseResult{Case: lab.Case{Name: name, Seeds: seeds, Expect: expect}, Seeds: make([]uint64, len(values))}
	if len(values) == 0 { // they ran, and did not report it
		c.Seeds = make([]uint64, seeds)
	} else {
		c.Measures = []*lab.Sample{{Name: "m", Values: values}}
	}
	return c
}

// judge holds the values of a case that asks for a number of seeds against an expectation
// of the measure m. Where it is below, the values of the other case are those of other.
func judge(t *testing.T, x lab.Expectation, seeds int, values, other []float64) lab.Row {
	t.Helper()
	x.Measure = "m"
	r := &lab.Results{Experiment: &lab.Experiment{}, Cases: []*lab.CaseResult{result("this", seeds, values, x), result("other", seeds, other)}}
	rows := r.Rows()
	if len(rows) != 1 {
		t.Fatalf("%d rows", len(rows))
	}
	return rows[0]
}

// The range that a mean is held against, as the package's documentation has it, and both
// of its ends.
func TestRanges(t *testing.T) {
	none := math.Inf(1)
	fewer := 3 * math.Sqrt(1./4-1./16) // 4 seeds of 16, with sd 1
	for _, test := range []struct {
		name      string
		x         lab.Expectation
		seeds, n  int
		sd        float64
		low, high float64
	}{
		{"half a digit and three standard errors", lab.Expectation{Published: "10"}, 4, 4, 1, 8, 12},
		{"of more seeds", lab.Expectation{Published: "10"}, 16, 16, 1, 8.75, 11.25},
		{"fewer seeds than asked for change nothing else", lab.Expectation{Published: "10"}, 16, 4, 1, 8, 12},
		{"decimals", lab.Expectation{Published: "6.10"}, 4, 4, 0, 6.095, 6.105},
		{"exponent", lab.Expectation{Published: "3.1e-2"}, 4, 4, 0, 0.0305, 0.0315},
		{"negative", lab.Expectation{Published: "-2.5"}, 4, 4, 1, -4.05, -0.95},
		{"a tolerance, all seeds", lab.Expectation{Published: "10", Tolerance: "0.25"}, 16, 16, 1, 9.75, 10.25},
		{"a tolerance, fewer seeds", lab.Expectation{Published: "10", Tolerance: "0.25"}, 16, 4, 1, 9.75 - fewer, 10.25 + fewer},
		{"a tolerance, more seeds", lab.Expectation{Published: "10", Tolerance: "0.25"}, 4, 16, 1, 9.75, 10.25},
		{"a tolerance of nothing, fewer seeds", lab.Expectation{Published: "0.3", Tolerance: "0"}, 16, 4, 1, 0.3, 0.3},
		{"a tolerance of nothing", lab.Expectation{Published: "0.3", Tolerance: "0"}, 4, 4, 0, 0.3, 0.3},
		{"at least", lab.Expectation{Least: "10"}, 16, 16, 1, 10, none},
		{"at least, fewer seeds", lab.Expectation{Least: "10"}, 16, 4, 1, 10, none},
		{"at most", lab.Expectation{Most: "10"}, 16, 16, 1, -none, 10},
		{"at most, fewer seeds", lab.Expectation{Most: "10"}, 16, 4, 1, -none, 10},
		{"between", lab.Expectation{Least: "9", Most: "10"}, 16, 4, 1, 9, 10},
	} {
		for _, at := range []struct {
			mean float64
			want lab.Verdict
		}{{test.low - 1e-6, lab.Failed}, {test.low, lab.OK}, {test.high, lab.OK}, {test.high + 1e-6, lab.Failed}} {
			if math.IsInf(at.mean, 0) {
				continue
			}
			row := judge(t, test.x, test.seeds, around(at.mean, test.sd, test.n), nil)
			if row.Verdict != at.want || !near(row.Low, test.low) || !near(row.High, test.high) || row.N != test.n || !near(row.Mean, at.mean) || !near(row.SD, test.sd) {
				t.Errorf("%s: mean %v is %s, in %v to %v; want %s, in %v to %v", test.name, at.mean, row.Verdict, row.Low, row.High, at.want, test.low, test.high)
			}
		}
	}
}

func near(a, b float64) bool { return a == b || math.Abs(a-b) < 1e-9 }

// Three standard errors of the difference are between the means of cases that are in an
// order.
func TestBelow(t *testing.T) {
	x := lab.Expectation{Below: "other"}
	// Standard errors of 0.3 and 0.4: 0.5 of the difference.
	other := around(10, 1.6, 16)
	for mean, want := range map[float64]lab.Verdict{8.499: lab.OK, 8.501: lab.Failed, 10: lab.Failed, 12: lab.Failed} {
		row := judge(t, x, 4, around(mean, 0.6, 4), other)
		if row.Verdict != want || !near(row.High, 8.5) {
			t.Errorf("%v below 10 is %s, at most %v", mean, row.Verdict, row.High)
		}
	}
	for mean, want := range map[float64]lab.Verdict{1: lab.OK, 2: lab.Failed} {
		if row := judge(t, x, 4, around(mean, 0, 4), around(2, 0, 4)); row.Verdict != want {
			t.Errorf("%v below 2, both without any error, is %s", mean, row.Verdict)
		}
	}
	if row := judge(t, x, 4, around(1, 0.1, 4), []float64{10}); row.Verdict != lab.Ungated || row.Reason() != "takes 2 seeds, and these are 1" || row.Allowed() != "" {
		t.Errorf("below one value is %s, %s", row.Verdict, row.Allowed())
	}
	if row := judge(t, x, 4, around(1, 0.1, 4), nil); row.Verdict != lab.Failed {
		t.Errorf("below what was not measured is %s", row.Verdict)
	}
	r := &lab.Results{Cases: []*lab.CaseResult{result("this", 4, around(1, 1, 4), lab.Expectation{Measure: "m", Below: "other"})}}
	if rows := r.Rows(); len(rows) != 1 || rows[0].Verdict != lab.Ungated || rows[0].Reason() != "that case was left out" || rows[0].N != 4 {
		t.Errorf("below a case that was left out is %v", rows)
	}
}

func TestVerdictsThatAreNotOfTheMean(t *testing.T) {
	good, bad := around(10, 1, 4), around(20, 1, 4)
	for _, test := range []struct {
		name   string
		x      lab.Expectation
		values []float64
		want   lab.Verdict
	}{
		{"differs", lab.Expectation{Published: "10", Differs: "why", Here: "21"}, bad, lab.Differs},
		{"differs from a bound", lab.Expectation{Most: "10", Differs: "why", Here: "21"}, bad, lab.Differs},
		{"differs, and is not what comes out here", lab.Expectation{Published: "10", Differs: "why", Here: "23"}, bad, lab.Failed},
		{"differs, and yet reproduces", lab.Expectation{Published: "10", Differs: "why", Here: "20"}, good, lab.OK},
		{"differs does not excuse what was not measured", lab.Expectation{Published: "10", Differs: "why", Here: "20"}, nil, lab.Failed},
		{"one value that may differ", lab.Expectation{Most: "10", Differs: "why", Here: "21"}, []float64{21}, lab.Ungated},
		{"ungated", lab.Expectation{Published: "10", Ungated: "why"}, bad, lab.Ungated},
		{"ungated, and yet reproduces", lab.Expectation{Published: "10", Ungated: "why"}, good, lab.Ungated},
		{"too few values", lab.Expectation{Published: "10", Needs: 5}, bad, lab.Ungated},
		{"enough values", lab.Expectation{Published: "10", Needs: 4}, bad, lab.Failed},
		{"not measured", lab.Expectation{Published: "10"}, nil, lab.Failed},
		{"three of four values", lab.Expectation{Published: "10"}, []float64{9, 10, 11}, lab.Ungated},
		{"one value of four, with a tolerance", lab.Expectation{Published: "10", Tolerance: "0.1"}, []float64{10.05}, lab.Ungated},
		{"one value of four, off the tolerance", lab.Expectation{Published: "10", Tolerance: "0.1"}, []float64{10.15}, lab.Ungated},
		{"one value, exact", lab.Expectation{Published: "10", Tolerance: "0"}, []float64{10}, lab.OK},
		{"one value, not exact", lab.Expectation{Published: "10", Tolerance: "0"}, []float64{10.1}, lab.Failed},
		{"one value, with a bound", lab.Expectation{Most: "10"}, []float64{9}, lab.OK},
		{"one value in an order", lab.Expectation{Below: "other"}, []float64{1}, lab.Ungated},
		{"not measured, ungated", lab.Expectation{Published: "10", Ungated: "why"}, nil, lab.Ungated},
		{"no number", lab.Expectation{Published: "10"}, []float64{10, math.NaN(), 10, 10}, lab.Failed},
	} {
		if row := judge(t, test.x, 4, test.values, good); row.Verdict != test.want {
			t.Errorf("%s: %s, want %s", test.name, row.Verdict, test.want)
		}
	}
	for value, want := range map[float64]lab.Verdict{10.05: lab.OK, 10.15: lab.Failed} {
		if row := judge(t, lab.Expectation{Published: "10", Tolerance: "0.1"}, 1, []float64{value}, nil); row.Verdict != want {
			t.Errorf("%v, of a case of one seed, is %s", value, row.Verdict)
		}
	}
	if row := judge(t, lab.Expectation{Published: "10", Differs: "why", Here: "20"}, 4, good, nil); row.Reason() != "these seeds do not tell it from what was published, though it differs: why" {
		t.Errorf("what reproduces, and was to differ, says %q", row.Reason())
	}
	if row := judge(t, lab.Expectation{Published: "10", Needs: 5}, 4, bad, nil); row.Expectation.Ungated != "takes 5 seeds, and these are 4" {
		t.Errorf("the reason is %q", row.Expectation.Ungated)
	}
}

// What is so rare that no trial of a short run saw it says as little as what few saw; of
// enough trials it is missing.
func TestNeedsWithoutValues(t *testing.T) {
	for seeds, want := range map[int]lab.Verdict{4: lab.Ungated, 5: lab.Failed} {
		c := result("this", 100, nil, lab.Expectation{Measure: "m", Published: "10", Needs: 5})
		c.Seeds = make([]uint64, seeds)
		if row := (&lab.Results{Cases: []*lab.CaseResult{c}}).Rows()[0]; row.Verdict != want {
			t.Errorf("%d seeds: %s, want %s", seeds, row.Verdict, want)
		}
	}
}

// A trial that does not report a measure fails it, unless some may.
func TestMissingValues(t *testing.T) {
	for _, x := range []lab.Expectation{{Published: "10"}, {Published: "10", Tolerance: "9"}, {Least: "1"}, {Most: "20"}, {Below: "other"}, {Published: "10", Needs: 6}} {
		x.Measure = "m"
		for some, want := range map[bool]lab.Verdict{false: lab.Failed, true: lab.OK} {
			if x.Some = some; x.Needs > 0 {
				want = lab.Failed // 6 of 8 seeds are too few values for it, and not too few seeds
			}
			c := result("this", 8, around(10, 1, 4), x)
			c.Seeds = make([]uint64, 8)
			r := &lab.Results{Cases: []*lab.CaseResult{c, result("other", 8, around(30, 1, 8))}}
			if row := r.Rows()[0]; row.Verdict != want {
				t.Errorf("%+v, 4 values of 8 seeds: %s, want %s", x, row.Verdict, want)
			}
		}
	}
}

// controlled are the results of a case whose measure reproduces, and of a control of it.
func controlled(x lab.Expectation, control []float64, fails ...string) *lab.Results {
	x.Measure = "m"
	r := &lab.Results{Experiment: &lab.Experiment{}, Cases: []*lab.CaseResult{result("this", 4, around(10, 1, 4), x)}}
	c := result("this", 4, control, x)
	c.Control = &lab.Control{Name: "wrong", Case: "this", Fails: fails}
	r.Controls = append(r.Controls, c)
	return r
}

// A control has to fail: one that passes, that was not measured, or that no verdict is on,
// fails the check.
func TestControls(t *testing.T) {
	published := lab.Expectation{Published: "10"}
	for _, test := range []struct {
		name    string
		x       lab.Expectation
		control []float64
		noticed bool
	}{
		{"fails", published, around(20, 1, 4), true},
		{"passes", published, around(10, 1, 4), false},
		{"not measured", published, nil, false},
		{"too few values", lab.Expectation{Published: "10", Needs: 5}, around(20, 1, 4), false},
		{"one value", published, []float64{20}, false},
		{"one value, with a tolerance", lab.Expectation{Published: "10", Tolerance: "5"}, []float64{20}, false},
		{"one value, with a bound", lab.Expectation{Most: "15"}, []float64{20}, true},
		{"differs as its case does", lab.Expectation{Published: "12", Differs: "why", Here: "10"}, around(10, 1, 4), false},
		{"differs more than its case does", lab.Expectation{Published: "12", Differs: "why", Here: "10"}, around(20, 1, 4), true},
	} {
		r := controlled(test.x, test.control, "m")
		row := r.ControlRows()[0]
		if noticed := len(row.Missed) == 0; noticed != test.noticed || row.Name != "wrong" || row.Case != "this" {
			t.Errorf("%s: %+v, want noticed %v", test.name, row, test.noticed)
		}
		want := []string{`the control "wrong" of this was not noticed by m`}
		if test.noticed {
			want = nil
		}
		if failed := r.Failed(); !slices.Equal(failed, want) {
			t.Errorf("%s: failed are %q", test.name, failed)
		}
	}
	if rows := controlled(lab.Expectation{Published: "10", Needs: 5}, around(20, 1, 4), "m").ControlRows()[0].Rows; len(rows) != 0 {
		t.Errorf("rows without a verdict are %v", rows)
	}
	// An order with a case that was not run says nothing of a control.
	r := controlled(lab.Expectation{Below: "other"}, around(20, 1, 4), "m")
	if row := r.ControlRows()[0]; len(row.Missed) != 0 || !slices.Equal(row.LeftOut, []string{"m"}) || row.Word() != "not judged, as cases or seeds were left out: m" {
		t.Errorf("%+v", row)
	}
	// Nor do too few seeds, if they were chosen.
	r = controlled(lab.Expectation{Published: "10", Needs: 5}, around(20, 1, 4), "m")
	r.Chosen = true
	if row := r.ControlRows()[0]; len(row.Missed) != 0 || !slices.Equal(row.LeftOut, []string{"m"}) {
		t.Errorf("%+v", row)
	}
	// Each of the measures has to fail, and no other counts.
	r = controlled(published, around(20, 1, 4), "m", "other")
	if missed := r.ControlRows()[0].Missed; !slices.Equal(missed, []string{"other"}) {
		t.Errorf("missed are %v", missed)
	}
	r = controlled(published, around(20, 1, 4), "other")
	if row := r.ControlRows()[0]; len(row.Rows) != 0 || len(row.Missed) != 1 {
		t.Errorf("%+v", row)
	}
}

// A mean has digits enough to be compared with what is allowed.
func TestDigitsOfMeans(t *testing.T) {
	for _, test := range []struct {
		x    lab.Expectation
		mean float64
		want string
	}{
		{lab.Expectation{Published: "50.4504504504504", Tolerance: "1e-12"}, 50.450450450450, "50.4504504504500"},
		{lab.Expectation{Published: "50.4", Tolerance: "1"}, 50.45045045, "50.45"},
		{lab.Expectation{Published: "3", Tolerance: "0"}, 3, "3"},
		{lab.Expectation{Least: "3"}, 3.123456, "3.1235"},
	} {
		if row := judge(t, test.x, 4, around(test.mean, 0, 4), nil); row.MeanText() != test.want {
			t.Errorf("%+v: %s, want %s", test.x, row.MeanText(), test.want)
		}
	}
}

// What failed is named, with what was measured.
func TestFailed(t *testing.T) {
	missing := result("missing", 5, around(10, 1, 4), lab.Expectation{Measure: "m", Published: "10"})
	missing.Seeds = make([]uint64, 5)
	r := &lab.Results{Cases: []*lab.CaseResult{
		result("good", 4, around(10, 1, 4), lab.Expectation{Measure: "m", Published: "10"}),
		result("bad", 4, []float64{20, 20.5, 21, 20.5}, lab.Expectation{Measure: "m", Published: "10"}, lab.Expectation{Measure: "k", Least: "1"}),
		missing,
		result("known", 4, around(20, 1, 4), lab.Expectation{Measure: "m", Published: "10", Differs: "why", Here: "20"}),
	}}
	if got, want := strings.Join(r.Failed(), "\n"), "bad, m: mean 20.5, sd 0.40825, n 4\nbad, k: no trial reported it\nmissing, m: mean 10, sd 1, n 4: some trials did not report it; if that is meant, \"some\" is to be true"; got != want {
		t.Errorf("failed are\n%s", got)
	}
}

func TestPublishedAndAllowed(t *testing.T) {
	for _, test := range []struct {
		x                  lab.Expectation
		published, allowed string
	}{
		{lab.Expectation{Published: "3.10", Tolerance: "0.25"}, "3.10", "± 0.25"},
		{lab.Expectation{Least: "2"}, "at least 2", "≥ 2"},
		{lab.Expectation{Most: "2"}, "at most 2", "≤ 2"},
		{lab.Expectation{Least: "2", Most: "4"}, "2 to 4", "2 to 4"},
		{lab.Expectation{Published: "3", Ungated: "why"}, "3", ""},
		{lab.Expectation{Published: "9", Differs: "why", Here: "3.1"}, "9", "here 3.1"},
	} {
		row := judge(t, test.x, 4, around(3, 1, 4), nil)
		if row.Published() != test.published || row.Allowed() != test.allowed {
			t.Errorf("%+v: published %q, allowed %q", test.x, row.Published(), row.Allowed())
		}
	}
	if row := judge(t, lab.Expectation{Below: "other"}, 4, around(3, 0, 4), around(5, 0, 4)); row.Published() != "below other" || row.Allowed() != "< 5" {
		t.Errorf("published %q, allowed %q", row.Published(), row.Allowed())
	}
}
