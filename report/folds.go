package report

import (
	"fmt"
	"strconv"

	"github.com/hone-ml/hone/evaluate"
)

// tested says what the figures of a result were measured on.
func tested(r reading) string {
	if r.Weight != "" {
		plain := *r.Result
		plain.Weight = ""
		return r.join(tested(reading{&plain, r.voice, r.of}), r.say("Rows count by their weights in %s.", clean(r.Weight)))
	}
	if r.of.File != "" {
		return r.say("On %s of %s.", r.plural(r.Rows.Test, "row"), base(r.of.File))
	}
	if cv := r.CrossValidation; cv != nil && cv.IsTest {
		return r.say("On %s, each predicted by models of a fold that had not seen it; the published model was trained afterwards, in the same way, on all rows.", r.plural(r.Rows.Test, "row"))
	}
	return r.say("On %s, touched once, at the end.", r.plural(r.Rows.Test, "test row"))
}

// divided says which rows were for what.
func divided(r reading) string {
	train := r.plural(r.Rows.Train, "row")
	if n := r.Training.Members; n > 0 {
		train = r.say("%s for training by %d networks, each of which was stopped by a part of them that it did not train on", train, n)
	} else {
		train = r.say("%s for training, %s for validation", train, count(float64(r.Rows.Validation)))
	}
	if cv := r.CrossValidation; cv != nil && cv.IsTest {
		return r.say("%s; none was set aside for the test.", train)
	}
	return r.say("%s, %s for the test.", train, count(float64(r.Rows.Test)))
}

// foldTables are cross-validation as tables: metrics over all folds, and the most
// telling ones fold by fold.
type foldTables struct {
	Intro          string
	Over, FoldWise table
}

// foldsSection is the cross-validation of the first output.
func foldsSection(r reading) *section {
	f := foldsOf(r)
	if f == nil {
		return nil
	}
	return &section{ID: "folds", Title: r.say("Cross-validation"), Blocks: f.blocks(r.voice)}
}

func (f *foldTables) blocks(v voice) []block {
	return []block{{Intro: f.Intro, Table: &f.Over}, {Summary: v.say("Fold by fold"), Table: &f.FoldWise}}
}

// mostFoldColumns is how many metrics stand side by side fold by fold.
const mostFoldColumns = 5

// foldsOf returns nil where there was no cross-validation.
func foldsOf(r reading) *foldTables {
	cv := r.CrossValidation
	if cv == nil {
		return nil
	}
	how := map[string]string{"stratified": r.say("with the target's distribution in each"), "random": r.say("divided at random"), "group": r.say("with rows of the same “%s” together", clean(cv.Column)), "expanding": r.say("each predicted from all that is earlier by “%s”", clean(cv.Column))}[cv.Method]
	f := &foldTables{Intro: r.say("The whole procedure, carried out anew for each of %d folds, %s", cv.Folds, how)}
	if cv.Repeats > 1 {
		f.Intro += r.say(", in %d divisions", cv.Repeats)
	}
	f.Intro += r.say(": mean ± standard deviation over the folds. It is a spread, not an interval: folds share rows.")
	if cv.IsTest && cv.Repeats > 1 {
		f.Intro = r.join(f.Intro, r.say("The figures above are of the first division."))
	}

	var baselines []string
	for _, b := range baselineNames(r.Result) {
		if cv.Baselines[b] != nil {
			baselines = append(baselines, b)
		}
	}
	f.Over.Name, f.Over.Head = r.say("Cross-validation"), []string{r.say("metric"), r.say("this model")}
	for _, b := range baselines {
		f.Over.Head = append(f.Over.Head, r.baselineLabel(b))
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
		cells := []string{r.label(m), spread(s)}
		for _, b := range baselines {
			cell := "–"
			if s, ok := cv.Baselines[b][m.Name]; ok {
				cell = spread(s)
			}
			cells = append(cells, cell)
		}
		f.Over.Rows = append(f.Over.Rows, row(cells...))
	}

	f.FoldWise.Name, f.FoldWise.Head = r.say("Fold by fold"), []string{r.say("fold"), r.say("trained on"), r.say("tested on")}
	if cv.Repeats > 1 {
		f.FoldWise.Head[0] = r.say("division, fold")
	}
	for _, m := range shown {
		f.FoldWise.Head = append(f.FoldWise.Head, r.label(m))
	}
	for _, e := range cv.Each {
		cells := []string{strconv.Itoa(e.Fold), group(strconv.Itoa(e.Rows.Train + e.Rows.Validation)), group(strconv.Itoa(e.Rows.Test))}
		if cv.Repeats > 1 {
			cells[0] = fmt.Sprintf("%d, %d", e.Repeat, e.Fold)
		}
		for _, m := range shown {
			cell := "–"
			if v, ok := e.Scores[m.Name]; ok {
				cell = styleFor(v).number(v)
			}
			cells = append(cells, cell)
		}
		f.FoldWise.Rows = append(f.FoldWise.Rows, row(cells...))
	}
	return f
}

func spread(s evaluate.Spread) string {
	t := styleFor(s.Mean)
	return t.number(s.Mean) + " ± " + t.number(s.Deviation)
}

// folds writes the tables into a model card.
func (c card) folds(title string, r reading) {
	f := foldsOf(r)
	if f == nil {
		return
	}
	c.line("")
	c.line("### %s", title)
	c.line("")
	c.line("%s", md(f.Intro))
	for _, t := range []table{f.Over, f.FoldWise} {
		c.table(t)
	}
}

// table writes a table after an empty line, numbers to the right.
func (c card) table(t table) {
	c.line("")
	head, rule := "|", "| ---"
	for i, h := range t.Head {
		head += " " + md(h) + " |"
		if i > 0 && t.Words {
			rule += " | ---"
		} else if i > 0 {
			rule += " | ---:"
		}
	}
	c.line("%s", head)
	c.line("%s |", rule)
	for _, row := range t.Rows {
		line := "|"
		for _, cell := range row {
			line += " " + md(cell.Value) + " |"
		}
		c.line("%s", line)
	}
}
