package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"peernet/cmd/peernet/control"
)

// addSocketFlags adds the flags that say where a daemon is.
func addSocketFlags(flags *pflag.FlagSet, data, socket *string) {
	flags.StringVar(data, "data", defaultData(), "data `directory` of the node (PEERNET_DATA in the environment)")
	flags.StringVar(socket, "socket", "", "control socket, a `path`; default is control.sock in the data directory")
}

// A clientCommand is a command that talks to a daemon.
type clientCommand struct {
	*cobra.Command
	data, socket string
	json         bool
	out          *checkedWriter
}

// A checkedWriter keeps the first error of a writer.
type checkedWriter struct {
	io.Writer
	err error
}

// Write implements [io.Writer].
func (w *checkedWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	if w.err == nil {
		w.err = err
	}
	return n, err
}

// newClientCommand returns a command whose run gets a client of the daemon.
func newClientCommand(use, short string, args cobra.PositionalArgs, run func(ctx context.Context, c *clientCommand, d *control.Client, args []string) error) *clientCommand {
	c := &clientCommand{}
	c.Command = &cobra.Command{
		Use: use, Short: short, Args: args, GroupID: groupDaemon,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := loadSettings(cmd.Flags(), ""); err != nil {
				return err
			}
			for _, a := range args {
				if !utf8.ValidString(a) {
					return fmt.Errorf("%q: want UTF-8", a)
				}
			}
			c.out = &checkedWriter{Writer: cmd.OutOrStdout()}
			err := run(cmd.Context(), c, control.NewClient(socketPath(c.data, c.socket)), args)
			if errors.Is(err, control.ErrNoDaemon) && c.socket == "" {
				err = fmt.Errorf("%w; start one with peernet node --data %s", err, c.data)
			}
			if err == nil {
				err = c.out.err
			}
			return err
		},
	}
	addSocketFlags(c.Flags(), &c.data, &c.socket)
	c.Flags().BoolVar(&c.json, "json", false, "print JSON, and nothing else")
	return c
}

// printJSON prints a value as one line of JSON.
func (c *clientCommand) printJSON(v any) error { return json.NewEncoder(c.out).Encode(v) }

// printf prints for people.
func (c *clientCommand) printf(format string, args ...any) {
	fmt.Fprintf(c.out, format, args...)
}

// each prints the lines of an answer: as JSON or, for people, by f. It returns how many
// there were.
func each[T any](c *clientCommand, lines iter.Seq2[T, error], f func(T)) (count int, err error) {
	for v, err := range lines {
		if err == nil && c.json {
			err = c.printJSON(v)
		}
		if err != nil {
			return count, err
		}
		if count++; !c.json {
			f(v)
		}
	}
	return count, nil
}

// done prints what has been done.
func (c *clientCommand) done(format string, args ...any) error {
	if c.json {
		return c.printJSON(struct{}{})
	}
	c.printf(format+"\n", args...)
	return nil
}

// table prints rows with their columns aligned.
func table(out io.Writer, header []string, rows [][]string) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{header}, rows...) {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	return w.Flush()
}

// clientCommands are all commands that talk to a daemon.
func clientCommands() (list []*cobra.Command) {
	for _, c := range []*clientCommand{
		onAddress("add", "Add an address to the address book for good", "added", "add"),
		onAddress("remove", "Remove an address, and keep it away for a day", "removed", "remove"),
		knownCommand(), statsCommand(),
		onAddress("connect", "Connect to an address now", "connected to", "connect"),
		onAddress("disconnect", "Say goodbye to a peer, by address or node id", "disconnected from", "disconnect"),
		connectionsCommand(), serversCommand(), listenCommand(),
		announceCommand(), searchCommand(), answerCommand(), watchCommand(), logCommand(), statusCommand(),
		exportCommand(), importCommand(), closeCommand(),
	} {
		list = append(list, c.Command)
	}
	return list
}

// onAddress returns a command that does something to an address.
func onAddress(name, short, past, path string) *clientCommand {
	c := newClientCommand(name+" ADDRESS", short, cobra.ExactArgs(1), func(ctx context.Context, c *clientCommand, d *control.Client, args []string) error {
		err := d.Do(ctx, path, control.Request{Address: args[0]}, nil)
		switch {
		case err == nil:
			return c.done("%s %s", past, args[0])
		case strings.Contains(err.Error(), args[0]) || errors.Is(err, control.ErrNoDaemon):
			return err
		}
		return fmt.Errorf("%s: %w", args[0], err)
	})
	c.ValidArgsFunction = c.completeAddress
	return c
}

// completeAddress offers the addresses of the address book, or of connections.
func (c *clientCommand) completeAddress(cmd *cobra.Command, args []string, _ string) (list []string, _ cobra.ShellCompDirective) {
	const most = 1000
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if len(args) > 0 || loadSettings(cmd.Flags(), "") != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	d := control.NewClient(socketPath(c.data, c.socket))
	if cmd.Name() == "disconnect" {
		for x, err := range control.Lines[control.Connection](ctx, d, "connections", control.Request{}) {
			if err == nil {
				list = append(list, x.ID)
			}
		}
		return list, cobra.ShellCompDirectiveNoFileComp
	}
	for e, err := range control.Lines[control.Entry](ctx, d, "known", control.Request{}) {
		if err != nil || len(list) == most {
			break
		}
		list = append(list, e.Address)
	}
	return list, cobra.ShellCompDirectiveNoFileComp
}

func knownCommand() *clientCommand {
	return newClientCommand("known", "List the address book", cobra.NoArgs, func(ctx context.Context, c *clientCommand, d *control.Client, _ []string) error {
		first := true
		_, err := each(c, control.Lines[control.Entry](ctx, d, "known", control.Request{}), func(e control.Entry) {
			// As they come: a book may be large.
			if first {
				c.printf("%-44s  %-5s  %6s  %6s  %-10s  %s\n", "ADDRESS", "SAVED", "OK", "FAIL", "SEEN", "TRIED")
				first = false
			}
			c.printf("%-44s  %-5s  %6d  %6d  %-10s  %s\n", e.Address, yes(e.Saved), e.OK, e.Fail, ago(e.Seen), ago(e.Tried))
		})
		if err == nil && first && !c.json {
			c.printf("no addresses are known; add one with peernet add\n")
		}
		return err
	})
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// ago says how long ago a time was.
func ago(t *time.Time) string {
	if t == nil {
		return "never"
	}
	return span(time.Since(*t)) + " ago"
}

// span is a duration in its largest unit.
func span(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%dd", d/(24*time.Hour))
	case d >= 2*time.Hour:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d >= 2*time.Minute:
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return fmt.Sprintf("%ds", max(d, 0)/time.Second)
}

func statsCommand() *clientCommand {
	c := newClientCommand("stats ADDRESS", "Show what is known of an address", cobra.ExactArgs(1), func(ctx context.Context, c *clientCommand, d *control.Client, args []string) error {
		var e control.Entry
		if err := d.Do(ctx, "stats", control.Request{Address: args[0]}, &e); err != nil {
			return err
		}
		if c.json {
			return c.printJSON(e)
		}
		return table(c.out, []string{"address", e.Address}, [][]string{
			{"saved", yes(e.Saved)},
			{"dials answered", strconv.Itoa(int(e.OK))},
			{"dials failed", strconv.Itoa(int(e.Fail))},
			{"addresses received", strconv.Itoa(int(e.Rx))},
			{"addresses sent", strconv.Itoa(int(e.Tx))},
			{"last heard of", ago(e.Seen)},
			{"last tried", ago(e.Tried)},
		})
	})
	c.ValidArgsFunction = c.completeAddress
	return c
}

func connectionsCommand() *clientCommand {
	return newClientCommand("connections", "List the connections in use", cobra.NoArgs, func(ctx context.Context, c *clientCommand, d *control.Client, _ []string) error {
		rows := [][]string{}
		_, err := each(c, control.Lines[control.Connection](ctx, d, "connections", control.Request{}), func(x control.Connection) {
			at := x.Address
			if at == "" {
				at = x.Remote
			}
			rows = append(rows, []string{
				x.ID, direction(x.Outbound), x.Transport, at, strconv.Itoa(x.Version), span(time.Since(x.Since)), size(float64(x.Received)), size(float64(x.Sent)),
			})
		})
		switch {
		case err != nil || c.json:
			return err
		case len(rows) == 0:
			c.printf("no connections\n")
			return nil
		}
		return table(c.out, []string{"ID", "DIRECTION", "TRANSPORT", "ADDRESS", "WIRE", "AGE", "RECEIVED", "SENT"}, rows)
	})
}

func serversCommand() *clientCommand {
	return newClientCommand("servers", "List the addresses that the node listens at", cobra.NoArgs, func(ctx context.Context, c *clientCommand, d *control.Client, _ []string) error {
		count, err := each(c, control.Lines[control.Server](ctx, d, "servers", control.Request{}), func(s control.Server) {
			c.printf("%s\n", s.Address)
		})
		if err == nil && count == 0 && !c.json {
			c.printf("the node listens nowhere; see peernet listen\n")
		}
		return err
	})
}

func listenCommand() *clientCommand {
	return newClientCommand("listen ADDRESS", "Listen at one more address, and advertise it", cobra.ExactArgs(1), func(ctx context.Context, c *clientCommand, d *control.Client, args []string) error {
		var s control.Server
		if err := d.Do(ctx, "listen", control.Request{Address: args[0]}, &s); err != nil {
			return err
		}
		if c.json {
			return c.printJSON(s)
		}
		c.printf("listening at %s\n", s.Address)
		return nil
	})
}

func closeCommand() *clientCommand {
	return newClientCommand("close", "End the daemon, and wait until it has ended", cobra.NoArgs, func(ctx context.Context, c *clientCommand, d *control.Client, _ []string) error {
		if err := d.Do(ctx, "close", control.Request{}, nil); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, 2*drainTimeout)
		defer cancel()
		for {
			err := d.Do(ctx, "status", control.Request{}, nil)
			if errors.Is(err, control.ErrNoDaemon) {
				return c.done("closed")
			}
			select {
			case <-ctx.Done():
				return errors.New("the daemon has not ended yet")
			case <-time.After(50 * time.Millisecond):
			}
		}
	})
}

func exportCommand() *clientCommand {
	return newClientCommand("export [FILE]", "Write the address book as JSON lines", cobra.MaximumNArgs(1), func(ctx context.Context, c *clientCommand, d *control.Client, args []string) (err error) {
		var out io.Writer = c.out
		if len(args) > 0 && args[0] != "-" {
			// Whole or not at all: an earlier export may be there.
			file, failed := os.CreateTemp(filepath.Dir(args[0]), ".peernet-export-*")
			if failed != nil {
				return failed
			}
			defer func() {
				err = errors.Join(err, file.Close())
				if err == nil {
					err = os.Rename(file.Name(), args[0])
				}
				if err != nil {
					_ = os.Remove(file.Name())
				}
			}()
			out = file
		}
		lines := json.NewEncoder(out)
		for e, err := range control.Lines[control.Entry](ctx, d, "known", control.Request{}) {
			if err == nil {
				err = lines.Encode(e)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func importCommand() *clientCommand {
	return newClientCommand("import [FILE]", "Add the addresses of an export", cobra.MaximumNArgs(1), func(ctx context.Context, c *clientCommand, d *control.Client, args []string) error {
		in := c.InOrStdin()
		if len(args) > 0 && args[0] != "-" {
			file, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer file.Close()
			in = file
		}
		var n control.Imported
		if err := d.Upload(ctx, "import", in, &n); err != nil {
			return err
		}
		if c.json {
			return c.printJSON(n)
		}
		c.printf("%d addresses imported; the address book has %d\n", n.Read, n.Known)
		return nil
	})
}
