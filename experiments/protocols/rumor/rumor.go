// Package rumor is rumor mongering over a complete graph: the "complex epidemics" of
// Demers, Greene, Hauser, Irish, Larson, Shenker, Sturgis, Swinehart and Terry, "Epidemic
// algorithms for replicated database maintenance" (Xerox CSL-89-1, 1987), section 1.4.
//
// A site that hears an update is infective: it spreads the update in the cycles that
// follow, until it loses interest and is removed. The variants say who contacts whom
// (push, pull, push-pull), when interest is lost (by a counter of k, or a coin with
// chance 1/k), and whether that takes feedback, that is an unnecessary contact, or any
// contact (blind). With a K of 0 interest is never lost, and nobody sends feedback: that is
// the "simple epidemic", which Pittel, "On spreading a rumor" (SIAM J. Appl. Math. 47(1),
// 1987), has by push.
//
// # What it guarantees
//
//   - In each lock-step round a site has at most one partner of its own choice, uniform
//     among the others.
//   - A site that hears the update in a cycle spreads it from the next one on.
//   - Counters change at the end of a cycle, by what all contacts of it said.
//
// # What the paper leaves open
//
// Two readings decide about the numbers, and are options: whether a contact was
// unnecessary is judged by the state at the start of the cycle, or by that at the time
// (Config.Live); and whether a useful contact sets the counter back (Config.Keep is: no).
// The tables of the paper come out with the first and with yes, which it says of pull in
// the footnote of Table 3.
package rumor

import (
	"peernet/actors"
)

// A Mode says in which direction updates go in a contact.
type Mode uint8

// The modes.
const (
	Push     Mode = iota // infective sites contact others
	Pull                 // all sites poll others
	PushPull             // both
)

// A Config is a variant.
type Config struct {
	Mode  Mode
	K     int  // of the counter or coin, from 1 up; 0 is never to lose interest, without feedback
	Blind bool // any contact counts, needed or not
	Coin  bool // interest is lost with chance 1/K, not after K
	Live  bool // need is judged at the time, not at the start of the cycle
	Keep  bool // a useful contact leaves the counter as it is
	Peers []actors.Address
}

// A Site is the actor. It expects rounds that are longer than three messages take.
type Site struct {
	Config *Config
	Self   int // the index of the site in Peers

	Heard     bool   // the update
	Infective bool   // it spreads it
	HeardAt   uint64 // the cycles that had ended then; 0 at the source
	Sent      uint64 // updates sent

	cycle           uint64
	counter         int
	contacts, needs int // of this cycle
}

// Receive implements [actors.Actor].
func (s *Site) Receive(ctx actors.Context, m actors.Message) {
	switch m := m.(type) {
	case *Start:
		s.Heard, s.Infective = true, true
	case *actors.Round:
		s.judge(ctx)
		s.cycle = m.N
		s.contact(ctx)
	case *actors.Datagram:
		s.arrived(ctx, m.From, m.Payload)
	}
}

// contact contacts this cycle's partner.
func (s *Site) contact(ctx actors.Context) {
	switch {
	case s.Infective && s.Config.Mode != Pull:
		s.send(ctx, s.partner(ctx), push)
	case s.Config.Mode != Push:
		send(ctx, s.partner(ctx), poll)
	}
}

// partner draws one of the others.
func (s *Site) partner(ctx actors.Context) actors.Address {
	i := ctx.Rand().IntN(len(s.Config.Peers) - 1)
	if i >= s.Self {
		i++
	}
	return s.Config.Peers[i]
}

func (s *Site) arrived(ctx actors.Context, from actors.Address, m actors.Message) {
	switch m := m.(type) {
	case *Poll:
		s.answer(ctx, from)
	case *Update:
		needed := !s.knew()
		if !s.Heard {
			s.Heard, s.Infective, s.HeardAt = true, true, s.cycle+1
		}
		if s.Config.K > 0 {
			send(ctx, from, feedback[b2i(needed)])
		}
		if s.Config.Mode == PushPull && !m.Answer {
			s.answer(ctx, from)
		}
	case *Feedback:
		s.contacts++
		s.needs += b2i(m.Needed)
	}
}

// answer sends the update to a site that asked.
func (s *Site) answer(ctx actors.Context, to actors.Address) {
	if s.Infective && s.knew() {
		s.send(ctx, to, answer)
	}
}

// knew reports whether the site has the update, as far as contacts of this cycle are
// concerned.
func (s *Site) knew() bool { return s.Heard && (s.Config.Live || s.HeardAt <= s.cycle) }

func (s *Site) send(ctx actors.Context, to actors.Address, m *Update) {
	s.Sent++
	send(ctx, to, m)
}

func send(ctx actors.Context, to actors.Address, m actors.Message) {
	ctx.(actors.Datagrams).SendTo(to, m)
}

// judge decides at the end of a cycle whether interest is lost.
func (s *Site) judge(ctx actors.Context) {
	contacts, needs := s.contacts, s.needs
	s.contacts, s.needs = 0, 0
	switch {
	case !s.Infective || contacts == 0:
	case s.Config.Blind:
		for range contacts {
			s.lose(ctx)
		}
	case needs == 0:
		s.lose(ctx)
	case !s.Config.Keep:
		s.counter = 0
	}
}

// lose loses interest, to a K-th.
func (s *Site) lose(ctx actors.Context) {
	s.counter++
	if s.Config.Coin && ctx.Rand().IntN(s.Config.K) == 0 || !s.Config.Coin && s.counter >= s.Config.K {
		s.Infective = false
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
