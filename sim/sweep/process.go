package sweep

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Process runs each point as a process of its own.
type Process struct {
	// Program is the path of the program.
	Program string
	// Args returns its arguments for a point that is to write to dir.
	Args func(p Point, dir string) []string
	// Env is added to the environment of this process, as key=value.
	Env []string
	// OK are exit codes besides 0 that a run ends with that is whole. If it left no
	// summary, it is not: a Go program that panics ends with 2.
	OK []int
}

// endWait is how long a process that was told to end may take before it is killed.
const endWait = 5 * time.Second

// An ExitError says how a process ended.
type ExitError struct {
	Status string // such as "exit status 1"
	Stderr string // the end of what it wrote to standard error
}

// Error implements error.
func (e *ExitError) Error() string {
	if e.Stderr == "" {
		return e.Status + ", nothing on standard error"
	}
	return e.Status + ":\n" + e.Stderr
}

// Run implements [Runner]. A process that ends with a code that is not OK gives an
// *[ExitError]. When ctx ends, the process is told to end (SIGTERM), and killed if it
// does not; where the system can (Linux), it is also killed when this process dies.
func (r *Process) Run(ctx context.Context, p Point, dir string) error {
	// A process that dies with its parent dies with the thread that started it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var stderr tail
	c := exec.CommandContext(ctx, r.Program, r.Args(p, dir)...)
	c.Env = append(os.Environ(), r.Env...)
	c.Stdout, c.Stderr = io.Discard, &stderr
	c.SysProcAttr = dieWithParent()
	c.WaitDelay = endWait
	c.Cancel = func() error {
		if err := c.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return c.Process.Kill() // there are systems that cannot tell
		}
		return nil
	}
	err := c.Run()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && slices.Contains(r.OK, exit.ExitCode()) && hasSummary(dir):
		return nil
	case errors.As(err, &exit):
		return &ExitError{exit.String(), stderr.String()}
	case err != nil:
		return fmt.Errorf("sweep: start %s: %w", r.Program, err)
	}
	return nil
}

func hasSummary(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, SummaryName))
	return err == nil
}

// tailMax is how much is kept of what a process wrote, in bytes.
const tailMax = 2 << 10

// A tail keeps the end of what is written to it.
type tail struct {
	end []byte
	cut bool
}

// Write implements [io.Writer].
func (t *tail) Write(p []byte) (int, error) {
	n := len(p)
	if len(p) > tailMax {
		p, t.cut = p[len(p)-tailMax:], true
	}
	if over := len(t.end) + len(p) - tailMax; over > 0 {
		t.end, t.cut = t.end[:copy(t.end, t.end[over:])], true
	}
	t.end = append(t.end, p...)
	return n, nil
}

// String returns whole lines, as far as there are any.
func (t *tail) String() string {
	text := string(t.end)
	if _, rest, ok := strings.Cut(text, "\n"); ok && t.cut {
		text = rest
	}
	text = strings.TrimSpace(strings.ToValidUTF8(text, "?"))
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, text)
}
