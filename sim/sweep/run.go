package sweep

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// A Runner runs a point and has its files, summary.json among them, written to a
// directory that is there and empty. Several calls go on at a time. It returns ctx's
// error soon after ctx has ended, and leaves nothing running.
type Runner func(ctx context.Context, p Point, dir string) error

// Config says how a sweep is run.
type Config struct {
	// Dir is the directory of the sweep.
	Dir  string
	Grid Grid
	// Jobs is how many points run at a time. Default: 1.
	Jobs int
	// Again removes what an earlier sweep left in the directory.
	Again bool
	// Runner runs a point.
	Runner Runner
	// Progress is called when a point ended, and once at the start, by one
	// goroutine at a time; nil is never.
	Progress func(Progress)
}

// Progress is how far a sweep is.
type Progress struct {
	Total   int // points of the grid
	Resumed int // of these, done by an earlier sweep
	Done    int // of these, done at all
	Failed  int // in this sweep
	// Failure is of the point that ended, if it failed.
	Failure *Failure
}

// A Failure is a point that could not be run.
type Failure struct {
	Point Point
	Err   error
}

// Error implements error.
func (f *Failure) Error() string { return fmt.Sprintf("sweep: point %s: %v", f.Point.Name, f.Err) }

// Unwrap returns the runner's error.
func (f *Failure) Unwrap() error { return f.Err }

// A state is a sweep under way.
type state struct {
	config   Config
	mu       sync.Mutex // guards what follows
	table    *Table
	progress Progress
}

// Run runs the points of a grid that are not done, in order, and writes the tables.
// A point that fails does not keep others from being run; the tables lack it, and the
// last Progress counts it. If ctx ends, Run returns its error and writes no tables. Run
// also fails with [ErrLocked], [ErrOther], [ErrForeign], or because of a file.
func Run(ctx context.Context, c Config) (*Table, error) {
	if err := c.Grid.Validate(); err != nil {
		return nil, err
	}
	l, err := lock(c.Dir)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	if err := prepare(c.Dir, &c.Grid, c.Again); err != nil {
		return nil, err
	}
	s := &state{config: c, table: newTable(&c.Grid), progress: Progress{Total: c.Grid.Len()}}
	if err := s.runAll(ctx, s.missing()); err != nil {
		return nil, err
	}
	if err := os.RemoveAll(filepath.Join(c.Dir, runningName)); err != nil {
		return nil, err
	}
	s.table.sort()
	return s.table, s.table.write(c.Dir)
}

// missing reads the points that are done and returns the others.
func (s *state) missing() (todo []Point) {
	g := &s.config.Grid
	for i := range g.Len() {
		p := g.Point(i)
		if m, ok := readPoint(s.config.Dir, p, g.Fingerprint(p)); ok {
			s.table.add(i, m)
			s.progress.Resumed++
			continue
		}
		todo = append(todo, p)
	}
	s.progress.Done = s.progress.Resumed
	s.tell(nil)
	return todo
}

func (s *state) tell(f *Failure) {
	s.progress.Failure = f
	if s.config.Progress != nil {
		s.config.Progress(s.progress)
	}
}

// runAll runs points, several at a time.
func (s *state) runAll(ctx context.Context, todo []Point) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan Point)
	var workers sync.WaitGroup
	for range max(s.config.Jobs, 1) {
		workers.Go(func() {
			for p := range next {
				if err := s.runPoint(ctx, p); err != nil {
					cancel(err)
				}
			}
		})
	}
	for _, p := range todo {
		select {
		case next <- p:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(next)
	workers.Wait()
	return context.Cause(ctx)
}

// runPoint runs a point and records what came of it. An error is about the
// directory, or that ctx ended, and ends the sweep.
func (s *state) runPoint(ctx context.Context, p Point) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	// A directory of its own: what a process of a sweep that was killed still
	// writes goes nowhere.
	running, err := os.MkdirTemp(filepath.Join(s.config.Dir, runningName), "")
	if err != nil {
		return err
	}
	m, failed := s.attempt(ctx, p, running)
	if ctx.Err() != nil {
		return errors.Join(ctx.Err(), os.RemoveAll(running))
	}
	if failed != nil {
		if err := os.RemoveAll(running); err != nil {
			return err
		}
	} else if err := s.keep(p, running); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if failed != nil {
		s.progress.Failed++
		s.tell(&Failure{p, failed})
		return nil
	}
	s.table.add(p.Index, m)
	s.progress.Done++
	s.tell(nil)
	return nil
}

// attempt runs a point and reads what it gave.
func (s *state) attempt(ctx context.Context, p Point, dir string) ([]Metric, error) {
	if err := s.config.Runner(ctx, p, dir); err != nil {
		return nil, err
	}
	return readSummary(dir)
}

// keep moves the run of a point to its place.
func (s *state) keep(p Point, running string) error {
	done := pointDone{s.config.Grid.Fingerprint(p), p.Varied, p.Seed}
	if err := writeJSON(filepath.Join(running, pointFile), done); err != nil {
		return err
	}
	if err := os.Chmod(running, 0o755); err != nil { // as the other directories
		return err
	}
	place := filepath.Join(s.config.Dir, pointsName, p.Name)
	// What is there is of no use, or the point would not have been run.
	if err := os.RemoveAll(place); err != nil {
		return err
	}
	return os.Rename(running, place)
}
