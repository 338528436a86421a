package hosttest

import (
	"slices"
	"testing"
	"time"

	"peernet/actors"
)

// A Host runs nodes, numbered from 0, that can reach each other. It is used
// from one goroutine.
//
// Opening a link must take the host less than a quarter of a second, and so
// must a message over a link. The suite looks after a few seconds.
type Host interface {
	// Address is where node i accepts links, or would if it ran.
	Address(i int) actors.Address
	// Start starts node i with its root actor, or starts it again after it
	// ended. When it returns the node can be dialled.
	Start(i int, root actors.Actor)
	// Crash ends node i without a word. With reset its peers notice;
	// otherwise its links fall silent. When it returns, the node's actors
	// receive nothing more.
	Crash(i int, reset bool)
	// Run lets d pass. It returns an error if a node panicked, at any time,
	// with the value of the panic and its stack in the text. What the nodes
	// do is only sure to happen inside Run, and may happen outside.
	Run(d time.Duration) error
	// Close ends all nodes. Nothing is called afterwards.
	Close()
}

// Seeded is a host whose random streams are derived from a seed. The tests of
// those are skipped for others.
type Seeded interface {
	Host
	// Seed sets the seed. It is called before anything else.
	Seed(seed uint64)
}

// New makes a host without nodes.
type New func(t testing.TB) Host

// A test states one sentence of the contract.
type test struct {
	name string
	run  func(*bench)
}

// groups are all tests, in the order of package actors' documentation.
var groups = []struct {
	name  string
	tests []test
}{
	{"Start", startTests},
	{"Mailbox", mailboxTests},
	{"Clock", clockTests},
	{"Timer", timerTests},
	{"Stop", stopTests},
	{"Watch", watchTests},
	{"Ref", refTests},
	{"Rand", randTests},
	{"Dial", dialTests},
	{"Link", slices.Concat(linkTests, closeTests)},
	{"Datagram", datagramTests},
	{"Negotiation", negotiationTests},
	{"Crash", crashTests},
	{"Panic", panicTests},
}

// Test runs the suite. Each subtest has hosts of its own.
func Test(t *testing.T, new New) {
	TestIn(t, func(t *testing.T, f func(*testing.T)) { f(t) }, new)
}

// TestGroup runs one group of the suite, such as "Negotiation", for hosts that run
// the others in another way.
func TestGroup(t *testing.T, group string, new New) {
	for _, g := range groups {
		for _, c := range g.tests {
			if g.name == group {
				t.Run(c.name, func(t *testing.T) {
					t.Parallel() // they wait, most of the time
					c.run(newBench(t, new))
				})
			}
		}
	}
}

// TestIn runs the suite with each subtest inside a call of in, such as
// synctest.Test.
func TestIn(t *testing.T, in func(*testing.T, func(*testing.T)), new New) {
	for _, g := range groups {
		t.Run(g.name, func(t *testing.T) {
			for _, c := range g.tests {
				t.Run(c.name, func(t *testing.T) {
					in(t, func(t *testing.T) { c.run(newBench(t, new)) })
				})
			}
		})
	}
}
