package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"peernet/sim/result"
	"peernet/sim/scenario"
)

// printSummary prints the summary for people.
func printSummary(out io.Writer, asked *scenario.Scenario, s *scenario.Summary) error {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	title := "result"
	if s.Partial {
		title = "PARTIAL result"
	}
	fmt.Fprintln(w, title+"\t")
	row("  simulated", "%.1f s, %d nodes, seed %d", s.DurationS, s.Nodes, s.Seed)
	if s.FormedAtS != nil {
		row("  network formed", "at %.0f s, after %.0f messages per node", *s.FormedAtS, *s.JoinMessagesPerNode)
	} else {
		row("  network formed", "no")
	}
	fmt.Fprintln(w, "announce\t")
	a := s.Announce
	row("  sent", "%s", sent(a.Count, asked.Requests(false)))
	if a.Count > 0 {
		row("  coverage", "mean %.4f, least %.4f", a.CoverageMean, a.CoverageMin)
		row("  hops", "mean %.2f, most %d", a.HopsMean, a.HopsMax)
		row("  latency", "median %.0f ms, 99th percentile %.0f ms", a.LatencyMsP50, a.LatencyMsP99)
		row("  redundancy", "%.3f", a.Redundancy)
	}
	if asked.Requests(true) > 0 {
		fmt.Fprintln(w, "search\t")
		row("  sent", "%s, answered %d", sent(s.Search.Count, asked.Requests(true)), s.Search.Answered)
		row("  replies", "mean %.1f", s.Search.RepliesMean)
	}
	o := s.Overlay
	fmt.Fprintln(w, "overlay\t")
	row("  degree", "mean %.2f, %d to %d", o.DegreeMean, o.DegreeMin, o.DegreeMax)
	row("  outbound", "mean %.2f, least %d, full %.4f", o.OutboundMean, o.OutboundMin, o.OutboundFull)
	if o.NegotiatedMean > 0 {
		row("  of these by WebRTC", "mean %.2f", o.NegotiatedMean)
	}
	if o.HostileLinks > 0 || o.HostileBook > 0 {
		row("  hostile", "%.4f of the links in use, %.4f of the addresses in books", o.HostileLinks, o.HostileBook)
	}
	row("  largest component", "%.4f", o.LargestComponent)
	row("  clustering", "%.5f", o.Clustering)
	row("  path length", "mean %.3f", o.PathLengthMean)
	t := s.Traffic
	fmt.Fprintln(w, "traffic\t")
	row("  messages", "%d, %s", t.Messages, size(float64(t.Bytes)))
	row("  per node", "%s/s", size(t.BytesPerNodePerS))
	if t.Lost > 0 {
		row("  lost", "%d messages, in partitions or on broken links", t.Lost)
	}
	if t.Retransmitted > 0 {
		row("  retransmitted", "%d", t.Retransmitted)
	}
	if t.Throttled > 0 {
		row("  throttled", "%d messages dropped: see rate_max and routes_max", t.Throttled)
	}
	printChecks(w, s.Checks)
	fmt.Fprintln(w, "cost\t")
	row("  time", "%.1f s wall, %.1f s CPU, %d workers", s.WallS, s.CPUS, s.Workers)
	row("  speed", "%.2f M deliveries per CPU second", s.DeliveriesPerCPUS/1e6)
	row("  deliveries", "%d, %d events", s.Deliveries, s.Events)
	row("  memory", "%s of heap per node, %s peak", size(s.HeapBytesPerNode), size(float64(s.PeakRSSBytes)))
	_ = w.Flush() // to a builder, without errors
	return printTrimmed(out, text.String())
}

// printChecks prints the goals, and the invariants that do not hold.
func printChecks(w io.Writer, checks []result.Check) {
	if len(checks) == 0 {
		return
	}
	fmt.Fprintln(w, "checks\t")
	held := 0
	for _, c := range checks {
		verdict := "ok"
		switch {
		case !c.OK:
			verdict = "FAILED"
		case c.Unchecked:
			verdict = "not checked"
		case c.Kind == result.KindInvariant:
			held++
			continue
		}
		where := ""
		if c.Node != nil {
			where += fmt.Sprintf(" node %d", *c.Node)
		}
		if c.AtS != nil {
			where += fmt.Sprintf(" at %.3f s", *c.AtS)
		}
		if where != "" {
			where = "," + where
		}
		fmt.Fprintf(w, "  %s\t%s%s: %s\n", strings.ReplaceAll(c.Name, "_", " "), verdict, where, c.Detail)
	}
	if held > 0 {
		fmt.Fprintf(w, "  invariants\t%d of %d hold\n", held, invariantsOf(checks))
	}
	for _, c := range checks {
		if c.Kind == result.KindInvariant && c.OK && !c.Unchecked && c.Detail != "" {
			fmt.Fprintf(w, "  \t%s: %s\n", c.Name, c.Detail)
		}
	}
}

func invariantsOf(checks []result.Check) (n int) {
	for _, c := range checks {
		if c.Kind == result.KindInvariant && !c.Unchecked {
			n++
		}
	}
	return n
}

// sent says how many of the messages asked for were sent: where no node was
// live, or the run was interrupted, fewer are.
func sent(n, asked int) string {
	if n == asked {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%d of %d", n, asked)
}

// size formats a number of bytes.
func size(n float64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	i := 0
	for n >= 1024 && i < len(units)-1 {
		n /= 1024
		i++
	}
	if i == 0 {
		return fmt.Sprintf("%.0f B", n)
	}
	return fmt.Sprintf("%.1f %s", n, units[i])
}
