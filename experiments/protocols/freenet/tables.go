package freenet

import (
	"math/rand/v2"

	"peernet/actors"
)

// A Store is what a node has data of, the most recently used first.
type Store []Key

// Has reports whether there are data of a key; use counts as a use.
func (s Store) Has(k Key, use bool) bool {
	for i, have := range s {
		if have == k {
			if use {
				toFront(s, i)
			}
			return true
		}
	}
	return false
}

// Put adds data; more than limit push out what was not used for the longest time.
func (s *Store) Put(k Key, limit int) {
	if s.Has(k, true) || limit == 0 {
		return
	}
	*s = pushFront(*s, k, limit)
}

// A Route is an entry of a routing table: who had a key.
type Route struct {
	Key  Key
	Node actors.Address
}

// A Table is a routing table, the most recently used entry first.
type Table []Route

// Learn enters that a node has a key. Of a key, the last counts.
func (t *Table) Learn(k Key, node actors.Address, limit int) {
	for i, r := range *t {
		if r.Key == k {
			(*t)[i].Node = node
			toFront(*t, i)
			return
		}
	}
	*t = pushFront(*t, Route{k, node}, limit)
}

// Closest returns the node with the closest key of those that are not to be skipped, the
// zero Address if there is none; use counts as a use.
func (t Table) Closest(k Key, use bool, skip func(actors.Address) bool) actors.Address {
	best := -1
	for i, r := range t {
		if (best < 0 || distance(r.Key, k) < distance(t[best].Key, k)) && !skip(r.Node) {
			best = i
		}
	}
	if best < 0 {
		return actors.Address{}
	}
	node := t[best].Node
	if use {
		toFront(t, best)
	}
	return node
}

// Any returns the node of a random entry of those that are not to be skipped.
func (t Table) Any(r *rand.Rand, skip func(actors.Address) bool) (chosen actors.Address) {
	seen := 0
	for _, route := range t {
		if skip(route.Node) {
			continue
		}
		if seen++; r.IntN(seen) == 0 {
			chosen = route.Node
		}
	}
	return chosen
}

// toFront moves an element to the front.
func toFront[T any](s []T, i int) {
	x := s[i]
	copy(s[1:i+1], s[:i])
	s[0] = x
}

// pushFront puts an element before the others, of which the last goes if there are too many.
func pushFront[T any](s []T, x T, limit int) []T {
	if len(s) < limit {
		s = append(s, x)
	}
	copy(s[1:], s)
	s[0] = x
	return s
}
