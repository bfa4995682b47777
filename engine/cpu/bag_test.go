package cpu_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
)

func (g *generator) bag() {
	t := tame(g.table())
	dims := append(g.indexDims(t.Shape()[1:]), graph.N(g.below(4, "bag")))
	idx := g.ints(t.Shape()[0].N, false, dims...)
	g.add(graph.BagMean(t.Node, idx), t.bound)
	g.add(graph.BagSum(t.Node, idx, nil), 4*t.bound)
}

// weightedBag draws a bag with weights and its gradient by rows, with weights and
// without.
func (g *generator) weightedBag() {
	t := tame(g.table())
	k := 1 + g.below(4, "bag")
	idx := g.ints(t.Shape()[0].N, false, graph.Rows, graph.N(k))
	row := t.Shape()[1:]
	if !small(append(graph.Shape{{N: k, PerRow: true}}, row...)) {
		return
	}
	weights := g.input(graph.Rows, graph.N(k)).Node
	sum := graph.BagSum(t.Node, idx, weights)
	g.add(sum, 8*t.bound)
	flat := graph.Dim{N: k, PerRow: true}
	rows := graph.Reshape(idx, flat)
	for _, w := range []*graph.Node{nil, graph.Reshape(weights, flat)} {
		g.add(graph.SumByRow(graph.UniqueRows(rows), rows, sum, w), 8*2*300*4*t.bound)
	}
}

func (g *generator) moment() {
	x := tame(g.any())
	old := tame(g.partner(x))
	g.add(graph.MovingMean(old.Node, x.Node, 0.75, 1e-3, g.below(2, "square") == 0), old.bound+x.bound*x.bound)
}

func (g *generator) adam() {
	p := tame(g.any())
	m := tame(g.partner(p))
	v := positive(drawn{graph.Apply(graph.Unary{Kind: graph.OpTanh}, m.Node), 1})
	rate, root := g.b.Scalar(0.1), graph.AddScalar(graph.Abs(graph.Sum(m.Node)), 0.5)
	g.add(graph.AdamStep(p.Node, m.Node, v.Node, rate, graph.Tanh(root), 1e-3), p.bound+m.bound)
}

// adamPass draws a whole update, whose moments may be read before the step, which
// then cannot be one pass.
func (g *generator) adamPass() {
	p := tame(g.any())
	same := func(s graph.Shape) bool { return s.Equal(p.Shape()) }
	pick := func(what string) *graph.Node { return tame(g.pick(what, same, p.Shape)).Node }
	grad := pick("gradient")
	m := graph.MovingMean(pick("m"), grad, 0.75, 1e-3, false)
	v := graph.MovingMean(graph.AddScalar(graph.Abs(pick("v")), 0.5), grad, 0.75, 1e-3, true)
	if g.below(3, "read before") == 0 {
		g.add(graph.Tanh(m), 1)
	}
	g.add(graph.AdamStep(p.Node, m, v, g.b.Scalar(0.1), g.b.Scalar(0.75), 1e-3), p.bound+8)
	if g.below(3, "read after") == 0 {
		g.add(graph.Tanh(v), 1)
	}
}

// TestUniqueRowsOfManyDigits: the radix sort over tables whose indices have one
// digit and several.
func TestUniqueRowsOfManyDigits(t *testing.T) {
	b := graph.New("unique")
	b.Output("rows", graph.UniqueRows(b.Input("i", tensor.Int32, graph.Rows)))
	exe := mustCompile(t, mustProgram(t, b))
	r := rand.New(rand.NewPCG(1, 2))
	out := tensor.New(tensor.Int32, 0)
	for _, most := range []int{1, 2, 2047, 2048, 2049, 1 << 21, 1<<31 - 1} {
		idx := make([]int32, 500)
		for i := range idx {
			idx[i] = int32(r.IntN(most))
			if i%7 == 0 {
				idx[i] = -1
			}
		}
		idx[3] = int32(most - 1)
		if err := exe.Run([]*tensor.Tensor{indices(idx...)}, []*tensor.Tensor{out}); err != nil {
			t.Fatal(err)
		}
		want := slices.Clone(idx)
		slices.Sort(want)
		want = slices.Compact(want)[1:]
		got := out.Ints()
		if !slices.Equal(got[:len(want)], want) || len(want) < 500 && slices.Max(got[len(want):]) != -1 {
			t.Errorf("indices below %d: found %v, expected %v", most, got, want)
		}
	}
}

// TestBagsOutOfRange: an index beyond the table is an error, whether it is fed or
// computed.
func TestBagsOutOfRange(t *testing.T) {
	for _, computed := range []bool{false, true} {
		b := graph.New("bags")
		table := b.Constant(tensor.Zeros(3, 2))
		idx := b.Input("i", tensor.Int32, graph.Rows, graph.N(2))
		if computed {
			idx = graph.Concat(1, idx, idx)
		}
		b.Output("y", graph.BagSum(table, idx, nil))
		exe := mustCompile(t, mustProgram(t, b))
		for _, bad := range []int32{3, -2} {
			feed, _ := tensor.FromInts([]int32{0, bad}, 1, 2)
			err := exe.Run([]*tensor.Tensor{feed}, blank(mustProgram(t, b)))
			if err == nil || !strings.Contains(err.Error(), fmt.Sprint("index ", bad)) || !strings.Contains(err.Error(), "expected −1 to 2") {
				t.Errorf("computed %v: found the error %v of index %d", computed, err, bad)
			}
		}
	}
}
