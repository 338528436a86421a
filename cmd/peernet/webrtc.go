package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"peernet/actors/peer"
	"peernet/realnet"
	"peernet/realnet/rtc"
)

// webRTCFlags are the settings of links by WebRTC.
type webRTCFlags struct {
	on                       bool
	share                    int
	ice                      []string
	iceUsername, icePassword string
	interfaces               []string
	ports                    string
	loopback, publicOnly     bool
}

// halfOf as --webrtc-connections is half of --connections.
const halfOf = -1

func (f *webRTCFlags) add(flags *pflag.FlagSet) {
	flags.BoolVar(&f.on, "webrtc", true, "open and take links by WebRTC")
	flags.IntVar(&f.share, "webrtc-connections", halfOf, "how many of --connections to open by WebRTC; -1 is half of them")
	flags.StringSliceVar(&f.ice, "ice-server", nil, "`URL` of a STUN or TURN server, such as stun:stun.example.org:3478; repeatable")
	flags.StringVar(&f.iceUsername, "ice-username", "", "user `name` for TURN servers")
	flags.StringVar(&f.icePassword, "ice-credential", "", "`password` for TURN servers")
	flags.StringSliceVar(&f.interfaces, "webrtc-interface", nil, "`name` of a network interface to use for WebRTC; default is all; repeatable")
	flags.StringVar(&f.ports, "webrtc-ports", "", "UDP `ports` of WebRTC: one for all links (4001), which STUN servers are of no use for, or a range with several for each link (50000-50999); default is any")
	flags.BoolVar(&f.loopback, "webrtc-loopback", false, "use loopback addresses for WebRTC: for nodes on one machine")
	flags.BoolVar(&f.publicOnly, "webrtc-public-only", false, "do not try private addresses that peers name: they could have this network probed")
}

// apply enters what the flags ask for.
func (f *webRTCFlags) apply(c *realnet.Config) error {
	c.WebRTC = realnet.WebRTC{Off: !f.on, Config: rtc.Config{
		Interfaces: f.interfaces, Loopback: f.loopback, PublicOnly: f.publicOnly,
	}}
	if len(f.ice) > 0 {
		c.WebRTC.Servers = []rtc.Server{{URLs: f.ice, Username: f.iceUsername, Credential: f.icePassword}}
	} else if f.iceUsername != "" || f.icePassword != "" {
		return errors.New("--ice-username and --ice-credential are for servers: name one with --ice-server")
	}
	switch {
	case !f.on && f.share != halfOf:
		return errors.New("--webrtc-connections is of no use with --webrtc=false")
	case f.share < halfOf || f.share > c.Peer.Connections:
		return fmt.Errorf("--webrtc-connections: must be from 0 to --connections, %d, or -1", c.Peer.Connections)
	case f.share == 0:
		c.Peer.WebRTC = peer.WebRTCAnswers
	case f.share > 0:
		c.Peer.WebRTC = f.share
	}
	return f.applyPorts(&c.WebRTC.Config)
}

func (f *webRTCFlags) applyPorts(c *rtc.Config) error {
	if f.ports == "" {
		return nil
	}
	first, last, isRange := strings.Cut(f.ports, "-")
	from, err := strconv.ParseUint(first, 10, 16)
	to := from
	if isRange && err == nil {
		to, err = strconv.ParseUint(last, 10, 16)
	}
	if err != nil || from == 0 || to < from {
		return fmt.Errorf("--webrtc-ports: %q is neither a port nor a range such as 50000-50999", f.ports)
	}
	if first := min(from, to); first < 1024 && (isRange || from != 443) {
		return errors.New("--webrtc-ports: other nodes do not try ports below 1024, but for 443")
	}
	if !isRange {
		c.Port = uint16(from)
		return nil
	}
	c.PortMin, c.PortMax = uint16(from), uint16(to)
	return nil
}
