package main

import (
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/lifecycle"
	"github.com/hone-ml/hone/metric"
)

// summaryMetrics are the few metrics of each task that the summary shows,
// after the headline; the report has them all.
var summaryMetrics = map[string][]string{
	metric.Binary.String():     {"roc_auc", "average_precision", "accuracy", "balanced_accuracy", "f1", "mcc", "log_loss"},
	metric.Multiclass.String(): {"accuracy", "balanced_accuracy", "f1_macro", "mcc", "log_loss"},
	metric.Multilabel.String(): {"f1_micro", "f1_macro", "precision_micro", "recall_micro", "subset_accuracy", "hamming_loss", "log_loss"},
	metric.Text.String():       {"bleu", "chrf", "token_f1", "exact_match"},
	metric.Ranking.String():    {"ndcg", "ndcg_at_10", "mrr", "map", "hit_rate_at_10", "recall_at_10"},
	metric.Language.String():   {"bits_per_byte", "perplexity"},
	metric.Regression.String(): {"rmse", "mae", "median_ae", "r2"},
}

// printSummary writes the last lines of a run: what it found, and what to type
// next.
func printSummary(w io.Writer, s *lifecycle.Summary, color bool) {
	io.WriteString(w, summaryText(s, newPalette(color), columns(w), here()))
}

// A place is what makes a command or a path typable where the user is.
type place struct {
	program string              // how hone is started
	opener  string              // how a page is opened
	path    func(string) string // as the user would type it
}

// here is the place of this process.
func here() place {
	p := place{program: "hone", opener: "xdg-open", path: func(path string) string { return path }}
	switch runtime.GOOS {
	case "darwin":
		p.opener = "open"
	case "windows":
		p.opener = "start"
	}
	dir, err := os.Getwd()
	if err == nil {
		p.path = func(path string) string { return typed(dir, path) }
	}
	switch exe, _ := os.Executable(); {
	case strings.Contains(filepath.ToSlash(exe), "/go-build"):
		if _, err := os.Stat("cmd/hone"); err == nil { // go run ./cmd/hone
			p.program = "go run ./cmd/hone"
		}
	case strings.ContainsRune(os.Args[0], filepath.Separator):
		p.program = quote(os.Args[0])
	}
	return p
}

// typed is a path as one would type it in the folder dir: relative where that
// does not climb, and quoted where a shell needs it.
func typed(dir, path string) string {
	if full, err := filepath.Abs(path); err == nil {
		if rel, err := filepath.Rel(dir, full); err == nil && !strings.HasPrefix(rel, "..") {
			path = rel
		} else {
			path = full
		}
	}
	return quote(path)
}

// quote puts what a shell would take apart between quotes.
func quote(s string) string {
	plain := func(r rune) bool {
		return r > 127 || strings.ContainsRune("/\\.-_:+=@%,", r) || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	}
	if strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	if runtime.GOOS == "windows" {
		return `"` + s + `"`
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// summaryText lays the summary out.
func summaryText(s *lifecycle.Summary, paint palette, width int, at place) string {
	var b strings.Builder
	line := func(text string) { b.WriteString(strings.TrimRight(text, " ") + "\n") }
	// A path is not broken, so that it can be copied.
	path := func(name, text string) { line("  " + paint.faint.Render(pad(name, 10)) + text) }
	fact := func(name, text string) { line(hang("  "+paint.faint.Render(pad(name, 10)), text, width)) }

	line("")
	head := s.Test[s.Headline]
	title := fmt.Sprintf("%s predicts %s: %s %s on %s that were predicted without having learned from them", s.Name, s.Target, s.Headline, decimal(head.Value), plural(s.Rows.Test, "row"))
	cv := s.CrossValidation
	if cv == nil || !cv.IsTest {
		title = fmt.Sprintf("%s predicts %s: %s %s on %s it had never seen", s.Name, s.Target, s.Headline, decimal(head.Value), plural(s.Rows.Test, "row"))
	}
	for i, l := range strings.Split(hang("", title, width-4), "\n") {
		mark := "  "
		if i == 0 {
			mark = paint.good.Render("✓") + " "
			if t := s.Against["trivial"]; t != "" && t != evaluate.Better || s.Against["linear"] == evaluate.Worse {
				mark = "• " // nothing to be glad of
			}
		}
		line(mark + paint.title.Render(l))
	}
	line("")
	for _, l := range scoreTable(s, paint) {
		line(l)
	}
	if cv != nil {
		line("")
		line(hang("  "+paint.faint.Render("•")+" ", foldLine(s.Headline, cv), width))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Outputs)) {
		o := s.Outputs[name]
		line("")
		line("  " + paint.title.Render(name) + paint.faint.Render(fmt.Sprintf(", on the %s that have it", plural(o.Rows.Test, "test row"))))
		part := &lifecycle.Summary{Task: o.Task, Headline: o.Headline, Test: o.Test, Baselines: o.Baselines}
		for _, l := range scoreTable(part, paint) {
			line(l)
		}
		if o.CrossValidation != nil {
			line("")
			line(hang("  "+paint.faint.Render("•")+" ", foldLine(o.Headline, o.CrossValidation), width))
		}
	}
	good := s.Answers.Good
	if len(s.Answers.All()) == 0 {
		good = s.Findings // of a run that did not yet tell them apart
	}
	for _, q := range []struct {
		asked string
		said  []string
	}{{"Is it good?", good}, {"Can I trust the number?", s.Answers.Trust}, {"Where does it fail?", s.Answers.Fails}} {
		if len(q.said) == 0 {
			continue
		}
		line("")
		line("  " + paint.title.Render(q.asked))
		for _, said := range q.said {
			line(hang("  "+paint.faint.Render("•")+" ", said, width))
		}
	}
	for _, l := range chainLines(s.Improvement, paint, width) {
		line(l)
	}
	line("")
	rows := count(s.Rows.Train) + " to learn from"
	if s.Members > 0 {
		rows += fmt.Sprintf(" by %s networks, each stopped by another part", count(s.Members))
	} else {
		rows += fmt.Sprintf(", %s to validate on", count(s.Rows.Validation))
	}
	if cv != nil && cv.IsTest {
		rows += ", none set aside: the folds are the test"
	} else {
		rows += fmt.Sprintf(", %s to test on", count(s.Rows.Test))
	}
	fact("rows", rows)
	fact("training", fmt.Sprintf("%s, the best was %s; %s; seed %d", plural(s.Epochs, "epoch"), count(s.BestEpoch), plural(s.Parameters, "parameter"), s.Seed))
	fact("time", fmt.Sprintf("%s%s; %.2g ms to predict one row", duration(s.Seconds), map[bool]string{true: " in this session"}[s.Resumed], s.LatencyMS))
	if text := restsOn(s.Importance); text != "" {
		fact("rests on", text)
	}
	path("bundle", at.path(s.Bundle))
	path("report", at.path(s.Report))
	if s.OutOfFold != "" {
		path("folds", at.path(s.OutOfFold))
	}
	path("run", s.Run)
	line("")
	line(paint.title.Render("Next"))
	next := [][2]string{
		{at.program + " predict " + at.path(s.Bundle) + " new.csv -o predictions.csv", "predict other rows"},
		{at.program + " serve " + at.path(s.Bundle), "answer requests, with a page to try"},
		{at.opener + " " + at.path(s.Report), "read the report"},
	}
	wide := 0
	for _, n := range next {
		wide = max(wide, lipgloss.Width(n[0]))
	}
	for _, n := range next {
		command := "  " + n[0]
		if 2+wide+4+36 <= width { // a comment must not break a command's line
			command = pad(command, 2+wide+2) + paint.faint.Render("# "+n[1])
		}
		line(command)
	}
	return b.String()
}

// foldLine says what cross-validation found: the headline over all folds, of
// the model and of the baselines.
func foldLine(headline string, cv *evaluate.CrossValidation) string {
	spread := func(v evaluate.Spread) string { return decimal(v.Mean) + " ± " + decimal(v.Deviation) }
	text := fmt.Sprintf("%s %s over %s", headline, spread(cv.Scores[headline]), plural(len(cv.Each), "fold"))
	for _, b := range slices.Sorted(maps.Keys(cv.Baselines)) {
		if v, ok := cv.Baselines[b][headline]; ok {
			text += fmt.Sprintf("; %s %s", b, spread(v))
		}
	}
	return text
}

// restsOn names the columns that a model loses most without.
func restsOn(i *evaluate.Importance) string {
	if i == nil {
		return ""
	}
	const most = 5
	var names []string
	for _, c := range i.Columns {
		if c.Loss.Low > 0 && len(names) < most {
			names = append(names, c.Columns[0])
		}
	}
	if len(names) == 0 {
		return fmt.Sprintf("no column by itself: %s validation rows tell none apart", count(i.Rows))
	}
	return strings.Join(names, ", ") + ", by what " + i.Metric + " loses without each"
}

// scoreTable compares the model, with its intervals, with the baselines.
func scoreTable(s *lifecycle.Summary, paint palette) []string {
	names := []string{s.Headline}
	for _, n := range summaryMetrics[s.Task] {
		if _, ok := s.Test[n]; ok && n != s.Headline {
			names = append(names, n)
		}
	}
	baselines := slices.Sorted(maps.Keys(s.Baselines)) // linear, trivial
	rows := [][]string{append([]string{"", "network", "interval"}, baselines...)}
	for _, n := range names {
		v := s.Test[n]
		arrow := " "
		if m, err := metric.Lookup(n); err == nil {
			arrow = map[bool]string{true: "↑", false: "↓"}[m.HigherIsBetter]
		}
		between := "–"
		if !math.IsNaN(v.Low) && !math.IsNaN(v.High) {
			between = decimal(v.Low) + " to " + decimal(v.High)
		}
		row := []string{n + " " + arrow, decimal(v.Value), between}
		for _, b := range baselines {
			text := "–"
			if v, ok := s.Baselines[b][n]; ok {
				text = decimal(v.Value)
			}
			row = append(row, text)
		}
		rows = append(rows, row)
	}
	widths := make([]int, len(rows[0]))
	for _, r := range rows {
		for i, cell := range r {
			widths[i] = max(widths[i], lipgloss.Width(cell))
		}
	}
	var lines []string
	for i, r := range rows {
		text := "  "
		for j, cell := range r {
			style := lipgloss.NewStyle()
			switch {
			case i == 0 || j == 2:
				style = paint.faint
			case i == 1 && j < 2:
				style = paint.title
			}
			if j == 0 {
				text += style.Render(pad(cell, widths[j]))
			} else {
				text += "  " + style.Render(padLeft(cell, widths[j]))
			}
		}
		lines = append(lines, text)
	}
	return lines
}

// chainLines is the chain of trials: finding → remedy → what came of it.
func chainLines(c *evaluate.Improvement, paint palette, width int) []string {
	if c == nil {
		return nil
	}
	lines := []string{"", hang("  "+paint.faint.Render(pad("improved", 10)), c.Sentence(), width)}
	for _, t := range c.Trials {
		mark := paint.faint.Render("–")
		if t.Outcome == evaluate.TrialKept {
			mark = paint.good.Render("✓")
		}
		text := t.Finding.Kind + " → " + t.Attempt() + " → " + t.Result()
		lines = append(lines, hang("  "+mark+" ", text, width))
	}
	return lines
}
