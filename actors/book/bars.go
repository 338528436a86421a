package book

import (
	"slices"

	"peernet/actors"
)

// Bars are the bars of a [Book] in memory: few, and looked through one by one. The
// zero Bars are none.
type Bars struct{ list []bar }

type bar struct {
	address actors.Address
	until   Seconds
}

// before reports whether b is dropped before c.
func (b bar) before(c bar) bool {
	if b.until != c.until {
		return b.until < c.until
	}
	return b.address.String() < c.address.String()
}

// Set bars a until the given time, replacing an earlier bar.
func (s *Bars) Set(a actors.Address, until Seconds) {
	for i := range s.list {
		if s.list[i].address == a {
			s.list[i].until = until
			return
		}
	}
	s.list = append(s.list, bar{a, until})
}

// Until returns until when a is barred, 0 for not at all.
func (s *Bars) Until(a actors.Address) Seconds {
	for i := range s.list {
		if s.list[i].address == a {
			return s.list[i].until
		}
	}
	return 0
}

// Len is the number of bars.
func (s *Bars) Len() int { return len(s.list) }

// Expire drops bars as [Book.ExpireBars] says, and calls dropped, unless it is nil,
// for each.
func (s *Bars) Expire(now Seconds, most int, dropped func(actors.Address)) {
	s.list = slices.DeleteFunc(s.list, func(b bar) bool {
		if b.until <= now && dropped != nil {
			dropped(b.address)
		}
		return b.until <= now
	})
	for len(s.list) > most {
		first := 0
		for i := range s.list {
			if s.list[i].before(s.list[first]) {
				first = i
			}
		}
		if dropped != nil {
			dropped(s.list[first].address)
		}
		s.list = slices.Delete(s.list, first, first+1)
	}
}
