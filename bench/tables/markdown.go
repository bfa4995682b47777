package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/hone-ml/hone/bench/internal/public"
)

// A row is one model on one set, over its seeds.
type row struct {
	model    model
	seeds    int
	mean, sd map[string]float64 // by metric
	fit      float64            // mean
	latency  float64
	peak     float64 // the most
	threads  int
}

// rowsOf gathers the models that have figures on a set, in the order of models.
func rowsOf(r results, s public.Set) (rows []row) {
	for _, m := range models {
		records := r.of(s.Name, m.name)
		if len(records) == 0 {
			continue
		}
		n := float64(len(records))
		w := row{model: m, seeds: len(records), mean: map[string]float64{}, sd: map[string]float64{}}
		for _, metric := range s.Metrics() {
			var xs []float64
			for _, o := range records {
				xs = append(xs, o.Metrics[metric])
			}
			w.mean[metric], w.sd[metric] = public.Moments(xs)
		}
		for _, o := range records {
			w.fit += o.FitSeconds / n
			w.latency += o.LatencyMS / n
			w.peak = math.Max(w.peak, o.PeakMB)
			w.threads = max(w.threads, o.Threads)
		}
		rows = append(rows, w)
	}
	return rows
}

// ranks returns the place of every row by a metric, 1 for the best; equal
// values share the mean of their places.
func ranks(rows []row, metric string) []float64 {
	places := make([]float64, len(rows))
	for i, a := range rows {
		places[i] = 1
		for j, b := range rows {
			x, y := a.mean[metric], b.mean[metric]
			if !public.Higher(metric) {
				x, y = -x, -y
			}
			switch {
			case y > x:
				places[i]++
			case y == x && i != j:
				places[i] += 0.5
			}
		}
	}
	return places
}

// A standing is one model over the sets.
type standing struct {
	model    model
	sets     int     // on which it has figures
	headline float64 // average rank by ROC-AUC or RMSE
	accuracy float64 // average rank by accuracy or RMSE
	fit      float64 // seconds, all sets
	latency  float64 // ms, geometric mean
	ratio    float64 // of its latency to hone's, geometric mean over the sets that both have; NaN if none
}

// standings ranks the models over the sets, the best first.
func standings(r results, sets []public.Set) []standing {
	all := map[string]*standing{}
	for _, m := range models {
		all[m.name] = &standing{model: m}
	}
	both := map[string]float64{} // sets of the ratio
	for _, s := range sets {
		rows := rowsOf(r, s)
		headline, accuracy := "rmse", "rmse"
		if s.Positive != "" {
			headline, accuracy = "roc_auc", "accuracy"
		}
		byHeadline, byAccuracy := ranks(rows, headline), ranks(rows, accuracy)
		for i, w := range rows {
			t := all[w.model.name]
			t.sets++
			t.headline += byHeadline[i]
			t.accuracy += byAccuracy[i]
			t.fit += w.fit
			t.latency += math.Log(w.latency)
			if rows[0].model.name == honeName {
				t.ratio += math.Log(w.latency / rows[0].latency)
				both[w.model.name]++
			}
		}
	}
	var found []standing
	for _, m := range models {
		t := all[m.name]
		if t.sets == 0 {
			continue
		}
		n := float64(t.sets)
		t.headline, t.accuracy, t.latency = t.headline/n, t.accuracy/n, math.Exp(t.latency/n)
		t.ratio = math.Exp(t.ratio / both[m.name]) // 0/0 is NaN
		found = append(found, *t)
	}
	slices.SortStableFunc(found, func(a, b standing) int {
		if a.sets != b.sets {
			return b.sets - a.sets // an average over fewer sets is no equal
		}
		if a.headline < b.headline {
			return -1
		} else if a.headline > b.headline {
			return 1
		}
		return 0
	})
	return found
}

// markdown draws a table for each set, the summary, and notes on both.
func markdown(w io.Writer, r results, sets []public.Set) {
	for _, s := range sets {
		rows := rowsOf(r, s)
		if len(rows) == 0 {
			continue
		}
		fmt.Fprintf(w, "### %s\n\n", s.Name)
		fmt.Fprintf(w, "| model | %s | fit s | one row, ms | memory, MB |\n", strings.Join(s.Metrics(), " | "))
		fmt.Fprintln(w, "| --- |"+strings.Repeat(" --- |", len(s.Metrics())+3))
		for _, row := range rows {
			fmt.Fprintf(w, "| %s |", row.model.label)
			for _, m := range s.Metrics() {
				fmt.Fprintf(w, " %s", number(row.mean[m], 4))
				if row.seeds > 1 {
					fmt.Fprintf(w, " ± %s", number(row.sd[m], 4))
				}
				fmt.Fprint(w, " |")
			}
			fmt.Fprintf(w, " %s | %s | %s |\n", number(row.fit, 1), number(row.latency, 3), number(row.peak, 0))
		}
		fmt.Fprintln(w)
		for _, t := range r.Tests {
			if t.Set == s.Name {
				fmt.Fprintf(w, "`hone compare`, seed 0, by %s: %s.%s\n\n", t.Metric.Name, strings.TrimSuffix(t.Verdict, "."), behind(t))
			}
		}
	}
	fmt.Fprintln(w, "### All")
	fmt.Fprintln(w)
	fmt.Fprintln(w, "| model | average rank by ROC-AUC or RMSE | average rank by accuracy or RMSE | fit s, all | one row, ms | of hone's |")
	fmt.Fprintln(w, "| --- | --- | --- | --- | --- | --- |")
	for _, t := range standings(r, sets) {
		name := t.model.label
		if t.sets < len(sets) {
			name += fmt.Sprintf(" (%d of %d sets)", t.sets, len(sets))
		}
		ratio := "-"
		if !math.IsNaN(t.ratio) {
			ratio = number(t.ratio, 1) + " ×"
		}
		fmt.Fprintf(w, "| %s | %.2f | %.2f | %s | %s | %s |\n", name, t.headline, t.accuracy, number(t.fit, 1), number(t.latency, 3), ratio)
	}
	fmt.Fprintln(w)
	for _, line := range notes(r, sets) {
		fmt.Fprintln(w, line)
	}
}

// notes say what the figures are, and what is missing from them.
func notes(r results, sets []public.Set) []string {
	lines := []string{
		fmt.Sprintf("- %s: `hone init` and `hone run`, nothing edited; its fit s are the whole run (reading, training, baseline, test, report), its memory is the whole command's.", r.Hone),
		"- Peers (" + strings.Join(packages(r), ", ") + "): defaults, on data frames with the codes declared as categories, and without row numbers, dates and the columns that give the target away; fit s without reading; memory with what they import. scikit-learn's linear models and MLP are on one-hot categories and standardised numbers; the MLP for a number is that of plain or standardised target which is better on the test file.",
		"- One row: the median of 200 calls. hone's is from named values to prediction, a peer's from a data frame of one row that is there already, through its preparation; over the tables the geometric mean.",
		"- Ranks are over the models that have figures on a table, 1 the best; ROC-AUC (or accuracy) for two classes, RMSE for a number; equal figures share the mean of their places.",
	}
	if len(packages(r)) == 0 {
		lines = append(lines[:1], lines[2:]...)
	}
	lines = append(lines, threads(r))
	for _, s := range sets {
		if s.Note != "" {
			lines = append(lines, fmt.Sprintf("- %s: %s (`--set %s`).", s.Name, s.Note, strings.Join(s.Overrides, " --set ")))
		}
	}
	if r.Reused > 0 {
		lines = append(lines, fmt.Sprintf("- %d of the peers' results were not measured in this call but read from the -peers file: their fit s, one row and memory are of the day and the load they were measured under.", r.Reused))
	}
	said := map[string]bool{}
	for _, f := range r.Failures {
		line := fmt.Sprintf("- %s, %s: %s.", f.Set, f.Model, f.Problem)
		if f.missing {
			line = fmt.Sprintf("- %s: %s.", f.Model, f.Problem)
		}
		if !said[line] {
			said[line] = true
			lines = append(lines, line)
		}
	}
	return lines
}

// packages are what the peers were, with versions.
func packages(r results) (names []string) {
	for _, o := range r.Records {
		if o.Model != honeName && !slices.Contains(names, o.Package) {
			names = append(names, o.Package)
		}
	}
	return names
}

// threads says how many each model had.
func threads(r results) string {
	var counts []int
	for _, o := range r.Records {
		if !slices.Contains(counts, o.Threads) {
			counts = append(counts, o.Threads)
		}
	}
	if len(counts) == 1 {
		return fmt.Sprintf("- Threads of every model: %d.", counts[0])
	}
	var words []string
	for _, m := range models {
		for _, o := range r.Records {
			if word := fmt.Sprintf("%s %d", m.label, o.Threads); o.Model == m.name && !slices.Contains(words, word) {
				words = append(words, word)
			}
		}
	}
	return "- Threads are not equal, so do not compare times: " + strings.Join(words, ", ") + "."
}

// number writes x with so many digits behind the point, fewer if it is large.
func number(x float64, digits int) string {
	if math.Abs(x) >= 10 {
		digits = min(digits, 1)
	}
	return fmt.Sprintf("%.*f", digits, x)
}

// behind lists the models after the first with their p-values.
func behind(t tested) string {
	var words []string
	for _, s := range t.Standings {
		if a := s.Against; a != nil {
			words = append(words, fmt.Sprintf("%s %.3g", s.Name, a.PAll))
		}
	}
	if len(words) == 0 {
		return ""
	}
	return fmt.Sprintf(" Behind %s, with the p-values of paired tests, corrected: %s.", t.Standings[0].Name, strings.Join(words, ", "))
}
