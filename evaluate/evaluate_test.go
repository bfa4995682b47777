package evaluate

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/hone-ml/hone/metric"
)

var quick = Options{Bootstrap: 200, Level: 0.95, Seed: 7}

// binary decides from scores with noise of the given size; the same seed gives
// the same rows.
func binary(n int, noise float64) *metric.Sample {
	rows, blur := rand.New(rand.NewPCG(1, 1)), rand.New(rand.NewPCG(2, 2))
	s := &metric.Sample{Kind: metric.Binary, Classes: []string{"no", "yes"}}
	for range n {
		z := 2 * rows.NormFloat64()
		y := 0.0
		if rows.Float64() < 1/(1+math.Exp(-z)) {
			y = 1
		}
		p := 1 / (1 + math.Exp(-z-noise*blur.NormFloat64()))
		s.Target, s.Prob, s.Pred = append(s.Target, y), append(s.Prob, p), append(s.Pred, math.Round(p))
	}
	return s
}

func evaluated(t *testing.T, in Input, opts Options) *Result {
	t.Helper()
	r, err := Evaluate(in, opts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestBinary(t *testing.T) {
	in := Input{
		Target: "churned", Rows: Rows{Train: 10, Test: 8},
		Test: &metric.Sample{Kind: metric.Binary, Classes: []string{"no", "yes"},
			Target: []float64{0, 0, 0, 0, 0, 1, 1, 1},
			Prob:   []float64{.1, .2, .3, .4, .7, .9, .8, .2},
			Pred:   []float64{0, 0, 0, 0, 1, 1, 1, 0}},
	}
	in.Validation = in.Test
	r := evaluated(t, in, quick)
	if r.Task != "binary" || r.Positive != "yes" || r.Metrics[0].Name != "roc_auc" {
		t.Errorf("task %q, positive %q, headline %q", r.Task, r.Positive, r.Metrics[0].Name)
	}
	if want := [][]float64{{4, 1}, {1, 2}}; !reflect.DeepEqual(r.Confusion, want) {
		t.Errorf("confusion %v, want %v", r.Confusion, want)
	}
	if got, want := r.PerClass[1], (ClassScore{"yes", 3, 2. / 3, 2. / 3, 2. / 3}); got != want {
		t.Errorf("class %+v, want %+v", got, want)
	}
	if got := r.Test["accuracy"]; got.Value != .75 || !(got.Low < .75 && got.High > .75) {
		t.Errorf("accuracy %+v", got)
	}
	if r.Validation["accuracy"] != .75 {
		t.Errorf("validation accuracy %v", r.Validation["accuracy"])
	}
	if len(r.ROC) == 0 || len(r.PR) == 0 || len(r.Calibration) == 0 || r.Residuals != nil || r.Confused != nil {
		t.Errorf("curves: %d, %d, %d; residuals %v, confused %v", len(r.ROC), len(r.PR), len(r.Calibration), r.Residuals, r.Confused)
	}
}

func TestComparison(t *testing.T) {
	good := binary(800, 0)
	for name, c := range map[string]struct {
		model, baseline float64
		want            string
	}{
		"better":   {0, 2.5, Better},
		"worse":    {2.5, 0, Worse},
		"the same": {1, 1, NotSeparable},
	} {
		in := Input{Test: binary(800, c.model), Baselines: map[string]*metric.Sample{"linear": binary(800, c.baseline)}}
		in.Test.Target, in.Baselines["linear"].Target = good.Target, good.Target
		r := evaluated(t, in, quick)
		for _, m := range []string{"roc_auc", "log_loss", "brier"} { // of both directions
			if got := r.Compare("linear", m); got == nil || got.Outcome != c.want {
				t.Errorf("%s: %s: %+v, want %s", name, m, got, c.want)
			}
		}
	}
}

// TestPaired compares two models that differ on few rows: their intervals
// overlap, and yet the difference is plain on the same rows.
func TestPaired(t *testing.T) {
	model, linear := binary(1000, 1), binary(1000, 1)
	for i := range 1000 {
		if i%25 == 0 { // the model is right where the baseline is not
			model.Pred[i], linear.Pred[i] = model.Target[i], 1-model.Target[i]
		}
	}
	r := evaluated(t, Input{Test: model, Baselines: map[string]*metric.Sample{"linear": linear}}, Options{Metrics: []string{"accuracy"}, Bootstrap: 400, Level: .95})
	a, b, c := r.Test["accuracy"], r.Baselines["linear"]["accuracy"], r.Compare("linear", "accuracy")
	if a.Low > b.High {
		t.Fatalf("the intervals %+v and %+v should overlap", a, b)
	}
	if c.Outcome != Better || math.Abs(c.Difference.Value-.04) > 1e-12 {
		t.Errorf("%+v, want better by 0.04", c)
	}
	// The difference is a mean of 40 ones in 1000 rows: sd sqrt(.04·.96/1000).
	if width, want := c.Difference.High-c.Difference.Low, 2*1.96*math.Sqrt(.04*.96/1000); math.Abs(width/want-1) > .2 {
		t.Errorf("interval of width %v, want about %v", width, want)
	}
}

func TestSameOnAnyThreads(t *testing.T) {
	in := Input{Test: binary(500, 0), Baselines: map[string]*metric.Sample{"linear": binary(500, 1), "trivial": binary(500, 9)}}
	var results []string
	for _, threads := range []int{1, 2, 5} {
		old := runtime.GOMAXPROCS(threads)
		b, err := json.Marshal(evaluated(t, in, quick))
		runtime.GOMAXPROCS(old)
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, string(b))
	}
	if results[0] != results[1] || results[0] != results[2] {
		t.Error("the result depends on the number of threads")
	}
	other := quick
	other.Seed++
	if b, _ := json.Marshal(evaluated(t, in, other)); string(b) == results[0] {
		t.Error("the result does not depend on the seed")
	}
}

func TestMulticlass(t *testing.T) {
	s := &metric.Sample{Kind: metric.Multiclass, Classes: []string{"a", "b", "c"},
		Target: []float64{0, 0, 0, 1, 1, 1, 2},
		Pred:   []float64{0, 1, 1, 1, 1, 2, 2},
		Prob: []float64{
			.8, .1, .1, .3, .4, .3, .2, .7, .1, .1, .8, .1,
			.2, .6, .2, .1, .2, .7, 0, .1, .9,
		}}
	r := evaluated(t, Input{Test: s}, quick)
	if want := []Mistake{{"a", "b", 2, 2. / 3}, {"b", "c", 1, 1. / 3}}; !reflect.DeepEqual(r.Confused, want) {
		t.Errorf("mistakes %+v, want %+v", r.Confused, want)
	}
	if r.ROC != nil || r.Metrics[0].Name != "accuracy" || r.Positive != "" {
		t.Errorf("roc %v, headline %q, positive %q", r.ROC, r.Metrics[0].Name, r.Positive)
	}
	rows, right := 0.0, 0.0
	for _, b := range r.Calibration {
		rows, right = rows+b.Weight, right+b.Weight*b.Observed
	}
	if rows != 7 || math.Abs(right-4) > 1e-9 {
		t.Errorf("calibration of %v rows, %v right; want 7 and 4", rows, right)
	}
}

func TestRegression(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	s := &metric.Sample{Kind: metric.Regression}
	for i := range 5000 {
		s.Target = append(s.Target, float64(i)+10+rng.NormFloat64())
		s.Pred = append(s.Pred, float64(i))
	}
	s.Target[17] = 1e9 // one wild row must not hide the others
	r := evaluated(t, Input{Test: s}, Options{Bootstrap: 20, Level: .9})
	q := r.Residuals
	if len(q.Points) != MaxResiduals || q.Points[0].Predicted != 0 || q.Points[MaxResiduals-1].Predicted != 4999 {
		t.Errorf("%d points from %v to %v", len(q.Points), q.Points[0], q.Points[len(q.Points)-1])
	}
	total := 0
	for _, b := range q.Histogram {
		total += b.Rows
	}
	last := q.Histogram[len(q.Histogram)-1].High
	if total != 5000 || last > 15 {
		t.Errorf("histogram of %d rows up to %v", total, last)
	}
	if math.Abs(q.Quantiles[2]-10) > .1 || math.Abs(q.Quantiles[4]-10-1.645) > .15 {
		t.Errorf("quantiles %v", q.Quantiles)
	}
	if r.Metrics[0].Name != "rmse" || r.Classes != nil || r.Confusion != nil {
		t.Errorf("headline %q, classes %v", r.Metrics[0].Name, r.Classes)
	}
	constant := evaluated(t, Input{Test: &metric.Sample{Kind: metric.Regression, Target: []float64{3}, Pred: []float64{3}}}, quick)
	if constant.Residuals.Histogram[0].Low >= 0 || constant.Undefined["r2"] == "" {
		t.Errorf("one row: histogram %v, undefined %v", constant.Residuals.Histogram, constant.Undefined)
	}
}

func TestUndefined(t *testing.T) {
	s := &metric.Sample{Kind: metric.Binary, Classes: []string{"no", "yes"}, Target: []float64{0, 0}, Prob: []float64{.1, .6}, Pred: []float64{0, 1}}
	r := evaluated(t, Input{Test: s, Baselines: map[string]*metric.Sample{"linear": s}}, quick)
	if _, ok := r.Test["roc_auc"]; ok || r.Undefined["roc_auc"] == "" || r.Compare("linear", "roc_auc") != nil || r.ROC != nil {
		t.Errorf("test %v, undefined %v", r.Test, r.Undefined)
	}
	if r.Test["accuracy"].Value != .5 {
		t.Errorf("accuracy %v", r.Test["accuracy"])
	}
}

func TestNoBootstrap(t *testing.T) {
	s := binary(50, 0)
	r := evaluated(t, Input{Test: s, Baselines: map[string]*metric.Sample{"linear": s}}, Options{Level: .95})
	if len(r.Comparisons) != 0 || !math.IsNaN(r.Test["accuracy"].Low) {
		t.Errorf("comparisons %v, accuracy %+v", r.Comparisons, r.Test["accuracy"])
	}
}

func TestManyClasses(t *testing.T) {
	k := MaxConfusion + 1
	s := &metric.Sample{Kind: metric.Multiclass, Prob: make([]float64, k*k)}
	for i := range k {
		s.Classes = append(s.Classes, string(rune('a'+i)))
		s.Target, s.Pred = append(s.Target, float64(i)), append(s.Pred, float64((i+i%2)%k))
		s.Prob[i*k+int(s.Pred[i])] = 1
	}
	r := evaluated(t, Input{Test: s}, Options{Metrics: []string{"accuracy"}, Bootstrap: 5, Level: .9})
	if r.Confusion != nil || len(r.Notes) != 1 || len(r.Confused) != maxConfused || len(r.PerClass) != k {
		t.Errorf("confusion %v, notes %v, %d mistakes, %d classes", r.Confusion != nil, r.Notes, len(r.Confused), len(r.PerClass))
	}
}

func TestErrors(t *testing.T) {
	good := binary(20, 0)
	shifted := *good
	shifted.Target = slices.Concat(good.Target[1:], good.Target[:1])
	number := &metric.Sample{Kind: metric.Regression, Target: good.Target, Pred: good.Target}
	for name, c := range map[string]struct {
		in   Input
		opts Options
		want string
	}{
		"no rows":          {Input{}, quick, "no test rows"},
		"no classes":       {Input{Test: &metric.Sample{Kind: metric.Binary, Target: []float64{1}}}, quick, "names of two classes"},
		"other rows":       {Input{Test: good, Baselines: map[string]*metric.Sample{"linear": &shifted}}, quick, `baseline "linear" was measured on other rows`},
		"other kind":       {Input{Test: good, Baselines: map[string]*metric.Sample{"linear": number}}, quick, `baseline "linear" predicts a regression`},
		"no baseline":      {Input{Test: good, Baselines: map[string]*metric.Sample{"linear": nil}}, quick, `baseline "linear" has no predictions`},
		"validation":       {Input{Test: good, Validation: number}, quick, "validation rows have a regression target"},
		"unknown metric":   {Input{Test: good}, Options{Metrics: []string{"acuracy"}}, "did you mean accuracy"},
		"unfitting metric": {Input{Test: good}, Options{Metrics: []string{"rmse"}, Level: .9}, "rmse"},
		"twice":            {Input{Test: good}, Options{Metrics: []string{"roc_auc", "auc"}}, "listed twice"},
		"level":            {Input{Test: good}, Options{Level: 95}, "level is 95"},
		"resamples":        {Input{Test: good}, Options{Level: .9, Bootstrap: -1}, "bootstrap is -1"},
	} {
		if _, err := Evaluate(c.in, c.opts); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, c.want)
		}
	}
}

func TestJSON(t *testing.T) {
	nan := Number(math.NaN())
	in := Input{Test: binary(60, 0), Baselines: map[string]*metric.Sample{"linear": binary(60, 1)},
		Training: Training{Best: 1, Epochs: []Epoch{{Epoch: 1, TrainLoss: .5, ValidationLoss: nan, Metric: nan, LearningRate: .1}}}}
	want, err := json.Marshal(evaluated(t, in, quick))
	if err != nil {
		t.Fatal(err)
	}
	var back Result
	if err := json.Unmarshal(want, &back); err != nil {
		t.Fatal(err)
	}
	if !math.IsNaN(float64(back.Training.Epochs[0].ValidationLoss)) {
		t.Error("null is not NaN again")
	}
	if got, err := json.Marshal(back); err != nil || string(got) != string(want) {
		t.Errorf("a round trip changed it (%v):\n%s\n%s", err, got, want)
	}
}

func TestEntropy(t *testing.T) {
	s := &metric.Sample{Kind: metric.Binary, Target: []float64{0, 1, 1, 1}}
	if got, want := entropy(s), -.25*math.Log(.25)-.75*math.Log(.75); math.Abs(got-want) > 1e-15 {
		t.Errorf("entropy %v, want %v", got, want)
	}
	s.Weight = []float64{3, 1, 1, 1}
	if got := entropy(s); math.Abs(got-math.Ln2) > 1e-15 {
		t.Errorf("weighted entropy %v, want ln 2", got)
	}
}

// TestChance: the headline's difference to each baseline has the p-value of the
// metric's paired test, and without resamples none.
func TestChance(t *testing.T) {
	good, bad := binary(500, 0), binary(500, 1)
	in := Input{Target: "y", Test: good, Baselines: map[string]*metric.Sample{"linear": bad, "trivial": binary(500, 3)}}
	r := evaluated(t, in, quick)
	m, err := metric.Lookup("roc_auc")
	if err != nil {
		t.Fatal(err)
	}
	want, err := metric.Paired(good, bad, m, nil, patterns, quick.Seed)
	if err != nil {
		t.Fatal(err)
	}
	tested := 0
	for _, c := range r.Comparisons {
		if c.P != nil {
			tested++
		}
	}
	if c := r.Compare("linear", "roc_auc"); c.P == nil || *c.P != want.P || c.Test != metric.TestDeLong || tested != 2 {
		t.Errorf("%+v, expected p %g; %d are tested", c, want.P, tested)
	}
	p := 0.0123
	for text, c := range map[string]Comparison{"": {}, "p 0.012, DeLong": {Test: "DeLong", P: &p}, "p < 0.0001, DeLong": {Test: "DeLong", P: new(float64)}} {
		if got := c.Chance(); got != text {
			t.Errorf("%q, expected %q", got, text)
		}
	}
}
