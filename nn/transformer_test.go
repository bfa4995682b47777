package nn_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn"
	"github.com/hone-ml/hone/nn/internal/nntest"
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
