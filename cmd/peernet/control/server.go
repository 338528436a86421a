package control

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"
	"unicode/utf8"

	"peernet/actors/book"
	"peernet/actors/peer"
	"peernet/realnet"
)

// bodyMax bounds the body of a request other than import, in bytes.
const bodyMax = 16 << 10

// lineMax bounds a line of an import, in bytes.
const lineMax = 4 << 10

// pathMax is the longest path of a socket, in bytes: 104 with the end on some
// systems.
const pathMax = 103

// ErrInUse is the error of a socket that another daemon serves.
var ErrInUse = errors.New("another daemon serves the socket")

// Info is what a Server knows of the daemon besides its node.
type Info struct {
	Network, Version, Data string
	Started                time.Time
}

// A Daemon serves the control interface of a node.
type Daemon struct {
	node   *realnet.Node
	info   Info
	path   string
	server http.Server
	once   sync.Once
	closed chan struct{} // closed when a client asks the daemon to end
	done   chan struct{}
	ctx    context.Context // ends what streams
	cancel context.CancelFunc
}

// Serve listens on a Unix socket at path. A socket that a daemon left which is not
// there any more is replaced.
func Serve(node *realnet.Node, path string, info Info) (*Daemon, error) {
	if len(path) > pathMax {
		return nil, fmt.Errorf("%s has %d bytes, and the path of a socket at most %d", path, len(path), pathMax)
	}
	c, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		_ = c.Close()
		return nil, fmt.Errorf("%s: %w", path, ErrInUse)
	}
	stale := errors.Is(err, syscall.ECONNREFUSED) // nobody listens there any more
	if fi, err := os.Lstat(path); err == nil && fi.Mode()&os.ModeSocket == 0 {
		return nil, fmt.Errorf("%s is there and no socket", path)
	}
	if stale {
		_ = os.Remove(path)
	}
	l, err := listenPrivately(path)
	if err != nil {
		return nil, err
	}
	d := &Daemon{node: node, info: info, path: path, closed: make(chan struct{}), done: make(chan struct{})}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	d.server = http.Server{Handler: d.routes(), ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		defer close(d.done)
		_ = d.server.Serve(l)
	}()
	return d, nil
}

// Closed is closed when a client has asked the daemon to end.
func (d *Daemon) Closed() <-chan struct{} { return d.closed }

// Close ends all that streams, waits for the requests at hand, and removes the
// socket.
func (d *Daemon) Close() error {
	d.cancel()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := d.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, d.server.Close())
	}
	<-d.done
	return err
}

func (d *Daemon) routes() http.Handler {
	mux := http.NewServeMux()
	for path, h := range map[string]func(*call) error{
		"status": d.status, "servers": d.servers, "listen": d.listen, "known": d.known, "stats": d.stats,
		"add": d.add, "import": d.load, "remove": d.remove, "connect": d.connect, "disconnect": d.disconnect,
		"connections": d.connections, "announce": d.announce, "search": d.search, "answer": d.answer,
		"watch": d.watch, "log": d.log, "close": d.end,
	} {
		mux.HandleFunc("POST /v1/"+path, func(w http.ResponseWriter, r *http.Request) { d.serve(w, r, path, h) })
	}
	return mux
}

// A call is a request at hand.
type call struct {
	Request
	ctx     context.Context
	body    io.Reader
	w       http.ResponseWriter
	started bool
}

func (d *Daemon) serve(w http.ResponseWriter, r *http.Request, path string, h func(*call) error) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(d.ctx, cancel)()
	c := &call{ctx: ctx, body: r.Body, w: w}
	if path != "import" {
		err := json.NewDecoder(http.MaxBytesReader(w, r.Body, bodyMax)).Decode(&c.Request)
		var long *http.MaxBytesError
		switch {
		case errors.As(err, &long):
			c.fail(fmt.Errorf("the request has more than %d bytes", long.Limit))
			return
		case err != nil && !errors.Is(err, io.EOF):
			c.fail(fmt.Errorf("the request is no JSON object: %w", err))
			return
		}
	}
	switch err := h(c); {
	case err == nil && !c.started:
		c.put(struct{}{})
	case err != nil && ctx.Err() == nil:
		c.fail(err)
	}
}

// put writes one line of the answer.
func (c *call) put(v any) {
	if !c.started {
		c.started = true
		c.w.Header().Set("Content-Type", "application/x-ndjson")
	}
	_ = json.NewEncoder(c.w).Encode(v) // a client that has gone ends the context
}

// flush sends what is written.
func (c *call) flush() {
	if !c.started {
		c.started = true
		c.w.Header().Set("Content-Type", "application/x-ndjson")
	}
	_ = http.NewResponseController(c.w).Flush()
}

func (c *call) fail(err error) {
	if !c.started {
		c.started = true
		c.w.Header().Set("Content-Type", "application/json")
		c.w.WriteHeader(http.StatusUnprocessableEntity)
	}
	c.put(failure{err.Error()})
}

func (d *Daemon) status(c *call) error {
	list, err := d.node.Connections(c.ctx)
	if err != nil {
		return err
	}
	known, err := d.node.Len(c.ctx)
	if err != nil {
		return err
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	id := d.node.ID()
	s := Status{
		ID: id.String(), Network: d.info.Network, Version: d.info.Version, PID: os.Getpid(),
		Data: d.info.Data, UptimeS: time.Since(d.info.Started).Seconds(), Servers: d.node.Servers(),
		Observed: d.node.Observed(), Known: known, MemoryBytes: memory.Sys - memory.HeapReleased, Events: d.node.Counts(),
	}
	for _, x := range list {
		if x.Outbound {
			s.Outbound++
		} else {
			s.Inbound++
		}
	}
	c.put(s)
	return nil
}

func (d *Daemon) servers(c *call) error {
	for _, a := range d.node.Servers() {
		c.put(Server{a})
	}
	c.flush()
	return nil
}

func (d *Daemon) listen(c *call) error {
	bound, err := d.node.Listen(c.ctx, c.Address)
	if err != nil {
		return err
	}
	c.put(Server{bound})
	return nil
}

func (d *Daemon) known(c *call) error {
	for e, err := range d.node.Known(c.ctx) {
		if err != nil {
			return err
		}
		c.put(entryOf(e))
	}
	c.flush()
	return nil
}

func entryOf(e book.Entry) Entry {
	return Entry{
		Address: e.Address.String(), Saved: e.Saved, OK: e.OK, Fail: e.Fail, Rx: e.Rx, Tx: e.Tx,
		Seen: timeOf(e.Seen), Tried: timeOf(e.Tried),
	}
}

func timeOf(s book.Seconds) *time.Time {
	if s == 0 {
		return nil
	}
	t := s.Time()
	return &t
}

func (d *Daemon) stats(c *call) error {
	e, ok, err := d.node.Stats(c.ctx, c.Address)
	switch {
	case err != nil:
		return err
	case !ok:
		return fmt.Errorf("%s is not in the address book", c.Address)
	}
	c.put(entryOf(e))
	return nil
}

func (d *Daemon) add(c *call) error        { return d.node.Save(c.ctx, c.Address) }
func (d *Daemon) remove(c *call) error     { return d.node.Remove(c.ctx, c.Address) }
func (d *Daemon) connect(c *call) error    { return d.node.Connect(c.ctx, c.Address) }
func (d *Daemon) disconnect(c *call) error { return d.node.Disconnect(c.ctx, c.Address) }

func (d *Daemon) connections(c *call) error {
	list, err := d.node.Connections(c.ctx)
	if err != nil {
		return err
	}
	for _, x := range list {
		c.put(Connection{
			ID: x.ID.String(), Address: x.Address.String(), Remote: x.Remote.String(), Outbound: x.Outbound, Transport: x.Transport,
			Version: x.Version, Since: x.Since.UTC(), Received: x.Received, Sent: x.Sent,
		})
	}
	c.flush()
	return nil
}

// errAlone is the error of saying something to nobody.
var errAlone = errors.New("the node has no connection")

// connected returns errAlone if the node has no peer.
func (d *Daemon) connected(c *call) error {
	list, err := d.node.Connections(c.ctx)
	if err == nil && len(list) == 0 {
		err = errAlone
	}
	return err
}

func (d *Daemon) announce(c *call) error {
	if err := d.connected(c); err != nil {
		return err
	}
	return d.node.Publish(c.ctx, realnet.Message{Type: c.Type, Data: c.Data, Limit: c.Limit})
}

func (d *Daemon) search(c *call) error {
	if err := d.connected(c); err != nil {
		return err
	}
	c.flush()
	for r, err := range d.node.Announce(c.ctx, realnet.Message{Type: c.Type, Data: c.Data, Limit: c.Limit}) {
		if err != nil {
			return err
		}
		c.put(messageOf(r.Message, r.Hops))
		c.flush()
	}
	return nil
}

func messageOf(m realnet.Message, hops int) Message {
	v := Message{Type: m.Type, Data: m.Data, Hops: hops}
	if !utf8.ValidString(m.Data) {
		v.Data, v.Base64 = "", base64.StdEncoding.EncodeToString([]byte(m.Data))
	}
	return v
}

func (d *Daemon) watch(c *call) error {
	requests := d.node.Requests(c.ctx)
	c.flush()
	for r, err := range requests {
		if err != nil {
			return err
		}
		if c.Type == "" || r.Type == c.Type {
			c.put(messageOf(r.Message, r.Hops))
			c.flush()
		}
	}
	return nil
}

func (d *Daemon) answer(c *call) error {
	requests := d.node.Requests(c.ctx)
	c.flush()
	for r, err := range requests {
		if err != nil {
			return err
		}
		if r.Type != c.Type || c.Match != "" && r.Data != c.Match {
			continue
		}
		err := r.Reply(c.ctx, realnet.Message{Type: r.Type, Data: c.Data})
		if errors.Is(err, peer.ErrNoRoute) {
			continue // whoever asked is gone
		}
		if err != nil {
			return err
		}
		c.put(messageOf(r.Message, r.Hops))
		c.flush()
	}
	return nil
}

func (d *Daemon) log(c *call) error {
	events := d.node.Events(c.ctx, c.All)
	c.flush()
	for e, err := range events {
		if err != nil {
			return err
		}
		c.put(Event{e.Time.UTC(), e.Kind.String(), e.Address.String(), e.N, e.Text})
		c.flush()
	}
	return nil
}

func (d *Daemon) end(*call) error {
	d.once.Do(func() { close(d.closed) })
	return nil
}
