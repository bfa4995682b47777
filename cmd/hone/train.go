package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/spf13/cobra"

	"github.com/hone-ml/hone/engine/cpu"
	"github.com/hone-ml/hone/lifecycle"
)

func trainCommand() *cobra.Command {
	var sets []string
	var logFormat string
	var asJSON, profile bool
	c := &cobra.Command{
		Use:     "train CONFIG",
		GroupID: "life",
		Short:   "Do a run up to its training, and say what the training spends its time on",
		Long: `Train prepares the data and trains the network, and stops there: nothing is
evaluated or published. The run waits unfinished, with the model in its folder;
` + "`hone run`" + ` goes on from there, to the same bits.

With --profile it also tells what the steps of the training took: for each
operation its calls, time, arithmetic and bytes in a second, and how near that is
to what this machine can do at most, which is measured afterwards. A trace of the
first steps, a track for each thread, opens in ui.perfetto.dev.`,
		Example: `  hone train hone.yaml
  hone train hone.yaml --profile --set train.epochs=2
  hone train hone.yaml --profile --json > trained.json`,
		RunE: func(c *cobra.Command, args []string) error {
			if !slices.Contains(logFormats, logFormat) {
				return usagef("--log-format: found %q, expected one of %s", logFormat, strings.Join(logFormats, ", "))
			}
			cfg, err := lifecycle.LoadConfig(args[0], sets)
			if err != nil {
				return err
			}
			cfg.Profile = profile
			watch, finish := newView(c.ErrOrStderr(), logFormat, isTerminal(c.ErrOrStderr()), []string{lifecycle.StagePrepare, lifecycle.StageTrain})
			t, err := lifecycle.TrainNetwork(c.Context(), cfg, watch)
			finish()
			if lifecycle.IsStopped(err) {
				return &stoppedRun{err}
			}
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c, t)
			}
			printTrained(c.OutOrStdout(), t, args[0], here())
			printProfile(c.OutOrStdout(), t.Profile, here())
			return nil
		},
	}
	c.Flags().StringArrayVar(&sets, "set", nil, "set a key, as `KEY=VALUE`: train.epochs=5 (may be repeated)")
	c.Flags().StringVar(&logFormat, "log-format", "auto", "`FORMAT` of progress on standard error: auto (live on a terminal, else plain), plain or json")
	profileFlag(c, &profile)
	c.Flags().BoolVar(&asJSON, "json", false, "end with one JSON object on standard output")
	return c
}

func profileFlag(c *cobra.Command, profile *bool) {
	c.Flags().BoolVar(profile, "profile", false, "measure the steps of the network's training, and write profile.json and trace.json into the run's folder; a new run starts")
}

func printTrained(w io.Writer, t *lifecycle.Trained, config string, at place) {
	score := ""
	if v, ok := t.Validation[t.Headline]; ok {
		score = fmt.Sprintf(", %s %s on the validation rows", t.Headline, decimal(v))
	}
	fmt.Fprintf(w, "\n%s\n\n", hang("", fmt.Sprintf("%s is trained to predict %s: %s, the best was %s%s", t.Name, t.Target, plural(t.Epochs, "epoch"), count(t.BestEpoch), score), columns(w)))
	for _, l := range [][2]string{
		{"model", at.path(t.Bundle) + "  (not evaluated)"},
		{"run", t.Run},
		{"next", at.program + " run " + at.path(config)},
	} {
		fmt.Fprintf(w, "  %-9s %s\n", l[0], l[1])
	}
}

// What the table of a program has: so many ops at most, and none of less than this
// share of its time. A program of less than that share of the whole has a line. The
// file has all.
const (
	shownOps     = 20
	shownShare   = 0.01
	shownProgram = 0.2
)

// printProfile prints tables for 80 columns.
func printProfile(w io.Writer, p *lifecycle.Profile, at place) {
	if p == nil {
		return
	}
	r := p.Report
	inside := 0.0
	for _, q := range r.Programs {
		inside += q.Seconds
	}
	for _, q := range r.Programs {
		printProgram(w, q, r.Seconds)
	}
	c := r.Ceilings
	fmt.Fprintf(w, "\n%s\n", hang("", fmt.Sprintf(
		"The programs took %s of the %s from the first step to the last; the rest is batches, scores and what else is done between steps. Roof is the least time for an op's arithmetic, or for its bytes, as a share of its time. Measured on %s: %.0f GFLOP/s each (%s), %.0f GB/s from memory.",
		percent(inside/r.Seconds), duration(r.Seconds), plural(r.Threads, "thread"), c.PeakGFLOPS, c.Kernels, c.Read[r.Threads]), 80))
	fmt.Fprintf(w, "\n  %-9s %s\n  %-9s %s  (open it in ui.perfetto.dev)\n", "profile", at.path(p.File), "trace", at.path(p.Trace))
}

func printProgram(w io.Writer, q cpu.ProgramProfile, all float64) {
	if q.Runs == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", hang("", fmt.Sprintf("%s: %s of %.0f rows, %s each; %s of the time; compiled in %s", q.Program, plural(q.Runs, "run"),
		float64(q.Rows)/float64(q.Runs), spell(q.Seconds/float64(q.Runs)), percent(q.Seconds/all), spell(q.Compile)), 80))
	if q.Seconds < shownProgram*all {
		return
	}
	const wide = 40
	fmt.Fprintf(w, "\n%s %6s %7s %4s %7s %5s %5s\n", pad("op", wide), "calls", "each", "time", "GFLOP/s", "GB/s", "roof")
	rest, left := q.Rest, 0
	for i, op := range q.Ops {
		if i >= shownOps || op.Share < shownShare {
			rest += op.Seconds
			left++
			continue
		}
		name := op.Op
		if len(op.Variables) > 0 {
			parts := strings.Split(op.Variables[0], "/")
			name += " " + strings.Join(parts[max(0, len(parts)-2):], "/")
		}
		fmt.Fprintf(w, "%s %6d %7s %4s %7s %5s %5s\n", pad(shorten(name, wide), wide), op.Calls, spell(op.Seconds/float64(op.Calls)),
			percent(op.Share), decimals(op.GFLOPS), decimals(op.GBPerS), percent(op.Roofline))
	}
	name := "feeds, outputs"
	if left > 0 {
		name = plural(left, "other op") + ", feeds, outputs"
	}
	fmt.Fprintf(w, "%s %6s %7s %4s\n", pad(name, wide), "", spell(rest/float64(q.Runs)), percent(rest/q.Seconds))
}

func percent(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) }

// spell writes a short time with three digits and a unit.
func spell(seconds float64) string {
	switch {
	case seconds < 1e-3:
		return decimals(seconds*1e6) + " µs"
	case seconds < 1:
		return decimals(seconds*1e3) + " ms"
	}
	return decimals(seconds) + " s"
}

// decimals writes x with three digits, or all before the point.
func decimals(x float64) string {
	switch {
	case x >= 99.95:
		return fmt.Sprintf("%.0f", x)
	case x >= 9.995:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.2f", x)
}

// shorten leaves the end of a name out where it is wider than width.
func shorten(s string, width int) string {
	if lipgloss.Width(s) <= width {
		return s
	}
	return cut(s, width-1) + "…"
}
