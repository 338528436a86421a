package swim_test

import (
	"testing"
	"time"

	"peernet/experiments/protocols/swim"
)

// A member that nobody answers probes every nine periods in the end.
func TestHealthStretchesThePeriod(t *testing.T) {
	g := start(t, swim.Config{Clock: swim.Phased, Health: 8, Keep: true}, 4, 3)
	g.run(60)
	m := &g.members[0]
	if m.Health != 8 {
		t.Fatalf("health %d, want 8", m.Health)
	}
	at := m.Probes[0].At
	g.run(69)
	if gap := m.Probes[0].At.Sub(at); gap != 9*period || len(m.Probes) != 1 {
		t.Errorf("%v between probes, %d under way, want 9 periods, and one", gap, len(m.Probes))
	}
}

func TestHealthRecovers(t *testing.T) {
	g := start(t, swim.Config{Clock: swim.Phased, Health: 8, Keep: true}, 4, 1)
	for i := range 3 {
		g.members[i].Health = 8
	}
	g.run(20)
	low := 8
	for i := range 3 {
		low = min(low, g.members[i].Health)
	}
	if low >= 8 {
		t.Error("no member felt better after acks")
	}
}

func TestRefutingIsUnhealthy(t *testing.T) {
	g := start(t, swim.Config{Clock: swim.Phased, Health: 8, Alpha: 5}, 4, 0)
	g.tell(2, 1, swim.Update{State: swim.Suspected, Member: 2, Accuser: 1})
	g.Run(t.Context(), time.Microsecond)
	if got := g.members[2].Health; got != 1 {
		t.Errorf("health %d after a suspicion of itself, want 1", got)
	}
}

// A member whose helpers answer nack is better off than one that hears nothing at all.
func TestNacksSpareTheHealth(t *testing.T) {
	for _, c := range []struct{ dead, want int }{{1, 1}, {3, 2}} {
		g := start(t, swim.Config{Nack: true, Health: 8, K: 2}, 4, c.dead)
		for m := &g.members[0]; len(m.Detections) == 0 && m.Periods < 50; {
			g.run(int(m.Periods) + 1)
		}
		if got := g.members[0].Health; got != c.want {
			t.Errorf("health %d with %d dead, want %d", got, c.dead, c.want)
		}
	}
}

// Without dissemination only the ping itself can tell a member of a suspicion.
func TestBuddyTellsTheSuspected(t *testing.T) {
	for _, buddy := range []bool{false, true} {
		g := start(t, swim.Config{Alpha: 50, Buddy: buddy}, 3, 0)
		g.tell(0, 1, swim.Update{State: swim.Suspected, Member: 2, Accuser: 1})
		g.run(20)
		if got := g.members[2].Incarnation > 0; got != buddy {
			t.Errorf("buddy %v: refuted %v", buddy, got)
		}
	}
}
