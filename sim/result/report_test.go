package result_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"peernet/realnet/browser/browsertest"
	"peernet/sim/result"
)

func report(t *testing.T, r *result.Run) string {
	t.Helper()
	var b strings.Builder
	if err := result.Report(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// The report has all that there is to say, and every figure.
func TestReportHasAll(t *testing.T) {
	text := report(t, sample())
	for _, want := range []string{
		"<title>split and heal – peernet</title>", "8e5a277e3bb945e5", "peernet sim split.yaml --nodes 400 --seed 18446744073709551615 --duration 1m0s</code>",
		"✗ Failed: 1 of 3 checks", "✗ failed", "✓ passed", "views-are-mutual", "coverage &gt;= 0.9", "node 17 at 21.5 s", "--duration 21.5s",
		"split eu | us", "crash of 10 %", "latency:", "model: lognormal", "- name: server", "1,234,567", "0.9609", "<caption>Overlay</caption>", "18446744073709551615</td>",
		">none</td>", "99 announces; mean", "median", "in the largest component",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q", want)
		}
	}
	for _, title := range []string{"Coverage of each announce", "Latency", "Hops", "Live nodes over time", "Components over time", "Traffic over time", "Messages over time", "Degree", "Traffic of each node", "Mean book"} {
		if !strings.Contains(text, `aria-label="`+title+`"`) {
			t.Errorf("no figure %s", title)
		}
	}
	if strings.Index(text, "coverage &gt;= 0.9") > strings.Index(text, "views-are-mutual") {
		t.Error("the check that failed is not the first")
	}
	if strings.Contains(text, "is left out") {
		t.Error("a figure is missing")
	}
	if n := len(regexp.MustCompile(`<(p|span|li)>[^<]*NaN`).FindAllString(text, -1)); n > 0 {
		t.Errorf("%d values are NaN", n)
	}
}

// Numbers are called what people call them, with their units; what differs from the
// defaults comes before the whole scenario, which is folded; and what the program does
// not know of itself is not there.
func TestReportIsForPeople(t *testing.T) {
	r := sample()
	r.Manifest = json.RawMessage(`{"version":"devel","commit":"unknown","seed":3,"file":"name: x\nfanout: 2\n","scenario":{"name":"x","fanout":2,"bootstraps":1}}`)
	text := report(t, r)
	for _, want := range []string{
		">Mean coverage, share of live nodes</th>", ">Median of latency, ms</th>", ">Run time, s</th>", ">Mean degree</th>", ">Sent, bytes</th>", ">Network formed at, s</th>",
		"<pre>name: x\nfanout: 2</pre>", "<details>", "bootstraps: 1",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q", want)
		}
	}
	for _, bad := range []string{"devel", "unknown", "coverage_mean", "book_mean", "latency_ms"} {
		if strings.Contains(text, bad) {
			t.Errorf("has %q", bad)
		}
	}
	if strings.Index(text, "fanout: 2</pre>") > strings.Index(text, "<details>") {
		t.Error("the defaults are before what differs")
	}
}

// The axis of coverage is from 0 to 100 %, however good that is.
func TestCoverageAxisIsWhole(t *testing.T) {
	_, after, _ := strings.Cut(report(t, sample()), `aria-label="Coverage of each announce"`)
	figure, _, _ := strings.Cut(after, "</figure>")
	for _, want := range []string{">0</text>", ">100</text>", "% of live nodes</text>", "99 announces; mean 8", " %, least 5"} {
		if !strings.Contains(figure, want) {
			t.Errorf("no %q in %s", want, figure)
		}
	}
}

// A run of which nothing is known has a report too, which says what is missing.
func TestReportOfNothing(t *testing.T) {
	text := report(t, &result.Run{Manifest: json.RawMessage(`{}`), Summary: json.RawMessage(`{}`)})
	for _, want := range []string{
		"No checks were made", "<b>Coverage of each announce</b> is left out. No announce was sent.", "<b>Latency</b> is left out. No receipts of announces were counted.",
		"<b>Live nodes over time</b> is left out. The series has no column live.", "<b>Degree</b> is left out. No node was live at the end.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q", want)
		}
	}
	if strings.Contains(text, "<svg") {
		t.Error("there is a figure")
	}
}

var elements = regexp.MustCompile(`<([a-zA-Z][a-zA-Z0-9]*)`)

// allowed are the elements of a report.
var allowed = " html head meta title style body header main h1 h2 h3 p dl div dt dd span code section ul ol li b small figure figcaption svg g path text pre table caption tbody tr th td details summary "

// Whatever texts a run has, they are text on the page, and the page loads nothing.
func TestReportOfSomebodyHostile(t *testing.T) {
	r := sample()
	text, _ := json.Marshal(hostile)
	r.Manifest = json.RawMessage(strings.ReplaceAll(`{"version":X,"commit":X,"trace_hash":X,"rerun":X,"seed":X,"scenario":{"name":X,X:[X,{X:X}]}}`, "X", string(text)))
	r.Summary = json.RawMessage(strings.ReplaceAll(`{X:X,"a":{X:X},"b":[X]}`, "X", string(text)))
	for i := range r.Checks {
		r.Checks[i].Name, r.Checks[i].Detail, r.Checks[i].Rerun = hostile, hostile, "javascript:"+hostile
	}
	for i := range r.Marks {
		r.Marks[i].Label = hostile
	}
	for i := range r.Nodes {
		r.Nodes[i].Class, r.Nodes[i].Address, r.Nodes[i].Role = hostile, hostile, hostile
	}
	got := report(t, r)
	for _, m := range elements.FindAllStringSubmatch(got, -1) {
		if !strings.Contains(allowed, " "+m[1]+" ") {
			t.Errorf("element %s", m[1])
		}
	}
	if strings.Count(got, "&lt;script&gt;") < 20 {
		t.Error("the texts are not there")
	}
	for _, load := range []string{"https?://", `\s(src|href|xlink:href|on[a-z]+)\s*=`, `url\(`, "@import"} {
		if m := regexp.MustCompile(load).FindString(got); m != "" {
			t.Errorf("the page may load something: %q", m)
		}
	}
}

// tab opens a report in a browser.
func tab(t *testing.T, r *result.Run) context.Context {
	t.Helper()
	browser := browsertest.Start(t)
	text := report(t, r)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(text))
	}))
	t.Cleanup(server.Close)
	browsertest.Open(t, browser, server.URL)
	return browser
}

// screenshot keeps a picture where somebody wants to look at it.
func screenshot(t *testing.T, name string, content []byte) {
	t.Helper()
	if dir := os.Getenv("PEERNET_SCREENSHOTS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// emulate has a tab show a page as for a medium to somebody who prefers a theme.
func emulate(t *testing.T, tab context.Context, medium, theme string) {
	t.Helper()
	p := emulation.SetEmulatedMediaParams{Media: medium, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}}
	if _, err := chromedp.Call(tab, emulation.SetEmulatedMedia, p); err != nil {
		t.Fatal(err)
	}
}

// The report fits narrow and wide windows, has the reader's colours, in its figures
// too, and is printed in those for paper.
func TestReportInBrowser(t *testing.T) {
	r := sample()
	r.Checks[0].Detail = strings.Repeat("unbroken", 40)
	r.Checks[0].Rerun = strings.Repeat("x", 200)
	browser := tab(t, r)
	colours := func() string {
		t.Helper()
		used, err := browsertest.Eval[string](browser, `[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor,
			...new Set([...document.querySelectorAll('svg path, svg text')].map((e) => getComputedStyle(e).fill + getComputedStyle(e).stroke))].join()`)
		if err != nil {
			t.Fatal(err)
		}
		return used
	}
	seen := map[string]string{}
	for _, theme := range []string{"light", "dark"} {
		emulate(t, browser, "screen", theme)
		seen[theme] = colours()
		for width, name := range map[int64]string{360: "narrow", 1280: "wide"} {
			screenshot(t, "report-"+theme+"-"+name+".png", browsertest.Picture(t, browser, width))
			wide, err := browsertest.Eval[int64](browser, "document.documentElement.scrollWidth")
			if err != nil || wide > width {
				t.Errorf("the page is %d wide in a window of %d, %v", wide, width, err)
			}
			small, err := browsertest.Eval[float64](browser, "Math.min(...[...document.querySelectorAll('svg text')].map((e) => e.getBoundingClientRect()).map((r) => Math.min(r.width * 3, r.height)))")
			if err != nil || small < 9 {
				t.Errorf("text of a figure is %v high at %d, %v", small, width, err)
			}
		}
	}
	if strings.Contains(seen["light"], "rgb(0, 0, 0)") || strings.Contains(seen["dark"], "rgb(0, 0, 0)") {
		t.Errorf("something has no colour of a theme: %v", seen)
	}
	for _, colour := range regexp.MustCompile(`rgb\([^)]*\)`).FindAllString(seen["dark"], -1) {
		if strings.Contains(seen["light"], colour) {
			t.Errorf("the dark theme has a colour of the light one: %s", colour)
		}
	}

	emulate(t, browser, "print", "dark")
	if got, want := strings.Split(colours(), ")")[0], strings.Split(seen["light"], ")")[0]; got != want {
		t.Errorf("on paper text is %s, want %s", got, want)
	}
	emulate(t, browser, "", "dark")
	pdf, err := chromedp.Run(browser, chromedp.PrintToPDF(chromedp.PDFPaper(chromedp.PaperA4)))
	if err != nil {
		t.Fatal(err)
	}
	screenshot(t, "report.pdf", pdf)
	if pages := len(regexp.MustCompile(`/Type /Page\b[^s]`).FindAll(pdf, -1)); pages < 2 || pages > 6 {
		t.Errorf("printed on %d pages", pages)
	}
}
