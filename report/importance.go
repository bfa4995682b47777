package report

import (
	"strings"

	"github.com/hone-ml/hone/evaluate"
)

// importanceSection is what the predictions rest on.
func importanceSection(r reading) *section {
	im := r.Importance
	if im == nil || len(im.Columns) == 0 {
		return nil
	}
	name := r.metricName(im.Metric)
	s := &section{ID: "importance", Title: r.say("What it rests on"),
		Intro: r.say("By how much %s gets worse where the values of a column are exchanged between the rows (%s, %d times each). It tells what the model uses, not what causes anything.", name, r.plural(im.Rows, "row"), im.Repeats)}
	draw := func(id, title string, list []evaluate.ColumnImportance) chart {
		var values []float64
		for _, c := range list {
			values = append(values, c.Loss.Value)
		}
		st := styleFor(values...)
		t := table{Name: title, Head: []string{r.say("column"), r.say("worse by")}}
		var rows []dotRow
		for i, c := range list {
			label := clean(strings.Join(c.Columns, ", "))
			class := "3"
			if c.Loss.Low > 0 {
				class = "1"
			}
			if i < mostSlices {
				rows = append(rows, dotRow{label, class, c.Loss})
			}
			t.Rows = append(t.Rows, []cell{{Value: label, Code: true}, {Value: st.signed(c.Loss.Value), Small: st.interval(c.Loss, r.voice)}})
		}
		c := chart{ID: id, Title: title, Caption: r.say("With its interval; grey: could be nothing."), Table: t}
		if n := len(list); n > mostSlices {
			c.Caption = r.join(c.Caption, r.say("The %d most important of %d.", mostSlices, n))
		}
		c.draw(r.voice, title, rows, st, 0)
		return c
	}
	b := block{Charts: []chart{draw("columns", r.say("Column by column"), im.Columns)}}
	if len(im.Groups) > 0 {
		c := draw("groups", r.say("Columns that tell the same, together"), im.Groups)
		c.Caption = r.join(c.Caption, r.say("Each by itself may look unimportant, since the others stand in for it."))
		b.Charts = append(b.Charts, c)
	}
	s.Blocks = []block{b}
	return s
}
