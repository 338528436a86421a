package peer

import (
	"testing"
	"unsafe"
)

// What every message needs is in few cache lines: a simulation of very many
// nodes spends most of its time waiting for them.
func TestHotFieldsShareCacheLines(t *testing.T) {
	const line = 64
	var n Node
	first := unsafe.Offsetof(n.identity) + unsafe.Offsetof(n.identity.messageCost)
	last := unsafe.Offsetof(n.gossip) + unsafe.Offsetof(n.gossip.seen) + unsafe.Offsetof(n.gossip.seen.cells) + unsafe.Sizeof(n.gossip.seen.cells) - 1
	if first/line != last/line {
		t.Errorf("the hot fields of a Node are at %d to %d, in more than one line", first, last)
	}
	var c Conn
	// Half a line, as objects of 96 bytes start at multiples of 32.
	if end := unsafe.Offsetof(c.ready) + unsafe.Offsetof(c.ready.version) + 1; end > line/2 {
		t.Errorf("the hot fields of a Conn take %d bytes, want at most %d", end, line/2)
	}
	if size := unsafe.Sizeof(c); size != 96 {
		t.Errorf("a Conn takes %d bytes, want 96", size)
	}
}
