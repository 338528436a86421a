package scenario

import (
	"fmt"
	"math"
	"strings"
	"time"
	"unicode"

	"peernet/actors"
	"peernet/actors/book"
	"peernet/actors/peer"
	"peernet/actors/wire"
	"peernet/sim"
	"peernet/sim/dist"
)

// A Scenario describes a simulation. The yaml tag of each field is its key;
// units, defaults and ranges are in reference.yaml.
type Scenario struct {
	Name     string   `yaml:"name" json:"name"`
	Nodes    int      `yaml:"nodes" json:"nodes"`
	Seed     uint64   `yaml:"seed" json:"seed"`
	Duration Duration `yaml:"duration" json:"duration"` // 0 is as long as the messages need
	Wire     string   `yaml:"wire" json:"wire"`         // typed or encoded
	Latency  Latency  `yaml:"latency" json:"latency"`

	Regions    []Region    `yaml:"regions" json:"regions,omitempty"`
	Ways       []Way       `yaml:"rtt" json:"rtt,omitempty"`
	Network    Network     `yaml:"network" json:"network"`
	Conditions []Condition `yaml:"conditions" json:"conditions,omitempty"`

	Overlay      string  `yaml:"overlay" json:"overlay"`   // gossip or static
	Topology     string  `yaml:"topology" json:"topology"` // of a static overlay: a file; "" is random
	Bootstraps   int     `yaml:"bootstraps" json:"bootstraps"`
	Known        int     `yaml:"known" json:"known"`
	Arrivals     Span    `yaml:"arrivals" json:"arrivals"`
	ArrivalModel string  `yaml:"arrival_model" json:"arrival_model"`
	Crowds       []Crowd `yaml:"crowds" json:"crowds,omitempty"`
	Churn        Churn   `yaml:"churn" json:"churn"`
	Reach        Reach   `yaml:"reach" json:"reach"`
	Classes      []Class `yaml:"classes" json:"classes,omitempty"`

	Faults      []Fault     `yaml:"faults" json:"faults,omitempty"`
	Adversaries []Adversary `yaml:"adversaries" json:"adversaries,omitempty"`

	Connections  int      `yaml:"connections" json:"connections"`
	InboundMax   int      `yaml:"inbound_max" json:"inbound_max"`
	Fanout       Fanout   `yaml:"fanout" json:"fanout"`
	HopsMax      int      `yaml:"hops_max" json:"hops_max"`
	Book         int      `yaml:"book" json:"book"`
	Exchange     int      `yaml:"exchange" json:"exchange"`
	Interval     Duration `yaml:"interval" json:"interval"`
	Refresh      Duration `yaml:"refresh" json:"refresh"`
	Purge        Duration `yaml:"purge" json:"purge"`
	HelloTimeout Duration `yaml:"hello_timeout" json:"hello_timeout"`
	KeepAlive    Duration `yaml:"keep_alive" json:"keep_alive"`
	RateMax      int      `yaml:"rate_max" json:"rate_max"`
	RoutesMax    int      `yaml:"routes_max" json:"routes_max"`

	Messages      int      `yaml:"messages" json:"messages"`
	MessagesFrom  Span     `yaml:"messages_from" json:"messages_from"`
	MessagesUntil Span     `yaml:"messages_until" json:"messages_until"`
	MessagesEvery Duration `yaml:"messages_every" json:"messages_every"`
	Payload       int      `yaml:"payload" json:"payload"`
	Searches      int      `yaml:"searches" json:"searches"`
	SearchesFrom  Span     `yaml:"searches_from" json:"searches_from"`
	SearchesUntil Span     `yaml:"searches_until" json:"searches_until"`
	Responders    int      `yaml:"responders" json:"responders"`

	ResponderRegion string     `yaml:"responder_region" json:"responder_region"`
	Workload        []Workload `yaml:"workload" json:"workload,omitempty"`

	Checks  Checks   `yaml:"checks" json:"checks"`
	Sample  Duration `yaml:"sample" json:"sample"`
	EdgesAt Spans    `yaml:"edges_at" json:"edges_at,omitempty"`

	explicit map[string]place // keys that were set, and where
	text     []string         // the lines of the file
}

// Latency describes how long messages take.
type Latency struct {
	Model  string   `yaml:"model" json:"model"` // constant, uniform or lognormal
	Per    string   `yaml:"per" json:"per"`     // link or message
	Min    Duration `yaml:"min" json:"min"`
	Max    Duration `yaml:"max" json:"max"`       // uniform
	Median Duration `yaml:"median" json:"median"` // lognormal
	Sigma  Percent  `yaml:"sigma" json:"sigma"`   // lognormal
}

// Reach says in which ways the nodes can be reached, by weights; see [sim.Reach].
type Reach struct {
	Public         int `yaml:"public" json:"public"`
	FullCone       int `yaml:"full_cone" json:"full_cone"`
	Restricted     int `yaml:"restricted" json:"restricted"`
	PortRestricted int `yaml:"port_restricted" json:"port_restricted"`
	Symmetric      int `yaml:"symmetric" json:"symmetric"`
	Blocked        int `yaml:"blocked" json:"blocked"`
}

// weights are those of the kinds, in their order.
func (r Reach) weights() []int {
	return []int{r.Public, r.FullCone, r.Restricted, r.PortRestricted, r.Symmetric, r.Blocked}
}

// allPublic reports whether all nodes can be dialled.
func (r Reach) allPublic() bool { return r == Reach{Public: r.Public} }

// What the keys that take a word accept; see also those of [Churn], [Fault], [Workload]
// and [Goal].
const (
	WireTyped     = "typed"
	WireEncoded   = "encoded"
	OverlayGossip = "gossip"
	OverlayStatic = "static"
	PerLink       = "link"
	PerMessage    = "message"
	Constant      = "constant"
	Uniform       = "uniform"
	LogNormal     = "lognormal"
)

// Default returns the scenario that keys which are not set describe.
func Default() Scenario {
	c := peer.Config{}.WithDefaults()
	return Scenario{
		Name:  "unnamed",
		Nodes: 10000, Seed: 1, Duration: Duration(time.Minute), Wire: WireTyped,
		Latency: Latency{Model: LogNormal, Per: PerLink, Min: Duration(10 * time.Millisecond), Median: Duration(50 * time.Millisecond), Sigma: 50},
		Overlay: OverlayGossip, Known: 3, Arrivals: Span{Percent: 10}, Reach: Reach{Public: 1},
		Connections: c.Connections, InboundMax: c.InboundMax, Fanout: Fanout(c.Fanout), HopsMax: c.HopsMax,
		Book: 64, Exchange: c.Exchange,
		Interval: Duration(c.Interval), Refresh: Duration(c.Refresh), Purge: Duration(c.Purge),
		HelloTimeout: Duration(c.HelloTimeout), KeepAlive: Duration(c.KeepAlive),
		RateMax: c.RateMax, RoutesMax: c.RoutesPerLink,
		MessagesFrom: Span{Percent: 50}, MessagesUntil: Span{Percent: 90}, Payload: 64,
		SearchesFrom: Span{Percent: 60}, SearchesUntil: Span{Percent: 90}, Responders: 10,

		Network: Network{
			Retransmit: Duration(200 * time.Millisecond), Attempts: 8,
			LinkLife: Draw{Model: None}, StallEvery: Draw{Model: None}, StallFor: Draw{Model: None},
		},
		ArrivalModel: ArriveUniform,
		Churn: Churn{
			Session: Draw{Model: None}, Downtime: Draw{Model: None}, Until: Span{Percent: 100},
			Leave: LeaveGoodbye, Book: BookKept,
		},
		Checks: Checks{Invariants: true, Every: Span{Percent: 25}},
		Sample: Duration(time.Second),
	}
}

// A KeyError says what is wrong with the value of a key, and where it was set.
type KeyError struct {
	Place   string // file:line:column, or the option; "" if nobody set it
	Key     string
	Reason  string
	Excerpt string // the line, with a caret below the column; "" if there is none

	line, column int
}

// Error implements error.
func (e *KeyError) Error() string {
	text := e.Key + ": " + e.Reason
	switch e.Place {
	case "":
	case "--" + e.Key: // an option of that name
		text = "--" + text
	default:
		text = e.Place + ": " + text
	}
	if e.Excerpt != "" {
		text += "\n" + e.Excerpt
	}
	return text
}

// fails returns the error for a key. What is not set itself is where the group or the
// item that it belongs to is.
func (s *Scenario) fails(key, format string, args ...any) error {
	at := key
	for {
		if p, ok := s.explicit[at]; ok {
			return s.excerpted(p.fails(key, format, args...))
		}
		cut := strings.LastIndexAny(at, ".[")
		if cut < 0 {
			return place{}.fails(key, format, args...)
		}
		at = at[:cut]
	}
}

// setOf is the first of two keys, unless it was left out and the other was not.
func (s *Scenario) setOf(first, other string) string {
	_, set := s.explicit[first]
	if _, otherSet := s.explicit[other]; !set && otherSet {
		return other
	}
	return first
}

// key is the key of a field of an item of a list.
func key(list string, i int, field string) string { return fmt.Sprintf("%s[%d].%s", list, i, field) }

// Resolve fills in what depends on other keys, clamps defaults to the size of
// the network, and returns a *KeyError for what is impossible.
func (s *Scenario) Resolve() error {
	if strings.ContainsFunc(s.Name, unicode.IsControl) {
		return s.fails("name", "must not hold control characters")
	}
	s.clamp("connections", &s.Connections, s.connectionsFit())
	s.clamp("responders", &s.Responders, s.Nodes)
	s.clamp("known", &s.Known, s.Nodes)
	if _, set := s.explicit["bootstraps"]; !set && s.Bootstraps == 0 {
		s.Bootstraps = min(max(5, s.Nodes/2000), s.Nodes)
	}
	if err := s.checkRules(); err != nil {
		return err
	}
	if s.Bootstraps < s.Known {
		if _, set := s.explicit["known"]; set {
			return s.fails("known", "%d, more than there are bootstraps, %d", s.Known, s.Bootstraps)
		}
		s.Known = s.Bootstraps
	}
	if err := s.checkLatency(); err != nil {
		return err
	}
	if err := s.checkReach(); err != nil {
		return err
	}
	if s.Duration == 0 {
		if err := s.resolveDuration(); err != nil {
			return err
		}
	}
	for _, check := range []func() error{s.checkSizes, s.checkTimes, s.checkModels, s.checkEvents, s.checkChecks} {
		if err := check(); err != nil {
			return err
		}
	}
	return s.PeerConfig().Validate()
}

// How long a run of automatic duration goes on after the last message: as long
// as so many links of the largest latency take, and at least this.
const (
	drainLinks = 20
	drainMin   = 2 * time.Second
)

// resolveDuration makes a run as long as its messages need.
func (s *Scenario) resolveDuration() error {
	if s.MessagesEvery <= 0 || s.MessagesFrom.Percent > 0 {
		return s.fails("duration", "auto needs messages_every, and a messages_from that is no share of the duration")
	}
	if s.MessagesEvery > durationMax/Duration(max(s.Messages, 1)) {
		return s.fails("messages_every", "%v, with %d messages the run would take more than %v", s.MessagesEvery, s.Messages, durationMax)
	}
	d, err := s.Latency.distribution()
	if err != nil {
		return err
	}
	_, last := s.messagesSpan()
	s.Duration = Duration(last + max(drainLinks*d.Draw(math.MaxUint64), drainMin))
	return nil
}

// clamp lowers a default that the network is too small for.
func (s *Scenario) clamp(key string, v *int, most int) {
	if _, set := s.explicit[key]; !set {
		*v = min(*v, most)
	}
}

// connectionsFit is how many outbound links every node of the network can have
// and find without trying every pair: two nodes keep one link, which is outbound
// at one of them.
func (s *Scenario) connectionsFit() int {
	if s.Overlay == OverlayStatic {
		return s.Nodes - 1
	}
	return max(1, (s.Nodes-1)/3)
}

// checkSizes checks what the size of the network bounds.
func (s *Scenario) checkSizes() error {
	for _, r := range []struct {
		key     string
		v, most int
		reason  string
	}{
		{"connections", s.Connections, s.Nodes - 1, "more connections than other nodes"},
		{"bootstraps", s.Bootstraps, s.Nodes, "more bootstraps than nodes"},
		{"known", s.Known, s.Nodes, "more than there are nodes"},
		{"responders", s.Responders, s.Nodes, "more responders than nodes"},
	} {
		if r.v > r.most {
			return s.fails(r.key, "%d, %s: at most %d is possible with nodes: %d", r.v, r.reason, r.most, s.Nodes)
		}
	}
	return nil
}

func (s *Scenario) checkLatency() error {
	l := s.Latency
	switch l.Model {
	case Uniform:
		if l.Max < l.Min {
			return s.fails("latency.max", "%v, must be at least latency.min, %v", l.Max, l.Min)
		}
	case LogNormal:
		if l.Median <= l.Min {
			return s.fails("latency.median", "%v, must be more than latency.min, %v", l.Median, l.Min)
		}
		if l.Median-l.Min > Duration(time.Minute) {
			return s.fails("latency.median", "%v, must be within a minute of latency.min, %v", l.Median, l.Min)
		}
		if _, err := l.distribution(); err != nil {
			return s.fails("latency.sigma", "%v, must be from 0.05 to 2 in steps of 0.05", l.Sigma)
		}
	}
	return nil
}

func (s *Scenario) checkReach() error {
	sum := 0
	for _, w := range s.Reach.weights() {
		sum += w
	}
	if sum == 0 {
		return s.fails("reach.public", "0, as all the other weights")
	}
	if s.Overlay == OverlayStatic && !s.Reach.allPublic() {
		return s.fails("reach", "has no meaning for a static overlay, whose links are given")
	}
	return nil
}

func (s *Scenario) checkTimes() error {
	d := time.Duration(s.Duration)
	if s.Messages > 0 && s.MessagesFrom.Of(d) > d {
		return s.fails("messages_from", "%v, is after the end of the run, %v", s.MessagesFrom, s.Duration)
	}
	if s.Searches > 0 && s.SearchesFrom.Of(d) > d {
		return s.fails("searches_from", "%v, is after the end of the run, %v", s.SearchesFrom, s.Duration)
	}
	if s.Overlay == OverlayGossip && s.Arrivals.Of(d) > d {
		return s.fails("arrivals", "%v, is longer than the run, %v", s.Arrivals, s.Duration)
	}
	if s.Messages > 0 && s.MessagesEvery == 0 && s.MessagesUntil.Of(d) > d {
		return s.fails("messages_until", "%v, is after the end of the run, %v", s.MessagesUntil, s.Duration)
	}
	if s.Searches > 0 && s.SearchesUntil.Of(d) > d {
		return s.fails("searches_until", "%v, is after the end of the run, %v", s.SearchesUntil, s.Duration)
	}
	if s.MessagesEvery == 0 && s.MessagesUntil.Of(d) < s.MessagesFrom.Of(d) {
		return s.fails(s.setOf("messages_until", "messages_from"), "messages_until, %v, is before messages_from, %v", s.MessagesUntil, s.MessagesFrom)
	}
	if s.SearchesUntil.Of(d) < s.SearchesFrom.Of(d) {
		return s.fails(s.setOf("searches_until", "searches_from"), "searches_until, %v, is before searches_from, %v", s.SearchesUntil, s.SearchesFrom)
	}
	return nil
}

// PeerConfig is the configuration of the nodes.
func (s *Scenario) PeerConfig() *peer.Config {
	c := peer.Config{
		Connections: s.Connections, InboundMax: s.InboundMax,
		Fanout: int(s.Fanout), HopsMax: s.HopsMax, Exchange: s.Exchange,
		Interval: time.Duration(s.Interval), Refresh: time.Duration(s.Refresh), Purge: time.Duration(s.Purge),
		HelloTimeout: time.Duration(s.HelloTimeout), KeepAlive: time.Duration(s.KeepAlive),
		RateMax: s.RateMax, RoutesPerLink: s.RoutesMax,
		Static: s.Overlay == OverlayStatic,
		Book:   book.Limits{Entries: s.Book},
	}
	if c.Static { // whatever links a node is given are its links
		c.InboundMax = min(max(c.InboundMax, s.Nodes), inboundMax)
		c.HandshakesMax = c.InboundMax
	}
	c = c.WithDefaults()
	return &c
}

// distribution is that of the delays.
func (l Latency) distribution() (dist.Distribution, error) {
	switch l.Model {
	case Constant:
		return dist.Constant(l.Min), nil
	case Uniform:
		return dist.Uniform{Low: time.Duration(l.Min), High: time.Duration(l.Max)}, nil
	}
	return dist.NewLogNormal(time.Duration(l.Min), time.Duration(l.Median), int(l.Sigma))
}

// simulation returns the empty simulation.
func (s *Scenario) simulation(o Options, observer sim.Observer) (*sim.Simulation, error) {
	d, err := s.Latency.distribution()
	if err != nil {
		return nil, err
	}
	latency := sim.Latency{Link: d}
	if s.Latency.Per == PerMessage {
		latency = sim.Latency{Message: d}
	}
	network, err := s.network()
	if err != nil {
		return nil, err
	}
	return sim.New(sim.Config{
		Seed: s.Seed, Latency: latency, Network: network,
		Workers: o.Workers, Reference: o.Reference, Window: o.Window,
		Encoded:    s.Wire == WireEncoded,
		NewDecoder: func() actors.Decoder { return &wire.Decoder{} },
		Observer:   observer,

		Negotiation: s.negotiates(),
		PerNode:     o.Record || !s.undisturbed(),
		Count:       o.Record,
		Tracer:      o.Tracer,
	})
}
