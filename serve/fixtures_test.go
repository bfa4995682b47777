package serve

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/feature"
	"github.com/hone-ml/hone/format/bundle"
	"github.com/hone-ml/hone/model"
	"github.com/hone-ml/hone/train"
)

// makeCSV writes rows with missing values, rare categories, and times with a
// fraction of a second.
func makeCSV(rows int, seed uint64) string {
	r := rand.New(rand.NewPCG(seed, 7))
	var b strings.Builder
	b.WriteString("customer_id,tenure,monthly charge,plan,\"the \"\"<b>\"\" one\",paperless,joined,seen,churn,segment,spend\n")
	pick := func(values ...string) string { return values[r.IntN(len(values))] }
	for i := range rows {
		tenure, charge := fmt.Sprint(r.IntN(72)), fmt.Sprintf("%.17g", 20+80*r.Float64())
		if r.IntN(10) == 0 {
			charge = ""
		}
		plan := pick("basic", "basic", "pro", "O'Neil & sons", "")
		if r.IntN(40) == 0 {
			plan = fmt.Sprintf("rare-%d", i)
		}
		joined := fmt.Sprintf("%02d/%02d/20%02d", 1+r.IntN(28), 1+r.IntN(12), 15+r.IntN(10))
		if r.IntN(12) == 0 {
			joined = ""
		}
		seen := fmt.Sprintf("2024-%02d-%02d %02d:%02d:%02d.%03d", 1+r.IntN(12), 1+r.IntN(28), r.IntN(24), r.IntN(60), r.IntN(60), r.IntN(1000))
		fmt.Fprintf(&b, "c-%05d,%s,%s,%s,%s,%s,%s,%s,%s,%s,%.6g\n", i, tenure, charge, plan, pick("001", "002", "x"), pick("Yes", "No", ""),
			joined, seen, pick("yes", "no", "no"), pick("small", "middle", "large", "10"), 1000*r.ExpFloat64())
	}
	return b.String()
}

func readCSV(t testing.TB, text string, o data.Options) (*data.Table, data.Schema) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rows.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	table, schema, err := data.Read(path, o)
	if err != nil {
		t.Fatal(err)
	}
	return table, schema
}

// outputs are the three tasks by their targets.
var outputs = map[string]feature.OutputOptions{
	"churn":   &feature.BinaryOptions{Threshold: 0.4},
	"segment": &feature.CategoryOutputOptions{},
	"spend":   &feature.NumberOutputOptions{Transform: "log", Loss: "squared_error"},
}

type trainedModel struct {
	m     *model.Model
	facts Facts
}

var models = map[string]trainedModel{} // by target, trained once

// trained returns a small trained model of a target, or of several as "churn+spend",
// as loaded from a bundle.
func trained(t testing.TB, target string) (*model.Model, Facts) {
	t.Helper()
	if m, ok := models[target]; ok {
		return m.m, m.facts
	}
	table, schema := readCSV(t, makeCSV(400, 1), data.Options{})
	m := &model.Model{Name: "churn", Target: target, Schema: schema, Network: &model.MLP{Widths: []int{16}, Activation: "relu", Norm: "none"}, State: graph.NewState()}
	for _, f := range schema {
		var o feature.InputOptions
		switch f.Type {
		case data.Number:
			o = &feature.NumberOptions{Clip: 10}
		case data.Category:
			o = &feature.CategoryOptions{MinCount: 3, MaxValues: 1000}
		case data.Boolean:
			o = &feature.BooleanOptions{}
		case data.Datetime:
			o = &feature.DatetimeOptions{Cycles: true}
		default:
			continue
		}
		if outputs[f.Name] != nil {
			continue
		}
		in, err := o.Fit(table.Column(f.Name))
		if err != nil {
			t.Fatal(err)
		}
		m.Inputs = append(m.Inputs, model.Input{Column: f.Name, Feature: in})
	}
	var err error
	names := strings.Split(target, "+")
	m.Target = names[0]
	if m.Output, err = outputs[m.Target].Fit(table.Column(m.Target)); err != nil {
		t.Fatal(err)
	}
	for _, name := range names[1:] {
		f, err := outputs[name].Fit(table.Column(name))
		if err != nil {
			t.Fatal(err)
		}
		m.Others = append(m.Others, model.Output{Column: name, Feature: f})
	}
	feeds, err := m.Encode(table)
	if err != nil {
		t.Fatal(err)
	}
	y, _, err := m.AllTargets(table)
	if err != nil {
		t.Fatal(err)
	}
	batches, err := train.NewMemory(append(append([]*tensor.Tensor(nil), feeds...), y...), nil, 64, true, 3)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := train.Run(context.Background(), m.Task(), m.State, batches, nil, train.Options{Epochs: 3, Seed: 5}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "churn.hone")
	metrics := `{"rows":{"test":100},"metrics":[{"name":"accuracy","label":"Accuracy"}],"test":{"accuracy":{"value":0.8612,"low":0.83,"high":0.89}}}`
	if err := m.Save(path, "hone test", bundle.Part{Name: "metrics.json", Content: []byte(metrics)}); err != nil {
		t.Fatal(err)
	}
	loaded, b, err := model.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	facts, err := FactsOf(path, b)
	if err != nil {
		t.Fatal(err)
	}
	models[target] = trainedModel{loaded, facts}
	return loaded, facts
}

// testServer returns a server of a target's model, and a listener for it.
func testServer(t testing.TB, target string, o Options) (*Server, *httptest.Server) {
	t.Helper()
	t.Setenv(KeyVariable, "")
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	m, facts := trained(t, target)
	s, err := New(m, facts, o)
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(s.Handler())
	t.Cleanup(h.Close)
	return s, h
}
