package nn

import (
	"fmt"
	"math"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
)

// PiecewiseLinear gives a number [rows 1] a vector of length dim that is
// linear between neighbouring edges, which ascend: the piecewise-linear
// embedding of Gorishniy et al. 2022, section 3.2, with the linear part beside
// it (their package's version B). The outer pieces go on beyond the edges.
//
// Its variables are kernel [len(edges)−1 dim], which starts at 0, slope [1 dim]
// and bias [dim].
func PiecewiseLinear(edges []float64, dim int) Layer {
	return leaf("piecewise_linear", func(c *Context, x *graph.Node) *graph.Node {
		n := len(edges) - 1
		if !isNumber(x) || n < 1 || dim < 1 {
			return c.B.Fail("piecewise_linear", fmt.Errorf("%d edges and vectors of %d on %v, expected two edges and a length of one or more, on float32[rows 1]", len(edges), dim, x.Type))
		}
		start, scale := make([]float32, n), make([]float32, n)
		low, high := make([]float32, n), make([]float32, n)
		for i := range n {
			width := edges[i+1] - edges[i]
			if !(width > 0) || math.IsInf(width, 0) {
				return c.B.Fail("piecewise_linear", fmt.Errorf("edges %d and %d are %g and %g, expected ascending ones", i, i+1, edges[i], edges[i+1]))
			}
			start[i], scale[i], high[i] = float32(edges[i]), float32(1/width), 1
		}
		low[0], high[n-1] = -math.MaxFloat32, math.MaxFloat32
		row := func(v []float32) *graph.Node { return fixed(c, v) }
		pieces := graph.Mul(graph.Sub(x, row(start)), row(scale))
		pieces = graph.Min(graph.Max(pieces, row(low)), row(high))
		y := graph.Mul(x, c.Param("slope", []int{1, dim}, Uniform(1)))
		if n > 1 { // one piece is the linear part itself
			y = graph.Add(y, graph.MatMul(pieces, c.Param("kernel", []int{n, dim}, Zeros)))
		}
		return graph.Add(y, c.Param("bias", []int{dim}, Uniform(1)))
	})
}

func isNumber(x *graph.Node) bool {
	s := x.Shape()
	return x.Type.DType == tensor.Float32 && len(s) == 2 && s[1] == graph.N(1)
}

// fixed is a row [1 n] of fixed numbers.
func fixed(c *Context, v []float32) *graph.Node {
	t, err := tensor.FromFloats(v, 1, len(v))
	if err != nil {
		return c.B.Fail("fixed", err)
	}
	return c.B.Constant(t)
}
