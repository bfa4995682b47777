package loss_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn/internal/nntest"
	"github.com/hone-ml/hone/nn/loss"
)

// The values below are from numpy 2 in float64, by the formula of torchvision's
// sigmoid_focal_loss, ce·(1−p_t)^γ with α_t, and the gradient by the logit of
// Lin et al. 2017, appendix A: ±α(1−p_t)^γ(γ·p_t·log p_t + p_t − 1). Those of
// several classes are the same formula of softmax(x) at the class, checked
// there by central differences.

var binaryFocal = []struct{ gamma, alpha, logit, target, loss, grad float64 }{
	{2, 0, -30, 0, 8.19401262e-40, 2.45820379e-39},
	{2, 0, -30, 1, 30, -1},
	{2, 0, -3, 0, 0.000109283324, 0.000314871846},
	{2, 0, -3, 1, 2.76628044, -1.12674988},
	{2, 0, -0.4, 0, 0.0826219242, 0.163561445},
	{2, 0, -0.4, 1, 0.32724924, -0.477244087},
	{2, 0, 0, 0, 0.173286795, 0.298286795},
	{2, 0, 0, 1, 0.173286795, -0.298286795},
	{2, 0, 1.7, 0, 1.33533438, 1.01702285},
	{2, 0, 1.7, 1, 0.00400329381, -0.0104553147},
	{2, 0, 12, 0, 11.9998587, 1.00012903},
	{2, 0, 12, 1, 2.3194872e-16, -6.95842598e-16},
	{2, 0.25, -30, 0, 6.14550947e-40, 1.84365284e-39},
	{2, 0.25, -30, 1, 7.5, -0.25},
	{2, 0.25, -3, 0, 8.19624934e-05, 0.000236153885},
	{2, 0.25, -3, 1, 0.69157011, -0.28168747},
	{2, 0.25, -0.4, 0, 0.0619664432, 0.122671084},
	{2, 0.25, -0.4, 1, 0.0818123099, -0.119311022},
	{2, 0.25, 0, 0, 0.129965096, 0.223715096},
	{2, 0.25, 0, 1, 0.0433216988, -0.0745716988},
	{2, 0.25, 1.7, 0, 1.00150078, 0.762767137},
	{2, 0.25, 1.7, 1, 0.00100082345, -0.00261382868},
	{2, 0.25, 12, 0, 8.99989401, 0.75009677},
	{2, 0.25, 12, 1, 5.798718e-17, -1.73960649e-16},
	{0.5, 0.75, -30, 0, 7.15629645e-21, 1.07344447e-20},
	{0.5, 0.75, -30, 1, 22.5, -0.75},
	{0.5, 0.75, -3, 0, 0.00264527546, 0.00384195076},
	{0.5, 0.75, -3, 1, 2.23156375, -0.750200505},
	{0.5, 0.75, -0.4, 0, 0.0812477874, 0.087878081},
	{0.5, 0.75, -0.4, 1, 0.529833543, -0.453739895},
	{0.5, 0.75, 0, 0, 0.122532268, 0.119021415},
	{0.5, 0.75, 0, 1, 0.367596804, -0.357064244},
	{0.5, 0.75, 1.7, 0, 0.429371148, 0.227535024},
	{0.5, 0.75, 1.7, 1, 0.0494575362, -0.0664400665},
	{0.5, 0.75, 12, 0, 2.99999232, 0.250006912},
	{0.5, 0.75, 12, 1, 1.14224146e-08, -1.71335518e-08},
	{0, 0, -30, 0, 9.35762297e-14, 9.35762297e-14},
	{0, 0, -30, 1, 30, -1},
	{0, 0, -3, 0, 0.0485873516, 0.0474258732},
	{0, 0, -3, 1, 3.04858735, -0.952574127},
	{0, 0, -0.4, 0, 0.513015252, 0.40131234},
	{0, 0, -0.4, 1, 0.913015252, -0.59868766},
	{0, 0, 1.7, 0, 1.86778603, 0.845534735},
	{0, 0, 1.7, 1, 0.167786029, -0.154465265},
	{0, 0, 12, 0, 12.0000061, 0.999993856},
	{0, 0, 12, 1, 6.14419348e-06, -6.1441746e-06},
}

var sparseFocal = []struct {
	gamma  float64
	alpha  []float64
	logits []float32
	target int32
	loss   float64
	grad   []float64
}{
	{2, nil, []float32{3.53, 0.8, 1.96}, 0, 0.0111274939, []float64{-0.0273640707, 0.00653090847, 0.0208331622}},
	{2, nil, []float32{4.48, 3.74, -1.95}, 2, 6.80631319, []float64{0.684832703, 0.326743212, -1.01157592}},
	{2, nil, []float32{1.9, -0.3, -0.21}, 1, 1.99490808, []float64{0.992256843, -1.11255605, 0.120299202}},
	{2, nil, []float32{8, -9, 1}, 0, 7.56633137e-10, []float64{-2.26817595e-09, 1.02970354e-13, 2.26807298e-09}},
	{1.5, []float64{0.2, 0.5, 0.3}, []float32{3.53, 0.8, 1.96}, 0, 0.00480391245, []float64{-0.00992704055, 0.00236925982, 0.00755778073}},
	{1.5, []float64{0.2, 0.5, 0.3}, []float32{4.48, 3.74, -1.95}, 2, 2.04300814, []float64{0.204807824, 0.097716663, -0.302524487}},
	{1.5, []float64{0.2, 0.5, 0.3}, []float32{1.9, -0.3, -0.21}, 1, 1.04557839, []float64{0.47813224, -0.53610002, 0.0579677804}},
	{1.5, []float64{0.2, 0.5, 0.3}, []float32{8, -9, 1}, 0, 5.01342027e-09, []float64{-1.2524415e-08, 5.68581746e-13, 1.25238464e-08}},
	{0.5, nil, []float32{3.53, 0.8, 1.96}, 0, 0.111918154, []float64{-0.143374576, 0.0342188209, 0.109155756}},
	{0.5, nil, []float32{4.48, 3.74, -1.95}, 2, 6.81746112, []float64{0.678405218, 0.32367657, -1.00208179}},
	{0.5, nil, []float32{1.9, -0.3, -0.21}, 1, 2.29780941, []float64{0.866457044, -0.971504534, 0.10504749}},
	{0.5, nil, []float32{8, -9, 1}, 0, 2.75132337e-05, []float64{-4.12447815e-05, 1.87242518e-09, 4.12429091e-05}},
}

// focalRow returns the loss of a row and its gradient by the logits. The ways
// are those of TestLossesAgreeWithPyTorch.
func focalRow(t *testing.T, l loss.Loss, way string, x, y *tensor.Tensor) (float64, []float32) {
	t.Helper()
	b := graph.New("focal")
	logits, target := nntest.Input(b, "x", x), nntest.Input(b, "y", y)
	activation := graph.Softmax
	if y.DType() == tensor.Float32 {
		activation = graph.Sigmoid
	}
	var rows *graph.Node
	switch way {
	case "logits":
		rows = l.FromLogits().Of(logits, target)
	case "fused":
		rows = l.Of(activation(logits), target)
	case "unfused": // a product hides where the probabilities come from
		rows = l.Of(graph.Scale(activation(logits), 1), target)
	}
	b.Output("loss", rows)
	b.Output("grad", graph.Gradients(graph.Sum(rows), []*graph.Node{logits})[0].ToDense(logits))
	out := nntest.Compile(t, b).Run(map[string]*tensor.Tensor{"x": x, "y": y})
	return float64(out["loss"].Floats()[0]), out["grad"].Floats()
}

// close holds a number to a relative error, so that numbers far out count too;
// float32 holds none below 1e-38.
func close(got, want, tolerance float64) bool {
	return math.Abs(got-want) <= tolerance*math.Abs(want)+1e-37
}

func TestFocalAgreesWithItsFormula(t *testing.T) {
	for _, c := range binaryFocal {
		x, _ := tensor.FromFloats([]float32{float32(c.logit)}, 1, 1)
		y, _ := tensor.FromFloats([]float32{float32(c.target)}, 1, 1)
		for _, way := range []string{"logits", "fused", "unfused"} {
			if way == "unfused" && math.Abs(c.logit) > 4 {
				continue // float32 probabilities are too coarse there
			}
			value, grad := focalRow(t, loss.BinaryFocal(c.gamma, c.alpha), way, x, y)
			if !close(value, c.loss, 3e-5) || !close(float64(grad[0]), c.grad, 3e-5) {
				t.Errorf("%s of %+v: loss %.9g, gradient %.9g", way, c, value, grad[0])
			}
		}
	}
	for _, c := range sparseFocal {
		x, _ := tensor.FromFloats(c.logits, 1, 3)
		y, _ := tensor.FromInts([]int32{c.target})
		for _, way := range []string{"logits", "fused", "unfused"} {
			if way == "unfused" && c.logits[0] > 4 {
				continue
			}
			value, grad := focalRow(t, loss.SparseCategoricalFocal(c.gamma, c.alpha...), way, x, y)
			ok := close(value, c.loss, 3e-5)
			for i, g := range grad {
				ok = ok && close(float64(g), c.grad[i], 3e-4)
			}
			if !ok {
				t.Errorf("%s of %+v: loss %.9g, gradient %.9g", way, c, value, grad)
			}
		}
	}
}

// TestFocalFarOut: nothing overflows, and a row that is surely right costs
// nothing and pulls at nothing, at a power below 1 as well.
func TestFocalFarOut(t *testing.T) {
	for _, gamma := range []float64{0, 0.3, 2, 5} {
		for _, c := range []struct{ logit, target, loss, grad float64 }{
			{200, 1, 0, 0}, {-200, 0, 0, 0}, {-200, 1, 200, -1}, {200, 0, 200, 1}, {1e6, 1, 0, 0}, {-1e6, 1, 1e6, -1},
		} {
			x, _ := tensor.FromFloats([]float32{float32(c.logit)}, 1, 1)
			y, _ := tensor.FromFloats([]float32{float32(c.target)}, 1, 1)
			value, grad := focalRow(t, loss.BinaryFocal(gamma, 0), "fused", x, y)
			if math.Abs(value-c.loss) > 1e-20 || math.Abs(float64(grad[0])-c.grad) > 1e-20 {
				t.Errorf("gamma %g, %+v: loss %g, gradient %g", gamma, c, value, grad[0])
			}
			xs, _ := tensor.FromFloats([]float32{0, float32(c.logit)}, 1, 2)
			class, _ := tensor.FromInts([]int32{int32(c.target)})
			value, grad = focalRow(t, loss.SparseCategoricalFocal(gamma), "fused", xs, class)
			if math.Abs(value-c.loss) > 1e-20 || math.Abs(float64(grad[1])-c.grad) > 1e-20 || math.Abs(float64(grad[0])+c.grad) > 1e-20 {
				t.Errorf("gamma %g, %+v in two classes: loss %g, gradient %g", gamma, c, value, grad)
			}
		}
	}
}

// TestFocalWithoutFocus: with gamma 0 it is the cross-entropy, of soft targets
// too.
func TestFocalWithoutFocus(t *testing.T) {
	x, _ := tensor.FromFloats([]float32{0.7}, 1, 1)
	for _, y := range []float32{0, 0.3, 1} {
		target, _ := tensor.FromFloats([]float32{y}, 1, 1)
		value, grad := focalRow(t, loss.BinaryFocal(0, 0), "fused", x, target)
		want, slope := focalRow(t, loss.BinaryCrossEntropy, "fused", x, target)
		if !close(value, want, 1e-5) || math.Abs(float64(grad[0]-slope[0])) > 1e-6 {
			t.Errorf("target %g: loss %g and gradient %g, the cross-entropy has %g and %g", y, value, grad, want, slope)
		}
	}
}

func TestFocalIgnoresClass(t *testing.T) {
	x, _ := tensor.FromFloats([]float32{1, -2, 3}, 1, 3)
	y, _ := tensor.FromInts([]int32{-1})
	if value, grad := focalRow(t, loss.SparseCategoricalFocal(2), "fused", x, y); value != 0 || fmt.Sprint(grad) != "[0 0 0]" {
		t.Errorf("class −1 costs %g, gradient %g", value, grad)
	}
}
