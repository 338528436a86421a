package adversary

import (
	"encoding/binary"
	"net/netip"
	"strconv"

	"peernet/actors"
	"peernet/actors/wire"
)

// A flooder tells of addresses that are nobody's.
type flooder struct {
	member
	made uint32 // addresses so far
}

// madePort is that of simulated nodes; elsewhere any will do.
const madePort = 4000

func (f *flooder) tell(ctx actors.Context, m *machine, n int) *wire.Addresses {
	list := make([]actors.Address, n)
	for i := range list {
		list[i] = f.makeUp(m)
	}
	told := wire.NewAddresses(list)
	ctx.Emit(actors.Event{Kind: EventPoisoned, Message: told, N: int64(n)})
	return told
}

// makeUp returns the next address that nobody has. The step from one to the next
// is odd, so that none comes again before all of the range were there; each
// machine has a step and a start of its own.
func (f *flooder) makeUp(m *machine) actors.Address {
	f.made++
	from := m.config.Nobody.Masked()
	host := ^uint32(0) >> from.Bits()
	base := from.Addr().As4()
	ip := binary.BigEndian.Uint32(base[:]) | (uint32(m.seed[0])+f.made*(uint32(m.seed[1])|1))&host
	text := netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, ip))).String()
	return actors.MustAddress("ws://" + text + ":" + strconv.Itoa(madePort))
}

func (f *flooder) act(ctx actors.Context, m *machine, n int) {
	for range n {
		i := m.pick(ctx, actors.Ref{})
		if i < 0 {
			return
		}
		ctx.Send(m.contacts[i].speaker, &say{[]actors.Message{f.tell(ctx, m, wire.AddressesMax)}})
	}
}
