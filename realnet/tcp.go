//go:build !js

package realnet

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"peernet/actors"
)

// TCP carries links over TCP, one stream of frames a connection, for addresses
// tcp://host:port, and tls://host:port if it has a TLS configuration.
type TCP struct {
	// TLS, unless nil, has links encrypted. To accept them it needs a
	// certificate.
	TLS *tls.Config
	// Dialer opens connections.
	Dialer net.Dialer
}

// Dial implements [Transport].
func (t TCP) Dial(ctx context.Context, to actors.Address) (Stream, error) {
	c, err := t.Dialer.DialContext(ctx, "tcp", authorityOf(to))
	if err != nil {
		return nil, err
	}
	if t.TLS == nil {
		return newNetStream(c, to), nil
	}
	config := t.TLS.Clone()
	if config.ServerName == "" {
		config.ServerName = to.Host()
	}
	secure := tls.Client(c, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = c.Close()
		return nil, err
	}
	return newNetStream(secure, to), nil
}

// Listen implements [Listener].
func (t TCP) Listen(ctx context.Context, scheme, hostport string, accept func(Stream)) (Server, error) {
	l, err := listenTCP(ctx, hostport, t.TLS, scheme == "tls")
	if err != nil {
		return nil, err
	}
	s := &tcpServer{Listener: l}
	s.group.Go(func() {
		for {
			c, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil {
				time.Sleep(10 * time.Millisecond) // out of descriptors, most likely
				continue
			}
			accept(newNetStream(c, remoteOf(scheme, c.RemoteAddr().String())))
		}
	})
	return s, nil
}

type tcpServer struct {
	net.Listener
	group sync.WaitGroup
}

// Close implements [Server].
func (s *tcpServer) Close() error {
	err := s.Listener.Close()
	s.group.Wait()
	return err
}

// listenTCP listens at host:port.
func listenTCP(ctx context.Context, hostport string, config *tls.Config, secure bool) (net.Listener, error) {
	if secure && (config == nil || len(config.Certificates) == 0 && config.GetCertificate == nil && config.GetConfigForClient == nil) {
		return nil, errNoCertificate
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", hostport)
	if err != nil || !secure {
		return l, err
	}
	return tls.NewListener(l, config), nil
}

// remoteOf is where a connection came from, the zero Address if it does not say.
func remoteOf(scheme, hostport string) actors.Address {
	at, err := netip.ParseAddrPort(hostport)
	if err != nil {
		return actors.Address{}
	}
	at = netip.AddrPortFrom(at.Addr().Unmap().WithZone(""), at.Port())
	remote, _ := actors.ParseAddress(scheme + "://" + at.String())
	return remote
}

// A netStream is a net.Conn as a Stream.
type netStream struct {
	net.Conn
	remote actors.Address
}

func newNetStream(c net.Conn, remote actors.Address) Stream { return &netStream{c, remote} }

// Remote implements [Stream].
func (s *netStream) Remote() actors.Address { return s.remote }

// CloseWrite ends what this end writes.
func (s *netStream) CloseWrite() error {
	if c, ok := s.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return s.Close()
}

// Reset breaks the connection.
func (s *netStream) Reset() { resetConn(s.Conn) }

func resetConn(c net.Conn) {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = c.Close()
}
