package optim_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn"
	"github.com/hone-ml/hone/nn/internal/nntest"
	"github.com/hone-ml/hone/nn/loss"
	"github.com/hone-ml/hone/nn/optim"
)

// step returns tensor i along the first dimension.
func step(x *tensor.Tensor, i int) *tensor.Tensor {
	r := x.Rows(i, i+1)
	if x.DType() == tensor.Int32 {
		t, _ := tensor.FromInts(r.Ints(), x.Shape()[1:]...)
		return t
	}
	t, _ := tensor.FromFloats(r.Floats(), x.Shape()[1:]...)
	return t
}

// TestOptimizersAgreeWithPyTorch trains the recorded network and compares all
// parameters after every update.
func TestOptimizersAgreeWithPyTorch(t *testing.T) {
	type how struct {
		opt  optim.Optimizer
		opts optim.Options
	}
	plain := optim.GradientDescent(0)
	cases := map[string]how{
		"sgd":            {opt: plain},
		"momentum":       {opt: optim.SGD(0, optim.Momentum(0.9))},
		"nesterov":       {opt: optim.SGD(0, optim.Nesterov(0.9))},
		"adam":           {opt: optim.Adam(0)},
		"adam_options":   {opt: optim.Adam(0, optim.Betas(0.5, 0.9), optim.Epsilon(1e-2))},
		"adamw":          {opt: optim.AdamW(0, 0.3)},
		"adamw_all":      {opt: optim.AdamW(0, 0.3, optim.DecayAll())},
		"l2":             {plain, optim.Options{L2: 0.2}},
		"clip_norm":      {plain, optim.Options{ClipNorm: 0.7}},
		"clip_parameter": {plain, optim.Options{ClipParameter: 0.3}},
		"clip_value":     {plain, optim.Options{ClipValue: 0.1}},
	}
	r := nntest.Load(t, "..").Optimizers
	net := nn.Sequential(nn.Embedding(7, 3), nn.Flatten(), nn.Dense(4, nn.Tanh), nn.Dense(2))
	for i, c := range r.Cases {
		t.Run(fmt.Sprintf("%d_%s", i, c.Name), func(t *testing.T) {
			how, ok := cases[c.Name]
			if !ok {
				t.Fatal("no optimiser for this case")
			}
			state := graph.NewState()
			nntest.Restore(t, state, r.First, true)
			params := state.Trainable()
			b := graph.New("step")
			x := nntest.Input(b, "x", step(r.Indices.Tensor, 0))
			y := nntest.Input(b, "y", step(r.Targets.Tensor, 0))
			mean := graph.Mean(loss.MeanSquaredError.Of(net.Apply(&nn.Context{B: b, State: state, Training: true}, x), y))
			lr := b.Input("lr", tensor.Float32)
			var apply *nntest.Program
			if c.Sparse {
				optim.Apply(how.opt, state, mean, lr, params, how.opts)
			} else { // accumulating makes the embedding's gradient dense
				optim.Accumulate(state, mean, b.RowCount(), params)
				a := graph.New("update")
				optim.ApplyAccumulated(how.opt, state, a.Input("lr", tensor.Float32), params, how.opts)
				apply = nntest.Compile(t, a)
			}
			train := nntest.Compile(t, b)
			for i := range r.Indices.Shape()[0] {
				rate := tensor.Scalar(float32(r.Rates[i/c.Combine*c.Combine]))
				train.Run(map[string]*tensor.Tensor{"x": step(r.Indices.Tensor, i), "y": step(r.Targets.Tensor, i), "lr": rate})
				if (i+1)%c.Combine != 0 {
					continue
				}
				if apply != nil {
					apply.Run(map[string]*tensor.Tensor{"lr": rate})
				}
				for name, want := range c.Steps[i/c.Combine] {
					nntest.Near(t, fmt.Sprintf("update %d: %s", i/c.Combine, name), state.Lookup(name).Value, want.Tensor, 2e-5)
				}
			}
		})
	}
}

// TestSchedulesAgreeWithPyTorch compares the factors of 20 updates.
func TestSchedulesAgreeWithPyTorch(t *testing.T) {
	r := nntest.Load(t, "..").Schedules
	for name, s := range map[string]optim.Schedule{
		"cosine":      optim.Cosine{Floor: 0.1},
		"step":        optim.StepDecay{Every: 6, Gamma: 0.5},
		"exponential": optim.Exponential{Every: 1, Gamma: 0.9},
		"warm_up":     &optim.WarmUp{Steps: 5},
		"plateau":     &optim.ReduceOnPlateau{Gamma: 0.5, Patience: 2, MinDelta: 0.05, Floor: 0.2},
	} {
		for i, want := range r.Factors[name] {
			if got := s.Factor(i, len(r.Factors[name])); math.Abs(got-want) > 1e-12 {
				t.Errorf("%s: factor %d is %g, want %g", name, i, got, want)
			}
			if o, ok := s.(optim.Observer); ok {
				o.Observe(r.Values[i])
			}
		}
		if len(r.Factors[name]) != 20 {
			t.Errorf("%s: %d factors were recorded", name, len(r.Factors[name]))
		}
	}
}
