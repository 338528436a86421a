package rumor_test

import (
	"context"
	"testing"
	"time"

	"peernet/experiments/lab"
	"peernet/experiments/protocols/rumor"
	"peernet/sim"
)

// With a K of 0 a site sends the update in each cycle after the one it heard it in, for
// ever, and whoever hears it says nothing.
func TestNeverLosesInterest(t *testing.T) {
	const nodes, cycles = 8, 60
	s, err := sim.New(lab.Lockstep)
	if err != nil {
		t.Fatal(err)
	}
	s.Add(nodes)
	config := &rumor.Config{Mode: rumor.Push, Peers: lab.Addresses(nodes)}
	sites := make([]rumor.Site, nodes)
	for i := range sites {
		sites[i] = rumor.Site{Config: config, Self: i}
		s.Start(sim.NodeID(i), &sites[i])
	}
	s.Send(0, &rumor.Start{})
	if err := s.Run(context.Background(), cycles*lab.Cycle-time.Nanosecond); err != nil {
		t.Fatal(err)
	}
	var sent uint64
	for i := range sites {
		if !sites[i].Infective || sites[i].Sent != cycles-sites[i].HeardAt {
			t.Errorf("site %d: infective %v, sent %d updates since cycle %d", i, sites[i].Infective, sites[i].Sent, sites[i].HeardAt)
		}
		sent += sites[i].Sent
	}
	if got := s.Totals().Sent; got != sent {
		t.Errorf("%d messages were sent, want the %d updates", got, sent)
	}
}
