package adversary_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"peernet/actors"
	"peernet/sim"
	"peernet/sim/adversary"
)

// anyRole is a configuration with which each role does something in a small
// field.
func anyRole(r adversary.Role, honest, n int) adversary.Config {
	c := adversary.Config{
		Role: r, Victim: sim.AddressOf(5), Delay: 300 * time.Millisecond,
		Nobody: netip.MustParsePrefix(nobody), Colluders: addresses(honest, n), Bytes: true,
	}
	if r == adversary.Oversender {
		c.Rate = 400 // its announces go everywhere
	}
	return c
}

// A run with adversaries depends on the seed alone.
func TestTraceDoesNotDependOnWorkers(t *testing.T) {
	for _, r := range adversary.Roles() {
		t.Run(string(r), func(t *testing.T) {
			run := func(seed uint64, workers int, encoded bool) uint64 {
				f := newField(t, setting{
					seed: seed, workers: workers, encoded: encoded, honest: 20,
					hostile: machines(3, anyRole(r, 20, 3)),
				})
				for i := range 5 {
					f.run(time.Duration(3+i) * time.Second)
					f.announce(i, "search", 0)
				}
				f.run(9 * time.Second)
				if r != adversary.Dropper && r != adversary.Delayer && f.by(adversary.EventDialled).times == 0 {
					t.Fatal("the machines do nothing")
				}
				return f.sim.TraceHash()
			}
			want := run(1, 1, false)
			for _, c := range []struct {
				name    string
				seed    uint64
				workers int
				encoded bool
				same    bool
			}{
				{"again", 1, 1, false, true},
				{"with 3 workers", 1, 3, false, true},
				{"encoded", 1, 2, true, true},
				{"with another seed", 2, 1, false, false},
			} {
				if got := run(c.seed, c.workers, c.encoded); (got == want) != c.same {
					t.Errorf("trace %016x %s, %016x before", got, c.name, want)
				}
			}
		})
	}
}

// Without Config.Bytes no raw bytes are sent: where the host has no decoder for
// them, the simulator panics.
func TestRawBytesAreOptional(t *testing.T) {
	c := anyRole(adversary.Oversender, 10, 1)
	c.Bytes = false
	f := newField(t, setting{seed: 1, typed: true, honest: 10, hostile: machines(1, c)})
	f.run(10 * time.Second)
	if f.by(adversary.EventOversent).sum == 0 {
		t.Error("nothing was sent")
	}
}

func TestConfigIsChecked(t *testing.T) {
	for _, r := range adversary.Roles() {
		c := adversary.Config{Role: r, Victim: sim.AddressOf(1)}
		if err := c.Validate(); err != nil {
			t.Errorf("the defaults of %s: %v", r, err)
		}
		if d := c.WithDefaults(); d.Connections == 0 || d.Inbound == 0 || d.WithDefaults().Rate != d.Rate {
			t.Errorf("%s: defaults are missing: %+v", r, d)
		}
	}
	if got := adversary.Roles(); !slices.Equal(got, adversary.Roles()) || len(got) != 9 || got[0] != adversary.Flooder || got[8] != adversary.Silent {
		t.Errorf("the roles are %q", got)
	}
	good := adversary.Config{Role: adversary.Flooder}
	for _, c := range []struct {
		change func(*adversary.Config)
		says   string
	}{
		{func(c *adversary.Config) { c.Role = "friend" }, "Role"},
		{func(c *adversary.Config) { c.Role = "" }, "Role"},
		{func(c *adversary.Config) { c.Role = adversary.Eclipser }, "Victim"},
		{func(c *adversary.Config) { c.Rate = -1 }, "Rate"},
		{func(c *adversary.Config) { c.Rate = 1_000_001 }, "Rate"},
		{func(c *adversary.Config) { c.Connections = 10001 }, "Connections"},
		{func(c *adversary.Config) { c.Inbound = -1 }, "Inbound"},
		{func(c *adversary.Config) { c.KnownMax = -1 }, "KnownMax"},
		{func(c *adversary.Config) { c.Memory = 1<<16 + 1 }, "Memory"},
		{func(c *adversary.Config) { c.Delay = -1 }, "Delay"},
		{func(c *adversary.Config) { c.Known = make([]actors.Address, 1) }, "zero Address"},
		{func(c *adversary.Config) { c.Advertise = addresses(0, 5) }, "advertises"},
		{func(c *adversary.Config) { c.Nobody = netip.MustParsePrefix("10.0.0.0/25") }, "Nobody"},
		{func(c *adversary.Config) { c.Nobody = netip.MustParsePrefix("fe80::/10") }, "Nobody"},
		{func(c *adversary.Config) { c.Network = strings.Repeat("n", 65) }, "Network"},
	} {
		bad := good
		c.change(&bad)
		if err := bad.Validate(); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q is reported as %v", c.says, err)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("New takes a bad Config")
		}
	}()
	adversary.New(adversary.Config{})
}
