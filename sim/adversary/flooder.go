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

// stride leads from one made-up address to the next: odd, so that none comes a
// second time before all of the range were there.
const stride = 0x9e3779b1

// made-up addresses have the port of simulated nodes: elsewhere any will do.
const madePort = 4000

func (f *flooder) tell(ctx actors.Context, m *machine, n int) []actors.Address {
	list := make([]actors.Address, n)
	for i := range list {
		list[i] = f.makeUp(m)
	}
	ctx.Emit(actors.Event{Kind: EventPoisoned, N: int64(n)})
	return list
}

// makeUp returns the next address that nobody has. Each machine begins elsewhere.
func (f *flooder) makeUp(m *machine) actors.Address {
	f.made++
	from := m.config.Nobody.Masked()
	host := ^uint32(0) >> from.Bits()
	base := from.Addr().As4()
	ip := binary.BigEndian.Uint32(base[:]) | (uint32(m.seed[0])+f.made*stride)&host
	text := netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, ip))).String()
	return actors.MustAddress("ws://" + text + ":" + strconv.Itoa(madePort))
}

func (f *flooder) act(ctx actors.Context, m *machine, n int) {
	for range n {
		i := m.pick(ctx, actors.Ref{})
		if i < 0 {
			return
		}
		list := f.tell(ctx, m, wire.AddressesMax)
		ctx.Send(m.contacts[i].speaker, &say{[]actors.Message{wire.NewAddresses(list)}})
	}
}
