// Package swim is the group membership protocol of Das, Gupta and Motivala, "SWIM:
// scalable weakly-consistent infection-style process group membership protocol" (DSN
// 2002), with the extensions of Dadgar, Phillips and Currey, "Lifeguard: local health
// awareness for more accurate failure detection" (2017), as options of the same detector.
//
// In each period a member pings one other member (section 3.1). If the ack does not come
// in time, it asks k others by ping-req to ping that member too, and at the end of the
// period it declares it failed, or suspects it (section 4.2). What a member finds out, it
// piggybacks on the pings and acks of its failure detector (section 4.1). Targets are
// drawn, or taken in a round-robin over a shuffled list (section 4.3).
//
// # What it guarantees
//
//   - A member sends one ping in a period, one ack for each ping that it gets, and more
//     only for pings that were not answered in time.
//   - A member that runs on refutes each suspicion that it hears of: it raises its
//     incarnation. Of two updates about a member, the one of the higher incarnation
//     counts; of the same incarnation, suspected comes before alive, and failed before
//     both.
//   - An update is sent at most ⌈λ·ln n⌉ times by each member, those that were sent least
//     first.
//   - With round-robin, a member is probed again by another within 2(n−1)−1 periods.
//   - Logarithms are integers, in units of 2⁻³², so that all machines agree on them.
//
// # What the papers leave open
//
// When periods begin is Config.Clock: in lock-step, each at a phase of its own, or at
// random times. The analysis of section 3.1 is of the first, that of section 4.1 of the
// last. In lock-step, what is heard in a period is passed on from the next one, or in the
// same (Config.Relay). Failed members are out for good, unless Config.Return lets them
// come back with a higher incarnation, as the implementation does that Lifeguard is
// about; analyses that never remove a member take Config.Keep. A failed probe with a
// missed nack counts twice for the local health. A suspicion is confirmed by the member's
// own probe as by those of others.
package swim
