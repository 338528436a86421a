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
//   - [Started] is the first message an actor receives.
//   - Messages from one sender to one receiver arrive in the order sent. There
//     is no other promise about order.
//   - Receive runs to completion; an actor is never in two Receives at once.
//   - [Context.Stop] acts like a message from its caller: what the caller sent
//     before it is handled, what comes later is not. The timers of a stopped
//     actor end and the links bound to it are closed. Stopping the root ends
//     the node.
//   - A cancelled timer never fires, even if it was already due.
//   - [Context.Watch] answers with exactly one [Terminated], also for a
//     reference that is long dead.
//   - A [Ref] is never used again for another actor within a run.
//   - Each Dial is answered by exactly one [LinkUp] or [LinkDown].
//   - What was in flight to an earlier incarnation of a node is dropped.
//   - A panic in Receive ends the node, loudly and with its stack. Nothing is
//     restarted.
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
