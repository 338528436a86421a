package lab

import (
	"cmp"
	"math"
	"slices"
)

// Results are what an experiment's trials reported.
type Results struct {
	Experiment *Experiment
	Quick      bool
	Chosen     bool          // seeds or cases were chosen, and are not all that expected.json asks for
	Partial    bool          // the run was interrupted, or failed
	Cases      []*CaseResult // those that were run, as in expected.json
	Controls   []*CaseResult
}

// A CaseResult is what the trials of a case, or of a control, reported.
type CaseResult struct {
	Case     Case     // for a control, the one it is of, with its parameters and seeds
	Control  *Control // nil for a case
	Seeds    []uint64 // that were run
	Measures []*Sample
	Costs    []*Sample
	Series   []*Series
}

// A Sample is the values of one measure, in the order of the seeds.
type Sample struct {
	Name   string
	Values []float64
}

// N returns how many values there are.
func (s *Sample) N() int { return len(s.Values) }

// Mean returns the mean.
func (s *Sample) Mean() float64 {
	sum := 0.0
	for _, v := range s.Values {
		sum += v
	}
	return sum / float64(len(s.Values))
}

// SD returns the sample standard deviation, 0 of a single value.
func (s *Sample) SD() float64 {
	if len(s.Values) < 2 {
		return 0
	}
	mean, sum := s.Mean(), 0.0
	for _, v := range s.Values {
		sum += float64((v - mean) * (v - mean)) // rounded, as some processors would not before they add
	}
	return math.Sqrt(sum / float64(len(s.Values)-1))
}

// StandardError returns the standard error of the mean.
func (s *Sample) StandardError() float64 { return s.SD() / math.Sqrt(float64(s.N())) }

// A Series is points by x: of each x the mean of what was reported there.
type Series struct {
	Name   string
	Points []Mean // by x
}

// A Mean is the mean of some values at an x.
type Mean struct {
	X, Y float64
	N    int // values
	sum  float64
}

// Find returns the result of a case, nil if it was not run.
func (r *Results) Find(name string) *CaseResult {
	for _, c := range r.Cases {
		if c.Case.Name == name {
			return c
		}
	}
	return nil
}

// Measure returns a sample, nil if no trial reported it.
func (c *CaseResult) Measure(name string) *Sample {
	if c == nil {
		return nil
	}
	for _, s := range c.Measures {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// add takes in what a trial reported, in the order of the seeds.
func (c *CaseResult) add(t *Trial) {
	c.Seeds = append(c.Seeds, t.Seed)
	c.Measures = addObservations(c.Measures, t.measures)
	c.Costs = addObservations(c.Costs, t.costs)
	for _, p := range t.points {
		i := slices.IndexFunc(c.Series, func(s *Series) bool { return s.Name == p.series })
		if i < 0 {
			i = len(c.Series)
			c.Series = append(c.Series, &Series{Name: p.series})
		}
		c.Series[i].add(p.x, p.y)
	}
}

func addObservations(samples []*Sample, seen []observation) []*Sample {
	for _, o := range seen {
		i := slices.IndexFunc(samples, func(s *Sample) bool { return s.Name == o.name })
		if i < 0 {
			i = len(samples)
			samples = append(samples, &Sample{Name: o.name})
		}
		samples[i].Values = append(samples[i].Values, o.value)
	}
	return samples
}

func (s *Series) add(x, y float64) {
	i, found := slices.BinarySearchFunc(s.Points, x, func(m Mean, x float64) int { return cmp.Compare(m.X, x) })
	if !found {
		s.Points = slices.Insert(s.Points, i, Mean{X: x})
	}
	m := &s.Points[i]
	m.N++
	m.sum += y
	m.Y = m.sum / float64(m.N)
}
