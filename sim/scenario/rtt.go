package scenario

import "time"

// The table of round-trip times between regions: monthly averages, in milliseconds,
// between data centres of IBM Cloud, 31 August to 29 September 2024, from the IBM
// Cloud Docs, "VPC: Network latency dashboards" (repository ibm-cloud-docs/vpc, file
// _include-segments/network-latency.md, table 1 of 29 September 2024). Rows are where
// the measurement starts; the two directions differ by up to 3 ms. Within a region it
// is the average between two availability zones of Dallas, rounded, from table 2 of
// the same page.
var (
	rttNames = []string{"dallas", "toronto", "washington", "frankfurt", "london", "madrid", "osaka", "sydney", "tokyo", "sao_paulo"}
	rttTable = [][]int{
		{2, 34, 31, 123, 113, 116, 149, 185, 143, 145},
		{34, 2, 19, 93, 82, 108, 168, 216, 162, 129},
		{31, 20, 2, 91, 76, 88, 174, 214, 166, 118},
		{123, 93, 91, 2, 13, 29, 233, 250, 228, 196},
		{113, 83, 76, 13, 2, 27, 243, 261, 243, 186},
		{119, 108, 89, 29, 27, 2, 257, 275, 257, 207},
		{150, 168, 175, 233, 244, 258, 2, 122, 9, 293},
		{185, 214, 215, 250, 261, 275, 122, 2, 115, 328},
		{142, 162, 166, 230, 243, 258, 9, 115, 2, 284},
		{145, 131, 119, 197, 186, 204, 291, 328, 286, 2},
	}
)

// RegionNames returns the regions between which round-trip times are known.
func RegionNames() []string { return append([]string(nil), rttNames...) }

// RTT returns the round-trip time from one region of the table to another, and whether
// both are there.
func RTT(from, to string) (time.Duration, bool) {
	i, k := -1, -1
	for n, name := range rttNames {
		if name == from {
			i = n
		}
		if name == to {
			k = n
		}
	}
	if i < 0 || k < 0 {
		return 0, false
	}
	return time.Duration(rttTable[i][k]) * time.Millisecond, true
}
