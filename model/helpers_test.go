package model

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/hone-ml/hone/config"
	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/feature"
	"github.com/hone-ml/hone/nn/optim"
	"github.com/hone-ml/hone/train"
)

var schema = data.Schema{
	{Name: "tenure", Type: data.Number}, {Name: "plan", Type: data.Category}, {Name: "paperless", Type: data.Boolean, False: "no", True: "yes"},
	{Name: "since", Type: data.Datetime, Layout: "2006-01-02"}, {Name: "spent", Type: data.Number},
	{Name: "churn", Type: data.Boolean, False: "no", True: "yes"}, {Name: "product", Type: data.Category}, {Name: "price", Type: data.Number},
}

// table returns rows of every type of column, some values missing.
func table(t testing.TB, rows int, seed uint64) *data.Table {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	var records []map[string]any
	for range rows {
		tenure, plan := r.Float64()*70, []string{"basic", "pro", "team"}[r.IntN(3)]
		row := map[string]any{
			"tenure": tenure, "plan": plan, "paperless": r.IntN(2) == 1, "spent": math.Exp(r.NormFloat64()),
			"since": fmt.Sprintf("20%02d-%02d-%02d", 10+r.IntN(15), 1+r.IntN(12), 1+r.IntN(28)),
			"churn": tenure < 20, "product": plan[:1] + fmt.Sprint(tenure > 30), "price": math.Exp(tenure/20) + 3*r.Float64(),
		}
		for _, name := range []string{"tenure", "plan", "paperless", "since"} {
			if r.IntN(10) == 0 {
				row[name] = nil
			}
		}
		records = append(records, row)
	}
	table, err := data.FromRecords(schema, records)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// withPerks returns rows that have a column of sets as well, after the others.
func withPerks(rows *data.Table) *data.Table {
	more := *rows
	c := &data.Column{Name: "perks", Type: data.Set, Codes: make([]int32, rows.Rows), Dict: []string{"[]", "gift", "call;gift", "call;gift;trial"}}
	for i, v := range rows.Column("tenure").Numbers {
		if v > 10 { // NaN is not
			c.Codes[i] = int32(min(3, v/20))
		}
	}
	more.Columns = append(slices.Clone(rows.Columns), c)
	return &more
}

// defaults returns options with their defaults.
func defaults[T any](t testing.TB, o T) T {
	t.Helper()
	if err := config.Defaults(o); err != nil {
		t.Fatal(err)
	}
	return o
}

// fitted returns an untrained model of a target and a network, on numbers
// without embedding.
func fitted(t testing.TB, rows *data.Table, target string, network Network) *Model {
	t.Helper()
	return embedded(t, rows, target, network, "none")
}

// embedded is fitted with an embedding of numbers.
func embedded(t testing.TB, rows *data.Table, target string, network Network, embedding string) *Model {
	t.Helper()
	output := map[string]feature.OutputOptions{
		"perks": &feature.SetOptions{}, "churn": &feature.BinaryOptions{}, "product": &feature.CategoryOutputOptions{}, "price": &feature.NumberOutputOptions{Transform: "log"},
	}[target]
	out, err := defaults(t, output).Fit(rows.Column(target))
	if err != nil {
		t.Fatal(err)
	}
	m := &Model{Name: "churn", Target: target, Output: out, Network: network, Schema: schema, State: graph.NewState()}
	for _, name := range []string{"tenure", "plan", "paperless", "since", "spent"} {
		c := rows.Column(name)
		o := defaults(t, feature.InputTypes()[feature.InputFor(c.Type)])
		if o, ok := o.(*feature.NumberOptions); ok {
			o.Embedding = embedding
		}
		f, err := o.Fit(c)
		if err != nil {
			t.Fatal(err)
		}
		m.Inputs = append(m.Inputs, Input{name, f})
	}
	return m
}

// learn trains a model for some epochs and returns what was recorded.
func learn(t testing.TB, m *Model, rows *data.Table, epochs int) *train.Result {
	t.Helper()
	x, sources, err := m.EncodeStreamed(rows, true)
	if err != nil {
		t.Fatal(err)
	}
	y, targets, err := m.AllTargets(rows)
	if err != nil {
		t.Fatal(err)
	}
	if len(targets[0]) != rows.Rows*TargetWidth(m.Output) {
		t.Fatalf("%d targets of %d rows", len(targets[0]), rows.Rows)
	}
	batches, err := train.NewStream(append(x, y...), sources, nil, 32, true, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer batches.Close()
	r, err := train.Run(context.Background(), m.Task(), m.State, batches, nil, train.Options{Epochs: epochs, Optimizer: optim.Adam(5e-3)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func predict(t testing.TB, p Predictor, rows *data.Table) *Predictions {
	t.Helper()
	out, err := p.Predict(context.Background(), rows)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// sameBits reports whether predictions are the same in every bit.
func sameBits(a, b *Predictions) bool {
	bits := func(x, y float64) bool { return math.Float64bits(x) == math.Float64bits(y) }
	return a.Kind == b.Kind && slices.Equal(a.Classes, b.Classes) && slices.Equal(a.Class, b.Class) &&
		slices.EqualFunc(a.Prob, b.Prob, bits) && slices.EqualFunc(a.Value, b.Value, bits)
}

// networks of every type and norm, small.
func someNetworks() map[string]Network {
	return map[string]Network{
		"mlp":             &MLP{Widths: []int{16, 8}, Activation: "relu", Norm: "none", Dropout: 0.1},
		"mlp, batch norm": &MLP{Widths: []int{16}, Activation: "gelu", Norm: "batch"},
		"mlp, layer norm": &MLP{Widths: []int{8, 8}, Activation: "tanh", Norm: "layer", Dropout: 0.2},
		"mlp of no layer": &MLP{Widths: []int{}, Activation: "relu", Norm: "none"},
		"resnet":          &ResNet{Width: 12, Hidden: 16, Blocks: 2, Norm: "batch", Dropout: 0.1},
		"resnet, plain":   &ResNet{Width: 8, Hidden: 8, Blocks: 1, Norm: "none"},
		"resnet, layers":  &ResNet{Width: 8, Hidden: 8, Blocks: 1, Norm: "layer"},
		"tabm":            &TabM{Members: 4, Widths: []int{16}, Activation: "relu", Dropout: 0.1},
		"linear":          &Linear{},
	}
}
