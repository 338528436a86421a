package realnet

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"peernet/actors"
	"peernet/actors/wire"
)

// receiver is an actor made of a function.
type receiver func(ctx actors.Context, m actors.Message)

// Receive implements [actors.Actor].
func (f receiver) Receive(ctx actors.Context, m actors.Message) { f(ctx, m) }

// stuck is an actor that waits in its first Ping until it is let go.
type stuck struct {
	free chan struct{}
	got  int
	ref  actors.Ref
}

// MayBlock implements [actors.Blocker].
func (*stuck) MayBlock() {}

// Receive implements [actors.Actor].
func (s *stuck) Receive(ctx actors.Context, m actors.Message) {
	s.ref = ctx.Self()
	if _, ok := m.(*wire.Ping); ok {
		<-s.free
		s.got++
	}
}

// A peer cannot make a mailbox grow without bound, not even that of an actor which
// does not own its link; nothing is lost.
func TestCrowdedMailboxStopsReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const count = 50000
		h := &testHost{host: NewHost(nil), nodes: map[int]*testNode{}, fake: true}
		defer h.Close()
		slow := &stuck{free: make(chan struct{})}
		var to actors.Ref
		h.Start(0, receiver(func(ctx actors.Context, m actors.Message) {
			switch m := m.(type) {
			case *actors.Started:
				to = ctx.Spawn("slow", slow)
			case *actors.LinkIn:
				m.Link.Bind(ctx.Self())
			case *wire.Ping:
				ctx.Send(to, m)
			}
		}))
		var link actors.Link
		sent := 0
		h.Start(1, receiver(func(ctx actors.Context, m actors.Message) {
			switch m := m.(type) {
			case *actors.Started:
				ctx.Dial(h.Address(0))
				return
			case *actors.LinkUp:
				link = m.Link
				link.Bind(ctx.Self())
			}
			for sent < count && link.Send(&wire.Ping{Nonce: uint64(sent)}) == nil {
				sent++
			}
			ctx.After(time.Millisecond, &actors.Terminated{}) // to go on
		}))
		if err := h.Run(5 * time.Second); err != nil {
			t.Fatal(err)
		}
		p := h.nodes[0].process
		queued := int(p.lookup(slow.ref).queued.Load())
		if queued < crowdedMax || queued > crowdedMax+inboxMax+1 { // and one that was about to be handed over
			t.Errorf("%d messages wait for an actor, want about %d", queued, crowdedMax)
		}
		close(slow.free)
		if err := h.Run(5 * time.Second); err != nil {
			t.Fatal(err)
		}
		if slow.got != count {
			t.Errorf("%d of %d messages arrived", slow.got, count)
		}
	})
}

// One host cannot have all links that may be open.
func TestLinksAreSharedOutByHost(t *testing.T) {
	open := tally{max: 40}
	from := func(host string, port int) actors.Address {
		return actors.MustAddress(fmt.Sprintf("tcp://%s:%d", host, 1000+port))
	}
	enter := func(host string, count int) (n int) {
		for i := range count {
			if open.add(from(host, i)) {
				n++
			} else {
				open.drop(from(host, i))
			}
		}
		return n
	}
	for _, c := range []struct {
		host        string
		count, want int
	}{
		{"192.0.2.1", 50, 10}, {"[2001:db8::1]", 6, 6}, {"[2001:db8::2]", 6, 4}, {"[2001:db8:0:1::2]", 6, 6}, {"127.0.0.1", 50, 14},
	} {
		if n := enter(c.host, c.count); n != c.want {
			t.Errorf("%s has %d links, want %d", c.host, n, c.want)
		}
	}
	open.drop(from("192.0.2.1", 0))
	if n := enter("192.0.2.1", 5); n != 1 {
		t.Errorf("after one has left, %d come in", n)
	}
}
