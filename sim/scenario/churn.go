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

// How nodes leave and come back.

// A stay is a time in which a node is there, of a trace.
type stay struct{ from, until time.Duration }

// planChurn plans the sessions of the nodes, drawn or of a trace. It looks a second
// ahead at a time, so that few events wait.
func (r *runner) planChurn(arrivals []time.Duration) error {
	s := r.scenario
	d := time.Duration(s.Duration)
	c := &churn{runner: r, next: make([]time.Duration, s.Nodes), here: make([]bool, s.Nodes), until: never}
	for i := range c.next {
		c.next[i] = never
	}
	switch {
	case s.Churn.Trace != "":
		stays, err := s.trace()
		if err != nil {
			return err
		}
		c.stays = stays
		for i, list := range stays {
			if len(list) > 0 {
				r.members[i].traced = true
				c.next[i] = list[0].from
			}
		}
	case s.Churn.Session.set():
		from := s.Churn.From.Of(d)
		if until := s.Churn.Until.Of(d); until < d { // nobody comes back for the end of the run
			c.until = until
		}
		c.session, c.downtime = s.Churn.Session.must(), s.Churn.Downtime.must()
		c.streams = make([]*rand.Rand, s.Nodes)
		for i := s.Bootstraps; i < s.Nodes; i++ {
			if len(s.Classes) > 0 && s.Classes[r.members[i].class].Stays {
				continue
			}
			c.streams[i] = r.sim.NodeRand(sim.NodeID(i), "churn")
			c.here[i] = true
			c.next[i] = max(arrivals[i], from) + lasting(c.session, c.streams[i])
		}
	default:
		return nil
	}
	r.sim.At(0, c.plan)
	return nil
}

// never is later than any time.
const never = time.Duration(1<<63 - 1)

// churn has nodes leave and come back. Nodes that a fault took down come back when that
// says, and their sessions go on from there.
type churn struct {
	*runner
	next  []time.Duration // when each leaves or comes back
	here  []bool
	stays [][]stay // of a trace, those of each node that are not over; nil is drawn

	until             time.Duration // when it ends, if drawn
	session, downtime dist.Distribution
	streams           []*rand.Rand
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
	t := c.next[id]
	switch down := c.members[id].down; {
	case down == never, c.here[id] && t >= c.until:
		c.next[id] = never
	case c.here[id] && t < down && c.stays == nil: // it is away already
		c.next[id] = c.leaves(id, down)
	case c.here[id]:
		c.here[id] = false
		c.leave(id, t, c.scenario.Churn.Leave)
		c.next[id] = c.returns(id, t)
	default:
		c.here[id] = true
		c.back(id, t, c.scenario.Churn.Book)
		c.next[id] = c.leaves(id, max(t, down))
	}
}

// leaves is when a node leaves that comes at a time.
func (c *churn) leaves(id sim.NodeID, t time.Duration) time.Duration {
	if c.stays != nil {
		return c.stays[id][0].until
	}
	return t + lasting(c.session, c.streams[id])
}

// returns is when a node comes back that leaves at a time.
func (c *churn) returns(id sim.NodeID, t time.Duration) time.Duration {
	if c.stays != nil {
		if c.stays[id] = c.stays[id][1:]; len(c.stays[id]) == 0 {
			return never
		}
		return c.stays[id][0].from
	}
	if c.downtime == nil {
		return never
	}
	return min(t+lasting(c.downtime, c.streams[id]), max(c.until, t+1))
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
// is still saying goodbye, when that is over. A node that a fault holds down stays so.
func (r *runner) back(id sim.NodeID, t time.Duration, book string) {
	came := false // touched by who runs the node alone
	for _, at := range []time.Duration{t, t + closing} {
		r.sim.StartAt(id, []time.Duration{at}, func(id sim.NodeID) actors.Actor {
			if came || at < r.members[id].down {
				return nil
			}
			came = true
			return r.grow(id, at, bookStateOf(book))
		})
	}
}

// trace reads the stays of the nodes from the file.
func (s *Scenario) trace() ([][]stay, error) {
	file, err := os.Open(s.Churn.Trace)
	if err != nil {
		return nil, s.fails("churn.trace", "%v", err)
	}
	defer file.Close()
	stays, err := readTrace(file, s.Bootstraps, s.Nodes)
	if err != nil {
		return nil, s.fails("churn.trace", "%s: %v", s.Churn.Trace, err)
	}
	return stays, nil
}

// traceMax bounds the size of a trace file.
const traceMax = 1 << 28

// readTrace reads a churn trace: a CSV file with the columns node, from_s and
// until_s, in any order, one row for each stay. Nodes are numbered as in the
// simulation; the bootstrap nodes, which are the first, have none.
func readTrace(in io.Reader, first, nodes int) ([][]stay, error) {
	limited := &io.LimitedReader{R: in, N: traceMax + 1}
	c := csv.NewReader(bufio.NewReader(limited))
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
	if limited.N <= 0 {
		return nil, fmt.Errorf("it has more than %d bytes", traceMax)
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
