//go:build !js

package realnet_test

import (
	"context"
	"flag"
	"fmt"
	"testing"
	"time"

	"peernet/actors/peer"
	"peernet/realnet"
)

var soak = flag.Bool("soak", false, "run tests at the size and pace of make soak")

// scaled is the default configuration with all times divided by a factor.
func scaled(factor time.Duration) peer.Config {
	c := peer.Config{}.WithDefaults()
	for _, d := range []*time.Duration{
		&c.Interval, &c.Refresh, &c.Purge, &c.HelloTimeout, &c.KeepAlive, &c.RouteLife, &c.Book.Retry, &c.Book.RetryMax,
	} {
		*d /= factor
	}
	return c
}

// A swarm is nodes on loopback that know one of them at the start.
type swarm struct {
	t     *testing.T
	nodes []*realnet.Node
}

func newSwarm(t *testing.T, count int, c peer.Config) *swarm {
	s := &swarm{t: t}
	for i := range count {
		config := realnet.Config{Peer: c, Listen: []string{[]string{"ws", "tcp"}[i%2] + "://127.0.0.1:0"}}
		if i > 0 {
			config.Bootstrap = s.nodes[0].Servers()
		}
		s.nodes = append(s.nodes, open(t, config))
	}
	return s
}

// check returns what is missing until each node has outbound links, all are in one
// component, and each book holds the addresses of all others and of nobody in dead.
func (s *swarm) check(ctx context.Context, outbound int, dead map[string]bool) error {
	index := map[peer.NodeID]int{}
	for i, n := range s.nodes {
		index[n.ID()] = i
	}
	component := make([]int, len(s.nodes)) // a union-find forest
	for i := range component {
		component[i] = i
	}
	find := func(i int) int {
		for component[i] != i {
			i = component[i]
		}
		return i
	}
	for i, n := range s.nodes {
		list, err := n.Connections(ctx)
		if err != nil {
			return err
		}
		out := 0
		for _, c := range list {
			if c.Outbound {
				out++
			}
			if k, ok := index[c.ID]; ok {
				component[find(i)] = find(k)
			}
		}
		if out < outbound {
			return fmt.Errorf("node %d has %d outbound links", i, out)
		}
		for e, err := range n.Known(ctx) {
			if err != nil {
				return err
			}
			if dead[e.Address.String()] {
				return fmt.Errorf("node %d knows the dead %s, %+v", i, e.Address, e.Stats)
			}
		}
		if known, err := n.Len(ctx); err != nil || known < len(s.nodes)-1 {
			return fmt.Errorf("node %d knows %d addresses, %v", i, known, err)
		}
	}
	for i := range component {
		if find(i) != find(0) {
			return fmt.Errorf("nodes 0 and %d are in two components", i)
		}
	}
	return nil
}

// until waits until check finds nothing missing, and returns how long it took.
func (s *swarm) until(most time.Duration, outbound int, dead map[string]bool) time.Duration {
	s.t.Helper()
	began := time.Now()
	ctx, cancel := context.WithTimeout(s.t.Context(), most)
	defer cancel()
	for {
		err := s.check(ctx, outbound, dead)
		if err == nil {
			return time.Since(began)
		}
		select {
		case <-ctx.Done():
			s.t.Fatalf("not within %v: %v", most, err)
		case <-time.After(most / 200):
		}
	}
}

// Fifty nodes that know one address come together. When twenty of them die, the
// rest forgets them, and fills up its links.
func TestSwarmFormsAndForgetsItsDead(t *testing.T) {
	t.Parallel()
	count, gone, factor := 25, 10, time.Duration(50)
	if *soak {
		count, gone, factor = 50, 20, 10
	}
	s := newSwarm(t, count, scaled(factor))
	t.Logf("%d nodes have 5 outbound links, are one component, and know each other after %v", count, s.until(300*time.Second/factor, 5, nil))
	dead := map[string]bool{}
	for _, n := range s.nodes[1 : 1+gone] {
		dead[n.Servers()[0]] = true
		if err := realnet.Kill(n); err != nil {
			t.Error(err)
		}
	}
	s.nodes = append(s.nodes[:1], s.nodes[1+gone:]...)
	t.Logf("the rest has forgotten %d dead and has 5 outbound links after %v", gone, s.until(60*time.Minute/factor, 5, dead))
}
