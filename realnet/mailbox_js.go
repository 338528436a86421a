package realnet

import (
	"log/slog"
	"sync"
)

// In a browser the mailboxes are our own: protoactor-go would make the program
// half again as large.
type system struct{}

func newSystem(*slog.Logger) system { return system{} }

func (system) shutdown() {}

// A box is where a cell gets its letters.
type box struct{ *mailbox }

// A mailbox runs a cell whenever there are letters for it, by one goroutine at a
// time.
type mailbox struct {
	cell     *cell
	schedule func(run func())

	mu        sync.Mutex
	letters   []*letter
	scheduled bool
	stopped   bool
}

// spawn starts a cell on a mailbox. One that may block gets goroutines of its
// own, so that it does not hold up the workers.
func (h *Host) spawn(c *cell, blocks bool) {
	schedule := h.pool.Schedule
	if blocks {
		schedule = func(run func()) { go run() }
	}
	c.box = box{&mailbox{cell: c, schedule: schedule}}
}

func (m *mailbox) put(l *letter) {
	m.mu.Lock()
	if m.stopped {
		m.mu.Unlock()
		return
	}
	m.letters = append(m.letters, l)
	schedule := !m.scheduled
	m.scheduled = true
	m.mu.Unlock()
	if schedule {
		m.schedule(m.run)
	}
}

// stop ends the mailbox. What waits in it is dropped.
func (m *mailbox) stop() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stopped, m.letters = true, nil
}

// run handles some letters, and is scheduled again behind others if there are more.
func (m *mailbox) run() {
	for range throughput {
		m.mu.Lock()
		if len(m.letters) == 0 {
			m.letters, m.scheduled = nil, false
			m.mu.Unlock()
			return
		}
		l := m.letters[0]
		m.letters[0] = nil
		m.letters = m.letters[1:]
		m.mu.Unlock()
		m.cell.handle(l)
	}
	m.schedule(m.run)
}
