package reference

import (
	"math"
	"reflect"
	"slices"
	"testing"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
)

// TestEveryOpHasAFunction fails when an op or a kind is added to package
// graph alone. Input is fed and has none.
func TestEveryOpHasAFunction(t *testing.T) {
	types, kinds, err := Ops("../../graph")
	if err != nil {
		t.Fatal(err)
	}
	if len(types) < 25 || len(kinds) < 3 {
		t.Fatalf("found %d ops and %d kinds in the source of package graph: too few to be true", len(types), len(kinds))
	}
	have := map[string]bool{"Input": true}
	for typ := range functions {
		if typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		have[typ.Name()] = true
	}
	for _, name := range types {
		if !have[name] {
			t.Errorf("op %s has no row in the table of the reference", name)
		}
	}
	for i, name := range kinds["UnaryKind"] {
		if unaries[graph.UnaryKind(i)] == nil {
			t.Errorf("%s has no function", name)
		}
	}
	for i, name := range kinds["BinaryKind"] {
		if binaries[graph.BinaryKind(i)] == nil {
			t.Errorf("%s has no function", name)
		}
	}
}

// TestPhilox holds the generator against the vectors of Random123 1.14
// (tests/kat_vectors, "philox4x32 10").
func TestPhilox(t *testing.T) {
	for _, c := range []struct {
		ctr  [4]uint32
		key  [2]uint32
		want [4]uint32
	}{
		{[4]uint32{}, [2]uint32{}, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{[4]uint32{math.MaxUint32, math.MaxUint32, math.MaxUint32, math.MaxUint32}, [2]uint32{math.MaxUint32, math.MaxUint32},
			[4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{[4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, [2]uint32{0xa4093822, 0x299f31d0},
			[4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	} {
		if got := philox(c.ctr, c.key); got != c.want {
			t.Errorf("philox(%x, %x) = %x, want %x", c.ctr, c.key, got, c.want)
		}
	}
}

// TestKnownValues holds ops against values worked out by hand, or by the
// NumPy or SciPy call in the comment.
func TestKnownValues(t *testing.T) {
	ints := func(v ...int32) *tensor.Tensor {
		x, _ := tensor.FromInts(v)
		return x
	}
	floats := func(shape []int, v ...float32) *tensor.Tensor {
		x, err := tensor.FromFloats(v, shape...)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	b := graph.New("known")
	a := b.Constant(floats([]int{2, 3}, 1, 2, 3, 4, 5, 6))
	c := b.Constant(floats([]int{2, 2}, 1, 0, -1, 2))
	table := b.Constant(floats([]int{3, 2}, 10, 11, 20, 21, 30, 31))
	idx := b.Constant(ints(2, -1, 0, 2))
	rows := b.Constant(floats([]int{4, 2}, 1, 2, 3, 4, 5, 6, 7, 8))
	bags := graph.Reshape(idx, graph.N(2), graph.N(2))
	u := graph.UniqueRows(idx)
	cube := b.Constant(floats([]int{2, 2, 2}, 1, 2, 3, 4, 5, 6, 7, 8))
	image := graph.Reshape(a, graph.Fixed(1, 2, 3, 1)...)
	filter := graph.Reshape(c, graph.Fixed(2, 2, 1, 1)...)
	for _, c := range []struct {
		name string
		node *graph.Node
		want []float64
	}{
		{"add, broadcast", graph.Add(a, b.Constant(floats([]int{2, 1}, 10, 20))), []float64{11, 12, 13, 24, 25, 26}},
		{"matmul", graph.MatMul(c, a), []float64{1, 2, 3, 7, 8, 9}},
		{"matmul_ta", graph.Apply(graph.Product{TransA: true}, c, a), []float64{-3, -3, -3, 8, 10, 12}},
		{"matmul_tb", graph.Apply(graph.Product{TransB: true}, a, a), []float64{14, 32, 32, 77}},
		{"transpose", graph.Transpose(a), []float64{1, 4, 2, 5, 3, 6}},
		{"sum, first", graph.Sum(a, 0), []float64{5, 7, 9}},
		{"sum, outer two", graph.Sum(cube, 0, 2), []float64{14, 22}},
		{"mean, last", graph.Mean(a, -1), []float64{2, 5}},
		{"max, middle", graph.ReduceMax(cube, 1), []float64{3, 4, 7, 8}},
		{"concat, last", graph.Concat(-1, a, c), []float64{1, 2, 3, 1, 0, 4, 5, 6, -1, 2}},
		{"slice, last", graph.Slice(a, -1, 1, 3), []float64{2, 3, 5, 6}},
		{"gather", graph.Gather(table, idx), []float64{30, 31, 0, 0, 10, 11, 30, 31}},
		{"sum_by_row", graph.SumByRow(u, idx, rows, nil), []float64{5, 6, 8, 10, 0, 0, 0, 0}},
		{"sum_by_row of bags", graph.SumByRow(u, idx, c, b.Constant(floats([]int{4}, 1, 2, 3, 4))), []float64{-3, 6, -3, 8, 0, 0, 0, 0}},
		{"bag_sum", graph.BagSum(table, bags, nil), []float64{30, 31, 40, 42}},
		{"bag_sum, weighted", graph.BagSum(table, bags, c), []float64{30, 31, 50, 51}},
		{"bag_mean", graph.BagMean(table, bags), []float64{30, 31, 20, 21}},
		{"moment", graph.MovingMean(c, b.Constant(floats([]int{2, 2}, 4, 8, 4, 8)), 0.75, 0.5, false), []float64{1.75, 2, 0, 3.5}},
		{"moment_square", graph.MovingMean(c, b.Constant(floats([]int{2, 2}, 4, 8, 4, 8)), 0.75, 4, true), []float64{4.75, 16, 0, 17.5}},
		{"adam", graph.AdamStep(c, b.Constant(floats([]int{2, 2}, 1, 2, 3, 4)), b.Constant(floats([]int{2, 2}, 4, 9, 16, 25)), b.Scalar(2), b.Scalar(0.5), 0.5),
			[]float64{1 - 2/1.5, -4 / 2.0, -1 - 6/2.5, 2 - 8/3.0}},
		{"scatter_set", graph.ScatterSet(table, b.Constant(ints(1, -1)), c), []float64{10, 11, 1, 0, 30, 31}},
		{"scatter_add", graph.ScatterAdd(idx, rows, 3), []float64{5, 6, 0, 0, 8, 10}},
		{"one_hot", graph.OneHot(b.Constant(ints(1, -1)), 3), []float64{0, 1, 0, 0, 0, 0}},
		{"softmax", graph.Softmax(a), []float64{ // scipy.special.softmax([1, 2, 3])
			0.09003057317038046, 0.24472847105479764, 0.6652409557748218, 0.09003057317038046, 0.24472847105479764, 0.6652409557748218}},
		{"cross-entropy", graph.SoftmaxCrossEntropy(a, b.Constant(ints(2, -1)), 0), []float64{0.4076059644443803, 0}}, // log_softmax
		{"cross-entropy, smoothed", graph.SoftmaxCrossEntropy(a, b.Constant(ints(2, 0)), 0.5), []float64{ // half of it −mean(log_softmax)
			0.5*0.4076059644443803 + 0.5*1.4076059644443803, 0.5*2.4076059644443806 + 0.5*1.4076059644443803}},
		{"sigmoid cross-entropy", graph.SigmoidCrossEntropy(c, b.Constant(floats([]int{2, 2}, 1, 0.5, 0, 0))), []float64{
			0.3132616875182228, 0.6931471805599453, 0.3132616875182228, 2.1269280110429727}}, // numpy.logaddexp(0, x) − t·x
		{"row_count", b.RowCount(), []float64{5}},
		// Of [[1 2 3] [4 5 6]] with [[1 0] [−1 2]], by hand.
		{"conv2d", graph.Conv2D(image, filter, graph.Window{}), []float64{7, 9}},
		{"conv2d with a border and strides", graph.Conv2D(image, filter, graph.Window{StrideH: 2, StrideW: 2, Top: 1, Right: 1}), []float64{3, -3}},
		{"max_pool", graph.MaxPool(image, 2, 2, graph.Window{Right: 1}), []float64{5, 6, 6}},
		{"average_pool", graph.AveragePool(image, 2, 2, graph.Window{Right: 1}), []float64{3, 4, 4.5}},
	} {
		b.Output(c.name, c.node)
		p, err := b.Program()
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		r, err := Eval(p, 5, nil, nil)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		got := r.Outputs[len(r.Outputs)-1]
		if len(got.F) != len(c.want) {
			t.Errorf("%s: %v, want %v", c.name, got.F, c.want)
			continue
		}
		for i, w := range c.want {
			if math.Abs(got.F[i]-w) > 1e-12 {
				t.Errorf("%s: element %d is %v, want %v", c.name, i, got.F[i], w)
			}
		}
	}
	b.Output("unique", u)
	p, err := b.Program()
	if err != nil {
		t.Fatal(err)
	}
	r, err := Eval(p, 5, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Nodes[u].I; !slices.Equal(got, []int32{0, 2, -1, -1}) {
		t.Errorf("unique_rows: %v", got)
	}
}

func TestMistakesAreErrors(t *testing.T) {
	b := graph.New("mistakes")
	x := b.Input("x", tensor.Int32, graph.Rows)
	b.Output("y", graph.OneHot(x, 3))
	p, err := b.Program()
	if err != nil {
		t.Fatal(err)
	}
	feed := func(v ...int32) *Value { return &Value{Shape: []int{len(v)}, I: v} }
	if _, err := Eval(p, 2, []*Value{feed(0, 2)}, nil); err != nil {
		t.Error(err)
	}
	for name, feeds := range map[string][]*Value{
		"index too large": {feed(0, 3)},
		"index below −1":  {feed(-2, 0)},
		"rows":            {feed(0)},
		"dtype":           {{Shape: []int{2}, F: []float64{0, 1}}},
		"count":           {},
	} {
		if _, err := Eval(p, 2, feeds, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
