package lifecycle

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/feature"
	"github.com/hone-ml/hone/format/bundle"
)

// weighted adds a column of weights to shoppers, by row.
func weighted(n int, seed uint64, weight func(row int) string, columns ...string) *table {
	t := shoppers(n, seed).only(append(slices.Clone(plain), columns...)...)
	t.names = append(slices.Clone(t.names), "w")
	for i := range t.rows {
		t.rows[i] = append(t.rows[i], weight(i))
	}
	return t
}

// uneven are weights from 0 to 3.
func uneven(row int) string { return strconv.FormatFloat(float64(row%7)/2, 'g', -1, 64) }

const weightedConfig = "name: m\ndata: {source: rows.csv, weight: w, split: {fractions: [0.5, 0.2, 0.3]}}\n" + quick

// TestEqualWeightsChangeNothing: weights of 4 give the bits of none.
func TestEqualWeightsChangeNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	weighted(400, 71, func(int) string { return "4" }, "bought", "spend").write(t, dir, "rows.csv")
	for _, outputs := range []string{"[bought]", "[bought, spend]"} {
		for _, sets := range [][]string{nil, {"train.class_weights=balanced", "train.bagging=2"}} {
			part := func(text string) string {
				s, _ := mustRun(t, configure(t, dir, text+"inputs: [age, income, color, member, since]\noutputs: "+outputs, sets...))
				b, err := bundle.Read(s.Bundle)
				if err != nil {
					t.Fatal(err)
				}
				raw, err := b.Part("weights.safetensors")
				if err != nil {
					t.Fatal(err)
				}
				return string(raw) + fmt.Sprint(s.Test["log_loss"].Value)
			}
			if part(weightedConfig) != part(strings.Replace(weightedConfig, " weight: w,", "", 1)) {
				t.Errorf("%s, %v: weights of 4 give another model", outputs, sets)
			}
		}
	}
}

// TestWeights: metrics and the trivial baseline are those of the weighted rows,
// recomputed from predictions; the column is no input.
func TestWeights(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	weighted(600, 72, uneven, "balance").write(t, dir, "rows.csv")
	weighted(300, 73, uneven, "balance").write(t, dir, "test.csv")
	config := strings.Replace(weightedConfig, "split: {fractions: [0.5, 0.2, 0.3]}", "test: test.csv", 1) + "outputs: [{name: balance, type: number, transform: none}]\n"
	s, w := mustRun(t, configure(t, dir, config))
	if !strings.Contains(w.notes(), "rows to learn from count by w: 0 to 3; 540 rows tell as much as 3") {
		t.Errorf("the weights are not told: %s", w.notes())
	}
	m := mustLoad(t, s.Bundle)
	if m.Weight != "w" || len(m.Inputs) != len(plain) {
		t.Errorf("weight %q, %d inputs", m.Weight, len(m.Inputs))
	}
	for _, page := range []string{mustRead(t, s.Report)} {
		if !strings.Contains(page, "Rows count by their weights in w.") || !strings.Contains(page, "holds the weights of the rows") {
			t.Error("the report does not speak of the weights")
		}
	}
	test := filepath.Join(dir, "test.csv")
	var out bytes.Buffer
	if _, err := PredictFile(context.Background(), m, test, data.Options{}, &out, false, 0); err != nil {
		t.Fatal(err)
	}
	read := func(text, column string) []float64 {
		rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		var v []float64
		for _, row := range rows[1:] {
			v = append(v, number(t, row[slices.Index(rows[0], column)]))
		}
		return v
	}
	predicted, truth, weight := read(out.String(), "balance"), read(mustRead(t, test), "balance"), read(mustRead(t, test), "w")
	rmse := func(at func(i int) float64) float64 {
		sum, total := 0.0, 0.0
		for i, y := range truth {
			sum += weight[i] * (at(i) - y) * (at(i) - y)
			total += weight[i]
		}
		return math.Sqrt(sum / total)
	}
	if got, want := s.Test["rmse"].Value, rmse(func(i int) float64 { return predicted[i] }); math.Abs(got-want) > 1e-9 {
		t.Errorf("rmse %g, of the weighted rows %g", got, want)
	}
	p, err := configure(t, dir, config).prepare()
	if err != nil {
		t.Fatal(err)
	}
	mean, total := 0.0, 0.0
	for i, v := range p.weights(p.train) {
		mean += v * p.train.Column("balance").Numbers[i]
		total += v
	}
	mean /= total
	if got, want := s.Baselines["trivial"]["rmse"].Value, rmse(func(int) float64 { return mean }); math.Abs(got-want) > 1e-9 || math.Abs(mean-p.model.Output.(*feature.NumberOutput).Average) < 1e-6 {
		t.Errorf("the trivial rmse is %g, of the weighted mean %g", got, want)
	}
	e, err := EvaluateFile(context.Background(), m, m, test, data.Options{}, 20, 0.95, 0)
	if err != nil || e.Weight != "w" || e.Metrics["rmse"].Value != s.Test["rmse"].Value {
		t.Errorf("evaluated again: %v, %+v", err, e)
	}
	plainFile := rewrite(t, test, "plain.csv", without("w"))
	if e, err = EvaluateFile(context.Background(), m, m, plainFile, data.Options{}, 20, 0.95, 0); err != nil || e.Weight != "" || e.Metrics["rmse"].Value == s.Test["rmse"].Value {
		t.Errorf("without weights: %v, %+v", err, e)
	}
	file := writeFile(t, dir, "p.csv", out.String())
	c := mustCompare(t, comparing(test, s.Bundle, file))
	if a, b := c.of(t, "m.hone").Score.Value, c.of(t, "p.csv").Score.Value; a != b || a != s.Test["rmse"].Value || c.Weight != "w" {
		t.Errorf("compared: %g and %g, by %q", a, b, c.Weight)
	}
	if c = mustCompare(t, comparing(plainFile, s.Bundle, file)); c.Weight != "" || !strings.Contains(strings.Join(c.Notes, ";"), "has no column w") {
		t.Errorf("compared without: %q, %q", c.Weight, c.Notes)
	}
}

// TestWeightsAsTheyWereWritten: a file to measure on has its weights written as the
// training rows had them.
func TestWeightsAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	commas := func(row int) string { return strings.Replace(uneven(row), ".", ",", 1) }
	weighted(400, 77, commas, "balance").write(t, dir, "rows.csv")
	test := weighted(200, 78, commas, "balance").write(t, dir, "test.csv")
	s, _ := mustRun(t, configure(t, dir, strings.Replace(weightedConfig, "split: {fractions: [0.5, 0.2, 0.3]}", "test: test.csv", 1)+"outputs: [balance]\n"))
	m := mustLoad(t, s.Bundle)
	e, err := EvaluateFile(context.Background(), m, m, test, data.Options{}, 20, 0.95, 0)
	if err != nil || e.Metrics["rmse"].Value != s.Test["rmse"].Value {
		t.Errorf("evaluated again: %v, %+v", err, e)
	}
	var out bytes.Buffer
	if _, err := PredictFile(context.Background(), m, test, data.Options{}, &out, false, 0); err != nil {
		t.Fatal(err)
	}
	file := writeFile(t, dir, "p.csv", out.String())
	c := mustCompare(t, comparing(test, s.Bundle, file))
	if a, b := c.of(t, "m.hone").Score.Value, c.of(t, "p.csv").Score.Value; a != b || a != s.Test["rmse"].Value {
		t.Errorf("compared: %g and %g, expected %g", a, b, s.Test["rmse"].Value)
	}
}

// TestRowsOfNoWeightTeachNothing: two kinds of rows contradict each other, and those
// that weigh nothing are not believed.
func TestRowsOfNoWeightTeachNothing(t *testing.T) {
	t.Parallel()
	for _, sets := range [][]string{nil, {"train.bagging=3"}, {"evaluate.cross_validation=3"}, {"outputs=[label, other]"}} {
		dir := t.TempDir()
		r := rand.New(rand.NewPCG(74, 1))
		rows := &table{names: []string{"x", "label", "other", "w"}}
		for i := range 600 {
			x := r.NormFloat64()
			label, weight := x > 0, "1"
			if i%2 == 0 {
				label, weight = !label, "0"
			}
			rows.rows = append(rows.rows, []string{strconv.FormatFloat(x, 'g', 6, 64), map[bool]string{true: "yes", false: "no"}[label], map[bool]string{true: "a", false: "b"}[r.IntN(2) == 0], weight})
		}
		if !slices.Contains(sets, "outputs=[label, other]") {
			rows = rows.only("x", "label", "w")
		}
		rows.write(t, dir, "rows.csv")
		s, _ := mustRun(t, configure(t, dir, weightedConfig+"outputs: [label]\n", append(sets, "train.epochs=8")...))
		if v := s.Test["accuracy"].Value; v < 0.9 || s.Against["trivial"] != evaluate.Better {
			t.Errorf("%v: accuracy %g of the rows that count, against the trivial one %s", sets, v, s.Against["trivial"])
		}
	}
}

// TestClassAndRowWeights: classes count as their shares say, the weights of rows
// counted in.
func TestClassAndRowWeights(t *testing.T) {
	targets, rows := []float64{0, 0, 0, 1, math.NaN(), 1}, []float64{1, 2, 3, 0.5, 9, 0}
	var sum [2]float64
	for i, w := range classWeights(targets, []float64{1, 3}, rows) {
		if math.IsNaN(targets[i]) {
			if w != 0 {
				t.Errorf("a row without a target weighs %g", w)
			}
			continue
		}
		sum[int(targets[i])] += float64(w) * rows[i]
	}
	if math.Abs(sum[0]-6.5/4) > 1e-6 || math.Abs(sum[1]-3*6.5/4) > 1e-6 {
		t.Errorf("the classes weigh %v, expected 1.625 and 4.875", sum)
	}
	if e := effective([]float64{1, 1, 1, 1}); e != 4 {
		t.Errorf("four equal rows tell as much as %g", e)
	}
	if e := effective([]float64{1, 0, 0, 0}); e != 1 {
		t.Errorf("one row that counts tells as much as %g", e)
	}
}

func TestWeightMistakes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(row int, v string) string {
		name := fmt.Sprintf("%d %s.csv", row, v)
		weighted(200, 75, func(i int) string {
			if i == row {
				return v
			}
			return uneven(i)
		}, "bought").write(t, dir, name)
		return name
	}
	weighted(200, 75, func(int) string { return "0" }, "bought").write(t, dir, "zeros.csv")
	weighted(200, 75, func(i int) string { return map[bool]string{true: "1", false: "0"}[i%20 == 0] }, "bought").write(t, dir, "few.csv")
	weighted(200, 75, uneven, "bought").write(t, dir, "rows.csv")
	for _, tt := range []struct {
		sets []string
		want []string
	}{
		{[]string{"data.source=" + at(6, "-2")}, []string{"6 -2.csv, row 7", `column "w"`, "-2", "0 or more"}},
		{[]string{"data.source=" + at(9, "")}, []string{"9 .csv, row 10", "missing"}},
		{[]string{"data.source=" + at(150, "heavy")}, []string{"line 152", `"heavy"`}},
		{[]string{"data.split={}", "data.test=" + at(3, "-1")}, []string{"3 -1.csv, row 4"}},
		{[]string{"data.source=zeros.csv"}, []string{"of all", "training rows are 0"}},
		{[]string{"data.source=few.csv", "train.bagging=8"}, []string{"network ", "validation rows are 0", "train.bagging to a smaller number"}},
		{[]string{"data.source=few.csv", "data.split={}", "evaluate.cross_validation=8"}, []string{"fold ", "rows are 0"}},
		{[]string{"data.weight=wt"}, []string{"rows.csv", `"wt"`, `did you mean "w"?`}},
		{[]string{"data.weight=bought"}, []string{"data.weight", "is the column to predict"}},
		{[]string{"inputs=[age, w]"}, []string{"data.weight", `"w" is an input as well`}},
		{[]string{"data.types={w: category}"}, []string{"data.types", "category"}},
		{[]string{"train.class_sampling=balanced"}, []string{"data.weight and train.class_sampling", "class_weights"}},
		{[]string{"evaluate.cross_validation=2", "data.split={}", "data.clean=[{type: cap, columns: [age], high: 0.9}, {type: missing, columns: [w], values: [3]}]"}, []string{"data.clean[1] (missing)", "bought, w"}},
	} {
		c, err := LoadConfig(writeFile(t, dir, "hone.yaml", weightedConfig+"outputs: [bought]\n"), tt.sets)
		if err == nil {
			_, err = c.prepare()
		}
		wantError(t, err, tt.want...)
	}
	// What must not count is left out first.
	p, err := configure(t, dir, weightedConfig+"outputs: [bought]\n", "data.source="+at(6, "-2"), `data.clean=[{type: filter, where: "w >= 0"}]`).prepare()
	if err != nil || p.train.Rows+p.valid.Rows+p.test.Rows != 199 {
		t.Errorf("the row is not left out: %v", err)
	}
}

// TestCheckWeights: the weights are not looked at as data, and told.
func TestCheckWeights(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rows := weighted(400, 76, func(i int) string { return []string{"0.001", "50"}[max(0, i-398)] }, "bought").write(t, dir, "rows.csv")
	c, err := Check(CheckOptions{File: rows, Target: "bought", Weight: "w"})
	if err != nil || len(c.Findings) != 1 {
		t.Fatalf("%v, %+v", err, c)
	}
	if f := c.Findings[0]; f.Column != "w" || f.Kind != data.FindingWeights || f.Severity != data.SeverityWarning || f.Evidence["effective_rows"] > 2 {
		t.Errorf("%+v", f)
	}
	_, err = Check(CheckOptions{File: rows, Target: "bought", Weight: "bought"})
	wantError(t, err, "the column to predict")
	_, err = Check(CheckOptions{File: rows, Weight: "ww"})
	wantError(t, err, `"ww"`)
}
