package swim

import (
	"slices"
	"testing"

	"peernet/actors"
)

// Members are 1 to 4, and what is asked for is which of them the messages are about.
func TestPiggybackTakesWhatWasSentLeast(t *testing.T) {
	m := Member{Config: &Config{Updates: 2, Clock: Phased, Peers: make([]actors.Address, 1000), Lambda: 300}} // ⌈0.3·ln 1000⌉ = 3
	about := func() (all []int) {
		for _, u := range m.piggyback(m.Self) {
			all = append(all, u.Member)
		}
		slices.Sort(all)
		return all
	}
	m.spread(Update{State: Failed, Member: 1})
	m.spread(Update{State: Failed, Member: 2})
	for i, want := range [][]int{{1, 2}, {1, 3}, {2, 3}, {2, 3}, {1}, nil} {
		if i == 1 {
			m.spread(Update{State: Failed, Member: 3})
		}
		if got := about(); !slices.Equal(got, want) {
			t.Errorf("message %d carries %v, want %v", i, got, want)
		}
	}
}

func TestNewUpdatesReplaceOldOnes(t *testing.T) {
	m := Member{Config: &Config{Updates: 9, Clock: Phased, Peers: make([]actors.Address, 9)}}
	suspected := func(incarnation uint64, by int) Update { return Update{Suspected, 1, incarnation, by} }
	for i, c := range []struct {
		new  Update
		want int // updates about member 1
	}{{suspected(0, 2), 1}, {suspected(0, 3), 2}, {suspected(1, 2), 1}, {Update{Alive, 1, 2, 1}, 1}, {suspected(2, 5), 1}, {Update{Failed, 1, 2, 5}, 1}} {
		m.spread(c.new)
		got := m.piggyback(0)
		if len(got) != c.want || !slices.Contains(got, c.new) {
			t.Errorf("after %d, %v are sent, want %d with the new one", i, got, c.want)
		}
	}
}
