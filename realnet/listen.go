package realnet

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"

	"peernet/actors"
	"peernet/actors/peer"
	"peernet/actors/wire"
)

// advertiseMax bounds the addresses that a node listens on and advertises.
const advertiseMax = wire.AdvertiseMax

// A server is where a node listens.
type server struct {
	Server
	Address actors.Address // as bound
}

// Tellable reports whether others could dial the address.
func (s server) Tellable() bool { return !s.Address.IsUnspecified() }

// anyPort stands for port 0 while an address is parsed.
const anyPort = ":1"

// bind listens on an address, whose port may be 0. Streams that come in before
// ready is closed wait.
func (n *Node) bind(ctx context.Context, text string, ready <-chan struct{}) (server, error) {
	scheme, rest, _ := strings.Cut(text, "://")
	authority, path, slash := strings.Cut(rest, "/")
	checked := text
	if host, ok := strings.CutSuffix(authority, ":0"); ok {
		checked = scheme + "://" + host + anyPort
		if slash {
			checked += "/" + path
		}
	}
	a, err := actors.ParseAddress(checked)
	if err != nil {
		return server{}, fmt.Errorf("realnet: cannot listen: %w", err)
	}
	t, ok := n.transports[a.Scheme()].(Listener)
	if !ok {
		return server{}, fmt.Errorf("realnet: cannot listen on %s: no transport of scheme %q accepts links", text, a.Scheme())
	}
	hostport := authorityOf(a)
	if checked != text {
		hostport = strings.TrimSuffix(hostport, anyPort) + ":0"
	}
	s, err := t.Listen(context.WithoutCancel(ctx), a.Scheme(), hostport, func(s Stream) {
		<-ready
		if n.process == nil {
			breakOff(s)
			return
		}
		n.process.accept(s)
	})
	if err != nil {
		return server{}, fmt.Errorf("realnet: cannot listen on %s: %w", text, err)
	}
	_, port, _ := net.SplitHostPort(s.Addr().String())
	bound := a.Scheme() + "://" + hostport[:strings.LastIndexByte(hostport, ':')] + ":" + port
	if path != "" {
		bound += "/" + path
	}
	b := server{Server: s, Address: actors.MustAddress(bound)}
	if err := n.addServer(b); err != nil {
		_ = s.Close()
		return server{}, fmt.Errorf("realnet: cannot listen on %s: %w", text, err)
	}
	return b, nil
}

func (n *Node) addServer(s server) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.closing:
		return ErrClosed
	case len(n.servers) >= advertiseMax:
		return fmt.Errorf("a node has at most %d servers", advertiseMax)
	}
	n.servers = append(n.servers, s)
	return nil
}

// Listen has the node accept links at one more address, and advertises it unless
// it is unspecified. It returns the address as it is bound.
func (n *Node) Listen(ctx context.Context, address string) (string, error) {
	ready := make(chan struct{})
	close(ready)
	s, err := n.bind(ctx, address, ready)
	if err != nil {
		return "", err
	}
	if s.Tellable() {
		_, err = n.ask(ctx, func(c peer.Call) actors.Message { return &peer.Advertise{Call: c, Address: s.Address} })
	}
	if err != nil {
		n.mu.Lock()
		n.servers = slices.DeleteFunc(n.servers, func(x server) bool { return x.Server == s.Server })
		n.mu.Unlock()
		_ = s.Close()
		return "", err
	}
	return s.Address.String(), nil
}

// Servers returns the addresses that the node listens on, as they are bound.
func (n *Node) Servers() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	list := make([]string, len(n.servers))
	for i, s := range n.servers {
		list[i] = s.Address.String()
	}
	return list
}
