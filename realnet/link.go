package realnet

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"peernet/actors"
	"peernet/actors/wire"
)

const (
	// inboxMax bounds the messages of a link that its owner has not handled.
	inboxMax = 256
	// outboxMax bounds the bytes of a link that were not written.
	outboxMax = 256 << 10
	// readSize is how much is read at a time.
	readSize = 4 << 10
	// flushTimeout bounds how long a closed link goes on writing.
	flushTimeout = 5 * time.Second
)

// A link is one end of a stream: a goroutine that reads and decodes, one that
// writes what was sent since its last write, and what is between them and the
// owner.
type link struct {
	process *process
	stream  Stream
	opened  time.Time

	received, sent atomic.Uint64 // bytes

	mu      sync.Mutex
	owner   *cell
	dialler *cell            // who owns it until Bind, if it was dialled
	inbox   int              // messages on their way to the owner, or waiting for Bind
	waiting []actors.Message // for Bind
	room    sync.Cond        // there is room in the inbox, or no need for it
	outbox  []byte
	work    sync.Cond // there is something to write, or to close
	shut    bool      // Close was called
	down    bool      // nothing can be sent any more
	// deadline breaks the stream off if it does not end by itself, once it was
	// closed or nothing can be written.
	deadline *time.Timer
}

// newLink returns the link of a stream. Until Bind it belongs to the actor that
// dialled, or, where that is nil, to the node. gone, unless nil, is called when the
// stream is done with.
func newLink(p *process, s Stream, dialler *cell, gone func()) *link {
	l := &link{process: p, stream: s, opened: time.Now(), dialler: dialler}
	l.room.L, l.work.L = &l.mu, &l.mu
	p.streams.Store(l, nil)
	left := &atomic.Int32{}
	left.Store(2)
	part := func(work func()) func() {
		return func() {
			work()
			if left.Add(-1) > 0 {
				return
			}
			p.streams.Delete(l)
			if gone != nil {
				gone()
			}
		}
	}
	switch {
	case !p.host.run(part(l.read)) || !p.host.run(part(l.write)):
		l.reset()
	case dialler == nil && !p.hold(l):
		l.reset()
	case dialler != nil && !dialler.own(l):
		l.close()
	}
	return l
}

// Remote implements [actors.Link].
func (l *link) Remote() actors.Address { return l.stream.Remote() }

// Bind implements [actors.Link].
func (l *link) Bind(owner actors.Ref) {
	c := l.process.lookup(owner)
	l.mu.Lock()
	if l.owner != nil || l.shut {
		l.mu.Unlock()
		return
	}
	if c == nil || !c.own(l) {
		l.mu.Unlock()
		l.close()
		return
	}
	l.owner = c
	dialler := l.dialler
	l.dialler = nil
	waiting := l.waiting
	l.waiting = nil
	for _, m := range waiting {
		c.post(&letter{m: m, link: l})
	}
	l.mu.Unlock()
	l.process.unhold(l)
	if dialler != nil && dialler != c {
		dialler.disown(l)
	}
}

// Send implements [actors.Link].
func (l *link) Send(m actors.Message) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.shut || l.down:
		return actors.ErrLinkClosed
	case len(l.outbox) >= outboxMax:
		return actors.ErrLinkFull
	}
	l.outbox = m.Append(l.outbox)
	l.work.Signal()
	return nil
}

// Close implements [actors.Link].
func (l *link) Close() { l.close() }

// close ends the link behind what was sent.
func (l *link) close() {
	l.mu.Lock()
	if l.shut {
		l.mu.Unlock()
		return
	}
	l.shut = true
	l.waiting = nil
	if !l.down {
		l.deadline = time.AfterFunc(flushTimeout, l.breakOff)
	}
	l.room.Broadcast()
	l.work.Signal()
	l.mu.Unlock()
	l.forget()
}

// reset breaks the link off.
func (l *link) reset() {
	l.mu.Lock()
	l.shut, l.down = true, true
	l.outbox, l.waiting = nil, nil
	l.room.Broadcast()
	l.work.Signal()
	l.mu.Unlock()
	l.breakOff()
	l.forget()
}

// forget has whoever owns the link forget it.
func (l *link) forget() {
	l.mu.Lock()
	owner, dialler := l.owner, l.dialler
	l.mu.Unlock()
	if owner != nil {
		owner.disown(l)
	}
	if dialler != nil {
		dialler.disown(l)
	}
	l.process.unhold(l)
}

// breakOff ends the stream without ado.
func (l *link) breakOff() { breakOff(l.stream) }

func breakOff(s Stream) {
	if r, ok := s.(interface{ Reset() }); ok {
		r.Reset()
		return
	}
	_ = s.Close()
}

func (l *link) isShut() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.shut
}

// read hands the owner what the decoder makes of the stream.
func (l *link) read() {
	var d wire.Decoder
	buffer := make([]byte, readSize)
	for {
		n, err := l.stream.Read(buffer)
		l.received.Add(uint64(n))
		_, _ = d.Write(buffer[:n]) // errors come from Next
		for {
			m, bad := d.Next()
			if bad != nil {
				l.deliver(&actors.LinkMalformed{Reason: bad.Error()})
				l.discard()
				return
			}
			if m == nil {
				break
			}
			if !l.deliver(m) {
				l.discard() // it is shut; nothing more is decoded, or kept
				return
			}
		}
		if err != nil {
			reason := actors.ReasonReset
			if errors.Is(err, io.EOF) {
				reason = actors.ReasonClosed
			}
			l.fall(reason)
			return
		}
	}
}

// discard reads on without decoding, to learn when the link ends.
func (l *link) discard() {
	_, err := io.Copy(io.Discard, l.stream)
	reason := actors.ReasonClosed
	if err != nil {
		reason = actors.ReasonReset
	}
	l.fall(reason)
}

// fall tells the owner that the link is down.
func (l *link) fall(r actors.Reason) {
	l.mu.Lock()
	l.down = true
	if l.deadline != nil {
		l.deadline.Stop()
	}
	l.work.Signal()
	l.mu.Unlock()
	l.deliver(&actors.LinkDown{Reason: r})
	_ = l.stream.Close()
	l.mu.Lock()
	bound := l.owner != nil
	l.mu.Unlock()
	if bound {
		l.forget()
	}
}

// deliver hands a message to the owner, or keeps it until there is one. It
// waits while there are too many, and reports whether the link is still open at
// this end.
func (l *link) deliver(m actors.Message) bool {
	l.process.await()
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.inbox >= inboxMax && !l.shut {
		l.room.Wait()
	}
	if l.shut {
		return false
	}
	l.inbox++
	if l.owner == nil {
		l.waiting = append(l.waiting, m)
	} else {
		l.owner.post(&letter{m: m, link: l})
	}
	return true
}

// handled notes that the owner got one of the messages.
func (l *link) handled() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inbox--
	if l.inbox == inboxMax-1 {
		l.room.Signal()
	}
}

// write writes what was sent, all there is at a time.
func (l *link) write() {
	var spare []byte
	for {
		l.mu.Lock()
		for len(l.outbox) == 0 && !l.shut && !l.down {
			l.work.Wait()
		}
		if l.down || len(l.outbox) == 0 {
			half, ok := l.stream.(interface{ CloseWrite() error })
			ok = ok && !l.down
			l.mu.Unlock()
			if ok {
				// The reader goes on until the other end has closed too: to
				// close with something unread would lose what was written.
				_ = half.CloseWrite()
			} else {
				_ = l.stream.Close()
			}
			return
		}
		out := l.outbox
		l.outbox = spare[:0]
		l.mu.Unlock()
		if _, err := l.stream.Write(out); err != nil {
			// The reader learns what is left to read, and why.
			l.mu.Lock()
			if !l.down {
				l.down = true
				l.deadline = time.AfterFunc(flushTimeout, l.breakOff)
			}
			l.mu.Unlock()
			return
		}
		l.sent.Add(uint64(len(out)))
		spare = out
		if cap(spare) > 2*readSize {
			spare = nil // idle links keep little
		}
	}
}
