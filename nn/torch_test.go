package nn_test

import (
	"fmt"
	"testing"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn"
	"github.com/hone-ml/hone/nn/internal/nntest"
)

// tolerance is that of a float32 against a float64 computation of a few ops.
const tolerance = 1e-5

// TestLayersAgreeWithPyTorch compares outputs, gradients and running
// statistics, for the recorded parameters.
func TestLayersAgreeWithPyTorch(t *testing.T) {
	nets := map[string]nn.Layer{
		"dense":                nn.Dense(4, nn.Tanh),
		"dense_rank_3":         nn.Dense(5, nn.ReLU),
		"dense_no_bias":        nn.Dense(2, nn.NoBias()),
		"layer_norm":           nn.LayerNorm(),
		"batch_norm":           nn.BatchNorm(),
		"batch_norm_options":   nn.BatchNorm(nn.Momentum(0.75), nn.Epsilon(1e-2)),
		"embedding":            nn.Embedding(6, 2),
		"conv2d":               nn.Conv2D(4, 3, 2, nn.ReLU),
		"conv2d_same_strides":  nn.Conv2D(3, 3, 3, nn.Same(), nn.Stride(2, 3)),
		"conv2d_pad":           nn.Conv2D(2, 2, 3, nn.Pad(1, 2)),
		"conv1d":               nn.Conv1D(4, 3, nn.Tanh),
		"max_pool":             nn.MaxPool(2, 2),
		"max_pool_overlapping": nn.MaxPool(3, 3, nn.Stride(2, 2), nn.Pad(1, 1)),
		"avg_pool":             nn.AvgPool(2, 3),
		"avg_pool_pad":         nn.AvgPool(3, 3, nn.Stride(2, 2), nn.Pad(1, 1)),
		"max_pool1d":           nn.MaxPool1D(2),
		"global_avg_pool":      nn.GlobalAvgPool(),
		"global_max_pool":      nn.GlobalMaxPool(),
		"residual":             nn.Residual(nn.Dense(5, nn.ReLU), nn.Dense(3)),
	}
	for i, c := range nntest.Load(t, ".").Layers {
		t.Run(fmt.Sprintf("%d_%s", i, c.Name), func(t *testing.T) {
			net, ok := nets[c.Name]
			if !ok {
				a, err := nn.ActivationByName(c.Name)
				if err != nil {
					t.Fatal(err)
				}
				net = a
			}
			state := graph.NewState()
			nntest.Restore(t, state, c.Params, true)
			nntest.Restore(t, state, c.Stats, false)
			b := graph.New("layer")
			x := nntest.Input(b, "x", c.X.Tensor)
			y := net.Apply(&nn.Context{B: b, State: state, Training: c.Training}, x)
			if n := len(state.Variables()); n != len(c.Params)+len(c.Stats) {
				t.Fatalf("the layer added variables to those recorded: %d", n)
			}
			b.Output("y", y)
			loss := graph.Sum(graph.Mul(y, nntest.Input(b, "upstream", c.Upstream.Tensor)))
			wrt := map[string]*graph.Node{"x": x}
			for name := range c.Params {
				wrt[name] = b.Read(state.Lookup(name))
			}
			for name := range c.Grads {
				g := graph.Gradients(loss, []*graph.Node{wrt[name]})[0]
				b.Output("grad "+name, g.ToDense(wrt[name]))
			}
			out := nntest.Compile(t, b).Run(map[string]*tensor.Tensor{"x": c.X.Tensor, "upstream": c.Upstream.Tensor})
			nntest.Near(t, "output", out["y"], c.Output.Tensor, tolerance)
			for name, want := range c.Grads {
				nntest.Near(t, "gradient of "+name, out["grad "+name], want.Tensor, 5*tolerance)
			}
			for name, want := range c.After {
				nntest.Near(t, name, state.Lookup(name).Value, want.Tensor, tolerance)
			}
		})
	}
}
