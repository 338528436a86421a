package overlay

import "math/rand/v2"

// A nodeSet has one bit per node, so that the set for a million nodes fits a
// processor's second-level cache while rows stream through.
type nodeSet []uint64

func newNodeSet(nodes int) nodeSet { return make(nodeSet, (nodes+63)/64) }

func (s nodeSet) add(v uint32)      { s[v/64] |= 1 << (v % 64) }
func (s nodeSet) remove(v uint32)   { s[v/64] &^= 1 << (v % 64) }
func (s nodeSet) has(v uint32) bool { return s[v/64]>>(v%64)&1 != 0 }

// bit is has as a number, for counting without a branch.
func (s nodeSet) bit(v uint32) uint64 { return s[v/64] >> (v % 64) & 1 }

// sample returns count distinct nodes, each set of that size as likely as any
// other, by Floyd's algorithm (Bentley and Floyd, "A sample of brilliance",
// 1987). If count is at least nodes it returns all, and draws nothing.
func sample(nodes, count int, r *rand.Rand) []uint32 {
	count = max(0, min(count, nodes))
	drawn := make([]uint32, 0, count)
	if count == nodes {
		for v := range nodes {
			drawn = append(drawn, uint32(v))
		}
		return drawn
	}
	seen := newNodeSet(nodes)
	for last := nodes - count; last < nodes; last++ {
		v := uint32(r.IntN(last + 1))
		if seen.has(v) {
			v = uint32(last)
		}
		seen.add(v)
		drawn = append(drawn, v)
	}
	return drawn
}
