package sim_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"peernet/actors"
	"peernet/sim"
	"peernet/sim/dist"
)

// A rumor is a message type of our own: a kind, its encoding, and back.
type rumor struct{ age uint64 }

var rumorKind = actors.RegisterMessage("example.rumor", func(b []byte) (actors.Message, error) {
	age, _ := binary.Uvarint(b)
	return &rumor{age}, nil
})

func (*rumor) Kind() actors.Kind        { return rumorKind }
func (r *rumor) Append(b []byte) []byte { return binary.AppendUvarint(b, r.age) }

// A gossiper passes the first rumor it hears on to three random nodes.
type gossiper struct {
	nodes int
	heard bool
}

func (g *gossiper) Receive(ctx actors.Context, m actors.Message) {
	d, ok := m.(*actors.Datagram)
	if !ok || g.heard {
		return
	}
	g.heard = true
	for range 3 {
		to := sim.AddressOf(sim.NodeID(ctx.Rand().IntN(g.nodes)))
		ctx.(actors.Datagrams).SendTo(to, &rumor{age: d.Payload.(*rumor).age + 1})
	}
}

// A protocol of one's own is an actor and its messages. Here a rumor spreads
// by push gossip with fan-out 3 over a complete graph, and dies out at the
// fraction 1−s = exp(−3(1−s)) that epidemic theory gives: about 94 % hear it.
func Example() {
	const nodes = 10000
	s, err := sim.New(sim.Config{Seed: 1, Latency: sim.Latency{Message: dist.Uniform{Low: 10 * time.Millisecond, High: 90 * time.Millisecond}}})
	if err != nil {
		panic(err)
	}
	s.Add(nodes)
	all := make([]*gossiper, nodes)
	for i := range all {
		all[i] = &gossiper{nodes: nodes}
		s.Start(sim.NodeID(i), all[i])
	}
	s.Send(0, &actors.Datagram{Payload: &rumor{}})
	if err := s.Run(context.Background(), 10*time.Second); err != nil {
		panic(err)
	}
	heard := 0
	for _, g := range all {
		if g.heard {
			heard++
		}
	}
	fmt.Printf("%d of %d heard it, trace %016x\n", heard, nodes, s.TraceHash())
	// Output: 9405 of 10000 heard it, trace 78cac54c8565254c
}
