package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"peernet/sim/result"
)

// The command makes the report that Write made, says where it is, and what is wrong
// with a directory without one.
func TestReportCommand(t *testing.T) {
	dir := t.TempDir()
	run := &result.Run{Manifest: json.RawMessage(`{"trace_hash":"8e5a277e3bb945e5"}`), Summary: json.RawMessage(`{"name":"x"}`),
		Nodes: []result.Node{{Live: true, Degree: 3, UpS: 1, SentBytes: 100}}}
	if err := result.Write(dir, run, result.Options{}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "report.html")
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	report := func(args ...string) (string, error) {
		var out strings.Builder
		c := reportCommand()
		c.SilenceErrors, c.SilenceUsage = true, true
		c.SetArgs(args)
		c.SetOut(&out)
		err := c.Execute()
		return out.String(), err
	}
	out, err := report(dir)
	if err != nil || out != path+"\n" {
		t.Errorf("%q, %v", out, err)
	}
	if got, _ := os.ReadFile(path); string(got) != string(want) {
		t.Errorf("the report differs: %d bytes, want %d", len(got), len(want))
	}
	if _, err := report(); err == nil || err.Error() != "want the directories of runs, not 0 arguments, such as: peernet sim report results" {
		t.Errorf("no directory: %v", err)
	}
	if _, err := report(path); err == nil || !strings.Contains(err.Error(), path+" is a file; want the directory of a run, as sim run --out DIR writes it") {
		t.Errorf("a file: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "nodes.parquet")); err != nil {
		t.Fatal(err)
	}
	if _, err := report(dir); err == nil || !strings.Contains(err.Error(), filepath.Join(dir, "nodes.parquet")+" is missing") {
		t.Errorf("without nodes: %v", err)
	}
	if _, err := report(filepath.Join(dir, "nowhere")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("nowhere: %v", err)
	}
}
