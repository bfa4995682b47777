package metric

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestEveryMetricIsDescribed(t *testing.T) {
	for _, m := range registered {
		if m.Label == "" || m.Doc == "" || m.Formula == "" || m.Source == "" {
			t.Errorf("%s: Label, Doc, Formula or Source is empty", m.Name)
		}
		for _, name := range append([]string{m.Name}, m.Aliases...) {
			if got, err := Lookup(name); err != nil || got != m {
				t.Errorf("Lookup(%q) = %v, %v", name, got, err)
			}
		}
	}
}

func TestLookupOffersTheNearestName(t *testing.T) {
	for name, want := range map[string]string{
		"acuracy":                "accuracy",
		"F1":                     "f1?",
		"f1-macro":               "f1_macro",
		"roc_aucc":               "roc_auc",
		"neg_mean_squared_error": "mse",
		"balanced-accuracy":      "balanced_accuracy",
		"zzzzzzzz":               "expected one of accuracy, ",
		"":                       "expected one of accuracy, ",
	} {
		_, err := Lookup(name)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Lookup(%q) says %v, expected %q", name, err, want)
		}
	}
}

func TestForListsInReportOrder(t *testing.T) {
	for kind, first := range map[Kind]string{Binary: "accuracy", Multiclass: "accuracy", Regression: "rmse"} {
		ms := For(kind)
		if len(ms) == 0 || ms[0].Name != first {
			t.Errorf("%s begins with %v, expected %s", kind, names(ms), first)
		}
		for _, m := range ms {
			if !slices.Contains(m.Kinds, kind) {
				t.Errorf("%s is listed for %s", m.Name, kind)
			}
		}
	}
}

func TestRegisterPanics(t *testing.T) {
	compute := func(*Sample) float64 { return 0 }
	for want, m := range map[string]Metric{
		`"accuracy" already`: {Name: "accuracy", Kinds: classification, Needs: Pred, Compute: compute},
		`"auc" already`:      {Name: "auc", Kinds: classification, Needs: Prob, Compute: compute},
		`without a name`:     {Kinds: classification, Needs: Pred, Compute: compute},
		`must be set`:        {Name: "mine", Kinds: classification, Compute: compute},
	} {
		func() {
			defer func() {
				if text, _ := recover().(string); !strings.Contains(text, want) {
					t.Errorf("Register(%q) panics with %q, expected %q", m.Name, text, want)
				}
			}()
			Register(m)
		}()
	}
}

func TestBadSamples(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	binary := func(change func(*Sample)) *Sample {
		s := &Sample{Kind: Binary, Target: []float64{0, 1}, Pred: []float64{0, 1}, Prob: []float64{0.2, 0.7}, Weight: []float64{1, 2}}
		change(s)
		return s
	}
	multi := func(change func(*Sample)) *Sample {
		s := &Sample{Kind: Multiclass, Classes: []string{"a", "b"}, Target: []float64{0, 1}, Pred: []float64{0, 1}, Prob: []float64{0.2, 0.8, 0.7, 0.3}}
		change(s)
		return s
	}
	number := func(change func(*Sample)) *Sample {
		s := &Sample{Kind: Regression, Target: []float64{1, 2}, Pred: []float64{1, 2}}
		change(s)
		return s
	}
	for _, c := range []struct {
		metric string
		s      *Sample
		want   string
	}{
		{"accuracy", nil, "no sample"},
		{"accuracy", binary(func(s *Sample) { *s = Sample{Pred: []float64{}} }), "no rows"},
		{"accuracy", binary(func(s *Sample) { s.Pred = nil }), "needs predictions"},
		{"roc_auc", binary(func(s *Sample) { s.Prob = nil }), "needs probabilities"},
		{"roc_auc", binary(func(s *Sample) { s.Prob[1] = nan }), "row 1: the probability is NaN"},
		{"roc_auc", binary(func(s *Sample) { s.Prob[1] = 1.5 }), "row 1: the probability is 1.5"},
		{"roc_auc", binary(func(s *Sample) { s.Prob = s.Prob[:1] }), "Prob has 1 values, expected 2"},
		{"accuracy", binary(func(s *Sample) { s.Target[0] = nan }), "row 0: the target is NaN"},
		{"accuracy", binary(func(s *Sample) { s.Target[0] = 2 }), "row 0: the target is 2, expected a class index from 0 to 1"},
		{"accuracy", binary(func(s *Sample) { s.Pred[1] = 0.5 }), "row 1: the prediction is 0.5"},
		{"accuracy", binary(func(s *Sample) { s.Pred[1] = -1 }), "row 1: the prediction is -1"},
		{"accuracy", binary(func(s *Sample) { s.Classes = []string{"a"} }), "two classes, found 1"},
		{"accuracy", binary(func(s *Sample) { s.Weight[1] = -1 }), "row 1: the weight is -1"},
		{"accuracy", binary(func(s *Sample) { s.Weight[1] = nan }), "row 1: the weight is NaN"},
		{"accuracy", binary(func(s *Sample) { s.Weight = []float64{0, 0} }), "all weights are 0"},
		{"accuracy", binary(func(s *Sample) { s.Weight = []float64{math.MaxFloat64, math.MaxFloat64} }), "add up to infinity"},
		{"accuracy", binary(func(s *Sample) { s.Weight = []float64{1} }), "Weight has 1 values"},
		{"accuracy", binary(func(s *Sample) { s.Kind = 9 }), "does not apply to a Kind(9)"},
		{"log_loss", multi(func(s *Sample) { s.Prob[2] = 0.9 }), "row 1: the probabilities add up to 1.2"},
		{"log_loss", multi(func(s *Sample) { s.Classes = nil }), "at least two classes, found 0"},
		{"log_loss", multi(func(s *Sample) { s.Classes = make([]string, maxClasses+1) }), "at most"},
		{"f1", multi(func(*Sample) {}), "metric f1 does not apply to a multiclass target; use f1_macro, f1_micro, f1_weighted"},
		{"roc_auc", multi(func(*Sample) {}), "use roc_auc_ovr"},
		{"accuracy", number(func(*Sample) {}), "does not apply to a regression target; use rmse, mae"},
		{"rmse", number(func(s *Sample) { s.Pred[0] = inf }), "row 0: the prediction is +Inf"},
		{"rmse", number(func(s *Sample) { s.Pred = s.Pred[:1] }), "Pred has 1 values, expected 2"},
	} {
		m, err := Lookup(c.metric)
		if err != nil {
			t.Fatal(err)
		}
		if v, err := m.Value(c.s); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: value %v, error %v, expected one with %q", c.metric, v, err, c.want)
		}
	}
}

func TestConfusionMatrix(t *testing.T) {
	s := &Sample{Kind: Multiclass, Classes: []string{"a", "b", "c"}, Target: []float64{0, 1, 1, 2}, Pred: []float64{0, 1, 2, 2}, Weight: []float64{1, 2, 3, 4}}
	got, err := ConfusionMatrix(s)
	if err != nil {
		t.Fatal(err)
	}
	want := [][]float64{{1, 0, 0}, {0, 2, 3}, {0, 0, 4}}
	for i := range want {
		if !slices.Equal(got[i], want[i]) {
			t.Errorf("row %d is %v, expected %v", i, got[i], want[i])
		}
	}
	if _, err := ConfusionMatrix(priceLike(3, 1)); err == nil {
		t.Error("a regression sample has a confusion matrix")
	}
}

func TestValuesLeaveTheSampleAlone(t *testing.T) {
	s := churnLike(200, 1)
	before, _ := Values(s, For(Binary))
	if s.Weight != nil || s.fixed != nil {
		t.Error("the sample was changed")
	}
	for i := range s.Prob { // a change by the caller is seen
		s.Prob[i] = 1 - s.Prob[i]
	}
	after, _ := Values(s, []*Metric{&rocAUC})
	i := slices.IndexFunc(For(Binary), func(m *Metric) bool { return m.Name == "roc_auc" })
	if !near(before[i], 1-after[0]) {
		t.Errorf("AUC was %v, and is %v with scores turned around", before[i], after[0])
	}
}

func TestConstantTargetDespiteRounding(t *testing.T) {
	s := &Sample{Kind: Regression, Target: []float64{0.1, 0.1, 0.1}, Pred: []float64{0.2, 0.1, 0.4}}
	for _, m := range []*Metric{&r2, &explainedVariance} {
		if v, err := m.Value(s); err != nil || v != 0 {
			t.Errorf("%s of a constant target is %v, %v", m.Name, v, err)
		}
	}
}

func TestThinKeepsCornersOfLargeCurves(t *testing.T) {
	s := churnLike(20000, 9)
	whole, err := ROC(s, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	few, err := ROC(s, 200)
	if err != nil {
		t.Fatal(err)
	}
	if len(few) != 200 || len(whole) < 1000 {
		t.Fatalf("%d points thinned to %d", len(whole), len(few))
	}
	// Between kept points the curve is a line; no point of the whole curve may
	// lie visibly off it.
	worst, j := 0.0, 0
	for _, p := range whole {
		for j+2 < len(few) && few[j+1].Threshold > p.Threshold {
			j++
		}
		a, b := few[j], few[j+1]
		length := math.Hypot(b.X-a.X, b.Y-a.Y)
		worst = max(worst, math.Abs((b.X-a.X)*(p.Y-a.Y)-(b.Y-a.Y)*(p.X-a.X))/length)
	}
	if worst > 0.002 {
		t.Errorf("the thinned curve is off by %v", worst)
	}
	pr, err := PrecisionRecall(s, 200)
	if err != nil || len(pr) > 200 || pr[0].X != 0 || pr[0].Y != 1 || pr[len(pr)-1].X != 1 {
		t.Errorf("precision-recall: %d points from %v, %v", len(pr), pr[:1], err)
	}
}

func TestCurvesOfOddSamples(t *testing.T) {
	one := &Sample{Kind: Binary, Target: []float64{0, 0}, Prob: []float64{0.2, 0.4}}
	for name, curve := range map[string]func(*Sample, int) ([]Point, error){"ROC": ROC, "PrecisionRecall": PrecisionRecall} {
		if points, err := curve(one, 200); err != nil || points != nil {
			t.Errorf("%s of one class gives %v, %v", name, points, err)
		}
		if _, err := curve(one, 1); err == nil {
			t.Errorf("%s of one point is no error", name)
		}
		if _, err := curve(topicLike(5, 3, 1), 200); err == nil || !strings.Contains(err.Error(), "OneVsRest") {
			t.Errorf("%s of a multiclass sample says %v", name, err)
		}
		if _, err := curve(nil, 200); err == nil {
			t.Errorf("%s of nothing is no error", name)
		}
	}
	if _, err := Calibration(one, 0); err == nil {
		t.Error("calibration with 0 bins is no error")
	}
}

func TestOneVsRestGivesTheOvRMean(t *testing.T) {
	s := topicLike(200, 4, 6)
	want, err := rocAUCOvR.Value(s)
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for c := range s.Classes {
		b, err := s.OneVsRest(c)
		if err != nil {
			t.Fatal(err)
		}
		v, err := rocAUC.Value(b)
		if err != nil {
			t.Fatal(err)
		}
		sum += v
	}
	if !near(sum/4, want) {
		t.Errorf("mean over classes %v, roc_auc_ovr %v", sum/4, want)
	}
	if _, err := s.OneVsRest(4); err == nil {
		t.Error("a class out of range is no error")
	}
	if _, err := churnLike(3, 1).OneVsRest(0); err == nil {
		t.Error("one-versus-rest of a binary sample is no error")
	}
}

func TestRequirements(t *testing.T) {
	for _, c := range []struct {
		text     string
		good     []float64
		bad      []float64
		complain string
	}{
		{"accuracy>=0.87", []float64{0.87, 1}, []float64{0.8699, math.NaN()}, "required >= 0.87"},
		{" rmse < 3 ", []float64{2.9}, []float64{3, math.NaN()}, "required < 3"},
		{"log_loss<=1e-1", []float64{0.1}, []float64{0.11}, "log_loss is 0.11, required <= 0.1 (off by 0.01)"},
		{"auc>0.5", []float64{0.51}, []float64{0.5}, "roc_auc is 0.5"},
	} {
		r, err := ParseRequirement(c.text)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		if again, err := ParseRequirement(r.String()); err != nil || again != r {
			t.Errorf("%q is written %q and read as %v, %v", c.text, r, again, err)
		}
		for _, v := range c.good {
			if err := r.Check(v); err != nil {
				t.Errorf("%q, %v: %v", c.text, v, err)
			}
		}
		for _, v := range c.bad {
			if err := r.Check(v); err == nil || !math.IsNaN(v) && !strings.Contains(err.Error(), c.complain) {
				t.Errorf("%q, %v: %v, expected %q", c.text, v, err, c.complain)
			}
		}
	}
	for text, want := range map[string]string{
		"accuracy":          "no comparison found",
		"":                  "no comparison found",
		"accuracy=0.9":      `unknown comparison "="; expected >=, >, <= or <`,
		"accuracy==0.9":     `unknown comparison "=="`,
		"accuracy=>0.9":     `unknown comparison "=>"`,
		">=0.9":             "no metric before >=",
		".accuracy>=0.9":    "OUTPUT.METRIC",
		"churn.>=0.9":       "OUTPUT.METRIC",
		"a.acuracy>=0.9":    `unknown metric "acuracy"`,
		"acuracy>=0.9":      `unknown metric "acuracy"; did you mean accuracy?`,
		"accuracy>=":        `found "" after >=`,
		"accuracy>=high":    `found "high" after >=`,
		"accuracy>=NaN":     `found "NaN"`,
		"accuracy>=90%":     `found "90%"`,
		"accuracy>=0.9>0.8": `found "0.9>0.8"`,
	} {
		if _, err := ParseRequirement(text); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), text) {
			t.Errorf("%q says %v, expected %q", text, err, want)
		}
	}
	if err := (Requirement{"", "accuracy", "~", 1}).Check(1); err == nil {
		t.Error("a requirement made by hand with an unknown comparison is kept")
	}
}
