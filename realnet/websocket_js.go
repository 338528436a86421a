package realnet

import (
	"context"

	"github.com/coder/websocket"

	"peernet/actors"
)

// WebSocket carries links over the WebSockets of the browser, for addresses
// ws://host:port/path and wss. The boundaries of messages mean nothing.
type WebSocket struct{}

// Dial implements [Transport].
func (WebSocket) Dial(ctx context.Context, to actors.Address) (Stream, error) {
	c, _, err := websocket.Dial(ctx, to.String(), nil)
	if err != nil {
		return nil, err
	}
	return newWebSocketStream(c, rawConn{}, to), nil
}

// A rawConn is what is beneath a WebSocket: in a browser that is out of reach.
type rawConn struct{}

func (rawConn) reset() {}
