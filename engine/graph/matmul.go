package graph

import (
	"fmt"

	"github.com/hone-ml/hone/engine/tensor"
)

// Product is the op of MatMul: op(a)·op(b) where op transposes or not; and of
// Linear, with a bias as third input.
type Product struct {
	TransA, TransB bool
	Bias           bool
	Relu           bool // of the sum
}

// Name returns "matmul" with its transpositions.
func (o Product) Name() string {
	name := "matmul"
	if o.TransA {
		name += "_ta"
	}
	if o.TransB {
		name += "_tb"
	}
	if o.Bias {
		name += "_bias"
	}
	if o.Relu {
		name += "_relu"
	}
	return name
}

// Infer returns [m n] for op(a) of [m k] and op(b) of [k n], and a bias of [n].
func (o Product) Infer(in []Type) (Type, error) {
	if (len(in) == 3) != o.Bias || o.Relu && !o.Bias {
		return Type{}, fmt.Errorf("%d inputs, expected two matrices, and a bias where one is asked for", len(in))
	}
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
	if want := (Shape{n}); o.Bias && (in[2].DType != tensor.Float32 || !in[2].Shape.Equal(want)) {
		return Type{}, fmt.Errorf("the bias is %v, expected float32%v", in[2], want)
	}
	return floats(Shape{m, n}), nil
}

// Gradient returns dy·bᵀ and aᵀ·dy, with the transpositions of a and b taken
// into account rather than carried out.
func (o Product) Gradient(n, dy *Node) []Gradient {
	a, b := n.In[0], n.In[1]
	if o.Relu {
		dy = Gate(n, dy)
	}
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
	if o.Bias {
		return dense(da, db, Sum(dy, 0))
	}
	return dense(da, db)
}

func matmul(a, b *Node, ta, tb bool) *Node { return Apply(Product{TransA: ta, TransB: tb}, a, b) }

// MatMul returns the matrix product of a [m k] and b [k n]: [m n]. Every
// element is one chain of fused multiply-adds in ascending k.
func MatMul(a, b *Node) *Node { return matmul(a, b, false, false) }

// Linear returns a·b + bias, for a bias of [n]; of that, with relu, the larger of
// each element and 0. It has the bits of MatMul, Add and Relu one after the other.
func Linear(a, b, bias *Node, relu bool) *Node {
	return Apply(Product{Bias: true, Relu: relu}, a, b, bias)
}
