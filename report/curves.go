package report

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/hone-ml/hone/evaluate"
	"math"

	"github.com/hone-ml/hone/metric"
)

// curvesSection is what the probabilities are worth.
func curvesSection(r reading) *section {
	return chartSection("curves", r.say("Thresholds and probabilities"), "", rocChart(r), prChart(r), classCurvesChart(r), calibrationChart(r), gainChart(r), liftChart(r))
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
	bins := r.Calibration
	if len(r.Reliability) > 0 { // of as many rows each, with intervals
		bins = nil
		for _, b := range r.Reliability {
			bins = append(bins, b.Bin)
		}
		c.Caption = r.join(c.Caption, r.say("Upright lines: intervals."))
	}
	most, total := 0.0, 0.0
	for _, b := range bins {
		most, total = math.Max(most, b.Weight), total+b.Weight
	}
	var xs, ys []float64
	off := 0.0
	for _, b := range bins {
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
	for _, b := range r.Reliability {
		if b.Weight > 0 && finite(b.ObservedLow) && finite(b.ObservedHigh) {
			p.line(p.x.at(b.Predicted), p.y.at(b.ObservedLow), p.x.at(b.Predicted), p.y.at(b.ObservedHigh), "w1")
		}
	}
	p.path(xs, ys, "s1")
	for i := range xs {
		p.dot(xs[i], ys[i], 3.5, "d1")
	}
	c.SVG = p.finish(c.ID, r.say("Stated probability against observed share"), r.say("On average the two differ by %s.", number(off)))
	return c
}

// gainChart is how many of the positive rows are found among those of the highest
// score.
func gainChart(r reading) *chart {
	if len(r.Gain) == 0 {
		return nil
	}
	x, y := r.say("share of rows taken"), r.say("share of positives found")
	c := &chart{ID: "gain", Title: r.say("Gain"), Caption: r.say("Rows are taken from the highest score down. Dashed: taken by chance."), Table: pointTable(r.voice, r.say("Gain"), x, y, r.Gain)}
	p := unit(x, y)
	p.line(p.x.at(0), p.y.at(0), p.x.at(1), p.y.at(1), "mark")
	xs, ys := xy(r.Gain)
	p.path(xs, ys, "s1")
	c.SVG = p.finish(c.ID, c.Title, r.say("A fifth of the rows holds %s of the positive ones.", percent(valueAt(xs, ys, 0.2))))
	return c
}

// liftChart is how many times as common positive rows are among those of the highest
// score as among all.
func liftChart(r reading) *chart {
	if len(r.Lift) < 2 {
		return nil
	}
	x, y := r.say("share of rows taken"), r.say("times as common")
	c := &chart{ID: "lift", Title: r.say("Lift"), Caption: r.say("How many times as common positive rows are among those taken as among all. Dashed: taken by chance."), Table: pointTable(r.voice, r.say("Lift"), x, y, r.Lift)}
	xs, ys := xy(r.Lift)
	_, hi, ok := extent(0.06, ys, []float64{1})
	if !ok {
		return nil
	}
	p := axes(0, 1, 0, hi, false, x, y)
	p.line(p.x.from, p.y.at(1), p.x.to, p.y.at(1), "mark")
	p.path(xs, ys, "s1")
	c.SVG = p.finish(c.ID, c.Title, r.say("Among a fifth of the rows positive ones are %s times as common.", number(valueAt(xs, ys, 0.2))))
	return c
}

// valueAt is y where x first reaches a value.
func valueAt(xs, ys []float64, at float64) float64 {
	for i, x := range xs {
		if x >= at {
			return ys[i]
		}
	}
	return ys[len(ys)-1]
}

// drawnClasses is how many classes have a curve in one drawing.
const drawnClasses = 4

// classCurvesChart is precision against recall of the classes that have the least
// area under it, among the most frequent.
func classCurvesChart(r reading) *chart {
	if len(r.ByClass) == 0 {
		return nil
	}
	area := func(c evaluate.ClassCurves) float64 {
		xs, ys := xy(c.PR)
		sum := 0.0
		for i := range xs[:max(0, len(xs)-1)] {
			sum += math.Abs(xs[i+1]-xs[i]) * (ys[i] + ys[i+1]) / 2
		}
		return sum
	}
	list := slices.Clone(r.ByClass)
	slices.SortStableFunc(list, func(a, b evaluate.ClassCurves) int { return cmp.Compare(area(a), area(b)) })
	name := r.say("Precision and recall of a class against the rest")
	c := &chart{ID: "by-class", Title: name, Caption: r.say("The %d weakest of the %d most frequent classes, by the area.", min(drawnClasses, len(list)), len(list)),
		Table: table{Name: name, Head: []string{r.say("class"), r.say("area")}}}
	p := unit(r.say("recall"), r.say("precision"))
	for i, k := range list {
		c.Table.Rows = append(c.Table.Rows, row(k.Class, number(area(k))))
		if i < drawnClasses {
			xs, ys := xy(k.PR)
			p.path(xs, ys, fmt.Sprintf("s%d", i+1))
			y := p.y.from - 12 - 15*float64(drawnClasses-1-i)
			p.line(p.x.from+10, y-4, p.x.from+28, y-4, fmt.Sprintf("s%d", i+1))
			p.label(p.x.from+34, y, "tick", "start", k.Class, 150)
		}
	}
	c.SVG = p.finish(c.ID, name, r.say("The weakest is %s with an area of %s.", clean(list[0].Class), number(area(list[0]))))
	return c
}
