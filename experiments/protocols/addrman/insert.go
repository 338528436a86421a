package addrman

import "peernet/actors"

// Add takes in that a source told of an address, last seen then: into new, unless it is
// in tried.
func (b *Book) Add(a, source actors.Address, seen, now int64) {
	if b.config.NewBuckets == 0 {
		return
	}
	i := b.find(a)
	if i < 0 {
		i = b.create(a, source, seen)
		b.InNew++
	} else if !b.again(&b.infos[i], seen, now) {
		return
	}
	info := &b.infos[i]
	from := ip(source)
	if b.place(i, b.newBucket(info, from), now); info.refs == 0 {
		b.InNew-- // its slot was taken by a better one
		b.forget(i)
	}
}

// again updates the timestamp of an address that is known, and reports whether it gets
// one more bucket: the more it has, the less likely.
func (b *Book) again(info *Info, seen, now int64) bool {
	interval := int64(86400)
	if now-seen < 86400 {
		interval = 3600
	}
	isNews := seen > info.Seen
	if info.Seen < seen-interval {
		info.Seen = seen
	}
	return isNews && !info.InTried && info.refs < NewPerAddress && b.rand.IntN(1<<info.refs) == 0
}

// place puts an Info into a bucket of new, if it gets room.
func (b *Book) place(i int32, bucket int, now int64) {
	t := &b.fresh
	if t.has(bucket, i) >= 0 {
		return
	}
	slot := int(t.fill[bucket])
	if b.config.Fixed {
		slot = b.slot('N', bucket, &b.infos[i])
		if old := t.bucket(bucket)[slot]; old != 0 {
			// Who is there stays, unless it is terrible, or has other buckets and
			// the newcomer has none.
			if o := &b.infos[old-1]; !o.terrible(now) && (o.refs == 1 || b.infos[i].refs > 0) {
				return
			}
			b.drop(bucket, slot)
		}
	} else if slot == t.size {
		b.drop(bucket, b.leastOf(bucket, now))
		slot = t.size - 1
	}
	t.put(bucket, slot, i)
	b.infos[i].refs++
}

// leastOf returns the slot of a full bucket of new that is to make room.
func (b *Book) leastOf(bucket int, now int64) (slot int) {
	all := b.fresh.bucket(bucket)
	for k, v := range all {
		if b.infos[v-1].terrible(now) {
			return k
		}
	}
	return b.compete(all, func(info *Info) int64 { return info.Seen })
}

// compete returns the slot of the one of four random addresses of a full bucket whose time
// is the earliest.
func (b *Book) compete(bucket []int32, time func(*Info) int64) int {
	first := -1
	for k := 0; k < inspect && k < len(bucket); k++ {
		other := k + b.rand.IntN(len(bucket)-k)
		bucket[k], bucket[other] = bucket[other], bucket[k]
		if first < 0 || time(&b.infos[bucket[k]-1]) < time(&b.infos[bucket[first]-1]) {
			first = k
		}
	}
	return first
}

// drop takes an address out of a bucket of new, and forgets it if that was its last.
func (b *Book) drop(bucket, slot int) {
	i := b.fresh.bucket(bucket)[slot] - 1
	b.fresh.take(bucket, slot, b.config.Fixed)
	if b.infos[i].refs--; b.infos[i].refs == 0 {
		b.InNew--
		b.forget(i)
	}
}

// terrible reports whether an address may as well be forgotten.
func (info *Info) terrible(now int64) bool {
	switch {
	case info.Tried >= now-60: // never what was tried in the last minute
		return false
	case info.Seen > now+600 || now-info.Seen > horizon:
		return true
	case info.Good == never && info.Failures >= retries:
		return true
	}
	return now-info.Good > failureSpan && info.Failures >= failures
}

// Good takes in that there was a connection with an address: it moves to tried.
func (b *Book) Good(a actors.Address, now int64) {
	i := b.find(a)
	if i < 0 {
		if b.config.NewBuckets > 0 {
			return // it is not in new
		}
		i = b.create(a, a, now)
	}
	info := &b.infos[i]
	info.Good, info.Tried, info.Seen, info.Failures = now, now, now, 0
	if info.InTried {
		return
	}
	b.leaveNew(i)
	info.InTried = true
	b.InTried++
	bucket := b.triedBucket(info)
	t := &b.tried
	slot := int(t.fill[bucket])
	if b.config.Fixed {
		slot = b.slot('K', bucket, info)
		if t.bucket(bucket)[slot] != 0 {
			b.demote(bucket, slot, now)
		}
	} else if slot == t.size {
		b.demote(bucket, b.compete(t.bucket(bucket), func(info *Info) int64 { return info.Good }), now)
		slot = t.size - 1
	}
	t.put(bucket, slot, i)
}

// leaveNew takes an address out of all its buckets of new.
func (b *Book) leaveNew(i int32) {
	if b.infos[i].refs == 0 {
		return
	}
	b.InNew--
	info := &b.infos[i]
	leave := func(bucket int) {
		if slot := b.fresh.has(bucket, i); slot >= 0 {
			b.fresh.take(bucket, slot, b.config.Fixed)
			info.refs--
		}
	}
	leave(b.newBucket(info, info.source)) // mostly that is all
	for bucket := 0; info.refs > 0; bucket++ {
		leave(bucket)
	}
}

// demote moves an address from tried back to new.
func (b *Book) demote(bucket, slot int, now int64) {
	i := b.tried.bucket(bucket)[slot] - 1
	b.tried.take(bucket, slot, b.config.Fixed)
	b.InTried--
	info := &b.infos[i]
	info.InTried = false
	if b.config.NewBuckets == 0 {
		b.forget(i)
		return
	}
	to := b.newBucket(info, info.source)
	if b.config.Fixed { // it takes its slot, whoever has it
		if slot := b.slot('N', to, info); b.fresh.bucket(to)[slot] != 0 {
			b.drop(to, slot)
		}
	}
	b.InNew++
	b.place(i, to, now)
}
