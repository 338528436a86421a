// Package result writes down what a simulation gave, reads it back, and makes a
// page of it that a person can look at.
//
// # The run directory
//
// A run has a directory of its own:
//
//	manifest.json       what gave the result: the scenario, the seed, the program
//	summary.json        its figures, the checks, and the marks of the time line
//	series.parquet      what was measured over time, one row per sample
//	nodes.parquet       one row per node
//	messages.parquet    one row per announce and search
//	histograms.parquet  hops and latency of all first receipts
//	edges.parquet       one row per link, on request
//	report.html         all of it to look at, in one file
//
// On request each table is there as .csv too. The names of columns end with
// their unit, where they have one. Null, in a CSV file an empty field, stands for
// what there is not, such as the start of a node that never started; in memory it
// is NaN.
//
// [Write] makes a directory, [Read] takes one in, [Report] draws the page. The
// package knows nothing of scenarios: manifest and summary are JSON objects to it,
// of which it shows what is there.
//
// # Whole or not at all
//
// Write puts all files down under other names first, and then gives them their
// own. So one that fails leaves what was there, and nobody ever reads half a file.
// Only a crash between two renames can mix two runs. What belongs to an earlier
// run and is not part of this one, such as its edges, goes.
//
// # Files of others
//
// Run directories are passed on, so Read takes in what somebody else may have
// made up. It bounds sizes before it trusts them, and to that end reads no more of
// the Parquet format than Write uses: flat columns, plain values, and Snappy, where
// the cost of a page is known from its length. Files that another program has
// written again, with dictionaries or another compression, are refused. All text
// of a run is escaped in the report, which loads nothing and runs no script.
package result
