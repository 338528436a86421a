package main

import (
	"fmt"
	"math"

	"github.com/spf13/cobra"

	"peernet/sim/result"
)

func reportCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "report DIR...",
		Short: "Make the report of a simulation anew",
		Long: `Make report.html anew from the other files of the directory of a run, as
peernet sim --out writes it.

The report is one file that needs no other, for a browser or for paper. It is
the same each time.`,
		Example: `  peernet sim report results
  peernet sim report before after`,
		Args: argsFrom(1, math.MaxInt, "the directories of runs", "peernet sim report results"),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, dir := range args {
				run, err := result.Read(dir)
				if err != nil {
					return err
				}
				path, err := result.WriteReport(dir, run)
				if err != nil {
					return err
				}
				fmt.Fprintln(cmd.OutOrStdout(), path)
			}
			return nil
		},
	}
}
