package graph

import (
	"fmt"

	"github.com/hone-ml/hone/engine/tensor"
)

// Product is the op of MatMul: op(a)·op(b) where op transposes or not.
type Product struct{ TransA, TransB bool }

// Name returns "matmul" with its transpositions.
func (o Product) Name() string {
	name := "matmul"
	if o.TransA {
		name += "_ta"
	}
	if o.TransB {
		name += "_tb"
	}
	return name
}

// Infer returns [m n] for op(a) of [m k] and op(b) of [k n].
func (o Product) Infer(in []Type) (Type, error) {
	a, b := in[0], in[1]
	if a.DType != tensor.Float32 || b.DType != tensor.Float32 || len(a.Shape) != 2 || len(b.Shape) != 2 {
		return Type{}, fmt.Errorf("inputs are %v and %v, expected two float32 matrices", a, b)
	}
	m, k := a.Shape[0], a.Shape[1]
	if o.TransA {
		m, k = k, m
	}
	k2, n := b.Shape[0], b.Shape[1]
	if o.TransB {
		k2, n = n, k2
	}
	if k != k2 {
		return Type{}, fmt.Errorf("%v times %v: inner dimensions are %v and %v", a.Shape, b.Shape, k, k2)
	}
	return floats(Shape{m, n}), nil
}

// Gradient returns dy·bᵀ and aᵀ·dy, with the transpositions of a and b taken
// into account rather than carried out.
func (o Product) Gradient(n, dy *Node) []Gradient {
	a, b := n.In[0], n.In[1]
	var da, db *Node
	if o.TransA {
		da = matmul(b, dy, o.TransB, true)
	} else {
		da = matmul(dy, b, false, !o.TransB)
	}
	if o.TransB {
		db = matmul(dy, a, true, o.TransA)
	} else {
		db = matmul(a, dy, !o.TransA, false)
	}
	return dense(da, db)
}

func matmul(a, b *Node, ta, tb bool) *Node { return Apply(Product{ta, tb}, a, b) }

// MatMul returns the matrix product of a [m k] and b [k n]: [m n]. Every
// element is one chain of fused multiply-adds in ascending k.
func MatMul(a, b *Node) *Node { return matmul(a, b, false, false) }
