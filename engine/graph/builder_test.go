package graph_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/internal/reference"
	"github.com/hone-ml/hone/engine/tensor"
)

var perRow = graph.Dim{N: 4, PerRow: true}

// TestFirstErrorIsKept: it names the program, the op, both shapes and the
// line on which it was made; later calls are inert.
func TestFirstErrorIsKept(t *testing.T) {
	b := graph.New("train")
	x := b.Input("x", tensor.Float32, graph.Rows, graph.N(20))
	w := b.Input("w", tensor.Float32, graph.N(21), graph.N(3))
	_, _, line, _ := runtime.Caller(0)
	y := graph.MatMul(x, w) // the line after
	// Everything must put up with a node that came of an error.
	z := graph.Sum(graph.Concat(-1, graph.Softmax(y), graph.Slice(y, -1, 0, 1)), -1)
	z = graph.Mean(graph.Reshape(graph.BroadcastTo(z, graph.Fixed(2)), graph.N(7)), 5)
	z = graph.SoftmaxCrossEntropy(graph.Scale(z, 2), graph.UniqueRows(z), 7)
	z = graph.Select(graph.Gather(z, z), graph.Transpose(z), graph.ScatterAdd(z, z, -1))
	for _, g := range graph.Gradients(z, []*graph.Node{x, w}) {
		if !g.IsZero() {
			t.Error("a gradient came of an error")
		}
	}
	b.Output("z", z)
	b.Write(variable(t, "v", 3), z)
	p, err := b.Program()
	if p != nil || err == nil {
		t.Fatalf("program %v, error %v", p, err)
	}
	want := fmt.Sprintf("train: matmul: [rows 20] times [21 3]: inner dimensions are 20 and 21 (built at graph/builder_test.go:%d)", line+1)
	if err.Error() != want || b.Err() != err {
		t.Errorf("got  %v\nwant %v", err, want)
	}
}

func variable(t *testing.T, name string, dims ...int) *graph.Variable {
	t.Helper()
	v, err := graph.NewState().Add(name, tensor.Zeros(dims...), true)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestMistakes holds one mistake a line; the error must contain every word of
// the list.
func TestMistakes(t *testing.T) {
	v := variable(t, "v", 3)
	for _, c := range []struct {
		name  string
		build func(b *graph.Builder, x *graph.Node, i *graph.Node) // x is float32[rows 4], i int32[rows]
		want  []string
	}{
		{"broadcast", func(b *graph.Builder, x, i *graph.Node) { graph.Add(x, b.Constant(tensor.Zeros(3))) },
			[]string{"add", "[rows 4]", "[3]", "4 against 3"}},
		{"rows against a constant", func(b *graph.Builder, x, i *graph.Node) { graph.Add(x, b.Constant(tensor.Zeros(7, 4))) },
			[]string{"[7 4]", "rows against 7"}},
		{"integers", func(b *graph.Builder, x, i *graph.Node) { graph.Exp(i) }, []string{"exp", "int32[rows]", "expected float32"}},
		{"integers on one side", func(b *graph.Builder, x, i *graph.Node) { graph.Mul(x, i) }, []string{"mul", "int32[rows]"}},
		{"matmul of a vector", func(b *graph.Builder, x, i *graph.Node) { graph.MatMul(x, b.Constant(tensor.Zeros(4))) },
			[]string{"matmul", "float32[rows 4]", "float32[4]", "matrices"}},
		{"reshape", func(b *graph.Builder, x, i *graph.Node) { graph.Reshape(x, graph.Rows, graph.N(5)) },
			[]string{"reshape", "[rows 4]", "[rows 5]"}},
		{"reshape away from rows", func(b *graph.Builder, x, i *graph.Node) { graph.Reshape(x, graph.N(4)) }, []string{"reshape", "[4]"}},
		{"negative dimensions", func(b *graph.Builder, x, i *graph.Node) {
			graph.Reshape(x, graph.Dim{N: -2, PerRow: true}, graph.N(-2))
		},
			[]string{"reshape", "-2"}},
		{"a negative input", func(b *graph.Builder, x, i *graph.Node) { b.Input("y", tensor.Float32, graph.N(-1)) }, []string{"input y", "-1"}},
		{"transpose", func(b *graph.Builder, x, i *graph.Node) { graph.Transpose(graph.Sum(x, 0)) }, []string{"transpose", "float32[4]"}},
		{"sum over no dimension", func(b *graph.Builder, x, i *graph.Node) { graph.Sum(x, 2) }, []string{"sum", "2", "float32[rows 4]"}},
		{"mean over no dimension", func(b *graph.Builder, x, i *graph.Node) { graph.Mean(x, -3) }, []string{"sum", "-3", "float32[rows 4]"}},
		{"concat", func(b *graph.Builder, x, i *graph.Node) { graph.Concat(1, x, b.Constant(tensor.Zeros(2, 4))) },
			[]string{"concat", "float32[2 4]", "float32[rows 4]", "rows"}},
		{"concat of rows and constants", func(b *graph.Builder, x, i *graph.Node) { graph.Concat(0, x, b.Constant(tensor.Zeros(2, 4))) },
			[]string{"concat", "per row"}},
		{"concat of types", func(b *graph.Builder, x, i *graph.Node) { graph.Concat(0, i, graph.Sum(x, 1)) },
			[]string{"concat", "int32[rows]", "float32[rows]"}},
		{"slice beyond", func(b *graph.Builder, x, i *graph.Node) { graph.Slice(x, 1, 2, 5) }, []string{"slice", "2", "4", "float32[rows 4]"}},
		{"slice of nothing", func(b *graph.Builder, x, i *graph.Node) { graph.Slice(x, 1, 2, 2) }, []string{"slice"}},
		{"softmax over rows", func(b *graph.Builder, x, i *graph.Node) { graph.Softmax(graph.Sum(x, 1)) }, []string{"softmax", "float32[rows]"}},
		{"softmax over nothing", func(b *graph.Builder, x, i *graph.Node) { graph.Softmax(b.Constant(tensor.Zeros(3, 0))) }, []string{"softmax", "float32[3 0]"}},
		{"no classes", func(b *graph.Builder, x, i *graph.Node) {
			graph.SoftmaxCrossEntropy(b.Constant(tensor.Zeros(3, 0)), b.Constant(tensor.New(tensor.Int32, 3)), 0)
		}, []string{"softmax_cross_entropy", "float32[3 0]"}},
		{"labels", func(b *graph.Builder, x, i *graph.Node) { graph.SoftmaxCrossEntropy(x, x, 0) },
			[]string{"softmax_cross_entropy", "float32[rows 4]", "int32"}},
		{"smoothing", func(b *graph.Builder, x, i *graph.Node) { graph.SoftmaxCrossEntropy(x, i, 1) }, []string{"smoothing", "1"}},
		{"targets", func(b *graph.Builder, x, i *graph.Node) { graph.SigmoidCrossEntropy(x, graph.Sum(x, 1)) },
			[]string{"sigmoid_cross_entropy", "[rows 4]", "[rows]"}},
		{"conv2d of a matrix", func(b *graph.Builder, x, i *graph.Node) {
			graph.Conv2D(x, b.Constant(tensor.Zeros(3, 3, 1, 2)), graph.Window{})
		}, []string{"conv2d", "float32[rows 4]", "[rows height width channels]"}},
		{"conv2d of other channels", func(b *graph.Builder, x, i *graph.Node) {
			graph.Conv2D(b.Constant(tensor.Zeros(1, 5, 5, 3)), b.Constant(tensor.Zeros(3, 3, 4, 2)), graph.Window{})
		}, []string{"conv2d", "float32[1 5 5 3]", "float32[3 3 4 2]", "3 channels against 4"}},
		{"conv2d with a large kernel", func(b *graph.Builder, x, i *graph.Node) {
			graph.Conv2D(b.Constant(tensor.Zeros(1, 5, 2, 3)), b.Constant(tensor.Zeros(3, 3, 3, 2)), graph.Window{})
		}, []string{"conv2d", "5 by 2", "window of 3 by 3", "border"}},
		{"conv2d with a wide border", func(b *graph.Builder, x, i *graph.Node) {
			graph.Conv2D(b.Constant(tensor.Zeros(1, 5, 5, 3)), b.Constant(tensor.Zeros(3, 3, 3, 2)), graph.Window{Top: 3})
		}, []string{"conv2d", "border is 3, 0, 0, 0", "3 by 3"}},
		{"conv2d backwards", func(b *graph.Builder, x, i *graph.Node) {
			graph.Conv2D(b.Constant(tensor.Zeros(1, 5, 5, 3)), b.Constant(tensor.Zeros(3, 3, 3, 2)), graph.Window{StrideH: 1, StrideW: 1, Left: -1})
		}, []string{"conv2d", "-1"}},
		{"conv2d that goes back", func(b *graph.Builder, x, i *graph.Node) {
			graph.Conv2D(b.Constant(tensor.Zeros(1, 5, 5, 3)), b.Constant(tensor.Zeros(3, 3, 3, 2)), graph.Window{StrideH: -2})
		}, []string{"conv2d", "strides are -2 and 1", "1 or more"}},
		{"max_pool of a large window", func(b *graph.Builder, x, i *graph.Node) {
			graph.MaxPool(b.Constant(tensor.Zeros(1, 5, 5, 3)), 6, 2, graph.Window{})
		}, []string{"max_pool", "float32[1 5 5 3]", "window of 6 by 2"}},
		{"gather by floats", func(b *graph.Builder, x, i *graph.Node) { graph.Gather(b.Read(v), x) }, []string{"gather", "float32[rows 4]", "int32"}},
		{"gather from rows", func(b *graph.Builder, x, i *graph.Node) { graph.Gather(x, i) }, []string{"gather", "float32[rows 4]", "fixed"}},
		{"scatter", func(b *graph.Builder, x, i *graph.Node) { graph.ScatterSet(b.Read(v), i, x) },
			[]string{"scatter_set", "float32[3]", "int32[rows]", "float32[rows 4]"}},
		{"one_hot", func(b *graph.Builder, x, i *graph.Node) { graph.OneHot(i, 0) }, []string{"one_hot", "0 classes"}},
		{"seed", func(b *graph.Builder, x, i *graph.Node) { graph.Uniform(i, i) }, []string{"uniform", "int32[rows]", "int32[2]"}},
		{"broadcast down", func(b *graph.Builder, x, i *graph.Node) { graph.BroadcastTo(x, graph.Fixed(4)) },
			[]string{"broadcast", "[rows 4]", "[4]"}},
		{"a nil node", func(b *graph.Builder, x, i *graph.Node) { graph.Add(x, nil) }, []string{"add", "input 1 is nil"}},
		{"two inputs of a name", func(b *graph.Builder, x, i *graph.Node) { b.Input("x", tensor.Float32) }, []string{"two inputs", `"x"`}},
		{"nine dimensions", func(b *graph.Builder, x, i *graph.Node) { b.Input("y", tensor.Float32, make([]graph.Dim, 9)...) }, []string{"8 dimensions"}},
		{"read of nil", func(b *graph.Builder, x, i *graph.Node) { b.Read(nil) }, []string{"read", "nil"}},
		{"write to nil", func(b *graph.Builder, x, i *graph.Node) { b.Write(nil, x) }, []string{"write", "nil"}},
		{"write of nil", func(b *graph.Builder, x, i *graph.Node) { b.Write(v, nil) }, []string{"write v", "not a node of this program"}},
		{"write of another shape", func(b *graph.Builder, x, i *graph.Node) { b.Write(v, graph.Sum(x, 0)) },
			[]string{"write v", "float32[3]", "float32[4]"}},
		{"write of rows", func(b *graph.Builder, x, i *graph.Node) { b.Write(v, graph.Sum(x, 1)) },
			[]string{"write v", "float32[3]", "float32[rows]"}},
		{"write twice", func(b *graph.Builder, x, i *graph.Node) { b.Write(v, b.Read(v)); b.Write(v, b.Read(v)) },
			[]string{"write v", "twice"}},
		{"write of another program's node", func(b *graph.Builder, x, i *graph.Node) { b.Write(v, graph.New("other").Read(v)) },
			[]string{"write v", "not a node of this program"}},
		{"output of nil", func(b *graph.Builder, x, i *graph.Node) { b.Output("y", nil) }, []string{"output y"}},
		{"output of another program's node", func(b *graph.Builder, x, i *graph.Node) { b.Output("y", graph.New("other").Read(v)) },
			[]string{"output y", "not a node of this program"}},
		{"nodes of two programs", func(b *graph.Builder, x, i *graph.Node) { graph.Add(x, graph.New("other").Scalar(1)) },
			[]string{"add", "input 1", `"other"`}},
		{"gradient with respect to another program's node", func(b *graph.Builder, x, i *graph.Node) {
			graph.Gradients(graph.Sum(x), []*graph.Node{x, graph.New("other").Scalar(1)})
		}, []string{"gradients", "number 1"}},
		{"gradient with respect to nil", func(b *graph.Builder, x, i *graph.Node) { graph.Gradients(graph.Sum(x), []*graph.Node{nil}) },
			[]string{"gradients", "number 0"}},
		{"gradient of a matrix", func(b *graph.Builder, x, i *graph.Node) { graph.Gradients(x, nil) }, []string{"scalar", "float32[rows 4]"}},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			b := graph.New("p")
			x := b.Input("x", tensor.Float32, graph.Rows, graph.N(4))
			i := b.Input("i", tensor.Int32, graph.Rows)
			c.build(b, x, i)
			_, err := b.Program()
			if err == nil {
				t.Fatal("no error")
			}
			for _, w := range append(c.want, "p: ", "(built at graph/builder_test.go:") {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("the error %q does not contain %q", err, w)
				}
			}
		})
	}
}

// TestUnusedNodesAreDropped: what neither an output nor a write needs is not
// in the program, inputs must be fed all the same, and nodes follow their
// inputs.
func TestUnusedNodesAreDropped(t *testing.T) {
	b := graph.New("p")
	x, unused := b.Input("x", tensor.Float32), b.Input("unused", tensor.Float32)
	kept := graph.Exp(x)
	graph.Log(kept)
	graph.Add(unused, x)
	v := variable(t, "v")
	b.Write(v, graph.Add(b.Read(v), kept))
	p, err := b.Program()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[*graph.Node]bool{}
	var names []string
	for _, n := range p.Nodes {
		for _, in := range n.In {
			if !seen[in] {
				t.Errorf("%s comes before its input %s", n.Op.Name(), in.Op.Name())
			}
		}
		seen[n] = true
		names = append(names, n.Op.Name())
	}
	if got := strings.Join(names, ", "); got != "input x, exp, read v, add" {
		t.Errorf("nodes: %s", got)
	}
	if len(p.Inputs) != 2 || p.Inputs[1] != unused {
		t.Errorf("inputs: %v", p.Inputs)
	}
	text := "program p\n  %0 = input x() : float32[]\n  %2 = exp(%0) : float32[]\n  %5 = read v() : float32[]\n" +
		"  %6 = add(%5, %2) : float32[]\n  write v = %6\n"
	if p.String() != text {
		t.Errorf("the program reads\n%s\nwant\n%s", p, text)
	}
}

func TestReadTwiceIsOneNode(t *testing.T) {
	b, v := graph.New("p"), variable(t, "v", 2)
	first := b.Read(v)
	if b.Read(v) != first {
		t.Error("two nodes")
	}
	if graph.New("q").Read(v) == first {
		t.Error("two programs share a node")
	}
}

func TestState(t *testing.T) {
	s := graph.NewState()
	w, err := s.Add("w", tensor.Zeros(2, 3), true)
	if err != nil {
		t.Fatal(err)
	}
	m, _ := s.Add("m", tensor.Zeros(7), false)
	if _, err := s.Add("w", tensor.Zeros(1), true); err == nil || !strings.Contains(err.Error(), `"w"`) {
		t.Errorf("a second w: %v", err)
	}
	if s.Lookup("w") != w || s.Lookup("none") != nil || w.State != s {
		t.Error("lookup")
	}
	if all, some := s.Variables(), s.Trainable(); len(all) != 2 || all[1] != m || len(some) != 1 || some[0] != w || s.Parameters() != 6 {
		t.Errorf("variables %v, trainable %v, %d parameters", all, some, s.Parameters())
	}
}

func TestShapes(t *testing.T) {
	s := graph.Shape{graph.Rows, graph.N(20), perRow}
	if s.String() != "[rows 20 4·rows]" || (graph.Shape{}).String() != "[]" {
		t.Errorf("written as %v", s)
	}
	if got := s.Of([]int{9}, 3); !tensor.SameShape(got, []int{9, 3, 20, 12}) {
		t.Errorf("for 3 rows: %v", got)
	}
	z := s.Size()
	if z != (graph.Size{Factor: 80, Power: 2}) || z.Of(3) != 720 || (graph.Shape{}).Size().Of(3) != 1 {
		t.Errorf("size %v", z)
	}
	if !s.Equal(graph.Shape{{N: 1, PerRow: true}, {N: 20}, {N: 4, PerRow: true}}) || s.Equal(s[:2]) || s.Equal(graph.Fixed(1, 20, 4)) {
		t.Error("equality")
	}
	if typ := (graph.Type{DType: tensor.Int32, Shape: s}); typ.String() != "int32[rows 20 4·rows]" {
		t.Errorf("type written as %v", typ)
	}
}

// TestShapeRules lists results that are not obvious.
func TestShapeRules(t *testing.T) {
	b := graph.New("p")
	in := func(dims ...graph.Dim) *graph.Node {
		return graph.Apply(&graph.Expand{Shape: dims}, b.Scalar(0))
	}
	idx := func(dims ...graph.Dim) *graph.Node {
		return b.Input(fmt.Sprint(len(dims), dims), tensor.Int32, dims...)
	}
	r, n := graph.Rows, graph.N
	for _, c := range []struct {
		name string
		node *graph.Node
		want string
	}{
		{"broadcast both ways", graph.Add(in(r, n(1), n(5)), in(n(4), n(1))), "float32[rows 4 5]"},
		{"one row against rows", graph.Add(in(n(1), n(5)), in(r, n(1))), "float32[rows 5]"},
		{"scalar", graph.Add(b.Scalar(1), in(r)), "float32[rows]"},
		{"sum of outer dimensions", graph.Sum(in(r, n(4), n(5)), 0, -1), "float32[4]"},
		{"sum of a dimension named twice", graph.Sum(in(r, n(4)), 1, -1), "float32[rows]"},
		{"sum of all", graph.Sum(in(r, n(4))), "float32[]"},
		{"concat of rows", graph.Concat(0, in(r, n(4)), in(perRow, n(4))), "float32[5·rows 4]"},
		{"concat from the back", graph.Concat(-1, in(r, n(4)), in(r, n(3))), "float32[rows 7]"},
		{"slice of rows", graph.Slice(in(perRow), 0, 1, 3), "float32[2·rows]"},
		{"reshape of rows", graph.Reshape(in(perRow, n(3)), r, n(12)), "float32[rows 12]"},
		{"gather", graph.Gather(in(n(9), n(2)), idx(r, n(3))), "float32[rows 3 2]"},
		{"gather by a scalar", graph.Gather(in(n(9), n(2)), idx()), "float32[2]"},
		{"one_hot", graph.OneHot(idx(r), 6), "float32[rows 6]"},
		{"matmul of rows", graph.Apply(graph.Product{TransA: true}, in(r, n(2)), in(r, n(3))), "float32[2 3]"},
		{"gram matrix", graph.Apply(graph.Product{TransB: true}, in(r, n(2)), in(r, n(2))), "float32[rows rows]"},
		{"cross-entropy", graph.SoftmaxCrossEntropy(in(r, n(2), n(5)), idx(r, n(2)), 0), "float32[rows 2]"},
	} {
		if b.Err() != nil {
			t.Fatal(b.Err())
		}
		if c.node.Type.String() != c.want {
			t.Errorf("%s: %v, want %s", c.name, c.node.Type, c.want)
		}
	}
	x := in(r, n(2))
	if graph.Reshape(x, r, n(2)) != x || graph.BroadcastTo(x, x.Shape()) != x || graph.Concat(0, x) != x {
		t.Error("an operation that changes nothing adds a node")
	}
}

// TestMeans: the divisor follows from the dimensions, however they are named.
func TestMeans(t *testing.T) {
	for _, axes := range [][]int{nil, {0}, {1}, {-1}, {0, 1}, {1, -1}, {0, 0, -2}} {
		b := graph.New("mean")
		x := b.Input("x", tensor.Float32, graph.Dim{N: 2, PerRow: true}, graph.N(3))
		b.Output("y", graph.Mean(graph.BroadcastTo(b.Scalar(5), x.Shape()), axes...))
		p, err := b.Program()
		if err != nil {
			t.Fatal(err)
		}
		r, err := reference.Eval(p, 4, []*reference.Value{reference.New(tensor.Float32, 8, 3)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range r.Outputs[0].F {
			if v != 5 {
				t.Errorf("the mean of fives over %v is %v", axes, v)
			}
		}
	}
}

// TestRandomStreams: two calls draw different numbers, and dropping one does
// not change the other.
func TestRandomStreams(t *testing.T) {
	draw := func(both bool) [][]float64 {
		b := graph.New("random")
		seed, step := b.Input("seed", tensor.Int32, graph.N(2)), b.Input("step", tensor.Int32)
		x, y := graph.Uniform(seed, step, graph.N(8)), graph.Uniform(seed, step, graph.N(8))
		if both {
			b.Output("x", x)
		}
		b.Output("y", y)
		p, err := b.Program()
		if err != nil {
			t.Fatal(err)
		}
		r, err := reference.Eval(p, 1, []*reference.Value{{Shape: []int{2}, I: []int32{1, 2}}, {Shape: []int{}, I: []int32{3}}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		var out [][]float64
		for _, v := range r.Outputs {
			out = append(out, v.F)
		}
		return out
	}
	both, one := draw(true), draw(false)
	if fmt.Sprint(both[0]) == fmt.Sprint(both[1]) {
		t.Error("two calls draw the same numbers")
	}
	if fmt.Sprint(both[1]) != fmt.Sprint(one[0]) {
		t.Error("a call draws other numbers when the one before it is dropped")
	}
}
