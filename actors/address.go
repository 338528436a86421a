package actors

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"unique"
)

// AddressMax is the longest canonical address in bytes.
const AddressMax = 256

// ErrAddress is wrapped by every error of [ParseAddress].
var ErrAddress = errors.New("actors: bad address")

// An Address says where a node can be reached: scheme://host:port/path in
// canonical form. It is a small interned value: two addresses are equal
// exactly if their canonical texts are. The zero Address is none.
type Address struct {
	value unique.Handle[canonical]
}

// canonical is what an Address stands for. All but text follows from it, and is there to
// be looked up without reading it, which may be anywhere in memory.
type canonical struct {
	text string
	ip   [4]byte // see IPv4
	port uint16
	ipv4 bool
}

// IsZero reports whether a is no address.
func (a Address) IsZero() bool { return a == Address{} }

// String returns the canonical text, "" for the zero Address.
func (a Address) String() string {
	if a.IsZero() {
		return ""
	}
	return a.value.Value().text
}

// IPv4 returns host and port of ws://a.b.c.d:port, and false for any other address: with
// another scheme, a name, IPv6, or a path.
func (a Address) IPv4() (ip [4]byte, port uint16, ok bool) {
	if a.IsZero() {
		return
	}
	c := a.value.Value()
	return c.ip, c.port, c.ipv4
}

// Scheme returns the part before "://".
func (a Address) Scheme() string {
	scheme, _, _ := strings.Cut(a.String(), "://")
	return scheme
}

// Host returns the host without port, IPv6 addresses without brackets.
func (a Address) Host() string {
	_, rest, _ := strings.Cut(a.String(), "://")
	authority, _, _ := strings.Cut(rest, "/")
	if i := strings.LastIndexByte(authority, ':'); i >= 0 {
		authority = authority[:i]
	}
	return strings.Trim(authority, "[]")
}

// IsLoopback reports whether the address means the machine that it is used on:
// its host is a loopback address, "localhost", or the unspecified address.
func (a Address) IsLoopback() bool {
	_, rest, _ := strings.Cut(a.String(), "://")
	if rest == "" {
		return false
	}
	switch rest[0] {
	case '[', '0', '1': // parsed below
	default:
		return strings.HasPrefix(rest, "localhost:") || strings.HasSuffix(a.Host(), ".localhost")
	}
	ip, err := netip.ParseAddr(a.Host())
	if err != nil {
		return strings.HasSuffix(a.Host(), ".localhost")
	}
	ip = ip.Unmap()
	return ip.IsLoopback() || ip.IsUnspecified()
}

// IsUnspecified reports whether the host is an address such as 0.0.0.0, which can be
// listened on and not dialled.
func (a Address) IsUnspecified() bool {
	ip, err := netip.ParseAddr(a.Host())
	return err == nil && ip.Unmap().IsUnspecified()
}

// Network is what stands for all addresses of whoever has this one: the host or, of
// IPv6, where a host has many addresses, the network of 64 bits that it is in.
func (a Address) Network() string {
	host := a.Host()
	if strings.Contains(host, ":") {
		if ip, err := netip.ParseAddr(host); err == nil {
			return networkOf(ip)
		}
	}
	return host
}

// nat64 is where the addresses of IPv4 are in IPv6 behind a translator (RFC
// 6052).
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

func networkOf(ip netip.Addr) string {
	if nat64.Contains(ip) {
		b := ip.As16()
		return netip.AddrFrom4([4]byte(b[12:])).String()
	}
	if ip = ip.Unmap(); ip.Is4() {
		return ip.String()
	}
	network, err := ip.Prefix(64)
	if err != nil {
		return ip.String()
	}
	return network.String()
}

// defaultPorts are assumed where an address names none.
func defaultPort(scheme string) string {
	switch scheme {
	case "ws", "http":
		return "80"
	case "wss", "https":
		return "443"
	}
	return ""
}

// ParseAddress returns the canonical form of s.
//
// Scheme and host are lowered, an IP address is written in its shortest form,
// the default port of ws (80) and wss (443) is filled in, a lone trailing
// slash is dropped. Errors wrap [ErrAddress] and say what is wrong.
func ParseAddress(s string) (Address, error) {
	if len(s) > AddressMax {
		return Address{}, fmt.Errorf("%w: %d bytes, at most %d allowed", ErrAddress, len(s), AddressMax)
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return Address{}, fmt.Errorf("%w %q: only printable ASCII without spaces is allowed", ErrAddress, s)
		}
	}
	scheme, rest, ok := strings.Cut(s, "://")
	scheme = strings.ToLower(scheme)
	if !ok || !validScheme(scheme) {
		return Address{}, fmt.Errorf("%w %q: want scheme://host:port", ErrAddress, s)
	}
	authority, path, hasPath := strings.Cut(rest, "/")
	host, port, err := splitAuthority(authority)
	if err != nil {
		return Address{}, fmt.Errorf("%w %q: %w", ErrAddress, s, err)
	}
	if port == "" {
		port = defaultPort(scheme)
	}
	number, err := parsePort(port)
	if err != nil {
		return Address{}, fmt.Errorf("%w %q: %w", ErrAddress, s, err)
	}
	c := canonical{text: scheme + "://" + host + ":" + strconv.Itoa(int(number))}
	if hasPath && path != "" {
		c.text += "/" + path
	} else if scheme == "ws" {
		if ip, err := netip.ParseAddr(host); err == nil && ip.Is4() {
			c.ip, c.port, c.ipv4 = ip.As4(), number, true
		}
	}
	if len(c.text) > AddressMax {
		return Address{}, fmt.Errorf("%w: %d bytes, at most %d allowed", ErrAddress, len(c.text), AddressMax)
	}
	return Address{unique.Make(c)}, nil
}

// MustAddress is [ParseAddress] for addresses known to be good; it panics on
// an error.
func MustAddress(s string) Address {
	a, err := ParseAddress(s)
	if err != nil {
		panic(err)
	}
	return a
}

func validScheme(s string) bool {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '+' && c != '-' && c != '.' {
			return false
		}
	}
	return true
}

// splitAuthority separates host and port and writes the host canonically.
func splitAuthority(s string) (host, port string, err error) {
	if strings.ContainsAny(s, "@?#") {
		return "", "", errors.New("no user, query or fragment is allowed")
	}
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return "", "", errors.New("missing ]")
		}
		ip, err := netip.ParseAddr(s[1:end])
		if err != nil || !ip.Is6() || ip.Zone() != "" {
			return "", "", errors.New("want an IPv6 address without zone in brackets")
		}
		rest := s[end+1:]
		if rest != "" && rest[0] != ':' {
			return "", "", errors.New("want :port after ]")
		}
		return "[" + ip.String() + "]", strings.TrimPrefix(rest, ":"), nil
	}
	host, port, _ = strings.Cut(s, ":")
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if host == "" {
		return "", "", errors.New("missing host")
	}
	// A second dot at the end would be dropped by the next ParseAddress, so the
	// text would not be canonical.
	if strings.HasSuffix(host, ".") || strings.ContainsAny(host, "[]:%\\\"<>^`{|}") {
		return "", "", errors.New("bad host")
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.String(), port, nil
	}
	// Resolvers take 127.1 or 0x7f000001 for an IPv4 address.
	last := host[strings.LastIndexByte(host, '.')+1:]
	if _, err := strconv.ParseUint(last, 0, 64); err == nil || strings.Trim(last, "0123456789") == "" {
		return "", "", errors.New("bad IPv4 address, or a name that ends in a number")
	}
	return host, port, nil
}

func parsePort(s string) (uint16, error) {
	if s == "" {
		return 0, errors.New("missing port")
	}
	port := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' || port > 65535 {
			return 0, fmt.Errorf("bad port %q", s)
		}
		port = port*10 + int(s[i]-'0')
	}
	if port < 1 || port > 65535 {
		return 0, fmt.Errorf("port %q is not from 1 to 65535", s)
	}
	return uint16(port), nil
}
