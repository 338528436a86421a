package lab_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"peernet/experiments/lab"
)

// report runs an experiment, all of whose trials report m = 1, 2, 3 and so on by seed,
// and returns its report.
func report(t *testing.T, e *lab.Experiment) map[string]string {
	t.Helper()
	all, err := lab.Run(t.Context(), []*lab.Experiment{e}, lab.Options{Controls: true})
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "out")
	if err := lab.Write(dir, all); err != nil {
		t.Fatal(err)
	}
	return files(t, dir)
}

func bySeed(t *lab.Trial, p parameters) error {
	t.Measure("m", float64(t.Seed)+p.B)
	t.Measure("more", 7)
	t.Cost("seconds", 0.25)
	return nil
}

// The report has every verdict with its reason, the controls, the plots and the README.
func TestReport(t *testing.T) {
	e := fake(`
		{"name": "good", "seeds": 4, "expect": [{"measure": "m", "published": 2.5, "from": "Table 1"}]},
		{"name": "bad", "seeds": 4, "expect": [{"measure": "m", "least": 9, "from": "Table 2"}, {"measure": "none", "most": 1}]},
		{"name": "known", "seeds": 4, "expect": [{"measure": "m", "published": 9, "differs": "of the moon", "here": 2.4}]},
		{"name": "shown", "seeds": 4, "expect": [{"measure": "m", "published": 9, "ungated": "of the sun"}]}`, `
		{"name": "seen", "case": "good", "parameters": {"b": 50}, "fails": ["m"]},
		{"name": "missed", "case": "good", "parameters": {"a": 50}, "fails": ["m"]}`, bySeed)
	e.Plots = func(*lab.Results) []lab.Plot {
		return []lab.Plot{{Name: "first", Title: "The first", Lines: []lab.Line{{Name: "l", Points: []lab.XY{{1, 2, 0}, {2, 3, 0.5}}}}}, {Name: "empty", Title: "The second"}}
	}
	got := report(t, e)
	for _, want := range []string{
		"# fake: A fake\n\nNobody, 2001.\n\n**What failed: 3.**\n\n- bad, m: mean 2.5, sd 1.291, n 4\n- bad, none: no trial reported it\n- the control \"missed\" of good was not noticed by m\n",
		"| good | m | 2.5 | 1.291 | 4 | 2.5 | ± 1.99 | Table 1 | ok |\n",
		"| bad | m | 2.5 | 1.291 | 4 | at least 9 | ≥ 9 | Table 2 | **FAILED** |\n",
		"| bad | none | none |  | 0 | at most 1 |  |  | **FAILED** |\n",
		"| known | m | 2.5 | 1.291 | 4 | 9 | here 2.4 |  | **differs**: of the moon |\n",
		"| shown | m | 2.5 | 1.291 | 4 | 9 |  |  | not gated: of the sun |\n",
		"Control, wrong on purpose: *seen* (good): **noticed**.\n\n",
		"| good | m | 52.5 | 1.291 | 4 | 2.5 | ± 1.99 | Table 1 | **FAILED** |\n",
		"Control, wrong on purpose: *missed* (good): **NOT NOTICED by m**.\n\n",
		"\n![The first](fake-first.svg)\n", "\nNothing was measured for these plots: The second.\n",
		"\nMeasured besides:\n\n| case | measure | mean | sd | n |\n|---|---|--:|--:|--:|\n| good | more | 7 | 0 | 4 |\n",
		"\nWhat it cost on this machine is in costs.json.\n",
		"\n**Question.** None.\n",
	} {
		if !strings.Contains(got["report.md"], want) {
			t.Errorf("lacks %q in\n%s", want, got["report.md"])
		}
	}
	if strings.Contains(got["report.md"], "quick run") || strings.Contains(got["report.md"], "# Fake\n") {
		t.Errorf("says too much:\n%s", got["report.md"])
	}
	page := got["report.html"]
	if strings.Count(page, "<svg") != 1 || strings.Contains(page, "<img") || strings.Count(page, "</table>") != 4 || !strings.Contains(page, "<strong>Question.</strong> None.") {
		t.Errorf("the page is\n%s", page)
	}
	if got["fake-empty.svg"] != "" {
		t.Error("there is a plot of nothing")
	}
}

func TestQuickReportSaysSo(t *testing.T) {
	e := fake(`{"name": "one", "seeds": 4, "quick": 2}`, ``, bySeed)
	all, err := lab.Run(t.Context(), []*lab.Experiment{e}, lab.Options{Quick: true})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := lab.Write(dir, all); err != nil {
		t.Fatal(err)
	}
	if got := files(t, dir); !strings.Contains(got["report.md"], "A quick run: fewer seeds") || !strings.Contains(got["results.json"], `"quick": true`) {
		t.Errorf("%s\n%s", got["report.md"], got["results.json"])
	}
}

// Names and reasons do not break the tables that they are in.
func TestTablesStayWhole(t *testing.T) {
	got := report(t, fake(`
		{"name": "a|b *c* <i>d</i>", "seeds": 4, "expect": [{"measure": "m", "published": 9, "from": "Table|1", "differs": "x | y\nz", "here": 1}]},
		{"name": "e", "seeds": 4, "expect": [{"measure": "m", "below": "a|b *c* <i>d</i>", "ungated": "x|y"}]}`,
		`{"name": "p|q *r*", "case": "a|b *c* <i>d</i>", "fails": ["m"]}`, bySeed))
	rows := 0
	for line := range strings.Lines(got["report.md"]) {
		if !strings.HasPrefix(line, "| ") || strings.Count(line, " | ") == 4 { // of what is held against nothing

			continue
		}
		rows++
		if n := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|"); n != 10 {
			t.Errorf("%d columns in %s", n-1, line)
		}
	}
	if rows != 5 {
		t.Errorf("%d rows in\n%s", rows, got["report.md"])
	}
	for _, want := range []string{"<td>a|b *c* &lt;i&gt;d&lt;/i&gt;</td>", ">Table|1</td>", "<strong>differs</strong>: x | y z</td>", "below a|b", "not gated: x|y</td>", "<em>p|q *r*</em>"} {
		if !strings.Contains(got["report.html"], want) {
			t.Errorf("lacks %q in\n%s", want, got["report.html"])
		}
	}
}

// A report in the directory of another leaves none of its plots behind, and nothing else of
// the user's goes.
func TestAnotherReportInItsPlace(t *testing.T) {
	dir := t.TempDir()
	write := func(plot string) {
		e := fake(`{"name": "one", "seeds": 1}`, ``, bySeed)
		e.Plots = func(*lab.Results) []lab.Plot {
			return []lab.Plot{{Name: plot, Title: "A plot", Lines: []lab.Line{{Name: "l", Points: []lab.XY{{1, 2, 0}}}}}}
		}
		all, err := lab.Run(t.Context(), []*lab.Experiment{e}, lab.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := lab.Write(dir, all); err != nil {
			t.Fatal(err)
		}
	}
	write("first")
	if err := os.WriteFile(filepath.Join(dir, "mine.svg"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	write("second")
	for name, want := range map[string]bool{"fake-first.svg": false, "fake-second.svg": true, "mine.svg": true} {
		if _, err := os.Stat(filepath.Join(dir, name)); (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Programs read the results: what was not measured is null, not 0.
func TestJSON(t *testing.T) {
	got := report(t, fake(`{"name": "one", "seeds": 4, "expect": [{"measure": "m", "published": 2.5, "from": "Table 1"}, {"measure": "none", "most": 1}]}`,
		`{"name": "seen", "case": "one", "parameters": {"b": 50}, "fails": ["m"]}, {"name": "missed", "case": "one", "fails": ["m"]}`, bySeed))
	var out any
	if err := json.Unmarshal([]byte(got["results.json"]), &out); err != nil {
		t.Fatal(err)
	}
	want := `{"experiments":[{"cases":[{"name":"one","seeds":"1..4"}],` +
		`"controls":[{"case":"one","name":"seen","noticed":true,"parameters":{"b":50},"seeds":"1..4"},{"case":"one","missed":["m"],"name":"missed","noticed":false,"seeds":"1..4"}],"name":"fake","ok":false,` +
		`"others":[{"case":"one","mean":7,"measure":"more","n":4,"sd":0}],"quick":false,` +
		`"rows":[{"allowed":"± 1.99","case":"one","from":"Table 1","mean":2.5,"measure":"m","n":4,"published":"2.5","sd":1.2909944487358056,"verdict":"ok"},` +
		`{"case":"one","mean":null,"measure":"none","n":0,"published":"at most 1","sd":null,"verdict":"FAILED"}],"source":"Nobody, 2001"}]}`
	if text, _ := json.Marshal(out); string(text) != want {
		t.Errorf("results are\n%s, want\n%s", text, want)
	}
	if !strings.Contains(got["costs.json"], `"seconds"`) || strings.Contains(got["results.json"]+got["report.md"]+got["report.html"], "seconds") {
		t.Error("costs are not where they belong")
	}
}

// Plots are drawings whatever the values are: none, one, zeros on a logarithmic axis.
func TestPlots(t *testing.T) {
	for name, points := range map[string][]lab.XY{
		"none": nil, "one": {{1, 1, 0}}, "zeros": {{0, 0, 0}, {1, 0, 0}}, "from zero": {{0, 1, 0}, {1, 1, 0}}, "bars": {{1, 0.001, 5}, {2, 100, 1}}, "constant": {{1, 3, 0}, {2, 3, 0}}, "negative": {{-1, -5, 1}, {2, -3, 0}},
	} {
		for _, log := range []bool{false, true} {
			p := lab.Plot{Name: "p", Title: "a < b & c", LogX: log, LogY: log, Lines: []lab.Line{{Name: "x<y", Points: points}, {Name: "z", Points: points, Published: true}, {Name: "d", Points: points, Dashed: true}}}
			svg, err := p.SVG()
			if err != nil {
				t.Errorf("%s, log %v: %v", name, log, err)
				continue
			}
			d := xml.NewDecoder(strings.NewReader(string(svg)))
			for err == nil {
				_, err = d.Token()
			}
			if !errors.Is(err, io.EOF) || strings.Contains(string(svg), "NaN") || strings.Contains(string(svg), "Inf") {
				t.Errorf("%s, log %v: %v in\n%s", name, log, err, svg)
			}
		}
	}
}

// A plot whose name is taken, or that a report cannot link to, would be missing in it.
func TestNamesOfPlots(t *testing.T) {
	for _, names := range [][]string{{"a", "a"}, {"a b"}, {""}, {"../a"}, {"a)"}} {
		e := fake(`{"name": "one", "seeds": 1}`, ``, bySeed)
		e.Plots = func(*lab.Results) (all []lab.Plot) {
			for _, name := range names {
				all = append(all, lab.Plot{Name: name})
			}
			return all
		}
		all, err := lab.Run(t.Context(), []*lab.Experiment{e}, lab.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := lab.Write(t.TempDir(), all); err == nil || !strings.Contains(err.Error(), "experiment fake: plot") {
			t.Errorf("plots %q: %v", names, err)
		}
	}
}

func TestByName(t *testing.T) {
	for name, want := range map[string]float64{"a, 5 % dead": 5, "a, 0.25 % dead": 0.25, "a, 5 % dead, too": -1, "b, 5 % dead": -1, "a, x % dead": -1, "a,": -1} {
		if x, ok := lab.ByName("a, %g % dead")(&lab.CaseResult{Case: lab.Case{Name: name}}); ok != (want >= 0) || ok && x != want {
			t.Errorf("%q is %v, %v", name, x, ok)
		}
	}
}

// A measure over cases: means with their errors, and what was published.
func TestAcross(t *testing.T) {
	r := &lab.Results{Cases: []*lab.CaseResult{
		result("one", 4, around(10, 1, 4), lab.Expectation{Measure: "m", Published: "11"}),
		result("not in it", 4, around(12, 1, 4)),
		result("not measured", 4, nil, lab.Expectation{Measure: "m", Published: "13"}, lab.Expectation{Measure: "other", Published: "1"}),
	}}
	lines := r.Across("m", "a", func(c *lab.CaseResult) (float64, bool) {
		return float64(len(c.Case.Name)), c.Case.Name != "not in it"
	})
	if len(lines) != 2 {
		t.Fatalf("%d lines", len(lines))
	}
	a, b := lines[0], lines[1]
	if a.Name != "a" || a.Published || len(a.Points) != 1 || a.Points[0].X != 3 || !near(a.Points[0].Y, 10) || !near(a.Points[0].Error, 1.5) {
		t.Errorf("%+v", a)
	}
	if b.Name != "a, published" || !b.Published || len(b.Points) != 2 || b.Points[0] != (lab.XY{X: 3, Y: 11}) || b.Points[1] != (lab.XY{X: 12, Y: 13}) {
		t.Errorf("%+v", b)
	}
	if lines := r.Across("none", "a", func(*lab.CaseResult) (float64, bool) { return 0, true }); len(lines) != 1 || len(lines[0].Points) != 0 {
		t.Errorf("%+v", lines)
	}
}
