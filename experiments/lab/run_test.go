package lab_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"peernet/experiments/lab"
)

// An order of trials: each waits until another one has ended.
type order struct {
	mu    sync.Mutex
	ended map[string]chan struct{}
}

func (o *order) of(trial string) chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended == nil {
		o.ended = map[string]chan struct{}{}
	}
	if o.ended[trial] == nil {
		o.ended[trial] = make(chan struct{})
	}
	return o.ended[trial]
}

// sums is an experiment in whose sums the order matters: of floating point numbers, and of
// the names of measures and series. With back, the trials with even seeds end before the
// odd ones that were started before them.
func sums(back bool) *lab.Experiment {
	var o order
	e := fake(`
		{"name": "one", "seeds": 9, "quick": 4, "parameters": {"a": 1e16}, "expect": [{"measure": "m", "published": 0.5}, {"measure": "x", "least": 1, "from": "Table 1"}]},
		{"name": "two", "seeds": 8, "quick": 0, "parameters": {"a": 0.1}, "expect": [{"measure": "m", "below": "one"}]},
		{"name": "three", "alone": true, "seeds": 3, "quick": 3, "parameters": {"a": 3}}`,
		`{"name": "wrong", "case": "one", "parameters": {"b": 7}, "fails": ["m"], "seeds": 5}`,
		func(t *lab.Trial, p parameters) error {
			trial := func(seed uint64) string { return fmt.Sprint(p, seed) }
			if back && p.A != 3 && t.Seed%2 == 1 && t.Seed < 5 {
				<-o.of(trial(t.Seed + 1))
			}
			defer func() {
				if back {
					close(o.of(trial(t.Seed)))
				}
			}()
			random := t.Rand("values")
			t.Measure("m", value(t, p))
			t.Measure(fmt.Sprintf("m%d", t.Seed), 1)
			if t.Seed > 2 {
				t.Measure("x", float64(t.Seed))
			}
			for x := range 5 {
				t.Point("line", float64(5-x), p.A*random.Float64())
			}
			t.Point(fmt.Sprintf("line%d", t.Seed), 1, random.NormFloat64())
			t.Cost("seconds", random.Float64())
			return nil
		})
	e.Plots = func(r *lab.Results) []lab.Plot {
		return []lab.Plot{{Name: "lines", Title: "Lines", Lines: []lab.Line{r.Find("one").Line("line", "one"), r.Find("three").Line("line", "three")}}}
	}
	return e
}

// value is about 0, and as large as the parameter a.
func value(t *lab.Trial, p parameters) float64 { return p.A*(t.Rand("m").Float64()-0.5) + p.B }

// files reads a directory.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = string(text)
	}
	return all
}

// Results do not depend on the number of workers, nor on which trial ends first.
func TestTheSameForAnyWorkers(t *testing.T) {
	var want map[string]string
	for _, workers := range []int{1, 2, 7} {
		all, err := lab.Run(t.Context(), []*lab.Experiment{sums(workers > 1)}, lab.Options{Workers: workers, Controls: true})
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(t.TempDir(), "new", "one")
		if err := lab.Write(dir, all); err != nil {
			t.Fatal(err)
		}
		got := files(t, dir)
		if want == nil {
			want = got
			names := slices.Sorted(maps.Keys(got))
			if !slices.Equal(names, []string{"costs.json", "fake-lines.svg", "report.html", "report.md", "results.json"}) {
				t.Errorf("the files are %v", names)
			}
		}
		for name, text := range want {
			if got[name] != text {
				t.Errorf("%s of %d workers differs:\n%s\n%s", name, workers, got[name], text)
			}
		}
		m := all[0].Find("two").Measure("m")
		for i, v := range m.Values {
			if want := value(&lab.Trial{Seed: uint64(i + 1)}, parameters{A: 0.1}); v != want {
				t.Errorf("%d workers: value %d is %v, want that of its seed, %v", workers, i, v, want)
			}
		}
	}
}

// A point is the mean of all that was reported at its x, in a trial or over the seeds.
func TestSeries(t *testing.T) {
	e := fake(`{"name": "one", "seeds": 3}`, ``, func(t *lab.Trial, _ parameters) error {
		for x := 3; x >= int(t.Seed); x-- {
			t.Point("line", float64(x), float64(10*x)+float64(t.Seed))
		}
		if t.Seed == 1 {
			t.Point("line", 1, 21)
		}
		return nil
	})
	all, err := lab.Run(t.Context(), []*lab.Experiment{e}, lab.Options{})
	if err != nil {
		t.Fatal(err)
	}
	one := all[0].Find("one")
	var got string
	for _, p := range one.Series[0].Points {
		got += fmt.Sprintf("(%v %v %d)", p.X, p.Y, p.N)
	}
	if want := "(1 16 2)(2 21.5 2)(3 32 3)"; got != want || len(one.Series) != 1 {
		t.Errorf("points are %s, want %s", got, want)
	}
	if l := one.Line("line", "name"); l.Name != "name" || !slices.Equal(l.Points, []lab.XY{{X: 1, Y: 16}, {X: 2, Y: 21.5}, {X: 3, Y: 32}}) {
		t.Errorf("the line is %+v", l)
	}
	if l := all[0].Find("none").Line("line", "name"); len(l.Points) != 0 {
		t.Errorf("the line of no case is %+v", l)
	}
}

// What a trial is started with, by options.
func TestWhatIsRun(t *testing.T) {
	const cases = `
		{"name": "one", "seeds": 4, "quick": 2, "parameters": {"a": 1, "name": "x"}, "expect": [{"measure": "m", "least": 1}]},
		{"name": "two", "seeds": 2, "quick": 0, "parameters": {"a": 2}}`
	const controls = `
		{"name": "wrong", "case": "one", "parameters": {"b": 3}, "fails": ["m"]},
		{"name": "other", "case": "one", "parameters": {"name": "y"}, "fails": ["m"], "seeds": 3, "quick": 1}`
	one, two := "1 0 x: ", "2 0 : "
	for _, test := range []struct {
		name string
		o    lab.Options
		want []string
	}{
		{"all", lab.Options{}, []string{one + "1 2 3 4", two + "1 2"}},
		{"quick leaves out cases", lab.Options{Quick: true}, []string{one + "1q 2q"}},
		{"seeds", lab.Options{Seeds: []uint64{9, 7}}, []string{one + "9 7", two + "9 7"}},
		{"seeds, quick", lab.Options{Seeds: []uint64{9, 7, 1}, Quick: true}, []string{one + "9q 7q 1q"}},
		{"controls", lab.Options{Controls: true}, []string{one + "1 2 3 4", "1 3 x: 1 2 3 4", "1 0 y: 1 2 3", two + "1 2"}},
		{"controls, quick", lab.Options{Controls: true, Quick: true}, []string{one + "1q 2q", "1 3 x: 1q 2q", "1 0 y: 1q"}},
	} {
		var got []string
		last := ""
		e := fake(cases, controls, func(t *lab.Trial, p parameters) error {
			seed := fmt.Sprint(t.Seed)
			if t.Quick {
				seed += "q"
			}
			if c := fmt.Sprintf("%v %v %v: ", p.A, p.B, p.Name); c != last || len(got) == 0 {
				last, got = c, append(got, c+seed)
			} else {
				got[len(got)-1] += " " + seed
			}
			return nil
		})
		var progress []lab.Progress
		test.o.Progress = func(p lab.Progress) { progress = append(progress, p) }
		all, err := lab.Run(t.Context(), []*lab.Experiment{e}, test.o)
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%s: %v ran %q, want %q", test.name, err, got, test.want)
		}
		if r := all[0]; r.Quick != test.o.Quick || (r.Find("two") != nil) == test.o.Quick || (len(r.Controls) == 2) != test.o.Controls {
			t.Errorf("%s: %+v", test.name, r)
		}
		for i, p := range progress {
			if p.Done != i || p.Total != len(progress)-1 || (p.Experiment == "fake") != (i > 0) || (p.Case == "") != (i == 0) {
				t.Errorf("%s: progress %d is %+v", test.name, i, p)
			}
		}
	}
}

// Trials that want to be alone are run first, one at a time, and are told of all workers.
func TestAlone(t *testing.T) {
	var running, alone, others atomic.Int32
	e := fake(`{"name": "one", "seeds": 20, "parameters": {"a": 1}}, {"name": "two", "alone": true, "seeds": 3, "parameters": {"a": 2}}`, ``,
		func(trial *lab.Trial, p parameters) error {
			n := running.Add(1)
			defer running.Add(-1)
			workers := 1
			if p.A == 2 {
				workers = 5
				alone.Add(1)
				if n != 1 || others.Load() != 0 {
					t.Error("is not alone")
				}
			} else {
				others.Add(1)
			}
			if trial.Workers != workers {
				t.Errorf("%v has %d workers, want %d", p.A, trial.Workers, workers)
			}
			return nil
		})
	if _, err := lab.Run(t.Context(), []*lab.Experiment{e}, lab.Options{Workers: 5}); err != nil {
		t.Fatal(err)
	}
	if alone.Load() != 3 || others.Load() != 20 {
		t.Errorf("%d and %d trials", alone.Load(), others.Load())
	}
}

var errTrial = errors.New("no luck")

// The first trial that fails ends the run, and the error says which it was.
func TestTrialsThatFail(t *testing.T) {
	for name, test := range map[string]struct {
		trial func(*lab.Trial) error
		want  string
	}{
		"error":          {func(*lab.Trial) error { return errTrial }, "no luck"},
		"panic":          {func(*lab.Trial) error { panic("oh no") }, "panic: oh no\n"},
		"no number":      {func(t *lab.Trial) error { t.Measure("m", math.NaN()); return nil }, "panic: lab: m is NaN\n"},
		"infinite":       {func(t *lab.Trial) error { t.Cost("s", math.Inf(1)); return nil }, "panic: lab: s is +Inf\n"},
		"reported twice": {func(t *lab.Trial) error { t.Measure("m", 1); t.Measure("m", 1); return nil }, "panic: lab: m is reported twice\n"},
	} {
		e := fake(`{"name": "one", "seeds": 50, "expect": [{"measure": "m", "published": 1}]}`, `{"name": "wrong", "case": "one", "parameters": {"b": 1}, "fails": ["m"]}`,
			func(t *lab.Trial, p parameters) error {
				switch {
				case t.Seed < 3:
					return nil
				case t.Seed == 3 && (p.B == 1) == (name == "panic"):
					return test.trial(t)
				case p.B == 0 && name == "panic":
					return nil
				}
				<-t.Context.Done() // no other error, and no more trials
				return t.Context.Err()
			})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second) // no test is to hang
		_, err := lab.Run(ctx, []*lab.Experiment{e}, lab.Options{Workers: 3, Controls: true})
		if ctx.Err() != nil {
			t.Errorf("%s: the other trials went on", name)
		}
		cancel()
		want := "lab: experiment fake, case one, seed 3: " + test.want
		if name == "panic" {
			want = "lab: experiment fake, case one, control wrong, seed 3: " + test.want
		}
		if err == nil || !strings.HasPrefix(err.Error(), want) || errors.Is(err, context.Canceled) || name == "error" && !errors.Is(err, errTrial) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

// When the context ends, no more trials are started, and its error is returned.
func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var started atomic.Int32
	third := make(chan struct{})
	e := fake(`{"name": "one", "seeds": 100}, {"name": "two", "seeds": 5}`, ``, func(t *lab.Trial, _ parameters) error {
		started.Add(1)
		switch t.Seed {
		case 3:
			close(third)
		case 4:
			<-third
			cancel()
		}
		if t.Seed >= 3 {
			<-t.Context.Done()
			return fmt.Errorf("stopped: %w", t.Context.Err())
		}
		return nil
	})
	all, err := lab.Run(ctx, []*lab.Experiment{e}, lab.Options{Workers: 2})
	if err != context.Canceled {
		t.Errorf("%v, want that the context was cancelled", err)
	}
	// What was done is there, and says that it is not all.
	if len(all) != 1 || !all[0].Partial || len(all[0].Cases) != 1 || !slices.Equal(all[0].Cases[0].Seeds, []uint64{1, 2}) {
		t.Errorf("results %+v, want the two trials that were done", all)
	}
	if n := started.Load(); n != 4 {
		t.Errorf("%d trials were started, want 4", n)
	}
}

// The stream of a trial depends on its seed and the name.
func TestStreams(t *testing.T) {
	draw := func(seed uint64, name string) uint64 { return (&lab.Trial{Seed: seed}).Rand(name).Uint64() }
	first := draw(1, "a")
	if draw(1, "a") != first || draw(2, "a") == first || draw(1, "b") == first {
		t.Error("streams are the same, or differ, where they should not")
	}
}

// The directory is the same for all who ask, whatever was asked for before.
func TestAddresses(t *testing.T) {
	few, many := lab.Addresses(3), lab.Addresses(300)
	if len(few) != 3 || len(many) != 300 || !slices.Equal(few, many[:3]) || cap(lab.Addresses(2)) != 2 {
		t.Errorf("%v, %v", few, many)
	}
}
