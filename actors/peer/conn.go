package peer

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"peernet/actors"
	"peernet/actors/book"
	"peernet/actors/wire"
)

// identity is what the actors of one node share; it does not change once they
// run. The last fields are what every message needs; in a Node, they begin the
// cache line that Gossip's first fields end.
type identity struct {
	config    *Config
	store     actors.Ref
	root      actors.Ref
	idText    string // the id as the data of a hello
	advertise []actors.Address

	messageCost actors.Time // a second divided by Config.RateMax
	gossip      actors.Ref
}

// id is the node's own id.
func (n *identity) id() NodeID { return NodeID([]byte(n.idText)) }

// connState is the state of a Conn.
type connState uint8

const (
	connDialling connState = iota // waiting for the link
	connHello                     // waiting for the hello and its answer
	connReady                     // waiting for Gossip's verdict
	connUp                        // in use
	connLeaving                   // refused, and still owes addresses
	connEnded                     // asked to be stopped
)

// What a Conn still expects or owes.
type connFlags uint8

const (
	gotHello       connFlags = 1 << iota // the peer's hello request was seen
	gotAnswer                            // our hello was answered
	awaitAnswer                          // a hello or ping is out
	oweAddresses                         // the Store was asked on the peer's behalf
	probing                              // Gossip waits to hear whether the peer lives
	undecided                            // the verdict was late once
	askedAddresses                       // a version 2 request for addresses is out
	claimed                              // address is what the peer claims
)

// A Conn is one connection to a peer: it speaks the handshake, keeps the link
// alive, answers for addresses, and passes requests and responses between the
// link and Gossip.
//
// The first fields are what every message from the link needs: half a cache
// line, so that they never straddle two.
type Conn struct {
	node    *identity
	heard   actors.Time // when the last message arrived
	paid    actors.Time // until when the messages received use up the rate
	state   connState
	flags   connFlags
	leaving uint8 // the wire.GoodbyeReason to come

	// ready is what is known of the peer. It is sent to Gossip as it stands,
	// and does not change from then on.
	ready

	link actors.Link
	// address was dialled or, with the flag claimed, is what the peer of an
	// accepted link advertises; else zero.
	address actors.Address
	timer   actors.Timer
	// nonce starts with the 8 bytes that name the hello or ping that is out. In
	// the handshake, 8 more name our answer to the peer's hello; then, towards
	// version 2 peers, our request for addresses.
	nonce string
}

// Receive implements [actors.Actor].
func (c *Conn) Receive(ctx actors.Context, m actors.Message) {
	if c.state == connEnded {
		return
	}
	switch m := m.(type) {
	case *wire.Frame:
		if c.admit(ctx, m) {
			c.onFrame(ctx, m)
		}
	case *send:
		c.onSend(ctx, m)
	case *tick:
		c.onTick(ctx)
	case *actors.Started:
		c.onStarted(ctx)
	case *actors.LinkUp:
		c.link = m.Link
		c.greet(ctx)
	case *actors.LinkDown:
		c.onLinkDown(ctx, m)
	case *actors.LinkMalformed:
		c.note(ctx, actors.Event{Kind: EventMalformed, Text: m.Reason})
		c.finish(ctx, wire.GoodbyeProtocol, c.failure(), "malformed: "+m.Reason)
	case *verdict:
		c.onVerdict(ctx, m)
	case *shared:
		c.onShared(ctx, m)
	case *exchange:
		c.askAddresses(ctx)
	case *probe:
		if c.flags&probing == 0 { // else its deadline stands
			c.flags |= probing
			c.sendProbe(ctx)
		}
	default:
		if c.admit(ctx, m) {
			c.onControl(ctx, m)
		}
	}
}

func (c *Conn) onStarted(ctx actors.Context) {
	if c.link != nil {
		c.greet(ctx)
		return
	}
	ctx.Dial(c.address)
	c.timer = ctx.After(c.node.config.HelloTimeout, ticks[tickConn])
}

// greet starts the handshake on a link that has just come up.
func (c *Conn) greet(ctx actors.Context) {
	ctx.Cancel(c.timer)
	c.state = connHello
	c.heard = ctx.Now()
	c.link.Bind(ctx.Self())
	c.sendHello(ctx)
	c.timer = ctx.After(c.node.config.HelloTimeout, ticks[tickConn])
}

// dialled is the address that was dialled, zero for accepted links.
func (c *Conn) dialled() actors.Address {
	if c.flags&claimed != 0 {
		return actors.Address{}
	}
	return c.address
}

// admit reports whether a message from the link may be handled, by its rate. The
// answer to a hello or ping always may: otherwise a peer that sends much could
// not show that it lives.
func (c *Conn) admit(ctx actors.Context, m actors.Message) bool {
	c.heard = ctx.Now()
	if !c.pay(ctx, 1) && !c.isAnswer(m) {
		// To observers alone: telling Gossip would cost as much as what is saved.
		ctx.Emit(actors.Event{Kind: EventThrottled, Peer: ctx.Self(), Address: c.dialled(), Message: m})
		return false
	}
	return c.state != connLeaving
}

// isAnswer reports whether m is the answer to the hello or ping that is out.
func (c *Conn) isAnswer(m actors.Message) bool {
	if c.flags&awaitAnswer == 0 {
		return false
	}
	switch m := m.(type) {
	case *wire.Pong:
		return m.Nonce == c.pingNonce()
	case *wire.Frame:
		return m.Response && m.Hops == 0 && m.Body.Type == wire.TypeHello && m.Body.Reply == c.nonce[:8]
	}
	return false
}

// pay takes n messages off the link's rate (the generic cell rate algorithm,
// ITU-T I.371), with bursts of two seconds' worth.
func (c *Conn) pay(ctx actors.Context, n actors.Time) bool {
	now := ctx.Now()
	c.paid = max(c.paid, now)
	cost := n * c.node.messageCost
	if c.paid+cost > now+2*actors.Second {
		return false
	}
	c.paid += cost
	return true
}

func (c *Conn) onFrame(ctx actors.Context, f *wire.Frame) {
	if typ := f.Body.Type; strings.HasPrefix(typ, "_") {
		switch typ {
		case wire.TypeHello:
			c.onHello(ctx, f)
			return
		case wire.TypeAddresses:
			c.onAddressFrame(ctx, f)
			return
		}
	}
	// A request may follow the hello so closely that the verdict is not there
	// yet. Gossip hears of the peer first, and decides.
	if c.state != connUp && c.state != connReady {
		c.note(ctx, actors.Event{Kind: EventEarly, Message: f})
		return
	}
	ctx.Send(c.node.gossip, f)
}

// onHello handles a hello request or an answer to ours. Neither is taken from
// further away than the neighbour.
func (c *Conn) onHello(ctx actors.Context, f *wire.Frame) {
	if f.Hops > 0 {
		c.note(ctx, actors.Event{Kind: EventInvalid, Message: f, Text: "hello from afar"})
		return
	}
	if len(f.Body.Data) != wire.NodeIDLen {
		c.note(ctx, actors.Event{Kind: EventInvalid, Message: f, Text: "hello without node id"})
		c.finish(ctx, wire.GoodbyeProtocol, c.failure(), "hello without node id")
		return
	}
	id := NodeID([]byte(f.Body.Data))
	if id == (NodeID{}) { // that is nobody's, and says "not known" below
		c.note(ctx, actors.Event{Kind: EventInvalid, Message: f, Text: "zero node id"})
		c.finish(ctx, wire.GoodbyeProtocol, c.failure(), "zero node id")
		return
	}
	if f.Response {
		if c.flags&awaitAnswer == 0 || f.Body.Reply != c.nonce[:8] {
			return
		}
		c.flags |= gotAnswer
		c.onAnswer(ctx)
	}
	if c.id != (NodeID{}) && c.id != id {
		c.note(ctx, actors.Event{Kind: EventInvalid, Message: f, Text: "node id changed"})
		c.finish(ctx, wire.GoodbyeProtocol, c.failure(), "node id changed")
		return
	}
	c.id = id
	if id == c.node.id() {
		c.finish(ctx, wire.GoodbyeSelf, book.OutcomeNone, "self")
		return
	}
	if !f.Response {
		c.onHelloRequest(ctx, f)
	}
	// onHelloRequest may have ended the Conn; then the state is another.
	if c.state == connHello && c.flags&(gotHello|gotAnswer) == gotHello|gotAnswer {
		c.state = connReady
		c.source = sourceOf(c.link.Remote())
		ctx.Send(c.node.gossip, &c.ready)
		if c.flags&claimed != 0 {
			ctx.Send(c.node.store, &met{address: c.address, remote: c.link.Remote()})
		}
	}
}

func (c *Conn) onHelloRequest(ctx actors.Context, f *wire.Frame) {
	c.transmit(ctx, wire.NewFrame(wire.Frame{Response: true}, wire.Body{
		ID: c.answerID(ctx), Reply: f.Body.ID, Type: wire.TypeHello, Data: c.node.idText,
	}))
	if c.flags&gotHello != 0 || c.state == connEnded { // the link may be full
		return
	}
	c.flags |= gotHello
	c.version = 2
	network := ""
	if h := f.Body.Hello; h != nil && h.Version >= wire.Version {
		c.version = wire.Version
		network = h.Network
	}
	if network != c.node.config.Network {
		ctx.Emit(actors.Event{Kind: EventRefused, Peer: ctx.Self(), Address: c.address, N: int64(wire.GoodbyeNetwork), Text: network})
		c.finish(ctx, wire.GoodbyeNetwork, book.OutcomeRefused, fmt.Sprintf("its network is %q, not %q", network, c.node.config.Network))
		return
	}
	if c.version == 2 {
		c.askAddresses(ctx)
		return
	}
	h := f.Body.Hello
	if c.address.IsZero() && len(h.Advertised) > 0 {
		c.address = h.Advertised[0]
		c.flags |= claimed
	}
	if !h.Observed.IsZero() {
		ctx.Emit(actors.Event{Kind: EventObserved, Peer: ctx.Self(), Address: h.Observed})
	}
	switch {
	case h.Wanted > 0:
		c.giveAddresses(ctx, h.Wanted, "", h.Advertised)
	case len(h.Advertised) > 0:
		c.learn(ctx, h.Advertised)
	}
}

// onAddressFrame handles the version 2 request for addresses, and its answers:
// one for each address.
func (c *Conn) onAddressFrame(ctx actors.Context, f *wire.Frame) {
	switch {
	case f.Response:
		c.onAddressResponse(ctx, f)
	case f.Hops > 0:
		c.note(ctx, actors.Event{Kind: EventInvalid, Message: f, Text: "address request from afar"})
	default:
		c.giveAddresses(ctx, wantedV2(f.Body), f.Body.ID, nil)
	}
}

// onAddressResponse handles one address.
func (c *Conn) onAddressResponse(ctx actors.Context, f *wire.Frame) {
	if c.flags&askedAddresses == 0 || f.Body.Reply != c.nonce[8:] {
		c.note(ctx, actors.Event{Kind: EventInvalid, Message: f, Text: "addresses not asked for"})
		return
	}
	a, err := actors.ParseAddress(f.Body.Data)
	if err != nil {
		c.note(ctx, actors.Event{Kind: EventInvalid, Message: f, Text: err.Error()})
		return
	}
	c.learn(ctx, []actors.Address{a})
}

// onControl handles the messages of version 3 links.
func (c *Conn) onControl(ctx actors.Context, m actors.Message) {
	switch m := m.(type) {
	case *wire.Addresses:
		if m.Bad > 0 {
			c.note(ctx, actors.Event{Kind: EventInvalid, N: int64(m.Bad), Text: "bad addresses"})
		}
		if len(m.List) > 0 {
			c.onAddresses(ctx, m)
		}
	case *wire.AddressRequest:
		c.giveAddresses(ctx, m.N, "", nil)
	case *wire.Ping:
		c.transmit(ctx, &wire.Pong{Nonce: m.Nonce})
	case *wire.Pong:
		if c.flags&awaitAnswer != 0 && m.Nonce == c.pingNonce() {
			c.onAnswer(ctx)
		}
	case *wire.Goodbye:
		c.onGoodbye(ctx, m)
	case *wire.Invalid:
		c.note(ctx, actors.Event{Kind: EventInvalid, Text: m.Reason})
	}
}

// onAddresses takes a list of addresses, which costs the peer as many messages of its
// rate, once it has said hello.
func (c *Conn) onAddresses(ctx actors.Context, m *wire.Addresses) {
	switch {
	case c.state != connReady && c.state != connUp:
		c.note(ctx, actors.Event{Kind: EventEarly, Message: m})
	case !c.pay(ctx, actors.Time(len(m.List)-1)):
		ctx.Emit(actors.Event{Kind: EventThrottled, Peer: ctx.Self(), Address: c.dialled(), Message: m})
	default:
		c.learn(ctx, m.List)
	}
}

// onAnswer handles the answer to a hello or ping.
func (c *Conn) onAnswer(ctx actors.Context) {
	c.flags &^= awaitAnswer
	if c.flags&probing != 0 {
		c.flags &^= probing
		ctx.Send(c.node.gossip, &alive{})
	}
}

func (c *Conn) onGoodbye(ctx actors.Context, m *wire.Goodbye) {
	ctx.Emit(actors.Event{Kind: EventGoodbye, Peer: ctx.Self(), Address: c.dialled(), N: int64(m.Reason)})
	outcome := book.OutcomeNone
	if c.state < connUp && c.flags&gotAnswer != 0 {
		outcome = book.OutcomeRefused
	}
	c.end(ctx, &gone{outcome: outcome, reason: goodbyeText(m.Reason)})
}

func (c *Conn) onLinkDown(ctx actors.Context, m *actors.LinkDown) {
	c.link = nil
	outcome := c.failure()
	why := m.Reason.String()
	if m.Text != "" {
		why += ": " + m.Text
	}
	if c.state != connUp {
		ctx.Emit(actors.Event{Kind: EventDialFailed, Peer: ctx.Self(), Address: c.dialled(), Text: why})
	} else if m.Reason == actors.ReasonClosed {
		outcome = book.OutcomeNone
	}
	c.end(ctx, &gone{outcome: outcome, reason: why})
}

// failure is the outcome of a link that ends for no good reason.
func (c *Conn) failure() book.Outcome {
	if c.state == connReady || c.state == connLeaving {
		return book.OutcomeRefused // it did answer
	}
	return book.OutcomeFailed
}

func (c *Conn) onVerdict(ctx actors.Context, v *verdict) {
	switch {
	case v.goodbye != 0 && c.state == connReady && c.flags&oweAddresses != 0:
		c.state, c.leaving = connLeaving, uint8(v.goodbye)
	case v.goodbye == wire.GoodbyeShutdown, v.goodbye == wire.GoodbyeUser, v.goodbye != 0 && c.state == connUp:
		c.finish(ctx, v.goodbye, book.OutcomeNone, v.goodbye.String())
	case v.goodbye != 0:
		c.finish(ctx, v.goodbye, book.OutcomeRefused, v.goodbye.String())
	case c.state == connReady:
		c.state = connUp
		if c.version != 2 {
			c.nonce = ""
		}
		ctx.Cancel(c.timer)
		c.timer = 0
		if !c.node.config.Static {
			c.timer = ctx.After(c.node.config.KeepAlive, ticks[tickConn])
		}
	}
}

// onTick handles the one timer of a Conn: the deadline of the dial and of the
// handshake, then the keep-alive.
func (c *Conn) onTick(ctx actors.Context) {
	c.timer = 0
	cfg := c.node.config
	silent := ctx.Now().Sub(c.heard)
	switch {
	case c.state == connReady && c.flags&undecided == 0:
		// No verdict yet: the other end is to decide about a duplicate.
		c.flags |= undecided
		c.timer = ctx.After(2*cfg.HelloTimeout, ticks[tickConn])
	case c.state == connReady:
		c.finish(ctx, wire.GoodbyeDuplicate, book.OutcomeRefused, "duplicate, undecided")
	case c.state != connUp:
		ctx.Emit(actors.Event{Kind: EventDialFailed, Peer: ctx.Self(), Address: c.dialled(), Text: "no answer to hello"})
		c.finish(ctx, wire.GoodbyeSilent, book.OutcomeFailed, "no answer to hello")
	case c.flags&awaitAnswer != 0 && silent >= cfg.HelloTimeout:
		c.finish(ctx, wire.GoodbyeSilent, book.OutcomeFailed, "silent")
	case c.flags&awaitAnswer != 0:
		// It did not answer, but it talks. A probe wants an answer.
		if c.flags&probing != 0 {
			c.finish(ctx, wire.GoodbyeSilent, book.OutcomeFailed, "did not answer a probe")
			return
		}
		c.flags &^= awaitAnswer
		c.timer = ctx.After(cfg.KeepAlive-silent, ticks[tickConn])
	case silent >= cfg.KeepAlive:
		c.sendProbe(ctx)
	default:
		c.timer = ctx.After(cfg.KeepAlive-silent, ticks[tickConn])
	}
}

// onShared passes addresses from the Store on to the peer, in the way it asked:
// a version 2 request may come before its sender's hello.
func (c *Conn) onShared(ctx actors.Context, m *shared) {
	c.flags &^= oweAddresses
	if m.reply != "" {
		for _, a := range m.List {
			c.transmit(ctx, wire.NewFrame(wire.Frame{Response: true}, wire.Body{
				ID: randomID(ctx), Reply: m.reply, Type: wire.TypeAddresses, Data: a.String(), Limit: 1,
			}))
		}
	} else {
		c.transmit(ctx, &m.Addresses)
	}
	if c.state == connLeaving {
		why := wire.GoodbyeReason(c.leaving)
		c.finish(ctx, why, book.OutcomeRefused, why.String())
	}
}

func (c *Conn) onSend(ctx actors.Context, m *send) {
	switch {
	case c.state != connUp:
	case c.version != 2:
		c.transmit(ctx, &m.Frame)
	case m.Hops <= hopsMaxV2:
		c.transmit(ctx, forVersion2(&m.Frame))
	}
}

// answerID returns the ID of our answer to a hello. It is always fresh: version
// 2 peers take it for our node id, and drop one that they saw before.
func (c *Conn) answerID(ctx actors.Context) string {
	if c.flags&gotHello == 0 && len(c.nonce) == 16 {
		return c.nonce[8:]
	}
	return randomID(ctx)
}

func (c *Conn) sendHello(ctx actors.Context) {
	if c.state == connHello {
		var both [16]byte
		binary.LittleEndian.PutUint64(both[:8], ctx.Rand().Uint64())
		binary.LittleEndian.PutUint64(both[8:], ctx.Rand().Uint64())
		c.nonce = string(both[:])
	} else {
		c.nonce = randomID(ctx) + c.nonce[8:]
	}
	c.flags |= awaitAnswer
	cfg := c.node.config
	c.transmit(ctx, wire.NewHello(wire.Body{
		ID: c.nonce[:8], Type: wire.TypeHello, Data: c.node.idText, Limit: 1,
	}, wire.Hello{
		Version: wire.Version, Network: cfg.Network, Advertised: c.advertised(),
		Observed: c.link.Remote(), Wanted: uint32(c.wanted()),
	}))
}

// advertised are the addresses of this node that mean something to the peer: those
// of loopback only if it is on this machine.
func (c *Conn) advertised() []actors.Address {
	all := c.node.advertise
	if c.link.Remote().IsLoopback() || !slices.ContainsFunc(all, actors.Address.IsLoopback) {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), actors.Address.IsLoopback)
}

// wanted is how many addresses the hello asks for.
func (c *Conn) wanted() int {
	if c.node.config.Static || c.state == connUp {
		return 0
	}
	return c.node.config.Exchange
}

// sendProbe asks the peer for a sign of life.
func (c *Conn) sendProbe(ctx actors.Context) {
	if c.version == 2 {
		c.sendHello(ctx)
	} else {
		c.nonce = randomID(ctx)
		c.flags |= awaitAnswer
		c.transmit(ctx, &wire.Ping{Nonce: c.pingNonce()})
	}
	ctx.Cancel(c.timer)
	c.timer = ctx.After(c.node.config.HelloTimeout, ticks[tickConn])
}

func (c *Conn) askAddresses(ctx actors.Context) {
	switch {
	case c.node.config.Static:
	case c.version != 2:
		c.transmit(ctx, askFor(c.node.config.Exchange))
	default:
		c.nonce = c.nonce[:8] + randomID(ctx)
		c.flags |= askedAddresses
		c.transmit(ctx, wire.NewFrame(wire.Frame{}, wire.Body{
			ID: c.nonce[8:], Type: wire.TypeAddresses, Data: requestV2(c.node.config.Exchange), Limit: 1,
		}))
	}
}

// giveAddresses has the Store answer the peer's request for n addresses. It
// costs the peer as many messages of its rate as it may get. own are addresses of
// the peer that came with the request.
func (c *Conn) giveAddresses(ctx actors.Context, n uint32, reply string, own []actors.Address) {
	count := int(min(n, wire.AddressesMax))
	if c.flags&oweAddresses != 0 || !c.pay(ctx, actors.Time(count)) {
		c.note(ctx, actors.Event{Kind: EventThrottled, Text: "address request"})
		return
	}
	c.flags |= oweAddresses
	ctx.Send(c.node.store, &share{
		n: count, reply: reply, to: c.address,
		learn: learn{list: own, from: c.dialled(), remote: c.link.Remote()},
	})
}

func (c *Conn) learn(ctx actors.Context, list []actors.Address) {
	ctx.Send(c.node.store, &learn{list: list, from: c.dialled(), remote: c.link.Remote()})
}

// transmit hands m to the link. A peer that does not read is cut off.
func (c *Conn) transmit(ctx actors.Context, m actors.Message) {
	if c.link == nil {
		return
	}
	if c.link.Send(m) == actors.ErrLinkFull {
		c.note(ctx, actors.Event{Kind: EventSlow})
		c.finish(ctx, 0, book.OutcomeFailed, "does not read")
	}
}

// finish says goodbye, where the peer understands it, and ends the Conn.
func (c *Conn) finish(ctx actors.Context, why wire.GoodbyeReason, o book.Outcome, reason string) {
	if c.link != nil && c.version != 2 && why != 0 {
		// A full link is closed without a goodbye.
		_ = c.link.Send(goodbye(why))
	}
	c.end(ctx, &gone{outcome: o, self: why == wire.GoodbyeSelf, reason: reason})
}

// end closes the link, tells Gossip, and stops the Conn.
func (c *Conn) end(ctx actors.Context, g *gone) {
	if c.state == connEnded {
		return
	}
	if c.link != nil {
		c.link.Close()
		c.link = nil
	}
	c.state = connEnded
	ctx.Send(c.node.gossip, g)
	ctx.Stop(ctx.Self())
}

// note reports an event to observers and to subscribers of TopicDebug.
func (c *Conn) note(ctx actors.Context, e actors.Event) {
	e.Peer, e.Address = ctx.Self(), c.dialled()
	ctx.Emit(e)
	ctx.Send(c.node.gossip, &note{e})
}

// pingNonce is the nonce as a ping carries it.
func (c *Conn) pingNonce() uint64 { return binary.LittleEndian.Uint64([]byte(c.nonce[:8])) }

// randomID names a message of ours.
func randomID(ctx actors.Context) string {
	var id [8]byte
	binary.LittleEndian.PutUint64(id[:], ctx.Rand().Uint64())
	return string(id[:])
}
