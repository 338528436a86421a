package adversary_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"peernet/actors"
	"peernet/actors/peer"
	"peernet/actors/wire"
	"peernet/sim"
	"peernet/sim/adversary"
)

func TestFlooderPoisonsBooks(t *testing.T) {
	const flooders, rate = 3, 4
	f := newField(t, setting{seed: 3, honest: 30, hostile: machines(flooders, adversary.Config{
		Role: adversary.Flooder, Rate: rate, Nobody: netip.MustParsePrefix(nobody),
	})})
	unasked := int64(0)
	f.hear = func(n sim.NodeID, at time.Duration, e actors.Event) {
		if e.Kind != adversary.EventPoisoned {
			return
		}
		if e.N == wire.AddressesMax && at >= 10*time.Second { // honest nodes ask for less
			unasked++
		}
	}
	f.run(30 * time.Second)
	wantRate(t, "lists that nobody asked for", unasked, flooders, rate, 20)
	if asked := f.by(adversary.EventPoisoned).times - unasked; asked < 50 {
		t.Errorf("%d requests for addresses were answered", asked)
	}
	in := netip.MustParsePrefix(nobody)
	poison, all := 0, 0
	for i, n := range f.honest {
		made, b := 0, n.Store().Book()
		for k := range b.Len() {
			if in.Contains(netip.MustParseAddr(b.At(k).Address.Host())) {
				made++
			}
		}
		// What honest nodes pass on counts as theirs.
		poison, all = poison+made, all+b.Len()
		if _, out := f.links(i, func(sim.NodeID) bool { return true }); out < f.config.Connections-1 {
			t.Errorf("node %d has %d outbound links", i, out)
		}
	}
	if 4*poison < all {
		t.Errorf("%d of %d addresses in the books are made up", poison, all)
	}
	f.wantSound(true)
}

// A book takes a quarter from one host, whatever it sends.
func TestFlooderIsHeldByTheQuotaOfItsHost(t *testing.T) {
	f := newField(t, setting{
		seed: 4, honest: 1,
		hostile: machines(1, adversary.Config{Role: adversary.Flooder, Rate: 50, Nobody: netip.MustParsePrefix(nobody)}),
	})
	told, twice := map[actors.Address]bool{}, 0
	f.hear = func(_ sim.NodeID, _ time.Duration, e actors.Event) {
		if e.Kind != adversary.EventPoisoned {
			return
		}
		for _, a := range e.Message.(*wire.Addresses).List {
			if told[a] {
				twice++
			}
			told[a] = true
		}
	}
	f.run(20 * time.Second)
	if len(told) < 40000 || twice > 0 {
		t.Errorf("%d addresses were made up, and %d told again", len(told), twice)
	}
	if got, want := f.honest[0].Store().Book().Len(), f.config.Book.PerSource; got < want || got > want+2 {
		t.Errorf("the book has %d addresses, want %d of the flooder's and its own", got, want)
	}
}

// connections asks an honest node for its connections in use.
func (f *field) connections(n int) []peer.Connection {
	c := &client{}
	f.sim.Spawn(sim.NodeID(n), "client", c)
	return c.list
}

type client struct{ list []peer.Connection }

func (c *client) Receive(ctx actors.Context, m actors.Message) {
	switch m := m.(type) {
	case *actors.Started:
		ctx.Send(ctx.Sender(), &peer.Connections{Call: peer.Call{ReplyTo: ctx.Self()}})
	case *peer.ConnectionList:
		c.list = m.List
	}
}

// wantTellsOnly fails the test if a list of a machine has another address than
// some.
func (f *field) wantTellsOnly(own []actors.Address) {
	f.hear = func(_ sim.NodeID, _ time.Duration, e actors.Event) {
		if e.Kind != adversary.EventColluded {
			return
		}
		for _, a := range e.Message.(*wire.Addresses).List {
			if !slices.Contains(own, a) {
				f.t.Errorf("%v is told, which is no colluder's", a)
			}
		}
	}
}

func few(c *peer.Config) { c.InboundMax = 8 }

func TestSybilHasManyIdentities(t *testing.T) {
	const honest, sybils, rate = 30, 3, 6
	f := newField(t, setting{seed: 5, honest: honest, change: few, hostile: machines(sybils, adversary.Config{
		Role: adversary.Sybil, Rate: rate, Colluders: addresses(honest, sybils),
	})})
	f.wantTellsOnly(addresses(honest, sybils))
	f.run(15 * time.Second)
	before := f.by(adversary.EventDialled).times
	f.run(25 * time.Second)
	// There is room for 240 accepted links, of which honest nodes want 150: with
	// 192 wanted, some are always refused.
	wantRate(t, "dials", f.by(adversary.EventDialled).times-before, sybils, rate, 10)
	if f.by(adversary.EventColluded).sum < 500 {
		t.Errorf("%d addresses of colluders were told", f.by(adversary.EventColluded).sum)
	}
	taken, ids := 0, map[peer.NodeID]bool{}
	for i := range f.honest {
		in, _ := f.links(i, f.isHostile)
		taken += in
		for _, c := range f.connections(i) {
			if !c.Outbound {
				ids[c.ID] = true
			}
		}
	}
	if taken < 60 || taken > sybils*64 {
		t.Errorf("three sybils have %d accepted links", taken)
	}
	if len(ids) < taken {
		t.Errorf("%d accepted links of sybils show %d ids, those of honest nodes included", taken, len(ids))
	}
	f.wantSound(true)
}

func TestEclipserTakesInboundPlaces(t *testing.T) {
	const honest, victim, rate = 30, 7, 6
	everybody := func(sim.NodeID) bool { return true }
	for _, c := range []struct {
		eclipsers   int
		least, most int // of the eight inbound places, taken
	}{
		// One host does not keep places from others, but those that nobody wants.
		{1, 1, 7},
		{20, 7, 8},
	} {
		f := newField(t, setting{seed: 6, honest: honest, change: few, hostile: machines(c.eclipsers, adversary.Config{
			Role: adversary.Eclipser, Rate: rate, Victim: sim.AddressOf(victim), Colluders: addresses(honest, c.eclipsers),
		})})
		f.wantTellsOnly(addresses(honest, c.eclipsers))
		f.run(20 * time.Second)
		before := f.by(adversary.EventDialled).times
		f.run(30 * time.Second)
		wantRate(t, "dials of the victim", f.by(adversary.EventDialled).times-before, c.eclipsers, rate, 10)
		in, _ := f.links(victim, f.isHostile)
		all, out := f.links(victim, everybody)
		if in < c.least || in > c.most {
			t.Errorf("%d eclipsers have %d of %d accepted links of the victim, want %d to %d", c.eclipsers, in, all, c.least, c.most)
		}
		if _, hostile := f.links(victim, f.isHostile); hostile == out {
			t.Errorf("%d eclipsers have all %d outbound links of the victim", c.eclipsers, out)
		}
		for i := range f.honest {
			if in, _ := f.links(i, f.isHostile); i != victim && in > 0 {
				t.Errorf("eclipsers dialled node %d", i)
			}
		}
		f.wantSound(true)
	}
}

func TestSilentTakesPlacesAndSaysNothing(t *testing.T) {
	const machinesMany, rate = 3, 6
	f := newField(t, setting{
		seed: 7, honest: 30,
		hostile: machines(machinesMany, adversary.Config{Role: adversary.Silent, Rate: rate, Connections: 500}),
		change: func(c *peer.Config) {
			c.HelloTimeout, c.KeepAlive = 2*time.Second, 4*time.Second
		},
	})
	hung, cut := 0, 0
	f.hear = func(n sim.NodeID, _ time.Duration, e actors.Event) {
		switch {
		case f.isHostile(n):
		case e.Kind == peer.EventDialFailed && e.Address.IsZero() && strings.HasPrefix(e.Text, "no answer"):
			hung++
		case e.Kind == peer.EventPeerDown && e.Text == "silent":
			cut++
		}
	}
	f.run(10 * time.Second)
	before := f.by(adversary.EventDialled).times
	f.run(30 * time.Second)
	wantRate(t, "dials", f.by(adversary.EventDialled).times-before, machinesMany, rate, 20)
	muted := f.by(adversary.EventMuted)
	if said := muted.sum; said < muted.times/4 || said > muted.times*3/4 {
		t.Errorf("of %d links, %d got a hello", muted.times, said)
	}
	if hung < 150 || cut < 150 {
		t.Errorf("honest nodes gave up %d links without a hello and %d that fell silent", hung, cut)
	}
	// At most those of the last seconds are open: half for HelloTimeout, half for
	// both times.
	open := 0
	for i := range f.honest {
		f.sim.Links(sim.NodeID(i), func(l sim.LinkEnd) {
			if f.isHostile(l.Peer) {
				open++
			}
		})
	}
	if most := machinesMany * rate * 5; open < most/2 || open > 2*most {
		t.Errorf("%d links with silent machines are open, want about %d", open, most)
	}
	f.wantSound(true)
}

// Silent keeps no more links than it should, and never one by itself from closing.
func TestSilentStaysBelowItsConnections(t *testing.T) {
	f := newField(t, setting{seed: 8, honest: 10, hostile: machines(1, adversary.Config{
		Role: adversary.Silent, Rate: 50, Connections: 12,
	})})
	f.run(6 * time.Second)
	out := 0
	for i := range f.honest {
		f.sim.Links(sim.NodeID(i), func(l sim.LinkEnd) {
			if f.isHostile(l.Peer) {
				out++
			}
		})
	}
	if dialled := f.by(adversary.EventDialled).times - f.by(adversary.EventLost).times; dialled > 12 || out < 10 {
		t.Errorf("%d dialled links that have not ended, want at most 12; %d are open", dialled, out)
	}
}
