package loss_test

import (
	"math"
	"strings"
	"testing"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn/internal/nntest"
	"github.com/hone-ml/hone/nn/loss"
)

// The formula and its gradient by the logits are PyTorch's
// binary_cross_entropy_with_logits(pos_weight=…): w·y·softplus(−x) +
// (1−y)·softplus(x), and w·y·(σ(x)−1) + (1−y)·σ(x), a mean over the labels.
func TestWeightedBinaryCrossEntropy(t *testing.T) {
	x := []float32{-30, -1.5, 0, 0.3, 4, 25}
	y := []float32{1, 0, 1, 1, 0, 1}
	w := []float64{3, 2, 0.25, 7, 1, 0.5}
	logits, _ := tensor.FromFloats(x, 1, len(x))
	targets, _ := tensor.FromFloats(y, 1, len(y))
	for _, way := range []string{"logits", "fused"} {
		value, grad := focalRow(t, loss.BinaryCrossEntropyWeighted(w, 0), way, logits, targets)
		want, k := 0.0, float64(len(x))
		for i := range x {
			v, sigma := float64(x[i]), 1/(1+math.Exp(-float64(x[i])))
			slope := sigma / k
			if y[i] == 1 {
				want += w[i] * math.Log1p(math.Exp(-v)) / k
				slope = w[i] * (sigma - 1) / k
			} else {
				want += math.Log1p(math.Exp(v)) / k
			}
			if !close(float64(grad[i]), slope, 1e-4) && math.Abs(float64(grad[i])-slope) > 1e-7 {
				t.Errorf("%s, label %d: gradient %v, want %v", way, i, grad[i], slope)
			}
		}
		if !close(value, want, 1e-5) {
			t.Errorf("%s: loss %v, want %v", way, value, want)
		}
	}
	// Weights of one are none.
	one, _ := focalRow(t, loss.BinaryCrossEntropyWeighted([]float64{1, 1, 1, 1, 1, 1}, 0.1), "fused", logits, targets)
	none, _ := focalRow(t, loss.BinaryCrossEntropyWith(0.1), "fused", logits, targets)
	if !close(one, none, 1e-6) {
		t.Errorf("with weights of one %v, without %v", one, none)
	}
	for weights, want := range map[float64]string{0: "above 0", 2: "1 weights"} {
		b := graph.New("bad")
		b.Output("loss", loss.BinaryCrossEntropyWeighted([]float64{weights}, 0).FromLogits().Of(nntest.Input(b, "x", logits), nntest.Input(b, "y", targets)))
		if _, err := b.Program(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("a weight of %v: %v, expected %q", weights, err, want)
		}
	}
}
