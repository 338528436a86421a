// Package lab runs experiments and holds them against published numbers.
//
// An [Experiment] is a folder: a program, a README, and expected.json, which says what
// was published, where, and how close one has to come. The program is one function, the
// trial: it gets a seed and parameters, runs a simulation, and reports measures. The
// package does the rest: it runs the trial of every case for many seeds, compares means
// with what was published, draws plots and writes reports.
//
// # What it guarantees
//
//   - The same seeds give the same tables, plots and reports, byte for byte, whatever
//     the number of workers. What depends on the machine, such as run times, is kept
//     apart, as costs.
//   - A verdict is a statement about a mean: see [Expectation]. Its tolerance is in
//     expected.json and nowhere else, and a run cannot change it.
//   - The checks are checked: each experiment has controls, models that are wrong on
//     purpose, and [Results.Failed] names those that a check did not notice.
//
// # Verdicts
//
// With n seeds, mean m and sample standard deviation sd, a published value v with a
// tolerance t is reproduced if |m − v| ≤ t. Where no tolerance was set, it is half a
// unit of the last digit that was printed, and the error of sampling, 3·sd/√n. A
// tolerance that was set is meant for the number of seeds that the case asks for, N; a
// quick run with fewer of them has a larger error of sampling, so that there
// 3·sd·√(1/n − 1/N) is added, unless the tolerance is 0. Bounds (at least, at most) are for
// the mean as they are, with any seeds; an order of two cases holds if their means differ,
// by three standard errors of the difference at least.
//
// A verdict takes 4 seeds where the error of sampling decides, 2 where a mean is held against
// another, or against a value with a tolerance that is meant for more, and as many as the
// expectation says that it needs. With fewer a row is not gated. A trial that does not report
// the measure fails the row, unless the expectation says that some do not.
//
// What is known not to reproduce differs: the mean is then held against what comes out
// here, in the same way, so that a change of the program or of the simulator is noticed.
package lab
