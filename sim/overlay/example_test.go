package overlay_test

import (
	"fmt"
	"math/rand/v2"

	"peernet/sim/overlay"
)

// Views are directed: who knows whom. As a graph, they are the links between
// nodes.
func Example() {
	views := [][]uint32{{1, 2}, {0, 2}, {3}, {2}, {}}
	g := overlay.New(len(views), func(yield func(uint32, uint32) bool) {
		for v, view := range views {
			for _, w := range view {
				if !yield(uint32(v), w) {
					return
				}
			}
		}
	})
	fmt.Println("edges", g.Edges())
	fmt.Println("degrees", g.Degrees())
	fmt.Println("components", g.Components())
	fmt.Printf("clustering %.4f\n", g.Clustering())
	fmt.Printf("paths %+v\n", g.PathLengths(1000, rand.New(rand.NewPCG(1, 2))))
	// Output:
	// edges 4
	// degrees {1.6 0 3 [1 1 2 1]}
	// components [4 1]
	// clustering 0.4667
	// paths {Mean:1.3333333333333333 Max:2 Unreachable:8}
}
