package cpu_test

import (
	"fmt"
	"math"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/internal/reference"
	"github.com/hone-ml/hone/engine/tensor"
)

// A comparison is a node's inputs as the backend computed them, and what the
// reference makes of them.
type comparison struct {
	n         *graph.Node
	rows      int
	in        []*reference.Value
	want      *reference.Value
	magnitude *reference.Value // of sums and products: the op on the magnitudes of its inputs
}

// A tolerance is how far element i may be from the reference, in units of
// 2^-24, half the distance from 1 to the next float32.
type tolerance struct {
	of  func(c *comparison, i int) float64
	why string
}

// tolerances is by the name of the op; an op that is absent copies, compares
// or changes a sign, and must be exact. The generator keeps what goes into
// exp, softmax and the losses within ±8.
var tolerances = map[string]tolerance{
	"add": rounded, "sub": rounded, "mul": rounded, "div": rounded, "square": rounded, "sqrt": rounded, "recip": rounded,
	"rsqrt": {relative(3), "a root and a quotient, each rounded"},
	"exp":   approximated, "log": approximated, "log1p": approximated, "tanh": approximated, "sigmoid": approximated,
	"erf": approximated, "sin": approximated, "cos": approximated, "softplus": approximated,

	"sum": summed, "scatter_add": summed, "sum_by_row": summed, "bag_sum": summed,
	"conv2d": summed, "conv2d_input": summed, "conv2d_kernel": summed, "max_spread": summed, "average_spread": summed,
	"average_pool": {func(c *comparison, i int) float64 { return (c.terms() + 1) * c.magnitude.F[i] }, "as a sum, and the quotient"},
	"matmul":       summed, "matmul_ta": summed, "matmul_tb": summed, "matmul_ta_tb": summed,

	"moment": {moved, "two products and their sum, each rounded"}, "moment_square": {moved, "as moment, and the square"},
	"adam": {func(c *comparison, i int) float64 { return 32 + 2*math.Abs(c.want.F[i]) }, "a quotient of up to 4 of rounded parts, and a difference"},
	"gelu": {func(c *comparison, i int) float64 { return 12*math.Abs(c.want.F[i]) + 8*math.Abs(c.in[0].F[i]) },
		"below 0 the sum of 1 and erf cancels"},
	"gelu_tanh": {func(c *comparison, i int) float64 {
		return math.Abs(c.want.F[i])*(16+8*math.Abs(inner(c.in[0].F[i]))) + subnormal
	}, "the rounding of the exponent is a relative error of the exponential; far below 0 it is subnormal"},
	"silu": {func(c *comparison, i int) float64 { return 16*math.Abs(c.want.F[i]) + subnormal },
		"a sigmoid and a product; far below 0 the sigmoid is subnormal"},
	"gelu_grad": sloped, "gelu_tanh_grad": sloped, "silu_grad": sloped,
	"matmul_bias": summed, "matmul_ta_bias": summed, "matmul_tb_bias": summed, "matmul_ta_tb_bias": summed,
	"matmul_bias_relu": summed, "matmul_ta_bias_relu": summed, "matmul_tb_bias_relu": summed, "matmul_ta_tb_bias_relu": summed,

	"softmax": {func(c *comparison, i int) float64 { return (64 + c.classes()) * math.Abs(c.want.F[i]) },
		"rounding x − max, up to 16, is a relative error of the exponential; it and that of exp enter twice; one rounding a class; the quotient"},
	"log_softmax": {func(c *comparison, i int) float64 { return 96 + c.classes() },
		"rounding x − max; the logarithm of a sum with the relative error of that of softmax; their difference"},
	"softmax_cross_entropy": {func(c *comparison, i int) float64 { return 128 + c.classes() },
		"as log_softmax, and the mean of x − max that smoothing adds"},
	"softmax_cross_entropy_grad": {func(c *comparison, i int) float64 {
		return (72 + c.classes()) * math.Abs(c.in[2].F[i/int(c.classes())])
	}, "softmax less the target, times dy"},
	"sigmoid_cross_entropy": {func(*comparison, int) float64 { return 48 }, "three terms of up to 8, each rounded, and the roundings of their sum"},
	"matmul_stack":          summed, "matmul_stack_ta": summed, "matmul_stack_tb": summed, "matmul_stack_ta_tb": summed,
	// The generator keeps queries, keys, values and dy within ±1.
	"attention": {func(c *comparison, _ int) float64 { return 64 + 2*c.scores() },
		"a weight has the relative error of its score, a sum of as many products as a head is wide, and of the sum over keys"},
	"attention_grad": {func(c *comparison, _ int) float64 { return 4 * c.classes() * (64 + 2*c.scores()) },
		"weights as in attention, times differences of sums over the width, added over keys or queries"},
	"gru": recurrent, "lstm": recurrent, "gru_grad": recurrentGrad, "lstm_grad": recurrentGrad,
	"layer_norm": standardized, "rms_norm": standardized,
	"layer_norm_grad": standardizedGrad, "rms_norm_grad": standardizedGrad,
	"layer_norm_sums": standardizedSums, "rms_norm_sums": standardizedSums,
	"normal": {func(*comparison, int) float64 { return 128 }, "a radius of up to 6 times a cosine, whose angle is rounded"},
}

var (
	rounded      = tolerance{relative(1.001), "correctly rounded; the rest is for the rounding of the reference"}
	approximated = tolerance{relative(8), "polynomials of at most 4 ULP"}
	summed       = tolerance{func(c *comparison, i int) float64 { return c.terms() * c.magnitude.F[i] },
		"every term passes at most as many roundings as there are terms, each of a partial sum of magnitudes"}
)

// With the epsilon of the generator, 0.1, a deviation is at least 0.3, and what
// is normalised at most ±8: the rounding of x − mean is at most a few times
// that of 8, and the result bounded by the root of the width.
var (
	standardized = tolerance{func(c *comparison, _ int) float64 { return 16 * (32 + 4*c.classes()) },
		"x − mean is rounded as x is, and divided by a deviation; a mean and a variance, sums over the width"}
	standardizedGrad = tolerance{func(c *comparison, _ int) float64 { return 128 * (32 + 4*c.classes()) },
		"three terms of the size of gain·dy over the deviation, each with the error of what is standardised"}
	standardizedSums = tolerance{func(c *comparison, _ int) float64 {
		return float64(len(c.in[0].F)) * 16 * (32 + 4*c.classes())
	}, "what is standardised, times dy, added over the rows"}
)

// scores bounds the error of a score and of a sum over keys.
func (c *comparison) scores() float64 {
	s := c.in[len(c.in)-1].Shape
	if len(s) > 1 {
		return c.classes()*c.classes() + float64(s[len(s)-2])
	}
	return c.classes()*c.classes() + float64(c.in[0].Shape[len(c.in[0].Shape)-2])
}

// sloped is for derivatives, which are at most 1.13 and sums of a few terms of up
// to about 1, times dy.
var sloped = tolerance{func(c *comparison, i int) float64 { return 64 * math.Abs(c.in[1].F[i]) }, "terms of about 1, each rounded, that may cancel"}

// subnormal is the error of a subnormal number times some hundred.
const subnormal = (1 << 24) * 1e-42

func inner(x float64) float64 { return 1.6 * (x + 0.044715*x*x*x) }

func relative(units float64) func(*comparison, int) float64 {
	return func(c *comparison, i int) float64 { return units * math.Abs(c.want.F[i]) }
}

// moved is for sums of two products, of which the second may have another sign.
func moved(c *comparison, i int) float64 { return 4 * c.magnitude.F[i] }

// terms is the number of terms that may end up in one sum.
func (c *comparison) terms() float64 {
	in := c.n.In[0].Shape()
	switch op := c.n.Op.(type) {
	case graph.Reduce:
		return float64(in[op.Lo:op.Hi].Size().Of(c.rows))
	case graph.Product:
		terms := float64(in[1].Of(c.rows))
		if op.TransA {
			terms = float64(in[0].Of(c.rows))
		}
		if op.Bias {
			terms++
		}
		return terms
	case graph.Products:
		if op.TransA {
			return float64(in[len(in)-2].Of(c.rows))
		}
		return float64(in[len(in)-1].Of(c.rows))
	case graph.Collect:
		in = c.n.In[1].Shape()
	case graph.Bag:
		in = c.n.In[1].Shape()
		return float64(in[len(in)-1].N) + 1
	case graph.Convolution:
		return float64(c.n.In[1].Shape()[:3].Size().Factor)
	case graph.ConvolutionInput:
		return float64(c.n.In[1].Shape()[:2].Size().Factor * in[3].N)
	case graph.ConvolutionKernel:
		return float64(c.n.In[1].Shape()[:3].Size().Of(c.rows))
	case graph.Pool:
		return float64(op.KH * op.KW)
	case graph.MaxSpread:
		return float64(op.KH * op.KW)
	case graph.AverageSpread:
		return float64(2 * op.KH * op.KW) // and their quotients
	}
	return float64(in[0].Of(c.rows))
}

// classes is the length of the last dimension.
func (c *comparison) classes() float64 {
	s := c.in[0].Shape
	return float64(s[len(s)-1])
}

// fataler is what *testing.T and *rapid.T have in common.
type fataler interface {
	Fatalf(format string, args ...any)
	Helper()
}

// compareNode holds got, which the backend computed for n, against the
// reference on the inputs that the backend computed too, so that errors do
// not add up from node to node.
func compareNode(t fataler, p *graph.Program, n *graph.Node, rows int, in []*reference.Value, got *tensor.Tensor) {
	t.Helper()
	want, err := reference.Apply(n, rows, in)
	if err != nil {
		t.Fatalf("%v", err)
	}
	if got.DType() != want.DType() || !tensor.SameShape(got.Shape(), want.Shape) {
		t.Fatalf("%%%d %s with %d rows: %v, want %v\n%v", n.ID, n.Op.Name(), rows, got, n.Type, p)
	}
	for i, w := range want.I {
		if got.Ints()[i] != w {
			t.Fatalf("%%%d %s with %d rows: element %d is %d, want %d\n%v", n.ID, n.Op.Name(), rows, i, got.Ints()[i], w, p)
		}
	}
	c := &comparison{n: n, rows: rows, in: in, want: want}
	switch n.Op.(type) {
	case graph.Reduce, graph.Product, graph.Products, graph.Spread, graph.Collect, graph.Bag, graph.Moment, graph.Convolution, graph.ConvolutionInput, graph.ConvolutionKernel,
		graph.Pool, graph.MaxSpread, graph.AverageSpread:
		abs := make([]*reference.Value, len(in))
		for i, v := range in {
			abs[i] = v.Clone()
			for j, x := range v.F {
				abs[i].F[j] = math.Abs(x)
			}
		}
		if c.magnitude, err = reference.Apply(n, rows, abs); err != nil {
			t.Fatalf("%v", err)
		}
	}
	tol := tolerances[n.Op.Name()]
	for i, w := range want.F {
		g, allowed := float64(got.Floats()[i]), 0.0
		if tol.of != nil {
			allowed = tol.of(c, i)/(1<<24) + math.SmallestNonzeroFloat32
		}
		if !(math.Abs(g-w) <= allowed) {
			t.Fatalf("%%%d %s with %d rows: element %d is %v, want %v ± %.2g (%s)\n%v", n.ID, n.Op.Name(), rows, i, g, w, allowed, tol.why, p)
		}
	}
}

// compareProgram runs a drawn program on one executable with several numbers
// of rows. With every node as an output each op is held against the reference;
// with few, when nodes are fused and share memory, the outputs must have the
// same bits. It returns the program of all nodes.
func compareProgram(t *rapid.T, g *generator, rows ...int) *graph.Program {
	for i := range rapid.IntRange(1, 3).Draw(t, "outputs") {
		g.b.Output(fmt.Sprint("y", i), g.pick("output", nil, nil).Node)
	}
	p := mustProgram(t, g.b)
	for range 2 { // first the nodes drawn, then what they need besides
		all := mustProgram(t, g.b).Nodes
		for _, n := range g.nodes {
			all = append(all, n.Node)
		}
		for _, n := range all {
			g.b.Output(fmt.Sprint("%", n.ID), n)
		}
	}
	all := mustProgram(t, g.b)
	few, many := mustCompile(t, p), mustCompile(t, all)
	fewOut, manyOut := blank(p), blank(all)
	seed := rapid.Uint64().Draw(t, "seed")
	for _, rows := range rows {
		feeds := g.feeds(p, rows, seed)
		if err := many.Run(feeds, manyOut); err != nil {
			t.Fatalf("%v\n%v", err, all)
		}
		if err := few.Run(feeds, fewOut); err != nil {
			t.Fatalf("%v\n%v", err, p)
		}
		values, results := map[*graph.Node]*reference.Value{}, map[*graph.Node]*tensor.Tensor{}
		for i, o := range all.Outputs {
			results[o.Node], values[o.Node] = manyOut[i], reference.FromTensor(manyOut[i])
		}
		for _, n := range all.Nodes {
			in := make([]*reference.Value, len(n.In))
			for i, x := range n.In {
				in[i] = values[x]
			}
			if _, fed := n.Op.(*graph.Input); !fed {
				compareNode(t, all, n, rows, in, results[n])
			}
		}
		for i, o := range p.Outputs {
			if at := differ(fewOut[i], results[o.Node]); at >= 0 {
				t.Fatalf("output %d with %d rows: element %d is %v alone, %v when every node is an output\n%v",
					i, rows, at, fewOut[i].Raw()[at], results[o.Node].Raw()[at], p)
			}
		}
	}
	return all
}

func TestRandomPrograms(t *testing.T) {
	rows := []int{7, 1, 64, 2, 257}
	if raced {
		rows = rows[:2]
	}
	rapid.Check(t, randomProgram(rows))
}

// FuzzPrograms does so with programs that the fuzzer chooses.
func FuzzPrograms(f *testing.F) { f.Fuzz(rapid.MakeFuzz(randomProgram([]int{7, 0, 65}))) }

func randomProgram(rows []int) func(*rapid.T) {
	return func(t *rapid.T) {
		g := newGenerator(t)
		ops := g.ops()
		for range rapid.IntRange(4, 30).Draw(t, "ops") {
			ops[g.below(len(ops), "op")]()
		}
		compareProgram(t, g, rows...)
	}
}

// TestEveryOp runs programs of all ops, in any order, and fails when one that
// package graph exports was never among them.
func TestEveryOp(t *testing.T) {
	types, kinds, err := reference.Ops("../graph")
	if err != nil {
		t.Fatal(err)
	}
	ran := map[string]bool{}
	rapid.Check(t, func(t *rapid.T) {
		g := newGenerator(t)
		for _, op := range rapid.Permutation(g.ops()).Draw(t, "ops") {
			op()
		}
		for _, n := range compareProgram(t, g, 7, 1, 19).Nodes {
			op := reflect.Indirect(reflect.ValueOf(n.Op))
			ran[op.Type().Name()] = true
			if kind := op.FieldByName("Kind"); kind.IsValid() {
				ran[kinds[kind.Type().Name()][kind.Uint()]] = true
			}
		}
	})
	for _, names := range kinds {
		types = append(types, names...)
	}
	for _, name := range types {
		if !ran[name] {
			t.Errorf("no program had %s", name)
		}
	}
}

// differ returns the first element at which two tensors have different bits,
// or −1.
func differ(a, b *tensor.Tensor) int {
	if !tensor.SameShape(a.Shape(), b.Shape()) {
		return 0
	}
	for i, x := range a.Raw() {
		if math.Float32bits(x) != math.Float32bits(b.Raw()[i]) {
			return i
		}
	}
	return -1
}
