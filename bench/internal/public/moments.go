package public

import "math"

// Moments returns the mean and the standard deviation of the sample, 0 of one
// value.
func Moments(xs []float64) (mean, sd float64) {
	for _, x := range xs {
		mean += x / float64(len(xs))
	}
	for _, x := range xs {
		sd += (x - mean) * (x - mean)
	}
	return mean, math.Sqrt(sd / math.Max(1, float64(len(xs)-1)))
}
