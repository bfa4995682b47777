package graph

import (
	"fmt"
	"strings"

	"github.com/hone-ml/hone/engine/tensor"
)

// A Dim is one dimension of a shape: N elements, or N elements for every row
// of a run.
type Dim struct {
	N      int
	PerRow bool
}

// Rows is the dimension with one element per row of a run.
var Rows = Dim{N: 1, PerRow: true}

// N returns the constant dimension n.
func N(n int) Dim { return Dim{N: n} }

// Of returns the number of elements for a number of rows.
func (d Dim) Of(rows int) int {
	if d.PerRow {
		return d.N * rows
	}
	return d.N
}

// String writes a constant as 20, a symbolic dimension as rows or 4·rows.
func (d Dim) String() string {
	switch {
	case !d.PerRow:
		return fmt.Sprint(d.N)
	case d.N == 1:
		return "rows"
	}
	return fmt.Sprintf("%d·rows", d.N)
}

// A Shape is a list of dimensions; an empty one is a scalar.
type Shape []Dim

// Fixed returns a shape of constant dimensions.
func Fixed(dims ...int) Shape {
	s := make(Shape, len(dims))
	for i, d := range dims {
		s[i] = N(d)
	}
	return s
}

// Equal reports whether two shapes are the same for every number of rows.
func (s Shape) Equal(o Shape) bool {
	if len(s) != len(o) {
		return false
	}
	for i := range s {
		if s[i] != o[i] {
			return false
		}
	}
	return true
}

// String writes the shape as [rows 20].
func (s Shape) String() string {
	parts := make([]string, len(s))
	for i, d := range s {
		parts[i] = d.String()
	}
	return "[" + strings.Join(parts, " ") + "]"
}

// Of appends the dimensions for a number of rows to dst.
func (s Shape) Of(dst []int, rows int) []int {
	for _, d := range s {
		dst = append(dst, d.Of(rows))
	}
	return dst
}

// Size returns the number of elements as Factor · rows^Power.
func (s Shape) Size() Size {
	z := Size{Factor: 1}
	for _, d := range s {
		z.Factor *= d.N
		if d.PerRow {
			z.Power++
		}
	}
	return z
}

// A Size is a number of elements: Factor · rows^Power.
type Size struct{ Factor, Power int }

// Of returns the number of elements for a number of rows.
func (z Size) Of(rows int) int {
	n := z.Factor
	for range z.Power {
		n *= rows
	}
	return n
}

// A Type is what a node computes: elements of DType in Shape.
type Type struct {
	DType tensor.DType
	Shape Shape
}

// String writes the type as float32[rows 20].
func (t Type) String() string { return t.DType.String() + t.Shape.String() }

func floats(s Shape) Type { return Type{tensor.Float32, s} }

// broadcast returns the shape of an element-wise operation on a and b by
// NumPy's rule: shapes are aligned at their last dimensions, and a dimension
// of one, or an absent one, is repeated.
func broadcast(a, b Shape) (Shape, error) {
	if len(a) < len(b) {
		a, b = b, a
	}
	out := append(Shape(nil), a...)
	skip := len(a) - len(b)
	for i, d := range b {
		switch o := out[skip+i]; {
		case o == d || d == N(1):
		case o == N(1):
			out[skip+i] = d
		default:
			return nil, fmt.Errorf("shapes %v and %v do not broadcast: %v against %v", a, b, o, d)
		}
	}
	return out, nil
}
