package adversary

import "peernet/actors"

// The events of hostile machines, for observers. Those of a request or response
// have it as Message.
var (
	// EventDialled: Address is dialled.
	EventDialled = actors.RegisterEvent("adversary.dialled")
	// EventMet: Peer, a link, has finished the handshake. N is 1 if this machine
	// dialled it.
	EventMet = actors.RegisterEvent("adversary.met")
	// EventMuted: Peer, a link, is open, and nothing will be said on it. N is 1 if
	// the handshake was.
	EventMuted = actors.RegisterEvent("adversary.muted")
	// EventLost: Peer, a link or the dial of one, ended. N is the
	// wire.GoodbyeReason that the other end gave, 0 for none.
	EventLost = actors.RegisterEvent("adversary.lost")

	// EventPoisoned: N made-up addresses are told. Message is the list.
	EventPoisoned = actors.RegisterEvent("adversary.poisoned")
	// EventColluded: N addresses of this machine and its colluders are told.
	// Message is the list.
	EventColluded = actors.RegisterEvent("adversary.colluded")
	// EventDropped: a request or response ends here.
	EventDropped = actors.RegisterEvent("adversary.dropped")
	// EventDelayed: a request or response is passed on after the delay. N is to
	// how many peers.
	EventDelayed = actors.RegisterEvent("adversary.delayed")
	// EventReplayed: a message is sent again. N is 0 if it goes as it was to the
	// peer that brought it, 1 if to another.
	EventReplayed = actors.RegisterEvent("adversary.replayed")
	// EventForged: N responses to a request are made up.
	EventForged = actors.RegisterEvent("adversary.forged")
	// EventMisdirected: a response to a request that never was is made up.
	EventMisdirected = actors.RegisterEvent("adversary.misdirected")
	// EventRewound: a request is passed on with a hop count of 0. N is to how
	// many peers.
	EventRewound = actors.RegisterEvent("adversary.rewound")
	// EventOversent: N messages are sent to Peer.
	EventOversent = actors.RegisterEvent("adversary.oversent")
)
