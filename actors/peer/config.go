package peer

import (
	"errors"
	"fmt"
	"time"

	"peernet/actors"
	"peernet/actors/book"
	"peernet/actors/wire"
)

// FanoutAll as Config.Fanout forwards requests to all peers.
const FanoutAll = -1

// Config.WebRTC for nodes that open no links by WebRTC.
const (
	WebRTCNone    = -1 // they do not answer offers either
	WebRTCAnswers = -2 // they answer offers
)

// A Config is what the nodes of a network have in common. It must not change
// once a node uses it. Zero fields stand for the defaults.
type Config struct {
	// Network is the name of the network, at most wire.NetworkMax bytes. Only
	// nodes of the same name connect. Version 2 peers have no name, and are
	// accepted in the network without name alone.
	Network string
	// Connections is how many outbound links a node keeps. Default 5.
	Connections int
	// WebRTC is how many of Connections are opened by WebRTC, on hosts that
	// can, as far as others take the offers. Default half of them; WebRTCAnswers
	// and WebRTCNone are none.
	WebRTC int
	// AnswersMax bounds the offers of WebRTC links that a node is busy with
	// answering. Default 8.
	AnswersMax int
	// InboundMax bounds the accepted links. Default 32.
	InboundMax int
	// HandshakesMax bounds the accepted links whose hello is not answered
	// yet. Default 512.
	HandshakesMax int
	// Interval paces the address exchange and is the fallback for refilling
	// outbound slots. Default 5 s.
	Interval time.Duration
	// Refresh is the mean time between replacements of a random outbound link
	// by another. Default 30 s.
	Refresh time.Duration
	// Purge paces the forgetting of dead addresses. Default 60 s.
	Purge time.Duration
	// HelloTimeout bounds the wait for the answer to a hello or a probe.
	// Default 10 s.
	HelloTimeout time.Duration
	// KeepAlive is the silence after which a link is probed. Default 30 s.
	KeepAlive time.Duration
	// Static switches off all that a node does by itself about membership and
	// keep-alive: it uses the links it is given.
	Static bool
	// Fanout is to how many peers a request is forwarded; FanoutAll is all.
	// Default 3.
	Fanout int
	// HopsMax is how many times a request may be forwarded: it reaches nodes up
	// to HopsMax+1 links away from its origin.
	// Default 15; towards version 2 peers never more than 15.
	HopsMax int
	// RouteLife is how long at least the way back to the origin of a request
	// is remembered, and duplicates are recognised. Default 30 s.
	RouteLife time.Duration
	// RoutesPerLink bounds the requests and responses that one link can make
	// a node remember within RouteLife. Default 32768, or what comes at RateMax if
	// that is more.
	RoutesPerLink int
	// RateMax bounds the messages per second of one link; what exceeds it is
	// dropped. Bursts of twice as many are accepted. Default 1000.
	RateMax int
	// Exchange is how many addresses are asked for and given at a time, at
	// most wire.AddressesMax. Default 10.
	Exchange int
	// SubscribersMax bounds the actors that listen to a node. Default 64.
	SubscribersMax int
	// Book bounds the address book. Defaults: 10000 entries, a quarter of
	// them from one source, 1024 bars, retry from 5 s to 10 min, removed
	// addresses stay so for 24 h.
	Book book.Limits
	// Dialable says which addresses the host can dial; nil is all.
	Dialable func(actors.Address) bool
}

// routesMax bounds the requests and responses that a node remembers within
// RouteLife, whoever brought them: peers that hang up and come back start a new
// quota.
func (c *Config) routesMax() int { return c.RoutesPerLink * (c.Connections + c.InboundMax) }

// routesPerLinkMax is the largest RoutesPerLink.
const routesPerLinkMax = 1 << 24

// hopsMaxV2 is the hop limit of version 2 peers.
const hopsMaxV2 = 15

// WithDefaults returns c with its zero fields filled in.
func (c Config) WithDefaults() Config {
	fill(&c.Connections, 5)
	fill(&c.WebRTC, c.Connections/2)
	fill(&c.AnswersMax, 8)
	fill(&c.InboundMax, 32)
	fill(&c.HandshakesMax, 512)
	fill(&c.Interval, 5*time.Second)
	fill(&c.Refresh, 30*time.Second)
	fill(&c.Purge, time.Minute)
	fill(&c.HelloTimeout, 10*time.Second)
	fill(&c.KeepAlive, 30*time.Second)
	fill(&c.Fanout, 3)
	fill(&c.HopsMax, hopsMaxV2)
	fill(&c.RouteLife, 30*time.Second)
	fill(&c.RateMax, 1000)
	routes := int64(c.RateMax) * (int64(c.RouteLife/time.Millisecond) + 2000) / 1000 // with a burst
	fill(&c.RoutesPerLink, int(min(max(routes, 32768), routesPerLinkMax)))
	fill(&c.Exchange, 10)
	fill(&c.SubscribersMax, 64)
	fill(&c.Book.Entries, 10000)
	fill(&c.Book.PerSource, max(c.Book.Entries/4, 1))
	fill(&c.Book.Bars, 1024)
	fill(&c.Book.Retry, 5*time.Second)
	fill(&c.Book.RetryMax, 10*time.Minute)
	fill(&c.Book.RemovedFor, 24*time.Hour)
	return c
}

func fill[T int | time.Duration](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}

// Validate reports the first field that makes no sense, after defaults.
func (c Config) Validate() error {
	c = c.WithDefaults()
	ranges := []struct {
		name     string
		v, lo, h int
	}{
		{"Connections", c.Connections, 1, 1000},
		{"WebRTC", c.WebRTC, WebRTCAnswers, c.Connections},
		{"AnswersMax", c.AnswersMax, 1, 1000},
		{"InboundMax", c.InboundMax, 1, 10000},
		{"HandshakesMax", c.HandshakesMax, 1, 1 << 15},
		{"HopsMax", c.HopsMax, 1, 1 << 20},
		{"RoutesPerLink", c.RoutesPerLink, 1, routesPerLinkMax},
		{"RateMax", c.RateMax, 1, 1 << 24},
		{"Exchange", c.Exchange, 1, wire.AddressesMax},
		{"SubscribersMax", c.SubscribersMax, 1, 1 << 16},
		{"Book.Entries", c.Book.Entries, 1, 1 << 30},
		{"Book.PerSource", c.Book.PerSource, 1, 1 << 30},
		{"Book.Bars", c.Book.Bars, 1, 1 << 20},
	}
	for _, r := range ranges {
		if r.v < r.lo || r.v > r.h {
			return fmt.Errorf("peer: Config.%s is %d, must be from %d to %d", r.name, r.v, r.lo, r.h)
		}
	}
	if c.Fanout < FanoutAll {
		return fmt.Errorf("peer: Config.Fanout is %d, must be positive or FanoutAll", c.Fanout)
	}
	if len(c.Network) > wire.NetworkMax {
		return fmt.Errorf("peer: Config.Network has %d bytes, at most %d allowed", len(c.Network), wire.NetworkMax)
	}
	for _, d := range []time.Duration{c.Interval, c.Refresh, c.Purge, c.HelloTimeout, c.KeepAlive, c.RouteLife, c.Book.Retry, c.Book.RetryMax, c.Book.RemovedFor} {
		if d < time.Millisecond {
			return errors.New("peer: durations of Config must be at least 1 ms")
		}
	}
	return nil
}
