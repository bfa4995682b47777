package report

import (
	"math"
	"slices"
	"strings"

	"github.com/hone-ml/hone/evaluate"
)

// numbersSection is every metric, and a few of them drawn beside the baselines.
func numbersSection(r reading) *section {
	s := &section{ID: "numbers", Title: r.say("The numbers"), Intro: tested(r)}
	if n := r.Bootstrap.Resamples; n > 0 {
		how := r.say("Intervals come from %s bootstrap resamples.", count(float64(n)))
		if len(r.Baselines) > 0 {
			how = r.say("Intervals come from %s bootstrap resamples; differences are paired on the same rows.", count(float64(n)))
		}
		s.Intro = r.join(s.Intro, how)
	}
	n := metricTable(r)
	if len(n.Rows) == 0 {
		return nil
	}
	s.Blocks = append(s.Blocks, block{Charts: comparisonCharts(r)}, block{Table: n.table(r.voice, n.Rows, r.say("Metrics"))})
	if len(n.More) > 0 {
		s.Blocks = append(s.Blocks, block{Summary: r.say("%s over the classes", r.plural(len(n.More), "more average")), Table: n.table(r.voice, n.More, r.say("Averages over the classes"))})
	}
	var formulas []pair
	for _, row := range n.All() {
		if row.Formula != "" {
			formulas = append(formulas, pair{Term: row.Label, Text: row.Formula})
		}
	}
	if len(formulas) > 0 {
		s.Blocks = append(s.Blocks, block{Summary: r.say("How each metric is computed"), Pairs: formulas})
	}
	return s
}

// numbers is the table of all metrics.
type numbers struct {
	Baselines  []string
	Diff       string // the baseline of the difference column
	Validation bool
	Rows       []numberRow
	// More holds the averages that say little beyond Rows.
	More []numberRow
}

type numberRow struct {
	Label, Formula, Better    string
	Value, Interval, Training string
	Validation                string
	Baselines                 []cell
	Diff, DiffInterval        string
	Outcome                   string
}

// All are all rows.
func (n numbers) All() []numberRow { return slices.Concat(n.Rows, n.More) }

// table lays rows out for the page.
func (n numbers) table(v voice, rows []numberRow, name string) *table {
	t := &table{Name: name, Head: []string{v.say("metric"), v.say("this model")}}
	t.Head = append(t.Head, n.Baselines...)
	if n.Diff != "" {
		t.Head = append(t.Head, v.say("difference to %s", n.Diff))
	}
	if n.Validation {
		t.Head = append(t.Head, v.say("validation"))
	}
	for _, r := range rows {
		line := append([]cell{{Value: r.Label, Small: r.Better}, {Value: r.Value, Small: r.Interval, Strong: true}}, r.Baselines...)
		if n.Diff != "" {
			line = append(line, cell{Value: dashed(r.Diff), Small: r.DiffInterval, Mark: v.say(r.Outcome), Kind: kindOf(r.Outcome)})
		}
		if n.Validation {
			line = append(line, cell{Value: dashed(r.Validation)})
		}
		t.Rows = append(t.Rows, line)
	}
	return t
}

// kindOf is the style of an outcome.
func kindOf(outcome string) string {
	if outcome == evaluate.NotSeparable {
		return "same"
	}
	return outcome
}

func dashed(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

func metricTable(r reading) numbers {
	n := numbers{Validation: len(r.Validation) > 0}
	names := baselineNames(r.Result)
	for _, b := range names {
		n.Baselines = append(n.Baselines, r.baselineLabel(b))
	}
	if len(names) > 0 {
		n.Diff = r.baselineLabel(names[0])
	}
	for _, m := range r.Metrics {
		t := metricStyle(r.Result, m.Name)
		row := numberRow{Label: r.label(m), Formula: clean(m.Formula), Better: r.say("lower is better"), Value: "–"}
		if m.HigherIsBetter {
			row.Better = r.say("higher is better")
		}
		if iv, ok := r.Test[m.Name]; ok {
			row.Value, row.Interval = t.number(iv.Value), t.interval(iv, r.voice)
		} else if why := r.Undefined[m.Name]; why != "" {
			row.Interval = r.told(why)
		}
		if v, ok := r.Result.Validation[m.Name]; ok && !math.IsNaN(v) {
			row.Validation = t.number(v)
		}
		for _, b := range names {
			c := cell{Value: "–"}
			if iv, ok := r.Baselines[b][m.Name]; ok {
				c = cell{Value: t.number(iv.Value), Small: t.interval(iv, r.voice)}
			}
			row.Baselines = append(row.Baselines, c)
		}
		if len(names) > 0 {
			if c := r.Compare(names[0], m.Name); c != nil {
				row.Diff = t.signed(c.Difference.Value)
				row.DiffInterval = r.say("%s to %s", t.signed(c.Difference.Low), t.signed(c.Difference.High))
				row.Outcome = c.Outcome
			}
		}
		if len(n.Rows) > 0 && minor(r.Task, m.Name) {
			n.More = append(n.More, row)
		} else {
			n.Rows = append(n.Rows, row)
		}
	}
	return n
}

// minor tells the averages over classes that repeat what others say: all of
// them for two classes, the micro and weighted ones for more.
func minor(task, name string) bool {
	return strings.HasSuffix(name, "_micro") || strings.HasSuffix(name, "_weighted") ||
		task == "binary" && strings.HasSuffix(name, "_macro")
}
