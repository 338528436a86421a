package lab

import (
	"math"
	"slices"
	"testing"

	"peernet/actors"
)

// lattice is a ring of nodes, each with so many after it in its view.
func lattice(nodes, size int) func(int) []actors.Address {
	all := Addresses(nodes)
	return func(i int) (view []actors.Address) {
		for k := range size {
			view = append(view, all[(i+k+1)%nodes])
		}
		return view
	}
}

// What is measured of graphs whose values are known.
func TestMeasureGraph(t *testing.T) {
	all := Addresses(60)
	type values struct{ clustering, path, component, out, sd float64 }
	for name, test := range map[string]struct {
		nodes int
		view  func(int) []actors.Address
		want  values
	}{
		"complete": {10, lattice(10, 9), values{1, 1, 1, 9, 0}},
		// A ring of n nodes, n even, has mean paths of n²/4 over n−1.
		"ring": {20, lattice(20, 1), values{0, 100.0 / 19, 1, 1, 0}},
		// With k on either side the clustering is 3(k−1) over 2(2k−1), and 2k nodes are of each
		// distance: up to 5 hops here, up to 3 there.
		"lattice of 2": {21, lattice(21, 2), values{0.5, 3, 1, 2, 0}},
		"lattice of 3": {19, lattice(19, 3), values{0.6, 2, 1, 3, 0}},
		// Everybody has node 0: the in-degrees are n−1 and 0.
		"star": {11, func(i int) []actors.Address { return all[:min(i, 1)] },
			values{0, (10 + 10*(1+9*2)) / 110.0, 1, 10.0 / 11, math.Sqrt(100.0/11 - 100.0/121)}},
		// Links both ways are one in the closure.
		"pair": {2, func(i int) []actors.Address { return all[1-i : 2-i] }, values{0, 1, 1, 1, 0}},
		// Three of five nodes have each other; paths are between those that are connected.
		"triangle and others": {5, func(i int) []actors.Address {
			if i < 3 {
				return []actors.Address{all[(i+1)%3]}
			}
			return nil
		}, values{0.6, 1, 0.6, 0.6, math.Sqrt(0.24)}},
		"nobody knows anybody": {4, func(int) []actors.Address { return nil }, values{0, 0, 0.25, 0, 0}},
		// Addresses of nodes that are not there, or of none, count for nothing.
		"strangers": {2, func(i int) []actors.Address { return []actors.Address{all[1-i], all[50], {}} }, values{0, 1, 1, 1, 0}},
	} {
		trial := &Trial{Seed: 1}
		MeasureGraph(trial, test.nodes, test.view)
		want := []observation{
			{"clustering", test.want.clustering}, {"shortest path", test.want.path}, {"largest component", test.want.component},
			{"out-degree", test.want.out}, {"in-degree sd", test.want.sd},
		}
		if !slices.EqualFunc(trial.measures, want, func(a, b observation) bool {
			return a.name == b.name && math.Abs(a.value-b.value) < 1e-9
		}) {
			t.Errorf("%s: measured %v, want %v", name, trial.measures, want)
		}
	}
}

// Paths are sampled in graphs of more nodes than sources.
func TestMeasureGraphSamplesPaths(t *testing.T) {
	trial := &Trial{Seed: 1}
	MeasureGraph(trial, 1000, lattice(1000, 10))
	// 20 nodes are of each of 49 distances, and 19 of the last.
	if path, want := trial.measures[1].value, (20*49*25.0+19*50)/999; math.Abs(path-want) > 1e-9 { // from anywhere alike
		t.Errorf("the mean path is %v, want %v", path, want)
	}
}

func TestEdges(t *testing.T) {
	var got [][2]uint32
	for from, to := range Edges(3, lattice(3, 2)) {
		if got = append(got, [2]uint32{from, to}); len(got) == 5 {
			break
		}
	}
	if want := [][2]uint32{{0, 1}, {0, 2}, {1, 2}, {1, 0}, {2, 0}}; !slices.Equal(got, want) {
		t.Errorf("edges are %v, want %v", got, want)
	}
	if in := InDegrees(11, func(i int) []actors.Address { return Addresses(1)[:min(i, 1)] }); in[0] != 10 || in[1] != 0 || len(in) != 11 {
		t.Errorf("in-degrees are %v", in)
	}
}
