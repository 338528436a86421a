package realnet

import (
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
)

// A Host owns the mailboxes of any number of nodes and the goroutines that work
// on them.
type Host struct {
	system system
	pool   *pool
	group  sync.WaitGroup // goroutines of links, dials and listeners
	once   sync.Once

	generation atomic.Uint32 // of the last Ref given out

	mu        sync.Mutex
	processes map[*process]bool
	closed    bool
}

// NewHost returns a Host with as many workers as there are processors. log gets
// what the mailboxes have to say; nil is nobody.
func NewHost(log *slog.Logger) *Host {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Host{system: newSystem(log), pool: newPool(runtime.GOMAXPROCS(0)), processes: map[*process]bool{}}
}

// The host that nodes share which are not given one: there while any of them is.
var shared struct {
	mu    sync.Mutex
	host  *Host
	users int
}

// sharedHost returns the shared host, which the caller gives back with release.
func sharedHost() (h *Host, release func()) {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.users == 0 {
		shared.host = NewHost(nil)
	}
	shared.users++
	host := shared.host
	return host, sync.OnceFunc(func() {
		shared.mu.Lock()
		shared.users--
		last := shared.users == 0
		if last {
			shared.host = nil
		}
		shared.mu.Unlock()
		if last {
			host.Close() // it may take a while; the next node has another
		}
	})
}

// Close ends all nodes of the host, and waits for its goroutines.
func (h *Host) Close() {
	h.once.Do(func() {
		h.mu.Lock()
		h.closed = true
		processes := h.processes
		h.processes = nil
		h.mu.Unlock()
		for p := range processes {
			p.kill()
		}
		h.group.Wait()
		h.pool.close()
		h.system.shutdown()
	})
}

// add enters a process, unless the host is closed.
func (h *Host) add(p *process) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.processes[p] = true
	return true
}

// run starts a goroutine that Close waits for, unless the host is closed.
func (h *Host) run(f func()) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.group.Go(f)
	return true
}

func (h *Host) remove(p *process) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.processes, p)
}

// A pool runs mailboxes, as a dispatcher with long-lived workers. A mailbox is in the queue at
// most once, so that the queue is bounded by the actors.
type pool struct {
	mu     sync.Mutex
	wake   sync.Cond
	queue  []func()
	closed bool
	group  sync.WaitGroup
}

func newPool(workers int) *pool {
	p := &pool{}
	p.wake.L = &p.mu
	for range workers {
		p.group.Go(p.work)
	}
	return p
}

// Schedule has a worker run a mailbox.
func (p *pool) Schedule(run func()) {
	p.mu.Lock()
	p.queue = append(p.queue, run)
	p.mu.Unlock()
	p.wake.Signal()
}

// Throughput is how many messages an actor handles before it lets others run.
func (p *pool) Throughput() int { return throughput }

const throughput = 100

func (p *pool) work() {
	for {
		p.mu.Lock()
		for len(p.queue) == 0 && !p.closed {
			p.wake.Wait()
		}
		if len(p.queue) == 0 {
			p.mu.Unlock()
			return
		}
		run := p.queue[0]
		p.queue[0] = nil
		p.queue = p.queue[1:]
		p.mu.Unlock()
		run()
	}
}

// close lets the workers finish what is queued, and waits for them.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.wake.Broadcast()
	p.group.Wait()
}
