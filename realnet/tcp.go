package realnet

import (
	"context"
	"crypto/tls"
	"net"
	"strings"
	"sync"
	"time"

	"peernet/actors"
)

// TCP carries links over TCP, one stream of frames a connection, for addresses
// tcp://host:port.
type TCP struct {
	// TLS, unless nil, is the configuration for addresses tls://host:port.
	TLS *tls.Config
}

// Dial implements [Transport].
func (t TCP) Dial(ctx context.Context, to actors.Address) (Stream, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", authority(to))
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
func (t TCP) Listen(ctx context.Context, at actors.Address, accept func(Stream)) (func(), error) {
	if t.TLS != nil && len(t.TLS.Certificates) == 0 && t.TLS.GetCertificate == nil {
		return nil, errNoCertificate
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", authority(at))
	if err != nil {
		return nil, err
	}
	var group sync.WaitGroup
	group.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				if ctx.Err() != nil || strings.Contains(err.Error(), "use of closed") {
					return
				}
				time.Sleep(10 * time.Millisecond) // out of descriptors, most likely
				continue
			}
			remote := remoteOf(at.Scheme(), c.RemoteAddr())
			if t.TLS != nil {
				c = tls.Server(c, t.TLS)
			}
			accept(newNetStream(c, remote))
		}
	})
	return func() { _ = l.Close(); group.Wait() }, nil
}

// authority is the host:port of an address.
func authority(a actors.Address) string {
	_, rest, _ := strings.Cut(a.String(), "://")
	rest, _, _ = strings.Cut(rest, "/")
	return rest
}

// remoteOf is where a connection came from, the zero Address if it does not say.
func remoteOf(scheme string, a net.Addr) actors.Address {
	remote, _ := actors.ParseAddress(scheme + "://" + a.String())
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
func (s *netStream) Reset() {
	c := s.Conn
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = c.Close()
}
