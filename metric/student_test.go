package metric

import (
	"math"
	"testing"
)

// TestStudent: values of scipy 1.17.1, 2·stats.t.sf(t, df).
func TestStudent(t *testing.T) {
	for _, c := range []struct{ t, df, p float64 }{
		{0, 3, 1},
		{1, 1, 0.5},
		{2, 2, 0.18350341907227397},
		{4.302652729749464, 2, 0.05},
		{-2.5, 7.3, 0.03965023466560043},
		{12, 30, 5.580185415199261e-13},
		{1.96, 1e4, 0.05002352023183303},
		{3, math.Inf(1), 0.0026997960632601866},
	} {
		if got := StudentP(c.t, c.df); math.Abs(got-c.p) > 1e-11*c.p {
			t.Errorf("p of %v with %v degrees of freedom is %v, want %v", c.t, c.df, got, c.p)
		}
	}
	for _, df := range []float64{1, 2, 2.5, 40, math.Inf(1)} {
		for _, p := range []float64{0.5, 0.05, 1e-6} {
			if got := StudentP(StudentQuantile(p, df), df); math.Abs(got-p) > 1e-9 {
				t.Errorf("p of the quantile of %v with %v degrees of freedom is %v", p, df, got)
			}
		}
	}
}
