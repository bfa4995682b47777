package metric

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestBestThreshold holds the choice against every threshold there is, measured
// by the metrics themselves.
func TestBestThreshold(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		n := 2 + r.IntN(40)
		s := &Sample{Kind: Binary, Target: make([]float64, n), Prob: make([]float64, n)}
		for i := range n {
			s.Prob[i] = float64(r.IntN(12)) / 11 // with ties, 0 and 1
			if i == 0 || i > 1 && r.Float64() < 0.3*s.Prob[i]+0.05 {
				s.Target[i] = 1
			}
		}
		if r.IntN(2) == 0 {
			for range n {
				s.Weight = append(s.Weight, 0.5+r.Float64())
			}
		}
		for _, name := range []string{"f1", "balanced_accuracy", "accuracy"} {
			m, err := Lookup(name)
			if err != nil {
				t.Fatal(err)
			}
			at := func(threshold float64) float64 {
				c := &Sample{Kind: Binary, Target: s.Target, Prob: s.Prob, Weight: s.Weight, Pred: make([]float64, n)}
				for i, p := range s.Prob {
					if p >= threshold {
						c.Pred[i] = 1
					}
				}
				v, err := Values(c, []*Metric{m})
				if err != nil {
					t.Fatal(err)
				}
				return v[0]
			}
			threshold, value, err := BestThreshold(s, name)
			if err != nil || threshold < 0 || threshold > 1 || math.Abs(at(threshold)-value) > 1e-12 {
				t.Fatalf("%s: threshold %g of value %g, measured %g, %v", name, threshold, value, at(threshold), err)
			}
			for i := 0; i <= 110; i++ {
				if v := at(float64(i) / 110); v > value+1e-12 {
					t.Errorf("%s: %g at %g, chosen was %g at %g", name, v, float64(i)/110, value, threshold)
				}
			}
		}
	}
}

func TestBestThresholdIsInTheMiddle(t *testing.T) {
	s := &Sample{Kind: Binary, Target: []float64{0, 0, 1, 1}, Prob: []float64{0.01, 0.02, 0.06, 0.3}}
	if threshold, value, err := BestThreshold(s, "f1"); err != nil || value != 1 || math.Abs(threshold-0.04) > 1e-12 {
		t.Errorf("threshold %g, f1 %g, %v", threshold, value, err)
	}
	for _, c := range []struct {
		s    *Sample
		name string
	}{
		{s, "roc_auc"},
		{&Sample{Kind: Binary, Target: []float64{1, 1}, Prob: []float64{0.1, 0.2}}, "f1"},
		{&Sample{Kind: Regression, Target: []float64{1}, Pred: []float64{1}}, "f1"},
	} {
		if _, _, err := BestThreshold(c.s, c.name); err == nil {
			t.Errorf("%s of %+v: no error", c.name, c.s)
		}
	}
}
