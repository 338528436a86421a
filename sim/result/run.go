package result

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
)

// A Run is all that is kept of one simulation.
type Run struct {
	// Manifest and Summary are JSON objects. The report shows the keys "name",
	// "version", "commit", "go", "arch", "seed", "trace_hash", "partial", "rerun",
	// "scenario" and "file", what of the scenario differs from the defaults as YAML, of
	// the manifest, those that are there, and all of the summary. The keys "checks" and "marks" of the summary belong to the two fields below.
	Manifest, Summary json.RawMessage

	Checks   []Check
	Marks    []Mark
	Series   Series
	Nodes    []Node
	Messages []Message
	// Hops counts the first receipts of announces by the links to them, Latency by
	// milliseconds. Bins are in increasing order, and do not overlap; between them
	// nothing was counted.
	Hops, Latency []Bin
	// Edges are the links that were open at the times of their AtS. They are written
	// if there are any. Read leaves them out: see ReadEdges.
	Edges []Edge
}

// Kinds of a [Check].
const (
	KindInvariant = "invariant" // must hold in every run
	KindGoal      = "goal"      // what the scenario was to reach
)

// A Check is something that a run was to fulfil, and whether it did.
type Check struct {
	Name string `json:"name"`
	Kind string `json:"kind"` // KindInvariant or KindGoal
	OK   bool   `json:"ok"`
	// Unchecked is OK as nobody looked; Detail says why.
	Unchecked bool     `json:"unchecked,omitempty"`
	Detail    string   `json:"detail,omitempty"` // what was found
	Node      *uint32  `json:"node,omitempty"`   // at which node
	AtS       *float64 `json:"at_s,omitempty"`   // and when, in virtual seconds
	Rerun     string   `json:"rerun,omitempty"`  // the command that shows it again
}

// A Mark is an event on the time line of a run, such as a fault.
type Mark struct {
	AtS   float64 `json:"at_s"` // virtual seconds
	Label string  `json:"label"`
}

// Kinds of a [Message].
const (
	KindAnnounce = "announce"
	KindSearch   = "search"
)

// A Node is what one node was and did.
type Node struct {
	ID      uint32
	Address string // advertised; empty if it cannot be dialled
	Class   string // names of the scenario
	Region  string
	Reach   string
	Role    string // empty for an honest node, else the name of what the adversary does

	Live         bool    // at the end
	Incarnations uint32  // times it started
	StartedS     float64 // virtual seconds at its last start; NaN if it never did
	UpS          float64 // virtual seconds it was live in all

	// Connections in use at the end, those of them it opened and accepted, and
	// addresses in its book.
	Degree, Outbound, Inbound, Book int32
	// HostileLinks are the links to adversaries, HostileBook the addresses that lead to
	// no honest node.
	HostileLinks, HostileBook int32

	SentMessages, SentBytes uint64
}

// A Message is what became of one announce or search.
type Message struct {
	Index    int32   // in the order of sending
	Kind     string  // KindAnnounce or KindSearch
	SentS    float64 // virtual seconds
	Origin   uint32  // the node that sent it
	Alive    int32   // nodes live at that time
	Reached  int32   // of those, with the origin
	Coverage float64 // Reached / Alive

	// Of the first receipts; NaN if there are none.
	HopsMean     float64
	HopsMax      int32
	LatencyP50Ms float64
	LatencyP90Ms float64
	LatencyP99Ms float64
	LatencyMaxMs float64

	Copies     uint64  // deliveries, duplicates included
	Redundancy float64 // deliveries per first receipt, less one; NaN if there are none
	Replies    int32   // to a search
}

// An Edge is a link between two nodes.
type Edge struct {
	AtS        float64 // virtual seconds at which it was seen
	From, To   uint32  // From opened it: it is outbound there
	Negotiated bool    // by WebRTC
}

// A Bin of a histogram counts values from Low up to, not including, High. If High is
// 0, it is not known, and the Low of the next at most.
type Bin struct {
	Low, High float64
	Count     uint64
}

// A Series is what was measured over time: any number of values at each of
// growing times. NaN stands for a value that there is not.
//
// The report draws "live" and "components" (counts), "largest_component" (a share
// of the live nodes), "bytes_per_node_per_s" and "messages_per_node_per_s", and all
// others small.
type Series struct {
	AtS     []float64 // virtual seconds
	Columns []Column
}

// A Column of a [Series] has as many values as that has times.
type Column struct {
	Name   string // lower-case letters, digits and _, beginning with a letter
	Values []float64
}

// NewSeries returns an empty series with columns of these names.
func NewSeries(names ...string) Series {
	s := Series{Columns: make([]Column, len(names))}
	for i, name := range names {
		s.Columns[i].Name = name
	}
	return s
}

// Add appends a row. It panics if there are not as many values as columns.
func (s *Series) Add(atS float64, values ...float64) {
	if len(values) != len(s.Columns) {
		panic(fmt.Sprintf("result: %d values for %d columns", len(values), len(s.Columns)))
	}
	s.AtS = append(s.AtS, atS)
	for i, v := range values {
		s.Columns[i].Values = append(s.Columns[i].Values, v)
	}
}

// Column returns the values of a column, nil if there is none of that name.
func (s *Series) Column(name string) []float64 {
	for _, c := range s.Columns {
		if c.Name == name {
			return c.Values
		}
	}
	return nil
}

// Limits of what a run may hold.
const (
	columnsMax = 256
	checksMax  = 10_000
	marksMax   = 10_000
	textMax    = 4096 // bytes of a string of a table
)

// columnName is what a column of a series may be called: what needs quotes in no
// query language.
var columnName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

// validate says what is wrong with a run, whether it is to be written or was read.
func (r *Run) validate() error {
	for _, part := range []struct {
		file string
		err  error
	}{
		{manifestName, checkObject(r.Manifest)},
		{summaryName, errors.Join(checkObject(r.Summary), r.checkEvents())},
		{seriesName + parquetSuffix, r.Series.validate()},
		{histogramsName + parquetSuffix, errors.Join(checkBins(r.Hops), checkBins(r.Latency))},
	} {
		if part.err != nil {
			return fmt.Errorf("%s: %w", part.file, part.err)
		}
	}
	return nil
}

// checkEvents says what is wrong with the checks and marks.
func (r *Run) checkEvents() error {
	if len(r.Checks) > checksMax || len(r.Marks) > marksMax {
		return fmt.Errorf("%d checks and %d marks, at most %d and %d are allowed", len(r.Checks), len(r.Marks), checksMax, marksMax)
	}
	for _, c := range r.Checks {
		if c.Kind != KindInvariant && c.Kind != KindGoal {
			return fmt.Errorf("check %q is of kind %q, not %s or %s", c.Name, c.Kind, KindInvariant, KindGoal)
		}
	}
	return nil
}

func (s *Series) validate() error {
	if len(s.Columns) > columnsMax {
		return fmt.Errorf("%d columns, at most %d are allowed", len(s.Columns), columnsMax)
	}
	seen := map[string]bool{timeColumn: true}
	for _, c := range s.Columns {
		switch {
		case !columnName.MatchString(c.Name):
			return fmt.Errorf("column %q: a name is lower-case letters, digits and _, at most 64", c.Name)
		case seen[c.Name]:
			return fmt.Errorf("column %q is there twice", c.Name)
		case len(c.Values) != len(s.AtS):
			return fmt.Errorf("column %q has %d values for %d times", c.Name, len(c.Values), len(s.AtS))
		}
		seen[c.Name] = true
	}
	last := math.Inf(-1)
	for i, at := range s.AtS {
		if !(at >= last) || math.IsInf(at, 0) { // NaN is no time either
			return fmt.Errorf("row %d: time %v after %v", i, at, last)
		}
		last = at
	}
	return nil
}

func checkBins(bins []Bin) error {
	last := math.Inf(-1)
	for i, b := range bins {
		if !(b.Low > last) || math.IsInf(b.Low, 0) {
			return fmt.Errorf("bin %d: from %v after %v", i, b.Low, last)
		}
		if b.High != 0 && (!(b.High > b.Low) || math.IsInf(b.High, 0) || i+1 < len(bins) && b.High > bins[i+1].Low) {
			return fmt.Errorf("bin %d: from %v to %v, not before the next", i, b.Low, b.High)
		}
		last = b.Low
	}
	return nil
}
