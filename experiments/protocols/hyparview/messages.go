package hyparview

import (
	"peernet/actors"
	"peernet/experiments/protocols/codec"
)

// PeersMax is how many addresses a message can have.
const PeersMax = 256

// Begin has a node shuffle for a number of cycles, from its user.
type Begin struct{ Cycles uint32 }

// Tick is a node's timer.
type Tick struct{}

// Join asks a contact for a place in the network.
type Join struct{ Peer actors.Address }

// ForwardJoin carries a joining node to others.
type ForwardJoin struct {
	Peer actors.Address
	Hops uint32 // that are left
}

// Neighbor asks to become a neighbour.
type Neighbor struct {
	Peer actors.Address
	High bool // priority
}

// Accept answers Join and Neighbor; a refusal is that the link is closed.
type Accept struct{}

// Shuffle carries addresses to a random node.
type Shuffle struct {
	Origin actors.Address
	Hops   uint32 // that are left
	Peers  []actors.Address
}

// ShuffleReply answers a Shuffle.
type ShuffleReply struct{ Peers []actors.Address }

var (
	tick   = &Tick{}
	accept = &Accept{}
)

var (
	beginKind = actors.RegisterMessage("hyparview.begin", nil)
	tickKind  = actors.RegisterMessage("hyparview.tick", nil)
	joinKind  = actors.RegisterMessage("hyparview.join", func(b []byte) (actors.Message, error) {
		r := codec.Reader{Bytes: b}
		m := &Join{r.Address()}
		return m, r.End()
	})
	forwardJoinKind = actors.RegisterMessage("hyparview.forward_join", func(b []byte) (actors.Message, error) {
		r := codec.Reader{Bytes: b}
		m := &ForwardJoin{r.Address(), r.Number()}
		return m, r.End()
	})
	neighborKind = actors.RegisterMessage("hyparview.neighbor", func(b []byte) (actors.Message, error) {
		r := codec.Reader{Bytes: b}
		m := &Neighbor{r.Address(), r.Bool()}
		return m, r.End()
	})
	acceptKind = actors.RegisterMessage("hyparview.accept", func(b []byte) (actors.Message, error) {
		r := codec.Reader{Bytes: b}
		return accept, r.End()
	})
	shuffleKind = actors.RegisterMessage("hyparview.shuffle", func(b []byte) (actors.Message, error) {
		r := codec.Reader{Bytes: b}
		m := &Shuffle{r.Address(), r.Number(), r.Addresses(PeersMax)}
		return m, r.End()
	})
	shuffleReplyKind = actors.RegisterMessage("hyparview.shuffle_reply", func(b []byte) (actors.Message, error) {
		r := codec.Reader{Bytes: b}
		m := &ShuffleReply{r.Addresses(PeersMax)}
		return m, r.End()
	})
)

// Kind implements [actors.Message].
func (*Begin) Kind() actors.Kind { return beginKind }

// Append implements [actors.Message].
func (m *Begin) Append(b []byte) []byte { return codec.AppendNumber(b, m.Cycles) }

// Kind implements [actors.Message].
func (*Tick) Kind() actors.Kind { return tickKind }

// Append implements [actors.Message].
func (*Tick) Append(b []byte) []byte { return b }

// Kind implements [actors.Message].
func (*Join) Kind() actors.Kind { return joinKind }

// Append implements [actors.Message].
func (m *Join) Append(b []byte) []byte { return codec.AppendAddress(b, m.Peer) }

// Kind implements [actors.Message].
func (*ForwardJoin) Kind() actors.Kind { return forwardJoinKind }

// Append implements [actors.Message].
func (m *ForwardJoin) Append(b []byte) []byte {
	return codec.AppendNumber(codec.AppendAddress(b, m.Peer), m.Hops)
}

// Kind implements [actors.Message].
func (*Neighbor) Kind() actors.Kind { return neighborKind }

// Append implements [actors.Message].
func (m *Neighbor) Append(b []byte) []byte {
	return codec.AppendBool(codec.AppendAddress(b, m.Peer), m.High)
}

// Kind implements [actors.Message].
func (*Accept) Kind() actors.Kind { return acceptKind }

// Append implements [actors.Message].
func (*Accept) Append(b []byte) []byte { return b }

// Kind implements [actors.Message].
func (*Shuffle) Kind() actors.Kind { return shuffleKind }

// Append implements [actors.Message].
func (m *Shuffle) Append(b []byte) []byte {
	b = codec.AppendNumber(codec.AppendAddress(b, m.Origin), m.Hops)
	return codec.AppendAddresses(b, m.Peers)
}

// Kind implements [actors.Message].
func (*ShuffleReply) Kind() actors.Kind { return shuffleReplyKind }

// Append implements [actors.Message].
func (m *ShuffleReply) Append(b []byte) []byte { return codec.AppendAddresses(b, m.Peers) }
