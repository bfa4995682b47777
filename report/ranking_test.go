package report

import (
	"bytes"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/metric"
)

// board ranks samples of the same rows.
func board(t *testing.T, samples ...*metric.Sample) *Board {
	t.Helper()
	var entries []evaluate.Entry
	for i, s := range samples {
		entries = append(entries, evaluate.Entry{Name: string(rune('a'+i)) + "<b>.csv", Sample: s})
	}
	o := evaluate.DefaultRankOptions()
	o.Resamples = 200
	l, err := evaluate.Rank(entries, o)
	if err != nil {
		t.Fatal(err)
	}
	return &Board{Leaderboard: l, File: "data/rows.csv", Target: "churn", Facts: []Fact{{"bundle", make([]string, len(samples))}}, Notes: []string{"<script>"}}
}

func TestRanking(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var scores, truth []float64
	for range 600 {
		z := 2 * rng.NormFloat64()
		y := 0.0
		if rng.Float64() < sigmoid(z) {
			y = 1
		}
		scores, truth = append(scores, z), append(truth, y)
	}
	good, bad, noise := binarySample(rng, scores, truth, 0.1, 0), binarySample(rng, scores, truth, 1.6, 0), binarySample(rng, scores, truth, 0.12, 0)
	for name, c := range map[string]struct {
		b    *Board
		want []string
	}{
		"winner":    {board(t, good, bad), []string{"a&lt;b&gt;.csv is better than b&lt;b&gt;.csv.", "Is the difference real?", "All measures", "What they cost"}},
		"no winner": {board(t, good, noise, bad), []string{"No winner.", "It could be chance", "1 of 2 others are told from the first."}},
		"alone":     {board(t, good), []string{"There is nothing to compare it with."}},
	} {
		var b bytes.Buffer
		if err := Ranking(&b, c.b); err != nil {
			t.Fatal(err)
		}
		page := b.String()
		checkSVG(t, page)
		for _, want := range c.want {
			if !strings.Contains(page, want) {
				t.Errorf("%s: the page lacks %q", name, want)
			}
		}
		if strings.Contains(page, "<b>.csv") || strings.Contains(page, "<script") || strings.Contains(page, "NaN") {
			t.Errorf("%s: something is not escaped", name)
		}
		c.b.Language = Chinese
		b.Reset()
		if err := Ranking(&b, c.b); err != nil {
			t.Fatal(err)
		}
		for _, english := range []string{"Which is", "%!", "higher is"} {
			if strings.Contains(b.String(), english) {
				t.Errorf("%s: %q on the Chinese page", name, english)
			}
		}
	}
	if err := Ranking(io.Discard, nil); err == nil {
		t.Error("no error without a comparison")
	}
}

// TestAnswers asks the three questions of results that have something to hide.
func TestAnswers(t *testing.T) {
	r := binaryReport(t)
	clear := *r.Result
	answersOf := func(change func(r *Report)) string {
		one := *r
		result := clear
		one.Result = &result
		change(&one)
		var out []string
		for _, a := range answers(read(&one, voice{})) {
			out = append(out, a.Question, a.State, a.Short, strings.Join(a.Text, " "))
		}
		return strings.Join(out, "\n")
	}
	for name, c := range map[string]struct {
		change func(r *Report)
		want   string
	}{
		"clear": {func(*Report) {}, "Yes, within its interval"},
		"few":   {func(r *Report) { r.Result.Rows.Test = 40 }, "40 rows are few"},
		"rare": {func(r *Report) {
			r.Result.PerClass = []evaluate.ClassScore{{Class: "no", Rows: 100, Recall: 1}, {Class: "yes", Rows: 7}}
		}, "“yes” has only 7 rows"},
		"apart":       {func(r *Report) { r.Result.Validation = map[string]float64{"roc_auc": 0.99} }, "further away than chance explains"},
		"miscounted":  {func(r *Report) { r.Result.Calibration = []metric.Bin{{Predicted: 0.9, Observed: 0.6, Weight: 10}} }, "off by 30 points"},
		"predictions": {func(r *Report) { r.File, r.Predictions = "x/preds.csv", true }, "If these rows were new to it"},
		"slice": {func(r *Report) {
			r.SlicedBy = "roc_auc"
			r.Slices = []evaluate.Slice{{Column: "plan", Value: "basic", Rows: 50, Score: metric.Interval{Value: 0.7, Low: 0.6, High: 0.8}, Rest: 0.9, Worse: true}}
		}, "Where plan = basic, ROC AUC is 0.700 against 0.900 elsewhere (50 rows)."},
	} {
		if got := answersOf(c.change); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q is not among\n%s", name, c.want, got)
		}
	}
}

// TestCardAsks wants what the owner said in the card, and a question for the rest.
func TestCardAsks(t *testing.T) {
	r := binaryReport(t)
	r.About = About{Owner: "Ada <ada@example.org>", License: "mit"}
	_, card := render(t, r)
	for _, want := range []string{"license: \"mit\"", "Ada &lt;ada@example.org&gt;", "Set `report.card.intended_use`", "## Model details", "## Intended use", "## Factors", "## Metrics", "## Evaluation data", "## Training data", "## Quantitative analyses", "## Ethical considerations", "## Caveats and recommendations"} {
		if !strings.Contains(card, want) {
			t.Errorf("the card lacks %q", want)
		}
	}
	if strings.Contains(card, "report.card.owner") {
		t.Error("the card asks for what is known")
	}
}
