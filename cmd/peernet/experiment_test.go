package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"peernet/experiments"
	"peernet/experiments/lab"
)

// peernetFails is the command as a process of its own.
func peernetFails(t *testing.T, args ...string) (stdout, stderr string, exit int) {
	t.Helper()
	c := exec.Command(os.Args[0], args...)
	c.Env = append(os.Environ(), asMain+"=1")
	return run(t, c)
}

// fakeResults are those of an experiment that reports the seed, one case of which
// reproduces while the other does not.
func fakeResults(t *testing.T, cases, controls string) []*lab.Results {
	t.Helper()
	e := lab.New("fake", fstest.MapFS{
		"README.md":     {Data: []byte("# Fake\n")},
		"expected.json": {Data: []byte(`{"title": "A fake", "source": "Nobody, 2001", "cases": [` + cases + `], "controls": [` + controls + `]}`)},
	}, func(t *lab.Trial, p struct{ Add float64 }) error {
		t.Measure("m", float64(t.Seed)+p.Add)
		t.Measure("more", 3)
		t.Cost("seconds", 0.25)
		return nil
	})
	all, err := lab.Run(t.Context(), []*lab.Experiment{e}, lab.Options{Controls: true})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

const (
	goodCase    = `{"name": "good", "seeds": 4, "expect": [{"measure": "m", "published": 2.5, "from": "Table 1"}]}`
	badCase     = `{"name": "bad", "seeds": 4, "expect": [{"measure": "m", "published": 9}, {"measure": "none", "most": 1}]}`
	seenControl = `{"name": "seen", "case": "good", "parameters": {"Add": 50}, "fails": ["m"]}`
	goneControl = `{"name": "gone", "case": "good", "fails": ["m"]}`
)

// A check fails by a verdict, or by a control that was not noticed, and then the exit code
// is 1.
func TestFailuresOfExperiments(t *testing.T) {
	for _, test := range []struct {
		cases, controls string
		want            string
	}{
		{goodCase, seenControl, ""},
		{goodCase + "," + badCase, seenControl, "not reproduced:\n  fake: bad, m: mean 2.5, sd 1.291, n 4\n  fake: bad, none: no trial reported it"},
		{goodCase, goneControl + "," + seenControl, "not reproduced:\n  fake: the control \"gone\" of good was not noticed by m"},
	} {
		err := failures(fakeResults(t, test.cases, test.controls))
		if test.want == "" {
			if err != nil {
				t.Errorf("%v, want no failure", err)
			}
			continue
		}
		if err == nil || err.Error() != test.want || exitCode(err) != 1 {
			t.Errorf("%v, want %s", err, test.want)
		}
	}
}

// A trial that fails is told of without the names of packages.
func TestErrorOfATrial(t *testing.T) {
	e := lab.New("fake", fstest.MapFS{
		"README.md":     {Data: []byte("# Fake\n")},
		"expected.json": {Data: []byte(`{"title": "A fake", "source": "Nobody, 2001", "cases": [{"name": "one", "seeds": 1}]}`)},
	}, func(*lab.Trial, struct{}) error { return errors.New("no luck") })
	_, err := lab.Run(t.Context(), []*lab.Experiment{e}, lab.Options{})
	if err == nil || plain(err) != "experiment fake, case one, seed 1: no luck" || exitCode(err) != 1 {
		t.Errorf("%v", err)
	}
}

// What is printed for people: means beside what was published, and what was not measured
// as none.
func TestPrintedExperiments(t *testing.T) {
	var out strings.Builder
	if err := printExperiments(&out, fakeResults(t, goodCase+","+badCase, goneControl+","+seenControl)); err != nil {
		t.Fatal(err)
	}
	const want = `fake: A fake
Nobody, 2001

CASE  MEASURE  MEAN  SD     N  PUBLISHED  ALLOWED  FROM     VERDICT
good  m        2.5   1.291  4  2.5        ± 1.99   Table 1  ok
bad   m        2.5   1.291  4  9          ± 2.44            FAILED
bad   none     none         0  at most 1                    FAILED
control gone (good): NOT NOTICED by m
control seen (good): noticed

besides
CASE  MEASURE  MEAN  SD  N
good  more     3     0   4
bad   more     3     0   4

costs, of this machine
CASE  MEASURE  MEAN  SD  N
good  seconds  0.25  0   4
bad   seconds  0.25  0   4
`
	if out.String() != want {
		t.Errorf("printed\n%s", out.String())
	}
}

func TestExperimentList(t *testing.T) {
	out, errOut, err := peernet("experiment", "list")
	if err != nil || errOut != "" {
		t.Fatalf("%v, %s", err, errOut)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != len(experiments.All())+1 || !strings.HasPrefix(lines[0], "NAME") {
		t.Fatalf("printed\n%s", out)
	}
	for i, e := range experiments.All() {
		if f := strings.Fields(lines[i+1]); f[0] != e.Name || !strings.HasSuffix(lines[i+1], e.Title) {
			t.Errorf("line %d is %q", i+1, lines[i+1])
		}
	}
}

func TestBadExperimentSaysWhatToDo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args string
		want string
	}{
		{"run", "want the name of an experiment, such as: peernet experiment run demers; peernet experiment list has them, and --all is all of them"},
		{"run demres", `no experiment "demres"; there are `},
		{"check demers demres", `no experiment "demres"; there are `},
		{"run demers demers --quick --seeds 1", "demers is named twice"},
		{"run --all demers --quick --seeds 1", "--all: is all experiments, without names"},
		{"check --all demers --quick --seeds 1", "--all: is all experiments, without names"},
		{"run demers --seeds 5..1", `--seeds "5..1": want whole numbers from 0`},
		{"run demers --seeds x", `--seeds "x": want whole numbers from 0`},
		{"run demers --seeds 1..200000", "more than 100000 seeds"},
		{"run demers --quick --seeds 1,2,1", "--seeds: seed 1 is given twice"},
		{"run demers --workers 0 --quick --seeds 1", "--workers: 0, must be from 1 to 1024"},
		{"run demers --workers 1025 --quick --seeds 1", "--workers: 1025, must be from 1 to 1024"},
		{"run demers --workers x", `--workers: want a whole number, not "x"`},
		{"run demers --out " + file, "--out " + file + ": "},
		{"list demers", `unknown command "demers"`},
		{"repeat", `unknown command "repeat"`},
	} {
		out, _, err := peernet(append([]string{"experiment"}, strings.Fields(test.args)...)...)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.args, err, test.want)
		}
		if out != "" {
			t.Errorf("%s prints %q", test.args, out)
		}
	}
}

// readResults reads what --json prints.
func readResults(t *testing.T, text string) (r struct {
	Experiments []struct {
		Name     string
		Quick    bool
		OK       bool
		Rows     []struct{ N int }
		Controls []struct{ Name string }
	}
}) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return r
}

// The results on standard output and in files are the same for any number of workers, and
// with --json nothing else is printed.
func TestExperimentsAreTheSameForAnyWorkers(t *testing.T) {
	var first [2]string
	for _, workers := range []string{"1", "2"} {
		dir := filepath.Join(t.TempDir(), "a", "b")
		out, errOut, err := peernet("experiment", "run", "demers", "--quick", "--seeds", "3,1,2", "--workers", workers, "--json", "--out", dir)
		if err != nil || errOut != "" {
			t.Fatalf("%v, %s", err, errOut)
		}
		var names []string
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			names = append(names, e.Name())
		}
		if want := []string{"costs.json", "demers-cycles.svg", "demers-residue.svg", "demers-traffic.svg", "report.html", "report.md", "results.json"}; !slices.Equal(names, want) {
			t.Errorf("the files are %v", names)
		}
		report, err := os.ReadFile(filepath.Join(dir, lab.MarkdownName))
		if err != nil {
			t.Fatal(err)
		}
		if file, err := os.ReadFile(filepath.Join(dir, lab.JSONName)); err != nil || string(file) != out {
			t.Errorf("the file is\n%s, %v, printed was\n%s", file, err, out)
		}
		if got := [2]string{out, string(report)}; first == [2]string{} {
			first = got
		} else if first != got {
			t.Errorf("of 1 worker\n%s, of 2\n%s", first, got)
		}
	}
	r := readResults(t, first[0]).Experiments
	if len(r) != 1 || r[0].Name != "demers" || !r[0].Quick || len(r[0].Controls) != 0 || len(r[0].Rows) < 20 || r[0].Rows[0].N != 3 {
		t.Errorf("results are %s", first[0])
	}
}

// What people get, and where.
func TestExperimentForPeople(t *testing.T) {
	dir := t.TempDir()
	out, errOut, err := peernet("experiment", "run", "demers", "--seeds", "1", "--out", dir)
	if err != nil {
		t.Fatal(err) // run fails by no verdict
	}
	if !strings.HasPrefix(out, "demers: Rumor") || !strings.Contains(out, "\nCASE ") || strings.Contains(out, "control") {
		t.Errorf("printed\n%s", out)
	}
	if !strings.Contains(errOut, " trials, no time left\n") || !strings.HasSuffix(errOut, " s\nthe report is "+filepath.Join(dir, lab.HTMLName)+"\n") {
		t.Errorf("standard error has\n%s", errOut)
	}
}

// One seed is too few for an experiment's verdicts and controls: the check fails, with exit
// code 1, and what it prints is whole all the same.
func TestFailedCheckOfExperiments(t *testing.T) {
	out, errOut, exit := peernetFails(t, "experiment", "check", "demers", "--seeds", "1", "--json")
	r := readResults(t, out).Experiments
	if exit != 1 || len(r) != 1 || len(r[0].Controls) < 2 {
		t.Errorf("exit code %d, %s", exit, out)
	}
	if !strings.HasPrefix(errOut, "peernet: nothing was checked: ") {
		t.Errorf("standard error has\n%s", errOut)
	}
}
