package wire

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// heldMax is the longest unfinished frame: a prefix of ten bytes, and all of
// the longest body but a byte.
const heldMax = 10 + FrameMax - 1

// Whatever comes, a decoder holds no more than an unfinished frame and what
// was just written, and lets go of the memory as well.
func TestMemoryIsBounded(t *testing.T) {
	_, vectors := allVectors(t)
	noise := make([]byte, 64<<10)
	r := rand.New(rand.NewPCG(1, 1))
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	repeat := func(s string) string { return strings.Repeat(s, 1+200000/len(s)) }
	streams := []struct{ name, bytes string }{
		{"zero lengths", repeat("\x00")},
		{"stretched zero lengths", repeat(stretched(0, 10))},
		{"nothing known", repeat(framed(text(31, "")))},
		{"long and nothing known", repeat(framed(text(31, strings.Repeat("z", FrameMax-4))))},
		{"longest unfinished frames", repeat(stretched(FrameMax, 10) + text(31, strings.Repeat("z", FrameMax-4)))},
		{"vectors", repeat(string(vectors))},
		{"noise", string(noise)},
		{"noise in frames", repeat(framed(text(1, string(noise[:100]))))},
		{"huge length", stretched(1<<62, 9) + repeat("\x00")},
		{"length without end", repeat("\x80")},
	}
	for _, s := range streams {
		for _, chunk := range []int{1, 13, 1000, FrameMax, 100000} {
			var d Decoder
			for b := []byte(s.bytes); len(b) > 0; {
				n := min(chunk, len(b))
				d.Write(b[:n])
				if got := d.Buffered(); got > heldMax+n {
					t.Fatalf("%s by %d bytes: %d bytes after Write", s.name, chunk, got)
				}
				b = b[n:]
				if _, err := drain(&d); err != nil {
					d = Decoder{} // the garbage goes on
				}
				got, room := d.Buffered(), cap(d.buf)
				if got > heldMax || room > 2*FrameMax || got == 0 && room > 0 {
					t.Fatalf("%s by %d bytes: holds %d bytes, with room for %d", s.name, chunk, got, room)
				}
			}
		}
	}
}

// A length alone claims no memory.
func TestClaimCostsNothing(t *testing.T) {
	var d Decoder
	d.Write([]byte(stretched(FrameMax, 3) + "\x0a"))
	if m, err := d.Next(); m != nil || err != nil {
		t.Fatalf("have %v, %v", m, err)
	}
	if cap(d.buf) > 64 {
		t.Errorf("a claim of %d bytes took %d", FrameMax, cap(d.buf))
	}
}

// What a decoder makes nothing of costs no memory.
func TestSkippingAllocatesNothing(t *testing.T) {
	stream := []byte(strings.Repeat("\x00"+framed(text(31, "z")), 100))
	body := []byte(member(memberAddresses, strings.Repeat(text(1, "tcp://a:1"), 1000)))
	skip := testing.AllocsPerRun(10, func() {
		var d Decoder
		d.Write(stream)
		if list, err := drain(&d); list != nil || err != nil {
			t.Errorf("have %v, %v", list, err)
		}
	})
	if skip > 5 {
		t.Errorf("%v allocations for frames that mean nothing", skip)
	}
	// Addresses beyond the limit are not even looked at.
	list := testing.AllocsPerRun(10, func() {
		if _, err := decodeMessage(body); err != nil {
			t.Error(err)
		}
	})
	if list > 8*AddressesMax {
		t.Errorf("%v allocations for 1000 addresses, of which %d count", list, AddressesMax)
	}
}

// However calls of Write and Next alternate, the bytes moved inside the buffer
// are no more than the bytes consumed, and those do not pile up.
func TestMovingIsLinear(t *testing.T) {
	ping := (&Ping{Nonce: 7}).Append(nil)
	for _, c := range []struct {
		name    string
		backlog int // messages written before the first Next
		writes  int
	}{
		{"drained", 0, 5000},
		{"with a backlog", 5000, 5000},
	} {
		var d Decoder
		d.Write([]byte(strings.Repeat(string(ping), c.backlog)))
		moved, consumed := 0, 0
		for range c.writes {
			before := d.off
			d.Write(ping)
			if before > 0 && d.off == 0 {
				moved += d.Buffered() - len(ping)
			}
			if m, err := d.Next(); m == nil || err != nil {
				t.Fatalf("%s: %v, %v", c.name, m, err)
			}
			consumed += len(ping)
			if most := 2 * (c.backlog + 1) * len(ping); len(d.buf) > most {
				t.Fatalf("%s: %d bytes in the buffer, want at most %d", c.name, len(d.buf), most)
			}
		}
		if moved > consumed {
			t.Errorf("%s: %d bytes were moved for %d consumed", c.name, moved, consumed)
		}
		rest, err := drain(&d)
		if err != nil || len(rest) != c.backlog {
			t.Errorf("%s: %d messages are left, %v; want %d", c.name, len(rest), err, c.backlog)
		}
	}
}
