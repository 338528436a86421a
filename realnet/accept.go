package realnet

import (
	"net/netip"

	"peernet/actors"
)

// accept gives the root a stream that came in.
func (p *process) accept(s Stream) {
	if !p.access.permitsLink(s.Remote()) {
		p.emit(p.now(), actors.Event{Kind: EventForbidden, Address: s.Remote()})
		breakOff(s)
		return
	}
	if !p.enter(s.Remote()) {
		p.emit(p.now(), actors.Event{Kind: EventCrowded, Address: s.Remote(), N: int64(p.openMax)})
		breakOff(s)
		return
	}
	l := newLink(p, s, nil, func() { p.leave(s.Remote()) })
	if l.isShut() {
		return // the node has ended, or nobody takes links fast enough
	}
	p.send(p.root, letter{m: &actors.LinkIn{Link: l}})
}

// acceptedMax bounds the links of a node that nobody has bound yet.
const acceptedMax = 1024

// enter counts a link that came in, until leave, and reports whether there is room
// for it. Links that are closed count until their stream is.
func (p *process) enter(from actors.Address) bool {
	host := hostOf(from)
	p.openMu.Lock()
	defer p.openMu.Unlock()
	if p.open >= p.openMax || host != "" && p.openBy[host] >= p.openMax/hostShare {
		return false
	}
	p.open++
	if host != "" {
		p.openBy[host]++
	}
	return true
}

// leave takes back enter.
func (p *process) leave(from actors.Address) {
	host := hostOf(from)
	p.openMu.Lock()
	defer p.openMu.Unlock()
	p.open--
	if host == "" {
		return
	}
	if p.openBy[host]--; p.openBy[host] == 0 {
		delete(p.openBy, host)
	}
}

// hostShare is which part of all links that come in one host may have open.
const hostShare = 4

// hostOf names the host that a link comes from: of IPv6 the network of 64 bits. It is
// "" for this machine, and where that is not known.
func hostOf(from actors.Address) string {
	ip, err := netip.ParseAddr(from.Host())
	if err != nil || ip.IsLoopback() {
		return ""
	}
	if ip.Is6() {
		network, _ := ip.Prefix(64)
		return network.String()
	}
	return ip.String()
}

// hold remembers a link that nobody has bound yet, to be closed with the node.
// It reports whether the node is still there and has room for it.
func (p *process) hold(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended || len(p.accepted) >= acceptedMax {
		return false
	}
	p.accepted[l] = true
	return true
}

func (p *process) unhold(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.accepted, l)
}
