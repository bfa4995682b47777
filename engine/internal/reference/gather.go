package reference

import (
	"fmt"
	"slices"

	"github.com/hone-ml/hone/engine/graph"
)

// within returns an error unless idx is −1 or below n.
func within(idx int32, n int) error {
	if idx < -1 || int(idx) >= n {
		return fmt.Errorf("index %d is outside of %d rows", idx, n)
	}
	return nil
}

func lookup(_ graph.Op, in []*Value, out *Value, _ int) error {
	table, width := in[0], size(in[0].Shape[1:])
	for i, idx := range in[1].I {
		if err := within(idx, table.Shape[0]); err != nil {
			return err
		}
		if idx >= 0 {
			copy(out.F[i*width:(i+1)*width], table.F[int(idx)*width:])
		}
	}
	return nil
}

func unique(_ graph.Op, in []*Value, out *Value, _ int) error {
	var rows []int32
	for _, idx := range in[0].I {
		if idx < -1 {
			return fmt.Errorf("index %d is negative", idx)
		}
		if idx >= 0 {
			rows = append(rows, idx)
		}
	}
	slices.Sort(rows)
	for i := copy(out.I, slices.Compact(rows)); i < len(out.I); i++ {
		out.I[i] = -1
	}
	return nil
}

func collect(_ graph.Op, in []*Value, out *Value, _ int) error {
	width := size(out.Shape[1:])
	for i, u := range in[0].I {
		for j, idx := range in[1].I {
			if idx != u || u < 0 {
				continue
			}
			weight := 1.0
			if len(in) > 3 {
				weight = in[3].F[j]
			}
			j /= len(in[1].I) / in[2].Shape[0] // the row of values
			for l := range width {
				out.F[i*width+l] += weight * in[2].F[j*width+l]
			}
		}
	}
	return nil
}

func put(_ graph.Op, in []*Value, out *Value, _ int) error {
	width := size(out.Shape[1:])
	copy(out.F, in[0].F)
	for i, idx := range in[1].I {
		if err := within(idx, out.Shape[0]); err != nil {
			return err
		}
		if idx >= 0 {
			copy(out.F[int(idx)*width:(int(idx)+1)*width], in[2].F[i*width:])
		}
	}
	return nil
}

func spread(_ graph.Op, in []*Value, out *Value, _ int) error {
	width := size(out.Shape[1:])
	for i, idx := range in[0].I {
		if err := within(idx, out.Shape[0]); err != nil {
			return err
		}
		for l := range width {
			if idx >= 0 {
				out.F[int(idx)*width+l] += in[1].F[i*width+l]
			}
		}
	}
	return nil
}

func hot(op graph.Op, in []*Value, out *Value, _ int) error {
	k := op.(graph.Hot).Classes
	for i, idx := range in[0].I {
		if err := within(idx, k); err != nil {
			return err
		}
		if idx >= 0 {
			out.F[i*k+int(idx)] = 1
		}
	}
	return nil
}
