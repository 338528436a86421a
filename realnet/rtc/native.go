//go:build !js

package rtc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/logging"
	"github.com/pion/stun/v4"
	"github.com/pion/webrtc/v4"
)

// With pion's own implementation.

// How fast pion notices that a path is gone, and gives up.
const (
	disconnectedTimeout = 5 * time.Second
	failedTimeout       = 15 * time.Second
	keepAliveInterval   = 2 * time.Second
)

// receiveMax bounds what a connection keeps of what was not read, in bytes of its
// messages. Each message costs memory besides, and each piece of one that is not whole;
// so what a connection has received, headers and repetitions included, is held against
// receivedFactor times what was read of it, and against what was sent, which is
// acknowledged: where more than receivedFree is left over, the connection is ended.
// patrolPause is how often that is looked at.
const (
	receiveMax     = 256 << 10
	receivedFactor = 8
	receivedFree   = 3 * receiveMax
	patrolPause    = 100 * time.Millisecond
)

// A platform is what connections share.
type platform struct {
	config *Config
	api    *webrtc.API
	done   func() error

	mu          sync.Mutex
	certificate []webrtc.Certificate // that all connections share for a while
	renew       time.Time
	watched     map[*pionConnection]*detached // that have opened
	patrols     bool
}

func newPlatform(c *Config) (*platform, error) {
	s := webrtc.SettingEngine{}
	// pion would log to standard error what peers do wrong.
	s.LoggerFactory = &logging.DefaultLoggerFactory{Writer: io.Discard, DefaultLogLevel: logging.LogLevelDisabled}
	s.DetachDataChannels()
	s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6})
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled) // who hides behind a name sends to us
	s.SetICETimeouts(disconnectedTimeout, failedTimeout, keepAliveInterval)
	s.SetSCTPMaxReceiveBufferSize(receiveMax)
	s.SetIncludeLoopbackCandidate(c.Loopback)
	s.SetRemoteIPFilter(func(ip net.IP) bool {
		a, ok := netip.AddrFromSlice(ip)
		return ok && c.permitsIP(a)
	})
	if err := checkInterfaces(c.Interfaces); err != nil {
		return nil, err
	}
	interfaces := func(name string) bool { return len(c.Interfaces) == 0 || slices.Contains(c.Interfaces, name) }
	s.SetInterfaceFilter(interfaces)
	done := func() error { return nil }
	switch {
	case c.Port != 0:
		options := []ice.UDPMuxFromPortOption{ice.UDPMuxFromPortWithInterfaceFilter(interfaces)}
		if c.Loopback {
			options = append(options, ice.UDPMuxFromPortWithLoopback())
		}
		mux, err := ice.NewMultiUDPMuxFromPort(int(c.Port), options...)
		if err != nil {
			return nil, fmt.Errorf("UDP port %d: %w", c.Port, err)
		}
		s.SetICEUDPMux(mux)
		done = mux.Close
	case c.PortMin != 0 || c.PortMax != 0:
		if err := s.SetEphemeralUDPPortRange(c.PortMin, c.PortMax); err != nil {
			return nil, err
		}
	}
	return &platform{
		config: c, api: webrtc.NewAPI(webrtc.WithSettingEngine(s)), done: done, watched: map[*pionConnection]*detached{},
	}, nil
}

// checkInterfaces reports a name that no interface has.
func checkInterfaces(names []string) error {
	all, err := net.Interfaces()
	if err != nil || len(names) == 0 {
		return err
	}
	var known []string
	for _, i := range all {
		known = append(known, i.Name)
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return fmt.Errorf("no network interface is called %q; there are %s", name, strings.Join(known, ", "))
		}
	}
	return nil
}

// checkURL reports what is wrong with the URL of a server.
func checkURL(url string) error {
	_, err := stun.ParseURI(url)
	return err
}

// renewal is how long connections share a certificate.
const renewal = 24 * time.Hour

// certificates returns that which connections now have. To make one for each costs
// time, and hides nothing: node ids say who is who.
func (p *platform) certificates() ([]webrtc.Certificate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Now().Before(p.renew) {
		return p.certificate, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	c, err := webrtc.GenerateCertificate(key)
	if err != nil {
		return nil, err
	}
	p.certificate, p.renew = []webrtc.Certificate{*c}, time.Now().Add(renewal)
	return p.certificate, nil
}

func (p *platform) close() error { return p.done() }

// A pionConnection is a peer connection of pion.
type pionConnection struct {
	*webrtc.PeerConnection
	platform *platform
	opened   func(pipe) bool
	ended    func()
	all      <-chan struct{} // closed when the local description is complete
	closed   bool            // under platform.mu
}

// watch ends a connection whose peer sends what cannot be read, or in pieces too
// small.
func (p *platform) watch(c *pionConnection, d *detached) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.closed {
		return // it opened meanwhile
	}
	p.watched[c] = d
	if !p.patrols {
		p.patrols = true
		go p.patrol()
	}
}

// patrol looks at the connections until there are none.
func (p *platform) patrol() {
	tick := time.NewTicker(patrolPause)
	defer tick.Stop()
	for range tick.C {
		p.mu.Lock()
		var bad []*pionConnection
		for c, d := range p.watched {
			if s := c.SCTP().Stats(); d.excess(s.BytesReceived, s.BytesSent) > receivedFree {
				bad = append(bad, c)
			}
		}
		if len(p.watched) == 0 {
			p.patrols = false
			p.mu.Unlock()
			return
		}
		p.mu.Unlock()
		for _, c := range bad {
			c.ended()
		}
	}
}

func (p *platform) connect(opened func(pipe) bool, ended func()) (connection, error) {
	config := webrtc.Configuration{}
	for _, s := range p.config.Servers {
		server := webrtc.ICEServer{URLs: s.URLs}
		if s.Username != "" {
			server.Username, server.Credential = s.Username, s.Credential
		}
		config.ICEServers = append(config.ICEServers, server)
	}
	var err error
	if config.Certificates, err = p.certificates(); err != nil {
		return nil, err
	}
	pc, err := p.api.NewPeerConnection(config)
	if err != nil {
		return nil, err
	}
	c := &pionConnection{PeerConnection: pc, platform: p, opened: opened, ended: ended}
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateFailed || s == webrtc.PeerConnectionStateClosed {
			ended()
		}
	})
	pc.OnDataChannel(c.use)
	pc.SCTP().OnError(func(error) { ended() })
	return c, nil
}

// use hands over a data channel when it opens.
func (c *pionConnection) use(d *webrtc.DataChannel) {
	d.OnOpen(func() {
		raw, err := d.Detach()
		if err != nil {
			return
		}
		p := &detached{channel: raw.(dataChannel), low: d}
		if c.opened(p) {
			c.platform.watch(c, p)
		}
	})
}

func (c *pionConnection) offer() error {
	d, err := c.CreateDataChannel("", nil)
	if err != nil {
		return err
	}
	c.use(d)
	offer, err := c.CreateOffer(nil)
	if err != nil {
		return err
	}
	return c.describe(offer)
}

func (c *pionConnection) answer(offer string) error {
	if err := c.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return err
	}
	answer, err := c.CreateAnswer(nil)
	if err != nil {
		return err
	}
	return c.describe(answer)
}

func (c *pionConnection) describe(d webrtc.SessionDescription) error {
	c.all = webrtc.GatheringCompletePromise(c.PeerConnection)
	return c.SetLocalDescription(d)
}

func (c *pionConnection) accept(answer string) error {
	return c.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer})
}

func (c *pionConnection) gathered() <-chan struct{} { return c.all }

func (c *pionConnection) description() string {
	if d := c.LocalDescription(); d != nil {
		return d.SDP
	}
	return ""
}

func (c *pionConnection) remote() (host string, port int) {
	pair, err := c.SCTP().Transport().ICETransport().GetSelectedCandidatePair()
	if err != nil || pair == nil || pair.Remote == nil {
		return "", 0
	}
	return pair.Remote.Address, int(pair.Remote.Port)
}

func (c *pionConnection) close() {
	c.platform.mu.Lock()
	c.closed = true
	delete(c.platform.watched, c)
	c.platform.mu.Unlock()
	_ = c.GracefulClose()
}

// A dataChannel is a detached one.
type dataChannel interface {
	io.ReadWriteCloser
	BufferedAmount() uint64
}

// A detached is a data channel as bytes.
type detached struct {
	channel dataChannel
	low     *webrtc.DataChannel
	message []byte // the space of the message at hand
	rest    []byte // of it that was not read
	read    atomic.Uint64

	// Of the patrol.
	over                          int64 // bytes received that nothing accounts for
	wasReceived, wasSent, wasRead uint64
}

// excess returns how much more has come than what was read and sent accounts for. What
// they would account for beyond that is not kept for later.
func (d *detached) excess(received, sent uint64) int64 {
	read := d.read.Load()
	d.over += int64(received-d.wasReceived) - receivedFactor*int64(read-d.wasRead) - int64(sent-d.wasSent)
	d.over = max(d.over, 0)
	d.wasReceived, d.wasSent, d.wasRead = received, sent, read
	return d.over
}

// Read implements [io.Reader]. The space for messages grows as they need it.
func (d *detached) Read(b []byte) (int, error) {
	for len(d.rest) == 0 {
		if d.message == nil {
			d.message = make([]byte, messageLeast)
		}
		n, err := d.channel.Read(d.message)
		switch {
		case errors.Is(err, io.ErrShortBuffer) && len(d.message) < receiveMax:
			d.message = make([]byte, 2*len(d.message))
			continue
		case err != nil:
			return 0, err
		}
		d.rest = d.message[:n]
		d.read.Add(uint64(n))
	}
	n := copy(b, d.rest)
	d.rest = d.rest[n:]
	return n, nil
}

// messageLeast is the least space for messages.
const messageLeast = 2 << 10

func (d *detached) Write(b []byte) (int, error) { return d.channel.Write(b) }
func (d *detached) Close() error                { return d.channel.Close() }
func (d *detached) BufferedAmount() uint64      { return d.channel.BufferedAmount() }

func (d *detached) onLow(f func()) {
	d.low.SetBufferedAmountLowThreshold(bufferedLow)
	d.low.OnBufferedAmountLow(f)
}
