package report

import (
	"math"

	"github.com/hone-ml/hone/metric"
)

// curvesSection is what the probabilities are worth.
func curvesSection(r reading) *section {
	return chartSection("curves", r.say("Thresholds and probabilities"), "", rocChart(r), prChart(r), calibrationChart(r))
}

// unit is a plot of the unit square.
func unit(xName, yName string) *plot { return axes(0, 1, 0, 1, false, xName, yName) }

// thin picks at most n of m indexes, evenly, with both ends.
func thin(m, n int) []int {
	var out []int
	for i := range min(m, n) {
		k := 0
		if m > 1 {
			k = i * (m - 1) / (min(m, n) - 1)
		}
		out = append(out, k)
	}
	return out
}

// pointTable is a readable part of a curve.
func pointTable(v voice, name, x, y string, points []metric.Point) table {
	t := table{Name: name, Head: []string{v.say("threshold"), x, y}}
	for _, i := range thin(len(points), 15) {
		t.Rows = append(t.Rows, row(number(points[i].Threshold), number(points[i].X), number(points[i].Y)))
	}
	return t
}

// xy splits points into coordinates.
func xy(points []metric.Point) (xs, ys []float64) {
	for _, q := range points {
		xs, ys = append(xs, q.X), append(ys, q.Y)
	}
	return xs, ys
}

func rocChart(r reading) *chart {
	if len(r.ROC) == 0 {
		return nil
	}
	x, y := r.say("false positive rate"), r.say("true positive rate")
	c := &chart{ID: "roc", Title: r.say("ROC curve"), Caption: r.say("Share of positives found against share of negatives disturbed, for every threshold. Dashed: guessing."),
		Table: pointTable(r.voice, r.say("ROC curve"), x, y, r.ROC)}
	p := unit(x, y)
	p.add(`<line x1="%s" y1="%s" x2="%s" y2="%s" class="mark"/>`, px(p.x.at(0)), px(p.y.at(0)), px(p.x.at(1)), px(p.y.at(1)))
	xs, ys := xy(r.ROC)
	p.path(xs, ys, "s1")
	desc := r.say("The curve of a perfect model touches the upper left corner.")
	if iv, ok := r.Test["roc_auc"]; ok {
		p.text(p.x.to-8, p.y.from-14, "value", "end", "AUC "+number(iv.Value))
		desc = r.join(r.say("The area under the curve is %s.", number(iv.Value)), desc)
	}
	c.SVG = p.finish(c.ID, r.say("Receiver operating characteristic"), desc)
	return c
}

func prChart(r reading) *chart {
	if len(r.PR) == 0 {
		return nil
	}
	c := &chart{ID: "pr", Title: r.say("Precision and recall"), Caption: r.say("How many of the rows called positive are, against how many of the positives are found. Dashed: guessing."),
		Table: pointTable(r.voice, r.say("Precision and recall"), r.say("recall"), r.say("precision"), r.PR)}
	p := unit(r.say("recall"), r.say("precision"))
	if n := len(r.PerClass); n == 2 {
		for _, k := range r.PerClass {
			if total := r.PerClass[0].Rows + r.PerClass[1].Rows; k.Class == r.Positive && total > 0 {
				y := p.y.at(k.Rows / total)
				p.line(p.x.from, y, p.x.to, y, "mark")
			}
		}
	}
	xs, ys := xy(r.PR)
	p.path(xs, ys, "s1")
	desc := r.say("The curve of a perfect model touches the upper right corner.")
	if iv, ok := r.Test["average_precision"]; ok {
		p.text(p.x.from+10, p.y.from-14, "value", "start", r.say("average precision %s", number(iv.Value)))
		desc = r.join(r.say("Average precision is %s.", number(iv.Value)), desc)
	}
	c.SVG = p.finish(c.ID, r.say("Precision against recall"), desc)
	return c
}

func calibrationChart(r reading) *chart {
	if len(r.Calibration) == 0 {
		return nil
	}
	c := &chart{ID: "calibration", Title: r.say("Calibration"), Caption: r.say("Of the rows given a probability of 30%, 30% should be positive: the closer to the dashed line, the more a stated probability can be believed. The bars show where the rows are."),
		Table: table{Name: r.say("Calibration"), Head: []string{r.say("stated probability"), r.say("observed share"), r.say("rows")}}}
	if r.Task == "multiclass" {
		c.Caption = r.say("Of the rows decided with 70% confidence, 70% should be right: the closer to the dashed line, the more a stated probability can be believed. The bars show where the rows are.")
	}
	p := unit(r.say("stated probability"), r.say("observed share"))
	most, total := 0.0, 0.0
	for _, b := range r.Calibration {
		most, total = math.Max(most, b.Weight), total+b.Weight
	}
	var xs, ys []float64
	off := 0.0
	for _, b := range r.Calibration {
		if b.Weight == 0 {
			continue
		}
		h := 0.18 * b.Weight / most
		p.add(`<rect x="%s" y="%s" width="10" height="%s" class="rug"/>`, px(p.x.at(b.Predicted)-5), px(p.y.at(h)), px(p.y.at(0)-p.y.at(h)))
		xs, ys = append(xs, b.Predicted), append(ys, b.Observed)
		off += b.Weight / total * math.Abs(b.Observed-b.Predicted)
		c.Table.Rows = append(c.Table.Rows, row(number(b.Predicted), number(b.Observed), count(b.Weight)))
	}
	p.line(p.x.at(0), p.y.at(0), p.x.at(1), p.y.at(1), "mark")
	p.path(xs, ys, "s1")
	for i := range xs {
		p.dot(xs[i], ys[i], 3.5, "d1")
	}
	c.SVG = p.finish(c.ID, r.say("Stated probability against observed share"), r.say("On average the two differ by %s.", number(off)))
	return c
}
