package cpu_test

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"pgregory.net/rapid"

	"github.com/hone-ml/hone/engine/cpu"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
)

// raced is set where the race detector makes everything some thirty times
// slower; tests then take fewer rows and steps.
var raced bool

// A generator draws a random program, whose values stay moderate, so that
// they can be compared.
type generator struct {
	t     *rapid.T
	b     *graph.Builder
	nodes []drawn
	fill  []func(r *rand.Rand, t *tensor.Tensor) // by input
	seed  *graph.Node
	step  *graph.Node
	state *graph.State
}

// drawn is a float32 node and a bound on its magnitude.
type drawn struct {
	*graph.Node
	bound float64
}

func newGenerator(t *rapid.T) *generator {
	g := &generator{t: t, b: graph.New("random"), state: graph.NewState()}
	g.input(graph.Rows, graph.N(3)) // every program is told its rows
	return g
}

func (g *generator) below(n int, what string) int { return rapid.IntRange(0, n-1).Draw(g.t, what) }

func (g *generator) add(n *graph.Node, bound float64) {
	if g.b.Err() != nil {
		g.t.Fatalf("the generator made a mistake: %v", g.b.Err())
	}
	g.nodes = append(g.nodes, drawn{n, bound})
}

// input declares a float input of values in ±2.
func (g *generator) input(dims ...graph.Dim) drawn {
	n := g.b.Input(fmt.Sprint("x", len(g.fill)), tensor.Float32, dims...)
	g.fill = append(g.fill, func(r *rand.Rand, t *tensor.Tensor) {
		for i := range t.Floats() {
			t.Floats()[i] = 4*r.Float32() - 2
		}
	})
	g.add(n, 2)
	return drawn{n, 2}
}

// ints declares an int32 input of values −1 to n−1; distinct ones, −1 apart,
// for ScatterSet.
func (g *generator) ints(n int, distinct bool, dims ...graph.Dim) *graph.Node {
	x := g.b.Input(fmt.Sprint("i", len(g.fill)), tensor.Int32, dims...)
	g.fill = append(g.fill, func(r *rand.Rand, t *tensor.Tensor) {
		free := r.Perm(n)
		for i := range t.Ints() {
			switch {
			case !distinct:
				t.Ints()[i] = int32(r.IntN(n+1)) - 1
			case i < len(free):
				t.Ints()[i] = int32(free[i])
			default:
				t.Ints()[i] = -1
			}
		}
	})
	return x
}

func (g *generator) dim() graph.Dim {
	return []graph.Dim{graph.Rows, graph.Rows, graph.N(1), graph.N(3), graph.N(5), graph.N(17), {N: 2, PerRow: true}}[g.below(7, "dim")]
}

// pick draws a node that ok accepts, or declares an input of a random shape
// that it accepts, unless or is nil.
func (g *generator) pick(what string, ok func(s graph.Shape) bool, or func() graph.Shape) drawn {
	var some []drawn
	for _, n := range g.nodes {
		if ok == nil || ok(n.Shape()) {
			some = append(some, n)
		}
	}
	fresh := 1
	if or == nil {
		fresh = 0
	}
	if k := g.below(len(some)+fresh, what); k < len(some) {
		return some[len(some)-1-k] // rapid prefers small numbers: the latest
	}
	return g.input(or()...)
}

func (g *generator) any() drawn {
	return g.pick("node", nil, func() graph.Shape {
		s := make(graph.Shape, g.below(4, "rank"))
		for i := range s {
			s[i] = g.dim()
		}
		if !small(s) {
			s = s[:1]
		}
		return s
	})
}

func (g *generator) matrix() drawn {
	return g.pick("matrix", func(s graph.Shape) bool { return len(s) == 2 }, func() graph.Shape {
		if g.below(2, "weights") == 0 {
			return graph.Fixed(1+g.below(20, "m"), 1+g.below(20, "n"))
		}
		return graph.Shape{graph.Rows, graph.N(1 + g.below(20, "n"))}
	})
}

// lastConstant draws a node whose last dimension is constant.
func (g *generator) lastConstant() drawn {
	return g.pick("logits", func(s graph.Shape) bool { return len(s) > 0 && !s[len(s)-1].PerRow },
		func() graph.Shape { return graph.Shape{graph.Rows, graph.N(1 + g.below(20, "classes"))} })
}

// tame keeps bounds from growing without end.
func tame(x drawn) drawn {
	if x.bound > 8 {
		return drawn{graph.Tanh(x.Node), 1}
	}
	return x
}

// positive is at least 0.25.
func positive(x drawn) drawn {
	x = tame(x)
	return drawn{graph.AddScalar(graph.Abs(x.Node), 0.25), x.bound + 0.25}
}

// small keeps sizes such that a run with 257 rows is quick.
func small(s graph.Shape) bool {
	z := s.Size()
	return z.Power == 0 && z.Factor <= 1000 || z.Power == 1 && z.Factor <= 100 || z.Power == 2 && z.Factor <= 1
}

func broadcasts(a, b graph.Shape) (graph.Shape, bool) {
	if len(a) < len(b) {
		a, b = b, a
	}
	out, skip := slices.Clone(a), len(a)-len(b)
	for i, d := range b {
		switch o := out[skip+i]; {
		case o == d || d == graph.N(1):
		case o == graph.N(1):
			out[skip+i] = d
		default:
			return nil, false
		}
	}
	return out, small(out)
}

// partner draws a node that broadcasts with x.
func (g *generator) partner(x drawn) drawn {
	return g.pick("partner", func(s graph.Shape) bool { _, ok := broadcasts(x.Shape(), s); return ok }, func() graph.Shape {
		s := slices.Clone(x.Shape()[g.below(len(x.Shape())+1, "drop"):])
		for i := range s {
			if g.below(3, "repeat") == 0 {
				s[i] = graph.N(1)
			}
		}
		return s
	})
}

// rowsOf draws a [n …] node with a constant first dimension.
func (g *generator) table() drawn {
	return g.pick("table", func(s graph.Shape) bool { return len(s) > 0 && !s[0].PerRow }, func() graph.Shape {
		return graph.Fixed(1+g.below(30, "entries"), 1+g.below(20, "width"))
	})
}

// indexDims draws dimensions of indices into a table of that row shape.
func (g *generator) indexDims(row graph.Shape) graph.Shape {
	for _, s := range []graph.Shape{{graph.Rows}, {graph.Rows, graph.N(3)}, {graph.N(4)}, {}}[g.below(4, "indices"):] {
		if small(slices.Concat(s, row)) {
			return s
		}
	}
	return graph.Shape{}
}

// ops lists the ways to grow the program by an op.
func (g *generator) ops() []func() {
	ops := []func(){
		g.choose, g.expand, g.sum, g.reduceMax, g.mean, g.reshape, g.transpose, g.concat, g.slice,
		g.bag, g.weightedBag, g.moment, g.adam, g.adamPass, g.softmax, g.logSoftmax, g.crossEntropy, g.logistic, g.product, g.gather, g.byRow,
		g.scatterSet, g.scatterAdd, g.oneHot, g.uniform, g.normal, g.rowCount, g.constant, g.read,
		g.convolution, func() { g.pool(graph.OpPoolMax) }, func() { g.pool(graph.OpPoolAverage) },
		g.stack, g.selfAttention, g.attention, g.recurrent, g.norm, g.within, g.derivative,
	}
	for k := graph.OpNeg; k <= graph.OpIdentity; k++ {
		ops = append(ops, func() { g.unary(k) })
	}
	for k := graph.OpAdd; k <= graph.OpGate; k++ {
		ops = append(ops, func() { g.binary(k) })
	}
	return ops
}

// window draws how a window of kh by kw goes over an image, and a size of image
// that it fits.
func (g *generator) window() (kh, kw, h, w int, o graph.Window) {
	kh, kw = 1+g.below(3, "kh"), 1+g.below(3, "kw")
	o.StrideH, o.StrideW = 1+g.below(2, "stride"), 1+g.below(2, "stride")
	o.Top, o.Bottom, o.Left, o.Right = g.below(kh, "top"), g.below(kh, "bottom"), g.below(kw, "left"), g.below(kw, "right")
	return kh, kw, kh + g.below(3, "h"), kw + g.below(3, "w"), o
}

// images gives a drawn matrix the shape of images, or declares some.
func (g *generator) images(h, w, channels int) drawn {
	x := g.pick("images", func(s graph.Shape) bool {
		return len(s) == 4 && s.Equal(graph.Shape{s[0], graph.N(h), graph.N(w), graph.N(channels)})
	}, func() graph.Shape { return graph.Shape{graph.Rows, graph.N(h), graph.N(w), graph.N(channels)} })
	return tame(x)
}

// convolution draws a convolution and its gradients.
func (g *generator) convolution() {
	kh, kw, h, w, o := g.window()
	in, out := 1+g.below(3, "in"), 1+g.below(4, "out")
	x, k := g.images(h, w, in), g.input(graph.Fixed(kh, kw, in, out)...)
	y := graph.Conv2D(x.Node, k.Node, o)
	g.add(y, x.bound*k.bound*float64(kh*kw*in))
	dy := g.input(y.Shape()...)
	window := y.Op.(graph.Convolution).Window
	g.add(graph.Apply(graph.ConvolutionInput{Window: window, H: h, W: w}, dy.Node, k.Node), dy.bound*k.bound*float64(kh*kw*out))
	size := y.Shape()[1:3].Size().Factor
	g.add(graph.Apply(graph.ConvolutionKernel{Window: window, KH: kh, KW: kw}, x.Node, dy.Node), x.bound*dy.bound*float64(size*257))
}

// pool draws a pooling and its gradient.
func (g *generator) pool(kind graph.PoolKind) {
	kh, kw, h, w, o := g.window()
	x := g.images(h, w, 1+g.below(4, "channels"))
	y := graph.AveragePool(x.Node, kh, kw, o)
	if kind == graph.OpPoolMax {
		y = graph.MaxPool(graph.Scale(x.Node, 1), kh, kw, o) // not of a Relu
	}
	g.add(y, x.bound)
	dy := g.input(y.Shape()...)
	window := y.Op.(graph.Pool).Window
	if kind == graph.OpPoolMax {
		place := graph.Apply(graph.MaxPlace{KH: kh, KW: kw, Window: window}, y.In[0])
		g.add(graph.Apply(graph.MaxSpread{KH: kh, KW: kw, Window: window, H: h, W: w}, dy.Node, place), dy.bound*float64(kh*kw))
		return
	}
	g.add(graph.Apply(graph.AverageSpread{KH: kh, KW: kw, Window: window, H: h, W: w}, dy.Node), dy.bound*float64(kh*kw))
}

func (g *generator) unary(kind graph.UnaryKind) {
	x := g.any()
	switch kind {
	case graph.OpSqrt, graph.OpRsqrt, graph.OpRecip, graph.OpLog, graph.OpLog1p:
		x = positive(x)
	case graph.OpExp, graph.OpSquare:
		x = tame(x)
	}
	bound := map[graph.UnaryKind]float64{
		graph.OpRsqrt: 2, graph.OpRecip: 4, graph.OpExp: 3000, graph.OpSquare: 64, graph.OpSoftplus: x.bound + 1,
	}[kind]
	g.add(graph.Apply(graph.Unary{Kind: kind}, x.Node), max(bound, x.bound, 1))
}

func (g *generator) binary(kind graph.BinaryKind) {
	a := g.any()
	b := g.partner(a)
	if g.below(2, "exchange") == 0 {
		a, b = b, a
	}
	bound := a.bound + b.bound
	switch kind {
	case graph.OpMul:
		a, b = tame(a), tame(b)
		bound = a.bound * b.bound
	case graph.OpDiv:
		b = positive(b)
		bound = 4 * a.bound
	}
	g.add(graph.Apply(graph.Binary{Kind: kind}, a.Node, b.Node), max(bound, 1))
}

func (g *generator) choose() {
	a := g.any()
	b := g.partner(a)
	c := g.partner(drawn{Node: graph.Greater(a.Node, b.Node)})
	g.add(graph.Select(graph.Greater(c.Node, g.b.Scalar(0.1)), a.Node, b.Node), max(a.bound, b.bound))
}

func (g *generator) expand() {
	x := g.any()
	s := slices.Clone(x.Shape())
	for i := range s {
		if s[i] == graph.N(1) {
			s[i] = g.dim()
		}
	}
	if g.below(2, "more") == 0 {
		s = append(graph.Shape{g.dim()}, s...)
	}
	if small(s) {
		g.add(graph.BroadcastTo(x.Node, s), x.bound)
	}
}

func (g *generator) axes(s graph.Shape) []int {
	var axes []int
	for i := range s {
		if g.below(2, "axis") == 0 {
			axes = append(axes, i)
		}
	}
	return axes
}

func (g *generator) sum() {
	x := tame(g.any())
	g.add(graph.Sum(x.Node, g.axes(x.Shape())...), x.bound*1e5)
}

func (g *generator) reduceMax() {
	x := g.any()
	g.add(graph.ReduceMax(x.Node, g.axes(x.Shape())...), x.bound)
}

func (g *generator) mean() {
	x := g.any()
	g.add(graph.Mean(x.Node, g.axes(x.Shape())...), x.bound)
}

func (g *generator) reshape() {
	x := g.any()
	s := slices.Clone(x.Shape())
	switch {
	case len(s) > 1 && g.below(2, "merge") == 0:
		i := g.below(len(s)-1, "at")
		if s[i].PerRow && s[i+1].PerRow {
			return
		}
		s[i] = graph.Dim{N: s[i].N * s[i+1].N, PerRow: s[i].PerRow || s[i+1].PerRow}
		s = slices.Delete(s, i+1, i+2)
	case len(s) > 1:
		slices.Reverse(s)
	case len(s) < 3:
		s = append(s, graph.N(1))
	}
	g.add(graph.Reshape(x.Node, s...), x.bound)
}

func (g *generator) transpose() {
	x := g.matrix()
	g.add(graph.Transpose(x.Node), x.bound)
}

func (g *generator) concat() {
	x := g.pick("part", func(s graph.Shape) bool { return len(s) > 0 }, func() graph.Shape { return graph.Shape{g.dim()} })
	axis := g.below(len(x.Shape()), "axis")
	parts, bound, total := []*graph.Node{x.Node}, x.bound, slices.Clone(x.Shape())
	for range 1 + g.below(3, "parts") {
		y := g.pick("part", func(s graph.Shape) bool {
			if len(s) != len(total) {
				return false
			}
			for i := range s {
				if i == axis && s[i].PerRow != total[i].PerRow || i != axis && s[i] != total[i] {
					return false
				}
			}
			return true
		}, func() graph.Shape { return x.Shape() })
		total[axis].N += y.Shape()[axis].N
		if !small(total) {
			return
		}
		parts, bound = append(parts, y.Node), max(bound, y.bound)
	}
	g.add(graph.Concat(axis, parts...), bound)
}

func (g *generator) slice() {
	x := g.pick("whole", func(s graph.Shape) bool { return len(s) > 0 }, func() graph.Shape { return graph.Shape{g.dim(), g.dim()} })
	axis := g.below(len(x.Shape()), "axis")
	n := x.Shape()[axis].N
	lo := g.below(n, "lo")
	g.add(graph.Slice(x.Node, axis, lo, lo+1+g.below(n-lo, "length")), x.bound)
}

func (g *generator) softmax() {
	x := tame(g.lastConstant())
	g.add(graph.Softmax(x.Node), 1)
}

func (g *generator) logSoftmax() {
	x := tame(g.lastConstant())
	g.add(graph.LogSoftmax(x.Node), 2*x.bound+10)
}

func (g *generator) crossEntropy() {
	x := tame(g.lastConstant())
	s := x.Shape()[:len(x.Shape())-1]
	labels := g.ints(x.Shape()[len(s)].N, false, s...)
	smoothing := []float32{0, 0.1}[g.below(2, "smoothing")]
	loss := graph.SoftmaxCrossEntropy(x.Node, labels, float64(smoothing))
	g.add(loss, 2*x.bound+10)
	if g.below(2, "gradient") == 0 {
		dy := g.pick("dy", func(d graph.Shape) bool { return d.Equal(s) }, func() graph.Shape { return s })
		g.add(graph.Apply(graph.CrossEntropyGrad{Smoothing: smoothing}, x.Node, labels, dy.Node), 2*dy.bound)
	}
}

func (g *generator) logistic() {
	x := tame(g.any())
	t := g.pick("targets", func(s graph.Shape) bool { return s.Equal(x.Shape()) }, x.Shape)
	g.add(graph.SigmoidCrossEntropy(x.Node, graph.Sigmoid(t.Node)), x.bound+1)
}

func (g *generator) product() {
	a := tame(g.matrix())
	op := graph.Product{TransA: g.below(2, "ta") == 0, TransB: g.below(2, "tb") == 0}
	m, k := a.Shape()[0], a.Shape()[1]
	if op.TransA {
		m, k = k, m
	}
	place := 0
	if op.TransB {
		place = 1
	}
	b := tame(g.pick("right", func(s graph.Shape) bool {
		return len(s) == 2 && s[place] == k && small(graph.Shape{m, s[1-place]})
	}, func() graph.Shape {
		s := graph.Shape{k, graph.N(1 + g.below(20, "columns"))}
		if op.TransB {
			slices.Reverse(s)
		}
		return s
	}))
	n := b.Shape()[1-place]
	if small(graph.Shape{m, n}) && g.below(2, "bias") == 0 {
		op := op
		op.Bias, op.Relu = true, g.below(2, "relu") == 0
		bias := g.pick("bias", func(s graph.Shape) bool { return s.Equal(graph.Shape{n}) }, func() graph.Shape { return graph.Shape{n} })
		g.add(graph.Apply(op, a.Node, b.Node, bias.Node), a.bound*b.bound*300+bias.bound)
	}
	if small(graph.Shape{m, n}) {
		g.add(graph.Apply(op, a.Node, b.Node), a.bound*b.bound*300)
	}
}

func (g *generator) gather() {
	t := g.table()
	g.add(graph.Gather(t.Node, g.ints(t.Shape()[0].N, false, g.indexDims(t.Shape()[1:])...)), t.bound)
}

// byRow draws what a sparse optimiser does: sums by row, then an update.
func (g *generator) byRow() {
	t := tame(g.table())
	if len(t.Shape()) < 1 || !small(append(graph.Shape{graph.Rows}, t.Shape()[1:]...)) {
		return
	}
	idx := g.ints(t.Shape()[0].N, false, graph.Rows)
	values := graph.Gather(t.Node, idx)
	rows := graph.UniqueRows(idx)
	if g.below(3, "other rows") == 0 { // than those that are unique
		idx = g.ints(t.Shape()[0].N, false, graph.Rows)
	}
	sums := graph.SumByRow(rows, idx, values, nil)
	g.add(sums, t.bound*300)
	g.add(graph.ScatterSet(t.Node, rows, graph.Sub(graph.Gather(t.Node, rows), sums)), t.bound*300)
}

func (g *generator) scatterSet() {
	t := g.table()
	d := []graph.Dim{graph.Rows, graph.N(4)}[g.below(2, "dim")]
	s := append(graph.Shape{d}, t.Shape()[1:]...)
	if !small(s) {
		return
	}
	v := g.pick("values", func(x graph.Shape) bool { return x.Equal(s) }, func() graph.Shape { return s })
	g.add(graph.ScatterSet(t.Node, g.ints(t.Shape()[0].N, true, d), v.Node), max(t.bound, v.bound))
}

func (g *generator) scatterAdd() {
	v := tame(g.pick("values", func(s graph.Shape) bool { return len(s) > 0 && small(append(graph.Fixed(9), s[1:]...)) },
		func() graph.Shape { return graph.Shape{graph.Rows, graph.N(1 + g.below(20, "width"))} }))
	g.add(graph.ScatterAdd(g.ints(9, false, v.Shape()[0]), v.Node, 9), v.bound*300)
}

func (g *generator) oneHot() {
	k := 1 + g.below(20, "classes")
	g.add(graph.OneHot(g.ints(k, false, graph.Rows), k), 1)
}

// random returns the inputs of random ops and a shape.
func (g *generator) random() (seed, step *graph.Node, s graph.Shape) {
	if g.seed == nil {
		word := func(r *rand.Rand, t *tensor.Tensor) {
			for i := range t.Ints() {
				t.Ints()[i] = int32(r.Uint32())
			}
		}
		g.seed, g.step = g.b.Input("seed", tensor.Int32, graph.N(2)), g.b.Input("step", tensor.Int32)
		g.fill = append(g.fill, word, word)
	}
	return g.seed, g.step, graph.Shape{graph.Rows, graph.N(1 + g.below(20, "width"))}[g.below(2, "rank"):]
}

func (g *generator) uniform() {
	seed, step, s := g.random()
	g.add(graph.Uniform(seed, step, s...), 1)
}

func (g *generator) normal() {
	seed, step, s := g.random()
	g.add(graph.Normal(seed, step, s...), 8)
}

// values returns a tensor in ±2.
func (g *generator) values() *tensor.Tensor {
	t := tensor.Zeros([]int{1 + g.below(5, "m"), 1 + g.below(20, "n")}[g.below(3, "rank"):]...)
	r := rand.New(rand.NewPCG(uint64(len(g.nodes)), 1))
	for i := range t.Floats() {
		t.Floats()[i] = 4*r.Float32() - 2
	}
	return t
}

func (g *generator) constant() { g.add(g.b.Constant(g.values()), 2) }

func (g *generator) read() {
	v, err := g.state.Add(fmt.Sprint("v", len(g.nodes)), g.values(), false)
	if err != nil {
		g.t.Fatalf("%v", err)
	}
	g.add(g.b.Read(v), 2)
}

func (g *generator) rowCount() { g.add(g.b.RowCount(), 300) }

// feeds makes a tensor for every input of p.
func (g *generator) feeds(p *graph.Program, rows int, seed uint64) []*tensor.Tensor {
	r := rand.New(rand.NewPCG(seed, uint64(rows)))
	feeds := make([]*tensor.Tensor, len(p.Inputs))
	for i, n := range p.Inputs {
		feeds[i] = tensor.New(n.Type.DType, n.Shape().Of(nil, rows)...)
		g.fill[i](r, feeds[i])
	}
	return feeds
}

// blank returns a tensor for every output of p.
func blank(p *graph.Program) []*tensor.Tensor {
	out := make([]*tensor.Tensor, len(p.Outputs))
	for i, o := range p.Outputs {
		out[i] = tensor.New(o.Node.Type.DType, 0)
	}
	return out
}

func mustProgram(t fataler, b *graph.Builder) *graph.Program {
	t.Helper()
	p, err := b.Program()
	if err != nil {
		t.Fatalf("%v", err)
	}
	return p
}

func mustCompile(t fataler, p *graph.Program) graph.Executable {
	t.Helper()
	e, err := cpu.Compile(p)
	if err != nil {
		t.Fatalf("%v\n%v", err, p)
	}
	return e
}

func vector(v ...float32) *tensor.Tensor {
	t, err := tensor.FromFloats(v)
	if err != nil {
		panic(err)
	}
	return t
}

func indices(v ...int32) *tensor.Tensor {
	t, err := tensor.FromInts(v)
	if err != nil {
		panic(err)
	}
	return t
}
