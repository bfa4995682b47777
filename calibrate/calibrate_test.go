package calibrate

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hone-ml/hone/metric"
)

// drawn are rows of k classes whose true probabilities are softmax(z) and whose
// stated ones softmax(sharp·z).
func drawn(r *rand.Rand, n, k int, sharp float64) *metric.Sample {
	var p [][]float64
	var y []float64
	for range n {
		z, true, said := make([]float64, k), make([]float64, k), make([]float64, k)
		for c := range z {
			z[c] = 1.5 * r.NormFloat64()
		}
		for _, of := range []struct {
			to   []float64
			beta float64
		}{{true, 1}, {said, sharp}} {
			for c := range z {
				of.to[c] = math.Exp(z[c])
			}
			softenRow(of.to, of.beta)
		}
		u, class := r.Float64(), 0
		for ; class < k-1 && u >= true[class]; class++ {
			u -= true[class]
		}
		p, y = append(p, said), append(y, float64(class))
	}
	return sampleOf(p, y)
}

// TestCoverage simulates what is promised: over sets and the rows that follow, the
// share of true classes and numbers that are covered is the one asked for, to the
// error of the simulation, and at most 1/(n+1) above it where scores do not tie.
func TestCoverage(t *testing.T) {
	const rounds, n, next = 400, 60, 20
	for _, o := range []Options{{Method: LAC, ByClass: "off"}, {Method: LAC, ByClass: "on"}, {Method: APS, ByClass: "off"}, {Method: RAPS, ByClass: "off", Penalty: 0.05, Free: 1}, {}} {
		for _, coverage := range []float64{0.8, 0.9} {
			r := rand.New(rand.NewPCG(1, 2))
			hits := make([]float64, 0, rounds)
			for range rounds {
				s := drawn(r, n+next, 3, 1.7)
				if o.Method == "" {
					s = &metric.Sample{Kind: metric.Regression}
					for range n + next {
						x := r.NormFloat64()
						s.Pred, s.Target = append(s.Pred, x), append(s.Target, x+r.NormFloat64()*math.Exp(x/2))
					}
				}
				var first, last []int
				for i := range n + next {
					if i < n {
						first = append(first, i)
					} else {
						last = append(last, i)
					}
				}
				sets, err := Fit(s.Select(first), o, nil)
				if err != nil {
					t.Fatal(err)
				}
				hits = append(hits, covered(sets, s.Select(last), coverage))
			}
			mean, square := 0.0, 0.0
			for _, h := range hits {
				mean += h / rounds
			}
			for _, h := range hits {
				square += (h - mean) * (h - mean)
			}
			slack := 3.5 * math.Sqrt(square) / rounds
			// By class, each of the three has about a third of the rows.
			above := coverage + 1.0/(n+1)
			if o.ByClass == "on" {
				above = coverage + 6.0/n
			}
			if o.Method == APS || o.Method == RAPS {
				above = 1 // the last class counts in full
			}
			if mean < coverage-slack || mean > above+slack {
				t.Errorf("%+v at %v: %.4f of the rows to come are covered, expected %v to %.4f within %.4f", o, coverage, mean, coverage, above, slack)
			}
		}
	}
}

// covered is the share of rows whose truth is in its set.
func covered(sets *Sets, s *metric.Sample, coverage float64) float64 {
	hit := 0.0
	if s.Kind == metric.Regression {
		interval := sets.Interval(coverage)
		for i, y := range s.Target {
			if low, high := interval(s.Pred[i]); y >= low && y <= high {
				hit++
			}
		}
		return hit / float64(s.Rows())
	}
	k := len(s.Classes)
	of := sets.Classes(k, coverage)
	for i, y := range s.Target {
		row := make([]float64, k)
		stated(s, i, row)
		if slices.Contains(of.Set(row), int(y)) {
			hit++
		}
	}
	return hit / float64(s.Rows())
}

// Coverage by class covers a rare class as well, which coverage of all rows need not.
func TestByClass(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	s := &metric.Sample{Kind: metric.Binary, Classes: []string{"no", "yes"}}
	for range 4000 {
		y, mean := 0.0, -2.5
		if r.Float64() < 0.05 {
			y, mean = 1, -1.5
		}
		s.Target = append(s.Target, y)
		s.Prob = append(s.Prob, 1/(1+math.Exp(-(mean+r.NormFloat64()))))
	}
	var cal, rare []int
	for i, y := range s.Target {
		switch {
		case i < 2000:
			cal = append(cal, i)
		case y == 1:
			rare = append(rare, i)
		}
	}
	for by, low := range map[string]bool{"off": true, "auto": false} {
		sets, err := Fit(s.Select(cal), Options{Method: LAC, ByClass: by}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := covered(sets, s.Select(rare), 0.9); (got < 0.5) != low || !low && got < 0.8 {
			t.Errorf("by class %s: %.3f of the rare class are covered", by, got)
		}
	}
}

// Where errors grow with the predicted value, intervals do too.
func TestScaled(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	s := &metric.Sample{Kind: metric.Regression}
	for range 2000 {
		x := 1 + 9*r.Float64()
		s.Pred, s.Target = append(s.Pred, x), append(s.Target, max(0, x+x*r.NormFloat64()))
	}
	zero := 0.0
	sets, err := Fit(s, Options{}, &zero)
	if err != nil {
		t.Fatal(err)
	}
	interval := sets.Interval(0.9)
	aLow, aHigh := interval(2)
	bLow, bHigh := interval(9)
	if sets.Method != Scaled || sets.Rows() != 1000 || bHigh-9 < 2.5*(aHigh-2) || aLow != 0 || bLow != 0 {
		t.Errorf("%s by %d rows: %.2f to %.2f at 2, %.2f to %.2f at 9", sets.Method, sets.Rows(), aLow, aHigh, bLow, bHigh)
	}
	if err := sets.Check(0); err != nil {
		t.Error(err)
	}
}

func TestQuantile(t *testing.T) {
	few := newScores([]float64{3, 1, 2, 4})
	for coverage, want := range map[float64]float64{0.2: 1, 0.21: 2, 0.6: 3, 0.8: 4, 0.81: math.Inf(1)} {
		if got := few.Quantile(coverage); got != want {
			t.Errorf("%v of 4: %v, expected %v", coverage, got, want)
		}
	}
	// Kept scores are never below those that are not, and hardly above.
	all := make([]float64, 12345)
	for i := range all {
		all[i] = float64(i + 1)
	}
	many := newScores(all)
	for _, coverage := range []float64{0.001, 0.5, 0.9, 0.95, 0.99, 0.9999} {
		exact := math.Ceil(12346 * coverage)
		if got := many.Quantile(coverage); got < exact || got > exact+12345.0/maxScores+1 {
			t.Errorf("%v of 12345: %v, expected %v", coverage, got, exact)
		}
	}
	if err := (&Sets{Method: LAC, Groups: []Scores{many}}).Check(3); err != nil {
		t.Error(err)
	}
}

func TestCheckCoverage(t *testing.T) {
	sets := &Sets{Method: LAC, Groups: []Scores{newScores(make([]float64, 49))}}
	if err := sets.CheckCoverage(0.98); err != nil {
		t.Error(err)
	}
	for coverage, want := range map[float64]string{0.99: "ask for 0.98 at most", 0: "between 0 and 1", 1: "between 0 and 1", math.NaN(): "between 0 and 1"} {
		if err := sets.CheckCoverage(coverage); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, expected %q", coverage, err, want)
		}
	}
}

// TestChoose finds what was planted, and leaves alone what is right.
func TestChoose(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, c := range []struct {
		k     int
		sharp float64
		want  string
	}{{2, 1, ""}, {4, 1, ""}, {2, 3, Temperature}, {4, 2, Temperature}, {4, 0.5, Temperature}} {
		s := drawn(r, 2000, c.k, c.sharp)
		got, err := Choose(s, Auto, 1)
		if err != nil {
			t.Fatal(err)
		}
		method := ""
		if got.Map != nil {
			method = got.Map.Method
		}
		if method != c.want {
			t.Errorf("%d classes, sharpened by %v: %q, expected %q (%+v)", c.k, c.sharp, method, c.want, got.Tried)
		}
		if c.want == "" {
			continue
		}
		if math.Abs(got.Map.Temperature/c.sharp-1) > 0.15 {
			t.Errorf("%d classes, sharpened by %v: temperature %v", c.k, c.sharp, got.Map.Temperature)
		}
		again, err := Choose(s, Auto, 1)
		if err != nil || !reflect.DeepEqual(got, again) {
			t.Errorf("the same rows and seed chose %+v, then %+v (%v)", got.Map, again.Map, err)
		}
	}
	// A bend that no temperature undoes.
	bent := &metric.Sample{Kind: metric.Binary, Classes: []string{"no", "yes"}}
	for range 4000 {
		p := r.Float64()
		y := 0.0
		if r.Float64() < p*p*p {
			y = 1
		}
		bent.Prob, bent.Target = append(bent.Prob, p), append(bent.Target, y)
	}
	got, err := Choose(bent, Auto, 1)
	if err != nil || got.Map == nil || got.Map.Method != Isotonic {
		t.Fatalf("bent probabilities: %+v, %v", got, err)
	}
	prob := []float64{0, 1, 0.5}
	got.Map.Apply(prob, 2)
	if !(prob[0] > 0 && prob[1] < 1) || math.Abs(prob[2]-0.125) > 0.05 {
		t.Errorf("0, 1 and 0.5 become %v", prob)
	}
	raw, err := json.Marshal(got.Map)
	if err != nil {
		t.Fatal(err)
	}
	var back Map
	if err := json.Unmarshal(raw, &back); err != nil || !reflect.DeepEqual(&back, got.Map) || back.Check(2) != nil {
		t.Errorf("the map came back from JSON as %+v (%v, %v)", back, err, back.Check(2))
	}
	few, err := Choose(bent.Select([]int{0, 1, 2}), Auto, 1)
	if err != nil || few.Map != nil || !strings.Contains(few.Why, "too few") {
		t.Errorf("three rows: %+v, %v", few, err)
	}
}

func TestChecks(t *testing.T) {
	for _, c := range []struct {
		m       *Map
		classes int
	}{{&Map{Method: Temperature}, 2}, {&Map{Method: "platt"}, 2}, {&Map{Method: Isotonic, Rows: 3}, 2}, {&Map{Method: Isotonic, Rows: 3, Curves: []Curve{{X: []float64{1, 1}, Y: []float64{0, 1}}}}, 2}} {
		if c.m.Check(c.classes) == nil {
			t.Errorf("%+v was taken", c.m)
		}
	}
	one := []Scores{newScores([]float64{1, 2})}
	for _, c := range []struct {
		s       *Sets
		classes int
	}{{&Sets{Method: LAC, Groups: one}, 0}, {&Sets{Method: Residual, Groups: one}, 2}, {&Sets{Method: LAC}, 2}, {&Sets{Method: LAC, Groups: one, ByClass: true}, 2}, {&Sets{Method: Scaled, Groups: one}, 0}, {&Sets{Method: LAC, Groups: []Scores{{2, []float64{2, 1}}}}, 2}, {&Sets{Method: "x", Groups: one}, 2}} {
		if c.s.Check(c.classes) == nil {
			t.Errorf("%+v was taken", c.s)
		}
	}
}

// TestTemperatureOfNoMistakes: where no row is wrong, ever surer probabilities fit
// better, and none are made.
func TestTemperatureOfNoMistakes(t *testing.T) {
	s := sampleOf([][]float64{{0.9, 0.1}, {0.2, 0.8}, {0.7, 0.3}, {0.4, 0.6}}, []float64{0, 1, 0, 1})
	if m := FitTemperature(s); m.Temperature != 1 {
		t.Errorf("the temperature is %g, expected 1", m.Temperature)
	}
	// One mistake, and there is a best one.
	s = sampleOf([][]float64{{0.9, 0.1}, {0.2, 0.8}, {0.7, 0.3}, {0.6, 0.4}}, []float64{0, 1, 0, 1})
	if m := FitTemperature(s); m.Temperature == 1 || m.Temperature < 0.05 || m.Temperature > 20 {
		t.Errorf("the temperature is %g", m.Temperature)
	}
}
