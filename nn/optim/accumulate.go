package optim

import (
	"errors"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
)

const (
	accumulated       = "accumulated/"
	accumulatedWeight = "accumulated_weight"
)

// Accumulate adds to the program the gradients of loss, a scalar, and adds
// them, times weight, to accumulators in the state; the weight, a scalar, is
// accumulated too. Where loss is the mean over a batch and weight the sum of
// the weights of its rows, accumulating batches and ApplyAccumulated amount to
// Apply on all their rows at once. Sparse gradients become dense: every row of
// an embedding's table is then updated, lazily no more.
func Accumulate(state *graph.State, loss, weight *graph.Node, params []*graph.Variable) {
	b := loss.Builder()
	s := &Step{B: b, State: state}
	for i, g := range gradients(loss, params) {
		if g.IsZero() {
			continue
		}
		v := params[i]
		sum := s.variable(accumulated+v.Name, tensor.Zeros(v.Value.Shape()...))
		b.Write(sum, graph.Add(b.Read(sum), graph.Mul(g.ToDense(b.Read(v)), weight)))
	}
	total := s.variable(accumulatedWeight, tensor.Scalar(0))
	b.Write(total, graph.Add(b.Read(total), weight))
}

// ApplyAccumulated adds to the program the update by the weighted mean of the
// gradients that a program built with Accumulate has collected since the last
// update, and empties the accumulators. Build it after that program.
func ApplyAccumulated(opt Optimizer, state *graph.State, lr *graph.Node, params []*graph.Variable, opts Options) {
	b := lr.Builder()
	total := state.Lookup(Prefix + accumulatedWeight)
	if total == nil {
		b.Fail("optimizer", errors.New("no gradients are accumulated in this state: build a program with Accumulate first"))
		return
	}
	// No weight means no gradient, not 0/0.
	weight := graph.Max(b.Read(total), b.Scalar(1e-30))
	grads := make([]graph.Gradient, len(params))
	for i, v := range params {
		sum := state.Lookup(Prefix + accumulated + v.Name)
		if sum == nil {
			continue // the loss does not depend on it
		}
		grads[i].Dense = graph.Div(b.Read(sum), weight)
		b.Write(sum, graph.BroadcastTo(b.Scalar(0), graph.Fixed(v.Value.Shape()...)))
	}
	b.Write(total, b.Scalar(0))
	update(opt, state, lr, params, grads, opts)
}
