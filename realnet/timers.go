package realnet

import (
	"container/heap"

	"peernet/actors"
)

// timers are the pending timers of one actor: those due together fire in the
// order armed.
type timers struct {
	heap  timerHeap
	armed actors.Timer
}

type timer struct {
	at actors.Time
	id actors.Timer
	m  actors.Message
}

func (t *timers) add(at actors.Time, m actors.Message) actors.Timer {
	t.armed++
	heap.Push(&t.heap, timer{at, t.armed, m})
	return t.armed
}

func (t *timers) remove(id actors.Timer) {
	for i := range t.heap {
		if t.heap[i].id == id {
			heap.Remove(&t.heap, i)
			return
		}
	}
}

// due takes out the earliest timer if it is due.
func (t *timers) due(now actors.Time) (timer, bool) {
	if len(t.heap) == 0 || t.heap[0].at > now {
		return timer{}, false
	}
	return heap.Pop(&t.heap).(timer), true
}

func (t *timers) earliest() (actors.Time, bool) {
	if len(t.heap) == 0 {
		return 0, false
	}
	return t.heap[0].at, true
}

type timerHeap []timer

func (h timerHeap) Len() int { return len(h) }
func (h timerHeap) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].id < h[j].id
}
func (h timerHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *timerHeap) Push(v any)   { *h = append(*h, v.(timer)) }
func (h *timerHeap) Pop() any {
	last := len(*h) - 1
	v := (*h)[last]
	(*h)[last] = timer{}
	*h = (*h)[:last]
	return v
}
