package metric

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestCoverage counts how often intervals hold the truth, where it is known: of
// the accuracy of a coin, of the ROC AUC of two normal laws, of the RMSE of
// normal errors. bench/coverage does so at length.
func TestCoverage(t *testing.T) {
	const rows, simulations, resamples = 500, 400, 400
	area := math.Erfc(-1./2) / 2 // of scores one deviation apart: Φ(1/√2)
	for _, c := range []struct {
		m     *Metric
		truth float64
		draw  func(r *rand.Rand) *Sample
	}{
		{&accuracy, 0.85, func(r *rand.Rand) *Sample {
			s := &Sample{Kind: Binary}
			for range rows {
				y := float64(r.IntN(2))
				s.Target, s.Pred = append(s.Target, y), append(s.Pred, y)
				if r.Float64() < 0.15 {
					s.Pred[len(s.Pred)-1] = 1 - y
				}
			}
			return s
		}},
		{&rocAUC, area, func(r *rand.Rand) *Sample {
			s := &Sample{Kind: Binary}
			for range rows {
				y := 0.0
				if r.Float64() < 0.3 {
					y = 1
				}
				s.Target, s.Score = append(s.Target, y), append(s.Score, y+r.NormFloat64())
			}
			return s
		}},
		{&rmse, 2, func(r *rand.Rand) *Sample {
			s := &Sample{Kind: Regression}
			for range rows {
				s.Target, s.Pred = append(s.Target, 0), append(s.Pred, 2*r.NormFloat64())
			}
			return s
		}},
	} {
		held, delong := 0, 0
		for i := range simulations {
			s := c.draw(rand.New(rand.NewPCG(9, uint64(i))))
			v, err := Bootstrap(s, []*Metric{c.m}, resamples, 0.95, uint64(i))
			if err != nil {
				t.Fatal(err)
			}
			if v[0].Low <= c.truth && c.truth <= v[0].High {
				held++
			}
			if c.m == &rocAUC {
				d, err := DeLongInterval(s, 0.95)
				if err != nil {
					t.Fatal(err)
				}
				if d.Low <= c.truth && c.truth <= d.High {
					delong++
				}
			}
		}
		slack := 3 * math.Sqrt(0.95*0.05/simulations)
		if share := float64(held) / simulations; math.Abs(share-0.95) > slack {
			t.Errorf("%.3f of the intervals of %s hold the truth, want 0.95 within %.3f", share, c.m.Name, slack)
		}
		if share := float64(delong) / simulations; c.m == &rocAUC && math.Abs(share-0.95) > slack {
			t.Errorf("%.3f of DeLong's intervals hold the truth, want 0.95 within %.3f", share, slack)
		}
	}
}

// An interval holds its value, also of a metric that resampling moves.
func TestIntervalHoldsValue(t *testing.T) {
	for _, s := range []*Sample{churnLike(80, 8), topicLike(80, 3, 8), priceLike(80, 8)} {
		ms := For(s.Kind)
		intervals, err := Bootstrap(s, ms, 100, 0.9, 1)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range intervals {
			if v.Value < v.Low || v.Value > v.High {
				t.Errorf("%s of a %s sample: %+v", ms[i].Name, s.Kind, v)
			}
		}
	}
}
