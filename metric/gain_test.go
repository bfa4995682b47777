package metric

import (
	"encoding/json"
	"math"
	"os"
	"testing"
)

// TestCurvesAgree holds every point of the curves against those that
// testdata/curves.py recorded, with ties and weights, and their ends where they are
// thinned.
func TestCurvesAgree(t *testing.T) {
	raw, err := os.ReadFile("testdata/curves.json")
	if err != nil {
		t.Fatal(err)
	}
	var recorded struct {
		Cases []struct {
			Name                               string
			Target, Prob, Weight               []float64
			FPR, TPR, Precision, Recall, Taken []float64
			Gain, Lift                         []float64
			Bands                              [][4]float64
		}
	}
	if err := json.Unmarshal(raw, &recorded); err != nil {
		t.Fatal(err)
	}
	for _, c := range recorded.Cases {
		s := &Sample{Kind: Binary, Target: c.Target, Prob: c.Prob, Weight: c.Weight}
		origin := func(xs []float64) []float64 { return append([]float64{0}, xs...) }
		for name, of := range map[string]struct {
			curve func(*Sample, int) ([]Point, error)
			x, y  []float64
		}{
			"ROC": {ROC, c.FPR, c.TPR}, "PR": {PrecisionRecall, c.Recall, c.Precision},
			"gain": {Gain, origin(c.Taken), origin(c.Gain)}, "lift": {Lift, c.Taken, c.Lift},
		} {
			got, err := of.curve(s, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			// What thinning leaves out lies on lines between what it keeps.
			for i, x := range of.x {
				if d := distance(got, x, of.y[i]); d > 1e-12 {
					t.Errorf("%s, %s: (%v, %v) is %v away from the curve", c.Name, name, x, of.y[i], d)
				}
			}
			few, err := of.curve(s, 20)
			if err != nil || len(few) > 20 || few[0] != got[0] || few[len(few)-1] != got[len(got)-1] {
				t.Errorf("%s, %s: %d points of at most 20, %v", c.Name, name, len(few), err)
			}
		}
		if c.Bands == nil {
			continue
		}
		bands, err := Reliability(s, 5, 0.9)
		if err != nil || len(bands) != 5 {
			t.Fatalf("%d bands, %v", len(bands), err)
		}
		for i, want := range c.Bands {
			b := bands[i]
			for j, got := range [4]float64{b.Predicted, b.Observed, b.ObservedLow, b.ObservedHigh} {
				if math.Abs(got-want[j]) > 1e-12 {
					t.Errorf("band %d: %+v, expected %v", i, b, want)
				}
			}
		}
	}
	none := &Sample{Kind: Binary, Target: []float64{0, 0}, Prob: []float64{0.1, 0.2}}
	for _, curve := range []func(*Sample, int) ([]Point, error){Gain, Lift} {
		if got, err := curve(none, 10); err != nil || got != nil {
			t.Errorf("no positive row: %v, %v", got, err)
		}
	}
}

// distance is how far a point is from a curve.
func distance(curve []Point, x, y float64) float64 {
	best := math.Inf(1)
	for i := range curve {
		a, b := curve[max(0, i-1)], curve[i]
		dx, dy := b.X-a.X, b.Y-a.Y
		t := 0.0
		if l := dx*dx + dy*dy; l > 0 {
			t = min(1, max(0, ((x-a.X)*dx+(y-a.Y)*dy)/l))
		}
		best = min(best, math.Hypot(a.X+t*dx-x, a.Y+t*dy-y))
	}
	return best
}
