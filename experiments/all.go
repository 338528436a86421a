// Package experiments lists the experiments that come with peernet: published results run
// again on its simulator and held against the printed numbers, a folder each. README.md
// says how to write one.
package experiments

import (
	"fmt"
	"slices"
	"strings"

	"peernet/experiments/addrman"
	"peernet/experiments/cyclon"
	"peernet/experiments/demers"
	"peernet/experiments/flooding"
	"peernet/experiments/freenet"
	"peernet/experiments/hyparview"
	infect "peernet/experiments/infect-and-die"
	"peernet/experiments/lab"
	"peernet/experiments/lifeguard"
	peersampling "peernet/experiments/peer-sampling"
	"peernet/experiments/percolation"
	"peernet/experiments/pittel"
	"peernet/experiments/rivals"
	smallworld "peernet/experiments/small-world"
	"peernet/experiments/speed"
	"peernet/experiments/splits"
	"peernet/experiments/swim"
	uneven "peernet/experiments/uneven-fanout"
)

// all are the experiments, in the order of their names.
var all = []*lab.Experiment{
	addrman.Experiment,
	cyclon.Experiment,
	demers.Experiment,
	flooding.Experiment,
	freenet.Experiment,
	hyparview.Experiment,
	infect.Experiment,
	lifeguard.Experiment,
	peersampling.Experiment,
	percolation.Experiment,
	pittel.Experiment,
	rivals.Experiment,
	smallworld.Experiment,
	speed.Experiment,
	splits.Experiment,
	swim.Experiment,
	uneven.Experiment,
}

// All returns the experiments.
func All() []*lab.Experiment { return slices.Clone(all) }

// Find returns the experiments of these names, each named once; the error names those that
// exist.
func Find(names ...string) ([]*lab.Experiment, error) {
	var found []*lab.Experiment
	for _, name := range names {
		i := slices.IndexFunc(all, func(e *lab.Experiment) bool { return e.Name == name })
		if i < 0 {
			var known []string
			for _, e := range all {
				known = append(known, e.Name)
			}
			return nil, fmt.Errorf("no experiment %q; there are %s", name, strings.Join(known, ", "))
		}
		if slices.Contains(found, all[i]) {
			return nil, fmt.Errorf("experiment %s is named twice", name)
		}
		found = append(found, all[i])
	}
	return found, nil
}
