package scenario

import (
	"fmt"
	"time"

	"peernet/actors/wire"
	"peernet/sim"
	"peernet/sim/adversary"
)

// What is impossible in the models, the population, the events and the checks of a
// scenario.

// checkModels checks network, regions and classes.
func (s *Scenario) checkModels() error {
	if err := s.checkNetwork(); err != nil {
		return err
	}
	if err := s.checkRegions(); err != nil {
		return err
	}
	return s.checkClasses()
}

func (s *Scenario) checkNetwork() error {
	n := &s.Network
	draws := []struct {
		key   string
		d     *Draw
		least time.Duration
	}{{"network.link_life", &n.LinkLife, 0}, {"network.stall_every", &n.StallEvery, time.Second}, {"network.stall_for", &n.StallFor, 0}}
	for _, d := range draws {
		if err := s.checkDraw(d.key, d.d, d.least); err != nil {
			return err
		}
	}
	if n.StallEvery.set() != n.StallFor.set() {
		return s.fails("network.stall_for", "and network.stall_every need each other")
	}
	return nil
}

func (s *Scenario) checkRegions() error {
	if len(s.Regions) > sim.RegionsMax {
		return s.fails("regions", "%d, at most %d are possible", len(s.Regions), sim.RegionsMax)
	}
	sum := 0
	for i := range s.Regions {
		r := &s.Regions[i]
		if s.regionIndex(r.Name) != i {
			return s.fails(key("regions", i, "name"), "%q, there is one before it", r.Name)
		}
		if err := s.checkDraw(fmt.Sprintf("regions[%d].jitter", i), &r.Jitter, 0); err != nil {
			return err
		}
		sum += r.Weight
	}
	if len(s.Regions) > 0 && sum == 0 {
		return s.fails("regions[0].weight", "0, as all the other weights")
	}
	known := map[[2]string]bool{} // one way
	for i, w := range s.Ways {
		there, back := [2]string{w.From, w.To}, [2]string{w.To, w.From}
		twice := known[there] || w.Delay == 0 && known[back]
		known[there] = true
		known[back] = known[back] || w.Delay == 0
		switch {
		case twice:
			return s.fails(fmt.Sprintf("rtt[%d]", i), "the way from %q to %q is set before", w.From, w.To)
		case len(s.Regions) == 0:
			return s.fails("rtt", "has no meaning without regions")
		case (w.RTT > 0) == (w.Delay > 0):
			return s.fails(fmt.Sprintf("rtt[%d]", i), "want a positive rtt, there and back, or a positive delay, one way")
		}
	}
	if _, err := s.delays(); err != nil {
		return err
	}
	for i, c := range s.Conditions {
		list := func(field string) string { return key("conditions", i, field) }
		if err := s.checkPlace(list("from"), c.From); err != nil {
			return err
		}
		if err := s.checkPlace(list("to"), c.To); err != nil {
			return err
		}
		if err := s.checkLasting("conditions", i, c.At, c.Until); err != nil {
			return err
		}
		if c.OneWay && c.From == c.To {
			return s.fails(list("one_way"), "needs from or to: one way of all has no other")
		}
		if c.Delay == 0 && c.Loss == 0 {
			return s.fails(fmt.Sprintf("conditions[%d]", i), "changes nothing: set delay or loss")
		}
	}
	return nil
}

// checkPlace checks the name of a region; "" is all.
func (s *Scenario) checkPlace(key, name string) error {
	if name != "" && s.regionIndex(name) < 0 {
		return s.fails(key, "there is no region %q%s", name, s.someRegions())
	}
	return nil
}

func (s *Scenario) someRegions() string {
	if len(s.Regions) == 0 {
		return ": there are no regions"
	}
	names := make([]string, 0, len(s.Regions))
	for _, r := range s.Regions {
		names = append(names, r.Name)
	}
	return fmt.Sprintf(", only %v", names)
}

// checkLasting checks a time span of an item.
func (s *Scenario) checkLasting(list string, i int, from, until Span) error {
	d := time.Duration(s.Duration)
	switch {
	case from.Of(d) > d:
		return s.fails(key(list, i, "at"), "%v, is after the end of the run, %v", from, s.Duration)
	case until == Span{}:
		return s.fails(key(list, i, "until"), "is missing: when it ends, such as 80%% or %v", Duration(from.Of(d)+time.Second))
	case until.Of(d) <= from.Of(d):
		return s.fails(key(list, i, "until"), "%v, is not after its start, %v", until, from)
	}
	return nil
}

func (s *Scenario) checkClasses() error {
	sum := 0
	for i := range s.Classes {
		c := &s.Classes[i]
		field := func(name string) string { return key("classes", i, name) }
		if s.classIndex(c.Name) != i {
			return s.fails(field("name"), "%q, there is one before it", c.Name)
		}
		if err := s.checkPlace(field("region"), c.Region); err != nil {
			return err
		}
		sum += c.Weight
	}
	if len(s.Classes) > 0 && sum == 0 {
		return s.fails("classes[0].weight", "0, as all the other weights")
	}
	if s.Overlay == OverlayStatic && s.negotiates() {
		return s.fails("classes", "reach has no meaning for a static overlay, whose links are given")
	}
	return nil
}

// checkEvents checks what happens in the run.
func (s *Scenario) checkEvents() error {
	for _, check := range []func() error{s.checkChurn, s.checkFaults, s.checkAdversaries, s.checkWorkload} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// stayMin is the shortest median of sessions and downtimes.
const stayMin = time.Second

func (s *Scenario) checkChurn() error {
	c := &s.Churn
	if err := s.checkDraw("churn.session", &c.Session, stayMin); err != nil {
		return err
	}
	if err := s.checkDraw("churn.downtime", &c.Downtime, stayMin); err != nil {
		return err
	}
	d := time.Duration(s.Duration)
	share := Share(0)
	for i, crowd := range s.Crowds {
		share += crowd.Share
		switch {
		case crowd.At.Of(d) > d:
			return s.fails(key("crowds", i, "at"), "%v, is after the end of the run, %v", crowd.At, s.Duration)
		case crowd.At.Of(d)+time.Duration(crowd.Within) > d:
			return s.fails(key("crowds", i, "within"), "%v after %v is after the end of the run, %v", crowd.Within, crowd.At, s.Duration)
		case share > whole:
			return s.fails(key("crowds", i, "share"), "%v, with the crowds before it %v: all together have 100%% at most", crowd.Share, share)
		}
	}
	churns := c.Session.set() || c.Trace != ""
	switch {
	case c.Downtime.set() && !c.Session.set():
		return s.fails("churn.downtime", "has no meaning without churn.session: nobody leaves")
	case c.Session.set() && c.Trace != "":
		return s.fails("churn.trace", "is in place of churn.session: set one of the two")
	case c.Until.Of(d) < c.From.Of(d):
		return s.fails("churn.until", "%v, is before churn.from, %v", c.Until, c.From)
	case s.Overlay == OverlayStatic && (churns || len(s.Crowds) > 0):
		return s.fails("overlay", "the nodes of a static overlay are all there from the start: take churn and crowds away, or choose gossip")
	case s.Overlay != OverlayStatic && s.Topology != "":
		return s.fails("topology", "is for overlay: static")
	}
	return nil
}

func (s *Scenario) checkFaults() error {
	d := time.Duration(s.Duration)
	for i := range s.Faults {
		f := &s.Faults[i]
		field := func(name string) string { return key("faults", i, name) }
		if err := s.checkPlace(field("region"), f.Region); err != nil {
			return err
		}
		if f.lasting() {
			if err := s.checkLasting("faults", i, f.At, f.Until); err != nil {
				return err
			}
		}
		switch {
		case f.At.Of(d) > d:
			return s.fails(field("at"), "%v, is after the end of the run, %v", f.At, s.Duration)
		case !f.lasting() && f.Until != Span{}:
			return s.fails(field("until"), "a fault of kind %s happens at once", f.Kind)
		case f.Kind == FaultPartition && f.Share == whole && f.Region == "":
			return s.fails(field("share"), "100%% of all nodes: nobody is cut off from anybody; set region, or share: 50%%")
		case f.Restart > 0 && f.Kind != FaultCrash:
			return s.fails(field("restart"), "%v, is for faults of kind crash", f.Restart)
		case f.Leave != LeaveSilence && f.Kind != FaultCrash:
			return s.fails(field("leave"), "%s, is for faults of kind crash", f.Leave)
		case f.Book != BookKept && f.Kind != FaultCrash:
			return s.fails(field("book"), "%s, is for faults of kind crash", f.Book)
		case f.Kind == FaultSlow && f.Slow == 0:
			return s.fails(field("slow"), "%v, must be from 1ns to 1m: the time that each message takes", f.Slow)
		case f.Kind != FaultSlow && f.Slow != 0:
			return s.fails(field("slow"), "is for faults of kind slow")
		case s.Overlay == OverlayStatic && f.Kind == FaultCrash && f.Restart > 0:
			return s.fails(field("restart"), "a node of a static overlay has no links when it is back")
		}
	}
	return nil
}

func (s *Scenario) checkAdversaries() error {
	d := time.Duration(s.Duration)
	for i := range s.Adversaries {
		a := &s.Adversaries[i]
		field := func(name string) string { return key("adversaries", i, name) }
		if a.Until != (Span{}) {
			if err := s.checkLasting("adversaries", i, a.At, a.Until); err != nil {
				return err
			}
		}
		switch {
		case a.At.Of(d) > d:
			return s.fails(field("at"), "%v, is after the end of the run, %v", a.At, s.Duration)
		case s.Nodes+s.adversaries() > sim.NodesMax:
			return s.fails(field("count"), "%d, with nodes and the other adversaries there are more than %d", a.Count, sim.NodesMax)
		case a.Delay != 0 && a.Role != string(adversary.Delayer):
			return s.fails(field("delay"), "is for the role %s", adversary.Delayer)
		case a.Victim != 0 && a.Role != string(adversary.Eclipser):
			return s.fails(field("victim"), "is for the role %s", adversary.Eclipser)
		case a.Victim >= s.Nodes:
			return s.fails(field("victim"), "%d, must be a node, from 0 to %d", a.Victim, s.Nodes-1)
		case s.Overlay == OverlayStatic:
			return s.fails(field("role"), "adversaries find no links in a static overlay")
		}
	}
	return nil
}

func roleNames() (names []string) {
	for _, r := range adversary.Roles() {
		names = append(names, string(r))
	}
	return names
}

func (s *Scenario) checkWorkload() error {
	d := time.Duration(s.Duration)
	for i := range s.Workload {
		l := &s.Workload[i]
		field := func(name string) string { return key("workload", i, name) }
		if err := s.checkPlace(field("region"), l.Region); err != nil {
			return err
		}
		switch {
		case l.Class != "" && s.classIndex(l.Class) < 0:
			return s.fails(field("class"), "there is no class %q", l.Class)
		case l.From.Of(d) > d:
			return s.fails(field("from"), "%v, is after the end of the run, %v", l.From, s.Duration)
		case l.Until.Of(d) > d:
			return s.fails(field("until"), "%v, is after the end of the run, %v", l.Until, s.Duration)
		case l.Until.Of(d) < l.From.Of(d):
			return s.fails(field("until"), "%v, is before from, %v", l.Until, l.From)
		case l.Limit > s.HopsMax:
			return s.fails(field("limit"), "%d, must be from 0 to hops_max, %d", l.Limit, s.HopsMax)
		case l.PayloadMax < l.PayloadMin:
			return s.fails(field("payload_max"), "%d, must be from payload_min, %d, to %d", l.PayloadMax, l.PayloadMin, wire.DataMax)
		}
	}
	return s.checkPlace("responder_region", s.ResponderRegion)
}

// checkChecks checks the checks, and what is recorded.
func (s *Scenario) checkChecks() error {
	d := time.Duration(s.Duration)
	if s.Checks.Every.Of(d) < time.Millisecond {
		return s.fails("checks.every", "%v, must be at least 1ms", s.Checks.Every)
	}
	for i, at := range s.EdgesAt {
		if at.Of(d) > d {
			return s.fails(fmt.Sprintf("edges_at[%d]", i), "%v, is after the end of the run, %v", at, s.Duration)
		}
	}
	for i := range s.Checks.Goals {
		g := &s.Checks.Goals[i]
		field := func(name string) string { return key("checks.goals", i, name) }
		timed := g.Goal == GoalFormed || g.Goal == GoalComponent || g.Goal == GoalForgotten
		switch {
		case g.After.Of(d) > d:
			return s.fails(field("after"), "%v, is after the end of the run, %v", g.After, s.Duration)
		case timed && g.Within <= 0:
			return s.fails(field("within"), "is missing: how long it may take, such as 20s")
		case timed && g.After.Of(d)+time.Duration(g.Within) > d:
			return s.fails(field("within"), "%v after %v is after the end of the run, %v", g.Within, g.After, s.Duration)
		case !timed && g.Within != 0:
			return s.fails(field("within"), "is for goals that are reached at a time: %s, %s and %s", GoalFormed, GoalComponent, GoalForgotten)
		case g.Goal == GoalCoverage && s.lastRequest(false) < g.After.Of(d):
			return s.fails(field("goal"), "no announces are sent after %v: set messages, or workload", g.After)
		case g.Goal == GoalAnswered && s.lastRequest(true) < g.After.Of(d):
			return s.fails(field("goal"), "no searches are sent after %v: set searches, or workload", g.After)
		case (g.Goal == GoalCoverage || g.Goal == GoalAnswered) && g.Least == 0:
			return s.fails(field("least"), "0%%, must be more: none is enough")
		case g.Goal == GoalTraffic && g.After.Of(d) == d:
			return s.fails(field("after"), "%v, is the end of the run: nothing is sent after it", g.After)
		case g.Least != whole && g.Least != 0 && g.Goal != GoalCoverage && g.Goal != GoalAnswered:
			return s.fails(field("least"), "is for the goals %s and %s", GoalCoverage, GoalAnswered)
		case g.Goal == GoalTraffic && g.Most < 1:
			return s.fails(field("most"), "%d, must be a positive number of bytes per second", g.Most)
		case g.Goal != GoalTraffic && g.Most != 0:
			return s.fails(field("most"), "is for the goal %s", GoalTraffic)
		}
	}
	return nil
}
