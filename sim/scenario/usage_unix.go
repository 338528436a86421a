//go:build unix

package scenario

import (
	"runtime"
	"syscall"
	"time"
)

func usage() (u syscall.Rusage) {
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return syscall.Rusage{}
	}
	return u
}

// processCPU is the user and system time that the process has used.
func processCPU() time.Duration {
	u := usage()
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peakRSS is the largest resident set of the process in bytes.
func peakRSS() uint64 {
	u := usage()
	if runtime.GOOS == "darwin" {
		return uint64(u.Maxrss)
	}
	return uint64(u.Maxrss) * 1024
}
