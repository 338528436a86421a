package realnet

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"peernet/actors"
)

// messageMax bounds a WebSocket message that is read, in bytes. What a link
// writes at a time is less.
const messageMax = 1 << 20

// WebSocket carries links over WebSocket, for addresses ws://host:port/path and
// wss. The boundaries of messages mean nothing: what a link sends within a while
// is one.
type WebSocket struct {
	// Client makes the requests; nil is http.DefaultClient. For wss it holds
	// the TLS configuration.
	Client *http.Client
}

// Dial implements [Transport].
func (t WebSocket) Dial(ctx context.Context, to actors.Address) (Stream, error) {
	c, answer, err := websocket.Dial(ctx, to.String(), &websocket.DialOptions{
		HTTPClient: t.Client, CompressionMode: websocket.CompressionDisabled,
	})
	if answer != nil && answer.Body != nil {
		_ = answer.Body.Close()
	}
	if err != nil {
		return nil, err
	}
	return newWebSocketStream(c, to), nil
}

// Listen implements [Listener].
func (t WebSocket) Listen(ctx context.Context, at actors.Address, accept func(Stream)) (func(), error) {
	if at.Scheme() == "wss" {
		return nil, errNoCertificate // use Node.Handler in a server that has one
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", authority(at))
	if err != nil {
		return nil, err
	}
	s := &http.Server{Handler: acceptWebSocket(accept), ReadHeaderTimeout: 10 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(l)
	}()
	return func() { _ = s.Close(); <-done }, nil
}

// acceptWebSocket upgrades requests and hands the streams over. Any origin will
// do: nodes have no cookies that a page could abuse.
func acceptWebSocket(accept func(Stream)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{
			InsecureSkipVerify: true, CompressionMode: websocket.CompressionDisabled,
		})
		if err != nil {
			return // Accept has answered
		}
		remote, _ := actors.ParseAddress("ws://" + r.RemoteAddr)
		accept(newWebSocketStream(c, remote))
	})
}

// A webSocketStream is the messages of a WebSocket one behind the other.
type webSocketStream struct {
	conn   *websocket.Conn
	remote actors.Address
	rest   io.Reader // of the message that is being read
}

func newWebSocketStream(c *websocket.Conn, remote actors.Address) Stream {
	c.SetReadLimit(messageMax)
	return &webSocketStream{conn: c, remote: remote}
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

// Reset breaks the connection.
func (s *webSocketStream) Reset() { _ = s.conn.CloseNow() }

// Remote implements [Stream].
func (s *webSocketStream) Remote() actors.Address { return s.remote }
