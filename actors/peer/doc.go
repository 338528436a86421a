// Package peer is the protocol of peernet as actors: [Node], the root of a
// node, spawns a [Store], which keeps the address book, and a [Gossip], which
// schedules membership, announces and searches, and spawns one [Conn] for each
// link. Hosts talk to the Node alone, by the operations in ops.go.
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
