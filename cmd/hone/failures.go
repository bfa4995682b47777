package main

import (
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/lifecycle"
	"github.com/hone-ml/hone/metric"
)

// Of each list so many lines are shown; --json has more.
const (
	shownExamples = 3
	shownLabels   = 5
	shownCells    = 4 // of a row
)

// printFailures says where a model fails.
func printFailures(w io.Writer, f *evaluate.Failures, d *evaluate.Diagnosis) {
	if f == nil {
		return
	}
	fmt.Fprintln(w, "where it fails:")
	for i := range f.Weak {
		fmt.Fprintf(w, "  %s\n", f.Weak[i].Sentence(f.Metric))
	}
	if len(f.Weak) == 0 {
		fmt.Fprintln(w, "  no condition on the other columns tells rows on which it does worse")
	}
	printConfidence(w, f)
	printExamples(w, "hardest rows", f.Hardest)
	if e := f.LabelErrors; e != nil && e.Rows > 0 {
		fmt.Fprintf(w, "likely label errors: %s (%s of all), the likeliest first:\n", plural(e.Rows, "row"), percentage(e.Share))
		for _, one := range e.Errors[:min(shownLabels, len(e.Errors))] {
			fmt.Fprintf(w, "  row %s: %s (probability %.2g), likelier %s (%.3f)\n", count(one.Row), oneCell(one.Given), one.GivenProbability, oneCell(one.Suggested), one.SuggestedProbability)
		}
	}
	for _, one := range f.Fairness {
		printFairness(w, one)
	}
	printRobustness(w, f.Robustness)
	for _, n := range f.Notes {
		fmt.Fprintf(w, "  %s\n", n)
	}
	printDiagnosis(w, d)
}

func printConfidence(w io.Writer, f *evaluate.Failures) {
	if len(f.Confidence) == 0 {
		return
	}
	if f.Metric == "mae" {
		fmt.Fprintln(w, "by what it predicts:")
	} else {
		fmt.Fprintln(w, "by how sure it is:")
	}
	for _, c := range f.Confidence {
		fmt.Fprintf(w, "  %-20s %10s  (%s to %s), %s", number(c.Low)+" to "+number(c.High), number(c.Score.Value), number(c.Score.Low), number(c.Score.High), plural(c.Rows, "row"))
		if f.Metric == "mae" {
			fmt.Fprintf(w, ", mean error %s\n", signed(float64(c.Stated)))
		} else {
			fmt.Fprintf(w, ", %s stated\n", number(float64(c.Stated)))
		}
	}
}

func signed(v float64) string {
	if v < 0 {
		return number(v)
	}
	return "+" + number(v)
}

func printExamples(w io.Writer, title string, list []evaluate.Example) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(w, "%s:\n", title)
	for _, e := range list[:min(shownExamples, len(list))] {
		fmt.Fprintf(w, "  row %s: %s, predicted %s", count(e.Row), oneCell(e.Truth), oneCell(e.Prediction))
		if !math.IsNaN(float64(e.Confidence)) {
			fmt.Fprintf(w, " at %.3f", float64(e.Confidence))
		}
		var cells []string
		for _, name := range e.Columns() {
			if len(cells) < shownCells {
				cells = append(cells, name+" "+oneCell(e.Values[name]))
			}
		}
		if len(cells) > 0 {
			fmt.Fprintf(w, "; %s", strings.Join(cells, ", "))
		}
		if more := len(e.Values) - len(cells); more > 0 {
			fmt.Fprintf(w, ", …")
		}
		fmt.Fprintln(w)
	}
}

// oneCell is a value on one line, and no longer than can be read there.
func oneCell(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if s == "" {
		return "(missing)"
	}
	if r := []rune(s); len(r) > 40 {
		s = string(r[:40]) + "…"
	}
	return s
}

// gapNames are those of gaps in words.
var gapNames = map[string]string{
	"demographic_parity": "demographic parity", "equalized_odds": "equalised odds", "equal_opportunity": "equal opportunity",
	"calibration": "calibration", "accuracy": "accuracy", "mean_error": "mean error", "rmse": "RMSE",
}

func printFairness(w io.Writer, f *evaluate.Fairness) {
	fmt.Fprintf(w, "groups of %s:\n", f.Column)
	for _, g := range f.Groups {
		fmt.Fprintf(w, "  %-20s %s", oneCell(g.Value), plural(g.Rows, "row"))
		for _, name := range []string{"accuracy", "roc_auc", "rmse", "mae"} {
			if v, ok := g.Scores[name]; ok {
				fmt.Fprintf(w, "; %s %s", name, interval(v))
			}
		}
		if len(g.Rates) == 1 { // of two classes, or of a number
			for class, rates := range g.Rates {
				if v, ok := rates["mean_error"]; ok {
					fmt.Fprintf(w, "; mean error %s", signed(float64(v)))
					continue
				}
				fmt.Fprintf(w, "; %s: %s true, %s predicted", class, percentage(float64(rates["positive"])), percentage(float64(rates["selected"])))
				if v, ok := rates["stated"]; ok {
					fmt.Fprintf(w, ", %s stated", percentage(float64(v)))
				}
			}
		}
		fmt.Fprintln(w)
	}
	for _, g := range f.Gaps {
		class := ""
		if g.Class != "" {
			class = " of " + oneCell(g.Class)
		}
		ratio := ""
		if r := float64(g.Ratio); !math.IsNaN(r) {
			ratio = fmt.Sprintf(", ratio %.3f", r)
		}
		said := "no more than chance"
		if g.Apart {
			said = fmt.Sprintf("least in %s, most in %s", oneCell(g.Lowest), oneCell(g.Highest))
		}
		fmt.Fprintf(w, "  %-20s difference %s%s%s: %s (p %s)\n", gapNames[g.Name], number(float64(g.Difference)), ratio, class, said, pValue(evaluate.Number(g.Adjusted)))
	}
	if len(f.LeftOut) > 0 {
		fmt.Fprintf(w, "  too few rows to say anything of: %s\n", strings.Join(f.LeftOut, ", "))
	}
}

// interval is a value with its bounds where it has any.
func interval(v metric.Interval) string {
	if math.IsNaN(v.Low) || math.IsNaN(v.High) {
		return number(v.Value)
	}
	return fmt.Sprintf("%s (%s to %s)", number(v.Value), number(v.Low), number(v.High))
}

func printRobustness(w io.Writer, r *evaluate.Robustness) {
	if r == nil {
		return
	}
	of := ""
	if r.Sampled {
		of = ", drawn from all"
	}
	fmt.Fprintf(w, "robustness: %s %s on %s%s, and what becomes of it where they are changed:\n", r.Metric, number(float64(r.Before)), plural(r.Rows, "row"), of)
	for _, c := range r.Changes {
		said := "no more than chance"
		if c.Worse {
			said = "worse, p " + pValue(c.Adjusted)
		}
		fmt.Fprintf(w, "  %-20s %s: %s, a fall of %s; %s\n", oneCell(c.Column), c.Words, number(float64(c.After)), interval(c.Fall), said)
	}
}

func printDiagnosis(w io.Writer, d *evaluate.Diagnosis) {
	if d == nil {
		return
	}
	fmt.Fprintln(w, "diagnosis:")
	for _, f := range d.Found {
		fmt.Fprintf(w, "  %s: %s\n    → %s\n", f.Kind, f.Sentence, f.Remedy)
		for _, c := range f.Changes {
			fmt.Fprintf(w, "      --set %s\n", quote(c))
		}
	}
	if len(d.Found) == 0 {
		fmt.Fprintln(w, "  nothing was found")
	}
	if len(d.Clear) > 0 {
		fmt.Fprintf(w, "  not found: %s\n", strings.Join(d.Clear, ", "))
	}
	if len(d.Open) > 0 {
		var kinds []string
		for _, o := range d.Open {
			kinds = append(kinds, o.Kind)
		}
		fmt.Fprintf(w, "  cannot be told from this alone: %s (--json says what each would need)\n", strings.Join(kinds, ", "))
	}
}

// percentage is a share in percent.
func percentage(share float64) string {
	if share > 0 && share < 0.01 {
		return fmt.Sprintf("%.2g %%", 100*share)
	}
	return fmt.Sprintf("%.3g %%", 100*share)
}

// writeLabelErrors writes all likely label errors where that was asked for.
func writeLabelErrors(w io.Writer, path string, f *evaluate.Failures) error {
	if path == "" {
		return nil
	}
	if f == nil || f.LabelErrors == nil {
		return usagef("--label-errors: they are found by the probabilities of classes, of which there are none")
	}
	if err := lifecycle.WriteLabelErrors(path, f.LabelErrors); err != nil {
		return err
	}
	fmt.Fprintf(w, "%s with a likely label error, in %s\n", plural(f.LabelErrors.Rows, "row"), path)
	return nil
}
