package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/metric"
)

// failing gives a report everything that can be told of failures, every text of
// which is the given one.
func failing(t *testing.T, text string) *Report {
	t.Helper()
	r := binaryReport(t)
	iv := metric.Interval{Value: 0.6, Low: 0.5, High: 0.7}
	nan := evaluate.Number(notANumber())
	example := evaluate.Example{Row: 7, Truth: text, Prediction: text, Confidence: 0.99, TruthProbability: 0.01, Error: nan, Values: map[string]string{text: text, "b": strings.Repeat("long ", 100)}}
	r.Result.Failures = &evaluate.Failures{
		Metric:       "accuracy",
		Weak:         []evaluate.WeakSlice{{Where: text, Rows: 80, Tested: 40, Score: iv, Rest: 0.9, Stated: nan, Adjusted: 0.001}},
		Confidence:   []evaluate.ConfidenceSlice{{Low: 0.5, High: 0.7, Rows: 100, Score: iv, Stated: 0.6}, {Low: 0.7, High: 1, Rows: 100, Score: iv, Stated: 0.9}},
		Hardest:      []evaluate.Example{example},
		SureAndWrong: []evaluate.Example{{Row: 9, Truth: text, Prediction: text, Confidence: nan, TruthProbability: nan, Error: nan}},
		LabelErrors:  &evaluate.LabelErrors{Rows: 1, Share: 0.01, Errors: []evaluate.LabelError{{Row: 3, Given: text, Suggested: text, GivenProbability: 0.01, SuggestedProbability: 0.99}}},
		Fairness: []*evaluate.Fairness{{Column: text, Groups: []evaluate.Group{{Value: text, Rows: 50, Scores: evaluate.Scores{"accuracy": iv}}, {Value: "b", Rows: 60, Scores: evaluate.Scores{}}},
			Gaps: []evaluate.Gap{{Name: "demographic_parity", Class: text, Difference: 0.1, Ratio: nan, Lowest: text, Highest: text, Adjusted: 0.01, Apart: true}}, LeftOut: []string{text}}},
		Robustness: &evaluate.Robustness{Metric: "roc_auc", HigherIsBetter: true, Rows: 100, Before: 0.9, Changes: []evaluate.Change{{Kind: "typos", Column: text, Words: text, After: 0.8, Fall: iv, P: 0.01, Adjusted: 0.01, Worse: true}}},
		RowsOf:     text,
	}
	r.Result.Diagnosis = &evaluate.Diagnosis{
		Found: []evaluate.Finding{{Kind: evaluate.ProblemLeak, Sentence: text, Remedy: text}}, Clear: []string{evaluate.ProblemDrift, evaluate.ProblemNoise},
		Open: []evaluate.Open{{Kind: evaluate.ProblemFewRows, Needs: text}},
	}
	r.Result.PredictionSets = &evaluate.PredictionSets{Method: "lac", Rows: 100, Coverages: []evaluate.SetCoverage{{Coverage: 0.9, Rows: 100, Observed: iv, Verdict: evaluate.LessCovered, Size: 1.2, PerClass: []evaluate.ClassCoverage{{Class: text, Rows: 10, Observed: iv}}}}}
	policy := evaluate.Policy{Name: evaluate.PolicyChosen, Value: iv, Precision: iv, Recall: iv, Positive: 0.2}
	half := policy
	half.Name, half.Threshold, half.Difference = evaluate.PolicyHalf, &iv.Low, &iv
	r.Threshold = &evaluate.ThresholdChoice{Aim: text, Label: text, Threshold: 0.3, Policies: []evaluate.Policy{policy, half}, Unmet: true}
	r.Result.ByClass = []evaluate.ClassCurves{{Class: text, PR: []metric.Point{{X: 0, Y: 1}, {X: 1, Y: 0.3}}}, {Class: "b", PR: []metric.Point{{X: 0, Y: 1}, {X: 1, Y: 0.9}}}}
	r.Result.Importance = &evaluate.Importance{Metric: "roc_auc", Score: 0.9, Rows: 100, Repeats: 5, Columns: []evaluate.ColumnImportance{{Columns: []string{text}, Loss: iv}}, Groups: []evaluate.ColumnImportance{{Columns: []string{text, "b"}, Loss: iv}}}
	r.Result.Recalibration = &evaluate.Recalibration{Sentence: text}
	return r
}

func TestFailures(t *testing.T) {
	page, card := render(t, failing(t, "plan is basic"))
	checkSVG(t, page)
	for _, want := range []string{
		`id="diagnosis"`, `id="weak"`, `id="rows"`, `id="fairness"`, `id="robustness"`, `id="sets"`, `id="importance"`, `id="threshold"`, `id="gain-f"`, `id="lift-f"`, `id="by-class-f"`,
		"Where plan is basic, accuracy is 0.600 against 0.900 elsewhere (40 rows).", "Leakage: plan is basic", "With care", "demographic parity", "Likely label errors", "Sure and wrong", "90.0%",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page, "NaN") || strings.Contains(card, "NaN") {
		t.Error("NaN on the page or the card")
	}
	for _, want := range []string{"| plan is basic | 80 | 0.600 |", "#### Gaps by “plan is basic”", "Leakage: plan is basic"} {
		if !strings.Contains(card, want) {
			t.Errorf("the card lacks %q", want)
		}
	}
	evil := failing(t, "</td><script>alert(1)</script><img src=x onerror=alert(1)>\x00\u202e")
	page, _ = render(t, evil)
	checkSVG(t, page)
	for _, bad := range []string{"<script", "<img", "\x00", "\u202e"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page contains %q", bad)
		}
	}
	zh := failing(t, "套餐")
	zh.Language = Chinese
	page, _ = render(t, zh)
	for _, english := range []string{"Weak slices", "is better", "than chance", "Row by row", "%!", "asked", "leakage"} {
		if i := strings.Index(page[strings.Index(page, "<body>"):], english); i >= 0 {
			t.Errorf("%q on the Chinese page: …%s…", english, page[strings.Index(page, "<body>"):][max(0, i-60):i+40])
		}
	}
}

// TestPictures shows the rows that have an image as images, and allows nothing else
// to be fetched.
func TestPictures(t *testing.T) {
	r := failing(t, "cat")
	r.Pictures = map[int]string{7: "data:image/png;base64,AAAA"}
	var b bytes.Buffer
	if err := HTML(&b, r); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	if !strings.Contains(page, `<img src="data:image/png;base64,AAAA" alt="Row 7: cat, predicted cat">`) || !strings.Contains(page, "img-src data:;") {
		t.Error("the picture of row 7 is not on the page")
	}
	if page, _ := render(t, failing(t, "cat")); strings.Contains(page, "img-src") {
		t.Error("a page without pictures allows images")
	}
}
