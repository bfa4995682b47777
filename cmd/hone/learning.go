package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/lifecycle"
)

func learningCommand() *cobra.Command {
	var sets []string
	var name, logFormat string
	var asJSON bool
	c := &cobra.Command{
		Use:     "learning-curve CONFIG",
		GroupID: "life",
		Short:   "Find out what more rows to learn from would bring",
		Long: `Learning-curve trains on a sixteenth, an eighth, a quarter, half and all of the
training rows and measures each time on the same validation rows. A power law is
fitted to what it finds, and says with an interval what twice the rows would bring,
if the curve goes on as it went; or that the curve says nothing.

It takes about twice as long as training. The last training is that of ` + "`hone run`" + `
with the same configuration, which goes on from there. Test rows are not read.`,
		Example: `  hone learning-curve hone.yaml
  hone learning-curve hone.yaml --metric log_loss`,
		RunE: func(c *cobra.Command, args []string) error {
			if !slices.Contains(logFormats, logFormat) {
				return usagef("--log-format: found %q, expected one of %s", logFormat, strings.Join(logFormats, ", "))
			}
			cfg, err := lifecycle.LoadConfig(args[0], sets)
			if err != nil {
				return err
			}
			watch, finish := newView(c.ErrOrStderr(), logFormat, isTerminal(c.ErrOrStderr()), []string{lifecycle.StagePrepare, lifecycle.StageTrain})
			curve, err := lifecycle.LearnCurve(c.Context(), cfg, name, watch)
			finish()
			if lifecycle.IsStopped(err) {
				return &stoppedRun{err}
			}
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c, curve)
			}
			printCurve(c.OutOrStdout(), curve)
			return nil
		},
	}
	c.Flags().StringArrayVar(&sets, "set", nil, "set a key, as `KEY=VALUE`: train.epochs=5 (may be repeated)")
	c.Flags().StringVar(&name, "metric", "", "`NAME` of what to measure (default: the one that the task is told by)")
	c.Flags().StringVar(&logFormat, "log-format", "auto", "`FORMAT` of progress on standard error: auto (live on a terminal, else plain), plain or json")
	c.Flags().BoolVar(&asJSON, "json", false, "end with one JSON object on standard output")
	return c
}

func printCurve(w io.Writer, l *evaluate.LearningCurve) {
	fmt.Fprintf(w, "%s of %s on %s, by rows to learn from:\n", l.Metric, l.Target, plural(l.Judged, "validation row"))
	line := func(p evaluate.LearningPoint, what string) {
		fmt.Fprintf(w, "  %10s  %10s", count(p.Rows), number(p.Value.Value))
		if p.Value.Low == p.Value.Low { // not NaN
			fmt.Fprintf(w, "  (%g %% interval %s to %s)", 100*l.Level, number(p.Value.Low), number(p.Value.High))
		}
		fmt.Fprintln(w, what)
	}
	for _, p := range l.Points {
		line(p, "")
	}
	if l.Next != nil {
		line(*l.Next, ", expected")
	}
	fmt.Fprintf(w, "\n%s\n", hang("", l.Sentence, columns(w)))
	for _, n := range l.Notes {
		fmt.Fprintf(w, "%s\n", hang("", n, columns(w)))
	}
}
