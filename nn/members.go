package nn

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
)

// Members makes k members of x, each with a learned scale of its own for every
// column: [rows n] → [rows k n]. Layers after it work on all members with the
// same weights, so that k networks train as one (the adapter of TabM-mini,
// Gorishniy et al. 2025, section 3.3; Wen et al. 2020).
func Members(k int, scale Initializer) Layer {
	return leaf("members", func(c *Context, x *graph.Node) *graph.Node {
		s := x.Shape()
		if k < 1 || len(s) != 2 || s[1].PerRow || x.Type.DType != tensor.Float32 {
			return c.B.Fail("members", fmt.Errorf("%d members of %v, expected at least one of float32[rows n]", k, x.Type))
		}
		n := s[1].N
		return graph.Mul(graph.Reshape(x, s[0], graph.N(1), s[1]), c.Param("scale", []int{k, n}, scale))
	})
}

// DenseMembers is a dense layer for every member, with weights of its own:
// [rows k n] → [rows k units]. Its variables are kernel [k n units] and bias
// [k units].
func DenseMembers(units int, activation Activation) Layer {
	return leaf("dense_members", func(c *Context, x *graph.Node) *graph.Node {
		s := x.Shape()
		if units < 1 || len(s) != 3 || s[1].PerRow || s[2].PerRow {
			return c.B.Fail("dense_members", fmt.Errorf("%d units on %v, expected at least one unit on float32[rows k n]", units, x.Type))
		}
		k, n := s[1].N, s[2].N
		kernel := c.Param("kernel", []int{k, n, units}, memberInit)
		var y *graph.Node
		if units == 1 {
			y = graph.Sum(graph.Mul(x, graph.Reshape(kernel, s[1], s[2])), -1)
		} else {
			each := make([]*graph.Node, k)
			for i := range each {
				xi := graph.Reshape(graph.Slice(x, 1, i, i+1), s[0], s[2])
				each[i] = graph.MatMul(xi, graph.Reshape(graph.Slice(kernel, 0, i, i+1), s[2], graph.N(units)))
			}
			y = graph.Concat(1, each...)
		}
		y = graph.Add(graph.Reshape(y, s[0], s[1], graph.N(units)), c.Param("bias", []int{k, units}, Zeros))
		if activation.f == nil {
			return y
		}
		return activation.f(y)
	})
}

// memberInit is Glorot's uniform initialiser for the kernels [k n units] of k
// layers side by side.
var memberInit = Initializer{"glorot_uniform_members", func(r *rand.Rand, shape []int, x []float32) {
	uniformIn(func(_, _ float64) float64 { return math.Sqrt(6 / float64(shape[1]+shape[2])) })(r, shape, x)
}}
