package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// simulations writes the directories of runs with some seeds, as arguments: --a DIR
// for each.
func simulations(t *testing.T, flag string, first, last int, args ...string) (flags []string) {
	t.Helper()
	dir := t.TempDir()
	for seed := first; seed <= last; seed++ {
		out := filepath.Join(dir, strconv.Itoa(seed))
		c := simCommand()
		c.SetArgs(append([]string{"--nodes", "50", "--duration", "10s", "--seed", strconv.Itoa(seed), "--out", out, "--json"}, args...))
		var discard strings.Builder
		c.SetOut(&discard)
		c.SetErr(&discard)
		if err := c.ExecuteContext(t.Context()); err != nil {
			t.Fatal(err)
		}
		flags = append(flags, flag, out)
	}
	return flags
}

// compareWith runs the command; exit is what the program would exit with.
func compareWith(t *testing.T, args ...string) (stdout, message string, exit int) {
	t.Helper()
	var out strings.Builder
	c := compareCommand()
	c.SilenceUsage, c.SilenceErrors = true, true
	c.SetArgs(args)
	c.SetOut(&out)
	c.SetErr(&out)
	if err := c.ExecuteContext(t.Context()); err != nil {
		return out.String(), plain(err), 1
	}
	return out.String(), "", 0
}

// A fan-out of 1 loses coverage, and that fails; other seeds of one scenario do not.
func TestCompareFindsARegression(t *testing.T) {
	a := simulations(t, "--a", 1, 8)
	same := simulations(t, "--b", 11, 18)
	worse := simulations(t, "--b", 11, 18, "--set", "fanout=1")
	out, message, exit := compareWith(t, append(append(a, worse...), "--fail-on-regression")...)
	if exit != 1 || !strings.Contains(message, "metrics regressed: announce.coverage_mean; ") {
		t.Errorf("fan-out 1: exit code %d, %q", exit, message)
	}
	for _, want := range []string{"   fanout 3 → 1\n", "A ± CI/2, n=8", "± CI/2 half of their 95 % confidence interval", "  announce.coverage_mean ", "WORSE", "other metrics\n", "costs\n", "metrics with a better side: p Holm is over "} {
		if !strings.Contains(out, want) {
			t.Errorf("lacks %q in\n%s", want, out)
		}
	}
	if _, _, exit := compareWith(t, append(a, worse...)...); exit != 0 {
		t.Errorf("without --fail-on-regression the exit code is %d", exit)
	}
	if out, message, exit := compareWith(t, append(append(a, same...), "--fail-on-regression")...); exit != 0 {
		t.Errorf("the same scenario: exit code %d, %q\n%s", exit, message, out)
	}
}

// With one run a side the differences are shown, it is said that there is no test, and
// a gate that could not close is an error.
func TestCompareOfSingleRuns(t *testing.T) {
	a, b := simulations(t, "--a", 1, 1), simulations(t, "--b", 2, 2)
	dirs := []string{a[1], b[1]}
	out, _, exit := compareWith(t, dirs...)
	if exit != 0 || !strings.Contains(out, "no test is possible with one run on a side") || !strings.Contains(out, "untested") {
		t.Errorf("exit code %d\n%s", exit, out)
	}
	if _, message, exit := compareWith(t, append(dirs, "--fail-on-regression")...); exit != 1 || !strings.Contains(message, "no regression can be found") {
		t.Errorf("exit code %d, %q", exit, message)
	}
}

// A gate between a run and its copy could not close either.
func TestCompareOfCopies(t *testing.T) {
	dirs := []string{simulations(t, "", 1, 1)[1], simulations(t, "", 1, 1)[1]}
	if out, _, exit := compareWith(t, dirs...); exit != 0 || strings.Contains(out, "seed") || strings.Contains(out, "  nodes") {
		t.Errorf("exit code %d\n%s", exit, out)
	}
	if _, message, exit := compareWith(t, append(dirs, "--fail-on-regression")...); exit != 1 || !strings.Contains(message, "no regression can be found: no test of so few runs") {
		t.Errorf("exit code %d, %q", exit, message)
	}
}

func TestCompareAsJSON(t *testing.T) {
	args := append(simulations(t, "--a", 1, 2), simulations(t, "--b", 3, 4)...)
	out, _, exit := compareWith(t, append(args, "--json", "--metric", "wall_s", "--metric", "announce.redundancy")...)
	var raw struct {
		Cells []struct {
			Rows []struct {
				Metric string
				Better string
				P      *float64
			}
		}
	}
	if err := json.Unmarshal([]byte(out), &raw); err != nil || exit != 0 {
		t.Fatalf("exit code %d, %v in %s", exit, err, out)
	}
	rows := raw.Cells[0].Rows
	if len(rows) != 2 || rows[0].Metric != "announce.redundancy" || rows[0].Better != "down" || rows[0].P == nil || rows[1].Metric != "wall_s" {
		t.Errorf("rows are %+v", rows)
	}
}

func TestBadComparisonSaysWhatToDo(t *testing.T) {
	run, other := simulations(t, "", 1, 1)[1], simulations(t, "", 2, 2)[1]
	empty := t.TempDir()
	if err := os.WriteFile(filepath.Join(empty, "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ args, want string }{
		{"", "want two directories, A and B, or --a DIR and --b DIR"},
		{"RUN", "want two directories"},
		{"RUN RUN --a RUN", "want two directories"},
		{"--a RUN", "want two directories"},
		{"RUN EMPTY", "side B: neither a run nor a sweep is in the directory"},
		{"--a RUN --a RUN --b OTHER", "side A: " + run + " and " + run + " have a run of seed 1 each"},
		{"RUN RUN", run + " is on both sides"},
		{"RUN RUN/. --fail-on-regression", run + "/. is on both sides"},
		{"--a OTHER --a RUN --b RUN", run + " is on both sides"},
		{"RUN OTHER OTHER", "such as: peernet sim compare before after"},
		{"RUN/summary.json OTHER", "side A: " + run + "/summary.json is a file; want the directory of a run, as sim run --out DIR writes it"},
		{"RUN RUN --min-change x", "--min-change: want a percentage"},
		{"RUN OTHER --min-change -1%", "must be from 0"},
		{"RUN RUN --alpha 0", "--alpha: 0, must be between 0 and 1"},
		{"RUN OTHER --alpha 2", "alpha is 2, must be between"},
		{"RUN OTHER --metric nope", "no run has the metric nope; there are announce.coverage_mean,"},
	} {
		args := strings.Fields(strings.NewReplacer("RUN", run, "OTHER", other, "EMPTY", empty).Replace(test.args))
		if _, message, exit := compareWith(t, args...); exit != 1 || !strings.Contains(message, test.want) {
			t.Errorf("%s: exit code %d, %q, want %q", test.args, exit, message, test.want)
		}
	}
}

// Two sweeps are compared cell by cell.
func TestCompareSweeps(t *testing.T) {
	dirs := []string{t.TempDir(), t.TempDir()}
	for i, dir := range dirs {
		args := []string{"sweep", "quickstart", "--nodes", "50", "--duration", "10s", "--vary", "fanout=1,3", "--seeds", fmt.Sprintf("%d1..%d2", i, i), "--out", dir}
		if _, errOut, exit := run(t, peernetProcess("", args...)); exit != 0 {
			t.Fatal(errOut)
		}
	}
	out, _, exit := compareWith(t, append(dirs, "--metric", "announce.redundancy")...)
	if exit != 0 || strings.Count(out, "  announce.redundancy ") != 2 || !strings.Contains(out, "\nfanout=1\nmetric ") || !strings.Contains(out, "n=2") {
		t.Errorf("exit code %d\n%s", exit, out)
	}
}
