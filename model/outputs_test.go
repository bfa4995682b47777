package model

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/format/bundle"
	"github.com/hone-ml/hone/nn/optim"
	"github.com/hone-ml/hone/train"
)

// several returns an untrained model of churn and, beside it, other targets.
func several(t testing.TB, rows *data.Table, network Network, others ...string) *Model {
	t.Helper()
	m := fitted(t, rows, "churn", network)
	for _, name := range others {
		m.Others = append(m.Others, Output{name, fitted(t, rows, name, network).Output})
	}
	return m
}

func small() Network { return &MLP{Widths: []int{8}, Activation: "relu", Norm: "none", Dropout: 0.2} }

func predictAll(t testing.TB, m *Model, rows *data.Table) []*Predictions {
	t.Helper()
	all, err := m.PredictAll(context.Background(), rows)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestWeightZero: an output of weight 0 leaves what the others learn as it would
// be without it, to the bit; one with a weight does not.
func TestWeightZero(t *testing.T) {
	rows := table(t, 200, 3)
	alone := fitted(t, rows, "churn", small())
	learn(t, alone, rows, 3)
	for weight, same := range map[float64]bool{0: true, 1: false} {
		m := several(t, rows, small(), "price")
		m.LossWeights = []float64{1, weight}
		learn(t, m, rows, 3)
		equal := true
		for _, v := range optim.ModelVariables(alone.State) {
			equal = equal && reflect.DeepEqual(v.Value.Floats(), m.State.Lookup(v.Name).Value.Floats())
		}
		if equal != same {
			t.Errorf("weight %g of the second output: the first has learnt the same: %v", weight, equal)
		}
		if got := reflect.DeepEqual(predict(t, m, rows), predict(t, alone, rows)); got != same {
			t.Errorf("weight %g of the second output: the first predicts the same: %v", weight, got)
		}
	}
}

// TestLossIsTheWeightedSum of those of the outputs that a row has a target of.
func TestLossIsTheWeightedSum(t *testing.T) {
	rows := table(t, 50, 4)
	half := rows.Column("price")
	for i := range 25 {
		half.Numbers[i] = math.NaN()
	}
	loss := func(weights ...float64) float64 {
		m := several(t, rows, &Linear{}, "price")
		m.LossWeights = weights
		x, err := m.Encode(rows)
		if err != nil {
			t.Fatal(err)
		}
		y, targets, err := m.AllTargets(rows)
		if err != nil {
			t.Fatal(err)
		}
		if !math.IsNaN(targets[1][0]) || targets[1][30] != half.Numbers[30] {
			t.Errorf("targets are %v", targets[1])
		}
		batches, err := train.NewMemory(append(x, y...), nil, 0, false, 0)
		if err != nil {
			t.Fatal(err)
		}
		// A rate too small to move anything: the loss is that of the initial values.
		r, err := train.Run(context.Background(), m.Task(), m.State, batches, nil, train.Options{Epochs: 1, Optimizer: optim.Adam(1e-30)})
		if err != nil {
			t.Fatal(err)
		}
		return r.History[0].Loss
	}
	a, b, both := loss(1, 0), loss(0, 1), loss(3, 0.5)
	if a <= 0 || b <= 0 || math.Abs(both-(3*a+0.5*b)) > 1e-5*both {
		t.Errorf("losses %g and %g give %g, expected 3 and ½ of them", a, b, both)
	}
}

// TestMissingTargets: a row without an output's target teaches it nothing, and
// teaches the others.
func TestMissingTargets(t *testing.T) {
	rows := table(t, 200, 5)
	spoil := func(price float64, churn bool) *Model {
		m := several(t, rows, small(), "price", "product")
		x, err := m.Encode(rows)
		if err != nil {
			t.Fatal(err)
		}
		gaps := rows.Select(identity(rows.Rows))
		for i := range 60 {
			gaps.Column("price").Numbers[i] = math.NaN()
			gaps.Column("product").Codes[i+60] = -1
		}
		y, _, err := m.AllTargets(gaps)
		if err != nil {
			t.Fatal(err)
		}
		// churn, known, price, known, product, known
		for i := range 60 {
			y[2].Floats()[i] = float32(price)
			if y[3].Floats()[i] != 0 || y[3].Floats()[i+60] != 1 || y[5].Floats()[i+60] != 0 {
				t.Fatal("what is known is not told")
			}
		}
		if churn {
			y[0].Floats()[0] = 1 - y[0].Floats()[0]
		}
		batches, err := train.NewMemory(append(x, y...), nil, 32, true, 1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := train.Run(context.Background(), m.Task(), m.State, batches, nil, train.Options{Epochs: 2, Optimizer: optim.Adam(5e-3)}); err != nil {
			t.Fatal(err)
		}
		return m
	}
	want := predictAll(t, spoil(0, false), rows)
	if got := predictAll(t, spoil(1e3, false), rows); !reflect.DeepEqual(got, want) {
		t.Error("what stands in place of a missing target is learnt")
	}
	if got := predictAll(t, spoil(0, true), rows); reflect.DeepEqual(got, want) {
		t.Error("a row that lacks one target does not teach another")
	}
}

func identity(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// TestSeveralOutputsAreSaved: a bundle of several predicts the same bits, one by
// itself or as the member of a bag, and holds a list of outputs.
func TestSeveralOutputsAreSaved(t *testing.T) {
	rows := table(t, 120, 6)
	var members []*Model
	for i := range 2 {
		m := several(t, rows, small(), "price", "product")
		m.Member = i
		learn(t, m, rows, 1+len(members))
		members = append(members, m)
	}
	bag, err := Bag(members)
	if err != nil {
		t.Fatal(err)
	}
	for name, m := range map[string]*Model{"one": members[0], "bag": bag} {
		path := filepath.Join(t.TempDir(), "m.hone")
		if err := m.Save(path, "1.2.3"); err != nil {
			t.Fatal(err)
		}
		loaded, b, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		want := predictAll(t, m, rows)
		if got := predictAll(t, loaded, rows); len(got) != 3 || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: what was loaded predicts something else", name)
		}
		if got := predict(t, loaded, rows); !reflect.DeepEqual(got, want[0]) {
			t.Errorf("%s: Predict is not the first of PredictAll", name)
		}
		raw, err := b.Part(featuresPart)
		if err != nil {
			t.Fatal(err)
		}
		var told map[string]any
		if err := json.Unmarshal(raw, &told); err != nil || told["output"] != nil || len(told["outputs"].([]any)) != 3 {
			t.Errorf("%s: features.json is %s, %v", name, raw, err)
		}
	}
	a, b := predictAll(t, members[0], rows), predictAll(t, members[1], rows)
	if got := predictAll(t, bag, rows)[1].Value[7]; math.Abs(got-(a[1].Value[7]+b[1].Value[7])/2) > 1e-9 {
		t.Errorf("the bag's second output is %g, expected the mean of %g and %g", got, a[1].Value[7], b[1].Value[7])
	}
}

func TestOutputsOfBundles(t *testing.T) {
	rows := table(t, 60, 6)
	m := several(t, rows, small(), "price")
	learn(t, m, rows, 1)
	parts, err := m.Parts()
	if err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string][2]string{
		`two outputs are named "churn"`:       {`"column": "price"`, `"column": "churn"`},
		"output and outputs are both given":   {`"outputs": [`, `"output": {}, "outputs": [`},
		"it has no output":                    {`"outputs": [`, `"others": [`},
		"it holds \"output/price/":            {`"column": "price"`, `"column": "prize"`},
		`column "price": unknown output type`: {"\"column\": \"price\",\n      \"feature\": {\n        \"type\": \"number\"", "\"column\": \"price\",\n      \"feature\": {\n        \"type\": \"n\""},
	} {
		changed := bytes.Replace(parts[0].Content, []byte(change[0]), []byte(change[1]), 1)
		if bytes.Equal(changed, parts[0].Content) {
			t.Fatalf("%s: nothing was changed", want)
		}
		path := filepath.Join(t.TempDir(), "m.hone")
		if err := bundle.Write(path, "9.9", []bundle.Part{{Name: featuresPart, Content: changed}, parts[1]}); err != nil {
			t.Fatal(err)
		}
		if _, _, err := Load(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, expected %q", err, want)
		}
	}
}
