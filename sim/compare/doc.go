// Package compare tells whether two sets of simulation runs differ, and by how much.
//
// [Load] reads a side: directories of runs, or of sweeps (package sweep). Runs that
// differ in nothing but their seed are samples of one [Cell]; the cells of a sweep are
// the combinations of what it varies. [Compare] holds cells of both sides with the same
// settings against each other, metric by metric, and gives a [Report].
//
// # Statistics
//
// Of each metric and side the report has the mean and its 95 % confidence interval by
// Student's t distribution. Whether the sides differ is tested by the Mann-Whitney U
// test, two-sided, which assumes nothing about the distribution: with the exact
// distribution of U for up to 50 runs a side (25 where values are equal), and the normal
// approximation beyond. How far they differ is the difference of the means, and Cliff's
// delta: the probability that a run of B has a greater value than one of A, less the
// probability of a smaller one; from -1 to 1, 0 where neither side is ahead.
//
// Many tests find something by chance. Their p values are corrected by Holm's method,
// which keeps the probability of any false finding below alpha, within three families:
// metrics of which it is known what is better, other metrics, and costs, over all cells
// of the comparison. A metric that has one value in all runs needs no test, and is in
// no family.
//
// The price is that few runs cannot show anything: the least p value of n runs against
// n is 2/C(2n, n), so 0.1 for 3 and 0.008 for 5, times the number of tests. [Family]
// says what is possible.
//
// # Regressions
//
// [DirectionOf] is a table of what is better of each metric. A metric regressed if it is
// significantly worse, and by at least [Options.ChangeMin].
//
// The test takes runs for independent. With the same seeds on both sides they are not
// quite: what the seeds have in common makes differences harder to find, not easier.
package compare
