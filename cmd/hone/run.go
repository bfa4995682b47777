package main

import (
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/hone-ml/hone/lifecycle"
	"github.com/hone-ml/hone/metric"
)

// logFormats are the values of --log-format.
var logFormats = []string{"auto", "plain", "json"}

func runCommand() *cobra.Command {
	var sets []string
	var gate gateFlags
	var logFormat string
	var asJSON, profile bool
	c := &cobra.Command{
		Use:     "run CONFIG",
		GroupID: "life",
		Short:   "Carry out a configuration: prepare, train, evaluate, publish",
		Long: `Run prepares the data, trains the network, measures it once on the test rows
beside a trivial and a linear baseline, writes the bundle (NAME.hone) beside
the configuration and a report into the run's folder, and registers the run.

The same command goes on where an interrupted run stopped, and ends at the same
bits. A finished run is not touched: a new one starts.`,
		Example: `  hone run hone.yaml
  hone run hone.yaml --set train.epochs=5 --set network.dropout=0.3
  hone run hone.yaml --json --require 'roc_auc>=0.85 and log_loss<0.5'`,
		RunE: func(c *cobra.Command, args []string) error {
			gates, err := gate.parse()
			if err != nil {
				return err
			}
			if !slices.Contains(logFormats, logFormat) {
				return usagef("--log-format: found %q, expected one of %s", logFormat, strings.Join(logFormats, ", "))
			}
			cfg, err := lifecycle.LoadConfig(args[0], sets)
			if err != nil {
				return err
			}
			cfg.Gates, cfg.Profile = gates, profile
			live := isTerminal(c.ErrOrStderr())
			watch, finish := newView(c.ErrOrStderr(), logFormat, live, lifecycle.Stages)
			s, err := lifecycle.Run(c.Context(), cfg, watch)
			finish()
			if lifecycle.IsStopped(err) {
				return &stoppedRun{err}
			}
			if err != nil {
				return err
			}
			if asJSON {
				err = printJSON(c, s)
			} else {
				printSummary(c.OutOrStdout(), s, isTerminal(c.OutOrStdout()) && os.Getenv("NO_COLOR") == "")
				printProfile(c.OutOrStdout(), s.Profile, here())
			}
			if err != nil {
				return err
			}
			others := map[string]map[string]metric.Interval{}
			for name, o := range s.Outputs {
				others[name] = o.Test
			}
			return gate.check(gates, s.Name, "the test rows", s.Test, others)
		},
	}
	c.Flags().StringArrayVar(&sets, "set", nil, "set a key, as `KEY=VALUE`: train.epochs=5 (may be repeated)")
	gate.add(c, "on the test rows")
	c.Flags().StringVar(&logFormat, "log-format", "auto", "`FORMAT` of progress on standard error: auto (live on a terminal, else plain), plain or json")
	profileFlag(c, &profile)
	c.Flags().BoolVar(&asJSON, "json", false, "end with one JSON object on standard output")
	return c
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
