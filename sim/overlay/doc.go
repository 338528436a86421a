// Package overlay measures the shape of overlay networks: who is connected to
// whom, how evenly, how tightly, and over how many hops.
//
// A membership protocol gives every node a view of a few others. Whether
// gossip over those views is reliable, cheap and fast is decided by a few
// properties of the graph they form, and the literature on such protocols
// reports them: the distribution of degrees, whether the graph is connected,
// the clustering coefficient and the average shortest path. This package
// computes them for graphs of the size that package peernet/sim runs, so that
// a simulated overlay can be held against a published one, or against a random
// graph of the same size.
//
// # The graph
//
// A [Graph] is undirected and simple: whoever knows whom, a link is a link.
// [New] merges parallel edges, such as the two ends of one link, and drops
// self-loops. Nodes are the dense integers from 0 to Nodes−1, so a graph of
// the live nodes alone, or of one kind of link, begins with the caller
// numbering them. A graph never changes, and may be read concurrently.
//
// It is stored as compressed adjacency arrays: one array with the neighbours of
// all nodes, row by row in increasing order, and one with the offset at which
// each row begins. That takes 4 bytes per node and 8 per edge, 44 MB for a
// million nodes with five million edges.
//
// # Exact and sampled
//
// Sums are kept in integers and divided last, so that results do not depend on
// the order of nodes or edges, and equal closed forms where these exist. What
// takes long on a big graph can be sampled: path lengths from some sources,
// clustering around some nodes. Samples are drawn without repeats from the
// caller's random stream; a sample of all nodes is the exact answer, and draws
// nothing.
package overlay
