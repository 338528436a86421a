// Package indexeddb keeps the address book of a node in a browser, in IndexedDB.
//
// A [Book] has all entries in memory. Commit writes what has changed since the last in
// one transaction, and returns when that is complete: a page that is closed keeps all
// or nothing of it. Where the browser has no IndexedDB, or forbids it, as in some
// private windows, the book is in memory alone, and says so by Persistent.
//
// Two pages of one site that open the same database share what they commit, and each
// reads it when it opens: of an address that both have changed, the later Commit
// counts.
package indexeddb
