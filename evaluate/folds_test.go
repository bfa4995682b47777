package evaluate

import (
	"math"
	"testing"

	"github.com/hone-ml/hone/metric"
)

func TestFolds(t *testing.T) {
	sample := func(pred ...float64) *metric.Sample {
		return &metric.Sample{Kind: metric.Regression, Target: make([]float64, len(pred)), Pred: pred}
	}
	in := []FoldInput{
		{Repeat: 1, Fold: 1, Rows: Rows{Train: 4, Test: 2}, Test: sample(1, 1), Baselines: map[string]*metric.Sample{"linear": sample(2, 2)}},
		{Repeat: 1, Fold: 2, Test: sample(2, -2), Baselines: map[string]*metric.Sample{"linear": sample(2, 2)}},
		{Repeat: 2, Fold: 1, Test: sample(4, 4), Baselines: map[string]*metric.Sample{"linear": sample(2, 2)}},
		{Repeat: 2, Fold: 2, Test: sample(5, 5), Baselines: map[string]*metric.Sample{"linear": sample(2, 2)}},
	}
	c, err := Folds(in, Options{Metrics: []string{"rmse", "r2"}})
	if err != nil {
		t.Fatal(err)
	}
	// numpy.std([1, 2, 4, 5], ddof=1)
	if s := c.Scores["rmse"]; s.Mean != 3 || math.Abs(s.Deviation-1.8257418583505538) > 1e-15 || s.Folds != 4 {
		t.Errorf("rmse %+v", s)
	}
	if s := c.ByRepeat[1]["rmse"]; s.Mean != 4.5 || s.Folds != 2 || len(c.ByRepeat) != 2 {
		t.Errorf("second repeat %+v", c.ByRepeat)
	}
	if s := c.Baselines["linear"]["rmse"]; s != (Spread{2, 0, 4}) {
		t.Errorf("linear %+v", s)
	}
	if c.Folds != 2 || c.Repeats != 2 || c.Each[0].Rows.Train != 4 || c.Each[3].Scores["rmse"] != 5 || c.Each[3].Baselines["linear"]["rmse"] != 2 {
		t.Errorf("%+v", c)
	}
	// What is undefined on every fold, as R² of targets that do not vary, is left out.
	if v, ok := c.Scores["r2"]; ok && (math.IsNaN(v.Mean) || math.IsInf(v.Mean, 0)) {
		t.Errorf("r2 %+v", v)
	}
	if _, err := Folds(nil, Options{}); err == nil {
		t.Error("no folds are measured")
	}
}
