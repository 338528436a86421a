package freenet

import (
	"math/rand/v2"
	"slices"
	"time"

	"peernet/actors"
	"peernet/experiments/lab"
	"peernet/experiments/protocols/freenet"
	"peernet/sim"
)

// interval is the time between two inserts or requests: more than they take.
const interval = time.Second

// fetch is how long data take to be read, where nodes die meanwhile.
const fetch = time.Hour

// A world is a network and what was inserted into it.
type world struct {
	*lab.Trial
	parameters parameters
	config     *freenet.Config
	sim        *sim.Simulation
	draw       *rand.Rand
	nodes      []*freenet.Node
	live       []sim.NodeID
	keys       []freenet.Key
	ids        uint64
	read       []int // results of each node that were looked at
}

func newWorld(t *lab.Trial, p parameters) *world {
	return &world{Trial: t, parameters: p, draw: t.Rand("world"), sim: t.Simulation(sim.Config{Latency: lab.Lockstep.Latency}),
		config: &freenet.Config{Store: p.Store, Table: p.Table, Rename: p.Rename, Random: p.Random, Seen: 512, Timeout: 4 * time.Millisecond}}
}

// add starts a node.
func (w *world) add() sim.NodeID {
	id := w.sim.Add(1)
	n := &freenet.Node{Config: w.config, Self: sim.AddressOf(id)}
	w.nodes, w.live, w.read = append(w.nodes, n), append(w.live, id), append(w.read, 0)
	w.sim.Start(id, n)
	return id
}

// ring starts nodes that know two neighbours on either side.
func (w *world) ring(nodes int) {
	for range nodes {
		w.add()
	}
	for i := range nodes {
		var know []actors.Address
		for _, d := range []int{1, 2, nodes - 1, nodes - 2} {
			know = append(know, sim.AddressOf(sim.NodeID((i+d)%nodes)))
		}
		w.sim.Send(sim.NodeID(i), &freenet.Know{Nodes: know})
	}
}

// join has a node join by a random one.
func (w *world) join() {
	by := w.live[w.draw.IntN(len(w.live))]
	w.sim.Send(w.add(), &freenet.Join{By: sim.AddressOf(by), HTL: 10})
}

// step has a random node insert a random key, or request one that was inserted.
func (w *world) step() error {
	w.ids++
	r := freenet.Request{ID: w.ids, HTL: w.parameters.HTL}
	if len(w.keys) == 0 || w.draw.IntN(2) == 0 {
		r.Insert, r.Key = true, freenet.Key(w.draw.Uint64())
		w.keys = append(w.keys, r.Key)
	} else {
		r.Key = w.keys[w.draw.IntN(len(w.keys))]
	}
	w.sim.Send(w.live[w.draw.IntN(len(w.live))], &freenet.Start{Request: r})
	return w.sim.Run(w.Context, w.sim.Now()+interval)
}

// A request is a probe from a node.
type request struct {
	freenet.Request
	at sim.NodeID
}

// requests draws probes: random keys that were inserted, from random nodes.
func (w *world) requests() []request {
	all := make([]request, w.parameters.Probes)
	for i := range all {
		w.ids++
		all[i] = request{freenet.Request{ID: w.ids, Key: w.keys[w.draw.IntN(len(w.keys))], HTL: w.parameters.ProbeHTL, Probe: true},
			w.live[w.draw.IntN(len(w.live))]}
	}
	return all
}

// again returns the same requests under new names.
func (w *world) again(requests []request) []request {
	all := slices.Clone(requests)
	for i := range all {
		w.ids++
		all[i].ID = w.ids
	}
	return all
}

// ask makes requests, all at once, and waits until each has ended.
func (w *world) ask(requests []request) (map[uint64]freenet.Result, error) {
	results := map[uint64]freenet.Result{}
	for _, r := range requests {
		w.sim.Send(r.at, &freenet.Start{Request: r.Request})
	}
	for len(results) < len(requests) {
		if err := w.sim.Run(w.Context, w.sim.Now()+interval); err != nil {
			return nil, err
		}
		w.collect(results)
	}
	return results, nil
}

// interrupted makes requests, and has nodes die before data come back.
func (w *world) interrupted(requests []request, gone []sim.NodeID) (map[uint64]freenet.Result, error) {
	w.config.Fetch = fetch
	defer func() { w.config.Fetch = 0 }()
	for _, r := range requests {
		w.sim.Send(r.at, &freenet.Start{Request: r.Request})
	}
	if err := w.sim.Run(w.Context, w.sim.Now()+fetch/2); err != nil {
		return nil, err
	}
	for _, id := range gone {
		w.sim.Crash(id, false)
	}
	err := w.sim.Run(w.Context, w.sim.Now()+fetch)
	results := map[uint64]freenet.Result{}
	w.collect(results)
	return results, err
}

// revive starts nodes again, with what they had.
func (w *world) revive(gone []sim.NodeID) error {
	for _, id := range gone {
		old := w.nodes[id]
		w.nodes[id] = &freenet.Node{Config: w.config, Self: old.Self, Store: old.Store, Table: old.Table}
		w.read[id] = 0
		w.sim.Start(id, w.nodes[id])
	}
	return w.sim.Run(w.Context, w.sim.Now()+interval)
}

// collect takes in the results that are new.
func (w *world) collect(results map[uint64]freenet.Result) {
	for i, n := range w.nodes {
		for _, r := range n.Results[w.read[i]:] {
			results[r.ID] = r
		}
		w.read[i] = len(n.Results)
	}
}

// probe measures the hops of requests, in increasing order; one that found nothing counts
// as all that it had.
func (w *world) probe() ([]float64, error) {
	w.collect(map[uint64]freenet.Result{}) // of training
	results, err := w.ask(w.requests())
	if err != nil {
		return nil, err
	}
	var paths []float64
	for _, r := range results {
		hops := float64(w.parameters.ProbeHTL)
		if r.Found {
			hops = float64(r.Hops)
		}
		paths = append(paths, hops)
	}
	slices.Sort(paths)
	return paths, nil
}
