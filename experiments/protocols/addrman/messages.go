package addrman

import (
	"encoding/binary"

	"peernet/actors"
	"peernet/experiments/protocols/codec"
)

// Start has a node drop its outgoing connections, as a restart does, and make new ones.
type Start struct{}

// Dial has a Peer connect to a node.
type Dial struct{ To actors.Address }

// Version opens a connection.
type Version struct{}

// Verack accepts a connection.
type Verack struct{}

// GetAddr asks for addresses.
type GetAddr struct{}

// EntriesMax is how many addresses an Addr has at most.
const EntriesMax = 1000

// Addr tells of addresses.
type Addr struct{ Entries []Entry }

// An Entry is an address with its timestamp, in seconds, not negative.
type Entry struct {
	Address actors.Address
	Seen    int64
}

// wake ends a wait.
type wake struct{}

// What has no content; messages are immutable, so that one of each does.
var (
	version = &Version{}
	verack  = &Verack{}
	getAddr = &GetAddr{}
	wakeUp  = &wake{}
)

var (
	startKind   = actors.RegisterMessage("addrman.start", nil)
	dialKind    = actors.RegisterMessage("addrman.dial", nil)
	wakeKind    = actors.RegisterMessage("addrman.wake", nil)
	versionKind = actors.RegisterMessage("addrman.version", empty(version))
	verackKind  = actors.RegisterMessage("addrman.verack", empty(verack))
	getAddrKind = actors.RegisterMessage("addrman.getaddr", empty(getAddr))
	addrKind    = actors.RegisterMessage("addrman.addr", decodeAddr)
)

// empty decodes a message without content.
func empty(m actors.Message) func([]byte) (actors.Message, error) {
	return func(b []byte) (actors.Message, error) {
		if len(b) > 0 {
			return nil, codec.ErrBytes
		}
		return m, nil
	}
}

func decodeAddr(b []byte) (actors.Message, error) {
	r := codec.Reader{Bytes: b}
	m := &Addr{make([]Entry, r.Length(EntriesMax))}
	for i := range m.Entries {
		m.Entries[i] = Entry{r.Address(), int64(r.Uint64(1 << 62))}
	}
	return m, r.End()
}

// Kind implements [actors.Message].
func (*Start) Kind() actors.Kind { return startKind }

// Append implements [actors.Message].
func (*Start) Append(b []byte) []byte { return b }

// Kind implements [actors.Message].
func (*Dial) Kind() actors.Kind { return dialKind }

// Append implements [actors.Message].
func (m *Dial) Append(b []byte) []byte { return actors.AppendString(b, m.To.String()) }

// Kind implements [actors.Message].
func (*wake) Kind() actors.Kind { return wakeKind }

// Append implements [actors.Message].
func (*wake) Append(b []byte) []byte { return b }

// Kind implements [actors.Message].
func (*Version) Kind() actors.Kind { return versionKind }

// Append implements [actors.Message].
func (*Version) Append(b []byte) []byte { return b }

// Kind implements [actors.Message].
func (*Verack) Kind() actors.Kind { return verackKind }

// Append implements [actors.Message].
func (*Verack) Append(b []byte) []byte { return b }

// Kind implements [actors.Message].
func (*GetAddr) Kind() actors.Kind { return getAddrKind }

// Append implements [actors.Message].
func (*GetAddr) Append(b []byte) []byte { return b }

// Kind implements [actors.Message].
func (*Addr) Kind() actors.Kind { return addrKind }

// Append implements [actors.Message].
func (m *Addr) Append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(m.Entries)))
	for _, e := range m.Entries {
		b = binary.AppendUvarint(actors.AppendString(b, e.Address.String()), uint64(e.Seen))
	}
	return b
}
