// Package shuffle is a plain exchange of views, to measure how fast a simulator is: each
// node swaps half of a small view with a random member of it, again and again. It is the
// work that membership protocols such as Cyclon do, without what makes them good.
//
// # What it guarantees
//
//   - A view has at most ViewMax peers, without repeats and without the node itself.
//   - Each Period, first at a uniform phase, a node sends a random member of its view
//     itself and nine distinct random others of the view. The receiver draws its reply
//     likewise, sends it to where the message is from, and merges; the requester merges
//     the reply.
//   - To merge is: skip the node itself and peers that are known; append while there is
//     room; else overwrite a uniformly drawn place.
//
// Peers are numbers, indices of a directory of addresses that all nodes share: a view
// takes 80 bytes so.
package shuffle

import (
	"encoding/binary"
	"math/bits"
	"time"

	"peernet/actors"
	"peernet/experiments/protocols/codec"
)

// The sizes of views and messages, in peers.
const (
	ViewMax    = 20
	PeersMax   = 10 // of a message, its sender first
	messageLen = 4*PeersMax + 2
)

// A Config is shared by the nodes of a network.
type Config struct {
	Peers  []actors.Address // the directory
	Period time.Duration

	// Careless merges peers that are known already, which is wrong.
	Careless bool
}

// A Node is the actor.
type Node struct {
	Config *Config
	View   [ViewMax]uint32
	Self   uint32
	Len    uint8 // of View
}

// Receive implements [actors.Actor].
func (n *Node) Receive(ctx actors.Context, m actors.Message) {
	switch m := m.(type) {
	case *actors.Started:
		ctx.After(time.Duration(ctx.Rand().Int64N(int64(n.Config.Period))), tick)
	case *Tick:
		ctx.After(n.Config.Period, tick)
		if n.Len > 0 {
			if to := n.View[ctx.Rand().IntN(int(n.Len))]; int(to) < len(n.Config.Peers) {
				n.send(ctx, n.Config.Peers[to], false)
			}
		}
	case *actors.Datagram:
		s, ok := m.Payload.(*Shuffle)
		if !ok || s.Len == 0 {
			return
		}
		if !s.Reply {
			n.send(ctx, m.From, true)
		}
		d := dice(ctx.Rand().Uint64())
		for _, peer := range s.Peers[:s.Len] {
			n.merge(&d, peer)
		}
	}
}

// send sends the node itself and others of its view.
func (n *Node) send(ctx actors.Context, to actors.Address, reply bool) {
	m := &Shuffle{Reply: reply, Len: 1}
	m.Peers[0] = n.Self
	d := dice(ctx.Rand().Uint64())
	for m.Len < min(PeersMax, n.Len+1) { // the front of a random permutation of the view
		i := int(m.Len) - 1
		k := i + d.below(int(n.Len)-i)
		n.View[i], n.View[k] = n.View[k], n.View[i]
		m.Peers[m.Len] = n.View[i]
		m.Len++
	}
	ctx.(actors.Datagrams).SendTo(to, m)
}

func (n *Node) merge(d *dice, peer uint32) {
	if peer == n.Self {
		return
	}
	for _, known := range n.View[:n.Len] {
		if known == peer && !n.Config.Careless {
			return
		}
	}
	if n.Len < ViewMax {
		n.View[n.Len] = peer
		n.Len++
		return
	}
	n.View[d.below(ViewMax)] = peer
}

// dice is a draw of 64 bits that serves for several small ones: as a fraction, whose next
// digit is taken each time. Ten digits of base 20 use 44 of the bits, so that the chances of
// the last are equal to one in a million.
type dice uint64

// below returns a number from 0 to n−1.
func (d *dice) below(n int) int {
	digit, rest := bits.Mul64(uint64(*d), uint64(n))
	*d = dice(rest)
	return int(digit)
}

// A Shuffle carries peers, the sender first.
type Shuffle struct {
	Peers [PeersMax]uint32
	Len   uint8
	Reply bool
}

// Tick is a node's timer.
type Tick struct{}

var tick = &Tick{}

var (
	shuffleKind = actors.RegisterMessage("shuffle.shuffle", decode)
	tickKind    = actors.RegisterMessage("shuffle.tick", nil)
)

func decode(b []byte) (actors.Message, error) {
	if len(b) != messageLen || b[0] == 0 || b[0] > PeersMax || b[1] > 1 {
		return nil, codec.ErrBytes
	}
	m := &Shuffle{Len: b[0], Reply: b[1] == 1}
	for i := range m.Peers {
		m.Peers[i] = binary.LittleEndian.Uint32(b[2+4*i:])
	}
	return m, nil
}

// Kind implements [actors.Message].
func (*Shuffle) Kind() actors.Kind { return shuffleKind }

// Append implements [actors.Message].
func (m *Shuffle) Append(b []byte) []byte {
	b = codec.AppendBool(append(b, m.Len), m.Reply)
	for _, p := range m.Peers {
		b = binary.LittleEndian.AppendUint32(b, p)
	}
	return b
}

// Size implements [actors.Sizer].
func (*Shuffle) Size() int { return messageLen }

// Kind implements [actors.Message].
func (*Tick) Kind() actors.Kind { return tickKind }

// Append implements [actors.Message].
func (*Tick) Append(b []byte) []byte { return b }
