package realnet

import (
	"sync"
	"sync/atomic"
)

// A crowd is the cells of a node whose mailbox is crowded.
type crowd struct {
	any   atomic.Bool // count is not 0
	mu    sync.Mutex
	count int
	gone  chan struct{} // closed when there are none any more
}

// crowd notes that the mailbox of a cell is crowded.
func (p *process) crowd(c *cell) {
	p.crowded.mu.Lock()
	defer p.crowded.mu.Unlock()
	if c.crowded.Load() || c.dead.Load() {
		return
	}
	if p.crowded.count++; p.crowded.count == 1 {
		p.crowded.gone = make(chan struct{})
		p.crowded.any.Store(true)
	}
	c.crowded.Store(true)
	if c.queued.Load() <= calmMax { // it may have been emptied before that
		p.calmed(c)
	}
}

// calm notes that it is not any more.
func (p *process) calm(c *cell) {
	p.crowded.mu.Lock()
	defer p.crowded.mu.Unlock()
	if c.crowded.Load() {
		p.calmed(c)
	}
}

func (p *process) calmed(c *cell) {
	c.crowded.Store(false)
	if p.crowded.count--; p.crowded.count == 0 {
		p.crowded.any.Store(false)
		close(p.crowded.gone)
	}
}

// await returns when no mailbox of the node is crowded, or the node has ended.
func (p *process) await() {
	if !p.crowded.any.Load() {
		return
	}
	p.crowded.mu.Lock()
	gone := p.crowded.gone
	p.crowded.mu.Unlock()
	select {
	case <-gone:
	case <-p.done:
	}
}
