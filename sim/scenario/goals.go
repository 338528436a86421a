package scenario

import (
	"fmt"
	"math"
	"time"

	"peernet/actors"
	"peernet/sim"
	"peernet/sim/result"
)

// planGoals plans the looks for the goals that are reached at a time, once a second
// until each is, or is late, and notes what was sent when others begin to count.
func (r *runner) planGoals() {
	d := time.Duration(r.scenario.Duration)
	goals := r.scenario.Checks.Goals
	r.reached, r.missed, r.before = make([]time.Duration, len(goals)), make([]string, len(goals)), make([]sending, len(goals))
	for i := range goals {
		g := &goals[i]
		r.reached[i] = never
		after := g.After.Of(d)
		if g.Goal == GoalTraffic {
			r.sim.At(after, func() { r.before[i] = r.sending() })
		}
		look := r.lookFor(g)
		if look == nil {
			continue
		}
		late := after + time.Duration(g.Within)
		r.sim.At(after, func() { r.repeat(after, late, i, look) })
	}
}

// repeat looks for a goal, until it is reached or late.
func (r *runner) repeat(now, late time.Duration, i int, look func() bool) {
	if look() {
		r.reached[i] = now
		return
	}
	if now >= late {
		r.missed[i] = r.whyNot(&r.scenario.Checks.Goals[i])
		return
	}
	next := min(now+time.Second, late)
	r.sim.At(next, func() { r.repeat(next, late, i, look) })
}

// lookFor returns what to look for, nil for goals that are about the whole run.
func (r *runner) lookFor(g *Goal) func() bool {
	switch g.Goal {
	case GoalFormed:
		return r.formed
	case GoalComponent:
		return func() bool { return r.live() > 0 && r.graph().LargestComponent() == r.live() }
	case GoalForgotten:
		return r.deadForgotten
	}
	return nil
}

// deadForgotten reports whether no live honest node has the address of a node in its
// book that is gone.
func (r *runner) deadForgotten() bool {
	for id := range sim.NodeID(r.scenario.Nodes) {
		if !r.sim.IsLive(id) {
			continue
		}
		b := r.roots[id].Store().Book()
		for i := range b.Len() {
			if e := b.At(i); !e.Saved && !r.answers(e.Address) {
				return false
			}
		}
	}
	return true
}

// answers reports whether there is a live node at an address.
func (r *runner) answers(address actors.Address) bool {
	id, ok := sim.NodeOf(address)
	return ok && int(id) < len(r.members) && r.sim.IsLive(id)
}

// checkGoals returns a check for each goal.
func (r *runner) checkGoals() (list []result.Check) {
	d := time.Duration(r.scenario.Duration)
	for i := range r.scenario.Checks.Goals {
		g := &r.scenario.Checks.Goals[i]
		c := result.Check{Name: g.Goal, Kind: result.KindGoal}
		after := g.After.Of(d)
		switch g.Goal {
		case GoalCoverage:
			r.checkRequests(&c, g, after, false)
		case GoalAnswered:
			r.checkRequests(&c, g, after, true)
		case GoalTraffic:
			rate := r.trafficAfter(after, r.before[i])
			c.OK = rate <= float64(g.Most)
			c.Detail = fmt.Sprintf("%.0f bytes per node and second, at most %d wanted", rate, g.Most)
		default:
			c.OK = r.reached[i] != never
			if c.OK {
				c.Detail = fmt.Sprintf("reached at %v, %v after %v", r.reached[i], r.reached[i]-after, after)
			} else {
				at := min(after+time.Duration(g.Within), r.sim.Now()).Seconds()
				c.AtS = &at
				c.Detail = fmt.Sprintf("not reached within %v of %v%s", g.Within, after, r.missed[i])
			}
		}
		list = append(list, c)
	}
	return list
}

// whyNot says how far the network is from a goal.
func (r *runner) whyNot(g *Goal) string {
	switch g.Goal {
	case GoalComponent, GoalFormed:
		return fmt.Sprintf("; the largest component had %d of %d nodes then", r.graph().LargestComponent(), r.live())
	}
	return ""
}

// unmeasured is behind the name of a goal that there was nothing to judge by.
const unmeasured = ": nothing sent"

// checkRequests checks the coverage of announces, or the share of searches that were
// answered, from a time on.
func (r *runner) checkRequests(c *result.Check, g *Goal, after time.Duration, search bool) {
	n, sum, worst, worstAt := 0, 0.0, math.Inf(1), 0
	for i, m := range r.tracker.messages {
		if m.search != search || time.Duration(m.sent) < after {
			continue
		}
		got := r.tracker.reached(i)
		v := float64(got.nodes+1) / float64(m.alive)
		if search {
			v = float64(min(got.replies, 1))
		}
		n++
		sum += v
		if v < worst {
			worst, worstAt = v, i
		}
	}
	what := "announces"
	if search {
		what = "searches"
	}
	if n == 0 { // another failure than that of too few
		c.Name += unmeasured
		c.Detail = fmt.Sprintf("no %s were sent after %v: no node that could was live", what, after)
		return
	}
	least := float64(g.Least) / whole
	c.OK = sum/float64(n) >= least
	c.Detail = fmt.Sprintf("mean %.4f of %d %s, least %.4f; %.4f wanted", sum/float64(n), n, what, worst, least)
	if !c.OK {
		m := &r.tracker.messages[worstAt]
		node, at := uint32(m.origin), time.Duration(m.sent).Seconds()
		c.Node, c.AtS = &node, &at
	}
}

// trafficAfter is how many bytes an honest node sent in a second of its life since a
// goal began to count; 0 if it did not.
func (r *runner) trafficAfter(after time.Duration, before sending) float64 {
	if r.sim.Now() <= after {
		return 0
	}
	return r.sending().bytesPerNodeSecond(before)
}
