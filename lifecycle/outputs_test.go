package lifecycle

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/format/bundle"
	"github.com/hone-ml/hone/model"
)

// gaps are shoppers some of whom lack one target or another: the first 200 the
// first, the next 200 the second, the rows from 350 to 400 every one.
func gaps(n int, seed uint64) *table {
	nothing := func(string) string { return "" }
	t := shoppers(n, seed).only(append(slices.Clone(plain), "bought", "spend", "level")...)
	return t.change("bought", 0, 200, nothing).change("spend", 200, 400, nothing).change("bought", 350, 400, nothing).change("level", 350, 400, nothing)
}

const several = `
name: shop
data: {source: rows.csv}
outputs: [{name: bought, type: binary, threshold: auto}, {name: spend, weight: 0.5}, level]
` + quick

func TestSeveralOutputs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rows := gaps(1500, 51).write(t, dir, "rows.csv")
	s, w := mustRun(t, configure(t, dir, several))
	if s.Target != "bought" || s.Task != "binary" || len(s.Outputs) != 2 || s.Outputs["spend"].Task != "regression" || s.Outputs["level"].Headline != "accuracy" {
		t.Fatalf("outcome %+v", s)
	}
	if !strings.Contains(w.notes(), "50 of 1500 rows lack the target bought, spend, level and are left out") {
		t.Errorf("the rows without any target are not told: %s", w.notes())
	}
	// Rows that have a target: 250 lack bought, 200 spend, 50 of which are left out.
	for name, want := range map[string]int{"bought": 1250, "spend": 1300, "level": 1450} {
		r := s.Rows
		if name != "bought" {
			r = s.Outputs[name].Rows
		}
		if got := r.Train + r.Validation + r.Test; got != want {
			t.Errorf("%s: %d rows, expected %d", name, got, want)
		}
	}
	for name, o := range s.Outputs {
		if v := o.Test[o.Headline]; !(v.Low < v.High) || o.Baselines["linear"][o.Headline].Value == 0 || o.Against["trivial"] != evaluate.Better {
			t.Errorf("%s: %+v", name, o)
		}
	}
	m, b, err := model.Load(s.Bundle)
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range m.Inputs {
		if !slices.Contains(plain, in.Column) {
			t.Errorf("%s is an input", in.Column)
		}
	}
	raw, err := b.Part("metrics.json")
	if err != nil {
		t.Fatal(err)
	}
	var told evaluate.Result
	if err := json.Unmarshal(raw, &told); err != nil || told.Target != "bought" || !reflect.DeepEqual(told.Outputs["level"].Test, s.Outputs["level"].Test) {
		t.Errorf("metrics.json: %v, %+v", err, told.Outputs)
	}
	card, err := b.Part("model_card.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range []string{string(card), mustRead(t, s.Report)} {
		if !strings.Contains(page, "spend") || !strings.Contains(page, "level") {
			t.Error("the report or the card do not speak of every output")
		}
	}

	var out bytes.Buffer
	n, err := PredictFile(context.Background(), m, rows, data.Options{}, &out, false)
	if err != nil || n != 1500 {
		t.Fatal(n, err)
	}
	lines, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if want := "bought,bought_probability_yes,spend,level,level_probability_high,level_probability_low,level_probability_mid"; strings.Join(lines[0], ",") != want {
		t.Errorf("columns %v, expected %s", lines[0], want)
	}
	if v, err := strconv.ParseFloat(lines[7][2], 64); err != nil || math.IsNaN(v) {
		t.Errorf("spend is predicted as %v", lines[7])
	}

	e, err := EvaluateFile(context.Background(), m, m, rows, data.Options{}, 20, 0.95, 0)
	if err != nil {
		t.Fatal(err)
	}
	if e.Rows != 1250 || e.Unlabeled != 250 || e.Outputs["spend"].Rows != 1300 || e.Outputs["spend"].Unlabeled != 200 || e.Outputs["level"].Rows != 1450 {
		t.Errorf("rows %+v", e)
	}
	if e.Metrics["roc_auc"].Value < 0.7 || e.Outputs["spend"].Metrics["r2"].Value < 0.1 || e.Outputs["level"].Metrics["accuracy"].Value < 0.5 {
		t.Errorf("metrics %+v", e)
	}
	if _, err := EvaluateFile(context.Background(), m, first{m}, rows, data.Options{}, 0, 0.95, 0); err == nil || !strings.Contains(err.Error(), "another model") {
		t.Errorf("a predictor of one output: %v", err)
	}
}

// first is a predictor of one output alone.
type first struct{ model.Predictor }

// TestSeveralOutputsInABag: with several networks, killed on the way, the bundle is
// that of an uninterrupted run, and every threshold is chosen.
func TestSeveralOutputsInABag(t *testing.T) {
	t.Parallel()
	dir, other := t.TempDir(), t.TempDir()
	gaps(700, 52).write(t, dir, "rows.csv")
	writeFile(t, other, "rows.csv", mustRead(t, filepath.Join(dir, "rows.csv")))
	text := strings.Replace(several, "bagging: off", "bagging: 3", 1)
	text = strings.Replace(text, "[{name: bought, type: binary, threshold: auto}, {name: spend, weight: 0.5}, level]", "[level, {name: bought, type: binary, threshold: auto}]", 1)
	want, w := mustRun(t, configure(t, other, text))
	m := mustLoad(t, want.Bundle)
	if m.Members != 3 || len(m.Others) != 1 || !strings.Contains(w.notes(), "network: bought: a row is yes from a probability of") {
		t.Errorf("%d members, %d others; %s", m.Members, len(m.Others), w.notes())
	}
	if len(want.Outputs["bought"].Validation) == 0 || want.Outputs["bought"].Rows.Validation != 0 {
		t.Errorf("out-of-fold figures %+v", want.Outputs["bought"])
	}
	path := writeFile(t, dir, "hone.yaml", text)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childConfig+"="+path, childTrains+"=network, 2 of 3", "HONE_HOME=")
	if out, err := cmd.CombinedOutput(); err == nil {
		t.Fatalf("it was not killed: %s", out)
	}
	s, _ := mustRun(t, configure(t, dir, text))
	if !s.Resumed || mustRead(t, s.Bundle) != mustRead(t, want.Bundle) {
		t.Error("the bundle differs from that of an uninterrupted run")
	}
}

// TestOneOutputStaysAsItWas: a bundle of one output has no list of outputs, in
// features or in metrics.
func TestOneOutputStaysAsItWas(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	shoppers(400, 53).only(append(slices.Clone(plain), "bought")...).write(t, dir, "rows.csv")
	s, _ := mustRun(t, configure(t, dir, "data: {source: rows.csv}\noutputs: [bought]\n"+quick))
	b, err := bundle.Read(s.Bundle)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"features.json", "metrics.json"} {
		raw, err := b.Part(name)
		if err != nil || bytes.Contains(raw, []byte(`"outputs"`)) {
			t.Errorf("%s speaks of outputs, %v", name, err)
		}
	}
}

// TestLeaksOfEveryOutput: what gives away an output that is not the first is found
// as well.
func TestLeaksOfEveryOutput(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	all := shoppers(600, 54).only(append(slices.Clone(plain), "bought", "level")...)
	all.names = append(slices.Clone(all.names), "grade")
	for i, row := range all.rows {
		all.rows[i] = append(row, "grade of "+row[all.column("level")])
	}
	all.write(t, dir, "rows.csv")
	p, err := configure(t, dir, "data: {source: rows.csv}\noutputs: [bought, level]\n"+quick).prepare()
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range p.model.Inputs {
		if in.Column == "grade" {
			t.Error("what says the level is an input")
		}
	}
	if !slices.ContainsFunc(p.warnings, func(w string) bool { return strings.HasPrefix(w, "grade is left out") }) {
		t.Errorf("warnings %q", p.warnings)
	}
}

func TestOutputsConfig(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	gaps(500, 55).write(t, dir, "rows.csv")
	gaps(500, 55).part(200, 350).write(t, dir, "no spend.csv")
	for _, tt := range []struct {
		text  string
		parts []string
	}{
		{"outputs: []", []string{"outputs", "expected one or more"}},
		{"outputs: [bought, spend, bought]", []string{"outputs", `"bought" stands twice`}},
		{"outputs: [bought, spend]\ninputs: [age, spend]", []string{"inputs", `"spend" is the column to predict`}},
		{"outputs: [bought, {name: spend, weight: -1}]", []string{"weight", "-1"}},
		{"outputs: [{name: bought, weight: 0}, {name: spend, weight: 0}]", []string{"every weight is 0"}},
		{"outputs: [bought, {name: spend, weight: .inf}]", []string{"outputs", "weight"}},
		{"outputs: [{name: bought, weight: 2}]", []string{"outputs[0].weight", "no other output"}},
		{"outputs: [bought, spent]", []string{"spent", `did you mean "spend"`}},
		{"outputs: [bought, {name: spend, type: binary}]", []string{"spend", "two classes"}},
		{"outputs: [bought, spend]\nevaluate: {cross_validation: 3}", []string{"evaluate.cross_validation", "2 outputs"}},
		{"outputs: [bought, spend]\noptimize: {trials: 3}", []string{"optimize.trials", "2 outputs"}},
		{"outputs: [bought, spend]\ntrain: {class_weights: balanced}", []string{"train.class_weights", "2 outputs"}},
		{"outputs: [bought, spend]\ntrain: {class_sampling: balanced}", []string{"train.class_sampling", "2 outputs"}},
		{"outputs: [bought, spend]\ntrain: {early_stopping: {metric: rmse}}", []string{"train.early_stopping.metric", "rmse"}},
		{"outputs: [bought, spend]\ndata.test: no spend.csv", []string{"no spend.csv", `"spend"`, "missing in every one of 150 rows"}},
	} {
		text := "data: {source: rows.csv}\n" + tt.text
		if head, test, ok := strings.Cut(tt.text, "\ndata.test: "); ok {
			text = head + "\ndata: {source: rows.csv, test: " + test + "}"
		}
		c, err := LoadConfig(writeFile(t, dir, "bad.yaml", text), nil)
		if err == nil {
			_, err = c.prepare()
		}
		wantError(t, err, tt.parts...)
	}
	// What must not be done to a target must not be done to any.
	c := configure(t, dir, "data: {source: rows.csv, clean: [{type: cap, columns: [spend], max: 10}]}\noutputs: [bought, spend]")
	_, err := c.prepare()
	wantError(t, err, "data.clean[0] (cap)", `"spend" is to be predicted`)
}
