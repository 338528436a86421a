package lab

import (
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
