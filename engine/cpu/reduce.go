package cpu

import (
	"math"

	"github.com/hone-ml/hone/engine/cpu/kernel"
	"github.com/hone-ml/hone/engine/graph"
)

func init() {
	register(func(op graph.Reduce, n *graph.Node) (step, error) {
		x := n.In[0].Shape()
		return &reduceStep{
			kind: op.Kind, x: n.In[0], y: n,
			outer: x[:op.Lo].Size(), red: x[op.Lo:op.Hi].Size(), inner: x[op.Hi:].Size(),
		}, nil
	})
	register(func(_ graph.RowCount, n *graph.Node) (step, error) { return rowCountStep{n}, nil })
}

// reduceStep reduces the middle of [outer red inner]. A sum over neighbouring
// elements is the fixed tree of kernel.Sum; a sum over rows adds them in
// ascending order, column by column.
type reduceStep struct {
	kind              graph.ReduceKind
	x, y              *graph.Node
	outer, red, inner graph.Size
}

// wideColumns is how many columns a task takes of many rows, if there are enough
// for four tasks: of fewer, memory would be asked for a line or two of each row.
const wideColumns = 256

// A task takes a block of columns of one outer index, or of outer indices
// where there is one column.
func (s *reduceStep) split(rows int) (outer, red, inner, perOuter, perInner int) {
	outer, red, inner = s.outer.Of(rows), s.red.Of(rows), s.inner.Of(rows)
	perInner = max(16, taskWork/max(red, 1)/16*16, min(inner/4, wideColumns)/16*16)
	perOuter = max(1, taskWork/max(red*min(inner, perInner), 1))
	return
}

func (s *reduceStep) tasks(rows int) int {
	outer, _, inner, perOuter, perInner := s.split(rows)
	return chunks(outer, perOuter) * chunks(inner, perInner)
}

func (s *reduceStep) run(in *instance, task int, _ *worker) {
	outer, red, inner, perOuter, perInner := s.split(in.rows)
	blocks := chunks(inner, perInner)
	o0, o1 := chunk(outer, perOuter, task/blocks)
	c0, c1 := chunk(inner, perInner, task%blocks)
	x, y := in.floats(s.x), in.floats(s.y)
	for o := o0; o < o1; o++ {
		src, dst := x[o*red*inner:(o+1)*red*inner], y[o*inner:(o+1)*inner]
		switch {
		case s.kind == graph.OpSum && s.inner == graph.Size{Factor: 1}: // not a row that happens to be alone
			dst[0] = kernel.Sum(src)
		case s.kind == graph.OpSum:
			kernel.SumRows(dst[c0:c1], src[min(c0, len(src)):], red, inner)
		case inner == 1:
			dst[0] = kernel.ReduceMax(src)
		default:
			for c := c0; c < c1; c++ {
				m := float32(math.Inf(-1))
				for r := range red {
					m = max(m, src[r*inner+c]) // NaN stays NaN
				}
				dst[c] = m
			}
		}
	}
}

type rowCountStep struct{ y *graph.Node }

func (s rowCountStep) tasks(int) int { return 1 }
func (s rowCountStep) run(in *instance, _ int, _ *worker) {
	in.floats(s.y)[0] = float32(in.rows)
}
