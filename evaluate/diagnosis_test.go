package evaluate

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/metric"
)

// clean are predictions of a good model on rows without any fault: classes follow
// the probabilities, which follow a column and more that the columns do not hold.
func clean(r *rand.Rand, columns []*data.Column, n int) *metric.Sample {
	s := &metric.Sample{Kind: metric.Binary, Classes: []string{"no", "yes"}}
	for i := range n {
		z := (columns[0].Numbers[i]-47)/8 + 4*r.NormFloat64()
		p := 1 / (1 + math.Exp(-z))
		y := indicator(r.Float64() < p)
		s.Target, s.Prob, s.Pred = append(s.Target, y), append(s.Prob, p), append(s.Pred, indicator(p >= 0.5))
	}
	return s
}

// caseOf is a case of predictions alone.
func caseOf(t *testing.T, s *metric.Sample, columns []*data.Column) *Case {
	t.Helper()
	f, err := FindFailures(s, columns, FailureOptions{Level: 0.95, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	nan := math.NaN()
	c := &Case{Test: s, Failures: f, Headline: Headline(s.Kind), Train: nan, Valid: nan, Trivial: nan, LookedLeaks: true, LookedDrifts: true}
	m, err := metric.Lookup(c.Headline)
	if err != nil {
		t.Fatal(err)
	}
	intervals, err := metric.Bootstrap(s, []*metric.Metric{m}, 100, 0.95, 1)
	if err != nil {
		t.Fatal(err)
	}
	c.Score = intervals[0]
	return c
}

// TestDiagnosisPlanted: each planted problem is found by its name, and no other one
// that it does not bring with it.
func TestDiagnosisPlanted(t *testing.T) {
	const n = 3000
	for _, tt := range []struct {
		want  string
		along []string // what comes with it
		plant func(r *rand.Rand, s *metric.Sample, columns []*data.Column, c *Case)
	}{
		{ProblemNoise, []string{ProblemCalibration}, func(r *rand.Rand, s *metric.Sample, _ []*data.Column, _ *Case) {
			for i := range s.Target { // a sharp model, and one label of twelve is wrong
				s.Prob[i] = 1 / (1 + math.Exp(-8*math.Log(s.Prob[i]/(1-s.Prob[i]))))
				s.Target[i] = s.Pred[i]
				if r.Float64() < 0.08 {
					s.Target[i] = 1 - s.Target[i]
				}
			}
		}},
		{ProblemWeak, nil, func(r *rand.Rand, s *metric.Sample, columns []*data.Column, _ *Case) {
			for i := range s.Target {
				if columns[2].Text(i) == "east" && columns[3].Codes[i] == 1 {
					s.Target[i] = float64(r.IntN(2))
					s.Prob[i] = 0.5 + 0.1*(r.Float64()-0.5) // it knows that it does not know
					s.Pred[i] = indicator(s.Prob[i] >= 0.5)
				}
			}
		}},
		{ProblemCalibration, nil, func(_ *rand.Rand, s *metric.Sample, _ []*data.Column, _ *Case) {
			for i, p := range s.Prob {
				s.Prob[i] = 1 / (1 + math.Exp(-3*math.Log(p/(1-p))))
			}
		}},
		{ProblemImbalance, nil, func(r *rand.Rand, s *metric.Sample, _ []*data.Column, _ *Case) {
			for i := range s.Prob {
				s.Prob[i] *= 0.12
				s.Target[i], s.Pred[i] = indicator(r.Float64() < s.Prob[i]), 0
			}
		}},
		{ProblemDrift, nil, func(r *rand.Rand, s *metric.Sample, columns []*data.Column, c *Case) {
			c.Validation = clean(r, columns, n)
			for i, p := range c.Validation.Prob {
				c.Validation.Prob[i] = 1 / (1 + math.Exp(-3*math.Log(p/(1-p))))
			}
		}},
		{ProblemDrift, nil, func(r *rand.Rand, s *metric.Sample, columns []*data.Column, c *Case) {
			c.Validation = clean(r, columns, n)
			for i, p := range c.Validation.Prob { // these rows are easier: it errs less, and has the same confidence
				if c.Validation.Target[i] != c.Validation.Pred[i] && r.IntN(2) == 0 {
					c.Validation.Target[i] = indicator(p >= 0.5)
				}
			}
		}},
		{ProblemLeak, nil, func(_ *rand.Rand, _ *metric.Sample, _ []*data.Column, c *Case) {
			c.Leaks = []Hint{{Sentence: "the model reads paid, which predicts churn", Evidence: map[string]float64{"auc": 1}}}
		}},
		{ProblemOver, nil, func(_ *rand.Rand, _ *metric.Sample, _ []*data.Column, c *Case) {
			c.Fit = &Verdict{Kind: FitOver, Evidence: Evidence{Rise: 0.2}}
			c.Train, c.Valid, c.Trivial = 0.05, 0.5, 0.69
		}},
		{ProblemUnder, nil, func(_ *rand.Rand, _ *metric.Sample, _ []*data.Column, c *Case) {
			c.Fit = &Verdict{Kind: FitUnder, Sentence: "Under-fitting: it is worse than a linear model."}
		}},
	} {
		r := rand.New(rand.NewPCG(3, 4))
		columns := people(r, n)
		s := clean(r, columns, n)
		hold := &Case{}
		tt.plant(r, s, columns, hold)
		c := caseOf(t, s, columns)
		c.Validation, c.Leaks, c.Fit, c.Train, c.Valid, c.Trivial = hold.Validation, hold.Leaks, hold.Fit, hold.Train, hold.Valid, hold.Trivial
		d := DiagnoseCase(c)
		f := d.Says(tt.want)
		if f == nil {
			t.Errorf("%s: found %+v, open %+v", tt.want, d.Found, d.Open)
			continue
		}
		if f.Sentence == "" || len(f.Evidence) == 0 && tt.want != ProblemUnder {
			t.Errorf("%s: %+v", tt.want, f)
		}
		for _, other := range d.Found {
			if other.Kind != tt.want && !strings.Contains(strings.Join(tt.along, " "), other.Kind) {
				t.Errorf("%s: found %s, too: %s", tt.want, other.Kind, other.Sentence)
			}
		}
	}
}

// TestDiagnosisClean: nothing is found where nothing is wrong, and one number, or a
// pair of them, proves nothing.
func TestDiagnosisClean(t *testing.T) {
	wrongly := map[string]int{}
	const runs = 40
	for k := range runs {
		r := rand.New(rand.NewPCG(uint64(k), 11))
		n := []int{800, 3000}[k%2]
		columns := people(r, n)
		s := clean(r, columns, n)
		c := caseOf(t, s, columns)
		c.Validation = clean(r, columns, n)
		c.Fit = &Verdict{Kind: FitGood, Evidence: Evidence{Rise: 0.01}}
		c.Train, c.Valid, c.Trivial = 0.3, 0.35, 0.69
		for _, f := range DiagnoseCase(c).Found {
			wrongly[f.Kind]++
		}
	}
	for kind, times := range wrongly {
		if times > 1 {
			t.Errorf("%s was found in %d of %d cases without any", kind, times, runs)
		}
	}
	r := rand.New(rand.NewPCG(1, 1))
	columns := people(r, 1000)
	c := caseOf(t, clean(r, columns, 1000), columns)
	c.Fit, c.Train, c.Valid, c.Trivial = &Verdict{Kind: FitOver, Evidence: Evidence{Rise: 0}}, 0.1, 0.4, 0.69
	d := DiagnoseCase(c)
	if d.Says(ProblemOver) != nil {
		t.Error("a gap alone proves over-fitting")
	}
	for _, o := range d.Open {
		if o.Needs == "" {
			t.Errorf("%s is open, and nothing would tell", o.Kind)
		}
	}
	if got := len(d.Found) + len(d.Clear) + len(d.Open); got != len(diagnoses) {
		t.Errorf("%d kinds are found, cleared or open, expected %d", got, len(diagnoses))
	}
}

// TestExamples: rows are told by their numbers in the file, the worst first.
func TestExamples(t *testing.T) {
	s := &metric.Sample{Kind: metric.Multiclass, Classes: []string{"a", "b", "c"}, Target: []float64{0, 1, 2, 1}, Pred: []float64{0, 2, 0, 0},
		Prob: []float64{0.9, 0.05, 0.05, 0.1, 0.2, 0.7, 0.5, 0.45, 0.05, 0.8, 0.15, 0.05}}
	columns := []*data.Column{{Name: "x", Type: data.Number, Numbers: []float64{1, 2, math.NaN(), 4}}}
	hard := Hardest(s, columns, []int{10, 20, 30, 40})
	if len(hard) != 3 || hard[0].Row != 31 || hard[1].Row != 41 || hard[2].Row != 21 || hard[0].Truth != "c" || hard[0].Prediction != "a" || hard[1].Values["x"] != "4" {
		t.Errorf("hardest: %+v", hard)
	}
	sure := SureAndWrong(s, columns, nil)
	if len(sure) != 3 || sure[0].Row != 4 || sure[1].Row != 2 || float64(sure[0].Confidence) != 0.8 || float64(sure[0].TruthProbability) != 0.15 {
		t.Errorf("sure and wrong: %+v", sure)
	}
	n := &metric.Sample{Kind: metric.Regression, Target: []float64{1, 2, 3}, Pred: []float64{1, 5, 2}}
	if hard := Hardest(n, nil, nil); len(hard) != 2 || hard[0].Row != 2 || hard[0].Error != 3 || hard[0].Prediction != "5" {
		t.Errorf("hardest numbers: %+v", hard)
	}
	if f := (&Failures{Hardest: hard}).WithoutValues(); f.Hardest[0].Values != nil || hard[0].Values == nil {
		t.Error("a bundle would hold rows")
	}
}

// TestKolmogorovSmirnov: reference values of scipy 1.17.1, ks_2samp(a, b).statistic
// and kstwobign.sf(statistic * sqrt(80/18)).
func TestKolmogorovSmirnov(t *testing.T) {
	a := []float64{0.1, 0.4, 0.4, 0.7, 0.9, 1.2, 1.5, 1.5, 2, 2.5}
	b := []float64{0.5, 1.1, 1.5, 1.9, 2.2, 2.6, 3, 3.1}
	d, p := kolmogorovSmirnov(a, b)
	if math.Abs(d-0.425) > 1e-12 || math.Abs(p-0.39830693955944446) > 1e-12 {
		t.Error(d, p)
	}
}

// TestByConfidenceOfFew: however few confidences there are, every row is in one slice.
func TestByConfidenceOfFew(t *testing.T) {
	for _, shares := range [][]float64{{1}, {0.1, 0.9}, {0.9, 0.1}, {0.3, 0.3, 0.4}} {
		s := &metric.Sample{Kind: metric.Binary, Classes: []string{"no", "yes"}}
		for k, share := range shares {
			for range int(1000 * share) {
				s.Target, s.Prob, s.Pred = append(s.Target, 1), append(s.Prob, 0.9-0.1*float64(k)), append(s.Pred, 1)
			}
		}
		slices, err := ByConfidence(s, 0.95, 1)
		if err != nil {
			t.Fatal(err)
		}
		rows := 0
		for _, c := range slices {
			rows += c.Rows
		}
		if rows != s.Rows() || len(slices) > len(shares) {
			t.Errorf("%v: %+v", shares, slices)
		}
	}
}
