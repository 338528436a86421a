package booktest

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"peernet/actors"
	"peernet/actors/book"
)

// alike runs the same random life over a book and over the model of one, and
// compares what they return. The guarantees are checked all along.
func (s suite) alike(t *testing.T) {
	for _, c := range []struct {
		name  string
		l     book.Limits
		known int // addresses in the world
	}{
		{"small", book.Limits{Entries: 20, PerSource: 8, Bars: 10}, 60},
		{"as in simulations", book.Limits{Entries: 64, PerSource: 16, Bars: 40}, 300},
		{"large", book.Limits{Entries: 150, PerSource: 40, Bars: 40}, 600},
		{"no quota", book.Limits{Entries: 100, PerSource: 1000, Bars: 40}, 300},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := limits()
			l.Entries, l.PerSource, l.Bars = c.l.Entries, c.l.PerSource, c.l.Bars
			for seed := range uint64(3) {
				n := newLife(l, s.open(t), c.known, seed)
				for step := range 1500 {
					n.step(t)
					n.invariants(t)
					if step%50 == 0 {
						n.compare(t)
					}
					if t.Failed() {
						t.Fatalf("seed %d, step %d", seed, step)
					}
				}
				n.compare(t)
			}
		})
	}
}

// A life is two tables to which the same happens: the first is over the model.
type life struct {
	limits book.Limits
	world  []actors.Address
	choice *rand.Rand // of what happens
	now    book.Seconds
	tables [2]book.Table
	rands  [2]*rand.Rand
	model  *model
	inUse  []actors.Address
	saved  []actors.Address
}

func newLife(l book.Limits, b book.Book, known int, seed uint64) *life {
	m := newModel()
	return &life{
		limits: l, world: addrs(0, known), choice: random(seed), now: 1, model: m,
		tables: [2]book.Table{book.NewTable(m, &l), book.NewTable(b, &l)},
		rands:  [2]*rand.Rand{random(seed + 100), random(seed + 100)},
	}
}

// both does the same to both tables and compares what it returns.
func both[T any](t *testing.T, n *life, what string, equal func(a, b T) bool, do func(table *book.Table, r *rand.Rand) T) T {
	t.Helper()
	a, b := do(&n.tables[0], n.rands[0]), do(&n.tables[1], n.rands[1])
	if !equal(a, b) {
		t.Errorf("%s returned %v, over the model %v", what, b, a)
	}
	return a
}

func same[T comparable](a, b T) bool { return a == b }

func (n *life) anyone() actors.Address { return n.world[n.choice.IntN(len(n.world))] }

func (n *life) some(most int) (list []actors.Address) {
	for range n.choice.IntN(most + 1) {
		list = append(list, n.anyone())
	}
	return list
}

func (n *life) forget(a actors.Address) {
	isIt := func(b actors.Address) bool { return a == b }
	n.inUse = slices.DeleteFunc(n.inUse, isIt)
	n.saved = slices.DeleteFunc(n.saved, isIt)
}

func (n *life) use(list ...actors.Address) {
	for _, a := range list {
		if _, ok := n.model.Find(a); ok && !slices.Contains(n.inUse, a) {
			n.inUse = append(n.inUse, a)
		}
	}
}

func (n *life) step(t *testing.T) {
	r := n.choice
	n.now += book.Seconds(r.IntN(20))
	switch k := r.IntN(100); {
	case k < 40:
		n.learn(t)
	case k < 55:
		most := r.IntN(4)
		list := both(t, n, "Draw", slices.Equal, func(table *book.Table, r *rand.Rand) []actors.Address {
			return table.Draw(nil, most, n.now, func(a actors.Address) bool { return a != n.world[0] }, r)
		})
		n.use(list...)
	case k < 70 && len(n.inUse) > 0:
		a := n.inUse[r.IntN(len(n.inUse))]
		n.result(t, a, book.Outcome(r.IntN(5)))
	case k < 75:
		n.result(t, n.anyone(), []book.Outcome{book.OutcomeFailed, book.OutcomeNone, book.OutcomeUp}[r.IntN(3)])
	case k < 78:
		a, source := n.anyone(), uint32(r.IntN(20)+1)
		both(t, n, "Met", same, func(table *book.Table, r *rand.Rand) bool { table.Met(a, source, n.now, r); return true })
	case k < 85:
		most, to := r.IntN(12), n.anyone()
		both(t, n, "Share", slices.Equal, func(table *book.Table, r *rand.Rand) []actors.Address {
			return table.Share(nil, most, to, nil, r)
		})
	case k < 88:
		a := n.anyone()
		err := both(t, n, "Save", errors.Is, func(table *book.Table, r *rand.Rand) error { return table.Save(a, n.now, r) })
		if err == nil {
			n.saved = append(n.saved, a)
		}
	case k < 92:
		a := n.anyone()
		if r.IntN(2) == 0 && len(n.saved) > 0 {
			a = n.saved[0]
		}
		both(t, n, "Remove", same, func(table *book.Table, _ *rand.Rand) bool { return table.Remove(a, n.now) })
		n.forget(a)
	case k < 93:
		a := n.anyone()
		for i := range n.tables {
			n.tables[i].Own(a, n.now)
		}
		n.forget(a)
	case k < 97:
		both(t, n, "Purge", same, func(table *book.Table, _ *rand.Rand) int { return table.Purge(n.now) })
	default:
		both(t, n, "Commit", same, func(table *book.Table, _ *rand.Rand) error { return table.Book().Commit() })
	}
}

func (n *life) learn(t *testing.T) {
	list, source, from := n.some(12), uint32(n.choice.IntN(12)), n.anyone()
	var fresh [2][]actors.Address
	i := 0
	both(t, n, "Learn", same, func(table *book.Table, r *rand.Rand) int {
		told := &fresh[i]
		i++
		return table.Learn(list, source, from, n.now, r, func(a actors.Address) { *told = append(*told, a) })
	})
	if !slices.Equal(fresh[0], fresh[1]) {
		t.Errorf("Learn told of %v, over the model of %v", fresh[1], fresh[0])
	}
}

func (n *life) result(t *testing.T, a actors.Address, o book.Outcome) {
	both(t, n, "Result", same, func(table *book.Table, r *rand.Rand) int {
		table.Result(a, o, n.now, r)
		return table.Book().Len()
	})
	if o == book.OutcomeUp || o == book.OutcomeDialling {
		n.use(a)
	} else {
		n.inUse = slices.DeleteFunc(n.inUse, func(b actors.Address) bool { return a == b })
	}
}

// invariants checks the guarantees, on the model.
func (n *life) invariants(t *testing.T) {
	t.Helper()
	m := n.model
	if m.Len() > n.limits.Entries || m.Bars() > n.limits.Bars {
		t.Errorf("%d entries and %d bars", m.Len(), m.Bars())
	}
	var of [12]int
	for _, e := range m.entries {
		if !e.Saved {
			of[e.Source]++
		}
		if until := m.Barred(e.Address); until > n.now {
			t.Errorf("at %d the book has %v, barred until %d", n.now, e.Address, until)
		}
	}
	if most := slices.Max(of[1:]); most > n.limits.PerSource {
		t.Errorf("%d entries of one source", most)
	}
	for _, a := range n.inUse {
		if _, ok := m.Find(a); !ok {
			t.Errorf("%v is gone although it is in use", a)
		}
	}
	for _, a := range n.saved {
		if i, ok := m.Find(a); !ok || !m.At(i).Saved {
			t.Errorf("%v is gone although it is saved", a)
		}
	}
}

func (n *life) compare(t *testing.T) {
	t.Helper()
	n.model.checkAll(t, n.tables[1].Book(), n.world)
	if a, b := n.rands[0].Uint64(), n.rands[1].Uint64(); a != b {
		t.Error("the books drew different amounts of randomness")
	}
}
