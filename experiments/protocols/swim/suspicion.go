package swim

import (
	"slices"

	"peernet/actors"
)

// A State is what is known of a member.
type State uint8

// The states.
const (
	Alive State = iota
	Suspected
	Failed
)

// A Record is what a member knows of another one.
type Record struct {
	Member      int
	State       State
	Incarnation uint64
	Since       actors.Time // of the state
	Accusers    []int       // who suspected it in this incarnation, independently

	timer uint64 // of the suspicion that counts
}

// Record returns what the member knows of another; at first, all are alive.
func (m *Member) Record(member int) Record {
	if i, ok := m.find(member); ok {
		return m.Records[i]
	}
	return Record{Member: member}
}

func (m *Member) find(member int) (int, bool) {
	return slices.BinarySearchFunc(m.Records, member, func(r Record, member int) int { return r.Member - member })
}

func (m *Member) set(r Record) {
	i, ok := m.find(r.Member)
	if !ok {
		m.Records = slices.Insert(m.Records, i, r)
	}
	m.Records[i] = r
}

// failed takes a probe that failed.
func (m *Member) failed(ctx actors.Context, p Probe) {
	u := Update{State: Suspected, Member: p.Target, Incarnation: m.Record(p.Target).Incarnation, Accuser: m.Self}
	if m.Config.Alpha > 0 {
		m.apply(ctx, u)
		return
	}
	if m.candidate(p.Target) { // it may have been declared failed meanwhile
		m.detect(ctx, u, p.At)
	}
}

// detect declares a member failed.
func (m *Member) detect(ctx actors.Context, u Update, since actors.Time) {
	m.Detections = append(m.Detections, Detection{u.Member, ctx.Now(), since})
	u.State, u.Accuser = Failed, m.Self
	m.apply(ctx, u)
}

func (m *Member) hear(ctx actors.Context, updates []Update) {
	for _, u := range updates {
		if u.Member < len(m.Config.Peers) && u.Accuser < len(m.Config.Peers) {
			m.apply(ctx, u)
		}
	}
}

// apply takes an update, and spreads it if it says anything new.
func (m *Member) apply(ctx actors.Context, u Update) {
	if u.Member == m.Self {
		m.refute(u)
		return
	}
	r := m.Record(u.Member)
	switch {
	case u.overrides(r, m.Config.Return):
		r = Record{Member: u.Member, State: u.State, Incarnation: u.Incarnation, Since: ctx.Now()}
		if u.State == Suspected {
			r.Accusers = []int{u.Accuser}
			m.arm(ctx, &r)
		}
	case u.State == Suspected && r.State == Suspected && u.Incarnation == r.Incarnation &&
		len(r.Accusers) <= m.Config.Confirmations && !slices.Contains(r.Accusers, u.Accuser):
		r.Accusers = append(r.Accusers, u.Accuser)
		m.arm(ctx, &r)
	default:
		return
	}
	m.set(r)
	m.spread(u)
}

// overrides reports whether an update says more than what is known (section 4.2).
func (u Update) overrides(r Record, comeback bool) bool {
	switch u.State {
	case Alive:
		return u.Incarnation > r.Incarnation && (r.State != Failed || comeback)
	case Suspected:
		return r.State == Alive && u.Incarnation >= r.Incarnation || r.State == Suspected && u.Incarnation > r.Incarnation
	}
	// If nobody comes back, a member that failed has no later incarnation.
	return r.State != Failed && (!comeback || u.Incarnation >= r.Incarnation)
}

// refute answers what others think of the member itself.
func (m *Member) refute(u Update) {
	if u.State == Alive || u.State == Failed && !m.Config.Return || u.Incarnation < m.Incarnation {
		return
	}
	if u.State == Suspected {
		m.ail(1)
	}
	m.Incarnation = u.Incarnation + 1
	m.spread(Update{State: Alive, Member: m.Self, Incarnation: m.Incarnation, Accuser: m.Self})
}

// arm sets the time-out of a suspicion, by how many have confirmed it.
func (m *Member) arm(ctx actors.Context, r *Record) {
	m.suspicion++
	r.timer = m.suspicion
	due := r.Since.Add(m.Config.SuspicionTimeout(len(r.Accusers) - 1))
	ctx.After(due.Sub(ctx.Now()), &expired{r.Member, r.timer})
}

// expired declares a member failed that has not refuted a suspicion.
func (m *Member) expired(ctx actors.Context, msg *expired) {
	r := m.Record(msg.member)
	if r.State == Suspected && r.timer == msg.timer {
		m.detect(ctx, Update{Member: r.Member, Incarnation: r.Incarnation}, r.Since)
	}
}
