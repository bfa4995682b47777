package graph_test

import (
	"strings"
	"testing"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
)

var bagGradientCases = []gradientCase{
	{"bag_sum", []string{"Bag"}, func(m *maker) *graph.Node {
		table := m.param(anywhere, append(graph.Shape{graph.N(1 + m.IntN(4))}, m.shape(0, 2)...))
		return graph.BagSum(table, m.ints(-1, table.Shape()[0].N, m.bags()), nil)
	}},
	{"bag_sum, weighted", []string{"Bag"}, func(m *maker) *graph.Node {
		table, bags := m.param(anywhere, append(graph.Shape{graph.N(1 + m.IntN(4))}, m.shape(0, 2)...)), m.bags()
		return graph.BagSum(table, m.ints(-1, table.Shape()[0].N, bags), m.param(anywhere, bags))
	}},
	{"bag_mean", []string{"Bag"}, func(m *maker) *graph.Node {
		table := m.param(anywhere, append(graph.Shape{graph.N(1 + m.IntN(4))}, m.shape(0, 2)...))
		return graph.BagMean(table, m.ints(-1, table.Shape()[0].N, m.bags()))
	}},
	{"bags and rows of one table", []string{"Bag", "Lookup"}, func(m *maker) *graph.Node {
		table := m.param(anywhere, graph.Fixed(3, 2))
		a := graph.Gather(table, m.ints(-1, 3, graph.Shape{graph.Rows}))
		c := graph.BagSum(table, m.ints(-1, 3, graph.Shape{graph.Rows, graph.N(3)}), m.param(anywhere, graph.Shape{graph.Rows, graph.N(3)}))
		return graph.Mul(graph.Mul(a, c), graph.BagMean(table, m.ints(-1, 3, graph.Shape{graph.Rows, graph.N(2)})))
	}},
}

// bags draws the shape of indices into a table by bags, of at most one dimension
// per row.
func (m *maker) bags() graph.Shape {
	return append(oneRow(m.shape(0, 2)), graph.N(m.IntN(4)))
}

// TestBagGradientsAreNotRepeated: of a bag of 30 the gradient has one row of
// values, and as many indices as the bag.
func TestBagGradientsAreNotRepeated(t *testing.T) {
	b := graph.New("bags")
	table := b.Input("table", tensor.Float32, graph.N(1000), graph.N(4))
	bags := b.Input("i", tensor.Int32, graph.Rows, graph.N(30))
	g := graph.Gradients(graph.Sum(graph.BagMean(table, bags)), []*graph.Node{table})[0]
	sums := graph.SumByRow(graph.UniqueRows(g.Rows), g.Rows, g.Values, g.Weights)
	if b.Err() != nil {
		t.Fatal(b.Err())
	}
	if !g.Values.Shape().Equal(graph.Shape{graph.Rows, graph.N(4)}) || !g.Rows.Shape().Equal(graph.Shape{{N: 30, PerRow: true}}) {
		t.Errorf("found rows %v and values %v", g.Rows.Type, g.Values.Type)
	}
	if !sums.Shape().Equal(graph.Shape{{N: 30, PerRow: true}, graph.N(4)}) {
		t.Errorf("the sums are %v", sums.Type)
	}
}

func TestBagMistakes(t *testing.T) {
	for want, build := range map[string]func(b *graph.Builder, table, bags *graph.Node){
		"table is float32[rows 2], expected float32 of a fixed number of rows": func(b *graph.Builder, _, bags *graph.Node) {
			graph.BagSum(b.Input("x", tensor.Float32, graph.Rows, graph.N(2)), bags, nil)
		},
		"indices are int32[rows], expected int32 [… k]": func(b *graph.Builder, table, _ *graph.Node) {
			graph.BagSum(table, b.Input("x", tensor.Int32, graph.Rows), nil)
		},
		"weights are float32[rows 2] of indices int32[rows 3]": func(b *graph.Builder, table, bags *graph.Node) {
			graph.BagSum(table, bags, b.Input("x", tensor.Float32, graph.Rows, graph.N(2)))
		},
		"expected int32 [m], int32 [n] and float32 [n …], or [n/k …]": func(b *graph.Builder, _, _ *graph.Node) {
			i := b.Input("x", tensor.Int32, graph.Dim{N: 3, PerRow: true})
			graph.SumByRow(i, i, b.Input("y", tensor.Float32, graph.Dim{N: 2, PerRow: true}), nil)
		},
	} {
		b := graph.New("mistake")
		build(b, b.Input("table", tensor.Float32, graph.N(5), graph.N(2)), b.Input("i", tensor.Int32, graph.Rows, graph.N(3)))
		if b.Err() == nil || !strings.Contains(b.Err().Error(), want) {
			t.Errorf("found the error %v, expected %q", b.Err(), want)
		}
	}
}
