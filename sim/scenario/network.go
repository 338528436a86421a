package scenario

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"peernet/sim"
	"peernet/sim/dist"
)

// A Draw describes a distribution of lengths of time; see package dist. The zero
// Draw is none.
type Draw struct {
	Model     string   `yaml:"model" json:"model"`
	Min       Duration `yaml:"min" json:"min"`             // constant, uniform, normal, lognormal, pareto
	Max       Duration `yaml:"max" json:"max"`             // uniform
	Mean      Duration `yaml:"mean" json:"mean"`           // exponential, normal
	Median    Duration `yaml:"median" json:"median"`       // lognormal
	SD        Duration `yaml:"sd" json:"sd"`               // normal
	Scale     Duration `yaml:"scale" json:"scale"`         // weibull
	Sigma     Percent  `yaml:"sigma" json:"sigma"`         // lognormal
	Shape     Percent  `yaml:"shape" json:"shape"`         // weibull, pareto
	Quantiles Times    `yaml:"quantiles" json:"quantiles"` // empirical
}

// The models of a [Draw].
const (
	None        = "none"
	Normal      = "normal"
	Exponential = "exponential"
	Weibull     = "weibull"
	Pareto      = "pareto"
	Empirical   = "empirical"
)

var drawModels = []string{None, Constant, Uniform, Normal, LogNormal, Exponential, Weibull, Pareto, Empirical}

// set reports whether there is a distribution.
func (d *Draw) set() bool { return d.Model != "" && d.Model != None }

// distribution is what the Draw describes, nil for none.
func (d *Draw) distribution() (dist.Distribution, error) {
	var out dist.Distribution
	switch d.Model {
	case "", None:
		return nil, nil
	case Constant:
		out = dist.Constant(d.Min)
	case Uniform:
		out = dist.Uniform{Low: time.Duration(d.Min), High: time.Duration(d.Max)}
	case Normal:
		out = dist.Normal{Mean: time.Duration(d.Mean), SD: time.Duration(d.SD), Minimum: time.Duration(d.Min)}
	case LogNormal:
		out = dist.UncutLogNormal{Low: time.Duration(d.Min), Median: time.Duration(d.Median), Sigma: int(d.Sigma)}
	case Exponential:
		out = dist.Exponential{Mean: time.Duration(d.Mean)}
	case Weibull:
		out = dist.Weibull{Scale: time.Duration(d.Scale), Shape: int(d.Shape)}
	case Pareto:
		out = dist.Pareto{Scale: time.Duration(d.Min), Alpha: int(d.Shape)}
	case Empirical:
		list := make(dist.Empirical, len(d.Quantiles))
		for i, q := range d.Quantiles {
			list[i] = time.Duration(q)
		}
		out = list
	}
	if err := out.Validate(); err != nil {
		return nil, errors.New(drawWords.Replace(err.Error()))
	}
	return out, nil
}

// drawWords puts keys in the place of what package dist says.
var drawWords = strings.NewReplacer("sim/dist: ", "", "the alpha of a Pareto", "shape, the exponent alpha of a Pareto", "the scale of a Pareto", "min, the scale of a Pareto")

// must is the distribution of a Draw that was checked.
func (d *Draw) must() dist.Distribution {
	out, err := d.distribution()
	if err != nil {
		panic(err)
	}
	return out
}

// Network is what happens to messages besides their latency; see [sim.Network].
type Network struct {
	Loss        Share    `yaml:"loss" json:"loss"`
	Retransmit  Duration `yaml:"retransmit" json:"retransmit"`
	Attempts    int      `yaml:"attempts" json:"attempts"`
	LinkLife    Draw     `yaml:"link_life" json:"link_life"`
	StallEvery  Draw     `yaml:"stall_every" json:"stall_every"`
	StallFor    Draw     `yaml:"stall_for" json:"stall_for"`
	DialTwice   Share    `yaml:"dial_twice" json:"dial_twice"`
	Reorder     Duration `yaml:"reorder" json:"reorder"`
	ReorderSeed uint64   `yaml:"reorder_seed" json:"reorder_seed"`
}

// A Region is where nodes are. Between two that are in the table of [RTT] messages
// take half of the round trip there.
type Region struct {
	Name   string `yaml:"name" json:"name"`
	Weight int    `yaml:"weight" json:"weight"`
	Jitter Draw   `yaml:"jitter" json:"jitter"`
}

// A Way is the round-trip time between two regions, or with Delay the time one way,
// where the table has none, or another is wanted.
type Way struct {
	From  string   `yaml:"from" json:"from"`
	To    string   `yaml:"to" json:"to"`
	RTT   Duration `yaml:"rtt" json:"rtt"`
	Delay Duration `yaml:"delay" json:"delay"`
}

// A Condition makes the way from one region to another worse for a time. An empty
// name is all regions.
type Condition struct {
	At     Span     `yaml:"at" json:"at"`
	Until  Span     `yaml:"until" json:"until"`
	From   string   `yaml:"from" json:"from"`
	To     string   `yaml:"to" json:"to"`
	OneWay bool     `yaml:"one_way" json:"one_way"`
	Delay  Duration `yaml:"delay" json:"delay"`
	Loss   Share    `yaml:"loss" json:"loss"`
}

// regionIndex is the index of a region by its name, −1 if there is none.
func (s *Scenario) regionIndex(name string) int {
	for i, r := range s.Regions {
		if r.Name == name {
			return i
		}
	}
	return -1
}

// delays is the matrix of one-way delays between the regions.
func (s *Scenario) delays() ([][]time.Duration, error) {
	if len(s.Regions) == 0 {
		return nil, nil
	}
	m := make([][]time.Duration, len(s.Regions))
	for i, from := range s.Regions {
		m[i] = make([]time.Duration, len(s.Regions))
		for k, to := range s.Regions {
			rtt, ok := RTT(from.Name, to.Name)
			if m[i][k] = rtt / 2; !ok {
				m[i][k] = missing
			}
		}
	}
	for i, w := range s.Ways {
		from, to := s.regionIndex(w.From), s.regionIndex(w.To)
		switch {
		case from < 0 || to < 0:
			name, field := w.From, "from"
			if from >= 0 {
				name, field = w.To, "to"
			}
			return nil, s.checkPlace(key("rtt", i, field), name)
		case w.Delay > 0:
			m[from][to] = time.Duration(w.Delay)
		default:
			m[from][to], m[to][from] = time.Duration(w.RTT)/2, time.Duration(w.RTT)/2
		}
	}
	for i := range m {
		if slices.Contains(m[i], missing) {
			return nil, s.unknownWays(m, i)
		}
	}
	return m, nil
}

// missing stands for a delay that is not known.
const missing = -1

// unknownWays says which round-trip times of a region, the first such, are not known.
func (s *Scenario) unknownWays(m [][]time.Duration, i int) error {
	name := s.Regions[i].Name
	var lines []string
	for k, d := range m[i] {
		if d == missing && len(lines) < waysShown {
			lines = append(lines, fmt.Sprintf("\n  - {from: %s, to: %s, rtt: 100ms}", name, s.Regions[k].Name))
		}
	}
	return s.fails(key("regions", i, "name"), "the round-trip times of %q are not in the table, which has %s%s; or add them to rtt, such as:%s",
		name, strings.Join(RegionNames(), ", "), nearest(name, RegionNames()), strings.Join(lines, ""))
}

// waysShown bounds the ways that are shown to be missing.
const waysShown = 10

// modelled reports whether the scenario needs a sim.Network.
func (s *Scenario) modelled() bool {
	return len(s.Regions) > 0 || len(s.Conditions) > 0 || !reflect.DeepEqual(s.Network, Default().Network)
}

// network is the sim.Network of the scenario, nil for none.
func (s *Scenario) network() (*sim.Network, error) {
	if !s.modelled() {
		return nil, nil
	}
	delays, err := s.delays()
	if err != nil {
		return nil, err
	}
	n := &s.Network
	w := &sim.Network{
		Delay: delays, Loss: int(n.Loss), Retransmit: time.Duration(n.Retransmit), Attempts: n.Attempts,
		LinkLife: n.LinkLife.must(), StallEvery: n.StallEvery.must(), StallFor: n.StallFor.must(),
		DialTwice: int(n.DialTwice), Reorder: time.Duration(n.Reorder), ReorderSeed: n.ReorderSeed,
	}
	for i := range s.Regions {
		w.Jitter = append(w.Jitter, s.Regions[i].Jitter.must())
	}
	return w, nil
}
