package cpu_test

import (
	"math"
	"testing"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
)

// TestVanishingGradients: probabilities below graph.Vanishing give no gradient, those
// above theirs, whatever the loss is multiplied by, and NaN stays NaN.
func TestVanishingGradients(t *testing.T) {
	const dy = 1e-12
	b := graph.New("vanishing")
	x := b.Input("x", tensor.Float32, graph.Rows)
	pair := b.Input("pair", tensor.Float32, graph.Rows, graph.N(2))
	label := b.Input("label", tensor.Int32, graph.Rows)
	zeros := graph.Scale(x, 0)
	binary := graph.Scale(graph.Sum(graph.SigmoidCrossEntropy(x, zeros)), dy)
	classes := graph.Scale(graph.Sum(graph.SoftmaxCrossEntropy(pair, label, 0)), dy)
	b.Output("binary", graph.Gradients(binary, []*graph.Node{x})[0].Dense)
	b.Output("classes", graph.Gradients(classes, []*graph.Node{pair})[0].Dense)
	p, err := b.Program()
	if err != nil {
		t.Fatal(err)
	}
	nan := float32(math.NaN())
	logits := []float32{-44, -45, -90, nan}
	feeds := []*tensor.Tensor{tensor.Zeros(4), tensor.Zeros(4, 2), tensor.New(tensor.Int32, 4)}
	copy(feeds[0].Floats(), logits)
	for i, v := range logits {
		feeds[1].Floats()[2*i+1] = v
	}
	out := []*tensor.Tensor{tensor.Zeros(0), tensor.Zeros(0)}
	if err := mustCompile(t, p).Run(feeds, out); err != nil {
		t.Fatal(err)
	}
	for i, v := range logits {
		want := math.Exp(float64(v)) * dy
		if want < graph.Vanishing*dy {
			want = 0
		}
		for name, got := range map[string]float32{"binary": out[0].Floats()[i], "classes": out[1].Floats()[2*i+1]} {
			if same := math.IsNaN(want) && got != got; !same && !(math.Abs(float64(got)-want) <= 1e-5*want) {
				t.Errorf("%s, logit %v: the gradient is %v, expected %v", name, v, got, want)
			}
		}
	}
}
