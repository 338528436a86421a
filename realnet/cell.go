package realnet

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"peernet/actors"
)

// A letter is what a mailbox holds.
type letter struct {
	m    actors.Message
	from actors.Ref
	link *link // m came over it
	stop bool  // ends the actor instead of delivering m
	due  bool  // a timer may be due
}

// A cell is an actor on its mailbox, and the Context of that actor. Fields
// without a lock belong to whoever works on the mailbox.
type cell struct {
	process *process
	box     box
	actor   actors.Actor
	ref     actors.Ref
	dead    atomic.Bool
	stopped atomic.Bool
	queued  atomic.Int32 // letters that are not handled
	crowded atomic.Bool  // more than crowdedMax are; set with the mutex of process.crowded held
	running sync.Locker  // held in Receive of an actor that may block, else nil

	sender actors.Ref
	at     actors.Time
	source rand.PCG
	rand   *rand.Rand
	timers timers

	mu    sync.Mutex
	gone  bool // what follows was given back
	alarm *time.Timer
	links map[*link]bool
	dials map[actors.DialID]dial
}

func newCell(p *process, r actors.Ref, a actors.Actor) *cell {
	c := &cell{process: p, ref: r, actor: a}
	c.rand = rand.New(&c.source)
	return c
}

// crowdedMax is how many letters may wait in a mailbox until no link of the node
// reads any more, and calmMax, until they read again. A peer cannot have more
// messages wait for an actor than that, even for one that does not own the link.
const (
	crowdedMax = 4096
	calmMax    = 1024
)

func (c *cell) post(l *letter) {
	if c.dead.Load() {
		return // a mailbox that is stopped may count it, and start a timer for that
	}
	if c.queued.Add(1) > crowdedMax && !c.crowded.Load() {
		c.process.crowd(c)
	}
	c.box.put(l)
}

// stop ends the mailbox. What waits in it is dropped.
func (c *cell) stop() {
	c.dead.Store(true)
	c.process.calm(c)
	if !c.stopped.Swap(true) {
		c.box.stop()
	}
}

// handle does what a letter says. One goroutine at a time calls it.
func (c *cell) handle(l *letter) {
	if c.queued.Add(-1) <= calmMax && c.crowded.Load() {
		c.process.calm(c)
	}
	if l.link != nil {
		l.link.handled()
	}
	if c.running != nil {
		c.running.Lock()
		defer c.running.Unlock()
	}
	if c.dead.Load() {
		return
	}
	defer func() {
		if v := recover(); v != nil {
			c.process.panicked(c, v)
		}
	}()
	switch {
	case l.stop:
		c.dead.Store(true)
		c.process.end(c)
		c.stop()
	case l.due:
		c.fire()
	case l.link == nil || !l.link.isShut():
		c.receive(l.m, l.from)
	}
}

func (c *cell) receive(m actors.Message, from actors.Ref) {
	c.at, c.sender = c.process.now(), from
	c.actor.Receive(c, m)
}

// fire delivers the earliest timer if it is due. Further ones get a letter of
// their own, so that a Stop that was sent meanwhile comes before them.
func (c *cell) fire() {
	if t, ok := c.timers.due(c.process.now()); ok {
		c.receive(t.m, actors.Ref{})
	}
	c.schedule()
}

// schedule sets the alarm for the earliest timer.
func (c *cell) schedule() {
	at, ok := c.timers.earliest()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.alarm != nil {
		c.alarm.Stop()
	}
	if !ok || c.gone {
		return
	}
	d := at.Sub(c.process.now())
	if c.alarm == nil {
		c.alarm = time.AfterFunc(d, func() { c.post(&letter{due: true}) })
	} else {
		c.alarm.Reset(d)
	}
}

// release gives back what the actor owns: its timers end, its dials are given
// up, and cut is done to its links.
func (c *cell) release(cut func(*link)) {
	c.mu.Lock()
	c.gone = true
	if c.alarm != nil {
		c.alarm.Stop()
	}
	links, dials := c.links, c.dials
	c.links, c.dials = nil, nil
	c.mu.Unlock()
	for _, d := range dials {
		d.cancel()
	}
	for l := range links {
		cut(l)
	}
}

// own makes the cell the owner of a link, and reports whether it still can be.
func (c *cell) own(l *link) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		return false
	}
	if c.links == nil {
		c.links = map[*link]bool{}
	}
	c.links[l] = true
	return true
}

func (c *cell) disown(l *link) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.links, l)
}

// Self implements [actors.Context].
func (c *cell) Self() actors.Ref { return c.ref }

// Sender implements [actors.Context].
func (c *cell) Sender() actors.Ref { return c.sender }

// Now implements [actors.Context].
func (c *cell) Now() actors.Time { return c.at }

// Rand implements [actors.Context].
func (c *cell) Rand() *rand.Rand { return c.rand }

// Send implements [actors.Context].
func (c *cell) Send(to actors.Ref, m actors.Message) { c.process.send(to, letter{m: m, from: c.ref}) }

// After implements [actors.Context].
func (c *cell) After(d time.Duration, m actors.Message) actors.Timer {
	id := c.timers.add(c.at.Add(max(d, 0)), m)
	c.schedule()
	return id
}

// Cancel implements [actors.Context].
func (c *cell) Cancel(t actors.Timer) { c.timers.remove(t) }

// Spawn implements [actors.Context].
func (c *cell) Spawn(name string, a actors.Actor) actors.Ref { return c.process.spawn(c.ref, name, a) }

// Stop implements [actors.Context].
func (c *cell) Stop(who actors.Ref) { c.process.send(who, letter{stop: true}) }

// Watch implements [actors.Context].
func (c *cell) Watch(who actors.Ref) { c.process.watch(who, c.ref) }

// Emit implements [actors.Context].
func (c *cell) Emit(e actors.Event) {
	c.process.emit(c.at, e)
}
