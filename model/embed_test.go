package model

import (
	"context"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/feature"
)

func vectorsOf(t *testing.T, m *Model, rows *data.Table) [][]float32 {
	t.Helper()
	e, err := m.Embedder()
	if err != nil {
		t.Fatal(err)
	}
	vectors, err := e.Embed(context.Background(), rows)
	if err != nil {
		t.Fatal(err)
	}
	return vectors
}

// TestEmbed: a row's vector is what the head makes the prediction of, in any
// table and any block.
func TestEmbed(t *testing.T) {
	rows := table(t, blockRows+60, 5)
	m := fitted(t, rows, "churn", &MLP{Widths: []int{16, 8}, Activation: "relu", Norm: "none"})
	learn(t, m, rows.Slice(0, 300), 2)
	vectors := vectorsOf(t, m, rows)
	if len(vectors) != rows.Rows || len(vectors[0]) != 8 {
		t.Fatalf("%d vectors of %d numbers, expected %d of 8", len(vectors), len(vectors[0]), rows.Rows)
	}
	kernel, bias := m.State.Lookup("output/churn/dense_1/kernel"), m.State.Lookup("output/churn/dense_1/bias")
	if kernel == nil || bias == nil {
		t.Fatal("the head has other parameters than a kernel and a bias")
	}
	p := predict(t, m, rows)
	for _, i := range []int{0, 7, blockRows - 1, blockRows, rows.Rows - 1} {
		logit := float64(bias.Value.Floats()[0])
		for k, x := range vectors[i] {
			logit += float64(x) * float64(kernel.Value.Floats()[k])
		}
		if got := 1 / (1 + math.Exp(-logit)); math.Abs(got-p.Prob[i]) > 1e-6 {
			t.Errorf("row %d: the head makes %v of its vector, the model predicts %v", i, got, p.Prob[i])
		}
		if one := vectorsOf(t, m, rows.Slice(i, i+1)); !reflect.DeepEqual(one[0], vectors[i]) {
			t.Errorf("row %d by itself has another vector", i)
		}
	}
	if none := vectorsOf(t, m, rows.Slice(0, 0)); len(none) != 0 {
		t.Errorf("no rows have the vectors %v", none)
	}
}

// TestEmbedMembers: the vectors of several networks, and of the members of one,
// stand one after the other.
func TestEmbedMembers(t *testing.T) {
	rows := table(t, 50, 6)
	m := fitted(t, rows, "product", &TabM{Members: 4, Widths: []int{16}, Activation: "relu"})
	learn(t, m, rows, 1)
	if v := vectorsOf(t, m, rows); len(v[0]) != 64 {
		t.Errorf("4 members of 16 units have vectors of %d numbers", len(v[0]))
	}
}

func TestEmbedTexts(t *testing.T) {
	rows := table(t, 50, 6)
	m := fitted(t, rows, "product", &Linear{})
	learn(t, m, rows, 1)
	e, err := m.Embedder()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.EmbedTexts(context.Background(), []string{"a"}); err == nil || !strings.Contains(err.Error(), "tenure (number)") {
		t.Errorf("a model of numbers makes vectors of texts: %v", err)
	}
	column := &data.Column{Name: "plan", Type: data.Text, Codes: []int32{0, 1, 2, 0}, Dict: []string{"where is it", "it is late", "包裹在哪里"}}
	options := defaults(t, feature.InputTypes()["text"])
	input, err := options.Fit(column)
	if err != nil {
		t.Fatal(err)
	}
	m = fitted(t, rows, "churn", &Linear{})
	m.Inputs = []Input{{"plan", input}}
	learn(t, m, &data.Table{Columns: []*data.Column{column, rows.Slice(0, 4).Column("churn")}, Rows: 4}, 1)
	if e, err = m.Embedder(); err != nil {
		t.Fatal(err)
	}
	v, err := e.EmbedTexts(context.Background(), []string{"where is it", "", "where is it"})
	if err != nil || len(v) != 3 || !reflect.DeepEqual(v[0], v[2]) || reflect.DeepEqual(v[0], v[1]) {
		t.Errorf("vectors of texts: %v, %v", v, err)
	}
}
