// Package rivals puts peernet's membership and announces beside Cyclon with gossip and
// HyParView with Plumtree, on the same networks, seeds and failures. See its README.
package rivals

import (
	"embed"
	"fmt"
	"time"

	"peernet/experiments/lab"
	"peernet/sim"
)

//go:embed README.md expected.json
var files embed.FS

// Experiment is the experiment.
var Experiment = lab.New("rivals", files, trial)

func init() { Experiment.Plots = plots }

type parameters struct {
	System string `json:"system"` // peernet, cyclon or plumtree
	Nodes  int    `json:"nodes"`
	Fanout int    `json:"fanout"` // of peernet and cyclon; 0 is all peers
	Dead   int    `json:"dead"`   // per cent of the nodes, that die at once
	Silent bool   `json:"silent"` // their links are not reset, so that only probes tell
}

// The course of a run. Nodes come over the first part of it, each knowing one that came
// before.
const (
	arrivals = 30 * time.Second
	failure  = 180 * time.Second
	batch    = 10               // messages of a batch
	apart    = time.Second      // between two of them
	heard    = 10 * time.Second // a message is over then
	window   = batch*apart + heard
)

// batches are when messages are sent, from the failure on: the first before it.
// The one before that is to let trees form, and is not reported.
var batches = []time.Duration{-50 * time.Second, -25 * time.Second, 0, 30 * time.Second, 60 * time.Second, 120 * time.Second}

func trial(t *lab.Trial, p parameters) error {
	o := &observer{shards: make([]shard, t.Workers), sent: make([]time.Duration, batch*len(batches))}
	s := t.Simulation(sim.Config{
		Latency:  sim.Latency{Link: lab.Internet},
		Observer: o,
	})
	s.Add(p.Nodes)
	send, err := start(t, s, p)
	if err != nil {
		return err
	}
	if err := s.Run(t.Context, failure+batches[0]-window); err != nil {
		return err
	}
	before := s.Totals().Sent
	if err := s.Run(t.Context, failure+batches[0]); err != nil {
		return err
	}
	idle := float64(s.Totals().Sent - before)
	t.Measure("idle messages/node/s", idle/float64(p.Nodes)/window.Seconds())

	live := lab.CrashShare(t, s, 0, false) // all
	r := t.Rand("sources")
	for k, at := range batches {
		if err := s.Run(t.Context, failure+at); err != nil {
			return err
		}
		if at == 0 {
			live = lab.CrashShare(t, s, p.Dead, !p.Silent)
		}
		for i := range batch {
			number := k*batch + i
			o.sent[number] = failure + at + time.Duration(i)*apart
			source := live[r.IntN(len(live))]
			s.At(o.sent[number], func() { send(source, number) })
		}
		before := s.Totals().Sent
		if err := s.Run(t.Context, failure+at+window); err != nil {
			return err
		}
		if k == 0 {
			continue
		}
		for i := range batch {
			sent := at + time.Duration(i)*apart
			t.Point("coverage", sent.Seconds(), o.coverage(k*batch+i, len(live)))
		}
		report(t, o.batch(k), at, len(live))
		if at < 0 {
			t.Measure("messages/announce/node", (float64(s.Totals().Sent-before)-idle)/float64(batch*p.Nodes))
		}
	}
	return nil
}

// report reports on a batch.
func report(t *lab.Trial, b outcome, at time.Duration, live int) {
	when := "before"
	if at >= 0 {
		when = fmt.Sprintf("from +%.0f s", at.Seconds())
	}
	t.Measure("coverage "+when, b.coverage(live))
	if at < 0 {
		t.Measure("hops", float64(b.hops)/float64(b.heard))
		t.Measure("latency, median ms", float64(b.latency.Quantile(0.5))/1000)
		t.Measure("latency, 99 % ms", float64(b.latency.Quantile(0.99))/1000)
		t.Measure("redundancy", float64(b.copies)/float64(b.heard))
	}
}

func plots(r *lab.Results) []lab.Plot {
	var all []lab.Plot
	systems := []string{"peernet", "peernet, all peers", "Cyclon, gossip f=4", "HyParView, Plumtree"}
	now := lab.Plot{Name: "failures", Title: "Announces in the 10 s after the failure, 10,000 nodes", X: "nodes that died at once, %", Y: "share of the live nodes"}
	for _, system := range systems {
		dead := func(c *lab.CaseResult) (x float64, ok bool) {
			_, err := fmt.Sscanf(c.Case.Name, system+", 10000 nodes, %g %% dead", &x)
			return x, err == nil
		}
		l := r.Across("coverage from +0 s", system, dead)[0]
		now.Lines = append(now.Lines, l)
	}
	all = append(all, now)
	for _, dead := range []int{50, 80} {
		p := lab.Plot{Name: fmt.Sprintf("recovery-%d", dead), X: "seconds after the failure", Y: "share of the live nodes",
			Title: fmt.Sprintf("Announces before and after %d %% of 10,000 nodes died", dead)}
		for _, system := range systems {
			p.Lines = append(p.Lines, r.Find(fmt.Sprintf("%s, 10000 nodes, %d %% dead", system, dead)).Line("coverage", system))
		}
		all = append(all, p)
	}
	return all
}
