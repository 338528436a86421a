//go:build !js

package realnet_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"peernet/actors/peer"
	"peernet/realnet"
)

// childRole makes the test binary run one of the nodes of another process.
const childRole = "PEERNET_TEST_CHILD"

// children are what the test binary can be made to run, by role; see startChild.
var children = map[string]func(args []string, in *bufio.Scanner) error{
	"middle": middle,
	"sink":   sink,
}

// runChild runs the role that the environment asks for, if it does.
func runChild() bool {
	args := strings.Fields(os.Getenv(childRole))
	if len(args) == 0 {
		return false
	}
	if err := children[args[0]](args[1:], bufio.NewScanner(os.Stdin)); err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
		os.Exit(1)
	}
	return true
}

// A child is another process that answers lines with lines.
type child struct {
	tb   testing.TB
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Scanner
	done bool
}

// startChild runs a role in a process of its own, which ends with the test.
func startChild(tb testing.TB, args ...string) *child {
	tb.Helper()
	c := &child{tb: tb, cmd: exec.Command(os.Args[0])}
	c.cmd.Env = append(os.Environ(), childRole+"="+strings.Join(args, " "))
	c.cmd.Stderr = os.Stderr
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	c.out = bufio.NewScanner(out)
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		tb.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(c.end)
	return c
}

func (c *child) end() {
	if !c.done {
		c.done = true
		_ = c.in.Close()
		_ = c.cmd.Wait()
	}
}

// kill ends the process as kill -9 does.
func (c *child) kill() {
	c.done = true
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
}

// line reads what the child says next.
func (c *child) line() string {
	c.tb.Helper()
	if !c.out.Scan() {
		c.tb.Fatalf("the child has ended: %v", c.out.Err())
	}
	return c.out.Text()
}

// ask has the child answer a question.
func (c *child) ask(question string, answer any) {
	c.tb.Helper()
	if _, err := fmt.Fprintln(c.in, question); err != nil {
		c.tb.Fatal(err)
	}
	line := c.line()
	if err := json.Unmarshal([]byte(line), answer); err != nil {
		c.tb.Fatalf("%q is answered by %q: %v", question, line, err)
	}
}

func say(v any) {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s\n", text)
}

// fast is a configuration of nodes that are only given links, and pass on as
// much as they can.
func fast() peer.Config {
	return peer.Config{Static: true, RateMax: 1 << 20}
}

// cpu is the time that this process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// middle is the node in the middle of the line. It says where it listens, and
// answers "cpu".
func middle(args []string, in *bufio.Scanner) error {
	ctx := context.Background()
	n, err := realnet.Open(ctx, realnet.Config{Listen: []string{args[0] + "://127.0.0.1:0"}, Peer: fast()})
	if err != nil {
		return err
	}
	fmt.Println(n.Servers()[0])
	for in.Scan() {
		say(cpu())
	}
	return n.Close(ctx)
}

// sink is the last node of the line. It connects to the address of args, says so,
// counts announces, and answers those of type "last". It answers "count".
func sink(args []string, in *bufio.Scanner) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	n, err := realnet.Open(ctx, realnet.Config{Peer: fast(), Observe: nil})
	if err != nil {
		return err
	}
	var count atomic.Int64
	go func() {
		for r, err := range n.Requests(ctx) {
			if err != nil {
				return
			}
			count.Add(1)
			if r.Type == "last" {
				_ = r.Reply(ctx, realnet.Message{Type: "last", Data: r.Data})
			}
		}
	}()
	if err := n.Connect(ctx, args[0]); err != nil {
		return err
	}
	say("connected")
	for in.Scan() {
		say(map[string]uint64{"requests": n.Counts()["gossip.request"], "taken": uint64(count.Load())})
	}
	return n.Close(context.Background())
}

// BenchmarkLine sends announces of 64 bytes over a line of three processes. Batches
// are in flight one behind the other: of each, the last announce is answered by
// the node at the end.
func BenchmarkLine(b *testing.B) {
	for _, scheme := range []string{"tcp", "ws"} {
		b.Run(scheme, func(b *testing.B) { benchmarkLine(b, scheme) })
	}
}

func benchmarkLine(b *testing.B, scheme string) {
	const batch = 60 // times those in flight: less than waits at the node at the end
	ctx, cancel := context.WithTimeout(b.Context(), 2*time.Minute)
	defer cancel()
	mid := startChild(b, "middle", scheme)
	at := mid.line()
	end := startChild(b, "sink", at)
	end.line()
	n, err := realnet.Open(ctx, realnet.Config{Peer: fast()})
	if err != nil {
		b.Fatal(err)
	}
	defer n.Close(context.Background())
	if err := n.Connect(ctx, at); err != nil {
		b.Fatal(err)
	}
	payload := strings.Repeat("x", 64)
	var midBefore, midAfter time.Duration
	mid.ask("cpu", &midBefore)
	before := cpu()
	b.ResetTimer()
	const inFlight = 4
	slots := make(chan struct{}, inFlight)
	sent := 0
	for sent < b.N {
		slots <- struct{}{}
		for range batch {
			if err := n.Publish(ctx, realnet.Message{Type: "bench", Data: payload}); err != nil {
				b.Fatal(err)
			}
		}
		sent += batch
		go func() {
			defer func() { <-slots }()
			once, stop := context.WithTimeout(ctx, 10*time.Second)
			defer stop()
			for _, err := range n.Announce(once, realnet.Message{Type: "last", Data: payload}) {
				if err != nil {
					b.Error(err)
				}
				return
			}
			b.Error("a batch is lost")
		}()
	}
	for range inFlight {
		slots <- struct{}{}
	}
	b.StopTimer()
	mid.ask("cpu", &midAfter)
	var got map[string]uint64
	end.ask("count", &got)
	if want := uint64(sent); got["requests"] < want {
		b.Errorf("%d of %d announces arrived", got["requests"], want)
	}
	b.ReportMetric(float64(sent)/b.Elapsed().Seconds(), "announces/s")
	b.ReportMetric(float64((midAfter-midBefore).Nanoseconds())/float64(sent)/1000, "middle-cpu-µs/announce")
	b.ReportMetric(float64((cpu()-before).Nanoseconds())/float64(sent)/1000, "origin-cpu-µs/announce")
}
