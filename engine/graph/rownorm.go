package graph

import (
	"fmt"

	"github.com/hone-ml/hone/engine/tensor"
)

// Standardize is the op of LayerNorm, with Centre, and of RMSNorm. Its inputs
// are x, gain and with Centre shift.
type Standardize struct {
	Epsilon float32
	Centre  bool
}

// Name returns "layer_norm" or "rms_norm".
func (o Standardize) Name() string {
	if o.Centre {
		return "layer_norm"
	}
	return "rms_norm"
}

// Infer returns the type of x.
func (o Standardize) Infer(in []Type) (Type, error) {
	x := in[0]
	last := len(x.Shape) - 1
	if last < 0 || x.Shape[last].PerRow || x.Shape[last].N < 1 || x.DType != tensor.Float32 {
		return Type{}, fmt.Errorf("input is %v, expected float32 with a constant last dimension of at least 1", x)
	}
	for _, p := range in[1:] {
		if p.DType != tensor.Float32 || !p.Shape.Equal(x.Shape[last:]) {
			return Type{}, fmt.Errorf("a gain or shift is %v, expected float32%v as the last dimension of %v", p, x.Shape[last:], x)
		}
	}
	if !(o.Epsilon >= 0) {
		return Type{}, fmt.Errorf("epsilon is %v, expected 0 or more", o.Epsilon)
	}
	return x, nil
}

// Gradient is an op with respect to x, and one with respect to gain and shift.
func (o Standardize) Gradient(n, dy *Node) []Gradient {
	x, gain := n.In[0], n.In[1]
	grads := []*Node{Apply(StandardizeGrad(o), x, gain, dy)}
	sums := Apply(StandardizeSums(o), x, dy)
	for i := range n.In[1:] {
		grads = append(grads, Reshape(Slice(sums, 0, i, i+1), gain.Shape()...))
	}
	return dense(grads...)
}

// StandardizeGrad is the op of the gradient of Standardize with respect to x,
// from x, gain and dy.
type StandardizeGrad Standardize

// Name returns "layer_norm_grad" or "rms_norm_grad".
func (o StandardizeGrad) Name() string { return Standardize(o).Name() + "_grad" }

// Infer returns the type of x.
func (StandardizeGrad) Infer(in []Type) (Type, error) { return in[0], nil }

// StandardizeSums is the op of the gradients of Standardize with respect to gain
// and, with Centre, shift, from x and dy: [1 n] or [2 n].
type StandardizeSums Standardize

// Name returns "layer_norm_sums" or "rms_norm_sums".
func (o StandardizeSums) Name() string { return Standardize(o).Name() + "_sums" }

// Infer returns a row of each.
func (o StandardizeSums) Infer(in []Type) (Type, error) {
	n := in[0].Shape[len(in[0].Shape)-1]
	if o.Centre {
		return floats(Shape{N(2), n}), nil
	}
	return floats(Shape{N(1), n}), nil
}

// LayerNorm returns (x − mean)/√(variance + epsilon)·gain + shift over the last
// dimension (Ba et al. 2016, section 3; the variance divides by n): x is [… n],
// gain and shift [n].
func LayerNorm(x, gain, shift *Node, epsilon float64) *Node {
	return Apply(Standardize{float32(epsilon), true}, x, gain, shift)
}

// RMSNorm returns x/√(mean of squares + epsilon)·gain over the last dimension
// (Zhang and Sennrich 2019, equation 4).
func RMSNorm(x, gain *Node, epsilon float64) *Node {
	return Apply(Standardize{float32(epsilon), false}, x, gain)
}
