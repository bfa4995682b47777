package report

import (
	"html/template"
	"slices"
	"strconv"
	"strings"

	"github.com/hone-ml/hone/evaluate"
)

// Limits on what is shown of single rows.
const (
	shownValues = 4   // columns of an example
	valueWidth  = 160 // characters of a value, of a text alone more
	shownLabels = 12  // likely label errors
)

// rowsSection is single rows: the hardest, those of which it is sure and wrong, and
// likely errors of the labels.
func rowsSection(r reading) *section {
	f := r.Failures
	if f == nil {
		return nil
	}
	s := &section{ID: "rows", Title: r.say("Row by row")}
	s.Blocks = append(s.Blocks, r.examples(r.say("The hardest rows"), f.Hardest)...)
	if !sameRows(f.Hardest, f.SureAndWrong) {
		s.Blocks = append(s.Blocks, r.examples(r.say("Sure and wrong"), f.SureAndWrong)...)
	}
	if e := f.LabelErrors; e != nil && e.Rows > 0 {
		share := style{decimals: 3}
		t := &table{Name: r.say("Likely label errors"), Head: []string{r.say("row"), r.say("label"), r.say("its probability"), r.say("likelier"), r.say("its probability")}, Words: true}
		for _, one := range e.Errors[:min(shownLabels, len(e.Errors))] {
			t.Rows = append(t.Rows, row(strconv.Itoa(one.Row), one.Given, share.number(one.GivenProbability), one.Suggested, share.number(one.SuggestedProbability)))
		}
		s.Blocks = append(s.Blocks, block{Title: r.say("Likely label errors"), Intro: r.say("%s (%s of all) whose label is likely wrong, by confident learning, the likeliest first: look at them before anything else.", r.plural(e.Rows, "row"), percent(e.Share)), Table: t})
	}
	if len(s.Blocks) == 0 {
		return nil
	}
	if f.RowsOf != "" {
		s.Intro = r.say("Rows are counted in %s.", r.told(f.RowsOf))
	}
	return s
}

// sameRows reports whether two lists tell of the same rows.
func sameRows(a, b []evaluate.Example) bool {
	if len(a) != len(b) {
		return false
	}
	rows := map[int]bool{}
	for _, e := range a {
		rows[e.Row] = true
	}
	for _, e := range b {
		if !rows[e.Row] {
			return false
		}
	}
	return true
}

// examples are rows as a table, or as pictures where there are any.
func (r reading) examples(title string, list []evaluate.Example) []block {
	if len(list) == 0 {
		return nil
	}
	b := block{Title: title}
	t := &table{Name: title, Head: []string{r.say("row"), r.say("true"), r.say("predicted"), r.say("confidence")}, Words: true}
	numbers := finite(float64(list[0].Error))
	if numbers {
		t.Head[3] = r.say("off by")
	}
	values := false
	for _, e := range list {
		how := ""
		switch {
		case numbers:
			how = styleFor(float64(e.Error)).signed(float64(e.Error))
		case finite(float64(e.Confidence)):
			how = percent(float64(e.Confidence))
		}
		if data, ok := r.of.Pictures[e.Row]; ok {
			b.Pictures = append(b.Pictures, picture{Data: template.URL(data), Alt: r.say("Row %d: %s, predicted %s", e.Row, clean(e.Truth), clean(e.Prediction)),
				Caption: r.say("%s, not %s", clean(e.Truth), clean(e.Prediction)), Small: strings.TrimSpace(r.say("row %d", e.Row) + " " + how)})
		}
		line := row(strconv.Itoa(e.Row), shortened(e.Truth), shortened(e.Prediction), how)
		if len(e.Values) > 0 {
			values = true
			line = append(line, cell{Value: r.valuesOf(e)})
		}
		t.Rows = append(t.Rows, line)
	}
	if values {
		t.Head = append(t.Head, r.say("what stands in it"))
	}
	if len(b.Pictures) < len(list) {
		b.Pictures, b.Table = nil, t
	}
	return []block{b}
}

// valuesOf tells what stands in a row, in the columns that the predictions rest on
// first, where that is known.
func (r reading) valuesOf(e evaluate.Example) string {
	var columns []string
	if im := r.Importance; im != nil {
		for _, c := range im.Columns {
			columns = append(columns, c.Columns...)
		}
	}
	for _, name := range e.Columns() {
		if !slices.Contains(columns, name) {
			columns = append(columns, name)
		}
	}
	columns = slices.DeleteFunc(columns, func(name string) bool { return e.Values[name] == "" })
	if len(columns) == 1 {
		return shortened(e.Values[columns[0]])
	}
	var out []string
	for _, name := range columns[:min(shownValues, len(columns))] {
		out = append(out, name+": "+shortened(e.Values[name]))
	}
	if n := len(columns) - shownValues; n > 0 {
		out = append(out, r.say("and %d more", n))
	}
	return strings.Join(out, "; ")
}

// shortened cuts a value to what a cell bears.
func shortened(s string) string {
	runes := []rune(clean(s))
	if len(runes) > valueWidth {
		return string(runes[:valueWidth]) + "…"
	}
	return string(runes)
}
