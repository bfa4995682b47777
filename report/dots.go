package report

import (
	"cmp"
	"math"
	"slices"

	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/metric"
)

// worst are the n classes of lowest F1, ascending.
func worst(in []evaluate.ClassScore, n int) []evaluate.ClassScore {
	out := slices.Clone(in)
	slices.SortStableFunc(out, func(a, b evaluate.ClassScore) int { return cmp.Compare(a.F1, b.F1) })
	return out[:min(n, len(out))]
}

// headlinePanels is how many metrics are drawn against the baselines; the
// table holds all of them.
const headlinePanels = 3

// panels are the metrics worth drawing after the headline: of decisions, of
// probabilities, of rankings; of errors.
var panels = []string{"accuracy", "log_loss", "roc_auc", "f1_macro", "rmse", "mae", "r2"}

// comparisonCharts draws a few metrics of the model and of each baseline, with
// their intervals, one axis for each metric.
func comparisonCharts(r reading) []chart {
	var out []chart
	drawn := map[string]bool{}
	add := func(m evaluate.Metric) {
		if iv, ok := r.Test[m.Name]; ok && !drawn[m.Name] && len(out) < headlinePanels {
			drawn[m.Name] = true
			out = append(out, dotPlot(r, m, iv))
		}
	}
	if m, _, ok := headline(r.Result); ok {
		add(m)
	}
	for _, name := range panels {
		if m := r.Lookup(name); m != nil {
			add(*m)
		}
	}
	for _, m := range r.Metrics {
		add(m)
	}
	return out
}

// mostLabel is how wide the name of a row may be.
const mostLabel = 130

type dotRow struct {
	label, class string
	iv           metric.Interval
}

// window is the range of the axis. The last row, the weakest baseline, is left
// outside when it would press all others together.
func window(rows []dotRow) (lo, hi float64) {
	ends := func(rows []dotRow) (out []float64) {
		for _, r := range rows {
			out = append(out, r.iv.Value, r.iv.Low, r.iv.High)
		}
		return out
	}
	lo, hi, _ = extent(0.08, ends(rows))
	if n := len(rows); n > 2 {
		if l, h, ok := extent(0.15, ends(rows[:n-1])); ok && hi-lo > 4*(h-l) {
			return l, h
		}
	}
	return lo, hi
}

func dotPlot(r reading, m evaluate.Metric, iv metric.Interval) chart {
	rows := []dotRow{{r.say("this model"), "1", iv}}
	for i, b := range baselineNames(r.Result) {
		if biv, ok := r.Baselines[b][m.Name]; ok {
			class := "2"
			if i > 0 {
				class = "3"
			}
			rows = append(rows, dotRow{r.baselineLabel(b), class, biv})
		}
	}
	c := chart{ID: "m-" + ident(m.Name), Title: r.label(m), Caption: r.say("Higher is better.")}
	if !m.HigherIsBetter {
		c.Caption = r.say("Lower is better.")
	}
	c.draw(r.voice, r.say("%s of the model and its baselines", r.label(m)), rows, metricStyle(r.Result, m.Name), math.NaN())
	return c
}

// draw draws rows of a value with its interval on one axis; mark is a value to draw
// a line at, NaN for none.
func (c *chart) draw(v voice, title string, rows []dotRow, t style, mark float64) {
	lo, hi := window(rows)
	if finite(mark) {
		lo, hi = math.Min(lo, mark), math.Max(hi, mark)
	}
	left, right := 0.0, 0.0
	for _, row := range rows {
		left = math.Max(left, math.Min(mostLabel, textWidth(row.label)))
		right = math.Max(right, textWidth(t.number(row.iv.Value))*1.12)
	}
	const step = 34.0
	d := &drawing{w: width, h: step*float64(len(rows)) + 24}
	x := scale{lo: lo, hi: hi, from: left + 16, to: width - right - 16}
	base := step * float64(len(rows))
	ticks := x.ticks(4)
	if len(ticks) < 2 {
		ticks = x.ticks(8)
	}
	labels := tickLabels(ticks)
	for i, t := range ticks {
		d.line(x.at(t), 4, x.at(t), base, "grid")
		d.text(x.at(t), base+16, "tick", "middle", labels[i])
	}
	if finite(mark) {
		d.line(x.at(mark), 4, x.at(mark), base, "mark")
	}
	desc, further := "", ""
	for i, row := range rows {
		y := step*float64(i) + step/2
		d.label(left, y+4, "tick", "end", row.label, mostLabel)
		switch {
		case !finite(row.iv.Value):
		case row.iv.Value < lo || row.iv.Value > hi:
			at, point := x.from, -8.0
			if row.iv.Value > hi {
				at, point = x.to, 8
			}
			d.add(`<path d="M%s %sl%s -5v10z" class="d%s"/>`, px(at+point/2), px(y), px(-point), row.class)
			further = v.say("The arrow lies further out.")
		default:
			if finite(row.iv.Low) && finite(row.iv.High) {
				d.line(x.at(row.iv.Low), y, x.at(row.iv.High), y, "w"+row.class)
			}
			d.add(`<circle cx="%s" cy="%s" r="5" class="d%s"/>`, px(x.at(row.iv.Value)), px(y), row.class)
		}
		d.text(width, y+4.5, "value", "end", t.number(row.iv.Value))
		desc = v.join(desc, v.say("%s %s, interval %s.", row.label, t.number(row.iv.Value), t.interval(row.iv, v)))
	}
	c.Caption = v.join(c.Caption, further)
	c.SVG = d.finish(c.ID, title, desc)
}

// ident makes s usable in an id.
func ident(s string) string {
	out := []byte(s)
	for i, b := range out {
		if (b < 'a' || b > 'z') && (b < '0' || b > '9') {
			out[i] = '-'
		}
	}
	return string(out)
}
