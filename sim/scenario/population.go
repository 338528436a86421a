package scenario

import (
	"peernet/sim"
)

// A Class is a kind of nodes, with their machine and their access to the network; see
// [sim.Profile].
type Class struct {
	Name       string    `yaml:"name" json:"name"`
	Weight     int       `yaml:"weight" json:"weight"`
	Up         Bandwidth `yaml:"up" json:"up"`
	Down       Bandwidth `yaml:"down" json:"down"`
	Queue      Duration  `yaml:"queue" json:"queue"`
	Processing Duration  `yaml:"processing" json:"processing"`
	// ClockSkew and ClockDrift are the most that a clock is off, and that it gains or
	// loses in a second: each node's are uniform up to that.
	ClockSkew  Duration `yaml:"clock_skew" json:"clock_skew"`
	ClockDrift Duration `yaml:"clock_drift" json:"clock_drift"`
	Reach      string   `yaml:"reach" json:"reach"`   // "" is by the weights of Scenario.Reach
	Region     string   `yaml:"region" json:"region"` // "" is by the weights of the regions
	Stays      bool     `yaml:"stays" json:"stays"`   // no churn
}

// Churn is how nodes come and go, once they have arrived. The bootstrap nodes stay.
type Churn struct {
	Session  Draw   `yaml:"session" json:"session"`   // how long a node stays; none is for ever
	Downtime Draw   `yaml:"downtime" json:"downtime"` // until it is back; none is never
	From     Span   `yaml:"from" json:"from"`         // sessions begin then at the earliest
	Until    Span   `yaml:"until" json:"until"`       // nobody leaves later; who is away comes back
	Leave    string `yaml:"leave" json:"leave"`
	Book     string `yaml:"book" json:"book"`
	Trace    string `yaml:"trace" json:"trace"` // a CSV file in place of session and downtime
}

// What the words of churn and faults are.
const (
	LeaveGoodbye = "goodbye"
	LeaveReset   = "reset"
	LeaveSilence = "silence"

	BookKept   = "kept"   // as it was
	BookSynced = "synced" // as of the last sync
	BookLost   = "lost"

	ArriveUniform = "uniform"
	ArriveRamp    = "ramp"
	ArrivePoisson = "poisson"
)

// A Crowd is nodes that do not arrive with the others but together, at a time.
type Crowd struct {
	At     Span     `yaml:"at" json:"at"`
	Within Duration `yaml:"within" json:"within"`
	Share  Share    `yaml:"share" json:"share"`
}

// A Fault is something that happens to some of the nodes. Which, is drawn at random
// from those of the region, or all: a share of them.
type Fault struct {
	Kind    string   `yaml:"kind" json:"kind"`
	At      Span     `yaml:"at" json:"at"`
	Until   Span     `yaml:"until" json:"until"`
	Share   Share    `yaml:"share" json:"share"`
	Region  string   `yaml:"region" json:"region"`
	Spare   bool     `yaml:"spare_bootstraps" json:"spare_bootstraps"` // the bootstrap nodes are never among them
	Restart Duration `yaml:"restart" json:"restart"`                   // crash: after so long; 0 is never
	Leave   string   `yaml:"leave" json:"leave"`                       // crash: reset or silence
	Book    string   `yaml:"book" json:"book"`                         // crash
	Slow    Duration `yaml:"slow" json:"slow"`                         // slow: for each message
}

// The kinds of a [Fault].
const (
	FaultCrash     = "crash"
	FaultPartition = "partition"
	FaultStall     = "stall"
	FaultReset     = "reset"
	FaultSlow      = "slow"
	FaultDiskError = "disk_error"
	FaultDiskFull  = "disk_full"
	FaultRemove    = "remove"
)

var faultKinds = []string{FaultCrash, FaultPartition, FaultStall, FaultReset, FaultSlow, FaultDiskError, FaultDiskFull, FaultRemove}

// lasting reports whether a fault lasts until a time.
func (f *Fault) lasting() bool {
	switch f.Kind {
	case FaultPartition, FaultStall, FaultSlow, FaultDiskError, FaultDiskFull:
		return true
	}
	return false
}

// An Adversary is a number of nodes that play a role; see package adversary. They
// come besides Scenario.Nodes.
type Adversary struct {
	Role   string   `yaml:"role" json:"role"`
	Count  int      `yaml:"count" json:"count"`
	At     Span     `yaml:"at" json:"at"`
	Until  Span     `yaml:"until" json:"until"` // they crash then
	Rate   int      `yaml:"rate" json:"rate"`   // actions per second; 0 is the role's default
	Delay  Duration `yaml:"delay" json:"delay"`
	Victim int      `yaml:"victim" json:"victim"` // a node
}

// A Workload is a series of requests, besides those of the keys messages and searches.
type Workload struct {
	Kind       string `yaml:"kind" json:"kind"` // announce or search
	Count      int    `yaml:"count" json:"count"`
	From       Span   `yaml:"from" json:"from"`
	Until      Span   `yaml:"until" json:"until"`
	Pace       string `yaml:"pace" json:"pace"`
	Region     string `yaml:"region" json:"region"` // of the origins; "" is all
	Class      string `yaml:"class" json:"class"`   // likewise
	PayloadMin int    `yaml:"payload_min" json:"payload_min"`
	PayloadMax int    `yaml:"payload_max" json:"payload_max"`
	Limit      int    `yaml:"limit" json:"limit"` // of forwardings; 0 is hops_max
}

// The kinds and paces of a [Workload].
const (
	SendAnnounce = "announce"
	SendSearch   = "search"

	PaceEven    = "even"
	PacePoisson = "poisson"
	PaceBurst   = "burst"
)

// Checks are what a run is held to.
type Checks struct {
	Invariants bool   `yaml:"invariants" json:"invariants"`
	Every      Span   `yaml:"every" json:"every"`   // between two looks at all nodes
	Memory     int    `yaml:"memory" json:"memory"` // bytes of heap per node; 0 is without limit
	Goals      []Goal `yaml:"goals" json:"goals"`
}

// A Goal is what the network must reach.
type Goal struct {
	Goal   string   `yaml:"goal" json:"goal"`
	After  Span     `yaml:"after" json:"after"`   // nothing before counts
	Within Duration `yaml:"within" json:"within"` // of After
	Least  Share    `yaml:"least" json:"least"`
	Most   int      `yaml:"most" json:"most"`
}

// The kinds of a [Goal].
const (
	GoalFormed    = "formed"
	GoalComponent = "one_component"
	GoalCoverage  = "coverage"
	GoalAnswered  = "answered"
	GoalTraffic   = "bytes_per_node_per_s"
	GoalForgotten = "dead_forgotten"
)

var goalKinds = []string{GoalFormed, GoalComponent, GoalCoverage, GoalAnswered, GoalTraffic, GoalForgotten}

// defaults of the items of lists, before their keys are read.
func (r *Region) setDefaults() { r.Weight, r.Jitter.Model = 1, None }
func (c *Class) setDefaults() {
	c.Weight, c.Queue = 1, Duration(sim.QueueDefault)
}
func (f *Fault) setDefaults() {
	f.At, f.Share, f.Leave, f.Book = Span{Percent: 50}, whole, LeaveSilence, BookKept
}
func (a *Adversary) setDefaults() { a.Count = 1 }
func (l *Workload) setDefaults() {
	l.Kind, l.From, l.Until, l.Pace = SendAnnounce, Span{Percent: 50}, Span{Percent: 90}, PaceEven
	l.PayloadMin, l.PayloadMax = 64, 64
}
func (g *Goal) setDefaults()      { g.Least = whole }
func (c *Crowd) setDefaults()     {}
func (c *Condition) setDefaults() {}
func (w *Way) setDefaults()       {}
