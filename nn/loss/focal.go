package loss

import (
	"fmt"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
)

// The focal loss of a class of probability p is −(1−p)^γ·log p. With v the
// logit of p, so that p = 1/(1+e⁻ᵛ), that is softplus(−v)·exp(−γ·softplus(v)):
// no power of a number that rounds to 0, whose gradient would be infinite.

// BinaryFocal is the focal loss (Lin et al. 2017, Focal Loss for Dense Object
// Detection, equations 4 and 5) of probabilities and targets in [0, 1]:
// −y·α·(1−p)^γ·log p − (1−y)·(1−α)·p^γ·log(1−p). Rows that are predicted well
// count less, the more so the larger gamma; with gamma 0 and alpha 0 it is the
// cross-entropy. Alpha, below 1, is the weight of the positive class; 0 leaves
// both classes unweighted.
func BinaryFocal(gamma, alpha float64) Loss {
	const name = "binary_focal"
	if !(alpha >= 0 && alpha < 1) {
		return failing(name, tensor.Float32, fmt.Errorf("alpha is %g, expected 0 ≤ alpha < 1", alpha))
	}
	return focal(name, tensor.Float32, gamma, func(x, y *graph.Node) *graph.Node {
		positive := graph.Mul(y, focused(x, gamma))
		negative := graph.Mul(graph.Sub(x.Builder().Scalar(1), y), focused(graph.Neg(x), gamma))
		if alpha > 0 {
			positive, negative = graph.Scale(positive, alpha), graph.Scale(negative, 1-alpha)
		}
		return graph.Add(positive, negative)
	}, sigmoidLogits)
}

// SparseCategoricalFocal is −α·(1−p)^γ·log p at the class, of probabilities
// [rows … k] and int32 classes [rows …]; see BinaryFocal. Alpha has a weight
// for each class; without it none is weighted. Class −1 costs nothing.
func SparseCategoricalFocal(gamma float64, alpha ...float64) Loss {
	const name = "sparse_categorical_focal"
	weights := make([]float32, len(alpha))
	for i, a := range alpha {
		if weights[i] = float32(a); !(a >= 0 && a < 1e30) {
			return failing(name, tensor.Int32, fmt.Errorf("alpha of class %d is %g, expected a finite number of 0 or more", i, a))
		}
	}
	return focal(name, tensor.Int32, gamma, func(x, y *graph.Node) *graph.Node {
		b, s := x.Builder(), x.Shape()
		k := s[len(s)-1]
		if k.PerRow || len(alpha) > 0 && len(alpha) != k.N {
			return b.Fail(name, fmt.Errorf("predictions are %v and alpha has %d weights, expected [rows … k] and none or k", x.Type, len(alpha)))
		}
		class := graph.OneHot(y, k.N)
		// The logit of a softmax's p against all other classes together.
		others := graph.Sub(x, graph.Scale(class, 1e30))
		top := graph.StopGradient(graph.ReduceMax(others, -1))
		rest := graph.Sum(graph.Exp(graph.Sub(others, graph.Reshape(top, appended(top.Shape())...))), -1)
		v := graph.Sub(graph.Sum(graph.Mul(x, class), -1), graph.Add(top, graph.Log(rest)))
		if len(alpha) > 0 {
			t, err := tensor.FromFloats(weights, k.N)
			if err != nil {
				return b.Fail(name, err)
			}
			class = graph.Mul(class, b.Constant(t))
		}
		return graph.Mul(graph.Sum(class, -1), focused(v, gamma))
	}, softmaxLogits)
}

// focused is the focal loss of a class whose probability has the logit v.
func focused(v *graph.Node, gamma float64) *graph.Node {
	loss := graph.Softplus(graph.Neg(v))
	if gamma == 0 {
		return loss
	}
	return graph.Mul(loss, graph.Exp(graph.Scale(graph.Softplus(v), -gamma)))
}

func focal(name string, target tensor.DType, gamma float64, logits formula, logitsOf func(*graph.Node) *graph.Node) Loss {
	if !(gamma >= 0 && gamma <= 100) {
		return failing(name, target, fmt.Errorf("gamma is %g, expected 0 to 100", gamma))
	}
	return onProbabilities(name, target, logits, logitsOf)
}
