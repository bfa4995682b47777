package graph

import (
	"fmt"
	"slices"

	"github.com/hone-ml/hone/engine/tensor"
)

// ReduceKind names a reduction.
type ReduceKind uint8

// The reductions.
const (
	OpSum ReduceKind = iota
	OpReduceMax
)

// Reduce is the op of a reduction over the neighbouring dimensions Lo to Hi
// (exclusive), which it removes.
type Reduce struct {
	Kind   ReduceKind
	Lo, Hi int
}

// Name returns the reduction's name.
func (o Reduce) Name() string { return [...]string{OpSum: "sum", OpReduceMax: "reduce_max"}[o.Kind] }

// Infer returns the input's shape without the dimensions.
func (o Reduce) Infer(in []Type) (Type, error) {
	t := in[0]
	if t.DType != tensor.Float32 {
		return Type{}, fmt.Errorf("input is %v, expected float32", t)
	}
	if o.Lo < 0 || o.Hi > len(t.Shape) || o.Lo >= o.Hi {
		return Type{}, fmt.Errorf("no dimensions %d to %d in %v", o.Lo, o.Hi-1, t)
	}
	return floats(slices.Concat(t.Shape[:o.Lo], t.Shape[o.Hi:])), nil
}

// Gradient repeats dy along the removed dimensions; of a maximum, every
// element that attains it gets an equal share.
func (o Reduce) Gradient(n, dy *Node) []Gradient {
	x := n.In[0]
	kept := append(Shape(nil), x.Shape()...)
	for i := o.Lo; i < o.Hi; i++ {
		kept[i] = N(1)
	}
	up := func(v *Node) *Node { return Reshape(v, kept...) }
	if o.Kind == OpSum {
		return dense(BroadcastTo(up(dy), x.Shape()))
	}
	hit := Equal(x, up(n))
	share := Div(dy, Apply(Reduce{OpSum, o.Lo, o.Hi}, hit))
	return dense(Mul(hit, up(share)))
}

func reduce(kind ReduceKind, x *Node, axes []int) *Node {
	if x.b.err != nil {
		return x.b.inert
	}
	rank := len(x.Shape())
	if len(axes) == 0 {
		for i := range rank {
			axes = append(axes, i)
		}
	}
	axes = slices.Clone(axes)
	for i, a := range axes {
		if a < 0 {
			axes[i] = a + rank
		}
		if axes[i] < 0 || axes[i] >= rank {
			return x.b.Fail(Reduce{Kind: kind}.Name(), fmt.Errorf("no dimension %d in %v", a, x.Type))
		}
	}
	slices.Sort(axes)
	axes = slices.Compact(axes)
	if _, ok := x.Op.(MaxSpread); ok && kind == OpSum && slices.Equal(axes, []int{0, 1, 2}) {
		x = x.In[0] // zeros beside dy
	}
	for end := len(axes); end > 0; { // runs of neighbours, the last first, so that earlier indices stay
		start := end - 1
		for start > 0 && axes[start-1] == axes[start]-1 {
			start--
		}
		x = Apply(Reduce{kind, axes[start], axes[end-1] + 1}, x)
		end = start
	}
	return x
}

// Sum returns the sum over the given dimensions (negative ones count from the
// last), which are removed; over all where none are given.
func Sum(x *Node, axes ...int) *Node { return reduce(OpSum, x, axes) }

// ReduceMax returns the maximum over the given dimensions, as Sum.
func ReduceMax(x *Node, axes ...int) *Node { return reduce(OpReduceMax, x, axes) }

// Mean returns the mean over the given dimensions, as Sum.
func Mean(x *Node, axes ...int) *Node {
	sum := Sum(x, axes...)
	if x.b.err != nil {
		return x.b.inert
	}
	all, left := x.Shape().Size(), sum.Shape().Size()
	n := x.b.Scalar(float64(all.Factor / max(1, left.Factor)))
	for range all.Power - left.Power {
		n = Mul(n, x.b.RowCount())
	}
	return Div(sum, n)
}
