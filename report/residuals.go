package report

import (
	"math"
)

// residualChart shows the error against the predicted value.
func residualChart(r reading) *chart {
	if r.Residuals == nil || len(r.Residuals.Points) == 0 {
		return nil
	}
	res := r.Residuals
	var xs, ys []float64
	c := &chart{ID: "residuals", Title: r.say("Residuals"), Table: table{Name: r.say("Residuals"), Head: []string{r.say("predicted"), r.say("residual")}},
		Caption: r.say("Actual minus predicted value, by predicted value. A shape in the cloud is something that the model has missed.")}
	for _, p := range res.Points {
		xs, ys = append(xs, p.Predicted), append(ys, p.Residual)
	}
	for _, i := range thin(len(xs), 15) {
		c.Table.Rows = append(c.Table.Rows, row(number(xs[i]), number(ys[i])))
	}
	xlo, xhi, _ := extent(0.03, xs)
	ylo, yhi, _ := extent(0.05, ys, []float64{0})
	if len(xs) < r.Rows.Test {
		c.Caption = r.join(c.Caption, r.say("%s of %s rows are drawn.", count(float64(len(xs))), count(float64(r.Rows.Test))))
	}
	p := axes(xlo, xhi, ylo, yhi, false, r.say("predicted"), r.say("residual"))
	p.add(`<g class="cloud">`)
	for i := range xs {
		p.add(`<circle cx="%s" cy="%s" r="2"/>`, px(p.x.at(xs[i])), px(p.y.at(ys[i])))
	}
	p.add(`</g>`)
	p.line(p.x.from, p.y.at(0), p.x.to, p.y.at(0), "mark")
	c.SVG = p.finish(c.ID, r.say("Residual against predicted value"), r.say("Residuals of %d rows; nine tenths lie between %s and %s.", len(xs), number(res.Quantiles[0]), number(res.Quantiles[4])))
	return c
}

// residualHistogram shows how errors are distributed.
func residualHistogram(r reading) *chart {
	if r.Residuals == nil || len(r.Residuals.Histogram) == 0 {
		return nil
	}
	res := r.Residuals
	bins := res.Histogram
	c := &chart{ID: "histogram", Title: r.say("Size of the errors"), Table: table{Name: r.say("Size of the errors"), Head: []string{r.say("residual from"), r.say("to"), r.say("rows")}},
		Caption: r.say("Actual minus predicted value, all test rows; the outermost bars also hold what lies beyond. Mean %s, median %s; half of all residuals lie between %s and %s.",
			number(res.Mean), number(res.Quantiles[2]), number(res.Quantiles[1]), number(res.Quantiles[3]))}
	most := 0
	for _, b := range bins {
		most = max(most, b.Rows)
		c.Table.Rows = append(c.Table.Rows, row(number(b.Low), number(b.High), count(float64(b.Rows))))
	}
	p := axes(bins[0].Low, bins[len(bins)-1].High, 0, float64(most)*1.05, false, r.say("residual"), r.say("rows"))
	for _, b := range bins {
		x0, x1, y := p.x.at(b.Low), p.x.at(b.High), p.y.at(float64(b.Rows))
		if b.Rows > 0 {
			p.add(`<rect x="%s" y="%s" width="%s" height="%s" class="bar"/>`, px(x0+0.5), px(y), px(math.Max(0.5, x1-x0-1)), px(p.y.from-y))
		}
	}
	if p.x.lo < 0 && p.x.hi > 0 {
		p.line(p.x.at(0), p.y.from, p.x.at(0), p.y.to, "mark")
	}
	c.SVG = p.finish(c.ID, r.say("Histogram of residuals"), r.say("The median is %s; nine tenths lie between %s and %s.", number(res.Quantiles[2]), number(res.Quantiles[0]), number(res.Quantiles[4])))
	return c
}
