package addrman

import (
	"math/rand/v2"
	"net/netip"

	"peernet/actors"
)

// Info is what is known of an address. Times are in seconds, of the node's clock.
type Info struct {
	Address  actors.Address
	Source   actors.Address // who told
	Seen     int64          // the timestamp
	Tried    int64          // the last attempt
	Good     int64          // the last success
	Failures int            // attempts since
	InTried  bool

	ip, source uint32
	refs       int   // buckets of new that it is in
	next       int32 // in the chain of the index, one more than the place
}

// A Book is the two tables.
type Book struct {
	InTried, InNew int // addresses

	config *Config
	rand   *rand.Rand
	secret uint64
	tried  table
	fresh  table   // new
	infos  []Info  // with holes
	free   []int32 // the holes
	heads  []int32 // of the chains of the index, a power of two
}

// A table has buckets of slots. A slot holds one more than the place of its Info, 0 if it
// is empty.
type table struct {
	slots []int32
	fill  []int32 // of the buckets
	size  int     // slots of a bucket
}

func newTable(buckets, size int) table {
	return table{make([]int32, buckets*size), make([]int32, buckets), size}
}

func (t *table) bucket(b int) []int32 { return t.slots[b*t.size : (b+1)*t.size] }

// has returns where an Info is in a bucket, or −1. Buckets that are filled from the front
// end with empty slots.
func (t *table) has(b int, i int32) int {
	for k, v := range t.bucket(b) {
		if v == i+1 {
			return k
		}
	}
	return -1
}

// take empties a slot. A bucket without fixed slots has no holes.
func (t *table) take(b, slot int, fixed bool) {
	bucket := t.bucket(b)
	t.fill[b]--
	if !fixed {
		last := int(t.fill[b])
		bucket[slot], slot = bucket[last], last
	}
	bucket[slot] = 0
}

func (t *table) put(b, slot int, i int32) {
	t.bucket(b)[slot] = i + 1
	t.fill[b]++
}

func (b *Book) start(c *Config) {
	*b = Book{config: c, rand: b.rand, secret: b.rand.Uint64(), tried: newTable(c.TriedBuckets, c.Slots),
		fresh: newTable(c.NewBuckets, c.Slots), heads: make([]int32, 64)}
}

// ip returns the IPv4 address of a node, or a hash of its host.
func ip(a actors.Address) uint32 {
	host := a.Host()
	if p, err := netip.ParseAddr(host); err == nil && p.Is4() {
		v := p.As4()
		return uint32(v[0])<<24 | uint32(v[1])<<16 | uint32(v[2])<<8 | uint32(v[3])
	}
	return uint32(actors.Sum([]byte(host)))
}

func (b *Book) group(ip uint32) uint64 { return uint64(ip) >> (32 - b.config.GroupBits) }

// hash is one of the secret hashes: purpose tells them apart.
func (b *Book) hash(purpose byte, x, y uint64) uint64 {
	return actors.Mix(actors.Mix(actors.Mix(b.secret, uint64(purpose)), x), actors.Mix(y, b.secret))
}

// triedBucket is the bucket of tried that an address maps to.
func (b *Book) triedBucket(info *Info) int {
	which := b.hash('a', uint64(info.ip), 0) % uint64(b.config.TriedPerGroup)
	return int(b.hash('t', b.group(info.ip), which) % uint64(b.config.TriedBuckets))
}

// newBucket is the bucket of new that an address maps to, as told by a source.
func (b *Book) newBucket(info *Info, source uint32) int {
	which := b.hash('s', b.group(info.ip), b.group(source)) % uint64(b.config.NewPerSource)
	return int(b.hash('n', b.group(source), which) % uint64(b.config.NewBuckets))
}

// slot is the slot that an address has in a bucket, if these are fixed.
func (b *Book) slot(purpose byte, bucket int, info *Info) int {
	return int(b.hash(purpose, uint64(bucket), uint64(info.ip)) % uint64(b.config.Slots))
}

func (b *Book) chain(a actors.Address) *int32 {
	return &b.heads[actors.Sum([]byte(a.String()))&uint64(len(b.heads)-1)]
}

// find returns the place of an address, or −1.
func (b *Book) find(a actors.Address) int32 {
	for i := *b.chain(a); i != 0; i = b.infos[i-1].next {
		if b.infos[i-1].Address == a {
			return i - 1
		}
	}
	return -1
}

// create makes an Info that is in no table yet.
func (b *Book) create(a, source actors.Address, seen int64) int32 {
	if len(b.infos)-len(b.free) >= len(b.heads) {
		b.grow()
	}
	info := Info{Address: a, Source: source, Seen: seen, Tried: never, Good: never, ip: ip(a), source: ip(source)}
	var i int32
	if last := len(b.free) - 1; last >= 0 {
		i, b.free = b.free[last], b.free[:last]
		b.infos[i] = info
	} else {
		i = int32(len(b.infos))
		b.infos = append(b.infos, info)
	}
	head := b.chain(a)
	b.infos[i].next, *head = *head, i+1
	return i
}

// forget takes out an Info that is in no table any more.
func (b *Book) forget(i int32) {
	at := b.chain(b.infos[i].Address)
	for *at != i+1 {
		at = &b.infos[*at-1].next
	}
	*at = b.infos[i].next
	b.infos[i] = Info{}
	b.free = append(b.free, i)
}

// grow doubles the index.
func (b *Book) grow() {
	b.heads = make([]int32, 2*len(b.heads))
	for i := range b.infos {
		if info := &b.infos[i]; !info.Address.IsZero() {
			head := b.chain(info.Address)
			info.next, *head = *head, int32(i)+1
		}
	}
}

// Lookup returns what is known of an address, nil if it is not.
func (b *Book) Lookup(a actors.Address) *Info {
	if i := b.find(a); i >= 0 {
		return &b.infos[i]
	}
	return nil
}

// EachTried calls f for each address in tried, with its bucket, in their order.
func (b *Book) EachTried(f func(bucket int, info *Info)) {
	b.tried.each(func(bucket int, i int32) { f(bucket, &b.infos[i]) })
}

// EachNew calls f for each place that an address has in new.
func (b *Book) EachNew(f func(bucket int, info *Info)) {
	b.fresh.each(func(bucket int, i int32) { f(bucket, &b.infos[i]) })
}

func (t *table) each(f func(bucket int, i int32)) {
	for k, v := range t.slots {
		if v != 0 {
			f(k/t.size, v-1)
		}
	}
}
