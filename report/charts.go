package report

import (
	"fmt"
	"math"
	"strconv"

	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/metric"
)

// section is a heading with its charts.
type section struct {
	ID, Title, Intro string
	Charts           []chart
}

// charts are all that the result has the data for, in the order of the page.
func charts(r *evaluate.Result) []section {
	var out []section
	add := func(id, title, intro string, cs ...*chart) {
		s := section{ID: id, Title: title, Intro: intro}
		for _, c := range cs {
			if c != nil {
				s.Charts = append(s.Charts, *c)
			}
		}
		if len(s.Charts) > 0 {
			out = append(out, s)
		}
	}
	if r.Task == "regression" {
		add("errors", "Where it errs", "", residualChart(r), residualHistogram(r))
	} else {
		add("errors", "Where it errs", "", confusionChart(r), rocChart(r), prChart(r), calibrationChart(r), confusedChart(r), perClassChart(r))
	}
	add("learning", "How it learned", "", lossChart(r), metricChart(r), rateChart(r))
	return out
}

// lossChart shows both losses by epoch and the epoch that was kept.
func lossChart(r *evaluate.Result) *chart {
	t := r.Training
	if len(t.Epochs) == 0 {
		return nil
	}
	var xs, train, val []float64
	c := &chart{ID: "loss", Title: "Loss", Table: table{Head: []string{"epoch", "training loss", "validation loss"}}}
	for _, e := range t.Epochs {
		xs = append(xs, float64(e.Epoch))
		train = append(train, float64(e.TrainLoss))
		val = append(val, float64(e.ValidationLoss))
		c.Table.Rows = append(c.Table.Rows, []string{strconv.Itoa(e.Epoch), number(float64(e.TrainLoss)), number(float64(e.ValidationLoss))})
	}
	lo, hi, _ := extent(0, train, val)
	logY := lo > 0 && hi/lo > 20
	if logY {
		lo, hi = lo/1.1, hi*1.1
	} else {
		lo, hi, _ = extent(0.06, train, val)
	}
	name := "loss"
	if logY {
		name = "loss, log scale"
	}
	p := axes(xs[0], math.Max(xs[len(xs)-1], xs[0]+1), lo, hi, logY, "epoch", name)
	c.Caption = "Mean loss of each epoch; lower is better."
	markBest(p, t.Best, c)
	p.path(xs, train, "s2")
	p.path(xs, val, "s1")
	legend := [][2]string{{"s2", "training"}}
	if _, _, ok := extent(0, val); ok {
		legend = append(legend, [2]string{"s1", "validation"})
	}
	p.legend(legend...)
	for i, e := range t.Epochs {
		if e.Epoch == t.Best || len(xs) == 1 {
			p.finiteDot(xs[i], train[i], "d2")
			p.finiteDot(xs[i], val[i], "d1")
		}
	}
	c.SVG = p.finish(c.ID, "Loss by epoch", fmt.Sprintf("Training loss goes from %s to %s, validation loss from %s to %s.",
		number(train[0]), number(train[len(train)-1]), number(val[0]), number(val[len(val)-1])))
	return c
}

func (p *plot) finiteDot(x, y float64, class string) {
	if finite(y) {
		p.dot(x, y, 4, class)
	}
}

// markBest draws the epoch whose weights were kept.
func markBest(p *plot, best int, c *chart) {
	if best > 0 {
		x := p.x.at(float64(best))
		p.line(x, p.y.from, x, p.y.to, "mark")
		c.Caption += fmt.Sprintf(" The dashed line is epoch %d, whose weights are kept.", best)
	}
}

// byEpoch is a chart of one quantity.
func byEpoch(r *evaluate.Result, id, title, what, caption string, best bool, get func(evaluate.Epoch) evaluate.Number) *chart {
	c := &chart{ID: id, Title: title, Caption: caption, Table: table{Head: []string{"epoch", what}}}
	var xs, ys []float64
	for _, e := range r.Training.Epochs {
		v := float64(get(e))
		xs, ys = append(xs, float64(e.Epoch)), append(ys, v)
		c.Table.Rows = append(c.Table.Rows, []string{strconv.Itoa(e.Epoch), number(v)})
	}
	lo, hi, ok := extent(0.08, ys)
	if !ok {
		return nil
	}
	p := axes(xs[0], math.Max(xs[len(xs)-1], xs[0]+1), lo, hi, false, "epoch", what)
	if best {
		markBest(p, r.Training.Best, c)
	}
	p.path(xs, ys, "s1")
	for i := range xs {
		if best && int(xs[i]) == r.Training.Best || len(xs) == 1 {
			p.finiteDot(xs[i], ys[i], "d1")
		}
	}
	c.SVG = p.finish(id, title+" by epoch", fmt.Sprintf("From %s in epoch %s to %s in epoch %s; between %s and %s.",
		number(ys[0]), px(xs[0]), number(ys[len(ys)-1]), px(xs[len(xs)-1]), number(lo), number(hi)))
	return c
}

// metricChart shows the chosen metric on the validation rows.
func metricChart(r *evaluate.Result) *chart {
	name := r.Training.Metric
	if m := r.Lookup(name); m != nil {
		name = m.Label
	}
	if name == "" {
		return nil
	}
	return byEpoch(r, "metric", name, name, "On the validation rows, after each epoch.", true,
		func(e evaluate.Epoch) evaluate.Number { return e.Metric })
}

// rateChart shows the learning rate, if it moved.
func rateChart(r *evaluate.Result) *chart {
	for _, e := range r.Training.Epochs {
		if e.LearningRate != r.Training.Epochs[0].LearningRate {
			return byEpoch(r, "rate", "Learning rate", "learning rate", "Step size that the schedule asked for.", false,
				func(e evaluate.Epoch) evaluate.Number { return e.LearningRate })
		}
	}
	return nil
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
func pointTable(x, y string, points []metric.Point) table {
	t := table{Head: []string{"threshold", x, y}}
	for _, i := range thin(len(points), 15) {
		t.Rows = append(t.Rows, []string{number(points[i].Threshold), number(points[i].X), number(points[i].Y)})
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

func rocChart(r *evaluate.Result) *chart {
	if len(r.ROC) == 0 {
		return nil
	}
	c := &chart{ID: "roc", Title: "ROC curve", Caption: "Share of positives found against share of negatives disturbed, for every threshold. Dashed: guessing.",
		Table: pointTable("false positive rate", "true positive rate", r.ROC)}
	p := unit("false positive rate", "true positive rate")
	p.add(`<line x1="%s" y1="%s" x2="%s" y2="%s" class="mark"/>`, px(p.x.at(0)), px(p.y.at(0)), px(p.x.at(1)), px(p.y.at(1)))
	xs, ys := xy(r.ROC)
	p.path(xs, ys, "s1")
	desc := "The curve of a perfect model touches the upper left corner."
	if iv, ok := r.Test["roc_auc"]; ok {
		p.text(p.x.to-8, p.y.from-14, "value", "end", "AUC "+number(iv.Value))
		desc = "The area under the curve is " + number(iv.Value) + ". " + desc
	}
	c.SVG = p.finish(c.ID, "Receiver operating characteristic", desc)
	return c
}

func prChart(r *evaluate.Result) *chart {
	if len(r.PR) == 0 {
		return nil
	}
	c := &chart{ID: "pr", Title: "Precision and recall", Caption: "How many of the rows called positive are, against how many of the positives are found. Dashed: guessing.",
		Table: pointTable("recall", "precision", r.PR)}
	p := unit("recall", "precision")
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
	desc := "The curve of a perfect model touches the upper right corner."
	if iv, ok := r.Test["average_precision"]; ok {
		p.text(p.x.from+10, p.y.from-14, "value", "start", "average precision "+number(iv.Value))
		desc = "Average precision is " + number(iv.Value) + ". " + desc
	}
	c.SVG = p.finish(c.ID, "Precision against recall", desc)
	return c
}

func calibrationChart(r *evaluate.Result) *chart {
	if len(r.Calibration) == 0 {
		return nil
	}
	c := &chart{ID: "calibration", Title: "Calibration", Caption: "Of the rows given a probability of 30%, 30% should be positive: the closer to the dashed line, the more a stated probability can be believed. The bars show where the rows are.",
		Table: table{Head: []string{"stated probability", "observed share", "rows"}}}
	if r.Task == "multiclass" {
		c.Caption = "Of the rows decided with 70% confidence, 70% should be right: the closer to the dashed line, the more a stated probability can be believed. The bars show where the rows are."
	}
	p := unit("stated probability", "observed share")
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
		c.Table.Rows = append(c.Table.Rows, []string{number(b.Predicted), number(b.Observed), count(b.Weight)})
	}
	p.line(p.x.at(0), p.y.at(0), p.x.at(1), p.y.at(1), "mark")
	p.path(xs, ys, "s1")
	for i := range xs {
		p.dot(xs[i], ys[i], 3.5, "d1")
	}
	c.SVG = p.finish(c.ID, "Stated probability against observed share", fmt.Sprintf("On average the two differ by %s.", number(off)))
	return c
}

// residualChart shows the error against the predicted value.
func residualChart(r *evaluate.Result) *chart {
	if r.Residuals == nil || len(r.Residuals.Points) == 0 {
		return nil
	}
	res := r.Residuals
	var xs, ys []float64
	c := &chart{ID: "residuals", Title: "Residuals", Table: table{Head: []string{"predicted", "residual"}},
		Caption: "Actual minus predicted value, by predicted value. A shape in the cloud is something that the model has missed."}
	for _, p := range res.Points {
		xs, ys = append(xs, p.Predicted), append(ys, p.Residual)
	}
	for _, i := range thin(len(xs), 15) {
		c.Table.Rows = append(c.Table.Rows, []string{number(xs[i]), number(ys[i])})
	}
	xlo, xhi, _ := extent(0.03, xs)
	ylo, yhi, _ := extent(0.05, ys, []float64{0})
	if len(xs) < r.Rows.Test {
		c.Caption += fmt.Sprintf(" %s of %s rows are drawn.", count(float64(len(xs))), count(float64(r.Rows.Test)))
	}
	p := axes(xlo, xhi, ylo, yhi, false, "predicted", "residual")
	p.add(`<g class="cloud">`)
	for i := range xs {
		p.add(`<circle cx="%s" cy="%s" r="2"/>`, px(p.x.at(xs[i])), px(p.y.at(ys[i])))
	}
	p.add(`</g>`)
	p.line(p.x.from, p.y.at(0), p.x.to, p.y.at(0), "mark")
	c.SVG = p.finish(c.ID, "Residual against predicted value", fmt.Sprintf("Residuals of %d rows; nine tenths lie between %s and %s.", len(xs), number(res.Quantiles[0]), number(res.Quantiles[4])))
	return c
}

// residualHistogram shows how errors are distributed.
func residualHistogram(r *evaluate.Result) *chart {
	if r.Residuals == nil || len(r.Residuals.Histogram) == 0 {
		return nil
	}
	res := r.Residuals
	bins := res.Histogram
	c := &chart{ID: "histogram", Title: "Size of the errors", Table: table{Head: []string{"residual from", "to", "rows"}},
		Caption: fmt.Sprintf("Actual minus predicted value, all test rows; the outermost bars also hold what lies beyond. Mean %s, median %s; half of all residuals lie between %s and %s.",
			number(res.Mean), number(res.Quantiles[2]), number(res.Quantiles[1]), number(res.Quantiles[3]))}
	most := 0
	for _, b := range bins {
		most = max(most, b.Rows)
		c.Table.Rows = append(c.Table.Rows, []string{number(b.Low), number(b.High), count(float64(b.Rows))})
	}
	p := axes(bins[0].Low, bins[len(bins)-1].High, 0, float64(most)*1.05, false, "residual", "rows")
	for _, b := range bins {
		x0, x1, y := p.x.at(b.Low), p.x.at(b.High), p.y.at(float64(b.Rows))
		if b.Rows > 0 {
			p.add(`<rect x="%s" y="%s" width="%s" height="%s" class="bar"/>`, px(x0+0.5), px(y), px(math.Max(0.5, x1-x0-1)), px(p.y.from-y))
		}
	}
	if p.x.lo < 0 && p.x.hi > 0 {
		p.line(p.x.at(0), p.y.from, p.x.at(0), p.y.to, "mark")
	}
	c.SVG = p.finish(c.ID, "Histogram of residuals", fmt.Sprintf("The median is %s; nine tenths lie between %s and %s.", number(res.Quantiles[2]), number(res.Quantiles[0]), number(res.Quantiles[4])))
	return c
}
