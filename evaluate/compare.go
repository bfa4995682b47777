package evaluate

import (
	"fmt"
	"math"

	"github.com/hone-ml/hone/metric"
)

// measured holds the metrics of one set of predictions.
type measured struct {
	value    []float64   // by metric, on the rows as they are
	resample [][]float64 // by metric and resample
}

// bootstrap measures several predictions of the same rows, all of them on the
// same resamples, so that differences can be read resample by resample.
func bootstrap(samples []*metric.Sample, ms []*metric.Metric, opts Options) ([]measured, error) {
	if opts.Bootstrap < 0 {
		return nil, fmt.Errorf("bootstrap is %d; expected 0 or more resamples", opts.Bootstrap)
	}
	if !(opts.Level > 0 && opts.Level < 1) {
		return nil, fmt.Errorf("level is %v; expected a number between 0 and 1, such as 0.95", opts.Level)
	}
	values, resampled, err := metric.ResampleAll(samples, ms, opts.Bootstrap, opts.Seed)
	if err != nil {
		return nil, err
	}
	out := make([]measured, len(samples))
	for i := range samples {
		out[i] = measured{values[i], resampled[i]}
	}
	return out, nil
}

// difference is metric j of a minus that of b; not ok when it is undefined on
// the rows or on most resamples.
func difference(a, b measured, j int, level float64) (d metric.Interval, ok bool) {
	diffs := make([]float64, len(a.resample[j]))
	for r := range diffs {
		diffs[r] = a.resample[j][r] - b.resample[j][r]
	}
	d = metric.PercentileInterval(a.value[j]-b.value[j], diffs, level)
	return d, !math.IsNaN(d.Value) && !math.IsNaN(d.Low) && d.Skipped <= len(diffs)/2
}

// patterns is how many random sign patterns a permutation test draws.
const patterns = 9999

// test fills in the paired test of a comparison, from the metric's values on the
// same resamples of both.
func (c *Comparison) test(model, baseline *metric.Sample, m *metric.Metric, a, b []float64, seed uint64) error {
	differences := make([]float64, len(a))
	for i := range a {
		differences[i] = a[i] - b[i]
	}
	t, err := metric.Paired(model, baseline, m, differences, patterns, seed)
	if err != nil || math.IsNaN(t.P) {
		return err
	}
	c.Test, c.P = t.Test, &t.P
	return nil
}

// outcome says whose the difference is.
func outcome(d metric.Interval, higherIsBetter bool) string {
	switch {
	case d.Low <= 0 && d.High >= 0:
		return NotSeparable
	case d.Low > 0 == higherIsBetter:
		return Better
	}
	return Worse
}
