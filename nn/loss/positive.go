package loss

import (
	"fmt"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
)

// BinaryCrossEntropyWeighted is −w·y·log p − (1−y)·log(1−p) of probabilities
// [rows … k] and targets in {0, 1}, with a weight w for each of the k labels: what
// the rows that have it count. With smoothing, labels are smoothed as by
// BinaryCrossEntropyWith and weighed by what they were.
func BinaryCrossEntropyWeighted(positive []float64, smoothing float64) Loss {
	const name = "weighted_binary_crossentropy"
	more := make([]float32, len(positive))
	for i, w := range positive {
		if more[i] = float32(w - 1); !(w > 0 && w < 1e30) {
			return failing(name, tensor.Float32, fmt.Errorf("the weight of label %d is %g, expected a finite number above 0", i, w))
		}
	}
	return crossEntropy(name, tensor.Float32, smoothing, func(x, y *graph.Node) *graph.Node {
		b, s := x.Builder(), x.Shape()
		if k := s[len(s)-1]; k.PerRow || k.N != len(more) {
			return b.Fail(name, fmt.Errorf("predictions are %v and there are %d weights, expected [rows … k] and k", x.Type, len(more)))
		}
		t, err := tensor.FromFloats(more, len(more))
		if err != nil {
			return b.Fail(name, err)
		}
		weight := graph.Add(b.Scalar(1), graph.Mul(y, b.Constant(t)))
		return graph.Mul(weight, graph.SigmoidCrossEntropy(x, smoothed(y, smoothing, 2)))
	}, sigmoidLogits)
}
