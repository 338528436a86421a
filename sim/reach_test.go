package sim_test

import (
	"strings"
	"testing"

	"peernet/sim"
)

// Which pairs come to a path without a relay, as the literature has it (B. Ford,
// P. Srisuresh, D. Kegel: "Peer-to-Peer Communication Across Network Address
// Translators", USENIX 2005; RFC 4787, RFC 5128): all but those of a symmetric NAT
// with one that filters by port, and where UDP is blocked.
func TestReachMeets(t *testing.T) {
	const table = `
	                public  full_cone  restricted  port_restricted  symmetric  blocked
	public             yes        yes         yes              yes        yes       no
	full_cone          yes        yes         yes              yes        yes       no
	restricted         yes        yes         yes              yes        yes       no
	port_restricted    yes        yes         yes              yes         no       no
	symmetric          yes        yes         yes               no         no       no
	blocked             no         no          no               no         no       no`
	lines := strings.Split(strings.TrimSpace(table), "\n")
	heads := strings.Fields(lines[0])
	for i, line := range lines[1:] {
		cells := strings.Fields(line)
		a := sim.Reach(i)
		if a.String() != cells[0] || a.String() != heads[i] {
			t.Fatalf("kind %d is %v, in the table %s", i, a, cells[0])
		}
		for k, cell := range cells[1:] {
			if b := sim.Reach(k); a.Meets(b) != (cell == "yes") {
				t.Errorf("%v meets %v: %v, want %s", a, b, a.Meets(b), cell)
			}
		}
	}
}
