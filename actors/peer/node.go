package peer

import (
	"encoding/binary"
	"fmt"
	"slices"

	"peernet/actors"
	"peernet/actors/book"
	"peernet/actors/wire"
)

// A NodeID names a node: 16 random bytes, not authenticated.
type NodeID [wire.NodeIDLen]byte

// String returns the id in hex.
func (id NodeID) String() string { return fmt.Sprintf("%x", id[:]) }

// A Node is the root actor of a node. A host spawns it, gives it the links it
// accepts, and sends it operations; see ops.go. The fields are set before it
// starts and not changed later.
type Node struct {
	// What every message needs is the second cache line: see identity.
	identity identity
	gossip   Gossip
	store    Store

	// Config is shared by many nodes; nil stands for the defaults. It must
	// have its defaults filled in.
	Config *Config
	// ID names the node. Zero draws one at random.
	ID NodeID
	// Advertise is where the node accepts links, for its peers to know. At
	// most wire.AdvertiseMax.
	Advertise []actors.Address
	// Bootstrap is saved in the book at the start.
	Bootstrap []actors.Address
	// Book keeps the addresses. Nil is a fresh book.Memory.
	Book book.Book
}

// Receive implements [actors.Actor].
func (n *Node) Receive(ctx actors.Context, m actors.Message) {
	switch m := m.(type) {
	case *actors.LinkIn, *Connect, *Disconnect, *Attach, *Connections, *Advertise, *Announce, *Respond, *Subscribe, *Close:
		ctx.Send(n.identity.gossip, m)
	case *Save, *Learn, *Known, *Stats:
		ctx.Send(n.identity.store, m)
	case *Remove:
		ctx.Send(n.identity.gossip, &Disconnect{Address: m.Address})
		ctx.Send(n.identity.store, m)
	case *actors.Started:
		n.onStarted(ctx)
	case *closed:
		ctx.Send(n.identity.store, m)
	case *flushed:
		ctx.Send(m.call.ReplyTo, &Done{Tag: m.call.Tag, Err: m.err})
		ctx.Stop(ctx.Self())
	}
}

func (n *Node) onStarted(ctx actors.Context) {
	if n.Config == nil {
		c := Config{}.WithDefaults()
		n.Config = &c
	}
	if len(n.Advertise) > wire.AdvertiseMax {
		panic(fmt.Sprintf("peer: a node advertises at most %d addresses, not %d", wire.AdvertiseMax, len(n.Advertise)))
	}
	if n.ID == (NodeID{}) {
		binary.LittleEndian.PutUint64(n.ID[:8], ctx.Rand().Uint64())
		binary.LittleEndian.PutUint64(n.ID[8:], ctx.Rand().Uint64())
	}
	if n.Book == nil {
		n.Book = &book.Memory{}
	}
	n.identity = identity{
		root:        ctx.Self(),
		config:      n.Config,
		idText:      string(n.ID[:]),
		advertise:   n.Advertise,
		messageCost: actors.Second / actors.Time(n.Config.RateMax),
	}
	n.store = Store{node: &n.identity, table: book.NewTable(n.Book, &n.Config.Book), bootstrap: n.Bootstrap}
	n.gossip = Gossip{node: &n.identity}
	n.identity.store = ctx.Spawn("store", &n.store)
	n.identity.gossip = ctx.Spawn("gossip", &n.gossip)
	n.Bootstrap = nil
}

// Gossip returns the node's scheduler, for a simulator to look at between two
// steps of the node.
func (n *Node) Gossip() *Gossip { return &n.gossip }

// Store returns the node's address book, for a simulator to look at between
// two steps of the node.
func (n *Node) Store() *Store { return &n.store }

// listeners are the subscribers of an actor.
type listeners []listener

type listener struct {
	ref    actors.Ref
	topics Topics
}

// subscribe replaces or ends a subscription, and reports whether there was
// room.
func (l *listeners) subscribe(ctx actors.Context, m *Subscribe, most int) bool {
	l.drop(m.ReplyTo)
	switch {
	case m.Topics == 0 || m.ReplyTo.IsZero():
		return true
	case len(*l) >= most:
		return false
	}
	*l = append(*l, listener{m.ReplyTo, m.Topics})
	ctx.Watch(m.ReplyTo)
	return true
}

func (l *listeners) drop(who actors.Ref) {
	*l = slices.DeleteFunc(*l, func(x listener) bool { return x.ref == who })
}

// want reports whether anybody listens to a topic.
func (l listeners) want(topic Topics) bool {
	for _, x := range l {
		if x.topics&topic != 0 {
			return true
		}
	}
	return false
}

func (l listeners) tell(ctx actors.Context, topic Topics, m actors.Message) {
	for _, x := range l {
		if x.topics&topic != 0 {
			ctx.Send(x.ref, m)
		}
	}
}
