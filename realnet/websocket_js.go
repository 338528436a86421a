package realnet

import (
	"context"
	"syscall"
	"syscall/js"
	"time"

	"peernet/actors"
	"peernet/realnet/browser"
)

// bufferedMax bounds the bytes of a WebSocket that wait to be sent, but for one
// message. A browser does not tell when there is room: bufferedPause is how often that
// is looked at.
const (
	bufferedMax   = 256 << 10
	bufferedPause = 5 * time.Millisecond
)

// WebSocket carries links over the WebSockets of the browser, for addresses
// ws://host:port/path and wss. The boundaries of messages mean nothing.
type WebSocket struct{}

// Dial implements [Transport]. Why a WebSocket could not be opened, a browser does not
// tell a page.
func (WebSocket) Dial(ctx context.Context, to actors.Address) (Stream, error) {
	value, err := browser.Try(func() js.Value { return js.Global().Get("WebSocket").New(to.String()) })
	if err != nil {
		return nil, err // such as ws from a page of https
	}
	s := &webSocketStream{browser.NewChannel(value), to}
	opened := make(chan struct{})
	s.On(value, "open", func(js.Value) { close(opened) })
	select {
	case <-opened:
		return s, nil
	case <-s.Done():
		return nil, syscall.ECONNREFUSED
	case <-ctx.Done():
		_ = s.Close()
		return nil, context.Cause(ctx)
	}
}

// A webSocketStream is the messages of a WebSocket one behind the other.
type webSocketStream struct {
	*browser.Channel
	remote actors.Address
}

// Write implements [io.Writer]. It waits while too much waits to be sent.
func (s *webSocketStream) Write(b []byte) (int, error) {
	for s.BufferedAmount() > bufferedMax {
		select {
		case <-s.Done():
			return 0, browser.ErrClosed
		case <-time.After(bufferedPause):
		}
	}
	return s.Channel.Write(b)
}

// Remote implements [Stream].
func (s *webSocketStream) Remote() actors.Address { return s.remote }
