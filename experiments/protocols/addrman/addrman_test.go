package addrman

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"peernet/actors"
	"peernet/sim"
	"peernet/sim/dist"
)

func address(i int) actors.Address { return sim.AddressOf(sim.NodeID(i)) }

// newBook returns a book whose groups are 256 addresses each: i/256 is the group.
func newBook(seed uint64, change func(*Config)) *Book {
	c := Before()
	c.GroupBits = 24
	if change != nil {
		change(&c)
	}
	b := &Book{rand: rand.New(rand.NewPCG(seed, 1))}
	b.start(&c)
	return b
}

func alone(c *Config) { c.NewBuckets = 0 }

// check holds a book against what the package guarantees.
func check(t *testing.T, b *Book) {
	t.Helper()
	tried, places := 0, map[actors.Address]int{}
	b.EachTried(func(bucket int, info *Info) {
		tried++
		if !info.InTried || info.refs != 0 || bucket != b.triedBucket(info) || b.Lookup(info.Address) != info {
			t.Errorf("%v is in bucket %d of tried: %+v", info.Address, bucket, info)
		}
	})
	b.EachNew(func(_ int, info *Info) {
		places[info.Address]++
		if info.InTried || info.refs > NewPerAddress || b.Lookup(info.Address) != info {
			t.Errorf("%v is in new: %+v", info.Address, info)
		}
	})
	for a, n := range places {
		if b.Lookup(a).refs != n {
			t.Errorf("%v is in %d buckets, and counts %d", a, n, b.Lookup(a).refs)
		}
	}
	if tried != b.InTried || len(places) != b.InNew || len(b.infos)-len(b.free) != tried+len(places) {
		t.Errorf("%d in tried and %d in new of %d, counted as %d and %d", tried, len(places), len(b.infos)-len(b.free), b.InTried, b.InNew)
	}
}

func TestTablesStayConsistent(t *testing.T) {
	for _, fixed := range []bool{false, true} {
		b := newBook(1, func(c *Config) { c.TriedBuckets, c.NewBuckets, c.Slots, c.Fixed = 4, 8, 4, fixed })
		draw := rand.New(rand.NewPCG(7, 7))
		for now := int64(0); now < 4000; now++ {
			a := address(draw.IntN(40) * 100)
			switch draw.IntN(3) {
			case 0:
				b.Good(a, now)
			default:
				b.Add(a, address(draw.IntN(2000)), now-int64(draw.IntN(10000)), now)
			}
			if now%100 == 0 {
				check(t, b)
			}
		}
		if b.InTried == 0 || b.InNew == 0 {
			t.Errorf("fixed %v: %d in tried, %d in new", fixed, b.InTried, b.InNew)
		}
	}
}

func TestGroupHasFourBucketsOfTried(t *testing.T) {
	fewer := 0
	for seed := uint64(0); seed < 50; seed++ {
		b := newBook(seed, alone)
		for i := range 256 {
			b.Good(address(i), 0)
		}
		buckets := map[int]bool{}
		b.EachTried(func(bucket int, _ *Info) { buckets[bucket] = true })
		if len(buckets) > 4 {
			t.Errorf("a group is in %d buckets", len(buckets))
		}
		if len(buckets) < 4 {
			fewer++
		}
	}
	if fewer > 15 { // two of four meet with a chance of 0.09
		t.Errorf("%d of 50 groups are in fewer than 4 buckets", fewer)
	}
}

func TestSourceHas32BucketsOfNew(t *testing.T) {
	b := newBook(1, nil)
	for i := range 4000 {
		b.Add(address(1000+i*256), address(5), 0, 0) // all of different groups
	}
	buckets := map[int]bool{}
	b.EachNew(func(bucket int, _ *Info) { buckets[bucket] = true })
	if len(buckets) > 32 || len(buckets) < 25 {
		t.Errorf("what one group told is in %d buckets, want about 30, at most 32", len(buckets))
	}
}

func TestEvictionPrefersTheOldest(t *testing.T) {
	oldest, all := 0, 400
	for seed := range uint64(all) {
		b := newBook(seed, func(c *Config) { c.TriedBuckets, c.TriedPerGroup, c.Slots, c.NewBuckets = 1, 1, 8, 0 })
		for i := range 9 {
			b.Good(address(i), int64(i))
		}
		if b.InTried != 8 || b.Lookup(address(8)) == nil {
			t.Fatal("the newcomer is not in a full bucket of 8")
		}
		if b.Lookup(address(0)) == nil {
			oldest++
		}
	}
	// It is one of four of eight.
	if oldest < all/2-40 || oldest > all/2+40 {
		t.Errorf("the oldest of 8 was evicted %d times of %d, want half", oldest, all)
	}
}

func TestFixedSlotIsTaken(t *testing.T) {
	b := newBook(1, func(c *Config) { c.TriedBuckets, c.Slots, c.Fixed, c.NewBuckets = 1, 16, true, 0 })
	for i := range 200 {
		b.Good(address(i), 0)
	}
	if b.InTried != 16 {
		t.Errorf("%d of 16 slots are full after 200 addresses", b.InTried)
	}
	was := b.InTried
	for i := range 200 { // a second connection changes nothing
		if b.Lookup(address(i)) != nil {
			b.Good(address(i), 9)
		}
	}
	if b.InTried != was {
		t.Errorf("%d addresses became %d", was, b.InTried)
	}
}

func TestEvictedGoBackToNew(t *testing.T) {
	b := newBook(1, func(c *Config) { c.TriedBuckets, c.TriedPerGroup, c.Slots = 1, 1, 4 })
	for i := range 5 {
		b.Add(address(i), address(9000), 0, 0)
		b.Good(address(i), int64(i))
	}
	check(t, b)
	if b.InTried != 4 || b.InNew != 1 {
		t.Errorf("%d in tried, %d in new, want 4 and 1", b.InTried, b.InNew)
	}
}

func TestGoodTakesWhatIsInNewAlone(t *testing.T) {
	b := newBook(1, nil)
	if b.Good(address(1), 0); b.InTried != 0 {
		t.Error("an address that was never in new is in tried")
	}
}

func TestNewMakesRoomByTerribleThenByAge(t *testing.T) {
	fill := func() *Book {
		b := newBook(1, func(c *Config) { c.NewBuckets, c.NewPerSource, c.Slots = 1, 1, 4 })
		for i := range 4 {
			b.Add(address(i), address(9000), int64(1000+i), 2000)
		}
		return b
	}
	b := fill()
	if b.Add(address(9), address(9000), 1500, 2000); b.Lookup(address(0)) != nil || b.InNew != 4 {
		t.Error("the least recently seen of four did not make room")
	}
	b = fill()
	b.Lookup(address(2)).Failures = retries
	if b.Add(address(9), address(9000), 1500, 2000); b.Lookup(address(2)) != nil || b.Lookup(address(0)) == nil {
		t.Error("a terrible address did not make room first")
	}
}

func TestTerrible(t *testing.T) {
	const now = 100 * 86400
	for _, c := range []struct {
		info Info
		want bool
	}{
		{Info{Seen: now, Tried: never, Good: never}, false},
		{Info{Seen: now - horizon - 1, Tried: never, Good: never}, true},
		{Info{Seen: now - horizon - 1, Tried: now - 60, Good: never}, false},
		{Info{Seen: now + 601, Tried: never, Good: never}, true},
		{Info{Seen: now, Tried: never, Good: never, Failures: retries}, true},
		{Info{Seen: now, Tried: never, Good: now - 86400, Failures: failures}, false},
		{Info{Seen: now, Tried: never, Good: now - failureSpan - 1, Failures: failures}, true},
	} {
		if got := c.info.terrible(now); got != c.want {
			t.Errorf("%+v: terrible is %v", c.info, got)
		}
	}
}

func TestChance(t *testing.T) {
	for _, c := range []struct {
		info Info
		want uint64
	}{
		{Info{Seen: 10000, Tried: never}, one},
		{Info{Seen: 10000 - 600, Tried: never}, one / 2},
		{Info{Seen: 10000 - 1800, Tried: never}, one / 4},
		{Info{Seen: 10000, Tried: 10000 - 599}, one / 100},
		{Info{Seen: 10000, Tried: 10000 - 600}, one},
		{Info{Seen: 10000, Tried: never, Failures: 1}, one * 2 / 3},
		{Info{Seen: 10000, Tried: never, Failures: 1000}, 1},
	} {
		if got := c.info.chance(10000); got != c.want {
			t.Errorf("%+v: chance %d, want %d", c.info, got, c.want)
		}
	}
}

func TestRoot(t *testing.T) {
	for n, want := range map[int]uint64{0: 0, 1: 1 << 16, 4: 2 << 16, 2: 92681, 1 << 20: 1 << 26} {
		if got := root(n); got != want {
			t.Errorf("root of %d is %d, want %d", n, got, want)
		}
	}
}

// TestSelect holds the shares of selections against their closed forms.
func TestSelect(t *testing.T) {
	share := func(outgoing int, change func(*Config), is func(*Info) bool) float64 {
		b := newBook(3, change)
		for i := range 400 {
			b.Add(address(i*256), address(i*256), 0, 0) // in as many buckets as possible
		}
		for i := range 100 {
			b.Good(address(i*256), 0)
		}
		hit := 0
		for range 20000 {
			if is(b.Select(outgoing, 0)) {
				hit++
			}
		}
		return float64(hit) / 20000
	}
	inTried := func(info *Info) bool { return info.InTried }
	for outgoing, want := range map[int]float64{0: 0.8387, 4: 0.3660, 8: 0.0603} { // √(1/3)·(9−ω) to 1+ω
		if got := share(outgoing, nil, inTried); got < want-0.01 || got > want+0.01 {
			t.Errorf("with %d outgoing, %g of the selections are of tried, want %g", outgoing, got, want)
		}
	}
	if got := share(0, func(c *Config) { c.Uniform = true }, inTried); got < 0.49 || got > 0.51 {
		t.Errorf("uniformly, %g of the selections are of tried, want a half", got)
	}
}

func TestSelectPrefersTheRecentUnlessUniform(t *testing.T) {
	for uniform, want := range map[bool]float64{true: 0.3, false: 0.9354} { // the second as in the experiment
		b := newBook(5, func(c *Config) { c.NewBuckets, c.GroupBits, c.Uniform = 0, 32, uniform })
		const now = 1440 * 60
		for i := range 1000 {
			b.Good(address(i), int64(b2i(i%10 < 3))*(now-27*60))
		}
		recent := 0
		for range 40000 {
			if b.Select(0, now).Seen > 0 {
				recent++
			}
		}
		if got := float64(recent) / 40000; got < want-0.01 || got > want+0.01 {
			t.Errorf("uniform %v: %g of the selections are recent, want %g", uniform, got, want)
		}
	}
}

// network runs a node among peers, of which the first so many are dead.
func network(t *testing.T, config *Config, peers, dead int) (*sim.Simulation, *Node) {
	t.Helper()
	s, err := sim.New(sim.Config{Seed: 1, Latency: sim.Latency{Message: dist.Constant(10 * time.Millisecond)}})
	if err != nil {
		t.Fatal(err)
	}
	node := &Node{Config: config}
	s.Add(peers + 1)
	s.Start(sim.NodeID(peers), node)
	for i := range peers {
		s.Start(sim.NodeID(i), &Peer{})
		s.Send(sim.NodeID(i), &Dial{To: address(peers)})
	}
	run(t, s, time.Hour)
	for i := range dead {
		s.Crash(sim.NodeID(i), false)
	}
	s.Send(sim.NodeID(peers), &Start{})
	run(t, s, time.Hour)
	return s, node
}

func run(t *testing.T, s *sim.Simulation, d time.Duration) {
	t.Helper()
	if err := s.Run(context.Background(), s.Now()+d); err != nil {
		t.Fatal(err)
	}
}

func TestNodeConnectsToDifferentGroupsOfLivePeers(t *testing.T) {
	c := Before()
	c.GroupBits = 30 // four to a group
	_, node := network(t, &c, 60, 20)
	if node.InTried != 60 {
		t.Errorf("%d of 60 peers are in tried", node.InTried)
	}
	if len(node.Outgoing) != 8 {
		t.Fatalf("%d outgoing connections, want 8", len(node.Outgoing))
	}
	groups := map[uint64]bool{}
	for _, a := range node.Outgoing {
		id, _ := sim.NodeOf(a)
		if id < 20 {
			t.Errorf("%v is dead", a)
		}
		groups[node.group(ip(a))] = true
	}
	if len(groups) != 8 {
		t.Errorf("the connections are to %d groups", len(groups))
	}
}

func TestNodesTellAddresses(t *testing.T) {
	c := Before()
	c.GroupBits, c.Outgoing = 32, 1
	s, a := network(t, &c, 100, 0)
	b := &Node{Config: &c}
	id := s.Add(1)
	s.Start(id, b)
	run(t, s, time.Second)
	b.rand = rand.New(rand.NewPCG(1, 1))
	b.Add(address(100), address(100), 0, int64(s.Now()/time.Second))
	s.Send(id, &Start{})
	run(t, s, time.Minute)
	if len(b.Outgoing) != 1 || b.Outgoing[0] != address(100) {
		t.Fatalf("connected to %v", b.Outgoing)
	}
	check(t, &b.Book)
	if b.InTried != 1 || b.InNew != 24 { // 23 of 100, and one that both know
		t.Logf("%d in tried, %d in new", b.InTried, b.InNew)
		if b.InNew < 22 || b.InNew > 25 {
			t.Errorf("it was told %d addresses, want 23 of 100", b.InNew)
		}
	}
	if a.Lookup(address(101)) == nil || !a.Lookup(address(101)).InTried {
		t.Error("who connects is not in tried")
	}
	b.EachNew(func(_ int, info *Info) {
		if info.Seen > int64(s.Now()/time.Second)-penalty {
			t.Errorf("%v has a timestamp without penalty: %d", info.Address, info.Seen)
		}
	})
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestAddressIsInFourBucketsOfNewAtMost(t *testing.T) {
	b := newBook(1, nil)
	for i := range 400 {
		b.Add(address(1), address(5000+256*i), int64(i), int64(i))
	}
	if got := b.Lookup(address(1)).refs; got != NewPerAddress {
		t.Errorf("an address that 400 sources told is in %d buckets of new, want %d", got, NewPerAddress)
	}
	check(t, b)
}

// An acceptance of what was not asked, or is too late, is no connection.
func TestStrangeVerackIsNoConnection(t *testing.T) {
	c := Before()
	s, node := network(t, &c, 4, 4)
	s.Start(0, &hostile{})
	s.Send(0, &Dial{To: address(4)})
	run(t, s, time.Second)
	if len(node.Outgoing) != 0 {
		t.Errorf("connected to %v", node.Outgoing)
	}
}

// hostile accepts connections that nobody makes.
type hostile struct{}

func (*hostile) Receive(ctx actors.Context, m actors.Message) {
	if m, ok := m.(*Dial); ok {
		send(ctx, m.To, verack)
	}
}
