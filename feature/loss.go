package feature

import (
	"slices"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn"
	"github.com/hone-ml/hone/nn/loss"
)

// head is a dense layer on h [rows n]: [rows width]. Of members, h [rows k n],
// each has a layer of its own; in training they are left side by side, [rows k
// width], for a loss each, elsewhere the mean of their predictions is taken.
func head(c *nn.Context, h *graph.Node, width int, activation nn.Activation) *graph.Node {
	if len(h.Shape()) != 3 {
		return nn.Dense(width, activation).Apply(c, h)
	}
	pred := nn.DenseMembers(width, activation).Apply(c, h)
	if c.Training || c.B.Err() != nil {
		return pred
	}
	return graph.Mean(pred, 1)
}

// lossOf is the loss of each row [rows]; where pred has members, their mean.
func lossOf(l loss.Loss, pred, target *graph.Node) *graph.Node {
	s := pred.Shape()
	if pred.Builder().Err() != nil || len(s) != 3 {
		return l.Of(pred, target)
	}
	k := s[1].N
	if target.Type.DType == tensor.Int32 {
		target = graph.Concat(1, slices.Repeat([]*graph.Node{graph.Reshape(target, s[0], graph.N(1))}, k)...)
	} else {
		target = graph.BroadcastTo(graph.Reshape(target, s[0], graph.N(1), s[2]), s)
	}
	return l.Of(pred, target)
}

func binaryLoss(pred, target *graph.Node) *graph.Node {
	return lossOf(loss.BinaryCrossEntropy, pred, target)
}

func categoryLoss(pred, target *graph.Node, smoothing float64) *graph.Node {
	return lossOf(loss.SparseCategoricalCrossEntropyWith(smoothing), pred, target)
}

func numberLoss(name string, delta float64, pred, target *graph.Node) *graph.Node {
	switch name {
	case "absolute_error":
		return lossOf(loss.MeanAbsoluteError, pred, target)
	case "huber":
		return lossOf(loss.Huber(delta), pred, target)
	}
	return lossOf(loss.MeanSquaredError, pred, target)
}
