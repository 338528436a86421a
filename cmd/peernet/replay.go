package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"peernet/sim"
	"peernet/sim/scenario"
)

// replayFlags are the options of peernet sim replay.
type replayFlags struct {
	scenarioFlags
	at, around time.Duration
	node       int
	json       bool
	trace      string
	nodes      []int
	kinds      []string
	from       time.Duration
}

func replayCommand() *cobra.Command {
	var f replayFlags
	c := &cobra.Command{
		Use:   "replay [SCENARIO]",
		Short: "Run a scenario again, to a time, and look into it",
		Long: `Run a scenario again up to a time.

With --node it prints what that node is like at that time, and the messages that it
got over its links, and its events, around it.

With --trace it writes what actors receive and what they report to a file, one JSON
object a line, by time and node: see the fields of Line in go doc ./sim/scenario. A
trace of everything is large: choose with --only, --kind and --from.`,
		Example: `  peernet sim replay my.yaml --seed 7 --at 12.4s --node 17
  peernet sim replay results --at 30s --trace trace.jsonl --kind 'gossip.*' --only 3,4`,
		Args: argsFrom(0, 1, "one scenario at most", "peernet sim replay my.yaml --at 12.4s --node 17"),
		RunE: func(cmd *cobra.Command, args []string) error { return runReplay(cmd, args, &f) },
	}
	f.register(c)
	flags := c.Flags()
	flags.DurationVar(&f.at, "at", 0, "virtual `time` to run to; default the end of the run")
	flags.IntVar(&f.node, "node", -1, "the `node` to look at")
	flags.DurationVar(&f.around, "around", time.Second, "messages from so long before to so long after")
	flags.BoolVar(&f.json, "json", false, "print the node as JSON")
	flags.StringVar(&f.trace, "trace", "", "`file` to write a trace to; - for standard output")
	flags.IntSliceVar(&f.nodes, "only", nil, "trace only these `nodes`")
	flags.StringSliceVar(&f.kinds, "kind", nil, "trace only these `kinds` of events and messages; gossip.* for all that begin so")
	flags.DurationVar(&f.from, "from", 0, "trace from this `time` on")
	return c
}

func runReplay(cmd *cobra.Command, args []string, f *replayFlags) error {
	s, err := f.load(cmd, args)
	if err != nil {
		return err
	}
	if !cmd.Flags().Changed("at") {
		f.at = time.Duration(s.Duration)
	}
	switch {
	case f.node < 0 && f.trace == "":
		return errors.New("want --node, the node to look at, or --trace, a file for all that happens")
	case f.at < 0 || f.at > time.Duration(s.Duration):
		return fmt.Errorf("--at: %v is not within the run, of %v", f.at, s.Duration)
	case f.around < 0 || f.from < 0:
		return errors.New("--around and --from must not be negative")
	case f.from > f.at:
		return fmt.Errorf("--from: %v is after --at, %v: nothing would be traced", f.from, f.at)
	case slices.ContainsFunc(f.nodes, func(id int) bool { return id < 0 || id >= s.Population() }):
		return fmt.Errorf("--only: nodes are numbered from 0 to %d", s.Population()-1)
	}
	limitMemory()
	o := scenario.Options{Workers: f.workers}
	if f.trace != "" {
		if err := f.writeTrace(cmd, s, o); err != nil {
			return err
		}
	}
	if f.node < 0 {
		return nil
	}
	state, err := scenario.Replay(cmd.Context(), s, o, sim.NodeID(f.node), f.at, f.around)
	if err != nil {
		return err
	}
	if f.json {
		e := json.NewEncoder(cmd.OutOrStdout())
		e.SetIndent("", "  ")
		return e.Encode(state)
	}
	return printState(cmd.OutOrStdout(), state)
}

func (f *replayFlags) writeTrace(cmd *cobra.Command, s *scenario.Scenario, o scenario.Options) error {
	filter := scenario.Filter{Kinds: f.kinds, From: f.from}
	for _, id := range f.nodes {
		filter.Nodes = append(filter.Nodes, sim.NodeID(id))
	}
	out := cmd.OutOrStdout()
	if f.trace != "-" {
		file, err := os.Create(f.trace)
		if err != nil {
			return fmt.Errorf("--trace: %w", err)
		}
		defer file.Close()
		out = file
	}
	buffered := bufio.NewWriterSize(out, 1<<16)
	lines, err := scenario.Trace(cmd.Context(), s, o, f.at, filter, buffered)
	if err = errors.Join(err, buffered.Flush()); err != nil {
		return err
	}
	if f.trace != "-" {
		fmt.Fprintf(cmd.ErrOrStderr(), "%d lines written to %s\n", lines, f.trace)
	}
	if lines == 0 {
		fmt.Fprintln(cmd.ErrOrStderr(), "nothing that was asked for happened: kinds are named as in a trace without --kind, such as gossip.request")
	}
	return nil
}

// printState prints a node for people.
func printState(out io.Writer, s *scenario.State) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	row("node", "%d at %.6f s", s.Node, s.AtS)
	if s.Role != "" {
		row("role", "%s", s.Role)
	}
	row("live", "%v, started %d times, last at %.6f s", s.Live, s.Starts, s.StartedS)
	row("address", "%s, reach %s", s.Address, s.Reach)
	for _, x := range []struct{ name, value string }{{"id", s.ID}, {"class", s.Class}, {"region", s.Region}, {"broken", s.Broken}} {
		if x.value != "" {
			row(x.name, "%s", x.value)
		}
	}
	row("clock", "%.6f s", s.ClockS)
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%d connections in use\n", len(s.Connections))
	for _, c := range s.Connections {
		way, kind, both := "in", "", ""
		if c.Outbound {
			way = "out"
		}
		if c.WebRTC {
			kind = ", WebRTC"
		}
		if !c.Both {
			both = ", not in use there"
		}
		if c.Role != "" {
			both += ", " + c.Role
		}
		fmt.Fprintf(w, "  %s\tnode %d\t%s%s%s\n", c.Conn, c.Peer, way, kind, both)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%d addresses in the book\n", len(s.Book))
	for _, e := range s.Book {
		saved := ""
		if e.Saved {
			saved = "saved"
		}
		fmt.Fprintf(w, "  %s\tok %d\tfailed %d\t%s\n", e.Address, e.OK, e.Fail, saved)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%d messages and events around\n", len(s.Lines))
	for _, l := range s.Lines {
		from := "event"
		if l.From != nil {
			from = "from " + strconv.Itoa(int(*l.From))
		}
		note := l.Text
		if l.Address != "" {
			note = strings.TrimSpace(note + " " + l.Address)
		}
		fmt.Fprintf(w, "  %.6f s\t%s\t%s\t%s\n", l.AtS, from, l.Kind, note)
	}
	return w.Flush()
}
