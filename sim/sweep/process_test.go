package sweep

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// asChild has the test binary be the process of a point.
const asChild = "PEERNET_TEST_CHILD"

func TestMain(m *testing.M) {
	switch os.Getenv(asChild) {
	case "":
		os.Exit(m.Run())
	case "2", "3":
		os.Stderr.WriteString("it ended with " + os.Getenv(asChild) + "\n")
		os.Exit(int(os.Getenv(asChild)[0] - '0'))
	case "hang":
		if err := os.WriteFile(os.Args[1], nil, 0o600); err != nil {
			panic(err)
		}
		<-time.After(time.Hour)
	}
}

func child(how string) *Process {
	return &Process{Program: os.Args[0], Args: func(_ Point, dir string) []string { return []string{dir + "/here"} }, Env: []string{asChild + "=" + how}, OK: []int{2}}
}

// A run with failed checks is whole, if it is not a panic, which ends with the same
// code; other codes are failures that say what the process said.
func TestExitCodesOfProcesses(t *testing.T) {
	dir := t.TempDir()
	var exit *ExitError
	if err := child("2").Run(t.Context(), Point{}, dir); !errors.As(err, &exit) || exit.Stderr != "it ended with 2" {
		t.Errorf("exit code 2 without a summary: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, SummaryName), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := child("2").Run(t.Context(), Point{}, dir); err != nil {
		t.Errorf("exit code 2: %v", err)
	}
	err := child("3").Run(t.Context(), Point{}, dir)
	if !errors.As(err, &exit) || exit.Status != "exit status 3" || exit.Stderr != "it ended with 3" {
		t.Errorf("exit code 3: %v", err)
	}
	missing := Process{Program: "/nowhere/program", Args: func(Point, string) []string { return nil }}
	if err := missing.Run(t.Context(), Point{}, t.TempDir()); err == nil || !strings.Contains(err.Error(), "start /nowhere/program") {
		t.Errorf("no program: %v", err)
	}
}

// When the sweep is to end, so is what it started.
func TestProcessEndsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	dir := t.TempDir()
	go func() {
		for range time.Tick(time.Millisecond) {
			if _, err := os.Stat(dir + "/here"); err == nil {
				cancel()
				return
			}
		}
	}()
	started := time.Now()
	if err := child("hang").Run(ctx, Point{}, dir); !errors.Is(err, context.Canceled) || time.Since(started) > endWait {
		t.Errorf("%v after %v", err, time.Since(started))
	}
}

// The end of what was written is kept, from the start of a line, and nothing that
// would move the cursor.
func TestTail(t *testing.T) {
	var w tail
	for range 500 {
		if n, err := w.Write([]byte("line of 20 letters.\n")); n != 20 || err != nil {
			t.Fatal(n, err)
		}
	}
	w.Write([]byte("the \x1b[2Jlast\n"))
	got := w.String()
	if len(got) > tailMax || !strings.HasPrefix(got, "line of") || !strings.HasSuffix(got, ".\nthe [2Jlast") {
		t.Errorf("the tail is %q", got)
	}
	w = tail{}
	w.Write([]byte("first\n"))
	w.Write([]byte(strings.Repeat("x", 3*tailMax)))
	if got := w.String(); got != strings.Repeat("x", tailMax) {
		t.Errorf("of one long line %d bytes are kept", len(got))
	}
}
