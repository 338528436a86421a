//go:build js

package rtc

import (
	"errors"
	"io"
	"strings"
	"sync"
	"syscall/js"

	"github.com/pion/webrtc/v4"
)

// With the browser's own implementation, by pion's bindings to it.

// receiveMax bounds what a connection keeps of what was not read. A browser cannot be
// told to stop receiving.
const receiveMax = 4 << 20

func newAPI(*Config) (*webrtc.API, func() error, error) {
	if js.Global().Get("RTCPeerConnection").IsUndefined() {
		return nil, nil, errors.New("this browser has no WebRTC")
	}
	return webrtc.NewAPI(), func() error { return nil }, nil
}

// checkURL reports what is wrong with the URL of a server.
func checkURL(url string) error {
	if scheme, rest, _ := strings.Cut(url, ":"); rest == "" || scheme != "stun" && scheme != "stuns" && scheme != "turn" && scheme != "turns" {
		return errors.New("want stun:host:port or turn:host:port")
	}
	return nil
}

func (e *Engine) certificates() ([]webrtc.Certificate, error) { return nil, nil }

func closeConnection(pc *webrtc.PeerConnection) { _ = pc.Close() }

// A channel is a data channel of the browser as bytes. pion's own does not keep the
// order of messages: it has a goroutine for each.
type channel struct {
	value js.Value

	mu       sync.Mutex
	more     sync.Cond
	received [][]byte
	size     int // of what was received and not read
	err      error
	release  []func()
}

var errBehind = errors.New("rtc: too much was received that nobody read")

func newPipe(c *webrtc.DataChannel) (pipe, error) {
	p := &channel{value: c.JSValue()}
	p.more.L = &p.mu
	p.value.Set("binaryType", "arraybuffer")
	p.on("message", func(event js.Value) {
		data := event.Get("data")
		var b []byte
		if data.Type() == js.TypeString {
			b = []byte(data.String())
		} else {
			array := js.Global().Get("Uint8Array").New(data)
			b = make([]byte, array.Length())
			js.CopyBytesToGo(b, array)
		}
		p.receive(b)
	})
	p.on("close", func(js.Value) { p.end(io.EOF) })
	p.on("error", func(js.Value) { p.end(io.ErrUnexpectedEOF) })
	if state := p.value.Get("readyState").String(); state != "open" {
		p.end(io.EOF)
	}
	return p, nil
}

func (p *channel) on(event string, f func(js.Value)) {
	handler := js.FuncOf(func(_ js.Value, args []js.Value) any {
		f(args[0])
		return nil
	})
	p.value.Call("addEventListener", event, handler)
	p.release = append(p.release, func() {
		p.value.Call("removeEventListener", event, handler)
		handler.Release()
	})
}

func (p *channel) receive(b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil || len(b) == 0 {
		return
	}
	if p.size += len(b); p.size > receiveMax {
		p.err = errBehind
		p.received = nil
		p.value.Call("close")
	} else {
		p.received = append(p.received, b)
	}
	p.more.Broadcast()
}

// end says that nothing more will come. The handlers go.
func (p *channel) end(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		p.err = err
	}
	for _, f := range p.release {
		f()
	}
	p.release = nil
	p.more.Broadcast()
}

// Read implements [io.Reader].
func (p *channel) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.received) == 0 && p.err == nil {
		p.more.Wait()
	}
	if len(p.received) == 0 {
		return 0, p.err
	}
	n := copy(b, p.received[0])
	if p.received[0] = p.received[0][n:]; len(p.received[0]) == 0 {
		p.received[0] = nil
		p.received = p.received[1:]
	}
	p.size -= n
	return n, nil
}

// Write implements [io.Writer].
func (p *channel) Write(b []byte) (n int, err error) {
	defer func() {
		if v := recover(); v != nil { // the channel is not open any more
			n, err = 0, ErrClosed
		}
	}()
	array := js.Global().Get("Uint8Array").New(len(b))
	js.CopyBytesToJS(array, b)
	p.value.Call("send", array)
	return len(b), nil
}

// Close implements [io.Closer]: what was sent goes out first.
func (p *channel) Close() error {
	p.value.Call("close")
	return nil
}

// BufferedAmount implements pipe.
func (p *channel) BufferedAmount() uint64 { return uint64(p.value.Get("bufferedAmount").Int()) }
