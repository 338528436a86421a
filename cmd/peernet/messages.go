package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"peernet/cmd/peernet/control"
)

// links is a number of links in words.
func links(n int) string {
	if n == 1 {
		return "1 link"
	}
	return fmt.Sprintf("%d links", n)
}

// errNobody is the error of a search without answers.
var errNobody = errors.New("nobody answered")

// printable is a text of another node, such that a terminal shows it and does not
// obey it.
func printable(s string) string {
	quoted := strconv.Quote(s)
	if quoted == `"`+s+`"` {
		return s
	}
	return quoted
}

func announceCommand() *clientCommand {
	var limit uint32
	c := newClientCommand("announce TYPE [DATA]", "Send a message (up to 64 and 1024 bytes) to the network, and wait for no answer", cobra.RangeArgs(1, 2), func(ctx context.Context, c *clientCommand, d *control.Client, args []string) error {
		if err := d.Do(ctx, "announce", messageOf(args, limit), nil); err != nil {
			return err
		}
		return c.done("announced")
	})
	c.Flags().Uint32Var(&limit, "limit", 0, "links that it travels at most, a `number`; 0 is as many as the network allows")
	return c
}

func messageOf(args []string, limit uint32) control.Request {
	r := control.Request{Type: args[0], Limit: limit}
	if len(args) > 1 {
		r.Data = args[1]
	}
	return r
}

func searchCommand() *clientCommand {
	var limit uint32
	var wait time.Duration
	var most int
	c := newClientCommand("search TYPE [DATA]", "Send a message to the network, and print the answers as they come", cobra.RangeArgs(1, 2), func(ctx context.Context, c *clientCommand, d *control.Client, args []string) error {
		if wait < 0 || most < 0 {
			return errors.New("--wait and --most: must not be negative")
		}
		if wait > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeoutCause(ctx, wait, errTimeUp)
			defer cancel()
		}
		return c.messages(ctx, d, "search", messageOf(args, limit), most)
	})
	c.Flags().Uint32Var(&limit, "limit", 0, "links that it travels at most, a `number`; 0 is as many as the network allows")
	c.Flags().DurationVar(&wait, "wait", 10*time.Second, "`time` to wait for answers; 0 is until Ctrl-C")
	c.Flags().IntVar(&most, "most", 0, "`number` of answers to be content with; 0 is all")
	return c
}

// errTimeUp ends what had a time.
var errTimeUp = errors.New("the time is up")

// textOf is the data of a message.
func textOf(m control.Message) string {
	if m.Data == "" && m.Base64 != "" {
		b, _ := base64.StdEncoding.DecodeString(m.Base64)
		return string(b)
	}
	return m.Data
}

// messages prints what arrives until ctx ends, or there were enough.
func (c *clientCommand) messages(ctx context.Context, d *control.Client, path string, r control.Request, most int) error {
	count := 0
	for m, err := range control.Lines[control.Message](ctx, d, path, r) {
		if errors.Is(err, errTimeUp) {
			break
		}
		if err == nil && c.json {
			err = c.printJSON(m)
		}
		if err != nil {
			return err
		}
		if !c.json {
			c.printf("%-12s  %8s  %s\n", printable(m.Type), links(m.Hops), printable(textOf(m)))
		}
		if count++; count == most {
			break
		}
	}
	if count == 0 {
		return errNobody
	}
	return nil
}

func answerCommand() *clientCommand {
	var match string
	c := newClientCommand("answer TYPE DATA", "Answer the searches of a type until Ctrl-C, and print them", cobra.ExactArgs(2), func(ctx context.Context, c *clientCommand, d *control.Client, args []string) error {
		return c.messages(ctx, d, "answer", control.Request{Type: args[0], Data: args[1], Match: match}, 0)
	})
	c.Flags().StringVar(&match, "match", "", "answer only searches with this `data`")
	return c
}

func watchCommand() *clientCommand {
	return newClientCommand("watch [TYPE]", "Print the announces and searches that arrive, until Ctrl-C", cobra.MaximumNArgs(1), func(ctx context.Context, c *clientCommand, d *control.Client, args []string) error {
		return c.messages(ctx, d, "watch", messageOf(append(args, "")[:1], 0), 0)
	})
}

func logCommand() *clientCommand {
	var all bool
	c := newClientCommand("log", "Print what happens at the node until Ctrl-C", cobra.NoArgs, func(ctx context.Context, c *clientCommand, d *control.Client, _ []string) error {
		_, err := each(c, control.Lines[control.Event](ctx, d, "log", control.Request{All: all}), func(e control.Event) {
			line := fmt.Sprintf("%s  %-20s", e.Time.Local().Format(time.TimeOnly), e.Kind)
			for _, part := range []string{e.Address, printable(e.Text)} {
				if part != "" {
					line += "  " + part
				}
			}
			if e.N != 0 {
				line += fmt.Sprintf("  n=%d", e.N)
			}
			c.printf("%s\n", strings.TrimRight(line, " "))
		})
		return err
	})
	c.Flags().BoolVar(&all, "all", false, "with what comes with every message")
	return c
}

func statusCommand() *clientCommand {
	return newClientCommand("status", "Show how the node is", cobra.NoArgs, func(ctx context.Context, c *clientCommand, d *control.Client, _ []string) error {
		var s control.Status
		if err := d.Do(ctx, "status", control.Request{}, &s); err != nil {
			return err
		}
		if c.json {
			return c.printJSON(s)
		}
		or := func(list []string, none string) string {
			if len(list) == 0 {
				return none
			}
			return strings.Join(list, " ")
		}
		rows := [][]string{
			{"network", or(strings.Fields(s.Network), "(without name)")},
			{"version", s.Version},
			{"running", fmt.Sprintf("%s, process %d", span(time.Duration(s.UptimeS*float64(time.Second))), s.PID)},
			{"data", s.Data},
			{"listening", or(s.Servers, "nowhere")},
			{"seen as", or(s.Observed, "not known")},
			{"connections", fmt.Sprintf("%d outbound, %d inbound", s.Outbound, s.Inbound)},
			{"known addresses", strconv.Itoa(s.Known)},
			{"memory", size(float64(s.MemoryBytes))},
		}
		for _, name := range slices.Sorted(maps.Keys(s.Events)) {
			if n := s.Events[name]; n > 0 {
				rows = append(rows, []string{name, strconv.FormatUint(n, 10)})
			}
		}
		return table(c.out, []string{"id", s.ID}, rows)
	})
}
