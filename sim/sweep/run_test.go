package sweep

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/parquet-go/parquet-go"
)

func testGrid() Grid {
	return Grid{
		Scenario: []byte("nodes: 50\n"), Program: "test",
		Axes:  []Axis{{"latency.median", []string{"20ms", "50ms", "100ms"}}, {"fanout", []string{"2", "3", "4"}}},
		Seeds: []uint64{1, 2, 3, 4, 5},
	}
}

// simulate writes a summary that depends on the point, but for its cost. The network
// of one seed never forms.
func simulate(p Point, dir string) error {
	formed := "7"
	if p.Seed == 1 {
		formed = "null"
	}
	text := fmt.Sprintf(`{"partial":false,"seed":%d,"fanout":%s,"formed_at_s":%s,"wall_s":%d,"announce":{"coverage_mean":%v}}`,
		p.Seed, p.Varied[1].Value, formed, costs.Add(1), 1/float64(p.Index+1))
	return os.WriteFile(filepath.Join(dir, SummaryName), []byte(text), 0o600)
}

var costs atomic.Int64 // differs for each run

func runAll(t *testing.T, c Config) []byte {
	t.Helper()
	if _, err := Run(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(c.Dir, TableName))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func fake(ctx context.Context, p Point, dir string) error { return simulate(p, dir) }

// A sweep that is killed at any place, time and again, gives the table of one that ran
// through, and runs no point twice.
func TestKilledSweepGivesTheSameTable(t *testing.T) {
	whole := Config{Dir: t.TempDir(), Grid: testGrid(), Jobs: 1, Runner: fake}
	want := runAll(t, whole)
	if rows := bytes.Count(want, []byte("\n")); rows != 46 {
		t.Errorf("the table has %d lines", rows)
	}
	c := Config{Dir: t.TempDir(), Grid: testGrid(), Jobs: 4}
	var mu sync.Mutex
	runs := map[string]int{}
	for stop := 3; ; stop += 10 {
		// The kill is a panic of the disk, as it were: after some points nothing
		// is written any more, and others are half done.
		ctx, kill := context.WithCancel(t.Context())
		n := 0
		c.Runner = func(ctx context.Context, p Point, dir string) error {
			if _, err := os.Stat(filepath.Join(c.Dir, runningName, "123")); err == nil {
				t.Error("what the kill left is still there")
			}
			mu.Lock()
			n++
			last := n == stop
			mu.Unlock()
			if last {
				err := os.WriteFile(filepath.Join(dir, SummaryName), []byte(`{"partial":fa`), 0o600)
				kill()
				return err
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			mu.Lock()
			runs[p.Name]++
			mu.Unlock()
			return simulate(p, dir)
		}
		_, err := Run(ctx, c)
		kill()
		if err == nil {
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		// What a kill leaves behind besides.
		if err := os.MkdirAll(filepath.Join(c.Dir, runningName, "123"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(filepath.Join(c.Dir, TableName))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("the table is %v\n%s, want\n%s", err, got, want)
	}
	for _, name := range []string{ParquetName} {
		a, _ := os.ReadFile(filepath.Join(whole.Dir, name))
		b, _ := os.ReadFile(filepath.Join(c.Dir, name))
		if len(a) == 0 || !bytes.Equal(a, b) {
			t.Errorf("%s differs: %d and %d bytes", name, len(a), len(b))
		}
	}
	if _, err := os.Stat(filepath.Join(c.Dir, runningName)); !errors.Is(err, os.ErrNotExist) {
		t.Error("something is left of points under way")
	}
	// A point whose run ended together with the kill may be run twice.
	twice := 0
	for _, n := range runs {
		if n > 1 {
			twice++
		}
	}
	if twice > 5*c.Jobs {
		t.Errorf("%d points were run more than once", twice)
	}
}

// Points that are done are left alone; each kind of damage has a point run again.
func TestOnlyWholePointsCountAsDone(t *testing.T) {
	c := Config{Dir: t.TempDir(), Grid: testGrid(), Runner: fake}
	want := runAll(t, c)
	damage := map[int]func(dir string) error{
		2: func(dir string) error { return os.Remove(filepath.Join(dir, pointFile)) },
		3: func(dir string) error { return os.Truncate(filepath.Join(dir, SummaryName), 20) },
		4: func(dir string) error { return os.Remove(filepath.Join(dir, SummaryName)) },
		5: func(dir string) error {
			return os.WriteFile(filepath.Join(dir, SummaryName), []byte(`{"partial":true}`), 0o600)
		},
		6: func(dir string) error {
			return os.WriteFile(filepath.Join(dir, pointFile), []byte(`{"fingerprint":"0"}`), 0o600)
		},
		7: os.RemoveAll,
	}
	for i, f := range damage {
		if err := f(filepath.Join(c.Dir, pointsName, c.Grid.Point(i).Name)); err != nil {
			t.Fatal(err)
		}
	}
	var again []int
	c.Runner = func(_ context.Context, p Point, dir string) error {
		again = append(again, p.Index)
		return simulate(p, dir)
	}
	if got := runAll(t, c); !bytes.Equal(got, want) {
		t.Errorf("the table is\n%s", got)
	}
	if !slices.Equal(again, []int{2, 3, 4, 5, 6, 7}) {
		t.Errorf("points %v were run again", again)
	}
	if again = nil; len(runAll(t, c)) > 0 && again != nil {
		t.Errorf("then points %v were run again", again)
	}
	c.Again = true
	if runAll(t, c); len(again) != 45 {
		t.Errorf("to start over, %d points were run", len(again))
	}
}

// Another grid in the directory is an error that says what differs, and harms
// nothing.
func TestOtherSweepsAreRefused(t *testing.T) {
	c := Config{Dir: t.TempDir(), Grid: testGrid(), Runner: fake}
	want := runAll(t, c)
	for name, change := range map[string]func(*Grid){
		"the text of the scenario":             func(g *Grid) { g.Scenario = []byte("nodes: 51\n") },
		"what is set":                          func(g *Grid) { g.Set = []Setting{{"nodes", "50"}} },
		"what is varied":                       func(g *Grid) { g.Axes[1].Values[2] = "5" },
		"the seeds":                            func(g *Grid) { g.Seeds[4] = 6 },
		"the program (test before, now other)": func(g *Grid) { g.Program = "other" },
	} {
		other := Config{Dir: c.Dir, Grid: testGrid(), Runner: fake}
		change(&other.Grid)
		_, err := Run(t.Context(), other)
		if !errors.Is(err, ErrOther) || !strings.HasSuffix(err.Error(), "they differ in "+name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	c.Runner = func(context.Context, Point, string) error { return errors.New("a point was run") }
	if got := runAll(t, c); !bytes.Equal(got, want) {
		t.Error("the old results are damaged")
	}
	other := Config{Dir: c.Dir, Grid: testGrid(), Runner: fake, Again: true}
	other.Grid.Seeds = []uint64{9}
	if got := runAll(t, other); bytes.Count(got, []byte("\n")) != 10 {
		t.Errorf("started over, the table is\n%s", got)
	}
	if left, _ := os.ReadDir(filepath.Join(c.Dir, pointsName)); len(left) != 9 {
		t.Errorf("%d points are left", len(left))
	}
}

func TestForeignDirectoryIsLeftAlone(t *testing.T) {
	for _, name := range []string{"thesis.tex", ScenarioName} {
		dir := t.TempDir()
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Run(t.Context(), Config{Dir: dir, Grid: testGrid(), Runner: fake, Again: true})
		if text, _ := os.ReadFile(file); !errors.Is(err, ErrForeign) || string(text) != "mine" {
			t.Errorf("%s: %v, and the file has %q", name, err, text)
		}
		if left, _ := os.ReadDir(dir); len(left) != 1 {
			t.Errorf("%d files are in the directory", len(left))
		}
	}
}

// That a table cannot be written is found out before any point is run.
func TestNoPlaceForTheTable(t *testing.T) {
	c := Config{Dir: t.TempDir(), Grid: testGrid(), Runner: fake}
	runAll(t, c)
	table := filepath.Join(c.Dir, ParquetName)
	if err := errors.Join(os.Remove(table), os.Mkdir(table, 0o700), os.RemoveAll(filepath.Join(c.Dir, pointsName))); err != nil {
		t.Fatal(err)
	}
	c.Runner = func(context.Context, Point, string) error { t.Error("a point is run"); return nil }
	if _, err := Run(t.Context(), c); err == nil || !strings.Contains(err.Error(), table+" is a directory") {
		t.Errorf("a directory in place of the table: %v", err)
	}
}

func TestTwoSweepsInOneDirectory(t *testing.T) {
	c := Config{Dir: t.TempDir(), Grid: testGrid()}
	once := true
	c.Runner = func(_ context.Context, p Point, dir string) error {
		if once {
			once = false
			if _, err := Run(t.Context(), Config{Dir: c.Dir, Grid: testGrid(), Runner: fake, Again: true}); !errors.Is(err, ErrLocked) {
				t.Errorf("the second sweep: %v", err)
			}
		}
		return simulate(p, dir)
	}
	runAll(t, c)
}

// A point that fails is told of, is not in the table, and does not keep others from
// being run; the next sweep tries it again.
func TestFailedPoint(t *testing.T) {
	failure := errors.New("out of luck")
	c := Config{Dir: t.TempDir(), Grid: testGrid(), Jobs: 3}
	var last Progress
	var failed []string
	c.Progress = func(p Progress) {
		last = p
		if p.Failure != nil {
			failed = append(failed, p.Failure.Error())
		}
	}
	c.Runner = func(_ context.Context, p Point, dir string) error {
		switch p.Index {
		case 7:
			return failure
		case 8: // says it did, and did not
			return nil
		}
		return simulate(p, dir)
	}
	table := runAll(t, c)
	slices.Sort(failed)
	if last.Total != 45 || last.Done != 43 || last.Failed != 2 || len(failed) != 2 ||
		!strings.Contains(failed[0], "latency.median=20ms,fanout=3,seed=3: out of luck") || !strings.Contains(failed[1], SummaryName) {
		t.Errorf("progress ends with %+v and %q", last, failed)
	}
	if n := bytes.Count(table, []byte("\n")); n != 44 {
		t.Errorf("the table has %d lines", n)
	}
	c.Runner = fake
	runAll(t, c)
	if last.Done != 45 || last.Failed != 0 || last.Resumed != 43 {
		t.Errorf("the second time progress ends with %+v", last)
	}
}

// Jobs points run at a time, not more and not fewer.
func TestJobs(t *testing.T) {
	c := Config{Dir: t.TempDir(), Grid: testGrid(), Jobs: 5}
	var mu sync.Mutex
	now, most := 0, 0
	all := make(chan struct{})
	c.Runner = func(_ context.Context, p Point, dir string) error {
		mu.Lock()
		now++
		most = max(most, now)
		mu.Unlock()
		defer func() { mu.Lock(); now--; mu.Unlock() }()
		if p.Index == c.Jobs-1 {
			close(all)
		}
		<-all // fewer jobs would wait for ever
		return simulate(p, dir)
	}
	runAll(t, c)
	if most > c.Jobs {
		t.Errorf("%d points ran at a time", most)
	}
}

// The table has the columns that are documented, costs are apart, and a missing
// number is an empty field.
func TestTables(t *testing.T) {
	c := Config{Dir: t.TempDir(), Grid: testGrid(), Runner: fake}
	text := runAll(t, c)
	records, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(records[0], " "); got != "latency.median fanout seed announce.coverage_mean formed formed_at_s" {
		t.Errorf("the header is %s", got)
	}
	if got := strings.Join(records[1], " "); got != "20ms 2 1 1 0 " {
		t.Errorf("the first row is %q", got)
	}
	read, err := Read(c.Dir)
	if err != nil || read.Len() != 45 {
		t.Fatal(err)
	}
	if again, err := read.CSV(read.Metrics); err != nil || !bytes.Equal(again, text) {
		t.Errorf("read again, the table is %v\n%s", err, again)
	}
	if len(read.Costs) != 1 || read.Costs[0] != "wall_s" {
		t.Errorf("costs are %v", read.Costs)
	}
	if s := read.Samples(0, "formed_at_s"); len(s) != 4 {
		t.Errorf("formed_at_s has samples %v, want those of 4 seeds", s)
	}
	cost, err := os.ReadFile(filepath.Join(c.Dir, CostsName))
	if err != nil || !strings.HasPrefix(string(cost), "latency.median,fanout,seed,wall_s\n") {
		t.Errorf("costs are %v %.60s", err, cost)
	}
}

func TestParquetHasTheTable(t *testing.T) {
	c := Config{Dir: t.TempDir(), Grid: testGrid(), Runner: fake}
	c.Grid.Seeds[0] = 1<<64 - 1
	c.Grid.Program = "v1.2.3 abc"
	c.Grid.Axes = append(c.Grid.Axes, Axis{"latency.sigma", []string{"0.5", "1"}})
	text := runAll(t, c)
	type record struct {
		Median   string   `parquet:"latency.median"`
		Fanout   int64    `parquet:"fanout"`
		Sigma    float64  `parquet:"latency.sigma"`
		Seed     uint64   `parquet:"seed"`
		Coverage *float64 `parquet:"announce.coverage_mean,optional"`
		FormedAt *float64 `parquet:"formed_at_s,optional"`
	}
	rows, err := parquet.ReadFile[record](filepath.Join(c.Dir, ParquetName))
	if err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil || len(rows) != len(records)-1 {
		t.Fatalf("%d rows, want %d: %v", len(rows), len(records)-1, err)
	}
	for i, r := range rows {
		formed := ""
		if r.FormedAt != nil {
			formed = number(*r.FormedAt)
		}
		got := []string{r.Median, strconv.FormatInt(r.Fanout, 10), number(r.Sigma), strconv.FormatUint(r.Seed, 10), number(*r.Coverage), formed}
		want := slices.Delete(slices.Clone(records[i+1]), 5, 6)
		if !slices.Equal(got, want) {
			t.Errorf("row %d is %v, want %v", i, got, want)
		}
	}
	raw, err := os.ReadFile(filepath.Join(c.Dir, ParquetName))
	if err != nil || !bytes.Contains(raw, []byte("peernet version v1.2.3(build abc)")) {
		t.Errorf("the file does not say which program made it: %v", err)
	}
}

// Damaged or malicious files of a sweep are errors.
func TestReadOfBadSweeps(t *testing.T) {
	if _, err := Read(t.TempDir()); !errors.Is(err, ErrNoSweep) {
		t.Errorf("an empty directory: %v", err)
	}
	for text, want := range map[string]string{
		`{`:                                  gridName,
		`{"seeds":[]}`:                       "no seeds",
		`{"seeds":[1],"vary":[{"key":"a"}]}`: "no values",
		`{"seeds":[1],"vary":[{"key":"a\u0007","values":["1"]}]}`: "control characters",
	} {
		dir := t.TempDir()
		for name, text := range map[string]string{gridName: text, ScenarioName: ""} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func TestNumbersSurvive(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 17926: "17926", 1e15: "1000000000000000", 0.1: "0.1", 2.5e-9: "2.5e-09", -3: "-3", 1e300: "1e+300"} {
		if got := number(v); got != want {
			t.Errorf("%v is written %s, want %s", v, got, want)
		}
	}
}
