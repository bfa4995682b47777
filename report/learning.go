package report

import (
	"fmt"
	"math"
	"strconv"

	"github.com/hone-ml/hone/evaluate"
)

// learningSection is the course of the training.
func learningSection(r reading) *section {
	return chartSection("learning", r.say("How it learned"), "", lossChart(r), metricChart(r), rateChart(r))
}

// lossChart shows both losses by epoch and the epoch that was kept.
func lossChart(r reading) *chart {
	t := r.Training
	if len(t.Epochs) == 0 {
		return nil
	}
	var xs, train, val []float64
	c := &chart{ID: "loss", Title: r.say("Loss"), Table: table{Name: r.say("Loss"), Head: []string{r.say("epoch"), r.say("training loss"), r.say("validation loss")}}}
	for _, e := range t.Epochs {
		xs = append(xs, float64(e.Epoch))
		train = append(train, float64(e.TrainLoss))
		val = append(val, float64(e.ValidationLoss))
		c.Table.Rows = append(c.Table.Rows, row(strconv.Itoa(e.Epoch), number(float64(e.TrainLoss)), number(float64(e.ValidationLoss))))
	}
	lo, hi, _ := extent(0, train, val)
	logY := lo > 0 && hi/lo > 20
	if logY {
		lo, hi = lo/1.1, hi*1.1
	} else {
		lo, hi, _ = extent(0.06, train, val)
	}
	name := r.say("loss")
	if logY {
		name = r.say("loss, log scale")
	}
	p := axes(xs[0], math.Max(xs[len(xs)-1], xs[0]+1), lo, hi, logY, r.say("epoch"), name)
	c.Caption = r.say("Mean loss of each epoch; lower is better.")
	markBest(r.voice, p, t.Best, c)
	p.path(xs, train, "s2")
	p.path(xs, val, "s1")
	legend := [][2]string{{"s2", r.say("training")}}
	if _, _, ok := extent(0, val); ok {
		legend = append(legend, [2]string{"s1", r.say("validation")})
	}
	p.legend(legend...)
	for i, e := range t.Epochs {
		if e.Epoch == t.Best || len(xs) == 1 {
			p.finiteDot(xs[i], train[i], "d2")
			p.finiteDot(xs[i], val[i], "d1")
		}
	}
	c.SVG = p.finish(c.ID, r.say("Loss by epoch"), r.say("Training loss goes from %s to %s, validation loss from %s to %s.",
		number(train[0]), number(train[len(train)-1]), number(val[0]), number(val[len(val)-1])))
	return c
}

func (p *plot) finiteDot(x, y float64, class string) {
	if finite(y) {
		p.dot(x, y, 4, class)
	}
}

// markBest draws the epoch whose weights were kept.
func markBest(v voice, p *plot, best int, c *chart) {
	if best > 0 {
		x := p.x.at(float64(best))
		p.line(x, p.y.from, x, p.y.to, "mark")
		c.Caption = v.join(c.Caption, v.say("The dashed line is epoch %d, whose weights are kept.", best))
	}
}

// byEpoch is a chart of one quantity.
func byEpoch(r reading, id, title, what, caption string, best bool, get func(evaluate.Epoch) evaluate.Number) *chart {
	c := &chart{ID: id, Title: title, Caption: caption, Table: table{Name: title, Head: []string{r.say("epoch"), what}}}
	var xs, ys []float64
	for _, e := range r.Training.Epochs {
		v := float64(get(e))
		xs, ys = append(xs, float64(e.Epoch)), append(ys, v)
		c.Table.Rows = append(c.Table.Rows, row(strconv.Itoa(e.Epoch), number(v)))
	}
	lo, hi, ok := extent(0.08, ys)
	if !ok {
		return nil
	}
	p := axes(xs[0], math.Max(xs[len(xs)-1], xs[0]+1), lo, hi, false, r.say("epoch"), what)
	if best {
		markBest(r.voice, p, r.Training.Best, c)
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
func metricChart(r reading) *chart {
	name := r.Training.Metric
	if m := r.Lookup(name); m != nil {
		name = r.label(*m)
	}
	if name == "" {
		return nil
	}
	return byEpoch(r, "metric", name, name, r.say("On the validation rows, after each epoch."), true,
		func(e evaluate.Epoch) evaluate.Number { return e.Metric })
}

// rateChart shows the learning rate, if it moved.
func rateChart(r reading) *chart {
	for _, e := range r.Training.Epochs {
		if e.LearningRate != r.Training.Epochs[0].LearningRate {
			return byEpoch(r, "rate", r.say("Learning rate"), r.say("learning rate"), r.say("Step size that the schedule asked for."), false,
				func(e evaluate.Epoch) evaluate.Number { return e.LearningRate })
		}
	}
	return nil
}
