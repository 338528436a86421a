// Package scenario describes simulations of the peernet protocol as data, runs
// them, and sums up what happened.
//
// A [Scenario] is a Go struct and a YAML file alike: [Workload] reads files
// strictly, [Scenario.Set] overrides single keys, [Scenario.Resolve] fills in
// what depends on the size and refuses what is impossible, and [Run] gives a
// [Summary]. Every key is explained in reference.yaml.
//
// A result depends on the resolved scenario alone, the seed included: the trace
// hash is the same for any number of workers, and for typed and encoded links.
// Run times and memory figures in the summary are of course not.
package scenario
