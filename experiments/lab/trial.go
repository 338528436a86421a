package lab

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"peernet/actors"
	"peernet/sim"
)

// A Trial is one run of a case: what it is given, and what it reports.
type Trial struct {
	Context context.Context
	Seed    uint64
	// Workers is how many goroutines the trial should use: 1, or all for cases that are
	// alone. Quick is set in a quick run: for what takes time besides seeds.
	Workers int
	Quick   bool

	measures []observation
	costs    []observation
	points   []point
}

type observation struct {
	name  string
	value float64
}

type point struct {
	series string
	x, y   float64
}

// Measure reports the value of a measure, once per trial. A trial may leave one out, if
// it does not exist there: the mean is over those that report it. It panics if the value
// is no number or infinite, or the measure has one.
func (t *Trial) Measure(name string, value float64) { t.measures = report(t.measures, name, value) }

// Happened reports a measure that is 1 if something happened, and 0 if not.
func (t *Trial) Happened(name string, is bool) {
	value := 0.0
	if is {
		value = 1
	}
	t.Measure(name, value)
}

// Cost reports what depends on the machine, such as a time. Costs are kept out of the
// tables of results.
func (t *Trial) Cost(name string, value float64) { t.costs = report(t.costs, name, value) }

func report(all []observation, name string, value float64) []observation {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		panic(fmt.Sprintf("lab: %s is %v", name, value)) // results.json has no such numbers
	}
	for _, o := range all {
		if o.name == name {
			panic(fmt.Sprintf("lab: %s is reported twice", name))
		}
	}
	return append(all, observation{name, value})
}

// Point reports a point of a series, to be plotted: of several at the same x, in a trial
// or over the seeds, the mean counts. A trial that has a point less than others is left
// out of the mean there: one that is over reports what stays. It panics like Measure.
func (t *Trial) Point(series string, x, y float64) {
	if math.IsNaN(x) || math.IsNaN(y) || math.IsInf(x, 0) || math.IsInf(y, 0) {
		panic(fmt.Sprintf("lab: a point of %s is %v, %v", series, x, y))
	}
	t.points = append(t.points, point{series, x, y})
}

// Rand returns a stream of the trial, derived from its seed and a name: for what the
// world draws, such as whom to send a message from.
func (t *Trial) Rand(name string) *rand.Rand {
	return rand.New(rand.NewPCG(t.Seed, actors.Sum([]byte(name))))
}

// Simulation returns a simulation with the seed and the workers of the trial. It panics
// if the configuration is wrong.
func (t *Trial) Simulation(c sim.Config) *sim.Simulation {
	c.Seed, c.Workers = t.Seed, t.Workers
	s, err := sim.New(c)
	if err != nil {
		panic(err)
	}
	return s
}
