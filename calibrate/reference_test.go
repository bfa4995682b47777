package calibrate

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/hone-ml/hone/metric"
)

// reference is what testdata/reference.py recorded of scikit-learn and MAPIE.
type reference struct {
	Isotonic []struct {
		X, Y, W, At, Want []float64
	}
	Maps []struct {
		Method      string
		K           int
		P, Want     [][]float64
		Y           []float64
		Temperature float64
	}
	Sets []struct {
		K          int
		P, Test    [][]float64
		Y          []float64
		Coverage   []float64
		LAC        [][][]int
		Quantile   []float64
		APSScores  []float64 `json:"aps_scores"`
		RAPSScores []float64 `json:"raps_scores"`
	}
	Intervals struct {
		Pred, Y, Test, Coverage []float64
		Low, High               [][]float64
	}
}

func readReference(t *testing.T) *reference {
	raw, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var r reference
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatal(err)
	}
	return &r
}

// sampleOf is a sample of classes from a matrix of probabilities.
func sampleOf(p [][]float64, y []float64) *metric.Sample {
	k := len(p[0])
	s := &metric.Sample{Kind: metric.Multiclass, Target: y}
	for c := range k {
		s.Classes = append(s.Classes, string(rune('a'+c)))
	}
	if k == 2 {
		s.Kind = metric.Binary
	}
	for _, row := range p {
		if k == 2 {
			s.Prob = append(s.Prob, row[1])
		} else {
			s.Prob = append(s.Prob, row...)
		}
	}
	return s
}

func TestRisingAgreesWithScikitLearn(t *testing.T) {
	for i, c := range readReference(t).Isotonic {
		curve := Rising(c.X, c.Y, c.W)
		for j, at := range c.At {
			if got := curve.At(at); math.Abs(got-c.Want[j]) > 1e-12 {
				t.Errorf("case %d: at %v %v, scikit-learn has %v", i, at, got, c.Want[j])
			}
		}
	}
}

func TestMapsAgreeWithScikitLearn(t *testing.T) {
	for _, c := range readReference(t).Maps {
		s := sampleOf(c.P, c.Y)
		var m *Map
		if c.Method == Temperature {
			m = FitTemperature(s)
			// scikit-learn stops its search where the loss is flat to 64 units in the last place.
			if math.Abs(m.Temperature/c.Temperature-1) > 1e-6 {
				t.Errorf("%d classes: temperature %.12g, scikit-learn has %.12g", c.K, m.Temperature, c.Temperature)
			}
		} else {
			m = FitIsotonic(s)
			m.Rows = 1 << 52 // scikit-learn has no least probability
		}
		prob := slices.Clone(s.Prob)
		m.Apply(prob, c.K)
		for i, row := range c.Want {
			for k, want := range row {
				got := 0.0
				switch {
				case c.K > 2:
					got = prob[i*c.K+k]
				case k == 1:
					got = prob[i]
				default:
					got = 1 - prob[i]
				}
				if math.Abs(got-want) > 1e-6 {
					t.Fatalf("%s of %d classes, row %d, class %d: %.9g, scikit-learn has %.9g", c.Method, c.K, i, k, got, want)
				}
			}
		}
	}
}

func TestSetsAgreeWithMAPIE(t *testing.T) {
	for _, c := range readReference(t).Sets {
		s := sampleOf(c.P, c.Y)
		sets, err := Fit(s, Options{Method: LAC, ByClass: "off"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for j, coverage := range c.Coverage {
			if got := sets.Groups[0].Quantile(coverage); math.Abs(got-c.Quantile[j]) > 1e-12 {
				t.Errorf("quantile at %v: %.12g, MAPIE has %.12g", coverage, got, c.Quantile[j])
			}
			of := sets.Classes(c.K, coverage)
			for i, row := range c.Test {
				got := of.Set(row)
				for class, want := range c.LAC[j][i] {
					if slices.Contains(got, class) != (want == 1) {
						t.Errorf("coverage %v, row %d: set %v, MAPIE has %v", coverage, i, got, c.LAC[j][i])
					}
				}
			}
		}
		for method, want := range map[string][]float64{APS: c.APSScores, RAPS: c.RAPSScores} {
			sets, err := Fit(s, Options{Method: method, ByClass: "off", Penalty: 0.05, Free: 2}, nil)
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(want)
			for i, v := range sets.Groups[0].Sorted {
				if math.Abs(v-want[i]) > 1e-12 {
					t.Fatalf("%s: score %d is %.12g, MAPIE has %.12g", method, i, v, want[i])
				}
			}
		}
	}
}

func TestIntervalsAgreeWithMAPIE(t *testing.T) {
	c := readReference(t).Intervals
	sets, err := Fit(&metric.Sample{Kind: metric.Regression, Target: c.Y, Pred: c.Pred}, Options{Method: LAC}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if sets.Method != Residual {
		t.Fatalf("errors that are everywhere the same led to %s", sets.Method)
	}
	for j, coverage := range c.Coverage {
		interval := sets.Interval(coverage)
		for i, v := range c.Test {
			low, high := interval(v)
			if math.Abs(low-c.Low[j][i]) > 1e-12 || math.Abs(high-c.High[j][i]) > 1e-12 {
				t.Errorf("coverage %v of %v: %v to %v, MAPIE has %v to %v", coverage, v, low, high, c.Low[j][i], c.High[j][i])
			}
		}
	}
}
