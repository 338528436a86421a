package scenario

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"peernet/sim"
)

// FailedPanic stands for a panic in place of the name of a check.
const FailedPanic = "panic"

// Failure returns the name of the first check that a run fails, invariants first, or
// FailedPanic; "" if it passes. Errors are of ctx, or of a scenario that is impossible.
func Failure(ctx context.Context, s *Scenario, o Options) (name, detail string, err error) {
	sum, err := Run(ctx, s, o)
	var panicked *sim.Panic
	switch {
	case errors.As(err, &panicked):
		return FailedPanic, fmt.Sprintf("node %d at %v: %v", panicked.Node, panicked.At, panicked.Value), nil
	case err != nil:
		return "", "", err
	}
	if failed := sum.Failed(); len(failed) > 0 {
		return failed[0].Name, failed[0].Detail, nil
	}
	return "", "", nil
}

// ErrPasses is returned by Shrink for a scenario that fails no check.
var ErrPasses = errors.New("scenario: it passes all its checks: there is nothing to shrink")

// A Shrinking is how far Shrink is.
type Shrinking struct {
	Tried, Kept int
	Step        string // what was tried last
	Nodes       int    // of the smallest scenario so far
	Duration    time.Duration
}

// Shrink looks for a smaller scenario that fails the same check: with fewer nodes,
// shorter, with fewer faults, and simpler models, or another seed. It tries one change
// after the other, keeps those with which the check still fails, and ends when none is left, after so
// many tries, or with ctx, with the smallest that it found. s must be resolved.
func Shrink(ctx context.Context, s *Scenario, o Options, tries int, progress func(Shrinking)) (smallest *Scenario, check, detail string, err error) {
	check, detail, err = Failure(ctx, s, o)
	if err != nil {
		return nil, "", "", err
	}
	if check == "" {
		return nil, "", "", ErrPasses
	}
	h := &shrinker{ctx: ctx, options: o, tries: tries, check: check, detail: detail, progress: progress}
	h.best = s.fixed()
	if !h.fails(h.best) { // times as shares of the run were rounded
		h.best = s.clone()
	}
	for changed := true; changed && !h.over(); {
		changed = false
		for _, step := range shrinkSteps {
			for h.try(step) {
				changed = true
			}
		}
	}
	return h.best, check, h.detail, nil
}

// seedsTried is with how many seeds each change is tried.
const seedsTried = 3

type shrinker struct {
	ctx           context.Context
	options       Options
	best          *Scenario
	check, detail string
	tries         int
	report        Shrinking
	progress      func(Shrinking)
}

func (h *shrinker) over() bool { return h.report.Tried >= h.tries || h.ctx.Err() != nil }

// fails reports whether a scenario fails the same check.
func (h *shrinker) fails(s *Scenario) bool {
	h.report.Tried++
	if s.Resolve() != nil {
		return false
	}
	name, detail, err := Failure(h.ctx, s, h.options)
	if err != nil || name != h.check {
		return false
	}
	h.detail = detail
	return true
}

// try tries all that a step makes of the best scenario, and reports whether one is
// kept.
func (h *shrinker) try(step shrinkStep) bool {
	for i := 0; !h.over(); i++ {
		s := h.best.clone()
		if !step.change(s, i) {
			return false
		}
		if reflect.DeepEqual(s.YAML(), h.best.YAML()) {
			continue
		}
		kept := false
		for k := uint64(0); k < seedsTried && !kept && !h.over(); k++ {
			// Whatever changes, changes what is drawn: another seed may fail as before.
			s := s.clone()
			s.Seed += k
			if kept = h.fails(s); kept {
				h.best = s
				h.report.Kept++
			}
		}
		if h.progress != nil {
			h.report.Step, h.report.Nodes, h.report.Duration = step.name, h.best.Nodes, time.Duration(h.best.Duration)
			h.progress(h.report)
		}
		if kept {
			return true
		}
	}
	return false
}

// clone returns a copy that shares nothing, not resolved: what was not set is drawn
// from the other keys again.
func (s *Scenario) clone() *Scenario {
	c, err := Parse("clone", s.YAML())
	if err != nil {
		panic(fmt.Sprintf("scenario: what YAML writes cannot be read: %v", err))
	}
	return c
}

// fixed returns a copy in which times are no shares of the run, so that it can become
// shorter.
func (s *Scenario) fixed() *Scenario {
	c := s.clone()
	d := time.Duration(s.Duration)
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		switch {
		case v.Type() == reflect.TypeFor[Span]():
			span := v.Addr().Interface().(*Span)
			*span = Span{Time: Duration(span.Of(d))}
		case isGroup(v):
			for i := range v.NumField() {
				if v.Type().Field(i).IsExported() {
					walk(v.Field(i))
				}
			}
		case v.Kind() == reflect.Slice:
			for i := range v.Len() {
				walk(v.Index(i))
			}
		}
	}
	walk(reflect.ValueOf(c).Elem())
	return c
}

// A shrinkStep makes a scenario smaller in one way; there are several variants, numbered
// from 0. It reports whether there is that variant.
type shrinkStep struct {
	name   string
	change func(s *Scenario, variant int) bool
}

// shrinkSteps are tried in this order: what saves most first.
var shrinkSteps = []shrinkStep{
	{"no adversary", dropItem(func(s *Scenario) any { return &s.Adversaries })},
	{"no fault", dropItem(func(s *Scenario) any { return &s.Faults })},
	{"no bad conditions", dropItem(func(s *Scenario) any { return &s.Conditions })},
	{"no crowd", dropItem(func(s *Scenario) any { return &s.Crowds })},
	{"no workload", dropItem(func(s *Scenario) any { return &s.Workload })},
	{"no goal", dropItem(func(s *Scenario) any { return &s.Checks.Goals })},
	{"fewer nodes", func(s *Scenario, i int) bool {
		// With fewer links each, it would fail for that alone.
		n := smaller(s.Nodes, max(2, 3*s.Connections+1), i)
		if n == 0 {
			return false
		}
		s.Nodes = n
		s.Bootstraps = min(s.Bootstraps, n)
		s.Known = min(s.Known, s.Bootstraps)
		s.Responders = min(s.Responders, n)
		for k := range s.Adversaries {
			s.Adversaries[k].Victim = min(s.Adversaries[k].Victim, n-1)
		}
		return true
	}},
	{"no regions", func(s *Scenario, i int) bool {
		s.Regions, s.Ways, s.Conditions, s.ResponderRegion = nil, nil, nil, ""
		for k := range s.Faults {
			s.Faults[k].Region = ""
		}
		for k := range s.Workload {
			s.Workload[k].Region = ""
		}
		for k := range s.Classes {
			s.Classes[k].Region = ""
		}
		return i == 0
	}},
	{"no classes", func(s *Scenario, i int) bool {
		s.Classes = nil
		for k := range s.Workload {
			s.Workload[k].Class = ""
		}
		return i == 0
	}},
	{"simpler", func(s *Scenario, i int) bool {
		return resetGroup(s, i, "churn", "network", "network.loss", "network.link_life", "network.dial_twice", "network.reorder", "reach", "latency", "wire", "arrival_model", "edges_at", "sample",
			"messages_from", "messages_until", "searches_from", "searches_until", "messages", "searches")
	}},
	{"shorter", func(s *Scenario, i int) bool {
		n := smaller(int(s.Duration/Duration(time.Second)), 1, i)
		if n == 0 {
			return false
		}
		s.Duration = Duration(n) * Duration(time.Second)
		end := Span{Time: s.Duration}
		for _, span := range []*Span{&s.MessagesFrom, &s.MessagesUntil, &s.SearchesFrom, &s.SearchesUntil, &s.Arrivals, &s.Churn.Until, &s.Churn.From} {
			if span.Time > s.Duration {
				*span = end
			}
		}
		return true
	}},
	{"fewer adversaries", func(s *Scenario, i int) bool {
		return halve(i, len(s.Adversaries), func(k int) *int { return &s.Adversaries[k].Count })
	}},
	{"fewer requests", func(s *Scenario, i int) bool {
		counts := []*int{&s.Messages, &s.Searches}
		for k := range s.Workload {
			counts = append(counts, &s.Workload[k].Count)
		}
		return halve(i, len(counts), func(k int) *int { return counts[k] })
	}},
	{"a protocol of defaults", func(s *Scenario, i int) bool {
		return resetGroup(s, i, "rate_max", "routes_max", "exchange", "book", "hops_max", "fanout", "inbound_max", "purge", "refresh", "interval", "hello_timeout", "keep_alive")
	}},
}

// smaller is the i-th smaller number to try, down to least: half of n, three quarters,
// and so on; 0 if there are no more.
func smaller(n, least, i int) int {
	cut := n >> (i + 1)
	if cut == 0 || n-cut < least {
		return 0
	}
	return n - cut
}

// dropItem takes the i-th item out of a list.
func dropItem(list func(*Scenario) any) func(*Scenario, int) bool {
	return func(s *Scenario, i int) bool {
		v := reflect.ValueOf(list(s)).Elem()
		if i >= v.Len() {
			return false
		}
		v.Set(reflect.AppendSlice(v.Slice(0, i), v.Slice(i+1, v.Len())))
		return true
	}
}

// resetGroup sets the i-th of some keys to its default.
func resetGroup(s *Scenario, i int, keys ...string) bool {
	if i >= len(keys) {
		return false
	}
	standard := Default()
	field, value := reflect.ValueOf(s).Elem(), reflect.ValueOf(&standard).Elem()
	for part := range strings.SplitSeq(keys[i], ".") {
		field, _ = fieldOf(field, part)
		value, _ = fieldOf(value, part)
	}
	field.Set(value)
	return true
}

// halve halves the i-th of some numbers.
func halve(i, n int, number func(int) *int) bool {
	if i >= n {
		return false
	}
	*number(i) /= 2
	return true
}
