//go:build !amd64 && !arm64

package sim

import "unsafe"

// prefetch would ask the processor to fetch the cache line at p.
func prefetch(unsafe.Pointer) {}
