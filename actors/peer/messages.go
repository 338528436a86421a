package peer

import (
	"peernet/actors"
	"peernet/actors/book"
	"peernet/actors/wire"
)

// The messages between the actors of one node.

// send tells a Conn to send a frame. Many Conns share one.
type send struct{ wire.Frame }

// ready tells Gossip that a Conn knows its peer, and asks for a verdict.
type ready struct {
	version uint8 // of the wire, 0 while unknown
	id      NodeID
	source  source // where the peer is seen
}

// gone tells Gossip that a Conn ends; it is the last thing a Conn says.
type gone struct {
	outcome book.Outcome
	self    bool // the other end turned out to be this node
	reason  string
}

// verdict is Gossip's answer to ready, and how it ends a Conn later. The zero
// goodbye accepts.
type verdict struct{ goodbye wire.GoodbyeReason }

// probe tells a Conn to find out whether its peer still answers.
type probe struct{}

// alive tells Gossip that the peer answered a probe.
type alive struct{}

// exchange tells a Conn to ask its peer for addresses.
type exchange struct{}

// learn tells the Store of addresses that a peer sent. from is the dialled
// address of the peer or zero, remote is where the peer is seen.
type learn struct {
	list         []actors.Address
	from, remote actors.Address
}

// met tells the Store that a peer which connected has finished the handshake:
// the address that it advertises, and where it is seen.
type met struct{ address, remote actors.Address }

// share asks the Store for addresses to give to a peer, and tells it of those
// that came with the request. reply is the ID of a version 2 request, for
// shared to repeat. to is the peer's address, dialled or claimed, which it need
// not be told.
type share struct {
	n     int
	reply string
	to    actors.Address
	learn learn
}

// shared answers share.
type shared struct {
	wire.Addresses
	reply string
	space [10]actors.Address // for a list of the usual length
}

// draw asks the Store for addresses to dial.
type draw struct {
	n       int
	refresh bool
}

// draws holds the usual draws, so that asking does not allocate.
var draws = func() (d [8]draw) {
	for n := range d {
		d[n].n = n
	}
	return d
}()

func drawOf(n int) *draw {
	if n < len(draws) {
		return &draws[n]
	}
	return &draw{n: n}
}

// drawn answers draw.
type drawn struct {
	list    []actors.Address
	refresh bool
	space   [5]actors.Address // for a list of the usual length
}

// suspect asks Gossip to find out whether an address still answers.
type suspect struct{ address actors.Address }

// fresh tells Gossip that the Store learned addresses after a draw that gave
// fewer than asked for.
type fresh struct{}

// result tells the Store how a dial ended.
type result struct {
	address actors.Address
	outcome book.Outcome
	self    bool
}

// seek has the Negotiator open a link by an offer, in one of the ways of WebRTC.
type seek struct{ way peerWay }

// found answers seek, and brings links that came of answering others. link is nil
// if it came to nothing.
type found struct {
	way  peerWay
	link actors.Link
}

// cast has Gossip send a signal: an offer as the request id, or an answer to a
// request.
type cast struct {
	id, request string
	data        string
	limit       uint32
}

// offerIn tells the Negotiator of an offer that came with a request, by a peer of
// a number.
type offerIn struct {
	request string
	signal  *wire.Signal
	by      uint16
}

// answerIn tells the Negotiator of an answer to a request.
type answerIn struct {
	request string
	signal  *wire.Signal
}

// attemptTick is the timer of one attempt of the Negotiator.
type attemptTick struct{ serial uint32 }

// closed tells the root, and the root the Store, that all links are closed.
type closed struct{ call Call }

// flushed tells the root that the Store has committed.
type flushed struct {
	call Call
	err  error
}

// note tells Gossip of an event that subscribers of TopicDebug want to hear.
type note struct{ event actors.Event }

// verdicts and goodbyes hold one value for each reason, so that saying goodbye
// does not allocate.
var (
	verdicts     [wire.GoodbyeReasons]verdict
	goodbyes     [wire.GoodbyeReasons]wire.Goodbye
	goodbyeTexts [wire.GoodbyeReasons]string
)

func init() {
	for r := range wire.GoodbyeReason(wire.GoodbyeReasons) {
		verdicts[r].goodbye = r
		goodbyes[r].Reason = r
		goodbyeTexts[r] = goodbyePrefix + r.String()
	}
}

// asks holds a request for each number of addresses.
var asks = func() (a [wire.AddressesMax + 1]wire.AddressRequest) {
	for n := range a {
		a[n].N = uint32(n)
	}
	return a
}()

func askFor(n int) *wire.AddressRequest { return &asks[n] }

// goodbyePrefix starts the reason of a connection that the peer ended.
const goodbyePrefix = "goodbye: "

func goodbye(r wire.GoodbyeReason) *wire.Goodbye { return &goodbyes[r] }

func goodbyeText(r wire.GoodbyeReason) string {
	if r < wire.GoodbyeReasons {
		return goodbyeTexts[r]
	}
	return goodbyePrefix + r.String()
}

// tick is a timer; each actor has its own.
type tick uint8

const (
	tickConn tick = iota + 1
	tickInterval
	tickRefresh
	tickSettled
	tickPurge
	tickCommit
	tickClose
	tickDoubt
)

// ticks are the tick messages: one value each, so that arming a timer does not
// allocate.
var ticks = func() (t [tickDoubt + 1]*tick) {
	for i := range t {
		v := tick(i)
		t[i] = &v
	}
	return t
}()

var (
	sendKind     = actors.RegisterMessage("peer.send", nil)
	readyKind    = actors.RegisterMessage("peer.ready", nil)
	goneKind     = actors.RegisterMessage("peer.gone", nil)
	verdictKind  = actors.RegisterMessage("peer.verdict", nil)
	probeKind    = actors.RegisterMessage("peer.probe", nil)
	aliveKind    = actors.RegisterMessage("peer.alive", nil)
	exchangeKind = actors.RegisterMessage("peer.exchange", nil)
	learnKind    = actors.RegisterMessage("peer.learn", nil)
	metKind      = actors.RegisterMessage("peer.met", nil)
	shareKind    = actors.RegisterMessage("peer.share", nil)
	sharedKind   = actors.RegisterMessage("peer.shared", nil)
	drawKind     = actors.RegisterMessage("peer.draw", nil)
	drawnKind    = actors.RegisterMessage("peer.drawn", nil)
	suspectKind  = actors.RegisterMessage("peer.suspect", nil)
	freshKind    = actors.RegisterMessage("peer.fresh", nil)
	resultKind   = actors.RegisterMessage("peer.result", nil)
	closedKind   = actors.RegisterMessage("peer.closed", nil)
	flushedKind  = actors.RegisterMessage("peer.flushed", nil)
	seekKind     = actors.RegisterMessage("peer.seek", nil)
	foundKind    = actors.RegisterMessage("peer.found", nil)
	castKind     = actors.RegisterMessage("peer.cast", nil)
	offerInKind  = actors.RegisterMessage("peer.offer_in", nil)
	answerInKind = actors.RegisterMessage("peer.answer_in", nil)
	attemptKind  = actors.RegisterMessage("peer.attempt_tick", nil)
	noteKind     = actors.RegisterMessage("peer.note", nil)
	tickKind     = actors.RegisterMessage("peer.tick", nil)
)

func (*send) Kind() actors.Kind        { return sendKind }
func (*ready) Kind() actors.Kind       { return readyKind }
func (*gone) Kind() actors.Kind        { return goneKind }
func (*verdict) Kind() actors.Kind     { return verdictKind }
func (*probe) Kind() actors.Kind       { return probeKind }
func (*alive) Kind() actors.Kind       { return aliveKind }
func (*exchange) Kind() actors.Kind    { return exchangeKind }
func (*learn) Kind() actors.Kind       { return learnKind }
func (*met) Kind() actors.Kind         { return metKind }
func (*share) Kind() actors.Kind       { return shareKind }
func (*shared) Kind() actors.Kind      { return sharedKind }
func (*draw) Kind() actors.Kind        { return drawKind }
func (*drawn) Kind() actors.Kind       { return drawnKind }
func (*suspect) Kind() actors.Kind     { return suspectKind }
func (*fresh) Kind() actors.Kind       { return freshKind }
func (*result) Kind() actors.Kind      { return resultKind }
func (*closed) Kind() actors.Kind      { return closedKind }
func (*flushed) Kind() actors.Kind     { return flushedKind }
func (*seek) Kind() actors.Kind        { return seekKind }
func (*found) Kind() actors.Kind       { return foundKind }
func (*cast) Kind() actors.Kind        { return castKind }
func (*offerIn) Kind() actors.Kind     { return offerInKind }
func (*answerIn) Kind() actors.Kind    { return answerInKind }
func (*attemptTick) Kind() actors.Kind { return attemptKind }
func (*note) Kind() actors.Kind        { return noteKind }
func (*tick) Kind() actors.Kind        { return tickKind }

func (m *ready) Append(b []byte) []byte {
	return append(append(append(b, m.id[:]...), m.version), m.source[:]...)
}
func (m *gone) Append(b []byte) []byte {
	return actors.AppendString(appendBool(append(b, byte(m.outcome)), m.self), m.reason)
}
func (m *verdict) Append(b []byte) []byte { return appendInts(b, int64(m.goodbye)) }
func (*probe) Append(b []byte) []byte     { return b }
func (*alive) Append(b []byte) []byte     { return b }
func (*exchange) Append(b []byte) []byte  { return b }
func (m *learn) Append(b []byte) []byte {
	b = actors.AppendString(actors.AppendString(b, m.from.String()), m.remote.String())
	return appendAddresses(b, m.list)
}
func (m *met) Append(b []byte) []byte {
	return actors.AppendString(actors.AppendString(b, m.address.String()), m.remote.String())
}
func (m *share) Append(b []byte) []byte {
	b = actors.AppendString(appendInts(b, int64(m.n)), m.reply)
	return m.learn.Append(actors.AppendString(b, m.to.String()))
}
func (m *shared) Append(b []byte) []byte {
	return actors.AppendString(appendAddresses(b, m.List), m.reply)
}

// Sum implements [actors.Summer], in place of that of the Addresses.
func (m *shared) Sum() uint64 {
	return actors.Mix(m.Addresses.Sum(), actors.Sum([]byte(m.reply)))
}
func (m *draw) Append(b []byte) []byte  { return appendBool(appendInts(b, int64(m.n)), m.refresh) }
func (m *drawn) Append(b []byte) []byte { return appendBool(appendAddresses(b, m.list), m.refresh) }
func (m *suspect) Append(b []byte) []byte {
	return actors.AppendString(b, m.address.String())
}
func (*fresh) Append(b []byte) []byte { return b }
func (m *result) Append(b []byte) []byte {
	return appendBool(append(actors.AppendString(b, m.address.String()), byte(m.outcome)), m.self)
}
func (m *seek) Append(b []byte) []byte  { return append(b, byte(m.way)) }
func (m *found) Append(b []byte) []byte { return appendBool(append(b, byte(m.way)), m.link != nil) }
func (m *cast) Append(b []byte) []byte {
	b = actors.AppendString(actors.AppendString(actors.AppendString(b, m.id), m.request), m.data)
	return appendInts(b, int64(m.limit))
}
func (m *offerIn) Append(b []byte) []byte {
	return actors.AppendString(appendInts(actors.AppendString(b, m.request), int64(m.by)), m.signal.Data())
}
func (m *answerIn) Append(b []byte) []byte {
	return actors.AppendString(actors.AppendString(b, m.request), m.signal.Data())
}
func (m *attemptTick) Append(b []byte) []byte { return appendInts(b, int64(m.serial)) }
func (m *closed) Append(b []byte) []byte      { return m.call.Append(b) }
func (m *flushed) Append(b []byte) []byte     { return appendError(m.call.Append(b), m.err) }
func (m *note) Append(b []byte) []byte        { return (&Debug{m.event}).Append(b) }
func (m *tick) Append(b []byte) []byte        { return append(b, byte(*m)) }

func appendAddresses(b []byte, list []actors.Address) []byte {
	b = appendInts(b, int64(len(list)))
	for _, a := range list {
		b = actors.AppendString(b, a.String())
	}
	return b
}
