// Package peer is the protocol of peernet as actors: [Node], the root of a
// node, spawns a [Store], which keeps the address book, and a [Gossip], which
// schedules membership, announces and searches, and spawns one [Conn] for each
// link, and where links can be negotiated a [Negotiator].
// Hosts talk to the Node alone, by the operations in ops.go.
//
//	host ── operations ──▶ Node ──▶ Gossip ──▶ Conn ══ link ══ other node
//	                        │          ▲  │       │
//	                        └──▶ Store ◀──┴───────┘
//
// # Links
//
// Both ends of a link send a hello at once. A link is ready when the other end
// has sent its hello and has answered ours; both showing the version 3
// extension makes it a version 3 link. Gossip then decides: a link to
// ourselves or to a network of another name is refused, one too many is
// refused as full, and of two links to the same peer one is kept. A refused
// peer is still given addresses, and told why.
//
// Of two version 3 links between the same two nodes, the node with the lower
// id decides: it probes the older link, keeps it if the other end answers, and
// closes the newer one. The other node probes the older link too, but holds the
// newer one back, without using it, until the decision arrives or a time-out
// ends it. At either node, if the older is dead, the newer takes its place. So
// both ends agree without comparing clocks, and a stranger who claims the id of
// a connected peer achieves nothing: the real link answers the probe. Version 2
// peers cannot say goodbye, so towards them the older link is kept and the newer
// one closed at once.
//
// A link that was silent for KeepAlive is probed by a ping (version 2: a fresh
// hello) and closed if HelloTimeout passes without a byte.
//
// # Membership
//
// A node keeps Connections outbound links to addresses drawn uniformly from
// its book, and accepts at most InboundMax, where no host keeps a place that another
// host, which has two less, asks for. A free slot is refilled at once, by at
// most 2 Connections dials in an Interval after a burst of 8 Connections;
// every Interval it asks one random peer for addresses and tries again. Every
// Refresh, with jitter, a full node dials one uniformly drawn address and, once
// the link has lasted a second, says goodbye to a random other outbound link, so
// that healed partitions merge again. Of the addresses that it tells a peer, two
// fifths are of peers that connected to it: see book.Table.Share.
//
// # Links by WebRTC
//
// Where the host can negotiate links (actors.Negotiation), a node opens WebRTC of
// its Connections, half of them by default, without an address: its Negotiator has
// the host describe one end, and sends the description into the network, as a
// request of type signal.webrtc. A node that has no peer yet can send to nobody, so
// it dials first.
//
// An offer is a random walk. The origin sends it to one random peer, each node passes
// it on to one random other peer, and where its limit is reached, or there is nobody
// else to pass it to, the node answers if it wants the link: it has room for an
// accepted one, has none with the origin, and is busy with fewer than AnswersMax
// others, at most half of them by the same peer, and has answered at most twice as many
// an Interval, after a burst. So an offer costs the network a few
// messages and one answer, and the peer that it finds is a random one. Walks meet
// themselves in small networks, and then end; so the origin sends the offer again
// until somebody answers, with other limits, eight times within HelloTimeout.
// Version 2 peers flood offers, so there can be several answers. A peer may bring four
// offers a second, after a burst.
//
// Every node on a walk sees the offer, the addresses in it included, and can answer in
// place of the random one: with a tenth of the nodes hostile, half of the links by
// WebRTC are to them. The links that are dialled, by default the larger half, are what a
// node has against that.
//
// The first answer is gone on with. Later ones are ignored, and the answering end is
// given back at its deadline, as is every attempt: HelloTimeout after the offer was
// described, after it was answered, and after another's offer came. Where two
// nodes' offers cross, that of the lower id is gone on with; where that cannot be
// seen, as the signals do not say who makes them, or offers and dials cross, there are
// two links, and the rule above for several links to one peer leaves one.
//
// Where offers come to nothing, twice in a row, the share of WebRTC is free for dials; then
// one offer at a time is made, more and more seldom, until one is taken. Where for an
// Interval the book gives no address to dial, all free slots are for WebRTC. Refreshes replace links of either kind as often as their share is, so
// that shares find their way back.
//
// # Announce and search
//
// The origin of a request sends it to all its peers, every other node once to
// Fanout random peers, not back to where it came from. Requests are recognised
// by a bounded cache that remembers which peer brought each: a response travels
// that way back, one hop at a time, and is dropped and counted where the way is
// gone. The cache is keyed by SipHash under a key of the node and keeps an
// entry for at least RouteLife, which a quota per link guarantees.
//
// # Limits
//
// Every table is bounded by [Config]; what overflows is dropped and counted
// under the name of an event (events.go). Nothing a peer sends can make an
// actor panic, wait, or grow beyond its limits.
package peer
