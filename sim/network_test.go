package sim_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"peernet/actors"
	"peernet/sim"
	"peernet/sim/dist"
)

const ms = time.Millisecond

// A parcel is a message of a length that is chosen.
type parcel struct {
	number uint64
	size   int
}

var parcelKind = actors.RegisterMessage("test.parcel", nil)

func (*parcel) Kind() actors.Kind        { return parcelKind }
func (p *parcel) Append(b []byte) []byte { return binary.AppendUvarint(b, p.number) }
func (p *parcel) Size() int              { return p.size }

// order asks a post to send parcels on its only link.
type order struct{ parcels []*parcel }

var orderKind = actors.RegisterMessage("test.order", nil)

func (*order) Kind() actors.Kind        { return orderKind }
func (*order) Append(b []byte) []byte   { return b }
func dial(to sim.NodeID) *callTo        { return &callTo{sim.AddressOf(to)} }
func (*callTo) Kind() actors.Kind       { return callToKind }
func (c *callTo) Append([]byte) []byte  { return []byte(c.to.String()) }
func parcels(n, size int) (p []*parcel) { return append(p, series(0, n, size)...) }

// callTo asks a post to dial.
type callTo struct{ to actors.Address }

var callToKind = actors.RegisterMessage("test.call", nil)

func series(from, n, size int) (p []*parcel) {
	for i := range n {
		p = append(p, &parcel{uint64(from + i), size})
	}
	return p
}

// mail asks a post to send parcels as datagrams.
type mail struct {
	to      sim.NodeID
	parcels []*parcel
}

var mailKind = actors.RegisterMessage("test.mail", nil)

func (*mail) Kind() actors.Kind      { return mailKind }
func (*mail) Append(b []byte) []byte { return b }

// A post is a root that dials and sends when it is told to, and writes down what
// comes, with the time of the simulation.
type post struct {
	links  []actors.Link
	ups    int
	ins    int
	downs  []actors.Reason
	downAt []actors.Time
	got    []arrived
	errs   []error
	clock  []actors.Time
}

type arrived struct {
	number uint64
	at     actors.Time
}

func (p *post) Receive(ctx actors.Context, m actors.Message) {
	switch m := m.(type) {
	case *callTo:
		ctx.Dial(m.to)
	case *order:
		for _, x := range m.parcels {
			p.errs = append(p.errs, p.links[len(p.links)-1].Send(x))
		}
	case *mail:
		for _, x := range m.parcels {
			ctx.(actors.Datagrams).SendTo(sim.AddressOf(m.to), x)
		}
	case *actors.LinkUp:
		p.ups++
		p.take(ctx, m.Link)
	case *actors.LinkIn:
		p.ins++
		p.take(ctx, m.Link)
	case *actors.LinkDown:
		p.downs = append(p.downs, m.Reason)
		p.downAt = append(p.downAt, ctx.Now())
	case *parcel:
		p.got = append(p.got, arrived{m.number, ctx.Now()})
	case *actors.Datagram:
		p.got = append(p.got, arrived{m.Payload.(*parcel).number, ctx.Now()})
	case *rumor:
		p.clock = append(p.clock, ctx.Now())
		ctx.After(100*ms, m)
	}
}

func (p *post) take(ctx actors.Context, l actors.Link) {
	l.Bind(ctx.Self())
	p.links = append(p.links, l)
}

// office makes a simulation with so many posts, all linked to the first.
func office(t *testing.T, c sim.Config, nodes int, place func(*sim.Simulation)) (*sim.Simulation, []*post) {
	t.Helper()
	if c.Latency == (sim.Latency{}) {
		c.Latency.Link = dist.Constant(10 * ms)
	}
	c.Seed = 1
	s, err := sim.New(c)
	if err != nil {
		t.Fatal(err)
	}
	s.Add(nodes)
	if place != nil {
		place(s)
	}
	posts := make([]*post, nodes)
	for i := range posts {
		posts[i] = &post{}
		s.Start(sim.NodeID(i), posts[i])
	}
	for i := 1; i < nodes; i++ {
		s.Send(sim.NodeID(i), dial(0))
	}
	runTo(t, s, time.Second)
	return s, posts
}

func runTo(t *testing.T, s *sim.Simulation, until time.Duration) {
	t.Helper()
	if err := s.Run(context.Background(), until); err != nil {
		t.Fatal(err)
	}
}

func profile(t *testing.T, s *sim.Simulation, id sim.NodeID, p sim.Profile) {
	t.Helper()
	if err := s.SetProfile(id, p); err != nil {
		t.Fatal(err)
	}
}

// What is sent at a time arrives after the delay from region to region, which
// depends on the direction, and takes longer while conditions are bad.
func TestDelayIsThatBetweenRegions(t *testing.T) {
	w := &sim.Network{Delay: [][]time.Duration{{1 * ms, 20 * ms, 5 * ms}, {70 * ms, 2 * ms, 6 * ms}, {7 * ms, 8 * ms, 3 * ms}}}
	s, posts := office(t, sim.Config{Network: w, Latency: sim.Latency{Link: dist.Constant(ms)}}, 3, func(s *sim.Simulation) {
		s.Place(1, 1)
		s.Place(2, 2)
	})
	send := func(from sim.NodeID) { s.Send(from, &order{parcels(1, 10)}) }
	send(1)
	send(2)
	runTo(t, s, 2*time.Second)
	s.SetConditions(1, 0, sim.Conditions{Delay: 100 * ms})
	send(1)
	runTo(t, s, 3*time.Second)
	s.SetConditions(1, 0, sim.Conditions{})
	send(1)
	runTo(t, s, 4*time.Second)
	want := []actors.Time{at(time.Second + 8*ms), at(time.Second + 71*ms), at(2*time.Second + 171*ms), at(3*time.Second + 71*ms)}
	for i, g := range posts[0].got {
		if g.at != want[i] {
			t.Errorf("arrival %d is at %v, want %v", i, g.at, want[i])
		}
	}
	s.Send(0, &order{parcels(1, 10)}) // the last link of the first is to node 1 or 2: both directions differ
	runTo(t, s, 5*time.Second)
	for id, there := range map[sim.NodeID]time.Duration{1: 21 * ms, 2: 6 * ms} {
		for _, g := range posts[id].got {
			if g.at != at(4*time.Second+there) {
				t.Errorf("to node %d the message takes until %v, want %v", id, g.at, 4*time.Second+there)
			}
		}
	}
	if len(posts[0].got) != 4 || len(posts[1].got)+len(posts[2].got) != 1 {
		t.Error("messages are missing")
	}
}

func at(d time.Duration) actors.Time { return actors.Time(d) }

// ks is the Kolmogorov-Smirnov distance of a sample from a distribution, times the
// root of its size: 1.63 is exceeded by one in a hundred.
func ks(sample []float64, cdf func(float64) float64) float64 {
	slices.Sort(sample)
	n, d := float64(len(sample)), 0.0
	for i, v := range sample {
		f := cdf(v)
		d = max(d, f-float64(i)/n, float64(i+1)/n-f)
	}
	return d * math.Sqrt(n)
}

// Jitter is drawn for each message, by the region of the sender.
func TestJitterFollowsItsDistribution(t *testing.T) {
	const n = 4000
	w := &sim.Network{Delay: [][]time.Duration{{0, 0}, {0, 0}}, Jitter: []dist.Distribution{nil, dist.Uniform{Low: 0, High: 50 * ms}}}
	s, posts := office(t, sim.Config{Network: w}, 2, func(s *sim.Simulation) { s.Place(1, 1) })
	for i := range n { // far enough apart not to wait for each other
		s.SendAt(1, time.Second+time.Duration(i)*100*ms, &order{series(i, 1, 10)})
	}
	runTo(t, s, 500*time.Second)
	var sample []float64
	for _, g := range posts[0].got {
		sent := at(time.Second + time.Duration(g.number)*100*ms)
		sample = append(sample, float64(g.at-sent-at(10*ms)))
	}
	if d := ks(sample, func(v float64) float64 { return v / float64(50*ms) }); len(sample) != n || d > 1.63 {
		t.Errorf("%d messages, Kolmogorov-Smirnov distance %.2f", len(sample), d)
	}
}

// A burst leaves through the access link of its sender, and enters through that of
// its receiver, one message after the other: the closed form of two queues in a row.
func TestBandwidthQueuesAsTheClosedForm(t *testing.T) {
	const count, size = 20, 1000
	for _, test := range []struct{ up, down int64 }{{1e6, 0}, {0, 1e6}, {1e6, 4e6}, {4e6, 1e6}, {0, 0}} {
		s, posts := office(t, sim.Config{}, 2, func(s *sim.Simulation) {
			profile(t, s, 1, sim.Profile{Up: test.up})
			profile(t, s, 0, sim.Profile{Down: test.down})
		})
		s.Send(1, &order{parcels(count, size)})
		runTo(t, s, 10*time.Second)
		take := func(bits int64) time.Duration {
			if bits == 0 {
				return 0
			}
			return time.Duration(size * 8 * int64(time.Second) / bits)
		}
		up, down := take(test.up), take(test.down)
		if len(posts[0].got) != count {
			t.Fatalf("%+v: %d of %d arrive", test, len(posts[0].got), count)
		}
		for i, g := range posts[0].got {
			k := time.Duration(i)
			// The slower of the two is what messages queue at.
			want := at(time.Second + 10*ms + up + down + k*max(up, down))
			if g.number != uint64(i) || g.at != want {
				t.Errorf("%+v: message %d arrives at %v, want %v", test, g.number, g.at, want)
			}
		}
	}
}

// Processing time holds up what comes behind, from whatever link.
func TestProcessingIsASingleServer(t *testing.T) {
	s, posts := office(t, sim.Config{}, 3, func(s *sim.Simulation) { profile(t, s, 0, sim.Profile{Processing: 30 * ms}) })
	s.Send(1, &order{series(0, 3, 10)})
	s.Send(2, &order{series(3, 3, 10)})
	runTo(t, s, 3*time.Second)
	for i, g := range posts[0].got {
		if want := at(time.Second + 10*ms + time.Duration(i+1)*30*ms); g.at != want {
			t.Errorf("message %d is handled at %v, want %v", g.number, g.at, want)
		}
	}
	if len(posts[0].got) != 6 {
		t.Errorf("%d of 6 are handled", len(posts[0].got))
	}
}

// A lost transmission is repeated after the time-out, then twice that, and what is
// behind waits: delays are as the geometric distribution says, and the order stays.
// The loss of the conditions adds to that of the network.
func TestLossIsRetransmission(t *testing.T) {
	const n, always, now = 4000, 0.2, 0.1
	const loss = always + now
	w := &sim.Network{Loss: always * 1e6, Retransmit: 100 * ms, Attempts: 20}
	s, posts := office(t, sim.Config{Network: w}, 2, nil)
	s.SetConditions(0, 0, sim.Conditions{Loss: now * 1e6})
	apart := 20 * time.Second
	start := s.Now()
	for i := range n {
		s.SendAt(1, start+time.Duration(i)*apart, &order{series(i, 1, 10)})
	}
	runTo(t, s, start+n*apart+time.Hour)
	counts := map[time.Duration]int{}
	for i, g := range posts[0].got {
		if g.number != uint64(i) {
			t.Fatal("messages overtake each other")
		}
		counts[time.Duration(g.at)-10*ms-start-time.Duration(i)*apart]++
	}
	// Few wait behind another that was lost seven times.
	for k, p := 0, 1-loss; k < 5; k, p = k+1, p*loss {
		late := 100 * ms * time.Duration(1<<k-1)
		binomial(t, fmt.Sprintf("%d losses in a row", k), counts[late], n, p)
	}
}

// binomial complains if of n cases, of which each is one with probability p, got are:
// which does not happen once in ten thousand times.
func binomial(t *testing.T, what string, got, n int, p float64) {
	t.Helper()
	mean := float64(n) * p
	if sd := math.Sqrt(mean * (1 - p)); math.Abs(float64(got)-mean) > 4*sd {
		t.Errorf("%s: %d times of %d, want %.0f ± %.0f", what, got, n, mean, sd)
	}
}

// A datagram is transmitted once: it is lost as often as the network and the conditions
// together say, and counted.
func TestLossTakesDatagrams(t *testing.T) {
	const n = 4000
	for _, loss := range []struct{ always, now float64 }{{0.3, 0}, {0, 0.3}, {0.2, 0.3}, {0.6, 0.6}} {
		s, posts := office(t, sim.Config{Network: &sim.Network{Loss: int(loss.always * 1e6)}}, 2, nil)
		s.SetConditions(0, 0, sim.Conditions{Loss: int(loss.now * 1e6)})
		before := s.Totals().Lost
		s.Send(1, &mail{0, parcels(n, 10)})
		runTo(t, s, 2*time.Second)
		lost := n - len(posts[0].got)
		binomial(t, fmt.Sprintf("loss of %+v", loss), lost, n, min(loss.always+loss.now, 1))
		if counted := s.Totals().Lost - before; counted != uint64(lost) {
			t.Errorf("loss of %+v: %d datagrams are lost, %d counted", loss, lost, counted)
		}
	}
}

// A dial that is lost ends by time-out, and so does one whose answer is.
func TestLossTakesDialsAndAnswers(t *testing.T) {
	const n, loss = 2000, 0.5
	s, posts := office(t, sim.Config{Network: &sim.Network{Loss: loss * 1e6, Attempts: 1}}, n+1, nil)
	runTo(t, s, 6*time.Second)
	ups, timeouts := 0, 0
	for _, p := range posts[1:] {
		ups += p.ups
		for i, why := range p.downs {
			if why == actors.ReasonTimeout && p.downAt[i] >= at(5*time.Second) {
				timeouts++
			}
		}
	}
	binomial(t, "a dial arrives", posts[0].ins, n, 1-loss)
	binomial(t, "and its answer too", ups, n, (1-loss)*(1-loss))
	if ups+timeouts != n {
		t.Errorf("of %d dials %d are answered and %d end by time-out", n, ups, timeouts)
	}
}

// A message that is lost too often breaks the link: its sender learns it when it has
// tried for the last time, the other end does not.
func TestLossInTheEndBreaksTheLink(t *testing.T) {
	w := &sim.Network{Retransmit: 100 * ms, Attempts: 3}
	s, posts := office(t, sim.Config{Network: w}, 2, nil)
	s.SetConditions(0, 0, sim.Conditions{Loss: 1e6})
	s.Send(1, &order{parcels(2, 10)})
	runTo(t, s, time.Minute)
	p := posts[1]
	if len(p.downs) != 1 || p.downs[0] != actors.ReasonReset || p.downAt[0] != at(time.Second+700*ms) {
		t.Errorf("the sender's end goes down %v at %v, want a reset at 1.7s", p.downs, p.downAt)
	}
	if len(posts[0].downs) != 0 || len(posts[0].got) != 0 {
		t.Errorf("the other end hears %v and %v", posts[0].downs, posts[0].got)
	}
}

// Links last as LinkLife says; then both ends are reset.
func TestLinksLastAsConfigured(t *testing.T) {
	const n = 2000
	w := &sim.Network{LinkLife: dist.Uniform{Low: 0, High: 100 * time.Second}}
	s, posts := office(t, sim.Config{Network: w}, n+1, nil)
	runTo(t, s, 102*time.Second)
	var sample []float64
	for _, when := range posts[0].downAt {
		sample = append(sample, float64(when-at(10*ms)))
	}
	if d := ks(sample, func(v float64) float64 { return v / float64(100*time.Second) }); len(sample) != n || d > 1.63 {
		t.Errorf("%d links end, Kolmogorov-Smirnov distance %.2f", len(sample), d)
	}
	for i, p := range posts[1:] {
		if len(p.downs) != 1 || p.downs[0] != actors.ReasonReset {
			t.Fatalf("the dialling end of link %d hears %v", i, p.downs)
		}
	}
}

// While a direction stalls nothing arrives, then all of it, in order.
func TestStallHoldsBack(t *testing.T) {
	w := &sim.Network{StallEvery: dist.Constant(2 * time.Second), StallFor: dist.Constant(700 * ms)}
	s, posts := office(t, sim.Config{Network: w}, 2, nil)
	for i := range 40 {
		s.SendAt(1, time.Duration(i+10)*100*ms, &order{series(i, 1, 10)})
	}
	runTo(t, s, 10*time.Second)
	if len(posts[0].got) != 40 {
		t.Fatalf("%d of 40 arrive", len(posts[0].got))
	}
	for i, g := range posts[0].got {
		sent := time.Duration(i+10) * 100 * ms
		// The dialling end is open from 20 ms on: it stalls at 2.02 s and at 4.02 s.
		want := sent + 10*ms
		for _, stall := range []time.Duration{2020 * ms, 4020 * ms} {
			if sent >= stall {
				want = max(want, stall+700*ms)
			}
		}
		if g.number != uint64(i) || g.at != at(want) {
			t.Errorf("message %d arrives at %v, want %v", g.number, g.at, want)
		}
	}
}

// The world stalls the links of a node both ways, until the time that it says, and no
// others.
func TestStallLinks(t *testing.T) {
	s, posts := office(t, sim.Config{}, 3, nil) // links 1–0 and 2–0
	s.At(2*time.Second, func() { s.StallLinks(2, 5*time.Second) })
	for id := range sim.NodeID(3) {
		for i, when := range []time.Duration{1995 * ms, 3 * time.Second, 6 * time.Second} {
			s.SendAt(id, when, &order{series(10*int(id)+i, 1, 10)})
		}
	}
	runTo(t, s, 10*time.Second)
	under, after := at(2005*ms), at(6010*ms) // way when the stall begins; when it is over
	for id, want := range [][]arrived{
		{{10, under}, {20, under}, {11, at(3010 * ms)}, {21, at(5 * time.Second)}, {12, after}, {22, after}},
		nil,
		{{0, under}, {1, at(5 * time.Second)}, {2, after}},
	} {
		if got := posts[id].got; !slices.Equal(got, want) {
			t.Errorf("node %d gets %v, want %v", id, got, want)
		}
	}
}

// The world resets the links between two nodes: both ends hear it at once, what was
// under way is lost, and other links of the two live on.
func TestResetLinks(t *testing.T) {
	s, posts := office(t, sim.Config{}, 3, nil)
	s.Send(1, dial(2)) // now all three are linked with each other
	s.At(2*time.Second, func() {
		s.Send(0, &order{parcels(1, 10)}) // over its last link, to 2
		s.ResetLinks(0, 2)
	})
	s.SendAt(1, 3*time.Second, &order{series(1, 1, 10)}) // to 2
	s.SendAt(2, 3*time.Second, &order{series(2, 1, 10)}) // to 1
	runTo(t, s, 4*time.Second)
	reset := []actors.Time{at(2 * time.Second)}
	for id, want := range []struct {
		downAt []actors.Time
		got    []arrived
	}{
		{reset, nil},
		{nil, []arrived{{2, at(3010 * ms)}}},
		{reset, []arrived{{1, at(3010 * ms)}}},
	} {
		p := posts[id]
		if !slices.Equal(p.downAt, want.downAt) || slices.Contains(p.downs, actors.ReasonClosed) {
			t.Errorf("node %d hears of %v at %v, want resets at %v", id, p.downs, p.downAt, want.downAt)
		}
		if !slices.Equal(p.got, want.got) {
			t.Errorf("node %d gets %v, want %v", id, p.got, want.got)
		}
	}
}

// A dial that arrives twice is accepted twice, and dialled once.
func TestDialsArriveTwice(t *testing.T) {
	s, posts := office(t, sim.Config{Network: &sim.Network{DialTwice: 1e6}}, 2, nil)
	runTo(t, s, 2*time.Second)
	if posts[0].ins != 2 || posts[1].ups != 1 || len(posts[0].downs) != 1 || len(posts[1].downs) != 0 {
		t.Errorf("%d links accepted, of which %d are closed; %d dialled, of which %d are closed",
			posts[0].ins, len(posts[0].downs), posts[1].ups, len(posts[1].downs))
	}
}

// A node's clock runs as its profile says, and its timers by its clock.
func TestClocksDrift(t *testing.T) {
	for _, ppm := range []int{-100_000, -37, 0, 1, 333, 100_000} {
		s, posts := office(t, sim.Config{}, 1, func(s *sim.Simulation) {
			profile(t, s, 0, sim.Profile{ClockOffset: 3 * time.Second, ClockDrift: ppm})
		})
		s.Send(0, &rumor{})
		runTo(t, s, 101*time.Second)
		clock := posts[0].clock
		for i := 1; i < len(clock); i++ {
			if d := clock[i] - clock[i-1]; d < at(100*ms) || d > at(100*ms)+1 {
				t.Fatalf("%d ppm: the timer of 100ms fires after %v by the node's clock", ppm, d)
			}
		}
		first := at(4*time.Second) + actors.Time(ppm)*actors.Second/1e6
		if want := 1000 * (1e6 + ppm) / 1e6; clock[0] != first || len(clock)-1 < want-1 || len(clock)-1 > want+1 {
			t.Errorf("%d ppm: the clock shows %v at 1s, want %v; the timer fires %d times in 100s, want %d", ppm, clock[0], first, len(clock)-1, want)
		}
	}
}

// Reorder mixes what comes over different links, another way for each seed, and
// nothing on one link.
func TestReorderMixesLinks(t *testing.T) {
	orders := map[string]bool{}
	for seed := range uint64(5) {
		w := &sim.Network{Reorder: 5 * ms, ReorderSeed: seed}
		s, posts := office(t, sim.Config{Network: w}, 6, nil)
		for i := range 5 {
			s.Send(sim.NodeID(i+1), &order{series(10*i, 3, 10)})
		}
		runTo(t, s, 2*time.Second)
		text, last := "", map[uint64]uint64{}
		for _, g := range posts[0].got {
			text += fmt.Sprintf(" %d", g.number)
			if link := g.number / 10; g.number < last[link] {
				t.Errorf("seed %d: messages of a link overtake each other", seed)
			} else {
				last[link] = g.number
			}
		}
		orders[text] = true
	}
	if len(orders) < 5 {
		t.Errorf("%d orders from 5 seeds", len(orders))
	}
}

// A partition cuts the links between its groups, both ways, and no other.
func TestPartitionCutsExactlyTheLinksNamed(t *testing.T) {
	const n = 8
	s, posts := office(t, sim.Config{}, n, nil)
	groups := []uint8{0, 0, 1, 1, 0, 2, 0, 1}
	s.Partition(groups)
	for i := 1; i < n; i++ {
		s.Send(sim.NodeID(i), &order{series(i, 1, 10)})
	}
	runTo(t, s, 2*time.Second)
	var got []uint64
	for _, g := range posts[0].got {
		got = append(got, g.number)
	}
	if want := []uint64{1, 4, 6}; !slices.Equal(got, want) {
		t.Errorf("messages of %v arrive, want %v", got, want)
	}
	for id := range posts {
		s.Send(sim.NodeID(id), dial(sim.NodeID((id+1)%n)))
	}
	runTo(t, s, 20*time.Second)
	for id, p := range posts {
		next := (id + 1) % n
		if up := p.ups > min(id, 1); up != (groups[id] == groups[next]) {
			t.Errorf("node %d of group %d dials node %d of group %d: answered %v", id, groups[id], next, groups[next], up)
		}
	}
	s.Partition(nil)
	s.Send(5, dial(6))
	ups := posts[5].ups
	runTo(t, s, 21*time.Second)
	if posts[5].ups != ups+1 {
		t.Error("a healed partition still cuts")
	}
}

// Nodes crash and are told things at the planned times, in whatever order that was
// planned.
func TestPlannedCrashes(t *testing.T) {
	s, posts := office(t, sim.Config{}, 3, nil)
	again := &post{}
	s.StartAt(1, []time.Duration{3 * time.Second}, func(sim.NodeID) actors.Actor { return again })
	s.SendAt(1, 3*time.Second, dial(0)) // after the start
	s.CrashAt(1, 3*time.Second, true)   // before it
	s.CrashAt(2, 3*time.Second, false)
	runTo(t, s, 5*time.Second)
	if again.ups != 1 || s.IsLive(2) || !s.IsLive(1) {
		t.Errorf("node 1 has %d links, lives %v; node 2 lives %v", again.ups, s.IsLive(1), s.IsLive(2))
	}
	if len(posts[0].downs) != 1 || posts[0].downAt[0] != at(3*time.Second+10*ms) {
		t.Errorf("the peer of both hears %v at %v, want the reset of one at 3.01s", posts[0].downs, posts[0].downAt)
	}
}

// What was planned for a node that is not as expected changes nothing: a start of one
// that runs, a crash of one that does not, a message to that, a start that grows nothing.
func TestPlansThatDoNotFitChangeNothing(t *testing.T) {
	for _, reference := range []bool{false, true} {
		s, posts := office(t, sim.Config{Reference: reference}, 3, nil)
		again, asked := &post{}, []sim.NodeID{}
		s.CrashAt(2, 2*time.Second, false)
		s.CrashAt(2, 3*time.Second, false)
		s.SendAt(2, 3*time.Second, &parcel{1, 10})
		s.StartAt(1, []time.Duration{4 * time.Second, 4 * time.Second}, func(id sim.NodeID) actors.Actor {
			asked = append(asked, id)
			return nil
		})
		s.SendAt(1, 5*time.Second, &order{parcels(1, 10)})
		runTo(t, s, 6*time.Second)
		if !slices.Equal(asked, []sim.NodeID{2}) || s.Live() != 2 || s.IsLive(2) {
			t.Errorf("reference %v: roots are asked for of nodes %v, want 2 alone; %d nodes live, want 2", reference, asked, s.Live())
		}
		if len(posts[0].got) != 1 || len(posts[0].downs) != 0 {
			t.Errorf("reference %v: node 1 is not as it was", reference)
		}
		s.StartAt(2, []time.Duration{7 * time.Second}, func(sim.NodeID) actors.Actor { return again })
		runTo(t, s, 8*time.Second)
		if s.Live() != 3 || len(again.got) != 0 {
			t.Errorf("reference %v: %d nodes live, want 3; the last gets %v", reference, s.Live(), again.got)
		}
	}
}

// What the world does at a time comes before what arrives then, whether it was planned
// or is done in At; a time that is past is now.
func TestTheWorldComesFirst(t *testing.T) {
	const noon = 3 * time.Second
	for _, reference := range []bool{false, true} {
		s, posts := office(t, sim.Config{Reference: reference}, 4, nil)
		late := &post{}
		s.SendAt(1, 0, &parcel{1, 10})
		s.At(0, func() { s.Send(1, &parcel{2, 10}) })
		s.CrashAt(2, 2*time.Second, false)
		s.SendAt(0, noon-10*ms, &order{parcels(1, 10)}) // arrives at node 3 at noon
		s.SendAt(1, noon-10*ms, &order{parcels(1, 10)}) // at node 0
		s.SendAt(1, noon-10*ms, dial(2))                // at node 2
		s.CrashAt(3, noon, false)
		s.SendAt(0, noon, &parcel{4, 10})
		s.At(noon, func() { s.Send(0, &parcel{3, 10}) })
		s.StartAt(2, []time.Duration{noon}, func(sim.NodeID) actors.Actor { return late })
		runTo(t, s, 4*time.Second)
		now := at(time.Second)
		if want := []arrived{{2, now}, {1, now}}; !slices.Equal(posts[1].got, want) {
			t.Errorf("reference %v: what was due in the past comes as %v, want %v", reference, posts[1].got, want)
		}
		if want := []arrived{{3, at(noon)}, {4, at(noon)}, {0, at(noon)}}; !slices.Equal(posts[0].got, want) {
			t.Errorf("reference %v: node 0 gets %v, want %v", reference, posts[0].got, want)
		}
		if late.ins != 1 || len(posts[3].got) != 0 {
			t.Errorf("reference %v: who starts at noon gets %d dials that arrive then, want 1; who crashes gets %v", reference, late.ins, posts[3].got)
		}
	}
}

// What makes no sense is refused.
func TestWrongNetworksAreRefused(t *testing.T) {
	for name, w := range map[string]sim.Network{
		"ragged":          {Delay: [][]time.Duration{{1, 2}, {3}}},
		"negative":        {Delay: [][]time.Duration{{-1}}},
		"certain loss":    {Loss: 1e6},
		"negative jitter": {Jitter: []dist.Distribution{dist.Uniform{Low: -1, High: 5}}},
		"attempts":        {Attempts: 50},
		"half a stall":    {StallEvery: dist.Constant(time.Second)},
		"endless stalls":  {StallEvery: dist.Constant(0), StallFor: dist.Constant(0)},
		"reorder":         {Reorder: -1},
		"dials":           {DialTwice: 2e6},
	} {
		if _, err := sim.New(sim.Config{Latency: sim.Latency{Link: dist.Constant(ms)}, Network: &w}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	s, err := sim.New(sim.Config{Latency: sim.Latency{Link: dist.Constant(ms)}})
	if err != nil {
		t.Fatal(err)
	}
	s.Add(1)
	for _, p := range []sim.Profile{{Up: -1}, {Down: 1e15}, {Processing: -1}, {ClockDrift: 1e6}, {ClockOffset: -1}} {
		if s.SetProfile(0, p) == nil {
			t.Errorf("profile %+v is accepted", p)
		}
	}
}

// What the world sends a node for one time arrives in the order of the calls, by every
// executor.
func TestSendAtKeepsItsOrder(t *testing.T) {
	for _, reference := range []bool{false, true} {
		s, posts := office(t, sim.Config{Reference: reference}, 2, nil)
		for i := range 8 {
			s.SendAt(1, 2*time.Second, &order{series(i, 1, 10)})
		}
		runTo(t, s, 3*time.Second)
		for i, g := range posts[0].got {
			if g.number != uint64(i) {
				t.Errorf("reference %v: message %d arrives as number %d", reference, g.number, i)
			}
		}
	}
}

// When a node becomes fast again, what is new waits for what is old.
func TestEndOfProcessingKeepsTheOrder(t *testing.T) {
	s, posts := office(t, sim.Config{}, 2, func(s *sim.Simulation) { profile(t, s, 0, sim.Profile{Processing: 200 * ms}) })
	s.Send(1, &order{series(0, 10, 10)})
	s.At(1500*ms, func() {
		profile(t, s, 0, sim.Profile{})
		s.Send(1, &order{series(10, 5, 10)})
	})
	runTo(t, s, 10*time.Second)
	for i, g := range posts[0].got {
		if g.number != uint64(i) {
			t.Fatalf("message %d arrives as number %d", g.number, i)
		}
	}
	if len(posts[0].got) != 15 {
		t.Errorf("%d of 15 arrive", len(posts[0].got))
	}
}

// A dial that nobody answers fails, however long messages take.
func TestDialsTimeOutBehindTheLookahead(t *testing.T) {
	for _, reference := range []bool{false, true} {
		s, posts := office(t, sim.Config{Latency: sim.Latency{Message: dist.Constant(10 * time.Second)}, Reference: reference}, 2, func(s *sim.Simulation) {
			s.SetReach(0, sim.ReachBlocked)
		})
		runTo(t, s, time.Minute)
		if len(posts[1].downs) != 1 || posts[1].downs[0] != actors.ReasonTimeout || posts[1].downAt[0] != at(20*time.Second) {
			t.Errorf("reference %v: the dial ends with %v at %v", reference, posts[1].downs, posts[1].downAt)
		}
	}
}

// A link that messages do not pass, one way at least, is seen to be cut from both ends,
// before either knows: in a partition, and after one in which a message was lost.
func TestCutLinksAreSeen(t *testing.T) {
	s, _ := office(t, sim.Config{}, 3, nil) // links 1–0 and 2–0
	var cut [3]string
	look := func() {
		for id := range sim.NodeID(3) {
			mark := "" // of the links with each node
			s.Links(id, func(e sim.LinkEnd) {
				if e.Cut {
					mark += fmt.Sprint(e.Peer)
				}
			})
			cut[id] += mark + "."
		}
	}
	s.At(1*time.Second, look)
	s.At(2*time.Second, func() { s.Partition([]uint8{0, 1, 0}); look() })
	s.At(3*time.Second, func() { s.Partition(nil); look() })
	s.At(4*time.Second, func() { s.Partition([]uint8{0, 1, 0}) })
	s.SendAt(1, 5*time.Second, &order{series(1, 1, 10)}) // to 0, and lost
	s.At(6*time.Second, func() { s.Partition(nil); look() })
	runTo(t, s, 7*time.Second)
	if want := [3]string{".1..1.", ".0..0.", "...."}; cut != want {
		t.Errorf("cut links are seen as %q, want %q", cut, want)
	}
}
