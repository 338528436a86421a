package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"peernet/sim/sweep"
)

// asSweep makes the test binary behave as the command with the subcommands of sim,
// for tests that need processes; asSweepFails names a seed whose points fail.
const (
	asSweep      = "PEERNET_TEST_SWEEP"
	asSweepFails = "PEERNET_TEST_SWEEP_FAILS"
)

func init() {
	if os.Getenv(asSweep) == "" {
		return
	}
	if seed := os.Getenv(asSweepFails); seed != "" && os.Args[2] == "run" && slices.Contains(os.Args, seed) {
		os.Stderr.WriteString("\x1b[31mno luck\nwith this seed\n")
		os.Exit(3)
	}
	err := rootCommand().ExecuteContext(interruptible())
	if errors.Is(err, context.Canceled) {
		os.Exit(exitInterrupted)
	}
	if err != nil {
		os.Stderr.WriteString("peernet: " + plain(err) + "\n")
		os.Exit(exitCode(err))
	}
	os.Exit(0)
}

// peernetProcess is peernet sim as a process of its own.
func peernetProcess(env string, args ...string) *exec.Cmd {
	c := exec.Command(os.Args[0], append([]string{"sim"}, args...)...)
	c.Env = append(os.Environ(), asSweep+"=1", env)
	return c
}

// run runs a process to its end.
func run(t *testing.T, c *exec.Cmd) (stdout, stderr string, exit int) {
	t.Helper()
	var out, errOut strings.Builder
	c.Stdout, c.Stderr = &out, &errOut
	err := c.Run()
	if e := (*exec.ExitError)(nil); err != nil && !errors.As(err, &e) {
		t.Fatal(err)
	}
	return out.String(), errOut.String(), c.ProcessState.ExitCode()
}

// tiny are the arguments of a sweep of 3 x 3 x 5 points.
func tiny(dir string, more ...string) []string {
	return append([]string{"sweep", "quickstart", "--nodes", "50", "--duration", "10s", "--vary", "latency.median=20ms,50ms,100ms",
		"--vary", "fanout=2,3,4", "--seeds", "1..5", "--jobs", "2", "--out", dir}, more...)
}

func readTable(t *testing.T, dir string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, sweep.TableName))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// A sweep whose processes are killed half way, and that is started again, gives the
// table of a sweep that ran through.
func TestKilledSweepGoesOn(t *testing.T) {
	whole, killed := t.TempDir(), t.TempDir()
	out, errOut, exit := run(t, peernetProcess("", tiny(whole)...))
	if exit != 0 {
		t.Fatalf("exit code %d\n%s", exit, errOut)
	}
	if want := "latency.median  fanout  runs  announce.coverage_mean"; !strings.HasPrefix(out, want) || strings.Count(out, "±") != 9*5+1 || !strings.Contains(out, "\nmean ± standard deviation over the seeds;") {
		t.Errorf("printed\n%s", out)
	}
	// Where the system cannot kill the children with their parent, they write
	// where it does no harm.
	killHalfWay(t, killed)
	done, err := sweep.Read(killed)
	if err != nil || done.Len() == 0 || done.Len() == 45 {
		t.Fatalf("after the kill %d points are done, %v", done.Len(), err)
	}
	_, errOut, exit = run(t, peernetProcess("", tiny(killed)...))
	if exit != 0 || !strings.Contains(errOut, "of 45 points were done before") {
		t.Errorf("exit code %d\n%s", exit, errOut)
	}
	if a, b := readTable(t, whole), readTable(t, killed); !bytes.Equal(a, b) || bytes.Count(a, []byte("\n")) != 46 {
		t.Errorf("the tables differ:\n%s\n%s", a, b)
	}
}

// killHalfWay starts a sweep and kills it when its first points are done.
func killHalfWay(t *testing.T, dir string) {
	t.Helper()
	c := peernetProcess("", tiny(dir)...)
	progress, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(progress).ReadString('\n')
	if err != nil || !strings.Contains(line, "1 of 45 points") {
		t.Errorf("the first line is %q, %v", line, err)
	}
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, progress) // until all that hold it are gone
	_ = c.Wait()
}

// Ctrl-C ends the processes of the points, says how to go on, and the exit code is
// that of an interrupted program.
func TestInterruptedSweep(t *testing.T) {
	dir := t.TempDir()
	c := peernetProcess("", "sweep", "quickstart", "--nodes", "300", "--duration", "1000h", "--seeds", "1..4", "--jobs", "2", "--out", dir)
	var errOut bytes.Buffer
	c.Stderr = &errOut
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	// The signal is to find processes that run.
	running := filepath.Join(dir, "running")
	for range time.Tick(time.Millisecond) {
		if entries, _ := os.ReadDir(running); len(entries) == 2 {
			break
		}
	}
	if err := c.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); c.ProcessState.ExitCode() != exitInterrupted {
		t.Errorf("ended with %v", err)
	}
	if !strings.Contains(errOut.String(), "interrupted: 0 of 4 points are done; to go on:\n  peernet sim sweep quickstart --nodes 300") {
		t.Errorf("said %s", errOut.String())
	}
	if entries, err := os.ReadDir(running); err != nil || len(entries) != 0 {
		t.Errorf("%d points are left under way, %v", len(entries), err)
	}
}

// Points that fail are told of with what they said and the line that reruns them.
func TestFailedPointsOfASweep(t *testing.T) {
	dir := t.TempDir()
	args := []string{"sweep", "quickstart", "--nodes", "50", "--duration", "10s", "--vary", "fanout=2,3", "--seeds", "1,77", "--out", dir}
	_, errOut, exit := run(t, peernetProcess(asSweepFails+"=77", args...))
	copied := filepath.Join(dir, sweep.ScenarioName)
	for _, want := range []string{
		"failed: fanout=3,seed=77\n  exit status 3:\n  [31mno luck\n  with this seed\n  rerun: peernet sim run " + copied +
			" --set nodes=50 --set duration=10s --set fanout=3 --seed 77\n",
		"peernet: 2 of 4 points failed",
	} {
		if !strings.Contains(errOut, want) {
			t.Errorf("lacks %q in\n%s", want, errOut)
		}
	}
	if exit != 1 {
		t.Errorf("exit code %d, want 1", exit)
	}
	if n := bytes.Count(readTable(t, dir), []byte("\n")); n != 3 {
		t.Errorf("the table has %d lines", n)
	}
	if _, errOut, exit = run(t, peernetProcess("", args...)); exit != 0 || !strings.Contains(errOut, "2 of 4 points were done before") {
		t.Errorf("the second time: exit code %d\n%s", exit, errOut)
	}
}

// Points at which checks failed are whole, and in the table; they are listed with the line
// that reruns them, and the exit code says so, also when nothing is left to run.
func TestFailedChecksOfASweep(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "never.yaml")
	text := "nodes: 50\nduration: 10s\nchecks:\n  goals:\n    - goal: bytes_per_node_per_s\n      most: 1\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out")
	for range 2 {
		stdout, errOut, exit := run(t, peernetProcess("", "sweep", file, "--seeds", "1..12", "--out", out))
		if exit != 2 || !strings.Contains(errOut, "peernet: checks failed at 12 of 12 points\n") {
			t.Errorf("exit code %d, %s", exit, errOut)
		}
		for _, want := range []string{
			"checks failed at 12 of 12 points:\n  seed=1: 1 failed\n    rerun: peernet sim run " + filepath.Join(out, sweep.ScenarioName) + " --seed 1\n", "  and 2 more: see checks.failed in table.csv\n",
		} {
			if !strings.Contains(stdout, want) {
				t.Errorf("lacks %q in\n%s", want, stdout)
			}
		}
	}
	if n := bytes.Count(readTable(t, out), []byte("\n")); n != 13 {
		t.Errorf("the table has %d lines", n)
	}
}

// Errors of the command line come before anything is run or written.
func TestBadSweepSaysWhatToDo(t *testing.T) {
	dir, file := filepath.Join(t.TempDir(), "new"), filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args string
		want string
	}{
		{"quickstart", "--out: is missing"},
		{"nowhere.yaml --out DIR", "neither a file nor one of the built-in flood, quickstart"},
		{"quickstart --out DIR --vary fanout", "want key=value,value"},
		{"quickstart --out DIR --vary fanout=2,2", "has the value 2 twice"},
		{"quickstart --out DIR --vary fanuot=2", "fanuot: unknown key"},
		{"quickstart --out DIR --vary fanout=2,x", `want a positive number of peers or all, not "x"`},
		{"quickstart --out DIR --vary seed=1,2", "name the seeds by the seeds"},
		{"quickstart --out DIR --vary nodes=2,50 --set connections=5", "with nodes=2: --set: connections"},
		{"quickstart --out DIR --vary nodes=2,50 --nodes 7", "nodes: is given twice"},
		{"quickstart --out DIR --seeds 5..1", "or a range such as 1..5"},
		{"quickstart --out DIR --seeds 1..200000", "more than 100000 seeds"},
		{"quickstart --out DIR --jobs 0", "--jobs: 0, must be from 1"},
		{"quickstart --out DIR --workers 0", "--workers: 0, must be from 1"},
		{"quickstart --out DIR --metric nope", "--metric nope: is none; there are announce.count, announce.coverage_mean"},
		{"quickstart --out DIR --metric overlay.clustering --metric coverage", "--metric coverage: is none; is one of these meant: announce.coverage_mean, announce.coverage_min?"},
		{"quickstart --out DIR --metric seed", "--metric seed: is none"},
		{"quickstart --out FILE", "--out " + file + ": is a file; want a directory"},
		{"", "want a scenario, not 0 arguments, such as: peernet sim sweep quickstart --vary fanout=2,3,4 --out results"},
		{"a b", "want a scenario, not 2 arguments"},
	} {
		c := sweepCommand()
		c.SetArgs(strings.Fields(strings.NewReplacer("DIR", dir, "FILE", file).Replace(test.args)))
		c.SetOut(io.Discard)
		c.SetErr(io.Discard)
		if err := c.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.args, err, test.want)
		}
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Error("a directory was made")
	}
}

// What is in the directory is not lost by accident.
func TestSweepInAUsedDirectory(t *testing.T) {
	dir := t.TempDir()
	args := func(more string) []string {
		return append([]string{"sweep", "quickstart", "--nodes", "50", "--duration", "10s", "--seeds", "1", "--out", dir}, strings.Fields(more)...)
	}
	if _, errOut, exit := run(t, peernetProcess("", args("")...)); exit != 0 {
		t.Fatal(errOut)
	}
	_, errOut, exit := run(t, peernetProcess("", args("--vary fanout=2")...))
	if exit != 1 || !strings.Contains(errOut, "they differ in what is varied; name another --out, or remove the old results and start over with --again") {
		t.Errorf("exit code %d, %s", exit, errOut)
	}
	if _, errOut, exit = run(t, peernetProcess("", args("--vary fanout=2 --again")...)); exit != 0 {
		t.Errorf("exit code %d, %s", exit, errOut)
	}
	table, err := sweep.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Concat(table.Metrics, table.Costs) {
		if err := checkMetricNames([]string{name}); err != nil {
			t.Error(err)
		}
	}
	// The points are done; another table of them needs no run.
	out, errOut, exit := run(t, peernetProcess(asSweepFails+"=1", args("--vary fanout=2 --metric overlay.degree_max")...))
	if exit != 0 || !strings.HasPrefix(out, "fanout  runs  overlay.degree_max\n2       1     ") {
		t.Errorf("exit code %d, %s%s", exit, out, errOut)
	}
}

func TestFigures(t *testing.T) {
	for v, want := range map[float64]string{
		0.958412: "0.9584", 3300.816: "3301", 17926: "17926", 0: "0", -2.5: "-2.500", 1e9: "1000000000", 37: "37", 1.5e-7: "1.5e-07", math.NaN(): "-",
	} {
		if got := figure(v); got != want {
			t.Errorf("%v is %s, want %s", v, got, want)
		}
	}
	for _, test := range []struct {
		mean, around float64
		want         string
	}{
		{0.958412, 0.00123, "0.9584 ± 0.0012"}, {3300.816, 12.3456, "3301 ± 12"}, {11, 0.774, "11.00 ± 0.77"}, {37, 0, "37 ± 0"},
		{0.5, 0.00001, "0.5000 ± 1e-05"}, {0, 0.25, "0.000 ± 0.250"}, {17926.4, 0.2, "17926 ± 0.2"},
	} {
		if got := spread(test.mean, test.around); got != test.want {
			t.Errorf("%v ± %v is %s, want %s", test.mean, test.around, got, test.want)
		}
	}
}
