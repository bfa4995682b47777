package graph_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/internal/reference"
	"github.com/hone-ml/hone/engine/tensor"
)

// A maker declares inputs with random values for one trial of a gradient case.
type maker struct {
	*rand.Rand
	b     *graph.Builder
	rows  int
	feeds []*reference.Value
	wrt   []*graph.Node // the float inputs to differentiate with respect to
	at    []int         // their places in feeds
}

// A domain draws values at which a function is smooth.
type domain func(r *rand.Rand) float64

func between(lo, hi float64) domain {
	return func(r *rand.Rand) float64 { return lo + (hi-lo)*r.Float64() }
}

// awayFromZero draws magnitudes of 0.1 to 2 with either sign.
func awayFromZero(r *rand.Rand) float64 {
	return math.Copysign(0.1+1.9*r.Float64(), r.Float64()-0.5)
}

// Values of lattice(0) and lattice(1) are never closer to each other than 0.05.
func lattice(phase int) domain {
	return func(r *rand.Rand) float64 { return 0.1*float64(2*r.IntN(10)+phase) + 0.05*r.Float64() }
}

var anywhere = between(-2, 2)

// fixed declares a float input that is not differentiated.
func (m *maker) fixed(d domain, shape graph.Shape) *graph.Node {
	v := reference.New(tensor.Float32, shape.Of(nil, m.rows)...)
	for i := range v.F {
		v.F[i] = d(m.Rand)
	}
	m.feeds = append(m.feeds, v)
	return m.b.Input(fmt.Sprintf("x%d", len(m.feeds)), tensor.Float32, shape...)
}

// param declares a float input to differentiate with respect to.
func (m *maker) param(d domain, shape graph.Shape) *graph.Node {
	n := m.fixed(d, shape)
	m.wrt = append(m.wrt, n)
	m.at = append(m.at, len(m.feeds)-1)
	return n
}

// distinct is param with values at least 0.1 apart from each other.
func (m *maker) distinct(shape graph.Shape) *graph.Node {
	n := m.param(anywhere, shape)
	v := m.feeds[len(m.feeds)-1]
	for i, k := range m.Perm(len(v.F)) {
		v.F[i] = 0.1*float64(k) - 1
	}
	return n
}

// ints declares an int32 input of values lo to hi−1.
func (m *maker) ints(lo, hi int, shape graph.Shape) *graph.Node {
	v := reference.New(tensor.Int32, shape.Of(nil, m.rows)...)
	for i := range v.I {
		v.I[i] = int32(lo + m.IntN(hi-lo))
	}
	m.feeds = append(m.feeds, v)
	return m.b.Input(fmt.Sprintf("x%d", len(m.feeds)), tensor.Int32, shape...)
}

// dim draws a dimension: constant, rows or a multiple of rows.
func (m *maker) dim() graph.Dim {
	switch m.IntN(4) {
	case 0:
		return graph.Rows
	case 1:
		return graph.Dim{N: 2, PerRow: true}
	}
	return graph.N(1 + m.IntN(4))
}

// shape draws a shape of a rank between lo and hi.
func (m *maker) shape(lo, hi int) graph.Shape {
	s := make(graph.Shape, lo+m.IntN(hi-lo+1))
	for i := range s {
		s[i] = m.dim()
	}
	return s
}

// smaller draws a shape that broadcasts to s.
func (m *maker) smaller(s graph.Shape) graph.Shape {
	t := slices.Clone(s[m.IntN(len(s)+1):])
	for i := range t {
		if m.IntN(3) == 0 {
			t[i] = graph.N(1)
		}
	}
	return t
}

// pair draws two shapes that broadcast against each other: equal, one smaller
// than the other, or each repeated along dimensions of its own.
func (m *maker) pair() (a, b graph.Shape) {
	s := m.shape(0, 3)
	switch m.IntN(4) {
	case 0:
		return s, s
	case 1:
		return s, m.smaller(s)
	case 2:
		return m.smaller(s), s
	}
	a = slices.Clone(s)
	for i := range a {
		if m.IntN(2) == 0 {
			a[i] = graph.N(1)
		}
	}
	return a, m.smaller(s)
}

// convolution draws images, a kernel that fits them and how it goes over them.
func (m *maker) convolution() (x, k graph.Shape, o graph.Window) {
	n := func(most int) int { return 1 + m.IntN(most) }
	kh, kw, in, out := n(3), n(3), n(3), n(3)
	o.StrideH, o.StrideW = n(2), n(2)
	if m.IntN(2) == 0 {
		o.Top, o.Bottom, o.Left, o.Right = m.IntN(kh), m.IntN(kh), m.IntN(kw), m.IntN(kw)
	}
	h, w := max(n(4), kh-o.Top-o.Bottom), max(n(4), kw-o.Left-o.Right)
	return graph.Shape{m.dim(), graph.N(h), graph.N(w), graph.N(in)}, graph.Fixed(kh, kw, in, out), o
}

// A gradientCase builds an expression of random shape. It covers ops and
// kinds by the names of their types and constants.
type gradientCase struct {
	name   string
	covers []string
	build  func(m *maker) *graph.Node
}

// unaryDomains says where each differentiable function of one input is
// sampled: where it is defined, and smooth.
var unaryDomains = map[graph.UnaryKind]domain{
	graph.OpNeg:      anywhere,
	graph.OpAbs:      awayFromZero,
	graph.OpSquare:   anywhere,
	graph.OpSqrt:     between(0.2, 3),
	graph.OpRsqrt:    between(0.2, 3),
	graph.OpRecip:    func(r *rand.Rand) float64 { return 2 * awayFromZero(r) },
	graph.OpExp:      anywhere,
	graph.OpLog:      between(0.2, 3),
	graph.OpLog1p:    between(-0.8, 3),
	graph.OpTanh:     anywhere,
	graph.OpSigmoid:  between(-5, 5),
	graph.OpErf:      anywhere,
	graph.OpSin:      anywhere,
	graph.OpCos:      anywhere,
	graph.OpSoftplus: between(-5, 5),
	graph.OpGelu:     anywhere,
	graph.OpGeluTanh: anywhere,
	graph.OpSilu:     anywhere,
	graph.OpRelu:     awayFromZero,
}

// binaryDomains does the same for both inputs of functions of two.
var binaryDomains = map[graph.BinaryKind][2]domain{
	graph.OpAdd: {anywhere, anywhere},
	graph.OpSub: {anywhere, anywhere},
	graph.OpMul: {anywhere, anywhere},
	graph.OpDiv: {anywhere, between(0.4, 3)},
	graph.OpMax: {lattice(0), lattice(1)},
	graph.OpMin: {lattice(0), lattice(1)},
}

// noGradient lists the ops and kinds without a gradient and says why.
var noGradient = map[string]string{
	"Const":            "has no inputs",
	"Input":            "has no inputs",
	"Read":             "has no inputs",
	"RowCount":         "has no inputs",
	"Random":           "its inputs are integers",
	"Unique":           "its input is integers",
	"Hot":              "its input is integers",
	"Filled":           "its input is integers",
	"Moment":           "is part of an optimiser's update, after the gradient",
	"Adam":             "is part of an optimiser's update, after the gradient",
	"Collect":          "is part of an optimiser's update, after the gradient",
	"Put":              "is part of an optimiser's update, after the gradient",
	"CrossEntropyGrad": "is a gradient itself; second derivatives use LogSoftmax",
	"MaxPlace":         "gives integers",
	"MaxSpread":        "is a gradient itself",
	"Place":            "its input is integers",
	"Derivative":       "is a gradient itself; second derivatives use Erf, Tanh or Sigmoid",
	"RecurrentGrad":    "is a gradient itself; for second derivatives a recurrence can be unrolled",
	"AttendGrad":       "is a gradient itself; second derivatives use Softmax and MatMulStack",
	"StandardizeGrad":  "is a gradient itself; second derivatives use Mean and Rsqrt",
	"StandardizeSums":  "is a gradient itself; second derivatives use Mean and Rsqrt",
	"OpSign":           "is constant wherever it has a derivative",
	"OpIdentity":       "stops the gradient",
	"OpGreater":        "is constant wherever it has a derivative",
	"OpGreaterEqual":   "is constant wherever it has a derivative",
	"OpEqual":          "is constant wherever it has a derivative",
}

func gradientCases(kinds map[string][]string) []gradientCase {
	var cases []gradientCase
	for i, name := range kinds["UnaryKind"] {
		kind := graph.UnaryKind(i)
		if d := unaryDomains[kind]; d != nil {
			cases = append(cases, gradientCase{name, []string{"Unary", name}, func(m *maker) *graph.Node {
				return graph.Apply(graph.Unary{Kind: kind}, m.param(d, m.shape(0, 3)))
			}})
		}
	}
	for i, name := range kinds["BinaryKind"] {
		kind := graph.BinaryKind(i)
		if d, ok := binaryDomains[kind]; ok {
			cases = append(cases, gradientCase{name, []string{"Binary", name}, func(m *maker) *graph.Node {
				a, b := m.pair()
				return graph.Apply(graph.Binary{Kind: kind}, m.param(d[0], a), m.param(d[1], b))
			}})
		}
	}
	return slices.Concat(cases, moreGradientCases, bagGradientCases)
}

var moreGradientCases = []gradientCase{
	{"the same node on both sides", []string{"OpMul"}, func(m *maker) *graph.Node {
		x := m.param(anywhere, m.shape(0, 2))
		return graph.Mul(x, graph.Add(x, graph.Tanh(x)))
	}},
	{"scale, shift and complement by constants", []string{"OpSub"}, func(m *maker) *graph.Node {
		return graph.OneMinus(graph.AddScalar(graph.Scale(m.param(anywhere, m.shape(0, 2)), 0.75), 2))
	}},
	{"select", []string{"Choose"}, func(m *maker) *graph.Node {
		a, b := m.pair()
		x, y := m.param(anywhere, a), m.param(anywhere, b)
		cond := m.fixed(func(r *rand.Rand) float64 { return float64(r.IntN(2)) }, m.smaller(a))
		return graph.Select(cond, x, y)
	}},
	{"select of what is not a number where it is not chosen", []string{"Choose"}, func(m *maker) *graph.Node {
		x := m.param(awayFromZero, m.shape(0, 2))
		return graph.Select(graph.Greater(x, m.b.Scalar(0)), graph.Square(x), graph.Neg(x))
	}},
	{"gate", []string{"OpGate"}, func(m *maker) *graph.Node {
		a, b := m.pair()
		return graph.Gate(m.fixed(awayFromZero, a), m.param(anywhere, b))
	}},
	{"broadcast", []string{"Expand"}, func(m *maker) *graph.Node {
		to := append(graph.Shape{graph.N(2)}, m.shape(0, 2)...)
		from := m.smaller(to[1:])
		return graph.BroadcastTo(m.param(anywhere, from), to)
	}},
	{"sum", []string{"Reduce", "OpSum"}, func(m *maker) *graph.Node {
		s := m.shape(0, 4)
		var axes []int
		for i := range s {
			if m.IntN(2) == 0 {
				axes = append(axes, i-m.IntN(2)*len(s)) // from the front or from the back
			}
		}
		return graph.Sum(m.param(anywhere, s), axes...)
	}},
	{"mean", []string{"Reduce", "OpSum"}, func(m *maker) *graph.Node {
		s := m.shape(1, 3)
		return graph.Mean(m.param(anywhere, s), m.Perm(len(s))[:1+m.IntN(len(s))]...)
	}},
	{"reduce_max", []string{"Reduce", "OpReduceMax"}, func(m *maker) *graph.Node {
		s := m.shape(0, 3)
		return graph.ReduceMax(m.distinct(s), m.Perm(len(s))[:m.IntN(len(s)+1)]...)
	}},
	{"matmul", []string{"Product"}, func(m *maker) *graph.Node {
		i, k, j := m.dim(), m.dim(), m.dim()
		return graph.MatMul(m.param(anywhere, graph.Shape{i, k}), m.param(anywhere, graph.Shape{k, j}))
	}},
	{"matmul, transposed", []string{"Product"}, func(m *maker) *graph.Node {
		i, k, j := m.dim(), m.dim(), m.dim()
		a, b, o := graph.Shape{i, k}, graph.Shape{k, j}, graph.Product{TransA: m.IntN(2) == 0, TransB: m.IntN(2) == 0}
		if o.TransA {
			slices.Reverse(a)
		}
		if o.TransB {
			slices.Reverse(b)
		}
		return graph.Apply(o, m.param(anywhere, a), m.param(anywhere, b))
	}},
	{"linear", []string{"Product"}, func(m *maker) *graph.Node {
		i, k, j := m.dim(), m.dim(), m.dim()
		return graph.Linear(m.param(anywhere, graph.Shape{i, k}), m.param(anywhere, graph.Shape{k, j}), m.param(anywhere, graph.Shape{j}), false)
	}},
	{"linear with relu", []string{"Product"}, func(m *maker) *graph.Node { // away from the corner at 0
		x := m.param(between(0.1, 1), graph.Shape{graph.Rows, graph.N(2)})
		w := m.param(between(0.1, 1), graph.Fixed(2, 3))
		return graph.Linear(x, w, m.param(func(r *rand.Rand) float64 { return float64(r.IntN(2))*-5 + r.Float64() }, graph.Fixed(3)), true)
	}},
	{"matmul with itself", []string{"Product"}, func(m *maker) *graph.Node {
		x := m.param(anywhere, graph.Shape{m.dim(), m.dim()})
		return graph.Apply(graph.Product{TransA: true}, x, x)
	}},
	{"conv2d", []string{"Convolution"}, func(m *maker) *graph.Node {
		x, k, o := m.convolution()
		return graph.Conv2D(m.param(anywhere, x), m.param(anywhere, k), o)
	}},
	{"conv2d twice", []string{"Convolution"}, func(m *maker) *graph.Node {
		x := m.param(anywhere, graph.Shape{m.dim(), graph.N(4), graph.N(5), graph.N(2)})
		k := m.param(anywhere, graph.Fixed(3, 3, 2, 2))
		o := graph.Same(4, 5, 3, 3, 1, 1)
		return graph.Conv2D(graph.Tanh(graph.Conv2D(x, k, o)), k, o)
	}},
	{"conv2d_input and conv2d_kernel", []string{"ConvolutionInput", "ConvolutionKernel"}, func(m *maker) *graph.Node {
		x, k, o := m.convolution()
		images, kernel := m.param(anywhere, x), m.param(anywhere, k)
		y := graph.Conv2D(images, kernel, o)
		dy := m.param(anywhere, y.Shape())
		window := y.Op.(graph.Convolution).Window
		a := graph.Apply(graph.ConvolutionInput{Window: window, H: x[1].N, W: x[2].N}, dy, kernel)
		b := graph.Apply(graph.ConvolutionKernel{Window: window, KH: k[0].N, KW: k[1].N}, images, dy)
		return graph.Add(graph.Sum(graph.Square(a)), graph.Sum(graph.Square(b)))
	}},
	{"max_pool", []string{"Pool", "OpPoolMax"}, func(m *maker) *graph.Node {
		x, k, o := m.convolution()
		return graph.MaxPool(m.distinct(x), k[0].N, k[1].N, o)
	}},
	{"max_pool of relu", []string{"Pool", "OpPoolMax"}, func(m *maker) *graph.Node {
		x, k, o := m.convolution()
		return graph.MaxPool(graph.Relu(graph.AddScalar(m.distinct(x), 0.05)), k[0].N, k[1].N, o)
	}},
	{"average_pool", []string{"Pool", "OpPoolAverage"}, func(m *maker) *graph.Node {
		x, k, o := m.convolution()
		return graph.AveragePool(m.param(anywhere, x), k[0].N, k[1].N, o)
	}},
	{"average_spread", []string{"AverageSpread"}, func(m *maker) *graph.Node {
		x := m.param(anywhere, graph.Shape{m.dim(), graph.N(4), graph.N(5), graph.N(2)})
		y := graph.AveragePool(x, 2, 3, graph.Same(4, 5, 2, 3, 2, 1))
		return graph.Gradients(graph.Sum(graph.Square(y)), []*graph.Node{x})[0].Dense
	}},
	{"reshape", []string{"View"}, func(m *maker) *graph.Node {
		d := m.dim()
		x := m.param(anywhere, graph.Shape{d, graph.N(2), graph.N(3)})
		return graph.Reshape(x, graph.N(6), graph.N(1), d)
	}},
	{"transpose", []string{"Swap"}, func(m *maker) *graph.Node {
		return graph.Transpose(m.param(anywhere, m.shape(2, 2)))
	}},
	{"concat", []string{"Join"}, func(m *maker) *graph.Node {
		s := m.shape(1, 3)
		axis := m.IntN(len(s))
		parts := make([]*graph.Node, 1+m.IntN(3))
		for i := range parts {
			t := slices.Clone(s)
			t[axis].N = 1 + m.IntN(3)
			parts[i] = m.param(anywhere, t)
		}
		parts = append(parts, parts[0]) // twice, so that its gradients add up
		return graph.Concat(axis-m.IntN(2)*len(s), parts...)
	}},
	{"slice", []string{"Cut"}, func(m *maker) *graph.Node {
		s := m.shape(1, 3)
		axis := m.IntN(len(s))
		s[axis].N = 2 + m.IntN(4)
		lo := m.IntN(s[axis].N)
		hi := lo + 1 + m.IntN(s[axis].N-lo)
		return graph.Slice(m.param(anywhere, s), axis-m.IntN(2)*len(s), lo, hi)
	}},
	{"softmax", []string{"Normalize"}, func(m *maker) *graph.Node {
		return graph.Softmax(m.param(anywhere, append(m.shape(0, 2), graph.N(1+m.IntN(4)))))
	}},
	{"log_softmax", []string{"Normalize"}, func(m *maker) *graph.Node {
		return graph.LogSoftmax(m.param(anywhere, append(m.shape(0, 2), graph.N(1+m.IntN(4)))))
	}},
	{"softmax_cross_entropy", []string{"CrossEntropy"}, func(m *maker) *graph.Node {
		s, k := m.shape(0, 2), 1+m.IntN(4)
		return graph.SoftmaxCrossEntropy(m.param(anywhere, append(slices.Clone(s), graph.N(k))), m.ints(-1, k, s), []float64{0, 0.1, 0.5}[m.IntN(3)])
	}},
	{"sigmoid_cross_entropy", []string{"LogisticLoss"}, func(m *maker) *graph.Node {
		s := m.shape(0, 3)
		return graph.SigmoidCrossEntropy(m.param(between(-5, 5), s), m.param(between(0, 1), s))
	}},
	{"gather", []string{"Lookup"}, func(m *maker) *graph.Node {
		table := m.param(anywhere, append(graph.Shape{graph.N(1 + m.IntN(4))}, m.shape(0, 2)...))
		return graph.Gather(table, m.ints(-1, table.Shape()[0].N, oneRow(m.shape(0, 2))))
	}},
	{"gather, dense", []string{"Lookup"}, func(m *maker) *graph.Node {
		table := m.param(anywhere, append(graph.Shape{graph.N(1 + m.IntN(4))}, m.shape(0, 2)...))
		return graph.GatherDense(table, m.ints(-1, table.Shape()[0].N, oneRow(m.shape(0, 2))))
	}},
	{"gather, several of one table", []string{"Lookup"}, func(m *maker) *graph.Node {
		table := m.param(anywhere, graph.Fixed(3, 2))
		a := graph.Gather(table, m.ints(-1, 3, graph.Shape{graph.Rows}))
		c := graph.Gather(table, m.ints(-1, 3, graph.Shape{graph.Rows, graph.N(2)}))
		return graph.Mul(a, graph.Sum(graph.Square(c), 1))
	}},
	{"gather, of one table by rows and by constants", []string{"Lookup"}, func(m *maker) *graph.Node {
		table := m.param(anywhere, graph.Fixed(3, 2))
		a := graph.Gather(table, m.ints(-1, 3, graph.Shape{graph.Rows}))
		c := graph.Gather(table, m.ints(-1, 3, graph.Fixed(4)))
		return graph.Mul(a, graph.Sum(graph.Square(c), 0))
	}},
	{"gather, and the whole table elsewhere", []string{"Lookup"}, func(m *maker) *graph.Node {
		table := m.param(anywhere, graph.Fixed(3, 2))
		a := graph.Gather(table, m.ints(-1, 3, graph.Shape{graph.Rows}))
		return graph.Mul(a, graph.Sum(graph.Square(table), 0))
	}},
	{"gather, of a computed table", []string{"Lookup"}, func(m *maker) *graph.Node {
		return graph.Gather(graph.Tanh(m.param(anywhere, graph.Fixed(3, 2))), m.ints(-1, 3, graph.Shape{graph.Rows}))
	}},
	{"scatter_add", []string{"Spread"}, func(m *maker) *graph.Node {
		d := m.dim()
		return graph.ScatterAdd(m.ints(-1, 4, graph.Shape{d}), m.param(anywhere, append(graph.Shape{d}, m.shape(0, 2)...)), 4)
	}},
	{"layer normalisation", nil, func(m *maker) *graph.Node {
		x := m.param(anywhere, graph.Shape{graph.Rows, graph.N(4)})
		column := graph.Shape{graph.Rows, graph.N(1)}
		x = graph.Sub(x, graph.Reshape(graph.Mean(x, 1), column...))
		v := graph.Reshape(graph.Mean(graph.Square(x), 1), column...)
		y := graph.Mul(x, graph.Rsqrt(graph.AddScalar(v, 0.01)))
		return graph.Add(graph.Mul(y, m.param(anywhere, graph.Fixed(4))), m.param(anywhere, graph.Fixed(4)))
	}},
	{"products of stacks", []string{"Products"}, func(m *maker) *graph.Node {
		outer, i, k, j := oneRow(m.shape(0, 2)), graph.N(1+m.IntN(3)), graph.N(1+m.IntN(3)), graph.N(1+m.IntN(3))
		a, b, ta, tb := graph.Shape{i, k}, graph.Shape{k, j}, m.IntN(2) == 0, m.IntN(2) == 0
		if ta {
			slices.Reverse(a)
		}
		if tb {
			slices.Reverse(b)
		}
		return graph.MatMulStack(m.param(anywhere, slices.Concat(outer, a)), m.param(anywhere, slices.Concat(outer, b)), ta, tb)
	}},
	{"self-attention", []string{"Attend"}, func(m *maker) *graph.Node {
		s, n, heads := oneRow(m.shape(0, 2)), 1+m.IntN(4), 1+m.IntN(2)
		x := m.param(anywhere, append(slices.Clone(s), graph.N(n), graph.N(3*heads*(1+m.IntN(3)))))
		return graph.SelfAttention(x, m.attention(s, n, heads))
	}},
	{"attention", []string{"Attend"}, func(m *maker) *graph.Node {
		s, n, heads := oneRow(m.shape(0, 2)), 1+m.IntN(4), 1+m.IntN(2)
		width, keys := graph.N(heads*(1+m.IntN(3))), n+m.IntN(3)
		q := m.param(anywhere, append(slices.Clone(s), graph.N(n), width))
		k := m.param(anywhere, append(slices.Clone(s), graph.N(keys), width))
		v := m.param(anywhere, append(slices.Clone(s), graph.N(keys), width))
		return graph.Attention(q, k, v, m.attention(s, keys, heads))
	}},
	{"gru", []string{"Recurrent", "OpGRU"}, func(m *maker) *graph.Node {
		units, s := 1+m.IntN(3), oneRow(graph.Shape{m.dim(), graph.N(1 + m.IntN(4))})
		x, kernel := m.param(anywhere, append(s, graph.N(3*units))), m.param(anywhere, graph.Fixed(units, 3*units))
		return graph.GRU(x, kernel, m.ints(0, s[1].N+1, s[:1]), m.IntN(2) == 0)
	}},
	{"lstm", []string{"Recurrent", "OpLSTM"}, func(m *maker) *graph.Node {
		units, s := 1+m.IntN(3), oneRow(graph.Shape{m.dim(), graph.N(1 + m.IntN(4))})
		x, kernel, lengths := m.param(anywhere, append(s, graph.N(4*units))), m.param(anywhere, graph.Fixed(units, 4*units)), m.ints(0, s[1].N+1, s[:1])
		if m.IntN(2) == 0 { // the cells too
			return graph.Apply(graph.Recurrent{Kind: graph.OpLSTM, Reverse: m.IntN(2) == 0}, x, kernel, lengths)
		}
		return graph.LSTM(x, kernel, lengths, m.IntN(2) == 0)
	}},
	{"layer_norm", []string{"Standardize"}, func(m *maker) *graph.Node {
		s := append(m.shape(0, 2), graph.N(2+m.IntN(4)))
		p := s[len(s)-1:]
		return graph.LayerNorm(m.param(anywhere, s), m.param(anywhere, p), m.param(anywhere, p), 0.1)
	}},
	{"rms_norm", []string{"Standardize"}, func(m *maker) *graph.Node {
		s := append(m.shape(0, 2), graph.N(1+m.IntN(4)))
		return graph.RMSNorm(m.param(anywhere, s), m.param(anywhere, s[len(s)-1:]), 0.1)
	}},
	{"a small network", nil, func(m *maker) *graph.Node {
		table := m.param(anywhere, graph.Fixed(5, 3))
		x := graph.Concat(-1, m.fixed(anywhere, graph.Shape{graph.Rows, graph.N(2)}), graph.Gather(table, m.ints(-1, 5, graph.Shape{graph.Rows})))
		h := graph.Tanh(graph.Add(graph.MatMul(x, m.param(anywhere, graph.Fixed(5, 4))), m.param(anywhere, graph.Fixed(4))))
		h = graph.Add(h, graph.Softplus(graph.MatMul(h, m.param(anywhere, graph.Fixed(4, 4)))))
		logits := graph.MatMul(h, m.param(anywhere, graph.Fixed(4, 3)))
		return graph.Mean(graph.SoftmaxCrossEntropy(logits, m.ints(-1, 3, graph.Shape{graph.Rows}), 0.1))
	}},
}

// attention draws options; lengths have the leading dimensions of the keys.
func (m *maker) attention(outer graph.Shape, keys, heads int) graph.AttentionOptions {
	o := graph.AttentionOptions{Heads: heads, Causal: m.IntN(2) == 0}
	if m.IntN(2) == 0 {
		o.Lengths = m.ints(0, keys+1, outer)
	}
	return o
}

// oneRow leaves at most one dimension per row, as the gradient of Gather asks
// of its indices.
func oneRow(s graph.Shape) graph.Shape {
	seen := false
	for i := range s {
		if s[i].PerRow && seen {
			s[i] = graph.N(2)
		}
		seen = seen || s[i].PerRow
	}
	return s
}

// TestGradients compares the gradient of Σ w·f(x, …), w random, with central
// differences. With h = 1e-6 these are good to about 1e-9 of the sum.
func TestGradients(t *testing.T) {
	_, kinds, err := reference.Ops(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range gradientCases(kinds) {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			for trial := range 9 {
				m := &maker{
					Rand: rand.New(rand.NewPCG(uint64(trial), 1)),
					b:    graph.New("gradient"),
					rows: 1 + trial%3,
				}
				checkGradient(t, c, m, trial)
			}
		})
	}
}

func checkGradient(t *testing.T, c gradientCase, m *maker, trial int) {
	out := c.build(m)
	weighted := out
	if m.b.Err() == nil {
		weighted = graph.Mul(out, m.fixed(anywhere, out.Shape()))
	}
	loss := graph.Sum(weighted)
	var grads []*graph.Node
	for i, g := range graph.Gradients(loss, m.wrt) {
		if m.b.Err() == nil {
			grads = append(grads, g.ToDense(m.wrt[i]))
		}
	}
	m.b.Output("loss", loss)
	for i, g := range grads {
		m.b.Output(fmt.Sprint("gradient ", i), g)
	}
	p, err := m.b.Program()
	if err != nil {
		t.Fatalf("trial %d: %v", trial, err)
	}
	run := func() []*reference.Value {
		r, err := reference.Eval(p, m.rows, m.feeds, nil)
		if err != nil {
			t.Fatalf("trial %d: %v\n%v", trial, err, p)
		}
		return r.Outputs
	}
	got := run()[1:]
	const h = 1e-6
	for i, at := range m.at {
		if !grads[i].Shape().Equal(m.wrt[i].Shape()) {
			t.Fatalf("trial %d: the gradient of %v is %v", trial, m.wrt[i].Type, grads[i].Type)
		}
		x := m.feeds[at].F
		scale, worst, where, difference := 1.0, 0.0, 0, 0.0
		for j := range x {
			saved := x[j]
			x[j] = saved + h
			up := run()[0].F[0]
			x[j] = saved - h
			down := run()[0].F[0]
			x[j] = saved
			want := (up - down) / (2 * h)
			scale = max(scale, math.Abs(want))
			if e := math.Abs(got[i].F[j] - want); !(e <= worst) { // NaN too
				worst, where, difference = e, j, want
			}
		}
		if !(worst <= 1e-6*scale) {
			t.Fatalf("trial %d: input %d, %v, %d rows, element %d: gradient %v, central difference %v\n%v",
				trial, i, m.wrt[i].Type, m.rows, where, got[i].F[where], difference, p)
		}
	}
}

// TestEveryOpHasAGradientCase fails when an op or kind is added without a
// gradient case or a reason for having none.
func TestEveryOpHasAGradientCase(t *testing.T) {
	types, kinds, err := reference.Ops(".")
	if err != nil {
		t.Fatal(err)
	}
	exist := map[string]bool{}
	for _, name := range types {
		exist[name] = true
	}
	for _, names := range kinds {
		for _, name := range names {
			exist[name] = true
		}
	}
	covered := map[string]bool{}
	for _, c := range gradientCases(kinds) {
		used := map[string]bool{}
		for seed := range uint64(4) { // a sum over nothing adds no node
			m := &maker{Rand: rand.New(rand.NewPCG(seed, 1)), b: graph.New("cover"), rows: 2}
			m.b.Output("y", c.build(m))
			p, err := m.b.Program()
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			for _, n := range p.Nodes {
				op := reflect.Indirect(reflect.ValueOf(n.Op))
				used[op.Type().Name()] = true
				if kind := op.FieldByName("Kind"); kind.IsValid() {
					used[kinds[kind.Type().Name()][kind.Uint()]] = true
				}
			}
		}
		for _, name := range c.covers {
			if !used[name] {
				t.Errorf("case %s says it covers %s, but its program does not use it", c.name, name)
			}
			covered[name] = true
		}
	}
	for name := range exist {
		switch why := noGradient[name]; {
		case covered[name] && why != "":
			t.Errorf("%s has a gradient case and a reason to have none", name)
		case !covered[name] && why == "":
			t.Errorf("%s has neither a gradient case nor a reason to have none", name)
		}
	}
	for name := range noGradient {
		if !exist[name] {
			t.Errorf("the list of ops without a gradient names %s, which does not exist", name)
		}
	}
}

// TestNoGradientFlows holds what noGradient says of the kinds.
func TestNoGradientFlows(t *testing.T) {
	_, kinds, err := reference.Ops(".")
	if err != nil {
		t.Fatal(err)
	}
	b := graph.New("none")
	x, y := b.Input("x", tensor.Float32, graph.Rows), b.Input("y", tensor.Float32)
	expect := func(name string, n *graph.Node) {
		if noGradient[name] == "" {
			return
		}
		for _, g := range graph.Gradients(graph.Sum(n), []*graph.Node{x, y}) {
			if !g.IsZero() {
				t.Errorf("a gradient flows through %s", name)
			}
		}
	}
	for i, name := range kinds["UnaryKind"] {
		expect(name, graph.Apply(graph.Unary{Kind: graph.UnaryKind(i)}, graph.Mul(x, y)))
	}
	for i, name := range kinds["BinaryKind"] {
		expect(name, graph.Apply(graph.Binary{Kind: graph.BinaryKind(i)}, x, y))
	}
	if b.Err() != nil {
		t.Error(b.Err())
	}
}

// TestMissingGradientIsAnError: a loss that depends on a parameter through an
// op without a gradient must not train it with zeros in silence.
func TestMissingGradientIsAnError(t *testing.T) {
	idx := func(b *graph.Builder) *graph.Node { return b.Input("i", tensor.Int32, graph.Rows) }
	for name, build := range map[string]func(b *graph.Builder, x *graph.Node) *graph.Node{
		"sum_by_row": func(b *graph.Builder, x *graph.Node) *graph.Node {
			i := idx(b)
			return graph.SumByRow(graph.UniqueRows(i), i, x, nil)
		},
		"scatter_set": func(b *graph.Builder, x *graph.Node) *graph.Node {
			return graph.ScatterSet(b.Constant(tensor.Zeros(3, 2)), idx(b), x)
		},
		"softmax_cross_entropy_grad": func(b *graph.Builder, x *graph.Node) *graph.Node {
			loss := graph.Sum(graph.SoftmaxCrossEntropy(x, idx(b), 0))
			return graph.Gradients(loss, []*graph.Node{x})[0].Dense
		},
	} {
		b := graph.New("silent")
		x := b.Input("x", tensor.Float32, graph.Rows, graph.N(2))
		graph.Gradients(graph.Sum(build(b, x)), []*graph.Node{x})
		if b.Err() == nil || !strings.Contains(b.Err().Error(), name) {
			t.Errorf("%s: the error is %v", name, b.Err())
		}
	}
}

// TestSparseGradients: the gradient of a table that is only looked up holds
// rows, not the table.
func TestSparseGradients(t *testing.T) {
	b := graph.New("sparse")
	table := b.Input("table", tensor.Float32, graph.N(1000), graph.N(4))
	i := b.Input("i", tensor.Int32, graph.Rows)
	j := b.Input("j", tensor.Int32, graph.Rows, graph.N(2))
	g := graph.Gradients(graph.Add(graph.Sum(graph.Gather(table, i)), graph.Sum(graph.Gather(table, j))), []*graph.Node{table})[0]
	if b.Err() != nil {
		t.Fatal(b.Err())
	}
	if !g.Sparse() || g.Dense != nil {
		t.Fatalf("the gradient is dense: %+v", g)
	}
	want := graph.Shape{{N: 3, PerRow: true}, graph.N(4)}
	if !g.Values.Shape().Equal(want) || !g.Rows.Shape().Equal(want[:1]) {
		t.Errorf("three lookups a row give %v and %v", g.Rows.Type, g.Values.Type)
	}
}

// TestGradientsOfNothing: what the loss does not depend on has the zero
// gradient, the loss itself has one.
func TestGradientsOfNothing(t *testing.T) {
	b := graph.New("nothing")
	x, y := b.Input("x", tensor.Float32), b.Input("y", tensor.Float32)
	loss := graph.Square(x)
	after := graph.Mul(loss, y)
	g := graph.Gradients(loss, []*graph.Node{x, y, after, loss})
	if b.Err() != nil {
		t.Fatal(b.Err())
	}
	if g[0].IsZero() || !g[1].IsZero() || !g[2].IsZero() || g[3].IsZero() {
		t.Errorf("gradients: %+v", g)
	}
	graph.Gradients(b.Input("v", tensor.Float32, graph.Rows), nil)
	if b.Err() == nil || !strings.Contains(b.Err().Error(), "float32[rows]") {
		t.Errorf("the gradient of a vector: %v", b.Err())
	}
}
