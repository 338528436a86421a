package peer_test

import (
	"fmt"
	"testing"
	"time"

	"peernet/actors"
	"peernet/actors/peer"
	"peernet/actors/wire"
	"peernet/sim"
)

// A fullLink takes some messages and then is full: the peer does not read.
type fullLink struct {
	actors.Link
	room int
}

// Send implements [actors.Link].
func (l *fullLink) Send(m actors.Message) error {
	if l.room == 0 {
		return actors.ErrLinkFull
	}
	l.room--
	return l.Link.Send(m)
}

// The link fills up at the hello, at the answer to one that asks for addresses
// and tells of some, at the addresses, and in use.
func TestPeerThatDoesNotReadIsCut(t *testing.T) {
	for room := range 6 {
		t.Run(fmt.Sprint(room), func(t *testing.T) {
			r := newRig(t)
			n := r.node(still(), 200)
			s := r.script(nil)
			mine, theirs := r.sim.Link(n.at, s.at)
			h := &wire.Hello{Version: 3, Advertised: addresses(300, 301), Observed: sim.AddressOf(n.at), Wanted: 5}
			e := &end{script: s, link: theirs, play: polite(peer.NodeID{1}, h)}
			r.sim.Send(s.at, &command{func(ctx actors.Context) { theirs.Bind(ctx.Spawn("end", e)) }})
			r.sim.Send(n.at, &peer.Attach{Link: &fullLink{mine, room}})
			r.run(time.Second)
			for range 5 {
				n.announce("x", "", 0)
			}
			r.run(time.Second)
			n.wantCount(peer.EventSlow, 1)
			n.wantConnections(0)
			if e.down == nil || len(e.got) != room {
				t.Errorf("it got %q, down %v", e.conversation(), e.down)
			}
		})
	}
}
