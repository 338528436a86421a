//go:build !js

package realnet

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptrace"
	"time"

	"github.com/coder/websocket"

	"peernet/actors"
)

// messageMax bounds a WebSocket message that is read, in bytes. What a link
// writes at a time is less.
const messageMax = 1 << 20

// upgradesMax bounds the connections of a server that have not become a WebSocket
// yet; upgradeTimeout, how long they may take.
const (
	upgradesMax    = 256
	upgradeTimeout = 10 * time.Second
	headerMax      = 16 << 10
)

// WebSocket carries links over WebSocket, for addresses ws://host:port/path and
// wss. The boundaries of messages mean nothing: what a link sends within a while
// is one.
type WebSocket struct {
	// TLS is for wss; to accept links it needs a certificate.
	TLS *tls.Config
	// Client makes the requests.
	Client *http.Client
}

// NewWebSocket returns the transport whose connections d opens. It follows no
// redirects.
func NewWebSocket(config *tls.Config, d net.Dialer) WebSocket {
	return WebSocket{TLS: config, Client: &http.Client{
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, DialContext: d.DialContext, TLSClientConfig: config,
			MaxResponseHeaderBytes: headerMax, DisableKeepAlives: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Dial implements [Transport].
func (t WebSocket) Dial(ctx context.Context, to actors.Address) (Stream, error) {
	var raw net.Conn
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { raw = i.Conn }})
	c, answer, err := websocket.Dial(ctx, to.String(), &websocket.DialOptions{
		HTTPClient: t.Client, CompressionMode: websocket.CompressionDisabled,
	})
	if answer != nil && answer.Body != nil {
		_ = answer.Body.Close()
	}
	if err != nil {
		return nil, err
	}
	return newWebSocketStream(c, raw, to), nil
}

// Listen implements [Listener].
func (t WebSocket) Listen(ctx context.Context, scheme, hostport string, accept func(Stream)) (Server, error) {
	l, err := listenTCP(ctx, hostport, t.TLS, scheme == "wss")
	if err != nil {
		return nil, err
	}
	s := &webSocketServer{listener: l, done: make(chan struct{}), waiting: tally{max: upgradesMax}}
	s.Server = http.Server{
		Handler: acceptWebSocket(accept), ConnState: s.watch,
		ReadHeaderTimeout: upgradeTimeout, ReadTimeout: upgradeTimeout, WriteTimeout: upgradeTimeout, // until upgraded
		MaxHeaderBytes: headerMax,
		ErrorLog:       log.New(io.Discard, "", 0), // what goes wrong in handshakes of strangers
	}
	s.SetKeepAlivesEnabled(false)
	go func() {
		defer close(s.done)
		_ = s.Serve(l)
	}()
	return s, nil
}

// A webSocketServer is an HTTP server that upgrades all requests.
type webSocketServer struct {
	http.Server
	listener net.Listener
	done     chan struct{}
	waiting  tally // of the connections that are not upgraded
}

// watch counts the connections that are not upgraded yet, and breaks off what
// is too much.
func (s *webSocketServer) watch(c net.Conn, state http.ConnState) {
	from := remoteOf("ws", c.RemoteAddr().String())
	switch state {
	case http.StateNew:
		if !s.waiting.add(from) {
			_ = c.Close()
		}
	case http.StateHijacked, http.StateClosed:
		s.waiting.drop(from)
	}
}

// Addr implements [Server].
func (s *webSocketServer) Addr() net.Addr { return s.listener.Addr() }

// Close implements [Server].
func (s *webSocketServer) Close() error {
	err := s.Server.Close()
	<-s.done
	return err
}

// acceptWebSocket upgrades requests and hands the streams over. Any origin will
// do: nodes have no cookies that a page could abuse.
func acceptWebSocket(accept func(Stream)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		taken := &hijacker{ResponseWriter: w}
		c, err := websocket.Accept(taken, r, &websocket.AcceptOptions{
			InsecureSkipVerify: true, CompressionMode: websocket.CompressionDisabled,
		})
		if err != nil {
			return // Accept has answered
		}
		scheme := "ws"
		if r.TLS != nil {
			scheme = "wss"
		}
		remote := remoteOf(scheme, r.RemoteAddr)
		if r.Header.Get("Origin") != "" && remote.IsLoopback() {
			// A page from anywhere, in a browser on this machine.
			remote = actors.Address{}
		}
		accept(newWebSocketStream(c, taken.conn, remote))
	})
}

// A hijacker remembers the connection that is taken from an HTTP server.
type hijacker struct {
	http.ResponseWriter
	conn net.Conn
}

// Hijack implements [http.Hijacker].
func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	h.conn = c
	return c, rw, err
}

// A webSocketStream is the messages of a WebSocket one behind the other.
type webSocketStream struct {
	conn   *websocket.Conn
	raw    net.Conn // beneath it; nil if that is not known
	remote actors.Address
	rest   io.Reader // of the message that is being read
}

func newWebSocketStream(c *websocket.Conn, raw net.Conn, remote actors.Address) Stream {
	c.SetReadLimit(messageMax)
	return &webSocketStream{conn: c, raw: raw, remote: remote}
}

// Read implements [io.Reader].
func (s *webSocketStream) Read(p []byte) (int, error) {
	for {
		if s.rest == nil {
			_, r, err := s.conn.Reader(context.Background())
			if err != nil {
				return 0, endOf(err)
			}
			s.rest = r
		}
		n, err := s.rest.Read(p)
		if errors.Is(err, io.EOF) {
			s.rest, err = nil, nil
		}
		if n > 0 || err != nil {
			return n, endOf(err)
		}
	}
}

// endOf turns an orderly end into io.EOF.
func endOf(err error) error {
	switch websocket.CloseStatus(err) {
	case websocket.StatusNormalClosure, websocket.StatusGoingAway, websocket.StatusNoStatusRcvd:
		return io.EOF
	}
	return err
}

// Write implements [io.Writer].
func (s *webSocketStream) Write(p []byte) (int, error) {
	if err := s.conn.Write(context.Background(), websocket.MessageBinary, p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Close implements [io.Closer].
func (s *webSocketStream) Close() error { return s.conn.Close(websocket.StatusNormalClosure, "") }

// Reset breaks the connection. CloseNow alone would wait for a Close that waits for
// the other end.
func (s *webSocketStream) Reset() {
	if s.raw != nil {
		resetConn(s.raw)
	}
	_ = s.conn.CloseNow()
}

// Remote implements [Stream].
func (s *webSocketStream) Remote() actors.Address { return s.remote }
