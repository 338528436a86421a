//go:build !unix

package scenario

import "time"

// processCPU is not known on this system.
func processCPU() time.Duration { return 0 }

// peakRSS is not known on this system.
func peakRSS() uint64 { return 0 }
