package metric

import (
	"encoding/json"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// An Interval is the value of a metric with its confidence interval. In JSON
// a number that is undefined is null.
type Interval struct {
	Value, Low, High float64
	Skipped          int // resamples that the metric is undefined on, left out of Low and High
}

type intervalJSON struct {
	Value   *float64 `json:"value"`
	Low     *float64 `json:"low"`
	High    *float64 `json:"high"`
	Skipped int      `json:"skipped,omitempty"`
}

// MarshalJSON writes {"value": …, "low": …, "high": …}, and "skipped" where
// resamples were.
func (v Interval) MarshalJSON() ([]byte, error) {
	finite := func(f float64) *float64 {
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return nil
		}
		return &f
	}
	return json.Marshal(intervalJSON{finite(v.Value), finite(v.Low), finite(v.High), v.Skipped})
}

// UnmarshalJSON reads what MarshalJSON writes; null or absent becomes NaN.
func (v *Interval) UnmarshalJSON(data []byte) error {
	var in intervalJSON
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	number := func(f *float64) float64 {
		if f == nil {
			return math.NaN()
		}
		return *f
	}
	*v = Interval{number(in.Value), number(in.Low), number(in.High), in.Skipped}
	return nil
}

// Bootstrap computes metrics with percentile intervals (Efron 1979): rows are
// drawn with replacement, as many as there are, resamples times, and the
// interval spans the middle level (0.95, say) of the values. A row keeps its
// weight when drawn. With 0 resamples Low and High are NaN.
func Bootstrap(s *Sample, ms []*Metric, resamples int, level float64, seed uint64) ([]Interval, error) {
	if !(level > 0 && level < 1) {
		return nil, fmt.Errorf("bootstrap: level is %v; expected a number between 0 and 1, such as 0.95", level)
	}
	values, resampled, err := Resample(s, ms, resamples, seed)
	if err != nil {
		return nil, err
	}
	out := make([]Interval, len(ms))
	for i, v := range values {
		out[i] = PercentileInterval(v, resampled[i], level)
	}
	return out, nil
}

// Resample computes metrics on the rows as they are and on bootstrap resamples
// of them: values[i] and resampled[i][r] are of metric i, NaN where undefined.
//
// Resample r is drawn by PCG(seed, r), so that it is the same on any number of
// threads, and all metrics see the same resamples. So do two samples of the
// same rows and weights under the same seed, whose difference can therefore be
// taken resample by resample: a paired bootstrap.
//
// Memory is a few numbers a row for each thread, and one number for each
// resample and metric.
func Resample(s *Sample, ms []*Metric, resamples int, seed uint64) (values []float64, resampled [][]float64, err error) {
	if resamples < 0 {
		return nil, nil, fmt.Errorf("bootstrap: %d resamples; expected 0 or more", resamples)
	}
	p, err := prepare(s, ms)
	if err != nil {
		return nil, nil, err
	}
	values, resampled = make([]float64, len(ms)), make([][]float64, len(ms))
	for i, m := range ms {
		values[i] = m.Compute(p)
		resampled[i] = make([]float64, resamples)
	}
	fill(resampled, p, ms, resamples, seed)
	return values, resampled, nil
}

// PercentileInterval spans the middle level of a metric's resampled values.
// Undefined ones are left out and counted.
func PercentileInterval(value float64, resampled []float64, level float64) Interval {
	vs := slices.DeleteFunc(slices.Clone(resampled), math.IsNaN)
	slices.Sort(vs)
	return Interval{
		Value: value, Skipped: len(resampled) - len(vs),
		Low: quantile(vs, (1-level)/2), High: quantile(vs, (1+level)/2),
	}
}

// fill computes resampled[metric][resample].
func fill(resampled [][]float64, p *Sample, ms []*Metric, resamples int, seed uint64) {
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), resamples) {
		group.Go(func() {
			view := p.reweighted()
			for r := int(next.Add(1)) - 1; r < resamples; r = int(next.Add(1)) - 1 {
				view.draw(p.Weight, seed, uint64(r))
				for i, m := range ms {
					resampled[i][r] = m.Compute(view)
				}
			}
		})
	}
	group.Wait()
}

// reweighted is the same sample with weights of its own; what does not depend
// on weights stays shared.
func (s *Sample) reweighted() *Sample {
	view := *s
	view.Weight = make([]float64, s.Rows())
	if s.confusion != nil {
		view.confusion = newConfusion(s.confusion.k)
	}
	return &view
}

// draw sets the weights to those of a resample: how often each row was drawn,
// times what it weighs.
func (s *Sample) draw(weight []float64, seed, resample uint64) {
	random := rand.NewPCG(seed, resample)
	n := uint64(len(weight))
	for {
		clear(s.Weight)
		total := 0.0
		for range n {
			// The high word of a product spreads 64 bits over n rows as evenly
			// as n/2⁶⁴ allows.
			row, _ := bits.Mul64(random.Uint64(), n)
			s.Weight[row] += weight[row]
			total += weight[row]
		}
		if s.confusion != nil {
			s.confusion.counted = false
		}
		// Where most rows weigh nothing, a resample may hold none that count;
		// it is drawn again.
		if total > 0 {
			return
		}
	}
}

// quantile interpolates linearly between sorted values, as numpy does by
// default.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	low, high := sorted[i], sorted[i+1]
	if low == high { // also keeps infinities from becoming NaN
		return low
	}
	return low + (at-float64(i))*(high-low)
}
