package reference

import (
	"reflect"

	"github.com/hone-ml/hone/engine/graph"
)

func init() {
	functions[reflect.TypeFor[graph.Bag]()] = bag
	functions[reflect.TypeFor[graph.Filled]()] = filled
}

func bag(_ graph.Op, in []*Value, out *Value, _ int) error {
	table, idx, width := in[0], in[1], size(in[0].Shape[1:])
	k := idx.Shape[len(idx.Shape)-1]
	for i, row := range idx.I {
		if err := within(row, table.Shape[0]); err != nil {
			return err
		}
		if row < 0 {
			continue
		}
		weight := 1.0
		if len(in) > 2 {
			weight = in[2].F[i]
		}
		for l := range width {
			out.F[i/k*width+l] += weight * table.F[int(row)*width+l]
		}
	}
	return nil
}

func filled(_ graph.Op, in []*Value, out *Value, _ int) error {
	k := in[0].Shape[len(in[0].Shape)-1]
	for i, row := range in[0].I {
		if row >= 0 {
			out.F[i/k]++
		}
	}
	return nil
}
