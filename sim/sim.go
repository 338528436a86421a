package sim

import (
	"container/heap"
	"context"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"peernet/actors"
)

// A Config describes a simulation. The zero value lacks only a Latency.
type Config struct {
	// Seed feeds all random streams.
	Seed uint64
	// Latency is how long messages take.
	Latency Latency
	// Network is what else may happen to them; nil is nothing.
	Network *Network
	// Workers is how many goroutines run nodes. It has no influence on the
	// result. Default 1.
	Workers int
	// Encoded sends the bytes of messages instead of the messages.
	Encoded bool
	// NewDecoder returns the stream decoder of the protocol, for encoded
	// links. Nil decodes each message by its registered kind.
	NewDecoder func() actors.Decoder
	// DialTimeout is when a dial that nobody can answer fails. Default 5 s.
	DialTimeout time.Duration
	// Negotiation lets nodes negotiate links; see Reach.
	Negotiation bool
	// Round is the period of lock-step rounds: every live root gets an
	// *actors.Round at 0, Round, 2·Round and so on. 0 is no rounds.
	Round time.Duration
	// Window is the length of a window, at most the lookahead, which is the
	// default. It has no influence on the result.
	Window time.Duration
	// Reference runs the slow reference executor. It has no influence on the
	// result.
	Reference bool
	// Count counts events by kind; see Simulation.EventCount.
	Count bool
	// PerNode counts what each node sends; see Simulation.Traffic.
	PerNode bool
	// Observer is told of every event that an actor emits; nil is nobody.
	Observer Observer
	// Tracer is told of every message that an actor receives; nil is nobody.
	Tracer Tracer
}

// A Tracer is told what actors receive.
type Tracer interface {
	// Trace is called before Receive. What Observer.Observe says of shards is
	// true of it too.
	Trace(shard int, t Trace)
}

// A Trace is the receipt of one message.
type Trace struct {
	Node     NodeID
	At       actors.Time
	To, From actors.Ref // From is zero for what the host sends
	Peer     NodeID     // if Link is set, the node that it came from
	Link     bool       // over a link
	Message  actors.Message
}

// An Observer is told what actors emit.
type Observer interface {
	// Observe is called in Receive of an actor of node. Calls with different
	// shards, from 0 to Config.Workers−1, may be at the same time; which node
	// is in which shard changes. So results that must not depend on the
	// workers are sums over shards.
	Observe(shard int, node NodeID, at actors.Time, e actors.Event)
}

// A Simulation is a network of nodes in virtual time. Its methods are to be
// called from one goroutine, between calls of Run or from inside the functions
// given to At.
type Simulation struct {
	config     Config
	nodes      []*node
	addresses  []actors.Address // of the nodes
	slab       []node
	execs      []*exec
	ref        *reference
	fast       *fast
	world      worldQueue
	worldSeq   uint64
	now        actors.Time
	round      uint64
	lookahead  actors.Time
	alive      atomic.Int64
	groups     []uint8   // of a partition, by node; nil is none
	traffic    []Traffic // by node; nil is not counted
	network    *Network
	clocks     bool           // some node's clock is not that of the simulation
	profiled   bool           // some node has a profile
	conditions [][]Conditions // from region to region; nil is none
	cancel     atomic.Bool
	failed     *Panic
}

type worldEvent struct {
	at  actors.Time
	seq uint64
	do  func()
}

// A worldQueue holds what the world will do, by time, then as it was planned.
type worldQueue []worldEvent

// Len implements [heap.Interface].
func (q worldQueue) Len() int { return len(q) }

// Less implements [heap.Interface].
func (q worldQueue) Less(i, k int) bool {
	return q[i].at < q[k].at || q[i].at == q[k].at && q[i].seq < q[k].seq
}

// Swap implements [heap.Interface].
func (q worldQueue) Swap(i, k int) { q[i], q[k] = q[k], q[i] }

// Push implements [heap.Interface].
func (q *worldQueue) Push(e any) { *q = append(*q, e.(worldEvent)) }

// Pop implements [heap.Interface].
func (q *worldQueue) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	(*q)[last] = worldEvent{} // for the garbage collector
	*q = (*q)[:last]
	return e
}

// New returns an empty simulation at time 0.
func New(c Config) (*Simulation, error) {
	if err := c.Latency.valid(); err != nil {
		return nil, err
	}
	lookahead := c.Latency.lookahead() + c.Network.lookahead()
	switch {
	case lookahead <= 0:
		return nil, fmt.Errorf("sim: the smallest latency is %v, must be positive", lookahead)
	case c.Window < 0 || c.Window > lookahead:
		return nil, fmt.Errorf("sim: Window is %v, must be at most the smallest latency, %v", c.Window, lookahead)
	case c.Workers < 0 || c.Workers > 1024:
		return nil, fmt.Errorf("sim: Workers is %d, must be from 1 to 1024", c.Workers)
	case c.Round < 0 || c.DialTimeout < 0:
		return nil, fmt.Errorf("sim: Round and DialTimeout must not be negative")
	}
	if c.Window == 0 {
		c.Window = lookahead
	}
	if c.Workers == 0 || c.Reference {
		c.Workers = 1
	}
	if c.DialTimeout == 0 {
		c.DialTimeout = 5 * time.Second
	}
	s := &Simulation{config: c, lookahead: actors.Time(lookahead)}
	if c.Network != nil {
		if err := c.Network.validate(); err != nil {
			return nil, err
		}
		w := c.Network.withDefaults()
		s.network = &w
	}
	for w := range c.Workers {
		x := newExec(s, w)
		x.cal.width = actors.Time(c.Window)
		s.execs = append(s.execs, x)
	}
	s.fast = &fast{sim: s}
	if c.Reference {
		s.ref = &reference{sim: s, timers: map[NodeID][]*planned{}}
	}
	return s, nil
}

// Now returns the virtual time.
func (s *Simulation) Now() time.Duration { return time.Duration(s.now) }

// Nodes returns how many nodes were ever added.
func (s *Simulation) Nodes() int { return len(s.nodes) }

// Live returns how many nodes are running.
func (s *Simulation) Live() int { return int(s.alive.Load()) }

// IsLive reports whether a node is running.
func (s *Simulation) IsLive(id NodeID) bool { return int(id) < len(s.nodes) && s.nodes[id].live }

// Rand returns a random stream of the world, derived from the seed and a name.
func (s *Simulation) Rand(name string) *rand.Rand {
	pcg := stream(s.config.Seed, 0, 0, actors.Sum([]byte(name)), 0)
	return rand.New(&pcg)
}

// NodeRand returns a random stream of the world about one node.
func (s *Simulation) NodeRand(id NodeID, name string) *rand.Rand {
	pcg := stream(s.config.Seed, id, 0, actors.Sum([]byte(name)), 1)
	return rand.New(&pcg)
}

// Addresses returns the addresses of all nodes, by id. They are not to be changed.
func (s *Simulation) Addresses() []actors.Address { return slices.Clip(s.addresses) }

// Add adds nodes that are not running yet, and returns the first. Their
// addresses are [AddressOf] their ids.
func (s *Simulation) Add(count int) NodeID {
	first := NodeID(len(s.nodes))
	if len(s.nodes)+count > NodesMax {
		panic("sim: too many nodes")
	}
	s.nodes, s.addresses = slices.Grow(s.nodes, count), slices.Grow(s.addresses, count)
	if s.config.PerNode {
		s.traffic = append(s.traffic, make([]Traffic, count)...)
	}
	for range count {
		if len(s.slab) == 0 {
			s.slab = make([]node, min(max(count, 16), 1024))
		}
		n := &s.slab[0]
		s.slab = s.slab[1:]
		n.id = NodeID(len(s.nodes))
		s.addresses = append(s.addresses, AddressOf(n.id))
		n.wake, n.due = never, never
		s.nodes = append(s.nodes, n)
	}
	return first
}

// Start starts a node with its root actor. A node that ran before starts a new
// incarnation; what was in flight to the old one is lost.
func (s *Simulation) Start(id NodeID, root actors.Actor) {
	n := s.nodes[id]
	if n.live {
		panic(fmt.Sprintf("sim: node %d is running already", id))
	}
	s.outside(n, func(x *exec) { x.start(root) })
}

// StartAt starts nodes from first on, each at its own time, before anything else
// that happens there at that time. grow makes the root actor; it is called by the
// workers, at the same time for different nodes. Unlike a Start in At, it costs no
// barrier. A node that runs already is left alone, and so is one for which grow
// returns nil.
func (s *Simulation) StartAt(first NodeID, times []time.Duration, grow func(NodeID) actors.Actor) {
	p := &planting{grow}
	for i, t := range times {
		s.plan(t, first+NodeID(i), opStart, p)
	}
}

// CrashAt crashes a node at a time, before anything else that happens there at that
// time, and without a barrier; see Crash. A node that does not run is left alone.
func (s *Simulation) CrashAt(id NodeID, t time.Duration, reset bool) {
	o := opCrash
	if reset {
		o = opCrashReset
	}
	s.plan(t, id, o, nil)
}

// SendAt delivers a message to the root of a node at a time, before what others send,
// and without a barrier. If the node does not run then, it is lost.
func (s *Simulation) SendAt(id NodeID, t time.Duration, m actors.Message) { s.plan(t, id, opWorld, m) }

// plan enters an event of the world at a node. Node 0's sequence number 0 sorts
// before all others; of several at a time, the op decides, then the order of the calls.
func (s *Simulation) plan(t time.Duration, id NodeID, o op, m actors.Message) {
	n := s.nodes[id]
	n.planned++
	ev := event{at: max(actors.Time(t), s.now), m: m, dst: id, op: o, planned: n.planned}
	if s.ref != nil {
		s.ref.push(ev)
	} else {
		s.execs[0].cal.push(ev)
	}
}

// Crash ends a node without a word. With reset its peers notice, after the
// latency; otherwise its links fall silent.
func (s *Simulation) Crash(id NodeID, reset bool) {
	n := s.nodes[id]
	if !n.live {
		return
	}
	s.outside(n, func(x *exec) { x.crash(reset) })
}

// Send delivers a message to the root of a running node, now.
func (s *Simulation) Send(id NodeID, m actors.Message) {
	n := s.nodes[id]
	if !n.live {
		return
	}
	s.outside(n, func(x *exec) { x.deliver(local{to: rootRef(n), m: m}) })
}

// Spawn starts an actor on a running node, now.
func (s *Simulation) Spawn(id NodeID, name string, a actors.Actor) {
	n := s.nodes[id]
	s.outside(n, func(x *exec) {
		x.self = rootRef(n)
		x.Spawn(name, a)
		x.drain()
	})
}

// Partition cuts the network: nodes of different groups cannot reach each
// other. groups has a group for every node; nodes added later are in group 0.
// Nil heals.
func (s *Simulation) Partition(groups []uint8) { s.groups = slices.Clone(groups) }

func (s *Simulation) cut(a, b NodeID) bool {
	return s.groups != nil && s.group(a) != s.group(b)
}

func (s *Simulation) group(id NodeID) uint8 {
	if int(id) < len(s.groups) {
		return s.groups[id]
	}
	return 0
}

// outside runs f as a node, at the present, from the world.
func (s *Simulation) outside(n *node, f func(*exec)) {
	x := s.execs[0]
	x.enter(n)
	x.now = s.now
	x.self, x.sender = actors.Ref{}, actors.Ref{}
	f(x)
	x.settle(n)
}

// At calls do at a time, before what nodes do at that time. A time in the past
// is now. do may call any method but Run.
func (s *Simulation) At(t time.Duration, do func()) {
	s.worldSeq++
	e := worldEvent{at: max(actors.Time(t), s.now), seq: s.worldSeq, do: do}
	heap.Push(&s.world, e)
}

// Run runs the simulation until a time: what nodes do before it, and what the
// world does up to and including it. It returns ctx's error if ctx ends first,
// and *Panic if an actor panicked; after either the simulation can still be
// looked at. A cancelled Run may be continued by another.
func (s *Simulation) Run(ctx context.Context, until time.Duration) (err error) {
	if s.failed != nil {
		return s.failed
	}
	defer func() {
		if r := recover(); r != nil {
			s.failed = s.execs[0].newPanic(r)
			err = s.failed
		}
	}()
	s.cancel.Store(false)
	stop := context.AfterFunc(ctx, func() { s.cancel.Store(true) })
	defer stop()
	end := actors.Time(until)
	for {
		boundary := end
		if len(s.world) > 0 {
			boundary = min(boundary, s.world[0].at)
		}
		if s.config.Round > 0 {
			boundary = min(boundary, s.nextRound())
		}
		s.runNodes(boundary)
		if p := s.fast.panicked.Load(); p != nil {
			s.failed = p
			return p
		}
		if s.stopped() {
			return ctx.Err()
		}
		for len(s.world) > 0 && s.world[0].at <= s.now {
			heap.Pop(&s.world).(worldEvent).do()
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if s.now >= end {
			return nil
		}
		if s.config.Round > 0 && s.now == s.nextRound() {
			s.runRound()
		}
	}
}

func (s *Simulation) nextRound() actors.Time {
	return actors.Time(s.round) * actors.Time(s.config.Round)
}

func (s *Simulation) runNodes(end actors.Time) {
	if s.ref != nil {
		s.ref.runUntil(end)
		return
	}
	s.fast.runUntil(end)
}

func (s *Simulation) runRound() {
	m := &actors.Round{N: s.round}
	s.round++
	if s.ref == nil {
		s.fast.runRound(m)
		return
	}
	for _, n := range s.nodes {
		if n.live {
			s.outside(n, func(x *exec) { x.deliver(local{to: rootRef(n), m: m}) })
		}
	}
}

func (s *Simulation) stopped() bool { return s.cancel.Load() }

// TraceHash is the identity of the run so far: a hash over all that every
// actor received, in order, with the time.
func (s *Simulation) TraceHash() uint64 {
	h := uint64(len(s.nodes))
	for _, n := range s.nodes {
		h = actors.Mix(h, n.hash)
	}
	return h
}

// A Panic is the error of a run in which an actor panicked.
type Panic struct {
	Value any
	Seed  uint64
	Node  NodeID
	At    actors.Time
	Stack []byte
}

func (x *exec) newPanic(value any) *Panic {
	p := &Panic{Value: value, Seed: x.sim.config.Seed, At: x.now, Stack: debug.Stack()}
	if x.node != nil {
		p.Node = x.node.id
	}
	return p
}

// Error implements error.
func (p *Panic) Error() string {
	return fmt.Sprintf("sim: panic at node %d, time %v, seed %d: %v\n%s", p.Node, p.At, p.Seed, p.Value, p.Stack)
}
