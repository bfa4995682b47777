package cpu_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/hone-ml/hone/engine/cpu/kernel"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/internal/reference"
	"github.com/hone-ml/hone/engine/tensor"
)

// An imageNetwork has what networks of images have: convolutions with a bias
// and a ReLU, with and without a border and strides, both poolings, a dense
// layer.
type imageNetwork struct {
	state *graph.State
	t     testing.TB
}

func newImageNetwork(t testing.TB) *imageNetwork {
	n := &imageNetwork{graph.NewState(), t}
	r := rand.New(rand.NewPCG(3, 4))
	for _, v := range []struct {
		name string
		dims []int
	}{{"k1", []int{3, 3, 1, 8}}, {"b1", []int{8}}, {"k2", []int{3, 3, 8, 20}}, {"b2", []int{20}}, {"k3", []int{2, 3, 20, 35}}, {"b3", []int{35}}, {"w", []int{6 * 35, 5}}} {
		x := tensor.Zeros(v.dims...)
		for i := range x.Floats() {
			x.Floats()[i] = float32(r.NormFloat64()) / 8
		}
		if _, err := n.state.Add(v.name, x, true); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

func (n *imageNetwork) logits(b *graph.Builder) *graph.Node {
	read := func(name string) *graph.Node { return b.Read(n.state.Lookup(name)) }
	x := b.Input("x", tensor.Float32, graph.Rows, graph.N(17), graph.N(18), graph.N(1))
	h := graph.Relu(graph.Add(graph.Conv2D(x, read("k1"), graph.Window{}), read("b1")))
	h = graph.Relu(graph.Add(graph.Conv2D(h, read("k2"), graph.Same(15, 16, 3, 3, 1, 1)), read("b2")))
	h = graph.MaxPool(h, 2, 2, graph.Window{StrideH: 2, StrideW: 2})                                                  // [7 8]
	h = graph.Tanh(graph.Add(graph.Conv2D(h, read("k3"), graph.Window{StrideH: 2, StrideW: 2, Left: 1}), read("b3"))) // [3 4]
	h = graph.AveragePool(h, 1, 2, graph.Window{StrideW: 2})
	return graph.MatMul(graph.Reshape(h, graph.Rows, graph.N(6*35)), read("w"))
}

// train is a step of gradient descent.
func (n *imageNetwork) train() *graph.Program {
	b := graph.New("train")
	loss := graph.Mean(graph.SoftmaxCrossEntropy(n.logits(b), b.Input("label", tensor.Int32, graph.Rows), 0))
	b.Output("loss", loss)
	var wrt []*graph.Node
	for _, v := range n.state.Trainable() {
		wrt = append(wrt, b.Read(v))
	}
	for i, g := range graph.Gradients(loss, wrt) {
		b.Write(n.state.Trainable()[i], graph.Sub(wrt[i], graph.Scale(g.Dense, 0.1)))
	}
	return mustProgram(n.t, b)
}

func images(rows int) []*tensor.Tensor {
	r := rand.New(rand.NewPCG(uint64(rows), 9))
	x, label := tensor.Zeros(rows, 17, 18, 1), tensor.New(tensor.Int32, rows)
	for i := range x.Floats() {
		x.Floats()[i] = float32(r.NormFloat64())
	}
	for i := range label.Ints() {
		label.Ints()[i] = int32(r.IntN(5))
	}
	return []*tensor.Tensor{x, label}
}

func trainedImageBits(t testing.TB) (bits []uint32) {
	n := newImageNetwork(t)
	p := n.train()
	e, out := mustCompile(t, p), blank(p)
	for _, rows := range []int{18, 1} {
		if err := e.Run(images(rows), out); err != nil {
			t.Fatal(err)
		}
		if v := float64(out[0].Floats()[0]); math.IsNaN(v) {
			t.Fatal("the loss is not a number")
		}
		bits = append(bits, math.Float32bits(out[0].Floats()[0]))
	}
	for _, v := range n.state.Variables() {
		for _, x := range v.Value.Raw() {
			bits = append(bits, math.Float32bits(x))
		}
	}
	return bits
}

// TestImagesHaveTheSameBits: on any number of threads, of every implementation
// and in any batch.
func TestImagesHaveTheSameBits(t *testing.T) {
	var want []uint32
	withThreads(1, func() { want = trainedImageBits(t) })
	for _, threads := range []int{2, 3, 8} {
		withThreads(threads, func() {
			if d := describe(trainedImageBits(t), want); d != "" {
				t.Errorf("%d threads against one: %s", threads, d)
			}
		})
	}
	before := kernel.Path()
	defer func() {
		if err := kernel.Use(before); err != nil {
			t.Error(err)
		}
	}()
	for _, path := range kernel.Paths() {
		if err := kernel.Use(path); err != nil {
			t.Fatal(err)
		}
		if d := describe(trainedImageBits(t), want); d != "" {
			t.Errorf("%s against %s: %s", path, before, d)
		}
	}
	b := graph.New("predict")
	b.Output("y", newImageNetwork(t).logits(b))
	sameInAnyBatch(t, "images", mustProgram(t, b), images(20)[:1])
}

func TestImagesAllocateNothing(t *testing.T) {
	p := newImageNetwork(t).train()
	e, out, feeds := mustCompile(t, p), blank(p), images(16)
	withThreads(1, func() {
		run := func() {
			if err := e.Run(feeds, out); err != nil {
				t.Fatal(err)
			}
		}
		run()
		if n := testing.AllocsPerRun(3, run); n > 0 && !raced {
			t.Errorf("%v allocations a step", n)
		}
	})
}

// TestImagesOneByOne: what convolutions compute together with what follows them
// is what it is with every value in memory, and what the reference says.
func TestImagesOneByOne(t *testing.T) {
	n := newImageNetwork(t)
	b := graph.New("gradients")
	loss := graph.Mean(graph.SoftmaxCrossEntropy(n.logits(b), b.Input("label", tensor.Int32, graph.Rows), 0))
	var wrt []*graph.Node
	for _, v := range n.state.Trainable() {
		wrt = append(wrt, b.Read(v))
	}
	for i, g := range graph.Gradients(loss, wrt) {
		b.Output(n.state.Trainable()[i].Name, g.Dense)
	}
	for i, w := range wrt { // again, each with a way back and places of maxima of its own
		b.Output(n.state.Trainable()[i].Name, graph.Gradients(loss, []*graph.Node{w})[0].Dense)
	}
	together := mustProgram(t, b)
	for _, node := range together.Nodes {
		b.Output("", node)
	}
	alone := mustProgram(t, b)
	for _, rows := range []int{1, 9} {
		a, c := blank(together), blank(alone)
		if err := mustCompile(t, together).Run(images(rows), a); err != nil {
			t.Fatal(err)
		}
		if err := mustCompile(t, alone).Run(images(rows), c); err != nil {
			t.Fatal(err)
		}
		// Every value is what the reference makes of the backend's inputs.
		values, results := map[*graph.Node]*reference.Value{}, map[*graph.Node]*tensor.Tensor{}
		for i, o := range alone.Outputs {
			results[o.Node], values[o.Node] = c[i], reference.FromTensor(c[i])
		}
		for _, node := range alone.Nodes {
			var in []*reference.Value
			for _, x := range node.In {
				in = append(in, values[x])
			}
			if _, fed := node.Op.(*graph.Input); !fed {
				compareNode(t, alone, node, rows, in, results[node])
			}
		}
		for i := range a {
			if at := differ(a[i], a[i%len(wrt)]); at >= 0 {
				t.Errorf("%d rows, gradient of %s: element %d is %v, the second time %v", rows, together.Outputs[i].Name, at, a[i%len(wrt)].Floats()[at], a[i].Floats()[at])
			}
			if at := differ(a[i], c[i]); at >= 0 {
				t.Errorf("%d rows, gradient of %s: element %d is %v, alone %v", rows, together.Outputs[i].Name, at, a[i].Floats()[at], c[i].Floats()[at])
			}
		}
	}
}

// TestPoolsOfSeveralHeights: a convolution whose result goes through windows of
// several sizes, of which no block of rows has whole ones of all.
func TestPoolsOfSeveralHeights(t *testing.T) {
	const h, w = 36, 36
	r := rand.New(rand.NewPCG(1, 2))
	k := normals(r, 3, 3, 4, 32)
	for _, rows := range []int{0, 1, 5} {
		asAlone(t, fmt.Sprint(rows, " rows"), func(b *graph.Builder) {
			x := b.Input("x", tensor.Float32, graph.Rows, graph.N(h), graph.N(w), graph.N(4))
			y := graph.Tanh(graph.Conv2D(x, b.Constant(k), graph.Same(h, w, 3, 3, 1, 1)))
			for _, n := range []int{2, 3, 5} {
				b.Output("", graph.Tanh(graph.MaxPool(y, n, n, graph.Window{StrideH: n, StrideW: n})))
			}
		}, normals(r, rows, h, w, 4))
	}
}
