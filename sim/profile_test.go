package sim_test

import (
	"slices"
	"testing"
	"time"

	"peernet/actors"
	"peernet/sim"
)

// At slow bits per second, a heavy parcel takes a quarter of a second.
const slow, heavy = 8000, 250

// queues says how many heavy parcels of a burst a slow access link takes, by
// Profile.Queue: those that get their turn within that time.
var queues = map[time.Duration]int{time.Second: 5, 0: 41} // the default is 10 s

// burst has node 1 send something to node 0, one of which has a profile.
func burst(t *testing.T, id sim.NodeID, p sim.Profile, m actors.Message) (*sim.Simulation, []*post) {
	t.Helper()
	s, posts := office(t, sim.Config{}, 2, func(s *sim.Simulation) { profile(t, s, id, p) })
	s.Send(1, m)
	runTo(t, s, time.Minute)
	return s, posts
}

// Who sends more than its access link takes finds the link full.
func TestFullQueueRefusesMessages(t *testing.T) {
	for queue, most := range queues {
		_, posts := burst(t, 1, sim.Profile{Up: slow, Queue: queue}, &order{parcels(most+5, heavy)})
		want := append(make([]error, most), slices.Repeat([]error{actors.ErrLinkFull}, 5)...)
		if !slices.Equal(posts[1].errs, want) || len(posts[0].got) != most {
			t.Errorf("queue of %v: sends end with %v, %d messages arrive; want %d", queue, posts[1].errs, len(posts[0].got), most)
		}
	}
}

// A link that brings more than its receiver takes is reset, and one that brings just
// that is not.
func TestFullQueueResetsLinks(t *testing.T) {
	for queue, most := range queues {
		for more := range 2 {
			_, posts := burst(t, 0, sim.Profile{Down: slow, Queue: queue}, &order{parcels(most+more, heavy)})
			want := slices.Repeat([]actors.Reason{actors.ReasonReset}, more)
			if !slices.Equal(posts[0].downs, want) || !slices.Equal(posts[1].downs, want) {
				t.Errorf("queue of %v, %d messages: the ends hear %v and %v, want %v", queue, most+more, posts[0].downs, posts[1].downs, want)
			}
			if more == 0 && len(posts[0].got) != most {
				t.Errorf("queue of %v: %d of %d messages arrive", queue, len(posts[0].got), most)
			}
		}
	}
}

// Datagrams wait for the access link like all else, either way; those for which there
// is no room are lost, and counted.
func TestFullQueueLosesDatagrams(t *testing.T) {
	const n = 1000
	for queue, most := range queues {
		for id, p := range []sim.Profile{{Down: slow, Queue: queue}, {Up: slow, Queue: queue}} {
			s, posts := burst(t, sim.NodeID(id), p, &mail{0, parcels(n, heavy)})
			var want []arrived
			for i := range most {
				want = append(want, arrived{uint64(i), at(time.Second + 10*ms + time.Duration(i+1)*250*ms)})
			}
			if !slices.Equal(posts[0].got, want) || s.Totals().Lost != uint64(n-most) {
				t.Errorf("%+v: %v arrive and %d are lost, want %v", p, posts[0].got, s.Totals().Lost, want)
			}
		}
	}
}

// A node that starts again finds its access link free, either way.
func TestRestartFreesTheAccessLink(t *testing.T) {
	s, posts := office(t, sim.Config{}, 2, func(s *sim.Simulation) { profile(t, s, 1, sim.Profile{Up: slow, Down: slow}) })
	again := &post{}
	exchange := func(p []*parcel) {
		s.Send(0, &mail{1, p})
		s.Send(1, &mail{0, p})
	}
	exchange(series(0, 9, heavy))
	s.At(1500*ms, func() {
		s.Crash(1, false)
		s.Start(1, again)
		exchange(series(9, 1, heavy))
	})
	runTo(t, s, 10*time.Second)
	want := arrived{9, at(1760 * ms)}
	if !slices.Contains(posts[0].got, want) {
		t.Errorf("the peer gets %v, want %v among them", posts[0].got, want)
	}
	if !slices.Equal(again.got, []arrived{want}) {
		t.Errorf("the node gets %v, want %v alone", again.got, want)
	}
}

// A profile that comes when a node has started changes all but the clock, for ever.
func TestClocksAreSetBeforeTheStart(t *testing.T) {
	s, posts := office(t, sim.Config{}, 2, func(s *sim.Simulation) {
		profile(t, s, 0, sim.Profile{ClockOffset: time.Second})
		profile(t, s, 0, sim.Profile{ClockOffset: 3 * time.Second, ClockDrift: 1000}) // node 1 has none
	})
	change := func() {
		for id := range sim.NodeID(2) {
			profile(t, s, id, sim.Profile{Processing: 200 * ms, ClockOffset: 9 * time.Second, ClockDrift: -5})
		}
	}
	change()
	s.Send(0, &order{parcels(1, 10)})
	runTo(t, s, 10*time.Second)
	s.Crash(0, false)
	change()
	if fast, right := s.Clock(0), s.Clock(1); fast != at(13010*ms) || right != at(10*time.Second) {
		t.Errorf("after 10s the clocks show %v and %v, want 13.01s and 10s", fast, right)
	}
	if got := posts[1].got; !slices.Equal(got, []arrived{{0, at(1210 * ms)}}) {
		t.Errorf("node 1 gets %v, want a message at 1.21s: as slow as it became, by the clock that it had", got)
	}
	if p := s.Profile(0); p.Processing != 200*ms || p.ClockOffset != 3*time.Second || p.ClockDrift != 1000 {
		t.Errorf("the profile is %+v", p)
	}
}
