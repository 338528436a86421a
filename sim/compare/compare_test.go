package compare

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"peernet/sim/sweep"
)

// writeRun writes the directory of a run. It returns the directory.
func writeRun(t *testing.T, dir string, seed uint64, scenario, metrics string) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		ManifestName:      fmt.Sprintf(`{"version":"v1","commit":"abc","seed":%d,"scenario":{"seed":%d,%s}}`, seed, seed, scenario),
		sweep.SummaryName: fmt.Sprintf(`{"partial":false,"seed":%d,"nodes":50,%s}`, seed, metrics),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// writeSweep runs a sweep whose points have the metrics that a function gives.
func writeSweep(t *testing.T, g sweep.Grid, metrics func(p sweep.Point) string) string {
	t.Helper()
	dir := t.TempDir()
	_, err := sweep.Run(t.Context(), sweep.Config{Dir: dir, Grid: g, Runner: func(_ context.Context, p sweep.Point, dir string) error {
		text := fmt.Sprintf(`{"partial":false,%s}`, metrics(p))
		return os.WriteFile(filepath.Join(dir, sweep.SummaryName), []byte(text), 0o600)
	}})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func load(t *testing.T, dirs ...string) *Side {
	t.Helper()
	s, err := Load(dirs...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func compared(t *testing.T, a, b *Side, o Options) *Report {
	t.Helper()
	r, err := Compare(a, b, o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := json.Marshal(r); err != nil {
		t.Error(err)
	}
	return r
}

func row(t *testing.T, c CellReport, metric string) Row {
	t.Helper()
	for _, r := range c.Rows {
		if r.Metric == metric {
			return r
		}
	}
	t.Fatalf("no row of %s", metric)
	return Row{}
}

// made is a side of one cell with samples.
func made(samples map[string][]float64) *Side {
	n := 0
	for _, s := range samples {
		n = max(n, len(s))
	}
	s := &Side{index: map[string]*Cell{}}
	c := s.cell(nil)
	for i := range n {
		c.seeds[uint64(i)] = ""
	}
	maps.Copy(c.samples, samples)
	return s
}

// ramp is n values from a first one, by steps.
func ramp(n int, first, step float64) (values []float64) {
	for i := range n {
		values = append(values, first+float64(i)*step)
	}
	return values
}

// With one run on each side there is no test, and the differences are there.
func TestSingleRuns(t *testing.T) {
	dir := t.TempDir()
	a := load(t, writeRun(t, dir+"/a", 1, `"fanout":3`, `"wall_s":5,"announce":{"coverage_mean":0.8,"redundancy":2,"count":100}`))
	b := load(t, writeRun(t, dir+"/b", 1, `"fanout":4`, `"wall_s":6,"announce":{"coverage_mean":0.9,"redundancy":3,"count":100}`))
	r := compared(t, a, b, Options{})
	if len(r.Changes) != 1 || r.Changes[0] != "fanout 3 → 4" {
		t.Errorf("changes are %q", r.Changes)
	}
	c := r.Cells[0]
	coverage := row(t, c, "announce.coverage_mean")
	if coverage.Verdict != Untested || coverage.P != nil || !near(*coverage.Change, 12.5, 1e-9) || *coverage.CliffsDelta != 1 {
		t.Errorf("coverage is %+v", coverage)
	}
	if count := row(t, c, "announce.count"); count.Verdict != Same || *count.Change != 0 {
		t.Errorf("the count is %+v", count)
	}
	if err := r.CanRegress(); !errors.Is(err, ErrPowerless) || !strings.Contains(err.Error(), "have 5 runs or more on each side") {
		t.Errorf("a gate that cannot close: %v", err)
	}
	if slices.ContainsFunc(c.Rows, func(r Row) bool { return r.Metric == "seed" || r.Metric == "nodes" }) {
		t.Error("the seed or the number of nodes is compared")
	}
	// Nothing differs, but what would differ could not be tested.
	if err := compared(t, a, a, Options{}).CanRegress(); !errors.Is(err, ErrPowerless) || !strings.Contains(err.Error(), "have 4 runs or more on each side") {
		t.Errorf("a run and itself: %v", err)
	}
}

// Where all values are the same, the runs must be enough to find a difference, and some
// metric must have a better side.
func TestGateOfEqualSides(t *testing.T) {
	for _, test := range []struct {
		metric string
		runs   int
		want   string
	}{
		{"announce.redundancy", 4, ""},
		{"announce.redundancy", 3, "no test of so few runs"},
		{"overlay.degree_mean", 9, "of no metric that is compared it is known what is better"},
	} {
		s := made(map[string][]float64{test.metric: make([]float64, test.runs)})
		for _, named := range [][]string{nil, {test.metric}} {
			err := compared(t, s, s, Options{Metrics: named}).CanRegress()
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("%d runs of %s: %v, want %q", test.runs, test.metric, err, test.want)
			}
		}
	}
}

// Several runs that differ in their seed are samples; others are refused.
func TestRunsOfASide(t *testing.T) {
	dir := t.TempDir()
	var dirs []string
	for seed := range uint64(6) {
		dirs = append(dirs, writeRun(t, fmt.Sprint(dir, "/", seed), seed, `"fanout":3`, fmt.Sprintf(`"x":%d`, seed)))
	}
	s := load(t, dirs...)
	if len(s.Cells) != 1 || s.Cells[0].Runs() != 6 || !slices.Equal(s.Cells[0].samples["x"], ramp(6, 0, 1)) {
		t.Errorf("cells are %+v", s.Cells)
	}
	same := writeRun(t, dir+"/same", 5, `"fanout":3`, `"x":1`)
	other := writeRun(t, dir+"/other", 9, `"fanout":4,"latency":{"min":"1ms"}`, `"x":1`)
	for _, test := range []struct {
		dirs []string
		want string
	}{
		{append(slices.Clone(dirs), same), "have a run of seed 5 each, which is one sample"},
		{append(slices.Clone(dirs), other), "fanout 3 → 4, latency.min (not set) → 1ms"},
	} {
		if _, err := Load(test.dirs...); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v, want %q", err, test.want)
		}
	}
}

func grid(seeds ...uint64) sweep.Grid {
	return sweep.Grid{
		Program: "test", Seeds: seeds,
		Axes: []sweep.Axis{{Key: "fanout", Values: []string{"2", "3"}}, {Key: "latency.median", Values: []string{"20ms", "50ms"}}},
	}
}

// Cells are matched by their settings, in whatever order these were varied; seeds of
// several sweeps are put together.
func TestCellsAreMatched(t *testing.T) {
	index := func(p sweep.Point) string {
		v := map[string]string{}
		for _, s := range p.Varied {
			v[s.Key] = strings.TrimSuffix(s.Value, "ms")
		}
		return fmt.Sprintf(`"x":%s%s%d`, v["fanout"], v["latency.median"], p.Seed)
	}
	a := load(t, writeSweep(t, grid(1, 2), index), writeSweep(t, grid(3), index))
	g := grid(4, 5, 6)
	slices.Reverse(g.Axes)
	g.Axes[0].Values = []string{"50ms", "70ms"}
	b := load(t, writeSweep(t, g, index))
	r := compared(t, a, b, Options{})
	if len(r.Cells) != 2 || r.Cells[0].Name != "fanout=2, latency.median=50ms" || r.Cells[1].Name != "fanout=3, latency.median=50ms" {
		t.Fatalf("cells are %+v", r.Cells)
	}
	x := row(t, r.Cells[1], "x")
	if x.A.N != 3 || x.B.N != 3 || *x.A.Mean != 3502 || *x.B.Mean != 3505 {
		t.Errorf("x is %v of %d, and %v of %d", *x.A.Mean, x.A.N, *x.B.Mean, x.B.N)
	}
	if !slices.Equal(r.OnlyA, []string{"fanout=2, latency.median=20ms", "fanout=3, latency.median=20ms"}) || len(r.OnlyB) != 2 {
		t.Errorf("only in A: %q, only in B: %q", r.OnlyA, r.OnlyB)
	}
}

func TestSweepsThatDoNotMatch(t *testing.T) {
	x := func(sweep.Point) string { return `"x":1` }
	one := writeSweep(t, grid(1), x)
	other := grid(1)
	other.Axes[0].Key = "connections"
	unrelated := writeSweep(t, other, x)
	_, err := Compare(load(t, one), load(t, unrelated), Options{})
	if err == nil || !strings.Contains(err.Error(), "no cell in common: A has fanout=2, latency.median=20ms;") || !strings.Contains(err.Error(), "and 1 more") {
		t.Errorf("other keys: %v", err)
	}
	program := grid(2)
	program.Program = "another"
	if _, err := Load(one, writeSweep(t, program, x)); err == nil || !strings.Contains(err.Error(), "(program) test → another") {
		t.Errorf("another program: %v", err)
	}
	if _, err := Load(one, one); err == nil || !strings.Contains(err.Error(), "seed 1 each") {
		t.Errorf("one sweep twice: %v", err)
	}
	run := writeRun(t, t.TempDir(), 1, `"a":1`, `"x":1`)
	if _, err := Load(one, run); err == nil || !strings.Contains(err.Error(), "runs and sweeps are mixed") {
		t.Errorf("a run and a sweep: %v", err)
	}
	if _, err := Compare(load(t, one), load(t, run), Options{}); err == nil || !strings.Contains(err.Error(), "B has a scenario that nothing is varied in") {
		t.Errorf("a sweep and a run: %v", err)
	}
	if err := os.RemoveAll(filepath.Join(one, "points")); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(one); err == nil || !strings.Contains(err.Error(), "go on with the sweep first") {
		t.Errorf("no point: %v", err)
	}
}

func TestWrongDirectories(t *testing.T) {
	write := func(manifest, summary string) string {
		dir := t.TempDir()
		for name, text := range map[string]string{ManifestName: manifest, sweep.SummaryName: summary} {
			if text != "" {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		return dir
	}
	file := filepath.Join(write("x", ""), ManifestName)
	for name, test := range map[string]struct{ dir, want string }{
		"a file":      {file, file + " is a file; want the directory of a run, as sim run --out DIR writes it"},
		"none":        {"/nowhere", "neither a run nor a sweep is in the directory /nowhere; want one that peernet sim"},
		"empty":       {t.TempDir(), "neither a run nor a sweep"},
		"partial":     {write("", `{"partial":true}`), "interrupted before its end; run it again"},
		"no manifest": {write("", `{"partial":false}`), ManifestName + ": no such file"},
		"not JSON":    {write("x", `{"partial":false}`), "not a manifest"},
		"other JSON":  {write("{}", `{"partial":false}`), "lacks the seed or the scenario"},
		"bad seed":    {write(`{"seed":1.5,"scenario":{}}`, `{"partial":false}`), `the seed is "1.5"; want a whole number`},
		"too long":    {write("", strings.Repeat(" ", sweep.SummaryMax+1)), "more than 16777216 bytes"},
	} {
		if _, err := Load(test.dir); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

// What a verdict is, for each direction and each way to have none.
func TestVerdicts(t *testing.T) {
	for _, test := range []struct {
		name    string
		metric  string
		a, b    []float64
		options Options
		want    Verdict
		regress bool
	}{
		{"coverage falls", "announce.coverage_mean", ramp(6, 0.9, 0.001), ramp(6, 0.8, 0.001), Options{}, Worse, true},
		{"coverage rises", "announce.coverage_mean", ramp(6, 0.8, 0.001), ramp(6, 0.9, 0.001), Options{}, Better, false},
		{"latency rises", "announce.latency_ms_p90", ramp(6, 100, 1), ramp(6, 200, 1), Options{}, Worse, true},
		{"failed checks", sweep.ChecksFailed, make([]float64, 6), ramp(6, 1, 1), Options{ChangeMin: 1}, Worse, true},
		{"never formed", sweep.Formed, ramp(6, 1, 0), make([]float64, 6), Options{}, Worse, true},
		{"no direction", "overlay.degree_mean", ramp(6, 1, 0.1), ramp(6, 9, 0.1), Options{}, Differs, false},
		{"a cost", "wall_s", ramp(6, 1, 0.1), ramp(6, 9, 0.1), Options{}, Worse, false},
		{"a cost that is named", "wall_s", ramp(6, 1, 0.1), ramp(6, 9, 0.1), Options{Metrics: []string{"wall_s"}}, Worse, true},
		{"hardly a change", "announce.redundancy", ramp(6, 1, 1e-5), ramp(6, 1.001, 1e-5), Options{ChangeMin: 1}, Negligible, false},
		{"three runs", "announce.redundancy", ramp(3, 1, 0.1), ramp(3, 9, 0.1), Options{}, Unclear, false},
		{"three runs, and less care", "announce.redundancy", ramp(3, 1, 0.1), ramp(3, 9, 0.1), Options{Alpha: 0.11}, Worse, true},
		{"overlap", "announce.redundancy", ramp(6, 1, 0.1), ramp(6, 1.05, 0.1), Options{}, Unclear, false},
		{"the same runs", "announce.redundancy", ramp(6, 1, 0.1), ramp(6, 1, 0.1), Options{}, Unclear, false},
		{"one value", "announce.redundancy", ramp(6, 1, 0), ramp(6, 1, 0), Options{}, Same, false},
		{"one side has it", "announce.redundancy", ramp(6, 1, 0), nil, Options{}, Untested, false},
		{"one run", "announce.redundancy", ramp(6, 1, 0.1), []float64{9}, Options{}, Untested, false},
		{"ranks and mean disagree", "announce.redundancy", ramp(9, 1, 0), []float64{2, 2, 2, 2, 2, 2, 2, 2, -99}, Options{}, Differs, false},
		{"and the other way round", "announce.redundancy", ramp(9, 1, 0), []float64{0, 0, 0, 0, 0, 0, 0, 0, 99}, Options{}, Differs, false},
	} {
		a, b := made(map[string][]float64{test.metric: test.a}), made(map[string][]float64{test.metric: test.b, "always": {1}})
		r := compared(t, a, b, test.options)
		got := row(t, r.Cells[0], test.metric)
		if got.Verdict != test.want || (len(r.Regressions()) == 1) != test.regress {
			t.Errorf("%s: %s, regressions %q; want %s", test.name, got.Verdict, r.Regressions(), test.want)
		}
	}
}

// The correction is over all cells of a family, and not over other families.
func TestFamilies(t *testing.T) {
	samples := func(first float64) map[string][]float64 {
		return map[string][]float64{
			"announce.coverage_mean": ramp(5, first, 0.01), "announce.redundancy": ramp(5, 1, 0.01), "announce.hops_mean": ramp(5, 1, 0.01),
			"a": ramp(5, first, 0.01), "b": ramp(5, 1, 0.01), "wall_s": ramp(5, first, 0.01), "announce.coverage_min": ramp(5, 1, 0),
		}
	}
	r := compared(t, made(samples(1)), made(samples(2)), Options{})
	var got []string
	for _, f := range r.Families {
		got = append(got, fmt.Sprintf("%s %d %d %.6f %d", f.Name, f.Tests, f.Untested, f.LeastP, f.RunsNeeded))
	}
	if want := []string{"judged 3 0 0.023810 5", "other 2 0 0.015873 5", "costs 1 0 0.007937 4"}; !slices.Equal(got, want) {
		t.Errorf("families are %q, want %q", got, want)
	}
	coverage := row(t, r.Cells[0], "announce.coverage_mean")
	if !near(*coverage.P, 2.0/252, 1e-9) || !near(*coverage.PHolm, 6.0/252, 1e-9) {
		t.Errorf("p is %v, corrected %v", *coverage.P, *coverage.PHolm)
	}
	// The least that is possible is what complete separation gives.
	if !near(r.Families[0].LeastP, *coverage.PHolm, 1e-9) {
		t.Errorf("the least p is said to be %v", r.Families[0].LeastP)
	}
	if err := r.CanRegress(); err != nil {
		t.Error(err)
	}
	if err := compared(t, made(samples(1)), made(samples(2)), Options{Alpha: 0.02}).CanRegress(); !errors.Is(err, ErrPowerless) {
		t.Errorf("three tests at 0.02: %v", err)
	}
}

// The probability of any false regression among all metrics is below alpha. Some metrics
// are continuous, some have ties, some are skewed; the seed is fixed.
func TestFalseRegressionsAreRare(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	side := func() *Side {
		samples := map[string][]float64{}
		for i, name := range slices.Sorted(maps.Keys(directions)) {
			for range 8 {
				v := 10 + random.NormFloat64()
				switch i % 3 {
				case 1:
					v = math.Round(v)
				case 2:
					v = math.Exp(v)
				}
				samples[name] = append(samples[name], v)
			}
		}
		return made(samples)
	}
	const comparisons = 200
	found := 0
	for range comparisons {
		r := compared(t, side(), side(), Options{})
		if err := r.CanRegress(); err != nil {
			t.Fatal(err)
		}
		if len(r.Regressions()) > 0 {
			found++
		}
	}
	if found > comparisons/20 {
		t.Errorf("%d of %d comparisons of like with like find a regression", found, comparisons)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	s := made(map[string][]float64{"announce.coverage_mean": {1, 2}, "x": {1, 2}})
	for _, test := range []struct {
		options Options
		want    string
	}{
		{Options{Alpha: 1}, "alpha is 1"},
		{Options{Alpha: math.NaN()}, "alpha is NaN"},
		{Options{ChangeMin: -1}, "least change is -1 %"},
		{Options{Metrics: []string{"y"}}, "no run has the metric y; there are announce.coverage_mean, and others"},
	} {
		if _, err := Compare(s, s, test.options); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v, want %q", test.options, err, test.want)
		}
	}
}
