package metric

import (
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// drawSample draws a small sample with many ties; weights are whole numbers,
// some of them 0.
func drawSample(t *rapid.T) *Sample {
	kind := rapid.SampledFrom([]Kind{Binary, Multiclass, Regression, Multilabel, Ranking, Text, Language}).Draw(t, "kind")
	n := rapid.IntRange(1, 30).Draw(t, "rows")
	k := 2
	s := &Sample{Kind: kind}
	if kind > Regression {
		drawOther(t, s, n)
		return s
	}
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

// drawOther draws a sample of a kind that no column has.
func drawOther(t *rapid.T, s *Sample, n int) {
	digit := func(top int) float64 { return float64(rapid.IntRange(0, top).Draw(t, "digit")) }
	if s.Kind == Multilabel {
		s.Classes = []string{"a", "b", "c"}
	}
	of := map[int]float64{} // the weight of a query
	weighted := rapid.Bool().Draw(t, "weighted")
	for i := range n {
		query := int(digit(4))
		switch s.Kind {
		case Multilabel:
			for range s.Classes {
				s.Target, s.Pred, s.Prob = append(s.Target, digit(1)), append(s.Pred, digit(1)), append(s.Prob, digit(4)/4)
			}
		case Ranking:
			s.Query, s.Target, s.Pred = append(s.Query, query-2), append(s.Target, max(0, digit(4)-2)), append(s.Pred, digit(3)-1)
		case Text:
			text := func() string {
				return strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"the", "cat", "sat,", "on", "3.5", "mat."}), 0, 7).Draw(t, "words"), " ")
			}
			s.Answers, s.References = append(s.Answers, text()), append(s.References, []string{text(), text()})
		case Language:
			s.Target, s.Pred, s.Bytes = append(s.Target, 1+digit(8)), append(s.Pred, digit(9)/2), append(s.Bytes, 1+digit(30))
		}
		if weighted {
			w := digit(3)
			if s.Kind == Ranking {
				if _, ok := of[query]; !ok {
					of[query] = w
				}
				w = of[query]
			}
			if i == 0 {
				w = max(w, 1)
				of[query] = w
			}
			s.Weight = append(s.Weight, w)
		}
	}
}

// rows gives the sample made of the given rows, in that order.
func rows(s *Sample, at []int) *Sample { return s.Select(at) }

// repeated writes out each row as often as its whole weight says.
func repeated(s *Sample) *Sample {
	at := []int{}
	for i := range s.Rows() {
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
	if s.Kind == Ranking { // a query is what is repeated
		seen := map[int]int{}
		for j, i := range at {
			r.Query[j] = 100*s.Query[i] + seen[i]
			seen[i]++
		}
	}
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
		for i := range s.Rows() {
			w := 1.0
			if s.Weight != nil {
				w = s.Weight[i]
			}
			scaled.Weight = append(scaled.Weight, w*scale)
		}
		if s.Kind == Text {
			return // BLEU smooths by half a repetition
		}
		sameValues(t, s, &scaled, "weights of another scale")
	})
}

func TestBounds(t *testing.T) {
	// What is not named here lies in [0, 1].
	bounds := map[string][2]float64{
		"mcc": {-1, 1}, "cohen_kappa": {-1, 1}, "brier": {0, 2},
		"profit": {-10, 30}, // the examples' own
		"r2":     {math.Inf(-1), 1}, "explained_variance": {math.Inf(-1), 1}, "spearman": {-1, 1},
		"hinge": {0, 2}, "smape": {0, 2},
		"bleu": {0, 100}, "bleu_zh": {0, 100}, "bleu_char": {0, 100}, "bleu_intl": {0, 100}, "bleu_none": {0, 100}, "chrf": {0, 100},
	}
	for _, name := range []string{"log_loss", "mse", "rmse", "mae", "median_ae", "mape", "msle", "rmsle", "pinball_10", "pinball_50", "pinball_90",
		"poisson_deviance", "gamma_deviance", "tweedie_15", "perplexity", "bits_per_byte"} {
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
		switch s.Kind {
		case Language:
			best.Pred = make([]float64, s.Rows())
		case Text:
			best.Pred, best.Answers = nil, nil
			for _, r := range s.References {
				best.Answers = append(best.Answers, r[0])
			}
		case Multilabel:
			best.Prob = s.Target
		case Binary, Multiclass:
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
			if strings.HasPrefix(m.Name, "bleu") || m.Name == "chrf" {
				continue // 0 for texts that are shorter than an n-gram, the same or not
			}
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
		if s.Kind > Multiclass {
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

// Streams of two parts, in batches, merged, have the values of the whole; with
// so little memory that orders are sorted on disk.
func TestStreamsMerge(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		s := drawSample(t)
		ms := slices.DeleteFunc(For(s.Kind), func(m *Metric) bool { return m.Name == "profit" })
		o := StreamOptions{Memory: rapid.SampledFrom([]int{1, 1 << 20}).Draw(t, "memory"), Dir: dir}
		want, err := Values(s, ms)
		if err != nil {
			t.Fatal(err)
		}
		var streams [2]*Stream
		for i := range streams {
			if streams[i], err = NewStream(s.Kind, s.Classes, ms, o); err != nil {
				t.Fatal(err)
			}
			defer streams[i].Close()
		}
		for i := 0; i < s.Rows(); {
			n := min(s.Rows()-i, rapid.IntRange(1, 9).Draw(t, "batch"))
			var at []int
			for ; n > 0; n-- {
				at = append(at, i)
				i++
			}
			if err := streams[rapid.IntRange(0, 1).Draw(t, "part")].Add(rows(s, at)); err != nil {
				t.Fatal(err)
			}
		}
		if err := streams[0].Merge(streams[1]); err != nil {
			t.Fatal(err)
		}
		for range 2 { // asking changes nothing
			got, err := streams[0].Values()
			if err != nil {
				t.Fatal(err)
			}
			for i, m := range ms {
				if !near(got[i], want[i]) {
					t.Errorf("%s is %v in parts, %v of the whole", m.Name, got[i], want[i])
				}
			}
		}
		for _, st := range streams {
			if err := st.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("files are left behind: %v", left)
		}
	})
}
