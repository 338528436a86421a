package realnet

import (
	"cmp"
	"fmt"
	"math"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"peernet/actors"
)

// A process is one node: its actors by slot, and what they own.
type process struct {
	host       *Host
	transports map[string]Transport // by scheme
	negotiator negotiator           // nil if the node cannot negotiate
	access     Access
	streams    sync.Map // the links whose stream is not done with, as *link
	open       tally    // of the links that came in, those that are closing included
	observe    func(*process, actors.Time, actors.Event)
	seed       func(name string, ordinal uint32) (hi, lo uint64)
	began      time.Time // with a monotonic reading
	epoch      actors.Time

	root actors.Ref // set before it receives anything

	mu       sync.RWMutex
	slots    []slot
	free     []uint32
	names    map[string]uint32
	watches  []watch
	dials    actors.DialID
	ended    bool
	err      error
	done     chan struct{}
	accepted map[*link]bool // not bound yet
	blockers []sync.Locker  // of the actors that may block
	crowded  crowd
}

// A slot holds a cell. Generations are unique in the host, so that no later node
// uses a Ref again.
type slot struct {
	cell *cell
	gen  uint32
}

type watch struct{ who, watcher actors.Ref }

// A processConfig says how a process meets the world.
type processConfig struct {
	transports map[string]Transport
	negotiator negotiator // nil is none
	access     Access
	openMax    int // links that came in and are open; 0 is no bound
	// observe is told of every event, by any goroutine; nil is nobody.
	observe func(*process, actors.Time, actors.Event)
	// seed gives the random stream of an actor.
	seed func(name string, ordinal uint32) (hi, lo uint64)
}

// start starts a node with its root actor.
func (h *Host) start(root actors.Actor, c processConfig) (*process, error) {
	now := time.Now()
	p := &process{
		host: h, transports: c.transports, negotiator: c.negotiator, access: c.access, observe: c.observe, seed: c.seed,
		began: now, epoch: actors.Time(now.UnixNano()),
		names: map[string]uint32{}, done: make(chan struct{}), accepted: map[*link]bool{},
	}
	p.open.max = cmp.Or(c.openMax, math.MaxInt)
	if !h.add(p) {
		return nil, ErrClosed
	}
	p.spawn(actors.Ref{}, "root", root)
	return p, nil
}

// now is the node's clock: Unix time when the node started, and since then what
// has passed, so that it never goes back.
func (p *process) now() actors.Time { return p.epoch.Add(time.Since(p.began)) }

// lookup returns the cell of an actor that has not ended, or nil.
func (p *process) lookup(r actors.Ref) *cell {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.find(r)
}

// find is lookup with p.mu held.
func (p *process) find(r actors.Ref) *cell {
	if int(r.Slot) >= len(p.slots) || p.slots[r.Slot].gen != r.Gen {
		return nil
	}
	return p.slots[r.Slot].cell
}

// linkOf returns the link that belongs to an actor, nil if none or several do.
func (p *process) linkOf(r actors.Ref) *link {
	c := p.lookup(r)
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.links) != 1 {
		return nil
	}
	for l := range c.links {
		return l
	}
	return nil
}

// send delivers a message to an actor, if it is there.
func (p *process) send(to actors.Ref, l letter) {
	if c := p.lookup(to); c != nil {
		c.post(&l)
	}
}

func (p *process) spawn(by actors.Ref, name string, a actors.Actor) actors.Ref {
	p.mu.Lock()
	if p.ended {
		p.mu.Unlock()
		return actors.Ref{}
	}
	var i uint32
	if n := len(p.free); n > 0 {
		i, p.free = p.free[n-1], p.free[:n-1]
	} else {
		i = uint32(len(p.slots))
		p.slots = append(p.slots, slot{})
	}
	s := &p.slots[i]
	if s.gen = p.host.generation.Add(1); s.gen == 0 { // the zero Ref names nobody
		s.gen = p.host.generation.Add(1)
	}
	c := newCell(p, actors.Ref{Slot: i, Gen: s.gen}, a)
	hi, lo := p.seed(name, p.names[name])
	p.names[name]++
	c.source.Seed(hi, lo)
	s.cell = c
	if p.root.IsZero() {
		p.root = c.ref // the first
	}
	// The mailbox is there, with Started in it, before anybody can find the cell.
	_, blocks := a.(actors.Blocker)
	if blocks {
		c.running = &sync.Mutex{}
		p.blockers = append(p.blockers, c.running)
	}
	p.host.spawn(c, blocks)
	c.post(&letter{m: started, from: by})
	p.mu.Unlock()
	return c.ref
}

var started = &actors.Started{}

func (p *process) watch(who, watcher actors.Ref) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.find(who) != nil {
		p.watches = append(p.watches, watch{who, watcher})
	} else if c := p.find(watcher); c != nil {
		c.post(&letter{m: &actors.Terminated{Who: who}})
	}
}

// end takes an actor out of its slot. It runs on the actor's own mailbox.
func (p *process) end(c *cell) {
	p.mu.Lock()
	if p.find(c.ref) != c {
		p.mu.Unlock()
		return
	}
	p.slots[c.ref.Slot].cell = nil
	p.free = append(p.free, c.ref.Slot)
	p.watches = slices.DeleteFunc(p.watches, func(w watch) bool {
		if w.who == c.ref {
			if watcher := p.find(w.watcher); watcher != nil {
				watcher.post(&letter{m: &actors.Terminated{Who: c.ref}})
			}
		}
		return w.who == c.ref || w.watcher == c.ref
	})
	p.mu.Unlock()
	c.release((*link).close)
	if c.ref == p.root {
		p.finish(nil, (*link).close)
	}
}

// finish ends all actors of the node. cut is what becomes of its links.
func (p *process) finish(err error, cut func(*link)) {
	p.mu.Lock()
	if p.ended {
		p.mu.Unlock()
		return
	}
	p.ended, p.err = true, err
	var cells []*cell
	for i := range p.slots {
		if c := p.slots[i].cell; c != nil {
			cells = append(cells, c)
			p.slots[i].cell = nil
		}
	}
	links := p.accepted
	p.accepted, p.watches = nil, nil
	p.mu.Unlock()
	for _, c := range cells {
		c.release(cut)
		c.stop()
	}
	for l := range links {
		cut(l)
	}
	p.host.remove(p)
	close(p.done)
}

// kill ends the node at once, as a crash would.
func (p *process) kill() { p.finish(ErrClosed, (*link).reset) }

// settle waits until no actor that may block is in Receive. The node must have
// ended.
func (p *process) settle() {
	p.mu.Lock()
	blockers := p.blockers
	p.mu.Unlock()
	for _, b := range blockers {
		b.Lock()
		defer b.Unlock()
	}
}

// panicked ends the node because an actor panicked.
func (p *process) panicked(c *cell, value any) {
	p.finish(fmt.Errorf("realnet: actor %v panicked: %v\n%s", c.ref, value, debug.Stack()), (*link).reset)
}

// breakLinks breaks off all links, those that are closing too.
func (p *process) breakLinks() {
	p.streams.Range(func(l, _ any) bool {
		l.(*link).breakOff()
		return true
	})
}

// emit tells the observer of an event, if there is one.
func (p *process) emit(at actors.Time, e actors.Event) {
	if p.observe != nil {
		p.observe(p, at, e)
	}
}
