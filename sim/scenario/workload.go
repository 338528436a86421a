package scenario

import (
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"peernet/actors"
	"peernet/actors/peer"
	"peernet/sim"
	"peernet/sim/dist"
)

// spread returns the i-th of n times that are spread evenly over a span, both
// ends included.
func spread(from, until time.Duration, i, n int) time.Duration {
	if n == 1 {
		return from
	}
	hi, lo := bits.Mul64(uint64(until-from), uint64(i))
	q, _ := bits.Div64(hi, lo, uint64(n-1))
	return from + time.Duration(q)
}

// planWorkload plans the announces and searches.
func (r *runner) planWorkload() {
	s := r.scenario
	d := time.Duration(s.Duration)
	from, until := s.messagesSpan()
	if s.Overlay == OverlayStatic {
		r.sim.At(from, func() { r.start = r.measure() })
	}
	for i := range s.Messages {
		r.sim.At(spread(from, until, i, s.Messages), func() { r.send(request{number: i, payload: s.Payload}) })
	}
	from, until = s.SearchesFrom.Of(d), s.SearchesUntil.Of(d)
	responding := time.Duration(math.MaxInt64)
	if s.Searches > 0 {
		responding = from
	}
	for i := range s.Workload {
		if s.Workload[i].Kind == SendSearch {
			responding = min(responding, s.Workload[i].From.Of(d))
		}
	}
	if responding < math.MaxInt64 {
		r.sim.At(responding, r.placeResponders)
	}
	for i := range s.Searches {
		r.sim.At(spread(from, until, i, s.Searches), func() { r.send(request{number: i, payload: s.Payload, search: true}) })
	}
	for i := range s.Workload {
		r.planRequests(&s.Workload[i], r.sim.Rand(fmt.Sprintf("workload %d", i)))
	}
}

// messagesSpan is when the first and the last of Messages are sent.
func (s *Scenario) messagesSpan() (from, until time.Duration) {
	d := time.Duration(s.Duration)
	from, until = s.MessagesFrom.Of(d), s.MessagesUntil.Of(d)
	switch {
	case s.MessagesEvery > 0:
		until = from + time.Duration(s.MessagesEvery)*time.Duration(max(s.Messages-1, 0))
	case s.Messages == 1:
		until = from
	}
	return from, until
}

// planRequests plans the requests of one entry of the workload.
func (r *runner) planRequests(l *Workload, random *rand.Rand) {
	d := time.Duration(r.scenario.Duration)
	from, until := l.From.Of(d), l.Until.Of(d)
	times := make([]time.Duration, l.Count)
	for i := range times {
		switch l.Pace {
		case PaceEven:
			times[i] = spread(from, until, i, l.Count)
		case PacePoisson: // given how many there are, their times are uniform
			times[i] = dist.Uniform{Low: from, High: until}.Draw(random.Uint64())
		case PaceBurst:
			times[i] = from
		}
	}
	slices.Sort(times)
	for i, t := range times {
		size := l.PayloadMin + random.IntN(l.PayloadMax-l.PayloadMin+1)
		r.sim.At(t, func() {
			r.send(request{number: i, payload: size, search: l.Kind == SendSearch, limit: l.Limit, region: l.Region, class: l.Class})
		})
	}
}

// Requests is how many announces, or searches, the scenario asks for.
func (s *Scenario) Requests(search bool) int {
	n := s.Messages
	if search {
		n = s.Searches
	}
	for i := range s.Workload {
		if (s.Workload[i].Kind == SendSearch) == search {
			n += s.Workload[i].Count
		}
	}
	return n
}

// requests is how many of both.
func (s *Scenario) requests() int { return s.Requests(false) + s.Requests(true) }

// lastRequest is when the last announce, or the last search, is sent, −1 if none is.
func (s *Scenario) lastRequest(search bool) time.Duration {
	d, last := time.Duration(s.Duration), time.Duration(-1)
	switch {
	case search && s.Searches == 1:
		last = s.SearchesFrom.Of(d)
	case search && s.Searches > 0:
		last = s.SearchesUntil.Of(d)
	case !search && s.Messages > 0:
		_, until := s.messagesSpan()
		last = min(until, d)
	}
	for i := range s.Workload {
		l := &s.Workload[i]
		switch {
		case (l.Kind == SendSearch) != search:
		case l.Pace == PaceBurst || l.Count == 1 && l.Pace == PaceEven:
			last = max(last, l.From.Of(d))
		default:
			last = max(last, l.Until.Of(d))
		}
	}
	return last
}

// A request is an announce or search to be sent.
type request struct {
	number, payload int
	limit           int // of forwardings; 0 is hops_max
	search          bool
	region, class   string // of the origin; "" is any
}

// send has a random live node announce or search.
func (r *runner) send(q request) {
	id, ok := r.randomLive(q.region, q.class)
	if !ok {
		return
	}
	m := &peer.Announce{Type: typeAnnounce, Data: fmt.Sprintf("message %d", q.number), Limit: uint32(q.limit)}
	if q.search {
		m.Type = typeSearch
	}
	m.Data += strings.Repeat(".", max(q.payload-len(m.Data), 0))
	r.tracker.next = message{
		search: q.search, sent: actors.Time(r.sim.Now()), origin: id, alive: r.live(),
		peers: r.roots[id].Gossip().PeersInUse(), hopsMax: uint32(r.scenario.HopsMax),
	}
	if q.limit > 0 {
		r.tracker.next.hopsMax = uint32(q.limit)
	}
	r.sim.Send(id, m)
}

// live is how many honest nodes are live.
func (r *runner) live() int {
	n := r.sim.Live()
	for id := r.scenario.Nodes; id < len(r.members); id++ {
		if r.sim.IsLive(sim.NodeID(id)) {
			n--
		}
	}
	return n
}

// randomLive draws a live honest node of a region and a class, "" being any.
func (r *runner) randomLive(region, class string) (sim.NodeID, bool) {
	regionIndex, classIndex := r.scenario.regionIndex(region), r.scenario.classIndex(class)
	fits := func(id sim.NodeID) bool {
		m := &r.members[id]
		return r.sim.IsLive(id) && (region == "" || int(m.region) == regionIndex) && (class == "" || int(m.class) == classIndex)
	}
	for range 1000 {
		if id := sim.NodeID(r.random.IntN(r.scenario.Nodes)); fits(id) {
			return id, true
		}
	}
	// There are few: take the k-th.
	var few []sim.NodeID
	for id := range sim.NodeID(r.scenario.Nodes) {
		if fits(id) {
			few = append(few, id)
		}
	}
	if len(few) == 0 {
		return 0, false
	}
	return few[r.random.IntN(len(few))], true
}

// placeResponders makes random live nodes answer searches, and again a second after they
// are back, at most.
func (r *runner) placeResponders() {
	placed := map[sim.NodeID]bool{}
	for range 100 * r.scenario.Responders {
		id, ok := r.randomLive(r.scenario.ResponderRegion, "")
		if !ok || len(placed) == r.scenario.Responders {
			break
		}
		if !placed[id] {
			placed[id] = true
			r.responders = append(r.responders, responding{node: id})
		}
	}
	r.respond()
}

// responding is a node with a responder, and in which of its starts it has it.
type responding struct {
	node   sim.NodeID
	starts uint32
}

// respond gives the nodes that started since the last time their responders.
func (r *runner) respond() {
	for i := range r.responders {
		p := &r.responders[i]
		if m := &r.members[p.node]; p.starts != m.starts && r.sim.IsLive(p.node) {
			p.starts = m.starts
			r.sim.Spawn(p.node, "responder", &responder{})
		}
	}
	if !r.scenario.undisturbed() {
		r.sim.At(r.sim.Now()+time.Second, r.respond)
	}
}

// A responder answers every search that its node hears of.
type responder struct{ root actors.Ref }

// Receive implements [actors.Actor].
func (r *responder) Receive(ctx actors.Context, m actors.Message) {
	switch m := m.(type) {
	case *actors.Started:
		r.root = ctx.Sender()
		call := peer.Call{ReplyTo: ctx.Self()}
		ctx.Send(r.root, &peer.Subscribe{Call: call, Topics: peer.TopicRequest})
	case *peer.Received:
		if b := m.Frame.Body; b.Type == typeSearch {
			ctx.Send(r.root, &peer.Respond{Request: b.ID, Type: typeSearch, Data: "here"})
		}
	}
}
