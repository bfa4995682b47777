package graph

import (
	"fmt"

	"github.com/hone-ml/hone/engine/tensor"
)

// Normalize is the op of Softmax and, with Log, of LogSoftmax.
type Normalize struct{ Log bool }

// Name returns "softmax" or "log_softmax".
func (o Normalize) Name() string {
	if o.Log {
		return "log_softmax"
	}
	return "softmax"
}

// Infer returns the input's type.
func (o Normalize) Infer(in []Type) (Type, error) {
	if s := in[0].Shape; len(s) < 1 || s[len(s)-1].PerRow || s[len(s)-1].N < 1 || in[0].DType != tensor.Float32 {
		return Type{}, fmt.Errorf("input is %v, expected float32 with a constant last dimension of at least 1", in[0])
	}
	return in[0], nil
}

// Gradient is y·(dy − Σ dy·y), for the logarithm dy − eʸ·Σ dy.
func (o Normalize) Gradient(n, dy *Node) []Gradient {
	kept := append(Shape(nil), n.Shape()...)
	kept[len(kept)-1] = N(1)
	if o.Log {
		return dense(Sub(dy, Mul(Exp(n), Reshape(Sum(dy, -1), kept...))))
	}
	return dense(Mul(n, Sub(dy, Reshape(Sum(Mul(dy, n), -1), kept...))))
}

// Softmax returns eˣ/Σeˣ over the last dimension, without overflow.
func Softmax(x *Node) *Node { return Apply(Normalize{}, x) }

// LogSoftmax returns the logarithm of Softmax.
func LogSoftmax(x *Node) *Node { return Apply(Normalize{Log: true}, x) }

// CrossEntropy is the op of SoftmaxCrossEntropy.
type CrossEntropy struct{ Smoothing float32 }

// Name returns "softmax_cross_entropy".
func (CrossEntropy) Name() string { return "softmax_cross_entropy" }

// Infer returns the shape of the labels.
func (o CrossEntropy) Infer(in []Type) (Type, error) {
	logits, labels := in[0], in[1]
	if k := len(logits.Shape); k < 1 || logits.DType != tensor.Float32 || labels.DType != tensor.Int32 ||
		logits.Shape[k-1].PerRow || logits.Shape[k-1].N < 1 || !labels.Shape.Equal(logits.Shape[:k-1]) {
		return Type{}, fmt.Errorf("logits are %v and labels %v, expected float32 [… k] and int32 […]", logits, labels)
	}
	if o.Smoothing < 0 || o.Smoothing >= 1 {
		return Type{}, fmt.Errorf("label smoothing is %v, expected 0 ≤ smoothing < 1", o.Smoothing)
	}
	return floats(labels.Shape), nil
}

// Vanishing is what a probability must not be below to count in the gradient of a
// cross-entropy: rows that are known by heart would else fill the gradients of all
// layers with subnormal numbers, with which a processor computes many times as
// slowly, and move nothing (docs/decisions/0014).
const Vanishing = 0x1p-64

// Gradient is (softmax(logits) − target)·dy, where the softmax is 0 below Vanishing.
func (o CrossEntropy) Gradient(n, dy *Node) []Gradient {
	logits, labels := n.In[0], n.In[1]
	return dense(Apply(CrossEntropyGrad(o), logits, labels, dy), nil)
}

// CrossEntropyGrad is the op of the gradient of SoftmaxCrossEntropy with
// respect to the logits, from logits, labels and dy.
type CrossEntropyGrad struct{ Smoothing float32 }

// Name returns "softmax_cross_entropy_grad".
func (CrossEntropyGrad) Name() string { return "softmax_cross_entropy_grad" }

// Infer returns the logits' type.
func (CrossEntropyGrad) Infer(in []Type) (Type, error) { return in[0], nil }

// SoftmaxCrossEntropy returns −Σ t·log softmax(logits) for logits [… k] and
// labels […]: t is 1−s at the label and s/k more everywhere, s the label
// smoothing (Szegedy et al. 2016, section 7). A label of −1 costs nothing and
// gives no gradient.
func SoftmaxCrossEntropy(logits, labels *Node, smoothing float64) *Node {
	return Apply(CrossEntropy{float32(smoothing)}, logits, labels)
}

// LogisticLoss is the op of SigmoidCrossEntropy.
type LogisticLoss struct{}

func (LogisticLoss) elementwise() {}

// Name returns "sigmoid_cross_entropy".
func (LogisticLoss) Name() string { return "sigmoid_cross_entropy" }

// Infer returns the shape of both inputs.
func (LogisticLoss) Infer(in []Type) (Type, error) {
	if !in[0].Shape.Equal(in[1].Shape) {
		return Type{}, fmt.Errorf("logits are %v and targets %v, expected the same shape", in[0], in[1])
	}
	return inferBroadcast(in)
}

// Gradient is (sigmoid(logits) − targets)·dy, where the difference is not below
// Vanishing, and −logits·dy for the targets.
func (LogisticLoss) Gradient(n, dy *Node) []Gradient {
	x, t := n.In[0], n.In[1]
	d := Sub(Sigmoid(x), t)
	d = Mul(d, GreaterEqual(Abs(d), x.b.Scalar(Vanishing))) // NaN stays NaN
	return dense(Mul(dy, d), Neg(Mul(dy, x)))
}

// SigmoidCrossEntropy returns −t·log σ(x) − (1−t)·log(1−σ(x)) per element for
// logits x and targets t in [0, 1], computed as max(x, 0) − t·x + log(1+e^−|x|).
func SigmoidCrossEntropy(logits, targets *Node) *Node { return Apply(LogisticLoss{}, logits, targets) }
