// Package sim runs the actors of many nodes in virtual time, deterministically
// and fast. It is a host in the sense of package peernet/actors, and an API
// for research on protocols of one's own; see the package example.
//
// # What it guarantees
//
//   - The same configuration, seed and calls give the same run, event by
//     event: on any machine, for any number of workers, in every process.
//     [Simulation.TraceHash] is the identity of a run.
//   - At one node, events happen in the order of their time; at the same time
//     first what the world does, then arrivals, then timers; arrivals by the
//     node they come from and the order in which that sent them; timers in the
//     order they were armed. Messages between the actors of a node run to
//     completion, first in first out, before the next event.
//   - Nothing but the seed feeds a random stream. Each actor's stream is
//     derived from (seed, node, incarnation, name and ordinal of the actor),
//     and each node has one more for its network: adding a node or an actor
//     does not perturb another's draws.
//   - Delays are integers from integer tables; floating point, whose results
//     may differ between machines, takes no part.
//
// # How it works
//
// The lookahead is the smallest delay that any message can have. What happens
// at different nodes within one lookahead cannot influence each other, so time
// is cut into windows of that length. The messages of a window are grouped by
// region, a range of nodes, and within a region by node, and each node handles
// its messages of the window, and its timers, while its state is in cache.
// Workers take regions. As the order at a node is a property of the events and
// not of who runs them, the result does not depend on the workers, nor on the
// length of the window.
//
// What the world does (starting and crashing nodes, cutting the network,
// sending operations) happens between windows: [Simulation.At] ends a window
// early.
//
// A second, obvious executor with one global queue gives the same trace hash
// on every scenario, and tests hold the fast one against it: see
// Config.Reference.
//
// # The network
//
// Links are reliable and ordered. The delay of a message is what Latency.Link
// drew for the link and direction when it came up, plus what Latency.Message
// draws for each message; a message never overtakes an earlier one of its
// direction. Opening a link takes one round trip. Across a partition nothing
// arrives, and a link that lost a message is broken for good in that
// direction, as its owners will find out by silence. A crash is silence too,
// or a reset.
//
// Config.Network adds what else may happen: regions with a delay from each to each,
// jitter, loss, which a link makes into retransmission and in the end into a reset,
// resets and stalls, dials that arrive twice, and an order of messages of different
// links that is another for each seed. [Simulation.SetConditions] makes ways worse for
// a time. A [Profile] is the machine of a node: the bandwidth of its access link, in
// whose queues what it sends and gets waits, the time that it takes for each message,
// and its clock. Whatever of this is off draws nothing, so that a run without it is the
// same as before there was such a thing.
//
// Each node has a [Reach]: what its NAT lets through. Nodes that are not public
// cannot be dialled. With Config.Negotiation, nodes can negotiate links, which
// come to be where the two kinds of Reach meet; learning its outside address takes a
// node that is not public a round trip, and opening the link another one.
//
// With Config.Encoded each message is encoded by its sender and decoded by the
// stream decoder at the other end; otherwise the typed message is handed over
// and its encoded size is charged. Both give the same trace.
package sim
