package swarm

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var mutate = flag.Bool("mutants", false, "run the swarm against deliberate bugs of the protocol")

// A mutant is a deliberate bug: a text of a source file that is replaced by another
// when the tests are built. The files themselves stay as they are.
type mutant struct {
	name, check    string // the check is the one that catches it first
	file, old, new string
}

const (
	gossip = "actors/peer/gossip.go"
	relay  = "actors/peer/relay.go"
	conn   = "actors/peer/conn.go"
	store  = "actors/peer/store.go"
	table  = "actors/book/table.go"
)

var mutants = []mutant{
	{"duplicate cache off", "no delivery twice", relay,
		"if _, ok := g.seen.find(hash); ok {\n\t\tctx.Emit(actors.Event{Kind: EventDuplicate, Peer: ctx.Sender(), Message: f})\n\t\treturn\n\t}\n\tmost :=", "most :="},
	{"hop count not incremented", "hop counts", relay,
		"out := &send{wire.Frame{Body: f.Body, Hops: f.Hops + 1,", "out := &send{wire.Frame{Body: f.Body, Hops: f.Hops,"},
	{"hop limit ignored", "hop counts", relay, "if f.Hops < most {", "if true {"},
	{"fan-out ignored", "hop counts", relay,
		"if n == FanoutAll || n > len(others) {", "if true {"},
	{"requests are not forwarded", "coverage", relay, "if f.Hops < most {", "if false {"},
	{"responses lose their way", "answered", relay,
		"if ok && number == self {\n\t\tif b.Type", "if number++; ok && number == self {\n\t\tif b.Type"},
	{"quota of routes ignored", "bounded tables", relay,
		"if int(p.routes) >= g.node.config.RoutesPerLink || g.seen.young >= g.node.config.routesMax() {", "if false {"},
	{"dead peers kept", "symmetric links", conn,
		"case c.flags&awaitAnswer != 0 && silent >= cfg.HelloTimeout:", "case c.flags&awaitAnswer != 0 && silent >= 1000*cfg.HelloTimeout:"},
	{"silent links not probed", "symmetric links", conn, "case silent >= cfg.KeepAlive:\n\t\tc.sendProbe(ctx)", "case silent >= cfg.KeepAlive:\n\t\tc.timer = ctx.After(cfg.KeepAlive, ticks[tickConn])"},
	{"one-sided close", "bounded tables", gossip,
		"g.peers = slices.Delete(g.peers, i, i+1)\n\tg.keepSpent(&p)", "if p.state != peerUp {\n\t\tg.peers = slices.Delete(g.peers, i, i+1)\n\t}\n\tg.keepSpent(&p)"},
	{"ended connections not reported", "counters add up", gossip,
		"if p.state == peerUp {\n\t\tctx.Emit(actors.Event{Kind: EventPeerDown,", "if p.state == peerHeld {\n\t\tctx.Emit(actors.Event{Kind: EventPeerDown,"},
	{"two links to a peer kept", "bounded tables", gossip,
		"if older := g.findID(m.id, peerUp); older >= 0 {", "if older := g.findID(m.id, peerUp); older >= 1000 {"},
	{"inbound limit ignored", "bounded tables", gossip,
		"case p.way.inbound() && g.inboundInUse() >= g.node.config.InboundMax:", "case p.way.inbound() && g.inboundInUse() >= 1000*g.node.config.InboundMax:"},
	{"lost links not replaced", "formed", gossip,
		"if missing <= 0 || g.node.config.Static || g.closing != nil {", "if missing <= 0 || g.node.config.Static || g.closing != nil || len(g.peers) > 0 && ctx.Now() > 60*actors.Second {"},
	{"no refresh", "coverage", gossip, "if g.outbound() >= g.node.config.Connections && g.closing == nil && !g.refreshBySeeking(ctx) {", "if false {"},
	{"removed addresses accepted", "bounded tables", table, "if a.IsZero() || t.book.Barred(a) > now {", "if a.IsZero() {"},
	{"removed addresses kept", "bounded tables", table, "return t.drop(a)\n}\n\n// drop forgets", "return false\n}\n\n// drop forgets"},
	{"addresses not shared", "coverage", store, "list := s.table.Share(answer.space[:0], m.n,", "list := s.table.Share(answer.space[:0], 0*m.n,"},
	{"book without a bound", "bounded tables", table, "if !t.makeRoom(s, source, r) {", "if false {"},
}

// Each deliberate bug is caught by one of the first 200 seeds, for what it is.
func TestMutantsAreCaught(t *testing.T) {
	if !*mutate {
		t.Skip("takes minutes: run it with -mutants, as make soak does")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			start := time.Now()
			binary := m.build(t, root)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			out, err := exec.CommandContext(ctx, binary, "-test.run", "^TestSwarm$", "-swarm-seeds", "200", "-swarm-first").CombinedOutput()
			line := firstFailure(string(out))
			switch {
			case err == nil:
				t.Errorf("no seed catches it, in %v", time.Since(start))
			case line == "":
				t.Errorf("%v, and no seed is named:\n%.2000s", err, out)
			case !strings.Contains(line, ": "+m.check+" at "):
				t.Errorf("%s is to catch it: %s", m.check, line)
			default:
				t.Logf("caught in %v: %s", time.Since(start).Round(time.Second), line)
			}
		})
	}
}

// firstFailure is the line of the output that says which seed failed, and how.
func firstFailure(out string) string {
	for line := range strings.Lines(out) {
		if _, rest, ok := strings.Cut(line, "seed "); ok {
			return strings.TrimSpace("seed " + rest[:min(len(rest), 300)])
		}
	}
	return ""
}

// build builds these tests with the bug.
func (m mutant) build(t *testing.T, root string) string {
	path := filepath.Join(root, m.file)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), m.old); n != 1 {
		t.Fatalf("%s has the text of the bug %d times, want once: %q", m.file, n, m.old)
	}
	dir := t.TempDir()
	changed := filepath.Join(dir, "changed.go")
	if err := os.WriteFile(changed, []byte(strings.Replace(string(text), m.old, m.new, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(dir, "overlay.json")
	list, err := json.Marshal(map[string]map[string]string{"Replace": {path: changed}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(overlay, list, 0o600); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "swarm.test")
	c := exec.CommandContext(t.Context(), "go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", binary, ".")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("it does not build: %v\n%s", err, out)
	}
	return binary
}
