package realnet

import (
	"context"
	"errors"
	"io"

	"github.com/coder/websocket"

	"peernet/actors"
)

// messageMax bounds a WebSocket message that is read, in bytes. What a link
// writes at a time is less.
const messageMax = 1 << 20

// A webSocketStream is the messages of a WebSocket one behind the other.
type webSocketStream struct {
	conn   *websocket.Conn
	raw    rawConn // beneath it
	remote actors.Address
	rest   io.Reader // of the message that is being read
}

func newWebSocketStream(c *websocket.Conn, raw rawConn, remote actors.Address) Stream {
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
	s.raw.reset()
	_ = s.conn.CloseNow()
}

// Remote implements [Stream].
func (s *webSocketStream) Remote() actors.Address { return s.remote }
