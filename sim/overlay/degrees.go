package overlay

// Degrees is the distribution of degrees in a graph. It is zero if there are
// no nodes.
type Degrees struct {
	Mean     float64 // neighbours per node: twice the edges over the nodes
	Min, Max int     // the extremes
	Counts   []int   // Counts[d] nodes have d neighbours; Max+1 long
}

// Degrees returns the distribution of degrees.
func (g *Graph) Degrees() Degrees {
	if g.Nodes() == 0 {
		return Degrees{}
	}
	d := Degrees{
		Mean: float64(len(g.neighbours)) / float64(g.Nodes()),
		Min:  g.Degree(0),
	}
	for v := range g.Nodes() {
		degree := g.Degree(uint32(v))
		d.Min = min(d.Min, degree)
		d.Max = max(d.Max, degree)
	}
	d.Counts = make([]int, d.Max+1)
	for v := range g.Nodes() {
		d.Counts[g.Degree(uint32(v))]++
	}
	return d
}
