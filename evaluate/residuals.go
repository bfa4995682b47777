package evaluate

import (
	"cmp"
	"math"
	"slices"

	"github.com/hone-ml/hone/metric"
)

// residuals describes the errors of a regression. The rows of the plot are
// picked evenly in order of the predicted value, so that it needs no chance
// and no part of the range is left out.
func residuals(s *metric.Sample) *Residuals {
	n := s.Rows()
	all := make([]Residual, n)
	sorted := make([]float64, n)
	sum, weight := 0.0, 0.0
	for i := range all {
		all[i] = Residual{s.Pred[i], s.Target[i] - s.Pred[i]}
		sorted[i] = all[i].Residual
		w := 1.0
		if s.Weight != nil {
			w = s.Weight[i]
		}
		sum, weight = sum+w*sorted[i], weight+w
	}
	slices.SortStableFunc(all, func(a, b Residual) int { return cmp.Compare(a.Predicted, b.Predicted) })
	slices.Sort(sorted)
	r := &Residuals{Mean: sum / weight}
	for i, q := range []float64{0.05, 0.25, 0.5, 0.75, 0.95} {
		r.Quantiles[i] = quantile(sorted, q)
	}
	for i := range min(n, MaxResiduals) {
		k := i
		if n > MaxResiduals {
			k = i * (n - 1) / (MaxResiduals - 1)
		}
		r.Points = append(r.Points, all[k])
	}
	r.Histogram = histogram(sorted)
	return r
}

// histogram has equal bins over the middle 99 %, so that one wild row does not
// flatten all others into one bar.
func histogram(sorted []float64) []HistogramBin {
	lo, hi := quantile(sorted, 0.005), quantile(sorted, 0.995)
	if !(hi > lo) {
		half := math.Max(math.Abs(lo)*0.05, 0.5)
		lo, hi = lo-half, hi+half
	}
	bins := make([]HistogramBin, min(histogramBins, max(5, len(sorted)/10)))
	width := (hi - lo) / float64(len(bins))
	for i := range bins {
		bins[i].Low, bins[i].High = lo+float64(i)*width, lo+float64(i+1)*width
	}
	for _, v := range sorted {
		i := int(math.Floor((v - lo) / width))
		bins[min(max(i, 0), len(bins)-1)].Rows++
	}
	return bins
}

// quantile interpolates linearly between sorted values, as numpy does.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := min(int(at), len(sorted)-1)
	low, high := sorted[i], sorted[min(i+1, len(sorted)-1)]
	return low + (at-float64(i))*(high-low)
}
