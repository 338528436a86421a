// Package book is the address book of a node: what it knows of where peers
// can be reached.
//
// A [Book] is the store: entries at positions 0 to Len−1, and bars. It is an
// interface with one test suite (booktest), so that a compact book in memory,
// a database on disk and a browser's store behave alike. A [Table] is the
// policy over any Book. What it guarantees:
//
//   - It is bounded: at most Limits.Entries addresses, at most Limits.Bars
//     bars, and at most Limits.PerSource addresses from one source. Saved ones
//     do not count towards that, and what the user gave has no such bound.
//   - An address that its user removed stays removed for Limits.RemovedFor,
//     whatever peers say; only its user can bring it back sooner. Of more than
//     Limits.Bars, those are remembered that stay removed longest.
//   - Purging only forgets: a purged address may be learned again.
//   - Saved addresses are never purged and never evicted.
//   - Eviction takes from the source with the most entries, first one that
//     fails, and never an address in use. A book of more than 64 is judged by
//     64 random positions of it: evicted is one of theirs, of the source that
//     has the most in the book.
//   - Of the addresses told to a peer, two fifths are of peers that connected
//     lately, at most one from each host: see [Table.Share].
//   - Sampling is uniform over positions, without repeats, by Floyd's
//     algorithm (Bentley and Floyd, "A sample of brilliance", 1987) with the
//     caller's random stream. So every Book draws alike.
//
// The source of an address is the host (of IPv6, the /64 network) that told of it, never an id that
// somebody claims: see [Entry.Source]. So whoever controls one host can have
// Limits.PerSource addresses in the book and, once it is full, about as many as the
// next largest source. Whoever controls many hosts is not held by this.
package book
