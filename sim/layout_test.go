package sim

import (
	"testing"
	"unsafe"

	"peernet/actors"
	"peernet/sim/dist"
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

// So is each end of many links, and what is asked for first of an address is all of it.
func TestLinesAreNotStraddled(t *testing.T) {
	s, err := New(Config{Latency: Latency{Message: dist.Constant(1)}})
	if err != nil {
		t.Fatal(err)
	}
	const count = 30
	var edges [][2]NodeID
	for i := range NodeID(count) {
		s.Add(1)
		s.Start(i, idle{})
		for k := range i {
			edges = append(edges, [2]NodeID{i, k})
		}
	}
	s.Connect(edges, func(actors.Link, bool) actors.Message { return &actors.Started{} })
	for _, n := range s.nodes {
		for i, e := range n.ends {
			if off := uintptr(unsafe.Pointer(e)) % 64; off != 0 {
				t.Fatalf("link end %d of node %d begins at %d in its cache line", i, n.id, off)
			}
		}
	}
	if size := unsafe.Sizeof(actors.Address{}); size != unsafe.Sizeof(uintptr(0)) {
		t.Errorf("an address takes %d bytes, but is prefetched as a pointer", size)
	}
}

type idle struct{}

func (idle) Receive(actors.Context, actors.Message) {}
