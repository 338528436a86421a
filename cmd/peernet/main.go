// Command peernet runs nodes of the peernet gossip network, and simulations of it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// exitInterrupted is the exit code after Ctrl-C, as shells have it.
const exitInterrupted = 130

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		<-ctx.Done()
		stop() // a second Ctrl-C ends the program at once
	}()
	err := rootCommand().ExecuteContext(ctx)
	switch {
	case err == nil:
	case errors.Is(err, context.Canceled):
		os.Exit(exitInterrupted)
	default:
		fmt.Fprintln(os.Stderr, "peernet:", plain(err))
		os.Exit(1)
	}
}

// plain is an error without the names of the packages that say it.
func plain(err error) string {
	return strings.NewReplacer("realnet: ", "", "peer: ", "", "actors: ", "", "book: ", "").Replace(err.Error())
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
	}
	root.AddGroup(
		&cobra.Group{ID: groupRun, Title: "Run:"},
		&cobra.Group{ID: groupDaemon, Title: "Talk to a running node:"},
	)
	for _, c := range []*cobra.Command{simCommand(), demoCommand(), nodeCommand()} {
		c.GroupID = groupRun
		root.AddCommand(c)
	}
	root.AddCommand(clientCommands()...)
	return root
}
