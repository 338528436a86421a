package sim

import (
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"

	"peernet/actors"
)

// serialMax is up to how many events a window is run by one worker: waking the
// others costs more.
const serialMax = 256

// fast is the windowed executor.
type fast struct {
	sim     *Simulation
	shift   uint // a region has 1<<shift nodes
	regions int

	// The window that runs.
	window   int64
	end      actors.Time // events before it are due
	full     actors.Time // the end of the whole window, if the world cut it
	sorted   []event     // by region
	starts   []int       // of regions in sorted, one more than there are regions
	woken    []NodeID    // by region
	wstarts  []int
	counts   [][]int // by worker: events of each region, then where they go
	wcounts  [][]int
	next     atomic.Int64 // the next region to run
	panicked atomic.Pointer[Panic]
}

// sparse is how many events a region should have: with few, most of its time would be
// spent filling and emptying the pipeline of prefetching.
const sparse = 128

// regionShift makes regions of 64 nodes or more, and about a thousand of them: fewer and
// larger ones if there are few events, but enough for all workers.
func regionShift(nodes, events, workers int) uint {
	shift := max(6, bits.Len(uint(nodes))-10)
	for regions := nodes >> shift; regions > 4*workers && regions*sparse > events; regions /= 2 {
		shift++
	}
	return uint(shift)
}

// divide makes regions for a window of so many events, at the most.
func (f *fast) divide(events int) {
	nodes, workers := len(f.sim.nodes), len(f.sim.execs)
	f.shift = regionShift(nodes, events, workers)
	f.regions = (nodes + 1<<f.shift - 1) >> f.shift
	f.starts, f.wstarts = resized(f.starts, f.regions+1), resized(f.wstarts, f.regions+1)
	f.counts, f.wcounts = resized(f.counts, workers), resized(f.wcounts, workers)
	for i := range workers {
		f.counts[i], f.wcounts[i] = resized(f.counts[i], f.regions), resized(f.wcounts[i], f.regions)
	}
}

// runUntil runs all node events before end.
func (f *fast) runUntil(end actors.Time) {
	s := f.sim
	width := s.execs[0].cal.width
	for s.now < end && f.panicked.Load() == nil && !s.stopped() {
		window := int64(s.now / width)
		for _, x := range s.execs {
			if x.cal.now != window {
				x.cal.advance(window)
			}
		}
		f.full = actors.Time(window+1) * width
		f.end = min(f.full, end)
		f.runWindow(window)
		s.now = f.end
	}
}

// runWindow runs the events of a window that come before f.end.
func (f *fast) runWindow(window int64) {
	s := f.sim
	total, work := 0, 0
	for _, x := range s.execs {
		b := x.cal.bucket(window)
		total += len(b.chunks) * chunkLen
		work += len(b.chunks)*chunkLen + len(b.wakes)
	}
	if work == 0 {
		return
	}
	f.divide(work)
	parallel := total > serialMax*2 || work > serialMax*4
	f.window = window
	f.phase(parallel, (*fast).count)
	f.layOut()
	f.phase(parallel, (*fast).scatter)
	f.next.Store(0)
	f.phase(parallel, (*fast).runRegions)
}

// runRegions runs regions until none is left.
func (f *fast) runRegions(w int) {
	for {
		r := int(f.next.Add(1)) - 1
		if r >= f.regions {
			return
		}
		if f.starts[r] < f.starts[r+1] || f.wstarts[r] < f.wstarts[r+1] {
			f.sim.execs[w].runRegion(f, r)
		}
	}
}

// runRound delivers a lock-step round to all live nodes.
func (f *fast) runRound(m *actors.Round) {
	s := f.sim
	f.next.Store(0)
	const batch = 256
	f.phase(len(s.nodes) > batch, func(f *fast, w int) {
		x := s.execs[w]
		for {
			first := (int(f.next.Add(1)) - 1) * batch
			if first >= len(s.nodes) {
				return
			}
			for _, n := range s.nodes[first:min(first+batch, len(s.nodes))] {
				if n.live {
					x.enter(n)
					x.now = s.now
					x.deliver(local{to: rootRef(n), m: m})
					x.settle(n)
				}
			}
		}
	})
}

// phase runs work once for each worker: at the same time if parallel is set.
func (f *fast) phase(parallel bool, work func(f *fast, worker int)) {
	if f.panicked.Load() != nil {
		return
	}
	n := len(f.sim.execs)
	if !parallel {
		for w := range n {
			f.guard(w, work)
		}
		return
	}
	var wg sync.WaitGroup
	for w := 1; w < n; w++ {
		wg.Go(func() { f.guard(w, work) })
	}
	f.guard(0, work)
	wg.Wait()
}

// guard runs a worker's part of a phase, and keeps the first panic.
func (f *fast) guard(w int, work func(f *fast, worker int)) {
	defer func() {
		if r := recover(); r != nil {
			f.panicked.CompareAndSwap(nil, f.sim.execs[w].newPanic(r))
		}
	}()
	work(f, w)
}

// count counts what a worker planned for the window, by region.
func (f *fast) count(w int) {
	counts, wcounts := f.counts[w], f.wcounts[w]
	clear(counts)
	clear(wcounts)
	b := f.sim.execs[w].cal.bucket(f.window)
	for _, ch := range b.chunks {
		for i := range ch.n {
			if ch.events[i].at < f.end {
				counts[ch.events[i].dst>>f.shift]++
			}
		}
	}
	for _, n := range b.wakes {
		wcounts[n>>f.shift]++
	}
}

// layOut turns the counts into places.
func (f *fast) layOut() {
	at, wat := 0, 0
	for r := range f.regions {
		f.starts[r], f.wstarts[r] = at, wat
		for w := range f.counts {
			f.counts[w][r], at = at, at+f.counts[w][r]
			f.wcounts[w][r], wat = wat, wat+f.wcounts[w][r]
		}
	}
	f.starts[f.regions], f.wstarts[f.regions] = at, wat
	f.sorted = resized(f.sorted, at)
	f.woken = resized(f.woken, wat)
}

func resized[T any](s []T, n int) []T {
	if n <= cap(s) {
		return s[:n]
	}
	return make([]T, n, n+n/4)
}

// scatter moves what a worker planned to its places. What is not due yet stays
// in the bucket.
func (f *fast) scatter(w int) {
	counts, wcounts := f.counts[w], f.wcounts[w]
	cal := &f.sim.execs[w].cal
	b := cal.bucket(f.window)
	chunks := b.chunks
	b.chunks = nil
	for _, ch := range chunks {
		for i := range ch.n {
			ev := &ch.events[i]
			if ev.at >= f.end {
				cal.push(*ev)
				continue
			}
			r := ev.dst >> f.shift
			f.sorted[counts[r]] = *ev
			counts[r]++
		}
		cal.recycle(ch)
	}
	if b.chunks == nil {
		b.chunks = chunks[:0]
	}
	for _, n := range b.wakes {
		r := n >> f.shift
		f.woken[wcounts[r]] = n
		wcounts[r]++
	}
	b.wakes = b.wakes[:0]
}

// runNode runs the events of x.batch, and the timers before end, at a node.
func (x *exec) runNode(n *node, end actors.Time) {
	x.enter(n)
	batch := x.batch
	if len(batch) > 1 {
		sortEvents(batch)
	}
	for {
		next := end
		if len(batch) > 0 {
			next = batch[0].at
		}
		switch {
		case n.due < next:
			x.fire()
		case len(batch) > 0:
			ev := batch[0]
			batch = batch[1:]
			x.run(ev)
		default:
			return
		}
	}
}

// settle plans the node's next wake-up.
func (x *exec) settle(n *node) {
	if n.due < n.wake {
		n.wake = n.due
		x.cal.pushWake(n.wake, n.id)
	}
}

// sortEvents sorts few events, mostly in reverse order already.
func sortEvents(batch []*event) {
	if len(batch) > 32 {
		slices.SortFunc(batch, func(a, b *event) int {
			if a.before(b) {
				return -1
			}
			return 1
		})
		return
	}
	for i := 1; i < len(batch); i++ {
		for j := i; j > 0 && batch[j].before(batch[j-1]); j-- {
			batch[j], batch[j-1] = batch[j-1], batch[j]
		}
	}
}
