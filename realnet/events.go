package realnet

import (
	"context"
	"iter"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"peernet/actors"
	"peernet/actors/peer"
	"peernet/actors/wire"
)

// An Event is something that happened at a node: a peer that came up, a message
// that was dropped and why. The events of package peer say what each kind means.
type Event struct {
	Time time.Time
	Kind actors.EventKind
	// Address is the one concerned. Of a peer that was not dialled, it is where
	// it is seen.
	Address actors.Address
	N       int64  // a count; its meaning depends on Kind
	Text    string // a remark for people: of a peer that is up or down, in which direction; of a goodbye, why
}

// observedMax bounds the addresses remembered under which peers see a node.
const observedMax = 8

// A hub counts the events of a node and tells whoever wants to know.
type hub struct {
	log    *slog.Logger
	also   func(actors.Event)
	counts []atomic.Uint64 // by kind
	logged []logged        // likewise
	heard  atomic.Int32    // len(listeners)

	mu        sync.Mutex
	listeners []*listener
	observed  []actors.Address
	remotes   map[actors.Ref]actors.Address // where the peers are seen that are up

	bootstrap []actors.Address // what fails of these is worth a warning
}

// watch has failures of bootstrap addresses logged as warnings. It is called before
// anything happens.
func (h *hub) watch(bootstrap []actors.Address, access Access) {
	h.bootstrap = bootstrap
	for _, a := range bootstrap {
		if !access.permitsDial(a) {
			h.log.Warn("the access lists forbid a bootstrap address", "address", a.String())
		}
	}
}

// A logged is when a kind was last logged, and how many were not since.
type logged struct{ second, left atomic.Int64 }

// A listener is an iterator over events.
type listener struct {
	to  chan Event
	all bool // with those of each message
}

func newHub(log *slog.Logger, also func(actors.Event)) *hub {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &hub{
		log: log, also: also,
		counts: make([]atomic.Uint64, actors.EventKinds()), logged: make([]logged, actors.EventKinds()),
		remotes: map[actors.Ref]actors.Address{},
	}
}

// perMessage reports whether a kind of event comes with every message or so.
func perMessage(k actors.EventKind) bool {
	switch k {
	case peer.EventAnnounced, peer.EventRequest, peer.EventDuplicate, peer.EventResponse:
		return true
	}
	return false
}

// observe takes an event. Many goroutines call it. link finds the link of an
// actor.
func (h *hub) observe(at actors.Time, e actors.Event, link func(actors.Ref) *link) {
	h.counts[e.Kind].Add(1)
	if h.also != nil {
		h.also(e)
	}
	many := perMessage(e.Kind)
	if many && h.heard.Load() == 0 {
		return
	}
	v := Event{time.Unix(0, int64(at)), e.Kind, e.Address, e.N, e.Text}
	switch e.Kind {
	case peer.EventObserved:
		h.note(e.Address)
	case peer.EventPeerUp, peer.EventPeerDown:
		h.describe(&v, e.Peer, link)
	case peer.EventRefused, peer.EventGoodbye:
		v.Text, v.N = wire.GoodbyeReason(e.N).String(), 0
	}
	if !many {
		h.write(at, v)
	}
	if h.heard.Load() == 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, l := range h.listeners {
		if many && !l.all {
			continue
		}
		select {
		case l.to <- v:
		default:
			h.counts[EventUnread].Add(1)
		}
	}
}

// describe completes the event of a peer that came up or went down.
func (h *hub) describe(v *Event, who actors.Ref, link func(actors.Ref) *link) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch l := link(who); {
	case v.Kind == peer.EventPeerDown:
		if v.Address.IsZero() {
			v.Address = h.remotes[who]
		}
		delete(h.remotes, who)
	case l != nil:
		if v.Address.IsZero() {
			v.Address = l.Remote()
		}
		h.remotes[who] = v.Address
	}
	way := "inbound"
	if v.N == 1 {
		way, v.N = "outbound", 0
	}
	if v.Text == "" {
		v.Text = way
	} else {
		v.Text = way + ", " + v.Text
	}
}

// note remembers an address under which a peer sees the node.
func (h *hub) note(a actors.Address) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if i := slices.Index(h.observed, a); i >= 0 {
		h.observed = slices.Delete(h.observed, i, i+1)
	}
	if len(h.observed) == observedMax {
		h.observed = slices.Delete(h.observed, 0, 1)
	}
	h.observed = append(h.observed, a)
}

// level says how much an operator wants to know of an event.
func (h *hub) level(e Event) slog.Level {
	if e.Kind == peer.EventDialFailed && slices.Contains(h.bootstrap, e.Address) {
		return slog.LevelWarn
	}
	switch e.Kind {
	case peer.EventRefused, peer.EventGoodbye:
		if e.Text == wire.GoodbyeNetwork.String() { // somebody has set the wrong one
			return slog.LevelWarn
		}
	case peer.EventStoreFailed:
		return slog.LevelError
	case peer.EventMalformed, peer.EventInvalid, peer.EventThrottled, peer.EventSlow, peer.EventQuota, peer.EventBusy,
		peer.EventSubscribersFull, peer.EventLoopback, EventForbidden, EventCrowded, EventUnread:
		return slog.LevelWarn
	case peer.EventPeerUp, peer.EventPeerDown:
		return slog.LevelInfo
	}
	return slog.LevelDebug
}

// write logs an event, unless one of its kind was logged in the same second:
// then the next says how many were left out.
func (h *hub) write(at actors.Time, e Event) {
	ctx, lv := context.Background(), h.level(e)
	if !h.log.Enabled(ctx, lv) {
		return
	}
	l := &h.logged[e.Kind]
	second := int64(at / actors.Second)
	if lv == slog.LevelWarn || lv == slog.LevelDebug {
		if l.second.Swap(second) == second {
			l.left.Add(1)
			return
		}
	}
	args := make([]any, 0, 8)
	if !e.Address.IsZero() {
		args = append(args, "address", e.Address.String())
	}
	if e.N != 0 {
		args = append(args, "n", e.N)
	}
	if e.Text != "" {
		args = append(args, "text", e.Text)
	}
	if left := l.left.Swap(0); left > 0 {
		args = append(args, "not_logged", left)
	}
	h.log.Log(ctx, lv, e.Kind.String(), args...)
}

// Events yields what happens at the node from now on until ctx ends, or the node,
// which is an error; what comes with every message (announces, requests, duplicates and
// responses) only if all is set. Up to 256 events wait to be taken; what exceeds
// that is dropped. It can be ranged over once; to be done with it, end ctx.
func (n *Node) Events(ctx context.Context, all bool) iter.Seq2[Event, error] {
	l := &listener{make(chan Event, queueMax), all}
	h := n.hub
	h.mu.Lock()
	h.listeners = append(h.listeners, l)
	h.heard.Add(1)
	h.mu.Unlock()
	context.AfterFunc(ctx, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.listeners = slices.DeleteFunc(h.listeners, func(x *listener) bool { return x == l })
		h.heard.Add(-1)
	})
	return func(yield func(Event, error) bool) { take(ctx, n, l.to, yield) }
}

// Counts returns how many events of each kind there were, by name.
func (n *Node) Counts() map[string]uint64 {
	m := map[string]uint64{}
	for k := 1; k < len(n.hub.counts); k++ {
		m[actors.EventKind(k).String()] = n.hub.counts[k].Load()
	}
	return m
}

// Observed returns the addresses under which peers see the node, the latest last.
func (n *Node) Observed() []string {
	h := n.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]string, len(h.observed))
	for i, a := range h.observed {
		list[i] = a.String()
	}
	return list
}
