// Package sweep runs a scenario over a grid of settings and seeds, and makes one
// table of the results.
//
// A [Grid] is a scenario, keys with several values each, and seeds; a [Point] is
// one choice of all of these. [Run] has every point run by a [Runner], usually a
// process of its own ([Process]), several at a time, and keeps what they write
// below one directory:
//
//	sweep.json      the grid
//	scenario.yaml   the scenario, as the points run it
//	points/NAME/    what the run of a point wrote, and point.json
//	running/        points under way
//	table.csv       a row per point: keys, seed, and the numbers of its summary
//	table.parquet   the same
//	costs.csv       the numbers that are about the machine
//	sweep.lock      is locked while a sweep runs
//
// # Going on
//
// A point runs in running/ and is moved to points/ when it is whole, so that the
// process may be killed at any moment: the next [Run] on the directory removes
// what was under way and does the points that are missing. A point counts as done
// if the fingerprint in its point.json is the one that is asked for; it is a hash
// of the scenario's text, the settings, the seed and the program. A directory holds
// one grid: another one, other text or another program is an error ([ErrOther]).
//
// # The table
//
// The numbers of a summary are named by their path: announce.coverage_mean. A run
// depends on its scenario and seed alone, so the table of a grid has the same bytes
// whenever, in how many steps and by how many processes it was made. Times and
// memory do not, and are kept apart ([IsCost]).
//
// The package knows no scenario: a summary is any JSON object to it.
package sweep
