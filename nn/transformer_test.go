package nn_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/hone-ml/hone/engine/cpu"
	"github.com/hone-ml/hone/engine/cpu/kernel"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn"
	"github.com/hone-ml/hone/nn/internal/nntest"
	"github.com/hone-ml/hone/nn/optim"
)

// TestTransformersAgreeWithPyTorch compares outputs and every gradient with
// those of nn.TransformerEncoderLayer and its kin, for the recorded parameters.
func TestTransformersAgreeWithPyTorch(t *testing.T) {
	nets := map[string]nn.Layer{
		"post_norm":       nn.TransformerBlock(nn.TransformerOptions{Heads: 2, Hidden: 12}),
		"norm_first":      nn.TransformerBlock(nn.TransformerOptions{Heads: 2, Hidden: 12, Activation: nn.GELU, NormFirst: true}),
		"causal":          nn.TransformerBlock(nn.TransformerOptions{Heads: 2, Hidden: 12, Activation: nn.GELUTanh, NormFirst: true, Causal: true}),
		"rms_norm":        nn.RMSNorm(),
		"positions table": nn.Positions(7),
		"mean_pool":       nn.MeanPool(),
		"first_place":     nn.FirstPlace(),
	}
	src, err := os.ReadFile("testdata/transformer.json")
	if err != nil {
		t.Fatal(err)
	}
	var recorded struct {
		Layers []struct {
			nntest.Layer
			Lengths *nntest.Tensor
		}
	}
	if err := json.Unmarshal(src, &recorded); err != nil {
		t.Fatal(err)
	}
	for i, c := range recorded.Layers {
		t.Run(fmt.Sprintf("%d_%s", i, c.Name), func(t *testing.T) {
			state := graph.NewState()
			nntest.Restore(t, state, c.Params, true)
			b := graph.New("layer")
			x := nntest.Input(b, "x", c.X.Tensor)
			feeds := map[string]*tensor.Tensor{"x": c.X.Tensor, "upstream": c.Upstream.Tensor}
			context := &nn.Context{B: b, State: state, Training: true}
			if c.Lengths != nil {
				context.Lengths = nntest.Input(b, "lengths", c.Lengths.Tensor)
				feeds["lengths"] = c.Lengths.Tensor
			}
			y := nets[c.Name].Apply(context, x)
			if n := len(state.Variables()); n != len(c.Params) {
				t.Fatalf("the layer added variables to those recorded: %v", names(state))
			}
			b.Output("y", y)
			loss := graph.Sum(graph.Mul(y, nntest.Input(b, "upstream", c.Upstream.Tensor)))
			wrt := map[string]*graph.Node{"x": x}
			for name := range c.Params {
				wrt[name] = b.Read(state.Lookup(name))
			}
			for name := range c.Grads {
				b.Output("grad "+name, graph.Gradients(loss, []*graph.Node{wrt[name]})[0].ToDense(wrt[name]))
			}
			out := nntest.Compile(t, b).Run(feeds)
			nntest.Near(t, "output", out["y"], c.Output.Tensor, tolerance)
			for name, want := range c.Grads {
				nntest.Near(t, "gradient of "+name, out["grad "+name], want.Tensor, 10*tolerance)
			}
		})
	}
}

// TestTransformerErrors: each says what is wrong with which part.
func TestTransformerErrors(t *testing.T) {
	sequence := graph.Type{Shape: graph.Shape{graph.Rows, graph.N(5), graph.N(6)}}
	flat := graph.Type{Shape: graph.Shape{graph.Rows, graph.N(6)}}
	for _, c := range []struct {
		net   nn.Layer
		input graph.Type
		want  string
	}{
		{nn.MultiHeadAttention(nn.AttentionOptions{Heads: 4}), sequence, "4 heads of a width of 6"},
		{nn.MultiHeadAttention(nn.AttentionOptions{}), sequence, "0 heads"},
		{nn.TransformerBlock(nn.TransformerOptions{Heads: 2, Hidden: 4}), flat, "float32[rows 6], expected float32 [rows length width]"},
		{nn.TransformerBlock(nn.TransformerOptions{Heads: 2}), sequence, "0 units"},
		{nn.TransformerBlock(nn.TransformerOptions{Heads: 2, Hidden: 4, Dropout: 1}), sequence, "rate is 1"},
		{nn.Positions(4), sequence, "a length of 5, expected at most 4"},
		{nn.MeanPool(), flat, "mean_pool"},
		{nn.FirstPlace(), flat, "first_place"},
	} {
		if _, err := nn.Outline(c.net, c.input); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("found %v, expected %q", err, c.want)
		}
	}
	b := graph.New("lengths")
	c := &nn.Context{B: b, State: graph.NewState(), Lengths: b.Input("n", tensor.Float32, graph.Rows)}
	nn.MeanPool().Apply(c, b.Input("x", tensor.Float32, sequence.Shape...))
	if err := b.Err(); err == nil || !strings.Contains(err.Error(), "the context's lengths are float32[rows]") {
		t.Errorf("found %v", err)
	}
}

// TestTransformerDropsOut: other numbers with another step, none at the rate 0
// or in prediction.
func TestTransformerDropsOut(t *testing.T) {
	net := nn.TransformerBlock(nn.TransformerOptions{Heads: 2, Hidden: 4, Dropout: 0.5})
	run := func(training bool, step int32) []float32 {
		b := graph.New("drop")
		x := b.Input("x", tensor.Float32, graph.Rows, graph.N(3), graph.N(4))
		c := &nn.Context{B: b, State: graph.NewState(), Training: training, InitSeed: 3,
			Seed: b.Input("seed", tensor.Int32, graph.N(2)), Step: b.Input("step", tensor.Int32)}
		b.Output("y", net.Apply(c, x))
		v, count := tensor.Zeros(2, 3, 4), tensor.New(tensor.Int32)
		for i := range v.Floats() {
			v.Floats()[i] = float32(i%7) - 3
		}
		count.Ints()[0] = step
		return nntest.Compile(t, b).Run(map[string]*tensor.Tensor{"x": v, "seed": tensor.New(tensor.Int32, 2), "step": count})["y"].Floats()
	}
	if slices.Equal(run(true, 0), run(true, 1)) {
		t.Error("two steps drop the same")
	}
	if !slices.Equal(run(false, 0), run(false, 1)) {
		t.Error("a prediction drops something")
	}
}

// sequences is a small classifier of sequences of up to nine of eleven tokens.
func sequences(c *nn.Context, tokens *graph.Node) *graph.Node {
	return nn.Sequential(
		nn.Embedding(11, 20), nn.Positions(9),
		nn.TransformerBlock(nn.TransformerOptions{Heads: 4, Hidden: 24, Activation: nn.GELU, NormFirst: true, RMS: true, Dropout: 0.1}),
		nn.TransformerBlock(nn.TransformerOptions{Heads: 2, Hidden: 24, Causal: true}),
		nn.MeanPool(), nn.Dense(3)).Apply(c, tokens)
}

func sequenceInputs(b *graph.Builder) (tokens, lengths *graph.Node) {
	return b.Input("tokens", tensor.Int32, graph.Rows, graph.N(9)), b.Input("lengths", tensor.Int32, graph.Rows)
}

func someSequences(rows int) (tokens, lengths *tensor.Tensor) {
	tokens, lengths = tensor.New(tensor.Int32, rows, 9), tensor.New(tensor.Int32, rows)
	for i := range tokens.Ints() {
		tokens.Ints()[i] = int32(i * 7 % 11)
	}
	for i := range lengths.Ints() {
		lengths.Ints()[i] = int32(i * 5 % 10)
	}
	return tokens, lengths
}

// trainedSequences are the bits of the state after some steps.
func trainedSequences(t *testing.T) []uint32 {
	b, state := graph.New("train"), graph.NewState()
	tokens, lengths := sequenceInputs(b)
	labels, seed, step := b.Input("labels", tensor.Int32, graph.Rows), b.Input("seed", tensor.Int32, graph.N(2)), b.Input("step", tensor.Int32)
	c := &nn.Context{B: b, State: state, Training: true, Seed: seed, Step: step, InitSeed: 1, Lengths: lengths}
	loss := graph.Mean(graph.SoftmaxCrossEntropy(sequences(c, tokens), labels, 0.1))
	optim.Apply(optim.Adam(0.01), state, loss, b.Input("rate", tensor.Float32), state.Trainable(), optim.Options{ClipNorm: 1})
	b.Output("loss", loss)
	p := nntest.Compile(t, b)
	var bits []uint32
	for i, rows := range []int{16, 1, 40} {
		x, n := someSequences(rows)
		y, count := tensor.New(tensor.Int32, rows), tensor.New(tensor.Int32)
		for j := range y.Ints() {
			y.Ints()[j] = int32(j % 3)
		}
		count.Ints()[0] = int32(i)
		out := p.Run(map[string]*tensor.Tensor{"tokens": x, "lengths": n, "labels": y, "seed": tensor.New(tensor.Int32, 2), "step": count, "rate": tensor.Scalar(0.01)})
		bits = append(bits, math.Float32bits(out["loss"].Floats()[0]))
	}
	for _, v := range state.Variables() {
		for _, x := range v.Value.Raw() {
			bits = append(bits, math.Float32bits(x))
		}
	}
	return bits
}

// TestTransformerBits: the same for any number of threads and every
// implementation of the kernels.
func TestTransformerBits(t *testing.T) {
	threads, path := cpu.Threads(), kernel.Path()
	defer func() {
		cpu.SetThreads(threads)
		if err := kernel.Use(path); err != nil {
			t.Error(err)
		}
	}()
	var first []uint32
	for _, path := range kernel.Paths() {
		if err := kernel.Use(path); err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{1, 2, 3, 8} {
			cpu.SetThreads(n)
			bits := trainedSequences(t)
			if first == nil {
				first = bits
			}
			if !slices.Equal(bits, first) {
				t.Errorf("%s on %d threads: other bits", path, n)
			}
		}
	}
}

// TestTransformerOfBatches: a row's prediction has the same bits alone.
func TestTransformerOfBatches(t *testing.T) {
	b := graph.New("predict")
	tokens, lengths := sequenceInputs(b)
	b.Output("y", sequences(&nn.Context{B: b, State: graph.NewState(), InitSeed: 1, Lengths: lengths}, tokens))
	p := nntest.Compile(t, b)
	x, n := someSequences(64)
	all := p.Run(map[string]*tensor.Tensor{"tokens": x, "lengths": n})["y"]
	for i := range 64 {
		one := p.Run(map[string]*tensor.Tensor{"tokens": x.Rows(i, i+1), "lengths": n.Rows(i, i+1)})["y"]
		if !slices.Equal(one.Floats(), all.Rows(i, i+1).Floats()) {
			t.Fatalf("row %d is %v alone, %v among others", i, one.Floats(), all.Rows(i, i+1).Floats())
		}
	}
}
