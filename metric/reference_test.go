package metric

import (
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"
)

// reference is testdata/reference.json; reference.py beside it says how its
// numbers came about.
type reference struct {
	Origin string
	Cases  []struct {
		Name, Kind                 string
		Classes                    []string
		Target, Pred, Prob, Weight []float64
		Values                     map[string]*float64
	}
	Curves struct {
		Target, Prob, FPR, TPR, Precision, Recall, Observed, Predicted []float64
	}
	Quantiles struct{ Sorted, Q, Values []float64 }
}

func readReference(t *testing.T) reference {
	t.Helper()
	data, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var r reference
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

var kinds = map[string]Kind{"binary": Binary, "multiclass": Multiclass, "regression": Regression}

// near compares to 1e-12, relative for numbers above 1; NaN equals NaN.
func near(a, b float64) bool {
	if math.IsNaN(a) || math.IsNaN(b) {
		return math.IsNaN(a) && math.IsNaN(b)
	}
	return a == b || math.Abs(a-b) <= 1e-12*max(1, math.Abs(a), math.Abs(b))
}

func TestAgreesWithScikitLearn(t *testing.T) {
	ref := readReference(t)
	t.Log(ref.Origin)
	seen := map[string]bool{}
	for _, c := range ref.Cases {
		t.Run(c.Kind+"/"+c.Name, func(t *testing.T) {
			s := &Sample{Kind: kinds[c.Kind], Classes: c.Classes, Target: c.Target, Pred: c.Pred, Prob: c.Prob, Weight: c.Weight}
			for _, m := range For(s.Kind) {
				if m.Name == "profit" { // the examples' own, not scikit-learn's
					continue
				}
				recorded, ok := c.Values[m.Name]
				if !ok {
					t.Errorf("%s: no reference value recorded", m.Name)
					continue
				}
				seen[m.Name] = true
				want := math.NaN()
				if recorded != nil {
					want = *recorded
				}
				got, err := m.Value(s)
				if err != nil {
					t.Errorf("%s: %v", m.Name, err)
				} else if !near(got, want) && !(strings.HasPrefix(m.Name, "tweedie") && math.Abs(got-want) < 1e-10) { // differences of large powers
					t.Errorf("%s = %v, scikit-learn has %v", m.Name, got, want)
				}
			}
		})
	}
	for _, m := range registered {
		if m.Kinds[0] > Regression {
			continue // in TestOtherKindsAgree
		}
		if !seen[m.Name] && m.Name != "profit" {
			t.Errorf("%s is in no case", m.Name)
		}
	}
}

func TestCurvesAgreeWithScikitLearn(t *testing.T) {
	c := readReference(t).Curves
	s := &Sample{Kind: Binary, Target: c.Target, Prob: c.Prob}
	compare := func(name string, got []Point, x, y []float64) {
		t.Helper()
		if len(got) != len(x) {
			t.Fatalf("%s has %d points, scikit-learn has %d", name, len(got), len(x))
		}
		for i, p := range got {
			if !near(p.X, x[i]) || !near(p.Y, y[i]) {
				t.Errorf("%s point %d is (%v, %v), scikit-learn has (%v, %v)", name, i, p.X, p.Y, x[i], y[i])
			}
		}
	}
	identity := func(x []float64, y []float64) []Point {
		points := make([]Point, len(x))
		for i := range x {
			points[i] = Point{X: x[i], Y: y[i]}
		}
		return thin(points, 200)
	}
	roc, err := ROC(s, 200)
	if err != nil {
		t.Fatal(err)
	}
	// Points on a straight run are left out on both sides.
	want := identity(c.FPR, c.TPR)
	x, y := coordinates(want)
	compare("ROC", roc, x, y)
	pr, err := PrecisionRecall(s, 200)
	if err != nil {
		t.Fatal(err)
	}
	x, y = coordinates(identity(c.Recall, c.Precision))
	compare("precision-recall", pr, x, y)

	bins, err := Calibration(s, 5)
	if err != nil {
		t.Fatal(err)
	}
	if len(bins) != len(c.Observed) {
		t.Fatalf("%d bins, scikit-learn has %d", len(bins), len(c.Observed))
	}
	for i, b := range bins {
		if !near(b.Observed, c.Observed[i]) || !near(b.Predicted, c.Predicted[i]) {
			t.Errorf("bin %d is %+v, scikit-learn has observed %v, predicted %v", i, b, c.Observed[i], c.Predicted[i])
		}
	}
}

func coordinates(points []Point) (x, y []float64) {
	for _, p := range points {
		x, y = append(x, p.X), append(y, p.Y)
	}
	return x, y
}

func TestQuantileAgreesWithNumpy(t *testing.T) {
	q := readReference(t).Quantiles
	for i, at := range q.Q {
		if got := quantile(q.Sorted, at); !near(got, q.Values[i]) {
			t.Errorf("quantile %v = %v, numpy has %v", at, got, q.Values[i])
		}
	}
}
