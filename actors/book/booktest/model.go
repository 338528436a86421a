package booktest

import (
	"cmp"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"peernet/actors"
	"peernet/actors/book"
)

// A model is the most obvious Book.
type model struct {
	entries []book.Entry
	bars    map[actors.Address]book.Seconds
}

func newModel() *model { return &model{bars: map[actors.Address]book.Seconds{}} }

func (m *model) Len() int            { return len(m.entries) }
func (m *model) At(i int) book.Entry { return m.entries[i] }
func (m *model) Source(i int) (uint32, bool) {
	return m.entries[i].Source, m.entries[i].Saved
}

func (m *model) Sources(f func(uint32, bool)) {
	for i := range m.Len() {
		f(m.Source(i))
	}
}
func (m *model) Find(a actors.Address) (int, bool) {
	i := slices.IndexFunc(m.entries, func(e book.Entry) bool { return e.Address == a })
	return i, i >= 0
}
func (m *model) Append(e book.Entry)     { m.entries = append(m.entries, e) }
func (m *model) Set(i int, e book.Entry) { m.entries[i] = e }
func (m *model) Delete(i int) {
	m.entries[i] = m.entries[len(m.entries)-1]
	m.entries = m.entries[:len(m.entries)-1]
}
func (m *model) Bar(a actors.Address, until book.Seconds) { m.bars[a] = until }
func (m *model) Barred(a actors.Address) book.Seconds     { return m.bars[a] }
func (m *model) Bars() int                                { return len(m.bars) }
func (m *model) ExpireBars(now book.Seconds, most int) {
	order := slices.SortedFunc(maps.Keys(m.bars), func(a, b actors.Address) int {
		return cmp.Or(cmp.Compare(m.bars[a], m.bars[b]), cmp.Compare(a.String(), b.String()))
	})
	for _, a := range order {
		if m.bars[a] <= now || len(m.bars) > most {
			delete(m.bars, a)
		}
	}
}
func (m *model) Commit() error { return nil }

// checkAll compares a whole book with the model of it.
func (m *model) checkAll(t tester, b book.Book, universe []actors.Address) {
	t.Helper()
	check(t, b, m.entries)
	if b.Bars() != m.Bars() {
		t.Fatalf("Bars is %d, want %d", b.Bars(), m.Bars())
	}
	for _, a := range universe {
		if until := b.Barred(a); until != m.bars[a] {
			t.Fatalf("Barred(%v) is %d, want %d", a, until, m.bars[a])
		}
		if _, ok := m.Find(a); !ok {
			checkAbsent(t, b, a)
		}
	}
}

// testModel compares a book with the model after each of many random
// operations.
func testModel(t *testing.T, open func(t *testing.T) book.Book) {
	universe := addrs(0, 150)
	anyEntry := rapid.Custom(func(t *rapid.T) book.Entry {
		e := book.Entry{
			Source: rapid.Uint32Max(3).Draw(t, "source"),
			Saved:  rapid.Bool().Draw(t, "saved"),
			Seen:   book.Seconds(rapid.Uint32().Draw(t, "seen")),
		}
		if rapid.Bool().Draw(t, "tried") {
			e.Stats = book.Stats{
				OK:     rapid.Uint32().Draw(t, "ok"),
				Fail:   rapid.Uint32().Draw(t, "fail"),
				Rx:     rapid.Uint32().Draw(t, "rx"),
				Tx:     rapid.Uint32().Draw(t, "tx"),
				Tried:  book.Seconds(rapid.Uint32().Draw(t, "last tried")),
				Retry:  book.Seconds(rapid.Uint32().Draw(t, "retry")),
				Streak: rapid.Byte().Draw(t, "streak"),
			}
		}
		return e
	})
	anyAddress := rapid.SampledFrom(universe)
	anyTime := rapid.OneOf(rapid.Uint32Max(20), rapid.Just(uint32(book.Forever)))
	rapid.Check(t, func(rt *rapid.T) {
		b, m := open(t), newModel()
		anyPosition := func() int { return rapid.IntRange(0, m.Len()-1).Draw(rt, "position") }
		rt.Repeat(map[string]func(*rapid.T){
			"": func(rt *rapid.T) { m.checkAll(rt, b, universe) },
			"append": func(rt *rapid.T) {
				e := anyEntry.Draw(rt, "entry")
				e.Address = anyAddress.Draw(rt, "address")
				if _, ok := m.Find(e.Address); !ok {
					b.Append(e)
					m.Append(e)
				}
			},
			"append many": func(rt *rapid.T) {
				n := rapid.SampledFrom([]int{1, 20, 70}).Draw(rt, "n")
				e := anyEntry.Draw(rt, "entry")
				for _, a := range universe {
					if _, ok := m.Find(a); !ok && n > 0 {
						e.Address = a
						b.Append(e)
						m.Append(e)
						n--
					}
				}
			},
			"set": func(rt *rapid.T) {
				if m.Len() == 0 {
					return
				}
				i := anyPosition()
				e := anyEntry.Draw(rt, "entry")
				e.Address = m.At(i).Address
				b.Set(i, e)
				m.Set(i, e)
			},
			"delete": func(rt *rapid.T) {
				for range min(m.Len(), rapid.SampledFrom([]int{1, 1, 20, 70}).Draw(rt, "n")) {
					i := anyPosition()
					b.Delete(i)
					m.Delete(i)
				}
			},
			"bar": func(rt *rapid.T) {
				a, until := anyAddress.Draw(rt, "address"), book.Seconds(anyTime.Draw(rt, "until"))
				b.Bar(a, until)
				m.Bar(a, until)
			},
			"expire bars": func(rt *rapid.T) {
				now, most := book.Seconds(anyTime.Draw(rt, "now")), rapid.IntRange(0, 10).Draw(rt, "most")
				b.ExpireBars(now, most)
				m.ExpireBars(now, most)
			},
			"commit": func(rt *rapid.T) {
				if err := b.Commit(); err != nil {
					rt.Fatalf("Commit: %v", err)
				}
			},
		})
	})
}
