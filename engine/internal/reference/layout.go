package reference

import "github.com/hone-ml/hone/engine/graph"

func view(_ graph.Op, in []*Value, out *Value, _ int) error {
	copy(out.F, in[0].F)
	copy(out.I, in[0].I)
	return nil
}

func swap(_ graph.Op, in []*Value, out *Value, _ int) error {
	m, n := in[0].Shape[0], in[0].Shape[1]
	for i := range m {
		for j := range n {
			out.F[j*m+i] = in[0].F[i*n+j]
		}
	}
	return nil
}

// copyAlong copies elements of axis from src, beginning at from, to dst,
// beginning at to: n of them for every place in the other dimensions.
func copyAlong(axis int, dst *Value, to int, src *Value, from, n int) {
	outer, inner := size(dst.Shape[:axis]), size(dst.Shape[axis+1:])
	for i := range outer {
		for l := range n {
			d := (i*dst.Shape[axis] + to + l) * inner
			s := (i*src.Shape[axis] + from + l) * inner
			if dst.I != nil {
				copy(dst.I[d:d+inner], src.I[s:])
			} else {
				copy(dst.F[d:d+inner], src.F[s:])
			}
		}
	}
}

func join(op graph.Op, in []*Value, out *Value, _ int) error {
	axis, at := op.(graph.Join).Axis, 0
	for _, x := range in {
		copyAlong(axis, out, at, x, 0, x.Shape[axis])
		at += x.Shape[axis]
	}
	return nil
}

func cut(op graph.Op, in []*Value, out *Value, _ int) error {
	o := op.(graph.Cut)
	n := out.Shape[o.Axis]
	copyAlong(o.Axis, out, 0, in[0], o.Lo*(n/(o.Hi-o.Lo)), n) // n/(Hi−Lo) is the rows where the dimension is per row, else 1
	return nil
}
