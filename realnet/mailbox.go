//go:build !js

package realnet

import (
	"log/slog"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

// A system is that of protoactor-go.
type system struct{ *actor.ActorSystem }

func newSystem(log *slog.Logger) system {
	return system{actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return log }),
		// What is sent to an actor that has ended is dropped, as it should
		// be; there is nothing to log.
		actor.WithDeadLetterRequestLogging(false),
	)}
}

func (s system) shutdown() { s.Shutdown() }

// A box is where a cell gets its letters.
type box struct {
	system system
	pid    *actor.PID
}

// spawn starts a cell on a mailbox. One that may block gets goroutines of its
// own, so that it does not hold up the workers.
func (h *Host) spawn(c *cell, blocks bool) {
	options := []actor.PropsOption{actor.WithMailbox(newMailbox)}
	if !blocks {
		options = append(options, actor.WithDispatcher(h.pool))
	}
	a := actor.ReceiveFunc(func(ctx actor.Context) {
		if l, ok := ctx.Message().(*letter); ok { // not what protoactor-go says of the mailbox
			c.handle(l)
		}
	})
	c.box = box{h.system, h.system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return a }, options...))}
}

func (b box) put(l *letter) { b.system.Root.Send(b.pid, l) }

// stop ends the mailbox. What waits in it is dropped.
func (b box) stop() { b.system.Root.Stop(b.pid) }

// A mailbox gives its worker back after some messages. The mailboxes of
// protoactor-go keep it until they are empty: there one peer that sends without a
// pause takes a worker from all other actors.
type mailbox struct {
	invoker    actor.MessageInvoker
	dispatcher actor.Dispatcher

	mu        sync.Mutex
	system    []any
	user      []any
	scheduled bool

	// What follows belongs to whoever runs.
	batch []any // taken from user
	next  int   // of batch
}

// spareMax is the room for messages that an empty mailbox keeps.
const spareMax = 64

func newMailbox() actor.Mailbox { return &mailbox{} }

// PostUserMessage implements [actor.Mailbox].
func (m *mailbox) PostUserMessage(message any) { m.post(&m.user, message) }

// PostSystemMessage implements [actor.Mailbox].
func (m *mailbox) PostSystemMessage(message any) { m.post(&m.system, message) }

func (m *mailbox) post(queue *[]any, message any) {
	m.mu.Lock()
	*queue = append(*queue, message)
	schedule := !m.scheduled
	m.scheduled = true
	m.mu.Unlock()
	if schedule {
		m.dispatcher.Schedule(m.run)
	}
}

// run handles some messages, and is scheduled again behind others if there are more.
func (m *mailbox) run() {
	for range m.dispatcher.Throughput() {
		system, message, ok := m.take()
		for _, s := range system {
			m.invoker.InvokeSystemMessage(s)
		}
		if !ok {
			if m.rest() {
				return
			}
			continue
		}
		m.invoker.InvokeUserMessage(message)
	}
	m.dispatcher.Schedule(m.run)
}

// take returns what to handle next.
func (m *mailbox) take() (system []any, message any, ok bool) {
	if m.next == len(m.batch) {
		m.mu.Lock()
		system, m.system = m.system, nil
		spare := m.batch[:0]
		if cap(spare) > spareMax {
			spare = nil
		}
		m.batch, m.user, m.next = m.user, spare, 0
		m.mu.Unlock()
	}
	if m.next == len(m.batch) {
		return system, nil, false
	}
	message = m.batch[m.next]
	m.batch[m.next] = nil
	m.next++
	return system, message, true
}

// rest ends the run if nothing has come meanwhile.
func (m *mailbox) rest() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.user)+len(m.system) > 0 {
		return false
	}
	m.scheduled = false
	return true
}

// RegisterHandlers implements [actor.Mailbox].
func (m *mailbox) RegisterHandlers(invoker actor.MessageInvoker, dispatcher actor.Dispatcher) {
	m.invoker, m.dispatcher = invoker, dispatcher
}

// Start implements [actor.Mailbox].
func (m *mailbox) Start() {}

// UserMessageCount implements [actor.Mailbox].
func (m *mailbox) UserMessageCount() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.user)
}
