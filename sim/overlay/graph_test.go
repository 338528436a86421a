package overlay

import (
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// A pair is an edge in the tests' lists of edges.
type pair [2]uint32

func edgesOf(pairs []pair) iter.Seq2[uint32, uint32] {
	return func(yield func(uint32, uint32) bool) {
		for _, p := range pairs {
			if !yield(p[0], p[1]) {
				return
			}
		}
	}
}

func stream(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

func complete(n int) (pairs []pair) {
	for a := range uint32(n) {
		for b := range a {
			pairs = append(pairs, pair{a, b})
		}
	}
	return pairs
}

// star has node 0 in the middle of n nodes.
func star(n int) (pairs []pair) {
	for v := 1; v < n; v++ {
		pairs = append(pairs, pair{0, uint32(v)})
	}
	return pairs
}

// wheel has node 0 in the middle of a cycle of n−1 nodes.
func wheel(n int) (pairs []pair) {
	for v := 1; v < n; v++ {
		pairs = append(pairs, pair{0, uint32(v)}, pair{uint32(v), uint32(v%(n-1) + 1)})
	}
	return pairs
}

func path(n int) (pairs []pair) {
	for v := 1; v < n; v++ {
		pairs = append(pairs, pair{uint32(v - 1), uint32(v)})
	}
	return pairs
}

// lattice is a ring of n nodes, each joined to its k nearest.
func lattice(n, k int) (pairs []pair) {
	for v := range n {
		for i := 1; i <= k/2; i++ {
			pairs = append(pairs, pair{uint32(v), uint32((v + i) % n)})
		}
	}
	return pairs
}

func petersen() (pairs []pair) {
	for v := range uint32(5) {
		pairs = append(pairs, pair{v, (v + 1) % 5}, pair{v, v + 5}, pair{v + 5, (v+2)%5 + 5})
	}
	return pairs
}

// drawn has d edges from each of n nodes to distinct others, drawn uniformly.
func drawn(n, d int, r *rand.Rand) (pairs []pair) {
	for v := range uint32(n) {
		for _, w := range sample(n-1, d, r) {
			if w >= v {
				w++
			}
			pairs = append(pairs, pair{v, w})
		}
	}
	return pairs
}

// union puts graphs side by side, each of so many nodes.
func union(nodes int, graphs ...[]pair) (pairs []pair) {
	for i, g := range graphs {
		for _, p := range g {
			shift := uint32(i * nodes)
			pairs = append(pairs, pair{p[0] + shift, p[1] + shift})
		}
	}
	return pairs
}

func near(a, b, tolerance float64) bool { return math.Abs(a-b) <= tolerance }

// ulps is what rounding may add to a sum of a few quotients.
const ulps = 1e-14

func TestKnownGraphs(t *testing.T) {
	for _, c := range []struct {
		name       string
		nodes      int
		edges      []pair
		count      int
		degrees    Degrees // but for Counts
		components []int
		clustering float64
		paths      Paths
	}{
		{"empty", 0, nil, 0, Degrees{}, nil, 0, Paths{}},
		{"single", 1, nil, 0, Degrees{}, []int{1}, 0, Paths{}},
		{"self-loop", 1, []pair{{0, 0}}, 0, Degrees{}, []int{1}, 0, Paths{}},
		{"apart", 3, nil, 0, Degrees{}, []int{1, 1, 1}, 0, Paths{Unreachable: 6}},
		{"pair", 2, []pair{{1, 0}}, 1, Degrees{Mean: 1, Min: 1, Max: 1}, []int{2}, 0, Paths{Mean: 1, Max: 1}},
		{"repeated", 4, []pair{{2, 2}, {0, 1}, {1, 0}, {1, 2}, {0, 1}, {2, 0}, {2, 0}, {0, 0}}, 3, Degrees{Mean: 1.5, Max: 2},
			[]int{3, 1}, 0.75, Paths{Mean: 1, Max: 1, Unreachable: 6}},
		{"complete", 20, complete(20), 190, Degrees{Mean: 19, Min: 19, Max: 19}, []int{20}, 1, Paths{Mean: 1, Max: 1}},
		// 2(n−1) pairs at one hop, (n−1)(n−2) at two: 2−2/n.
		{"star", 50, star(50), 49, Degrees{Mean: 1.96, Min: 1, Max: 49}, []int{50}, 0, Paths{Mean: 1.96, Max: 2}},
		// Each rim node sees 2 of 3 pairs linked, the hub 100 of 100·99/2; 4·100
		// of the 101·100 pairs are at one hop.
		{"wheel", 101, wheel(101), 200, Degrees{Mean: 400. / 101, Min: 3, Max: 100}, []int{101},
			(100*2./3 + 2./99) / 101, Paths{Mean: 2 - 4./101, Max: 2}},
		{"path", 40, path(40), 39, Degrees{Mean: 1.95, Min: 1, Max: 2}, []int{40}, 0, Paths{Mean: 41. / 3, Max: 39}},
		// (n+1)/4 for odd n, n²/4(n−1) for even n.
		{"odd cycle", 41, lattice(41, 2), 41, Degrees{Mean: 2, Min: 2, Max: 2}, []int{41}, 0, Paths{Mean: 10.5, Max: 20}},
		{"even cycle", 40, lattice(40, 2), 40, Degrees{Mean: 2, Min: 2, Max: 2}, []int{40}, 0, Paths{Mean: 400. / 39, Max: 20}},
		{"triangle", 3, lattice(3, 2), 3, Degrees{Mean: 2, Min: 2, Max: 2}, []int{3}, 1, Paths{Mean: 1, Max: 1}},
		{"petersen", 10, petersen(), 15, Degrees{Mean: 3, Min: 3, Max: 3}, []int{10}, 0, Paths{Mean: 5. / 3, Max: 2}},
		// Sizes 2, 5 and 10, and 13 nodes alone, of 30: 20+90+2 pairs are joined.
		{"union", 30, union(10, complete(5), path(2), petersen()), 26, Degrees{Mean: 26. / 15, Max: 4},
			append([]int{10, 5, 2}, slices.Repeat([]int{1}, 13)...), 5. / 30, Paths{Mean: (20 + 150 + 2) / 112., Max: 2, Unreachable: 30*29 - 112}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := New(c.nodes, edgesOf(c.edges))
			if g.Nodes() != c.nodes || g.Edges() != c.count {
				t.Errorf("%d nodes and %d edges, want %d and %d", g.Nodes(), g.Edges(), c.nodes, c.count)
			}
			d := g.Degrees()
			if d.Mean != c.degrees.Mean || d.Min != c.degrees.Min || d.Max != c.degrees.Max {
				t.Errorf("degrees %+v, want %+v", d, c.degrees)
			}
			if got := g.Components(); !slices.Equal(got, c.components) {
				t.Errorf("components %v, want %v", got, c.components)
			}
			largest := 0
			if len(c.components) > 0 {
				largest = c.components[0]
			}
			if got := g.LargestComponent(); got != largest {
				t.Errorf("largest component %d, want %d", got, largest)
			}
			if got := g.Clustering(); !near(got, c.clustering, ulps) {
				t.Errorf("clustering %v, want %v", got, c.clustering)
			}
			if got := g.PathLengths(c.nodes, nil); !near(got.Mean, c.paths.Mean, ulps) || got.Max != c.paths.Max || got.Unreachable != c.paths.Unreachable {
				t.Errorf("paths %+v, want %+v", got, c.paths)
			}
		})
	}
}

// TestRingLattice holds the lattice of Watts and Strogatz against its closed
// forms, which are exact.
func TestRingLattice(t *testing.T) {
	const n, k = 1000, 10
	g := New(n, edgesOf(lattice(n, k)))
	if got := g.Clustering(); got != 3.*(k-2)/(4*(k-1)) {
		t.Errorf("clustering %v, want 2/3", got)
	}
	// Steps of up to k/2 reach the k nodes at each of the distances 1 to n/k,
	// but at the last there are k−1: the opposite node would count twice.
	const m = n / k
	const mean = (k*m*(m+1)/2. - m) / (n - 1)
	if got := g.PathLengths(n, nil); got != (Paths{Mean: mean, Max: m}) {
		t.Errorf("paths %+v, want mean %v and maximum %v", got, mean, m)
	}
	if rule := n / (2. * k); !near(mean, rule, 0.02*rule) {
		t.Errorf("mean path %v, want about %v", mean, rule)
	}
	// All nodes are alike, so that any sample is exact.
	r := stream(1)
	if got := g.SampledClustering(7, r); got != g.Clustering() {
		t.Errorf("sampled clustering %v, want 2/3", got)
	}
	if got := g.PathLengths(7, r); got != (Paths{Mean: mean, Max: m}) {
		t.Errorf("sampled paths %+v, want mean %v and maximum %v", got, mean, m)
	}
}

// TestPublishedControl repeats a row of the HyParView paper (Leitão, Pereira
// and Rodrigues, 2007, table 1): the overlay of Cyclon with 10000 nodes and
// views of 35, which is as good as random, has an average shortest path of
// 2.604 and a clustering coefficient of 0.0068.
func TestPublishedControl(t *testing.T) {
	const n, d = 10000, 35
	r := stream(2)
	g := New(n, edgesOf(drawn(n, d, r)))
	if got := g.LargestComponent(); got != n {
		t.Errorf("largest component %d", got)
	}
	if got := g.Clustering(); !near(got, 0.0069, 0.0002) {
		t.Errorf("clustering %v", got)
	}
	if got := g.SampledClustering(1000, r); !near(got, 0.0069, 0.0002) {
		t.Errorf("sampled clustering %v", got)
	}
	got := g.PathLengths(1000, r)
	if !near(got.Mean, 2.604, 0.003) || got.Max < 3 || got.Max > 4 || got.Unreachable != 0 {
		t.Errorf("paths %+v", got)
	}
	t.Logf("clustering %.6f, %+v", g.Clustering(), got)
}

func TestDegreeCounts(t *testing.T) {
	g := New(6, edgesOf(star(5)))
	if got := g.Degrees().Counts; !slices.Equal(got, []int{1, 4, 0, 0, 1}) {
		t.Errorf("counts %v", got)
	}
	if got := New(0, edgesOf(nil)).Degrees().Counts; got != nil {
		t.Errorf("counts %v without nodes", got)
	}
}

func TestZeroGraph(t *testing.T) {
	var g Graph
	if g.Nodes() != 0 || g.Edges() != 0 || g.LargestComponent() != 0 || g.Clustering() != 0 || g.PathLengths(1, nil) != (Paths{}) || g.Degrees().Counts != nil {
		t.Error("the zero graph is not empty")
	}
}

func TestNewPanics(t *testing.T) {
	passes := 0
	for name, f := range map[string]func(){
		"out of range":   func() { New(3, edgesOf([]pair{{0, 3}})) },
		"without nodes":  func() { New(0, edgesOf([]pair{{0, 1}})) },
		"shorter second": func() { New(3, func(yield func(uint32, uint32) bool) { passes++; _ = passes == 1 && yield(0, 1) }) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f()
		})
	}
}

// TestSamples checks that partial samples are distinct, uniform, and decide
// what is measured.
func TestSamples(t *testing.T) {
	const n, count, rounds = 10, 3, 20000
	r := stream(3)
	var sets [1 << n]int
	for range rounds {
		set := 0
		for _, v := range sample(n, count, r) {
			if set>>v&1 != 0 {
				t.Fatalf("node %d drawn twice", v)
			}
			set |= 1 << v
		}
		sets[set]++
	}
	// Each of the 120 sets is expected 166.7 times, with a deviation of 12.9.
	seen := 0
	for set, times := range sets {
		if times == 0 {
			continue
		}
		seen++
		if !near(float64(times), rounds/120., 60) {
			t.Errorf("set %010b drawn %d times", set, times)
		}
	}
	if seen != 120 {
		t.Errorf("%d different sets drawn, want 120", seen)
	}

	// From one end of a disconnected graph, half cannot be reached.
	g := New(20, edgesOf(union(10, complete(10), complete(10))))
	if got := g.PathLengths(6, r); got != (Paths{Mean: 1, Max: 1, Unreachable: 60}) {
		t.Errorf("paths %+v", got)
	}
	for _, none := range []int{0, -1} {
		if g.SampledClustering(none, nil) != 0 || g.PathLengths(none, nil) != (Paths{}) {
			t.Errorf("%d samples measure something", none)
		}
	}
	// The mean of many small samples is the whole.
	g = New(101, edgesOf(union(50, complete(20), star(50))))
	var sum float64
	for range 2000 {
		sum += g.SampledClustering(10, r)
	}
	if !near(sum/2000, 20./101, 0.01) {
		t.Errorf("sampled clustering %v, want about %v", sum/2000, 20./101)
	}
}

func BenchmarkGraph(b *testing.B) {
	const n = 100_000
	r := stream(4)
	pairs := drawn(n, 5, r)
	g := New(n, edgesOf(pairs))
	for name, f := range map[string]func(){
		"New":         func() { New(n, edgesOf(pairs)) },
		"Components":  func() { g.Components() },
		"Clustering":  func() { g.Clustering() },
		"PathLengths": func() { g.PathLengths(1, r) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
		})
	}
}
