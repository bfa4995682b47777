package report

import (
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/metric"
)

// fairnessSection compares the groups of the columns that the user named.
func fairnessSection(r reading) *section {
	if r.Failures == nil || len(r.Failures.Fairness) == 0 {
		return nil
	}
	s := &section{ID: "fairness", Title: r.say("Groups"), Intro: r.say("How far the groups of a column are apart. A gap is told from chance where groups drawn at random are rarely so far apart; whether it is unjust is not for a number to say.")}
	for _, f := range r.Failures.Fairness {
		s.Blocks = append(s.Blocks, r.groups(f)...)
	}
	return s
}

func (r reading) groups(f *evaluate.Fairness) []block {
	names := map[string]bool{}
	for _, g := range f.Groups {
		for name := range g.Scores {
			names[name] = true
		}
	}
	metrics := slices.Sorted(maps.Keys(names))
	t := &table{Name: clean(f.Column), Head: []string{clean(f.Column), r.say("rows")}, Names: true}
	var charts []chart
	for i, name := range metrics {
		label := name
		if m, err := metric.Lookup(name); err == nil {
			label = r.told(m.Label)
		}
		t.Head = append(t.Head, label)
		if i < headlinePanels {
			var rows []dotRow
			var values []float64
			for _, g := range f.Groups {
				if iv, ok := g.Scores[name]; ok {
					rows, values = append(rows, dotRow{g.Value, "1", iv}), append(values, iv.Value)
				}
			}
			if len(rows) > 0 {
				c := chart{ID: "g-" + ident(f.Column) + "-" + ident(name), Title: label, Caption: r.say("By “%s”.", clean(f.Column))}
				c.draw(r.voice, r.say("%s by “%s”", label, clean(f.Column)), rows, styleFor(values...), math.NaN())
				charts = append(charts, c)
			}
		}
	}
	for _, g := range f.Groups {
		line := []cell{{Value: g.Value}, {Value: count(float64(g.Rows))}}
		for _, name := range metrics {
			iv, ok := g.Scores[name]
			if !ok {
				line = append(line, cell{Value: "–"})
				continue
			}
			st := styleFor(iv.Value, iv.Low, iv.High)
			line = append(line, cell{Value: st.number(iv.Value), Small: st.interval(iv, r.voice)})
		}
		t.Rows = append(t.Rows, line)
	}
	gaps := &table{Name: r.say("Gaps by “%s”", clean(f.Column)), Head: []string{r.say("gap"), r.say("difference"), r.say("ratio"), r.say("lowest"), r.say("highest"), r.say("p, corrected")}, Words: true}
	for _, g := range f.Gaps {
		name := r.told(strings.ReplaceAll(g.Name, "_", " "))
		if g.Class != "" && r.Task != "binary" {
			name += " (" + clean(g.Class) + ")"
		}
		st := styleFor(float64(g.Difference), 0.1)
		difference := cell{Value: st.number(float64(g.Difference)), Strong: g.Apart}
		if g.Apart {
			difference.Mark, difference.Kind = r.say("apart"), "worse"
		}
		gaps.Rows = append(gaps.Rows, []cell{{Value: name}, difference, {Value: number(float64(g.Ratio))}, {Value: g.Lowest}, {Value: g.Highest}, {Value: chance(g.Adjusted)}})
	}
	out := []block{{Title: clean(f.Column), Charts: charts}, {Table: t}, {Table: gaps}}
	if len(f.LeftOut) > 0 {
		var items []item
		for _, g := range f.LeftOut {
			items = append(items, item{Text: clean(g)})
		}
		out = append(out, block{Summary: r.say("Left out, of too few rows: %s", r.plural(len(f.LeftOut), "group")), Items: items})
	}
	return out
}
