package sim

import (
	"testing"
	"unsafe"
)

// What a delivery needs of a node, and of a link end, is one cache line each.
func TestHotFieldsShareCacheLines(t *testing.T) {
	const line = 64
	var n node
	if end := unsafe.Offsetof(n.hot) + unsafe.Sizeof(n.hot); end > line {
		t.Errorf("what a delivery needs of a node ends at %d", end)
	}
	if size := unsafe.Sizeof(n); size%line != 0 {
		t.Errorf("a node takes %d bytes: the lines of the next are others", size)
	}
	if size := unsafe.Sizeof(endpoint{}); size != line {
		t.Errorf("a link end takes %d bytes, want %d", size, line)
	}
}
