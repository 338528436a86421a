//go:build js

// Command wasm is a node in a web page: package realnet behind functions that
// JavaScript calls. peernet.js starts it and puts a module around it; see there for
// what the functions mean.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"syscall/js"
	"time"
	"unicode/utf8"

	"peernet/actors/peer"
	"peernet/realnet"
	"peernet/realnet/rtc"
)

// main gives the function whose name is the argument what JavaScript may call, and
// goes on for ever.
func main() {
	js.Global().Call(os.Args[1], js.FuncOf(func(_ js.Value, args []js.Value) any {
		return promise(func() (any, error) { return open(args[0], args[1]) })
	}))
	select {}
}

// promise runs f, which may wait, and returns a promise of what it returns.
func promise(f func() (any, error)) js.Value {
	var executor js.Func
	executor = js.FuncOf(func(_ js.Value, args []js.Value) any {
		resolve, reject := args[0], args[1]
		go func() {
			defer executor.Release()
			v, err := guarded(f)
			switch {
			case err != nil:
				reject.Invoke(js.Global().Get("Error").New(plain(err)))
			case v == nil:
				resolve.Invoke()
			default:
				resolve.Invoke(v)
			}
		}()
		return nil
	})
	return js.Global().Get("Promise").New(executor)
}

// guarded makes an error of a panic: of an argument of a kind that peernet.js let
// through, say. It must not end the other nodes of the page.
func guarded(f func() (any, error)) (v any, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("peernet: %v", r)
		}
	}()
	return f()
}

// plain is an error without the names of the packages that say it.
func plain(err error) string {
	text := err.Error()
	for _, name := range []string{"realnet", "rtc", "peer", "actors", "book"} {
		text = strings.ReplaceAll(text, name+": ", "")
	}
	return text
}

// A page is a node and the functions that JavaScript has of it.
type page struct {
	node   *realnet.Node
	emit   js.Value        // (event, value)
	ctx    context.Context // of what goes on until close
	cancel context.CancelFunc
	last   int
	asked  map[int]*realnet.Request // that can be answered, the newest
	funcs  []js.Func
}

// askedMax bounds the requests that can still be answered.
const askedMax = 256

// open starts a node with options, whose events emit gets.
func open(options, emit js.Value) (any, error) {
	p := &page{emit: emit, asked: map[int]*realnet.Request{}}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	c := realnet.Config{
		Bootstrap: texts(options.Get("bootstrap")),
		Data:      text(options.Get("database")),
		Peer: peer.Config{
			Network: text(options.Get("network")), Connections: number(options.Get("connections")),
			// A page has no use for a large book.
			InboundMax: 16,
		},
		WebRTC: realnet.WebRTC{Config: rtc.Config{Loopback: options.Get("loopback").Truthy()}},
		Log:    slog.New(slog.NewTextHandler(logWriter{p}, &slog.HandlerOptions{Level: slog.LevelInfo})),
	}
	c.Peer.Book.Entries = 1000
	if servers := options.Get("iceServers"); servers.Truthy() {
		for i := range servers.Length() {
			s := servers.Index(i)
			c.WebRTC.Servers = append(c.WebRTC.Servers, rtc.Server{
				URLs: texts(s.Get("urls")), Username: text(s.Get("username")), Credential: text(s.Get("credential")),
			})
		}
	}
	ctx, cancel := context.WithTimeout(p.ctx, 30*time.Second)
	defer cancel()
	var err error
	if p.node, err = realnet.Open(ctx, c); err != nil {
		p.cancel()
		return nil, err
	}
	go p.watchRequests()
	go p.watchConnections()
	return p.functions(), nil
}

type logWriter struct{ page *page }

// Write implements [io.Writer].
func (w logWriter) Write(b []byte) (int, error) {
	w.page.emit.Invoke("log", string(b))
	return len(b), nil
}

// functions returns the object that JavaScript has of the node.
func (p *page) functions() js.Value {
	o := js.Global().Get("Object").New()
	o.Set("id", p.node.ID().String())
	set := func(name string, f func(args []js.Value) (any, error)) {
		wrapped := js.FuncOf(func(_ js.Value, args []js.Value) any {
			return promise(func() (any, error) { return f(args) })
		})
		p.funcs = append(p.funcs, wrapped)
		o.Set(name, wrapped)
	}
	set("connect", func(args []js.Value) (any, error) { return nil, p.node.Connect(context.Background(), args[0].String()) })
	set("disconnect", func(args []js.Value) (any, error) {
		return nil, p.node.Disconnect(context.Background(), args[0].String())
	})
	set("save", func(args []js.Value) (any, error) { return nil, p.node.Save(context.Background(), args[0].String()) })
	set("remove", func(args []js.Value) (any, error) { return nil, p.node.Remove(context.Background(), args[0].String()) })
	set("announce", func(args []js.Value) (any, error) { return nil, p.node.Publish(context.Background(), message(args)) })
	set("search", p.search)
	set("ready", p.ready)
	set("reply", p.reply)
	set("connections", func([]js.Value) (any, error) { return p.connections() })
	set("known", func([]js.Value) (any, error) { return p.known() })
	set("counts", func([]js.Value) (any, error) {
		o := js.Global().Get("Object").New()
		for name, n := range p.node.Counts() {
			o.Set(name, n)
		}
		return o, nil
	})
	set("close", func([]js.Value) (any, error) {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		err := p.node.Close(ctx)
		p.cancel()
		return nil, err
	})
	return o
}

// message reads type, data and limit.
func message(args []js.Value) realnet.Message {
	m := realnet.Message{Type: args[0].String(), Data: content(args[1])}
	if len(args) > 2 {
		m.Limit = uint32(max(number(args[2]), 0))
	}
	return m
}

// content reads a string or bytes.
func content(v js.Value) string {
	if v.Type() == js.TypeString {
		return v.String()
	}
	if v.IsUndefined() || v.IsNull() {
		return ""
	}
	b := make([]byte, v.Get("byteLength").Int())
	js.CopyBytesToGo(b, v)
	return string(b)
}

// described is what JavaScript gets of a message.
func described(m realnet.Message, hops int) js.Value {
	o := js.Global().Get("Object").New()
	o.Set("type", m.Type)
	bytes := js.Global().Get("Uint8Array").New(len(m.Data))
	js.CopyBytesToJS(bytes, []byte(m.Data))
	o.Set("bytes", bytes)
	o.Set("data", js.Null())
	if utf8.ValidString(m.Data) {
		o.Set("data", m.Data)
	}
	o.Set("hops", hops)
	return o
}

// search announces (type, data, limit, milliseconds, each, call) and calls each with
// every response, until the time is over, or the function that call.stop is set to is
// called.
func (p *page) search(args []js.Value) (any, error) {
	ctx, cancel := context.WithCancel(p.ctx)
	defer cancel()
	stop := js.FuncOf(func(js.Value, []js.Value) any {
		cancel()
		return nil
	})
	defer stop.Release()
	args[5].Set("stop", stop)
	defer args[5].Set("stop", js.Undefined())
	if ms := args[3].Float(); ms < maxMilliseconds {
		timer := time.AfterFunc(time.Duration(ms)*time.Millisecond, cancel)
		defer timer.Stop()
	}
	for r, err := range p.node.Announce(ctx, message(args)) {
		switch {
		case ctx.Err() != nil && p.ctx.Err() == nil:
			return nil, nil
		case p.ctx.Err() != nil:
			return nil, realnet.ErrClosed
		case err != nil:
			return nil, err
		}
		args[4].Invoke(described(r.Message, r.Hops))
	}
	if p.ctx.Err() != nil {
		return nil, realnet.ErrClosed
	}
	return nil, nil
}

// maxMilliseconds is a time-out that does not come.
const maxMilliseconds = float64(1 << 40)

// ready waits for a connection, some milliseconds at most.
func (p *page) ready(args []js.Value) (any, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if ms := args[0].Float(); ms < maxMilliseconds {
		timer := time.AfterFunc(time.Duration(ms)*time.Millisecond, cancel)
		defer timer.Stop()
	}
	err := p.node.Ready(ctx)
	if errors.Is(err, context.Canceled) {
		err = errors.New("peernet: no connection in time")
	}
	return nil, err
}

// watchRequests emits what others announce.
func (p *page) watchRequests() {
	for r, err := range p.node.Requests(p.ctx) {
		if err != nil {
			return
		}
		p.last++
		p.asked[p.last] = r
		delete(p.asked, p.last-askedMax)
		o := described(r.Message, r.Hops)
		o.Set("number", p.last)
		p.emit.Invoke("request", o)
	}
}

// reply answers a request by its number: (number, type, data).
func (p *page) reply(args []js.Value) (any, error) {
	r := p.asked[args[0].Int()]
	if r == nil {
		return nil, errors.New("peernet: the request is too long ago")
	}
	return nil, r.Reply(context.Background(), message(args[1:]))
}

// watchConnections emits peers that come and go.
func (p *page) watchConnections() {
	for e, err := range p.node.Events(p.ctx, false) {
		if err != nil {
			break
		}
		switch e.Kind {
		case peer.EventPeerUp:
			p.emit.Invoke("connect", e.Address.String())
		case peer.EventPeerDown:
			p.emit.Invoke("disconnect", e.Address.String())
		}
	}
	if err := p.node.Err(); err != nil {
		p.emit.Invoke("log", fmt.Sprint("the node has ended: ", err))
	}
}

func (p *page) connections() (any, error) {
	list, err := p.node.Connections(context.Background())
	if err != nil {
		return nil, err
	}
	a := js.Global().Get("Array").New()
	for _, c := range list {
		o := js.Global().Get("Object").New()
		o.Set("id", c.ID.String())
		o.Set("transport", c.Transport)
		o.Set("address", c.Address.String())
		o.Set("remote", c.Remote.String())
		o.Set("outbound", c.Outbound)
		o.Set("version", c.Version)
		o.Set("since", c.Since.UnixMilli())
		o.Set("received", c.Received)
		o.Set("sent", c.Sent)
		a.Call("push", o)
	}
	return a, nil
}

func (p *page) known() (any, error) {
	a := js.Global().Get("Array").New()
	for e, err := range p.node.Known(context.Background()) {
		if err != nil {
			return nil, err
		}
		o := js.Global().Get("Object").New()
		o.Set("address", e.Address.String())
		o.Set("saved", e.Saved)
		o.Set("ok", e.OK)
		o.Set("failed", e.Fail)
		a.Call("push", o)
	}
	return a, nil
}

// text is a string option, "" if it is not given.
func text(v js.Value) string {
	if v.Type() != js.TypeString {
		return ""
	}
	return v.String()
}

// texts is an option of one string or several.
func texts(v js.Value) (list []string) {
	if v.Type() == js.TypeString {
		return []string{v.String()}
	}
	if !v.Truthy() {
		return nil
	}
	for i := range v.Length() {
		list = append(list, v.Index(i).String())
	}
	return list
}

// number is a numeric option, 0 if it is not given.
func number(v js.Value) int {
	if v.Type() != js.TypeNumber {
		return 0
	}
	return v.Int()
}
