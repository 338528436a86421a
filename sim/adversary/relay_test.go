package adversary_test

import (
	"net/netip"
	"testing"
	"time"

	"peernet/actors"
	"peernet/actors/peer"
	"peernet/actors/wire"
	"peernet/sim"
	"peernet/sim/adversary"
)

// crowd is a field in which two of three nodes are machines of a role, once they
// have found each other.
func crowd(t *testing.T, c adversary.Config) *field {
	f := newField(t, setting{seed: 11, honest: 20, hostile: machines(40, c)})
	f.run(20 * time.Second)
	f.wantSound(true)
	return f
}

// prompt is a machine that passes messages on as an honest node does.
var prompt = adversary.Config{Role: adversary.Delayer, Delay: time.Millisecond, Memory: 1024}

func TestDroppersLowerCoverage(t *testing.T) {
	before, _ := crowd(t, prompt).coverage(30)
	f := crowd(t, adversary.Config{Role: adversary.Dropper})
	after, _ := f.coverage(30)
	if before < 900 || after > before*3/4 {
		t.Errorf("announces reach %d of 1000 honest nodes with droppers, and %d with as many that pass them on", after, before)
	}
	if f.by(adversary.EventDropped).times < 500 {
		t.Errorf("%d messages were dropped", f.by(adversary.EventDropped).times)
	}
	f.wantSound(true)
}

func TestDelayersRaiseLatency(t *testing.T) {
	slow := prompt
	slow.Delay = 2 * time.Second
	_, before := crowd(t, prompt).coverage(30)
	f := crowd(t, slow)
	reached, after := f.coverage(30)
	if reached < 900 || after < before+slow.Delay/2 {
		t.Errorf("announces take %v with delayers, %v without, and reach %d of 1000", after, before, reached)
	}
	if f.by(adversary.EventDropped).times > 0 {
		t.Errorf("%d messages were dropped", f.by(adversary.EventDropped).times)
	}
	slow.Memory = 1
	full := crowd(t, slow)
	full.coverage(30)
	if full.by(adversary.EventDropped).times == 0 {
		t.Error("a delayer keeps more than its memory holds")
	}
}

// line makes the static network honest 0 ── machine ── honest 1 ── honest 2, and
// notes when the requests of node 0 arrive, and at it the responses.
func line(t *testing.T, c adversary.Config) (f *field, requests []time.Duration, responses *[]string) {
	f = newField(t, setting{seed: 17, honest: 3, hostile: []adversary.Config{c}, change: func(c *peer.Config) { c.Static = true }})
	f.sim.At(2*time.Second, func() {
		for _, l := range [][2]sim.NodeID{{0, 3}, {3, 1}, {1, 2}} {
			a, b := f.sim.Link(l[0], l[1])
			f.sim.Send(l[0], &peer.Attach{Link: a, Outbound: true})
			f.sim.Send(l[1], &peer.Attach{Link: b})
		}
		for _, id := range []sim.NodeID{1, 2} {
			f.sim.Spawn(id, "responder", &responder{})
		}
	})
	f.run(3 * time.Second)
	requests, responses = make([]time.Duration, 3), &[]string{}
	f.hear = func(n sim.NodeID, at time.Duration, e actors.Event) {
		switch {
		case e.Kind == peer.EventRequest && !f.isHostile(n) && e.Message.(*wire.Frame).Body.Type == "search":
			requests[n] = at - 3*time.Second
		case e.Kind == peer.EventResponse:
			*responses = append(*responses, e.Message.(*wire.Frame).Body.Data)
		}
	}
	return f, requests, responses
}

// A responder answers all requests that its node hears of.
type responder struct{ root actors.Ref }

func (r *responder) Receive(ctx actors.Context, m actors.Message) {
	switch m := m.(type) {
	case *actors.Started:
		r.root = ctx.Sender()
		ctx.Send(r.root, &peer.Subscribe{Call: peer.Call{ReplyTo: ctx.Self()}, Topics: peer.TopicRequest})
	case *peer.Received:
		ctx.Send(r.root, &peer.Respond{Request: m.Frame.Body.ID, Type: "answer", Data: "here"})
	}
}

// On the only way between two nodes it shows what becomes of requests and
// responses. Two links take up to 100 ms, and back as long.
func TestWhatComesThrough(t *testing.T) {
	const late, searches = 3 * time.Second, 5
	for _, c := range []struct {
		role      adversary.Role
		limit     uint32
		near, far bool // nodes 1 and 2 hear of it
		delay     time.Duration
		genuine   int  // responses to each search that arrive
		forged    bool // made-up ones arrive
	}{
		{adversary.Dropper, 0, false, false, 0, 0, false},
		{adversary.Delayer, 0, true, true, late, 2, false},
		{adversary.Delayer, 1, true, false, late, 1, false},
		{adversary.Replayer, 0, true, true, 0, 2, false},
		{adversary.Forger, 0, true, true, 0, 0, true},
		{adversary.Forger, 1, true, true, 0, 0, true}, // the limit does not hold
		{adversary.Flooder, 0, false, false, 0, 0, false},
	} {
		// The link that the machine is given is all that it wants.
		f, requests, responses := line(t, adversary.Config{Role: c.role, Delay: late, Rate: 1, Connections: 1})
		for range searches {
			f.announce(0, "search", c.limit)
		}
		f.run(20 * time.Second)
		if near, far := requests[1] > 0, requests[2] > 0; near != c.near || far != c.far {
			t.Errorf("%s, limit %d: heard of behind it %v, further on %v", c.role, c.limit, near, far)
		}
		if c.near && (requests[1] < c.delay || requests[1] > c.delay+100*time.Millisecond) {
			t.Errorf("%s: takes %v, want a delay of %v", c.role, requests[1], c.delay)
		}
		genuine, forged := 0, 0
		for _, data := range *responses {
			if data == adversary.ForgedData {
				forged++
			} else {
				genuine++
			}
		}
		// Of the three for each search, half have come too far.
		if genuine != c.genuine*searches || forged > 3*searches*3/4 || forged > 0 != c.forged {
			t.Errorf("%s, limit %d: %d responses and %d forged ones arrive", c.role, c.limit, genuine, forged)
		}
	}
}

// What has come as far as it may ends at a machine that relays, too.
func TestDelayerHeedsTheLimit(t *testing.T) {
	for _, c := range []struct {
		limit uint32
		times int64
	}{{1, 0}, {2, 1}} {
		f, _, _ := line(t, adversary.Config{Role: adversary.Delayer, Connections: 1})
		f.announce(2, "news", c.limit)
		f.run(10 * time.Second)
		if got := f.by(adversary.EventDelayed).sum; got != c.times {
			t.Errorf("limit %d: passed on %d times, want %d", c.limit, got, c.times)
		}
	}
}

// On a quiet network each replay is one message that comes to an honest node, and
// is known there.
func TestReplaysArrive(t *testing.T) {
	const rate = 4
	f, _, _ := line(t, adversary.Config{Role: adversary.Replayer, Rate: rate, Connections: 1})
	f.announce(0, "news", 0)
	f.run(10 * time.Second)
	before := f.at(peer.EventDuplicate).times + f.at(peer.EventNoRoute).times
	f.run(20 * time.Second)
	wantRate(t, "replays that arrive", f.at(peer.EventDuplicate).times+f.at(peer.EventNoRoute).times-before, 1, rate, 10)
}

func TestReplayerSendsAgain(t *testing.T) {
	const replayers, rate, life = 3, 8, 4 * time.Second
	f := newField(t, setting{
		seed: 13, honest: 30, hostile: machines(replayers, adversary.Config{Role: adversary.Replayer, Rate: rate}),
		change: func(c *peer.Config) { c.RouteLife = life },
	})
	type visit struct {
		node sim.NodeID
		id   string
	}
	last, early, again := map[visit]time.Duration{}, 0, 0
	f.hear = func(n sim.NodeID, at time.Duration, e actors.Event) {
		if e.Kind != peer.EventRequest || f.isHostile(n) {
			return
		}
		v := visit{n, e.Message.(*wire.Frame).Body.ID}
		if before, ok := last[v]; ok {
			again++
			if at-before < life {
				early++
			}
		}
		last[v] = at
	}
	f.run(6 * time.Second)
	for i := range 10 {
		f.announce(i, "search", 0)
		f.run(time.Duration(7+i) * time.Second)
	}
	before := f.by(adversary.EventReplayed)
	f.run(36 * time.Second)
	done := f.by(adversary.EventReplayed)
	wantRate(t, "replays", done.times-before.times, replayers, rate, 20)
	if others, all := done.sum, done.times; 3*others < all || 3*others > 2*all {
		t.Errorf("%d of %d replays go to others than who brought the message", others, all)
	}
	if early > 0 {
		t.Errorf("a request was taken for new %d times within RouteLife", early)
	}
	// Nothing in a message says how old it is.
	if again < 100 {
		t.Errorf("%d times a request was taken for new again, later", again)
	}
	f.wantSound(true)
}

func TestForgerMakesUpResponses(t *testing.T) {
	const forgers, rate = 3, 5
	f := newField(t, setting{seed: 14, honest: 30, hostile: machines(forgers, adversary.Config{Role: adversary.Forger, Rate: rate})})
	f.run(10 * time.Second)
	before := f.by(adversary.EventMisdirected).times
	f.run(20 * time.Second)
	wantRate(t, "responses to nothing", f.by(adversary.EventMisdirected).times-before, forgers, rate, 10)
	heard, made, own := map[string]int{}, 0, 0
	f.hear = func(n sim.NodeID, _ time.Duration, e actors.Event) {
		switch e.Kind {
		case adversary.EventForged:
			heard[e.Message.(*wire.Frame).Body.ID]++
		case peer.EventResponse:
			if e.Message.(*wire.Frame).Body.Data == adversary.ForgedData {
				made++
			} else {
				own++
			}
		}
	}
	const searches = 20
	for i := range searches {
		f.announce(i, "search", 0)
	}
	f.run(30 * time.Second)
	if len(heard) < searches-2 {
		t.Errorf("forgers heard of %d of %d searches", len(heard), searches)
	}
	for id, n := range heard {
		if n > forgers {
			t.Errorf("%d forgers answered %x %d times", forgers, id, n)
		}
	}
	if own > 0 || made < searches || made > searches*forgers*3 {
		t.Errorf("%d searches got %d forged responses, and %d that nobody sent", searches, made, own)
	}
	if f.at(peer.EventNoRoute).times < 100 || f.at(peer.EventHopsExceeded).times < 100 {
		t.Errorf("honest nodes dropped %d responses to nothing, %d that have come too far",
			f.at(peer.EventNoRoute).times, f.at(peer.EventHopsExceeded).times)
	}
	f.wantSound(true)
}

func TestOversenderIsHeldToTheRate(t *testing.T) {
	const rate, most, turn = 1000, 100, 5
	for _, raw := range []bool{false, true} {
		f := newField(t, setting{
			seed: 15, honest: 15, hostile: machines(1, adversary.Config{Role: adversary.Oversender, Rate: rate, Bytes: raw}),
			change: func(c *peer.Config) { c.RateMax = most },
		})
		taken := 0
		f.hear = func(n sim.NodeID, _ time.Duration, e actors.Event) {
			if e.Kind == peer.EventRequest && e.Message.(*wire.Frame).Body.Type == adversary.TypeFlood && e.Message.(*wire.Frame).Hops == 0 {
				taken++
			}
		}
		f.run(5 * time.Second)
		before := f.by(adversary.EventOversent).sum
		f.run(25 * time.Second)
		wantRate(t, "messages", f.by(adversary.EventOversent).sum-before, 1, rate, 20)
		turns := 25/turn + 1
		if taken > turns*most*(turn+2) || taken < 500 {
			t.Errorf("%d announces were taken in %d turns of %d s, at a rate of %d", taken, turns, turn, most)
		}
		if got := f.at(peer.EventThrottled).times; got < 12000 {
			t.Errorf("%d messages were throttled", got)
		}
		if bad, ends := f.at(peer.EventInvalid).times, f.at(peer.EventMalformed).times; raw != (bad > 0) || raw != (ends >= 3) {
			t.Errorf("bytes %v: %d invalid messages, %d links that were malformed", raw, bad, ends)
		}
		f.wantSound(true)
	}
}

// A machine that nobody can dial, and that knows nobody, does nothing and harms
// nobody; and what it makes up is where it should be.
func TestMachineAlone(t *testing.T) {
	for _, r := range adversary.Roles() {
		c := anyRole(r, 0, 1)
		c.Victim = sim.AddressOf(99)
		c.Nobody = netip.Prefix{}
		c.Known = addresses(50, 1)
		f := newField(t, setting{seed: 16, hostile: []adversary.Config{c}})
		f.run(30 * time.Second)
		if got := f.by(adversary.EventMet).times; got != 0 {
			t.Errorf("%s met %d", r, got)
		}
		if open := f.by(adversary.EventDialled).times - f.by(adversary.EventLost).times; open < 0 || open > 1 {
			t.Errorf("%s has %d dials", r, open)
		}
	}
}
