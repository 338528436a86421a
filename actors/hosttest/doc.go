// Package hosttest states what package peernet/actors promises as tests that
// every host passes: the simulator in virtual time, and real mailboxes and
// sockets. A protocol that was tried in the one then finds the other to be the
// same place.
//
// A host offers itself to the suite as a [Host] and its test is one line:
//
//	hosttest.Test(t, newHost)
//
// The suite starts no goroutines and never sleeps. All that lets time pass is
// [Host.Run]. For a host in real time that is time.Sleep, best inside a bubble
// of testing/synctest, of which every subtest needs its own:
//
//	hosttest.TestIn(t, synctest.Test, newHost)
//
// # How the tests are made
//
// Each subtest is one sentence of the contract, and its name says which. The
// actors under test are plays: actors made of a function. Whatever the test,
// each play checks in each Receive what holds always: that it is not entered
// twice, that Started is the first message and comes once, that Self is
// steady, that Now stands still meanwhile and never goes back, that what the
// host sends has no Sender.
//
// What plays hear they write into the bench's journal, which the test reads
// after Run. The journal is guarded by a mutex, and a play's other state is
// its own, so that the suite runs under the race detector on any host.
//
// Messages that cross links are *wire.Ping, numbered, as real hosts encode
// them. Messages between the actors of a node are of the suite's own type.
//
// # What the suite does not state
//
// Where the contract gives no promise the suite does not look: at the order of
// messages of different senders, at whether something in flight survives the
// crash of its sender, at how long anything takes. What takes hosts apart,
// full links and malformed bytes, is for the tests of the host.
package hosttest
