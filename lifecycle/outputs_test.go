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
	"github.com/hone-ml/hone/feature"
	"github.com/hone-ml/hone/format/bundle"
	"github.com/hone-ml/hone/metric"
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
	n, err := PredictFile(context.Background(), m, rows, data.Options{}, &out, false, 0)
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
	all := shoppers(500, 55).only(append(slices.Clone(plain), "bought", "spend", "level", "balance")...)
	all.write(t, dir, "rows.csv")
	all.part(200, 350).change("spend", 0, 150, func(string) string { return "" }).write(t, dir, "no spend.csv")
	// Of 240 rows 2 have the second target: no fold can be learnt and measured.
	gaps(600, 55).part(202, 600).part(0, 240).change("spend", 10, 238, func(string) string { return "" }).write(t, dir, "rare.csv")
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
		{"outputs: [balance, spend]\ntrain: {class_weights: balanced}", []string{"train.class_weights", `"balance", "spend" is predicted as a number`}},
		{"outputs: [bought, spend]\ntrain: {class_sampling: balanced}", []string{"train.class_sampling", "2 outputs", "shift what the others learn", "train.class_weights: balanced"}},
		{"outputs: [bought, spend]\nevaluate: {cross_validation: 3}\ndata.source: rare.csv", []string{"evaluate.cross_validation", "fold 1 of 3", `"spend"`, "is missing in every one"}},
		{"outputs: [bought, spend]\ntrain: {early_stopping: {metric: rmse}}", []string{"train.early_stopping.metric", "rmse"}},
		{"outputs: [bought, spend]\ndata.test: no spend.csv", []string{"no spend.csv", `"spend"`, "missing in every one of 150 rows"}},
	} {
		text := "data: {source: rows.csv}\n" + tt.text
		if head, test, ok := strings.Cut(tt.text, "\ndata.test: "); ok {
			text = head + "\ndata: {source: rows.csv, test: " + test + "}"
		}
		if head, source, ok := strings.Cut(tt.text, "\ndata.source: "); ok {
			text = head + "\ndata: {source: " + source + "}"
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

// TestFoldsOfSeveralOutputs: the folds measure every output on the rows that have
// it, keep what was predicted of each, and go on where they were killed.
func TestFoldsOfSeveralOutputs(t *testing.T) {
	t.Parallel()
	dir, other := t.TempDir(), t.TempDir()
	gaps(700, 56).write(t, dir, "rows.csv")
	writeFile(t, other, "rows.csv", mustRead(t, filepath.Join(dir, "rows.csv")))
	text := strings.Replace(several, "threshold: auto", "threshold: 0.4", 1)
	text = strings.Replace(text, "evaluate: {", "evaluate: {cross_validation: 2, ", 1)
	want, _ := mustRun(t, configure(t, other, text))
	spend := want.Outputs["spend"]
	if spend.CrossValidation == nil || !spend.CrossValidation.IsTest || len(spend.CrossValidation.Each) != 2 || want.CrossValidation == nil {
		t.Fatalf("folds %+v, %+v", want.CrossValidation, spend.CrossValidation)
	}
	rows := outOfFoldRows(t, want.OutOfFold)
	for _, name := range []string{"bought_actual", "bought", "bought_probability_yes", "spend_actual", "spend", "level_actual", "level_probability_high"} {
		if len(rows[name]) != 650 { // all that have a target
			t.Errorf("column %s has %d rows, expected 650", name, len(rows[name]))
		}
	}
	tested, errors := 0, [3]float64{} // over both folds, and in each
	count := [3]float64{}
	for i, actual := range rows["spend_actual"] {
		if actual == "" {
			continue
		}
		tested++
		d := math.Abs(number(t, actual) - number(t, rows["spend"][i]))
		for _, k := range []int{0, int(number(t, rows["fold"][i]))} {
			errors[k] += d
			count[k]++
		}
	}
	if tested != 500 || spend.Rows.Test != 500 {
		t.Errorf("spend is measured on %d rows, of which the file has %d", spend.Rows.Test, tested)
	}
	if got := spend.Test["mae"].Value; math.Abs(got-errors[0]/count[0]) > 1e-9 {
		t.Errorf("mae %g, of the out-of-fold file %g", got, errors[0]/count[0])
	}
	for k, f := range spend.CrossValidation.Each {
		if got := f.Scores["mae"]; math.Abs(got-errors[k+1]/count[k+1]) > 1e-9 || f.Rows.Test != int(count[k+1]) {
			t.Errorf("fold %d: mae %g on %d rows, of the file %g on %g", k+1, got, f.Rows.Test, errors[k+1]/count[k+1], count[k+1])
		}
	}
	if page := mustRead(t, want.Report); strings.Count(page, "The whole procedure, carried out anew") != 3 {
		t.Error("the report does not show the folds of every output")
	}
	path := writeFile(t, dir, "hone.yaml", text)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childConfig+"="+path, childTrains+"=fold 2 of 2, network", "HONE_HOME=")
	if out, err := cmd.CombinedOutput(); err == nil {
		t.Fatalf("it was not killed: %s", out)
	}
	s, w := mustRun(t, configure(t, dir, text))
	for _, tr := range w.trainings() {
		if strings.HasPrefix(tr.What, "fold 1") {
			t.Errorf("trained again: %s", tr.What)
		}
	}
	if !s.Resumed || mustRead(t, s.Bundle) != mustRead(t, want.Bundle) {
		t.Error("the bundle differs from that of an uninterrupted run")
	}
}

// TestClassWeightsOfSeveralOutputs: the classes of each output count the same in
// its loss, and a number's loss stays.
func TestClassWeightsOfSeveralOutputs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	gaps(900, 57).write(t, dir, "rows.csv")
	c := configure(t, dir, several, "train.class_weights=balanced")
	p, err := c.prepare()
	if err != nil {
		t.Fatal(err)
	}
	y, targets, err := p.model.AllTargets(p.train)
	if err != nil {
		t.Fatal(err)
	}
	if rows := weigh(y, targets, p.shares(c), nil); rows != nil {
		t.Fatalf("whole rows are weighed: %v", rows[:3])
	}
	for i, o := range p.model.Outputs() {
		sum, known := map[float64]float64{}, 0.0
		for row, w := range y[2*i+1].Floats() {
			switch target := targets[i][row]; {
			case math.IsNaN(target):
				if w != 0 {
					t.Fatalf("%s: a row without it weighs %g", o.Column, w)
				}
			case o.Feature.Classes() == nil:
				if w != 1 {
					t.Fatalf("%s: a number weighs %g", o.Column, w)
				}
			default:
				sum[target] += float64(w)
				known++
			}
		}
		for class, s := range sum {
			if even := known / float64(len(sum)); math.Abs(s-even) > 1e-3 {
				t.Errorf("%s: class %g weighs %g, expected %g", o.Column, class, s, even)
			}
		}
	}
	if _, err := Run(context.Background(), c, nil); err != nil {
		t.Fatal(err)
	}
}

// TestTrialsOfSeveralOutputs: a fault is found and mended by the loss of all
// outputs together, whose parts are known.
func TestTrialsOfSeveralOutputs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	gaps(1500, 58).write(t, dir, "rows.csv")
	text := `
name: m
data: {source: rows.csv, validation: 0.2}
outputs: [bought, {name: spend, weight: 0.5}]
network: {type: mlp, widths: [32], dropout: 0}
train: {bagging: off, epochs: 12, batch_size: 64, optimizer: {type: adamw, learning_rate: 1e-5}}
evaluate: {bootstrap: 20}
optimize: {trials: 2}
`
	s, _ := mustRun(t, configure(t, dir, text))
	chain := s.Improvement
	if chain.Metric != "loss" || chain.Kept() == 0 || !(float64(chain.Last) < 0.8*float64(chain.First)) {
		t.Fatalf("chain %+v", chain)
	}

	yes, no := 0.0, 1.0
	p := &prepared{train: &data.Table{Columns: []*data.Column{{Name: "b", Type: data.Number, Numbers: []float64{0, 4, math.NaN()}}}}, model: &model.Model{LossWeights: []float64{1, 0.5}, Others: []model.Output{{Column: "b"}}}}
	p.outputs = []feature.OutputOptions{&feature.BinaryOptions{}, &feature.NumberOutputOptions{Loss: "squared_error"}}
	held := []heldOut{
		{&model.Predictions{Kind: metric.Binary, Prob: []float64{0.25, 0.25, 0.9}}, []float64{no, yes, math.NaN()}, nil},
		{&model.Predictions{Kind: metric.Regression, Value: []float64{1, 2, 3}}, []float64{5, math.NaN(), 3}, nil},
	}
	joint, err := p.weighed(held, nil)
	if err != nil {
		t.Fatal(err)
	}
	// Deviations of the training targets are of 2: an error of 4 is 2 of them.
	for i, want := range []float64{-math.Log(0.25) + 0.5*4, -math.Log(0.75), 0} {
		if math.Abs(joint.Pred[i]-want) > 1e-12 {
			t.Errorf("row %d has a loss of %g, expected %g", i, joint.Pred[i], want)
		}
	}
}

// TestNoOutputWorse: judged by a metric of the first output, a trial is not kept
// that predicts another one worse.
func TestNoOutputWorse(t *testing.T) {
	t.Parallel()
	truth := make([]float64, 200)
	good, bad := make([]float64, 200), make([]float64, 200)
	for i := range truth {
		truth[i] = float64(i)
		good[i], bad[i] = truth[i]+0.1*float64(i%3), truth[i]+1+0.1*float64(i%5)
	}
	of := func(values []float64) contender {
		p := &prepared{outputs: []feature.OutputOptions{&feature.BinaryOptions{}, &feature.NumberOutputOptions{Loss: "absolute_error"}}}
		m := &model.Model{Others: []model.Output{{Column: "spend"}}}
		return contender{p: p, fit: &fitted{model: m, held: []heldOut{{}, {&model.Predictions{Kind: metric.Regression, Value: values}, truth, nil}}}}
	}
	c := &Config{}
	c.Optimize.Metric = "f1"
	r := &run{c: c}
	for _, tt := range []struct {
		best, next []float64
		want       string
	}{{good, bad, "spend"}, {bad, good, ""}, {good, good, ""}} {
		if name, err := r.worse(of(tt.best), of(tt.next)); err != nil || name != tt.want {
			t.Errorf("%q is worse, %v, expected %q", name, err, tt.want)
		}
	}
}

// TestCompareSeveralOutputs: bundles are compared by an output that all of them
// have, first or not, also with a file of predictions.
func TestCompareSeveralOutputs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	shoppers(500, 59).only(append([]string{"id", "bought", "spend"}, plain...)...).write(t, dir, "rows.csv")
	text := "data: {source: rows.csv}\n" + quick
	both, _ := mustRun(t, configure(t, dir, text+"outputs: [bought, spend]\nname: both\n"))
	alone, _ := mustRun(t, configure(t, dir, text+"outputs: [spend]\nname: alone\ninputs: [age, income, color, member]\n"))
	rows := filepath.Join(dir, "rows.csv")
	var out bytes.Buffer
	if _, err := PredictFile(context.Background(), mustLoad(t, both.Bundle), rows, data.Options{}, &out, false, 0); err != nil {
		t.Fatal(err)
	}
	p := writeFile(t, dir, "p.csv", out.String())
	// What only one of them has need not be in the file.
	fewer := rewrite(t, rows, "fewer.csv", without("bought"))
	c := mustCompare(t, comparing(fewer, both.Bundle, alone.Bundle, p))
	a, b := c.of(t, "both.hone"), c.of(t, "p.csv")
	if c.Target != "spend" || c.Rows != 500 || a.Score.Value != b.Score.Value || a.Score.Value == c.of(t, "alone.hone").Score.Value {
		t.Errorf("%+v", c)
	}
	c = mustCompare(t, comparing(rows, both.Bundle, p))
	if c.Target != "bought" || !strings.Contains(strings.Join(c.Notes, "; "), "also predict spend: --target NAME") {
		t.Errorf("%s, %q", c.Target, c.Notes)
	}
	o := comparing(rows, both.Bundle, p)
	o.Target = "spend"
	if c = mustCompare(t, o); c.Target != "spend" || c.Task != "regression" {
		t.Errorf("%s, %s", c.Target, c.Task)
	}
	o.Target = "level"
	_, err := Compare(context.Background(), o)
	wantError(t, err, "--target level", "both.hone predicts bought, spend")
}

// TestGatesOfOutputs: a gate names its output.
func TestGatesOfOutputs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	gaps(500, 60).write(t, dir, "rows.csv")
	gate := func(text string) *Config {
		c := configure(t, dir, "data: {source: rows.csv}\noutputs: [bought, spend]\n"+quick)
		g, err := metric.ParseRequirement(text)
		if err != nil {
			t.Fatal(err)
		}
		c.Gates = []metric.Requirement{g}
		return c
	}
	for text, want := range map[string]string{"spend.accuracy>=0.5": "does not measure a regression task", "rmse<5": "does not measure a binary task", "spent.rmse<5": `did you mean "spend"?`} {
		_, err := gate(text).prepare()
		wantError(t, err, "--require "+text, want)
	}
	result := &evaluate.Result{Test: evaluate.Scores{"accuracy": {Value: 0.8}}, Outputs: map[string]*evaluate.OutputResult{"spend": {Test: evaluate.Scores{"rmse": {Value: 3}}}}}
	for text, met := range map[string]bool{"accuracy>=0.7": true, "bought.accuracy>=0.7": true, "bought.accuracy>=0.9": false, "spend.rmse<=3": true, "spend.rmse<3": false} {
		if gate(text).gatesMet(result) != met {
			t.Errorf("%s: expected met %v", text, met)
		}
	}
}
