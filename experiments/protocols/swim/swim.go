package swim

import (
	"slices"
	"time"

	"peernet/actors"
)

// A Member is the actor.
type Member struct {
	Config *Config
	Self   int // the index of the member in Peers

	Incarnation uint64
	Health      int    // the local health multiplier; 0 is well
	Periods     uint64 // begun
	Sent        uint64 // messages
	Probes      []Probe
	Records     []Record    // of the members of whom it has heard anything, by their index
	Detections  []Detection // what it declared failed itself, in order

	seq       uint64 // of pings
	order     []int  // the shuffled list, and the next of it
	next      int
	relays    []relay
	rumours   []rumour
	suspicion uint64 // numbers time-outs of suspicions
}

// A Probe is under way.
type Probe struct {
	Target    int
	At        actors.Time // of the ping
	Requested actors.Time // of the ping-reqs, 0 if there were none

	seq          uint64
	acked        bool
	asked, nacks int
}

// A Detection is a member that was declared failed.
type Detection struct {
	Member int
	At     actors.Time
	Since  actors.Time // of the ping that failed, or of the suspicion
}

// A relay is a ping for another member.
type relay struct {
	seq, forSeq uint64
	to          actors.Address
}

// Receive implements [actors.Actor].
func (m *Member) Receive(ctx actors.Context, msg actors.Message) {
	switch msg := msg.(type) {
	case *actors.Started:
		m.start(ctx)
	case *actors.Round:
		if m.Config.Clock == Rounds {
			for len(m.Probes) > 0 {
				m.judge(ctx, 0)
			}
			m.probe(ctx)
		}
	case *tick:
		m.probe(ctx)
		ctx.After(m.gap(ctx), msg)
	case *timeout:
		m.request(ctx, msg.seq)
	case *deadline:
		if i := m.probing(msg.seq); i >= 0 {
			m.judge(ctx, i)
		}
	case *relayed:
		m.relayed(ctx, msg)
	case *expired:
		m.expired(ctx, msg)
	case *Announce:
		m.Incarnation++
		m.spread(Update{State: Alive, Member: m.Self, Incarnation: m.Incarnation, Accuser: m.Self})
	case *actors.Datagram:
		m.arrived(ctx, msg.From, msg.Payload)
	}
}

// start begins the first period at a random phase.
func (m *Member) start(ctx actors.Context) {
	switch m.Config.Clock {
	case Phased:
		ctx.After(time.Duration(ctx.Rand().Int64N(int64(m.Config.Period))), &tick{})
	case Memoryless:
		ctx.After(m.gap(ctx), &tick{})
	}
}

// gap is how long it is from the start of a period to the next one.
func (m *Member) gap(ctx actors.Context) time.Duration {
	if m.Config.Clock == Memoryless {
		return exponential(m.stretched(m.Config.Period), ctx.Rand().Uint64())
	}
	return m.stretched(m.Config.Period)
}

// stretched makes a time longer by the local health.
func (m *Member) stretched(d time.Duration) time.Duration { return d * time.Duration(m.Health+1) }

// probe begins a period.
func (m *Member) probe(ctx actors.Context) {
	m.Periods++
	target, ok := m.target(ctx)
	if !ok {
		return
	}
	m.seq++
	m.Probes = append(m.Probes, Probe{Target: target, At: ctx.Now(), seq: m.seq})
	m.send(ctx, m.Config.Peers[target], &Ping{m.seq, m.piggyback(target)})
	ctx.After(m.stretched(m.Config.Timeout), &timeout{m.seq})
	if m.Config.Clock != Rounds {
		ctx.After(m.stretched(m.Config.Period), &deadline{m.seq})
	}
}

// request asks K others to ping the target too, if it has not answered.
func (m *Member) request(ctx actors.Context, seq uint64) {
	i := m.probing(seq)
	if i < 0 || m.Probes[i].acked {
		return
	}
	p := &m.Probes[i]
	chosen := []int{m.Self, p.Target}
	for range m.Config.K {
		helper, ok := m.draw(ctx, chosen)
		if !ok {
			break
		}
		chosen = append(chosen, helper)
		p.asked, p.Requested = p.asked+1, ctx.Now()
		m.send(ctx, m.Config.Peers[helper], &PingReq{seq, p.Target, m.piggyback(helper)})
	}
}

// judge ends a probe.
func (m *Member) judge(ctx actors.Context, i int) {
	p := m.Probes[i]
	m.Probes = slices.Delete(m.Probes, i, i+1)
	if p.acked {
		m.ail(-1)
		return
	}
	m.ail(1)
	if m.Config.Nack && p.nacks < p.asked {
		m.ail(1)
	}
	m.failed(ctx, p)
}

// ail changes the local health.
func (m *Member) ail(by int) { m.Health = min(max(m.Health+by, 0), m.Config.Health) }

func (m *Member) arrived(ctx actors.Context, from actors.Address, msg actors.Message) {
	switch msg := msg.(type) {
	case *Ping:
		m.hear(ctx, msg.Updates)
		m.send(ctx, from, &Ack{msg.Seq, m.piggyback(m.Self)})
	case *PingReq:
		m.hear(ctx, msg.Updates)
		m.relay(ctx, from, msg)
	case *Ack:
		m.hear(ctx, msg.Updates)
		m.acked(ctx, msg.Seq)
	case *Nack:
		if i := m.probing(msg.Seq); i >= 0 {
			m.Probes[i].nacks++
		}
	}
}

// acked takes an ack for a probe, or passes it on to whom the ping was for.
func (m *Member) acked(ctx actors.Context, seq uint64) {
	if i := m.probing(seq); i >= 0 {
		m.Probes[i].acked = true
		return
	}
	if i := m.relaying(seq); i >= 0 {
		r := m.relays[i]
		m.relays = slices.Delete(m.relays, i, i+1)
		m.send(ctx, r.to, &Ack{r.forSeq, m.piggyback(m.Self)})
	}
}

// relay pings a member for another one.
func (m *Member) relay(ctx actors.Context, from actors.Address, q *PingReq) {
	if q.Target >= len(m.Config.Peers) || q.Target == m.Self {
		return
	}
	m.seq++
	m.relays = append(m.relays, relay{m.seq, q.Seq, from})
	m.send(ctx, m.Config.Peers[q.Target], &Ping{m.seq, m.piggyback(q.Target)})
	if m.Config.Nack {
		ctx.After(m.Config.Timeout*4/5, &relayed{seq: m.seq, nack: true})
	}
	ctx.After(m.stretched(m.Config.Period), &relayed{seq: m.seq})
}

// relayed answers a ping-req whose target has not, and in the end forgets it.
func (m *Member) relayed(ctx actors.Context, msg *relayed) {
	i := m.relaying(msg.seq)
	switch {
	case i < 0:
	case msg.nack:
		m.send(ctx, m.relays[i].to, &Nack{m.relays[i].forSeq})
	default:
		m.relays = slices.Delete(m.relays, i, i+1)
	}
}

func (m *Member) probing(seq uint64) int {
	return slices.IndexFunc(m.Probes, func(p Probe) bool { return p.seq == seq })
}

func (m *Member) relaying(seq uint64) int {
	return slices.IndexFunc(m.relays, func(r relay) bool { return r.seq == seq })
}

func (m *Member) send(ctx actors.Context, to actors.Address, msg actors.Message) {
	m.Sent++
	ctx.(actors.Datagrams).SendTo(to, msg)
}
