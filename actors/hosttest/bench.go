package hosttest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"peernet/actors"
	"peernet/actors/wire"
)

// settle is time enough for all that a test set off, on any host.
const settle = 3 * time.Second

// A bench is what one test works with: a host, and the journal.
type bench struct {
	testing.TB
	host Host
	new  New

	mu      sync.Mutex
	journal map[string][]string // what was noted, by who
}

func newBench(t testing.TB, new New) *bench {
	b := &bench{TB: t, host: new(t), new: new, journal: map[string][]string{}}
	t.Cleanup(b.host.Close)
	return b
}

// another returns a bench with a host and a journal of its own.
func (b *bench) another() *bench { return newBench(b.TB, b.new) }

// run lets time pass in which nothing may panic.
func (b *bench) run(d time.Duration) {
	b.Helper()
	if err := b.host.Run(d); err != nil {
		b.Fatalf("Run: %v", err)
	}
}

// note writes into the journal.
func (b *bench) note(who, format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.journal[who] = append(b.journal[who], fmt.Sprintf(format, args...))
}

// noted returns what somebody noted so far.
func (b *bench) noted(who string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.journal[who])
}

// journals returns what everybody noted so far.
func (b *bench) journals() map[string][]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := map[string][]string{}
	for who, lines := range b.journal {
		all[who] = slices.Clone(lines)
	}
	return all
}

// count counts what somebody noted that starts with a prefix.
func (b *bench) count(who, prefix string) (n int) {
	for _, line := range b.noted(who) {
		if strings.HasPrefix(line, prefix) {
			n++
		}
	}
	return n
}

// want fails the test unless somebody noted exactly these lines.
func (b *bench) want(who string, lines ...string) {
	b.Helper()
	if got := b.noted(who); !slices.Equal(got, lines) {
		b.Errorf("%s heard\n\t%s\nwant\n\t%s", who, strings.Join(got, ", "), strings.Join(lines, ", "))
	}
}

// describe is how a message reads in the journal.
func describe(m actors.Message) string {
	switch m := m.(type) {
	case *note:
		return m.Text
	case *wire.Ping:
		return ping(int(m.Nonce))
	case *actors.Started:
		return "started"
	case *actors.Terminated:
		return "terminated"
	case *actors.LinkIn:
		return "in"
	case *actors.LinkUp:
		return "up"
	case *actors.LinkDown:
		if m.ID != 0 {
			return "no link: " + m.Reason.String()
		}
		return "down: " + m.Reason.String()
	case *actors.Datagram:
		return "datagram " + describe(m.Payload)
	}
	return m.Kind().String()
}

// ping is how a ping reads in the journal.
func ping(n int) string { return fmt.Sprint("ping ", n) }

// pings is how the pings from one number to below another read.
func pings(from, below int) (lines []string) {
	for n := from; n < below; n++ {
		lines = append(lines, ping(n))
	}
	return lines
}

// sendPings sends the pings from one number to below another.
func (b *bench) sendPings(l actors.Link, from, below int) {
	for n := from; n < below; n++ {
		if err := l.Send(&wire.Ping{Nonce: uint64(n)}); err != nil {
			b.Errorf("Send of ping %d: %v", n, err)
		}
	}
}

// A note is what the actors of a node tell each other.
type note struct {
	Text string
	N    int
	Ref  actors.Ref
}

var noteKind = actors.RegisterMessage("hosttest.note", nil)

// Kind implements [actors.Message].
func (*note) Kind() actors.Kind { return noteKind }

// Append implements [actors.Message].
func (m *note) Append(b []byte) []byte {
	b = actors.AppendString(b, m.Text)
	b = actors.AppendString(b, fmt.Sprint(m.N))
	return actors.AppendRef(b, m.Ref)
}

// is reports whether m is the note with a text.
func is(m actors.Message, text string) bool {
	n, ok := m.(*note)
	return ok && n.Text == text
}

// isStarted reports whether m is Started, on which most plays begin.
func isStarted(m actors.Message) bool {
	_, ok := m.(*actors.Started)
	return ok
}
