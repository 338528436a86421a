package peer

import "peernet/actors"

// The events of the protocol, for observers.
var (
	// EventAnnounced: this node is the origin of Message, a *wire.Frame.
	EventAnnounced = actors.RegisterEvent("gossip.announced")
	// EventRequest: Message, a *wire.Frame, arrived here for the first time.
	EventRequest = actors.RegisterEvent("gossip.request")
	// EventDuplicate: Message was here before; it is dropped.
	EventDuplicate = actors.RegisterEvent("gossip.duplicate")
	// EventResponse: Message answers a request of this node.
	EventResponse = actors.RegisterEvent("gossip.response")
	// EventHopsExceeded: Message travelled too far; it is dropped.
	EventHopsExceeded = actors.RegisterEvent("gossip.hops_exceeded")
	// EventNoRoute: the way back of a response is gone; it is dropped.
	EventNoRoute = actors.RegisterEvent("gossip.no_route")
	// EventQuota: a link exceeded RoutesPerLink; Message is dropped.
	EventQuota = actors.RegisterEvent("gossip.quota")

	// EventPeerUp: Peer is a connection in use. N is 1 for outbound.
	EventPeerUp = actors.RegisterEvent("peer.up")
	// EventPeerDown: Peer is no longer one. N is 1 for outbound, Text says why.
	EventPeerDown = actors.RegisterEvent("peer.down")
	// EventRefused: Peer answered the hello and was refused. N is the
	// wire.GoodbyeReason. Text is its network, if it is of another.
	EventRefused = actors.RegisterEvent("peer.refused")
	// EventDialFailed: no link or no answer at Address. Text says why.
	EventDialFailed = actors.RegisterEvent("peer.dial_failed")
	// EventBusy: an accepted link is closed because HandshakesMax are open.
	EventBusy = actors.RegisterEvent("peer.busy")

	// EventOffered: an offer of a WebRTC link is sent on a walk of N links.
	EventOffered = actors.RegisterEvent("webrtc.offered")
	// EventAnswered: this node answers an offer.
	EventAnswered = actors.RegisterEvent("webrtc.answered")
	// EventAnswerIgnored: an answer comes too late, twice, to no offer of ours,
	// or from a node that is connected already.
	EventAnswerIgnored = actors.RegisterEvent("webrtc.answer_ignored")
	// EventOffersFull: an offer is not answered, as AnswersMax are being
	// answered, or half as many from the same peer, or too many were of late. N is
	// how many are being answered.
	EventOffersFull = actors.RegisterEvent("webrtc.offers_full")
	// EventOffersThrottled: Message, an offer, is dropped, as Peer brings too many.
	EventOffersThrottled = actors.RegisterEvent("webrtc.throttled")
	// EventSignalInvalid: what should be an offer or answer is none. Message is the
	// request, nil for an answer.
	EventSignalInvalid = actors.RegisterEvent("webrtc.invalid")
	// EventNegotiationFailed: an offer or answer comes to nothing. Text says why.
	EventNegotiationFailed = actors.RegisterEvent("webrtc.failed")

	// EventMalformed: the bytes of a link cannot be decoded; it is closed.
	EventMalformed = actors.RegisterEvent("conn.malformed")
	// EventInvalid: a message that means nothing valid is dropped.
	EventInvalid = actors.RegisterEvent("conn.invalid")
	// EventThrottled: a message beyond RateMax is dropped.
	EventThrottled = actors.RegisterEvent("conn.throttled")
	// EventEarly: a message before the link was ready is dropped.
	EventEarly = actors.RegisterEvent("conn.early")
	// EventSlow: the peer does not read; the link is closed.
	EventSlow = actors.RegisterEvent("conn.slow")
	// EventGoodbye: the peer says goodbye. N is the wire.GoodbyeReason.
	EventGoodbye = actors.RegisterEvent("conn.goodbye")
	// EventObserved: the peer sees this node at Address.
	EventObserved = actors.RegisterEvent("conn.observed")

	// EventLearned: N addresses of a list were new.
	EventLearned = actors.RegisterEvent("store.learned")
	// EventLoopback: N addresses of loopback came from another machine; they
	// are dropped.
	EventLoopback = actors.RegisterEvent("store.loopback")
	// EventPurged: N dead addresses were forgotten.
	EventPurged = actors.RegisterEvent("store.purged")
	// EventStoreFailed: the book could not be written. Text says why.
	EventStoreFailed = actors.RegisterEvent("store.failed")
	// EventSubscribersFull: a subscription beyond SubscribersMax is refused.
	EventSubscribersFull = actors.RegisterEvent("node.subscribers_full")
)
