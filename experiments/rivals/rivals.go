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
	batch    = 20                     // messages of a batch
	apart    = 500 * time.Millisecond // between two of them
	heard    = 10 * time.Second       // a message is over then
	window   = batch*apart + heard
	mended   = 0.99 // of the coverage before is recovered
)

// batches are when messages are sent, from the failure on: the second is the one before it;
// the first is to let trees form, and is not reported.
var batches = [...]time.Duration{-50 * time.Second, -25 * time.Second,
	0, 10 * time.Second, 20 * time.Second, 30 * time.Second, 60 * time.Second, 120 * time.Second}

// trial has the nodes of a system come, sends messages, kills nodes, and sends more.
func trial(t *lab.Trial, p parameters) error {
	o := &observer{shards: make([]shard, t.Workers)}
	s := t.Simulation(sim.Config{Latency: sim.Latency{Link: lab.Internet}, Observer: o})
	s.Add(p.Nodes)
	send, err := start(t, s, p)
	if err != nil {
		return err
	}
	until := func(at time.Duration) (sim.Totals, error) {
		err := s.Run(t.Context, failure+at)
		return s.Totals(), err
	}
	r := t.Rand("sources")
	plan := func(live []sim.NodeID, batches ...time.Duration) {
		for _, at := range batches {
			for i := range batch {
				number, when, source := len(o.sent), failure+at+time.Duration(i)*apart, live[r.IntN(len(live))]
				o.sent = append(o.sent, when)
				s.At(when, func() { send(source, number) })
			}
		}
	}

	var sent [4]sim.Totals
	for i, at := range []time.Duration{batches[0] - window, batches[0], batches[1], batches[1] + window} {
		if i == 1 {
			plan(lab.CrashShare(t, s, 0, false), batches[:2]...) // from any
		}
		if sent[i], err = until(at); err != nil {
			return err
		}
	}
	load := func(what string, idle, all uint64) {
		t.Measure("idle "+what+"/node/s", float64(idle)/float64(p.Nodes)/window.Seconds())
		t.Measure(what+"/announce/node", (float64(all)-float64(idle))/float64(batch*p.Nodes))
	}
	load("messages", sent[1].Sent-sent[0].Sent, sent[3].Sent-sent[2].Sent)
	load("bytes", sent[1].Bytes-sent[0].Bytes, sent[3].Bytes-sent[2].Bytes)
	before := o.batch(1)
	t.Measure("hops", float64(before.hops)/float64(before.heard))
	t.Measure("latency, median ms", float64(before.latency.Quantile(0.5))/1000)
	t.Measure("latency, 99 % ms", float64(before.latency.Quantile(0.99))/1000)
	t.Measure("redundancy", float64(before.copies)/float64(before.heard))
	o.report(t, 1, p.Nodes)

	if _, err := until(0); err != nil {
		return err
	}
	live := lab.CrashShare(t, s, p.Dead, !p.Silent)
	plan(live, batches[2:]...)
	if _, err := until(batches[len(batches)-1] + window); err != nil {
		return err
	}
	recovered := false
	for k := 2; k < len(batches); k++ {
		o.report(t, k, len(live))
		if b := o.batch(k); !recovered && b.coverage(len(live)) >= mended*before.coverage(p.Nodes) {
			recovered = true
			t.Measure("recovery, s", batches[k].Seconds())
		}
	}
	t.Happened("recovered", recovered)
	return nil
}

func plots(r *lab.Results) []lab.Plot {
	var all []lab.Plot
	systems := []string{"peernet", "peernet, all peers", "Cyclon, gossip f=4", "HyParView, Plumtree"}
	now := lab.Plot{Name: "failures", Title: "Announces in the 10 s after the failure, 10,000 nodes", X: "nodes that died at once, %", Y: "share of the live nodes"}
	for _, system := range systems {
		dead := lab.ByName(system + ", 10000 nodes, %g % dead")
		now.Lines = append(now.Lines, r.Across("coverage from +0 s", system, dead)[0])
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
	for _, m := range []struct{ name, title, y, measure string }{
		{"hops", "Hops of an announce", "mean", "hops"},
		{"latency", "Latency of an announce, median", "ms", "latency, median ms"},
		{"redundancy", "Copies after the first, by node reached", "mean", "redundancy"},
		{"load", "Load of an announce", "bytes by node", "bytes/announce/node"},
		{"idle", "Load of the membership", "bytes by node and second", "idle bytes/node/s"},
	} {
		p := lab.Plot{Name: m.name, Title: m.title, X: "nodes", Y: m.y, LogX: true}
		for _, system := range systems {
			p.Lines = append(p.Lines, r.Across(m.measure, system, lab.ByName(system+", %g nodes, 50 % dead"))[0])
		}
		all = append(all, p)
	}
	return all
}
