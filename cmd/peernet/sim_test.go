package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"peernet/sim/scenario"
)

// asMain makes the test binary behave as the command, for tests that need a
// process.
const asMain = "PEERNET_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asMain) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// peernet runs the command in this process.
func peernet(args ...string) (stdout, stderr string, err error) {
	var out, errOut strings.Builder
	c := rootCommand()
	c.SetArgs(args)
	c.SetOut(&out)
	c.SetErr(&errOut)
	err = c.ExecuteContext(context.Background())
	return out.String(), errOut.String(), err
}

// The keys that scripts rely on are all there, and nothing else is printed.
func TestJSONIsTheSummaryAlone(t *testing.T) {
	out, errOut, err := peernet("sim", "--nodes", "150", "--duration", "20s", "--json")
	if err != nil {
		t.Fatal(err)
	}
	if errOut != "" {
		t.Errorf("standard error has %q", errOut)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	want := map[string]string{
		"": `nodes seed duration_s workers partial trace_hash deliveries events wall_s cpu_s deliveries_per_cpu_s
			heap_bytes_per_node peak_rss_bytes formed_at_s join_messages_per_node announce search overlay traffic`,
		"announce": "count coverage_mean coverage_min hops_mean hops_max latency_ms_p50 latency_ms_p99 redundancy",
		"search":   "count answered replies_mean",
		"overlay": `degree_mean degree_min degree_max outbound_mean outbound_min outbound_full negotiated_mean largest_component hostile_links hostile_book
			clustering path_length_mean`,
		"traffic": "messages bytes bytes_per_node_per_s",
	}
	for group, keys := range want {
		m := got
		if group != "" {
			m, _ = got[group].(map[string]any)
		}
		for _, key := range strings.Fields(keys) {
			if _, ok := m[key]; !ok {
				t.Errorf("key %s.%s is missing", group, key)
			}
		}
	}
	if got["nodes"] != 150.0 || got["duration_s"] != 20.0 || got["partial"] != false || got["formed_at_s"] == nil {
		t.Errorf("summary is %s", out)
	}
}

// The line that a result ends with gives the same trace hash again, and the
// manifest says all that is needed.
func TestRerunLineGivesTheSameTrace(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	out, _, err := peernet("sim", "flood", "--nodes", "300", "--seed", "9", "--set", "messages=3", "--set", "latency.max=20ms", "--out", dir)
	if err != nil {
		t.Fatal(err)
	}
	var m manifest
	text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	// The scenario is written for people and other programs, and not read back.
	fields := map[string]any{"version": &m.Version, "commit": &m.Commit, "go": &m.Go, "arch": &m.Arch, "seed": &m.Seed, "trace_hash": &m.TraceHash, "rerun": &m.Rerun}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil {
		t.Fatal(err)
	}
	for name, field := range fields {
		if err := json.Unmarshal(raw[name], field); err != nil {
			t.Errorf("manifest: %s: %v", name, err)
		}
	}
	if m.Version == "" || m.Commit == "" || !strings.HasPrefix(m.Go, "go1.") || m.Arch == "" || m.Seed != 9 {
		t.Errorf("manifest is %s", text)
	}
	if !strings.Contains(string(raw["scenario"]), `"max": "20ms"`) {
		t.Errorf("manifest has the scenario %s", raw["scenario"])
	}
	var sum scenario.Summary
	text, err = os.ReadFile(filepath.Join(dir, "summary.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &sum); err != nil || sum.TraceHash != m.TraceHash {
		t.Errorf("summary has trace %s, manifest %s, %v", sum.TraceHash, m.TraceHash, err)
	}
	if !strings.Contains(out, "rerun      "+m.Rerun) || !strings.Contains(out, m.TraceHash) {
		t.Errorf("the table lacks the rerun line or the trace hash:\n%s", out)
	}
	again, _, err := peernet(strings.Fields(m.Rerun)[1:]...)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(again, "trace hash "+m.TraceHash) {
		t.Errorf("%s gives another trace than %s:\n%s", m.Rerun, m.TraceHash, again)
	}
}

func TestBadInputSaysWhatToDo(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "bad.yaml")
	if err := os.WriteFile(file, []byte("nodes: 100\nlatncy: {min: 1ms}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	noTrace := filepath.Join(dir, "notrace.yaml")
	if err := os.WriteFile(noTrace, []byte("nodes: 100\nchurn: {trace: stays.csv}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"sim", "nowhere.yaml"}, "neither a file nor one of the built-in flood, quickstart"},
		{[]string{"sim", file}, "bad.yaml:2:1: latncy: unknown key, is latency meant?\n    2 | latncy: {min: 1ms}\n      | ^"},
		{[]string{"sim", "--set", "latency.min=0"}, "--set: latency.min: 0s, must be positive"},
		{[]string{"sim", "--set", "latency=5ms"}, "is a group; set one of its keys: latency.model"},
		{[]string{"sim", "--set", "reach.public=0"}, "reach.public: 0, as all the other weights"},
		{[]string{"sim", "--set", "reach.symmetric=-1"}, "reach.symmetric: -1, must be from 0"},
		{[]string{"sim", "flood", "--set", "reach.blocked=1"}, "has no meaning for a static overlay"},
		{[]string{"sim", "--set", "nodes"}, "want key=value"},
		{[]string{"sim", "--set", "nope=1"}, "unknown key"},
		{[]string{"sim", "--nodes", "5", "--set", "connections=5"}, "more connections than other nodes: at most 4"},
		{[]string{"sim", "--nodes", "1"}, "must be from 2"},
		{[]string{"sim", "--workers", "0"}, "--workers: 0, must be from 1"},
		{[]string{"sim", "--seed", "-1"}, "--seed: want a whole number from 0"},
		{[]string{"sim", "--nodes", "1e4"}, `--nodes: want a whole number, not "1e4"`},
		{[]string{"sim", "--nodes", "50", "--set", "nodes=60"}, "is set by --nodes too"},
		{[]string{"sim", "--set", "=5"}, "want key=value"},
		{[]string{"sim", "--set", "nodes.x=5"}, "nodes.x: unknown key: nodes is no group"},
		{[]string{"sim", "--set", "known=6"}, "more than there are bootstraps, 5"},
		{[]string{"sim", "--set", "duration=auto"}, "auto needs messages_every"},
		{[]string{"sim", "flood", "--set", "messages_from=50%"}, "auto needs messages_every"},
		{[]string{"sim", "--set", "arrivals=100h"}, "arrivals: 100h0m0s, is longer than the run, 1m0s"},
		{[]string{"sim", "--set", "name=a\x1bb"}, "control characters"},
		{[]string{"sim", "flood.yaml"}, "the built-in scenario is named flood"},
		{[]string{"sim", "--out", filepath.Join(file, "x")}, "not a directory"},
		{[]string{"sim", "a", "b"}, "want one scenario at most, not 2 arguments, such as: peernet sim my.yaml --seed 7"},
		{[]string{"sim", "replay", "--node", "abc"}, `--node: want a whole number, not "abc"`},
		{[]string{"sim", "replay", "--node", "3", "--at", "12"}, `--at: want a duration with its unit, such as 10ms or 1.5s, not "12"`},
		{[]string{"sim", "replay", "--trace", "-", "--only", "3,10000"}, "--only: nodes are numbered from 0 to 9999"},
		{[]string{"sim", "replay", "--trace", "-", "--at", "5s", "--from", "6s"}, "--from: 6s is after --at, 5s"},
		{[]string{"sim", "shrink", "--out", filepath.Join(file, "x")}, "not a directory"},
		{[]string{"sim", noTrace}, "churn.trace: stat"},
		{[]string{"simulate"}, "unknown command"},
	} {
		out, _, err := peernet(test.args...)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: error %v, want %q", test.args, err, test.want)
		}
		if out != "" {
			t.Errorf("%v prints %q", test.args, out)
		}
	}
}

// The directory of a run has the file that its scenario reads, and runs again without
// the original.
func TestRunKeepsWhatItReads(t *testing.T) {
	dir := t.TempDir()
	file, links, out := filepath.Join(dir, "ring.yaml"), filepath.Join(dir, "ring.txt"), filepath.Join(dir, "out")
	text := "nodes: 4\noverlay: static\ntopology: ring.txt\nduration: 5s\nmessages: 3\n"
	if err := errors.Join(os.WriteFile(file, []byte(text), 0o600), os.WriteFile(links, []byte("0 1\n1 2\n2 3\n3 0\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	first, _, err := peernet("sim", file, "--out", out)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Remove(file), os.Remove(links)); err != nil {
		t.Fatal(err)
	}
	moved := filepath.Join(dir, "moved")
	if err := os.Rename(out, moved); err != nil {
		t.Fatal(err)
	}
	for range 2 { // into its own directory too
		again, _, err := peernet("sim", moved, "--out", moved)
		if err != nil {
			t.Fatal(err)
		}
		if hash := regexp.MustCompile("trace hash .*"); hash.FindString(again) != hash.FindString(first) {
			t.Errorf("%s again, %s at first", hash.FindString(again), hash.FindString(first))
		}
	}
}

// Small networks get fewer connections by default instead of an error.
func TestDefaultsAreClamped(t *testing.T) {
	out, _, err := peernet("sim", "--nodes", "4", "--duration", "20s", "--json")
	if err != nil {
		t.Fatal(err)
	}
	var sum scenario.Summary
	if err := json.Unmarshal([]byte(out), &sum); err != nil || sum.FormedAtS == nil {
		t.Errorf("4 nodes did not form: %v %s", err, out)
	}
}

// Ctrl-C ends a run with what it has, marked as partial, and exit code 130.
func TestInterruptGivesAPartialResult(t *testing.T) {
	c := exec.Command(os.Args[0], "sim", "--nodes", "300", "--duration", "1000h", "--workers", "1")
	c.Env = append(os.Environ(), asMain+"=1")
	var out strings.Builder
	c.Stdout = &out
	progress, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	// The first line comes when the run is about to start.
	if _, err := bufio.NewReader(progress).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if err := c.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	err = c.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != exitInterrupted {
		t.Errorf("ended with %v, want exit code %d", err, exitInterrupted)
	}
	if !strings.Contains(out.String(), "PARTIAL") || !strings.Contains(out.String(), "trace hash") {
		t.Errorf("printed %q", out.String())
	}
}
