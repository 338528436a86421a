package sim

import (
	"unsafe"

	"peernet/actors"
)

// chunkLen is how many events a chunk holds: 6 KiB, so that the many short
// lists of a calendar waste little.
const chunkLen = 128

type chunk struct {
	n      int
	events [chunkLen]event
}

// ringLen is how many windows ahead a calendar sorts at once. What is later
// waits unsorted.
const ringLen = 1024

// A bucket is what one worker's nodes planned for one window.
type bucket struct {
	chunks []*chunk
	wakes  []NodeID
}

type wake struct {
	at   actors.Time
	node NodeID
}

// A calendar holds the future events of one worker's nodes, by window.
type calendar struct {
	width  actors.Time // of a window
	now    int64       // the window that is running
	ring   [ringLen]bucket
	events []event // later than the ring
	wakes  []wake  // later than the ring
	free   []*chunk
	spare  int // the fewest free chunks of late
}

func (c *calendar) bucket(window int64) *bucket { return &c.ring[window%ringLen] }

// place returns where to put an event of a time, until the next call.
func (c *calendar) place(at actors.Time) *event {
	window := int64(at / c.width)
	if window-c.now >= ringLen {
		c.events = append(c.events, event{})
		return &c.events[len(c.events)-1]
	}
	b := c.bucket(window)
	if k := len(b.chunks); k == 0 || b.chunks[k-1].n == chunkLen {
		b.chunks = append(b.chunks, c.newChunk())
	}
	last := b.chunks[len(b.chunks)-1]
	last.n++
	prefetch(unsafe.Pointer(&last.events[min(last.n+1, chunkLen-1)]))
	return &last.events[last.n-1]
}

func (c *calendar) push(ev event) { *c.place(ev.at) = ev }

func (c *calendar) pushWake(at actors.Time, n NodeID) {
	window := int64(at / c.width)
	if window-c.now >= ringLen {
		c.wakes = append(c.wakes, wake{at, n})
		return
	}
	b := c.bucket(window)
	b.wakes = append(b.wakes, n)
}

func (c *calendar) newChunk() *chunk {
	if k := len(c.free); k > 0 {
		ch := c.free[k-1]
		c.free = c.free[:k-1]
		c.spare = min(c.spare, k-1)
		return ch
	}
	return &chunk{}
}

func (c *calendar) recycle(ch *chunk) {
	clear(ch.events[:ch.n])
	ch.n = 0
	c.free = append(c.free, ch)
}

// advance moves to a window, and sorts in what comes into reach. Windows are
// visited one by one, so that a quarter of the ring is early enough.
func (c *calendar) advance(window int64) {
	c.now = window
	if window%(ringLen/4) != 0 {
		return
	}
	// Give back what a peak left behind.
	clear(c.free[len(c.free)-c.spare:])
	c.free = c.free[:len(c.free)-c.spare]
	c.spare = len(c.free)
	events := c.events
	c.events = c.events[:0]
	for _, ev := range events {
		c.push(ev)
	}
	clear(events[len(c.events):])
	wakes := c.wakes
	c.wakes = c.wakes[:0]
	for _, w := range wakes {
		c.pushWake(w.at, w.node)
	}
}
