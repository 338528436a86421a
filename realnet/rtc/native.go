//go:build !js

package rtc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/pion/ice/v4"
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

// receiveMax bounds what a connection keeps of what was not read.
const receiveMax = 512 << 10

func newAPI(c *Config) (*webrtc.API, func() error, error) {
	s := webrtc.SettingEngine{}
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
			return nil, nil, err
		}
		s.SetICEUDPMux(mux)
		done = mux.Close
	case c.PortMin != 0 || c.PortMax != 0:
		if err := s.SetEphemeralUDPPortRange(c.PortMin, c.PortMax); err != nil {
			return nil, nil, err
		}
	}
	return webrtc.NewAPI(webrtc.WithSettingEngine(s)), done, nil
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
func (e *Engine) certificates() ([]webrtc.Certificate, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if time.Now().Before(e.renew) {
		return e.certificate, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	c, err := webrtc.GenerateCertificate(key)
	if err != nil {
		return nil, err
	}
	e.certificate, e.renew = []webrtc.Certificate{*c}, time.Now().Add(renewal)
	return e.certificate, nil
}

func closeConnection(pc *webrtc.PeerConnection) { _ = pc.GracefulClose() }

// A detached is a data channel as bytes.
type detached struct {
	channel interface {
		io.ReadWriteCloser
		BufferedAmount() uint64
	}
	message []byte // the space of the message at hand
	rest    []byte // of it that was not read
}

func newPipe(c *webrtc.DataChannel) (pipe, error) {
	raw, err := c.Detach()
	if err != nil {
		return nil, err
	}
	return &detached{channel: raw.(interface {
		io.ReadWriteCloser
		BufferedAmount() uint64
	})}, nil
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
