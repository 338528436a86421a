package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime/debug"
)

// limitMemory has the garbage collector work harder as the heap nears 60 % of
// the machine's memory, so that a large network still fits. Whoever sets
// GOMEMLIMIT or GOGC knows better.
func limitMemory() {
	if os.Getenv("GOMEMLIMIT") != "" || os.Getenv("GOGC") != "" {
		return
	}
	if total := physicalMemory(); total > 0 {
		debug.SetMemoryLimit(total / 10 * 6)
	}
}

// physicalMemory is the machine's memory in bytes, 0 where it is not known.
func physicalMemory() int64 {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var kib int64
		if n, _ := fmt.Sscanf(lines.Text(), "MemTotal: %d kB", &kib); n == 1 {
			return kib * 1024
		}
	}
	return 0
}
