package swim

import (
	"math"
	"slices"
	"time"

	"peernet/experiments/lab"
	"peernet/experiments/protocols/swim"
)

// spread measures how many have heard an update of member 0 after how many periods.
func (g *group) spread() error {
	n := len(g.members)
	g.Send(0, &swim.Announce{})
	whole := math.Log(float64(n)) // ln n periods, λ = 1
	if err := g.Run(g.t.Context, time.Duration(2*whole*float64(g.config.Period))); err != nil {
		return err
	}
	heard := []float64{0} // when, in periods
	for i := range g.members[1:] {
		if r := g.members[1+i].Record(0); r.Incarnation > 0 {
			heard = append(heard, g.periods(time.Duration(r.Since)))
		}
	}
	slices.Sort(heard)
	after := func(periods float64) float64 {
		i, _ := slices.BinarySearch(heard, periods)
		return float64(i)
	}
	g.t.Measure("after 1", after(1))
	g.t.Measure("after ln n", after(whole))
	g.t.Measure("after 2 ln n", after(2*whole))
	if tenth := n / 10; len(heard) > n-tenth {
		g.t.Measure("10% to 90%", heard[n-tenth-1]-heard[tenth-1])
	}
	for at := 0.0; at <= 13; at++ {
		g.t.Point("heard", at, max(1, after(at)))
	}
	return nil
}

func plots(r *lab.Results) []lab.Plot {
	limit := lab.Line{Name: "e/(e−1)", Dashed: true}
	exact := lab.Line{Name: "1/(1−(1−1/(n−1))ⁿ⁻¹)", Dashed: true}
	for n := 8.0; n <= 1000; n *= 1.25 {
		limit.Points = append(limit.Points, lab.XY{X: n, Y: math.E / (math.E - 1)})
		exact.Points = append(exact.Points, lab.XY{X: n, Y: 1 / (1 - math.Pow(1-1/(n-1), n-1))})
	}
	first := lab.Plot{Name: "detection", Title: "Time to the first detection of a failure", X: "members", Y: "periods", LogX: true,
		Lines: append(r.Across("detected", "lock-step", lab.ByName("first n=%g")), exact, limit)}
	first.Lines = append(first.Lines, r.Across("detected", "phased", lab.ByName("phased first n=%g"))[:1]...)
	spread := lab.Plot{Name: "spread", Title: "Members that have heard an update, of 1,000", X: "periods", Y: "members, mean", LogY: true}
	for _, clock := range []string{"memoryless", "phased", "lock-step"} {
		spread.Lines = append(spread.Lines, r.Find("spread "+clock).Line("heard", clock))
	}
	logistic, triple := lab.Line{Name: "logistic, ×e² per period", Dashed: true}, lab.Line{Name: "×3 per period", Dashed: true}
	for t := 0.0; t <= 13; t += 0.25 {
		logistic.Points = append(logistic.Points, lab.XY{X: t, Y: 1000 / (1 + 999*math.Exp(-2*t))})
		if t <= 5 {
			triple.Points = append(triple.Points, lab.XY{X: t, Y: math.Pow(3, t)})
		}
	}
	spread.Lines = append(spread.Lines, logistic, triple)
	load := lab.Plot{Name: "load", Title: "Load of the detector", X: "members", Y: "messages by member and period", LogX: true,
		Lines: r.Across("load", "load", lab.ByName("load n=%g"))}
	return []lab.Plot{first, load, spread}
}
