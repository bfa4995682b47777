package graph

import (
	"fmt"

	"github.com/hone-ml/hone/engine/tensor"
)

// Bag is the op of BagSum: the table, the indices, and the weights if there are
// any.
type Bag struct{}

// Name returns "bag_sum".
func (Bag) Name() string { return "bag_sum" }

// Infer returns the shape of the indices without their last dimension, followed
// by that of a table row.
func (Bag) Infer(in []Type) (Type, error) {
	table, idx := in[0], in[1]
	if len(table.Shape) < 1 || table.DType != tensor.Float32 || table.Shape[0].PerRow {
		return Type{}, fmt.Errorf("table is %v, expected float32 of a fixed number of rows", table)
	}
	last := len(idx.Shape) - 1
	if idx.DType != tensor.Int32 || last < 0 || idx.Shape[last].PerRow {
		return Type{}, fmt.Errorf("indices are %v, expected int32 [… k], bags of a fixed number k", idx)
	}
	if len(in) > 2 && (in[2].DType != tensor.Float32 || !in[2].Shape.Equal(idx.Shape)) {
		return Type{}, fmt.Errorf("weights are %v of indices %v, expected a float32 for each", in[2], idx)
	}
	return floats(append(append(Shape(nil), idx.Shape[:last]...), table.Shape[1:]...)), nil
}

// Gradient is sparse in the rows of the table: each index of a bag has the bag's
// own row of dy, which is not repeated. The gradient of the weights is the
// product of their row of the table and dy.
func (Bag) Gradient(n, dy *Node) []Gradient {
	table, idx := n.In[0], n.In[1]
	row := table.Shape()[1:]
	g := Gradient{
		Rows:   Reshape(idx, flatten(idx.Shape())),
		Values: Reshape(dy, append(Shape{flatten(idx.Shape()[:len(idx.Shape())-1])}, row...)...),
	}
	if len(n.In) == 2 {
		return []Gradient{g, {}}
	}
	weights := n.In[2]
	g.Weights = Reshape(weights, flatten(weights.Shape()))
	bag := append(append(append(Shape(nil), idx.Shape()[:len(idx.Shape())-1]...), N(1)), row...)
	axes := make([]int, len(row))
	for i := range axes {
		axes[i] = i - len(row)
	}
	products := Mul(Gather(table, idx), Reshape(dy, bag...))
	if len(axes) > 0 {
		products = Sum(products, axes...)
	}
	return []Gradient{g, {}, {Dense: products}}
}

// BagSum returns for each bag, k int32 indices in the last dimension of indices
// [… k], the sum of the rows of table [n …] at them, added in their order: […]
// followed by the shape of a row. An index of −1 stands for none; others outside
// the table are an error when the program runs. Weights [… k], unless nil,
// multiply the rows. Neither the rows of a bag nor their gradients are ever laid
// out side by side.
func BagSum(table, indices, weights *Node) *Node {
	if weights == nil {
		return Apply(Bag{}, table, indices)
	}
	return Apply(Bag{}, table, indices, weights)
}

// BagMean returns the sums of BagSum over the numbers of indices that are not −1:
// zeros for a bag of none.
func BagMean(table, indices *Node) *Node {
	sum := BagSum(table, indices, nil)
	b := sum.b
	if b.err != nil {
		return b.inert
	}
	count := Max(Apply(Filled{}, indices), b.Scalar(1))
	s := append(Shape(nil), count.Shape()...)
	for range len(table.Shape()) - 1 {
		s = append(s, N(1))
	}
	return Mul(sum, Reshape(Recip(count), s...))
}

// Filled counts the indices of each bag that are not −1: int32 [… k] to float32
// […].
type Filled struct{}

// Name returns "bag_count".
func (Filled) Name() string { return "bag_count" }

// Infer returns the shape without the last dimension.
func (Filled) Infer(in []Type) (Type, error) {
	last := len(in[0].Shape) - 1
	if in[0].DType != tensor.Int32 || last < 0 {
		return Type{}, fmt.Errorf("indices are %v, expected int32 [… k]", in[0])
	}
	return floats(append(Shape(nil), in[0].Shape[:last]...)), nil
}
