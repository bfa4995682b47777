package graph

import (
	"fmt"

	"github.com/hone-ml/hone/engine/tensor"
)

// View is the op of Reshape.
type View struct{ Shape Shape }

// Name returns "reshape".
func (*View) Name() string { return "reshape" }

// Infer returns the wanted shape, which must have as many elements.
func (o *View) Infer(in []Type) (Type, error) {
	if in[0].Shape.Size() != o.Shape.Size() {
		return Type{}, fmt.Errorf("%v and %v have different numbers of elements", in[0].Shape, o.Shape)
	}
	return Type{in[0].DType, o.Shape}, nil
}

// Gradient reshapes back.
func (o *View) Gradient(n, dy *Node) []Gradient {
	return dense(Reshape(dy, n.In[0].Shape()...))
}

// Reshape gives x other dimensions over the same elements in the same order.
func Reshape(x *Node, dims ...Dim) *Node {
	if x.b.err == nil && x.Shape().Equal(dims) {
		return x
	}
	return Apply(&View{append(Shape{}, dims...)}, x)
}

// Swap is the op of Transpose.
type Swap struct{}

// Name returns "transpose".
func (Swap) Name() string { return "transpose" }

// Infer returns [n m] for [m n].
func (Swap) Infer(in []Type) (Type, error) {
	s := in[0].Shape
	if len(s) != 2 || in[0].DType != tensor.Float32 {
		return Type{}, fmt.Errorf("input is %v, expected a float32 matrix", in[0])
	}
	return floats(Shape{s[1], s[0]}), nil
}

// Gradient transposes back.
func (Swap) Gradient(n, dy *Node) []Gradient { return dense(Transpose(dy)) }

// Transpose returns the transpose of a matrix. Before or after MatMul it
// costs a pass over memory that the gradient of MatMul does not need.
func Transpose(x *Node) *Node { return Apply(Swap{}, x) }

// Join is the op of Concat.
type Join struct{ Axis int }

// Name returns "concat".
func (Join) Name() string { return "concat" }

// Infer returns the inputs' shape with the lengths along Axis added up.
func (o Join) Infer(in []Type) (Type, error) {
	t := in[0]
	if o.Axis < 0 || o.Axis >= len(t.Shape) {
		return Type{}, fmt.Errorf("no dimension %d in %v", o.Axis, t)
	}
	out := append(Shape(nil), t.Shape...)
	for _, u := range in[1:] {
		if u.DType != t.DType || len(u.Shape) != len(out) {
			return Type{}, fmt.Errorf("%v cannot be joined to %v", u, t)
		}
		for i, d := range u.Shape {
			switch {
			case i != o.Axis && d != out[i]:
				return Type{}, fmt.Errorf("%v cannot be joined to %v along dimension %d: %v against %v", u, t, o.Axis, d, out[i])
			case i == o.Axis && d.PerRow != out[i].PerRow:
				return Type{}, fmt.Errorf("%v cannot be joined to %v along dimension %d: one has it per row, the other not", u, t, o.Axis)
			case i == o.Axis:
				out[i].N += d.N
			}
		}
	}
	return Type{t.DType, out}, nil
}

// Gradient cuts dy apart again.
func (o Join) Gradient(n, dy *Node) []Gradient {
	parts := make([]*Node, len(n.In))
	lo := 0
	for i, x := range n.In {
		d := x.Shape()[o.Axis]
		parts[i] = Apply(Cut{o.Axis, lo, lo + d.N}, dy)
		lo += d.N
	}
	return dense(parts...)
}

// Concat joins nodes along a dimension (negative counts from the last).
func Concat(axis int, xs ...*Node) *Node {
	if axis < 0 && len(xs) > 0 {
		axis += len(xs[0].Shape())
	}
	if len(xs) == 1 {
		return xs[0]
	}
	return Apply(Join{axis}, xs...)
}

// Cut is the op of Slice: elements Lo to Hi (exclusive) along Axis, both
// multiplied by the rows where the dimension is per row.
type Cut struct{ Axis, Lo, Hi int }

// Name returns "slice".
func (Cut) Name() string { return "slice" }

// Infer returns the input's shape with Hi−Lo along Axis.
func (o Cut) Infer(in []Type) (Type, error) {
	t := in[0]
	if o.Axis < 0 || o.Axis >= len(t.Shape) || o.Lo < 0 || o.Hi > t.Shape[o.Axis].N || o.Lo >= o.Hi {
		return Type{}, fmt.Errorf("no elements %d to %d along dimension %d of %v", o.Lo, o.Hi-1, o.Axis, t)
	}
	out := append(Shape(nil), t.Shape...)
	out[o.Axis].N = o.Hi - o.Lo
	return Type{t.DType, out}, nil
}

// Gradient pads dy with zeros.
func (o Cut) Gradient(n, dy *Node) []Gradient {
	x := n.In[0]
	b, d := n.b, x.Shape()[o.Axis]
	zeros := func(length int) *Node {
		s := append(Shape(nil), x.Shape()...)
		s[o.Axis] = Dim{length, d.PerRow}
		return BroadcastTo(b.Scalar(0), s)
	}
	var parts []*Node
	if o.Lo > 0 {
		parts = append(parts, zeros(o.Lo))
	}
	parts = append(parts, dy)
	if o.Hi < d.N {
		parts = append(parts, zeros(d.N-o.Hi))
	}
	return dense(Concat(o.Axis, parts...))
}

// Slice returns elements lo to hi (exclusive) along a constant dimension
// (negative axis counts from the last).
func Slice(x *Node, axis, lo, hi int) *Node {
	if axis < 0 {
		axis += len(x.Shape())
	}
	return Apply(Cut{axis, lo, hi}, x)
}
