package nn

import (
	"errors"
	"fmt"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
)

// Sequential applies layers one after the other. Their parameters are named
// by kind and order: dense_1/kernel, dense_2/kernel, …
func Sequential(layers ...Layer) Layer {
	return layerFunc(func(c *Context, x *graph.Node) *graph.Node {
		for _, l := range layers {
			x = l.Apply(c, x)
		}
		return x
	})
}

// leaf makes a layer that is numbered by its kind and has a part of its own.
func leaf(kind string, build func(c *Context, x *graph.Node) *graph.Node) Layer {
	return layerFunc(func(c *Context, x *graph.Node) *graph.Node {
		return c.layer(kind, x, func(c *Context) *graph.Node { return build(c, x) })
	})
}

// Residual adds what the layers make of x to x (He et al. 2016); the shapes
// must agree.
func Residual(layers ...Layer) Layer {
	return leaf("residual", func(c *Context, x *graph.Node) *graph.Node {
		y := Sequential(layers...).Apply(c, x)
		if c.B.Err() == nil && !y.Shape().Equal(x.Shape()) {
			return c.B.Fail("residual", fmt.Errorf("the layers make %v of %v, expected the same shape", y.Type, x.Type))
		}
		return graph.Add(x, y)
	})
}

// Embedding looks up int32 indices in a table of n learned vectors of length
// dim: [rows …] → [rows … dim]. An index of −1 gives zeros. The gradient is
// sparse in the rows of the table (see package optim), unless DenseGradient is
// given. The table starts uniform within ±0.05, as in Keras, or as TableInit says.
func Embedding(n, dim int, opts ...EmbeddingOption) Layer {
	e := embedding{init: Uniform(0.05), gather: graph.Gather}
	for _, o := range opts {
		o(&e)
	}
	return leaf("embedding", func(c *Context, x *graph.Node) *graph.Node {
		if n < 1 || dim < 1 || x.Type.DType != tensor.Int32 {
			return c.B.Fail("embedding", fmt.Errorf("%d vectors of length %d on %v, expected at least one of each on int32 indices", n, dim, x.Type))
		}
		return e.gather(c.Param("table", []int{n, dim}, e.init), x)
	})
}

// An EmbeddingOption is an option of Embedding: DenseGradient or TableInit.
type EmbeddingOption func(*embedding)

type embedding struct {
	init   Initializer
	gather func(table, indices *graph.Node) *graph.Node
}

// DenseGradient gives every row of the table a gradient, zero where a batch has
// none of it, so that optimisers move it by momentum and decay it at every step:
// what PyTorch does unless sparse=True.
func DenseGradient() EmbeddingOption {
	return func(e *embedding) { e.gather = graph.GatherDense }
}

// TableInit sets how the table is initialised. PyTorch has Normal(1), GPT-2
// Normal(0.02).
func TableInit(i Initializer) EmbeddingOption { return func(e *embedding) { e.init = i } }

// Dropout sets a share of the elements to 0 in training and scales the rest
// by 1/(1−rate) (Srivastava et al. 2014); elsewhere it does nothing. The shape
// stays. Which elements are dropped follows from the context's Seed and Step,
// the layer's place in the program and the element's index.
func Dropout(rate float64) Layer {
	return leaf("dropout", func(c *Context, x *graph.Node) *graph.Node {
		if !(rate >= 0 && rate < 1) {
			return c.B.Fail("dropout", fmt.Errorf("rate is %g, expected 0 ≤ rate < 1", rate))
		}
		if !c.Training || rate == 0 {
			return x
		}
		if c.Seed == nil || c.Step == nil {
			return c.B.Fail("dropout", errors.New("the context has no Seed and Step nodes, which it needs in training"))
		}
		keep := graph.GreaterEqual(graph.Uniform(c.Seed, c.Step, x.Shape()...), c.B.Scalar(rate))
		return graph.Mul(x, graph.Scale(keep, 1/(1-rate)))
	})
}

// Flatten makes [rows n] of [rows …].
func Flatten() Layer {
	return leaf("flatten", func(c *Context, x *graph.Node) *graph.Node {
		return graph.Reshape(x, graph.Rows, graph.N(x.Shape().Size().Factor))
	})
}

// A NormOption is an option of BatchNorm, LayerNorm or RMSNorm.
type NormOption func(*norm)

type norm struct{ momentum, epsilon float64 }

// Momentum sets the share of BatchNorm's running statistics that a batch
// leaves as it was. The default is 0.9, which PyTorch calls 0.1; Keras has
// 0.99.
func Momentum(m float64) NormOption { return func(n *norm) { n.momentum = m } }

// Epsilon sets what is added to the variance. The default is 1e-5 as in
// PyTorch; Keras has 1e-3.
func Epsilon(e float64) NormOption { return func(n *norm) { n.epsilon = e } }

// newNorm applies options; ok is false where they or the input make no sense,
// which the builder then says.
func newNorm(c *Context, kind string, x *graph.Node, opts []NormOption) (n norm, width int, ok bool) {
	n = norm{momentum: 0.9, epsilon: 1e-5}
	for _, o := range opts {
		o(&n)
	}
	s := x.Shape()
	switch last := len(s) - 1; {
	case last < 1 || s[last].PerRow || x.Type.DType != tensor.Float32:
		c.B.Fail(kind, fmt.Errorf("input is %v, expected float32 [rows … n]", x.Type))
	case !(n.momentum >= 0 && n.momentum < 1 && n.epsilon > 0):
		c.B.Fail(kind, fmt.Errorf("momentum is %g and epsilon %g, expected 0 ≤ momentum < 1 and epsilon > 0", n.momentum, n.epsilon))
	default:
		return n, s[last].N, true
	}
	return n, 0, false
}

// scale divides what was centred by the deviation and applies the learned
// gain [width] and shift [width].
func (n norm) scale(c *Context, centred, variance *graph.Node, width int) *graph.Node {
	y := graph.Mul(centred, graph.Rsqrt(graph.AddScalar(variance, n.epsilon)))
	return graph.Add(graph.Mul(y, c.Param("gain", []int{width}, Ones)), c.Param("shift", []int{width}, Zeros))
}

// LayerNorm scales each row to mean 0 and deviation 1 over its last dimension
// and applies a learned gain and shift (Ba et al. 2016): [rows … n] stays
// [rows … n].
func LayerNorm(opts ...NormOption) Layer {
	return leaf("layer_norm", func(c *Context, x *graph.Node) *graph.Node {
		n, width, ok := newNorm(c, "layer_norm", x, opts)
		if !ok {
			return x
		}
		return graph.LayerNorm(x, c.Param("gain", []int{width}, Ones), c.Param("shift", []int{width}, Zeros), n.epsilon)
	})
}

// RMSNorm divides each row by the root of the mean of its squares over its last
// dimension and applies a learned gain (Zhang and Sennrich 2019): [rows … n]
// stays [rows … n].
func RMSNorm(opts ...NormOption) Layer {
	return leaf("rms_norm", func(c *Context, x *graph.Node) *graph.Node {
		n, width, ok := newNorm(c, "rms_norm", x, opts)
		if !ok {
			return x
		}
		return graph.RMSNorm(x, c.Param("gain", []int{width}, Ones), n.epsilon)
	})
}

// BatchNorm scales each of the n columns of [rows … n] to mean 0 and
// deviation 1 over the batch and applies a learned gain and shift (Ioffe and
// Szegedy 2015). Programs that do not train use the running mean and variance,
// which those that train move:
//
//	running ← momentum·running + (1−momentum)·batch
//
// Row weights do not enter the statistics, and the variance is the batch's own
// (divided by its rows), also where it moves the running one, as in Keras;
// PyTorch's running variance is divided by one row less. A batch of one row
// has variance 0 and so becomes the shift alone. Two applications in one
// program cannot share running statistics: give each its own Sub.
func BatchNorm(opts ...NormOption) Layer {
	return leaf("batch_norm", func(c *Context, x *graph.Node) *graph.Node {
		n, width, ok := newNorm(c, "batch_norm", x, opts)
		if !ok {
			return x
		}
		runningMean, runningVariance := c.Stat("mean", []int{width}, Zeros), c.Stat("variance", []int{width}, Ones)
		if c.B.Err() != nil {
			return x
		}
		if !c.Training {
			return n.scale(c, graph.Sub(x, c.B.Read(runningMean)), c.B.Read(runningVariance), width)
		}
		outer := make([]int, len(x.Shape())-1)
		for i := range outer {
			outer[i] = i
		}
		mean := graph.Mean(x, outer...)
		centred := graph.Sub(x, mean)
		variance := graph.Mean(graph.Square(centred), outer...)
		move := func(v *graph.Variable, batch *graph.Node) {
			c.B.Write(v, graph.Add(graph.Scale(c.B.Read(v), n.momentum), graph.Scale(graph.StopGradient(batch), 1-n.momentum)))
		}
		move(runningMean, mean)
		move(runningVariance, variance)
		return n.scale(c, centred, variance, width)
	})
}
