package report

import (
	"fmt"

	"github.com/hone-ml/hone/evaluate"
)

// mostSlices is how many slices are listed before the rest is folded away.
const mostSlices = 12

// slicesSection is the metric on parts of the rows.
func slicesSection(r reading) *section {
	all := r.of.Slices
	if len(all) == 0 {
		return nil
	}
	s := &section{ID: "slices", Title: r.say("Part by part"),
		Intro: r.say("%s on the rows of each value of the other columns, the worst first. A part is called worse only where a test that accounts for their number tells it from the rest.", upperFirst(r.metricName(r.of.SlicedBy)))}
	first := all[:min(mostSlices, len(all))]
	s.Blocks = append(s.Blocks, block{Table: r.slices(first)})
	if rest := all[len(first):]; len(rest) > 0 {
		s.Blocks = append(s.Blocks, block{Summary: r.plural(len(rest), "more part"), Table: r.slices(rest)})
	}
	return s
}

// metricName is what a metric is called in running text, by its name.
func (r reading) metricName(name string) string {
	if m := r.Lookup(name); m != nil {
		return r.lower(*m)
	}
	return clean(name)
}

func (r reading) slices(some []evaluate.Slice) *table {
	t := &table{Name: r.say("Part by part"), Head: []string{r.say("rows where"), r.say("rows"), r.metricName(r.of.SlicedBy), r.say("all others"), r.say("p, corrected")}}
	for _, s := range some {
		style := styleFor(s.Score.Value, float64(s.Rest))
		c := cell{Value: style.number(s.Score.Value), Small: style.interval(s.Score, r.voice), Strong: true}
		if s.Worse {
			c.Mark, c.Kind = r.say("worse"), "worse"
		}
		t.Rows = append(t.Rows, []cell{{Value: s.Column + " = " + s.Value}, {Value: count(float64(s.Rows))}, c, {Value: style.number(float64(s.Rest))}, {Value: chance(float64(s.Adjusted))}})
	}
	return t
}

// chance writes a p-value in as many digits as it is worth.
func chance(p float64) string {
	switch {
	case !finite(p):
		return "–"
	case p < 0.0001:
		return "< 0.0001"
	case p > 0.9995:
		return "1"
	}
	return fmt.Sprintf("%.2g", p)
}
