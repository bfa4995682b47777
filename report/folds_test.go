package report

import (
	"strings"
	"testing"

	"github.com/hone-ml/hone/evaluate"
)

func TestFolds(t *testing.T) {
	r := binaryReport(t)
	fold := func(repeat, n int, v float64) evaluate.Fold {
		return evaluate.Fold{Repeat: repeat, Fold: n, Rows: evaluate.Rows{Train: 1000, Validation: 200, Test: 300}, Scores: map[string]float64{"roc_auc": v, "f1_micro": v}, Baselines: map[string]map[string]float64{"linear": {"roc_auc": v - 0.1}}}
	}
	r.Result.CrossValidation = &evaluate.CrossValidation{
		Method: "group", Column: "<site>", Folds: 2, Repeats: 2, IsTest: true,
		Scores:    map[string]evaluate.Spread{"roc_auc": {Mean: 0.8712, Deviation: 0.0123, Folds: 4}, "f1_micro": {Mean: 0.5, Folds: 4}},
		Baselines: map[string]map[string]evaluate.Spread{"linear": {"roc_auc": {Mean: 0.7712, Deviation: 0.0456, Folds: 4}}},
		Each:      []evaluate.Fold{fold(1, 1, 0.86), fold(1, 2, 0.87), fold(2, 1, 0.88), fold(2, 2, 0.89)},
	}
	r.Result.Training.Members = 8
	var page, card strings.Builder
	if err := HTML(&page, r); err != nil {
		t.Fatal(err)
	}
	if err := ModelCard(&card, r); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"page": page.String(), "card": card.String()} {
		for _, want := range []string{"Cross-validation", "0.871 ± 0.012", "0.771 ± 0.046", "2, 2", "&lt;site&gt;", "in 2 divisions", "by a fold that had not seen it", "by 8 networks"} {
			want = strings.Replace(want, "by a fold", "by models of a fold", 1)
			if !strings.Contains(text, want) {
				t.Errorf("the %s lacks %q", name, want)
			}
		}
		if strings.Contains(text, "touched once") || strings.Contains(text, "<site>") {
			t.Errorf("the %s says that test rows were touched once, or is not escaped", name)
		}
	}
	if r.Result.CrossValidation = nil; foldsOf(read(r, voice{})) != nil {
		t.Error("folds of a run without any")
	}
}
