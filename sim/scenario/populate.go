package scenario

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"peernet/actors"
	"peernet/actors/peer"
	"peernet/sim"
	"peernet/sim/dist"
)

// A member is what the runner knows of one node, honest or not.
type member struct {
	started       time.Duration // when the last start was
	disk          *disk         // nil is a book in memory that no crash harms
	starts        uint32        // incarnations begun
	class, region uint8
	reach         sim.Reach
	book          bookState // what the next start finds of the address book
	dead          bool      // it never starts again
	traced        bool      // it is there when a trace says, and not before
}

// bookState is one of BookKept, BookSynced and BookLost.
type bookState uint8

const (
	bookKept bookState = iota
	bookSynced
	bookLost
)

func bookStateOf(word string) bookState {
	return bookState(slices.Index([]string{BookKept, BookSynced, BookLost}, word))
}

// grow makes the root actor of an honest node that starts at a time. Workers call it,
// each for other nodes. Nil is a node that does not start.
func (r *runner) grow(id sim.NodeID, at time.Duration) actors.Actor {
	m := &r.members[id]
	if m.dead {
		return nil
	}
	n := &peer.Node{Config: r.config}
	if m.reach == sim.ReachPublic {
		n.Advertise = []actors.Address{sim.AddressOf(id)}
	}
	if r.scenario.Overlay == OverlayGossip {
		n.Bootstrap = r.bootstrapsOf(id)
	}
	switch last := r.roots[id]; {
	case m.disk != nil:
		n.Book = m.disk.open(m.book)
	case last != nil && m.book != bookLost:
		n.Book = last.Store().Book()
	}
	m.begin(at)
	r.tracker.inUse[id] = 0
	r.roots[id] = n
	return n
}

// begin notes that the node starts.
func (m *member) begin(at time.Duration) {
	m.started = at
	m.starts++
}

// bootstrapsOf draws the bootstrap nodes that a node knows; the bootstrap nodes
// are the first.
func (r *runner) bootstrapsOf(id sim.NodeID) []actors.Address {
	random := r.sim.NodeRand(id, "bootstrap")
	var known []actors.Address
	for _, i := range random.Perm(r.scenario.Bootstraps) {
		if sim.NodeID(i) != id {
			known = append(known, r.bootstraps[i])
		}
		if len(known) == r.scenario.Known {
			break
		}
	}
	return known
}

// plantGossip has the bootstrap nodes start at 0 and the others when they arrive.
func (r *runner) plantGossip() error {
	for i := range r.scenario.Bootstraps {
		r.bootstraps = append(r.bootstraps, sim.AddressOf(sim.NodeID(i)))
	}
	times := r.arrivals()
	r.tracker.allThere = actors.Time(never)
	if r.scenario.undisturbed() {
		r.tracker.allThere = actors.Time(slices.Max(times)) + 1
	}
	r.lastArrival = slices.Max(times)
	r.drawReach()
	if err := r.drawMembers(); err != nil {
		return err
	}
	r.sim.StartAt(0, times, func(id sim.NodeID) actors.Actor {
		if r.members[id].traced {
			return nil
		}
		return r.grow(id, times[id])
	})
	return r.planChurn(times)
}

// arrivals draws when each node comes for the first time.
func (r *runner) arrivals() []time.Duration {
	s := r.scenario
	d := time.Duration(s.Duration)
	span := s.Arrivals.Of(d)
	times := make([]time.Duration, s.Nodes)
	random := r.sim.Rand("arrivals")
	others := s.Nodes - s.Bootstraps
	at := time.Duration(0)
	for i := s.Bootstraps; i < s.Nodes && span > 0; i++ {
		switch s.ArrivalModel {
		case ArriveRamp:
			times[i] = spread(0, span, i-s.Bootstraps, others)
		case ArrivePoisson:
			// Of the rate that brings all of them within the span, on average.
			at += dist.Exponential{Mean: max(span/time.Duration(others), 1)}.Draw(random.Uint64())
			times[i] = at
		default:
			times[i] = time.Duration(random.Int64N(int64(span)))
		}
	}
	if len(s.Crowds) == 0 {
		return times
	}
	order := r.sim.Rand("crowds").Perm(others)
	for i, c := range s.Crowds {
		n := min(c.Share.Of(others), len(order))
		random := r.sim.Rand(fmt.Sprintf("crowd %d", i))
		for _, k := range order[:n] {
			times[s.Bootstraps+k] = c.At.Of(d) + time.Duration(random.Int64N(int64(c.Within)+1))
		}
		order = order[n:]
	}
	return times
}

// draw draws one of so many by their weights.
func draw(random *rand.Rand, n int, weight func(int) int) int {
	sum := 0
	for i := range n {
		sum += weight(i)
	}
	left := random.IntN(sum)
	for i := range n {
		if left -= weight(i); left < 0 {
			return i
		}
	}
	panic("scenario: unreachable")
}

// drawReach draws how each node can be reached. The bootstrap nodes are public.
func (r *runner) drawReach() {
	if r.scenario.Reach.allPublic() {
		return
	}
	weights := r.scenario.Reach.weights()
	random := r.sim.Rand("reach")
	for i := r.scenario.Bootstraps; i < r.scenario.Nodes; i++ {
		r.members[i].reach = sim.Reach(draw(random, len(weights), func(k int) int { return weights[k] }))
	}
}

// drawMembers draws the class and the region of each node, and sets it up.
func (r *runner) drawMembers() error {
	s := r.scenario
	classes, regions, clocks := r.sim.Rand("classes"), r.sim.Rand("regions"), r.sim.Rand("clocks")
	for i := range r.members {
		m, id := &r.members[i], sim.NodeID(i)
		if len(s.Regions) > 0 {
			m.region = uint8(draw(regions, len(s.Regions), func(k int) int { return s.Regions[k].Weight }))
		}
		if len(s.Classes) > 0 {
			m.class = uint8(draw(classes, len(s.Classes), func(k int) int { return s.Classes[k].Weight }))
			c := &s.Classes[m.class]
			if c.Region != "" {
				m.region = uint8(s.regionIndex(c.Region))
			}
			if c.Reach != "" && i >= s.Bootstraps && i < s.Nodes {
				m.reach = sim.Reach(slices.Index(reachNames(), c.Reach))
			}
			if err := r.sim.SetProfile(id, c.profile(clocks)); err != nil {
				return err
			}
		}
		if s.modelled() {
			r.sim.Place(id, int(m.region))
		}
		if m.reach != sim.ReachPublic {
			r.sim.SetReach(id, m.reach)
		}
		if i < s.Nodes && s.disks() {
			m.disk = &disk{}
		}
	}
	return nil
}

// profile draws the machine of a node of the class.
func (c *Class) profile(random *rand.Rand) sim.Profile {
	p := sim.Profile{
		Up: int64(c.Up), Down: int64(c.Down), Queue: time.Duration(c.Queue), Processing: time.Duration(c.Processing),
	}
	if c.ClockSkew > 0 {
		p.ClockOffset = time.Duration(random.Int64N(2*int64(c.ClockSkew) + 1)) // that none begins before 0
	}
	if most := int(c.ClockDrift / Duration(time.Microsecond)); most > 0 {
		p.ClockDrift = random.IntN(2*most+1) - most
	}
	return p
}

func (s *Scenario) classIndex(name string) int {
	return slices.IndexFunc(s.Classes, func(c Class) bool { return c.Name == name })
}

func reachNames() (names []string) {
	for r := sim.ReachPublic; r <= sim.ReachBlocked; r++ {
		names = append(names, r.String())
	}
	return names
}

// negotiates reports whether there may be nodes that cannot be dialled.
func (s *Scenario) negotiates() bool {
	return !s.Reach.allPublic() || slices.ContainsFunc(s.Classes, func(c Class) bool {
		return c.Reach != "" && c.Reach != sim.ReachPublic.String()
	})
}

// A stay is a time in which a node is there, of a trace.
type stay struct{ from, until time.Duration }

// planChurn plans the sessions of the nodes. It looks a second ahead at a time, so
// that few events wait.
func (r *runner) planChurn(arrivals []time.Duration) error {
	s := r.scenario
	if s.Churn.Trace != "" {
		return r.planTrace()
	}
	if !s.Churn.Session.set() {
		return nil
	}
	d := time.Duration(s.Duration)
	c := &churn{
		runner: r, from: s.Churn.From.Of(d), until: s.Churn.Until.Of(d),
		session: s.Churn.Session.must(), downtime: s.Churn.Downtime.must(),
		streams: make([]*rand.Rand, s.Nodes), next: make([]time.Duration, s.Nodes), here: make([]bool, s.Nodes),
	}
	for i := range c.next {
		c.next[i] = never
		if i < s.Bootstraps || len(s.Classes) > 0 && s.Classes[r.members[i].class].Stays {
			continue
		}
		c.streams[i] = r.sim.NodeRand(sim.NodeID(i), "churn")
		c.here[i] = true
		c.next[i] = max(arrivals[i], c.from) + lasting(c.session, c.streams[i])
	}
	r.sim.At(0, c.plan)
	return nil
}

// never is later than any time.
const never = time.Duration(1<<63 - 1)

// churn has nodes leave and come back.
type churn struct {
	*runner
	from, until       time.Duration
	session, downtime dist.Distribution
	streams           []*rand.Rand
	next              []time.Duration // when each leaves or comes back
	here              []bool
}

// lasting draws a length of time, at least an instant: what begins and ends at once
// would have no order.
func lasting(d dist.Distribution, random *rand.Rand) time.Duration {
	return max(d.Draw(random.Uint64()), 1)
}

// churnStep is how far ahead churn is planned.
const churnStep = time.Second

// plan plans what happens within the next step.
func (c *churn) plan() {
	now := c.sim.Now()
	end := now + churnStep
	for i := range c.next {
		for c.next[i] < end {
			c.turn(sim.NodeID(i))
		}
	}
	c.sim.At(end, c.plan)
}

// turn has one node leave or come back.
func (c *churn) turn(id sim.NodeID) {
	t, random := c.next[id], c.streams[id]
	if !c.here[id] {
		c.here[id] = true
		c.next[id] = t + lasting(c.session, random)
		c.back(id, t, c.scenario.Churn.Book)
		return
	}
	if t >= c.until {
		c.next[id] = never
		return
	}
	c.here[id] = false
	c.leave(id, t, c.scenario.Churn.Leave)
	if c.next[id] = never; c.downtime == nil {
		return
	}
	c.next[id] = min(t+lasting(c.downtime, random), max(c.until, t+1))
}

// closing is more than a node takes at most to say goodbye; mostly it takes no time.
const closing = 6 * time.Second

// leave has a node leave at a time.
func (r *runner) leave(id sim.NodeID, t time.Duration, how string) {
	if how == LeaveGoodbye {
		r.sim.SendAt(id, t, &peer.Close{})
		return
	}
	r.sim.CrashAt(id, t, how == LeaveReset)
}

// back has a node come back at a time, with what is left of its address book; if it
// is still saying goodbye, when that is over.
func (r *runner) back(id sim.NodeID, t time.Duration, book string) {
	r.members[id].book = bookStateOf(book)
	came := false // touched by who runs the node alone
	for _, at := range []time.Duration{t, t + closing} {
		r.sim.StartAt(id, []time.Duration{at}, func(id sim.NodeID) actors.Actor {
			if came {
				return nil
			}
			came = true
			return r.grow(id, at)
		})
	}
}

// planTrace has nodes come and go as a file says.
func (r *runner) planTrace() error {
	s := r.scenario
	file, err := os.Open(s.Churn.Trace)
	if err != nil {
		return s.fails("churn.trace", "%v", err)
	}
	defer file.Close()
	stays, err := readTrace(file, s.Bootstraps, s.Nodes)
	if err != nil {
		return s.fails("churn.trace", "%s: %v", s.Churn.Trace, err)
	}
	for id, list := range stays {
		if len(list) == 0 {
			continue
		}
		r.members[id].traced = true
		r.planStays(sim.NodeID(id), list)
	}
	return nil
}

// planStays plans the stays of a node, one after the other.
func (r *runner) planStays(id sim.NodeID, list []stay) {
	next := list[0]
	r.sim.At(next.from, func() {
		if !r.sim.IsLive(id) {
			r.back(id, next.from, r.scenario.Churn.Book)
		}
	})
	r.sim.At(next.until, func() {
		r.leave(id, next.until, r.scenario.Churn.Leave)
	})
	if len(list) > 1 {
		r.sim.At(next.until, func() { r.planStays(id, list[1:]) })
	}
}

// traceMax bounds the size of a trace file.
const traceMax = 1 << 28

// readTrace reads a churn trace: a CSV file with the columns node, from_s and
// until_s, in any order, one row for each stay. Nodes are numbered as in the
// simulation; the bootstrap nodes, which are the first, have none.
func readTrace(in io.Reader, first, nodes int) ([][]stay, error) {
	c := csv.NewReader(bufio.NewReader(io.LimitReader(in, traceMax)))
	c.TrimLeadingSpace, c.Comment = true, '#'
	header, err := c.Read()
	if err != nil {
		return nil, fmt.Errorf("want a first line node,from_s,until_s: %w", err)
	}
	columns := [3]int{}
	for i, name := range []string{"node", "from_s", "until_s"} {
		if columns[i] = slices.Index(header, name); columns[i] < 0 {
			return nil, fmt.Errorf("the first line is %q, want node,from_s,until_s", strings.Join(header, ","))
		}
	}
	stays := make([][]stay, nodes)
	for {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		line, _ := c.FieldPos(0)
		id, err := strconv.Atoi(row[columns[0]])
		if err != nil || id < first || id >= nodes {
			return nil, fmt.Errorf("line %d: node %q, want one from %d, after the bootstrap nodes, to %d", line, row[columns[0]], first, nodes-1)
		}
		from, errFrom := seconds(row[columns[1]])
		until, errUntil := seconds(row[columns[2]])
		if err := cmp.Or(errFrom, errUntil); err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		if until <= from {
			return nil, fmt.Errorf("line %d: until_s %s is not after from_s %s", line, row[columns[2]], row[columns[1]])
		}
		stays[id] = append(stays[id], stay{from, until})
	}
	for id, list := range stays {
		slices.SortFunc(list, func(a, b stay) int { return cmp.Compare(a.from, b.from) })
		for i := 1; i < len(list); i++ {
			if list[i].from <= list[i-1].until {
				return nil, fmt.Errorf("two stays of node %d overlap, at %v", id, list[i].from)
			}
		}
	}
	return stays, nil
}

// seconds reads a number of seconds with up to nine decimals, without floating point.
func seconds(text string) (time.Duration, error) {
	whole, fraction, _ := strings.Cut(text, ".")
	if whole == "" || len(fraction) > 9 || strings.ContainsAny(text, "+-eE_") {
		return 0, fmt.Errorf("want seconds such as 12.5, not %q", text)
	}
	n, err := strconv.ParseUint((whole + fraction + "000000000")[:len(whole)+9], 10, 62)
	if err != nil || time.Duration(n) > time.Duration(durationMax) {
		return 0, fmt.Errorf("want seconds such as 12.5, not %q", text)
	}
	return time.Duration(n), nil
}
