package adversary

import (
	"bytes"
	"encoding/binary"
	"slices"
	"time"

	"peernet/actors"
	"peernet/actors/book"
	"peernet/actors/peer"
	"peernet/actors/wire"
)

// self is what the actors of one machine share; it does not change once they
// run.
type self struct {
	config Config
	traits *traits
	root   actors.Ref
	seed   [2]uint64 // of the ids
}

// id returns the node id of a link: one for all, or one for each.
func (s *self) id(number uint32) (id peer.NodeID) {
	if !s.traits.many {
		number = 0
	}
	binary.LittleEndian.PutUint64(id[:8], actors.Mix(s.seed[0], uint64(number)))
	binary.LittleEndian.PutUint64(id[8:], actors.Mix(s.seed[1], uint64(number)))
	return id
}

// advertised are the addresses that a link shows as this machine's: with many
// identities one, so that each seems to be elsewhere as far as there are
// addresses.
func (s *self) advertised(number uint32) []actors.Address {
	own := s.config.Advertise
	n := s.side()
	if !s.traits.many || n == 0 {
		return own
	}
	return []actors.Address{s.sideAt(int(number % uint32(n)))}
}

// side is how many addresses are of this machine and its colluders.
func (s *self) side() int { return len(s.config.Advertise) + len(s.config.Colluders) }

func (s *self) sideAt(i int) actors.Address {
	if own := len(s.config.Advertise); i >= own {
		return s.config.Colluders[i-own]
	}
	return s.config.Advertise[i]
}

// A conduct is what a role does besides what every machine does.
type conduct interface {
	// act does n actions of the role, n > 0.
	act(ctx actors.Context, m *machine, n int)
	// hear handles a request or response that a speaker brings, if the role is
	// told of them.
	hear(ctx actors.Context, m *machine, f *wire.Frame, from actors.Ref)
	// tell returns at most n addresses, for a peer that asks; 0 ≤ n ≤
	// wire.AddressesMax.
	tell(ctx actors.Context, m *machine, n int) *wire.Addresses
}

// A contact is what the root knows of a speaker.
type contact struct {
	speaker actors.Ref
	address actors.Address // dialled, or shown by the peer of an accepted link
	id      peer.NodeID    // of the peer, once it is up
	out     bool           // dialled by this machine
	up      bool           // the handshake is over
}

// A machine is the root actor of a hostile node.
type machine struct {
	self
	conduct   conduct
	contacts  []contact
	known     []actors.Address // learned from peers
	pace      pace
	links     uint32 // that there ever were
	pending   int    // messages that wait for their delay
	refilling bool   // tickUpkeep is armed
}

// upkeep is how often a machine that lacks links dials. An honest node does at
// once what it may, and no more of it than this.
const upkeep = time.Second

// Receive implements [actors.Actor].
func (m *machine) Receive(ctx actors.Context, msg actors.Message) {
	switch msg := msg.(type) {
	case *wire.Frame:
		m.conduct.hear(ctx, m, msg, ctx.Sender())
	case *tick:
		m.onTick(ctx, *msg)
	case *delayed:
		m.pending--
		ctx.Emit(actors.Event{Kind: EventDelayed, Message: msg.frame, N: int64(m.pass(ctx, msg))})
	case *actors.LinkIn:
		m.attach(ctx, msg.Link, false)
	case *peer.Attach: // a simulation of a static overlay makes links so
		m.attach(ctx, msg.Link, msg.Outbound)
	case *met:
		m.onMet(ctx, msg)
	case *told:
		m.onTold(ctx, msg)
	case *asked:
		list := m.conduct.tell(ctx, m, int(min(msg.n, wire.AddressesMax)))
		ctx.Send(ctx.Sender(), &say{[]actors.Message{list}})
	case *ended:
		m.onEnded(ctx, msg)
	case *actors.Started:
		m.onStarted(ctx)
	}
}

func (m *machine) onStarted(ctx actors.Context) {
	m.root = ctx.Self()
	m.seed = [2]uint64{ctx.Rand().Uint64(), ctx.Rand().Uint64()}
	if m.traits.rate > 0 {
		m.pace = pace{rate: int64(m.config.Rate), since: ctx.Now()}
		ctx.After(1+time.Duration(ctx.Rand().Int64N(int64(m.pace.period()))), ticks[tickAct])
	}
	m.refill(ctx)
}

func (m *machine) onTick(ctx actors.Context, t tick) {
	switch t {
	case tickAct:
		ctx.After(m.pace.period(), ticks[tickAct])
		if n := m.pace.due(ctx.Now()); n > 0 {
			m.conduct.act(ctx, m, n)
		}
	case tickUpkeep:
		m.refilling = false
		m.refill(ctx)
	}
}

// refill dials as many as are missing, and again after a while if they were.
func (m *machine) refill(ctx actors.Context) {
	missing := m.config.Connections - m.outbound()
	if m.traits.dials || m.refilling || missing <= 0 {
		return
	}
	m.refilling = true
	ctx.After(upkeep, ticks[tickUpkeep])
	for range missing {
		m.dialAny(ctx)
	}
}

// outbound counts the links that this machine dialled, those on their way
// included.
func (m *machine) outbound() (n int) {
	for i := range m.contacts {
		if m.contacts[i].out {
			n++
		}
	}
	return n
}

// targetTries is how many addresses are looked at for one to dial.
const targetTries = 16

// dialAny dials a random address that is neither this machine's nor, for roles
// of many identities, a colluder's. Roles of one identity dial nobody twice.
func (m *machine) dialAny(ctx actors.Context) {
	n := m.addresses()
	if n == 0 {
		return
	}
	for range targetTries {
		a := m.addressAt(ctx.Rand().IntN(n))
		switch {
		case slices.Contains(m.config.Advertise, a):
		case m.traits.many && slices.Contains(m.config.Colluders, a):
		case !m.traits.many && slices.ContainsFunc(m.contacts, func(c contact) bool { return c.address == a }):
		default:
			m.dial(ctx, a)
			return
		}
	}
}

func (m *machine) dial(ctx actors.Context, a actors.Address) {
	speaker := m.spawn(ctx, nil, a)
	m.contacts = append(m.contacts, contact{speaker: speaker, address: a, out: true})
	ctx.Emit(actors.Event{Kind: EventDialled, Peer: speaker, Address: a})
}

// attach takes a link that is open. Handshakes beyond Inbound are finished, to
// say politely that there is no room, but not very many.
func (m *machine) attach(ctx actors.Context, l actors.Link, out bool) {
	if len(m.contacts) >= m.config.Connections+2*m.config.Inbound {
		l.Close()
		return
	}
	speaker := m.spawn(ctx, l, actors.Address{})
	l.Bind(speaker)
	m.contacts = append(m.contacts, contact{speaker: speaker, out: out})
}

func (m *machine) spawn(ctx actors.Context, l actors.Link, to actors.Address) actors.Ref {
	m.links++
	return ctx.Spawn("speaker", &speaker{self: &m.self, link: l, to: to, number: m.links})
}

// find returns the index of a speaker's contact, or −1.
func (m *machine) find(speaker actors.Ref) int {
	return slices.IndexFunc(m.contacts, func(c contact) bool { return c.speaker == speaker })
}

// isUp reports whether a speaker has finished its handshake and lives.
func (m *machine) isUp(speaker actors.Ref) bool {
	i := m.find(speaker)
	return i >= 0 && m.contacts[i].up
}

func (m *machine) onMet(ctx actors.Context, msg *met) {
	i := m.find(ctx.Sender())
	if i < 0 {
		return
	}
	c := &m.contacts[i]
	older := slices.IndexFunc(m.contacts, func(o contact) bool { return o.up && o.id == msg.id })
	c.id, c.up = msg.id, true
	if c.address.IsZero() {
		c.address = msg.address
	}
	ctx.Emit(actors.Event{Kind: EventMet, Peer: c.speaker, Address: c.address, N: flag(c.out)})
	own := m.id(0)
	switch {
	case older >= 0 && !m.traits.many && bytes.Compare(own[:], msg.id[:]) < 0:
		// The lower id decides, and the older link lives as far as we know.
		ctx.Send(c.speaker, &leave{wire.GoodbyeDuplicate})
	case !c.out && m.inboundUp() > m.config.Inbound:
		ctx.Send(c.speaker, &leave{wire.GoodbyeFull})
	}
}

func (m *machine) inboundUp() (n int) {
	for i := range m.contacts {
		if m.contacts[i].up && !m.contacts[i].out {
			n++
		}
	}
	return n
}

func (m *machine) onEnded(ctx actors.Context, msg *ended) {
	i := m.find(ctx.Sender())
	if i < 0 {
		return
	}
	c := m.contacts[i]
	m.contacts = slices.Delete(m.contacts, i, i+1)
	ctx.Emit(actors.Event{Kind: EventLost, Peer: c.speaker, Address: c.address, N: int64(msg.why)})
	if c.out && !c.up && msg.why == 0 {
		m.forget(c.address)
	}
	m.refill(ctx)
}

// addresses is how many the machine knows, and addressAt one of them.
func (m *machine) addresses() int { return len(m.config.Known) + len(m.known) }

func (m *machine) addressAt(i int) actors.Address {
	if given := len(m.config.Known); i >= given {
		return m.known[i-given]
	}
	return m.config.Known[i]
}

// onTold learns addresses. A full list forgets a random one for each.
func (m *machine) onTold(ctx actors.Context, msg *told) {
	for _, a := range msg.list {
		switch {
		case slices.Contains(m.config.Advertise, a), slices.Contains(m.known, a), slices.Contains(m.config.Known, a):
		case len(m.known) < m.config.KnownMax:
			m.known = append(m.known, a)
		default:
			m.known[ctx.Rand().IntN(len(m.known))] = a
		}
	}
}

func (m *machine) forget(a actors.Address) {
	if i := slices.Index(m.known, a); i >= 0 {
		m.known[i] = m.known[len(m.known)-1]
		m.known = m.known[:len(m.known)-1]
	}
}

// pick draws a contact that is up, other than a speaker's, or returns −1.
func (m *machine) pick(ctx actors.Context, except actors.Ref) int {
	chosen, count := -1, 0
	for i := range m.contacts {
		if c := &m.contacts[i]; c.up && c.speaker != except {
			if count++; ctx.Rand().IntN(count) == 0 {
				chosen = i
			}
		}
	}
	return chosen
}

// sayToAny has a random speaker say something, and reports whether there is one.
func (m *machine) sayToAny(ctx actors.Context, except actors.Ref, msg actors.Message) bool {
	i := m.pick(ctx, except)
	if i < 0 {
		return false
	}
	ctx.Send(m.contacts[i].speaker, &say{[]actors.Message{msg}})
	return true
}

// A member stands for what a role does not do: it acts not, hears nothing, and
// tells what it knows.
type member struct{}

func (member) act(actors.Context, *machine, int)                      {}
func (member) hear(actors.Context, *machine, *wire.Frame, actors.Ref) {}

func (member) tell(ctx actors.Context, m *machine, n int) *wire.Addresses {
	var space [wire.AddressesMax]int
	list := make([]actors.Address, 0, n)
	for _, i := range book.Sample(space[:0], m.addresses(), n, ctx.Rand()) {
		list = append(list, m.addressAt(i))
	}
	return wire.NewAddresses(list)
}

// flag is b as the N of an event.
func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
