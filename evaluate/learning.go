package evaluate

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/hone-ml/hone/metric"
)

// LearningCurve is how a model gets better with rows to learn from, and what twice as
// many would bring, if the curve goes on as it went.
type LearningCurve struct {
	Target string `json:"target"`
	Metric string `json:"metric"`
	// HigherIsBetter is the metric's; the power law is of its distance to 1, else of
	// itself.
	HigherIsBetter bool            `json:"higher_is_better"`
	Judged         int             `json:"validation_rows"` // that all points were measured on
	Points         []LearningPoint `json:"points"`
	// Law is nil where nothing can be said.
	Law *PowerLaw `json:"law,omitempty"`
	// Next is the metric expected with twice the rows, Gain its difference to that of all
	// rows there are, and Limit what no number of rows gets past, all of them with
	// intervals by resampling; nil where Law is.
	Next  *LearningPoint   `json:"next,omitempty"`
	Gain  *metric.Interval `json:"gain,omitempty"`
	Limit *metric.Interval `json:"limit,omitempty"`
	// Last is the metric of all rows less that of half of them, on the same resamples.
	Last     metric.Interval `json:"last_doubling"`
	Verdict  string          `json:"verdict"`
	Sentence string          `json:"sentence"`
	Level    float64         `json:"level"`
	Notes    []string        `json:"notes"`
}

// LearningPoint is one number of rows.
type LearningPoint struct {
	Rows  int             `json:"rows"`
	Value metric.Interval `json:"value"`
}

// PowerLaw is error = A + B·(rows/Rows)^−C, with Rows those of the largest point
// (Hestness et al. 2017, Deep learning scaling is predictable, empirically, section 3;
// Figueroa et al. 2012, Predicting sample size required for classification performance).
type PowerLaw struct {
	A    float64 `json:"a"`
	B    float64 `json:"b"`
	C    float64 `json:"c"`
	Rows int     `json:"rows"`
}

// At is the error expected with so many rows.
func (l PowerLaw) At(rows float64) float64 { return l.A + l.B*math.Pow(rows/float64(l.Rows), -l.C) }

// Verdicts of a [LearningCurve].
const (
	MoreDataHelps = "more data helps"
	LittleToGain  = "little to gain"
	SaysNothing   = "says nothing"
)

// leastPoints fix a power law, with one to spare; worthwhile is the share of the error
// that twice the rows must take away to be called a help.
const (
	leastPoints = 4
	worthwhile  = 0.02
)

// LearningInput is the predictions of the same rows by models of more and more rows.
type LearningInput struct {
	Target  string
	Rows    []int // rising
	Samples []*metric.Sample
	Notes   []string
}

// Learn makes the learning curve by a metric. The interval of what is expected comes from
// resampling the judged rows, with the law fitted to each resample anew, and from the
// distances of the points from the law, which are the chance of which rows were learnt
// from.
func Learn(in LearningInput, m *metric.Metric, opts Options) (*LearningCurve, error) {
	n := len(in.Samples)
	if n < 2 {
		return nil, errors.New("a learning curve needs two numbers of rows or more: take a table of more rows")
	}
	values, resampled, err := metric.ResampleAll(in.Samples, []*metric.Metric{m}, opts.Bootstrap, opts.Seed)
	if err != nil {
		return nil, err
	}
	c := &LearningCurve{Target: in.Target, Metric: m.Name, HigherIsBetter: m.HigherIsBetter, Judged: in.Samples[0].Rows(), Level: opts.Level, Points: []LearningPoint{}, Notes: append([]string{}, in.Notes...)}
	wrong := func(v float64) float64 {
		if m.HigherIsBetter {
			return 1 - v
		}
		return v
	}
	rows, errs, weights := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range n {
		v := values[i][0]
		if math.IsNaN(v) {
			return nil, fmt.Errorf("%s is undefined on the %d validation rows: choose another metric, or take more validation rows", m.Name, c.Judged)
		}
		c.Points = append(c.Points, LearningPoint{in.Rows[i], percentiles(v, resampled[i][0], opts.Level)})
		rows[i], errs[i] = float64(in.Rows[i]), wrong(v)
		noise := variance(resampled[i][0])
		if math.IsNaN(noise) { // there is one resample on which it is defined
			noise = 0
		}
		weights[i] = 1 / max(noise, 1e-6*errs[i]*errs[i], 1e-18)
	}
	last := make([]float64, len(resampled[n-1][0]))
	for r := range last {
		last[r] = resampled[n-1][0][r] - resampled[n-2][0][r]
	}
	c.Last = percentiles(values[n-1][0]-values[n-2][0], last, opts.Level)
	if n < leastPoints {
		return c.silent(fmt.Sprintf("%d points are too few for a law, expected %d: take a table of more rows", n, leastPoints)), nil
	}
	if opts.Bootstrap == 0 {
		return c.silent("without resamples (evaluate.bootstrap) nothing tells the curve from chance"), nil
	}
	// Whether there is a fall to go on: from the first point to the last, beyond chance.
	fall := make([]float64, len(last))
	for r := range fall {
		fall[r] = wrong(resampled[0][0][r]) - wrong(resampled[n-1][0][r])
	}
	if f := percentiles(errs[0]-errs[n-1], fall, opts.Level); !(f.Low > 0) {
		return c.silent(fmt.Sprintf("from %d to %d rows it does not change by more than chance explains", in.Rows[0], in.Rows[n-1])), nil
	}
	law := fitLaw(rows, errs, weights)
	c.Law = &law
	// The distances of points from the law, for the n − 3 degrees of freedom that it leaves.
	off := 0.0
	for i := range rows {
		d := (errs[i] - law.At(rows[i])) / errs[i]
		off += d * d
	}
	off = math.Sqrt(off / float64(n-3))
	twice := 2 * rows[n-1]
	r := rand.New(rand.NewPCG(opts.Seed, 0x6c6561))
	var nexts, gains, limits []float64
	one := make([]float64, n)
	for k := range resampled[0][0] {
		ok := true
		for i := range one {
			one[i] = wrong(resampled[i][0][k]) + off*errs[i]*r.NormFloat64()
			ok = ok && !math.IsNaN(one[i])
		}
		if !ok {
			continue
		}
		l := fitLaw(rows, one, weights)
		nexts = append(nexts, l.At(twice))
		gains = append(gains, l.At(rows[n-1])-l.At(twice))
		limits = append(limits, l.A)
	}
	next, gain, limit := percentiles(law.At(twice), nexts, opts.Level), percentiles(law.At(rows[n-1])-law.At(twice), gains, opts.Level), percentiles(law.A, limits, opts.Level)
	switch e := errs[n-1]; {
	case gain.Low > worthwhile*e:
		c.Verdict = MoreDataHelps
	case gain.High < worthwhile*e:
		c.Verdict = LittleToGain
	default:
		c.Verdict = SaysNothing
	}
	if m.HigherIsBetter {
		flip := func(v metric.Interval) metric.Interval {
			return metric.Interval{Value: 1 - v.Value, Low: 1 - v.High, High: 1 - v.Low}
		}
		next, limit = flip(next), flip(limit)
	} else {
		gain = metric.Interval{Value: -gain.Value, Low: -gain.High, High: -gain.Low}
	}
	c.Next, c.Gain, c.Limit = &LearningPoint{2 * in.Rows[n-1], next}, &gain, &limit
	c.Sentence = fmt.Sprintf("with twice the rows, %s would go from %s to about %s (%s to %s), if the curve goes on as it went", m.Name, amount(values[n-1][0]), amount(next.Value), amount(next.Low), amount(next.High))
	switch c.Verdict {
	case MoreDataHelps:
		c.Sentence += ": more data helps"
	case LittleToGain:
		c.Sentence += fmt.Sprintf(": there is little to gain, less than %g %% of the error", 100*worthwhile)
	default:
		c.Sentence += fmt.Sprintf(": that may be less than %g %% of the error, or more, so the curve says nothing either way", 100*worthwhile)
	}
	return c, nil
}

// silent says that and why the curve says nothing.
func (c *LearningCurve) silent(why string) *LearningCurve {
	c.Verdict, c.Sentence = SaysNothing, "the curve says nothing of more rows: "+why
	return c
}

// Exponents of a power law that are tried: those that are reported lie between 0.05
// and 1.
const (
	lowC, highC = 0.02, 2.0
	stepsC      = 60
)

// fitLaw is the weighted least-squares fit with A and B of 0 and above: for each
// exponent the two are found in closed form, and the best exponent by a grid on a
// logarithmic scale and golden sections within its neighbours.
func fitLaw(rows, errs, weights []float64) PowerLaw {
	last := rows[len(rows)-1]
	at := func(c float64) (PowerLaw, float64) {
		var sw, sx, sy, sxx, sxy float64
		for i, r := range rows {
			x, w := math.Pow(r/last, -c), weights[i]
			sw, sx, sy, sxx, sxy = sw+w, sx+w*x, sy+w*errs[i], sxx+w*x*x, sxy+w*x*errs[i]
		}
		l := PowerLaw{C: c, Rows: int(last)}
		if d := sw*sxx - sx*sx; d > 0 {
			l.B = (sw*sxy - sx*sy) / d
		}
		l.A = (sy - l.B*sx) / sw
		switch {
		case l.B < 0:
			l.A, l.B = sy/sw, 0
		case l.A < 0:
			l.A, l.B = 0, sxy/sxx
		}
		loss := 0.0
		for i, r := range rows {
			d := errs[i] - l.At(r)
			loss += weights[i] * d * d
		}
		return l, loss
	}
	ratio := math.Log(highC / lowC)
	of := func(k float64) float64 { return lowC * math.Exp(ratio*k/stepsC) }
	best, least := 0, math.Inf(1)
	for k := range stepsC + 1 {
		if _, loss := at(of(float64(k))); loss < least {
			best, least = k, loss
		}
	}
	a, b := float64(max(0, best-1)), float64(min(stepsC, best+1))
	golden := (math.Sqrt(5) - 1) / 2
	for range 25 {
		p, q := b-golden*(b-a), a+golden*(b-a)
		_, x := at(of(p))
		_, y := at(of(q))
		if x <= y {
			b = q
		} else {
			a = p
		}
	}
	l, loss := at(of((a + b) / 2))
	if loss > least {
		l, _ = at(of(float64(best)))
	}
	return l
}
