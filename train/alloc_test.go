package train

import (
	"context"
	"testing"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn"
	"github.com/hone-ml/hone/nn/loss"
	"github.com/hone-ml/hone/nn/optim"
)

// TestEpochAllocatesNothing: neither gathering batches nor the programs nor the
// bookkeeping of a step, of whole and of smaller batches, with a schedule, with
// weights and with gradients that are accumulated.
func TestEpochAllocatesNothing(t *testing.T) {
	for _, accumulate := range []int{1, 2} {
		x, y, weights := tensor.Zeros(50, 4), tensor.Zeros(50, 1), make([]float32, 50)
		for i := range weights {
			x.Floats()[i], weights[i] = float32(i%3), float32(i%5)
		}
		rows, err := NewMemory([]*tensor.Tensor{x, y}, weights, 16, true, 1)
		if err != nil {
			t.Fatal(err)
		}
		steps := 0
		tr := &trainer{
			task: &simpleTask{New(nn.Sequential(nn.Dense(8, nn.ReLU), nn.Dropout(0.5), nn.Dense(1)), loss.MeanSquaredError, nil), x, y}, state: graph.NewState(), train: rows,
			opts: Options{Optimizer: optim.Adam(1e-3), Schedule: optim.Cosine{Floor: 0.1}, Accumulate: accumulate, Average: 0.9, ClipNorm: 1, OnStep: func(Progress) { steps++ }},
		}
		if err := tr.opts.setDefaults(); err != nil {
			t.Fatal(err)
		}
		if err := tr.build(); err != nil {
			t.Fatal(err)
		}
		epoch := func() {
			tr.Step = 0
			if err := tr.epoch(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		epoch()
		if n := testing.AllocsPerRun(10, epoch); n > 0 {
			t.Errorf("accumulating %d: %g allocations in an epoch of 4 steps", accumulate, n)
		}
		if steps != 4*12 {
			t.Errorf("found %d steps", steps)
		}
	}
}
