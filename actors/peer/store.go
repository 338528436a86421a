package peer

import (
	"slices"

	"peernet/actors"
	"peernet/actors/book"
	"peernet/actors/wire"
)

// knownMax bounds the entries of one KnownPage.
const knownMax = 1024

// A Store keeps the address book of a node. Writes by the user that arrive
// while others wait are committed together, and acknowledged when committed.
type Store struct {
	node      *identity
	table     book.Table
	bootstrap []actors.Address
	unsynced  []Call // acknowledged at the next commit
	listeners listeners
	key       uint64 // of the hash that names sources
	hungry    bool   // the last draw gave less than asked for
	dirty     bool   // a commit is scheduled
	doubt     uint8  // addresses to check, one every Config.Interval
}

// doubtful is how many addresses are checked after one has failed.
const doubtful = 16

// Book returns the book, for a simulator or a test to look at.
func (s *Store) Book() book.Book { return s.table.Book() }

// MayBlock implements [actors.Blocker]: a book may be on a disk.
func (s *Store) MayBlock() {}

// Receive implements [actors.Actor].
func (s *Store) Receive(ctx actors.Context, m actors.Message) {
	now := book.SecondsOf(ctx.Now())
	switch m := m.(type) {
	case *learn:
		s.onLearn(ctx, m, now)
	case *met:
		if m.remote.IsLoopback() || !m.address.IsLoopback() {
			s.table.Met(m.address, s.source(m.remote), now, ctx.Rand())
		}
	case *share:
		s.onShare(ctx, m, now)
	case *draw:
		answer := &drawn{refresh: m.refresh}
		answer.list = s.table.Draw(answer.space[:0], m.n, now, s.node.config.Dialable, ctx.Rand())
		s.hungry = len(answer.list) < m.n
		ctx.Send(ctx.Sender(), answer)
	case *result:
		if m.self {
			s.table.Own(m.address, now)
		} else {
			s.table.Result(m.address, m.outcome, now, ctx.Rand())
		}
		if m.outcome == book.OutcomeFailed {
			s.onFailure(ctx)
		}
	case *tick:
		s.onTick(ctx, *m, now)
	case *actors.Started:
		s.onStarted(ctx, now)
	case *Subscribe:
		s.listeners.subscribe(ctx, m, s.node.config.SubscribersMax)
	case *actors.Terminated:
		s.listeners.drop(m.Who)
	case *closed:
		err := s.commit(ctx)
		ctx.Send(ctx.Sender(), &flushed{call: m.call, err: err})
	default:
		s.onOperation(ctx, m, now)
	}
}

func (s *Store) onStarted(ctx actors.Context, now book.Seconds) {
	s.key = ctx.Rand().Uint64()
	for _, a := range s.node.advertise {
		s.table.Own(a, now)
	}
	for _, a := range s.bootstrap {
		// A bootstrap address that cannot be kept is not worth failing for.
		_ = s.table.Save(a, now, ctx.Rand())
	}
	s.bootstrap = nil
	if !s.node.config.Static {
		ctx.After(jitter(ctx, s.node.config.Purge), ticks[tickPurge])
	}
}

func (s *Store) onShare(ctx actors.Context, m *share, now book.Seconds) {
	s.table.Hear(now) // the peer asks
	answer := &shared{reply: m.reply}
	local, doubts := m.learn.remote.IsLoopback(), s.doubt > 0
	list := s.table.Share(answer.space[:0], m.n, m.to, func(e book.Entry) bool {
		return (local || !e.Address.IsLoopback()) && (!doubts || answered(e))
	}, ctx.Rand())
	answer.Addresses = wire.MakeAddresses(list)
	ctx.Send(ctx.Sender(), answer)
	if len(m.learn.list) > 0 {
		s.onLearn(ctx, &m.learn, now)
	}
}

func (s *Store) onLearn(ctx actors.Context, m *learn, now book.Seconds) {
	list := m.list
	if !m.remote.IsLoopback() && slices.ContainsFunc(list, actors.Address.IsLoopback) {
		list = slices.DeleteFunc(slices.Clone(list), actors.Address.IsLoopback)
		ctx.Emit(actors.Event{Kind: EventLoopback, Address: m.from, N: int64(len(m.list) - len(list))})
	}
	source := s.source(m.remote)
	var fresh func(actors.Address)
	if s.listeners.want(TopicKnown) {
		fresh = func(a actors.Address) { s.listeners.tell(ctx, TopicKnown, &Learned{a}) }
	}
	added := s.table.Learn(list, source, m.from, now, ctx.Rand(), fresh)
	if added == 0 {
		return
	}
	ctx.Emit(actors.Event{Kind: EventLearned, Address: m.from, N: int64(added)})
	s.feed(ctx)
}

// answered reports whether an address is more than hearsay: its user gave it,
// or it answered when it was last dialled. While a node doubts its book it tells peers
// of nothing else. Otherwise the dead would live for ever: each node that forgets
// one is told of it again by those that have not tried it yet.
func answered(e book.Entry) bool { return e.Source == 0 || e.Streak == 0 && e.OK > 0 }

// source names the host that an address belongs to, by a keyed hash.
func (s *Store) source(a actors.Address) uint32 {
	return uint32(actors.Mix(s.key, actors.Sum([]byte(a.Network())))) | 1
}

// feed tells Gossip of new addresses if it could use them.
func (s *Store) feed(ctx actors.Context) {
	if s.hungry {
		s.hungry = false
		ctx.Send(s.node.gossip, &fresh{})
	}
}

func (s *Store) onTick(ctx actors.Context, t tick, now book.Seconds) {
	switch t {
	case tickCommit:
		s.commit(ctx)
	case tickDoubt:
		s.onDoubt(ctx, now)
	case tickPurge:
		ctx.After(s.node.config.Purge, ticks[tickPurge])
		// A node that has found nobody yet may be offline: it forgets nobody.
		if s.table.Heard() {
			if n := s.table.Purge(now); n > 0 {
				ctx.Emit(actors.Event{Kind: EventPurged, N: int64(n)})
			}
		}
		s.commit(ctx)
	}
}

func (s *Store) onOperation(ctx actors.Context, m actors.Message, now book.Seconds) {
	switch m := m.(type) {
	case *Save:
		if err := s.table.Save(m.Address, now, ctx.Rand()); err != nil {
			ctx.Send(m.ReplyTo, &Done{Tag: m.Tag, Err: err})
			return
		}
		s.unsynced = append(s.unsynced, m.Call)
		s.schedule(ctx)
		s.feed(ctx)
	case *Learn:
		if s.table.Learn(m.List, 0, actors.Address{}, now, ctx.Rand(), nil) > 0 {
			s.feed(ctx)
		}
		s.unsynced = append(s.unsynced, m.Call)
		s.schedule(ctx)
	case *Remove:
		s.table.Remove(m.Address, now)
		s.unsynced = append(s.unsynced, m.Call)
		s.schedule(ctx)
	case *Known:
		s.onKnown(ctx, m)
	case *Stats:
		answer := &StatsResult{Tag: m.Tag}
		if i, ok := s.table.Book().Find(m.Address); ok {
			answer.Found, answer.Entry = true, s.table.Book().At(i)
		}
		ctx.Send(m.ReplyTo, answer)
	}
}

func (s *Store) onKnown(ctx actors.Context, m *Known) {
	b := s.table.Book()
	page := &KnownPage{Tag: m.Tag, Next: -1, Total: b.Len()}
	i := max(m.Start, 0)
	for ; i < b.Len() && len(page.Entries) < min(m.Max, knownMax); i++ {
		page.Entries = append(page.Entries, b.At(i))
	}
	if i < b.Len() {
		page.Next = i
	}
	ctx.Send(m.ReplyTo, page)
}

// onFailure has some of the book checked: where one peer is gone, others may be.
func (s *Store) onFailure(ctx actors.Context) {
	if s.node.config.Static {
		return
	}
	if s.doubt == 0 {
		ctx.After(jitter(ctx, s.node.config.Interval), ticks[tickDoubt])
	}
	s.doubt = doubtful
}

// onDoubt has the next address checked.
func (s *Store) onDoubt(ctx actors.Context, now book.Seconds) {
	if s.doubt--; s.doubt > 0 {
		ctx.After(s.node.config.Interval, ticks[tickDoubt])
	}
	if a, ok := s.table.Suspect(now, s.node.config.Dialable, ctx.Rand()); ok {
		ctx.Send(s.node.gossip, &suspect{a})
	}
}

// schedule has what the user wrote committed at once. The commit waits behind
// the writes that are already in the mailbox, so that they share it. What
// peers told is worth less, and committed every Config.Purge.
func (s *Store) schedule(ctx actors.Context) {
	if !s.dirty {
		s.dirty = true
		ctx.Send(ctx.Self(), ticks[tickCommit])
	}
}

func (s *Store) commit(ctx actors.Context) error {
	s.dirty = false
	err := s.table.Book().Commit()
	if err != nil {
		ctx.Emit(actors.Event{Kind: EventStoreFailed, Text: err.Error()})
	}
	for _, c := range s.unsynced {
		ctx.Send(c.ReplyTo, &Done{Tag: c.Tag, Err: err})
	}
	s.unsynced = nil
	return err
}
