// Package gossip is push gossip that infects and dies: who hears a message for the first
// time sends it to a number of peers at once, the fan-out, and never again.
//
// It is the dissemination of Kermarrec, Massoulié and Ganesh, "Probabilistic reliable
// dissemination in large-scale systems" (2003), and what Leitão, Pereira and Rodrigues,
// "HyParView" (2007), run over Cyclon and Scamp.
//
// # What it guarantees
//
//   - A node sends a message at most once, to Fanout distinct peers of its Sampler, or to
//     all if there are fewer.
//   - Hops holds the length of the path by which the message came first. Of copies that
//     come at the same time the first in the order of the host counts.
//
// Whom a node knows is the business of a Sampler. That may be an actor with messages of
// its own, a membership protocol: the node hands it what is not gossip, so that both run
// in the same node.
package gossip

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"

	"peernet/actors"
)

// The events of dissemination, here and in package flood. Message is the *Rumor as it
// came.
var (
	// EventHeard: a message got here for the first time.
	EventHeard = actors.RegisterEvent("rumor.heard")
	// EventDuplicate: a message got here again.
	EventDuplicate = actors.RegisterEvent("rumor.duplicate")
)

// A Sampler draws peers: the peer sampling service of Jelasity et al. (2007).
type Sampler interface {
	// Sample adds up to n distinct peers, drawn uniformly from those known, to peers.
	Sample(r *rand.Rand, n int, peers []actors.Address) []actors.Address
}

// A Node is the actor, the root of its node.
type Node struct {
	Fanout  int
	Sampler Sampler
	// Membership gets what is not gossip; nil is nobody.
	Membership actors.Actor

	// Hops has, by number of message, one more than the hops that it took to get here, and
	// 0 if it did not.
	Hops []uint16

	targets []actors.Address // scratch
}

// Receive implements [actors.Actor].
func (n *Node) Receive(ctx actors.Context, m actors.Message) {
	switch m := m.(type) {
	case *Rumor: // from the user
		n.hear(ctx, m)
		return
	case *actors.Datagram:
		if r, ok := m.Payload.(*Rumor); ok {
			n.hear(ctx, r)
			return
		}
	}
	if n.Membership != nil {
		n.Membership.Receive(ctx, m)
	}
}

// Heard reports whether a message got here.
func (n *Node) Heard(number int) bool { return number < len(n.Hops) && n.Hops[number] > 0 }

func (n *Node) hear(ctx actors.Context, r *Rumor) {
	if n.Heard(int(r.Number)) {
		ctx.Emit(actors.Event{Kind: EventDuplicate, Message: r})
		return
	}
	ctx.Emit(actors.Event{Kind: EventHeard, Message: r})
	for len(n.Hops) <= int(r.Number) {
		n.Hops = append(n.Hops, 0)
	}
	n.Hops[r.Number] = r.Hops + 1
	n.targets = n.Sampler.Sample(ctx.Rand(), n.Fanout, n.targets[:0])
	next := &Rumor{Number: r.Number, Hops: r.Hops + 1}
	for _, to := range n.targets {
		ctx.(actors.Datagrams).SendTo(to, next)
	}
}

// A Rumor is a message. Messages are numbered from 0, at most NumberMax.
type Rumor struct {
	Number uint32
	Hops   uint16
}

// NumberMax bounds the numbers of messages: nodes keep two bytes for each.
const NumberMax = 1 << 20

// HopsMax bounds the hops of a message that came: one more is kept for it, and 0 is none.
const HopsMax = 1<<16 - 2

var errRumor = errors.New("gossip: a rumor is 6 bytes, with a number below 1048576, and hops of 65534 at most")

var rumorKind = actors.RegisterMessage("gossip.rumor", func(b []byte) (actors.Message, error) {
	if len(b) != 6 || binary.LittleEndian.Uint32(b) >= NumberMax || binary.LittleEndian.Uint16(b[4:]) > HopsMax {
		return nil, errRumor
	}
	return &Rumor{binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint16(b[4:])}, nil
})

// Kind implements [actors.Message].
func (*Rumor) Kind() actors.Kind { return rumorKind }

// Append implements [actors.Message].
func (m *Rumor) Append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, m.Number)
	return binary.LittleEndian.AppendUint16(b, m.Hops)
}

// Size implements [actors.Sizer].
func (*Rumor) Size() int { return 6 }

// Sum implements [actors.Summer].
func (m *Rumor) Sum() uint64 { return actors.Mix(uint64(m.Number), uint64(m.Hops)) }
