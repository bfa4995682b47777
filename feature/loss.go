package feature

import (
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/nn/loss"
)

func binaryLoss(pred, target *graph.Node) *graph.Node {
	return loss.BinaryCrossEntropy.Of(pred, target)
}

func categoryLoss(pred, target *graph.Node, smoothing float64) *graph.Node {
	return loss.SparseCategoricalCrossEntropyWith(smoothing).Of(pred, target)
}

func numberLoss(name string, delta float64, pred, target *graph.Node) *graph.Node {
	switch name {
	case "absolute_error":
		return loss.MeanAbsoluteError.Of(pred, target)
	case "huber":
		return loss.Huber(delta).Of(pred, target)
	}
	return loss.MeanSquaredError.Of(pred, target)
}
