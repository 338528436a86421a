package addrman

import (
	"math"

	"peernet/actors"
	"peernet/experiments/lab"
	"peernet/experiments/protocols/addrman"
)

// reportTried reports what the attacker has of the table.
func reportTried(t *lab.Trial, n *addrman.Node, hostile func(actors.Address) bool) {
	theirs := make([]int, n.Config.TriedBuckets)
	buckets, addresses := 0, 0
	n.EachTried(func(bucket int, info *addrman.Info) {
		if !hostile(info.Address) {
			return
		}
		addresses++
		if theirs[bucket]++; theirs[bucket] == 1 {
			buckets++
		}
	})
	share := float64(addresses) / float64(n.InTried)
	t.Measure("buckets", float64(buckets))
	t.Measure("slots", float64(addresses)/float64(n.Config.TriedBuckets*n.Config.Slots))
	t.Measure("of_tried", share)
	t.Measure("chance_percent", 100*math.Pow(share, float64(n.Config.Outgoing)))
	t.Measure("chance", math.Pow(float64(addresses)/float64(n.Config.TriedBuckets*n.Config.Slots), float64(n.Config.Outgoing)))
}

// reportOutgoing reports what it has of the connections.
func reportOutgoing(t *lab.Trial, n *addrman.Node, hostile func(actors.Address) bool) {
	theirs := 0
	for _, a := range n.Outgoing {
		if hostile(a) {
			theirs++
		}
	}
	t.Measure("outgoing", float64(theirs)/float64(len(n.Outgoing)))
	eclipsed := 0.0
	if theirs == len(n.Outgoing) {
		eclipsed = 1
	}
	t.Measure("eclipsed", eclipsed)
}

// closedForms reports the closed forms of the paper.
func closedForms(t *lab.Trial) {
	// bucketsHit is how many of the 64 buckets s groups map to.
	bucketsHit := func(s float64) float64 { return 64 * (1 - math.Pow(63.0/64, 4*s)) }
	// bots is how many have to be hashed to slots, for a chance to get all outgoing
	// connections: those that hit a share of the slots whose power that is.
	bots := func(slots, chance, outgoing float64) float64 {
		return math.Log(1-math.Pow(chance, 1/outgoing)) / math.Log(1-1/slots)
	}
	t.Measure("buckets_32", bucketsHit(32))
	t.Measure("needed_90", 100*math.Pow(0.9, 1.0/8))
	t.Measure("bots_12_50", math.Round(bots(4096, 0.5, 12)))
	groups := 1.0
	for math.Pow(bucketsHit(groups)/64, 12) < 0.5 {
		groups++
	}
	t.Measure("groups_12_50", groups)
	t.Measure("bots_fixed_50", bots(65536, 0.5, 8)/1000)
	t.Measure("bots_fixed_90", bots(65536, 0.9, 8)/1000)
	t.Measure("percent_3000_7200", 100*math.Pow(3000.0/10200, 8))
}

// biased is the chance that a selection is the attacker's, with a share f of tried, whose
// timestamps are from a and honest ones from h units of ten minutes ago: the sum, over the
// rejections before, of what the paper calls p(r, τ).
func biased(f, a, h float64) (q float64) {
	still := 1.0
	for r := 0.0; still > 1e-15; r++ {
		pa, ph := min(1, math.Pow(1.2, r)/(1+a)), min(1, math.Pow(1.2, r)/(1+h))
		q += still * f * pa
		still *= f*(1-pa) + (1-f)*(1-ph)
	}
	return q
}

func plots(r *lab.Results) []lab.Plot {
	hit := lab.Line{Name: "64(1−(63/64)^4s)", Dashed: true}
	for s := 0.0; s <= 64; s++ {
		hit.Points = append(hit.Points, lab.XY{X: s, Y: 64 * (1 - math.Pow(63.0/64, 4*s))})
	}
	groups := r.Across("buckets", "buckets", lab.ByName("groups s=%g"))[:1]
	groups = append(groups, hit)
	share := r.Across("eclipsed", "timestamps, measured", lab.ByName("biased f=%g"))[:1]
	day := lab.Line{Name: "timestamps, closed form", Dashed: true}
	uniform := lab.Line{Name: "uniform, f^8", Dashed: true}
	for f := 0.0; f <= 1.001; f += 0.02 {
		day.Points = append(day.Points, lab.XY{X: f, Y: math.Pow(biased(f, 2.7, 144), 8)})
		uniform.Points = append(uniform.Points, lab.XY{X: f, Y: math.Pow(f, 8)})
	}
	return []lab.Plot{
		{Name: "groups", Title: "Buckets of tried that an attacker reaches", X: "groups s", Y: "buckets of 64", Lines: groups},
		{Name: "eclipse", Title: "Chance to get all 8 outgoing connections", X: "share f of tried that is the attacker's",
			Y: "chance", Lines: append(share, day, uniform)},
	}
}
