package protocols_test

import (
	"bytes"
	"reflect"
	"slices"
	"testing"

	"peernet/actors"
	"peernet/experiments/lab"
	"peernet/experiments/protocols/cyclon"
	"peernet/experiments/protocols/gossip"
	"peernet/experiments/protocols/hyparview"
	"peernet/experiments/protocols/mesh"
	"peernet/experiments/protocols/plumtree"
	"peernet/experiments/protocols/shuffle"
)

var (
	some    = lab.Addresses(300)
	entries = []cyclon.Entry{{Peer: some[1], Age: 0}, {Peer: some[2], Age: 1<<32 - 1}}
	text    = string(actors.AppendString(nil, some[0].String()))
)

// Messages that cross the network, of each kind at least one.
var crossing = []actors.Message{
	&cyclon.Join{},
	&cyclon.Walk{Joining: some[0], Hops: 5},
	&cyclon.Given{Entry: entries[1]},
	&cyclon.Shuffle{Serial: 300, Entries: entries},
	&cyclon.Shuffle{Entries: make([]cyclon.Entry, 0)},
	&cyclon.Reply{Serial: 1<<32 - 1, Entries: entries},
	&gossip.Rumor{Number: gossip.NumberMax - 1, Hops: gossip.HopsMax},
	&gossip.Rumor{},
	&hyparview.Join{Peer: some[0]},
	&hyparview.ForwardJoin{Peer: some[0], Hops: 128},
	&hyparview.Neighbor{Peer: some[0], High: true},
	&hyparview.Neighbor{Peer: some[0]},
	&hyparview.Accept{},
	&hyparview.Shuffle{Origin: some[0], Hops: 6, Peers: some[:3]},
	&hyparview.ShuffleReply{Peers: some[:3]},
	&hyparview.ShuffleReply{Peers: make([]actors.Address, 0)},
	&plumtree.Payload{Number: gossip.NumberMax - 1, Hops: gossip.HopsMax},
	&plumtree.IHave{Number: 4, Hops: 200},
	&plumtree.Graft{Number: gossip.NumberMax - 1},
	&plumtree.Prune{},
	&shuffle.Shuffle{Peers: [shuffle.PeersMax]uint32{1<<32 - 1, 2}, Len: 2, Reply: true},
	&shuffle.Shuffle{Len: shuffle.PeersMax},
}

// The largest ones.
var large = []actors.Message{
	&cyclon.Shuffle{Serial: 1, Entries: many(cyclon.EntriesMax)},
	&cyclon.Reply{Serial: 1, Entries: many(cyclon.EntriesMax)},
	&hyparview.Shuffle{Origin: some[0], Peers: some[:hyparview.PeersMax]},
	&hyparview.ShuffleReply{Peers: some[:hyparview.PeersMax]},
}

// Messages that stay at their node: a peer cannot send them.
var local = []actors.Message{
	&cyclon.Begin{Cycles: 3}, &cyclon.Tick{}, &hyparview.Begin{Cycles: 3}, &hyparview.Tick{},
	&plumtree.Overdue{Number: 3}, &shuffle.Tick{}, &mesh.Attach{},
}

func many(n int) (all []cyclon.Entry) {
	for i := range n {
		all = append(all, cyclon.Entry{Peer: some[i], Age: uint32(i)})
	}
	return all
}

// What was encoded is decoded; cut short or with another byte it is malformed.
func TestEncodings(t *testing.T) {
	for _, m := range slices.Concat(crossing, large) {
		b := m.Append([]byte{7})[1:]
		got, err := m.Kind().Decode(b)
		if err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("%T%v came back as %v, %v", m, m, got, err)
		}
		if n := actors.SizeOf(m); n != len(b) {
			t.Errorf("%T has %d bytes, and says %d", m, len(b), n)
		}
		for cut := 0; cut < len(b); cut += 1 + len(b)/100 {
			if _, err := m.Kind().Decode(b[:cut]); err == nil {
				t.Errorf("%T%v, cut to %d bytes, was decoded", m, m, cut)
			}
		}
		for _, more := range []byte{0, 1, 0x80} {
			if _, err := m.Kind().Decode(append(bytes.Clone(b), more)); err == nil {
				t.Errorf("%T%v with a byte more was decoded", m, m)
			}
		}
	}
	for _, m := range local {
		if _, err := m.Kind().Decode(nil); err == nil {
			t.Errorf("%T can come from a peer", m)
		}
	}
}

// Rumors hash as they say what they are: equal ones alike, others differently.
func TestSums(t *testing.T) {
	seen := map[uint64]gossip.Rumor{}
	for i := range uint32(50) {
		for hops := range uint16(50) {
			r := gossip.Rumor{Number: i, Hops: hops}
			if other, ok := seen[r.Sum()]; ok || r.Sum() != (&gossip.Rumor{Number: i, Hops: hops}).Sum() {
				t.Errorf("%v and %v have the same sum", r, other)
			}
			seen[r.Sum()] = r
		}
	}
}

func TestMalformedMessages(t *testing.T) {
	for name, test := range map[string]struct {
		m     actors.Message // of that kind
		bytes []byte
	}{
		"entries beyond the limit":       {&cyclon.Shuffle{}, (&cyclon.Shuffle{Entries: many(cyclon.EntriesMax + 1)}).Append(nil)},
		"entries of a reply, likewise":   {&cyclon.Reply{}, (&cyclon.Reply{Entries: many(cyclon.EntriesMax + 1)}).Append(nil)},
		"very many entries":              {&cyclon.Shuffle{}, []byte{0, 0xff, 0xff, 0xff, 0xff, 0x0f}},
		"walk of a node without address": {&cyclon.Walk{}, (&cyclon.Walk{}).Append(nil)},
		"entry without address":          {&cyclon.Given{}, (&cyclon.Given{}).Append(nil)},
		"age of 33 bits":                 {&cyclon.Given{}, append([]byte(text), 0x80, 0x80, 0x80, 0x80, 0x10)},
		"addresses beyond the limit":     {&hyparview.ShuffleReply{}, (&hyparview.ShuffleReply{Peers: some[:hyparview.PeersMax+1]}).Append(nil)},
		"addresses of a shuffle":         {&hyparview.Shuffle{}, (&hyparview.Shuffle{Origin: some[0], Peers: some[:hyparview.PeersMax+1]}).Append(nil)},
		"joining node without address":   {&hyparview.Join{}, (&hyparview.Join{}).Append(nil)},
		"priority 2":                     {&hyparview.Neighbor{}, append([]byte(text), 2)},
		"number of a rumor":              {&gossip.Rumor{}, (&gossip.Rumor{Number: gossip.NumberMax}).Append(nil)},
		"hops that cannot be one more":   {&gossip.Rumor{}, (&gossip.Rumor{Hops: gossip.HopsMax + 1}).Append(nil)},
		"number of a payload":            {&plumtree.Payload{}, (&plumtree.Payload{Number: gossip.NumberMax}).Append(nil)},
		"hops of a payload, likewise":    {&plumtree.Payload{}, (&plumtree.Payload{Hops: gossip.HopsMax + 1}).Append(nil)},
		"hops of a payload of 17 bits":   {&plumtree.Payload{}, []byte{0, 0x80, 0x80, 0x04}},
		"number of an announcement":      {&plumtree.IHave{}, (&plumtree.IHave{Number: gossip.NumberMax}).Append(nil)},
		"number of a message asked for":  {&plumtree.Graft{}, (&plumtree.Graft{Number: gossip.NumberMax}).Append(nil)},
		"shuffle of nobody":              {&shuffle.Shuffle{}, (&shuffle.Shuffle{}).Append(nil)},
		"shuffle of more than there are": {&shuffle.Shuffle{}, (&shuffle.Shuffle{Len: shuffle.PeersMax + 1}).Append(nil)},
		"neither a reply nor a request":  {&shuffle.Shuffle{}, append([]byte{1, 2}, make([]byte, 4*shuffle.PeersMax)...)},
	} {
		if got, err := test.m.Kind().Decode(test.bytes); err == nil {
			t.Errorf("%s: was decoded as %v", name, got)
		}
	}
}

// Whatever can be decoded is encoded to the same bytes, and nothing makes a decoder panic.
func FuzzDecode(f *testing.F) {
	for i, m := range crossing {
		f.Add(byte(i), m.Append(nil))
	}
	f.Add(byte(0), []byte{0x80})
	f.Fuzz(func(t *testing.T, kind byte, b []byte) {
		k := crossing[int(kind)%len(crossing)].Kind()
		m, err := k.Decode(b)
		if err != nil {
			return
		}
		if m.Kind() != k {
			t.Fatalf("a %v was decoded as %v", k, m.Kind())
		}
		if again := m.Append(nil); !bytes.Equal(again, b) {
			t.Fatalf("%x is %T%v, which is %x", b, m, m, again)
		}
	})
}
