package cpu_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
)

// A network is what the tests of whole steps share: an embedding, two dense
// layers with layer normalisation and dropout, and a training step with
// clipping and Adam (Kingma and Ba 2015), sparse for the embedding, written
// by hand with graph ops.
type network struct {
	t     fataler
	state *graph.State
	rand  *rand.Rand
}

const (
	features = 13
	entries  = 50
	classes  = 3
)

func newNetwork(t fataler) *network {
	n := &network{t, graph.NewState(), rand.New(rand.NewPCG(1, 2))}
	n.variable("table", entries, 8)
	n.variable("w1", features+8, 130)
	n.variable("b1", 130)
	n.variable("scale", 130)
	n.variable("shift", 130)
	n.variable("w2", 130, classes)
	n.variable("b2", classes)
	for _, v := range n.state.Trainable() {
		for _, name := range []string{"m", "v"} {
			if _, err := n.state.Add(v.Name+"/"+name, tensor.Zeros(v.Value.Shape()...), false); err != nil {
				t.Fatalf("%v", err)
			}
		}
	}
	return n
}

func (n *network) variable(name string, dims ...int) {
	v := tensor.Zeros(dims...)
	for i := range v.Floats() {
		v.Floats()[i] = float32(n.rand.NormFloat64()) / 4
	}
	if _, err := n.state.Add(name, v, true); err != nil {
		n.t.Fatalf("%v", err)
	}
}

// logits declares x and category and returns their logits.
func (n *network) logits(b *graph.Builder, dropout func(x *graph.Node) *graph.Node) *graph.Node {
	read := func(name string) *graph.Node { return b.Read(n.state.Lookup(name)) }
	x := b.Input("x", tensor.Float32, graph.Rows, graph.N(features))
	category := b.Input("category", tensor.Int32, graph.Rows)
	h := graph.Concat(1, x, graph.Gather(read("table"), category))
	h = graph.Relu(graph.Add(graph.MatMul(h, read("w1")), read("b1")))
	h = dropout(h)
	column := graph.Shape{graph.Rows, graph.N(1)}
	h = graph.Sub(h, graph.Reshape(graph.Mean(h, 1), column...))
	variance := graph.Reshape(graph.Mean(graph.Square(h), 1), column...)
	h = graph.Mul(h, graph.Rsqrt(graph.AddScalar(variance, 1e-5)))
	h = graph.Add(graph.Mul(h, read("scale")), read("shift"))
	return graph.Add(graph.MatMul(graph.Tanh(h), read("w2")), read("b2"))
}

// predict returns the program from x and category to probabilities.
func (n *network) predict() *graph.Program {
	b := graph.New("predict")
	b.Output("probabilities", graph.Softmax(n.logits(b, func(x *graph.Node) *graph.Node { return x })))
	return mustProgram(n.t, b)
}

// train returns the program of a training step. Its inputs are x, category,
// seed, step, label and rate, its outputs the loss and the gradient's norm.
func (n *network) train() *graph.Program {
	b := graph.New("train")
	var seed, step *graph.Node
	logits := n.logits(b, func(x *graph.Node) *graph.Node {
		seed, step = b.Input("seed", tensor.Int32, graph.N(2)), b.Input("step", tensor.Int32)
		keep := graph.GreaterEqual(graph.Uniform(seed, step, x.Shape()...), b.Scalar(0.25))
		return graph.Scale(graph.Mul(x, keep), 1/0.75)
	})
	label, rate := b.Input("label", tensor.Int32, graph.Rows), b.Input("rate", tensor.Float32)
	loss := graph.Mean(graph.SoftmaxCrossEntropy(logits, label, 0.1))
	b.Output("loss", loss)

	var wrt []*graph.Node
	for _, v := range n.state.Trainable() {
		wrt = append(wrt, b.Read(v))
	}
	grads := graph.Gradients(loss, wrt)
	norm := b.Scalar(0)
	for i, v := range n.state.Trainable() {
		if g := &grads[i]; g.Sparse() {
			rows := graph.UniqueRows(g.Rows)
			g.Rows, g.Values = rows, graph.SumByRow(rows, g.Rows, g.Values, g.Weights)
			norm = graph.Add(norm, graph.Sum(graph.Square(g.Values)))
		} else {
			g.Dense = g.ToDense(b.Read(v))
			norm = graph.Add(norm, graph.Sum(graph.Square(g.Dense)))
		}
	}
	norm = graph.Sqrt(norm)
	b.Output("norm", norm)
	clip := graph.Min(b.Scalar(1), graph.Recip(norm))
	for i, v := range n.state.Trainable() {
		g, m, s := grads[i], n.state.Lookup(v.Name+"/m"), n.state.Lookup(v.Name+"/v")
		adam := func(w, gradient, m, s *graph.Node) (_, _, _ *graph.Node) {
			gradient = graph.Mul(gradient, clip)
			m = graph.Add(graph.Scale(m, 0.9), graph.Scale(gradient, 0.1))
			s = graph.Add(graph.Scale(s, 0.999), graph.Scale(graph.Square(gradient), 0.001))
			return graph.Sub(w, graph.Mul(rate, graph.Div(m, graph.AddScalar(graph.Sqrt(s), 1e-8)))), m, s
		}
		if !g.Sparse() {
			w, m2, s2 := adam(b.Read(v), g.Dense, b.Read(m), b.Read(s))
			b.Write(v, w)
			b.Write(m, m2)
			b.Write(s, s2)
			continue
		}
		at := func(v *graph.Variable) *graph.Node { return graph.Gather(b.Read(v), g.Rows) }
		w, m2, s2 := adam(at(v), g.Values, at(m), at(s))
		b.Write(v, graph.ScatterSet(b.Read(v), g.Rows, w))
		b.Write(m, graph.ScatterSet(b.Read(m), g.Rows, m2))
		b.Write(s, graph.ScatterSet(b.Read(s), g.Rows, s2))
	}
	return mustProgram(n.t, b)
}

// batch returns feeds of the training step; the first two feed a prediction.
func (n *network) batch(rows, step int) []*tensor.Tensor {
	r := rand.New(rand.NewPCG(uint64(step), uint64(rows)))
	x, category, label := tensor.Zeros(rows, features), tensor.New(tensor.Int32, rows), tensor.New(tensor.Int32, rows)
	for i := range x.Floats() {
		x.Floats()[i] = float32(r.NormFloat64())
	}
	for i := range rows {
		category.Ints()[i] = int32(r.IntN(entries+1)) - 1
		label.Ints()[i] = int32(r.IntN(classes+1)) - 1
		if l := label.Ints()[i]; l >= 0 {
			x.Floats()[i*features+int(l)] += 2 // something to learn
		}
	}
	count := tensor.New(tensor.Int32)
	count.Ints()[0] = int32(step)
	return []*tensor.Tensor{x, category, indices(17, 4), count, label, tensor.Scalar(0.01)}
}

// snapshot returns the bits of every variable.
func (n *network) snapshot() []uint32 {
	var bits []uint32
	for _, v := range n.state.Variables() {
		for _, x := range v.Value.Raw() {
			bits = append(bits, math.Float32bits(x))
		}
	}
	return bits
}

// trainedBits takes a few steps with batches of different sizes from the
// beginning and returns the bits of all losses and variables.
func trainedBits(t fataler) []uint32 {
	n := newNetwork(t)
	p := n.train()
	e := mustCompile(t, p)
	out := blank(p)
	sizes := []int{64, 7, 300, 1, 64}
	if raced {
		sizes = sizes[:2]
	}
	var bits []uint32
	for step, rows := range sizes {
		if err := e.Run(n.batch(rows, step), out); err != nil {
			t.Fatalf("%v", err)
		}
		for _, o := range out {
			if v := float64(o.Floats()[0]); math.IsNaN(v) || math.IsInf(v, 0) {
				t.Fatalf("step %d: %v", step, v)
			}
			bits = append(bits, math.Float32bits(o.Floats()[0]))
		}
	}
	return append(bits, n.snapshot()...)
}

// describe tells where two runs part.
func describe(got, want []uint32) string {
	if slices.Equal(got, want) {
		return ""
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			return fmt.Sprintf("word %d is %v, want %v", i, math.Float32frombits(got[i]), math.Float32frombits(want[i]))
		}
	}
	return fmt.Sprintf("%d words, want %d", len(got), len(want))
}
