package metric

import (
	"math"
	"testing"
)

// scipy.stats.binomtest(k, n).proportion_ci(method="wilson", confidence_level=level), scipy 1.17.1.
func TestWilsonAgreesWithScipy(t *testing.T) {
	for _, c := range []struct{ hits, n, level, low, high float64 }{
		{0, 10, 0.95, 0.0, 0.27753279986288926},
		{10, 10, 0.95, 0.7224672001371109, 1.0},
		{45, 50, 0.9, 0.8084624858484292, 0.9504709655225548},
		{450, 500, 0.99, 0.86003290469044, 0.9294902858429648},
		{1, 3, 0.5, 0.18281725015861316, 0.5277418231406089},
	} {
		got := Wilson(c.hits, c.n, c.level)
		if math.Abs(got.Low-c.low) > 1e-12 || math.Abs(got.High-c.high) > 1e-12 || got.Value != c.hits/c.n {
			t.Errorf("%v of %v at %v: %+v, scipy has %v to %v", c.hits, c.n, c.level, got, c.low, c.high)
		}
	}
	if none := Wilson(0, 0, 0.95); !math.IsNaN(none.Value) {
		t.Errorf("none of none: %+v", none)
	}
}
