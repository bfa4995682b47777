package graph

import "github.com/hone-ml/hone/engine/tensor"

// Const is the op of a node with a fixed value.
type Const struct{ Value *tensor.Tensor }

// Name returns "const".
func (*Const) Name() string { return "const" }

// Infer returns the value's type.
func (o *Const) Infer([]Type) (Type, error) {
	return Type{o.Value.DType(), Fixed(o.Value.Shape()...)}, nil
}

// Scalar returns the constant v, a float32 scalar.
func (b *Builder) Scalar(v float64) *Node {
	return b.leaf(&Const{tensor.Scalar(float32(v))})
}

// Constant returns the constant t.
func (b *Builder) Constant(t *tensor.Tensor) *Node { return b.leaf(&Const{t}) }

// RowCount is the op of a scalar that holds the number of rows of the run.
type RowCount struct{}

// Name returns "row_count".
func (RowCount) Name() string { return "row_count" }

// Infer returns a float32 scalar.
func (RowCount) Infer([]Type) (Type, error) { return floats(Shape{}), nil }

// RowCount returns the number of rows of the run, as a float32 scalar.
func (b *Builder) RowCount() *Node { return b.leaf(RowCount{}) }
