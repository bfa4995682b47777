package report

import (
	"math"

	"github.com/hone-ml/hone/evaluate"
)

// setsSection is what prediction sets, or intervals, hold of what was promised.
func setsSection(r reading) *section {
	p := r.PredictionSets
	if p == nil || len(p.Coverages) == 0 {
		return nil
	}
	classes := p.Coverages[0].PerClass != nil
	s := &section{ID: "sets", Title: r.say("Prediction intervals"), Intro: r.say("Asked for an interval that holds the actual value in so many of a hundred cases, the model gives one, calibrated on %s; this is how often it held on the rows here.", r.plural(p.Rows, "other row"))}
	if classes {
		s.Title, s.Intro = r.say("Prediction sets"), r.say("Asked for a set of classes that holds the true one in so many of a hundred cases, the model gives one, calibrated on %s; this is how often it held on the rows here.", r.plural(p.Rows, "other row"))
	}
	t := table{Name: s.Title, Head: []string{r.say("asked"), r.say("held"), r.say("mean width"), r.say("half at most")}}
	if classes {
		t.Head = []string{r.say("asked"), r.say("held"), r.say("classes in it"), r.say("of one class")}
	}
	var rows []dotRow
	for _, c := range p.Coverages {
		held := cell{Value: percent(c.Observed.Value), Small: r.say("%s to %s", percent(c.Observed.Low), percent(c.Observed.High))}
		class := "1"
		switch c.Verdict {
		case evaluate.LessCovered:
			held.Mark, held.Kind, class = r.say("less"), "worse", "2"
		case evaluate.MoreCovered:
			held.Mark, held.Kind = r.say("more"), "same"
		}
		line := []cell{{Value: percent(c.Coverage)}, held}
		if classes {
			line = append(line, cell{Value: number(float64(c.Size))}, cell{Value: percent(float64(c.Single))})
		} else {
			line = append(line, cell{Value: number(float64(c.Width))}, cell{Value: number(float64(c.Median))})
		}
		t.Rows = append(t.Rows, line)
		rows = append(rows, dotRow{r.say("asked %s", percent(c.Coverage)), class, c.Observed})
	}
	c := chart{ID: "coverage", Title: r.say("Asked and held"), Caption: r.say("The share of rows whose truth lies within, with its interval."), Table: t}
	c.draw(r.voice, c.Title, rows, style{decimals: 3}, math.NaN())
	s.Blocks = append(s.Blocks, block{Charts: []chart{c}})
	if one := p.At(0.9); one != nil && len(one.PerClass) > 0 {
		by := &table{Name: r.say("By class, 90% asked"), Head: []string{r.say("class"), r.say("rows"), r.say("held")}}
		for _, k := range one.PerClass {
			by.Rows = append(by.Rows, []cell{{Value: k.Class}, {Value: count(float64(k.Rows))}, {Value: percent(k.Observed.Value), Small: r.say("%s to %s", percent(k.Observed.Low), percent(k.Observed.High))}})
		}
		s.Blocks = append(s.Blocks, block{Summary: r.say("By class, 90% asked"), Table: by})
	}
	return s
}
