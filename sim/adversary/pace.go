package adversary

import (
	"time"

	"peernet/actors"
)

// A pace says how many actions are due, without drift: after t seconds there
// were t times the rate, to the next one.
type pace struct {
	rate  int64 // actions in a second, more than 0
	since actors.Time
	done  int64 // since then
}

// batch is the shortest time between two looks at what is due: above ten actions
// in a second there are several at once.
const batch = 100 * time.Millisecond

// period is the time between two looks, never less than that of an action.
func (p *pace) period() time.Duration {
	return max(time.Duration((int64(time.Second)+p.rate-1)/p.rate), batch)
}

// due returns how many actions have become due, at most those of a second: of a
// host that stood still nothing is made up for.
func (p *pace) due(now actors.Time) int {
	whole := now.Sub(p.since) / time.Second
	p.since = p.since.Add(whole * time.Second)
	p.done -= int64(whole) * p.rate
	n := int64(now.Sub(p.since))*p.rate/int64(time.Second) - p.done
	p.done += n
	return int(min(n, p.rate))
}

// randomID names a message.
func randomID(ctx actors.Context) string {
	var id [8]byte
	u := ctx.Rand().Uint64()
	for i := range id {
		id[i] = byte(u >> (8 * i))
	}
	return string(id[:])
}
