package experiments

import (
	"fmt"
	"slices"
	"strings"

	"peernet/experiments/demers"
	"peernet/experiments/lab"
	peersampling "peernet/experiments/peer-sampling"
	"peernet/experiments/pittel"
	smallworld "peernet/experiments/small-world"
)

// all are the experiments, in the order of their names.
var all = []*lab.Experiment{
	demers.Experiment,
	peersampling.Experiment,
	pittel.Experiment,
	smallworld.Experiment,
}

// All returns the experiments.
func All() []*lab.Experiment { return slices.Clone(all) }

// Find returns the experiments of these names; the error names those that exist.
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
		found = append(found, all[i])
	}
	return found, nil
}
