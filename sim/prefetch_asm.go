//go:build amd64 || arm64

package sim

import "unsafe"

// prefetch asks the processor to fetch the cache line at p, and does not wait
// for it. Any p is allowed: none is read.
//
//go:noescape
func prefetch(p unsafe.Pointer)
