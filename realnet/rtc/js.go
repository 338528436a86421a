//go:build js

package rtc

import (
	"context"
	"errors"
	"syscall/js"

	"peernet/realnet/browser"
)

// With the browser's own implementation; see package browser for why not by pion's
// bindings to it.

// A platform is what connections share.
type platform struct{ config map[string]any }

func newPlatform(c *Config) (*platform, error) {
	if js.Global().Get("RTCPeerConnection").IsUndefined() {
		return nil, errors.New("this browser has no WebRTC")
	}
	servers := []any{}
	for _, s := range c.Servers {
		urls := []any{}
		for _, url := range s.URLs {
			urls = append(urls, url)
		}
		servers = append(servers, map[string]any{"urls": urls, "username": s.Username, "credential": s.Credential})
	}
	return &platform{map[string]any{"iceServers": servers}}, nil
}

func (*platform) close() error { return nil }

// checkURL reports what is wrong with the URL of a server: a browser finds that later.
func checkURL(string) error { return nil }

// A browserConnection is a peer connection of the browser.
type browserConnection struct {
	pc     js.Value
	opened func(pipe) bool
	all    context.Context // done when the local description is complete
	browser.Handlers
}

func (p *platform) connect(opened func(pipe) bool, ended func()) (connection, error) {
	pc, err := browser.Try(func() js.Value { return js.Global().Get("RTCPeerConnection").New(p.config) })
	if err != nil {
		return nil, err // a browser allows only so many
	}
	c := &browserConnection{pc: pc, opened: opened}
	var complete context.CancelFunc
	c.all, complete = context.WithCancel(context.Background())
	c.On(c.pc, "icegatheringstatechange", func(js.Value) {
		if c.pc.Get("iceGatheringState").String() == "complete" {
			complete()
		}
	})
	c.On(c.pc, "connectionstatechange", func(js.Value) {
		if state := c.pc.Get("connectionState").String(); state == "failed" || state == "closed" {
			ended()
		}
	})
	c.On(c.pc, "datachannel", func(event js.Value) { c.use(event.Get("channel")) })
	return c, nil
}

// use hands over a data channel when it opens.
func (c *browserConnection) use(value js.Value) {
	p := channel{browser.NewChannel(value)}
	if value.Get("readyState").String() == "open" {
		c.opened(p)
		return
	}
	p.On(value, "open", func(js.Value) { c.opened(p) })
}

func (c *browserConnection) offer() error {
	c.use(c.pc.Call("createDataChannel", ""))
	_, err := browser.Await(c.pc.Call("setLocalDescription"))
	return err
}

func (c *browserConnection) answer(offer string) error {
	if err := c.hear("offer", offer); err != nil {
		return err
	}
	_, err := browser.Await(c.pc.Call("setLocalDescription"))
	return err
}

func (c *browserConnection) accept(answer string) error { return c.hear("answer", answer) }

func (c *browserConnection) hear(kind, sdp string) error {
	_, err := browser.Await(c.pc.Call("setRemoteDescription", map[string]any{"type": kind, "sdp": sdp}))
	return err
}

func (c *browserConnection) gathered() <-chan struct{} { return c.all.Done() }

func (c *browserConnection) description() string {
	if d := c.pc.Get("localDescription"); d.Truthy() {
		return d.Get("sdp").String()
	}
	return ""
}

// remote looks for the selected pair in the statistics, which all browsers have.
func (c *browserConnection) remote() (host string, port int) {
	report, err := browser.Await(c.pc.Call("getStats"))
	if err != nil {
		return "", 0
	}
	transport, pair := js.Undefined(), js.Undefined()
	each := js.FuncOf(func(_ js.Value, args []js.Value) any {
		switch s := args[0]; {
		case s.Get("type").String() == "transport":
			transport = s
		case s.Get("type").String() == "candidate-pair" && s.Get("selected").Truthy(): // Firefox
			pair = s
		}
		return nil
	})
	defer each.Release()
	report.Call("forEach", each)
	if transport.Truthy() && transport.Get("selectedCandidatePairId").Truthy() {
		pair = report.Call("get", transport.Get("selectedCandidatePairId"))
	}
	if !pair.Truthy() {
		return "", 0
	}
	at := report.Call("get", pair.Get("remoteCandidateId"))
	if !at.Truthy() || !at.Get("address").Truthy() { // hidden behind a name
		return "", 0
	}
	return at.Get("address").String(), at.Get("port").Int()
}

func (c *browserConnection) close() {
	c.Off()
	c.pc.Call("close")
}

// A channel is a data channel of the browser.
type channel struct{ *browser.Channel }

func (c channel) onLow(f func()) { c.OnLow(bufferedLow, f) }
