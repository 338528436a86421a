package addrman

import "math/bits"

// Select draws an address to connect to, for a node with so many outgoing connections; nil
// if there is none. Tried is preferred to new the more, the fewer these are, and the more
// addresses it has: its weight is √tried·(9−outgoing), that of new √new·(1+outgoing).
func (b *Book) Select(outgoing int, now int64) *Info {
	outgoing = min(outgoing, 8)
	tried, fresh := root(b.InTried)*uint64(9-outgoing), root(b.InNew)*uint64(1+outgoing)
	if b.config.Uniform { // a coin, if both have some
		tried, fresh = min(tried, 1), min(fresh, 1)
	}
	t := &b.tried
	switch {
	case tried+fresh == 0:
		return nil
	case b.rand.Uint64N(tried+fresh) >= tried:
		t = &b.fresh
	}
	if b.config.Uniform {
		return &b.infos[b.anySlot(t)]
	}
	// Each rejection makes the next address more welcome.
	for factor := uint64(one); ; factor = min(factor+factor/5, 1<<60) {
		info := &b.infos[b.inBucket(t)]
		hi, lo := bits.Mul64(factor, info.chance(now))
		if hi > 0 || b.rand.Uint64N(one) < lo/one {
			return info
		}
	}
}

// one is the probability 1.
const one = 1 << 30

// chance is how welcome an address is: the more recently it was seen, the more, by
// 1/(1+τ) with τ in units of ten minutes; less if it was tried just now, or failed.
func (info *Info) chance(now int64) uint64 {
	c := uint64(one)
	c = c * 600 / (600 + uint64(max(0, now-info.Seen)))
	if now-info.Tried < recent {
		c /= 100
	}
	for k := 0; k < info.Failures && c > 1; k++ {
		c = c * 2 / 3
	}
	return max(c, 1)
}

// anySlot draws one of all addresses of a table that has some.
func (b *Book) anySlot(t *table) int32 {
	for {
		if v := t.slots[b.rand.IntN(len(t.slots))]; v != 0 {
			return v - 1
		}
	}
}

// inBucket draws a bucket that is not empty, and one of its addresses.
func (b *Book) inBucket(t *table) int32 {
	for {
		bucket := b.rand.IntN(len(t.fill))
		if t.fill[bucket] == 0 {
			continue
		}
		for {
			// Without fixed slots the first are taken, so that the first draw counts.
			slot := b.rand.IntN(t.size)
			if !b.config.Fixed {
				slot = b.rand.IntN(int(t.fill[bucket]))
			}
			if v := t.bucket(bucket)[slot]; v != 0 {
				return v - 1
			}
		}
	}
}

// root is the square root of n, times 2¹⁶, rounded down.
func root(n int) uint64 {
	x := uint64(n) << 32
	r := uint64(0)
	for bit := uint64(1) << 31; bit > 0; bit >>= 1 {
		if try := r | bit; try*try <= x {
			r = try
		}
	}
	return r
}

// sample draws what a node tells who asks: 23 of 100 addresses, at most what a message
// holds, without the terrible ones.
func (b *Book) sample(now int64) (entries []Entry) {
	known := b.InTried + b.InNew
	order := b.rand.Perm(len(b.infos))
	for _, i := range order {
		if len(entries) == EntriesMax || len(entries)*100 >= known*23 {
			break
		}
		if info := &b.infos[i]; !info.Address.IsZero() && !info.terrible(now) {
			entries = append(entries, Entry{info.Address, max(0, info.Seen)})
		}
	}
	return entries
}
