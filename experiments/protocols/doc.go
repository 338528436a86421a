// Package protocols is about the protocols in the folders below: the baselines of the
// field, as actors on the same contract as peernet's own (package peernet/actors), so that
// they run on the same simulator, networks and failures.
//
// Each package says which paper it is from, what it guarantees, and what it reads into
// what the paper leaves open. They keep the rules of actors: no clock, no goroutine, no
// floating point, no randomness but the Context's; the test of package actors holds them
// to that. What they are for is experiments: their state is in exported fields, to be
// looked at between the steps of a simulation, and their messages are bounded by their
// configuration, not by what a hostile peer may send.
package protocols
