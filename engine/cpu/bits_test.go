package cpu_test

import (
	"math/rand/v2"
	"testing"

	"github.com/hone-ml/hone/engine/cpu"
	"github.com/hone-ml/hone/engine/cpu/kernel"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
)

// withThreads runs f with a pool of n threads.
func withThreads(n int, f func()) {
	before := cpu.Threads()
	cpu.SetThreads(n)
	defer cpu.SetThreads(before)
	f()
}

// TestThreadsDoNotChangeBits: work is cut by shapes, never by threads.
func TestThreadsDoNotChangeBits(t *testing.T) {
	var one []uint32
	withThreads(1, func() { one = trainedBits(t) })
	for _, threads := range []int{2, 3, 8} {
		withThreads(threads, func() {
			times := 3
			if raced {
				times = 1
			}
			for range times {
				if d := describe(trainedBits(t), one); d != "" {
					t.Errorf("%d threads against one: %s", threads, d)
				}
			}
		})
	}
}

// TestImplementationsGiveTheSameBits: plain Go, which is the specification,
// and every assembly that runs here.
func TestImplementationsGiveTheSameBits(t *testing.T) {
	best, paths := kernel.Path(), kernel.Paths()
	defer func() {
		if err := kernel.Use(best); err != nil {
			t.Error(err)
		}
	}()
	if len(paths) == 1 {
		t.Skipf("this build on this processor has the implementation %s alone", paths[0])
	}
	var first []uint32
	for _, path := range paths {
		if err := kernel.Use(path); err != nil {
			t.Fatal(err)
		}
		bits := trainedBits(t)
		if first == nil {
			first = bits
		}
		if d := describe(bits, first); d != "" {
			t.Errorf("%s against %s: %s", path, paths[0], d)
		}
	}
}

// TestBatchDoesNotChangeBits: a row's result is the same alone, among few and
// among many.
func TestBatchDoesNotChangeBits(t *testing.T) {
	n := newNetwork(t)
	p := n.predict()
	feeds := n.batch(64, 0)[:2]
	sameInAnyBatch(t, "network", p, feeds)
}

// TestBatchDoesNotChangeBitsOfAnyOp does the same for every element-wise
// function, at a width that no vector divides, and for reductions.
func TestBatchDoesNotChangeBitsOfAnyOp(t *testing.T) {
	shape := graph.Shape{graph.Rows, graph.N(7)}
	r := rand.New(rand.NewPCG(5, 5))
	x, y := tensor.Zeros(64, 7), tensor.Zeros(64, 7)
	for i := range x.Floats() {
		x.Floats()[i], y.Floats()[i] = 0.1+4*r.Float32(), 4*r.Float32()-2
	}
	check := func(name string, build func(x, y *graph.Node) *graph.Node) {
		b := graph.New(name)
		b.Output("z", build(b.Input("x", tensor.Float32, shape...), b.Input("y", tensor.Float32, shape...)))
		sameInAnyBatch(t, name, mustProgram(t, b), []*tensor.Tensor{x, y})
	}
	for k := graph.OpNeg; k <= graph.OpIdentity; k++ {
		op := graph.Unary{Kind: k}
		check(op.Name(), func(x, _ *graph.Node) *graph.Node { return graph.Apply(op, x) })
	}
	for k := graph.OpAdd; k <= graph.OpGate; k++ {
		op := graph.Binary{Kind: k}
		check(op.Name(), func(x, y *graph.Node) *graph.Node { return graph.Apply(op, x, y) })
	}
	check("sigmoid_cross_entropy", func(x, y *graph.Node) *graph.Node {
		return graph.SigmoidCrossEntropy(y, graph.Sigmoid(x))
	})
	check("chain", func(x, y *graph.Node) *graph.Node {
		for range 30 { // longer than what one task carries
			x = graph.Tanh(graph.Add(graph.Mul(x, y), graph.Exp(graph.Neg(x))))
		}
		return x
	})
	check("sum", func(x, y *graph.Node) *graph.Node { return graph.Sum(x, 1) })
	check("reduce_max", func(x, y *graph.Node) *graph.Node { return graph.ReduceMax(y, 1) })
	check("log_softmax", func(x, y *graph.Node) *graph.Node { return graph.LogSoftmax(y) })
	check("product", func(x, y *graph.Node) *graph.Node {
		return graph.MatMul(y, graph.Sum(graph.BroadcastTo(x.Builder().Constant(x7()), graph.Fixed(2, 7, 7)), 0))
	})
	// With the rows last, their number must not decide how a sum is taken.
	check("sum of columns", func(x, y *graph.Node) *graph.Node { return graph.Sum(graph.Transpose(y), 0) })
	check("sum of a long column", func(x, y *graph.Node) *graph.Node {
		wide := graph.Concat(1, x, y, x, y, x, y, x, y, x, y, x, y, x, y, x, y, x, y, x, y)
		return graph.Sum(graph.Transpose(wide), 0)
	})
	check("product with rows last", func(x, y *graph.Node) *graph.Node {
		return graph.Transpose(graph.Apply(graph.Product{TransB: true}, x.Builder().Constant(x7()), y))
	})
}

func x7() *tensor.Tensor {
	t := tensor.Zeros(7, 7)
	for i := range t.Floats() {
		t.Floats()[i] = 1 / float32(i+1)
	}
	return t
}

// sameInAnyBatch compares the only output of p, whose first dimension is the
// rows, on all rows with that on parts of them.
func sameInAnyBatch(t *testing.T, name string, p *graph.Program, feeds []*tensor.Tensor) {
	t.Helper()
	e := mustCompile(t, p)
	whole, part := blank(p), blank(p)
	if err := e.Run(feeds, whole); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	rows := whole[0].Shape()[0]
	for _, size := range []int{1, 3, 16, 37} {
		for lo := 0; lo < rows; lo += size {
			hi := min(lo+size, rows)
			slices := make([]*tensor.Tensor, len(feeds))
			for i, f := range feeds {
				slices[i] = f.Rows(lo, hi)
			}
			if err := e.Run(slices, part); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if at := differ(part[0], whole[0].Rows(lo, hi)); at >= 0 {
				t.Errorf("%s: rows %d to %d alone: element %d is %v, among %d rows %v",
					name, lo, hi, at, part[0].Floats()[at], rows, whole[0].Rows(lo, hi).Floats()[at])
				return
			}
		}
	}
}
