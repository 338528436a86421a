package hyparview

import (
	"slices"

	"peernet/actors"
)

// cycle begins a shuffle: a walk that exchanges passive addresses with a random node.
func (n *Node) cycle(ctx actors.Context) {
	n.giveUp(ctx)
	n.Cycles++
	n.tried = n.tried[:0]
	n.refill(ctx)
	if len(n.Active) == 0 {
		return
	}
	to := n.Active[ctx.Rand().IntN(len(n.Active))].Conn
	var active []actors.Address
	for _, a := range n.Active {
		if a.Conn != to {
			active = append(active, a.Peer)
		}
	}
	passive := draw(ctx, n.Passive, n.Config.ShufflePass)
	n.offered = passive
	peers := append([]actors.Address{n.Self}, draw(ctx, active, n.Config.ShuffleActive)...)
	ctx.Send(to, &Shuffle{n.Self, uint32(n.Config.ShuffleWalk), append(peers, passive...)})
}

// giveUp ends requests that were not answered over a link for a cycle. A dial ends by itself.
func (n *Node) giveUp(ctx actors.Context) {
	n.asking = slices.DeleteFunc(n.asking, func(r request) bool {
		silent := r.cycle < n.Cycles && !r.conn.IsZero()
		if silent {
			ctx.Stop(r.conn)
			n.forget(r.peer)
		}
		return silent
	})
}

// shuffle is where the walk of a shuffle is: this node is one hop of it.
func (n *Node) shuffle(ctx actors.Context, from actors.Ref, m *Shuffle) {
	if m.Hops > 1 && len(n.Active) > 1 {
		if next, ok := n.other(ctx, from, m.Origin); ok {
			ctx.Send(next, &Shuffle{m.Origin, m.Hops - 1, m.Peers})
			return
		}
	}
	if m.Origin == n.Self {
		return
	}
	reply := draw(ctx, n.Passive, len(m.Peers))
	ctx.(actors.Datagrams).SendTo(m.Origin, &ShuffleReply{reply})
	n.keep(ctx, m.Peers, reply)
}

// keep takes addresses into the passive view; for room go those that were sent away, then
// random ones.
func (n *Node) keep(ctx actors.Context, peers, sent []actors.Address) {
	for _, p := range peers {
		if p == n.Self || n.knows(p) || slices.Contains(n.Passive, p) {
			continue
		}
		if len(n.Passive) >= n.Config.Passive {
			k := -1
			for len(sent) > 0 && k < 0 {
				k = slices.Index(n.Passive, sent[0])
				sent = sent[1:]
			}
			if k < 0 {
				k = ctx.Rand().IntN(len(n.Passive))
			}
			n.Passive[k] = n.Passive[len(n.Passive)-1]
			n.Passive = n.Passive[:len(n.Passive)-1]
		}
		n.Passive = append(n.Passive, p)
	}
}

// forget takes an address out of the passive view.
func (n *Node) forget(peer actors.Address) {
	if k := slices.Index(n.Passive, peer); k >= 0 {
		n.Passive = slices.Delete(n.Passive, k, k+1)
	}
}

// draw returns up to k of the peers, uniformly drawn without repeats.
func draw(ctx actors.Context, peers []actors.Address, k int) []actors.Address {
	drawn := slices.Clone(peers)
	for i := range min(k, len(drawn)) {
		j := i + ctx.Rand().IntN(len(drawn)-i)
		drawn[i], drawn[j] = drawn[j], drawn[i]
	}
	return drawn[:min(k, len(drawn))]
}
