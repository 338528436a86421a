package swim

import (
	"reflect"
	"testing"

	"peernet/actors"
)

var some = []actors.Message{
	&Ping{},
	&Ping{Seq: 300, Updates: []Update{{Suspected, 200, 5, 1}, {Failed, 0, 0, 70000}}},
	&Ack{Seq: 1 << 40, Updates: []Update{{Alive, 3, 1 << 30, 3}}},
	&PingReq{Seq: 7, Target: 999, Updates: []Update{{Alive, 1, 2, 3}}},
	&Nack{Seq: 128},
}

func TestMessagesGoRound(t *testing.T) {
	for _, m := range some {
		b := m.Append(nil)
		got, err := m.Kind().Decode(b)
		if err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("%#v came back as %#v, %v", m, got, err)
		}
		for cut := range b {
			if _, err := m.Kind().Decode(b[:cut]); err == nil {
				t.Errorf("%#v, cut to %d bytes, was decoded", m, cut)
			}
		}
		if _, err := m.Kind().Decode(append(b, 0)); err == nil {
			t.Errorf("%#v with a byte more was decoded", m)
		}
	}
}

func TestMalformedMessagesAreErrors(t *testing.T) {
	for name, b := range map[string][]byte{
		"number of two bytes that fits one": {0x80, 0, 0},
		"state 3":                           {0, 1, 3, 0, 0, 0},
		"state 256":                         {0, 1, 0x80, 2, 0, 0, 0},
		"member too large":                  {0, 1, 0, 0x80, 0x80, 0x80, 0x80, 8, 0, 0},
		"incarnation too large":             {0, 1, 0, 0, 0x80, 0x80, 0x80, 0x80, 8, 0},
		"more updates than there are bytes": {0, 2, 0, 0, 0, 0},
		"very many updates":                 {0, 0x80, 0x80, 0x80, 0x80, 1},
		"number without an end":             {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80},
	} {
		if m, err := pingKind.Decode(b); err == nil {
			t.Errorf("%s: was decoded as %#v", name, m)
		}
	}
	many := (&Ping{Updates: make([]Update, 256)}).Append(nil)
	if _, err := pingKind.Decode(many); err == nil {
		t.Error("256 updates were decoded")
	}
}
