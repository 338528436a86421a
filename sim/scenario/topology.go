package scenario

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"peernet/actors"
	"peernet/actors/peer"
	"peernet/sim"
)

// What the links of a static overlay are.

// plantStatic starts all nodes at 0 and gives them the overlay of a file, or a random
// one: every node draws Connections distinct others, and a pair drawn from both ends
// is one link.
func (r *runner) plantStatic() error {
	if err := r.drawMembers(); err != nil {
		return err
	}
	if r.scenario.Topology != "" {
		return r.plantTopology()
	}
	n, k := r.scenario.Nodes, r.scenario.Connections
	random := r.sim.Rand("overlay")
	drawn := make([]sim.NodeID, 0, n*k)
	for i := range n {
		own := len(drawn)
		for len(drawn) < own+k {
			j := sim.NodeID(random.IntN(n))
			if int(j) != i && !slices.Contains(drawn[own:], j) {
				drawn = append(drawn, j)
			}
		}
	}
	edges := make([][2]sim.NodeID, 0, n*k)
	for i := range n {
		a := sim.NodeID(i)
		for _, b := range drawn[i*k : (i+1)*k] {
			if b < a && slices.Contains(drawn[int(b)*k:(int(b)+1)*k], a) {
				continue
			}
			edges = append(edges, [2]sim.NodeID{a, b})
		}
	}
	r.connect(edges)
	return nil
}

// connect starts all nodes at 0 and gives them links, outbound at the first of an edge.
func (r *runner) connect(edges [][2]sim.NodeID) {
	for i := range r.scenario.Nodes {
		r.sim.Start(sim.NodeID(i), r.grow(sim.NodeID(i), 0, bookKept))
	}
	r.sim.Connect(edges, func(l actors.Link, outbound bool) actors.Message {
		return &peer.Attach{Link: l, Outbound: outbound}
	})
}

// plantTopology starts all nodes at 0 and gives them the links of a file: an edge list,
// one link a line, as two numbers of nodes. The link is outbound at the first.
func (r *runner) plantTopology() error {
	s := r.scenario
	file, err := os.Open(s.Topology)
	if err != nil {
		return s.fails("topology", "%v", err)
	}
	defer file.Close()
	edges, err := readEdges(file, s.Nodes)
	if err != nil {
		return s.fails("topology", "%s: %v", s.Topology, err)
	}
	r.connect(edges)
	return nil
}

// edgesMax bounds the links of a topology.
const edgesMax = 1 << 28

// readEdges reads an edge list: two node numbers a line, separated by spaces, a tab or
// a comma; what follows them, empty lines and what begins with # is left out, and so
// is a first line of words.
func readEdges(in io.Reader, nodes int) (edges [][2]sim.NodeID, err error) {
	lines := bufio.NewScanner(in)
	known := map[[2]sim.NodeID]bool{}
	for number := 1; lines.Scan(); number++ {
		fields := strings.FieldsFunc(lines.Text(), func(r rune) bool { return r == ' ' || r == '\t' || r == ',' || r == '\r' })
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		if len(fields) < 2 {
			return nil, fmt.Errorf("line %d: want two numbers of nodes", number)
		}
		a, errA := strconv.ParseUint(fields[0], 10, 32)
		b, errB := strconv.ParseUint(fields[1], 10, 32)
		switch {
		case errA != nil && number == 1:
			continue // names of columns
		case errA != nil || errB != nil:
			return nil, fmt.Errorf("line %d: want two numbers of nodes, not %q and %q", number, fields[0], fields[1])
		case a >= uint64(nodes) || b >= uint64(nodes):
			return nil, fmt.Errorf("line %d: node %d, but nodes are numbered from 0 to %d: set nodes", number, max(a, b), nodes-1)
		case a == b:
			return nil, fmt.Errorf("line %d: a link from node %d to itself", number, a)
		case len(edges) == edgesMax:
			return nil, fmt.Errorf("line %d: more than %d links", number, edgesMax)
		}
		e := [2]sim.NodeID{sim.NodeID(a), sim.NodeID(b)}
		if known[e] || known[[2]sim.NodeID{e[1], e[0]}] {
			return nil, fmt.Errorf("line %d: the link between %d and %d is there already", number, a, b)
		}
		known[e] = true
		edges = append(edges, e)
	}
	return edges, lines.Err()
}
