package realnet

// Kill ends a node as a crash does: its links break, and nobody is told.
func Kill(n *Node) error { return n.end() }
