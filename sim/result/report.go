package result

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
)

//go:embed report.html
var pageText string

//go:embed report.css
var pageStyle string

// page is the report. All that comes from a run goes through its escaping.
var page = template.Must(template.New("report").Parse(pageText))

// pageData is what the page shows.
type pageData struct {
	Style       template.CSS
	Name        string
	Partial     bool
	Facts       []fact // about the run
	Rerun       string
	Checks      []checkRow
	Verdict     string
	Failed      bool
	ChecksLeft  int    // that are not shown
	Changed     string // of the scenario, what differs from the defaults
	Scenario    string // all of it
	ScenarioCut bool
	Summary     []group
	Marks       []markRow
	MarksLeft   int
	Figures     []figure
}

// A fact is a key and what it is.
type fact struct {
	Key, Value string
	Number     bool
}

// A group is a table of facts.
type group struct {
	Name  string
	Facts []fact
}

type checkRow struct {
	Check
	Where string
}

type markRow struct {
	Number    int
	At, Label string
}

// What the page shows at most: it is to be read by people.
const (
	checksShown   = 200
	marksShown    = 100
	scenarioShown = 64 << 10 // bytes
	valueShown    = 300      // bytes of a figure of the summary
)

// Report writes the report of a run: one HTML file that needs no other, and is the
// same each time. Figures for which there is no data are left out, with a line that
// says why.
func Report(w io.Writer, r *Run) error {
	if err := r.validate(); err != nil {
		return fmt.Errorf("result: %w", err)
	}
	manifest, err := members(r.Manifest)
	if err != nil {
		return fmt.Errorf("result: %s: %w", manifestName, err)
	}
	d := pageData{Style: template.CSS(pageStyle), Rerun: lookUp(manifest, "rerun"), Partial: lookUp(manifest, "partial") == "true"}
	d.Facts = facts(manifest)
	if err := d.addScenario(manifest); err != nil {
		return fmt.Errorf("result: %s: %w", manifestName, err)
	}
	if err := d.addSummary(r.Summary); err != nil {
		return fmt.Errorf("result: %s: %w", summaryName, err)
	}
	d.addChecks(r.Checks)
	d.addMarks(r.Marks)
	if d.Figures, err = drawFigures(r); err != nil {
		return fmt.Errorf("result: report: %w", err)
	}
	return page.Execute(w, d)
}

// facts are what the manifest says of the run and the program.
func facts(manifest []member) (all []fact) {
	for _, k := range []struct{ key, title string }{
		{"trace_hash", "Trace hash"}, {"seed", "Seed"}, {"version", "Version"}, {"commit", "Commit"}, {"go", "Go"}, {"arch", "Platform"},
	} {
		switch v := lookUp(manifest, k.key); v {
		case "", "devel", "unknown": // a program that does not know its own
		default:
			all = append(all, fact{Key: k.title, Value: v})
		}
	}
	return all
}

// addScenario shows the scenario as YAML: the file with what differs from the
// defaults, if the manifest has it, and all keys.
func (d *pageData) addScenario(manifest []member) error {
	d.Changed = d.cut(lookUp(manifest, "file"))
	for _, m := range manifest {
		if m.key != "scenario" {
			continue
		}
		if inner, err := members(m.value); err == nil {
			d.Name = lookUp(inner, "name")
		}
		text, err := yaml.JSONToYAML(m.value)
		if err != nil {
			return fmt.Errorf("scenario: %w", err)
		}
		d.Scenario = d.cut(string(text))
	}
	return nil
}

// cut is as much of a scenario's text as is shown.
func (d *pageData) cut(text string) string {
	text = strings.TrimSpace(text)
	if len(text) > scenarioShown {
		text, d.ScenarioCut = strings.ToValidUTF8(text[:scenarioShown], ""), true
	}
	return text
}

// addSummary shows the figures of the summary, those of each object in a table.
func (d *pageData) addSummary(summary json.RawMessage) error {
	all, err := members(summary)
	if err != nil {
		return err
	}
	if name := lookUp(all, "name"); d.Name == "" {
		d.Name = name
	}
	run := group{Name: "Run"}
	var groups []group
	for _, m := range all {
		if inner, err := members(m.value); err == nil {
			g := group{Name: nameOf(m.key).String()}
			for _, i := range inner {
				g.Facts = append(g.Facts, figureOf(i))
			}
			groups = append(groups, g)
		} else {
			run.Facts = append(run.Facts, figureOf(m))
		}
	}
	for _, g := range append([]group{run}, groups...) {
		if len(g.Facts) > 0 {
			d.Summary = append(d.Summary, g)
		}
	}
	return nil
}

// figureOf shows one figure of the summary.
func figureOf(m member) fact {
	f := fact{Key: nameOf(m.key).String(), Value: scalar(m.value)}
	var n json.Number
	switch {
	case f.Value == "null":
		f.Value = "none"
	case f.Value == "true", f.Value == "false":
		f.Value = map[string]string{"true": "yes", "false": "no"}[f.Value]
	case m.value[0] != '"' && json.Unmarshal(m.value, &n) == nil:
		f.Value, f.Number = n.String(), true
		if m.key != "seed" { // which is a name more than a number
			f.Value = readable(f.Value)
		}
	case len(f.Value) > valueShown:
		f.Value = strings.ToValidUTF8(f.Value[:valueShown], "") + "…"
	}
	return f
}

// addChecks shows the checks, those that failed first.
func (d *pageData) addChecks(checks []Check) {
	failed := 0
	for _, c := range checks {
		if !c.OK {
			failed++
		}
		row := checkRow{Check: c}
		if c.Node != nil {
			row.Where = fmt.Sprintf("node %d", *c.Node)
		}
		if c.AtS != nil {
			row.Where = strings.TrimSpace(row.Where + " at " + seconds(*c.AtS))
		}
		d.Checks = append(d.Checks, row)
	}
	slices.SortStableFunc(d.Checks, func(a, b checkRow) int {
		switch {
		case a.OK == b.OK:
			return 0
		case b.OK:
			return -1
		default:
			return 1
		}
	})
	if len(d.Checks) > checksShown {
		d.ChecksLeft = len(d.Checks) - checksShown
		d.Checks = d.Checks[:checksShown]
	}
	d.Failed = failed > 0
	switch {
	case len(checks) == 0:
		d.Verdict = "No checks were made"
	case failed == 0:
		d.Verdict = fmt.Sprintf("Passed: %d of %d checks", len(checks), len(checks))
	default:
		d.Verdict = fmt.Sprintf("Failed: %d of %d checks", failed, len(checks))
	}
}

// addMarks lists the marks, with the numbers that they have in the figures.
func (d *pageData) addMarks(marks []Mark) {
	for i, m := range marks {
		if i == marksShown {
			d.MarksLeft = len(marks) - marksShown
			break
		}
		d.Marks = append(d.Marks, markRow{i + 1, seconds(m.AtS), m.Label})
	}
}

// readable is a JSON number as people read it: thousands apart, and no more digits
// than tell something.
func readable(number string) string {
	if !strings.ContainsAny(number, ".eE") {
		return grouped(number)
	}
	v, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return number
	}
	return short(v)
}

// short is a number with four digits that tell something.
func short(v float64) string {
	switch a := math.Abs(v); {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return strconv.FormatFloat(v, 'g', -1, 64)
	case a >= 1e15 || a < 1e-4 && a > 0:
		return strconv.FormatFloat(v, 'g', 4, 64)
	case a >= 1e4:
		return grouped(strconv.FormatFloat(v, 'f', 0, 64))
	}
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 4, 64), 64) // of such a text there are no errors
	return strconv.FormatFloat(rounded, 'f', -1, 64)
}

// seconds is a time, to the millisecond.
func seconds(s float64) string {
	return strconv.FormatFloat(math.Round(s*1000)/1000, 'f', -1, 64) + " s"
}

// grouped puts commas into a whole number.
func grouped(digits string) string {
	rest, negative := strings.CutPrefix(digits, "-")
	for i := len(rest) - 3; i > 0; i -= 3 {
		rest = rest[:i] + "," + rest[i:]
	}
	if negative {
		return "−" + rest
	}
	return rest
}
