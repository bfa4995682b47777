package cpu_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/hone-ml/hone/engine/cpu"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
)

// stack draws a product of stacks of matrices.
func (g *generator) stack() {
	outer := []graph.Shape{{}, {graph.Rows}, {graph.N(3)}, {graph.Rows, graph.N(2)}}[g.below(4, "leading")]
	dims := func() graph.Dim { return graph.N(1 + g.below(6, "dim")) }
	op, m, n, k := graph.Products{TransA: g.below(2, "ta") == 0, TransB: g.below(2, "tb") == 0}, dims(), dims(), dims()
	matrix := func(r, c graph.Dim, turned bool) *graph.Node {
		if turned {
			r, c = c, r
		}
		return g.input(append(slices.Clone(outer), r, c)...).Node
	}
	g.add(graph.Apply(op, matrix(m, k, op.TransA), matrix(k, n, op.TransB)), 24)
}

// attended draws leading dimensions, options and numbers within ±1.
func (g *generator) attended(keys int) (outer graph.Shape, heads, d int, o graph.AttentionOptions, x func(length, width int) *graph.Node) {
	outer = []graph.Shape{{graph.Rows}, {}, {graph.N(2)}}[g.below(3, "leading")]
	heads, d = 1+g.below(2, "heads"), 1+g.below(4, "width")
	o = graph.AttentionOptions{Heads: heads, Causal: g.below(2, "causal") == 0}
	if g.below(2, "lengths") == 0 {
		n := g.ints(keys, false, outer...)
		last := len(g.fill) - 1
		fill := g.fill[last]
		g.fill[last] = func(r *rand.Rand, t *tensor.Tensor) {
			fill(r, t)
			for i := range t.Ints() {
				t.Ints()[i]++
			}
		}
		o.Lengths = n
	}
	return outer, heads, d, o, func(length, width int) *graph.Node {
		return graph.Scale(g.input(append(slices.Clone(outer), graph.N(length), graph.N(width))...).Node, 0.5)
	}
}

func (g *generator) attentionGrad(y *graph.Node, outer graph.Shape) {
	g.add(y, 1)
	op := y.Op.(graph.Attend)
	dy := graph.Scale(g.input(y.Shape()...).Node, 0.5)
	g.add(graph.Apply(graph.AttendGrad{Of: op}, append(slices.Clone(y.In), y, dy)...), 100)
}

func (g *generator) selfAttention() {
	n := 1 + g.below(6, "length")
	outer, heads, d, o, x := g.attended(n)
	g.attentionGrad(graph.SelfAttention(x(n, 3*heads*d), o), outer)
}

func (g *generator) attention() {
	n := 1 + g.below(4, "queries")
	keys := n + g.below(3, "more")
	outer, heads, d, o, x := g.attended(keys)
	w := heads * d
	g.attentionGrad(graph.Attention(x(n, w), x(keys, w), x(keys, w), o), outer)
}

func (g *generator) norm() {
	x := tame(g.lastConstant())
	n := x.Shape()[len(x.Shape())-1]
	gain := g.input(n).Node
	var y *graph.Node
	if g.below(2, "centre") == 0 {
		y = graph.LayerNorm(x.Node, gain, g.input(n).Node, 0.1)
	} else {
		y = graph.RMSNorm(x.Node, gain, 0.1)
	}
	g.add(y, 2+2*math.Sqrt(float64(n.N)))
	op, dy := y.Op.(graph.Standardize), g.input(x.Shape()...).Node
	g.add(graph.Apply(graph.StandardizeGrad(op), x.Node, gain, dy), 1000)
	g.add(graph.Apply(graph.StandardizeSums(op), x.Node, dy), 1e6)
}

// attending is a program of self-attention with lengths, and its gradient.
func attending(t *testing.T, length, width, heads int, causal bool) *graph.Program {
	b := graph.New("attend")
	x := b.Input("x", tensor.Float32, graph.Rows, graph.N(length), graph.N(3*width))
	n := b.Input("n", tensor.Int32, graph.Rows)
	y := graph.SelfAttention(x, graph.AttentionOptions{Heads: heads, Causal: causal, Lengths: n})
	b.Output("y", y)
	b.Output("dx", graph.Gradients(graph.Sum(graph.Square(y)), []*graph.Node{x})[0].Dense)
	return mustProgram(t, b)
}

// TestAttentionIgnoresPadding: what lies behind a row's length has no part in
// anything, even if it is not a number; a row without keys is zeros; and a row
// has the same bits however much it is filled up, in any batch.
func TestAttentionIgnoresPadding(t *testing.T) {
	const rows, width, heads = 5, 24, 3
	lengths := []int32{7, 0, 40, 1, 33}
	for _, causal := range []bool{false, true} {
		var first [][]uint32
		for _, length := range []int{40, 41, 64, 150} {
			r := rand.New(rand.NewPCG(3, 4))
			x, n := tensor.Zeros(rows, length, 3*width), tensor.New(tensor.Int32, rows)
			copy(n.Ints(), lengths)
			for i := range x.Floats() {
				x.Floats()[i] = float32(math.NaN())
			}
			for i, k := range lengths {
				for j := range int(k) * 3 * width {
					x.Floats()[i*length*3*width+j] = float32(r.NormFloat64())
				}
				for j := int(k); j < length; j++ { // queries that are filled up are asked all the same
					clear(x.Floats()[(i*length+j)*3*width:][:width])
				}
			}
			p := attending(t, length, width, heads, causal)
			out := blank(p)
			if err := mustCompile(t, p).Run([]*tensor.Tensor{x, n}, out); err != nil {
				t.Fatal(err)
			}
			var bits [][]uint32
			for i, k := range lengths {
				y, dx := out[0].Rows(i, i+1).Floats(), out[1].Rows(i, i+1).Floats()
				for _, v := range slices.Concat(y, dx) {
					if math.IsNaN(float64(v)) {
						t.Fatalf("length %d, row %d: what is filled up came through", length, i)
					}
					if k == 0 && v != 0 {
						t.Fatalf("length %d: a row without keys has %v", length, v)
					}
				}
				var row []uint32
				for _, v := range y[:int(k)*width] {
					row = append(row, math.Float32bits(v))
				}
				bits = append(bits, row)
				for j := int(k); j < length; j++ {
					if slices.ContainsFunc(dx[j*3*width+width:(j+1)*3*width], func(v float32) bool { return v != 0 }) {
						t.Fatalf("length %d, row %d: key %d, which is filled up, has a gradient", length, i, j)
					}
				}
			}
			if first == nil {
				first = bits
			}
			for i := range bits {
				if d := describe(bits[i], first[i]); d != "" {
					t.Errorf("causal %v, row %d of length %d filled up to %d: %s", causal, i, lengths[i], length, d)
				}
			}
		}
	}
}

// TestAttentionOfBatches: a row's result and gradient are the same alone and
// among others, and nothing is computed of no rows.
func TestAttentionOfBatches(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	x, n := tensor.Zeros(64, 19, 24), tensor.New(tensor.Int32, 64)
	for i := range x.Floats() {
		x.Floats()[i] = float32(r.NormFloat64())
	}
	for i := range n.Ints() {
		n.Ints()[i] = int32(r.IntN(20))
	}
	p := attending(t, 19, 8, 2, true)
	for i := range p.Outputs {
		one := *p
		one.Outputs = p.Outputs[i : i+1]
		sameInAnyBatch(t, one.Outputs[0].Name, &one, []*tensor.Tensor{x, n})
	}
	if err := mustCompile(t, p).Run([]*tensor.Tensor{x.Rows(0, 0), n.Rows(0, 0)}, blank(p)); err != nil {
		t.Error(err)
	}
}

func TestAttentionLengthsAreChecked(t *testing.T) {
	p := attending(t, 3, 4, 2, false)
	for _, length := range []int32{-1, 4} {
		n := tensor.New(tensor.Int32, 2)
		n.Ints()[1] = length
		err := mustCompile(t, p).Run([]*tensor.Tensor{tensor.Zeros(2, 3, 12), n}, blank(p))
		if err == nil || !strings.Contains(err.Error(), "at position 1, expected 0 to 3") {
			t.Errorf("length %d: %v", length, err)
		}
	}
}

// TestWrongLengthsChangeNothing: a step of training with a length that is too
// large is an error before a parameter has moved.
func TestWrongLengthsChangeNothing(t *testing.T) {
	s := graph.NewState()
	w := tensor.Zeros(6, 18)
	for i := range w.Floats() {
		w.Floats()[i] = float32(i%7) - 3
	}
	v, err := s.Add("w", w, true)
	if err != nil {
		t.Fatal(err)
	}
	b := graph.New("train")
	x := b.Input("x", tensor.Float32, graph.Rows, graph.N(5), graph.N(6))
	qkv := graph.MatMul(graph.Reshape(x, graph.Dim{N: 5, PerRow: true}, graph.N(6)), b.Read(v))
	y := graph.SelfAttention(graph.Reshape(qkv, graph.Rows, graph.N(5), graph.N(18)), graph.AttentionOptions{Heads: 2, Lengths: b.Input("n", tensor.Int32, graph.Rows)})
	g := graph.Gradients(graph.Sum(graph.Square(y)), []*graph.Node{b.Read(v)})[0].Dense
	b.Write(v, graph.Sub(b.Read(v), graph.Add(g, b.Scalar(1))))
	e, before, feed := mustCompile(t, mustProgram(t, b)), v.Value.Clone(), tensor.Zeros(3, 5, 6)
	if err := e.Run([]*tensor.Tensor{feed, indices(3, 6, 1)}, nil); err == nil || !strings.Contains(err.Error(), "length 6 at position 1, expected 0 to 5") {
		t.Errorf("a length of 6 of 5: %v", err)
	}
	if at := differ(v.Value, before); at >= 0 {
		t.Errorf("element %d became %v from %v", at, v.Value.Floats()[at], before.Floats()[at])
	}
	if err := e.Run([]*tensor.Tensor{feed, indices(3, 0, 5)}, nil); err != nil || differ(v.Value, before) < 0 {
		t.Errorf("valid lengths: %v", err)
	}
}

// TestAttentionOfNumbersThatAreNone: NaN and infinities come out where they are
// seen, and nowhere else.
func TestAttentionOfNumbersThatAreNone(t *testing.T) {
	const length, width = 5, 4
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		x, n := tensor.Zeros(3, length, 3*width), tensor.New(tensor.Int32, 3)
		for i := range x.Floats() {
			x.Floats()[i] = 1
		}
		for i := range n.Ints() {
			n.Ints()[i] = length
		}
		x.Floats()[(length+3)*3*width+width] = float32(v) // row 1, key 3
		p := attending(t, length, width, 1, true)
		out := blank(p)
		if err := mustCompile(t, p).Run([]*tensor.Tensor{x, n}, out); err != nil {
			t.Fatal(err)
		}
		for i, y := range out[0].Floats() {
			seen := i/width >= length+3 && i/width < 2*length
			if finite := !math.IsNaN(float64(y)); finite == seen && !(seen && v == math.Inf(-1)) {
				t.Errorf("key %v: element %d is %v", v, i, y)
			}
		}
	}
}

func (g *generator) within() {
	g.add(graph.Within(g.ints(7, false, graph.Rows), 1+g.below(6, "places")), 1)
}

func (g *generator) derivative() {
	x := tame(g.any())
	dy := g.pick("dy", func(s graph.Shape) bool { return s.Equal(x.Shape()) }, x.Shape)
	kind := []graph.UnaryKind{graph.OpGelu, graph.OpGeluTanh, graph.OpSilu}[g.below(3, "kind")]
	g.add(graph.Apply(graph.Derivative{Of: kind}, x.Node, dy.Node), 2*dy.bound)
}

// TestCrossEntropyInPlace: the gradient is computed where the logits were, unless
// something reads them later.
func TestCrossEntropyInPlace(t *testing.T) {
	const classes = 1000
	build := func(later bool) (*graph.Program, int) {
		b := graph.New("loss")
		x, labels := b.Input("x", tensor.Float32, graph.Rows, graph.N(classes)), b.Input("y", tensor.Int32, graph.Rows)
		logits := graph.Scale(x, 2)
		loss := graph.Mean(graph.SoftmaxCrossEntropy(logits, labels, 0.1))
		g := graph.Gradients(loss, []*graph.Node{logits})[0].Dense
		b.Output("sum", graph.Sum(g, 0))
		if later {
			b.Output("logits", graph.Sum(graph.Mul(logits, graph.Exp(graph.Sum(g))), 0))
		}
		p := mustProgram(t, b)
		return p, cpu.Bytes(mustCompile(t, p), 64)
	}
	alone, one := build(false)
	both, two := build(true)
	if matrix := 4 * 64 * classes; one > matrix+matrix/4 || two < 2*matrix {
		t.Errorf("the arena has %d bytes, and %d where logits are read later, expected about one and two matrices of %d", one, two, matrix)
	}
	x, y := tensor.Zeros(64, classes), tensor.New(tensor.Int32, 64)
	for i := range x.Floats() {
		x.Floats()[i] = float32(i%37) / 9
	}
	for i := range y.Ints() {
		y.Ints()[i] = int32(i*31%classes) - int32(i%2)
	}
	a, c := blank(alone), blank(both)
	if err := mustCompile(t, alone).Run([]*tensor.Tensor{x, y}, a); err != nil {
		t.Fatal(err)
	}
	if err := mustCompile(t, both).Run([]*tensor.Tensor{x, y}, c); err != nil {
		t.Fatal(err)
	}
	if at := differ(a[0], c[0]); at >= 0 {
		t.Errorf("element %d is %v in place, else %v", at, a[0].Floats()[at], c[0].Floats()[at])
	}
}
