package realnet

import (
	"context"
	"fmt"
	"sync"
	"time"

	"peernet/actors"
)

// A memoryNegotiator joins the ends of attempts in memory.
type memoryNegotiator struct {
	mu    sync.Mutex
	last  int
	waits map[string]chan Stream // of the answering ends, by their ufrag
}

func newMemoryNegotiator() *memoryNegotiator {
	return &memoryNegotiator{waits: map[string]chan Stream{}}
}

func (n *memoryNegotiator) signal(ctx context.Context, setup actors.Setup) *actors.Signal {
	select {
	case <-time.After(10 * time.Millisecond):
	case <-ctx.Done():
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.last++
	return &actors.Signal{
		Ufrag: fmt.Sprintf("ufrag%d", n.last), Pwd: "password+password+password", Mid: "0", Setup: setup, Fingerprint: [32]byte{1},
	}
}

// Offer implements negotiator.
func (n *memoryNegotiator) Offer(ctx context.Context, described func(*actors.Signal), answer <-chan *actors.Signal) (Stream, error) {
	described(n.signal(ctx, actors.SetupActPass))
	select {
	case s := <-answer:
		n.mu.Lock()
		wait := n.waits[s.Ufrag]
		delete(n.waits, s.Ufrag)
		n.mu.Unlock()
		if wait == nil {
			break
		}
		at := actors.MustAddress("webrtc://10.9.9.9:9")
		a, b := newMemoryStreams(at, at)
		wait <- b
		return a, nil
	case <-ctx.Done():
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

// Answer implements negotiator.
func (n *memoryNegotiator) Answer(ctx context.Context, _ *actors.Signal, described func(*actors.Signal)) (Stream, error) {
	s := n.signal(ctx, actors.SetupActive)
	wait := make(chan Stream, 1)
	n.mu.Lock()
	n.waits[s.Ufrag] = wait
	n.mu.Unlock()
	described(s)
	select {
	case stream := <-wait:
		return stream, nil
	case <-ctx.Done():
		n.mu.Lock()
		delete(n.waits, s.Ufrag)
		n.mu.Unlock()
		select {
		case stream := <-wait:
			breakOff(stream)
		default:
		}
		return nil, ctx.Err()
	}
}
