package metric

import (
	"encoding/json"
	"errors"
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

// Bootstrap computes metrics with intervals by [BCa] at a level (0.95, say): rows
// are drawn with replacement, as many as there are, resamples times. A row keeps
// its weight when drawn; of a ranking whole queries are. With 0 resamples Low and
// High are NaN.
func Bootstrap(s *Sample, ms []*Metric, resamples int, level float64, seed uint64) ([]Interval, error) {
	if !(level > 0 && level < 1) {
		return nil, fmt.Errorf("bootstrap: level is %v; expected a number between 0 and 1, such as 0.95", level)
	}
	values, resampled, err := Resample(s, ms, resamples, seed)
	if err != nil {
		return nil, err
	}
	return BCa(s, ms, values, resampled, level)
}

// Resample computes metrics on the rows as they are and on bootstrap resamples
// of them: values[i] and resampled[i][r] are of metric i, NaN where undefined.
//
// Resample r is drawn by PCG(seed, r), so that it is the same on any number of
// threads, and all metrics see the same resamples. So do two samples of the
// same rows and weights under the same seed, whose difference can therefore be
// taken resample by resample, a paired bootstrap: [ResampleAll] does so faster.
//
// Memory is a few numbers a row for each thread, and one number for each
// resample and metric.
func Resample(s *Sample, ms []*Metric, resamples int, seed uint64) (values []float64, resampled [][]float64, err error) {
	v, r, err := ResampleAll([]*Sample{s}, ms, resamples, seed)
	if err != nil {
		return nil, nil, err
	}
	return v[0], r[0], nil
}

// ResampleAll is [Resample] for several predictions of the same rows, which
// draws each resample once for all of them: values[s][i] and resampled[s][i][r]
// are of sample s and metric i.
func ResampleAll(samples []*Sample, ms []*Metric, resamples int, seed uint64) (values [][]float64, resampled [][][]float64, err error) {
	if resamples < 0 {
		return nil, nil, fmt.Errorf("bootstrap: %d resamples; expected 0 or more", resamples)
	}
	ps := make([]*Sample, len(samples))
	values, resampled = make([][]float64, len(samples)), make([][][]float64, len(samples))
	for j, s := range samples {
		p, err := prepare(s, ms)
		if err != nil {
			return nil, nil, err
		}
		if j > 0 && !slices.Equal(p.Weight, ps[0].Weight) {
			return nil, nil, errors.New("bootstrap: the samples have other rows or weights than the first; give predictions of the same rows in the same order")
		}
		ps[j] = p
		values[j], resampled[j] = make([]float64, len(ms)), make([][]float64, len(ms))
		for i, m := range ms {
			values[j][i] = m.measure(p)
			resampled[j][i] = make([]float64, resamples)
		}
	}
	fill(resampled, ps, ms, resamples, seed)
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

// fill computes resampled[sample][metric][resample].
func fill(resampled [][][]float64, ps []*Sample, ms []*Metric, resamples int, seed uint64) {
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), resamples) {
		group.Go(func() {
			units, of := ps[0].units()
			weight, times := make([]float64, ps[0].Rows()), make([]uint16, units)
			views := make([]*Sample, len(ps))
			for j, p := range ps {
				views[j] = p.reweighted(weight)
			}
			for r := int(next.Add(1)) - 1; r < resamples; r = int(next.Add(1)) - 1 {
				draw(weight, ps[0].Weight, times, of, seed, uint64(r))
				for j, view := range views {
					if view.confusion != nil {
						view.confusion.counted = false
					}
					for i, m := range ms {
						resampled[j][i][r] = m.measure(view)
					}
				}
			}
		})
	}
	group.Wait()
}

// units are what a resample draws: rows, or the queries of a ranking, whose
// rows go together; of is nil where they are rows.
func (s *Sample) units() (n int, of []int32) {
	if s.Kind != Ranking {
		return s.Rows(), nil
	}
	q := s.queries()
	return len(q.start) - 1, q.of
}

// reweighted is the same sample under other weights; what does not depend on
// them stays shared.
func (s *Sample) reweighted(weight []float64) *Sample {
	view := *s
	view.Weight, view.even = weight, false
	if s.confusion != nil {
		view.confusion = newConfusion(s.confusion.k)
	}
	return &view
}

// draw sets into to the weights of a resample: how often each row was drawn,
// times what it weighs. It counts in times, which a cache holds where weights
// would not fit; no row is drawn 65,536 times out of any number of rows that
// there are. Where rows are drawn together, of says which unit each is of.
func draw(into, weight []float64, times []uint16, of []int32, seed, resample uint64) {
	random := rand.NewPCG(seed, resample)
	n := uint64(len(times))
	for {
		clear(times)
		for range n {
			// The high word of a product spreads 64 bits over n rows as evenly
			// as n/2⁶⁴ allows.
			row, _ := bits.Mul64(random.Uint64(), n)
			times[row]++
		}
		counts := false
		if of == nil {
			for i, w := range weight[:len(times)] {
				into[i] = float64(times[i]) * w
				counts = counts || into[i] > 0
			}
		} else {
			for i, w := range weight {
				into[i] = float64(times[of[i]]) * w
				counts = counts || into[i] > 0
			}
		}
		// Where most rows weigh nothing, a resample may hold none that count;
		// it is drawn again.
		if counts {
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
