package rtc

import (
	"io"
	"sync"
	"time"

	"peernet/actors"
)

const (
	// bufferedMax bounds the bytes of a stream that wait to be sent, but for one
	// message, and bufferedLow is where Write goes on.
	bufferedMax = 256 << 10
	bufferedLow = 64 << 10
	// messageMax is the largest message that is sent. Implementations differ in what
	// they take; all take this.
	messageMax = 16 << 10
	// linger is how long Close waits for the other end to have heard of it.
	linger = time.Second
)

// A Stream is one end of a link that is open.
type Stream struct {
	attempt *attempt
	pipe    pipe
	remote  actors.Address

	mu     sync.Mutex
	low    sync.Cond // the buffer has room, or the stream is closed
	half   bool      // CloseWrite was called
	ended  bool      // the other end has ended what it sends
	closed bool
}

// stream makes a stream of an attempt that has a data channel.
func (a *attempt) stream(p pipe) *Stream {
	s := &Stream{attempt: a, pipe: p}
	s.low.L = &s.mu
	p.onLow(s.wake)
	if host, port := a.remote(); host != "" {
		s.remote, _ = addressOf(host, port)
	}
	leave := a.engine.enter(s.remote)
	go func() {
		<-a.failed // the connection is dead: nothing else would tell who waits
		s.Reset()
		leave()
	}()
	return s
}

// Remote is where the other end is seen: webrtc://host:port, or the zero Address
// where that is not known.
func (s *Stream) Remote() actors.Address { return s.remote }

func (s *Stream) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.low.Broadcast()
}

// Read implements [io.Reader].
func (s *Stream) Read(b []byte) (int, error) {
	n, err := s.pipe.Read(b)
	if err == io.EOF {
		s.mu.Lock()
		s.ended = true
		s.mu.Unlock()
	}
	return n, err
}

// Write implements [io.Writer]. It waits while too much waits to be sent.
func (s *Stream) Write(b []byte) (n int, err error) {
	for len(b) > 0 {
		s.mu.Lock()
		for s.pipe.BufferedAmount() > bufferedMax && !s.closed {
			s.low.Wait()
		}
		closed := s.closed
		s.mu.Unlock()
		if closed {
			return n, ErrClosed
		}
		k, err := s.pipe.Write(b[:min(len(b), messageMax)])
		n += k
		if err != nil {
			return n, err
		}
		b = b[k:]
	}
	return n, nil
}

// CloseWrite ends what this end sends: the other end reads what was sent, then
// io.EOF, and ends what it sends too.
func (s *Stream) CloseWrite() error {
	s.mu.Lock()
	s.half = true
	s.mu.Unlock()
	return s.pipe.Close()
}

// Close implements [io.Closer]: the other end reads what was sent before. Unless it
// has said that it did, Close waits a second for it, as the end of the connection must
// not overtake what was sent.
func (s *Stream) Close() error {
	s.mu.Lock()
	agreed, closed := s.half && s.ended, s.closed
	s.closed = true
	s.low.Broadcast()
	s.mu.Unlock()
	if closed {
		return nil
	}
	if !agreed {
		_ = s.pipe.Close()
		late := time.NewTimer(linger)
		defer late.Stop()
		select {
		case <-s.attempt.failed: // the other end has closed
		case <-late.C:
		}
	}
	s.attempt.close()
	return nil
}

// Reset breaks the stream off.
func (s *Stream) Reset() {
	s.mu.Lock()
	s.closed = true
	s.low.Broadcast()
	s.mu.Unlock()
	s.attempt.close()
}
