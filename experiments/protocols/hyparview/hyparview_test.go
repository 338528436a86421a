package hyparview_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"peernet/actors"
	"peernet/experiments/lab"
	"peernet/experiments/protocols/hyparview"
	"peernet/sim"
)

var addresses = lab.Addresses(100)

var config = &hyparview.Config{
	Active: 3, Passive: 6, ActiveWalk: 4, PassiveWalk: 2, ShuffleActive: 2, ShufflePass: 2, ShuffleWalk: 3, Period: time.Second,
}

// desk is a node without a network.
type desk struct {
	*host
	*hyparview.Node
	t *testing.T
}

// host is its context, and writes down what it does. The Conn of the k-th link has the Ref
// of slot k.
type host struct {
	actors.Context
	rand   *rand.Rand
	sender actors.Ref
	conns  uint32
	dials  []actors.Address // by DialID−1
	did    []string
	last   actors.Message // that was sent
	closed bool           // a link that nobody wanted was
}

// node is number 50, with the neighbours 0, 1 and so on, whose Conns are slots 0, 1 ….
func node(t *testing.T, neighbours int, passive ...int) *desk {
	t.Helper()
	d := &desk{&host{rand: rand.New(rand.NewPCG(1, 2))}, &hyparview.Node{Config: config, Self: addresses[50]}, t}
	for i := range neighbours {
		d.guest(&hyparview.Neighbor{Peer: addresses[i], High: true})
	}
	for _, i := range passive {
		d.Passive = append(d.Passive, addresses[i])
	}
	d.did = nil
	return d
}

func conn(slot uint32) actors.Ref { return actors.Ref{Slot: slot, Gen: 1} }

func (h *host) Rand() *rand.Rand { return h.rand }

func (h *host) Sender() actors.Ref { return h.sender }

func (h *host) note(format string, args ...any) { h.did = append(h.did, fmt.Sprintf(format, args...)) }

func (h *host) Send(to actors.Ref, m actors.Message) {
	h.last = m
	text := strings.TrimPrefix(fmt.Sprintf("%T", m), "*hyparview.")
	switch m := m.(type) {
	case *hyparview.ForwardJoin:
		text += fmt.Sprint(" ", number(m.Peer), "/", m.Hops)
	case *hyparview.Neighbor:
		if text = "low"; m.High {
			text = "high"
		}
	case *hyparview.Shuffle:
		text += fmt.Sprint(" ", m.Hops)
	}
	h.note("%s>%d", text, to.Slot)
}

func (h *host) SendTo(to actors.Address, m actors.Message) {
	h.last = m
	h.note("reply %d>%d", len(m.(*hyparview.ShuffleReply).Peers), number(to))
}

func (h *host) Stop(who actors.Ref) { h.note("stop %d", who.Slot) }

func (h *host) Spawn(string, actors.Actor) actors.Ref {
	h.conns++
	return conn(h.conns - 1)
}

func (h *host) Dial(to actors.Address) actors.DialID {
	h.dials = append(h.dials, to)
	h.note("dial %d", number(to))
	return actors.DialID(len(h.dials))
}

func (h *host) After(time.Duration, actors.Message) actors.Timer { return 0 }

func number(a actors.Address) int { return slices.Index(addresses, a) }

func numbers(all []actors.Address) (peers []int) {
	for _, a := range all {
		peers = append(peers, number(a))
	}
	slices.Sort(peers)
	return peers
}

func (d *desk) active() (peers []int) {
	for _, a := range d.Active {
		peers = append(peers, number(a.Peer))
	}
	slices.Sort(peers)
	return peers
}

// over brings a message from a Conn.
func (d *desk) over(slot uint32, m actors.Message) {
	d.sender = conn(slot)
	d.Receive(d.host, m)
	d.sender = actors.Ref{}
}

// guest is a new link from another node, over which it says what it is for.
func (d *desk) guest(m actors.Message) (slot uint32) {
	d.Receive(d.host, &actors.LinkIn{Link: link{h: d.host}})
	d.over(d.conns-1, m)
	return d.conns - 1
}

// up is that the last dial came up.
func (d *desk) up() (slot uint32) {
	d.Receive(d.host, &actors.LinkUp{ID: actors.DialID(len(d.dials)), Link: link{h: d.host}})
	return d.conns - 1
}

// link is one that is dialled or accepted.
type link struct {
	actors.Link
	h *host
}

func (l link) Close() { l.h.closed = true }

// check compares what the node did since, and its views.
func (d *desk) check(what string, did string, active, passive []int) {
	d.t.Helper()
	if got := strings.Join(d.did, ", "); got != did {
		d.t.Errorf("%s: did %q, want %q", what, got, did)
	}
	if a, p := d.active(), numbers(d.Passive); !slices.Equal(a, active) || !slices.Equal(p, passive) {
		d.t.Errorf("%s: views %v and %v, want %v and %v", what, a, p, active, passive)
	}
	d.did = nil
}

func TestJoin(t *testing.T) {
	d := node(t, 2, 9, 10)
	d.guest(&hyparview.Join{Peer: addresses[9]})
	d.check("room", "Accept>2, ForwardJoin 9/4>0, ForwardJoin 9/4>1", []int{0, 1, 9}, []int{10})
	d.guest(&hyparview.Join{Peer: addresses[9]})
	d.check("a neighbour", "stop 3", []int{0, 1, 9}, []int{10})
	d.guest(&hyparview.Join{Peer: addresses[50]})
	d.check("the node itself", "stop 4", []int{0, 1, 9}, []int{10})
	d.guest(&hyparview.Join{Peer: addresses[20]})
	if len(d.Active) != 3 || !slices.Contains(d.active(), 20) || len(d.Passive) != 2 || len(d.did) != 4 || d.did[0] != "Accept>5" {
		t.Errorf("full: did %v, views %v and %v", d.did, d.active(), numbers(d.Passive))
	}
}

// A neighbour that has to make room is told by the end of its link, and is passive then.
func TestRoomForNeighbours(t *testing.T) {
	gone := map[int]int{}
	for seed := range uint64(300) {
		d := node(t, 3, 9)
		d.rand = rand.New(rand.NewPCG(seed, 5))
		d.guest(&hyparview.Neighbor{Peer: addresses[20], High: true})
		who := 0
		if _, err := fmt.Sscanf(strings.Join(d.did, ", "), "Accept>3, stop %d", &who); err != nil {
			t.Fatalf("did %v", d.did)
		}
		gone[who]++
		want := slices.DeleteFunc([]int{0, 1, 2, 20}, func(i int) bool { return i == who })
		d.did = nil
		d.check("high", "", want, []int{who, 9})
	}
	for i := range 3 {
		if gone[i] < 60 || gone[i] > 140 { // the standard deviation is 8
			t.Errorf("those who made room are %v", gone)
		}
	}
}

func TestNeighborIsAnswered(t *testing.T) {
	for _, test := range []struct {
		name       string
		neighbours int
		m          hyparview.Neighbor
		did        string
		active     []int
	}{
		{"low, room", 2, hyparview.Neighbor{Peer: addresses[20]}, "Accept>2", []int{0, 1, 20}},
		{"low, full", 3, hyparview.Neighbor{Peer: addresses[20]}, "stop 3", []int{0, 1, 2}},
		{"high, room", 2, hyparview.Neighbor{Peer: addresses[20], High: true}, "Accept>2", []int{0, 1, 20}},
		{"a neighbour", 2, hyparview.Neighbor{Peer: addresses[1], High: true}, "stop 2", []int{0, 1}},
		{"itself", 2, hyparview.Neighbor{Peer: addresses[50], High: true}, "stop 2", []int{0, 1}},
	} {
		d := node(t, test.neighbours)
		d.guest(&test.m)
		d.check(test.name, test.did, test.active, nil)
	}
}

// What comes over a link that has said already what it is for changes nothing.
func TestNeighboursDoNotAskAgain(t *testing.T) {
	d := node(t, 2, 9)
	d.over(1, &hyparview.Join{Peer: addresses[20]})
	d.over(1, &hyparview.Neighbor{Peer: addresses[21], High: true})
	d.over(1, &hyparview.Accept{})
	d.over(77, &hyparview.Accept{})
	d.check("neighbours", "", []int{0, 1}, []int{9})
}

// Two requests that cross are one: that of the node whose address sorts first.
func TestRequestsThatCross(t *testing.T) {
	for _, other := range []int{20, 60} {
		d := node(t, 0, other)
		d.Receive(d.host, &hyparview.Tick{})
		own := d.up()
		d.check("asked", fmt.Sprintf("dial %d, high>%d", other, own), nil, []int{other})
		in := d.guest(&hyparview.Neighbor{Peer: addresses[other], High: true})
		if addresses[50].String() < addresses[other].String() {
			d.check("own first", fmt.Sprintf("stop %d", in), nil, []int{other})
			d.over(own, &hyparview.Accept{})
			d.check("accepted", "", []int{other}, nil)
		} else {
			d.check("other first", fmt.Sprintf("Accept>%d", in), []int{other}, nil)
			d.over(own, &actors.LinkDown{Reason: actors.ReasonClosed})
			d.check("refused", "", []int{other}, nil)
		}
	}
}

func TestForwardJoin(t *testing.T) {
	for _, test := range []struct {
		name       string
		neighbours int
		peer       int
		hops       uint32
		did        string
		passive    []int
	}{
		{"goes on", 2, 20, 4, "ForwardJoin 20/3>1", nil},
		{"goes on, and is kept", 2, 20, 2, "ForwardJoin 20/1>1", []int{20}},
		{"goes on, kept before", 2, 20, 1, "ForwardJoin 20/0>1", nil},
		{"ends", 2, 20, 0, "dial 20", nil},
		{"ends early, at a node of one neighbour", 1, 20, 4, "dial 20", nil},
		{"ends at a neighbour of the node", 2, 1, 0, "", nil},
		{"does not go to the node itself", 2, 1, 4, "", nil},
		{"ends where it came from", 2, 50, 0, "", nil},
	} {
		d := node(t, test.neighbours)
		d.over(0, &hyparview.ForwardJoin{Peer: addresses[test.peer], Hops: test.hops})
		d.check(test.name, test.did, d.active(), test.passive)
		if len(d.dials) > 0 {
			slot := d.up()
			d.check(test.name, fmt.Sprintf("high>%d", slot), d.active(), test.passive)
		}
	}
}

func TestLinksThatEnd(t *testing.T) {
	for reason, passive := range map[actors.Reason][]int{actors.ReasonClosed: {1}, actors.ReasonReset: nil} {
		d := node(t, 3)
		d.over(1, &actors.LinkDown{Reason: reason})
		d.check(reason.String(), "", []int{0, 2}, passive)
	}
	d := node(t, 1)
	d.Receive(d.host, &actors.LinkIn{Link: link{h: d.host}})
	d.over(1, &actors.LinkDown{Reason: actors.ReasonClosed}) // a guest that said nothing
	d.over(1, &hyparview.Join{Peer: addresses[20]})
	d.check("guest", "", []int{0}, nil)
}

// Passive addresses are asked one after another, with high priority only by a node without
// neighbours; who does not answer is forgotten, who refuses is kept, and asked again in
// the next cycle.
func TestRefill(t *testing.T) {
	d := node(t, 2, 10, 11, 12)
	d.over(1, &actors.LinkDown{Reason: actors.ReasonReset})
	first := number(d.dials[0])
	d.check("the first is asked", fmt.Sprint("dial ", first), []int{0}, []int{10, 11, 12})
	d.guest(&hyparview.Join{Peer: addresses[30]})
	d.over(2, &actors.LinkDown{Reason: actors.ReasonReset})
	d.check("and no other, as long as that takes", "Accept>2, ForwardJoin 30/4>0", []int{0}, []int{10, 11, 12})
	d.Receive(d.host, &actors.LinkDown{ID: 1, Reason: actors.ReasonTimeout})
	second := number(d.dials[1])
	left := slices.DeleteFunc([]int{10, 11, 12}, func(i int) bool { return i == first })
	d.check("it does not answer, so the second is", fmt.Sprint("dial ", second), []int{0}, left)
	slot := d.up()
	d.check("it is asked", fmt.Sprint("low>", slot), []int{0}, left)
	d.over(slot, &actors.LinkDown{Reason: actors.ReasonClosed})
	third := number(d.dials[2])
	d.check("it refuses, so the third is", fmt.Sprint("dial ", third), []int{0}, left)
	d.over(0, &actors.LinkDown{Reason: actors.ReasonReset})
	d.check("nobody else meanwhile", "", nil, left)
	slot = d.up()
	d.check("it is asked", fmt.Sprint("low>", slot), nil, left) // of when it was begun
	d.over(slot, &actors.LinkDown{Reason: actors.ReasonReset})
	d.check("it dies: nobody is left", "", nil, []int{second})
	d.Receive(d.host, &hyparview.Tick{})
	d.check("the next cycle", fmt.Sprint("dial ", second), nil, []int{second})
	slot = d.up()
	d.check("it is asked", fmt.Sprint("high>", slot), nil, []int{second})
	d.over(slot, &hyparview.Accept{})
	d.check("it accepts", "", []int{second}, nil)
}

// Who says nothing over a link has a cycle to answer; then the next is asked.
func TestSilenceIsNoAnswer(t *testing.T) {
	d := node(t, 0, 10)
	d.Receive(d.host, &hyparview.Tick{})
	slot := d.up()
	d.Passive = append(d.Passive, addresses[11])
	d.check("asked", fmt.Sprintf("dial 10, high>%d", slot), nil, []int{10, 11})
	d.Receive(d.host, &hyparview.Tick{})
	d.check("less than a cycle may have passed", "", nil, []int{10, 11})
	d.Receive(d.host, &hyparview.Tick{})
	d.check("a cycle has", fmt.Sprintf("stop %d, dial 11", slot), nil, []int{11})
}

// A peer is asked once at a time, and is one neighbour if it came by itself meanwhile.
func TestAskedOnce(t *testing.T) {
	d := node(t, 1)
	d.over(0, &hyparview.ForwardJoin{Peer: addresses[30]})
	d.over(0, &hyparview.ForwardJoin{Peer: addresses[30]})
	d.check("walks end twice", "dial 30", []int{0}, nil)
	slot := d.up()
	d.guest(&hyparview.Join{Peer: addresses[30]})
	d.did = nil
	d.over(slot, &hyparview.Accept{})
	d.check("accepted", fmt.Sprint("stop ", slot), []int{0, 30}, nil)
}

// app is what runs over the active view, and writes down what it is told.
type app struct{ told []string }

func (a *app) Up(_ actors.Context, peer actors.Ref) {
	a.told = append(a.told, fmt.Sprint("up ", peer.Slot))
}

func (a *app) Down(_ actors.Context, peer actors.Ref) {
	a.told = append(a.told, fmt.Sprint("down ", peer.Slot))
}

func (a *app) Receive(_ actors.Context, from actors.Ref, m actors.Message) {
	a.told = append(a.told, fmt.Sprintf("%T from %d", m, from.Slot))
}

// The App knows the neighbours, and gets what is theirs or the user's, and nothing else.
func TestApp(t *testing.T) {
	d, a := node(t, 0), &app{}
	d.App = a
	for i := range 3 {
		d.guest(&hyparview.Neighbor{Peer: addresses[i]})
	}
	d.Receive(d.host, &actors.LinkIn{Link: link{h: d.host}})
	for slot := range uint32(4) { // the last has not said what it is for
		d.over(slot, &actors.Round{})
	}
	d.Receive(d.host, &actors.Round{})
	d.over(1, &actors.LinkDown{Reason: actors.ReasonReset})
	d.over(1, &actors.Round{})
	d.guest(&hyparview.Neighbor{Peer: addresses[4]})
	d.guest(&hyparview.Join{Peer: addresses[5]})
	gone := strings.TrimPrefix(a.told[len(a.told)-2], "down ")
	want := []string{
		"up 0", "up 1", "up 2", "*actors.Round from 0", "*actors.Round from 1", "*actors.Round from 2", "*actors.Round from 0",
		"down 1", "up 4", "down " + gone, "up 5",
	}
	if !slices.Equal(a.told, want) {
		t.Errorf("the App was told %q, want %q", a.told, want)
	}
}

// A node whose view became full meanwhile does not take who it asked, unless a join did.
func TestAcceptedTooLate(t *testing.T) {
	d := node(t, 2, 10)
	d.Receive(d.host, &hyparview.Tick{})
	slot := d.up()
	d.guest(&hyparview.Neighbor{Peer: addresses[20], High: true})
	d.did = nil
	d.over(slot, &hyparview.Accept{})
	d.check("repair", fmt.Sprint("stop ", slot), []int{0, 1, 20}, []int{10})

	d.over(0, &hyparview.ForwardJoin{Peer: addresses[30]})
	slot = d.up()
	d.over(slot, &hyparview.Accept{})
	if !slices.Contains(d.active(), 30) || len(d.Active) != 3 {
		t.Errorf("the neighbours are %v after a join", d.active())
	}
}

func TestShuffleBegins(t *testing.T) {
	d := node(t, 3, 10, 11, 12, 13)
	d.Receive(d.host, &hyparview.Tick{})
	m := d.last.(*hyparview.Shuffle)
	var to int
	if _, err := fmt.Sscanf(d.did[0], "Shuffle 3>%d", &to); err != nil || len(d.did) != 1 || m.Origin != addresses[50] || d.Cycles != 1 {
		t.Errorf("did %v", d.did)
	}
	// Itself, two of the other neighbours, and two passive addresses.
	want := slices.DeleteFunc([]int{0, 1, 2, 50}, func(i int) bool { return i == to })
	sent := numbers(m.Peers)
	passive := slices.DeleteFunc(slices.Clone(sent), func(i int) bool { return i < 10 || i > 13 })
	if len(sent) != 5 || len(passive) != 2 || passive[0] == passive[1] ||
		!slices.Equal(slices.DeleteFunc(sent, func(i int) bool { return slices.Contains(passive, i) }), want) {
		t.Errorf("%v was sent to %d", numbers(m.Peers), to)
	}
	// The reply replaces those passive addresses first.
	d.Passive = append(d.Passive, addresses[14], addresses[15])
	d.Receive(d.host, &actors.Datagram{Payload: &hyparview.ShuffleReply{Peers: []actors.Address{addresses[50], addresses[0], addresses[14], addresses[30], addresses[31]}}})
	now := slices.DeleteFunc([]int{10, 11, 12, 13, 14, 15, 30, 31}, func(i int) bool { return slices.Contains(passive, i) })
	d.did = nil
	d.check("reply", "", []int{0, 1, 2}, now)
	d.Receive(d.host, &actors.Datagram{Payload: &hyparview.ShuffleReply{Peers: []actors.Address{addresses[40]}}})
	if len(d.Passive) != 6 || !slices.Contains(numbers(d.Passive), 40) {
		t.Errorf("passive are %v", numbers(d.Passive))
	}
}

func TestShuffleWalks(t *testing.T) {
	some := []actors.Address{addresses[20], addresses[21], addresses[1], addresses[10]}
	for _, test := range []struct {
		name       string
		neighbours int
		origin     int
		hops       uint32
		did        string
		passive    []int
	}{
		{"goes on", 2, 20, 2, "Shuffle 1>1", []int{10, 11}},
		{"ends", 2, 20, 1, "reply 2>20", []int{10, 11, 20, 21}},
		{"ended before", 2, 20, 0, "reply 2>20", []int{10, 11, 20, 21}},
		{"ends early", 1, 20, 2, "reply 2>20", []int{1, 10, 11, 20, 21}},
		{"does not go to where it began", 2, 1, 2, "reply 2>1", []int{10, 11, 20, 21}},
		{"ends where it began", 1, 50, 2, "", []int{10, 11}},
	} {
		d := node(t, test.neighbours, 10, 11)
		d.over(0, &hyparview.Shuffle{Origin: addresses[test.origin], Hops: test.hops, Peers: some})
		d.check(test.name, test.did, d.active(), test.passive)
	}
	d := node(t, 1, 10, 11, 12, 13, 14, 15)
	d.over(0, &hyparview.Shuffle{Origin: addresses[20], Peers: []actors.Address{addresses[20], addresses[21]}})
	sent := numbers(d.last.(*hyparview.ShuffleReply).Peers)
	want := append(slices.DeleteFunc([]int{10, 11, 12, 13, 14, 15}, func(i int) bool { return slices.Contains(sent, i) }), 20, 21)
	d.check("as many as came, which make room", "reply 2>20", []int{0}, want)
}

// Links that nobody waits for any more, and guests beyond a bound, are closed.
func TestLinksNotWanted(t *testing.T) {
	d := node(t, 0)
	d.Receive(d.host, &actors.LinkUp{ID: 7, Link: link{h: d.host}})
	if !d.closed || d.conns > 0 {
		t.Error("a link that was not asked for is open")
	}
	for d.closed = false; !d.closed && d.conns < 5000; {
		d.Receive(d.host, &actors.LinkIn{Link: link{h: d.host}})
	}
	if d.conns != 1024 {
		t.Errorf("%d guests were let in", d.conns)
	}
}

// Walks of joins make a node dial so many at a time and no more.
func TestRequestsAreBounded(t *testing.T) {
	d := node(t, 1)
	for i := range 1000 {
		d.over(0, &hyparview.ForwardJoin{Peer: sim.AddressOf(sim.NodeID(5000 + i))})
	}
	if len(d.dials) != 256 {
		t.Errorf("%d dials are open, want 256", len(d.dials))
	}
}
