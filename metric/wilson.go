package metric

import "math"

// Wilson is a share of rows with its interval (Wilson 1927, Probable inference, the
// law of succession, and statistical inference; Brown, Cai and DasGupta 2001): hits
// of n, which may be sums of weights scaled to a number of rows. It is undefined
// where n is 0.
func Wilson(hits, n, level float64) Interval {
	if !(n > 0) {
		return Interval{Value: math.NaN(), Low: math.NaN(), High: math.NaN()}
	}
	z, p := math.Sqrt2*math.Erfinv(level), hits/n
	z2 := z * z / n
	middle, half := (p+z2/2)/(1+z2), math.Sqrt(p*(1-p)*z2+z2*z2/4)/(1+z2)
	low, high := max(0, middle-half), min(1, middle+half)
	if p == 0 {
		low = 0 // but for rounding
	}
	if p == 1 {
		high = 1
	}
	return Interval{Value: p, Low: min(p, low), High: max(p, high)}
}
