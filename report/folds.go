package report

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/hone-ml/hone/evaluate"
)

// tested says what the figures of a result were measured on.
func tested(r *evaluate.Result) string {
	if r.Weight != "" {
		plain := *r
		plain.Weight = ""
		return tested(&plain) + " Rows count by their weights in " + clean(r.Weight) + "."
	}
	if cv := r.CrossValidation; cv != nil && cv.IsTest {
		return fmt.Sprintf("On %s, each predicted by models of a fold that had not seen it; the published model was trained afterwards, in the same way, on all rows.", plural(r.Rows.Test, "row"))
	}
	return fmt.Sprintf("On %s, touched once, at the end.", plural(r.Rows.Test, "test row"))
}

// divided says which rows were for what.
func divided(r *evaluate.Result) string {
	s := plural(r.Rows.Train, "row") + " for training"
	if n := r.Training.Members; n > 0 {
		s += fmt.Sprintf(" by %d networks, each of which was stopped by a part of them that it did not train on", n)
	} else {
		s += ", " + group(strconv.Itoa(r.Rows.Validation)) + " for validation"
	}
	if cv := r.CrossValidation; cv != nil && cv.IsTest {
		return s + "; none was set aside for the test."
	}
	return s + ", " + group(strconv.Itoa(r.Rows.Test)) + " for the test."
}

// foldTables are cross-validation as tables: metrics over all folds, and the most
// telling ones fold by fold.
type foldTables struct {
	Intro    string
	Over     foldTable
	FoldWise foldTable
}

type foldTable struct {
	Head []string
	Rows [][]string
}

// mostFoldColumns is how many metrics stand side by side fold by fold.
const mostFoldColumns = 5

// foldsOf returns nil where there was no cross-validation.
func foldsOf(r *evaluate.Result) *foldTables {
	cv := r.CrossValidation
	if cv == nil {
		return nil
	}
	how := map[string]string{"stratified": "with the target's distribution in each", "random": "divided at random", "group": "with rows of the same “" + clean(cv.Column) + "” together", "expanding": "each predicted from all that is earlier by “" + clean(cv.Column) + "”"}[cv.Method]
	f := &foldTables{Intro: fmt.Sprintf("The whole procedure, carried out anew for each of %d folds, %s", cv.Folds, how)}
	if cv.Repeats > 1 {
		f.Intro += fmt.Sprintf(", in %d divisions", cv.Repeats)
	}
	f.Intro += ": mean ± standard deviation over the folds. It is a spread, not an interval: folds share rows."
	if cv.IsTest && cv.Repeats > 1 {
		f.Intro += " The figures above are of the first division."
	}

	var baselines []string
	for _, b := range baselineNames(r) {
		if cv.Baselines[b] != nil {
			baselines = append(baselines, b)
		}
	}
	f.Over.Head = []string{"metric", "this model"}
	for _, b := range baselines {
		f.Over.Head = append(f.Over.Head, baselineLabel(b))
	}
	var shown []evaluate.Metric
	for i, m := range r.Metrics {
		if i > 0 && minor(r.Task, m.Name) {
			continue
		}
		s, ok := cv.Scores[m.Name]
		if !ok {
			continue
		}
		if len(shown) < mostFoldColumns {
			shown = append(shown, m)
		}
		row := []string{clean(m.Label), spread(s)}
		for _, b := range baselines {
			cell := "–"
			if s, ok := cv.Baselines[b][m.Name]; ok {
				cell = spread(s)
			}
			row = append(row, cell)
		}
		f.Over.Rows = append(f.Over.Rows, row)
	}

	f.FoldWise.Head = []string{"fold", "trained on", "tested on"}
	if cv.Repeats > 1 {
		f.FoldWise.Head[0] = "division, fold"
	}
	for _, m := range shown {
		f.FoldWise.Head = append(f.FoldWise.Head, clean(m.Label))
	}
	for _, e := range cv.Each {
		row := []string{strconv.Itoa(e.Fold), group(strconv.Itoa(e.Rows.Train + e.Rows.Validation)), group(strconv.Itoa(e.Rows.Test))}
		if cv.Repeats > 1 {
			row[0] = fmt.Sprintf("%d, %d", e.Repeat, e.Fold)
		}
		for _, m := range shown {
			cell := "–"
			if v, ok := e.Scores[m.Name]; ok {
				cell = styleFor(v).number(v)
			}
			row = append(row, cell)
		}
		f.FoldWise.Rows = append(f.FoldWise.Rows, row)
	}
	return f
}

func spread(s evaluate.Spread) string {
	t := styleFor(s.Mean)
	return t.number(s.Mean) + " ± " + t.number(s.Deviation)
}

// folds writes the tables into a model card.
func (c card) folds(title string, r *evaluate.Result) {
	f := foldsOf(r)
	if f == nil {
		return
	}
	c.line("")
	c.line("## %s", title)
	c.line("")
	c.line("%s", md(f.Intro))
	for _, t := range []foldTable{f.Over, f.FoldWise} {
		c.line("")
		for i, row := range slices.Insert(slices.Clone(t.Rows), 0, t.Head) {
			line := "|"
			for _, cell := range row {
				line += " " + md(cell) + " |"
			}
			c.line("%s", line)
			if i == 0 {
				rule := "| ---"
				for range t.Head[1:] {
					rule += " | ---:"
				}
				c.line("%s |", rule)
			}
		}
	}
}
