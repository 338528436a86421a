package lab

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
)

// The files of a report.
const (
	MarkdownName = "report.md"
	HTMLName     = "report.html"
	JSONName     = "results.json"
)

// Write writes a report to a directory: report.md with its plots as SVG, report.html, one
// file with all of it, and results.json. The same results give the same bytes; costs are
// in costs.json, which differs from run to run.
func Write(dir string, all []*Results) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := removePlots(dir); err != nil {
		return err
	}
	var text bytes.Buffer
	if len(all) > 1 {
		text.WriteString(overview(all))
	}
	plots := map[string][]byte{} // by file name
	for _, r := range all {
		if err := r.markdown(&text, plots); err != nil {
			return err
		}
	}
	maps.DeleteFunc(plots, func(_ string, svg []byte) bool { return svg == nil }) // of what nothing was measured
	for name, svg := range plots {
		if err := os.WriteFile(filepath.Join(dir, name), svg, 0o644); err != nil {
			return err
		}
	}
	page, err := page(text.Bytes(), plots)
	if err != nil {
		return err
	}
	for _, f := range []struct {
		name    string
		content func() ([]byte, error)
	}{
		{MarkdownName, func() ([]byte, error) { return text.Bytes(), nil }},
		{HTMLName, func() ([]byte, error) { return page, nil }},
		{JSONName, func() ([]byte, error) { return JSON(all) }},
		{"costs.json", func() ([]byte, error) { return costs(all) }},
	} {
		b, err := f.content()
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, f.name), b, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// removePlots removes the plots of an earlier report in the directory.
func removePlots(dir string) error {
	old, err := os.ReadFile(filepath.Join(dir, MarkdownName))
	if err != nil {
		return nil // there is none
	}
	for _, m := range plotLink.FindAllSubmatch(old, -1) {
		if err := os.Remove(filepath.Join(dir, string(m[1]))); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// plotLink is how a report has a plot.
var plotLink = regexp.MustCompile(`(?m)^!\[.*\]\(([A-Za-z0-9_-]+\.svg)\)$`)

// overview is a table of how the experiments came out.
func overview(all []*Results) string {
	var b strings.Builder
	b.WriteString("# Experiments\n\n| experiment | ok | FAILED | differ | not gated | controls noticed |\n|---|--:|--:|--:|--:|--:|\n")
	for _, r := range all {
		var n Tally
		n.Add(r)
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d of %d |\n", r.Experiment.Name,
			n.Verdicts[OK], n.Verdicts[Failed], n.Verdicts[Differs], n.Verdicts[Ungated], n.Noticed, n.Controls)
	}
	return b.String() + "\n"
}

// plotName is a name that is the same in a path, a link of Markdown and HTML.
var plotName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// markdown adds an experiment to a report.
func (r *Results) markdown(b *bytes.Buffer, plots map[string][]byte) error {
	e := r.Experiment
	fmt.Fprintf(b, "# %s: %s\n\n%s.\n\n", e.Name, e.Title, strings.TrimSuffix(e.Source, "."))
	if failed := r.Failed(); len(failed) > 0 {
		fmt.Fprintf(b, "**What failed: %d.**\n\n", len(failed))
		for _, f := range failed {
			fmt.Fprintf(b, "- %s\n", plain(f))
		}
		b.WriteString("\n")
	}
	if r.Partial {
		b.WriteString("**Partial**: the run was interrupted.\n\n")
	}
	if r.Chosen {
		b.WriteString("Only chosen seeds or cases, not all that the check asks for.\n\n")
	}
	if r.Quick {
		b.WriteString("A quick run: fewer seeds than the check asks for.\n\n")
	}
	b.WriteString(table(r.Rows()))
	for _, c := range r.ControlRows() {
		fmt.Fprintf(b, "\nControl, wrong on purpose: *%s* (%s): **%s**.\n\n%s", plain(c.Name), plain(c.Case), plain(c.Word()), table(c.Rows))
	}
	if e.Plots != nil {
		var without []string
		for _, p := range e.Plots(r) {
			name := e.Name + "-" + p.Name + ".svg"
			if _, taken := plots[name]; taken || !plotName.MatchString(p.Name) {
				return fmt.Errorf("lab: experiment %s: plot %q: want a name of its own, of letters, digits, - and _", e.Name, p.Name)
			}
			plots[name] = nil
			if p.points() == 0 {
				without = append(without, p.Title)
				continue
			}
			svg, err := p.SVG()
			if err != nil {
				return err
			}
			plots[name] = svg
			fmt.Fprintf(b, "\n![%s](%s)\n", p.Title, name)
			if p.bars() {
				b.WriteString("\nBars are three standard errors of the mean, either way.\n")
			}
		}
		if len(without) > 0 {
			fmt.Fprintf(b, "\nNothing was measured for these plots: %s.\n", plain(strings.Join(without, "; ")))
		}
	}
	// The README's own title would say again what the section's says.
	_, readme, _ := strings.Cut(e.README, "\n")
	fmt.Fprintf(b, "\n%s\n", strings.TrimSpace(strings.ReplaceAll(readme, "\n#", "\n##")))
	if others := r.Others(); len(others) > 0 {
		fmt.Fprintf(b, "\nMeasured besides:\n\n%s", means(others))
	}
	if r.CostRows() != nil {
		b.WriteString("\nWhat it cost on this machine is in costs.json.\n")
	}
	b.WriteString("\n")
	return nil
}

// table formats rows as Markdown.
func table(rows []Row) string {
	var b strings.Builder
	b.WriteString("| case | measure | mean | sd | n | published | allowed | from | verdict |\n|---|---|--:|--:|--:|--:|--:|---|---|\n")
	for _, r := range rows {
		mean, sd := "none", ""
		if r.N > 0 {
			mean, sd = r.MeanText(), Format(r.SD)
		}
		verdict := string(r.Verdict)
		switch r.Verdict {
		case Failed:
			verdict = "**FAILED**"
		case Differs:
			verdict = "**differs**: " + plain(r.Expectation.Differs)
		case Ungated:
			verdict += ": " + plain(r.Expectation.Ungated)
		case OK:
			if reason := r.Reason(); reason != "" {
				verdict += ": " + plain(reason)
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %d | %s | %s | %s | %s |\n",
			plain(r.Case), plain(r.Measure), mean, sd, r.N, plain(r.Published()), r.Allowed(), plain(r.Expectation.From), verdict)
	}
	return b.String()
}

// means formats rows that are held against nothing.
func means(rows []Row) string {
	var b strings.Builder
	b.WriteString("| case | measure | mean | sd | n |\n|---|---|--:|--:|--:|\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %d |\n", plain(r.Case), plain(r.Measure), Format(r.Mean), Format(r.SD), r.N)
	}
	return b.String()
}

// plain escapes what names and reasons may have in them, and Markdown would take for its
// own: above all the line between columns.
var plain = strings.NewReplacer(`\`, `\\`, "|", `\|`, "*", `\*`, "<", `\<`, "`", "\\`", "[", `\[`, "\n", " ").Replace

//go:embed report.html
var pageText string

var pageTemplate = template.Must(template.New("report").Parse(pageText))

// page makes the HTML, with the plots inside.
func page(markdown []byte, plots map[string][]byte) ([]byte, error) {
	var body bytes.Buffer
	if err := goldmark.New(goldmark.WithExtensions(extension.Table)).Convert(markdown, &body); err != nil {
		return nil, err
	}
	html := body.String()
	for name, svg := range plots {
		_, element, _ := strings.Cut(string(svg), "<svg")
		i := strings.Index(html, `<img src="`+name+`"`)
		if i < 0 {
			continue
		}
		end := i + strings.IndexByte(html[i:], '>') + 1
		html = html[:i] + "<svg" + element + html[end:]
	}
	var b bytes.Buffer
	err := pageTemplate.Execute(&b, template.HTML(html))
	return b.Bytes(), err
}

// JSON formats results for programs.
func JSON(all []*Results) ([]byte, error) {
	type row struct {
		Case      string   `json:"case"`
		Measure   string   `json:"measure"`
		N         int      `json:"n"`
		Mean      *float64 `json:"mean"` // null if no trial reported it
		SD        *float64 `json:"sd"`
		Published string   `json:"published,omitempty"`
		Allowed   string   `json:"allowed,omitempty"`
		From      string   `json:"from,omitempty"`
		Verdict   Verdict  `json:"verdict,omitempty"`
		Reason    string   `json:"reason,omitempty"` // why it is not gated, or differs
	}
	// A setting is what was run of a case or a control.
	type setting struct {
		Name       string          `json:"name"`
		Parameters json.RawMessage `json:"parameters,omitempty"` // of a control, those that replace the case's
		Seeds      string          `json:"seeds"`                // such as 1..20
	}
	type control struct {
		setting
		Case    string   `json:"case"`
		Noticed bool     `json:"noticed"`
		Missed  []string `json:"missed,omitempty"`
		LeftOut []string `json:"left_out,omitempty"`
	}
	type experiment struct {
		Name     string    `json:"name"`
		Source   string    `json:"source"`
		Quick    bool      `json:"quick"`
		OK       bool      `json:"ok"`
		Partial  bool      `json:"partial,omitempty"`
		Chosen   bool      `json:"chosen,omitempty"` // not all seeds, or not all cases
		Cases    []setting `json:"cases"`
		Rows     []row     `json:"rows"`
		Others   []row     `json:"others"` // measures that nothing was published of
		Controls []control `json:"controls"`
	}
	known := func(n int, v float64) *float64 {
		if n == 0 {
			return nil
		}
		return &v
	}
	out := []experiment{}
	for _, r := range all {
		e := experiment{Name: r.Experiment.Name, Source: r.Experiment.Source, Quick: r.Quick, OK: len(r.Failed()) == 0, Partial: r.Partial, Chosen: r.Chosen,
			Cases: []setting{}, Rows: []row{}, Others: []row{}, Controls: []control{}}
		for _, c := range r.Cases {
			e.Cases = append(e.Cases, setting{c.Case.Name, c.Case.Parameters, formatSeeds(c.Seeds)})
		}
		for _, x := range r.Rows() {
			e.Rows = append(e.Rows, row{x.Case, x.Measure, x.N, known(x.N, x.Mean), known(x.N, x.SD),
				x.Published(), x.Allowed(), x.Expectation.From, x.Verdict, x.Reason()})
		}
		for _, x := range r.Others() {
			e.Others = append(e.Others, row{Case: x.Case, Measure: x.Measure, N: x.N, Mean: &x.Mean, SD: &x.SD})
		}
		for i, c := range r.ControlRows() {
			of := r.Controls[i]
			e.Controls = append(e.Controls, control{setting{c.Name, of.Control.Parameters, formatSeeds(of.Seeds)},
				c.Case, len(c.Missed) == 0 && len(c.LeftOut) == 0, c.Missed, c.LeftOut})
		}
		out = append(out, e)
	}
	b, err := json.MarshalIndent(map[string]any{"experiments": out}, "", "  ")
	return append(b, '\n'), err
}

// formatSeeds formats seeds as the command line has them: runs of them as 1..20.
func formatSeeds(seeds []uint64) string {
	var parts []string
	for i := 0; i < len(seeds); {
		k := i + 1
		for k < len(seeds) && seeds[k] == seeds[k-1]+1 {
			k++
		}
		part := strconv.FormatUint(seeds[i], 10)
		if k > i+1 {
			part += ".." + strconv.FormatUint(seeds[k-1], 10)
		}
		parts, i = append(parts, part), k
	}
	return strings.Join(parts, ",")
}

// Others returns the measures of which nothing was published.
func (r *Results) Others() (rows []Row) {
	for _, c := range r.Cases {
		for _, s := range c.Measures {
			gated := false
			for _, x := range c.Case.Expect {
				gated = gated || x.Measure == s.Name
			}
			if !gated {
				rows = append(rows, Row{Case: c.Case.Name, Measure: s.Name, N: s.N(), Mean: s.Mean(), SD: s.SD()})
			}
		}
	}
	return rows
}

// CostRows returns what the trials cost.
func (r *Results) CostRows() (rows []Row) {
	for _, c := range r.Cases {
		for _, s := range c.Costs {
			rows = append(rows, Row{Case: c.Case.Name, Measure: s.Name, N: s.N(), Mean: s.Mean(), SD: s.SD()})
		}
	}
	return rows
}

func costs(all []*Results) ([]byte, error) {
	type row struct {
		Experiment string  `json:"experiment"`
		Case       string  `json:"case"`
		Measure    string  `json:"measure"`
		N          int     `json:"n"`
		Mean       float64 `json:"mean"`
		SD         float64 `json:"sd"`
	}
	out := []row{}
	for _, r := range all {
		for _, x := range r.CostRows() {
			out = append(out, row{r.Experiment.Name, x.Case, x.Measure, x.N, x.Mean, x.SD})
		}
	}
	b, err := json.MarshalIndent(map[string]any{"costs": out}, "", "  ")
	return append(b, '\n'), err
}
