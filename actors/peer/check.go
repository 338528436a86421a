package peer

import (
	"fmt"

	"peernet/actors/book"
)

// Check returns what is wrong with the node's state: the first bound that is exceeded,
// or rule that does not hold, at a time of its clock. It is for a simulator, or a
// test, to call between two steps of the node; nil is how it should be.
func (n *Node) Check(now book.Seconds) error {
	if n.identity.gossip.IsZero() {
		return nil // it has not started
	}
	if err := n.gossip.check(); err != nil {
		return err
	}
	return n.store.check(now)
}

// replacements bounds the outbound connections beyond Connections: by operations, and
// while refreshes are under way.
const replacements = 8

func (g *Gossip) check() error {
	c := g.node.config
	handshakes, outbound := 0, 0
	for i := range g.peers {
		p := &g.peers[i]
		switch {
		case p.state != peerUp && p.way.inbound():
			handshakes++
		case p.state == peerUp && !p.way.inbound():
			outbound++
		}
		if k := g.find(p.conn); k != i {
			return fmt.Errorf("peer: connection %v is there twice", p.conn)
		}
		if p.state == peerUp && g.findID(p.id(), peerUp) != i {
			return fmt.Errorf("peer: two connections to %v are in use", p.id())
		}
	}
	bounds := []struct {
		what      string
		n, atMost int
	}{
		{"inbound connections", g.inboundInUse(), c.InboundMax},
		{"handshakes", handshakes, c.HandshakesMax + c.AnswersMax},
		{"outbound connections", outbound, 2*c.Connections + replacements},
		{"requests and responses remembered of late", g.seen.young, c.routesMax()},
		{"requests and responses remembered", g.seen.count, 2 * c.routesMax()},
		{"subscribers", len(g.listeners), c.SubscribersMax},
		{"sources of spent routes", len(g.spent), spentMax},
	}
	if c.Static {
		bounds[2].atMost = c.InboundMax // whatever links it is given
	}
	for _, b := range bounds {
		if b.n > b.atMost {
			return fmt.Errorf("peer: %d %s, at most %d are permitted", b.n, b.what, b.atMost)
		}
	}
	for i := range g.peers {
		if int(g.peers[i].routes) > c.RoutesPerLink {
			return fmt.Errorf("peer: a link made it remember %d requests and responses, at most %d are permitted", g.peers[i].routes, c.RoutesPerLink)
		}
	}
	return nil
}

func (s *Store) check(now book.Seconds) error {
	b, limits := s.table.Book(), &s.node.config.Book
	if b.Len() > limits.Entries {
		return fmt.Errorf("peer: %d addresses in the book, at most %d are permitted", b.Len(), limits.Entries)
	}
	for i := range b.Len() {
		a := b.At(i).Address
		if until := b.Barred(a); until > now {
			return fmt.Errorf("peer: %v is in the book, and barred until %d s", a, until)
		}
	}
	return nil
}
