package realnet

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"

	"peernet/actors"
)

// A Stream is one end of a reliable, ordered stream of bytes to another node,
// such as a net.Conn.
//
// Close ends it in an orderly way: the other end reads what was written, then
// io.EOF. A Stream may have a method CloseWrite() error, which does that while
// this end can still read, and a method Reset(), which breaks the stream: the
// other end gets an error.
type Stream interface {
	io.ReadWriteCloser
	// Remote is where the other end is seen.
	Remote() actors.Address
}

// A Transport opens streams to addresses of some schemes.
type Transport interface {
	// Dial opens a stream. It gives up when ctx ends. An error that wraps
	// syscall.ECONNREFUSED says that nobody listens there.
	Dial(ctx context.Context, to actors.Address) (Stream, error)
}

// A Listener is a Transport that can accept streams.
type Listener interface {
	Transport
	// Listen hands accept the streams that come in at host:port, where port 0 is
	// any that is free. accept may be called by several goroutines and does not
	// block.
	Listen(ctx context.Context, scheme, hostport string, accept func(Stream)) (Server, error)
}

// A Server accepts streams until it is closed.
type Server interface {
	// Addr is the host:port where it listens.
	Addr() net.Addr
	// Close waits until no more streams will come. Those that came stay.
	Close() error
}

// Errors of a Host and its nodes.
var (
	ErrClosed        = errors.New("realnet: closed")
	errNoCertificate = errors.New("accepting links over TLS needs a certificate")
)

// reasonOf is what a failed dial tells the actor.
func reasonOf(ctx context.Context, err error) actors.Reason {
	switch {
	case errors.Is(context.Cause(ctx), context.Canceled):
		return actors.ReasonCanceled
	case ctx.Err() != nil, errors.Is(err, syscall.ETIMEDOUT):
		return actors.ReasonTimeout
	case errors.Is(err, syscall.ECONNREFUSED):
		return actors.ReasonRefused
	case errors.Is(err, errForbidden):
		return actors.ReasonForbidden
	case errors.Is(err, syscall.ECONNRESET):
		return actors.ReasonReset
	}
	return actors.ReasonUnreachable
}

// authorityOf is the host:port of an address.
func authorityOf(a actors.Address) string {
	_, rest, _ := strings.Cut(a.String(), "://")
	rest, _, _ = strings.Cut(rest, "/")
	return rest
}
