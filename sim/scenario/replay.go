package scenario

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"peernet/actors"
	"peernet/actors/book"
	"peernet/actors/peer"
	"peernet/actors/wire"
	"peernet/sim"
)

// A Line is one line of a trace: what an actor received, or an event that it emitted.
// It is written as JSON, with times in virtual seconds.
type Line struct {
	AtS     float64 `json:"at_s"`
	Node    uint32  `json:"node"`
	Kind    string  `json:"kind"`              // of the event, such as gossip.request, or of the message received
	Event   bool    `json:"event"`             // an event, not a receipt
	Actor   string  `json:"actor,omitempty"`   // who received it, slot and generation
	From    *uint32 `json:"from,omitempty"`    // the node that it came from, if over a link
	Peer    string  `json:"peer,omitempty"`    // the connection that an event is about
	Address string  `json:"address,omitempty"` // likewise the address
	N       int64   `json:"n,omitempty"`
	Text    string  `json:"text,omitempty"` // what the message says, or the event

	at actors.Time
}

// A Filter says which lines of a trace are wanted. The zero Filter wants all.
type Filter struct {
	Nodes       []sim.NodeID  // nil is all
	Kinds       []string      // as in Line.Kind; one that ends with * stands for all that begin so; nil is all
	From, Until time.Duration // 0 for Until is without end
	Links       bool          // of the receipts, only those over links
}

func (f *Filter) wants(node sim.NodeID, at actors.Time, kind string) bool {
	t := time.Duration(at)
	return t >= f.From && (f.Until == 0 || t <= f.Until) && (f.Nodes == nil || slices.Contains(f.Nodes, node)) && f.wantsKind(kind)
}

func (f *Filter) wantsKind(kind string) bool {
	for _, k := range f.Kinds {
		if prefix, ok := strings.CutSuffix(k, "*"); ok && strings.HasPrefix(kind, prefix) || k == kind {
			return true
		}
	}
	return f.Kinds == nil
}

// A collector collects the lines of a trace.
type collector struct {
	filter Filter
	shards [][]Line
}

// Observe implements [sim.Observer].
func (c *collector) Observe(shard int, node sim.NodeID, at actors.Time, e actors.Event) {
	kind := e.Kind.String()
	if !c.filter.wants(node, at, kind) {
		return
	}
	l := Line{AtS: time.Duration(at).Seconds(), Node: uint32(node), Kind: kind, Event: true, Address: e.Address.String(), N: e.N, Text: e.Text, at: at}
	if !e.Peer.IsZero() {
		l.Peer = e.Peer.String()
	}
	if e.Message != nil {
		l.Text = strings.TrimSpace(l.Text + " " + messageText(e.Message))
	}
	c.shards[shard] = append(c.shards[shard], l)
}

// Trace implements [sim.Tracer].
func (c *collector) Trace(shard int, t sim.Trace) {
	kind := t.Message.Kind().String()
	if c.filter.Links && !t.Link || !c.filter.wants(t.Node, t.At, kind) {
		return
	}
	l := Line{AtS: time.Duration(t.At).Seconds(), Node: uint32(t.Node), Kind: kind, Actor: t.To.String(), Text: messageText(t.Message), at: t.At}
	if t.Link {
		from := uint32(t.Peer)
		l.From = &from
	}
	c.shards[shard] = append(c.shards[shard], l)
}

// take returns the lines collected so far, by time, then node; those of one node at
// one time as they happened.
func (c *collector) take() (all []Line) {
	for i := range c.shards {
		all = append(all, c.shards[i]...)
		c.shards[i] = c.shards[i][:0]
	}
	slices.SortStableFunc(all, func(a, b Line) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.Node, b.Node))
	})
	return all
}

// textMax bounds what is shown of a message.
const textMax = 200

// messageText is what a message says, for people.
func messageText(m actors.Message) string {
	text := ""
	switch m := m.(type) {
	case *wire.Frame:
		text = frameText(m)
	case *wire.Addresses:
		text = fmt.Sprint(m.List)
	case *wire.Goodbye:
		text = m.Reason.String()
	case *actors.LinkDown:
		text = m.Reason.String()
	case *actors.LinkMalformed:
		text = m.Reason
	case *peer.Received:
		text = frameText(m.Frame)
	}
	if len(text) > textMax {
		text = text[:textMax] + "…"
	}
	return text
}

func frameText(f *wire.Frame) string {
	what := "request"
	if f.Response {
		what = fmt.Sprintf("response to %x", f.Body.Reply)
	}
	return fmt.Sprintf("%s %x, type %s, hops %d, %d bytes", what, f.Body.ID, f.Body.Type, f.Hops, len(f.Body.Data))
}

// flushEvery is how often a trace is written, in virtual time.
const flushEvery = 100 * time.Millisecond

// Trace runs a scenario up to a time, and writes what the filter wants as lines of
// JSON, in order. The order does not depend on the workers.
func Trace(ctx context.Context, s *Scenario, o Options, until time.Duration, f Filter, out io.Writer) (lines int, err error) {
	r, c, err := traced(s, o, f)
	if err != nil {
		return 0, err
	}
	encoder := json.NewEncoder(out)
	var failed error
	write := func() {
		for _, l := range c.take() {
			if failed == nil {
				failed = encoder.Encode(l)
				lines++
			}
		}
	}
	var flush func()
	flush = func() {
		write()
		r.sim.At(r.sim.Now()+flushEvery, flush)
	}
	r.sim.At(0, flush)
	err = r.sim.Run(ctx, until)
	write()
	return lines, cmp.Or(err, failed)
}

// traced prepares a run of which a trace is kept.
func traced(s *Scenario, o Options, f Filter) (*runner, *collector, error) {
	c := &collector{filter: f}
	o.Observer, o.Tracer = c, c
	o = o.withDefaults()
	c.shards = make([][]Line, o.Workers)
	r, err := newRunner(s, o)
	return r, c, err
}

// A State is what one node is like at a time.
type State struct {
	AtS      float64 `json:"at_s"`
	Node     uint32  `json:"node"`
	Live     bool    `json:"live"`
	Role     string  `json:"role,omitempty"` // of an adversary
	ID       string  `json:"id,omitempty"`   // node id, in hex
	Address  string  `json:"address"`
	Class    string  `json:"class,omitempty"`
	Region   string  `json:"region,omitempty"`
	Reach    string  `json:"reach"`
	Starts   uint32  `json:"starts"`
	StartedS float64 `json:"started_s"`
	ClockS   float64 `json:"clock_s"`

	Connections []StateConnection `json:"connections"`
	Book        []StateEntry      `json:"book"`
	// Broken is what peer.Node.Check says.
	Broken string `json:"broken,omitempty"`

	// Lines are the messages and events at the node around that time.
	Lines []Line `json:"lines"`
}

// A StateConnection is a connection in use.
type StateConnection struct {
	Conn     string `json:"conn"`
	Peer     uint32 `json:"peer"` // the node at the other end
	Outbound bool   `json:"outbound"`
	WebRTC   bool   `json:"webrtc"`
	Both     bool   `json:"both"`           // the other end has it in use too
	Role     string `json:"role,omitempty"` // of an adversary at the other end
}

// A StateEntry is an address in the book.
type StateEntry struct {
	Address string `json:"address"`
	Saved   bool   `json:"saved"`
	OK      uint32 `json:"ok"`
	Fail    uint32 `json:"fail"`
	RetryS  uint32 `json:"retry_s"` // of the node's clock: not dialled before
}

// Replay runs a scenario to a time and returns what a node is like then, with the
// messages that it got over links, and its events, from around before to around after.
func Replay(ctx context.Context, s *Scenario, o Options, node sim.NodeID, at, around time.Duration) (*State, error) {
	if int(node) >= s.Population() {
		return nil, fmt.Errorf("there is no node %d: they are numbered from 0 to %d", node, s.Population()-1)
	}
	if at < 0 || at > time.Duration(s.Duration) {
		return nil, fmt.Errorf("%v is not within the run, of %v", at, s.Duration)
	}
	r, c, err := traced(s, o, Filter{Nodes: []sim.NodeID{node}, From: max(at-around, 0), Until: at + around, Links: true})
	if err != nil {
		return nil, err
	}
	if err := r.sim.Run(ctx, at); err != nil {
		return nil, err
	}
	state := r.state(node)
	if err := r.sim.Run(ctx, min(at+around, time.Duration(s.Duration))); err != nil {
		return nil, err
	}
	state.Lines = c.take()
	return state, nil
}

// state is what a node is like now.
func (r *runner) state(id sim.NodeID) *State {
	s, m := r.scenario, &r.members[id]
	roles := s.roles()
	out := &State{
		AtS: r.sim.Now().Seconds(), Node: uint32(id), Live: r.sim.IsLive(id), Role: roles(int(id)),
		Address: sim.AddressOf(id).String(), Reach: m.reach.String(), Starts: m.starts, StartedS: m.started.Seconds(),
		ClockS: time.Duration(r.sim.Clock(id)).Seconds(),
	}
	if len(s.Classes) > 0 {
		out.Class = s.Classes[m.class].Name
	}
	if len(s.Regions) > 0 {
		out.Region = s.Regions[m.region].Name
	}
	if int(id) >= len(r.roots) || !out.Live {
		return out
	}
	root := r.roots[id]
	out.ID = root.ID.String()
	gossip := root.Gossip()
	r.sim.Links(id, func(e sim.LinkEnd) {
		if outbound, ok := gossip.InUse(e.Owner); ok {
			both := int(e.Peer) >= len(r.roots) || r.holds(e.Peer, e.PeerOwner)
			out.Connections = append(out.Connections, StateConnection{e.Owner.String(), uint32(e.Peer), outbound, gossip.Negotiated(e.Owner), both, roles(int(e.Peer))})
		}
	})
	b := root.Store().Book()
	for i := range b.Len() {
		e := b.At(i)
		out.Book = append(out.Book, StateEntry{e.Address.String(), e.Saved, e.OK, e.Fail, uint32(e.Retry)})
	}
	if err := root.Check(book.SecondsOf(r.sim.Clock(id))); err != nil {
		out.Broken = err.Error()
	}
	return out
}
