package sampling

import (
	"math/rand/v2"
	"slices"
	"testing"

	"peernet/actors"
)

// dice is a Context that can draw, and nothing else.
type dice struct {
	actors.Context
	r *rand.Rand
}

func (d dice) Rand() *rand.Rand { return d.r }

func newDice() dice { return dice{r: rand.New(rand.NewPCG(1, 2))} }

// peer returns the address of a peer of one letter.
func peer(letter byte) actors.Address { return actors.MustAddress("ws://" + string(letter) + ":1") }

// view returns entries that are written as a letter and a digit, the age.
func view(text string) (v []Entry) {
	for i := 0; i+1 < len(text); i += 2 {
		v = append(v, Entry{peer(text[i]), uint32(text[i+1] - '0')})
	}
	return v
}

func written(v []Entry) (text string) {
	for _, e := range v {
		text += string(e.Peer.Host()[0]) + string(rune('0'+e.Age))
	}
	return text
}

func TestSelectView(t *testing.T) {
	for _, c := range []struct {
		name                 string
		config               Config
		view, received, want string
	}{
		{"there is room", Config{View: 6, Heal: 3}, "a1b2", "c0d4", "a1b2c0d4"},
		{"not oneself", Config{View: 6}, "a1", "z0c1", "a1c1"},
		{"the younger of two stays", Config{View: 6}, "a3b1", "a2b2c0", "b1a2c0"},
		{"of the same age, the one that was there", Config{View: 6}, "a1b1", "a1", "a1b1"},
		{"healer", Config{View: 4, Heal: 2}, "a5b2c9d1", "e0f3", "b2d1e0f3"},
		{"healer, the first of several", Config{View: 4, Heal: 2}, "a5b5c5d1", "e0f3", "c5d1e0f3"},
		{"swapper", Config{View: 4, Swap: 2}, "a0b2c9d1", "e9f8", "c9d1e9f8"},
		{"no more than is too much", Config{View: 4, Swap: 2}, "a0b2c9", "e9f8", "b2c9e9f8"},
		{"the oldest, then the head", Config{View: 4, Heal: 1, Swap: 1}, "a0b2c9d1", "e8f8", "b2d1e8f8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := Node{Config: &c.config, Self: peer('z'), View: view(c.view)}
			n.selectView(dice{}, view(c.received)) // without a draw
			if got := written(n.View); got != c.want {
				t.Errorf("view %s, want %s", got, c.want)
			}
		})
	}
}

// What H and S do not take goes by chance, everything alike.
func TestRandomRemoval(t *testing.T) {
	const trials = 6000
	ctx, stays := newDice(), [6]int{}
	for range trials {
		n := Node{Config: &Config{View: 4}, Self: peer('z'), View: view("a0b1c2d3")}
		n.selectView(ctx, view("e4f5"))
		if len(n.View) != 4 {
			t.Fatalf("view %s, want 4 entries", written(n.View))
		}
		for _, e := range n.View {
			stays[e.Age]++
		}
	}
	for age, count := range stays {
		if count < trials*2/3-200 || count > trials*2/3+200 { // five standard deviations
			t.Errorf("entry %d stayed %d times, want about %d", age, count, trials*2/3)
		}
	}
}

// A buffer is the node and c/2−1 entries, which are then the head of the view; the H
// oldest are at its end.
func TestBuffer(t *testing.T) {
	ctx, sent := newDice(), [8]int{}
	for range 1000 {
		n := Node{Config: &Config{View: 8, Heal: 2}, Self: peer('z'), View: view("a7b0c6d1e2f3g4h5")}
		b := n.buffer(ctx)
		if len(b) != 4 || b[0] != (Entry{Peer: peer('z')}) {
			t.Fatalf("buffer %s, want z0 and 3 entries", written(b))
		}
		if !slices.Equal(b[1:], n.View[:3]) {
			t.Fatalf("buffer %s, view %s: want the same head", written(b), written(n.View))
		}
		if got := written(n.View[6:]); got != "c6a7" {
			t.Fatalf("view ends with %s, want c6a7", got)
		}
		for _, e := range b[1:] {
			sent[e.Age]++
		}
	}
	for age, count := range sent[:6] {
		if count < 400 || count > 600 { // of 1000, half
			t.Errorf("entry of age %d was sent %d times, want about 500", age, count)
		}
	}
	n := Node{Config: &Config{View: 8, Heal: 2}, Self: peer('z'), View: view("a7b0")}
	if b := n.buffer(ctx); written(b) != "z0b0a7" {
		t.Errorf("buffer %s, want all of a short view, z0b0a7", written(b))
	}
}

func TestSelectPeer(t *testing.T) {
	ctx, drawn := newDice(), [4]int{}
	n := Node{Config: &Config{View: 4}, View: view("a0b3c1d2")}
	for range 1000 {
		drawn[n.index(n.selectPeer(ctx))]++
	}
	for i, count := range drawn {
		if count < 180 || count > 320 {
			t.Errorf("entry %d was selected %d times, want about 250", i, count)
		}
	}
	n.Config.Tail = true
	if got := n.selectPeer(ctx); got != peer('b') {
		t.Errorf("the tail is %v, want b", got)
	}
}
