// Package scenario describes simulations of the peernet protocol as data, runs
// them, holds them to checks, and sums up what happened.
//
// A [Scenario] is a Go struct and a YAML file alike: [Load] reads files strictly,
// with errors that name the line and show it, [Scenario.Set] overrides single keys,
// [Scenario.Resolve] fills in what depends on the size and refuses what is
// impossible, and [Run] gives a [Summary]. [Record] gives the tables of a run
// directory too (package result). Every key is explained in reference.yaml, and
// [Schema] describes them for editors.
//
// # What it guarantees
//
// A result depends on the resolved scenario alone, the seed included: the trace
// hash, the tables and the checks are the same for any number of workers, for typed
// and encoded links, whether the run is recorded or traced or not. Run times and
// memory figures in the summary are of course not. Each part that draws has a stream
// of its own, by its name: another fault, or another class, does not change who is
// in which region.
//
// # What a scenario has
//
//   - A network: latency, regions with the round-trip times between them ([RTT]) and
//     jitter, loss, resets, stalls, and times when ways are worse ([Network],
//     [Region], [Condition]). Package sim says what each does to a message.
//   - A population: classes of nodes with bandwidth, processing time and clocks that
//     are wrong ([Class]), arrivals and crowds, sessions and downtimes ([Churn]).
//   - Faults: crashes, partitions, stalls, slow nodes, failing disks ([Fault]), and
//     adversaries ([Adversary], package adversary), which come besides the honest
//     nodes. Coverage, degrees and components are of honest nodes alone.
//   - Announces and searches ([Workload]).
//   - [Checks]: invariants, which must hold in every run, and goals, which this one is
//     to reach.
//
// # The invariants
//
//   - bounded tables: peer.Node.Check finds nothing wrong at any node.
//   - symmetric links: what a node has in use is an open link; and what one end has in
//     use, the other end has too, or finds out within the time-outs.
//   - no delivery twice: no node receives a message a second time within the time for
//     which it recognises duplicates.
//   - hop counts: nothing is forwarded more often than it may be; and after each
//     number of forwardings a message has reached at most fan-out times as many nodes
//     as after one less. Adversaries that change hop counts switch this off.
//   - removed stays removed: an address that a user removed is not in the book.
//   - counters add up: connections that came up, less those that went down, are in use.
//   - memory: the heap is within checks.memory.
//
// [Replay] and [Trace] look into a run, and [Shrink] makes one that fails smaller.
package scenario
