package realnet

import (
	"sync"

	"peernet/actors"
)

// accept gives the root a stream that came in.
func (p *process) accept(s Stream) {
	if !p.access.permitsLink(s.Remote()) {
		p.emit(p.now(), actors.Event{Kind: EventForbidden, Address: s.Remote()})
		breakOff(s)
		return
	}
	if !p.open.add(s.Remote()) {
		p.open.drop(s.Remote())
		p.emit(p.now(), actors.Event{Kind: EventCrowded, Address: s.Remote(), N: int64(p.open.max)})
		breakOff(s)
		return
	}
	l := newLink(p, s, nil, func() { p.open.drop(s.Remote()) })
	if l.isShut() {
		return // the node has ended, or nobody takes links fast enough
	}
	p.send(p.root, letter{m: &actors.LinkIn{Link: l}})
}

// acceptedMax bounds the links of a node that nobody has bound yet.
const acceptedMax = 1024

// A tally counts what is open, in all and by host.
type tally struct {
	max int // in all; a host may have a part of it

	mu  sync.Mutex
	all int
	by  map[string]int
}

// hostShare is which part of a tally one host may have.
const hostShare = 4

// add counts one more, until drop, and reports whether that is not too many.
func (t *tally) add(from actors.Address) bool {
	host := hostOf(from)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.all++; host != "" {
		if t.by == nil {
			t.by = map[string]int{}
		}
		t.by[host]++
	}
	return t.all <= t.max && (host == "" || t.by[host] <= t.max/hostShare)
}

// drop takes back add.
func (t *tally) drop(from actors.Address) {
	host := hostOf(from)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.all--; host == "" {
		return
	}
	if t.by[host]--; t.by[host] == 0 {
		delete(t.by, host)
	}
}

// hostOf names the host that a link comes from. It is "" for this machine, and where
// that is not known.
func hostOf(from actors.Address) string {
	if from.IsLoopback() {
		return ""
	}
	return from.Network()
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
