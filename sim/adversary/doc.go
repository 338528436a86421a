// Package adversary holds hostile roles: root actors that speak the wire of
// peernet as honest nodes (package peernet/actors/peer) do, and mean harm. They
// are for simulations that ask what the protocol stands, and need nothing of a
// host but the contract of package actors; see Config.Bytes for the exception.
//
// # How a role is made
//
// A role is the root actor of a machine. It spawns one actor, a speaker, for
// each link, which does the handshake of version 3, answers pings, and tells the
// root whom it met, what it heard and what it was asked. The root keeps the
// links: it dials until it has Config.Connections, accepts at most
// Config.Inbound, and learns addresses from its peers, as a node does. What
// makes a role hostile is small and on top: what it does Rate times a second,
// what it does with a request or response, and what addresses it tells.
//
//	link ══ speaker ──▶ root ── role: act, hear, tell
//
// Peers cannot tell most roles from an honest node by the handshake, the
// keep-alive or the number of links. So what is seen at the honest nodes is the
// effect of the role alone.
//
// # What it promises
//
//   - Everything is bounded by [Config]: links, addresses, messages remembered,
//     actions in a second. With the default number of links a machine takes less
//     memory than a node, and has no timer but one for each link, that of its Rate,
//     one while links are missing, and of a Delayer one for each message kept.
//   - All randomness is from the Context, and nothing depends on the order of a
//     map: a simulation with adversaries has one trace as others have.
//   - Links go both ways: two machines that dial each other keep one link, by
//     the rule of package peer.
//   - What a machine does it counts by the events of events.go.
//
// An adversary does not negotiate links (WebRTC), and speaks no version 2.
package adversary
