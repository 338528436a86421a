package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"peernet/actors/peer"
	"peernet/realnet"
)

// demoNodes is how many nodes the demonstration has, and demoTimeout, how long it
// may take.
const (
	demoNodes   = 5
	demoTimeout = 30 * time.Second
)

func demoCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Run five nodes on this machine that find each other and talk",
		Long: `Run five nodes in this process, linked by WebSocket over loopback. All know one
address at the start. When each knows all addresses, one of them searches, and the
others answer.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeoutCause(cmd.Context(), demoTimeout, errTimeUp)
			defer cancel()
			return runDemo(ctx, cmd)
		},
	}
}

func runDemo(ctx context.Context, cmd *cobra.Command) (err error) {
	out := cmd.OutOrStdout()
	started := time.Now()
	say := func(format string, args ...any) {
		fmt.Fprintf(out, "%5.2f s  %s\n", time.Since(started).Seconds(), fmt.Sprintf(format, args...))
	}
	host := realnet.NewHost(nil)
	defer host.Close()
	var nodes []*realnet.Node
	defer func() {
		for _, n := range nodes {
			err = errors.Join(err, drain(n))
		}
		if err == nil {
			say("all nodes said goodbye")
		}
	}()
	for i := range demoNodes {
		c := realnet.Config{
			Host: host, Listen: []string{"ws://127.0.0.1:0"},
			// Faster than in the world, where it is seconds.
			Peer: peer.Config{Network: "demo", Connections: 3, Interval: 100 * time.Millisecond},
		}
		if i > 0 {
			c.Bootstrap = nodes[0].Servers()
		}
		n, err := realnet.Open(ctx, c)
		if err != nil {
			return err
		}
		nodes = append(nodes, n)
		go answerDemo(ctx, n, i+1)
	}
	say("%d nodes run; all but the first know one address, %s", demoNodes, nodes[0].Servers()[0])
	if err := waitForAll(ctx, nodes); err != nil {
		return err
	}
	say("each knows all addresses, and has connections")
	if err := printDemo(ctx, cmd, nodes); err != nil {
		return err
	}
	return searchDemo(ctx, nodes[demoNodes-1], say)
}

// answerDemo answers all searches that arrive at a node.
func answerDemo(ctx context.Context, n *realnet.Node, number int) {
	for r, err := range n.Requests(ctx) {
		if err != nil {
			return
		}
		_ = r.Reply(ctx, realnet.Message{Type: r.Type, Data: fmt.Sprintf("node %d heard %q", number, r.Data)})
	}
}

// waitForAll waits until each node knows the others and has two connections.
func waitForAll(ctx context.Context, nodes []*realnet.Node) error {
	for i, n := range nodes {
		for {
			known, err := n.Len(ctx)
			if err != nil {
				return fmt.Errorf("node %d knows %d of %d others: %w", i+1, known, demoNodes-1, err)
			}
			list, err := n.Connections(ctx)
			if err != nil {
				return err
			}
			if known >= demoNodes-1 && len(list) >= 2 {
				break
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("node %d knows %d of %d others, and has %d connections: %w", i+1, known, demoNodes-1, len(list), context.Cause(ctx))
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	return nil
}

func printDemo(ctx context.Context, cmd *cobra.Command, nodes []*realnet.Node) error {
	var rows [][]string
	for i, n := range nodes {
		list, err := n.Connections(ctx)
		if err != nil {
			return err
		}
		known, err := n.Len(ctx)
		if err != nil {
			return err
		}
		var peers []int
		for _, c := range list {
			peers = append(peers, 1+slices.IndexFunc(nodes, func(m *realnet.Node) bool { return m.ID() == c.ID }))
		}
		slices.Sort(peers)
		rows = append(rows, []string{strconv.Itoa(i + 1), n.Servers()[0], strconv.Itoa(known), fmt.Sprint(peers)})
	}
	fmt.Fprintln(cmd.OutOrStdout())
	if err := table(cmd.OutOrStdout(), []string{"NODE", "LISTENS AT", "KNOWS", "CONNECTED TO"}, rows); err != nil {
		return err
	}
	fmt.Fprintln(cmd.OutOrStdout())
	return nil
}

// searchDemo has a node search until all others have answered.
func searchDemo(ctx context.Context, n *realnet.Node, say func(string, ...any)) error {
	say("node %d searches for %q", demoNodes, "hello")
	answers := 0
	for r, err := range n.Announce(ctx, realnet.Message{Type: "search", Data: "hello"}) {
		if err != nil {
			return err
		}
		say("%s (the answer took %s)", r.Data, links(r.Hops))
		if answers++; answers == demoNodes-1 {
			break
		}
	}
	if answers < demoNodes-1 {
		return fmt.Errorf("%d of %d nodes answered: %w", answers, demoNodes-1, context.Cause(ctx))
	}
	say("all %d others answered", answers)
	return nil
}
