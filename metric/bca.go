package metric

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// jackknifeGroups are left out one by one: enough for the third moment that the
// acceleration is, and a tenth of the work of a thousand resamples.
const jackknifeGroups = 100

// Jackknife computes metrics on the rows without one of some groups, in turn:
// out[i][g] is of metric i. Row r, or query r of a ranking, is of group r modulo
// the number of groups, which is at most 100 and at most the rows. NaN where a
// metric is undefined or a group holds all that count.
func Jackknife(s *Sample, ms []*Metric) ([][]float64, error) {
	p, err := prepare(s, ms)
	if err != nil {
		return nil, err
	}
	return p.jackknife(ms), nil
}

func (s *Sample) jackknife(ms []*Metric) [][]float64 {
	units, of := s.units()
	groups := min(jackknifeGroups, units)
	out := make([][]float64, len(ms))
	for i := range out {
		out[i] = make([]float64, groups)
	}
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), groups) {
		workers.Go(func() {
			weight := make([]float64, s.Rows())
			view := s.reweighted(weight)
			for g := int(next.Add(1)) - 1; g < groups; g = int(next.Add(1)) - 1 {
				counts := false
				for i, w := range s.Weight {
					unit := i
					if of != nil {
						unit = int(of[i])
					}
					if unit%groups == g {
						w = 0
					}
					weight[i] = w
					counts = counts || w > 0
				}
				if view.confusion != nil {
					view.confusion.counted = false
				}
				for i, m := range ms {
					out[i][g] = math.NaN()
					if counts {
						out[i][g] = m.measure(view)
					}
				}
			}
		})
	}
	workers.Wait()
	return out
}

// BCa gives metrics their bias-corrected and accelerated bootstrap intervals,
// from the values on the rows as they are and on resamples of them ([Resample]).
// The ends are quantiles of the resampled values at levels
//
//	Φ(z₀ + (z₀ ± z) / (1 − a(z₀ ± z)))
//
// with z₀ the normal quantile of the share of resamples below the value (ties
// half) and a, the acceleration, from the jackknife of groups of rows:
// Σd³ / (6 (Σd²)^1.5), d the mean of the jackknife less its values. (Efron 1987,
// Better bootstrap confidence intervals; groups as in Efron and Tibshirani 1993,
// An introduction to the bootstrap, section 14.3 and problem 11.) Where the
// resamples all lie on one side, or the jackknife does not vary, what is missing
// counts as 0; with both 0 it is [PercentileInterval]. An interval holds its value.
func BCa(s *Sample, ms []*Metric, values []float64, resampled [][]float64, level float64) ([]Interval, error) {
	if !(level > 0 && level < 1) {
		return nil, fmt.Errorf("the level of an interval is %v; expected a number between 0 and 1, such as 0.95", level)
	}
	if len(values) != len(ms) || len(resampled) != len(ms) {
		return nil, fmt.Errorf("found values of %d and resamples of %d metrics, expected %d", len(values), len(resampled), len(ms))
	}
	out := make([]Interval, len(ms))
	if len(ms) == 0 || len(resampled[0]) == 0 {
		for i, v := range values {
			out[i] = PercentileInterval(v, nil, level)
		}
		return out, nil
	}
	left, err := Jackknife(s, ms)
	if err != nil {
		return nil, err
	}
	for i, v := range values {
		out[i] = bcaInterval(v, resampled[i], left[i], level)
	}
	return out, nil
}

func bcaInterval(value float64, resampled, jackknife []float64, level float64) Interval {
	sorted := slices.DeleteFunc(slices.Clone(resampled), math.IsNaN)
	slices.Sort(sorted)
	below := 0.0
	for _, v := range sorted {
		if v < value {
			below++
		} else if v == value {
			below += 0.5
		}
	}
	bias := normalQuantile(below / float64(len(sorted)))
	if math.IsInf(bias, 0) || math.IsNaN(bias) {
		bias = 0
	}
	a := acceleration(jackknife)
	at := func(p float64) float64 {
		z := bias + normalQuantile(p)
		// Beyond the pole of the formula the level is that at it.
		return quantile(sorted, normalCDF(bias+z/max(1e-3, 1-a*z)))
	}
	v := Interval{Value: value, Skipped: len(resampled) - len(sorted), Low: at((1 - level) / 2), High: at((1 + level) / 2)}
	// Of a metric that resampling itself moves, such as the ECE, the interval may
	// lie beside the value; it is widened to it.
	if value < v.Low {
		v.Low = value
	}
	if value > v.High {
		v.High = value
	}
	return v
}

// acceleration is a sixth of the skewness of the jackknife's influence.
func acceleration(jackknife []float64) float64 {
	vs := slices.DeleteFunc(slices.Clone(jackknife), func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) })
	mean := 0.0
	for _, v := range vs {
		mean += v / float64(len(vs))
	}
	scale := 0.0
	for _, v := range vs {
		scale = max(scale, math.Abs(mean-v))
	}
	if scale <= 1e-14*math.Abs(mean) { // rounding
		return 0
	}
	squares, cubes := 0.0, 0.0
	for _, v := range vs {
		d := (mean - v) / scale
		squares += d * d
		cubes += d * d * d
	}
	return cubes / (6 * math.Pow(squares, 1.5))
}

// normalCDF is the standard normal distribution.
func normalCDF(z float64) float64 { return math.Erfc(-z/math.Sqrt2) / 2 }

// DeLongInterval is the ROC AUC of unweighted rows with an interval from
// [DeLong]'s variance, taken on the scale of the logit, which keeps it between 0
// and 1 (Pepe 2003, The statistical evaluation of medical tests, section 5.2.4).
// It has no width where the AUC is 0 or 1.
func DeLongInterval(s *Sample, level float64) (Interval, error) {
	if !(level > 0 && level < 1) {
		return Interval{}, fmt.Errorf("the level of an interval is %v; expected a number between 0 and 1, such as 0.95", level)
	}
	if _, err := prepare(s, []*Metric{&rocAUC}); err != nil {
		return Interval{}, err
	}
	if s.Weight != nil {
		return Interval{}, errors.New("DeLong's interval takes no weights; resample instead")
	}
	area, square := 0.0, 0.0
	for class, who := range [2]string{"negative", "positive"} {
		v := placements(s)[class]
		if len(v) < 2 {
			return Interval{}, fmt.Errorf("DeLong's interval needs at least two %s rows, found %d", who, len(v))
		}
		n, mean, spread := float64(len(v)), 0.0, 0.0
		for _, x := range v {
			mean += x / n
		}
		for _, x := range v {
			spread += (x - mean) * (x - mean)
		}
		square += spread / (n - 1) / n
		area = mean
	}
	if area <= 0 || area >= 1 {
		return Interval{Value: area, Low: area, High: area}, nil
	}
	logit := math.Log(area / (1 - area))
	half := normalQuantile((1+level)/2) * math.Sqrt(square) / (area * (1 - area))
	back := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	return Interval{Value: area, Low: back(logit - half), High: back(logit + half)}, nil
}
