package graph

import (
	"fmt"

	"github.com/hone-ml/hone/engine/tensor"
)

// Products is the op of MatMulStack: op(a)·op(b) of each pair of matrices.
type Products struct{ TransA, TransB bool }

// Name returns "matmul_stack" with its transpositions.
func (o Products) Name() string {
	name := "matmul_stack"
	if o.TransA {
		name += "_ta"
	}
	if o.TransB {
		name += "_tb"
	}
	return name
}

// Infer returns […, m n] for op(a) of […, m k] and op(b) of […, k n].
func (o Products) Infer(in []Type) (Type, error) {
	a, b := in[0], in[1]
	last := len(a.Shape) - 1
	if a.DType != tensor.Float32 || b.DType != tensor.Float32 || last < 1 || len(b.Shape) != last+1 || !a.Shape[:last-1].Equal(b.Shape[:last-1]) {
		return Type{}, fmt.Errorf("inputs are %v and %v, expected two stacks of float32 matrices with the same leading dimensions", a, b)
	}
	one := func(t Type) Type { return floats(t.Shape[last-1:]) }
	t, err := Product{TransA: o.TransA, TransB: o.TransB}.Infer([]Type{one(a), one(b)})
	if err != nil {
		return Type{}, err
	}
	return floats(append(append(Shape(nil), a.Shape[:last-1]...), t.Shape...)), nil
}

// Gradient is that of Product, matrix by matrix.
func (o Products) Gradient(n, dy *Node) []Gradient {
	a, b := n.In[0], n.In[1]
	da := func() *Node {
		if o.TransA {
			return MatMulStack(b, dy, o.TransB, true)
		}
		return MatMulStack(dy, b, false, !o.TransB)
	}
	if o.TransB {
		return dense(da(), MatMulStack(dy, a, true, o.TransA))
	}
	return dense(da(), MatMulStack(a, dy, !o.TransA, false))
}

// MatMulStack returns the matrix product of each matrix of a […, m k] and the
// one at the same place in b […, k n], transposed first where asked: […, m n].
func MatMulStack(a, b *Node, transA, transB bool) *Node {
	return Apply(Products{transA, transB}, a, b)
}
