package adversary_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"peernet/actors"
	"peernet/actors/peer"
	"peernet/actors/wire"
	"peernet/sim"
	"peernet/sim/adversary"
)

// A machine accepts as many links as it should, and says so to the others, but
// closes what comes in masses.
func TestMachineBoundsWhatItAccepts(t *testing.T) {
	const machine, inbound = 12, 3
	dropper := machines(1, adversary.Config{Role: adversary.Dropper, Connections: 1, Inbound: inbound})
	crush := machines(1, adversary.Config{
		Role: adversary.Silent, Rate: 100, Known: addresses(machine, 1), KnownMax: 1, Colluders: addresses(0, machine),
	})
	for _, c := range []struct {
		hostile []adversary.Config
		most    int // open links
	}{
		// A few are on their way out.
		{dropper, 1 + inbound + 2},
		{append(dropper, crush...), 1 + 2*inbound},
	} {
		f := newField(t, setting{seed: 31, honest: machine, hostile: c.hostile, change: func(c *peer.Config) { c.Connections = machine }})
		full := 0
		f.hear = func(n sim.NodeID, _ time.Duration, e actors.Event) {
			if e.Kind == peer.EventGoodbye && e.Address == sim.AddressOf(machine) && e.N == int64(wire.GoodbyeFull) {
				full++
			}
		}
		for now := 3 * time.Second; now < 20*time.Second; now += time.Second {
			f.run(now)
			open := 0
			f.sim.Links(machine, func(sim.LinkEnd) { open++ })
			if open > c.most {
				t.Errorf("%d links are open at %v, want at most %d", open, now, c.most)
			}
		}
		if len(c.hostile) == 1 && full == 0 {
			t.Error("no honest node was told that there is no room")
		}
	}
}

// Peers that crash without a word are given up, by a ping and a while.
func TestMachineGivesUpTheDead(t *testing.T) {
	f := newField(t, setting{seed: 32, honest: 4, hostile: machines(1, adversary.Config{Role: adversary.Dropper})})
	f.run(10 * time.Second)
	open := func() (n int) { f.sim.Links(4, func(sim.LinkEnd) { n++ }); return n }
	if open() < 4 {
		t.Fatalf("%d links are open", open())
	}
	for i := range sim.NodeID(4) {
		f.sim.Crash(i, false)
	}
	f.run(190 * time.Second)
	if open() != 0 {
		t.Errorf("%d links with the dead are open", open())
	}
}

func TestMachineDialsNeitherItselfNorItsSide(t *testing.T) {
	const honest, many = 10, 3
	for _, r := range []adversary.Role{adversary.Sybil, adversary.Silent, adversary.Replayer} {
		f := newField(t, setting{seed: 33, honest: honest, hostile: machines(many, adversary.Config{
			Role: r, Known: addresses(0, honest+many), Colluders: addresses(honest, many),
		})})
		f.hear = func(n sim.NodeID, _ time.Duration, e actors.Event) {
			if e.Kind != adversary.EventDialled {
				return
			}
			if e.Address == sim.AddressOf(n) || r != adversary.Replayer && slices.Contains(addresses(honest, many), e.Address) {
				t.Errorf("%s %d dials %v", r, n, e.Address)
			}
		}
		f.run(20 * time.Second)
	}
}

// Addresses that fail are forgotten, and no more are kept than should be.
func TestMachineForgetsWhatFails(t *testing.T) {
	const honest, dropper, most = 2, 2, 3
	f := newField(t, setting{seed: 34, honest: honest, hostile: append(
		machines(1, adversary.Config{Role: adversary.Dropper, KnownMax: most, Known: addresses(0, 1)}),
		machines(1, adversary.Config{Role: adversary.Flooder, Nobody: netip.MustParsePrefix(nobody), Known: addresses(dropper, 1)})...,
	)})
	dials, lists := map[actors.Address]int{}, 0
	f.hear = func(n sim.NodeID, _ time.Duration, e actors.Event) {
		switch {
		case n == dropper && e.Kind == adversary.EventDialled:
			dials[e.Address]++
		case e.Kind == peer.EventLearned && !f.isHostile(n) && e.Address == sim.AddressOf(dropper):
			if lists++; e.N > most+1 {
				t.Errorf("a machine that keeps %d addresses tells of %d", most, e.N)
			}
		}
	}
	f.run(60 * time.Second)
	if len(dials) < 50 || lists == 0 {
		t.Errorf("%d addresses were dialled, %d lists told", len(dials), lists)
	}
	for a, n := range dials {
		if in := netip.MustParsePrefix(nobody); n > 1 && in.Contains(netip.MustParseAddr(a.Host())) {
			t.Errorf("%v, which is nobody's, was dialled %d times", a, n)
		}
	}
}

func TestMachineIsOfOneNetwork(t *testing.T) {
	for _, network := range []string{"lab", "other"} {
		f := newField(t, setting{
			seed: 35, honest: 5, hostile: machines(1, adversary.Config{Role: adversary.Dropper, Network: network}),
			change: func(c *peer.Config) { c.Network = "lab" },
		})
		f.run(10 * time.Second)
		in, out := f.links(0, f.isHostile)
		if linked := in+out > 0; linked != (network == "lab") {
			t.Errorf("a machine of %q is linked with a node of lab: %v", network, linked)
		}
	}
}
