package adversary

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"peernet/actors"
	"peernet/actors/wire"
)

// A Config says what one hostile machine does. Zero fields stand for the
// defaults. Its slices must not change once a machine uses them; many machines
// may share them.
type Config struct {
	// Role is what the machine does. It has no default.
	Role Role
	// Rate is how many actions of the role there are in a second; the
	// documentation of the Role says what an action is, and the default. Roles
	// that have none ignore it.
	Rate int
	// Delay is how long a Delayer keeps what it passes on. Default 2 s; other
	// roles ignore it.
	Delay time.Duration
	// Victim is whom an Eclipser is after. Other roles ignore it.
	Victim actors.Address
	// Known is where the machine finds its first peers. It never forgets these.
	Known []actors.Address
	// Colluders are the addresses of other machines on the same side. The roles
	// of many identities (Sybil, Eclipser, Silent) do not dial them, and Sybil and
	// Eclipser tell of them; other roles ignore them.
	Colluders []actors.Address
	// Advertise is where the machine accepts links: at most wire.AdvertiseMax
	// addresses. Roles of many identities take any number; each of their
	// identities shows one address, of these or of Colluders.
	Advertise []actors.Address
	// Connections is how many links the machine keeps that it dialled. The
	// default depends on the Role.
	Connections int
	// Inbound is how many links it accepts. The default depends on the Role.
	Inbound int
	// KnownMax bounds the addresses that it learns. Default 64.
	KnownMax int
	// Memory bounds what a Delayer, Replayer or Forger remembers of the requests
	// and responses it heard, and what a Delayer keeps back. Default 256.
	Memory int
	// Nobody is the range of IPv4 addresses that made-up addresses are from.
	// Default 240.0.0.0/4, where nobody can be, so that no stranger is dialled. A
	// simulated node fails to dial there at once; a part of 10.0.0.0/8 beyond the
	// nodes refuses after a round trip.
	Nobody netip.Prefix
	// Bytes has an Oversender send bytes that are no frames, and frames beyond
	// the limits, as sim.Bytes. The host must write these as they are: the
	// simulator does, with a sim.Config.NewDecoder.
	Bytes bool
	// Network is the name of the network, as in peer.Config.
	Network string
}

// The bounds of what is not bounded by Config.
const (
	rateMax  = 1_000_000
	nobodyV4 = 24 // bits of the smallest range for made-up addresses
)

// WithDefaults returns c with its zero fields filled in.
func (c Config) WithDefaults() Config {
	if t := traitsOf(c.Role); t != nil {
		fill(&c.Rate, t.rate)
		fill(&c.Connections, t.connections)
		fill(&c.Inbound, t.inbound)
	}
	fill(&c.Delay, 2*time.Second)
	fill(&c.KnownMax, 64)
	fill(&c.Memory, 256)
	fill(&c.Nobody, netip.PrefixFrom(netip.AddrFrom4([4]byte{240}), 4))
	return c
}

func fill[T comparable](field *T, value T) {
	if *field == *new(T) {
		*field = value
	}
}

// Validate reports the first field that makes no sense, after defaults.
func (c Config) Validate() error {
	c = c.WithDefaults()
	t := traitsOf(c.Role)
	if t == nil {
		return fmt.Errorf("adversary: Config.Role is %q, must be one of %q", c.Role, Roles())
	}
	ranges := []struct {
		name     string
		v, lo, h int
	}{
		{"Rate", c.Rate, min(t.rate, 1), rateMax},
		{"Connections", c.Connections, 1, 10000},
		{"Inbound", c.Inbound, 1, 10000},
		{"KnownMax", c.KnownMax, 1, 1 << 20},
		{"Memory", c.Memory, 1, 1 << 16},
	}
	for _, r := range ranges {
		if r.v < r.lo || r.v > r.h {
			return fmt.Errorf("adversary: Config.%s is %d, must be from %d to %d", r.name, r.v, r.lo, r.h)
		}
	}
	for _, list := range [][]actors.Address{c.Known, c.Colluders, c.Advertise} {
		if slices.Contains(list, actors.Address{}) {
			return errors.New("adversary: the lists of Config must not hold the zero Address")
		}
	}
	switch {
	case c.Delay < 0:
		return fmt.Errorf("adversary: Config.Delay is %v, must not be negative", c.Delay)
	case c.Role == Eclipser && c.Victim.IsZero():
		return errors.New("adversary: an Eclipser needs a Config.Victim")
	case len(c.Advertise) > wire.AdvertiseMax && !t.many:
		return fmt.Errorf("adversary: a %s advertises at most %d addresses, not %d", c.Role, wire.AdvertiseMax, len(c.Advertise))
	case !c.Nobody.IsValid() || !c.Nobody.Addr().Is4() || c.Nobody.Bits() > nobodyV4:
		return fmt.Errorf("adversary: Config.Nobody is %v, must be an IPv4 prefix of at most %d bits", c.Nobody, nobodyV4)
	case len(c.Network) > wire.NetworkMax:
		return fmt.Errorf("adversary: Config.Network has %d bytes, at most %d allowed", len(c.Network), wire.NetworkMax)
	}
	return nil
}

// New returns the root actor of a hostile machine. It panics if Validate
// reports an error.
func New(c Config) actors.Actor {
	if err := c.Validate(); err != nil {
		panic(err)
	}
	c = c.WithDefaults()
	t := traitsOf(c.Role)
	return &machine{self: self{config: c, traits: t}, conduct: t.conduct()}
}
