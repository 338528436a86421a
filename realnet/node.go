package realnet

import (
	"context"
	crand "crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync"

	"peernet/actors"
	"peernet/actors/book"
	"peernet/actors/peer"
)

// A Config describes a node. The zero value is a node that only dials, in the
// network without a name, with its address book in memory.
type Config struct {
	// Host runs the node. Nil is a Host of the node's own, closed with it.
	Host *Host
	// Listen is where the node accepts links: tcp://host:port or ws://host:port.
	Listen []string
	// Advertise is where others reach the node, for its peers to know.
	Advertise []string
	// Bootstrap is where to look for the first peers.
	Bootstrap []string
	// Data is the directory where the node keeps its address book, which one
	// node at a time can do. Empty is a book in memory.
	Data string
	// Peer is the protocol's configuration; Peer.Network names the network.
	Peer peer.Config
	// Transports by scheme. Nil is tcp, tls, ws and wss with their defaults, of
	// which tls and wss only dial: to accept, a certificate is needed.
	Transports map[string]Transport
	// Observe, unless nil, is told of every event of the protocol. It is called
	// by many goroutines, and holds them up.
	Observe func(actors.Event)
	// Log gets what the node has to say; nil is nobody.
	Log *slog.Logger
}

// A Node is a running node.
type Node struct {
	process *process
	port    *port
	own     *Host // to be closed with the node
	book    *Book // likewise, nil if it is in memory
	stops   []func()
	once    sync.Once
}

// Open starts a node. It returns an error if the configuration makes no sense or
// an address cannot be listened on; ctx bounds the start, not the node.
func Open(ctx context.Context, c Config) (*Node, error) {
	root, transports, err := c.prepare()
	if err != nil {
		return nil, err
	}
	n := &Node{}
	if c.Data != "" {
		if n.book, err = OpenBook(filepath.Join(c.Data, "book"), c.Log); err != nil {
			return nil, err
		}
		root.Book = n.book
	}
	host := c.Host
	if host == nil {
		n.own = NewHost(c.Log)
		host = n.own
	}
	pc := processConfig{transports: transports, seed: randomSeed}
	if c.Observe != nil {
		pc.observe = func(_ actors.Time, e actors.Event) { c.Observe(e) }
	}
	if n.process, err = host.start(root, pc); err != nil {
		if n.book != nil {
			_ = n.book.Close()
		}
		return nil, err
	}
	n.port = newPort()
	n.process.spawn(n.process.root, "port", n.port)
	for _, text := range c.Listen {
		if err := n.listen(ctx, transports, text); err != nil {
			return nil, errors.Join(err, n.end())
		}
	}
	return n, nil
}

// prepare checks the configuration.
func (c *Config) prepare() (*peer.Node, map[string]Transport, error) {
	transports := c.Transports
	if transports == nil {
		transports = map[string]Transport{
			"tcp": TCP{}, "tls": TCP{TLS: &tls.Config{MinVersion: tls.VersionTLS12}}, "ws": WebSocket{}, "wss": WebSocket{},
		}
	}
	config := c.Peer.WithDefaults()
	if err := config.Validate(); err != nil {
		return nil, nil, err
	}
	if config.Dialable == nil {
		config.Dialable = func(a actors.Address) bool { return transports[a.Scheme()] != nil }
	}
	root := &peer.Node{Config: &config}
	for _, list := range []struct {
		from []string
		to   *[]actors.Address
	}{{c.Advertise, &root.Advertise}, {c.Bootstrap, &root.Bootstrap}} {
		for _, text := range list.from {
			a, err := actors.ParseAddress(text)
			if err != nil {
				return nil, nil, err
			}
			*list.to = append(*list.to, a)
		}
	}
	return root, transports, nil
}

// randomSeed seeds a stream that nobody can guess.
func randomSeed(string, uint32) (hi, lo uint64) {
	var b [16]byte
	_, _ = crand.Read(b[:]) // never fails
	return binary.LittleEndian.Uint64(b[:8]), binary.LittleEndian.Uint64(b[8:])
}

func (n *Node) listen(ctx context.Context, transports map[string]Transport, text string) error {
	a, err := actors.ParseAddress(text)
	if err != nil {
		return err
	}
	l, ok := transports[a.Scheme()].(Listener)
	if !ok {
		return fmt.Errorf("realnet: cannot listen on %s: no transport of scheme %q accepts links", a, a.Scheme())
	}
	stop, err := l.Listen(context.WithoutCancel(ctx), a, n.process.accept)
	if err != nil {
		return fmt.Errorf("realnet: cannot listen on %s: %w", a, err)
	}
	n.stops = append(n.stops, stop)
	return nil
}

// Close says goodbye to all peers and ends the node. If ctx ends first, the node
// ends without waiting further.
func (n *Node) Close(ctx context.Context) error {
	_, err := n.ask(ctx, func(call peer.Call) actors.Message { return &peer.Close{Call: call} })
	if errors.Is(err, ErrClosed) {
		err = nil
	}
	return errors.Join(err, n.end())
}

func (n *Node) end() (err error) {
	n.once.Do(func() {
		for _, stop := range n.stops {
			stop()
		}
		n.process.kill()
		n.process.settle()
		if n.own != nil {
			n.own.Close()
		}
		if n.book != nil {
			err = n.book.Close()
		}
	})
	return err
}

// Wait returns when the node has ended: nil after Close, otherwise why.
func (n *Node) Wait() error {
	<-n.process.done
	return n.Err()
}

// Err says why the node has ended, nil while it runs and after Close.
func (n *Node) Err() error {
	n.process.mu.RLock()
	defer n.process.mu.RUnlock()
	if errors.Is(n.process.err, ErrClosed) {
		return nil
	}
	return n.process.err
}

// Save adds an address for good. When it returns nil, that is on disk if the
// node has a directory.
func (n *Node) Save(ctx context.Context, address string) error {
	return n.onAddress(ctx, address, func(c peer.Call, a actors.Address) actors.Message {
		return &peer.Save{Call: c, Address: a}
	})
}

// Remove forgets an address. Whatever peers say, it stays away for a day.
func (n *Node) Remove(ctx context.Context, address string) error {
	return n.onAddress(ctx, address, func(c peer.Call, a actors.Address) actors.Message {
		return &peer.Remove{Call: c, Address: a}
	})
}

// Connect dials an address and returns when the connection is in use, or with
// the reason why it is not; see the errors of package peer.
func (n *Node) Connect(ctx context.Context, address string) error {
	return n.onAddress(ctx, address, func(c peer.Call, a actors.Address) actors.Message {
		return &peer.Connect{Call: c, Address: a}
	})
}

// Accept makes a connection of any stream of bytes whose other end does the same,
// as the original's createStream did, and returns when it is in use, or with the
// reason why it is not. The node closes the stream when the connection ends.
func (n *Node) Accept(ctx context.Context, stream io.ReadWriteCloser) error {
	l := newLink(n.process, plainStream{stream}, nil)
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

// Handler accepts WebSocket peers inside a server of one's own.
func (n *Node) Handler() http.Handler { return acceptWebSocket(n.process.accept) }

// Disconnect says goodbye to the peer at an address that this node dialled.
func (n *Node) Disconnect(ctx context.Context, address string) error {
	return n.onAddress(ctx, address, func(c peer.Call, a actors.Address) actors.Message {
		return &peer.Disconnect{Call: c, Address: a}
	})
}

func (n *Node) onAddress(ctx context.Context, address string, op func(peer.Call, actors.Address) actors.Message) error {
	a, err := actors.ParseAddress(address)
	if err != nil {
		return err
	}
	_, err = n.ask(ctx, func(c peer.Call) actors.Message { return op(c, a) })
	return err
}

// Connections returns the connections in use.
func (n *Node) Connections(ctx context.Context) ([]peer.Connection, error) {
	m, err := n.ask(ctx, func(c peer.Call) actors.Message { return &peer.Connections{Call: c} })
	if err != nil {
		return nil, err
	}
	return m.(*peer.ConnectionList).List, nil
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

// A Message is what is announced or answered.
type Message struct {
	Type string // at most 64 bytes, without a leading underscore
	Data string // at most 1024 bytes
	// Limit is how many links an announce may travel; 0 is as many as the
	// network allows. Responses have none.
	Limit uint32
}

// A Response answers an announce.
type Response struct {
	Message
	Hops int // links that it travelled
}

// responsesMax bounds the responses to one announce that wait to be taken; what
// exceeds it is dropped.
const responsesMax = 256

// Announce sends a message into the network and yields the responses until ctx
// ends, and then its error. It is sent once for each time the sequence is ranged
// over.
func (n *Node) Announce(ctx context.Context, m Message) iter.Seq2[Response, error] {
	return func(yield func(Response, error) bool) {
		responses := make(chan Response, responsesMax)
		answer, err := n.call(ctx, responses, func(c peer.Call) actors.Message {
			return &peer.Announce{Call: c, Type: m.Type, Data: m.Data, Limit: m.Limit}
		})
		if err != nil {
			yield(Response{}, err)
			return
		}
		defer n.port.forget(answer.(*peer.Announced).ID)
		for {
			select {
			case r := <-responses:
				if !yield(r, nil) {
					return
				}
			case <-n.process.done:
				yield(Response{}, ErrClosed)
				return
			case <-ctx.Done():
				yield(Response{}, context.Cause(ctx))
				return
			}
		}
	}
}

// A Request is an announce that another node made.
type Request struct {
	Message
	Hops int // links that it travelled
	id   string
	node *Node
}

// Reply sends a response to where the request came from.
func (r *Request) Reply(ctx context.Context, m Message) error {
	_, err := r.node.ask(ctx, func(c peer.Call) actors.Message {
		return &peer.Respond{Call: c, Request: r.id, Type: m.Type, Data: m.Data}
	})
	return err
}

// Requests yields the announces of other nodes that arrive while the sequence is
// ranged over, each once, until ctx ends, and then its error. Up to 256 wait to
// be taken; what exceeds it is dropped.
func (n *Node) Requests(ctx context.Context) iter.Seq2[*Request, error] {
	return func(yield func(*Request, error) bool) {
		requests := make(chan *Request, responsesMax)
		defer n.port.listen(n, requests)()
		for {
			select {
			case r := <-requests:
				if !yield(r, nil) {
					return
				}
			case <-n.process.done:
				yield(nil, ErrClosed)
				return
			case <-ctx.Done():
				yield(nil, context.Cause(ctx))
				return
			}
		}
	}
}
