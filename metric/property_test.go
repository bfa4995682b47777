package metric

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// drawSample draws a small sample with many ties; weights are whole numbers,
// some of them 0.
func drawSample(t *rapid.T) *Sample {
	kind := rapid.SampledFrom([]Kind{Binary, Multiclass, Regression}).Draw(t, "kind")
	n := rapid.IntRange(1, 30).Draw(t, "rows")
	k := 2
	s := &Sample{Kind: kind}
	if kind == Multiclass {
		k = rapid.IntRange(2, 5).Draw(t, "classes")
		s.Classes = []string{"a", "b", "c", "d", "e"}[:k]
	}
	for range n {
		if kind == Regression {
			s.Target = append(s.Target, float64(rapid.IntRange(-4, 4).Draw(t, "target"))/3)
			s.Pred = append(s.Pred, float64(rapid.IntRange(-4, 4).Draw(t, "pred"))/3)
			continue
		}
		s.Target = append(s.Target, float64(rapid.IntRange(0, k-1).Draw(t, "target")))
		s.Pred = append(s.Pred, float64(rapid.IntRange(0, k-1).Draw(t, "pred")))
		if kind == Binary {
			s.Prob = append(s.Prob, float64(rapid.IntRange(0, 6).Draw(t, "prob"))/6)
			continue
		}
		row := make([]float64, k)
		for range 6 {
			row[rapid.IntRange(0, k-1).Draw(t, "share")] += 1. / 6
		}
		for _, p := range row {
			s.Prob = append(s.Prob, min(p, 1))
		}
	}
	if rapid.Bool().Draw(t, "weighted") {
		total := 0.0
		for range n {
			w := float64(rapid.IntRange(0, 3).Draw(t, "weight"))
			s.Weight = append(s.Weight, w)
			total += w
		}
		if total == 0 {
			s.Weight[0] = 1
		}
	}
	return s
}

// rows gives the sample made of the given rows, in that order.
func rows(s *Sample, at []int) *Sample {
	pick := func(values []float64, width int) []float64 {
		if values == nil {
			return nil
		}
		out := []float64{}
		for _, i := range at {
			out = append(out, values[i*width:(i+1)*width]...)
		}
		return out
	}
	return &Sample{
		Kind: s.Kind, Classes: s.Classes,
		Target: pick(s.Target, 1), Pred: pick(s.Pred, 1), Weight: pick(s.Weight, 1),
		Prob: pick(s.Prob, s.probWidth()),
	}
}

// repeated writes out each row as often as its whole weight says.
func repeated(s *Sample) *Sample {
	at := []int{}
	for i := range s.Target {
		times := 1
		if s.Weight != nil {
			times = int(s.Weight[i])
		}
		for range times {
			at = append(at, i)
		}
	}
	r := rows(s, at)
	r.Weight = nil
	return r
}

func sameValues(t *rapid.T, a, b *Sample, why string) {
	ms := For(a.Kind)
	va, err := Values(a, ms)
	if err != nil {
		t.Fatal(err)
	}
	vb, err := Values(b, ms)
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range ms {
		// r2 is undefined on one row, however often that row counts.
		if m.Name == "r2" && (a.Rows() == 1) != (b.Rows() == 1) {
			continue
		}
		if !near(va[i], vb[i]) {
			t.Errorf("%s: %s is %v and %v", why, m.Name, va[i], vb[i])
		}
	}
}

func TestOrderOfRowsDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSample(t)
		order := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)).Perm(s.Rows())
		sameValues(t, s, rows(s, order), "rows in another order")
	})
}

func TestWeightIsRepetition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSample(t)
		sameValues(t, s, repeated(s), "rows weighted and repeated")
	})
}

func TestScaleOfWeightsDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSample(t)
		scaled := *s
		scaled.Weight = nil
		scale := rapid.SampledFrom([]float64{0.1, 1. / 3, 1e-6, 1e6}).Draw(t, "scale")
		for i := range s.Target {
			w := 1.0
			if s.Weight != nil {
				w = s.Weight[i]
			}
			scaled.Weight = append(scaled.Weight, w*scale)
		}
		sameValues(t, s, &scaled, "weights of another scale")
	})
}

func TestBounds(t *testing.T) {
	// What is not named here lies in [0, 1].
	bounds := map[string][2]float64{
		"mcc": {-1, 1}, "cohen_kappa": {-1, 1}, "brier": {0, 2},
		"profit": {-10, 30}, // the examples' own
		"r2":     {math.Inf(-1), 1}, "explained_variance": {math.Inf(-1), 1},
	}
	for _, name := range []string{"log_loss", "mse", "rmse", "mae", "median_ae", "mape"} {
		bounds[name] = [2]float64{0, math.Inf(1)}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := drawSample(t)
		for _, m := range For(s.Kind) {
			v, err := m.Value(s)
			if err != nil {
				t.Fatal(err)
			}
			b, ok := bounds[m.Name]
			if !ok {
				b = [2]float64{0, 1}
			}
			if v < b[0]-1e-12 || v > b[1]+1e-12 {
				t.Errorf("%s is %v, outside %v", m.Name, v, b)
			}
		}
	})
}

// A perfect prediction is never beaten, so HigherIsBetter points the right way.
func TestPerfectIsBest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSample(t)
		best := *s
		best.Pred = s.Target
		if s.Kind != Regression {
			best.Prob = make([]float64, len(s.Prob))
			for i, target := range s.Target {
				if s.Kind == Binary {
					best.Prob[i] = target
				} else {
					best.Prob[i*s.classes()+int(target)] = 1
				}
			}
		}
		for _, m := range For(s.Kind) {
			got, _ := m.Value(s)
			top, err := m.Value(&best)
			if err != nil {
				t.Fatal(err)
			}
			// A class that only occurs as a mistake changes what is averaged.
			if m.HigherIsBetter && got > top+1e-12 || !m.HigherIsBetter && got < top-1e-12 {
				t.Errorf("%s is %v, but %v when predicted perfectly", m.Name, got, top)
			}
		}
	})
}

func TestMicroAveragesAreAccuracy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSample(t)
		if s.Kind == Regression {
			return
		}
		want, _ := accuracy.Value(s)
		for _, name := range []string{"precision_micro", "recall_micro", "f1_micro"} {
			m, _ := Lookup(name)
			if got, _ := m.Value(s); !near(got, want) {
				t.Errorf("%s is %v, accuracy is %v", name, got, want)
			}
		}
	})
}

// The trapezoids under the whole ROC curve are the AUC, and thinning keeps to
// the limit, the ends and the order.
func TestCurves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSample(t)
		if s.Kind != Binary {
			return
		}
		auc, _ := rocAUC.Value(s)
		points, err := ROC(s, 200)
		if err != nil {
			t.Fatal(err)
		}
		if math.IsNaN(auc) != (len(points) == 0) {
			t.Fatalf("AUC is %v with %d points", auc, len(points))
		}
		if len(points) == 0 {
			return
		}
		area := 0.0
		for i := range points[1:] {
			a, b := points[i], points[i+1]
			if b.X < a.X || b.Y < a.Y || b.Threshold >= a.Threshold {
				t.Fatalf("the curve turns back from %v to %v", a, b)
			}
			area += (b.X - a.X) * (a.Y + b.Y) / 2
		}
		if math.Abs(area-auc) > 1e-9 {
			t.Errorf("the area under the curve is %v, the AUC %v", area, auc)
		}
		few, err := ROC(s, 3)
		if err != nil {
			t.Fatal(err)
		}
		if len(few) > 3 || few[0] != points[0] || few[len(few)-1] != points[len(points)-1] {
			t.Errorf("thinned to %v from %v", few, points)
		}
	})
}
