package adversary

// A Role names what a machine does.
type Role string

// The roles. Each says what an action is, of which Config.Rate is how many there
// are in a second. An action for which there is no peer, or no room, is left
// out, and not made up for.
//
// All roles but Silent, Sybil and Eclipser keep links as a node does, and so
// stand in the address books of others and on the ways of their messages. All
// roles but Delayer, Replayer and Forger pass on no request and no response.
const (
	// Flooder answers who asks for addresses with made-up ones, as many as
	// asked for and no two alike, and sends lists that nobody asked for. An
	// action is a list of 48 to one random peer; default 2. It hopes to fill
	// address books, so that nodes dial nobody and forget the living, and tell
	// others of what it told them.
	Flooder Role = "flooder"
	// Sybil is one machine with many identities. An action is the dial of a
	// random address that is not a colluder's, under a new id, until Connections
	// links are open; default 5, and 64 links. It behaves well enough to be kept,
	// and tells of nobody but its colluders and itself. It hopes to hold a large
	// share of all links and address books, at the price of one machine.
	Sybil Role = "sybil"
	// Eclipser is a Sybil with one victim. An action is a dial of Victim, until
	// Connections links are open; default 5, and 64 links. Where it is refused or
	// dropped, it dials again. It hopes to take all inbound places of the victim,
	// and, as it tells it of colluders alone, the outbound ones too: the victim
	// then sees what its colluders want it to see.
	Eclipser Role = "eclipser"
	// Dropper is a member in good standing that passes on nothing. It has no
	// actions. It hopes that announces reach fewer nodes, and that answers die on
	// their way back.
	Dropper Role = "dropper"
	// Delayer passes requests and responses on as a node does, but Config.Delay
	// later. It has no actions. It hopes to make the network slow without
	// being noticed, and that answers come when nobody waits.
	Delayer Role = "delayer"
	// Replayer passes on what it hears as a node does, and keeps some. An action
	// is to send one of these again; default 5. Half of them go as they were to the
	// peer that brought them, half as if they were new to another. It hopes that
	// nodes take old messages for new ones, once they have forgotten them, and
	// that what is sent again costs the network as much as the first time.
	Replayer Role = "replayer"
	// Forger answers each request that it hears, searches included, with three
	// made-up responses, whose hop counts are drawn from 0 to 31. It passes
	// requests on with a hop count of 0, so that their limits do not hold, and no
	// response. An action is a response to a request that never was, to a random
	// peer; default 2. It hopes that its answers drown the true ones, and to
	// fill the memory of others.
	Forger Role = "forger"
	// Oversender sends far more than a peer may: to one peer for 5 s, then to
	// another. An action is a message; default 5000. Of eight, four are announces
	// to the whole network, two are pings, one asks for 48 addresses, and one is a
	// frame beyond the limits, or a ping without Config.Bytes; with Config.Bytes,
	// bytes that are no frame end each turn. It hopes to take the time of its
	// peers, and by its announces that of everybody, and to crowd out what others
	// send. Where it gets through, an announce costs the network as much as any
	// other: with many nodes, choose a lower Rate.
	Oversender Role = "oversender"
	// Silent opens links to random addresses, each under a new id, and says nothing on every other
	// link, and on the rest nothing but the hello and the answer to the peer's. An
	// action is a dial, until Connections links are open; default 5, and 32 links.
	// It never closes a link on which it hears something now and then. It hopes
	// to take the places of those who have something to say.
	Silent Role = "silent"
)

// traits are what the roles differ in besides their conduct.
type traits struct {
	role        Role
	rate        int  // default, 0 for no actions
	connections int  // default
	inbound     int  // default
	many        bool // each link has an id of its own
	hears       bool // the root is told of requests and responses
	dials       bool // an action is a dial; else it dials as a node does
	conduct     func() conduct
}

// As many links as a node has by default, and what takes places from others.
const (
	connectionsDefault = 5
	inboundDefault     = 32
	inboundMany        = 256
)

// roles are all roles, in the order of Roles.
var roles = [...]traits{
	{role: Flooder, rate: 2, connections: connectionsDefault, inbound: inboundDefault, conduct: func() conduct { return &flooder{} }},
	{role: Sybil, rate: 5, connections: 64, inbound: inboundMany, many: true, dials: true, conduct: func() conduct { return sybil{} }},
	{role: Eclipser, rate: 5, connections: 64, inbound: inboundMany, many: true, dials: true, conduct: func() conduct { return eclipser{} }},
	{role: Dropper, connections: connectionsDefault, inbound: inboundDefault, conduct: func() conduct { return member{} }},
	{role: Delayer, connections: connectionsDefault, inbound: inboundDefault, hears: true, conduct: func() conduct { return &delayer{} }},
	{role: Replayer, rate: 5, connections: connectionsDefault, inbound: inboundDefault, hears: true, conduct: func() conduct { return &replayer{} }},
	{role: Forger, rate: 2, connections: connectionsDefault, inbound: inboundDefault, hears: true, conduct: func() conduct { return &forger{} }},
	{role: Oversender, rate: 5000, connections: connectionsDefault, inbound: inboundDefault, conduct: func() conduct { return &oversender{} }},
	{role: Silent, rate: 5, connections: 32, inbound: inboundMany, many: true, dials: true, conduct: func() conduct { return silent{} }},
}

// Roles returns all roles, in an order that stays.
func Roles() []Role {
	list := make([]Role, len(roles))
	for i := range roles {
		list[i] = roles[i].role
	}
	return list
}

// traitsOf returns what a role is like, nil for none.
func traitsOf(r Role) *traits {
	for i := range roles {
		if roles[i].role == r {
			return &roles[i]
		}
	}
	return nil
}
