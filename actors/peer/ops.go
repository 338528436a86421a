package peer

import (
	"encoding/binary"
	"errors"
	"fmt"

	"peernet/actors"
	"peernet/actors/book"
	"peernet/actors/wire"
)

// The operations of a node. A host, or any actor of the node, sends them to
// the root. The answer goes to ReplyTo, carries the same Tag, and is a *Done
// unless another type is named; a zero ReplyTo wants no answer.

// A Call is the part that all operations share.
type Call struct {
	ReplyTo actors.Ref
	Tag     uint64
}

// Save adds an address for good and lifts an earlier Remove. Done means that
// it is durable.
type Save struct {
	Call
	Address actors.Address
}

// Learn adds addresses that the user knows of without wanting them for good: they
// are used and forgotten as those that peers tell. Done follows at the next commit.
type Learn struct {
	Call
	List []actors.Address
}

// Remove forgets an address; whatever peers say, it stays away for
// Config.Book.RemovedFor. A link to it is closed. Done means that the removal
// is durable.
type Remove struct {
	Call
	Address actors.Address
}

// Known asks for entries of the address book, from position Start on, at most
// Max and at most 1024 at a time, and for their number. The answer is a
// *KnownPage.
type Known struct {
	Call
	Start, Max int
}

// KnownPage answers Known. Next is the next Start, or −1 at the end. Addresses
// that come and go between pages may be missed or seen twice.
type KnownPage struct {
	Tag     uint64
	Entries []book.Entry
	Next    int
	Total   int // entries of the book
}

// Stats asks what is known of one address. The answer is a *StatsResult.
type Stats struct {
	Call
	Address actors.Address
}

// StatsResult answers Stats.
type StatsResult struct {
	Tag   uint64
	Found bool
	Entry book.Entry
}

// Connect dials an address now. Done follows when the link is in use, or another
// to the same peer, or with the error.
type Connect struct {
	Call
	Address actors.Address
}

// Disconnect says goodbye to the peer at an address that this node dialled, or
// to the connection Peer if the address is zero.
type Disconnect struct {
	Call
	Address actors.Address
	Peer    actors.Ref
}

// Attach makes a connection of a link that came to be outside, as the
// original's createStream did. Outbound says that this end opened it; others
// count towards Config.HandshakesMax and Config.InboundMax.
type Attach struct {
	Call
	Link     actors.Link
	Outbound bool
}

// Connections asks for the connections in use. The answer is a
// *ConnectionList.
type Connections struct{ Call }

// ConnectionList answers Connections.
type ConnectionList struct {
	Tag  uint64
	List []Connection
}

// A Connection is a link in use.
type Connection struct {
	Peer     actors.Ref // names it within this run of the node
	ID       NodeID
	Address  actors.Address // the dialled address, zero for accepted links
	Outbound bool
	// Negotiated says that the link is by WebRTC.
	Negotiated bool
	Version    int // of the wire, 2 or 3
}

// Advertise tells the peers of connections to come of one more address where this
// node accepts links.
type Advertise struct {
	Call
	Address actors.Address
}

// Announce sends a request into the network. The answer is an *Announced, and
// subscribers of TopicResponse get the responses.
type Announce struct {
	Call
	Type  string // at most wire.TypeMax bytes, without a leading underscore
	Data  string // at most wire.DataMax bytes
	Limit uint32 // times that it is passed on at most; 0 is no limit but the network's own
}

// Announced answers Announce.
type Announced struct {
	Tag uint64
	ID  string // of the request; responses name it
	Err error
}

// Respond answers a request that this node received.
type Respond struct {
	Call
	Request string // the ID of the request
	Type    string // as in Announce
	Data    string
}

// Subscribe makes ReplyTo a listener for the given topics, in place of an
// earlier subscription; Topics 0 ends it. A listener that stops is forgotten.
type Subscribe struct {
	Call
	Topics Topics
}

// Topics is a set of what a listener can hear.
type Topics uint8

// The topics of Subscribe, with the messages that they bring.
const (
	TopicRequest    Topics = 1 << iota // *Received
	TopicResponse                      // *Received
	TopicConnect                       // *Connected
	TopicDisconnect                    // *Disconnected
	TopicKnown                         // *Learned
	TopicDebug                         // *Debug
)

// Received is a request that arrived for the first time, or a response to a
// request of this node.
type Received struct{ Frame *wire.Frame }

// Connected says that a connection is in use.
type Connected struct{ Connection Connection }

// Disconnected says that a connection ended, and why.
type Disconnected struct {
	Connection Connection
	Reason     string
}

// Learned says that an address is new in the book.
type Learned struct{ Address actors.Address }

// Debug tells of an event that an operator may want to see.
type Debug struct{ Event actors.Event }

// Close says goodbye to all peers and ends the node. Done comes just before
// the end.
type Close struct{ Call }

// Done says that an operation succeeded, or why it failed.
type Done struct {
	Tag uint64
	Err error
}

// Errors of operations.
var (
	ErrNotConnected = errors.New("peer: no such connection")
	ErrNoRoute      = errors.New("peer: no way back to the origin of the request")
	ErrTooLong      = fmt.Errorf("peer: type or data is too long: at most %d and %d bytes are allowed", wire.TypeMax, wire.DataMax)
	ErrReservedType = errors.New("peer: types that start with an underscore are reserved, as is " + wire.TypeSignal)
	ErrSelf         = errors.New("peer: the address is this node's own")
	ErrClosing      = errors.New("peer: the node is closing")
	ErrRefused      = errors.New("peer: refused")
	ErrFailed       = errors.New("peer: could not connect")
	ErrBusy         = errors.New("peer: already connecting or connected")
	ErrSubscribers  = errors.New("peer: too many subscribers")
	ErrAdvertise    = errors.New("peer: too many advertised addresses")
	ErrHandshakes   = errors.New("peer: too many accepted links that have not said hello")
)

var (
	saveKind           = actors.RegisterMessage("peer.save", nil)
	learnOpKind        = actors.RegisterMessage("peer.learn_op", nil)
	removeKind         = actors.RegisterMessage("peer.remove", nil)
	knownKind          = actors.RegisterMessage("peer.known", nil)
	knownPageKind      = actors.RegisterMessage("peer.known_page", nil)
	statsKind          = actors.RegisterMessage("peer.stats", nil)
	statsResultKind    = actors.RegisterMessage("peer.stats_result", nil)
	connectKind        = actors.RegisterMessage("peer.connect", nil)
	disconnectKind     = actors.RegisterMessage("peer.disconnect", nil)
	attachKind         = actors.RegisterMessage("peer.attach", nil)
	connectionsKind    = actors.RegisterMessage("peer.connections", nil)
	connectionListKind = actors.RegisterMessage("peer.connection_list", nil)
	advertiseKind      = actors.RegisterMessage("peer.advertise", nil)
	announceKind       = actors.RegisterMessage("peer.announce", nil)
	announcedKind      = actors.RegisterMessage("peer.announced", nil)
	respondKind        = actors.RegisterMessage("peer.respond", nil)
	subscribeKind      = actors.RegisterMessage("peer.subscribe", nil)
	receivedKind       = actors.RegisterMessage("peer.received", nil)
	connectedKind      = actors.RegisterMessage("peer.connected", nil)
	disconnectedKind   = actors.RegisterMessage("peer.disconnected", nil)
	learnedKind        = actors.RegisterMessage("peer.learned", nil)
	debugKind          = actors.RegisterMessage("peer.debug", nil)
	closeKind          = actors.RegisterMessage("peer.close", nil)
	doneKind           = actors.RegisterMessage("peer.done", nil)
)

// Kind implements [actors.Message].
func (*Save) Kind() actors.Kind { return saveKind }

// Kind implements [actors.Message].
func (*Learn) Kind() actors.Kind { return learnOpKind }

// Kind implements [actors.Message].
func (*Remove) Kind() actors.Kind { return removeKind }

// Kind implements [actors.Message].
func (*Known) Kind() actors.Kind { return knownKind }

// Kind implements [actors.Message].
func (*KnownPage) Kind() actors.Kind { return knownPageKind }

// Kind implements [actors.Message].
func (*Stats) Kind() actors.Kind { return statsKind }

// Kind implements [actors.Message].
func (*StatsResult) Kind() actors.Kind { return statsResultKind }

// Kind implements [actors.Message].
func (*Connect) Kind() actors.Kind { return connectKind }

// Kind implements [actors.Message].
func (*Disconnect) Kind() actors.Kind { return disconnectKind }

// Kind implements [actors.Message].
func (*Attach) Kind() actors.Kind { return attachKind }

// Kind implements [actors.Message].
func (*Connections) Kind() actors.Kind { return connectionsKind }

// Kind implements [actors.Message].
func (*ConnectionList) Kind() actors.Kind { return connectionListKind }

// Kind implements [actors.Message].
func (*Advertise) Kind() actors.Kind { return advertiseKind }

// Kind implements [actors.Message].
func (*Announce) Kind() actors.Kind { return announceKind }

// Kind implements [actors.Message].
func (*Announced) Kind() actors.Kind { return announcedKind }

// Kind implements [actors.Message].
func (*Respond) Kind() actors.Kind { return respondKind }

// Kind implements [actors.Message].
func (*Subscribe) Kind() actors.Kind { return subscribeKind }

// Kind implements [actors.Message].
func (*Received) Kind() actors.Kind { return receivedKind }

// Kind implements [actors.Message].
func (*Connected) Kind() actors.Kind { return connectedKind }

// Kind implements [actors.Message].
func (*Disconnected) Kind() actors.Kind { return disconnectedKind }

// Kind implements [actors.Message].
func (*Learned) Kind() actors.Kind { return learnedKind }

// Kind implements [actors.Message].
func (*Debug) Kind() actors.Kind { return debugKind }

// Kind implements [actors.Message].
func (*Close) Kind() actors.Kind { return closeKind }

// Kind implements [actors.Message].
func (*Done) Kind() actors.Kind { return doneKind }

// Append implements [actors.Message].
func (c *Call) Append(b []byte) []byte {
	return binary.AppendUvarint(actors.AppendRef(b, c.ReplyTo), c.Tag)
}

// Append implements [actors.Message].
func (m *Save) Append(b []byte) []byte {
	return actors.AppendString(m.Call.Append(b), m.Address.String())
}

// Append implements [actors.Message].
func (m *Learn) Append(b []byte) []byte { return appendAddresses(m.Call.Append(b), m.List) }

// Append implements [actors.Message].
func (m *Remove) Append(b []byte) []byte {
	return actors.AppendString(m.Call.Append(b), m.Address.String())
}

// Append implements [actors.Message].
func (m *Known) Append(b []byte) []byte {
	return appendInts(m.Call.Append(b), int64(m.Start), int64(m.Max))
}

// Append implements [actors.Message].
func (m *KnownPage) Append(b []byte) []byte {
	b = appendInts(b, int64(m.Tag), int64(m.Next), int64(m.Total), int64(len(m.Entries)))
	for _, e := range m.Entries {
		b = appendEntry(b, e)
	}
	return b
}

// Append implements [actors.Message].
func (m *Stats) Append(b []byte) []byte {
	return actors.AppendString(m.Call.Append(b), m.Address.String())
}

// Append implements [actors.Message].
func (m *StatsResult) Append(b []byte) []byte {
	return appendEntry(appendBool(appendInts(b, int64(m.Tag)), m.Found), m.Entry)
}

// Append implements [actors.Message].
func (m *Connect) Append(b []byte) []byte {
	return actors.AppendString(m.Call.Append(b), m.Address.String())
}

// Append implements [actors.Message].
func (m *Disconnect) Append(b []byte) []byte {
	return actors.AppendRef(actors.AppendString(m.Call.Append(b), m.Address.String()), m.Peer)
}

// Append implements [actors.Message].
func (m *Attach) Append(b []byte) []byte {
	b = actors.AppendString(m.Call.Append(b), m.Link.Remote().String())
	return appendBool(b, m.Outbound)
}

// Append implements [actors.Message].
func (m *ConnectionList) Append(b []byte) []byte {
	b = appendInts(b, int64(m.Tag), int64(len(m.List)))
	for _, c := range m.List {
		b = c.append(b)
	}
	return b
}

// Append implements [actors.Message].
func (m *Advertise) Append(b []byte) []byte {
	return actors.AppendString(m.Call.Append(b), m.Address.String())
}

// Append implements [actors.Message].
func (m *Announce) Append(b []byte) []byte {
	b = actors.AppendString(actors.AppendString(m.Call.Append(b), m.Type), m.Data)
	return appendInts(b, int64(m.Limit))
}

// Append implements [actors.Message].
func (m *Announced) Append(b []byte) []byte {
	return appendError(actors.AppendString(appendInts(b, int64(m.Tag)), m.ID), m.Err)
}

// Append implements [actors.Message].
func (m *Respond) Append(b []byte) []byte {
	b = actors.AppendString(m.Call.Append(b), m.Request)
	return actors.AppendString(actors.AppendString(b, m.Type), m.Data)
}

// Append implements [actors.Message].
func (m *Subscribe) Append(b []byte) []byte { return append(m.Call.Append(b), byte(m.Topics)) }

// Append implements [actors.Message].
func (m *Received) Append(b []byte) []byte { return m.Frame.Append(b) }

// Append implements [actors.Message].
func (m *Connected) Append(b []byte) []byte { return m.Connection.append(b) }

// Append implements [actors.Message].
func (m *Disconnected) Append(b []byte) []byte {
	return actors.AppendString(m.Connection.append(b), m.Reason)
}

// Append implements [actors.Message].
func (m *Learned) Append(b []byte) []byte { return actors.AppendString(b, m.Address.String()) }

// Append implements [actors.Message].
func (m *Debug) Append(b []byte) []byte {
	b = actors.AppendString(b, m.Event.Kind.String())
	b = actors.AppendString(actors.AppendRef(b, m.Event.Peer), m.Event.Address.String())
	return actors.AppendString(appendInts(b, m.Event.N), m.Event.Text)
}

// Append implements [actors.Message].
func (m *Done) Append(b []byte) []byte { return appendError(appendInts(b, int64(m.Tag)), m.Err) }

func (c Connection) append(b []byte) []byte {
	b = append(actors.AppendRef(b, c.Peer), c.ID[:]...)
	b = actors.AppendString(b, c.Address.String())
	return appendInts(appendBool(appendBool(b, c.Outbound), c.Negotiated), int64(c.Version))
}

func appendEntry(b []byte, e book.Entry) []byte {
	b = appendBool(actors.AppendString(b, e.Address.String()), e.Saved)
	return appendInts(b, int64(e.Source), int64(e.Seen), int64(e.OK), int64(e.Fail), int64(e.Rx), int64(e.Tx),
		int64(e.Tried), int64(e.Retry), int64(e.Streak))
}

func appendInts(b []byte, values ...int64) []byte {
	for _, v := range values {
		b = binary.AppendVarint(b, v)
	}
	return b
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

func appendError(b []byte, err error) []byte {
	if err == nil {
		return append(b, 0)
	}
	return actors.AppendString(append(b, 1), err.Error())
}
