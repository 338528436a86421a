//go:build !js

package realnet_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"peernet/actors/peer"
	"peernet/realnet"
)

func init() {
	children["listener"] = listener
}

// listener is a node with room for many links. It says where it listens, and
// answers with its resident memory in bytes and its connections.
func listener(args []string, in *bufio.Scanner) error {
	ctx := context.Background()
	n, err := realnet.Open(ctx, realnet.Config{
		Listen: []string{args[0] + "://127.0.0.1:0"}, Peer: peer.Config{Static: true, InboundMax: 10000, HandshakesMax: 10000},
	})
	if err != nil {
		return err
	}
	fmt.Println(n.Servers()[0])
	for in.Scan() {
		list, err := n.Connections(ctx)
		if err != nil {
			return err
		}
		say(map[string]int{"rss": residentBytes(), "connections": len(list)})
	}
	return n.Close(ctx)
}

// residentBytes is the resident memory of this process.
func residentBytes() int {
	text, _ := os.ReadFile("/proc/self/statm")
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.Atoi(fields[1])
	return pages * os.Getpagesize()
}

// An idle connection takes little memory.
func TestMemoryOfIdleConnections(t *testing.T) {
	if residentBytes() == 0 {
		t.Skip("the system does not tell the resident memory")
	}
	if raceEnabled {
		t.Skip("the race detector takes memory too")
	}
	const count, most = 1000, 40 << 10
	for _, scheme := range []string{"tcp", "ws"} {
		t.Run(scheme, func(t *testing.T) {
			c := startChild(t, "listener", scheme)
			at := c.line()
			open(t, realnet.Config{Peer: peer.Config{Static: true}}) // the shared host lives as long
			connect := func(n int) {
				for range n {
					n := open(t, realnet.Config{Peer: peer.Config{Static: true}})
					if err := n.Connect(t.Context(), at); err != nil {
						t.Fatal(err)
					}
				}
			}
			measure := func(connections int) int {
				var got map[string]int
				for deadline := time.Now().Add(10 * time.Second); ; {
					if c.ask("memory", &got); got["connections"] == connections {
						return got["rss"]
					}
					if time.Now().After(deadline) {
						t.Fatalf("%d connections, want %d", got["connections"], connections)
					}
				}
			}
			connect(10) // what there is once
			before := measure(10)
			connect(count)
			per := (measure(count+10) - before) / count
			t.Logf("%.1f KiB of resident memory for an idle connection", float64(per)/1024)
			if per > most {
				t.Errorf("%d bytes for an idle connection, at most %d allowed", per, most)
			}
		})
	}
}
