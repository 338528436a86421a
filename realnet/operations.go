package realnet

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"peernet/actors"
	"peernet/actors/book"
	"peernet/actors/peer"
)

// Save adds an address for good. When it returns nil, that is on disk if the
// node has a directory. Many at a time share one write.
func (n *Node) Save(ctx context.Context, address string) error {
	a, err := n.dialable(address)
	if err != nil {
		return err
	}
	_, err = n.ask(ctx, func(c peer.Call) actors.Message { return &peer.Save{Call: c, Address: a} })
	return err
}

// Learn adds addresses without keeping them for good: they are used, and forgotten
// when they fail, as those that peers tell. Those that were removed stay away. If
// one makes no sense, none is added.
func (n *Node) Learn(ctx context.Context, addresses ...string) error {
	list := make([]actors.Address, len(addresses))
	for i, text := range addresses {
		var err error
		if list[i], err = n.dialable(text); err != nil {
			return err
		}
	}
	_, err := n.ask(ctx, func(c peer.Call) actors.Message { return &peer.Learn{Call: c, List: list} })
	return err
}

// Remove forgets an address and ends the connection that was dialled there.
// Whatever peers say, it stays away for a day.
func (n *Node) Remove(ctx context.Context, address string) error {
	a, err := actors.ParseAddress(address)
	if err != nil {
		return err
	}
	_, err = n.ask(ctx, func(c peer.Call) actors.Message { return &peer.Remove{Call: c, Address: a} })
	return err
}

// Connect dials an address and returns when the connection is in use, or with
// the reason why it is not; see the errors of package peer.
func (n *Node) Connect(ctx context.Context, address string) error {
	a, err := n.dialable(address)
	if err != nil {
		return err
	}
	_, err = n.ask(ctx, func(c peer.Call) actors.Message { return &peer.Connect{Call: c, Address: a} })
	return err
}

// Accept makes a connection of any stream of bytes whose other end does the same,
// as the original's createStream did, and returns when it is in use, or with the
// reason why it is not. The node closes the stream when the connection ends.
func (n *Node) Accept(ctx context.Context, stream io.ReadWriteCloser) error {
	l := newLink(n.process, plainStream{stream}, nil, nil)
	if l.isShut() {
		return ErrClosed
	}
	_, err := n.ask(ctx, func(c peer.Call) actors.Message { return &peer.Attach{Call: c, Link: l} })
	if err != nil {
		l.Close()
	}
	return err
}

// plainStream is a stream that does not say where it comes from.
type plainStream struct{ io.ReadWriteCloser }

// Remote implements [Stream].
func (plainStream) Remote() actors.Address { return actors.Address{} }

// Disconnect says goodbye to a peer: by the address that was dialled, the address
// that it is seen at, or its id in hex. The error is peer.ErrNotConnected if
// there is none.
func (n *Node) Disconnect(ctx context.Context, who string) error {
	var fits func(Connection) bool
	if id, err := hex.DecodeString(who); err == nil && len(id) == len(peer.NodeID{}) {
		fits = func(c Connection) bool { return c.ID == peer.NodeID(id) }
	} else {
		a, err := actors.ParseAddress(who)
		if err != nil {
			return err
		}
		fits = func(c Connection) bool { return c.Address == a || c.Remote == a }
	}
	list, err := n.Connections(ctx)
	if err != nil {
		return err
	}
	for _, c := range list {
		if fits(c) {
			_, err := n.ask(ctx, func(call peer.Call) actors.Message { return &peer.Disconnect{Call: call, Peer: c.ref} })
			return err
		}
	}
	return peer.ErrNotConnected
}

// dialable parses an address that the node is to dial some time.
func (n *Node) dialable(text string) (actors.Address, error) { return dialable(n.transports, text) }

func dialable(transports map[string]Transport, text string) (actors.Address, error) {
	a, err := actors.ParseAddress(text)
	if err != nil {
		return a, err
	}
	if transports[a.Scheme()] == nil {
		known := slices.Sorted(maps.Keys(transports))
		return a, fmt.Errorf("%w %q: the scheme is none of %s", actors.ErrAddress, text, strings.Join(known, ", "))
	}
	if a.IsUnspecified() {
		return a, fmt.Errorf("%w %q: %s is no host to dial", actors.ErrAddress, text, a.Host())
	}
	return a, nil
}

// A Connection is a link in use.
type Connection struct {
	ID       peer.NodeID    // what the peer calls itself; not authenticated
	Address  actors.Address // where it was dialled, or is known to be reached; else zero
	Remote   actors.Address // where it is seen; zero for what Accept was given
	Outbound bool           // opened by this node
	// Transport is the scheme of the link: ws, wss, tcp, tls, or webrtc; empty where
	// that is not known.
	Transport string
	Version   int       // of the wire, 2 or 3
	Since     time.Time // when the link was opened
	Received  uint64    // bytes of frames
	Sent      uint64

	ref actors.Ref
}

// Connections returns the connections in use.
func (n *Node) Connections(ctx context.Context) ([]Connection, error) {
	m, err := n.ask(ctx, func(c peer.Call) actors.Message { return &peer.Connections{Call: c} })
	if err != nil {
		return nil, err
	}
	from := m.(*peer.ConnectionList).List
	list := make([]Connection, len(from))
	for i, c := range from {
		list[i] = Connection{ID: c.ID, Address: c.Address, Outbound: c.Outbound, Version: c.Version, ref: c.Peer}
		if c.Negotiated {
			list[i].Transport = "webrtc"
		}
		if l := n.process.linkOf(c.Peer); l != nil {
			list[i].Remote, list[i].Since = l.Remote(), l.opened
			if !c.Negotiated {
				list[i].Transport = l.Remote().Scheme()
			}
			list[i].Received, list[i].Sent = l.received.Load(), l.sent.Load()
		}
	}
	return list, nil
}

// Ready returns when the node has a connection. What is announced before reaches
// nobody.
func (n *Node) Ready(ctx context.Context) error {
	for {
		// Events are looked for first, and not for long: some may be dropped.
		watching, done := context.WithTimeout(ctx, time.Second)
		events := n.Events(watching, false)
		list, err := n.Connections(ctx)
		if err != nil || len(list) > 0 {
			done()
			return err
		}
		for e, err := range events {
			if err != nil || e.Kind == peer.EventPeerUp {
				break
			}
		}
		done()
	}
}

// Stats returns what the book knows of an address, and whether it knows it.
func (n *Node) Stats(ctx context.Context, address string) (entry book.Entry, known bool, err error) {
	a, err := actors.ParseAddress(address)
	if err != nil {
		return entry, false, err
	}
	m, err := n.ask(ctx, func(c peer.Call) actors.Message { return &peer.Stats{Call: c, Address: a} })
	if err != nil {
		return entry, false, err
	}
	answer := m.(*peer.StatsResult)
	return answer.Entry, answer.Found, nil
}

// Len returns how many addresses the book has.
func (n *Node) Len(ctx context.Context) (int, error) {
	m, err := n.ask(ctx, func(c peer.Call) actors.Message { return &peer.Known{Call: c} })
	if err != nil {
		return 0, err
	}
	return m.(*peer.KnownPage).Total, nil
}

// Known goes through the address book. Addresses that come and go meanwhile may
// be missed or seen twice.
func (n *Node) Known(ctx context.Context) iter.Seq2[book.Entry, error] {
	const page = 256
	return func(yield func(book.Entry, error) bool) {
		for start := 0; start >= 0; {
			m, err := n.ask(ctx, func(c peer.Call) actors.Message { return &peer.Known{Call: c, Start: start, Max: page} })
			if err != nil {
				yield(book.Entry{}, err)
				return
			}
			answer := m.(*peer.KnownPage)
			for _, e := range answer.Entries {
				if !yield(e, nil) {
					return
				}
			}
			start = answer.Next
		}
	}
}
