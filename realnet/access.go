package realnet

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"peernet/actors"
)

// EventForbidden: a link that came in from Address is broken off, because the
// access lists say so.
var EventForbidden = actors.RegisterEvent("net.forbidden")

// EventCrowded: a link that came in from Address is broken off, because N are open,
// or a quarter of N from its host, those that are closing included.
var EventCrowded = actors.RegisterEvent("net.crowded")

// Access says which IP addresses a node has links with, dialled or accepted. The
// zero value permits all.
type Access struct {
	// Allow, unless empty, is all that is permitted.
	Allow []netip.Prefix
	// Ban is what is not, even if allowed.
	Ban []netip.Prefix
}

// Permits reports whether links with ip are permitted.
func (a Access) Permits(ip netip.Addr) bool {
	ip = ip.Unmap()
	return !within(a.Ban, ip) && (len(a.Allow) == 0 || within(a.Allow, ip))
}

func within(list []netip.Prefix, ip netip.Addr) bool {
	for _, p := range list {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

// permitsAll reports whether there is nothing to look at.
func (a Access) permitsAll() bool { return len(a.Allow) == 0 && len(a.Ban) == 0 }

// permitsDial is Permits for an address to dial, as far as it shows: names are
// looked up later.
func (a Access) permitsDial(to actors.Address) bool {
	if a.permitsAll() {
		return true
	}
	ip, err := netip.ParseAddr(to.Host())
	return err != nil || a.Permits(ip)
}

// permitsLink is Permits for a link that came in.
func (a Access) permitsLink(from actors.Address) bool {
	if a.permitsAll() {
		return true
	}
	ip, err := netip.ParseAddr(from.Host())
	return err == nil && a.Permits(ip)
}

// ParsePrefix reads a prefix of IP addresses as 192.0.2.0/24 or 2001:db8::/32, or
// one address.
func ParsePrefix(s string) (netip.Prefix, error) {
	if ip, err := netip.ParseAddr(s); err == nil && ip.Zone() == "" {
		ip = ip.Unmap()
		return netip.PrefixFrom(ip, ip.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, fmt.Errorf("%q is no prefix of IP addresses such as 192.0.2.0/24", s)
	}
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return p, fmt.Errorf("%q is wider than all addresses of IPv4", s)
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), nil
}

// errForbidden is the error of a dial that the access lists do not permit.
var errForbidden = errors.New("realnet: forbidden by the access lists")

// dialer returns a dialer that looks at what names stand for.
func (a Access) dialer() net.Dialer {
	if a.permitsAll() {
		return net.Dialer{}
	}
	return net.Dialer{Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil || !a.Permits(at.Addr()) {
			return errForbidden
		}
		return nil
	}}
}
