package report

import (
	"math"

	"github.com/hone-ml/hone/evaluate"
)

// weakSection is the slices that were found to be weak, and the rows by confidence.
func weakSection(r reading) *section {
	f := r.Failures
	if f == nil || len(f.Weak) == 0 && len(f.Confidence) == 0 {
		return nil
	}
	s := &section{ID: "weak", Title: r.say("Weak slices")}
	name := r.failureMetric()
	if len(f.Weak) > 0 {
		s.Intro = r.say("Rows on which it does worse than on all others, found on one half of the rows and measured on the other; corrected for all that were tested.")
		t := &table{Name: r.say("Weak slices"), Head: []string{r.say("rows where"), r.say("rows"), name, r.say("all others"), r.say("p, corrected")}}
		stated := false
		for _, w := range f.Weak {
			stated = stated || finite(float64(w.Stated))
		}
		if stated {
			t.Head = append(t.Head, r.say("stated"))
		}
		for _, w := range f.Weak {
			st := styleFor(w.Score.Value, float64(w.Rest))
			line := []cell{{Value: w.Where}, {Value: count(float64(w.Rows))}, {Value: st.number(w.Score.Value), Small: st.interval(w.Score, r.voice), Strong: true, Mark: r.say("worse"), Kind: "worse"}, {Value: st.number(float64(w.Rest))}, {Value: chance(float64(w.Adjusted))}}
			if stated {
				line = append(line, cell{Value: st.number(float64(w.Stated))})
			}
			t.Rows = append(t.Rows, line)
		}
		s.Blocks = append(s.Blocks, block{Table: t})
	} else {
		s.Intro = r.say("No condition on the other columns tells rows on which it does worse.")
	}
	if c := confidenceChart(r); c != nil {
		s.Blocks = append(s.Blocks, block{Charts: []chart{*c}})
	}
	return s
}

// failureMetric is what failures are told in.
func (r reading) failureMetric() string {
	if r.Failures.Metric == "mae" {
		return r.say("mean absolute error")
	}
	return r.lower(evaluate.Metric{Label: "Accuracy"})
}

// confidenceChart shows how right the model is where it is sure, of numbers how far
// off where it predicts high.
func confidenceChart(r reading) *chart {
	f := r.Failures
	if len(f.Confidence) < 2 {
		return nil
	}
	name, classes := r.failureMetric(), f.Metric != "mae"
	c := &chart{ID: "confidence", Title: r.say("By how sure it is"), Caption: r.say("Accuracy of a fifth of the rows each, by the probability of what it decides.")}
	c.Table = table{Name: c.Title, Head: []string{r.say("confidence"), r.say("rows"), name, r.say("stated")}}
	if !classes {
		c.Title, c.Caption = r.say("By what it predicts"), r.say("Mean absolute error of a fifth of the rows each, by the predicted value.")
		c.Table = table{Name: c.Title, Head: []string{r.say("predicted"), r.say("rows"), name, r.say("mean error")}}
	}
	var rows []dotRow
	var ends, values []float64
	for _, s := range f.Confidence {
		ends, values = append(ends, s.Low, s.High), append(values, s.Score.Value, float64(s.Stated))
	}
	at, value := styleFor(ends...), styleFor(values...)
	for _, s := range f.Confidence {
		label := r.say("%s to %s", at.number(s.Low), at.number(s.High))
		rows = append(rows, dotRow{label, "1", s.Score})
		c.Table.Rows = append(c.Table.Rows, []cell{{Value: label}, {Value: count(float64(s.Rows))}, {Value: value.number(s.Score.Value), Small: value.interval(s.Score, r.voice)}, {Value: value.number(float64(s.Stated))}})
	}
	c.draw(r.voice, c.Title, rows, value, math.NaN())
	return c
}
