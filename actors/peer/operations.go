package peer

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"peernet/actors"
	"peernet/actors/book"
	"peernet/actors/wire"
)

// closeTimeout bounds how long Close waits for the links to end.
const closeTimeout = 5 * time.Second

// onOperation handles what the root passes on from the host.
func (g *Gossip) onOperation(ctx actors.Context, m actors.Message) {
	switch m := m.(type) {
	case *Announce:
		id, err := g.announce(ctx, m)
		ctx.Send(m.ReplyTo, &Announced{Tag: m.Tag, ID: id, Err: err})
	case *Advertise:
		ctx.Send(m.ReplyTo, &Done{Tag: m.Tag, Err: g.advertise(ctx, m.Address)})
	case *Respond:
		ctx.Send(m.ReplyTo, &Done{Tag: m.Tag, Err: g.respond(ctx, m)})
	case *Connect:
		g.onConnect(ctx, m)
	case *Disconnect:
		ctx.Send(m.ReplyTo, &Done{Tag: m.Tag, Err: g.disconnect(ctx, m)})
	case *Attach:
		way, err := wayIn, error(nil)
		if m.Outbound {
			way = wayOut
		}
		switch {
		case g.closing != nil:
			err = ErrClosing
		case way == wayIn && g.busy(ctx, m.Link):
			err = ErrHandshakes
		}
		if err != nil {
			m.Link.Close()
			ctx.Send(m.ReplyTo, &Done{Tag: m.Tag, Err: err})
			return
		}
		g.await(g.attach(ctx, m.Link, way), m.Call)
	case *Connections:
		list := make([]Connection, 0, len(g.peers))
		for i := range g.peers {
			if g.peers[i].state == peerUp {
				list = append(list, g.peers[i].connection())
			}
		}
		ctx.Send(m.ReplyTo, &ConnectionList{Tag: m.Tag, List: list})
	case *Subscribe:
		var err error
		if !g.listeners.subscribe(ctx, m, g.node.config.SubscribersMax) {
			ctx.Emit(actors.Event{Kind: EventSubscribersFull, N: int64(len(g.listeners))})
			err = ErrSubscribers
		} else {
			ctx.Send(g.node.store, &Subscribe{Call: Call{ReplyTo: m.ReplyTo}, Topics: m.Topics & TopicKnown})
		}
		ctx.Send(m.ReplyTo, &Done{Tag: m.Tag, Err: err})
	case *Close:
		g.onClose(ctx, m)
	}
}

// advertise adds an address to those of this node. The identity that Conns share
// does not change: later ones get another.
func (g *Gossip) advertise(ctx actors.Context, a actors.Address) error {
	switch {
	case slices.Contains(g.node.advertise, a):
		return nil
	case len(g.node.advertise) >= wire.AdvertiseMax:
		return ErrAdvertise
	}
	node := *g.node
	node.advertise = append(slices.Clip(node.advertise), a)
	g.node = &node
	ctx.Send(node.store, &result{address: a, self: true})
	return nil
}

// announce makes this node the origin of a request.
func (g *Gossip) announce(ctx actors.Context, m *Announce) (id string, err error) {
	switch {
	case g.closing != nil:
		return "", ErrClosing
	case len(m.Type) > wire.TypeMax || len(m.Data) > wire.DataMax:
		return "", ErrTooLong
	case strings.HasPrefix(m.Type, "_") || m.Type == wire.TypeSignal:
		return "", ErrReservedType
	}
	id = randomID(ctx)
	g.turnSeen(ctx)
	g.seen.add(g.seen.hash(id, false), self)
	out := &send{wire.Frame{Body: wire.NewBody(wire.Body{ID: id, Type: m.Type, Data: m.Data, Limit: m.Limit})}}
	ctx.Emit(actors.Event{Kind: EventAnnounced, Message: &out.Frame})
	for i := range g.peers {
		if g.peers[i].state == peerUp {
			ctx.Send(g.peers[i].conn, out)
		}
	}
	return id, nil
}

// respond sends a response of this node on its way.
func (g *Gossip) respond(ctx actors.Context, m *Respond) error {
	switch {
	case g.closing != nil:
		return ErrClosing
	case len(m.Type) > wire.TypeMax || len(m.Data) > wire.DataMax || len(m.Request) > wire.IDMax:
		return ErrTooLong
	case strings.HasPrefix(m.Type, "_") || m.Type == wire.TypeSignal:
		return ErrReservedType
	}
	body := wire.NewBody(wire.Body{ID: randomID(ctx), Reply: m.Request, Type: m.Type, Data: m.Data})
	if !g.route(ctx, body, 0, nil) {
		return ErrNoRoute
	}
	return nil
}

func (g *Gossip) onConnect(ctx actors.Context, m *Connect) {
	var err error
	switch {
	case g.closing != nil:
		err = ErrClosing
	case slices.Contains(g.node.advertise, m.Address):
		err = ErrSelf
	case slices.ContainsFunc(g.peers, func(p peer) bool { return p.address == m.Address }):
		err = ErrBusy
	}
	if err != nil {
		ctx.Send(m.ReplyTo, &Done{Tag: m.Tag, Err: err})
		return
	}
	ctx.Send(g.node.store, &result{address: m.Address, outcome: book.OutcomeDialling})
	g.await(g.dial(ctx, m.Address, wayOut), m.Call)
}

// await has the outcome of a Conn's handshake reported to a caller.
func (g *Gossip) await(conn actors.Ref, c Call) {
	if !c.ReplyTo.IsZero() {
		g.calls = append(g.calls, connectCall{conn, c})
	}
}

// answer reports to whoever waits for a Conn.
func (g *Gossip) answer(ctx actors.Context, conn actors.Ref, err error) {
	for i := 0; i < len(g.calls); i++ {
		if c := g.calls[i]; c.conn == conn {
			ctx.Send(c.call.ReplyTo, &Done{Tag: c.call.Tag, Err: err})
			g.calls = slices.Delete(g.calls, i, i+1)
			i--
		}
	}
}

func connectError(m *gone) error {
	switch {
	case m.self:
		return ErrSelf
	case m.outcome == book.OutcomeRefused || strings.HasPrefix(m.reason, goodbyePrefix):
		return fmt.Errorf("%w: %s", ErrRefused, m.reason)
	}
	return fmt.Errorf("%w: %s", ErrFailed, m.reason)
}

func (g *Gossip) disconnect(ctx actors.Context, m *Disconnect) error {
	i := slices.IndexFunc(g.peers, func(p peer) bool {
		if m.Address.IsZero() {
			return p.conn == m.Peer
		}
		return p.address == m.Address
	})
	if i < 0 {
		return ErrNotConnected
	}
	ctx.Send(g.peers[i].conn, &verdicts[wire.GoodbyeUser])
	return nil
}

func (g *Gossip) onClose(ctx actors.Context, m *Close) {
	if g.closing != nil {
		ctx.Send(m.ReplyTo, &Done{Tag: m.Tag, Err: ErrClosing})
		return
	}
	g.closing = m
	if !g.negotiator.IsZero() {
		ctx.Stop(g.negotiator)
	}
	for i := range g.peers {
		ctx.Send(g.peers[i].conn, &verdicts[wire.GoodbyeShutdown])
	}
	if len(g.peers) == 0 {
		g.finishClosing(ctx)
		return
	}
	ctx.After(closeTimeout, ticks[tickClose])
}

// finishClosing tells the root, once, that the links are closed.
func (g *Gossip) finishClosing(ctx actors.Context) {
	if g.closed {
		return
	}
	g.closed = true
	for _, c := range g.calls {
		ctx.Send(c.call.ReplyTo, &Done{Tag: c.call.Tag, Err: ErrClosing})
	}
	g.calls = nil
	ctx.Send(g.node.root, &closed{call: g.closing.Call})
}
