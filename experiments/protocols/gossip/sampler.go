package gossip

import (
	"math/rand/v2"
	"slices"

	"peernet/actors"
)

// Everybody is full knowledge: the sampler of a node that knows all others.
type Everybody struct {
	Peers []actors.Address // all nodes, the node itself included
	Self  int              // its index
}

// Sample implements [Sampler].
func (e Everybody) Sample(r *rand.Rand, n int, peers []actors.Address) []actors.Address {
	start, others := len(peers), len(e.Peers)-1
	if n >= others {
		return append(append(peers, e.Peers[:e.Self]...), e.Peers[e.Self+1:]...)
	}
	for len(peers) < start+n {
		i := r.IntN(others)
		if i >= e.Self {
			i++
		}
		if !slices.Contains(peers[start:], e.Peers[i]) {
			peers = append(peers, e.Peers[i])
		}
	}
	return peers
}

// View is a fixed partial view, without repeats: the sampler of a static overlay.
type View []actors.Address

// Sample implements [Sampler]: by Floyd's algorithm, so that a draw of n takes n numbers.
func (v View) Sample(r *rand.Rand, n int, peers []actors.Address) []actors.Address {
	n = min(n, len(v))
	start := len(peers)
	for i := len(v) - n; i < len(v); i++ {
		pick := v[r.IntN(i+1)]
		if slices.Contains(peers[start:], pick) {
			pick = v[i]
		}
		peers = append(peers, pick)
	}
	return peers
}
