package realnet

import (
	"context"
	crand "crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"peernet/actors"
	"peernet/actors/book"
	"peernet/actors/peer"
	"peernet/realnet/rtc"
)

// A Config describes a node. The zero value is a node that only dials, in the
// network without a name, with its address book in memory.
type Config struct {
	// Host runs the node. Nil is one that all such nodes of the program share.
	Host *Host
	// Listen is where the node accepts links: ws://host:port, wss, tcp or tls.
	// Port 0 is any that is free: see Node.Servers.
	Listen []string
	// Advertise is where others reach the node, for its peers to know, at most
	// four addresses. Empty is the addresses of Listen, without unspecified ones
	// such as ws://0.0.0.0:4000. Those of loopback are told to peers on this
	// machine alone.
	Advertise []string
	// Bootstrap is where to look for the first peers.
	Bootstrap []string
	// Data is the directory where the node keeps its address book, which one
	// node at a time can do. Empty is a book in memory.
	Data string
	// Peer is the protocol's configuration; Peer.Network names the network.
	Peer peer.Config
	// Access says with which IP addresses the node has links.
	Access Access
	// WebRTC says how links by WebRTC are opened.
	WebRTC WebRTC
	// TLS is the configuration of links over tls and wss: to accept some, it
	// needs a certificate. Nil is the defaults of crypto/tls.
	TLS *TLSConfig
	// Transports by scheme. Nil is tcp, tls, ws and wss. Transports of one's own
	// have to look at Access themselves where they resolve names.
	Transports map[string]Transport
	// Observe, unless nil, is told of every event of the protocol, in the order
	// of each actor. It is called by many goroutines, and holds them up.
	Observe func(actors.Event)
	// Log gets what the node has to say; nil is nobody. But for peers that come
	// and go, it says nothing more often than once a second.
	Log *slog.Logger
}

// A Node is a running node. Its methods may be called by any goroutine.
type Node struct {
	id         peer.NodeID
	process    *process
	port       *port
	hub        *hub
	transports map[string]Transport
	book       keptBook    // to be closed with the node, nil if it is in memory
	engine     *rtc.Engine // likewise, nil if there is no WebRTC
	release    func()
	once       sync.Once

	mu      sync.Mutex
	closing bool
	servers []server
}

// Open starts a node. It returns an error if the configuration makes no sense, an
// address cannot be listened on, or the directory not be used. ctx bounds the
// start, not the node.
func Open(ctx context.Context, c Config) (_ *Node, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	n := &Node{hub: newHub(c.Log, c.Observe), transports: c.transports(), port: newPort(), release: func() {}}
	root, err := c.root(n.transports)
	if err != nil {
		return nil, err
	}
	n.id = root.ID
	n.hub.watch(root.Bootstrap, c.Access)
	// Connections that come in before the node runs wait for it.
	ready := make(chan struct{})
	defer func() {
		close(ready)
		if err != nil {
			err = errors.Join(err, n.end())
		}
	}()
	for _, text := range c.Listen {
		s, err := n.bind(ctx, text, ready)
		if err != nil {
			return nil, err
		}
		if len(c.Advertise) == 0 && s.Tellable() {
			root.Advertise = append(root.Advertise, s.Address)
		}
	}
	if c.Data != "" {
		if n.book, err = openKept(ctx, c.Data, c.Log); err != nil {
			return nil, err
		}
		root.Book = n.book
	}
	if n.engine, err = c.engine(); err != nil {
		return nil, err
	}
	host := c.Host
	if host == nil {
		host, n.release = sharedHost()
	}
	var negotiator negotiator
	if n.engine != nil {
		negotiator = webRTC{n.engine}
	}
	n.process, err = host.start(root, processConfig{
		negotiator: negotiator,
		transports: n.transports, access: c.Access, seed: randomSeed,
		openMax: root.Config.InboundMax + root.Config.HandshakesMax + lingerMax,
		observe: func(p *process, at actors.Time, e actors.Event) { n.hub.observe(at, e, p.linkOf) },
	})
	if err != nil {
		return nil, err
	}
	n.process.spawn(n.process.root, "port", n.port)
	return n, nil
}

// lingerMax is how many links that came in may be closing at a time.
const lingerMax = 256

// transports returns the transports by scheme.
func (c *Config) transports() map[string]Transport {
	if c.Transports != nil {
		return c.Transports
	}
	return c.platformTransports()
}

// A keptBook is an address book that outlasts the program.
type keptBook interface {
	book.Book
	Close() error
}

// root checks the configuration and returns the root actor.
func (c *Config) root(transports map[string]Transport) (*peer.Node, error) {
	config := c.Peer.WithDefaults()
	if err := config.Validate(); err != nil {
		return nil, err
	}
	if config.Dialable == nil {
		config.Dialable = func(a actors.Address) bool {
			return transports[a.Scheme()] != nil && c.Access.permitsDial(a)
		}
	}
	root := &peer.Node{Config: &config}
	_, _ = crand.Read(root.ID[:]) // never fails
	for _, list := range []struct {
		what string
		from []string
		to   *[]actors.Address
	}{{"advertise", c.Advertise, &root.Advertise}, {"bootstrap", c.Bootstrap, &root.Bootstrap}} {
		for _, text := range list.from {
			a, err := dialable(transports, text)
			if err != nil {
				return nil, fmt.Errorf("realnet: %s: %w", list.what, err)
			}
			*list.to = append(*list.to, a)
		}
	}
	if n := max(len(c.Advertise), len(c.Listen)); n > advertiseMax {
		return nil, fmt.Errorf("realnet: %d addresses to listen on or advertise, at most %d allowed", n, advertiseMax)
	}
	return root, nil
}

// randomSeed seeds a stream that nobody can guess.
func randomSeed(string, uint32) (hi, lo uint64) {
	var b [16]byte
	_, _ = crand.Read(b[:]) // never fails
	return binary.LittleEndian.Uint64(b[:8]), binary.LittleEndian.Uint64(b[8:])
}

// ID returns the node's id, a random one for each run.
func (n *Node) ID() peer.NodeID { return n.id }

// Close says goodbye to all peers, waits until they have heard it, up to five
// seconds, and ends the node. If ctx ends first, it breaks off the connections and
// returns the error of ctx; what is left of the node then ends behind it.
func (n *Node) Close(ctx context.Context) error {
	_, err := n.ask(ctx, func(call peer.Call) actors.Message { return &peer.Close{Call: call} })
	if errors.Is(err, ErrClosed) {
		err = nil
	}
	ended := make(chan error, 1)
	go func() { ended <- n.end() }()
	select {
	case failed := <-ended:
		return errors.Join(err, failed)
	case <-ctx.Done():
	}
	n.process.breakLinks()
	select {
	case failed := <-ended:
		return errors.Join(err, failed)
	case <-time.After(breakTimeout):
		return errors.Join(err, context.Cause(ctx))
	}
}

// breakTimeout is how long Close waits for what it has broken off.
const breakTimeout = 100 * time.Millisecond

// end gives back all that the node uses.
func (n *Node) end() (err error) {
	n.once.Do(func() {
		n.mu.Lock()
		n.closing = true
		servers := n.servers
		n.mu.Unlock()
		for _, s := range servers {
			_ = s.Close()
		}
		if n.process != nil {
			n.process.kill()
			<-n.process.done // it may have been ending already
			n.process.settle()
		}
		n.release()
		if n.engine != nil {
			err = n.engine.Close()
		}
		if n.book != nil {
			err = errors.Join(err, n.book.Close())
		}
	})
	return err
}

// Wait returns when the node has ended: nil after Close, otherwise why.
func (n *Node) Wait() error {
	<-n.process.done
	return n.Err()
}

// Done is closed when the node has ended.
func (n *Node) Done() <-chan struct{} { return n.process.done }

// Err says why the node has ended, nil while it runs and after Close. The error
// of a node that ended because an actor panicked has the stack.
func (n *Node) Err() error {
	n.process.mu.RLock()
	defer n.process.mu.RUnlock()
	if errors.Is(n.process.err, ErrClosed) {
		return nil
	}
	return n.process.err
}
