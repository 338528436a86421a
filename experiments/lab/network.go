package lab

import (
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"peernet/actors"
	"peernet/sim"
	"peernet/sim/dist"
)

// Lockstep is a network for protocols that are described in cycles: every message takes
// a millisecond, and a cycle is [Cycle] long, in which a contact can go back and forth.
var Lockstep = sim.Config{
	Latency: sim.Latency{Message: dist.Constant(time.Millisecond)},
	Round:   Cycle,
}

// Cycle is the period of the rounds of [Lockstep].
const Cycle = 8 * time.Millisecond

// Internet is the default latency of scenarios: log-normal, 10 ms at least, 50 ms in the
// median, drawn for each link and direction.
var Internet = internet()

func internet() dist.Distribution {
	d, err := dist.NewLogNormal(10*time.Millisecond, 50*time.Millisecond, 50)
	if err != nil {
		panic(err) // the arguments are constant
	}
	return d
}

var known struct {
	sync.Mutex
	addresses []actors.Address
}

// Addresses returns the addresses of the nodes from 0 to n−1: the directory of protocols
// whose nodes know all others. It is shared, and not to be changed.
func Addresses(n int) []actors.Address {
	known.Lock()
	defer known.Unlock()
	for i := len(known.addresses); i < n; i++ {
		known.addresses = append(known.addresses, sim.AddressOf(sim.NodeID(i)))
	}
	return known.addresses[:n:n]
}

// RegularViews returns a view of so many distinct others for each node, such that each
// node is in just as many: a random regular digraph, made of random permutations whose
// self-loops and repeats are swapped away.
func RegularViews(r *rand.Rand, nodes, size int) [][]actors.Address {
	addresses := Addresses(nodes)
	views := make([][]actors.Address, nodes)
	targets := make([]int, nodes)
	for range size {
		for i := range targets {
			targets[i] = i
		}
		r.Shuffle(nodes, func(i, k int) { targets[i], targets[k] = targets[k], targets[i] })
		bad := func(i int) bool { return targets[i] == i || slices.Contains(views[i], addresses[targets[i]]) }
		for again := true; again; {
			again = false
			for i := range targets {
				if bad(i) {
					k := r.IntN(nodes)
					targets[i], targets[k] = targets[k], targets[i]
					again = true
				}
			}
		}
		for i, to := range targets {
			views[i] = append(views[i], addresses[to])
		}
	}
	return views
}

// RandomViews returns a view of so many distinct others for each node, drawn uniformly: a
// random out-regular digraph.
func RandomViews(r *rand.Rand, nodes, size int) [][]actors.Address {
	addresses := Addresses(nodes)
	views := make([][]actors.Address, nodes)
	for i := range views {
		for len(views[i]) < size {
			if k := r.IntN(nodes); k != i && !slices.Contains(views[i], addresses[k]) {
				views[i] = append(views[i], addresses[k])
			}
		}
	}
	return views
}
