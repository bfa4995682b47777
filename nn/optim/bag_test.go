package optim_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/hone-ml/hone/engine/cpu"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn"
	"github.com/hone-ml/hone/nn/optim"
)

// bags is a step that trains a table of n-grams [400 19] by few of its rows. With
// watched, every value of the step is an output, so that nothing is computed in
// passing.
func bags(t *testing.T, opt optim.Optimizer, opts optim.Options, watched bool) (graph.Executable, *graph.State, int) {
	t.Helper()
	b, s := graph.New("bags"), graph.NewState()
	c := &nn.Context{B: b, State: s, InitSeed: 3}
	x := b.Input("x", tensor.Int32, graph.Rows, graph.N(7))
	h := nn.EmbeddingBag(400, 19, nn.BagMean).Apply(c, x)
	y := nn.Dense(3).Apply(c, h)
	loss := graph.Mean(graph.SoftmaxCrossEntropy(y, b.Input("y", tensor.Int32, graph.Rows), 0))
	b.Output("loss", loss)
	optim.Apply(opt, s, loss, b.Scalar(0.1), s.Trainable(), opts)
	p, err := b.Program()
	if err != nil {
		t.Fatal(err)
	}
	if watched {
		for _, n := range p.Nodes {
			b.Output(fmt.Sprint(n.ID), n)
		}
		if p, err = b.Program(); err != nil {
			t.Fatal(err)
		}
	}
	exe, err := cpu.Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	return exe, s, len(p.Outputs)
}

// TestRowsInPassing: the update of few rows in one pass over them gives the bits
// of an update in steps, whatever the threads, and leaves the other rows alone.
func TestRowsInPassing(t *testing.T) {
	before := cpu.Threads()
	defer cpu.SetThreads(before)
	for name, opt := range map[string]optim.Optimizer{
		"adam": optim.Adam(0.1), "adamw": optim.AdamW(0.1, 0.1), "sgd": optim.SGD(0.1), "momentum": optim.SGD(0.1, optim.Nesterov(0.9)),
	} {
		for kind, opts := range map[string]optim.Options{"plain": {}, "average": {Average: 0.99}, "clipped": {ClipNorm: 0.01, L2: 0.1}} {
			steps, state, outputs := bags(t, opt, opts, true)
			var first []*tensor.Tensor
			for range outputs {
				first = append(first, tensor.Zeros(0))
			}
			for i, n := range steps1to(8) {
				if err := steps.Run(bagFeeds(i, n), first); err != nil {
					t.Fatal(err)
				}
			}
			for _, threads := range []int{1, 2, 3, 8} {
				cpu.SetThreads(threads)
				exe, other, _ := bags(t, opt, opts, false)
				for i, n := range steps1to(8) {
					if err := exe.Run(bagFeeds(i, n), nil); err != nil {
						t.Fatal(err)
					}
				}
				for i, v := range state.Variables() {
					if o := other.Variables()[i]; !slices.Equal(o.Value.Floats(), v.Value.Floats()) {
						t.Errorf("%s, %s, %d threads: %s differs", name, kind, threads, v.Name)
					}
				}
			}
			_, fresh, _ := bags(t, opt, opts, false)
			untouched := fresh.Variables()[0].Value.Rows(200, 400).Floats()
			if !slices.Equal(state.Variables()[0].Value.Rows(200, 400).Floats(), untouched) {
				t.Errorf("%s, %s: rows that no bag has are changed", name, kind)
			}
		}
	}
}

// steps1to are the rows of some steps.
func steps1to(n int) []int {
	var rows []int
	for i := range n {
		rows = append(rows, 1+i*37%90)
	}
	return rows
}

// bagFeeds are rows whose bags lack some n-grams, of the first 200.
func bagFeeds(step, rows int) []*tensor.Tensor {
	r := rand.New(rand.NewPCG(uint64(step), 9))
	x, y := tensor.New(tensor.Int32, rows, 7), tensor.New(tensor.Int32, rows)
	for i := range x.Ints() {
		x.Ints()[i] = int32(r.IntN(201)) - 1
	}
	for i := range y.Ints() {
		y.Ints()[i] = int32(r.IntN(3))
	}
	return []*tensor.Tensor{x, y}
}

// TestBagStepAllocatesNothing, and has no copy of what it looks up.
func TestBagStepAllocatesNothing(t *testing.T) {
	exe, _, _ := bags(t, optim.Adam(0.1), optim.Options{}, false)
	feeds := bagFeeds(1, 64)
	if n := testing.AllocsPerRun(20, func() {
		if err := exe.Run(feeds, nil); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a step", n)
	}
	// The sums of gradients by row are as many numbers as rows are looked up, twice
	// that leaves room for all else.
	if got, most := cpu.Bytes(exe, 64), 2*4*64*7*19; got > most {
		t.Errorf("a step takes %d bytes, expected %d at most", got, most)
	}
}
