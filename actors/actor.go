package actors

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// An Actor handles one message at a time.
type Actor interface {
	// Receive handles m. The context is valid only until Receive returns.
	Receive(ctx Context, m Message)
}

// A Foreseer is an actor that can tell which memory a message will make it read,
// where that depends on the message. A host of very many actors has the
// processor fetch it ahead, and may as well not ask.
type Foreseer interface {
	// Foresee returns where Receive(m) will look, or nil. It changes nothing.
	Foresee(m Message) *uint64
}

// A Blocker is an actor whose Receive may wait, for a disk say. A host with few
// goroutines for many actors lets it have one of its own meanwhile.
type Blocker interface{ MayBlock() }

// Time is the clock of a node in nanoseconds: virtual time since the start of
// a simulation, or Unix time in production.
type Time int64

// Common spans of [Time].
const (
	Millisecond = Time(time.Millisecond)
	Second      = Time(time.Second)
)

// Add returns t shifted by d.
func (t Time) Add(d time.Duration) Time { return t + Time(d) }

// Sub returns the duration t−u.
func (t Time) Sub(u Time) time.Duration { return time.Duration(t - u) }

// String formats t as a duration since the clock's zero.
func (t Time) String() string { return time.Duration(t).String() }

// A Ref names an actor of the same node: a slot and the generation of what
// lives in it. The zero Ref names nobody; what is sent to it is dropped.
type Ref struct {
	Slot uint32
	Gen  uint32 // from 1 up; 0 only in the zero Ref
}

// IsZero reports whether r names nobody.
func (r Ref) IsZero() bool { return r.Gen == 0 }

// String formats r for people.
func (r Ref) String() string { return fmt.Sprintf("%d.%d", r.Slot, r.Gen) }

// A Timer names a pending [Context.After]. The zero Timer is none.
type Timer uint64

// A DialID names an attempt to open a link, unique within a node's life. The
// zero DialID is none.
type DialID uint64

// A Context is what an actor can do. It is valid only inside Receive.
type Context interface {
	// Self is the actor that receives.
	Self() Ref
	// Sender is the actor that sent the message at hand, or the zero Ref if
	// it came from the host: from a link, a timer, a dial, a Watch, the world
	// outside.
	Sender() Ref
	// Now is the node's clock. It does not change during Receive.
	Now() Time
	// Rand is the actor's own random stream.
	Rand() *rand.Rand
	// Send hands m to another actor of this node. It never blocks.
	Send(to Ref, m Message)
	// After delivers m to Self once, d from now. A d of zero or less is due
	// at once, after the messages that are already on their way.
	After(d time.Duration, m Message) Timer
	// Cancel stops a timer of this actor. Cancelling one that fired, or the
	// zero Timer, does nothing.
	Cancel(t Timer)
	// Spawn starts a. Its random stream depends on the seed, the node, the
	// node's incarnation, name, and how many actors of that name the node
	// spawned before, and on nothing else.
	Spawn(name string, a Actor) Ref
	// Stop ends an actor as if by a message from Self. An actor that stops
	// itself still finishes its Receive, and what it does there counts.
	Stop(who Ref)
	// Watch asks for one *Terminated when who has ended. Each call gets its
	// own.
	Watch(who Ref)
	// Dial opens a link to an address; the answer comes to Self as exactly
	// one *LinkUp or *LinkDown with the same id.
	Dial(to Address) DialID
	// CancelDial gives up a dial of this actor. The answer still comes: a
	// *LinkDown, or a *LinkUp that was already under way.
	CancelDial(id DialID)
	// Emit reports e to whoever observes the host. It has no effect on any
	// actor and allocates nothing when nobody observes.
	Emit(e Event)
}

// Datagrams is what the Context of some hosts can do besides: address any node
// directly, without a link. Protocols over a complete graph use it.
type Datagrams interface {
	// SendTo sends m to the root actor of the node at an address, where it
	// arrives as *Datagram. It may be lost, and overtake others.
	SendTo(to Address, m Message)
}
