// Command peernet runs nodes of the peernet gossip network, and simulations of it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit codes: after Ctrl-C, as shells have it, and when checks of a simulation failed.
const (
	exitInterrupted = 130
	exitChecks      = 2
)

// exitCode is the exit code for an error that is no interrupt.
func exitCode(err error) int {
	var checks *checksError
	var swarm *swarmError
	if errors.As(err, &checks) || errors.As(err, &swarm) {
		return exitChecks
	}
	return 1
}

func main() {
	ctx := interruptible()
	err := rootCommand().ExecuteContext(ctx)
	switch {
	case err == nil:
	case errors.Is(err, context.Canceled):
		os.Exit(exitInterrupted)
	default:
		fmt.Fprintln(os.Stderr, "peernet:", plain(err))
		os.Exit(exitCode(err))
	}
}

// interruptible returns a context that ends with the first signal to end. A second
// Ctrl-C ends the program at once; whoever sends SIGTERM twice means it once.
func interruptible() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		for s := range signals {
			if s == os.Interrupt && ctx.Err() != nil {
				os.Exit(exitInterrupted)
			}
			cancel()
		}
	}()
	return ctx
}

// prefixes are the names of packages in front of their errors.
var prefixes = regexp.MustCompile(`(^|[:;] )(realnet|rtc|peer|actors|book|sweep|compare|result|scenario|sim|lab): `)

// plain is an error without the names of the packages that say it.
func plain(err error) string {
	text := err.Error()
	for {
		next := prefixes.ReplaceAllString(text, "$1")
		if next == text {
			return text
		}
		text = next
	}
}

// flagValue is what the library says of the value of a flag.
var flagValue = regexp.MustCompile(`^invalid argument "(.*)" for "(?:-., )?(--[a-z-]+)" flag: (strconv|time)[.:]`)

// flagError says of the value of a flag what is wanted.
func flagError(err error) error {
	m := flagValue.FindStringSubmatch(err.Error())
	switch {
	case m == nil:
		return err
	case m[3] == "time":
		return fmt.Errorf("%s: want a duration with its unit, such as 10ms or 1.5s, not %q", m[2], m[1])
	}
	return fmt.Errorf("%s: want a whole number, not %q", m[2], m[1])
}

// argsFrom is for a command that wants from least to most arguments, which it names, with
// an example.
func argsFrom(least, most int, what, example string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return fmt.Errorf("want %s, not %d arguments, such as: %s", what, len(args), example)
		}
		return nil
	}
}

// Groups of commands.
const (
	groupRun    = "run"
	groupDaemon = "daemon"
)

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "peernet",
		Short:         "A peer-to-peer gossip network, simulation first",
		Version:       version(),
		SilenceUsage:  true,
		SilenceErrors: true,

		DisableSuggestions: true, // they take lines of their own
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return flagError(err) })
	root.AddGroup(
		&cobra.Group{ID: groupRun, Title: "Run:"},
		&cobra.Group{ID: groupDaemon, Title: "Talk to a running node:"},
	)
	for _, c := range []*cobra.Command{simCommand(), experimentCommand(), demoCommand(), nodeCommand(), webCommand()} {
		c.GroupID = groupRun
		root.AddCommand(c)
	}
	root.AddCommand(clientCommands()...)
	return root
}
