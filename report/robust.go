package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/hone-ml/hone/evaluate"
)

// robustSection is how far the metric falls where rows are changed a little.
func robustSection(r reading) *section {
	if r.Failures == nil || r.Failures.Robustness == nil || len(r.Failures.Robustness.Changes) == 0 {
		return nil
	}
	b := r.Failures.Robustness
	name := r.metricName(b.Metric)
	s := &section{ID: "robustness", Title: r.say("When rows are changed"),
		Intro: r.say("By how much %s gets worse where rows are changed in ways that should change little: %s, %s as they are.", name, r.plural(b.Rows, "row"), number(float64(b.Before)))}
	changes := slices.Clone(b.Changes)
	slices.SortStableFunc(changes, func(x, y evaluate.Change) int { return cmp.Compare(y.Fall.Value, x.Fall.Value) })
	var values []float64
	for _, c := range changes {
		values = append(values, c.Fall.Value)
	}
	st := styleFor(values...)
	var rows []dotRow
	t := table{Name: r.say("When rows are changed"), Head: []string{r.say("change"), name, r.say("worse by"), r.say("moved"), r.say("p, corrected")}}
	for i, c := range changes {
		label := strings.TrimSpace(r.told(c.Kind) + " " + clean(c.Column))
		class := "3"
		fall := cell{Value: st.signed(c.Fall.Value), Small: st.interval(c.Fall, r.voice)}
		if c.Worse {
			class, fall.Mark, fall.Kind = "2", r.say("worse"), "worse"
		}
		if i < mostSlices {
			rows = append(rows, dotRow{label, class, c.Fall})
		}
		t.Rows = append(t.Rows, []cell{{Value: label, Small: r.told(c.Words)}, {Value: number(float64(c.After))}, fall, {Value: percent(c.Moved)}, {Value: chance(float64(c.Adjusted))}})
	}
	c := chart{ID: "falls", Title: r.say("Worse by"), Caption: r.say("With its interval; grey: could be chance."), Table: t}
	c.draw(r.voice, r.say("How much worse each change makes it"), rows, st, 0)
	s.Blocks = []block{{Charts: []chart{c}}}
	return s
}
