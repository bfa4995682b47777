package lifecycle

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/feature"
	"github.com/hone-ml/hone/format/bundle"
	"github.com/hone-ml/hone/model"
)

// tagged writes the notes of testdata/tags.csv and a configuration that learns their
// topics.
func tagged(t *testing.T, more string) (dir, config string) {
	t.Helper()
	dir = t.TempDir()
	raw, err := os.ReadFile("testdata/tags.csv")
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, dir, "tags.csv", string(raw))
	config = writeFile(t, dir, "hone.yaml", `
name: m
data: {source: tags.csv, split: {method: random, fractions: [0.7, 0.15, 0.15]}}
inputs: [branch, note]
outputs: [{name: topics, type: set`+more+`}]
network: {type: mlp, widths: []}
train: {epochs: 6, batch_size: 32, bagging: off}
evaluate: {bootstrap: 100}
`)
	return dir, config
}

// TestSets: from a file of labelled texts to a bundle whose predictions, by itself
// and from a file, measure the same.
func TestSets(t *testing.T) {
	t.Parallel()
	dir, config := tagged(t, "")
	c, err := LoadConfig(config, nil)
	if err != nil {
		t.Fatal(err)
	}
	var notes []string
	summary, err := Run(context.Background(), c, func(e Event) { notes = append(notes, e.Note) })
	if err != nil {
		t.Fatal(err)
	}
	if got := summary.Test["f1_micro"].Value; summary.Task != "multilabel" || got < 0.9 || summary.Against["trivial"] != evaluate.Better {
		t.Errorf("f1_micro is %v, %+v", got, summary)
	}
	if said := strings.Join(notes, "\n"); !strings.Contains(said, "a label is present from a probability of") {
		t.Errorf("no threshold is told: %s", said)
	}
	path := filepath.Join(dir, "m.hone")
	m, b, err := model.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	set := m.Output.(*feature.Set)
	if set.Delimiter != ";" || len(set.Labels) != 6 {
		t.Errorf("fitted: %+v", set)
	}
	var result evaluate.Result
	raw, err := b.Part("metrics.json")
	if err == nil {
		err = json.Unmarshal(raw, &result)
	}
	if err != nil || len(result.PerClass) != 6 || result.PerClass[0].Rows == 0 || result.Confusion != nil {
		t.Errorf("metrics.json: %v, %+v", err, result.PerClass)
	}
	rows := filepath.Join(dir, "tags.csv")
	by, err := EvaluateFile(context.Background(), m, m, rows, data.Options{}, 0, 0.95, 0)
	if err != nil || by.Rows != 420 || len(by.PerLabel) != 6 || by.Notes != nil {
		t.Fatalf("%+v, %v", by, err)
	}
	for _, lines := range []bool{false, true} {
		text, _ := predict(t, m, rows, lines)
		name := map[bool]string{true: "p.jsonl", false: "p.csv"}[lines]
		p := writeFile(t, dir, name, text)
		o := predicting(p)
		o.File, o.Target, o.Resamples = rows, "topics", 0
		e, err := EvaluatePredictions(o)
		if err != nil {
			t.Fatal(err)
		}
		for name, v := range by.Metrics {
			if got := e.Metrics[name].Value; math.Abs(got-v.Value) > 1e-12 {
				t.Errorf("%s: %s is %v, of the bundle %v", p, name, got, v.Value)
			}
		}
		if lines {
			continue
		}
		// An empty set is written and read.
		r, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil || !slices.ContainsFunc(r, func(row []string) bool { return row[1] == data.EmptySet }) {
			t.Errorf("no row has %s, %v", data.EmptySet, err)
		}
		c, err := Compare(context.Background(), comparing(rows, path, p))
		if err != nil || c.Standings[0].Score.Value != c.Standings[1].Score.Value || c.Metric.Name != "f1_micro" {
			t.Errorf("compared: %+v, %v", c, err)
		}
	}
	// Labels that the training rows do not have are missed.
	text, err := os.ReadFile(rows)
	if err != nil {
		t.Fatal(err)
	}
	fresh := writeFile(t, dir, "fresh.csv", strings.ReplaceAll(string(text), "events", "parking"))
	e, err := EvaluateFile(context.Background(), m, m, fresh, data.Options{}, 0, 0.95, 0)
	if err != nil || len(e.Notes) != 1 || !strings.Contains(e.Notes[0], "parking") || e.PerLabel[6].Class != model.UnseenLabels || e.PerLabel[6].Recall != 0 {
		t.Errorf("unseen labels: %+v, %v", e, err)
	}
	if e.Metrics["recall_micro"].Value >= by.Metrics["recall_micro"].Value {
		t.Errorf("recall is %v with labels that cannot be found, %v without", e.Metrics["recall_micro"], by.Metrics["recall_micro"])
	}
}

// TestSetOptions: a threshold of each label, weights of its rows, folds and a bag.
func TestSetOptions(t *testing.T) {
	t.Parallel()
	dir, config := tagged(t, ", threshold: per_label, positive_weight: balanced, label_smoothing: 0.02, min_rows: 2")
	c, err := LoadConfig(config, []string{"evaluate.cross_validation=2", "train.bagging=2", "train.epochs=2", "data.split.fractions=null"})
	if err != nil {
		t.Fatal(err)
	}
	summary, err := Run(context.Background(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	if summary.CrossValidation == nil || summary.Test["f1_micro"].Value < 0.5 {
		t.Errorf("%+v", summary)
	}
	b, err := bundle.Read(filepath.Join(dir, "m.hone"))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := b.Part("features.json")
	if err != nil || !strings.Contains(string(raw), `"balanced": true`) {
		t.Errorf("%v: %s", err, raw)
	}
	out, err := os.ReadFile(summary.OutOfFold)
	if err != nil || strings.Count(string(out), "\n") != 421 {
		t.Errorf("out of fold: %v, %.200s", err, out)
	}
	c, err = LoadConfig(config, []string{"train.class_weights=balanced"})
	if err == nil {
		_, err = Run(context.Background(), c, nil)
	}
	wantError(t, err, "train.class_weights", "positive_weight: balanced")
}

// TestStrayPredictions: a class that no row has is wrong, and no mistake.
func TestStrayPredictions(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for i, c := range []struct {
		text     string
		accuracy float64
		f1       float64 // sklearn.metrics.f1_score(average="macro")
	}{
		{"y,prediction\nno,no\nyes,maybe\nyes,yes\nno,no\n", 0.75, (1 + 2./3) / 3},
		{"y,prediction\na,a\nb,b\nc,d\n", 2. / 3, 0.5},
		{"y,prediction,p_yes\nno,no,0.1\nyes,maybe,0.4\nyes,yes,0.9\nno,no,0.2\n", 0.75, (1 + 2./3) / 3},
		{"y,prediction\n1,1\n0,none of them\n0,0\n1,1\n", 0.75, (1 + 2./3) / 3},
	} {
		e, err := EvaluatePredictions(predicting(writeFile(t, dir, string(rune('a'+i))+".csv", c.text)))
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		if a, f := e.Metrics["accuracy"].Value, e.Metrics["f1_macro"].Value; math.Abs(a-c.accuracy) > 1e-12 || math.Abs(f-c.f1) > 1e-12 {
			t.Errorf("%q: accuracy %v and f1 %v, want %v and %v", c.text, a, f, c.accuracy, c.f1)
		}
		if len(e.Notes) == 0 || !strings.Contains(strings.Join(e.Notes, " "), "1 prediction is of a class that no row") {
			t.Errorf("%q: it is not told: %q", c.text, e.Notes)
		}
	}
	m, _, trainedIn := trained(t, "bought")
	rows := filepath.Join(trainedIn, "rows.csv")
	text, _ := predict(t, m, rows, false)
	stray := writeFile(t, trainedIn, "stray.csv", strings.Replace(text, ",yes,", ",perhaps,", 1))
	board, err := Compare(context.Background(), comparing(rows, filepath.Join(trainedIn, "m.hone"), stray))
	if err != nil {
		t.Fatal(err)
	}
	a, b := board.Standings[0].Metrics["accuracy"], board.Standings[1].Metrics["accuracy"]
	if math.Abs(a-b-1./500) > 1e-9 && math.Abs(b-a-1./500) > 1e-9 {
		t.Errorf("accuracies are %v and %v, expected them one row apart", a, b)
	}
}
