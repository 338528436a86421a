//go:build js

package browser

import (
	"errors"
	"io"
	"sync"
	"syscall/js"
)

// receiveMax bounds what a channel keeps that was not read, of which each message counts
// messageCost more. A browser cannot be told to stop receiving.
const (
	receiveMax  = 4 << 20
	messageCost = 64
)

// ErrBehind is the error of a channel that received too much that nobody read.
var ErrBehind = errors.New("browser: too much was received that nobody read")

// ErrClosed is the error of a channel that is not open any more.
var ErrClosed = errors.New("browser: the channel is closed")

// A Channel is a WebSocket or data channel of the browser, as a stream of bytes. The
// boundaries of messages mean nothing, and what is empty is skipped.
type Channel struct {
	value js.Value
	done  chan struct{} // closed at the end
	Handlers

	mu       sync.Mutex
	more     sync.Cond
	received [][]byte
	size     int // of what was received and not read
	err      error
}

// NewChannel returns the channel of a browser's object. Nothing that it receives from
// now on is lost.
func NewChannel(value js.Value) *Channel {
	c := &Channel{value: value, done: make(chan struct{})}
	c.more.L = &c.mu
	value.Set("binaryType", "arraybuffer")
	c.On(value, "message", func(event js.Value) {
		data := event.Get("data")
		if data.Type() == js.TypeString {
			c.receive([]byte(data.String()))
			return
		}
		array := js.Global().Get("Uint8Array").New(data)
		b := make([]byte, array.Length())
		js.CopyBytesToGo(b, array)
		c.receive(b)
	})
	c.On(value, "close", func(js.Value) { c.end(io.EOF) })
	c.On(value, "error", func(js.Value) { c.end(io.ErrUnexpectedEOF) })
	return c
}

func (c *Channel) receive(b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil || len(b) == 0 {
		return
	}
	if c.size += len(b) + messageCost; c.size > receiveMax {
		c.err, c.received = ErrBehind, nil
		c.value.Call("close")
	} else {
		c.received = append(c.received, b)
	}
	c.more.Broadcast()
}

// end says that nothing more will come.
func (c *Channel) end(err error) {
	c.Off()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
	}
	select {
	case <-c.done:
	default:
		close(c.done)
	}
	c.more.Broadcast()
}

// Done is closed when the channel is.
func (c *Channel) Done() <-chan struct{} { return c.done }

// Read implements [io.Reader].
func (c *Channel) Read(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.received) == 0 && c.err == nil {
		c.more.Wait()
	}
	if len(c.received) == 0 {
		return 0, c.err
	}
	n := copy(b, c.received[0])
	if c.received[0] = c.received[0][n:]; len(c.received[0]) == 0 {
		c.received[0] = nil
		c.received = c.received[1:]
		c.size -= messageCost
	}
	c.size -= n
	return n, nil
}

// Write implements [io.Writer]: b is one message. It does not wait; see
// BufferedAmount.
func (c *Channel) Write(b []byte) (n int, err error) {
	if c.value.Get("readyState").String() == "open" || c.value.Get("readyState").Equal(js.ValueOf(1)) {
		_, err = Try(func() js.Value { return c.value.Call("send", bytesOf(b)) })
		if err == nil {
			return len(b), nil
		}
	}
	return 0, ErrClosed
}

func bytesOf(b []byte) js.Value {
	array := js.Global().Get("Uint8Array").New(len(b))
	js.CopyBytesToJS(array, b)
	return array
}

// Close implements [io.Closer]: what was sent goes out first.
func (c *Channel) Close() error {
	c.value.Call("close")
	return nil
}

// BufferedAmount is how many bytes wait to be sent.
func (c *Channel) BufferedAmount() uint64 { return uint64(c.value.Get("bufferedAmount").Int()) }

// OnLow has f called when no more than so many bytes wait, where the object is a data
// channel.
func (c *Channel) OnLow(bytes int, f func()) {
	c.value.Set("bufferedAmountLowThreshold", bytes)
	c.On(c.value, "bufferedamountlow", func(js.Value) { f() })
}
