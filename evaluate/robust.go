package evaluate

import (
	"fmt"
	"math"

	"github.com/hone-ml/hone/metric"
)

// Robustness is how far the metric falls where the rows are changed in ways that
// should change little.
type Robustness struct {
	Metric         string `json:"metric"`
	HigherIsBetter bool   `json:"higher_is_better"`
	Rows           int    `json:"rows"` // that were changed and predicted anew
	// Sampled says that these are some of the rows, drawn by the seed.
	Sampled bool     `json:"sampled"`
	Before  Number   `json:"before"` // the metric of the rows as they are
	Changes []Change `json:"changes"`
}

// A Change is one way to change rows, and what came of it.
type Change struct {
	// Kind is typos, case, missing, noise, scale, shift, brightness, contrast, blur,
	// pixel noise, rotation, and Column what was changed.
	Kind   string `json:"kind"`
	Column string `json:"column"`
	// Words say what was done, as in "1 of 20 letters mistyped".
	Words string `json:"words"`
	After Number `json:"after"`
	// Fall is by how much the metric got worse, above 0 whichever way it points.
	Fall metric.Interval `json:"fall"`
	// Moved is the share of rows whose class is another; of numbers the root mean
	// square of the movement by the standard deviation of the target.
	Moved float64 `json:"moved"`
	P     Number  `json:"p"` // two-sided, paired
	// Adjusted is P for the number of changes (Holm), Worse whether that says that
	// the metric fell.
	Adjusted Number `json:"p_adjusted"`
	Worse    bool   `json:"worse"`
}

// A Changed is predictions of changed rows.
type Changed struct {
	Kind, Column, Words string
	Sample              *metric.Sample
}

// MeasureRobustness compares predictions of changed rows with those of the same
// rows as they are: an interval by paired resamples, and the paired test of the
// metric.
func MeasureRobustness(before *metric.Sample, changed []Changed, m *metric.Metric, level float64, resamples int, seed uint64) (*Robustness, error) {
	v, err := m.Value(before)
	if err != nil {
		return nil, err
	}
	r := &Robustness{Metric: m.Name, HigherIsBetter: m.HigherIsBetter, Rows: before.Rows(), Before: Number(v), Changes: []Change{}}
	samples := []*metric.Sample{before}
	for _, c := range changed {
		samples = append(samples, c.Sample)
	}
	values, resampled, err := metric.ResampleAll(samples, []*metric.Metric{m}, resamples, seed)
	if err != nil {
		return nil, err
	}
	sign := 1.0
	if !m.HigherIsBetter {
		sign = -1
	}
	var ps []float64
	for k, c := range changed {
		differences, falls := make([]float64, resamples), make([]float64, resamples)
		for i := range falls {
			differences[i] = resampled[0][0][i] - resampled[k+1][0][i]
			falls[i] = sign * differences[i]
		}
		one := Change{Kind: c.Kind, Column: c.Column, Words: c.Words, After: Number(values[k+1][0]), Moved: moved(before, c.Sample)}
		one.Fall = metric.PercentileInterval(sign*(values[0][0]-values[k+1][0]), falls, level)
		p := 1.0
		if one.Fall.Value != 0 {
			t, err := metric.Paired(before, c.Sample, m, differences, patterns, seed)
			if err != nil {
				return nil, fmt.Errorf("%s of %s: %w", c.Kind, c.Column, err)
			}
			if p = t.P; math.IsNaN(p) {
				p = 1
			}
		}
		one.P = Number(p)
		r.Changes, ps = append(r.Changes, one), append(ps, p)
	}
	for i, p := range metric.Holm(ps, nil) {
		c := &r.Changes[i]
		c.Adjusted, c.Worse = Number(p), p <= 1-level && c.Fall.Value > 0
	}
	return r, nil
}

// moved is how far predictions are from others of the same rows.
func moved(a, b *metric.Sample) float64 {
	sum, average, square := 0.0, 0.0, 0.0
	n := float64(len(a.Pred))
	for i, p := range a.Pred {
		d := p - b.Pred[i]
		if a.Kind != metric.Regression && d != 0 {
			d = 1
		}
		sum += d * d
		average += a.Target[i] / n
	}
	if a.Kind != metric.Regression {
		return sum / n
	}
	for _, t := range a.Target {
		square += (t - average) * (t - average)
	}
	return math.Sqrt(sum / max(square, math.SmallestNonzeroFloat64))
}
