package graph

import (
	"fmt"

	"github.com/hone-ml/hone/engine/tensor"
)

// Lookup is the op of Gather and, with Dense, of GatherDense.
type Lookup struct{ Dense bool }

// Name returns "gather".
func (Lookup) Name() string { return "gather" }

// Infer returns the shape of the indices followed by that of a table row.
func (Lookup) Infer(in []Type) (Type, error) {
	table, idx := in[0], in[1]
	if len(table.Shape) < 1 || table.DType != tensor.Float32 || table.Shape[0].PerRow {
		return Type{}, fmt.Errorf("table is %v, expected float32 of a fixed number of rows", table)
	}
	if idx.DType != tensor.Int32 {
		return Type{}, fmt.Errorf("indices are %v, expected int32", idx)
	}
	return floats(append(append(Shape(nil), idx.Shape...), table.Shape[1:]...)), nil
}

// Gradient is sparse in the rows of the table, or dense.
func (o Lookup) Gradient(n, dy *Node) []Gradient {
	table, idx := n.In[0], n.In[1]
	flat := flatten(idx.Shape())
	g := Gradient{
		Rows:   Reshape(idx, flat),
		Values: Reshape(dy, append(Shape{flat}, table.Shape()[1:]...)...),
	}
	if o.Dense {
		g = Gradient{Dense: g.ToDense(table)}
	}
	return []Gradient{g, {}}
}

// flatten returns one dimension with all elements of a shape in which at
// most one dimension is per row.
func flatten(s Shape) Dim {
	z := s.Size()
	return Dim{z.Factor, z.Power > 0}
}

// Gather returns the rows of table [n …] at the int32 indices of any shape.
// An index of −1 gives zeros and no gradient; others outside the table are an
// error when the program runs.
func Gather(table, indices *Node) *Node { return Apply(Lookup{}, table, indices) }

// GatherDense is Gather with a gradient of the whole table, so that an
// optimiser updates every row of it at every step.
func GatherDense(table, indices *Node) *Node { return Apply(Lookup{Dense: true}, table, indices) }

// Unique is the op of UniqueRows.
type Unique struct{}

// Name returns "unique_rows".
func (Unique) Name() string { return "unique_rows" }

// Infer returns the type of the indices.
func (Unique) Infer(in []Type) (Type, error) {
	if in[0].DType != tensor.Int32 || len(in[0].Shape) != 1 {
		return Type{}, fmt.Errorf("indices are %v, expected an int32 vector", in[0])
	}
	return in[0], nil
}

// UniqueRows returns the distinct indices in ascending order, filled up with
// −1 to the length of the input; −1 in the input is left out.
func UniqueRows(indices *Node) *Node { return Apply(Unique{}, indices) }

// Collect is the op of SumByRow.
type Collect struct{}

// Name returns "sum_by_row".
func (Collect) Name() string { return "sum_by_row" }

// Infer returns one row of values for each of unique.
func (Collect) Infer(in []Type) (Type, error) {
	unique, idx, v := in[0], in[1], in[2]
	if unique.DType != tensor.Int32 || idx.DType != tensor.Int32 || len(unique.Shape) != 1 || len(idx.Shape) != 1 ||
		v.DType != tensor.Float32 || len(v.Shape) < 1 || !repeats(v.Shape[0], idx.Shape[0]) {
		return Type{}, fmt.Errorf("inputs are %v, %v and %v, expected int32 [m], int32 [n] and float32 [n …], or [n/k …]", unique, idx, v)
	}
	if len(in) > 3 && (in[3].DType != tensor.Float32 || !in[3].Shape.Equal(idx.Shape)) {
		return Type{}, fmt.Errorf("weights are %v of indices %v, expected a float32 for each", in[3], idx)
	}
	return floats(append(Shape{unique.Shape[0]}, v.Shape[1:]...)), nil
}

// repeats reports whether n is a multiple of part for any number of rows.
func repeats(part, n Dim) bool {
	return part == n || part.PerRow == n.PerRow && part.N > 0 && n.N%part.N == 0
}

// SumByRow returns, for each index in unique (as UniqueRows makes it), the
// sum of the rows of values whose index it is, added in ascending order of
// position: [m …] for values [n …]. Of values [n/k …] each row belongs to k
// indices in turn. Weights [n], unless nil, multiply the rows.
func SumByRow(unique, indices, values, weights *Node) *Node {
	if weights == nil {
		return Apply(Collect{}, unique, indices, values)
	}
	return Apply(Collect{}, unique, indices, values, weights)
}

// Put is the op of ScatterSet.
type Put struct{}

// Name returns "scatter_set".
func (Put) Name() string { return "scatter_set" }

// Infer returns the table's type.
func (Put) Infer(in []Type) (Type, error) {
	table, idx, v := in[0], in[1], in[2]
	want := Shape{}
	if len(idx.Shape) == 1 && len(table.Shape) > 0 {
		want = append(Shape{idx.Shape[0]}, table.Shape[1:]...)
	}
	if idx.DType != tensor.Int32 || len(idx.Shape) != 1 || table.DType != tensor.Float32 || v.DType != tensor.Float32 || !v.Shape.Equal(want) {
		return Type{}, fmt.Errorf("inputs are %v, %v and %v, expected float32 [n …], int32 [m] and float32 [m …]", table, idx, v)
	}
	return table, nil
}

// ScatterSet returns table [n …] with the rows at the indices, which must be
// distinct, replaced by rows of values [m …]; −1 is skipped. Written to the
// variable it was read from, it touches those rows alone.
func ScatterSet(table, indices, values *Node) *Node { return Apply(Put{}, table, indices, values) }

// Spread is the op of ScatterAdd.
type Spread struct{ N int }

// Name returns "scatter_add".
func (Spread) Name() string { return "scatter_add" }

// Infer returns [N …] for values [m …].
func (o Spread) Infer(in []Type) (Type, error) {
	idx, v := in[0], in[1]
	if idx.DType != tensor.Int32 || len(idx.Shape) != 1 || v.DType != tensor.Float32 || len(v.Shape) < 1 || v.Shape[0] != idx.Shape[0] {
		return Type{}, fmt.Errorf("inputs are %v and %v, expected int32 [m] and float32 [m …]", idx, v)
	}
	return floats(append(Shape{N(o.N)}, v.Shape[1:]...)), nil
}

// Gradient gathers dy.
func (o Spread) Gradient(n, dy *Node) []Gradient {
	return dense(nil, Gather(dy, n.In[0]))
}

// ScatterAdd returns zeros [n …] to whose rows at the indices the rows of
// values [m …] are added, in ascending order of position; −1 is skipped.
func ScatterAdd(indices, values *Node, n int) *Node { return Apply(Spread{n}, indices, values) }

// Hot is the op of OneHot.
type Hot struct{ Classes int }

// Name returns "one_hot".
func (Hot) Name() string { return "one_hot" }

// Infer returns the indices' shape with the classes as last dimension.
func (o Hot) Infer(in []Type) (Type, error) {
	if in[0].DType != tensor.Int32 {
		return Type{}, fmt.Errorf("indices are %v, expected int32", in[0])
	}
	if o.Classes < 1 {
		return Type{}, fmt.Errorf("%d classes, expected at least one", o.Classes)
	}
	return floats(append(append(Shape(nil), in[0].Shape...), N(o.Classes))), nil
}

// OneHot returns 1 at each index and 0 elsewhere, with the classes as last
// dimension; −1 gives zeros.
func OneHot(indices *Node, classes int) *Node { return Apply(Hot{classes}, indices) }
