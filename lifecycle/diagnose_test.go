package lifecycle

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/format/bundle"
	"github.com/hone-ml/hone/model"
)

// patients makes up rows of which a class follows from numbers and a category,
// nearly without doubt, and changes each of them.
func patients(n int, seed uint64, change func(r *rand.Rand, row map[string]string)) *table {
	names := []string{"age", "dose", "weight", "site", "sex", "ill"}
	t := &table{names: names}
	r := rand.New(rand.NewPCG(seed, 8))
	for range n {
		age, dose, weight := r.NormFloat64(), r.NormFloat64(), r.NormFloat64()
		site, sex := []string{"north", "south", "east", "west"}[r.IntN(4)], []string{"f", "m"}[r.IntN(2)]
		ill := "no"
		if 2*age-1.5*dose+0.5*weight+0.7*r.NormFloat64() > 0 {
			ill = "yes"
		}
		row := map[string]string{"age": fmt.Sprintf("%.3f", age), "dose": fmt.Sprintf("%.3f", dose), "weight": fmt.Sprintf("%.3f", weight), "site": site, "sex": sex, "ill": ill}
		if change != nil {
			change(r, row)
		}
		if t.column("paid") < 0 && row["paid"] != "" {
			t.names = append(slices.Clone(names), "paid")
		}
		var cells []string
		for _, name := range t.names {
			cells = append(cells, row[name])
		}
		t.rows = append(t.rows, cells)
	}
	return t
}

var other = map[string]string{"yes": "no", "no": "yes"}

// TestDiagnosisOfRuns: problems that are planted in the data or in the training are
// found by their names, and in a clean run nothing is.
func TestDiagnosisOfRuns(t *testing.T) {
	t.Parallel()
	noisy := func(share float64) func(*rand.Rand, map[string]string) {
		return func(r *rand.Rand, row map[string]string) {
			if r.Float64() < share {
				row["ill"] = other[row["ill"]]
			}
		}
	}
	for _, tt := range []struct {
		name, want  string
		train, test func(r *rand.Rand, row map[string]string)
		rows        int
		sets        []string
	}{
		{name: "clean", rows: 3000},
		{name: "label noise", want: evaluate.ProblemNoise, rows: 3000, train: noisy(0.12), test: noisy(0.12)},
		{name: "leak", want: evaluate.ProblemLeak, rows: 1500, sets: []string{"inputs=[age, dose, paid]"},
			train: func(r *rand.Rand, row map[string]string) {
				row["paid"] = map[string]string{"yes": "x", "no": "z"}[row["ill"]]
			},
			test: func(r *rand.Rand, row map[string]string) {
				row["paid"] = map[string]string{"yes": "x", "no": "z"}[row["ill"]]
			}},
		{name: "weak slice", want: evaluate.ProblemWeak, rows: 3000,
			train: func(r *rand.Rand, row map[string]string) {
				if row["site"] == "north" {
					row["ill"] = []string{"yes", "no"}[r.IntN(2)]
				}
			},
			test: func(r *rand.Rand, row map[string]string) {
				if row["site"] == "north" {
					row["ill"] = []string{"yes", "no"}[r.IntN(2)]
				}
			}},
		{name: "over-fitting", want: evaluate.ProblemOver, rows: 300, train: noisy(0.2), test: noisy(0.2),
			sets: []string{"network={type: mlp, widths: [256, 256], dropout: 0}", "train.epochs=60", "train.early_stopping={patience: 60}", "train.optimizer={type: adamw, learning_rate: 0.01, weight_decay: 0}"}},
		{name: "drift", want: evaluate.ProblemDrift, rows: 2000,
			test: func(r *rand.Rand, row map[string]string) { row["weight"] = fmt.Sprintf("%.3f", 1.5+r.NormFloat64()) }},
		{name: "miscalibration", want: evaluate.ProblemCalibration, rows: 2000, train: func(r *rand.Rand, row map[string]string) {
			if row["ill"] == "no" && r.Float64() < 0.4 { // the test rows come from elsewhere
				row["ill"] = "yes"
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			patients(tt.rows, 1, tt.train).write(t, dir, "rows.csv")
			patients(2000, 2, tt.test).write(t, dir, "test.csv")
			text := `
data: {source: rows.csv, test: test.csv, validation: {fraction: 0.2}}
outputs: [ill]
network: {type: mlp, widths: [16], dropout: 0}
train: {bagging: off, epochs: 12, batch_size: 64, optimizer: {type: adamw, learning_rate: 0.005}}
evaluate: {bootstrap: 40}
`
			s, _ := mustRun(t, configure(t, dir, text, tt.sets...))
			d := s.Diagnosis
			if d == nil {
				t.Fatal("no diagnosis")
			}
			for _, f := range d.Found {
				t.Logf("%s: %s → %s %q", f.Kind, f.Sentence, f.Remedy, f.Changes)
			}
			if tt.want == "" {
				if len(d.Found) > 0 || len(s.Failures.Weak) > 0 && tt.name == "" {
					t.Errorf("found %+v", d.Found)
				}
				return
			}
			f := d.Says(tt.want)
			if f == nil {
				t.Fatalf("found %+v\nclear %v\nopen %+v", d.Found, d.Clear, d.Open)
			}
			if len(f.Evidence) == 0 || f.Remedy == "" {
				t.Errorf("%+v", f)
			}
			if slices.Contains([]string{evaluate.ProblemOver, evaluate.ProblemNoise, evaluate.ProblemLeak}, tt.want) {
				if len(f.Changes) == 0 {
					t.Errorf("%s: nothing that optimize could act on", f.Kind)
				} else if _, err := configure(t, dir, text, tt.sets...).derive(f.Changes); err != nil {
					t.Errorf("%q: %v", f.Changes, err)
				}
			}
			if !slices.ContainsFunc(s.Findings, func(said string) bool {
				return strings.Contains(said, f.Kind) || strings.Contains(said, f.Sentence) || f.Kind == evaluate.ProblemOver && strings.HasPrefix(said, "Over-fitting")
			}) {
				t.Errorf("the summary does not say it: %q", s.Findings)
			}
		})
	}
}

// TestRobustness: by its seed alone, for a model and for whoever predicts like it;
// what the model reads matters, and what it does not, does not.
func TestRobustness(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	patients(1500, 1, nil).write(t, dir, "rows.csv")
	test := patients(600, 2, nil).write(t, dir, "test.csv")
	s, _ := mustRun(t, configure(t, dir, "data: {source: rows.csv}\ninputs: [age, dose, site]\noutputs: [ill]\n"+quick))
	m := mustLoad(t, s.Bundle)
	measured := func(p model.Predictor) *Evaluation {
		t.Helper()
		e, err := Evaluate(context.Background(), m, p, EvaluationOptions{File: test, Resamples: 200, Level: 0.95, Seed: 3, Robustness: true, Groups: []string{"sex"}})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	e := measured(m)
	r := e.Failures.Robustness
	if r.Metric != "roc_auc" || r.Rows != 600 || r.Sampled || math.Abs(float64(r.Before)-e.Metrics["roc_auc"].Value) > 1e-12 {
		t.Fatalf("%+v", r)
	}
	falls := map[string]evaluate.Change{}
	for _, c := range r.Changes {
		falls[c.Kind+" "+c.Column+" "+c.Words] = c
		if c.Fall.Low > c.Fall.Value || c.Fall.High < c.Fall.Value || math.Abs(float64(r.Before-c.After)-c.Fall.Value) > 1e-12 {
			t.Errorf("%+v", c)
		}
	}
	if c := falls["missing age missing in every row"]; !c.Worse || c.Fall.Value < 0.1 || c.Moved < 0.05 {
		t.Errorf("without age: %+v", c)
	}
	if c := falls["missing site missing in every row"]; c.Worse {
		t.Errorf("without site: %+v", c)
	}
	if a, b := falls["noise 2 columns normal noise of 0.1 standard deviations"], falls["noise 2 columns normal noise of 0.5 standard deviations"]; !(b.Moved > a.Moved) || a.Moved == 0 {
		t.Errorf("noise: %+v, %+v", a, b)
	}
	if f := e.Failures.Fairness; len(f) != 1 || f[0].Column != "sex" || len(f[0].Groups) != 2 {
		t.Errorf("groups: %+v", f)
	}
	a, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := json.Marshal(measured(first{m})); err != nil || string(a) != string(b) {
		t.Error("the same predictions give other failures")
	}
	_, err = Evaluate(context.Background(), m, m, EvaluationOptions{File: test, Level: 0.95, Groups: []string{"sxe"}})
	wantError(t, err, "sxe", "sex")

	// What the run found of the training is known of its bundle.
	b, err := bundle.Read(s.Bundle)
	if err != nil {
		t.Fatal(err)
	}
	e.Recall(b)
	for _, o := range e.Diagnosis.Open {
		if slices.Contains(s.Diagnosis.Clear, o.Kind) && o.Kind != evaluate.ProblemDrift && o.Kind != evaluate.ProblemLeak {
			t.Errorf("%s is open, and the run cleared it", o.Kind)
		}
	}
	raw, err := b.Part("metrics.json")
	if err != nil || !strings.Contains(string(raw), "weak_slices") || strings.Contains(string(raw), `"values"`) {
		t.Errorf("metrics.json: %v\n%s", err, raw)
	}
}

// TestMistyped: a share of the letters, by the draws alone.
func TestMistyped(t *testing.T) {
	text := strings.Repeat("The quick brown fox, 12 times. ", 40)
	once, twice := mistyped(text, 0.1, rand.New(rand.NewPCG(1, 2))), mistyped(text, 0.1, rand.New(rand.NewPCG(1, 2)))
	if once != twice || once == text || strings.Count(once, "12") != 40 {
		t.Errorf("%.80q, %.80q", once, twice)
	}
	if mistyped(text, 0, rand.New(rand.NewPCG(1, 2))) != text {
		t.Error("nothing to mistype, and it was")
	}
	if n := len([]rune(once)); n < 1100 || n > 1350 {
		t.Errorf("%d letters of %d", n, len(text))
	}
}

// TestPixelChanges: what is done to images stays within them, and leaves a flat one
// alone where it should.
func TestPixelChanges(t *testing.T) {
	flat := &data.Pixels{Width: 9, Height: 7, Channels: 3, Pix: make([]uint8, 9*7*3)}
	for i := range flat.Pix {
		flat.Pix[i] = 100
	}
	for name, q := range map[string]*data.Pixels{"blur": blurred(flat), "rotation": turnedBy(flat, 5)} {
		if !slices.Equal(q.Pix, flat.Pix) {
			t.Errorf("%s changes an image of one colour", name)
		}
	}
	dot := &data.Pixels{Width: 5, Height: 5, Channels: 1, Pix: make([]uint8, 25)}
	dot.Pix[12] = 90
	if b := blurred(dot); b.Pix[12] != 10 || b.Pix[6] != 10 || b.Pix[0] != 0 {
		t.Errorf("blur: %v", b.Pix)
	}
	if r := turnedBy(dot, 90); r.Pix[12] != 90 {
		t.Errorf("rotation: %v", r.Pix)
	}
	for _, p := range []*data.Pixels{flat, dot} {
		content, err := encoded(p)
		if err != nil {
			t.Fatal(err)
		}
		q, err := data.DecodeImage(content)
		if err != nil || q.Channels != p.Channels && p != flat || q.Width != p.Width || q.Height != p.Height {
			t.Errorf("%+v, %v", q, err)
		}
	}
}

// TestPredictionsFail: where predictions of a file fail, by columns beside them.
func TestPredictionsFail(t *testing.T) {
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(4, 4))
	var b strings.Builder
	b.WriteString("y,p_yes,town,paid,sex\n")
	for i := range 1500 {
		y := r.IntN(2)
		p := 0.15 + 0.7*float64(y) + 0.1*r.NormFloat64()
		if r.IntN(10) == 0 {
			p = 1 - p
		}
		town := []string{"rome", "oslo", "bonn"}[i%3]
		if town == "oslo" && r.IntN(2) == 0 {
			p = 1 - p
		}
		fmt.Fprintf(&b, "%s,%.4f,%s,%d,%s\n", []string{"no", "yes"}[y], min(0.99, max(0.01, p)), town, 100*y+i%7, []string{"f", "m"}[r.IntN(2)])
	}
	path := writeFile(t, dir, "preds.csv", b.String())
	e, err := EvaluatePredictions(PredictionOptions{Predictions: path, Target: "y", Resamples: 50, Level: 0.95, Groups: []string{"sex"}})
	if err != nil {
		t.Fatal(err)
	}
	f := e.Failures
	if len(f.Weak) == 0 || !strings.Contains(f.Weak[0].Where, `"oslo"`) || len(f.Hardest) == 0 || len(f.Confidence) == 0 || f.LabelErrors.Rows == 0 || len(f.Fairness) != 1 {
		t.Errorf("%+v", f)
	}
	// What gives the truth away is told, and nothing is told apart by it.
	byLeak := slices.ContainsFunc(f.Weak, func(w evaluate.WeakSlice) bool { return strings.Contains(w.Where, "paid") })
	byLeak = byLeak || slices.ContainsFunc(e.Slices, func(s evaluate.Slice) bool { return s.Column == "paid" })
	if _, shown := f.Hardest[0].Values["paid"]; byLeak || shown {
		t.Errorf("rows are told apart by a column that gives the truth away: %+v, %+v", f, e.Slices)
	}
	if e.Diagnosis.Says(evaluate.ProblemLeak) == nil || e.Diagnosis.Says(evaluate.ProblemWeak) == nil {
		t.Errorf("%+v", e.Diagnosis)
	}
	for _, one := range f.Hardest { // by their numbers in the file
		line := strings.Split(strings.Split(b.String(), "\n")[one.Row], ",")
		if line[0] != one.Truth || line[2] != one.Values["town"] {
			t.Errorf("row %d is %v, told as %+v", one.Row, line, one)
		}
	}
	out := filepath.Join(dir, "label_errors.csv")
	if err := WriteLabelErrors(out, f.LabelErrors); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if rows, err := csv.NewReader(file).ReadAll(); err != nil || len(rows) != f.LabelErrors.Rows+1 || rows[0][0] != "row" {
		t.Errorf("%d rows, %v", len(rows), err)
	}
	if _, err := EvaluatePredictions(PredictionOptions{Predictions: path, Target: "y", Level: 0.95, Groups: []string{"nobody"}}); err == nil {
		t.Error("groups of a column that is not there")
	}
}
