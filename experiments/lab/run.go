package lab

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
)

// Options say how experiments are run.
type Options struct {
	// Seeds replaces the seeds of all cases; nil is what each asks for, from 1 up.
	Seeds []uint64
	// Quick runs fewer seeds, and leaves out cases that take long.
	Quick bool
	// Cases are the names of the cases to run; none is all.
	Cases []string
	// Controls runs the controls too.
	Controls bool
	// Workers is how many trials run at a time. Default 1.
	Workers int
	// Progress is told before the first trial, and after each, by one goroutine at a time;
	// nil is nobody.
	Progress func(Progress)
}

// Progress is how far a run is.
type Progress struct {
	Experiment  string // of the trial that ended; empty before the first
	Case        string
	Done, Total int // trials
}

// A job is the trials of a case or a control.
type job struct {
	experiment *Experiment
	result     *CaseResult
	parameters []byte // of a control
	seeds      []uint64
	done       []*Trial // by seed, until they are added
}

// Run runs experiments, and returns the results in their order, without those that have no
// case to run. It stops at the first
// error, or when ctx ends; then the results are those of the trials that were done, of the
// first seeds of a case, without cases that have none.
func Run(ctx context.Context, experiments []*Experiment, o Options) ([]*Results, error) {
	var all []*Results
	var jobs []*job
	for _, e := range experiments {
		r := &Results{Experiment: e, Quick: o.Quick}
		for i, c := range e.Cases {
			j := &job{experiment: e, seeds: o.seeds(c.Seeds, c.Quick), result: &CaseResult{Case: c}}
			if len(j.seeds) == 0 || len(o.Cases) > 0 && !slices.Contains(o.Cases, c.Name) {
				continue
			}
			r.Cases, jobs = append(r.Cases, j.result), append(jobs, j)
			for k, control := range e.Controls {
				if !o.Controls || control.Case != e.Cases[i].Name {
					continue
				}
				seeds, quick := control.Seeds, control.Quick
				if seeds == 0 {
					seeds = c.Seeds
				}
				if quick == 0 {
					quick = c.Quick
				}
				j := &job{experiment: e, seeds: o.seeds(seeds, quick), parameters: control.Parameters,
					result: &CaseResult{Case: c, Control: &e.Controls[k]}}
				r.Controls, jobs = append(r.Controls, j.result), append(jobs, j)
			}
		}
		if len(r.Cases) > 0 {
			r.Chosen = o.Seeds != nil || len(o.Cases) > 0
			all = append(all, r)
		}
	}
	if len(jobs) == 0 {
		return nil, errors.New("lab: there is no trial to run: a quick run leaves out the cases that take long")
	}
	err := runJobs(ctx, jobs, o)
	if err != nil {
		all = slices.DeleteFunc(all, (*Results).trim)
	}
	return all, err
}

// trim drops what no trial was done of, and reports whether that is all.
func (r *Results) trim() bool {
	none := func(c *CaseResult) bool { return len(c.Seeds) == 0 }
	r.Partial = true
	r.Cases, r.Controls = slices.DeleteFunc(r.Cases, none), slices.DeleteFunc(r.Controls, none)
	return len(r.Cases) == 0
}

// seeds are the seeds of a case.
func (o *Options) seeds(full, quick int) []uint64 {
	n := full
	if o.Quick {
		n = quick
	}
	if n > 0 && o.Seeds != nil {
		return o.Seeds
	}
	seeds := make([]uint64, n)
	for i := range seeds {
		seeds[i] = uint64(i + 1)
	}
	return seeds
}

// runJobs runs all trials: first those that want to be alone.
func runJobs(ctx context.Context, jobs []*job, o Options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p := pool{cancel: cancel, options: o}
	for _, j := range jobs {
		p.total += len(j.seeds)
		j.done = make([]*Trial, len(j.seeds))
	}
	if o.Progress != nil {
		o.Progress(Progress{Total: p.total})
	}
	workers := max(1, o.Workers)
	queue := make(chan task)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for t := range queue {
				p.run(ctx, t, 1)
			}
		})
	}
	for _, j := range jobs {
		for i := 0; i < len(j.seeds) && ctx.Err() == nil; i++ {
			if j.result.Case.Alone {
				p.run(ctx, task{j, i}, workers)
			}
		}
	}
	for _, j := range jobs {
		for i := 0; i < len(j.seeds) && ctx.Err() == nil; i++ {
			if !j.result.Case.Alone {
				queue <- task{j, i}
			}
		}
	}
	close(queue)
	wg.Wait()
	if p.err != nil {
		return p.err
	}
	return ctx.Err()
}

type task struct {
	*job
	index int // of the seed
}

// A pool is what the workers share.
type pool struct {
	options Options
	cancel  func()

	mu          sync.Mutex
	done, total int
	err         error // the first
}

// run runs one trial.
func (p *pool) run(ctx context.Context, t task, workers int) {
	if ctx.Err() != nil {
		return
	}
	trial := &Trial{Context: ctx, Seed: t.seeds[t.index], Workers: workers, Quick: p.options.Quick}
	err := t.try(trial)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		if p.err == nil && ctx.Err() == nil {
			p.err = fmt.Errorf("lab: %s: %w", t.name(trial.Seed), err)
		}
		p.cancel()
		return
	}
	t.done[t.index] = trial
	// In the order of the seeds, so that sums do not depend on who was first.
	for i := len(t.result.Seeds); i < len(t.done) && t.done[i] != nil; i++ {
		t.result.add(t.done[i])
		t.done[i] = nil
	}
	p.done++
	if p.options.Progress != nil {
		p.options.Progress(Progress{Experiment: t.experiment.Name, Case: t.result.Case.Name, Done: p.done, Total: p.total})
	}
}

// try runs the program; a panic is its error.
func (t task) try(trial *Trial) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return t.experiment.run(trial, t.result.Case.Parameters, t.parameters)
}

// name says which trial it is.
func (t task) name(seed uint64) string {
	name := fmt.Sprintf("experiment %s, case %s", t.experiment.Name, t.result.Case.Name)
	if c := t.result.Control; c != nil {
		name += ", control " + c.Name
	}
	return fmt.Sprintf("%s, seed %d", name, seed)
}
