// Package addrman is the address manager of Bitcoin nodes before release 0.10.1, and what
// was changed in it afterwards: Heilman, Kendler, Zohar, Goldberg, "Eclipse attacks on
// Bitcoin's peer-to-peer network" (USENIX Security 2015), section 2 for the tables, section
// 7 for the changes.
//
// A node keeps addresses in two tables of buckets. New has those that it was told of, in a
// bucket chosen by the group of the address and that of who told; tried has those that it
// had a connection with, either way, in a bucket chosen by the group of the address alone:
// one of few. A group is a /16 network. Nothing but tables, and timestamps in them, decides
// whom a node that restarts connects to.
//
// # What it guarantees
//
//   - An address is in tried or in new, never in both; in tried once, in new in at most
//     [NewPerAddress] buckets.
//   - The addresses of a group are in at most Config.TriedPerGroup buckets of tried; what
//     one group told is in at most Config.NewPerSource buckets of new.
//   - A full bucket makes room: in tried the one of four random addresses goes whose last
//     connection is the longest ago, and goes back to new; in new first one that is
//     terrible, then the least recently seen of four.
//   - Outgoing connections are to different groups.
//
// # What is an option
//
// The changes are options, one by one: no preference for recent timestamps
// (Config.Uniform), one slot for each address in place of the choice of four
// (Config.Fixed), more buckets. [Before] and [After] have the values of the releases.
//
// # What the paper leaves open
//
// That an address is passed over if it was tried in the last ten minutes, the penalty of
// two hours on timestamps, and what is terrible are in the program and not in the paper;
// they are here as in the program. With Config.Uniform both tables are equally likely, as
// in later releases; the paper does not say. Incoming connections are not kept: they end
// with the handshake, so that there is no limit of 117. Addresses of seed servers, and the
// feelers of later releases, are left out.
package addrman

import (
	"time"

	"peernet/actors"
)

// A Config is a variant. It is shared by nodes, and not changed.
type Config struct {
	TriedBuckets  int // of tried
	TriedPerGroup int // buckets of tried that a group maps to
	NewBuckets    int // of new; 0 is no such table: what tried evicts is forgotten
	NewPerSource  int // buckets of new that what a group tells maps to
	Slots         int // addresses in a bucket
	GroupBits     int // of an IPv4 address that are its group: 16 in Bitcoin
	Outgoing      int // connections that a node makes
	// Uniform selects without regard to timestamps: each address of a table is
	// equally likely.
	Uniform bool
	// Fixed gives each address one slot of its bucket, by hash: who comes takes it.
	Fixed bool
	// Timeout is how long an outgoing connection may take, Pause the time between two
	// attempts.
	Timeout, Pause time.Duration
}

// Before returns the values of the releases up to 0.10.0.
func Before() Config {
	return Config{TriedBuckets: 64, TriedPerGroup: 4, NewBuckets: 256, NewPerSource: 32, Slots: 64, GroupBits: 16,
		Outgoing: 8, Timeout: 5 * time.Second, Pause: 500 * time.Millisecond}
}

// After returns the values with all changes.
func After() Config {
	c := Before()
	c.TriedBuckets, c.TriedPerGroup, c.NewBuckets, c.NewPerSource = 256, 8, 1024, 64
	c.Uniform, c.Fixed = true, true
	return c
}

// Limits of the program.
const (
	NewPerAddress = 4        // buckets of new that an address is in at most
	inspect       = 4        // addresses that compete to be evicted
	penalty       = 2 * 3600 // seconds off the timestamps that others tell
	horizon       = 30 * 86400
	retries       = 3 // attempts without any success
	failures      = 10
	failureSpan   = 7 * 86400
	recent        = 600 // seconds; who was tried since is passed over
	attemptsMax   = 100 // selections for one connection
)

// A Node is the actor. It answers who connects, and makes connections of its own after a
// [Start].
type Node struct {
	Config *Config
	Book
	Outgoing []actors.Address // that it made, in their order
	Attempts int              // to make them

	dialling actors.Address
	timer    actors.Timer
}

// Receive implements [actors.Actor].
func (n *Node) Receive(ctx actors.Context, m actors.Message) {
	n.Book.rand = ctx.Rand() // it is the Context's, and may be another the next time
	switch m := m.(type) {
	case *actors.Started:
		n.Book.start(n.Config)
	case *Start:
		ctx.Cancel(n.timer)
		n.Outgoing, n.Attempts, n.dialling = nil, 0, actors.Address{}
		n.open(ctx)
	case *wake:
		n.dialling = actors.Address{} // the attempt failed, if there is one
		n.open(ctx)
	case *actors.Datagram:
		n.arrived(ctx, m.From, m.Payload)
	}
}

func (n *Node) arrived(ctx actors.Context, from actors.Address, m actors.Message) {
	now := seconds(ctx)
	switch m := m.(type) {
	case *Version:
		n.Add(from, from, now, now)
		n.Good(from, now)
		send(ctx, from, verack)
	case *Verack:
		if n.dialling != from {
			return
		}
		n.Good(from, now)
		n.Outgoing, n.dialling = append(n.Outgoing, from), actors.Address{}
		send(ctx, from, getAddr)
		ctx.Cancel(n.timer)
		n.timer = ctx.After(n.Config.Pause, wakeUp)
	case *GetAddr:
		if told := n.sample(now); len(told) > 0 {
			send(ctx, from, &Addr{told})
		}
	case *Addr:
		for _, e := range m.Entries {
			n.Add(e.Address, from, min(e.Seen, now)-penalty, now)
		}
	}
}

// open attempts one connection, if there are too few.
func (n *Node) open(ctx actors.Context) {
	if len(n.Outgoing) >= n.Config.Outgoing {
		return
	}
	wait := n.Config.Pause
	if info := n.candidate(seconds(ctx)); info != nil {
		info.Tried, info.Failures = seconds(ctx), info.Failures+1
		n.Attempts++
		n.dialling, wait = info.Address, n.Config.Timeout
		send(ctx, info.Address, version)
	}
	n.timer = ctx.After(wait, wakeUp)
}

// candidate selects whom to connect to, or nobody: then it is tried again later.
func (n *Node) candidate(now int64) *Info {
	for tries := 1; tries <= attemptsMax; tries++ {
		info := n.Select(len(n.Outgoing), now)
		if info == nil || n.connected(info) {
			return nil
		}
		if now-info.Tried >= recent || tries >= 30 {
			return info
		}
	}
	return nil
}

// connected reports whether there is a connection with the group of an address.
func (n *Node) connected(info *Info) bool {
	for _, a := range n.Outgoing {
		if n.group(ip(a)) == n.group(info.ip) {
			return true
		}
	}
	return false
}

// A Peer is a node as seen by others: it answers, and connects to whom it is told to. It
// keeps nothing, so that one value can be the actor of all the many nodes that are there
// only to be in the tables of others.
type Peer struct{}

// Receive implements [actors.Actor].
func (*Peer) Receive(ctx actors.Context, m actors.Message) {
	switch m := m.(type) {
	case *Dial:
		send(ctx, m.To, version)
	case *actors.Datagram:
		if _, ok := m.Payload.(*Version); ok {
			send(ctx, m.From, verack)
		}
	}
}

func send(ctx actors.Context, to actors.Address, m actors.Message) {
	ctx.(actors.Datagrams).SendTo(to, m)
}

// never is a time that is long ago at the start of any clock.
const never = -1 << 40

func seconds(ctx actors.Context) int64 { return int64(ctx.Now() / actors.Second) }
