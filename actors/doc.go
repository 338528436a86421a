// Package actors is the contract between the actors of a peer-to-peer node and
// the host that runs them.
//
// The protocol of peernet is written as actors: values with a Receive method
// that get one message at a time and act only through the [Context] they are
// handed. They start no goroutines, read no clock, open no socket and draw no
// randomness of their own. So the very same values run inside the
// deterministic simulator (package peernet/sim), under real mailboxes and
// sockets, and in a test that plays the host.
//
// # What a host guarantees
//
//   - [Started] is the first message an actor receives, and comes once.
//   - Messages from one sender to one receiver arrive in the order sent. There
//     is no other promise about order.
//   - Receive runs to completion; an actor is never in two Receives at once.
//   - [Context.Stop] acts like a message from its caller: what the caller sent
//     to the actor before it is handled, what comes later is not. The timers
//     of a stopped actor end, its dials are given up, and the links bound to
//     it are closed. Stopping the root ends the node: all of its actors, dials
//     and links.
//   - [Context.Now] does not go back, from one Receive to the next or along a
//     message within the node.
//   - A timer fires once and not early. The timers of an actor fire in the
//     order they are due, and those due together in the order armed. A
//     cancelled timer never fires, even if it was already due.
//   - Each [Context.Watch] is answered with exactly one [Terminated], also for
//     a reference that is long dead, or names nobody.
//   - A [Ref] is never used again for another actor within a run, nor by a
//     later incarnation of the node.
//   - Each Dial is answered by exactly one [LinkUp] or [LinkDown], unless the
//     actor that dialled ends first. When a dial was given up, a link that it
//     opened at the other end is closed.
//   - What was in flight to an earlier incarnation of a node is dropped: what
//     came over its links, what its actors sent each other, its timers, the
//     answers to its dials. A dial or a datagram is to an address, and reaches
//     the incarnation that runs when it arrives.
//   - A panic in Receive ends the node, loudly, with its value and its stack.
//     Nothing is restarted.
//
// Package peernet/actors/hosttest states these as tests that every host passes.
//
// # What an actor promises
//
//   - It keeps nothing of the Context, its Rand included, beyond Receive.
//   - Messages are immutable once sent. They hold no functions.
//   - Every decision depends only on its state, the message, Now and Rand; in
//     particular no map is ranged over where the order can be seen, and no
//     decision uses floating point.
//
// # Where things live
//
//   - actors: the contract: actors, references, messages, links, events.
//   - actors/wire: the messages that cross links, and their codec.
//   - actors/book: the address book, behind an interface.
//   - actors/peer: the protocol: Node (the root), Conn, Store and Gossip.
//   - actors/hosttest: the conformance suite for hosts.
package actors
