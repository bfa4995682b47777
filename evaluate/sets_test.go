package evaluate

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/hone-ml/hone/calibrate"
	"github.com/hone-ml/hone/metric"
)

// numbersWith are rows whose error has a deviation.
func numbersWith(r *rand.Rand, n int, deviation float64) *metric.Sample {
	s := &metric.Sample{Kind: metric.Regression}
	for range n {
		x := r.NormFloat64()
		s.Pred, s.Target = append(s.Pred, x), append(s.Target, x+deviation*r.NormFloat64())
	}
	return s
}

func TestMeasureSets(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	sets, err := calibrate.Fit(numbersWith(r, 2000, 1), calibrate.Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for deviation, want := range map[float64]string{1: AsAsked, 2: LessCovered, 0.5: MoreCovered} {
		got := MeasureSets([]SetsPart{{numbersWith(r, 3000, deviation), sets}}, []float64{0.9, 0.99999}, 0.95)
		if len(got.Coverages) != 1 {
			t.Fatalf("%d coverages, expected that one which 2000 rows can promise", len(got.Coverages))
		}
		c := got.At(0.9)
		if c.Verdict != want || c.Rows != 3000 || math.Abs(float64(c.Width)-2*1.645) > 0.2 {
			t.Errorf("deviation %v: %+v", deviation, c)
		}
		if said := c.Sentence(); strings.Contains(said, "differ from") != (want == LessCovered) || !strings.HasPrefix(said, "intervals that are to hold the truth of 90 %") {
			t.Errorf("deviation %v: %s", deviation, said)
		}
	}
}

func TestMeasureSetsOfClasses(t *testing.T) {
	s := &metric.Sample{Kind: metric.Multiclass, Classes: []string{"a", "b", "c"}}
	for i := range 300 { // the truth has 0.8, 0.15 and 0.05 in turn, so that scores are 0.2, 0.85 and 0.95
		row, y := []float64{0.8, 0.15, 0.05}, 0.0
		if i%10 == 0 {
			y = 1
		} else if i%50 == 1 {
			y = 2
		}
		s.Prob, s.Target = append(s.Prob, row...), append(s.Target, y)
	}
	sets, err := calibrate.Fit(s, calibrate.Options{Method: calibrate.LAC, ByClass: "off"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := MeasureSets([]SetsPart{{s, sets}}, []float64{0.8, 0.95}, 0.95)
	low, high := got.At(0.8), got.At(0.95)
	if low.Size != 1 || low.Single != 1 || low.Empty != 0 || low.Observed.Value != 0.88 || low.PerClass[1].Observed.Value != 0 || low.PerClass[1].Rows != 30 {
		t.Errorf("at 0.8: %+v", low)
	}
	if high.Size != 2 || high.Single != 0 || high.Observed.Value != 0.98 {
		t.Errorf("at 0.95: %+v", high)
	}
	if said := low.Sentence(); !strings.Contains(said, "of the class b they hold 0.0 %") && !strings.Contains(said, "of the class c they hold 0.0 %") {
		t.Errorf("%s", said)
	}
}
