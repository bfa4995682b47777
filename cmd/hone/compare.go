package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/lifecycle"
	"github.com/hone-ml/hone/metric"
)

func compareCommand() *cobra.Command {
	o := lifecycle.CompareOptions{RankOptions: evaluate.DefaultRankOptions()}
	var asJSON, markdown bool
	var flags dataFlags
	var gate gateFlags
	var page pageFlags
	c := &cobra.Command{
		Use:     "compare MODEL... --data FILE",
		GroupID: "use",
		Short:   "Rank models on the same rows, and say which differences are real",
		Long: `Compare measures any number of models on a file whose answers are known, ranks
them by one metric and tests each against the best. A MODEL is a bundle, the
folder of a run, a run's id or name as hone runs lists them, or a file of
predictions as hone predict writes it, whoever made it. A winner is named only
where the tests tell it from all others; else compare says how many more rows
that would take.

Runs that differ in their seed alone are given with commas: they are ranked by
their mean, and a difference must be larger than that between seeds as well.

Files of predictions that have the truth as well need no --data: --target names
it. They have a column prediction, or score (of the positive class), or p_CLASS
for each class, by these names or those that --columns gives.`,
		Example: `  hone compare churn.hone smaller.hone --data test.csv
  hone compare latest 20261124-16 churn --data test.csv --metric log_loss
  hone compare ours=s0.hone,s1.hone,s2.hone theirs=a.csv,b.csv,c.csv --data test.csv
  hone compare churn.hone theirs.csv --data test.csv --markdown
  hone compare a.csv b.csv --data test.csv --target churn --json
  hone compare a.csv b.csv --target y --columns prediction=yhat --report report.html
  hone compare new.hone old.hone --data test.csv --require 'accuracy>=0.9' --junit ci.xml`,
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case asJSON && markdown:
				return usagef("--json and --markdown exclude each other")
			case !(o.Alpha > 0 && o.Alpha < 1):
				return usagef("--alpha: found %v, expected a number between 0 and 1, such as 0.05", o.Alpha)
			case o.Resamples < 1:
				return usagef("--bootstrap: found %d, expected a whole number of 1 or more", o.Resamples)
			}
			if o.Metric != "" {
				if _, err := metric.Lookup(o.Metric); err != nil {
					return usagef("--metric: %w", err)
				}
			}
			o.Models = args
			var err error
			if err := page.check(append(args, o.File)...); err != nil {
				return err
			}
			if o.Gates, err = gate.parse(); err != nil {
				return err
			}
			if o.Data, err = flags.options(); err != nil {
				return err
			}
			var found *lifecycle.Comparison
			err = lifecycle.Await(c.Context(), func() (err error) { found, err = lifecycle.Compare(c.Context(), o); return err })
			if err != nil {
				return flags.explain(err)
			}
			w := c.OutOrStdout()
			switch {
			case asJSON:
				err = printJSON(c, found)
			case markdown:
				_, err = io.WriteString(w, comparisonMarkdown(found))
			default:
				_, err = io.WriteString(w, comparisonText(found, newPalette(isTerminal(w) && wantsColor()), columns(w)))
			}
			if err != nil {
				return err
			}
			if err := page.ranking(c, found); err != nil {
				return err
			}
			best := found.Standings[0]
			measured := map[string]metric.Interval{}
			for name, v := range best.Metrics {
				measured[name] = metric.Interval{Value: v, Low: math.NaN(), High: math.NaN()}
			}
			measured[found.Metric.Name] = best.Score
			return gate.check(o.Gates, best.Name, found.File, measured, nil)
		},
	}
	c.Flags().StringVar(&o.File, "data", "", "the `FILE` of rows to compare on, which has the target (default: the files of predictions have it)")
	c.Flags().StringVar(&o.Target, "target", "", "the `COLUMN` that is predicted (default: as the bundles say)")
	c.Flags().StringToStringVar(&o.Columns, "columns", nil, "columns of files of predictions that have other names, as `NAME=COLUMN` with commas: prediction=yhat,p_yes=prob")
	c.Flags().Lookup("columns").DefValue = "" // else help says (default [])
	c.Flags().StringVar(&o.Weight, "weight", "", "the `COLUMN` by which rows count (default: as the bundles say)")
	c.Flags().StringVar(&o.Metric, "metric", "", "the `NAME` of the metric to rank by (default: roc_auc, accuracy or rmse, by the task)")
	taskFlags(c, &o.Task, &o.Query, &o.Positive)
	c.Flags().Float64Var(&o.Alpha, "alpha", o.Alpha, "the `CHANCE` allowed of claiming a difference that is not there")
	c.Flags().IntVar(&o.Resamples, "bootstrap", o.Resamples, "`RESAMPLES` behind intervals and permutation tests")
	c.Flags().Uint64Var(&o.Seed, "seed", 0, "`NUMBER` that the resamples are drawn by")
	c.Flags().StringVar(&o.Dir, "dir", ".", "the `FOLDER` of the configuration whose runs are meant (or set HONE_HOME)")
	gate.add(c, "of the model that is ranked first")
	page.add(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	c.Flags().BoolVar(&markdown, "markdown", false, "print Markdown, for a pull request, say")
	flags.add(c)
	return c
}

// columns is the width to write in.
func columns(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 0 {
			return min(n, 100)
		}
	}
	return 80
}

// comparisonText lays a comparison out for a terminal.
func comparisonText(c *lifecycle.Comparison, paint palette, width int) string {
	var b strings.Builder
	line := func(text string) { b.WriteString(strings.TrimRight(text, " ") + "\n") }
	mark := "• "
	if c.Winner != "" {
		mark = paint.good.Render("✓") + " "
	}
	for i, l := range strings.Split(hang("", c.Verdict, width-2), "\n") {
		if i > 0 {
			mark = "  "
		}
		line(mark + paint.title.Render(l))
	}
	line("")
	rows := fmt.Sprintf("%s on %s", c.Target, plural(c.Rows, "row")+" of "+c.File)
	if c.Unlabeled > 0 {
		rows += fmt.Sprintf(" (%s more lack the target)", count(c.Unlabeled))
	}
	if c.Filtered > 0 {
		rows += fmt.Sprintf(" (%s more are left out by a filter of data.clean)", count(c.Filtered))
	}
	line(hang("  ", rows, width))
	line("")
	for i, l := range leaderboard(c, width) {
		style := lipgloss.NewStyle()
		switch {
		case i == 0:
			style = paint.faint
		case i == 1:
			style = paint.title
		}
		line(style.Render(l))
	}
	if lines := seedLines(c); lines != nil {
		line("")
		for _, l := range lines {
			line(l)
		}
	}
	for _, l := range comparedFacts(c, paint, width) {
		line(l)
	}
	line("")
	for _, n := range comparisonNotes(c) {
		line(hang("  "+paint.faint.Render("•")+" ", n, width))
	}
	return b.String()
}

// leaderboard is the table of places: score, and what the test says.
func leaderboard(c *lifecycle.Comparison, width int) []string {
	head := []string{"", "model", c.Metric.Name + " " + arrow(c.Metric.HigherIsBetter), fmt.Sprintf("%g %% interval", 100*(1-c.Alpha)), "behind", "p", ""}
	table := [][]string{head}
	for i, s := range c.Standings {
		row := []string{fmt.Sprint(i + 1), "", decimal(s.Score.Value), between(s.Score), "", "", ""}
		if a := s.Against; a != nil {
			row[4], row[5], row[6] = decimal(math.Abs(a.Difference.Value)), pValue(a.Adjusted), "unclear"
			if a.Apart {
				row[6] = "worse"
			}
		}
		table = append(table, row)
	}
	room := width // for names, which are cut where the rest leaves no more
	for _, l := range grid(table, 1, 6) {
		room = min(room, width-lipgloss.Width(l)+len(head[1]))
	}
	for i, s := range c.Standings {
		table[i+1][1] = cut(s.Name, max(8, room))
	}
	return grid(table, 1, 6)
}

// seedLines tell the runs behind each mean.
func seedLines(c *lifecycle.Comparison) []string {
	table := [][]string{{"", "runs", "each by " + c.Metric.Name, "deviation", "of the variance"}}
	for i, s := range c.Standings {
		if s.Seeds == nil {
			return nil
		}
		var each []string
		for _, v := range s.Seeds.Scores {
			each = append(each, decimal(v))
		}
		deviation, share := "–", "seeds unknown"
		if s.Seeds.Runs > 1 {
			deviation, share = decimal(float64(s.Seeds.Deviation)), fmt.Sprintf("%.0f %% rows, %.0f %% seeds", 100*s.Seeds.RowShare, 100*(1-s.Seeds.RowShare))
		}
		table = append(table, []string{fmt.Sprint(i + 1), fmt.Sprint(s.Seeds.Runs), strings.Join(each, " "), deviation, share})
	}
	return grid(table, 2, 4)
}

// comparedFacts are the other metrics and the costs, a column for each place;
// where they do not fit beside each other, in several tables.
func comparedFacts(c *lifecycle.Comparison, paint palette, width int) []string {
	each := func(f func(s *lifecycle.Compared) string) []string {
		var cells []string
		for i := range c.Standings {
			cells = append(cells, f(&c.Standings[i]))
		}
		return cells
	}
	var table [][]string
	add := func(name string, cells []string) {
		for _, cell := range cells {
			if cell != "–" {
				table = append(table, append([]string{name}, cells...))
				return
			}
		}
	}
	places := []string{""}
	for i := range c.Standings {
		places = append(places, fmt.Sprint(i+1))
	}
	for _, name := range summaryMetrics[c.Task] {
		if m, err := metric.Lookup(name); err == nil && name != c.Metric.Name {
			add(name+" "+arrow(m.HigherIsBetter), each(func(s *lifecycle.Compared) string {
				if v, ok := s.Metrics[name]; ok {
					return decimal(v)
				}
				return "–"
			}))
		}
	}
	for _, f := range costs {
		add(f.name, each(f.cell))
	}
	wide := 0 // the widest cell
	for _, row := range table {
		for _, cell := range row[1:] {
			wide = max(wide, lipgloss.Width(cell))
		}
	}
	fit := max(1, (width-22)/(wide+2))
	var lines []string
	for from := 0; from < len(c.Standings); from += fit {
		to := min(from+fit, len(c.Standings))
		part := [][]string{append([]string{""}, places[1+from:1+to]...)}
		for _, row := range table {
			part = append(part, append([]string{row[0]}, row[1+from:1+to]...))
		}
		lines = append(lines, "")
		for i, l := range grid(part, 0) {
			if i == 0 {
				l = paint.faint.Render(l)
			}
			lines = append(lines, l)
		}
	}
	return lines
}

// costs are what a model costs, as text.
var costs = []struct {
	name string
	cell func(s *lifecycle.Compared) string
}{
	{"run took", func(s *lifecycle.Compared) string {
		if s.RunSeconds == 0 {
			return "–"
		}
		return duration(s.RunSeconds)
	}},
	{"one row, median", func(s *lifecycle.Compared) string {
		if s.Latency == nil {
			return "–"
		}
		return fmt.Sprintf("%.2g ms", s.Latency.MedianMS)
	}},
	{"one row, p99", func(s *lifecycle.Compared) string {
		if s.Latency == nil {
			return "–"
		}
		return fmt.Sprintf("%.2g ms", s.Latency.P99MS)
	}},
	{"bundle", func(s *lifecycle.Compared) string {
		if s.Bytes == 0 {
			return "–"
		}
		if s.Bytes < 1e6 {
			return fmt.Sprintf("%.3g kB", float64(s.Bytes)/1e3)
		}
		return fmt.Sprintf("%.3g MB", float64(s.Bytes)/1e6)
	}},
	{"parameters", func(s *lifecycle.Compared) string {
		if s.Kind != "bundle" {
			return "–"
		}
		return count(s.Parameters)
	}},
}

// comparisonNotes say how the numbers were made.
func comparisonNotes(c *lifecycle.Comparison) []string {
	var notes []string
	if k := len(c.Standings); k > 1 {
		test := "p: " + c.Standings[1].Against.Test
		for _, s := range c.Standings[2:] {
			if !strings.Contains(test, s.Against.Test) {
				test += " or " + s.Against.Test
			}
		}
		test += fmt.Sprintf(", two-sided, against the first; told apart at %g", c.Alpha)
		if k > 2 {
			test += fmt.Sprintf("; corrected, by Holm's method, for %d models among which the first was found on the same rows", k)
		}
		notes = append(notes, test)
	}
	notes = append(notes, fmt.Sprintf("intervals: %s bootstrap resamples%s, seed %d", count(c.Resamples), map[bool]string{true: " of the rows, and the deviation between runs"}[c.Standings[0].Seeds != nil], c.Seed))
	return append(notes, c.Notes...)
}

// comparisonMarkdown writes the same as Markdown.
func comparisonMarkdown(c *lifecycle.Comparison) string {
	var b strings.Builder
	cell := func(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
	fmt.Fprintf(&b, "**%s.** Target `%s`, %s of `%s`.\n\n", c.Verdict, c.Target, plural(c.Rows, "row"), c.File)
	head := []string{"", "model", c.Metric.Name + " " + arrow(c.Metric.HigherIsBetter), fmt.Sprintf("%g %% interval", 100*(1-c.Alpha)), "behind", "p", ""}
	var metrics []string
	for _, name := range summaryMetrics[c.Task] {
		if _, ok := c.Standings[0].Metrics[name]; ok && name != c.Metric.Name {
			metrics = append(metrics, name)
			head = append(head, name)
		}
	}
	for _, f := range costs {
		head = append(head, f.name)
	}
	row := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	row(head)
	fmt.Fprintf(&b, "|%s\n", strings.Repeat(" --- |", len(head)))
	for i := range c.Standings {
		s := &c.Standings[i]
		cells := []string{fmt.Sprint(i + 1), cell(s.Name), decimal(s.Score.Value), between(s.Score), "", "", ""}
		if a := s.Against; a != nil {
			cells[4], cells[5], cells[6] = fmt.Sprintf("%s (%s)", decimal(math.Abs(a.Difference.Value)), between(behind(a.Difference))), pValue(a.Adjusted), "unclear"
			if a.Apart {
				cells[6] = "worse"
			}
		}
		for _, name := range metrics {
			if v, ok := s.Metrics[name]; ok {
				cells = append(cells, decimal(v))
			} else {
				cells = append(cells, "–")
			}
		}
		for _, f := range costs {
			cells = append(cells, f.cell(s))
		}
		row(cells)
	}
	b.WriteString("\n")
	for _, n := range comparisonNotes(c) {
		fmt.Fprintf(&b, "- %s\n", n)
	}
	return b.String()
}

// behind turns a difference, leader minus other, to where the leader is ahead.
func behind(d metric.Interval) metric.Interval {
	if d.Value < 0 {
		d.Value, d.Low, d.High = -d.Value, -d.High, -d.Low
	}
	return d
}

func between(v metric.Interval) string {
	if math.IsNaN(v.Low) || math.IsNaN(v.High) {
		return "–"
	}
	return decimal(v.Low) + " to " + decimal(v.High)
}

func arrow(higherIsBetter bool) string {
	return map[bool]string{true: "↑", false: "↓"}[higherIsBetter]
}

// pValue writes a p-value in as many digits as it is worth.
func pValue(p evaluate.Number) string {
	switch {
	case math.IsNaN(float64(p)):
		return "–"
	case p < 0.0001:
		return "<0.0001"
	case p < 0.01:
		return fmt.Sprintf("%.4f", float64(p))
	}
	return fmt.Sprintf("%.3f", float64(p))
}

// grid aligns a table, columns of numbers to the right and those at left to
// the left.
func grid(rows [][]string, left ...int) []string {
	widths := make([]int, len(rows[0]))
	for _, r := range rows {
		for i, cell := range r {
			widths[i] = max(widths[i], lipgloss.Width(cell))
		}
	}
	var lines []string
	for _, r := range rows {
		text := ""
		for j, cell := range r {
			aligned := padLeft(cell, widths[j])
			for _, l := range left {
				if l == j {
					aligned = pad(cell, widths[j])
				}
			}
			text += "  " + aligned
		}
		lines = append(lines, strings.TrimRight(text, " "))
	}
	return lines
}
