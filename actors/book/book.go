package book

import (
	"time"

	"peernet/actors"
)

// Seconds is a time in whole seconds of the node's clock.
type Seconds uint32

// Forever is a time that does not come.
const Forever = Seconds(1<<32 - 1)

// SecondsOf returns t in whole seconds, rounded down.
func SecondsOf(t actors.Time) Seconds { return Seconds(t / actors.Second) }

// Time returns s as a time of a node whose clock is Unix time; the zero Time for 0.
func (s Seconds) Time() time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.Unix(int64(s), 0).UTC()
}

// An Entry is what a book knows of an address.
type Entry struct {
	Address actors.Address
	// Source is the group that the address was first heard from: 0 for this
	// node's own user, otherwise a keyed hash of the remote host, or of its /64
	// network of IPv6.
	Source uint32
	Saved  bool    // by the user or as bootstrap: never purged or evicted
	Seen   Seconds // when it was last heard of
	Stats
}

// Stats counts what happened with an address.
type Stats struct {
	OK     uint32  // dials whose hello was answered, refusals included
	Fail   uint32  // dials that failed or were not answered
	Rx     uint32  // addresses received from it
	Tx     uint32  // addresses sent to it
	Tried  Seconds // when it was last dialled; 0 is never
	Retry  Seconds // not to be dialled before
	Streak uint8   // failures since it last answered, at most 255
}

// A Book stores entries at positions 0 to Len−1, and bars: addresses that must
// not be used until some time. It is used by one actor at a time.
//
// Changes are seen by later reads at once and are durable when Commit has
// returned nil. A failing disk shows at Commit, which returns the first error
// since the last one; reads after a failure return zero values.
type Book interface {
	// Len is the number of entries.
	Len() int
	// At returns the entry at position i, 0 ≤ i < Len().
	At(i int) Entry
	// Source returns the source of the entry at position i, and whether it is
	// saved: what At would, without reading the rest.
	Source(i int) (source uint32, saved bool)
	// Sources calls f with what Source returns for all positions.
	Sources(f func(source uint32, saved bool))
	// Find returns the position of a.
	Find(a actors.Address) (i int, ok bool)
	// Append adds e at position Len(). Its address must not be present.
	Append(e Entry)
	// Set replaces the entry at position i by one with the same address.
	Set(i int, e Entry)
	// Delete removes position i; the last entry moves there.
	Delete(i int)

	// Bar bars a until the given time, replacing an earlier bar.
	Bar(a actors.Address, until Seconds)
	// Barred returns until when a is barred, 0 for not at all. Bars that ran
	// out are returned until ExpireBars drops them.
	Barred(a actors.Address) Seconds
	// Bars is the number of bars.
	Bars() int
	// ExpireBars drops the bars that end at now or before, and, if more than
	// most would remain, those that end first; of those that end together,
	// the one whose address comes first as text.
	ExpireBars(now Seconds, most int)

	// Commit makes all changes durable.
	Commit() error
}
